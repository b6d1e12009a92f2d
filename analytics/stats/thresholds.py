"""Choosing a threshold from sums by score bin: for earnings, for a precision, a recall or a volume.

Threshold t of B bins calls the bins t, t + 1, … positive; t = 0 is everybody, t = B nobody. All functions take any
number of leading axes (draws of a bootstrap, folds).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray, as_floats

Integers = NDArray[np.int64]
Goal = Literal["cost", "precision", "recall", "budget"]
UNREACHABLE = -1
FOLDS = 10
DRAWS = 400


class Amounts(NamedTuple):
    """What each outcome earns."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float


class Above(NamedTuple):
    """Weights at or above every threshold, each of shape (…, B + 1).

    Attributes:
        positives: labelled positive rows.
        negatives: labelled negative rows.
        rows: all rows, labelled or not.
    """

    positives: FloatArray
    negatives: FloatArray
    rows: FloatArray

    def total(self) -> Above:
        """The sum over the first axis."""
        return Above(*(one.sum(axis=0) for one in self))

    def without(self, whole: Above) -> Above:
        """The whole less each part along the first axis."""
        return Above(*(everything - part for everything, part in zip(whole, self, strict=True)))


def above(by_bin: FloatArray) -> FloatArray:
    """Sums at or above each bin, and 0 above all, along the last axis.

    >>> above(np.array([1.0, 2.0, 4.0])).tolist()
    [7.0, 6.0, 4.0, 0.0]
    """
    summed = np.cumsum(by_bin[..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([summed, np.zeros((*summed.shape[:-1], 1))], axis=-1)


def earnings(sums: Above, amounts: Amounts) -> FloatArray:
    """What every threshold earns in all, shape (…, B + 1).

    >>> sums = Above(above(np.array([1.0, 3.0])), above(np.array([4.0, 2.0])), above(np.array([5.0, 5.0])))
    >>> earnings(sums, Amounts(20, -10, -5, 0)).tolist()
    [20.0, 35.0, -20.0]
    """
    missed = sums.positives[..., :1] - sums.positives
    passed = sums.negatives[..., :1] - sums.negatives
    return as_floats(
        sums.positives * amounts.true_positive
        + sums.negatives * amounts.false_positive
        + missed * amounts.false_negative
        + passed * amounts.true_negative
    )


def best(
    sums: Above, goal: Goal, target: float | None, amounts: Amounts | None = None, *, least: float = 0.0
) -> Integers:
    """The threshold that serves the goal, `UNREACHABLE` where none does, shape (…).

    cost: earns most. precision: catches most with at least that precision. recall: the strictest with at least that
    recall. budget: the lowest that calls at most that share of rows. Of equal ones (bins without rows) the middle.
    A precision is looked for only where at least the share ``least`` of the labelled rows is called: two alarms out of
    two are no precision of 100 %.

    >>> sums = Above(above(np.array([1.0, 0.0, 3.0])), above(np.array([4.0, 0.0, 2.0])), above(np.ones(3)))
    >>> [int(best(sums, *goal)) for goal in (("precision", 0.5), ("recall", 0.7), ("budget", 0.4))]
    [1, 2, 2]
    """
    if goal == "cost":
        if amounts is None:
            raise ValueError("the goal cost needs amounts")
        value = earnings(sums, amounts)
        top = value.max(axis=-1, keepdims=True)
        scale = np.abs(value).max(axis=-1, keepdims=True)
        return _middle(value >= top - 1e-12 * scale)
    if target is None:
        raise ValueError(f"the goal {goal} needs a target")
    good = _good(sums, goal, target, least)
    found = good.any(axis=-1)
    if goal == "recall":
        # the strictest stands last
        last = good.shape[-1] - 1 - np.argmax(good[..., ::-1], axis=-1)
        chosen = _same(sums, last)
    else:
        chosen = _same(sums, np.argmax(good, axis=-1))
    return np.where(found, chosen, UNREACHABLE).astype(np.int64)


def _good(sums: Above, goal: Goal, target: float, least: float) -> NDArray[np.bool_]:
    """Which thresholds keep what is asked; a hair of rounding does not count."""
    match goal:
        case "precision":
            called = sums.positives + sums.negatives
            enough = called >= least * called[..., :1]
            return (called > 0) & enough & (sums.positives >= (target - 1e-12) * called)
        case "recall":
            return sums.positives >= (target - 1e-12) * sums.positives[..., :1]
        case _:
            return sums.rows <= (target + 1e-12) * sums.rows[..., :1]


def _same(sums: Above, at: NDArray[np.intp]) -> Integers:
    """The middle of the thresholds that call the same labelled rows and the same volume."""
    stacked = np.stack(sums)
    there = np.take_along_axis(stacked, np.broadcast_to(at[..., None], (3, *at.shape, 1)), axis=-1)
    return _middle((stacked == there).all(axis=0))


def _middle(equal: NDArray[np.bool_]) -> Integers:
    """The middle of the first run of True along the last axis."""
    first = np.argmax(equal, axis=-1)
    places = np.arange(equal.shape[-1])
    after = ~equal & (places > first[..., None])
    end = np.where(after.any(axis=-1), np.argmax(after, axis=-1), equal.shape[-1])
    return np.asarray((first + end - 1) // 2, dtype=np.int64)


def folds_of(groups: int, folds: int = FOLDS) -> Integers:
    """A fold for each of some groups in order of time: stretches as long as each other.

    Neighbouring days are alike, so a fold is a stretch and not a scatter of days.

    >>> folds_of(5, 2).tolist()
    [0, 0, 0, 1, 1]
    """
    stretch = np.arange(groups, dtype=np.int64) * min(folds, groups) // max(groups, 1)
    return np.asarray(stretch, dtype=np.int64)


def split_counts(n: FloatArray, folds: int, seed: int = 0) -> FloatArray:
    """Rows of each combination dealt out at random to folds, shape (E, folds).

    Rows of one combination are alike in everything that matters here, so which of them falls where need not be known.
    """
    rng = np.random.default_rng(seed)
    dealt: NDArray[np.int64] = rng.multinomial(np.round(n).astype(np.int64), np.full(folds, 1.0 / folds))
    return as_floats(dealt)


def resampled_groups(sums: Above, draws: int = DRAWS, seed: int = 0) -> Above:
    """Sums of groups drawn with replacement: (G, B + 1) to (draws, B + 1)."""
    drawn = _drawn(sums.positives.shape[0], draws, seed)
    # thresholds with no row between them are the same in every draw
    rows = sums.rows.sum(axis=0)
    differ = np.append(rows[:-1] != rows[1:], True)
    place = np.cumsum(differ) - differ
    return Above(*((drawn @ one[:, differ])[:, place] for one in sums))


@lru_cache(maxsize=8)
def _drawn(groups: int, draws: int, seed: int) -> FloatArray:
    """How often each draw takes each group."""
    rng = np.random.default_rng(seed)
    return as_floats(rng.multinomial(groups, np.full(groups, 1.0 / groups), size=draws))


def resampled_rows(w: FloatArray, w2: FloatArray, draws: int = DRAWS, seed: int = 0) -> Above:
    """Sums under the Bayesian bootstrap of rows, from sums of weights and of squared weights, shape (3, B).

    n rows of weight 1 get n standard exponential weights, whose sum is gamma with shape n; with unequal weights a gamma
    of the same mean and variance. First axis: label 0, label 1, no label. Source: Rubin, Annals of Statistics 9 (1981).
    """
    rng = np.random.default_rng(seed)
    there = w > 0
    shape = np.where(there, w**2 / np.where(there, w2, 1.0), 1.0)
    scale = np.where(there, w2 / np.where(there, w, 1.0), 0.0)
    drawn = rng.gamma(shape, size=(draws, *w.shape)) * scale
    return Above(above(drawn[:, 1]), above(drawn[:, 0]), above(drawn.sum(axis=1)))


class ThresholdRange(NamedTuple):
    """Places of the lowest and the highest threshold of an interval."""

    low: int
    high: int


def threshold_range(chosen: Integers, estimate: int, bins: int, confidence: float) -> ThresholdRange:
    """The percentile interval of the threshold over draws, holding the estimate.

    A draw in which the goal is out of reach counts as the threshold that calls nobody.

    >>> threshold_range(np.array([3, 4, 4, 5, -1]), 4, 9, 0.6)
    ThresholdRange(low=3, high=9)
    """
    places = np.sort(np.where(chosen == UNREACHABLE, bins, chosen))
    tail = (1.0 - confidence) / 2.0
    low = places[int(np.floor(tail * (len(places) - 1)))]
    high = places[int(np.ceil((1.0 - tail) * (len(places) - 1)))]
    return ThresholdRange(min(int(low), estimate), max(int(high), estimate))


def simplest_between(low: float, high: float) -> float:
    """The number with the fewest decimals in (low, high].

    >>> simplest_between(0.29991, 0.30004), simplest_between(0.2, 0.2000001)
    (0.3, 0.2000001)
    """
    for digits in range(16):
        candidate = np.floor(high * 10.0**digits + 1e-9) / 10.0**digits
        if low < candidate <= high:
            return float(round(candidate, digits))
    return high
