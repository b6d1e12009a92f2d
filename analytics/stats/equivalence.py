"""Tests against a margin instead of 0: is the harm less than what is accepted, is the effect smaller than what matters?

The p-values come from the intervals that are shown, whatever statistic these invert: one limit of the interval at
confidence 1 - 2 p lies on the margin. So a word that stands on the interval and the p-value beside it cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize

from .intervals import Interval

_LEAST = 1e-15
"""A confidence nearer to 1 cannot be written as a float."""


def above_margin(interval: Callable[[float], Interval], value: float, margin: float) -> float:
    """Return the one-sided p-value of "the effect is at or below the margin".

    Args:
        interval: of the effect at a confidence, by a two-sided test of its own.
        value: the estimate.
        margin: the effect that is to be excluded.

    The lower limit at confidence 1 - 2 p is the margin; where the estimate itself lies below it, p is above a half
    and the upper limit tells it.

    >>> from analytics.stats.means import t_interval
    >>> p = above_margin(lambda level: t_interval(-1.0, 1.0, 20.0, level), -1.0, -3.0)
    >>> from scipy import stats
    >>> round(p, 6), round(float(stats.t.sf(2, 20)), 6)
    (0.029633, 0.029633)
    """
    if value == margin:
        return 0.5
    if value > margin:
        return _touching(lambda level: interval(level).low - margin) / 2
    return 1.0 - _touching(lambda level: margin - interval(level).high) / 2


def below_margin(interval: Callable[[float], Interval], value: float, margin: float) -> float:
    """Return the one-sided p-value of "the effect is at or above the margin"."""

    def turned(level: float) -> Interval:
        low, high = interval(level)
        return Interval(-high, -low)

    return above_margin(turned, -value, -margin)


def two_one_sided(interval: Callable[[float], Interval], value: float, low: float, high: float) -> float:
    """Return the p-value of two one-sided tests (TOST): that the effect is not strictly between two margins.

    Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987).

    >>> from analytics.stats.means import t_interval
    >>> round(two_one_sided(lambda level: t_interval(0.1, 1.0, 20.0, level), 0.1, -2.0, 2.0), 6)
    0.035974
    """
    return max(above_margin(interval, value, low), below_margin(interval, value, high))


def _touching(clear: Callable[[float], float]) -> float:
    """Return 1 - confidence at which a distance that shrinks as confidence grows becomes 0."""

    # by the logarithm, so that tiny p-values keep their digits; a limit that runs to infinity has no distance left
    def at(log_alpha: float) -> float:
        found = clear(1.0 - math.exp(log_alpha))
        return found if math.isfinite(found) else -1.0

    least, most = math.log(_LEAST), math.log1p(-1e-12)
    if at(least) >= 0:
        return _LEAST
    if at(most) <= 0:
        return 1.0
    return math.exp(float(optimize.brentq(at, least, most, xtol=1e-10, rtol=1e-12)))
