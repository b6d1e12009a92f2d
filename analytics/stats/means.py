"""Comparing two means from their moments: Welch's t, its interval, and Fieller's interval of the lift.

Every function takes floats, or arrays of one shape, and gives the same back. Nothing here asks how the variance of a
mean came about: plain, by the delta method, adjusted by a covariate or robust to clusters. Where nothing can be
computed (fewer than two units, no variance) the answer is nan, never a p-value of 1.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats, divide
from .intervals import Interval, Intervals, normal_quantile

Number = TypeVar("Number", float, FloatArray)


class TTest(NamedTuple, Generic[Number]):
    """A difference of means tested against 0 with Student's t, two-sided."""

    difference: Number
    standard_error: Number
    statistic: Number
    df: Number
    p_value: Number


class Lift(NamedTuple, Generic[Number]):
    """A difference relative to the size of the control's mean, with its limits; .1 is 10 % more."""

    value: Number
    low: Number
    high: Number


def _plain(value: npt.ArrayLike) -> Any:
    """Return a float for one number, the array for many."""
    array = as_floats(value)
    return float(array) if array.ndim == 0 else array


def welch_df(
    variance_of_mean: Number, n: Number, variance_of_mean_control: Number, n_control: Number
) -> Number:
    """Return the degrees of freedom of a difference of two means with variances of their own.

    Args:
        variance_of_mean: of the arm's mean, i.e. s² / n.
        n: units of the arm.
        variance_of_mean_control: the same of the control.
        n_control: the same.

    Returns:
        Between min(n, n_control) - 1 and n + n_control - 2; nan with fewer than two units in an arm or without
        variance in both.

    Sources: Welch, Biometrika 34 (1947); Satterthwaite, Biometrics Bulletin 2 (1946).

    >>> round(welch_df(4 / 10, 10, 9 / 20, 20), 3)
    25.408
    """
    v, v_control = as_floats(variance_of_mean), as_floats(variance_of_mean_control)
    size, size_control = as_floats(n), as_floats(n_control)
    with np.errstate(divide="ignore", invalid="ignore"):
        # shares of the variance, so that squares of tiny variances do not vanish
        share = v / (v + v_control)
        df = 1 / (share**2 / (size - 1) + (1 - share) ** 2 / (size_control - 1))
        known: Number = _plain(np.where((size >= 2) & (size_control >= 2), df, np.nan))
    return known


def t_test(difference: Number, standard_error: Number, df: Number) -> TTest[Number]:
    """Test a difference against 0; statistic and p-value are nan where the standard error is not positive.

    Infinite degrees of freedom give the normal distribution.

    >>> round(t_test(2.0, 1.0, 30.0).p_value, 4)
    0.0546
    """
    gap, error, freedom = np.broadcast_arrays(as_floats(difference), as_floats(standard_error), as_floats(df))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, gap / error, np.nan)
    normal = np.isinf(freedom)
    tail = np.where(
        normal,
        special.ndtr(-np.abs(statistic)),
        special.stdtr(np.where(normal, 1.0, freedom), -np.abs(statistic)),
    )
    return TTest(_plain(gap), _plain(error), _plain(statistic), _plain(freedom), _plain(2 * tail))


def welch(
    mean: Number,
    variance: Number,
    n: Number,
    mean_control: Number,
    variance_control: Number,
    n_control: Number,
) -> TTest[Number]:
    """Test whether two means differ, each arm with a variance of its own.

    Args:
        mean: of the arm.
        variance: of one unit of the arm, divisor n - 1.
        n: units of the arm.
        mean_control: the same of the control.
        variance_control: the same.
        n_control: the same.

    Source: Welch, Biometrika 34 (1947).

    >>> test = welch(12.0, 4.0, 10.0, 10.0, 9.0, 20.0)
    >>> round(test.statistic, 4), round(test.df, 3), round(test.p_value, 4)
    (2.1693, 25.408, 0.0396)
    """
    size, size_control = as_floats(n), as_floats(n_control)
    with np.errstate(divide="ignore", invalid="ignore"):
        v, v_control = as_floats(variance) / size, as_floats(variance_control) / size_control
        df = welch_df(v, size, v_control, size_control)
        error = np.where(np.isnan(df), np.nan, np.sqrt(v + v_control))
    test: TTest[Number] = t_test(_plain(as_floats(mean) - as_floats(mean_control)), _plain(error), _plain(df))
    return test


@overload
def t_interval(difference: float, standard_error: float, df: float, confidence: float) -> Interval: ...
@overload
def t_interval(
    difference: FloatArray, standard_error: FloatArray, df: FloatArray, confidence: float
) -> Intervals: ...
def t_interval(
    difference: float | FloatArray,
    standard_error: float | FloatArray,
    df: float | FloatArray,
    confidence: float,
) -> Interval | Intervals:
    """Return difference -/+ quantile x standard error; nan where the standard error is not positive.

    It excludes 0 exactly where the p-value of `t_test` is under 1 - confidence.

    >>> low, high = t_interval(2.0, 1.0, 30.0, 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0423, 4.0423)
    """
    gap, error = as_floats(difference), as_floats(standard_error)
    half = normal_quantile(confidence, as_floats(df)) * np.where(error > 0, error, np.nan)
    low, high = _plain(gap - half), _plain(gap + half)
    return Interval(low, high) if isinstance(low, float) else Intervals(low, high)


def fieller(
    mean: Number,
    mean_control: Number,
    variance_of_mean: Number,
    variance_of_mean_control: Number,
    covariance: Number,
    quantile: Number,
) -> Lift[Number]:
    """Return (mean - mean_control) / |mean_control| with Fieller's interval.

    Args:
        mean: of the arm.
        mean_control: of the control; the sign of the lift is that of the difference also where this is negative.
        variance_of_mean: of the arm's mean.
        variance_of_mean_control: of the control's mean.
        covariance: of the two means; 0 unless clusters hold units of both arms.
        quantile: factor of the standard error, `intervals.normal_quantile`.

    Returns:
        All nan where g = quantile² variance_of_mean_control / mean_control² is 1 or more: the control's mean cannot be
        told from 0, and the lifts that fit the data are no interval.

    The limits are the lifts L at which difference - L |mean_control| is just ``quantile`` standard errors from 0. So
    they exclude 0 exactly where the interval of the difference with the same quantile does.

    Source: Fieller, Journal of the Royal Statistical Society B 16 (1954).

    >>> lift = fieller(12.0, 10.0, 0.4, 0.45, 0.0, 2.0)
    >>> round(lift.value, 3), round(lift.low, 3), round(lift.high, 3)
    (0.2, 0.014, 0.43)
    """
    arm, control, v, v_control, shared, factor = np.broadcast_arrays(
        *map(
            as_floats, (mean, mean_control, variance_of_mean, variance_of_mean_control, covariance, quantile)
        )
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.abs(control)
        gap, squared = arm - control, np.square(factor / base)
        half = factor * np.sqrt(v + v_control - 2 * shared)
        # a L² - 2 b L + c <= 0. As a product c has the sign that the interval of the difference has, and as a sum
        # of what is not negative b² - a c keeps its digits where the lift is large and its interval short.
        a = 1 - squared * v_control
        b = gap / base - squared * np.sign(control) * (shared - v_control)
        c = (np.abs(gap) - half) / base * ((np.abs(gap) + half) / base)
        own = np.maximum(v - divide(np.square(shared), v_control), 0)
        slant = divide(np.square(shared - arm / control * v_control), v_control)
        outer = b + np.copysign(np.sqrt(squared * (np.maximum(a, 0) * own + slant)), b)
        ends = np.where((a > 0) & (half > 0), [outer / a, c / outer], np.nan)
        value = np.where(a > 0, gap / base, np.nan)
    return Lift(_plain(value), _plain(ends.min(axis=0)), _plain(ends.max(axis=0)))
