"""When did the level of a daily series change: one change of level at an unknown day, with its p-value and interval.

Every possible day is tried (a scan of Wald statistics; Andrews, Econometrica 61, 1993). The p-value of the largest one
comes from drawing series without a change with the same noise, so that days that go together are not taken for a
change. The interval of the day holds every day whose likelihood ratio against the best one is below
``-2 log(1 - sqrt(confidence))`` (Hansen, Econometrica 68, 2000; Eo and Morley, Quantitative Economics 6, 2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .daily import WEEK, Daily, Moments, Noise, fit, noise_from

DRAWS = 999
LEAST_DAYS = 4 * WEEK
LEAST_WEEKS = 10
_SHARE_OF_EACH_SIDE = 0.1
_MOMENT_DRAWS = 100
_ROUNDS = 3


@dataclass(frozen=True)
class Change:
    """The best single change of level.

    Attributes:
        at: position of the first value after it.
        low: position of the earliest day that fits the data about as well.
        high: position of the latest one.
        p_value: of there being no change at all.
        statistic: the largest Wald statistic.
        before: level of an average weekday before.
        after: the same after.
        difference: after less before, with an interval that holds for whichever day was found, and so leaves out 0
            exactly where p_value is below 1 - confidence.
        rss: sum of squares that is left, in units of the noise.
        noise: the noise around it.
    """

    at: int
    low: int
    high: int
    p_value: float
    statistic: float
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    difference: float
    difference_low: float
    difference_high: float
    rss: float
    noise: Noise


def least_values(period: int) -> int:
    """How many values a change needs to be looked for."""
    return LEAST_DAYS if period == 1 else LEAST_WEEKS


def candidates(series: Daily) -> FloatArray:
    """Steps at every day that leaves a week (or a tenth of the days) on both sides, shape (n, K)."""
    least = max(WEEK if series.period == 1 else 3, math.ceil(_SHARE_OF_EACH_SIDE * series.n))
    at = np.arange(least, series.n - least + 1)
    return np.asarray((np.arange(series.n)[:, None] >= at[None, :]).astype(np.float64))


def find_change(series: Daily, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Change:
    """Look for one change of level.

    Args:
        series: at least `least_values` values that are not all alike.
        confidence: of the intervals.
        draws: series without a change that are drawn for the p-value.
        seed: of the draws.
    """
    design, steps = series.design(), candidates(series)
    noise, others = noise_around_change(series, design, steps, seed)
    x, z, y = noise.whiten(design), noise.whiten(steps), noise.whiten(series.value)
    found = _scan(z, x, y)
    best = int(np.argmax(found.statistic))
    null = _null(found.directions, x, noise, others, draws, seed)
    p_value = float((1 + (null >= found.statistic[best]).sum()) / (draws + 1))
    # the days are as badly known as the noise is
    reach = -2 * math.log(1 - math.sqrt(confidence)) * _widening(null, found.directions, x, confidence)
    inside = np.flatnonzero(found.statistic_gap(best) <= reach)
    place = np.argmax(steps, axis=0)
    critical = math.sqrt(float(np.sort(null)[min(math.ceil(confidence * (draws + 1)), len(null)) - 1]))
    levels = fit(series, np.column_stack([design, steps[:, best]]), noise)
    width = levels.coefficients.size
    scan_error = abs(float(levels.coefficients[-1])) / math.sqrt(found.statistic[best])
    one, other = np.eye(width)[0], np.eye(width)[0] + np.eye(width)[-1]
    difference = float(levels.coefficients[-1])
    before, after = levels.limits(one, confidence), levels.limits(other, confidence)
    return Change(
        int(place[best]), int(place[inside[0]]), int(place[inside[-1]]), p_value,
        float(found.statistic[best]), *before, *after,
        difference, difference - critical * scan_error, difference + critical * scan_error, levels.rss, noise,
    )  # fmt: skip


@dataclass(frozen=True)
class _Scan:
    """Wald statistics of all steps, and the directions (orthonormal to the design) they look along."""

    statistic: FloatArray
    directions: FloatArray
    left: FloatArray
    df: int

    def statistic_gap(self, best: int) -> FloatArray:
        """How much worse each step fits than the best, as a likelihood ratio."""
        scale = max(float(self.left[best]) / self.df, 1e-300)
        return np.asarray((self.left - self.left[best]) / scale)


def noise_around_change(
    series: Daily, design: FloatArray, steps: FloatArray, seed: int = 0
) -> tuple[Noise, tuple[tuple[float, Noise], ...]]:
    """The noise around the best step, and the noises that might have been taken for it, with their shares.

    The best of many steps also explains some of the noise, and more of it where days go together. How much of each
    moment it takes away is found by drawing series without a change and doing the same to them; what comes out
    for those series says how well the noise is known.
    """
    moments = Moments.of(series, design)
    scaled = steps / moments.scale[:, None]
    directions = scaled - moments.basis @ (moments.basis.T @ scaled)
    directions /= np.linalg.norm(directions, axis=0)
    found = moments.found(_without_step(moments.residuals(series.value[:, None]), directions))
    draws = np.random.default_rng(seed).standard_normal((series.n, _MOMENT_DRAWS))
    correction = np.zeros_like(found)
    for _ in range(_ROUNDS):
        tau2, rho = moments.solve(found + correction)
        noise = noise_from(series, float(tau2[0]), float(rho[0]))
        drawn = moments.residuals(noise.root @ draws)
        left = moments.found(_without_step(drawn, directions))
        correction = (moments.found(drawn) - left).mean(axis=1, keepdims=True)
    all_tau2, all_rho = moments.solve(left + correction)
    values, counts = np.unique(all_rho, return_counts=True)
    others = tuple(
        (float(n) / _MOMENT_DRAWS, noise_from(series, float(all_tau2[all_rho == value].mean()), float(value)))
        for value, n in zip(values, counts, strict=True)
    )
    return noise, others


def _without_step(residuals: FloatArray, directions: FloatArray) -> FloatArray:
    along = directions.T @ residuals
    best = np.argmax(np.abs(along), axis=0)
    return np.asarray(residuals - directions[:, best] * along[best, np.arange(residuals.shape[1])])


def _scan(steps: FloatArray, design: FloatArray, y: FloatArray) -> _Scan:
    q, _ = np.linalg.qr(design)
    directions = steps - q @ (q.T @ steps)
    directions /= np.linalg.norm(directions, axis=0)
    residuals = y - q @ (q.T @ y)
    explained = (directions.T @ residuals) ** 2
    left = np.maximum(float(residuals @ residuals) - explained, 1e-300)
    df = len(y) - design.shape[1] - 1
    return _Scan(explained / (left / df), directions, left, df)


def _null(
    directions: FloatArray,
    design: FloatArray,
    noise: Noise,
    others: tuple[tuple[float, Noise], ...],
    draws: int,
    seed: int,
) -> FloatArray:
    """The largest statistic of series without a change, whose noise is one of those it might be."""
    random = np.random.default_rng(seed + 1)
    n = len(design)
    shares = np.cumsum([share for share, _ in others])
    ends = np.round(shares / shares[-1] * draws).astype(int)
    parts = [
        noise.whiten(other.root @ random.standard_normal((n, size)))
        for size, (_, other) in zip(np.diff(ends, prepend=0), others, strict=True)
    ]
    return _largest(np.column_stack(parts), directions, design)


def _widening(null: FloatArray, directions: FloatArray, design: FloatArray, confidence: float) -> float:
    """How much larger the statistic gets by not knowing the noise."""
    drawn = np.random.default_rng(len(null)).standard_normal((len(design), len(null)))
    own = np.quantile(_largest(drawn, directions, design), confidence)
    return max(float(np.quantile(null, confidence) / own), 1.0)


def _largest(drawn: FloatArray, directions: FloatArray, design: FloatArray) -> FloatArray:
    n = len(design)
    q, _ = np.linalg.qr(design)
    total = (drawn**2).sum(axis=0) - ((q.T @ drawn) ** 2).sum(axis=0)
    explained = ((directions.T @ drawn) ** 2).max(axis=0)
    return np.asarray(explained / ((total - explained) / (n - design.shape[1] - 1)))
