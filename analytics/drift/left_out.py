"""What the F of few blocks becomes for sets of the reference's own blocks, each held against the rest of it.

The variance between blocks is estimated without the set, as it is for a window that the reference does not hold. Only
traces are needed, and those come from one number a block, so a few hundred sets cost one matrix product.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SETS = 200
_SEED = 20136


def statistics_left_out(blocks: Floats, size: int, *, ordered: bool, trace: float) -> Floats:
    """Return the statistic (mean 1 where blocks are normal) of every block, or of seeded sets of several.

    Args:
        blocks: rows of the reference by block and bin; every block has rows.
        size: blocks in a set; at most half of the reference's are taken.
        ordered: whether bins are ordered (Anderson-Darling) or not (chi-squared).
        trace: of weights x covariance of two rows of one block, as the test of a window has it.
    """
    groups, sizes, total = len(blocks), blocks.sum(axis=1), blocks.sum(axis=0)
    chosen = _sets(groups, max(min(size, groups // 2), 1))
    drawn, kept = chosen @ blocks, groups - chosen.sum(axis=1)
    n, rows = chosen @ sizes, float(sizes.sum())
    m = rows - n
    weights, variances = weights_and_variances(total / rows, ordered=ordered)
    whole = float(weights @ variances)
    spread = np.square(_cumulated(blocks - sizes[:, None] * total / rows, ordered=ordered)) @ weights
    pairs = sizes * np.maximum(sizes - 1, 0)
    inside, outside = chosen @ pairs, pairs.sum() - chosen @ pairs
    if pairs.sum() <= 0 or whole <= 0:
        return np.zeros(0)
    by_moments = (spread.sum() * groups / (groups - 1) - whole * rows) / pairs.sum()
    left = (spread.sum() - chosen @ spread) * kept / np.maximum(kept - 1, 1) - whole * m
    between = np.maximum(left / np.maximum(outside, 1.0) + max(trace - by_moments, 0.0), 0.0)
    mean = whole * (1 / n + 1 / m) + between * (outside / m**2 + inside / n**2)
    gap = _cumulated((total - drawn) / m[:, None] - drawn / n[:, None], ordered=ordered)
    found: Floats = np.square(gap) @ weights / mean
    return found


@lru_cache(maxsize=32)
def _sets(groups: int, size: int) -> Floats:
    """Which blocks are in each set; the same for every field of as many blocks."""
    if size == 1:
        return np.eye(groups)
    places = np.random.default_rng(_SEED).random((SETS, groups))
    chosen = np.zeros(places.shape)
    np.put_along_axis(chosen, np.argpartition(places, size - 1, axis=1)[:, :size], 1.0, axis=1)
    return chosen


def weights_and_variances(shares: Floats, *, ordered: bool) -> tuple[Floats, Floats]:
    """The weights of the squared gaps, and the variances of a row, cumulated where bins are ordered (last axis)."""
    if not ordered:
        return np.where(shares > 0, 1 / np.where(shares > 0, shares, 1.0), 0.0), shares * (1 - shares)
    middle = np.cumsum(shares, axis=-1) - shares / 2
    variances = middle * (1 - middle) - shares / 4
    known = (shares > 0) & (variances > 1e-15)
    return np.where(known, shares / np.where(known, variances, 1.0), 0.0), variances


def _cumulated(values: Floats, *, ordered: bool) -> Floats:
    return np.cumsum(values, axis=-1) - values / 2 if ordered else values
