"""Variances of estimates whose rows belong to units or to stretches of time.

An estimate that is smooth in sums has an influence per row; rows of one unit or block are not independent,
but the sums of their influences nearly are. (With influences that sum to 0 over all rows.)
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats

Independence = Literal["rows", "units", "blocks"]
MINIMUM_CLUSTERS = 10
"""Below this many units or blocks their spread is too badly known to be used."""
_TIED = 1.0 + 1e-9
"""Where every unit is one row, its variance is that of the rows but for the order in which numbers were added, which
must not decide on the degrees of freedom: the same question had wider intervals at one time than at another."""


class ChosenVariance(NamedTuple):
    """The variance to use, its degrees of freedom (None: normal) and what it takes as independent."""

    variance: float
    df: float | None
    independence: Independence


def block_variance(totals: npt.ArrayLike) -> FloatArray:
    """Return the variance of a sum from its per-block sums: G / (G - 1) x sum (t - mean)^2.

    ``totals`` has blocks on the first axis (G, or G x k for k estimates at once): per block, the sum of
    weight x influence of its rows. Every block of the window counts, also one whose total is 0. nan under two
    blocks.

    >>> float(block_variance([1.0, -1.0, 0.5, -0.5]))
    3.3333333333333335
    """
    sums = as_floats(totals)
    size = sums.shape[0]
    if size < 2:
        return np.full(sums.shape[1:], np.nan)
    return np.asarray(size * np.var(sums, axis=0, ddof=1))


def unit_variance(sum_of_squares: npt.ArrayLike, n_units: npt.ArrayLike) -> FloatArray:
    """Return the variance of a sum from the sum over units of (sum of weight x influence)^2.

    nan under two units. Influences sum to 0, so the units' mean is 0 and needs no subtraction. What one scan
    gives for all units at once.

    >>> float(unit_variance(3.0, 4))
    4.0
    """
    squares, n = np.broadcast_arrays(as_floats(sum_of_squares), as_floats(n_units))
    return np.where(n > 1, squares * n / np.where(n > 1, n - 1, 1.0), np.nan)


def largest_variance(
    row: float, unit: float | None, block: float | None, n_blocks: int, n_units: int
) -> ChosenVariance:
    """Return the largest of the row, unit and block variance, with the degrees of freedom that belong to it.

    Units and blocks take part from ten on, and only where their variance is known (not None, not nan); they
    then bring count - 1 degrees of freedom.

    >>> largest_variance(1.0, None, 2.0, n_blocks=30, n_units=0)
    ChosenVariance(variance=2.0, df=29.0, independence='blocks')
    """
    chosen = ChosenVariance(row, None, "rows")
    if unit is not None and n_units >= MINIMUM_CLUSTERS and unit > chosen.variance * _TIED:
        chosen = ChosenVariance(unit, n_units - 1.0, "units")
    if block is not None and n_blocks >= MINIMUM_CLUSTERS and block > chosen.variance * _TIED:
        chosen = ChosenVariance(block, n_blocks - 1.0, "blocks")
    return chosen
