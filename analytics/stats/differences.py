"""The interval of a difference of two estimates of which each has an interval of its own."""

from __future__ import annotations

import math
from typing import NamedTuple

from .intervals import Interval


class Difference(NamedTuple):
    """A difference and its limits."""

    value: float
    low: float
    high: float


def recovered(one: float, own: Interval, other: float, others: Interval) -> Difference:
    """Return one less other, with limits recovered from theirs.

    The variance near a limit is taken to be the squared distance from the estimate to that limit, so intervals that
    are not symmetric (Wilson's, those on a log scale) give one that is not either. The two are taken as independent;
    where rows of both go together, the interval is wider than it need be.
    Source: Zou and Donner, Statistics in Medicine 27 (2008), the method of variance estimates recovery.

    >>> found = recovered(0.5, Interval(0.4, 0.6), 0.3, Interval(0.3, 0.3))
    >>> round(found.value, 9), round(found.low, 9), round(found.high, 9)
    (0.2, 0.1, 0.3)
    """
    value = one - other
    below = math.hypot(one - own.low, others.high - other)
    above = math.hypot(own.high - one, other - others.low)
    return Difference(value, value - below, value + above)


def magnitude(value: float, limits: Interval) -> tuple[float, Interval]:
    """Return the distance from 0 of a number, and the limits of that distance.

    >>> magnitude(-2.0, Interval(-3.0, 1.0))
    (2.0, Interval(low=0.0, high=3.0))
    """
    low = max(limits.low, -limits.high, 0.0)
    return abs(value), Interval(low, max(abs(limits.low), abs(limits.high)))
