"""A change of a mean as covariate shift (other rows) and concept shift (other values for the same rows).

The covariate part is what the rows before would have had, had they been met as often as they are met after, less what
they had; the rest of the change is the concept part. Rows are reweighted by the ratio of densities
(`analytics.stats.density_ratio`). For means the estimate is doubly robust: a regression of the row's value on the
features carries most of it and the weights correct what the regression misses, so that either may be somewhat wrong,
and what is learnt does not enter the error in the first order (Chernozhukov et al., Econometrics Journal 21, 2018).
Ratios of two sums (recall, precision, F1) are such means twice, their error that of the ratio in the first order. What
is neither (AUC, balanced accuracy, calibration error) is computed anew with the weights and corrected by one step: the
rows' influences on it are a mean, and are treated as one.

The split means something only where the rows before cover those after; `outside` says which share they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray
from .blocks import MINIMUM_CLUSTERS
from .density_ratio import density_ratio
from .intervals import normal_quantile
from .part_intervals import BlockEffect

MOST_OUTSIDE = 0.2
"""Above, there is nothing to reweight for too many rows."""
LEAST_ROWS = 100
RIDGE = 5.0
"""Penalty on the coefficients of the regression, in rows."""
MOST_BETWEEN = 0.5
"""A feature more of whose variance lies between days tells days apart, not rows: with few days it is left out."""
LEAST_BLOCKS_LEFT = 4.0
Functional = Callable[[FloatArray], tuple[float, FloatArray]]
"""From the weights of the rows to the metric, and each row's influence on it: how much it lies above for each share of
the weight that the row has; their weighted mean is 0."""


@dataclass(frozen=True)
class Rows:
    """Sampled rows of one side.

    Attributes:
        x: encoded features, shape (n, p).
        value: of each row, shape (n,); of a ratio what the row adds to the sum above.
        weight: of each row.
        block: of each row.
        counts: of a ratio what the row adds to the sum below; None where each row counts once.
    """

    x: FloatArray
    value: FloatArray
    weight: FloatArray
    block: IntArray
    counts: FloatArray | None = None


class Part(NamedTuple):
    """A part of the change and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ShiftSplit:
    """What the split found.

    Attributes:
        change: in the rows that were drawn.
        covariate: had only the rows changed; None where the rows before do not cover those after.
        concept: the rest.
        outside: the share of the rows after that the rows before do not cover.
        effective_n: how many rows the reweighted ones are worth.
    """

    change: float
    covariate: Part | None
    concept: Part | None
    outside: float
    effective_n: float


def split_shift(
    before: Rows,
    after: Rows,
    confidence: float,
    functionals: tuple[Functional, Functional] | None = None,
    longer: BlockEffect | None = None,
    seed: int = 0,
) -> ShiftSplit:
    """Split the change between two samples.

    Args:
        before, after: the samples; features are on one scale.
        confidence: of the intervals.
        functionals: of what is neither a mean nor a ratio of means, of the rows before and after.
        longer: how blocks of a longer stretch vary, where neither side has ten.
        seed: of the folds.
    """
    folds = _folds(before.block, seed), _folds(after.block, seed + 1)
    found = density_ratio(
        before.x, after.x, *folds, ridge=_ridge_of(before, after), source_weight=before.weight,
        target_weight=after.weight,
    )  # fmt: skip
    if found.outside > MOST_OUTSIDE or _few_left(before, found.weights):
        return ShiftSplit(np.nan, None, None, found.outside, found.effective_n)
    moved = before.weight * found.weights
    if functionals is not None:
        mean = _computed_anew(before, after, functionals, moved, folds[0])
    else:
        mean = _doubly_robust(before, after, moved, folds[0])
    if not np.isfinite(mean.would):
        return ShiftSplit(np.nan, None, None, found.outside, found.effective_n)
    parts = _parts(mean, before, after, longer)
    at = normal_quantile(confidence, parts.df)
    shown = [
        Part(value, float(value - at * error), float(value + at * error))
        for value, error in zip(parts.values, parts.errors, strict=True)
    ]
    return ShiftSplit(sum(parts.values), shown[0], shown[1], found.outside, found.effective_n)


def _ridge_of(before: Rows, after: Rows) -> float:
    """Rows of a day share their weather: what a day's rows say of the sides counts about once."""
    per_block = [
        len(side.block) / len(np.unique(side.block))
        for side in (before, after)
        if len(np.unique(side.block)) > 1
    ]
    return max(min(per_block, default=1.0), 1.0)


def _few_left(before: Rows, weights: FloatArray) -> bool:
    """Whether the reweighted rows come from so few days that these would decide everything."""
    held = np.bincount(np.unique(before.block, return_inverse=True)[1], before.weight * weights)
    return len(held) > 1 and float(held.sum() ** 2 / np.square(held).sum()) < min(
        LEAST_BLOCKS_LEFT, len(held) / 2.0
    )


def between_blocks(values: FloatArray, block: IntArray) -> float:
    """The share of a column's variance that lies between blocks; missing values are left out.

    >>> between_blocks(np.array([1.0, 1.0, 3.0, 3.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    known = np.isfinite(values)
    y, place = values[known], np.unique(block[known], return_inverse=True)[1]
    if not y.size or not y.var() > 0:
        return 0.0
    means = np.bincount(place, y) / np.bincount(place)
    return float(1.0 - np.square(y - means[place]).mean() / y.var())


class _Found(NamedTuple):
    values: tuple[float, float]
    errors: tuple[float, float]
    df: float


def _folds(block: IntArray, seed: int) -> npt.NDArray[np.int64]:
    """Whole blocks in two folds; rows, where there is one block."""
    names, place = np.unique(block, return_inverse=True)
    generator = np.random.default_rng(seed)
    if len(names) < 4:
        return generator.permutation(len(block)) % 2
    return np.asarray((generator.permutation(len(names)) % 2)[place])


class _Mean(NamedTuple):
    """A mean as it was, as it would have been, and as it is, and each row's influence on these."""

    was: float
    would: float
    now: float
    of_was: FloatArray
    of_would: tuple[FloatArray, FloatArray]
    of_now: FloatArray

    def per(self, below: _Mean) -> _Mean:
        """The ratio to another mean, its influences in the first order."""
        was, would, now = self.was / below.was, self.would / below.would, self.now / below.now
        return _Mean(
            was, would, now,
            (self.of_was - was * below.of_was) / below.was,
            (
                (self.of_would[0] - would * below.of_would[0]) / below.would,
                (self.of_would[1] - would * below.of_would[1]) / below.would,
            ),
            (self.of_now - now * below.of_now) / below.now,
        )  # fmt: skip


def _doubly_robust(before: Rows, after: Rows, moved: FloatArray, fold: npt.NDArray[np.int64]) -> _Mean:
    mean = _mean(before, after, (before.value, after.value), moved, fold)
    if before.counts is None or after.counts is None:
        return mean
    below = _mean(before, after, (before.counts, after.counts), moved, fold)
    # so few rows count where the rows after lie that the regression sees none
    return mean.per(below) if below.would > 0.0 else mean._replace(would=np.nan)


def _computed_anew(
    before: Rows,
    after: Rows,
    functionals: tuple[Functional, Functional],
    moved: FloatArray,
    fold: npt.NDArray[np.int64],
) -> _Mean:
    (was, own), (now, new) = functionals[0](before.weight), functionals[1](after.weight)
    would, influence = functionals[0](moved)
    step = _mean(before, after, (influence, new), moved, fold)
    w0, w1 = (side.weight / side.weight.sum() for side in (before, after))
    return _Mean(was, would + step.would, now, w0 * own, step.of_would, w1 * new)


def _parts(mean: _Mean, before: Rows, after: Rows, longer: BlockEffect | None) -> _Found:
    """The two parts of the change and their errors."""
    of_covariate = (mean.of_would[0] - mean.of_was, mean.of_would[1])
    of_concept = (-mean.of_would[0], mean.of_now - mean.of_would[1])
    errors, df = [], np.inf
    for influence in (of_covariate, of_concept):
        variance, one = _variance(influence, (before.block, after.block), longer)
        errors.append(float(np.sqrt(variance)))
        df = min(df, one)
    return _Found((mean.would - mean.was, mean.now - mean.would), (errors[0], errors[1]), df)


def _mean(
    before: Rows,
    after: Rows,
    values: tuple[FloatArray, FloatArray],
    moved: FloatArray,
    fold: npt.NDArray[np.int64],
) -> _Mean:
    guess_before, guess_after = _regress(before, after, values[0], fold)
    left = values[0] - guess_before
    w0, w1, v = (weight / weight.sum() for weight in (before.weight, after.weight, moved))
    old, new = float(w0 @ values[0]), float(w1 @ values[1])
    carried, missed = float(w1 @ guess_after), float(v @ left)
    of_would = v * (left - missed), w1 * (guess_after - carried)
    return _Mean(old, carried + missed, new, w0 * (values[0] - old), of_would, w1 * (values[1] - new))


def _regress(
    before: Rows, after: Rows, value: FloatArray, fold: npt.NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """The value that rows like these had before: of rows before by a fit on the other fold, after by both."""
    own, other = np.zeros(len(before.value)), np.zeros(len(after.value))
    for k in (0, 1):
        seen = fold != k
        beta = _ridge(before.x[seen], value[seen], before.weight[seen])
        own[~seen] = beta[0] + before.x[~seen] @ beta[1:]
        other += (beta[0] + after.x @ beta[1:]) / 2.0
    return own, other


def _ridge(x: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    columns = np.column_stack([np.ones(len(x)), x])
    heavy = columns * (weight / weight.mean())[:, None]
    penalty = np.full(columns.shape[1], RIDGE)
    penalty[0] = 1e-6
    return np.asarray(np.linalg.solve(heavy.T @ columns + np.diag(penalty), heavy.T @ y))


def _variance(
    influence: tuple[FloatArray, FloatArray], blocks: tuple[IntArray, IntArray], longer: BlockEffect | None
) -> tuple[float, float]:
    """Over rows or blocks, whichever is larger, of both sides; what blocks share on both sides cancels."""
    shared = np.intersect1d(*blocks).size
    if 2 * shared >= min(len(np.unique(one)) for one in blocks) and shared >= MINIMUM_CLUSTERS:
        place = np.unique(np.concatenate(blocks), return_inverse=True)[1]
        sums = np.bincount(place, np.concatenate(influence))
        return len(sums) * float(sums.var(ddof=1)), len(sums) - 1.0
    return _apart(influence, blocks, longer)


def _apart(
    influence: tuple[FloatArray, FloatArray], blocks: tuple[IntArray, IntArray], longer: BlockEffect | None
) -> tuple[float, float]:
    """A side of few blocks is widened by the other side's effect, as many rows a block as it has."""
    by_rows = [float(one @ one) for one in influence]
    sums = [
        np.bincount(np.unique(block, return_inverse=True)[1], one)
        for one, block in zip(influence, blocks, strict=True)
    ]
    effects = [
        max(len(s) * float(s.var(ddof=1)) / r, 1.0) if len(s) >= MINIMUM_CLUSTERS and r > 0 else None
        for s, r in zip(sums, by_rows, strict=True)
    ]
    per = [len(one) / max(len(s), 1) for one, s in zip(influence, sums, strict=True)]
    total, below = 0.0, 0.0
    for side in (0, 1):
        effect, other = effects[side], effects[1 - side]
        groups = len(sums[side]) if effect is not None else len(sums[1 - side])
        if effect is None and other is not None:
            effect = max(1.0 + (other - 1.0) * per[side] / per[1 - side], 1.0)
        elif effect is None:
            effect, groups = (1.0, groups) if longer is None else (longer.at(per[side]), longer.blocks)
        own = by_rows[side] * effect
        total += own
        below += own**2 / max(groups - 1, 1) if effect > 1.0 else 0.0
    return total, total**2 / below if below > 0 else np.inf
