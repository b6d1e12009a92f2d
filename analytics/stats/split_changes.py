"""On which day the split of an experiment went wrong, or changed: likelihoods of multinomial counts by day.

From some day on (and, if it was mended, up to some later day) the odds of the arms are the planned ones times a factor
an arm; every day is tried. The interval of the day holds every day whose likelihood ratio against the best one is
below ``-2 log(1 - sqrt(confidence))``, the limit for a change point under a step in the mean (Hansen, Econometrica 68,
2000; Eo and Morley, Quantitative Economics 6, 2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray
from .sequential_srm import daily_shares

_STEPS = 30
_PRECISION = 1e-10
MENDED = 13.8
"""Twice the gain of log-likelihood from which an end of the trouble is believed (a factor of 1,000)."""
DRAWS = 999


@dataclass(frozen=True, eq=False)
class Onset:
    """The stretch of days in which the split deviates from the plan.

    Attributes:
        at: position of its first day.
        low, high: earliest and latest first day that fit about as well.
        until: position of the first day after it; None where it lasts to the end.
        statistic: twice the log-likelihood ratio against the plan.
        shares: what the arms got in it, shape (K,).
        planned: what they should have got in it, shape (K,).
    """

    at: int
    low: int
    high: int
    until: int | None
    statistic: float
    shares: FloatArray
    planned: FloatArray


def split_onset(counts: npt.ArrayLike, shares: npt.ArrayLike, confidence: float = 0.95) -> Onset:
    """Find since when, and until when, the split deviates from the plan.

    It answers for a split that is known to be broken: among sound splits it finds a day too.

    Args:
        counts: units that came to every arm on every day, shape (T, K), at least one day with units.
        shares: planned, shape (K,) or one row a day.
        confidence: of the interval of the first day.

    Raises:
        ValueError: no units, or as `sequential_split`.

    >>> found = split_onset([[50, 50]] * 4 + [[80, 20]] * 3, [0.5, 0.5])
    >>> found.at, found.low, found.high, found.until, found.shares.round(2).tolist()
    (4, 4, 4, None, [0.8, 0.2])
    """
    units, planned = daily_shares(counts, shares)
    if not units.sum() > 0:
        raise ValueError("a day with units is needed")
    days = len(units)
    to_end = _gains(units, planned, np.arange(days), np.full(days, days))
    at, until = int(np.argmax(to_end)), days
    profile = to_end
    starts, ends = np.triu_indices(days + 1, 1)
    keep = ends < days
    if keep.any():
        within = _gains(units, planned, starts[keep], ends[keep])
        best = int(np.argmax(within))
        if 2 * (within[best] - to_end[at]) > MENDED:
            at, until = int(starts[keep][best]), int(ends[keep][best])
            profile = _gains(units, planned, np.arange(until), np.full(until, until))
    limit = -math.log(1 - math.sqrt(confidence))
    inside = np.flatnonzero(profile[at] - profile <= limit)
    found = units[at:until].sum(axis=0)
    expected = (planned[at:until] * units[at:until].sum(axis=1, keepdims=True)).sum(axis=0)
    return Onset(
        at,
        int(inside[0]),
        int(inside[-1]),
        until if until < days else None,
        2 * float(profile[at]),
        found / found.sum(),
        expected / expected.sum(),
    )


@dataclass(frozen=True)
class SplitChange:
    """Whether the split changed within the experiment.

    Attributes:
        at: position of the first day of the new split, where there is one.
        statistic: twice the log-likelihood ratio of two splits against one.
        p_value: of one split all the time, by drawing such days; at least 1 / (draws + 1).
        before, after: shares of the arms, shape (K,).
    """

    at: int
    statistic: float
    p_value: float
    before: FloatArray
    after: FloatArray


def split_change(counts: npt.ArrayLike, draws: int = DRAWS, seed: int = 0) -> SplitChange | None:
    """Test whether the arms' shares are the same on all days against one change; None with under two days of units.

    Days with the totals that were counted are drawn with the pooled shares, and the largest statistic of each draw is
    compared.

    >>> change = split_change([[90, 10]] * 5 + [[50, 50]] * 5)
    >>> change.at, change.p_value, change.before.tolist(), change.after.tolist()
    (5, 0.001, [0.9, 0.1], [0.5, 0.5])
    """
    units = np.asarray(counts, dtype=np.float64)
    days = np.flatnonzero(units.sum(axis=1) > 0)
    units = units[days][:, units.sum(axis=0) > 0]
    if len(units) < 2 or units.shape[1] < 2:
        return None
    pooled = units.sum(axis=0) / units.sum()
    statistics = _two_splits(units)
    best = int(np.argmax(statistics))
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(units.sum(axis=1).astype(np.int64), pooled, size=(draws, len(units)))
    largest = _two_splits(drawn.astype(np.float64)).max(axis=-1)
    everything = np.asarray(counts, dtype=np.float64)
    at = int(days[best + 1])
    before, after = everything[:at].sum(axis=0), everything[at:].sum(axis=0)
    return SplitChange(
        at,
        float(statistics[best]),
        float((1 + (largest >= statistics[best] - 1e-9).sum()) / (draws + 1)),
        before / before.sum(),
        after / after.sum(),
    )


def _two_splits(units: FloatArray) -> FloatArray:
    """Twice the gain of a change after every day but the last, shape (..., T - 1)."""
    before = np.cumsum(units, axis=-2)[..., :-1, :]
    total = units.sum(axis=-2, keepdims=True)
    return np.asarray(2 * (_entropy(before) + _entropy(total - before) - _entropy(total)))


def _entropy(counts: FloatArray) -> FloatArray:
    """Log-likelihood of counts at their own shares."""
    whole = counts.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(counts > 0, counts * np.log(counts), 0.0).sum(axis=-1)
        return np.asarray(each - np.where(whole > 0, whole * np.log(whole), 0.0))


def _gains(units: FloatArray, planned: FloatArray, starts: IntArray, ends: IntArray) -> FloatArray:
    """Log-likelihood gained by other odds on the days ``[start, end)``, for many stretches at once."""
    cumulated = np.vstack([np.zeros(units.shape[1]), np.cumsum(units, axis=0)])
    counted = cumulated[ends] - cumulated[starts]
    kinds, kind = np.unique(planned, axis=0, return_inverse=True)
    totals = np.zeros((len(units) + 1, len(kinds)))
    np.add.at(totals, (np.arange(1, len(units) + 1), kind.ravel()), units.sum(axis=1))
    totals = np.cumsum(totals, axis=0)
    size = totals[ends] - totals[starts]
    # the factors that make expected counts equal the counted ones, by proportional fitting; one kind takes one step
    factors = np.ones_like(counted)
    for _ in range(_STEPS):
        tilted = factors[:, None, :] * kinds
        expected = (size[:, :, None] * tilted / tilted.sum(axis=2, keepdims=True)).sum(axis=1)
        ratio = np.divide(counted, expected, out=np.ones_like(counted), where=expected > 0)
        factors = np.maximum(factors * ratio, 1e-300)
        if np.abs(ratio[counted > 0] - 1.0).max(initial=0.0) < _PRECISION:
            break
    logs = np.where(counted > 0, counted * np.log(factors), 0.0).sum(axis=1)
    return np.asarray(logs - (size * np.log((factors[:, None, :] * kinds).sum(axis=2))).sum(axis=1))
