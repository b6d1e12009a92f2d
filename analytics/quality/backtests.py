"""Rolling back-tests of an estimator: bands that rest on what was known when each window ended.

Windows are taken in the order of time, those of the reference first (estimated by fits that did not see them). For a
window, an earlier one speaks once its labels were mature when this window ended; its measured value is taken from the
labels known at that time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.stats.prediction_bands import (
    JUDGED,
    LEAST_ERRORS,
    Scale,
    bands,
    interval_score,
    least_held,
    on_scale,
    to_scale,
)

Floats = NDArray[np.float64]
MEMORY = 60
"""How many of the newest earlier errors a band rests on."""
_LEAST_COVERAGE = 0.02
POSITIVE = frozenset({"log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error"})


def scales_of(metrics: tuple[str, ...]) -> tuple[Scale, ...]:
    """Losses on a logarithmic scale, what things cost on their own, all else between 0 and 1."""
    return tuple("positive" if name in POSITIVE else "any" if name == "cost" else "share" for name in metrics)


@dataclass(frozen=True)
class Series:
    """Estimates and measured values of T windows in the order of time, M metrics; NaN where there is none.

    Attributes:
        metrics: their names.
        reference: whether the window lies in the reference, shape (T,); those come first.
        known_at: when its labels were mature, as a number of seconds, shape (T,).
        origin: up to when earlier labels may be used for it, shape (T,).
        estimate: shape (T, M).
        label_variance: that of the labels, were all rows to get one, shape (T, M).
        fit_variance: that of calibration and sampling, shape (T, M).
        coverage: share of rows with a label when mature, shape (T,); NaN where there is none.
        early: measured values on the labels known when mature, shape (T, M).
        realised: on all labels known now, shape (T, M); NaN where they are not mature.
    """

    metrics: tuple[str, ...]
    reference: NDArray[np.bool_]
    known_at: Floats
    origin: Floats
    estimate: Floats
    label_variance: Floats
    fit_variance: Floats
    coverage: Floats
    early: Floats
    realised: Floats


@dataclass(frozen=True)
class Judged:
    """What the back-tests say, each of shape (T, M).

    Attributes:
        low: of the band.
        high: of the band.
        held: 1 where the measured value lay inside, 0 where not, NaN before labels.
        n_backtests: the last 20 at most.
        held_backtests: how many of them held.
        n_errors: how many earlier errors the band rests on, windows of the reference counted.
        believed: whether enough of them did.
        score: interval score; NaN before labels.
        last_score: that of repeating the last matured value, on its own empirical band.
    """

    low: Floats
    high: Floats
    held: Floats
    n_backtests: NDArray[np.int64]
    held_backtests: NDArray[np.int64]
    n_errors: NDArray[np.int64]
    believed: NDArray[np.bool_]
    score: Floats
    last_score: Floats


def judge(series: Series, confidence: float) -> Judged:
    """Bands and back-tests of every window."""
    walk = _Walk(series, confidence)
    for t in range(len(series.reference)):
        walk.step(t)
    return walk.answer()


class _Walk:
    """One pass through time; what it has found so far stands in its arrays."""

    def __init__(self, series: Series, confidence: float) -> None:
        self.series, self.confidence = series, confidence
        self.scales = scales_of(series.metrics)
        shape = series.estimate.shape
        coverage = np.where(np.isfinite(series.coverage), np.maximum(series.coverage, _LEAST_COVERAGE), 1.0)
        labels, fits = (
            on_scale(variance, series.estimate, self.scales)
            for variance in (series.label_variance, series.fit_variance)
        )
        self.labels, self.fits = labels, fits
        self.known = labels / coverage[:, None] + fits
        self.early = to_scale(series.early, self.scales)
        self.errors = self.early - to_scale(series.estimate, self.scales)
        self.moves = np.full(shape, np.nan)
        self.low, self.high = np.full(shape, np.nan), np.full(shape, np.nan)
        self.last_low, self.last_high = np.full(shape, np.nan), np.full(shape, np.nan)
        self.held_early = np.full(shape, np.nan)
        self.tests = np.zeros((3, *shape), dtype=np.int64)
        self.believed = np.ones(shape, dtype=np.bool_)

    def step(self, t: int) -> None:
        """The band of one window, from those that speak for it."""
        series = self.series
        earlier = np.arange(t)
        usable = earlier[series.reference[:t] | (series.known_at[:t] <= series.origin[t])]
        self._repeat(t, usable[-MEMORY:], usable)
        if series.reference[t]:
            return
        pool = usable[-MEMORY:]
        covered = series.coverage[pool]
        covered = covered[np.isfinite(covered)]
        share = max(float(covered.mean()), _LEAST_COVERAGE) if len(covered) else 1.0
        variance = self.labels[t] / share + self.fits[t]
        found = bands(
            series.estimate[t], variance, self.errors[pool], self.known[pool], self.scales, self.confidence
        )
        self.low[t], self.high[t] = found
        self.held_early[t] = _inside(found.low, found.high, series.early[t])
        self._count(t, usable[~series.reference[usable]], pool)

    def _count(self, t: int, tested: NDArray[np.int64], pool: NDArray[np.int64]) -> None:
        held = self.held_early[tested]
        known = np.isfinite(held)
        newest = known & (np.cumsum(known[::-1], axis=0)[::-1] <= JUDGED)
        n, good = newest.sum(axis=0), np.where(newest, held, 0.0).sum(axis=0).astype(np.int64)
        self.tests[:, t] = n, good, np.isfinite(self.errors[pool]).sum(axis=0)
        self.believed[t] = [b >= least_held(int(a), self.confidence) for a, b in zip(n, good, strict=True)]

    def _repeat(self, t: int, pool: NDArray[np.int64], usable: NDArray[np.int64]) -> None:
        values = self.early[usable]
        known = np.isfinite(values)
        if not known.any():
            return
        newest = len(usable) - 1 - np.argmax(known[::-1], axis=0)
        last = np.where(known.any(axis=0), values[newest, np.arange(values.shape[1])], np.nan)
        self.moves[t] = self.early[t] - last
        moves = self.moves[pool]
        raw = np.where([scale == "positive" for scale in self.scales], np.exp(np.minimum(last, 700.0)), last)
        found = bands(raw, np.zeros(len(raw)), moves, np.zeros(moves.shape), self.scales, self.confidence)
        enough = np.isfinite(moves).sum(axis=0) >= LEAST_ERRORS
        self.last_low[t] = np.where(enough, found.low, np.nan)
        self.last_high[t] = np.where(enough, found.high, np.nan)

    def answer(self) -> Judged:
        """All that was found."""
        realised = self.series.realised
        return Judged(
            self.low,
            self.high,
            _inside(self.low, self.high, realised),
            self.tests[0],
            self.tests[1],
            self.tests[2],
            self.believed,
            interval_score(self.low, self.high, realised, self.confidence),
            interval_score(self.last_low, self.last_high, realised, self.confidence),
        )


def _inside(low: Floats, high: Floats, value: Floats) -> Floats:
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(value)
    # a measured value equal to a limit up to rounding is inside
    slack = 1e-9 * np.maximum(np.abs(value), 1.0)
    return np.where(known, (low - slack <= value) & (value <= high + slack), np.nan)
