"""Gaps between groups: is the model as good, as strict and as honest for everybody?"""

from __future__ import annotations

from analytics.ask.aggregates import decides
from analytics.ask.segments import Compared, compare_slices
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Scope
from analytics.segments.gaps import corrected_gaps, equalised_odds, gap_of
from analytics.segments.rows import GapRow, SegmentRow
from analytics.telemetry.catalog import Catalog

_OF_DECISIONS = ("decision_rate", "recall", "specificity", "precision", "accuracy")


def gaps_of(catalog: Catalog, scope: Scope) -> Results[GapRow]:
    """How far apart the values of every declared segment are, by every notion of being treated alike.

    Raises:
        ScopeError: no segment is declared.
    """
    if not catalog.segments:
        raise ScopeError("no segments are declared; name columns in [predictions] segments")
    wanted = compared(catalog)
    found, texts = compare_slices(catalog, scope, wanted)
    rows: list[GapRow] = []
    versions = dict.fromkeys(row.version for slices in found.values() for row in slices)
    segments = dict.fromkeys(row.segment for slices in found.values() for row in slices)
    for version in versions:
        for segment in segments:
            gaps = [
                gap_of(slices, one.class_, scope.confidence)
                for one, slices in ((one, _of(found[one], version, segment)) for one in wanted)
                if slices
            ]
            rows += gaps
            by_metric = {gap.metric: gap for gap in gaps if gap.class_ is None}
            if "recall" in by_metric and "specificity" in by_metric:
                rows.append(equalised_odds(by_metric["recall"], by_metric["specificity"]))
    note = "p-values are corrected (Benjamini-Hochberg) over all gaps of a version"
    return Results(corrected_gaps(rows), catalog.project.zone, texts, (note,) if rows else ())


def compared(catalog: Catalog) -> tuple[Compared, ...]:
    """The metrics whose gaps mean something for the task."""
    match catalog.predictions.task:
        case "regression":
            return (Compared("mean_absolute_error"), Compared("mean_error"))
        case "multiclass":
            whole = (Compared("log_loss"), Compared("accuracy"))
            classes = catalog.predictions.classes
            return (*whole, *(Compared(name, one) for one in classes for name in ("decision_rate", "recall")))
    decided = tuple(Compared(name) for name in _OF_DECISIONS) if decides(catalog.predictions) else ()
    return (Compared("log_loss"), *decided, Compared("mean_error"))


def _of(rows: list[SegmentRow], version: str | None, segment: str) -> list[SegmentRow]:
    return [row for row in rows if row.version == version and row.segment == segment]
