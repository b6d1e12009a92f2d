"""Maps from scores to better ones: logistic and isotonic recalibration, fitted to rows grouped by score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from .arrays import FloatArray, as_floats, divide

LOGIT_REACH = 14.0
"""Scores of 0 and 1 have no finite logit; they count as those of -14 and 14, a millionth from the end."""
_STEPS = 60
_CONVERGED = 1e-9
_STEEPEST = 200.0


class LogisticFit(NamedTuple):
    """Logit of the probability = intercept + slope x logit of the score.

    ``inverse`` is the inverse of the information, shape (2, 2), in the order intercept, slope.
    """

    intercept: float
    slope: float
    inverse: FloatArray


class NoFit(NamedTuple):
    """Why no line can be fitted."""

    reason: str


def logits(scores: npt.ArrayLike) -> FloatArray:
    """Return the logits of scores, those of 0 and 1 cut at -14 and 14.

    >>> logits([0.0, 0.5, 1.0]).tolist()
    [-14.0, 0.0, 14.0]
    """
    values = np.clip(as_floats(scores), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.clip(special.logit(values), -LOGIT_REACH, LOGIT_REACH)


def fit_logistic(
    scores: npt.ArrayLike, negatives: npt.ArrayLike, positives: npt.ArrayLike
) -> LogisticFit | NoFit:
    """Fit the calibration line of Cox (1958) by weighted likelihood, by Newton's method.

    ``scores`` of the groups; ``negatives`` and ``positives`` their sums of weights by label. Intercept 0 and
    slope 1 are perfect; a slope below 1 is a model that is too sure of itself.

    >>> scores = [0.2, 0.5, 0.8]
    >>> fit = fit_logistic(scores, [8, 5, 2], [2, 5, 8])
    >>> round(abs(fit.intercept), 6), round(fit.slope, 6)
    (0.0, 1.0)
    >>> fit_logistic([0.3, 0.3], [1, 1], [1, 0])
    NoFit(reason='all scores are equal')
    """
    x, below, above = logits(scores), as_floats(negatives), as_floats(positives)
    total = below + above
    problem = _unfit(x, below, above)
    if problem is not None:
        return NoFit(problem)
    design = np.stack([np.ones_like(x), x])
    # from a level line on, Newton's steps are short enough not to leap over the top
    beta = np.array([float(special.logit(above.sum() / total.sum())), 0.0])
    for _ in range(_STEPS):
        p = special.expit(beta @ design)
        information = (design * (total * p * (1 - p))) @ design.T
        if not np.linalg.cond(information) < 1e14:
            break
        step = np.linalg.solve(information, design @ (above - total * p))
        if float(np.abs(step).max()) < _CONVERGED:
            return LogisticFit(float(beta[0]), float(beta[1]), as_floats(np.linalg.inv(information)))
        beta = beta + step * _length(beta, as_floats(step), design, below, above)
        if abs(beta[1]) > _STEEPEST:
            break
    return NoFit("the scores tell the labels apart without a fault")


def _length(
    beta: FloatArray, step: FloatArray, design: FloatArray, below: FloatArray, above: FloatArray
) -> float:
    """Return the share of a Newton step that does not lower the likelihood, by halving."""

    def likelihood(at: FloatArray) -> float:
        line = at @ design
        return float(-(above @ np.logaddexp(0, -line)) - below @ np.logaddexp(0, line))

    now, length = likelihood(beta), 1.0
    while length > 1e-6 and likelihood(beta + step * length) < now - 1e-12 * abs(now):
        length /= 2
    return length


def _unfit(x: FloatArray, below: FloatArray, above: FloatArray) -> str | None:
    if below.sum() <= 0 or above.sum() <= 0:
        return "all labels are equal"
    used = x[(below + above) > 0]
    if used.size < 2 or float(np.ptp(used)) < 1e-9:
        return "all scores are equal"
    low, high = x[above > 0], x[below > 0]
    if low.min() >= high.max() or high.min() >= low.max():
        return "the scores tell the labels apart without a fault"
    return None


def logistic_influence(fit: LogisticFit, scores: npt.ArrayLike) -> FloatArray:
    """Return the influence on intercept and slope of a row of unit weight, by label and group.

    Shape (2, 2, groups): intercept and slope, label 0 and 1. Their weighted sum over the rows is 0.
    """
    x = logits(scores)
    p = special.expit(fit.intercept + fit.slope * x)
    design = np.stack([np.ones_like(x), x])
    direction = fit.inverse @ design
    return np.stack([direction * -p, direction * (1 - p)], axis=1)


def apply_logistic(fit: LogisticFit, scores: npt.ArrayLike) -> FloatArray:
    """Return the scores after the map of the fit."""
    return as_floats(special.expit(fit.intercept + fit.slope * logits(scores)))


class IsotonicFit(NamedTuple):
    """A map that never falls: ``values`` at ``scores``, straight lines between."""

    scores: FloatArray
    values: FloatArray


def fit_isotonic(
    scores: npt.ArrayLike, means: npt.ArrayLike, weights: npt.ArrayLike, *, towards: float | None = None
) -> IsotonicFit:
    """Fit the closest map that never falls (pool adjacent violators) to the mean labels of groups.

    ``towards``: the overall share, where the labels are 0 and 1 and a logarithm follows. Every step of the map is
    then moved by one row towards it: a step that saw no positive among its rows does not know that there are none,
    and log loss would never forgive it. ``weights`` are rows then.

    >>> fit_isotonic([0.1, 0.2, 0.3], [0.0, 0.5, 0.3], [1, 1, 1]).values.tolist()
    [0.0, 0.4, 0.4]
    >>> fit_isotonic([0.1, 0.2, 0.3], [0.0, 0.5, 0.3], [1, 1, 1], towards=0.3).values.round(3).tolist()
    [0.15, 0.367, 0.367]
    """
    x, y, w = as_floats(scores), as_floats(means), as_floats(weights)
    used = w > 0
    if not used.any():
        raise ValueError("a map needs at least one group with rows")
    unique, place = np.unique(x[used], return_inverse=True)
    mass = np.bincount(place, w[used])
    mean = divide(np.bincount(place, w[used] * y[used]), mass)
    fitted = as_floats(optimize.isotonic_regression(mean, weights=mass).x)
    if towards is not None:
        _, step = np.unique(fitted, return_inverse=True)
        rows = np.bincount(step, mass)[step]
        # a short step moves further than a long one, maybe past it
        fitted = as_floats(
            optimize.isotonic_regression((fitted * rows + towards) / (rows + 1.0), weights=mass).x
        )
    return IsotonicFit(unique, fitted)


def apply_isotonic(fit: IsotonicFit, scores: npt.ArrayLike) -> FloatArray:
    """Return the scores after the map; beyond its ends it is level."""
    return as_floats(np.interp(as_floats(scores), fit.scores, fit.values))
