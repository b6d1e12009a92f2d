"""Bands for a number that is estimated before it can be measured, judged by how earlier estimates fared.

The error of an estimate has two parts. One is known in advance: the noise of the labels still to come, and that of
the calibration. The other shows only afterwards: what the estimator cannot see. Its variance is what the squared
errors of earlier windows hold beyond the first part (a moment estimator as for random effects, DerSimonian and Laird,
Controlled Clinical Trials 7, 1986); Student's t with as many degrees of freedom as there are earlier errors makes the
band a prediction interval for the next one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .arrays import FloatArray, as_floats
from .intervals import normal_quantile

Scale = Literal["share", "positive", "any"]
LEAST_ERRORS = 5
"""Earlier errors below which nothing is learned from them."""
JUDGED = 20
"""How many of the newest back-tests decide whether an estimator is still believed."""
SURPRISE = 0.05
NOMINAL = 0.9
"""Back-tests are held against this much coverage, or against the band's own where that is less."""
_FLOOR = 1e-12


class Bands(NamedTuple):
    """Prediction intervals, one a metric; NaN where there is no estimate."""

    low: FloatArray
    high: FloatArray


def to_scale(values: npt.ArrayLike, scales: tuple[Scale, ...]) -> FloatArray:
    """Values on the scale where errors are alike whatever the level: logarithms of losses, all else as it is."""
    answer = as_floats(values).copy()
    positive = np.array([scale == "positive" for scale in scales])
    answer[..., positive] = np.log(np.maximum(answer[..., positive], _FLOOR))
    return answer


def on_scale(variance: npt.ArrayLike, values: npt.ArrayLike, scales: tuple[Scale, ...]) -> FloatArray:
    """The variance of values brought to that scale (delta method)."""
    answer, level = as_floats(variance).copy(), as_floats(values)
    positive = np.array([scale == "positive" for scale in scales])
    answer[..., positive] /= np.square(np.maximum(level[..., positive], _FLOOR))
    return answer


def bands(
    estimate: FloatArray,
    variance: FloatArray,
    errors: FloatArray,
    known: FloatArray,
    scales: tuple[Scale, ...],
    confidence: float,
) -> Bands:
    """Prediction intervals of M metrics.

    Args:
        estimate: of each metric, shape (M,).
        variance: of the part of its error that is known in advance, on the scale of `to_scale`, shape (M,).
        errors: of k earlier estimates on that scale (measured minus estimated), NaN where not known, shape (k, M).
        known: the variances that belonged to them, same shape.
        scales: of each metric.
        confidence: of the intervals.

    >>> found = bands(np.array([.7]), np.array([.0004]), np.zeros((0, 1)), np.zeros((0, 1)), ("share",), 0.95)
    >>> found.low.round(3).tolist(), found.high.round(3).tolist()
    ([0.661], [0.739])
    """
    there = np.isfinite(errors) & np.isfinite(known)
    count = there.sum(axis=0)
    beyond = np.where(there, np.square(errors) - known, 0.0).sum(axis=0) / np.maximum(count, 1)
    enough = count >= LEAST_ERRORS
    spread = np.sqrt(variance + np.where(enough, np.maximum(beyond, 0.0), 0.0))
    quantile = np.where(
        enough,
        special.stdtrit(np.maximum(count, 1), (1 + confidence) / 2),
        float(normal_quantile(confidence)),
    )
    centre = to_scale(estimate, scales)
    low, high = centre - quantile * spread, centre + quantile * spread
    return Bands(_back(low, estimate, scales, np.minimum), _back(high, estimate, scales, np.maximum))


def _back(limit: FloatArray, estimate: FloatArray, scales: tuple[Scale, ...], outer: np.ufunc) -> FloatArray:
    answer = limit.copy()
    for i, scale in enumerate(scales):
        if scale == "positive":
            answer[i] = np.exp(min(limit[i], 700.0))
        elif scale == "share":
            answer[i] = np.clip(limit[i], 0.0, 1.0)
    return as_floats(outer(answer, estimate))


def interval_score(
    low: npt.ArrayLike, high: npt.ArrayLike, value: npt.ArrayLike, confidence: float
) -> FloatArray:
    """The interval score: width, plus 2 / alpha times how far outside the value lies; less is better.

    Gneiting and Raftery, J. American Statistical Association 102 (2007), section 6.2.

    >>> interval_score([0.0, 0.0], [1.0, 1.0], [0.5, 1.5], 0.9).tolist()
    [1.0, 11.0]
    """
    a, b, x = as_floats(low), as_floats(high), as_floats(value)
    alpha = 1 - confidence
    return as_floats(b - a + 2 / alpha * (np.maximum(a - x, 0.0) + np.maximum(x - b, 0.0)))


@lru_cache(maxsize=4096)  # asked once a window and metric
def least_held(n: int, confidence: float = NOMINAL) -> int:
    """The fewest of n back-tests that must have held for an estimator to be believed.

    Fewer would have a chance under 5 % if each held with the chance promised (at most 90 %): 16 of 20.

    >>> [least_held(n) for n in (1, 2, 5, 10, 20)]
    [0, 1, 3, 7, 16]
    """
    counts = np.arange(n + 1)
    return int(counts[stats.binom.cdf(counts, n, min(confidence, NOMINAL)) >= SURPRISE][0])
