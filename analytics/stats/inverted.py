"""Intervals that invert a score: where, as the assumed effect rises, the falling statistic passes a quantile."""

from __future__ import annotations

from collections.abc import Callable

from scipy.optimize import brentq

from .intervals import Interval

_EDGE = 1.0 - 1e-12
"""No difference of shares is larger."""
_DOUBLINGS = 60
Statistic = Callable[[float], float]


def difference_limits(statistic: Statistic, value: float, z: float) -> Interval:
    """Interval of a difference of shares.

    Args:
        statistic: as a function of the assumed difference.
        value: the estimate.
        z: the quantile.
    """
    low = _limit(lambda d: statistic(d) - z, value, -_EDGE)
    high = _limit(lambda d: statistic(d) + z, value, _EDGE)
    return Interval(min(low, value), max(high, value))


def ratio_limits(statistic: Statistic, value: float, z: float) -> Interval | None:
    """Interval of a ratio of shares; None where no ratio is too large."""
    low = 0.0 if value == 0 else _limit(lambda r: statistic(r) - z, value, value * 1e-9)
    reach = max(value, 1.0)
    for _ in range(_DOUBLINGS):
        reach *= 2.0
        if statistic(reach) < -z:
            break
    else:
        return None
    high = _limit(lambda r: statistic(r) + z, max(value, reach * 1e-30), reach)
    return Interval(min(low, value), max(high, value))


def _limit(excess: Statistic, value: float, edge: float) -> float:
    """Where the statistic passes its quantile, between the estimate and the edge of what is possible."""

    def finite(at: float) -> float:
        return min(max(excess(at), -1e9), 1e9)

    at_value, at_edge = finite(value), finite(edge)
    if at_value * at_edge > 0:
        return edge
    return value if at_value == 0 else float(brentq(finite, value, edge, xtol=1e-13, rtol=1e-12))
