"""An estimate with everything its interval needs: which variance by rows, units and blocks, and which family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.cells import DecisionCells
from analytics.aggregates.moments import RowMoments
from analytics.aggregates.scores import ScoreHistogram
from analytics.results import Status
from analytics.stats.average_precision import average_precision_interval
from analytics.stats.blocks import (
    ChosenVariance,
    Independence,
    block_variance,
    largest_variance,
    unit_variance,
)
from analytics.stats.classification import Linearised, Undefined
from analytics.stats.intervals import log_wald, score_interval, wald
from analytics.stats.rare import Kinds, kinds_interval, share_interval
from analytics.stats.roc import Influences, auc_interval

Floats = NDArray[np.float64]
Family = Literal[
    "share", "signed_share", "auc", "average_precision", "mean", "positive", "below_one", "given"
]
LEAST_ROWS = 20
LEAST_OF_A_CLASS = 10


@dataclass(frozen=True)
class Estimate:
    """One metric of one cell before it becomes a result row.

    Attributes:
        metric: the contract's word.
        value: None unless the status is ok.
        class_: of a one-vs-rest metric.
        family: which interval belongs to it.
        row_variance: taking rows as independent.
        unit_variance: taking units as independent; None where no unit is declared.
        n_units: distinct units behind it.
        blocks: numbers of the blocks, ascending.
        block_totals: per block, the sum of weight x influence.
        size: rows that carry the information (a share at 0 or 1 has no variance of its own).
        kinds: rows that a share counts and those it does not, where their weights differ.
        farther: squared distances that a mean over classes adds below and above, for classes known by a few rows.
        n_positive: rows of the positive class, for AUC and average precision.
        n_negative: rows of the other.
        bias: of the plug-in, for average precision.
        limits: a ready interval, for the family "given".
        limits_take: what that interval takes as independent.
        noise_floor: see `analytics.stats.calibration`.
        debiased: see `analytics.stats.calibration`.
        place: which aggregate ``influence`` belongs to, for the pass over units.
        influence: of one row of unit weight by (true, decided) or by (label, score bin).
        gradient: derivative by the sums of row statistics, in the order of their names.
    """

    metric: str
    value: float | None
    class_: str | None = None
    status: Status = "ok"
    reason: str | None = None
    family: Family = "mean"
    row_variance: float = math.nan
    unit_variance: float | None = None
    n_units: int = 0
    blocks: NDArray[np.int64] | None = None
    block_totals: Floats | None = None
    size: float = 0.0
    kinds: Kinds | None = None
    farther: tuple[float, float] = (0.0, 0.0)
    n_positive: float = 0.0
    n_negative: float = 0.0
    bias: float = 0.0
    limits: tuple[float, float] | None = None
    limits_take: Independence = "rows"
    noise_floor: float | None = None
    debiased: float | None = None
    place: Literal["cells", "scores"] | None = None
    influence: Floats | None = None
    gradient: Floats | None = None

    def chosen(self) -> ChosenVariance:
        """The largest of the row, unit and block variance that is well enough known."""
        totals = self.block_totals if self.block_totals is not None else np.zeros(0)
        block = float(block_variance(totals)) if len(totals) > 1 else None
        return largest_variance(self.row_variance, self.unit_variance, block, len(totals), self.n_units)

    def interval(self, confidence: float) -> tuple[float, float, Independence]:
        """The interval and what it takes as independent."""
        if self.value is None:
            raise ValueError("only a value has an interval")
        variance, df, independence = self.chosen()
        if self.limits is not None:
            low, high = self.limits
            independence = self.limits_take
        else:
            low, high = _limits(self, variance, df, confidence)
            if any(self.farther):
                low, high = _farther(self.value, low, high, self.farther)
        # rounding may leave the value just outside its own interval
        return min(low, self.value), max(high, self.value), independence


def _farther(value: float, low: float, high: float, by: tuple[float, float]) -> tuple[float, float]:
    """The limits of a share with squared distances added (as Zou and Donner recover variances from limits)."""
    below, above = math.hypot(value - low, by[0] ** 0.5), math.hypot(high - value, by[1] ** 0.5)
    return max(value - below, 0.0), min(value + above, 1.0)


def _limits(estimate: Estimate, variance: float, df: float | None, confidence: float) -> tuple[float, float]:
    value = estimate.value if estimate.value is not None else math.nan
    match estimate.family:
        case "share" if estimate.kinds is not None:
            effect = variance / estimate.row_variance if estimate.row_variance > 0 else 1.0
            low, high = kinds_interval(estimate.kinds, confidence, df, design_effect=effect)
        case "share":
            low, high = share_interval(value, variance, estimate.size, confidence, df)
        case "signed_share":
            low, high = score_interval(value, variance, estimate.size, confidence, df, lower=-1.0)
        case "auc":
            both = auc_interval(value, variance, estimate.n_positive, estimate.n_negative, confidence, df)
            low, high = float(both.low), float(both.high)
        case "average_precision":
            both = average_precision_interval(
                value, variance, estimate.n_positive, estimate.n_negative, confidence, df, bias=estimate.bias
            )
            low, high = float(both.low), float(both.high)
        case "positive" if value > 0 and variance > 0:
            low, high = log_wald(value, variance, confidence, df or _loss_freedom(estimate, value))
        case "below_one" if value < 1 and variance > 0:
            # 1 - r2 is a ratio of two positive sums
            one_minus = log_wald(
                1.0 - value, variance, confidence, df or _loss_freedom(estimate, 1.0 - value)
            )
            low, high = 1.0 - one_minus[1], 1.0 - one_minus[0]
        case _:
            low, high = wald(value, variance, confidence, df)
    return float(low), float(high)


def _loss_freedom(estimate: Estimate, value: float) -> float | None:
    """Degrees of freedom of the variance of a mean loss over independent rows.

    Losses are skewed and their variance hangs on few rows. As if they followed a gamma distribution of the same mean
    and variance: its kurtosis is 3 + 6 c^2 with c the coefficient of variation, and a variance of n rows then has about
    2 n / (2 + 6 c^2) degrees of freedom.
    """
    if not estimate.size > 0:
        return None
    power = 4.0 if estimate.metric == "root_mean_squared_error" else 1.0
    variation = power * estimate.row_variance * estimate.size / value**2
    return max(estimate.size / (1.0 + 3.0 * variation), 1.0)


def missing(metric: str, status: Status, reason: str, class_: str | None = None) -> Estimate:
    """An estimate that has no value, and why."""
    return Estimate(metric, None, class_=class_, status=status, reason=reason)


def of_moments(
    metric: str,
    moments: RowMoments,
    value: float,
    gradient: Mapping[str, float],
    *,
    family: Family = "mean",
    size: float = 0.0,
    class_: str | None = None,
) -> Estimate:
    """An estimate that is smooth in the sums of row statistics.

    Args:
        metric: the contract's word.
        moments: of the cell.
        value: the estimate.
        gradient: name of a statistic -> derivative of the value by its sum.
        family: which interval belongs to it.
        size: rows that carry the information.
        class_: of a one-vs-rest metric.
    """
    g = np.zeros(len(moments.names))
    used = [moments.names.index(name) for name in gradient]
    g[used] = list(gradient.values())
    units, n_units = None, 0
    if moments.unit_products is not None and moments.n_units is not None:
        n_units = int(moments.n_units[used].max())
        units = float(unit_variance(max(float(g @ moments.unit_products @ g), 0.0), n_units))
    # a day whose labels have not come yet says nothing about how days differ
    present = (moments.sums[:, used] != 0.0).any(axis=1)
    return Estimate(
        metric,
        float(value),
        class_=class_,
        family=family,
        row_variance=max(float(g @ moments.products @ g), 0.0),
        unit_variance=units,
        n_units=n_units,
        blocks=moments.blocks[present],
        block_totals=moments.sums[present] @ g,
        size=size,
        gradient=g,
    )


def ratio(
    metric: str,
    moments: RowMoments,
    numerator: str,
    denominator: str,
    *,
    family: Family = "mean",
    class_: str | None = None,
    shift: float = 0.0,
) -> Estimate:
    """A Hájek mean: the sum of one statistic over the sum of another (plus a constant taken off before)."""
    below = moments.total(denominator)
    value = moments.total(numerator) / below
    gradient = {numerator: 1.0 / below, denominator: -value / below}
    size = below**2 / moments.products[(moments.names.index(denominator),) * 2]
    return of_moments(metric, moments, value + shift, gradient, family=family, size=size, class_=class_)


def of_cells(
    metric: str,
    cells: DecisionCells,
    measure: Linearised | Undefined,
    influence: Floats | None,
    *,
    among: NDArray[np.bool_] | None = None,
    size: float | None = None,
    family: Family = "share",
    class_: str | None = None,
) -> Estimate:
    """An estimate that is smooth in the confusion table.

    Args:
        metric: the contract's word.
        cells: of the window, version and segment value.
        measure: value and reason.
        influence: of one row of each (true, decided) pair, shape (K + 1, K) with 0 for rows without a label.
        among: the pairs whose rows the estimate is about, shape (K + 1, K); all labelled rows where left out.
        size: rows that carry the information where all of them agree; those of ``among`` where left out.
        family: which interval belongs to it.
        class_: of a one-vs-rest metric.
    """
    if isinstance(measure, Undefined) or influence is None:
        reason = measure.reason if isinstance(measure, Undefined) else "is not defined"
        return missing(metric, "undefined", reason, class_)
    squares = cells.total_squares
    if among is None:
        among = np.ones(influence.shape, dtype=np.bool_)
        among[-1] = False
    by_block = cells.weights[:, among].sum(axis=1)
    present = by_block > 0
    return Estimate(
        metric,
        float(measure.value),
        class_=class_,
        family=family,
        row_variance=float((squares * influence**2).sum()),
        blocks=cells.blocks[present],
        block_totals=np.tensordot(cells.weights[present], influence, axes=([1, 2], [0, 1])),
        size=float(by_block.sum() ** 2 / squares[among].sum()) if size is None else size,
        kinds=kinds_of(cells, influence, among, 2.0 if metric == "f1" else 1.0)
        if family == "share" and size is None
        else None,
        place="cells",
        influence=influence,
    )


def kinds_of(
    cells: DecisionCells, influence: Floats, among: NDArray[np.bool_], count: float = 1.0
) -> Kinds | None:
    """The rows that raise a share and those that lower it; None where they weigh the same.

    Where there are none of a kind, rows of its true classes tell what one would weigh.

    Args:
        cells: of the window, version and segment value.
        influence: of one row of each (true, decided) pair.
        among: the pairs whose rows the share is about.
        count: how often a row that raises the share counts (F1: twice).
    """
    weights, squares = cells.total_weights, cells.total_squares
    # rows that count move the share up or, at 1, not at all; the others down or, at 0, not at all
    raises = among & (influence > (influence[among].min() + influence[among].max()) / 2.0)
    rows, each = [], []
    for pairs in (raises, among & ~raises):
        total = float(weights[pairs].sum())
        near = pairs if total > 0 else np.broadcast_to(pairs.any(axis=1, keepdims=True), pairs.shape)
        if not weights[near].sum() > 0:
            return None
        each.append(float(squares[near].sum() / weights[near].sum()))
        rows.append(total / each[-1])
    if abs(each[0] - each[1]) <= 1e-9 * max(each):
        return None
    return Kinds(rows[0], count * each[0], rows[1], each[1])


@cache  # asked of every window
def among_class(classes: int, k: int, metric: str) -> NDArray[np.bool_]:
    """The (true, decided) pairs that a metric of class k is about, shape (K + 1, K); not to be written to.

    >>> among_class(2, 1, "precision").astype(int).tolist()
    [[0, 1], [0, 1], [0, 0]]
    """
    is_true, is_decided = np.arange(classes)[:, None] == k, np.arange(classes)[None, :] == k
    pairs: dict[str, NDArray[np.bool_]] = {
        "precision": is_decided,
        "recall": is_true,
        "specificity": ~is_true,
        "f1": is_true | is_decided,
    }
    labelled = np.broadcast_to(pairs.get(metric, np.bool_(True)), (classes, classes))
    found = np.vstack([labelled, np.zeros((1, classes), dtype=np.bool_)])
    found.setflags(write=False)
    return found


def smallest_class(cells: DecisionCells) -> float:
    """Kish's size of the smallest true class that has rows."""
    weights = cells.weights.sum(axis=(0, 2))[:-1]
    squares = cells.squares.sum(axis=(0, 2))[:-1]
    present = weights > 0
    return float((weights[present] ** 2 / squares[present]).min()) if present.any() else 0.0


def with_units(estimate: Estimate, squares: float, n_units: int) -> Estimate:
    """The estimate with its variance over units filled in."""
    return replace(estimate, unit_variance=float(unit_variance(squares, n_units)), n_units=n_units)


def of_scores(
    metric: str, histogram: ScoreHistogram, value: float, influences: Influences, *, bias: float = 0.0
) -> Estimate:
    """An estimate that depends on the order of scores: AUC or average precision.

    Args:
        metric: the contract's word.
        histogram: of the cell.
        value: the estimate.
        influences: of one row of each label by bin.
        bias: of the plug-in.
    """
    influence = np.stack([influences.negative, influences.positive])
    squares = histogram.squares[:2]
    weights = histogram.weights[:2].sum(axis=1)
    kish = weights**2 / squares.sum(axis=1)
    blocks, totals = histogram.block_totals(influence)
    return Estimate(
        metric,
        value,
        family="auc" if metric == "roc_auc" else "average_precision",
        row_variance=float((squares * influence**2).sum()),
        blocks=blocks,
        block_totals=totals,
        n_negative=float(kish[0]),
        n_positive=float(kish[1]),
        bias=bias,
        place="scores",
        influence=influence,
    )
