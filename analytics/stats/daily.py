"""Series of daily values whose days are neither equally sure nor independent: noise, level, trend and weekly profile.

The model of one value a day is ``y = X b + u``, where u is the sum of an effect of the day, correlated from day to day
(first-order autoregression, tau2 and rho), and of the sampling error of its rows (variance known from the rows).
tau2 and rho are found from the residuals' sums of products up to a week apart, each set equal to what it is expected
to be after regression, so that short series are not taken for independent. Everything else is generalised least
squares on that covariance, with Student's t.

Weekdays enter as contrasts that add up to 0 over a week: the constant is the level of an average weekday.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, stats

from .arrays import FloatArray, as_floats

Days = NDArray[np.int64]
WEEK = 7
_LAGS = 7
_RHOS = np.round(np.arange(0.0, 0.96, 0.1), 2)
LEAST_FOR_WEEKDAYS = 4 * WEEK
"""Below this many days the weekdays' effects are not told from chance and stay out."""


@dataclass(frozen=True)
class Daily:
    """One value a day.

    Attributes:
        day: whole numbers, ascending; a day without a value is left out.
        value: of each day.
        variance: of its sampling error; 0 where it is not known.
        period: days between two windows: 1, or 7 where one window is a week.
    """

    day: Days
    value: FloatArray
    variance: FloatArray
    period: int = 1

    @property
    def n(self) -> int:
        """How many windows have a value."""
        return len(self.day)

    @cached_property
    def months(self) -> FloatArray:
        """The days in months of 365.25 / 12 days, counted from their middle."""
        month = 365.25 / 12
        return as_floats((self.day - float(self.day.mean())) / month)

    @cached_property
    def gaps(self) -> Days:
        """How many windows any two days are apart, shape (n, n)."""
        return np.asarray(np.abs(self.day[:, None] - self.day[None, :]) // self.period)

    @cached_property
    def weekdays(self) -> FloatArray:
        """Contrasts of the weekdays that occur, shape (n, 6 or fewer); none in short or weekly series."""
        if self.period != 1 or self.n < LEAST_FOR_WEEKDAYS:
            return np.zeros((self.n, 0))
        present, code = np.unique(self.day % WEEK, return_inverse=True)
        contrasts = np.vstack([np.eye(len(present) - 1), -np.ones(len(present) - 1)])
        return np.asarray(contrasts[code])

    def follows_weekdays(self) -> bool:
        """Whether nothing is left once the weekdays are removed."""
        if not self.weekdays.size:
            return False
        design = self.design()
        left = self.value - design @ np.linalg.lstsq(design, self.value, rcond=None)[0]
        return float(np.abs(left).max()) <= 1e-9 * float(np.ptp(self.value))

    def design(self, *columns: FloatArray) -> FloatArray:
        """A constant, the given columns, and the weekdays."""
        return np.column_stack([np.ones(self.n), *columns, self.weekdays])


@dataclass(frozen=True)
class Noise:
    """How days scatter around a fit.

    Attributes:
        tau2: variance of the effect of a day.
        rho: correlation of the effects of neighbouring days.
        root: lower Cholesky factor of the covariance of the days.
    """

    tau2: float
    rho: float
    root: FloatArray

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Columns in units in which days are independent with variance 1."""
        return np.asarray(linalg.solve_triangular(self.root, columns, lower=True, check_finite=False))


@dataclass(frozen=True)
class Fit:
    """A generalised least squares fit; df are the days less the coefficients."""

    coefficients: FloatArray
    covariance: FloatArray
    df: int
    rss: float

    def limits(self, row: FloatArray, confidence: float) -> tuple[float, float, float]:
        """Estimate and interval of one combination of the coefficients."""
        value = float(row @ self.coefficients)
        reach = float(stats.t.ppf((1 + confidence) / 2, self.df)) * float(
            np.sqrt(row @ self.covariance @ row)
        )
        return value, value - reach, value + reach

    def p_value(self, row: FloatArray) -> float:
        """Two-sided p of that combination being 0."""
        error = float(np.sqrt(row @ self.covariance @ row))
        return (
            float(2 * stats.t.sf(abs(float(row @ self.coefficients)) / error, self.df)) if error > 0 else 1.0
        )


def noise_of(series: Daily, design: FloatArray) -> Noise:
    """The day effects' variance and correlation around a regression, by moments of its residuals.

    Args:
        series: at least a few more days than the design has columns.
        design: shape (n, q).
    """
    moments = Moments.of(series, design)
    tau2, rho = moments.solve(moments.found(moments.residuals(series.value[:, None])))
    return noise_from(series, float(tau2[0]), float(rho[0]))


@dataclass(frozen=True)
class Moments:
    """Sums of products of residuals up to a week apart, and what they are expected to be.

    Attributes:
        scale: standard deviation of each day as first guessed; it shapes the residuals only.
        basis: orthonormal columns of the weighted design.
        pairs: per lag, the positions of days so many windows apart.
        known: the part of the sampling error.
        by_rho: that of a day effect of variance 1, shape (values of rho, lags).
    """

    scale: FloatArray
    basis: FloatArray
    pairs: tuple[tuple[Days, Days], ...]
    known: FloatArray
    by_rho: FloatArray

    @classmethod
    def of(cls, series: Daily, design: FloatArray) -> Moments:
        """Prepare the moments of one regression."""
        scale = np.sqrt(_first_variance(series, design))
        basis, _ = np.linalg.qr(design / scale[:, None])
        gaps = series.gaps
        pairs = tuple((i, j) for i, j in (np.nonzero(np.triu(gaps == lag)) for lag in range(_LAGS + 1)))
        spread = np.outer(1 / scale, 1 / scale)

        def expected(covariance: FloatArray) -> FloatArray:
            left = _projected(covariance, basis)
            return np.array([left[pair].sum() for pair in pairs])

        known = expected(np.diag(series.variance / scale**2))
        by_rho = np.stack([expected(spread * _correlation(series, float(rho))) for rho in _RHOS])
        return cls(scale, basis, pairs, known, by_rho)

    def residuals(self, values: FloatArray) -> FloatArray:
        """Weighted residuals of one or many series, days first."""
        y = values / self.scale[:, None]
        return np.asarray(y - self.basis @ (self.basis.T @ y))

    def found(self, residuals: FloatArray) -> FloatArray:
        """Sums of products by lag, shape (lags, series)."""
        return np.stack([(residuals[i] * residuals[j]).sum(axis=0) for i, j in self.pairs])

    def expected(self, tau2: float, rho: float) -> FloatArray:
        """The sums that a day effect leads to."""
        return np.asarray(tau2 * self.by_rho[int(np.argmin(np.abs(_RHOS - rho)))] + self.known)

    def solve(self, found: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The day effects (tau2, rho) whose expected sums come nearest, one a series.

        tau2 meets the squares, rho the products of different days.
        """
        left = found - self.known[:, None]
        tau2 = np.maximum(left[0][None] / self.by_rho[:, :1], 0.0)
        miss = ((left[None, 1:] - tau2[:, None] * self.by_rho[:, 1:, None]) ** 2).sum(axis=1)
        best = np.argmin(miss, axis=0)
        return tau2[best, np.arange(found.shape[1])], _RHOS[best]


def noise_from(series: Daily, tau2: float, rho: float) -> Noise:
    """The covariance of the days for a given day effect."""
    covariance = tau2 * _correlation(series, rho) + np.diag(series.variance)
    # days that follow the fit exactly leave no noise at all
    floor = 1e-12 * max(float(np.mean(series.value**2)), 1e-300)
    return Noise(tau2, rho, np.asarray(linalg.cholesky(covariance + floor * np.eye(series.n), lower=True)))


def within(whole: Noise, part: Daily) -> Noise:
    """The noise of a longer series for a part of it, which alone would tell too little."""
    return noise_from(part, whole.tau2, whole.rho)


def fit(series: Daily, design: FloatArray, noise: Noise) -> Fit:
    """Generalised least squares; the residual scale is estimated as well, but never below what the noise says.

    >>> days = np.arange(10)
    >>> series = Daily(days, 1.0 + 0.5 * days, np.full(10, 0.01))
    >>> found = fit(series, series.design(as_floats(days)), noise_from(series, 0.0, 0.0))
    >>> found.coefficients.round(6).tolist()
    [1.0, 0.5]
    """
    x, y = noise.whiten(design), noise.whiten(series.value)
    coefficients, *_ = np.linalg.lstsq(x, y, rcond=None)
    residuals = y - x @ coefficients
    df = max(series.n - design.shape[1], 1)
    rss = float(residuals @ residuals)
    # a scale below 1 is luck where the sampling error is known
    scale = max(rss / df, 1.0)
    covariance = np.linalg.pinv(x.T @ x) * scale
    return Fit(np.asarray(coefficients), np.asarray(covariance), df, rss)


def _first_variance(series: Daily, design: FloatArray) -> FloatArray:
    coefficients, *_ = np.linalg.lstsq(design, series.value, rcond=None)
    residuals = series.value - design @ coefficients
    total = float(residuals @ residuals) / max(series.n - design.shape[1], 1)
    between = max(total - float(series.variance.mean()), 0.0)
    floor = 1e-12 * max(float(np.mean(series.value**2)), 1e-300)
    return np.asarray(between + series.variance + floor)


def _projected(covariance: FloatArray, q: FloatArray) -> FloatArray:
    """(I - Q Q') C (I - Q Q')."""
    half = covariance - q @ (q.T @ covariance)
    return np.asarray(half - (half @ q) @ q.T)


def _correlation(series: Daily, rho: float) -> FloatArray:
    """Between the effects of any two days."""
    gaps = series.gaps
    return np.asarray((rho ** np.arange(int(gaps.max(initial=0)) + 1))[gaps])
