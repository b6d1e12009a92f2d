"""The noise floor of PSI at the speed that thousands of cells need."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats.distances import noise_floor_psi

Floats = NDArray[np.float64]
_ENOUGH = 20.0
_ROW_STEPS, _SHARE_STEPS = 10, 4
"""Steps of numbers of rows (10 %) and of shares (28 %) that draws are made for; shares are made to sum to 1 again."""


def noise_floors(pooled: Floats, n_reference: float, n: Floats) -> Floats:
    """Return the 95 % point of PSI under no drift: `analytics.stats.distances.noise_floor_psi`, remembered.

    Where it has to be drawn, it is drawn once for shares and numbers of rows that are nearly these, and scaled by
    1/n + 1/m: the features of a model, and the windows of a year, are much alike. The error is within that of drawing.

    Args:
        pooled: rows of both sides per bin, shape (W, B).
        n_reference: rows of the reference.
        n: rows of each window, shape (W,).
    """
    used = pooled > 0
    least = np.where(used, pooled, np.inf).min(axis=1) / pooled.sum(axis=1)
    bins = used.sum(axis=1)
    # the closed form of noise_floor_psi, for all windows in one call
    floors = np.where(
        bins > 1, (1 / n + 1 / n_reference) * special.chdtri(np.maximum(bins - 1, 1), 0.05), 0.0
    )
    for i in np.flatnonzero(np.minimum(n_reference, n) * least < _ENOUGH):
        floors[i] = _nearly(pooled[i], n_reference, float(n[i]))
    return floors


def _nearly(pooled: Floats, n_reference: float, n: float) -> float:
    used = pooled[pooled > 0]
    shares = np.sort(used / used.sum())
    near_reference, near = _near(n_reference), _near(n)
    like = np.round(np.log(shares) * _SHARE_STEPS).astype(int)
    drawn = _drawn(tuple(like.tolist()), near_reference, near)
    return drawn * (1 / n_reference + 1 / n) / (1 / near_reference + 1 / near)


def _near(n: float) -> int:
    return max(1, round(math.exp(round(math.log(n) * _ROW_STEPS) / _ROW_STEPS)))


@lru_cache(maxsize=50_000)
def _drawn(like: tuple[int, ...], n_reference: int, n: int) -> float:
    shares = np.exp(np.array(like) / _SHARE_STEPS)
    return noise_floor_psi(shares / shares.sum(), n_reference, n)
