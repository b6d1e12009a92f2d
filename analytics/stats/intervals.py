"""Confidence intervals in closed form, for one number or for arrays of them.

Each function comes in two shapes, told apart by its first argument: a float gives an ``Interval`` of floats,
an array gives ``Intervals`` of arrays. All intervals are two-sided and hold their estimate.
"""

from __future__ import annotations

import math
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats, divide


class Interval(NamedTuple):
    """Lower and upper confidence limit of one number."""

    low: float
    high: float


class Intervals(NamedTuple):
    """Lower and upper confidence limits, element by element."""

    low: FloatArray
    high: FloatArray


class QuantileEstimate(NamedTuple):
    """A quantile with its order-statistic interval; an infinite limit: too few rows for one."""

    value: float
    low: float
    high: float


class Ranks(NamedTuple):
    """Ranks (1 = smallest) of the order statistics around a quantile; 0 and n + 1: no limit."""

    low: FloatArray
    high: FloatArray


def _pack(low: FloatArray, high: FloatArray) -> Interval | Intervals:
    if np.ndim(low) == 0:
        return Interval(float(low), float(high))
    return Intervals(low, high)


@overload
def normal_quantile(confidence: float, degrees_of_freedom: float | None = None) -> float: ...
@overload
def normal_quantile(confidence: float, degrees_of_freedom: FloatArray) -> FloatArray: ...
def normal_quantile(
    confidence: float, degrees_of_freedom: float | FloatArray | None = None
) -> float | FloatArray:
    """Return the factor of the standard error in a two-sided interval.

    The normal quantile, or Student's t where degrees of freedom are given (infinite ones give the normal
    quantile).

    >>> round(normal_quantile(0.95), 4), round(normal_quantile(0.95, 9), 4)
    (1.96, 2.2622)
    """
    _check_confidence(confidence)
    upper = 0.5 + confidence / 2
    if degrees_of_freedom is None:
        return float(special.ndtri(upper))
    if isinstance(degrees_of_freedom, float | int):
        infinite = math.isinf(degrees_of_freedom)
        return float(special.ndtri(upper) if infinite else special.stdtrit(degrees_of_freedom, upper))
    df = as_floats(degrees_of_freedom)
    quantile = np.where(
        np.isinf(df), special.ndtri(upper), special.stdtrit(np.where(np.isinf(df), 1.0, df), upper)
    )
    return float(quantile) if quantile.ndim == 0 else quantile


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        message = f"confidence must lie strictly between 0 and 1, found {confidence!r}"
        raise ValueError(message)


_NOT_A_SHARE = "a share lies between 0 and 1 and an effective n is not negative"


def _wilson(share: FloatArray, n: FloatArray, quantile: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    squared = np.square(quantile)
    centre = (n * share + squared / 2) / (n + squared)
    half = quantile * np.sqrt(n * share * (1 - share) + squared / 4) / (n + squared)
    # At 0 and 1 the limit is the share itself; rounding must not leave it a hair inside.
    low = np.where(share <= 0, 0.0, np.clip(centre - half, 0, share))
    high = np.where(share >= 1, 1.0, np.clip(centre + half, share, 1))
    return low, high


@overload
def wilson(
    share: float, effective_n: float, confidence: float, degrees_of_freedom: float | None = None
) -> Interval: ...
@overload
def wilson(
    share: FloatArray,
    effective_n: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Intervals: ...
def wilson(
    share: float | FloatArray,
    effective_n: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Interval | Intervals:
    """Return Wilson's score interval of a share.

    ``effective_n`` need not be whole: it is share (1 - share) / variance for a weighted or clustered share
    (`effective_n`). With no rows at all the interval is [0, 1]. With degrees of freedom the t quantile takes
    the place of z. Source: Wilson, JASA 22 (1927).

    >>> low, high = wilson(0.0, 10, 0.95)
    >>> low, round(high, 4)
    (0.0, 0.2775)
    """
    quantile = normal_quantile(confidence, degrees_of_freedom)
    if isinstance(share, float) and isinstance(effective_n, float | int) and isinstance(quantile, float):
        return _wilson_of_one(float(share), float(effective_n), quantile)
    p, n = as_floats(share), as_floats(effective_n)
    if np.any((p < 0) | (p > 1)) or np.any(n < 0):
        raise ValueError(_NOT_A_SHARE)
    return _pack(*_wilson(p, n, quantile))


def _wilson_of_one(share: float, n: float, quantile: float) -> Interval:
    """As `_wilson`, without arrays, which take ten times as long for one number; pages ask for thousands."""
    if share < 0 or share > 1 or n < 0:
        raise ValueError(_NOT_A_SHARE)
    squared = quantile * quantile
    centre = (n * share + squared / 2) / (n + squared)
    half = quantile * math.sqrt(n * share * (1 - share) + squared / 4) / (n + squared)
    low = 0.0 if share <= 0 else min(max(centre - half, 0.0), share)
    high = 1.0 if share >= 1 else max(min(centre + half, 1.0), share)
    return Interval(low, high)


@overload
def effective_n(share: float, variance: float, fallback: float) -> float: ...
@overload
def effective_n(
    share: FloatArray, variance: float | FloatArray, fallback: float | FloatArray
) -> FloatArray: ...
def effective_n(
    share: float | FloatArray, variance: float | FloatArray, fallback: float | FloatArray
) -> float | FloatArray:
    """Return the size of a simple random sample that would give the share this variance.

    ``fallback`` (Kish's n, or the plain one) where the share is 0 or 1 or the variance 0: the data then say
    nothing about the variance.

    >>> round(effective_n(0.2, 0.2 * 0.8 / 50, 100), 9)
    50.0
    """
    if isinstance(share, float) and isinstance(variance, float) and isinstance(fallback, float | int):
        own = float(share) * (1 - float(share))
        return own / float(variance) if own > 0 and variance > 0 else float(fallback)
    p, v, other = np.broadcast_arrays(as_floats(share), as_floats(variance), as_floats(fallback))
    spread = p * (1 - p)
    known = (spread > 0) & (v > 0)
    size = np.where(known, divide(spread, np.where(known, v, 1.0)), other)
    return float(size) if size.ndim == 0 else size


@overload
def score_interval(
    estimate: float,
    variance: float,
    fallback_n: float,
    confidence: float,
    degrees_of_freedom: float | None = None,
    *,
    lower: float = 0.0,
    upper: float = 1.0,
) -> Interval: ...
@overload
def score_interval(
    estimate: FloatArray,
    variance: FloatArray,
    fallback_n: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
    *,
    lower: float = 0.0,
    upper: float = 1.0,
) -> Intervals: ...
def score_interval(
    estimate: float | FloatArray,
    variance: float | FloatArray,
    fallback_n: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
    *,
    lower: float = 0.0,
    upper: float = 1.0,
) -> Interval | Intervals:
    """Return Wilson's interval for any number known to lie in [lower, upper].

    For F1, balanced accuracy, a correlation. The number is moved to [0, 1], its variance turned into an
    effective n, and Wilson's interval moved back: it never leaves the range, and at its ends (variance 0)
    ``fallback_n`` rows still give a limit. For a number that one wrong row of a small class can move
    (Matthews), the fallback is the size of that class.
    """
    width = upper - lower
    share = np.clip((as_floats(estimate) - lower) / width, 0, 1)
    size = effective_n(share, as_floats(variance) / width**2, as_floats(fallback_n))
    low, high = _wilson(share, as_floats(size), normal_quantile(confidence, degrees_of_freedom))
    return _pack(lower + width * low, lower + width * high)


@overload
def wald(
    estimate: float, variance: float, confidence: float, degrees_of_freedom: float | None = None
) -> Interval: ...
@overload
def wald(
    estimate: FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Intervals: ...
def wald(
    estimate: float | FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Interval | Intervals:
    """Return estimate -/+ quantile x standard error.

    >>> low, high = wald(10.0, 4.0, 0.95)
    >>> round(low, 4), round(high, 4)
    (6.0801, 13.9199)
    """
    value = as_floats(estimate)
    half = normal_quantile(confidence, degrees_of_freedom) * np.sqrt(as_floats(variance))
    return _pack(value - half, value + half)


@overload
def logit_wald(
    estimate: float, variance: float, confidence: float, degrees_of_freedom: float | None = None
) -> Interval: ...
@overload
def logit_wald(
    estimate: FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Intervals: ...
def logit_wald(
    estimate: float | FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Interval | Intervals:
    """Return Wald's interval on the logit scale (delta method), for estimates strictly between 0 and 1.

    >>> low, high = logit_wald(0.5, 0.01, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.3135, 0.6865)
    """
    value = as_floats(estimate)
    if np.any((value <= 0) | (value >= 1)):
        raise ValueError("the logit needs estimates strictly between 0 and 1; use an exact bound at 0 and 1")
    error = np.sqrt(as_floats(variance)) / (value * (1 - value))
    half = normal_quantile(confidence, degrees_of_freedom) * error
    centre = special.logit(value)
    # expit(logit(x)) may miss x by a rounding error, and the interval must hold its value.
    low, high = special.expit(centre - half), special.expit(centre + half)
    return _pack(np.minimum(low, value), np.maximum(high, value))


@overload
def log_wald(
    estimate: float, variance: float, confidence: float, degrees_of_freedom: float | None = None
) -> Interval: ...
@overload
def log_wald(
    estimate: FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Intervals: ...
def log_wald(
    estimate: float | FloatArray,
    variance: float | FloatArray,
    confidence: float,
    degrees_of_freedom: float | FloatArray | None = None,
) -> Interval | Intervals:
    """Return Wald's interval on the log scale (delta method), for positive estimates.

    >>> low, high = log_wald(2.0, 0.04, 0.95)
    >>> round(low, 4), round(high, 4)
    (1.644, 2.433)
    """
    value = as_floats(estimate)
    if np.any(value <= 0):
        raise ValueError("the log scale needs positive estimates")
    half = normal_quantile(confidence, degrees_of_freedom) * np.sqrt(as_floats(variance)) / value
    return _pack(value * np.exp(-half), value * np.exp(half))


@overload
def clopper_pearson(successes: float, n: float, confidence: float) -> Interval: ...
@overload
def clopper_pearson(successes: FloatArray, n: float | FloatArray, confidence: float) -> Intervals: ...
def clopper_pearson(
    successes: float | FloatArray, n: float | FloatArray, confidence: float
) -> Interval | Intervals:
    """Return the exact interval of a share. Source: Clopper and Pearson, Biometrika 26 (1934).

    >>> low, high = clopper_pearson(0, 10, 0.95)
    >>> low, round(high, 4)
    (0.0, 0.3085)
    """
    _check_confidence(confidence)
    k, size = np.broadcast_arrays(as_floats(successes), as_floats(n))
    if np.any((k < 0) | (k > size)):
        raise ValueError("successes lie between 0 and n")
    tail = (1 - confidence) / 2
    low = np.where(k > 0, special.betaincinv(np.maximum(k, 1e-300), size - k + 1, tail), 0.0)
    high = np.where(k < size, special.betaincinv(k + 1, np.maximum(size - k, 1e-300), 1 - tail), 1.0)
    return _pack(low, high)


@overload
def newcombe_difference(
    share1: float, n1: float, share2: float, n2: float, confidence: float
) -> Interval: ...
@overload
def newcombe_difference(
    share1: FloatArray,
    n1: float | FloatArray,
    share2: float | FloatArray,
    n2: float | FloatArray,
    confidence: float,
) -> Intervals: ...
def newcombe_difference(
    share1: float | FloatArray,
    n1: float | FloatArray,
    share2: float | FloatArray,
    n2: float | FloatArray,
    confidence: float,
) -> Interval | Intervals:
    """Return the hybrid Wilson interval of share1 - share2 (independent samples).

    Source: Newcombe, Statistics in Medicine 17 (1998), method 10.

    >>> low, high = newcombe_difference(56 / 70, 70, 48 / 80, 80, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    p1, p2 = as_floats(share1), as_floats(share2)
    quantile = normal_quantile(confidence)
    low1, high1 = _wilson(p1, as_floats(n1), quantile)
    low2, high2 = _wilson(p2, as_floats(n2), quantile)
    difference = p1 - p2
    return _pack(
        difference - np.hypot(p1 - low1, high2 - p2),
        difference + np.hypot(high1 - p1, p2 - low2),
    )


def quantile_ranks(n: npt.ArrayLike, probability: float, confidence: float) -> Ranks:
    """Return the ranks of the order statistics that enclose a quantile with at least this confidence.

    The number of rows below the true quantile is binomial, whatever the distribution. Non-whole n are rounded
    down.

    >>> [float(rank) for rank in quantile_ranks(100, 0.5, 0.95)]
    [40.0, 61.0]
    """
    _check_confidence(confidence)
    size = np.floor(as_floats(n))
    tail = (1 - confidence) / 2
    return Ranks(
        _binomial_quantile(tail, size, probability), _binomial_quantile(1 - tail, size, probability) + 1
    )


def _binomial_quantile(level: float, n: FloatArray, probability: float) -> FloatArray:
    """Smallest k with P(K <= k) >= level."""
    trials = np.maximum(n, 1)
    k = np.clip(np.ceil(special.bdtrik(level, trials, probability)), 0, trials)
    below = np.maximum(k - 1, 0)
    one_less = (k > 0) & (special.bdtr(below, trials.astype(np.int64), probability) >= level)
    return np.where(n < 1, 0.0, np.where(one_less, below, k))


def order_statistic_median(values: npt.ArrayLike, confidence: float) -> QuantileEstimate:
    """Return the median of some values with its order-statistic interval.

    >>> order_statistic_median([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.95)
    QuantileEstimate(value=5.0, low=2.0, high=8.0)
    """
    ordered = np.sort(as_floats(values))
    if ordered.size == 0:
        raise ValueError("no values: a median needs at least one")
    ranks = quantile_ranks(ordered.size, 0.5, confidence)
    padded = np.concatenate([[-np.inf], ordered, [np.inf]])
    return QuantileEstimate(
        float(np.median(ordered)), float(padded[int(ranks.low)]), float(padded[int(ranks.high)])
    )


def quantile_from_bins(
    edges: npt.ArrayLike,
    counts: npt.ArrayLike,
    probability: float,
    confidence: float,
    size: float | None = None,
) -> QuantileEstimate:
    """Return a quantile of a distribution known by its counts in bins, with its order-statistic interval.

    ``edges`` are the B + 1 ascending edges of B bins ``[a, b)``, ``counts`` rows or weights in them; ``size``
    is the effective number of rows where they are weights or rows are correlated (default: the sum of the
    counts). The value is interpolated inside its bin. Where the enclosing rows lie inside their bins is
    unknown, so the limits are those bins' outer edges: with edges 5 % apart the interval is at least about 5
    % wide, and it is honest for values that crowd anywhere inside a bin. Outer edges may be infinite.

    >>> quantile_from_bins([0, 1, 2, 3, 4], [25, 25, 25, 25], 0.5, 0.95)
    QuantileEstimate(value=2.0, low=1.0, high=3.0)
    """
    borders, weights = as_floats(edges), as_floats(counts)
    total = float(weights.sum())
    if borders.size != weights.size + 1 or total <= 0:
        raise ValueError("quantile_from_bins needs one edge more than bins and at least one row")
    cumulated = np.cumsum(weights)
    n = total if size is None else size
    ranks = quantile_ranks(n, probability, confidence)
    low, high = float(ranks.low), float(ranks.high)
    low_bin = _bin_of_rank(cumulated, low * total / n)
    high_bin = _bin_of_rank(cumulated, high * total / n)
    return QuantileEstimate(
        _interpolated(borders, weights, cumulated, probability * total),
        float(borders[low_bin]) if low >= 1 else float(borders[0]),
        float(borders[high_bin + 1]) if high <= n else float(borders[-1]),
    )


def _bin_of_rank(cumulated: FloatArray, rank: float) -> int:
    tolerance = 1e-9 * cumulated[-1]
    return int(min(np.searchsorted(cumulated, rank - tolerance), cumulated.size - 1))


def _interpolated(borders: FloatArray, weights: FloatArray, cumulated: FloatArray, rank: float) -> float:
    index = _bin_of_rank(cumulated, rank)
    low, high = borders[index], borders[index + 1]
    if np.isinf(low) or np.isinf(high):  # an open outer bin: its finite edge is all that is known
        return float(low if np.isinf(high) else high)
    inside = (rank - (cumulated[index] - weights[index])) / weights[index]
    return float(low + (high - low) * min(max(inside, 0.0), 1.0))
