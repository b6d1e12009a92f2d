"""Shares with few events: exact intervals, and how many more labels it takes to tell.

Wilson's interval is too optimistic about the lower limit of a rare share: where about 0.2 events are expected, one
event puts the whole interval above the truth, and it covers 85 % instead of 95 %. With few events the exact interval
takes its place.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import ndtri

from .intervals import Interval, clopper_pearson, effective_n, normal_quantile, wilson

FEW_EVENTS = 10.0
"""Rows of the rarer kind below which the interval is exact."""


def share_interval(
    share: float,
    variance: float,
    fallback_n: float,
    confidence: float,
    degrees_of_freedom: float | None = None,
) -> Interval:
    """Return the interval of a share: Wilson's, or with under ten events of the rarer kind Clopper and Pearson's.

    Both take the effective n that the variance implies; the exact one also shrinks it by the squared ratio of the
    normal to the t quantile, as Korn and Graubard do. Source: Korn and Graubard, Survey Methodology 24 (1998).

    >>> low, high = share_interval(3 / 500, 0.006 * 0.994 / 500, 500, 0.95)
    >>> round(low, 5), round(high, 5)
    (0.00124, 0.01744)
    """
    p = min(max(share, 0.0), 1.0)
    size = effective_n(p, variance, fallback_n)
    if size * min(p, 1.0 - p) >= FEW_EVENTS or size <= 0:
        return wilson(p, size, confidence, degrees_of_freedom)
    if degrees_of_freedom is not None:
        size *= (normal_quantile(confidence) / normal_quantile(confidence, degrees_of_freedom)) ** 2
    exact = clopper_pearson(p * size, size, confidence)
    return Interval(min(exact.low, p), max(exact.high, p))


class Kinds(NamedTuple):
    """What a share counts and what it does not: effective rows of each, and the mean weight of such a row."""

    hits: float
    hit_weight: float
    misses: float
    miss_weight: float


def kinds_interval(
    kinds: Kinds, confidence: float, degrees_of_freedom: float | None = None, *, design_effect: float = 1.0
) -> Interval:
    """Return the interval of a share whose two kinds of rows carry different weights.

    Where all frauds and one in ten others are logged, five rows decided positive and all right do not make the
    precision 1: a wrong one would have been logged with probability .1. So the interval is that of the share of rows
    (`share_interval`), and its odds times the ratio of the weights are those of the share that was asked for.

    >>> low, high = kinds_interval(Kinds(5.0, 1.0, 0.0, 10.0), 0.95)
    >>> round(low, 3), high
    (0.084, 1.0)
    """
    hits, misses = kinds.hits / design_effect, kinds.misses / design_effect
    size = hits + misses
    if size <= 0:
        return Interval(0.0, 1.0)
    share = hits / size
    found = share_interval(share, share * (1.0 - share) / size, size, confidence, degrees_of_freedom)
    return Interval(_weighted(found.low, kinds), _weighted(found.high, kinds))


def _weighted(share: float, kinds: Kinds) -> float:
    hit, miss = share * kinds.hit_weight, (1.0 - share) * kinds.miss_weight
    return hit / (hit + miss)


def rows_for_width(share: float, size: float, half_width: float, confidence: float) -> int:
    """Return how many more rows bring the interval of a share to this half-width, 0 where it is there.

    The share is pulled a little from 0 and 1, where it would promise too much: half a row of each kind is added.

    >>> rows_for_width(0.5, 100, 0.05, 0.95), rows_for_width(0.5, 1_000, 0.05, 0.95)
    (281, 0)
    """
    if not 0 < half_width < 0.5:
        raise ValueError("a half-width lies between 0 and 0.5")
    p = (share * size + 0.5) / (size + 1.0)
    if _half_width(p, size, confidence) <= half_width:
        return 0
    wanted = math.ceil(_size_for_width(p, half_width, confidence))
    return max(math.ceil(wanted - size), 0)


def _size_for_width(p: float, half_width: float, confidence: float) -> float:
    """The smallest n whose interval around this share is that narrow, by halving; widths fall as n grows."""
    low, high = 1.0, 4.0
    while _half_width(p, high, confidence) > half_width:
        low, high = high, high * 2.0
    while high - low > 0.5:
        middle = (low + high) / 2.0
        if _half_width(p, middle, confidence) > half_width:
            low = middle
        else:
            high = middle
    return high


def _half_width(p: float, size: float, confidence: float) -> float:
    low, high = share_interval(p, p * (1.0 - p) / size, size, confidence)
    return (high - low) / 2.0


def rows_for_difference(
    share: float,
    reference: float,
    reference_size: float,
    size: float,
    *,
    confidence: float = 0.95,
    power: float = 0.8,
) -> int | None:
    """Return how many more rows it takes to tell a share from a reference's, if it stays as it is.

    Two-sided normal test with unpooled variances. None where the reference is too small for any number of rows, or the
    shares are equal. Source: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions (2003), chapter 4.

    >>> rows_for_difference(0.25, 0.30, 1e9, 200), rows_for_difference(0.25, 0.30, 300, 200)
    (391, None)
    """
    gap = abs(share - reference)
    if gap == 0 or reference_size <= 0:
        return None
    reach = normal_quantile(confidence) + float(ndtri(power))
    p = (share * size + 0.5) / (size + 1.0)
    left = (gap / reach) ** 2 - reference * (1.0 - reference) / reference_size
    if left <= 0:
        return None
    return max(math.ceil(p * (1.0 - p) / left - size), 0)
