"""Every value of every segment against the rest of its version's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from analytics.aggregates.cells import DecisionCells, read_decision_cells
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, Statistic, needed_columns, read_row_moments
from analytics.aggregates.scores import EXACT_ROWS, ScoreHistogram, read_score_histograms
from analytics.ask.aggregates import decides, edges_of
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.measures import binary, multiclass, regression
from analytics.measures.estimate import Estimate, missing, ratio
from analytics.results import Results
from analytics.scope import MISSING, Scope, Window
from analytics.segments.compare import corrected, difference, impact
from analytics.segments.rows import SegmentRow
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

DEFAULT = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mean_absolute_error"}
_RANKED = ("roc_auc", "average_precision")
_SUMS = ("log_loss", "brier_score", "prevalence", "mean_score", "top_2_accuracy")
_NOT_BY_SLICE = ("expected_calibration_error", "median_absolute_error")


@dataclass(frozen=True)
class _Part:
    """What one metric needs of one slice."""

    moments: RowMoments
    cells: DecisionCells | None
    scores: ScoreHistogram | None

    def __sub__(self, part: _Part) -> _Part:
        cells = self.cells - part.cells if self.cells is not None and part.cells is not None else self.cells
        scores = (
            self.scores - part.scores if self.scores is not None and part.scores is not None else self.scores
        )
        return _Part(self.moments - part.moments, cells, scores)


def metrics_by_slice(catalog: Catalog) -> tuple[str, ...]:
    """The metrics that can be compared between slices of this project."""
    task = catalog.predictions.task
    if task == "regression":
        return tuple(name for name in regression.METRICS if name not in _NOT_BY_SLICE)
    if task == "multiclass":
        names = (name for name in multiclass.METRICS if name not in (*_NOT_BY_SLICE, *_RANKED, "cost"))
        return tuple(name for name in names if not name.endswith("_macro"))
    names = (name for name in binary.METRICS if name not in _NOT_BY_SLICE)
    known = decides(catalog.predictions)
    return tuple(
        name
        for name in names
        if (known or name in (*_RANKED, *_SUMS)) and (name != "cost" or catalog.project.costs is not None)
    )


def segments_of(catalog: Catalog, scope: Scope, metric: str | None = None) -> Results[SegmentRow]:
    """Compare every value of every declared segment with the rest, all p-values of a version corrected together.

    Args:
        catalog: the project's views.
        scope: the question; the whole stretch is one window, and ``by`` keeps only that segment.
        metric: what to compare; the loss of the task where left out.

    Raises:
        ScopeError: no segment is declared, or the metric cannot be compared by slice.
    """
    metric = metric or DEFAULT[catalog.predictions.task]
    if metric not in metrics_by_slice(catalog):
        raise ScopeError(
            f'metric "{metric}" cannot be compared by slice; choose one of: {", ".join(metrics_by_slice(catalog))}'
        )
    if not catalog.segments:
        raise ScopeError("no segments are declared; name columns in [predictions] segments")
    names = (scope.by,) if scope.by is not None else tuple(catalog.segments)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    whole, texts = _read(catalog, scoped_rows(catalog, scope), metric)
    rows: list[SegmentRow] = []
    for name in names:
        parts, text = _read(catalog, scoped_rows(catalog, scope, segment=name), metric)
        texts += text
        for version in versions_of(catalog, scope):
            rows += _compared(catalog, scope, windows[0], name, version, whole, parts, metric)
    notes = (
        f"{sum(row.p_value is not None for row in rows)} comparisons; p-values are corrected (Benjamini-Hochberg) over all "
        "slices of a version.",
    )
    return Results(tuple(corrected(rows)), catalog.project.zone, tuple(texts), notes)


def _compared(
    catalog: Catalog,
    scope: Scope,
    window: Window,
    segment: str,
    version: str | None,
    whole: dict[CellKey, _Part],
    parts: dict[CellKey, _Part],
    metric: str,
) -> Iterator[SegmentRow]:
    everything = whole.get(CellKey(window.key, version, None))
    mine = sorted(
        ((key.segment or "", part) for key, part in parts.items() if key.version == version),
        key=lambda item: -item[1].moments.n,
    )
    for value, part in mine:
        if everything is None:
            continue
        rest = everything - part
        inside = _estimate(catalog, part, metric, scope.confidence)
        outside = _estimate(catalog, rest, metric, scope.confidence)
        yield _row(scope, window, segment, version, value, metric, part, everything, inside, outside)


def _row(
    scope: Scope, window: Window, segment: str, version: str | None, value: str, metric: str, part: _Part,
    everything: _Part, inside: Estimate, outside: Estimate,
) -> SegmentRow:  # fmt: skip
    low = high = None
    if inside.value is not None:
        low, high, _ = inside.interval(scope.confidence)
    gap = difference(inside, outside, scope.confidence)
    labelled, all_labelled = part.moments.count("labelled"), everything.moments.count("labelled")
    share = labelled / all_labelled if all_labelled else None
    reason = inside.reason
    if gap is None and inside.value is not None:
        reason = f"the rest: {outside.reason}" if outside.value is None else "nothing varies"
    return SegmentRow(
        window_start=window.start,
        window_end=window.end,
        version=version,
        segment=segment,
        segment_value=value,
        where=f"{segment}={'' if value == MISSING else value}",
        metric=metric,
        n=part.moments.n,
        n_labelled=labelled,
        share=share,
        value=inside.value,
        ci_low=low,
        ci_high=high,
        value_elsewhere=outside.value,
        difference=gap.value if gap else None,
        difference_ci_low=gap.low if gap else None,
        difference_ci_high=gap.high if gap else None,
        p_value=gap.p_value if gap else None,
        p_adjusted=None,
        worse=None,
        impact=_impact(metric, inside, outside, share) if gap else None,
        status=inside.status,
        reason=reason,
    )


def _impact(metric: str, inside: Estimate, outside: Estimate, share: float | None) -> float | None:
    if inside.value is None or outside.value is None or share is None:
        return None
    return impact(metric, inside.value, outside.value, share)


def _statistics(catalog: Catalog) -> tuple[tuple[Statistic, ...], tuple[tuple[str, ...], ...]]:
    classes = catalog.predictions.classes
    match catalog.predictions.task:
        case "binary":
            return binary.STATISTICS, binary.TOGETHER
        case "multiclass":
            return multiclass.statistics(classes), multiclass.together(classes)
        case "regression":
            return regression.statistics(0.0), regression.TOGETHER


def _read(catalog: Catalog, rows: Sql, metric: str) -> tuple[dict[CellKey, _Part], list[str]]:
    task = catalog.predictions.task
    statistics, together = _statistics(catalog)
    with catalog.engine.kept(needed_columns(catalog.predictions, rows)) as kept:
        moments, text = read_row_moments(catalog, kept, statistics, together)
        texts = [text]
        cells: dict[CellKey, DecisionCells] = {}
        scores: dict[CellKey, ScoreHistogram] = {}
        if task != "regression" and metric not in (*_RANKED, *_SUMS):
            cells, text = read_decision_cells(catalog, kept, catalog.predictions.classes or binary.CLASSES)
            texts.append(text)
        if metric in _RANKED:
            # bins subtract; distinct scores of a slice and of the whole do not
            binned = dict.fromkeys(moments, EXACT_ROWS + 1)
            scores, text = read_score_histograms(catalog, kept, binned, edges_of(catalog.predictions))
            texts.append(text)
    parts = {key: _Part(moment, cells.get(key), scores.get(key)) for key, moment in moments.items()}
    return parts, [text.replace(kept.text, rows.text) for text in texts]


def _estimate(catalog: Catalog, part: _Part, metric: str, confidence: float) -> Estimate:
    costs = catalog.project.costs
    match catalog.predictions.task:
        case "binary":
            aggregates = binary.BinaryAggregates(part.moments, part.cells, part.scores, None)
            known = decides(catalog.predictions) and part.cells is not None
            found = binary.binary_estimates(aggregates, confidence=confidence, costs=costs, decides=known)
        case "multiclass":
            several = multiclass.MulticlassAggregates(part.moments, part.cells, {}, None)
            found = multiclass.multiclass_estimates(
                several, catalog.predictions.classes, confidence=confidence, costs=None
            )
        case "regression":
            found = regression.regression_estimates(regression.RegressionAggregates(part.moments, 0.0, None))
    estimate = next((e for e in found if e.metric == metric and e.class_ is None), None)
    return _with_units(part, estimate) if estimate is not None else missing(metric, "no_data", "no rows")


def _with_units(part: _Part, estimate: Estimate) -> Estimate:
    """Give a metric of decisions or ranks the unit variance that the slice's loss tells.

    The pass over units that is exact for the Quality page would be one a slice and its rest here; the ratio of unit to
    row variance of the loss stands in for it. Days, which matter more in most logs, are exact.
    """
    if estimate.value is None or estimate.unit_variance is not None or part.moments.unit_products is None:
        return estimate
    loss = "log_loss" if "log_loss" in part.moments.names else "absolute_error"
    known = ratio(loss, part.moments, loss, "labelled")
    if known.unit_variance is None or not known.row_variance > 0:
        return estimate
    effect = max(known.unit_variance / known.row_variance, 1.0)
    return replace(estimate, unit_variance=estimate.row_variance * effect, n_units=known.n_units)
