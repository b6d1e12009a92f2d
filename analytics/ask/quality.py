"""Quality of a scope: every metric of every window, version and segment value."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from analytics.aggregates.keys import CellKey
from analytics.ask.aggregates import CellEstimates, decides, read_estimates
from analytics.ask.labels import Maturity, maturity_of
from analytics.ask.windows import in_order, resolve, versions_of
from analytics.measures import binary, multiclass, regression
from analytics.measures import labels_needed as needed
from analytics.measures.estimate import Estimate, missing
from analytics.quality.rows import MetricRow
from analytics.results import Results
from analytics.scope import Scope, Window, cut
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import scoped_rows


def quality_of(
    catalog: Catalog, scope: Scope, source: Source = "predictions", metrics: frozenset[str] | None = None
) -> Results[MetricRow]:
    """Every quality metric with its interval; a row for every window, empty ones too.

    Args:
        catalog: the project's views.
        scope: the question.
        source: monitored rows, or the reference as one window.
        metrics: only these, for which less is read; None for all.
    """
    zone = catalog.project.zone
    if source == "reference":
        windows = reference_window(catalog)
        rows = scoped_rows(catalog, scope, "reference")
    else:
        scope, windows = resolve(catalog, scope)
        rows = scoped_rows(catalog, scope)
    if not windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    found = read_estimates(catalog, rows, scope.confidence, metrics)
    maturity = maturity_of(catalog, scope, source)
    values = _segment_values(found.cells, scope)
    answers = [
        row
        for window in windows
        for version in versions_of(catalog, scope, source)
        for value in values
        for row in _cell_rows(
            catalog,
            scope,
            CellPlace(window, version, value),
            found.cells.get(CellKey(window.key, version, value)),
            maturity,
        )
        if metrics is None or row.metric in metrics
    ]
    return Results(tuple(answers), zone, found.sql, maturity.notes)


def reference_window(catalog: Catalog) -> tuple[Window, ...]:
    """The stretch of the reference rows as one window; none where there are no rows."""
    extent = catalog.reference_extent
    if extent is None:
        return ()
    start, last = extent
    return cut(start, last + timedelta(microseconds=1), "all", catalog.project.zone)


def _segment_values(cells: Iterable[CellKey], scope: Scope) -> tuple[str | None, ...]:
    if scope.by is None:
        return (None,)
    return in_order(key.segment for key in cells if key.segment is not None) or (None,)


class CellPlace(NamedTuple):
    """Where a cell stands in the answer."""

    window: Window
    version: str | None
    value: str | None


def _cell_rows(
    catalog: Catalog, scope: Scope, place: CellPlace, cell: CellEstimates | None, maturity: Maturity
) -> list[MetricRow]:
    window, version, value = place
    if cell is None:
        cell = CellEstimates(0, 0, tuple(_nothing(catalog)))
    immature = maturity.reason(window.end) if cell.n else None
    rows = []
    for estimate in cell.estimates:
        low = high = independence = None
        status, reason = estimate.status, estimate.reason
        if estimate.value is not None:
            low, high, independence = estimate.interval(scope.confidence)
            if immature is not None and estimate.metric not in NEEDS_NO_LABEL:
                status, reason = "immature", immature
        rows.append(
            MetricRow(
                window.start, window.end, version, scope.by, value, estimate.class_, estimate.metric, estimate.value,
                low, high, cell.n, cell.n_labelled, independence, status, reason, estimate.noise_floor,
                estimate.debiased, needed.labels_needed(estimate, cell.n_labelled, scope.confidence),
            )
        )  # fmt: skip
    return rows


NEEDS_NO_LABEL = needed.NEEDS_NO_LABEL


def _nothing(catalog: Catalog) -> list[Estimate]:
    reason = "no rows in this window"
    costs = catalog.project.costs
    match catalog.predictions.task:
        case "binary":
            names: tuple[str, ...] = binary.METRICS if costs is not None else binary.METRICS[:-1]
            known = decides(catalog.predictions)
            return [
                missing(name, "no_data", reason)
                if known or name not in _DECIDED
                else missing(name, "undefined", binary.NO_DECISIONS)
                for name in names
            ]
        case "multiclass":
            names = multiclass.METRICS if costs is not None and costs.matrix else multiclass.METRICS[:-1]
            per_class = [
                missing(name, "no_data", reason, class_)
                for class_ in catalog.predictions.classes
                for name in multiclass.PER_CLASS
            ]
            return [*(missing(name, "no_data", reason) for name in names), *per_class]
        case "regression":
            return [missing(name, "no_data", reason) for name in regression.METRICS]


_DECIDED = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "specificity",
        "f1",
        "matthews_corrcoef",
        "decision_rate",
        "cost",
    }
)
