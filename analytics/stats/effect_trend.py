"""Does an effect change with the days since a unit's first exposure, where every unit is seen on all of those days?

The effects of single days are contrasts of the same units, so their covariance enters in full: the test holds its size
however alike the days of one unit are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from .arrays import FloatArray, as_floats

_SURE = 4.0
"""Standard errors from which a control mean may divide."""


class DailyMeans(NamedTuple):
    """Means of two arms by day since exposure, with what is known of their errors.

    Attributes:
        means, means_control: shape (A,).
        covariance, covariance_control: of these means, shape (A, A).
        between: covariance of the arm's means (rows) with the control's (columns), shape (A, A).
        df: degrees of freedom.
    """

    means: FloatArray
    means_control: FloatArray
    covariance: FloatArray
    covariance_control: FloatArray
    between: FloatArray
    df: float


class EffectTrend(NamedTuple):
    """How the effect changes from the first day to the last.

    Attributes:
        change: of the difference, from the first to the last day by a line in the logarithm of the day.
        standard_error: of it.
        p_value: two-sided, that the difference is the same on all days.
        lift_change, lift_standard_error, lift_p_value: the same of the lift; None where a control mean may be 0.
        df: degrees of freedom.
    """

    change: float
    standard_error: float
    p_value: float
    lift_change: float | None
    lift_standard_error: float | None
    lift_p_value: float | None
    df: float

    @property
    def p_either(self) -> float:
        """That neither the difference nor the lift is the same on all days: what holds where either is."""
        return self.p_value if self.lift_p_value is None else max(self.p_value, self.lift_p_value)


def effect_trend(days: DailyMeans, at: npt.ArrayLike | None = None) -> EffectTrend | None:
    """Test whether an arm's effect changes with the days since exposure.

    A line through the effects over log(1 + day) is fitted with weights 1 / variance; its standard error takes the
    whole covariance (a sandwich). The lift is linearised (delta method).

    Args:
        days: means by day, or by stretch of days.
        at: day of each, ascending; 0, 1, 2 … where left out.

    Returns:
        None with under three days, or where nothing varies.

    >>> flat, zero = np.eye(4) * 0.01, np.zeros((4, 4))
    >>> trend = effect_trend(DailyMeans(as_floats([3, 2, 1.5, 1.2]), np.ones(4), flat, flat, zero, 1000.0))
    >>> round(trend.change, 2), trend.p_value < 0.001
    (-1.82, True)
    """
    effects = days.means - days.means_control
    covariance = days.covariance + days.covariance_control - days.between - days.between.T
    place = np.log1p(np.arange(len(effects)) if at is None else as_floats(at))
    found = _line(effects, covariance, place, days.df)
    if found is None:
        return None
    errors = np.sqrt(np.diag(days.covariance_control))
    lift: tuple[float, float, float] | None = None
    if (np.abs(days.means_control) >= _SURE * errors).all() and (days.means_control != 0).all():
        ratio = days.means / days.means_control
        own, control = np.diag(1 / days.means_control), np.diag(ratio / days.means_control)
        mixed = own @ days.between @ control.T
        lift = _line(
            np.sign(days.means_control) * (ratio - 1),
            own @ days.covariance @ own + control @ days.covariance_control @ control - mixed - mixed.T,
            place,
            days.df,
        )
    lift_change, lift_error, lift_p = lift or (None, None, None)
    return EffectTrend(*found, lift_change, lift_error, lift_p, days.df)


def _line(
    effects: FloatArray, covariance: FloatArray, place: FloatArray, df: float
) -> tuple[float, float, float] | None:
    """Rise of a weighted line from the first day to the last, its standard error and p-value."""
    variances = np.diag(covariance)
    if len(effects) < 3 or not (variances > 0).all():
        return None
    weights = 1 / variances
    centred = weights * (place - np.average(place, weights=weights))
    contrast = centred / float(centred @ place) * (place[-1] - place[0])
    change, error = float(contrast @ effects), math.sqrt(max(float(contrast @ covariance @ contrast), 0.0))
    if not error > 0:
        return None
    return change, error, float(2 * stdtr(df, -abs(change) / error))


def clustered_means(
    counts: npt.ArrayLike, sums: npt.ArrayLike, counts_control: npt.ArrayLike, sums_control: npt.ArrayLike
) -> DailyMeans | None:
    """Means by day where units come in clusters: their covariance is that of clusters.

    Args:
        counts, counts_control: units of every cluster, shape (G,).
        sums, sums_control: of their values by day, shape (G, A).

    Returns:
        None with fewer than two clusters or an arm without units. The factor is G / (G - 1) (N - 1) / (N - 2), and df
        is G - 1, as in `analytics.stats.cluster_robust.cr1`.
    """
    n, n_control = as_floats(counts), as_floats(counts_control)
    groups, total = int(((n + n_control) > 0).sum()), float(n.sum() + n_control.sum())
    if groups < 2 or total < 3 or not n.sum() or not n_control.sum():
        return None
    means, means_control = (
        as_floats(sums).sum(axis=0) / n.sum(),
        as_floats(sums_control).sum(axis=0) / n_control.sum(),
    )
    moved = (as_floats(sums) - n[:, None] * means) / n.sum()
    moved_control = (as_floats(sums_control) - n_control[:, None] * means_control) / n_control.sum()
    factor = groups / (groups - 1) * (total - 1) / (total - 2)
    return DailyMeans(
        means,
        means_control,
        factor * moved.T @ moved,
        factor * moved_control.T @ moved_control,
        factor * moved.T @ moved_control,
        groups - 1.0,
    )
