"""Counted events over a stretch: the exact interval of their rate, and how many to expect by chance."""

from __future__ import annotations

from scipy import stats

from .intervals import Interval


def poisson_interval(events: int, exposure: float, confidence: float) -> Interval:
    """Return the exact interval of a rate from a count of events; from 0 where there were none.

    Events are taken to come independently of each other. Where they come in clusters it is too narrow.
    Source: Garwood, Biometrika 28 (1936).

    >>> low, high = poisson_interval(4, 2.0, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.545, 5.121)

    Raises:
        ValueError: fewer events than none, or no exposure.
    """
    if events < 0 or exposure <= 0:
        raise ValueError("events are 0 or more, and exposure is above 0")
    tail = (1 - confidence) / 2
    low = float(stats.chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.isf(tail, 2 * events + 2)) / 2
    return Interval(low / exposure, high / exposure)


def likely_counts(expected: float, confidence: float) -> tuple[int, int]:
    """Return the fewest and most events that a Poisson count with this mean is likely to bring.

    >>> likely_counts(4.0, 0.95)
    (1, 8)
    """
    tail = (1 - confidence) / 2
    return int(stats.poisson.ppf(tail, expected)), int(stats.poisson.isf(tail, expected))
