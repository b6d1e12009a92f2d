"""How much days differ, learnt over all windows together, for windows that hold too few days to tell by themselves.

A window of a week has seven days and a window of a day has one: their spread is unknown there, and rows taken as
independent cry wolf. Under the model mean of a day = mean of its window + day's own deviation (variance s2), the
variance of a window's mean is (variance over rows) + s2 x sum of (share of the day)^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .arrays import FloatArray
from .blocks import block_variance

LEAST_FREEDOM = 2
"""Three blocks, or three windows of one."""


class WindowBlocks(NamedTuple):
    """One window: its mean, variance taking rows as independent, blocks' influence totals and shares of weight."""

    value: float
    row_variance: float
    totals: FloatArray
    shares: FloatArray


class BlockSpread(NamedTuple):
    """Variance of a block's own deviation, with the degrees of freedom it was estimated with."""

    variance: float
    df: float


def block_spread(windows: Sequence[WindowBlocks]) -> BlockSpread | None:
    """Return the spread of blocks around their window's mean, pooled by degrees of freedom.

    Where no window holds two blocks, that of the windows around their common mean: a slow drift then counts as
    spread, and one window alone must stand out from it. One window alone lends to itself. None under two degrees of
    freedom; from there on the t distribution pays for how badly few blocks know their spread.

    >>> windows = [WindowBlocks(0.0, 0.1, np.array([0.5, -0.5]), np.array([0.5, 0.5])) for _ in range(9)]
    >>> block_spread(windows)
    BlockSpread(variance=1.8, df=9.0)
    """
    several = [window for window in windows if len(window.totals) > 1]
    if several:
        freedom = np.array([len(window.totals) - 1.0 for window in several])
        between = np.array(
            [
                (float(block_variance(window.totals)) - window.row_variance)
                / float(np.square(window.shares).sum())
                for window in several
            ]
        )
        variance, df = float(freedom @ between / freedom.sum()), float(freedom.sum())
    else:
        alone = [window for window in windows if len(window.totals) == 1]
        df = len(alone) - 1.0
        if df < 1:
            return None
        values = np.array([window.value for window in alone])
        variance = float(np.var(values, ddof=1) - np.mean([window.row_variance for window in alone]))
    return BlockSpread(max(variance, 0.0), df) if df >= LEAST_FREEDOM else None


def spread_variance(window: WindowBlocks, spread: BlockSpread) -> float:
    """Return the variance of a window's mean with the borrowed spread.

    >>> spread_variance(WindowBlocks(0.0, 0.1, np.zeros(2), np.array([0.5, 0.5])), BlockSpread(1.8, 9.0))
    1.0
    """
    return window.row_variance + spread.variance * float(np.square(window.shares).sum())
