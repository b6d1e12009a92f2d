"""What a daily series does besides jumping: its trend, its weekly profile, and the day its trend meets a floor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from .arrays import FloatArray
from .change_point import Change
from .daily import Daily, Fit, Noise, fit, noise_of

Shape = Literal["sudden", "gradual", "unclear"]
_DECISIVE = 2.0
"""From this difference of the information criterion on, one shape is preferred (Kass and Raftery, JASA 90, 1995)."""


@dataclass(frozen=True)
class Trend:
    """A straight line through the days.

    Attributes:
        slope: per month.
        fit: of level (at the middle of the days), slope per month and weekdays.
        noise: the noise around it.
    """

    slope: float
    low: float
    high: float
    p_value: float
    fit: Fit
    noise: Noise


def find_trend(series: Daily, confidence: float = 0.95) -> Trend:
    """Fit a straight line by generalised least squares.

    >>> days = np.arange(60)
    >>> found = find_trend(Daily(days, 2.0 + 0.1 * days + 0.01 * (-1.0) ** days, np.zeros(60)))
    >>> round(found.slope, 2)
    3.04
    """
    design = series.design(series.months)
    noise = noise_of(series, design)
    line = fit(series, design, noise)
    row = np.eye(design.shape[1])[1]
    return Trend(*line.limits(row, confidence), line.p_value(row), line, noise)


@dataclass(frozen=True)
class Level:
    """The level of an average weekday, with its interval and the p-value of its being 0."""

    value: float
    low: float
    high: float
    p_value: float


def level(series: Daily, confidence: float = 0.95, noise: Noise | None = None) -> Level:
    """The level of an average weekday.

    Args:
        series: of a few values at least.
        confidence: of the interval.
        noise: of the series; from its own days where left out.
    """
    design = series.design()
    found = fit(series, design, noise if noise is not None else noise_of(series, design))
    row = np.eye(design.shape[1])[0]
    return Level(*found.limits(row, confidence), found.p_value(row))


def shape_of(series: Daily, change: Change, trend: Trend) -> Shape:
    """Whether one jump or one straight line fits better; a jump has one parameter more, its day.

    Each is judged with the noise around itself, by Schwarz's criterion.
    """
    jump = change.rss + _log_determinant(change.noise) + 2 * math.log(series.n)
    line = trend.fit.rss + _log_determinant(trend.noise) + math.log(series.n)
    if abs(jump - line) < _DECISIVE:
        return "unclear"
    return "sudden" if jump < line else "gradual"


def _log_determinant(noise: Noise) -> float:
    logs: FloatArray = np.log(np.diag(noise.root))
    return 2 * float(logs.sum())


@dataclass(frozen=True)
class Weekly:
    """How much of the scatter of days is the day of the week.

    Attributes:
        share: of the variance that is left beside a jump (or trend), adjusted for the number of weekdays; 0 or more.
        p_value: of all weekdays being alike.
    """

    share: float
    p_value: float


def weekly_profile(series: Daily, beside: FloatArray, noise: Noise) -> Weekly | None:
    """Test the weekdays together (F); None where the series is too short or is by week.

    Args:
        series: of days.
        beside: what is removed at the same time: a step or a line, shape (n,).
        noise: the noise around both.
    """
    size = series.weekdays.shape[1]
    if size == 0:
        return None
    design = series.design(beside)
    found = fit(series, design, noise)
    part = slice(design.shape[1] - size, None)
    effects = found.coefficients[part]
    statistic = float(effects @ np.linalg.pinv(found.covariance[part, part]) @ effects) / size
    p_value = float(stats.f.sf(statistic, size, found.df))
    left = _mean_square(series, design)
    before = _mean_square(series, design[:, :-size])
    return Weekly(max(1.0 - left / before, 0.0) if before > 0 else 0.0, p_value)


def _mean_square(series: Daily, design: FloatArray) -> float:
    coefficients, *_ = np.linalg.lstsq(design, series.value, rcond=None)
    residuals = series.value - design @ coefficients
    squares = float((residuals**2).sum())
    return squares / float(max(series.n - design.shape[1], 1))


@dataclass(frozen=True)
class Crossing:
    """Where a line meets a floor, on its own axis; None is open.

    Attributes:
        at: where the fitted line meets it; None where it runs level.
        low: the earliest place that the data allow, None where even the far past is allowed.
        high: the latest one, None where "never" is allowed.
    """

    at: float | None
    low: float | None
    high: float | None


def crossing(line: Fit, floor: float, now: float, confidence: float = 0.95) -> Crossing:
    """Where level + slope x meets a floor, with Fieller's interval (JRSS B 16, 1954).

    Where the slope cannot be told from 0 the interval is open: the line may meet the floor from `low` on, or never.

    Args:
        line: coefficients 0 and 1 are level and slope.
        floor: the value that is met.
        now: the end of the data, on the axis of x: an open interval is told from there.
        confidence: of the interval.
    """
    t2 = float(stats.t.ppf((1 + confidence) / 2, line.df)) ** 2
    a, b = float(line.coefficients[0]) - floor, float(line.coefficients[1])
    v = line.covariance
    square = b * b - t2 * float(v[1, 1])
    half = a * b - t2 * float(v[0, 1])
    rest = a * a - t2 * float(v[0, 0])
    at = -a / b if b != 0 else None
    root = half * half - square * rest
    if square > 0:
        reach = math.sqrt(max(root, 0.0))
        return Crossing(at, (-half - reach) / square, (-half + reach) / square)
    if root <= 0:
        return Crossing(at, None, None)
    # outside two roots: what lies ahead begins at the larger one
    ends = (
        sorted(((-half - math.sqrt(root)) / square, (-half + math.sqrt(root)) / square)) if square < 0 else []
    )
    ahead = [end for end in ends if end >= now]
    return Crossing(at, ahead[0] if ahead else None, None)
