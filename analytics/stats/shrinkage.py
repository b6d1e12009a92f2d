"""Many estimates of one kind seen together: how much they truly differ, and each pulled towards what they share.

The largest of many noisy values is large by luck too. With y_i ~ N(theta_i, v_i) and theta_i ~ N(0, tau^2), tau^2 is
estimated by Paule and Mandel's equation sum y_i^2 / (v_i + tau^2) = K - 1 (J. Res. Nat. Bur. Stand. 87, 1982), and each
theta_i by Morris's empirical Bayes estimate with its interval, which allows for tau^2 being estimated (JASA 78, 1983).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import studentized_range

from .arrays import FloatArray, as_floats

DRAWS = 2_000
SEED = 20130101
_LEAST = 4
"""Below this many values nothing can be learned about how much they differ."""


class Shrunken(NamedTuple):
    """Values pulled towards 0, and the standard deviations of what is true about them, shape (K,)."""

    value: FloatArray
    deviation: FloatArray


class TrueRange(NamedTuple):
    """The distance from the smallest to the largest of what is true, with an interval; the last two are observed.

    Attributes:
        value: of the shrunken values.
        observed: of the values as they are, which errors make larger.
        by_chance: the 95 % point of the observed one if all were equal.
    """

    value: float
    low: float
    high: float
    observed: float
    by_chance: float


def variance_between(values: npt.ArrayLike, variances: npt.ArrayLike) -> float:
    """The variance of what is true, tau^2; 0 where the values differ no more than their errors.

    >>> variance_between([1.0, -1.0, 1.0, -1.0, 0.0], [0.1] * 5)
    0.9
    """
    y, v = as_floats(values), as_floats(variances)
    if y.size < 2:
        return 0.0

    def excess(between: float) -> float:
        return float((y**2 / (v + between)).sum()) - (y.size - 1)

    if excess(0.0) <= 0.0:
        return 0.0
    return round(float(brentq(excess, 0.0, float((y**2).sum()))), 12)


def shrink(values: npt.ArrayLike, variances: npt.ArrayLike) -> Shrunken:
    """Pull deviations towards 0 by as much as their errors explain.

    Fewer than four values are left as they are.

    Args:
        values: deviations from what is common, shape (K,).
        variances: of their errors, all above 0.

    >>> shrink([0.3, -0.1, 0.0, 0.1, -0.3], [0.04] * 5).value.round(2).tolist()
    [0.18, -0.06, 0.0, 0.06, -0.18]
    """
    y, v = as_floats(values), as_floats(variances)
    count = y.size
    if count < _LEAST:
        return Shrunken(y, np.sqrt(v))
    between = variance_between(y, v)
    # Morris keeps a little more than v / (v + tau^2), because tau^2 is itself known badly
    factor = (count - 3) / (count - 1) * v / (v + between)
    mean_variance = (v * (v + between) ** -1).sum() / ((v + between) ** -1).sum()
    doubt = 2.0 / (count - 3) * factor**2 * y**2 * (mean_variance + between) / (v + between)
    variance = v * (1.0 - (count - 1) / count * factor) + doubt
    return Shrunken((1.0 - factor) * y, np.sqrt(variance))


def true_range(values: npt.ArrayLike, variances: npt.ArrayLike, confidence: float) -> TrueRange:
    """How far the largest truly lies above the smallest.

    All differences lie in Tukey and Kramer's simultaneous intervals (Hayter, Annals of Statistics 12, 1984) at once
    with the confidence asked for, or more, and so does the largest of them.

    >>> found = true_range([1.0, -1.0, 0.5, -0.5], [0.01] * 4, 0.95)
    >>> found.low < 2.0 < found.high, found.by_chance < 0.5
    (True, True)
    """
    y, v = as_floats(values), as_floats(variances)
    gaps = np.abs(y[:, None] - y[None, :])
    reach = _tukey(y.size, confidence) * np.sqrt(v[:, None] + v[None, :])
    value = float(np.ptp(shrink(y, v).value))
    low = min(max(float((gaps - reach).max()), 0.0), value)
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, y.size)) * np.sqrt(v)
    by_chance = float(np.quantile(np.ptp(noise, axis=1), 0.95))
    return TrueRange(value, low, max(float((gaps + reach).max()), value), float(np.ptp(y)), by_chance)


@lru_cache(maxsize=256)
def _tukey(count: int, confidence: float) -> float:
    """How many standard errors of a difference the simultaneous intervals reach."""
    if count < 2:
        return 0.0
    return float(studentized_range.ppf(confidence, count, np.inf)) / math.sqrt(2.0)
