"""How much more often rows like a given one are met in one sample than in another: weights from a classifier.

A logistic regression tells the rows of two samples apart; its odds are the ratio of their densities (Qin, Biometrika
85, 1998; Bickel, Brueckner and Scheffer, JMLR 10, 2009). Each row is judged by a fit that did not see its fold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats

CLIP = 20.0
"""No row may stand for more than so many times the mean: a few odd rows would decide everything."""
_STEPS = 8


class Weights(NamedTuple):
    """Mean 1 over the first sample, with Kish's effective number of rows.

    ``outside`` is the share of the second sample that lies where the first has next to nothing: its density there is
    more than `CLIP` times as high.
    """

    weights: FloatArray
    effective_n: float
    outside: float


def density_ratio(
    source: FloatArray,
    target: FloatArray,
    source_fold: npt.ArrayLike,
    target_fold: npt.ArrayLike,
    *,
    ridge: float = 1.0,
    source_weight: FloatArray | None = None,
    target_weight: FloatArray | None = None,
) -> Weights:
    """Weights that make the rows of ``source`` look like those of ``target``.

    Args:
        source: shape (n, d), columns of about unit spread.
        target: shape (m, d).
        source_fold: 0 or 1; rows that belong together share a fold.
        target_fold: the same.
        ridge: penalty on the coefficients, in rows.
        source_weight: what each row of ``source`` stands for; one row where left out.
        target_weight: the same for ``target``.
    """
    heavy_s = np.ones(len(source)) if source_weight is None else source_weight / source_weight.mean()
    heavy_t = np.ones(len(target)) if target_weight is None else target_weight / target_weight.mean()
    first, second = np.asarray(source_fold), np.asarray(target_fold)
    logs, beyond = np.zeros(len(source)), np.zeros(len(target), dtype=np.bool_)
    for fold in (0, 1):
        in_s, in_t = first != fold, second != fold
        if min(in_s.sum(), in_t.sum()) == 0:
            in_s, in_t = np.ones_like(in_s), np.ones_like(in_t)
        beta = _fit(source[in_s], target[in_t], (heavy_s[in_s], heavy_t[in_t]), ridge)
        rows = first == fold
        logs[rows] = beta[0] + source[rows] @ beta[1:]
        beyond[second == fold] = beta[0] + target[second == fold] @ beta[1:] > np.log(CLIP)
    raw = np.exp(np.clip(logs - logs.max(initial=-np.inf), -30.0, 0.0))
    weights = raw / np.average(raw, weights=heavy_s)
    weights = np.minimum(weights, CLIP)
    weights /= np.average(weights, weights=heavy_s)
    effective = float(np.square(weights.sum()) / np.square(weights).sum())
    return Weights(as_floats(weights), effective, float(beyond.mean()) if len(beyond) else 0.0)


def _fit(
    source: FloatArray, target: FloatArray, heavy: tuple[FloatArray, FloatArray], ridge: float
) -> FloatArray:
    """Coefficients of a logistic regression in which both samples weigh the same."""
    x = np.column_stack([np.ones(len(source) + len(target)), np.vstack([source, target])])
    y = np.r_[np.zeros(len(source)), np.ones(len(target))]
    half = (len(source) + len(target)) / 2
    w = np.r_[heavy[0] * (half / heavy[0].sum()), heavy[1] * (half / heavy[1].sum())]
    # as many rows as the smaller sample has: a window of 50 rows knows no more for a reference of 5,000
    w *= min(len(source), len(target)) / half
    penalty = np.full(x.shape[1], ridge)
    penalty[0] = 1e-6
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = special.expit(x @ beta)
        spread = w * p * (1 - p)
        gradient = x.T @ (w * (y - p)) - penalty * beta
        step = np.linalg.solve((x * spread[:, None]).T @ x + np.diag(penalty), gradient)
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-4:
            break
    return beta
