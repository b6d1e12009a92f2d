"""The rate at which something arrives, with the interval of the rate behind the count."""

from __future__ import annotations

import math

from scipy import special

from .intervals import Interval, normal_quantile


def rate_interval(
    total: float, variance: float, exposure: float, confidence: float, df: float | None = None
) -> Interval:
    """Return the interval of a rate from the total that arrived, its variance and the time it took.

    Garwood's exact limits of a Poisson count, for the count that varies as this total does: with a variance equal to
    the total they are those of the total itself. Arrivals in groups (users with many requests), sampling weights and
    days that differ vary more. Source: Garwood, Biometrika 28 (1936).

    Args:
        total: what arrived, summed with its weights; above 0.
        variance: of the total; above 0.
        exposure: the time (or whatever) it is divided by.
        confidence: of the interval.
        df: degrees of freedom of the variance, where few blocks told it.

    >>> low, high = rate_interval(10.0, 10.0, 2.0, 0.95)
    >>> round(low, 4), round(high, 4)
    (2.3977, 9.1952)
    """
    if not (total > 0 and variance > 0 and exposure > 0):
        raise ValueError("a rate needs arrivals, their variance and a time above 0")
    size = total * total / variance
    if df is not None:
        size *= (normal_quantile(confidence) / normal_quantile(confidence, df)) ** 2
    tail = (1.0 - confidence) / 2.0
    scale = total / size / exposure
    low = float(special.gammaincinv(size, tail)) * scale
    high = float(special.gammainccinv(size + 1.0, tail)) * scale
    rate = total / exposure
    return (
        Interval(min(low, rate), max(high, rate)) if math.isfinite(high) else Interval(min(low, rate), rate)
    )
