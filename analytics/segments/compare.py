"""Slices against the rest of the rows: differences, intervals, p-values; then all slices corrected together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from analytics.aggregates.keys import add_blocks
from analytics.directions import worse_by
from analytics.measures.estimate import Estimate
from analytics.segments.rows import SegmentRow
from analytics.stats.blocks import ChosenVariance, block_variance, largest_variance
from analytics.stats.intervals import normal_quantile, score_interval
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.stats.shrinkage import shrink

Floats = NDArray[np.float64]
ALARM = 0.05
_ONE_ERROR = float(2.0 * ndtr(1.0) - 1.0)
"""The confidence of an interval one standard error to either side."""
_FARTHEST = 40.0
"""Standard errors beyond which a p-value is 0 for every purpose."""
_HALVINGS = 50
_TINY = 1e-12
_LARGEST_EXPONENT = 300.0


@dataclass(frozen=True)
class Difference:
    """Slice minus rest: the p-value is where the interval's end meets 0, so they cannot contradict each other."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Pair:
    """A slice and the rest of the same rows.

    Attributes:
        inside: the slice.
        outside: the rest.
        unit_variance: of their difference, taking units as independent; None where no unit is declared.
        n_units: of the side that has fewer.
    """

    inside: Estimate
    outside: Estimate
    unit_variance: float | None = None
    n_units: int = 0


@dataclass(frozen=True)
class _Side:
    """One side of many pairs: values, variances and the rows behind them, shape (pairs,)."""

    value: Floats
    variance: Floats
    size: Floats

    def limits(self, family: str, errors: Floats) -> tuple[Floats, Floats]:
        """The interval that many standard errors wide: that of variance x errors^2 at one standard error."""
        variance, size = self.variance * errors**2, self.size / errors**2
        match family:
            case "share" | "auc" | "average_precision":
                both = score_interval(self.value, variance, size, _ONE_ERROR)
                return both.low, both.high
            case "signed_share":
                both = score_interval(self.value, variance, size, _ONE_ERROR, lower=-1.0)
                return both.low, both.high
            case "positive":
                return _log_limits(self.value, variance)
            case "below_one":
                low, high = _log_limits(1.0 - self.value, variance)
                return 1.0 - high, 1.0 - low
        half = np.sqrt(variance)
        return self.value - half, self.value + half


def _log_limits(value: Floats, variance: Floats) -> tuple[Floats, Floats]:
    half = np.sqrt(variance)
    positive = value > 0
    # a value that is hardly above 0 would bring infinity, which no result may hold
    factor = np.exp(half / np.maximum(np.where(positive, value, 1.0), half / _LARGEST_EXPONENT + 1e-300))
    return np.where(positive, value / factor, value - half), np.where(positive, value * factor, value + half)


def difference(pair: Pair, confidence: float) -> Difference | None:
    """Compare one slice with the rest; see `differences`."""
    return differences([pair], confidence)[0]


def differences(pairs: Sequence[Pair], confidence: float) -> list[Difference | None]:
    """Compare slices with the rest by one metric; None where a side has no value or nothing varies.

    The limits of a difference come from those of its sides (Zou and Donner, Statistics in Medicine 27, 2008; for shares
    Newcombe's), so a slice without a single error is not taken as free of doubt. A day on which both sides
    rise together
    adds nothing to their difference: the block variance is that of the blocks' differences, likewise for units. Where
    blocks or units vary more than rows, both sides' intervals are widened by the same factor.

    Args:
        pairs: estimates of one metric, so of one family.
        confidence: of the intervals.
    """
    answers: list[Difference | None] = [None] * len(pairs)
    usable = [i for i, pair in enumerate(pairs) if _comparable(pair)]
    if not usable:
        return answers
    family = pairs[usable[0]].inside.family
    inside, outside, freedom = _sides([pairs[i] for i in usable], family)
    value = inside.value - outside.value
    at = normal_quantile(confidence, freedom)
    low, high = _limits(inside, outside, family, at)
    errors = _errors_to_zero(inside, outside, family)
    p_value = 2.0 * np.where(
        np.isinf(freedom), ndtr(-errors), stdtr(np.where(np.isinf(freedom), 1, freedom), -errors)
    )
    for position, i in enumerate(usable):
        answers[i] = Difference(
            float(value[position]), float(low[position]), float(high[position]), float(p_value[position])
        )
    return answers


def _comparable(pair: Pair) -> bool:
    if pair.inside.value is None or pair.outside.value is None:
        return False
    bounded = pair.inside.family not in {"mean", "positive", "below_one"}
    return bounded or pair.inside.row_variance + pair.outside.row_variance > 0


def _sides(pairs: Sequence[Pair], family: str) -> tuple[_Side, _Side, Floats]:
    inside, outside, freedom = [], [], []
    for pair in pairs:
        row_in, row_out = _row_variances(pair, family)
        chosen = _variance(pair, row_in + row_out)
        effect = chosen.variance / (row_in + row_out) if row_in + row_out > 0 else 1.0
        inside.append((pair.inside.value, row_in * effect, _size(pair.inside) / effect))
        outside.append((pair.outside.value, row_out * effect, _size(pair.outside) / effect))
        freedom.append(_freedom(pair, row_in, row_out, family) if chosen.df is None else chosen.df)
    return (
        _Side(*np.array(inside, dtype=np.float64).T),
        _Side(*np.array(outside, dtype=np.float64).T),
        np.array(freedom),
    )


def _size(estimate: Estimate) -> float:
    if estimate.family in {"auc", "average_precision"}:
        return min(estimate.n_positive, estimate.n_negative)
    return estimate.size


def _row_variances(pair: Pair, family: str) -> tuple[float, float]:
    """Variances of both sides, taking rows as independent.

    Losses are skewed: a small slice that happens to hold none of the rare large ones would seem to vary
    hardly at all. If
    it did not differ its rows would vary as the rest's do, so the smaller side's variance is taken to be at least that.
    """
    inside, outside = pair.inside, pair.outside
    row_in, row_out = inside.row_variance, outside.row_variance
    if family not in {"mean", "positive", "below_one"} or not min(inside.size, outside.size) > 0:
        return row_in, row_out
    if inside.size < outside.size:
        return max(row_in, row_out * outside.size / inside.size), row_out
    if outside.size < inside.size:
        return row_in, max(row_out, row_in * inside.size / outside.size)
    return row_in, row_out


def _freedom(pair: Pair, row_in: float, row_out: float, family: str) -> float:
    """Welch's degrees of freedom for means of rows; infinite (normal) for shares and ranks."""
    sizes = pair.inside.size, pair.outside.size
    if family not in {"mean", "positive", "below_one"} or min(sizes) <= 1:
        return math.inf
    below = row_in**2 / (sizes[0] - 1.0) + row_out**2 / (sizes[1] - 1.0)
    return (row_in + row_out) ** 2 / below


def _variance(pair: Pair, row: float) -> ChosenVariance:
    inside, outside = pair.inside, pair.outside
    block, n_blocks = None, 0
    if inside.blocks is not None and outside.blocks is not None:
        totals_in, totals_out = inside.block_totals, outside.block_totals
        if totals_in is not None and totals_out is not None:
            blocks, totals = add_blocks(inside.blocks, totals_in, outside.blocks, -totals_out)
            block = float(block_variance(totals)) if len(blocks) > 1 else None
            # degrees of freedom follow the smaller side
            n_blocks = min(len(inside.blocks), len(outside.blocks))
    return largest_variance(row, pair.unit_variance, block, n_blocks, pair.n_units)


def _limits(inside: _Side, outside: _Side, family: str, errors: Floats) -> tuple[Floats, Floats]:
    low_in, high_in = inside.limits(family, errors)
    low_out, high_out = outside.limits(family, errors)
    value = inside.value - outside.value
    low = value - np.hypot(inside.value - low_in, high_out - outside.value)
    high = value + np.hypot(high_in - inside.value, outside.value - low_out)
    return low, high


def _errors_to_zero(inside: _Side, outside: _Side, family: str) -> Floats:
    """How many standard errors wide the interval is when its nearer end meets 0, by halving."""
    value = inside.value - outside.value
    least, most = np.zeros_like(value), np.full_like(value, _FARTHEST)
    for _ in range(_HALVINGS):
        middle = (least + most) / 2.0
        low, high = _limits(inside, outside, family, middle)
        holds = (low <= 0.0) & (high >= 0.0)
        least, most = np.where(holds, least, middle), np.where(holds, middle, most)
    return np.where(value == 0.0, 0.0, (least + most) / 2.0)


def impact(metric: str, value: float, elsewhere: float, share: float) -> float | None:
    """How much the whole loses by the slice doing worse than the rest; negative where it does better."""
    worse = worse_by(metric, value, elsewhere)
    return None if worse is None else worse * share


def corrected(rows: Sequence[SegmentRow], confidence: float = 0.95) -> list[SegmentRow]:
    """Adjust the p-values of all slices of one window and version together, and say which are worse.

    Benjamini-Hochberg: of the slices called worse, at most one in twenty is expected to be none. The slices of one
    segment are shrunken together (`analytics.stats.shrinkage`).

    Args:
        rows: of one metric.
        confidence: of the intervals in the rows.
    """
    families: dict[tuple[object, object], list[int]] = {}
    for i, row in enumerate(rows):
        families.setdefault((row.window_start, row.version), []).append(i)
    answers = list(rows)
    for members in families.values():
        adjusted = benjamini_hochberg([rows[i].p_value for i in members])
        for i, p_adjusted in zip(members, np.asarray(adjusted).tolist(), strict=True):
            answers[i] = _judged(rows[i], None if math.isnan(p_adjusted) else p_adjusted)
    return _shrunken(answers, confidence)


def deviations(rows: Sequence[SegmentRow], confidence: float) -> tuple[Floats, Floats]:
    """How far each slice lies from all rows together, and the standard error of that; nan where not known.

    What is known is the difference from the rest. The whole lies between slice and rest, so a slice's deviation from it
    is a part of that difference, and so is its error.
    """
    found = []
    for row in rows:
        low, high, apart = row.difference_ci_low, row.difference_ci_high, row.difference
        if low is None or high is None or apart is None or row.value is None or row.value_whole is None:
            found.append((math.nan, math.nan))
            continue
        away = row.value - row.value_whole
        part = min(max(away / apart, 0.0), 1.0) if abs(apart) > _TINY else 1.0 - (row.share or 0.0)
        found.append((away, part * (high - low) / (2.0 * normal_quantile(confidence))))
    both = np.array(found, dtype=np.float64).reshape(len(found), 2)
    return both[:, 0], both[:, 1]


def _shrunken(rows: list[SegmentRow], confidence: float) -> list[SegmentRow]:
    segments: dict[tuple[object, ...], list[int]] = {}
    away, error = deviations(rows, confidence)
    for i, row in enumerate(rows):
        if error[i] > 0:
            segments.setdefault((row.window_start, row.version, row.segment), []).append(i)
    for members in segments.values():
        found = shrink(away[members], error[members] ** 2)
        reach = found.deviation * normal_quantile(confidence)
        for i, value, half in zip(members, found.value.tolist(), reach.tolist(), strict=True):
            middle = (rows[i].value_whole or 0.0) + value
            rows[i] = replace(
                rows[i], value_shrunken=middle, shrunken_ci_low=middle - half, shrunken_ci_high=middle + half
            )
    return rows


def _judged(row: SegmentRow, p_adjusted: float | None) -> SegmentRow:
    if p_adjusted is None or row.value is None or row.value_elsewhere is None:
        return row
    worse = worse_by(row.metric, row.value, row.value_elsewhere)
    verdict = None if worse is None else bool(worse > 0 and p_adjusted < ALARM)
    return replace(row, p_adjusted=p_adjusted, worse=verdict)
