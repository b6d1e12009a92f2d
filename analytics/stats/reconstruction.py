"""How well principal components of usual rows describe other rows: reconstruction error, and what it may be by chance.

Components are fitted on one half of the reference and the limits come from the other half, in stretches as long as
the window: rows a fit has seen are always described too well, so limits from them would alarm at every new row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .arrays import FloatArray, IntArray

KEPT_VARIANCE = 0.65
LEAST_CHUNKS = 8
LEAST_BLOCKS = 8
_FAR = 3.0
_SEED = 6007
Column = FloatArray | Sequence[str | None]
Yardstick = Literal["chunks", "blocks", "rows"]


@dataclass(frozen=True)
class Reconstruction:
    """Mean reconstruction error of a window, and what to expect of a usual one.

    Attributes:
        value: mean over the window's blocks, each counting alike, of the mean distance from the components.
        ci_low: of this window's own error.
        ci_high: of this window's own error.
        null_mean: mean of the held-out half of the reference.
        null_low: lower end of the prediction interval for a usual window.
        null_high: its upper end.
        p_value: two-sided: rows that fit too well are news, too.
        n_components: how many were kept.
        n_columns: of the encoded matrix.
        yardstick: whether the limits are from stretches as long as the window, single blocks, or rows.
        n_yardstick: how many of those.
    """

    value: float
    ci_low: float
    ci_high: float
    null_mean: float
    null_low: float
    null_high: float
    p_value: float
    n_components: int
    n_columns: int
    yardstick: Yardstick
    n_yardstick: int


def reconstruction(
    columns: Sequence[Column],
    side: npt.NDArray[np.bool_],
    block: npt.NDArray[np.int64],
    weight: FloatArray,
    confidence: float = 0.95,
) -> Reconstruction | None:
    """Compare a window with the reference.

    Args:
        columns: of each feature numbers (nan for missing) or texts (None for missing), n of each.
        side: True for rows of the window, False for the reference.
        block: of each row, numbered in the order of time; no block lies on both sides.
        weight: of each row.
        confidence: of the interval and of the prediction interval.

    Returns:
        None where fewer than two encoded columns vary in the fitting half, or the held-out half has no two stretches.
    """
    fitting, chunk, yardstick = _halves(side, block)
    matrix = np.concatenate([_encode(column, fitting) for column in columns], axis=1)
    centre, spread = matrix[fitting].mean(axis=0), matrix[fitting].std(axis=0)
    kept = spread > 0
    if kept.sum() < 2:
        return None
    matrix = (matrix[:, kept] - centre[kept]) / spread[kept]
    error, n_components = _errors(matrix, fitting)
    ours = _means(error[side], np.unique(block[side], return_inverse=True)[1], weight[side])
    if yardstick == "rows":
        ours = error[side]
    held = ~side & ~fitting
    normal = _yardstick(error, weight, block, chunk, held, yardstick)
    if len(normal) < 2 or not ours.size:
        return None
    value, mean, sd = float(ours.mean()), float(normal.mean()), float(normal.std(ddof=1))
    share = 1.0 if yardstick == "chunks" else 1 / len(ours)
    error_of_new = sd * float(np.sqrt(share + 1 / len(normal)))
    quantile = float(stats.t.ppf((1 + confidence) / 2, len(normal) - 1))
    own = _own_error(error[side], ours)
    own_quantile = float(
        stats.t.ppf((1 + confidence) / 2, max(len(ours) - 1, 1) if len(ours) > 1 else np.inf)
    )
    p_value = _two_sided(value - mean, error_of_new, len(normal) - 1)
    return Reconstruction(
        value, max(value - own_quantile * own, 0.0), value + own_quantile * own, mean,
        max(mean - quantile * error_of_new, 0.0), mean + quantile * error_of_new, p_value, n_components,
        int(kept.sum()), yardstick, len(normal),
    )  # fmt: skip


def _two_sided(gap: float, error: float, df: int) -> float:
    if error > 0:
        return float(2 * stats.t.sf(abs(gap) / error, df))
    return 1.0 if abs(gap) < 1e-12 else 0.0


def _halves(
    side: npt.NDArray[np.bool_], block: IntArray
) -> tuple[npt.NDArray[np.bool_], IntArray, Yardstick]:
    """Which rows the components are fitted on, the stretch each row is in, and what the limits are made of."""
    names, places = np.unique(block, return_inverse=True)
    known = np.zeros(len(names), dtype=bool)
    known[places[~side]] = True
    n_window, n_reference = len(np.unique(block[side])), int(known.sum())
    order = np.cumsum(known) - 1
    if n_reference < LEAST_BLOCKS:
        half = np.random.default_rng(_SEED).permutation(len(side)) % 2 == 0
        return half & ~side, np.arange(len(side)), "rows"
    long = max(n_window, 1) if n_reference // max(n_window, 1) >= LEAST_CHUNKS else 1
    whole = order < n_reference // long * long
    chunk = np.where(whole, order // long, order)
    fitting = (chunk % 2 == 0) | ~whole
    return fitting[places] & ~side, chunk[places], "chunks" if long == n_window else "blocks"


def _yardstick(
    error: FloatArray, weight: FloatArray, block: IntArray, chunk: IntArray,
    held: npt.NDArray[np.bool_], yardstick: Yardstick,
) -> FloatArray:  # fmt: skip
    if yardstick == "rows":
        return error[held]
    blocks, places = np.unique(block[held], return_inverse=True)
    means = _means(error[held], places, weight[held])
    if yardstick == "blocks":
        return means
    stretch = np.zeros(len(blocks), dtype=np.int64)
    stretch[places] = chunk[held]
    return _means(means, np.unique(stretch, return_inverse=True)[1], np.ones(len(means)))


def _means(values: FloatArray, group: IntArray, weight: FloatArray) -> FloatArray:
    total = np.bincount(group, weight)
    found: FloatArray = np.bincount(group, weight * values)[total > 0] / total[total > 0]
    return found


def _own_error(rows: FloatArray, blocks: FloatArray) -> float:
    of = blocks if len(blocks) > 1 else rows
    return float(of.std(ddof=1) / np.sqrt(len(of))) if len(of) > 1 else 0.0


def _errors(matrix: FloatArray, fitting: npt.NDArray[np.bool_]) -> tuple[FloatArray, int]:
    covariance = np.cov(matrix[fitting], rowvar=False).reshape(matrix.shape[1], -1)
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1]
    share = np.cumsum(values[order]) / max(values.sum(), 1e-300)
    count = min(int(np.searchsorted(share, KEPT_VARIANCE - 1e-9)) + 1, max(len(values) - 1, 1))
    kept = vectors[:, order[:count]]
    rest = matrix - (matrix @ kept) @ kept.T
    return np.sqrt(np.square(rest).sum(axis=1)), count


def _encode(column: Column, fitting: npt.NDArray[np.bool_]) -> FloatArray:
    """Numbers as normal quantiles of the fitting rows, texts by how frequent they are there; and whether missing."""
    if isinstance(column, np.ndarray):
        missing = np.isnan(column)
        known = np.sort(column[fitting & ~missing])
        if not known.size:
            return missing[:, None].astype(np.float64)
        low, high = (np.searchsorted(known, column, side=end) for end in ("left", "right"))
        place = ((low + high) / 2 + 0.5) / (len(known) + 1)
        score = np.where(missing, 0.0, np.clip(special.ndtri(np.clip(place, 1e-9, 1 - 1e-9)), -_FAR, _FAR))
        return np.column_stack([score, missing])
    missing = np.array([value is None for value in column])
    names, places = np.unique(["" if value is None else str(value) for value in column], return_inverse=True)
    seen = np.bincount(places[fitting & ~missing], minlength=len(names))
    score = np.where(missing, 0.0, np.log(np.maximum(seen[places], 0.5) / max(int(seen.sum()), 1)))
    return np.column_stack([score, missing])
