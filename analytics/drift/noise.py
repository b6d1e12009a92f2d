"""The noise floor of PSI at the speed that thousands of cells need."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics.stats.distances import noise_floor_psi

Floats = NDArray[np.float64]
_ENOUGH = 20.0
_ROW_STEPS, _SHARE_STEPS = 10, 4
"""Steps of numbers of rows (10 %) and of shares (28 %) that draws are made for; shares are made to sum to 1 again."""


def noise_floor(pooled: Floats, n_reference: float, n: float) -> float:
    """Return the 95 % point of PSI under no drift: `analytics.stats.distances.noise_floor_psi`, remembered.

    Where it has to be drawn, it is drawn once for shares and numbers of rows that are nearly these, and scaled by
    1/n + 1/m: the features of a model, and the windows of a year, are much alike. The error is within that of drawing.

    Args:
        pooled: rows of both sides per bin.
        n_reference: rows of the reference.
        n: rows of the window.
    """
    used = pooled[pooled > 0]
    shares = np.sort(used / used.sum())
    if min(n_reference, n) * shares[0] >= _ENOUGH:
        return noise_floor_psi(shares, n_reference, n)
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
