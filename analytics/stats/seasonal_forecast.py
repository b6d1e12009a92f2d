"""What the season makes likely for the next window: level by place in the season, and how windows scatter about it.

The forecast for a window is the mean of earlier windows at the same place of the season (the same weekday, the same
hour of the week), and its interval is that of a new window: how windows scatter about the means of their places,
how well this place's mean is known, and the sampling error of the window itself. The scatter of whole windows is one
number for all places, estimated from all of them; sampling errors differ from window to window and are taken as known.
It is a one-way layout with known sampling variances (the random-effects model of meta-analysis), so nothing has to be
fitted by iteration, a new place needs two windows, and one outage among the earlier windows does not widen it: windows
farther from the median of their place than five times the usual distance are left out first.

Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice (3rd ed. 2021), 5.2 and 5.5 (the mean method,
by season, and its prediction interval); the variance between windows by moments as DerSimonian and Laird, Controlled
Clinical Trials 7 (1986).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats

LEAST_SAME = 2
"""Windows of the same place without which nothing is forecast."""
LEAST_FREEDOM = 6
"""Windows beyond one a place, from which the scatter is known."""
_FAR = 5.0
_MAD_TO_SD = 1.4826022185056018


class Forecast(NamedTuple):
    """A forecast and the interval that holds the next window with the confidence asked for.

    Attributes:
        value: the mean of the same place.
        low, high: of the new window's number.
        df: degrees of freedom of the t quantile.
        n: earlier windows of the same place that it stands on.
        left_out: earlier windows (of any place) that lay too far off to be usual.
    """

    value: float
    low: float
    high: float
    df: int
    n: int
    left_out: int


def forecast(
    values: npt.ArrayLike,
    places: npt.ArrayLike,
    variances: npt.ArrayLike,
    place: int,
    variance: float,
    confidence: float,
) -> Forecast | None:
    """Return what to expect of a new window; None with too few earlier ones.

    Args:
        values: of the earlier windows, shape (n,).
        places: of each in the season, whole numbers, shape (n,).
        variances: of each one's sampling error, 0 where it has none, shape (n,).
        place: of the new window.
        variance: of its sampling error.
        confidence: of the interval.

    >>> found = forecast([1, 3, 2, 2, 1, 3, 2, 2], [0] * 8, [0.0] * 8, 0, 0.0, 0.95)
    >>> found.value, round(found.high - found.value, 3)
    (2.0, 1.896)
    """
    y, where, known = as_floats(values), np.asarray(places, dtype=np.int64), as_floats(variances)
    if np.count_nonzero(where == place) < LEAST_SAME:
        return None
    usual = _usual(y, where)
    kept_y, kept_where, kept_known = y[usual], where[usual], known[usual]
    _, group = np.unique(kept_where, return_inverse=True)
    same = kept_where == place
    n, df = int(np.count_nonzero(same)), len(kept_y) - int(group.max(initial=-1)) - 1
    if n < LEAST_SAME or df < LEAST_FREEDOM:
        return None
    between = _between(kept_y, group, kept_known, df)
    mean = float(kept_y[same].mean())
    of_mean = (between * n + float(kept_known[same].sum())) / n**2
    reach = float(special.stdtrit(df, 0.5 + confidence / 2.0)) * float(np.sqrt(between + variance + of_mean))
    return Forecast(mean, mean - reach, mean + reach, df, n, int(np.count_nonzero(~usual)))


def _usual(values: FloatArray, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which windows lie near the median of their place, measured by the usual distance over all places."""
    _, group = np.unique(places, return_inverse=True)
    medians = np.array([np.median(values[group == k]) for k in range(int(group.max(initial=-1)) + 1)])
    off = np.abs(values - medians[group])
    counts = np.bincount(group)
    # of n values the median is one or two themselves: their distance says nothing
    apart = off[counts[group] >= 3]
    if not len(apart):
        return np.ones(len(values), dtype=np.bool_)
    spread = _MAD_TO_SD * float(np.median(apart))
    if spread <= 0:
        return np.ones(len(values), dtype=np.bool_)
    return np.asarray(off <= _FAR * spread)


def _between(values: FloatArray, group: npt.NDArray[np.int64], known: FloatArray, df: int) -> float:
    """Variance of whole windows about the mean of their place, what sampling explains taken off."""
    counts = np.bincount(group)
    means = np.bincount(group, values) / counts
    off = values - means[group]
    # the expected square of a distance from the mean of n values whose variances differ
    sampled = known * (1.0 - 2.0 / counts[group]) + (np.bincount(group, known) / counts**2)[group]
    return max((float((off**2).sum()) - float(sampled.sum())) / df, 0.0)
