"""Every value of every segment against the rest of its version's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import held_rows, shown
from analytics.aggregates.cells import MOST_DECISIONS, DecisionCells, decided_statistics, read_decision_cells
from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import (
    Centre,
    RowMoments,
    Statistic,
    needed_columns,
    read_centre,
    read_row_moments,
    variance_over_units,
)
from analytics.aggregates.scores import ScoreHistogram, read_score_histograms
from analytics.aggregates.unit_groups import read_group_sums
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.measures import binary, multiclass, regression
from analytics.measures.estimate import Estimate, missing, of_moments, ratio, with_units
from analytics.measures.standard_quality import decides, edges_of, kept_quality, kept_units
from analytics.results import Results
from analytics.scope import MISSING, Filter, Scope, Window
from analytics.segments.compare import Difference, Pair, corrected, differences, impact
from analytics.segments.rows import SegmentRow
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
DEFAULT = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mean_absolute_error"}
_RANKED = ("roc_auc", "average_precision")
_SUMS = ("log_loss", "brier_score", "prevalence", "mean_score", "top_2_accuracy", "mean_error")
_NOT_BY_SLICE = ("expected_calibration_error", "median_absolute_error")


@dataclass(frozen=True)
class _Part:
    """What one metric needs of one slice."""

    moments: RowMoments
    cells: DecisionCells | None
    scores: ScoreHistogram | None
    centre: Centre

    def __sub__(self, part: _Part) -> _Part:
        cells = self.cells - part.cells if self.cells is not None and part.cells is not None else self.cells
        scores = (
            self.scores - part.scores if self.scores is not None and part.scores is not None else self.scores
        )
        return _Part(self.moments - part.moments, cells, scores, self.centre)


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
    wanted = Compared(metric)
    found, texts = compare_slices(catalog, scope, (wanted,))
    if not texts:
        return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
    tested = sum(row.p_value is not None for row in found[wanted])
    note = f"{tested} comparisons; p-values are corrected (Benjamini-Hochberg) over all slices of a version."
    return Results(tuple(corrected(found[wanted], scope.confidence)), catalog.project.zone, texts, (note,))


class Compared(NamedTuple):
    """A metric to compare between slices; of one class against the rest where a class is named."""

    metric: str
    class_: str | None = None


def compare_slices(
    catalog: Catalog, scope: Scope, wanted: Sequence[Compared]
) -> tuple[dict[Compared, list[SegmentRow]], tuple[str, ...]]:
    """Compare every value of every declared segment (``by``: of that one) with the rest, by several metrics at once.

    Returns:
        The rows of each metric, p-values not corrected yet, and the SQL texts; none of these where the logs are empty.
    """
    names = (scope.by,) if scope.by is not None else tuple(catalog.segments)
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    found: dict[Compared, list[SegmentRow]] = {one: [] for one in wanted}
    if not windows:
        return found, ()
    centre = Centre()
    if catalog.predictions.task == "regression":
        centre = read_centre(catalog, scoped_rows(catalog, scope))
    whole, texts = _read(catalog, scoped_rows(catalog, scope), wanted, centre, slices=False)
    for name in names:
        parts, text = _read(catalog, scoped_rows(catalog, scope, segment=name), wanted, centre, slices=True)
        texts += text
        for one, rows in _of_parts(catalog, scope, windows[0], name, wanted, (whole, parts)).items():
            found[one] += rows
    return found, tuple(texts)


def compare_filters(
    catalog: Catalog, scope: Scope, filters: tuple[Filter, ...], wanted: Sequence[Compared]
) -> tuple[dict[Compared, list[SegmentRow]], tuple[str, ...]]:
    """Compare the rows that meet some filters with all others of the scope, by several metrics.

    Returns:
        Two rows of each metric and version, of the values ``slice`` and ``rest``, and the SQL texts; none of these
        where the logs are empty.
    """
    scope, windows = resolve(catalog, replace(scope, grain="all", by=None))
    if not windows:
        return {one: [] for one in wanted}, ()
    centre = Centre()
    if catalog.predictions.task == "regression":
        centre = read_centre(catalog, scoped_rows(catalog, scope))
    whole, texts = _read(catalog, scoped_rows(catalog, scope), wanted, centre, slices=False)
    parts, text = _read(catalog, scoped_rows(catalog, scope, slice_=filters), wanted, centre, slices=True)
    return _of_parts(catalog, scope, windows[0], "", wanted, (whole, parts)), (*texts, *text)


def _of_parts(
    catalog: Catalog,
    scope: Scope,
    window: Window,
    name: str,
    wanted: Sequence[Compared],
    read: tuple[dict[CellKey, _Part], dict[CellKey, _Part]],
) -> dict[Compared, list[SegmentRow]]:
    """The rows of one segment, by metric."""
    found: dict[Compared, list[SegmentRow]] = {one: [] for one in wanted}
    for version in versions_of(catalog, scope):
        slices = _slices(window, version, *read)
        estimates = [_both(catalog, slices, part, wanted, scope.confidence) for _, part in slices.mine]
        for one in wanted:
            cell = _Cell(scope, window, name, version, one)
            found[one] += _compared(catalog, cell, slices, [both[one] for both in estimates])
    return found


@dataclass(frozen=True)
class _Cell:
    """What the rows of one segment and version have in common."""

    scope: Scope
    window: Window
    segment: str
    version: str | None
    wanted: Compared


@dataclass(frozen=True)
class _Slices:
    """The slices of one segment and version, largest first, and all rows together; neither where there are no rows."""

    mine: Sequence[tuple[str, _Part]]
    everything: _Part | None


def _slices(
    window: Window, version: str | None, whole: dict[CellKey, _Part], parts: dict[CellKey, _Part]
) -> _Slices:
    everything = whole.get(CellKey(window.key, version, None))
    if everything is None:
        return _Slices((), None)
    mine = ((key.segment or "", part) for key, part in parts.items() if key.version == version)
    return _Slices(sorted(mine, key=lambda item: (-item[1].moments.n, item[0])), everything)


def _both(
    catalog: Catalog, slices: _Slices, part: _Part, wanted: Sequence[Compared], confidence: float
) -> dict[Compared, Pair]:
    """A slice and the rest, by every metric."""
    if slices.everything is None:
        return {}
    rest = slices.everything - part
    inside, outside = (_estimates(catalog, side, wanted, confidence) for side in (part, rest))
    return {one: _pair(part, rest, inside[one], outside[one]) for one in wanted}


def _compared(catalog: Catalog, cell: _Cell, slices: _Slices, pairs: Sequence[Pair]) -> Iterator[SegmentRow]:
    if slices.everything is None:
        return
    confidence = cell.scope.confidence
    labelled = slices.everything.moments.total("labelled")
    whole = _estimates(catalog, slices.everything, (cell.wanted,), confidence)[cell.wanted].value
    for (value, part), pair, gap in zip(slices.mine, pairs, differences(pairs, confidence), strict=True):
        counts = part.moments.n, part.moments.count("labelled")
        share = part.moments.total("labelled") / labelled if labelled else None
        yield replace(_row(cell, value, counts, pair, gap, share), value_whole=whole)


def _row(
    cell: _Cell, value: str, counts: tuple[int, int], pair: Pair, gap: Difference | None, share: float | None
) -> SegmentRow:
    inside, outside = pair.inside, pair.outside
    n, labelled = counts
    low = high = None
    if inside.value is not None:
        low, high, _ = inside.interval(cell.scope.confidence)
    reason = inside.reason
    if gap is None and inside.value is not None:
        reason = f"the rest: {outside.reason}" if outside.value is None else "nothing varies"
    return SegmentRow(
        window_start=cell.window.start,
        window_end=cell.window.end,
        version=cell.version,
        segment=cell.segment,
        segment_value=value,
        where=f"{cell.segment}={'' if value == MISSING else value}",
        metric=cell.wanted.metric,
        n=n,
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
        impact=_impact(cell.wanted.metric, inside, outside, share) if gap else None,
        status=inside.status,
        reason=reason,
    )


def _impact(metric: str, inside: Estimate, outside: Estimate, share: float | None) -> float | None:
    if inside.value is None or outside.value is None or share is None:
        return None
    return impact(metric, inside.value, outside.value, share)


def _statistics(
    catalog: Catalog, wanted: Sequence[Compared], centre: Centre
) -> tuple[tuple[Statistic, ...], tuple[tuple[str, ...], ...]]:
    classes = catalog.predictions.classes
    match catalog.predictions.task:
        case "binary":
            statistics: tuple[Statistic, ...] = binary.STATISTICS
            together: tuple[tuple[str, ...], ...] = binary.TOGETHER
        case "multiclass":
            statistics, together = multiclass.statistics(classes), multiclass.together(classes)
        case "regression":
            return regression.statistics(centre), regression.TOGETHER
    if not any(_of_decisions(one.metric) for one in wanted) or catalog.predictions.unit is None:
        return statistics, together
    # decisions as sums too: units on both sides of a slice then enter with their covariance
    decided = decided_statistics(classes or binary.CLASSES)
    if len(decided) > MOST_DECISIONS:
        return statistics, together
    return (*statistics, *decided), (*together, tuple(one.name for one in decided))


def _of_decisions(metric: str) -> bool:
    return metric not in (*_RANKED, *_SUMS)


def _read(
    catalog: Catalog, rows: Sql, wanted: Sequence[Compared], centre: Centre, *, slices: bool
) -> tuple[dict[CellKey, _Part], list[str]]:
    task = catalog.predictions.task
    statistics, together = _statistics(catalog, wanted, centre)
    family = kept_quality(catalog, rows) if task == "binary" else None
    with held_rows(catalog, rows, partial(needed_columns, catalog.predictions)) as held:
        same = family.moments() if family is not None and statistics == binary.STATISTICS else None
        groups = read_group_sums(catalog, held, kept_units(catalog, rows))
        moments, text = read_row_moments(
            catalog, held, statistics, together, slices=slices, stored=same, groups=groups
        )
        texts = [text]
        cells: dict[CellKey, DecisionCells] = {}
        scores: dict[CellKey, ScoreHistogram] = {}
        if task != "regression" and any(_of_decisions(one.metric) for one in wanted):
            cells, text = read_decision_cells(
                catalog,
                held,
                catalog.predictions.classes or binary.CLASSES,
                stored=family.decisions() if family is not None else None,
            )
            texts.append(text)
        if any(one.metric in _RANKED for one in wanted):
            # bins subtract; distinct scores of a slice and of the whole do not
            scores, text = read_score_histograms(
                catalog,
                held,
                dict.fromkeys(moments, False),
                edges_of(catalog.predictions),
                stored=family.scores() if family is not None else None,
            )
            texts.append(text)
        texts = [shown(rows, held, text) for text in texts]
    parts = {key: _Part(moment, cells.get(key), scores.get(key), centre) for key, moment in moments.items()}
    return parts, texts


def _estimates(
    catalog: Catalog, part: _Part, wanted: Sequence[Compared], confidence: float
) -> dict[Compared, Estimate]:
    costs = catalog.project.costs
    gap = [_calibration_gap(part)] if catalog.predictions.task == "binary" else []
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
            found = regression.regression_estimates(
                regression.RegressionAggregates(part.moments, part.centre, None)
            )
    by_name = {Compared(e.metric, e.class_): e for e in (*found, *gap)}
    return {
        one: _with_units(part, by_name[one]) if one in by_name else missing(one.metric, "no_data", "no rows")
        for one in wanted
    }


def _calibration_gap(part: _Part) -> Estimate:
    """Mean score minus mean label of a binary model."""
    moments = part.moments
    few = binary.few_rows(moments.n, moments.count("scored"), moments.count("labelled"))
    if few is not None:
        return missing("mean_error", *few)
    below = moments.total("labelled")
    value = -moments.total("residual") / below
    gradient = {"residual": -1.0 / below, "labelled": -value / below}
    return of_moments("mean_error", moments, value, gradient, size=float(moments.count("labelled")))


def _with_units(part: _Part, estimate: Estimate) -> Estimate:
    """Fill the unit variance of a metric of decisions or ranks."""
    if estimate.value is None or part.moments.unit_products is None or part.moments.n_units is None:
        return estimate
    g = _gradient(part.moments, estimate)
    if g is not None:
        n_units = int(part.moments.n_units[g != 0].max()) if g.any() else 0
        return with_units(estimate, max(float(g @ part.moments.unit_products @ g), 0.0), n_units)
    stand_in = _loss(part)
    if stand_in.unit_variance is None or not stand_in.row_variance > 0:
        return estimate
    effect = max(stand_in.unit_variance / stand_in.row_variance, 1.0)
    return replace(estimate, unit_variance=estimate.row_variance * effect, n_units=stand_in.n_units)


def _gradient(moments: RowMoments, estimate: Estimate) -> Floats | None:
    """The estimate's gradient by the sums of row statistics; None where it depends on more than these."""
    if estimate.gradient is not None:
        return estimate.gradient
    if estimate.place != "cells" or estimate.influence is None or "decided_0_0" not in moments.names:
        return None
    g = np.zeros(len(moments.names))
    first = moments.names.index("decided_0_0")
    g[first : first + estimate.influence.size] = estimate.influence.ravel()
    return g


def _loss(part: _Part) -> Estimate:
    loss = "log_loss" if "log_loss" in part.moments.names else "absolute_error"
    return ratio(loss, part.moments, loss, "labelled")


def _pair(part: _Part, rest: _Part, inside: Estimate, outside: Estimate) -> Pair:
    """A slice and the rest, with the variance over units of their difference.

    For ranks, and for decisions of many classes, the exact pass over units would be one a slice: the ratio of
    unit to row
    variance of the loss's difference stands in for it. Days, which matter more in most logs, are exact.
    """
    if inside.value is None or outside.value is None or part.moments.beside is None:
        return Pair(inside, outside)
    n_units = min(inside.n_units, outside.n_units)
    into, out = _gradient(part.moments, inside), _gradient(rest.moments, outside)
    if into is not None and out is not None:
        return Pair(inside, outside, variance_over_units(part.moments, rest.moments, into, out), n_units)
    loss_in, loss_out = _loss(part), _loss(rest)
    rows = loss_in.row_variance + loss_out.row_variance
    if loss_in.gradient is None or loss_out.gradient is None or not rows > 0:
        return Pair(inside, outside)
    effect = variance_over_units(part.moments, rest.moments, loss_in.gradient, loss_out.gradient) / rows
    return Pair(inside, outside, (inside.row_variance + outside.row_variance) * effect, n_units)
