"""The Rao-Scott F test of `analytics.stats.clustered`, prepared once for a reference and asked of many windows.

The statistic is a sum of w_j g_j^2 with g = A d, d being the difference of the shares; A is the identity for
chi-squared, and cumulates up to the middle of each bin for Anderson-Darling. Only A C A' (C: the covariance of d) is
needed, and of it only the trace and the sum of squares, so no window costs an eigenvalue decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
LEAST_FOLLOWING = 20
"""Blocks needed to tell whether they follow one another."""
MOST_KEPT = 0.85


@dataclass(frozen=True)
class FewBlocks:
    """The values of one field of the reference, by block.

    Attributes:
        ordered: whether bins are ordered (Anderson-Darling) or not (chi-squared).
        total: rows per bin.
        groups: number of blocks that hold rows.
        pairs: ordered pairs of rows that share a block.
        between: A B A', B being the covariance of two rows of one block.
        follows: correlation of a block with the one before, and how much of it is left one block later.
    """

    ordered: bool
    total: Floats
    groups: int
    pairs: float
    between: Floats
    follows: tuple[float, float] = field(default=(0.0, 0.0), kw_only=True)

    @classmethod
    def of(cls, counts: Floats, *, ordered: bool) -> FewBlocks:
        """Estimate how alike rows of one block are; counts have blocks on the first axis."""
        blocks = counts[counts.sum(axis=1) > 0]
        sizes, total = blocks.sum(axis=1), blocks.sum(axis=0)
        shares, groups = total / total.sum(), len(blocks)
        pairs = float((sizes * (sizes - 1)).sum())
        within = np.diag(shares) - np.outer(shares, shares)
        residual = blocks - sizes[:, None] * shares
        between = np.zeros_like(within)
        if pairs > 0 and groups > 1:
            estimate = (residual.T @ residual * groups / (groups - 1) - within * sizes.sum()) / pairs
            values, vectors = np.linalg.eigh(estimate)
            between = (vectors * np.maximum(values, 0)) @ vectors.T
        if ordered:
            half = np.cumsum(between, axis=0) - between / 2
            between = np.cumsum(half, axis=1) - half / 2
            residual = np.cumsum(residual, axis=1) - residual / 2
            middle = np.cumsum(shares) - shares / 2
            within = np.diag(middle * (1 - middle) - shares / 4)
        return cls(ordered, total, groups, pairs, between, follows=_follows(residual, np.diag(within)))

    def carry(self, window_groups: int) -> float:
        """How many times the difference of shares varies as much as if blocks did not follow one another."""
        sides = (self.groups, window_groups)
        return sum(self._sum_of(n) / n for n in sides) / sum(1 / n for n in sides) if min(sides) > 0 else 1.0

    def _sum_of(self, groups: int) -> float:
        """Variance of the sum of so many blocks in a row over that of as many independent ones."""
        first, kept = self.follows
        lags = np.arange(1, groups)
        return 1 + 2 * float(((1 - lags / groups) * first * kept ** (lags - 1)).sum())

    def joined(self, groups: NDArray[np.intp] | None) -> FewBlocks:
        """The same with the categories of one group taken together."""
        if groups is None or self.ordered:
            return self
        member = np.eye(groups.max() + 1)[groups]
        return replace(self, total=self.total @ member, between=member.T @ self.between @ member)

    def p_value(self, window: Floats) -> float:
        """The p-value for a window's counts by block; 1 where there is nothing to compare."""
        sizes = window.sum(axis=1)
        m, n = float(self.total.sum()), float(sizes.sum())
        shared = self.pairs / m**2 + float((sizes * (sizes - 1)).sum()) / n**2
        return self.p_value_of(window.sum(axis=0), shared, self.carry(int((sizes > 0).sum())))

    def p_value_of(self, current: Floats, shared: float, carry: float = 1.0) -> float:
        """The p-value for a window's counts; 1 where there is nothing to compare.

        Args:
            current: rows per bin.
            shared: the part of all pairs of rows that share a block, within the reference and within the window
                together, less twice that across the two.
            carry: what the variance is multiplied with besides.
        """
        m, n = float(self.total.sum()), float(current.sum())
        pooled = (self.total + current) / (m + n)
        if (pooled > 0).sum() < 2:
            return 1.0
        gap = self.total / m - current / n
        if self.ordered:
            middle = np.cumsum(pooled) - pooled / 2
            gap = np.cumsum(gap) - gap / 2
            within = np.minimum.outer(middle, middle) - np.outer(middle, middle) - np.diag(pooled / 4)
            spread = np.diag(within)
            weights = np.where(
                (pooled > 0) & (spread > 1e-15), pooled / np.where(spread > 1e-15, spread, 1.0), 0.0
            )
        else:
            within = np.diag(pooled) - np.outer(pooled, pooled)
            weights = np.where(pooled > 0, 1 / np.where(pooled > 0, pooled, 1.0), 0.0)
        covariance = within * (1 / n + 1 / m) + self.between * shared
        mean = float(weights @ np.diag(covariance))
        squares = float(weights @ np.square(covariance) @ weights)
        freedom = mean**2 / squares
        statistic = float(weights @ np.square(gap)) / mean
        return float(special.fdtrc(freedom, freedom * (self.groups - 1), statistic / carry))


def _follows(residual: Floats, variances: Floats) -> tuple[float, float]:
    """How blocks follow one another, from the correlations of neighbours and of next but one.

    A block's share is taken as something that decays from block to block plus noise of its own, so that the first
    correlation is not above the rate of decay. Correlations within 1.3 standard errors of none count as none.
    """
    groups = len(residual)
    if groups < LEAST_FOLLOWING:
        return 0.0, 0.0
    scaled = residual / np.sqrt(np.where(variances > 1e-12, variances, np.inf))
    whole = float(np.square(scaled).sum())
    if whole <= 0:
        return 0.0, 0.0
    # the mean taken off makes neighbours look unlike by about one in the number of blocks
    first, second = (
        float((scaled[lag:] * scaled[:-lag]).sum()) / whole * groups / (groups - lag) + 1 / groups
        for lag in (1, 2)
    )
    if first < 1.3 / np.sqrt(groups):
        return 0.0, 0.0
    first = min(first, MOST_KEPT)
    return first, min(max(second / first, first), MOST_KEPT)
