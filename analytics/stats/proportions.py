"""Comparing two proportions: one score statistic, tested and inverted for the difference and for the ratio.

The statistic is the difference over its standard error under the null, with the factor N / (N - 1) in the variance
(N: units of both arms). `score_test`, `miettinen_nurminen` and `koopman` all stand on it, so that the interval of the
difference excludes 0, and that of the ratio 1, exactly where the p-value is under 1 - confidence.

Both intervals need the likeliest pair of proportions with a given difference or ratio. Written by the multiplier of
that constraint the pair has a closed form, and the statistic grows with the multiplier: one search finds a limit, the
same one for 1 unit and for 1e9, for no successes and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import elementwise

from .arrays import FloatArray, as_floats
from .intervals import Interval, Intervals, normal_quantile

Number = TypeVar("Number", float, FloatArray)


class ScoreTest(NamedTuple, Generic[Number]):
    """A difference of proportions tested against 0; the standard error is the one under the null."""

    difference: Number
    standard_error: Number
    statistic: Number
    p_value: Number


class _Counts(NamedTuple):
    """Successes x, others y and units n of arm and control, nan where an arm has no units."""

    x: FloatArray
    y: FloatArray
    n: FloatArray
    x_control: FloatArray
    y_control: FloatArray
    n_control: FloatArray

    def both_ways(self) -> _Counts:
        """These counts, and with the arms swapped, on a new first axis: both limits come out of one search."""
        swapped = _Counts(self.x_control, self.y_control, self.n_control, self.x, self.y, self.n)
        return _Counts(*(np.stack(pair) for pair in zip(self, swapped, strict=True)))


def _plain(value: npt.ArrayLike) -> Any:
    """Return a float for one number, the array for many."""
    array = as_floats(value)
    return float(array) if array.ndim == 0 else array


def _counts(
    successes: npt.ArrayLike, n: npt.ArrayLike, successes_control: npt.ArrayLike, n_control: npt.ArrayLike
) -> _Counts:
    x, size, x_control, size_control = np.broadcast_arrays(
        *map(as_floats, (successes, n, successes_control, n_control))
    )
    if np.any((x < 0) | (x > size) | (x_control < 0) | (x_control > size_control)):
        raise ValueError("successes lie between 0 and n")
    known = ~np.isnan(x + x_control)
    size, size_control = (np.where(known & (units > 0), units, np.nan) for units in (size, size_control))
    return _Counts(x, size - x, size, x_control, size_control - x_control, size_control)


def score_test(
    successes: Number, n: Number, successes_control: Number, n_control: Number
) -> ScoreTest[Number]:
    """Test whether two proportions differ, two-sided, by the score statistic.

    Args:
        successes: of the arm.
        n: units of the arm.
        successes_control: of the control.
        n_control: units of the control.

    Returns:
        Statistic and p-value are nan where nobody or everybody succeeded, everything where an arm has no units.

    Source: Miettinen and Nurminen, Statistics in Medicine 4 (1985). Without the factor N / (N - 1) in the variance
    the square of the statistic is Pearson's chi-squared.

    >>> test = score_test(56, 70, 48, 80)
    >>> round(test.difference, 3), round(test.statistic, 4), round(test.p_value, 4)
    (0.2, 2.6413, 0.0083)
    """
    counts = _counts(successes, n, successes_control, n_control)
    units = counts.n + counts.n_control
    difference = _difference(counts)
    spread = (counts.x + counts.x_control) / units * ((counts.y + counts.y_control) / units)
    error = np.sqrt(spread * (1 / counts.n + 1 / counts.n_control) * _factor(counts))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, difference / error, np.nan)
    p_value = 2 * special.ndtr(-np.abs(statistic))
    return ScoreTest(_plain(difference), _plain(error), _plain(statistic), _plain(p_value))


@overload
def miettinen_nurminen(
    successes: float, n: float, successes_control: float, n_control: float, confidence: float
) -> Interval: ...
@overload
def miettinen_nurminen(
    successes: FloatArray,
    n: FloatArray,
    successes_control: FloatArray,
    n_control: FloatArray,
    confidence: float,
) -> Intervals: ...
def miettinen_nurminen(
    successes: float | FloatArray,
    n: float | FloatArray,
    successes_control: float | FloatArray,
    n_control: float | FloatArray,
    confidence: float,
) -> Interval | Intervals:
    """Return the score interval of the difference of two proportions, within [-1, 1].

    Also with 0 or n successes; nan where an arm has no units. Source: Miettinen and Nurminen, Statistics in Medicine 4
    (1985), equations 8 and 9.

    >>> low, high = miettinen_nurminen(56, 70, 48, 80, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.0528, 0.3382)
    """
    counts = _counts(successes, n, successes_control, n_control)
    difference = _difference(counts)
    low, lowest_swapped = _lowest_difference(counts.both_ways(), _target(counts, confidence))
    # rounding must not push the estimate out
    return _pack(np.minimum(low, difference), np.maximum(-lowest_swapped, difference))


@overload
def koopman(
    successes: float, n: float, successes_control: float, n_control: float, confidence: float
) -> Interval: ...
@overload
def koopman(
    successes: FloatArray,
    n: FloatArray,
    successes_control: FloatArray,
    n_control: FloatArray,
    confidence: float,
) -> Intervals: ...
def koopman(
    successes: float | FloatArray,
    n: float | FloatArray,
    successes_control: float | FloatArray,
    n_control: float | FloatArray,
    confidence: float,
) -> Interval | Intervals:
    """Return the score interval of the ratio of two proportions, arm over control.

    The lower limit is 0 where the arm has no successes, the upper one infinite where the control has none; nan where
    an arm has no units. Sources: Koopman, Biometrics 40 (1984); with the factor N / (N - 1), Miettinen and Nurminen,
    Statistics in Medicine 4 (1985).

    >>> low, high = koopman(56, 70, 48, 80, 0.95)
    >>> round(low, 4), round(high, 4)
    (1.079, 1.6721)
    """
    counts = _counts(successes, n, successes_control, n_control)
    low, lowest_swapped = _lowest_ratio(counts.both_ways(), _target(counts, confidence))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = counts.x / counts.n / (counts.x_control / counts.n_control)
        # rounding must not push the estimate out; fmin and fmax leave 0 / 0 aside
        return _pack(np.fmin(low, ratio), np.fmax(1 / lowest_swapped, ratio))


def _pack(low: FloatArray, high: FloatArray) -> Interval | Intervals:
    return Interval(float(low), float(high)) if low.ndim == 0 else Intervals(low, high)


def _factor(counts: _Counts) -> FloatArray:
    units = counts.n + counts.n_control
    return as_floats(units / (units - 1))


def _difference(counts: _Counts) -> FloatArray:
    x, y, n, x_control, y_control, n_control = counts
    return _minus(x / n, y / n, x_control / n_control, y_control / n_control)


def _minus(p: FloatArray, q: FloatArray, p_control: FloatArray, q_control: FloatArray) -> FloatArray:
    """Return p - p_control, from q = 1 - p where that keeps more digits: shares a hair from 1."""
    return np.where(p + p_control <= 1, p - p_control, q_control - q)


def _target(counts: _Counts, confidence: float) -> FloatArray:
    """Square of the statistic at a limit, without the factor."""
    return as_floats(normal_quantile(confidence) ** 2 * _factor(counts))


def _search(
    statistic: Callable[..., FloatArray], low: FloatArray, high: FloatArray, *given: FloatArray
) -> FloatArray:
    """Return where a rising statistic reaches 1, between bounds that rounding may have moved; nan without any."""
    tolerances: Any = {"xatol": 0.0, "xrtol": 1e-14, "fatol": 0.0, "frtol": 0.0}

    def above(at: FloatArray, *counts: FloatArray) -> FloatArray:
        return statistic(at, *counts) - 1

    with np.errstate(all="ignore"):
        found = elementwise.find_root(
            above, (low * (1 - 1e-9), high * (1 + 1e-9)), args=given, tolerances=tolerances
        )
    return as_floats(found.x)


def _lowest_difference(counts: _Counts, target: FloatArray) -> FloatArray:
    """Return the lower limit of the difference.

    With the multiplier t > 0 the likeliest p of the arm solves n (x / n - p) = t p (1 - p), so it falls with t, and
    for 1 - p of the control the same holds. The squared statistic is t² V, V being the variance of the difference.
    """
    x, y, n, x_control, y_control, n_control = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = [
            np.minimum(_alone(x, y, n, part), _alone(y_control, x_control, n_control, part))
            for part in (target / 2, target)
        ]
    # nobody in the arm, everybody in the control: no difference is lower
    extreme = (x == 0) & (y_control == 0)
    low, high = (np.where(extreme, 1.0, bound) for bound in bounds)
    at = _search(_difference_statistic, low, high, *counts, target)
    p, p_control = _falling(x, n, at), _rising(x_control, n_control, at)
    difference = _minus(p, _rising(y, n, at), p_control, _falling(y_control, n_control, at))
    return np.where(extreme, -1.0, difference)


def _difference_statistic(t: FloatArray, *given: FloatArray) -> FloatArray:
    x, y, n, x_control, y_control, n_control, target = given
    spread = _falling(x, n, t) * _rising(y, n, t) / n
    spread_control = _rising(x_control, n_control, t) * _falling(y_control, n_control, t) / n_control
    return as_floats(t * np.sqrt((spread + spread_control) / target))


def _falling(x: FloatArray, n: FloatArray, t: FloatArray) -> FloatArray:
    """Return the share pulled down from x / n by the multiplier t, without loss of digits."""
    return as_floats(2 * x / (t + n + np.sqrt(np.square(t - n) + 4 * t * (n - x))))


def _rising(x: FloatArray, n: FloatArray, t: FloatArray) -> FloatArray:
    """Return the share pushed up from x / n by the multiplier t; 1 - _falling(n - x), without loss of digits."""
    gap = n - t
    root = np.sqrt(np.square(gap) + 4 * t * x)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap > 0, 2 * x / (gap + root), (root - gap) / (2 * t))


def _alone(x: FloatArray, y: FloatArray, n: FloatArray, target: FloatArray) -> FloatArray:
    """Return the multiplier at which one falling arm alone would reach the target; infinite without successes."""
    root = np.sqrt(np.square(target) + 4 * x * (y / n) * target)
    return as_floats(2 * target * (target + n) / (root - target * ((y - x) / n)))


def _lowest_ratio(counts: _Counts, target: FloatArray) -> FloatArray:
    """Return the lower limit of the ratio.

    With the multiplier k the likeliest shares are (x - k) / (n - k) in the arm and (x + k) / (n + k) in the control;
    the squared statistic is k² times the sum of their odds against success over n.
    """
    x, y, n, x_control, y_control, n_control = counts
    with np.errstate(divide="ignore", invalid="ignore"):
        weight, weight_control = y / n, y_control / n_control

        def alone(part: FloatArray) -> tuple[FloatArray, FloatArray]:
            arm = 2 * part * x / (part + np.sqrt(part * part + 4 * part * x * weight))
            root = np.sqrt(part * part + 4 * part * x_control * weight_control)
            return arm, (part + root) / (2 * weight_control)

        # with everybody successful the arm's share stays 1 until k reaches n, then only the share moves
        full = np.minimum(alone(target)[1], n)
        odds = n * (target / n**2 - weight_control / (x_control + n))
        share = np.where(full < n, 1.0, 1 / (1 + np.maximum(odds, 0)))
        inner = (x > 0) & (y > 0)
        low, high = (np.where(inner, np.minimum(*alone(part)), 1.0) for part in (target / 2, target))
        at = np.where(inner, _search(_ratio_statistic, low, high, *counts, target), full)
        share = np.where(inner, (x - at) / (n - at), share)
        limit = share * ((n_control + at) / (x_control + at))
    return np.where(x == 0, 0.0 * n * n_control, limit)


def _ratio_statistic(k: FloatArray, *given: FloatArray) -> FloatArray:
    x, y, n, x_control, y_control, n_control, target = given
    odds, odds_control = y / (x - k) / n, y_control / (x_control + k) / n_control
    return as_floats(k * np.sqrt((odds + odds_control) / target))
