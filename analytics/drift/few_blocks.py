"""The Rao-Scott F test of `analytics.stats.clustered`, prepared once for a reference and asked of many windows.

The statistic is a sum of w_j g_j^2 with g = A d, d being the difference of the shares; A is the identity for
chi-squared, and cumulates up to the middle of each bin for Anderson-Darling. Only A C A' (C: the covariance of d) is
needed, and of it only the trace and the sum of squares, so no window costs an eigenvalue decomposition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FewBlocks:
    """The values of one field of the reference, by block.

    Attributes:
        ordered: whether bins are ordered (Anderson-Darling) or not (chi-squared).
        total: rows per bin.
        groups: number of blocks that hold rows.
        pairs: ordered pairs of rows that share a block.
        between: A B A', B being the covariance of two rows of one block.
    """

    ordered: bool
    total: Floats
    groups: int
    pairs: float
    between: Floats

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
        return cls(ordered, total, groups, pairs, between)

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
        return self.p_value_of(window.sum(axis=0), shared)

    def p_value_of(self, current: Floats, shared: float) -> float:
        """The p-value for a window's counts; 1 where there is nothing to compare.

        Args:
            current: rows per bin.
            shared: the part of all pairs of rows that share a block, within the reference and within the window
                together, less twice that across the two.
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
        return float(special.fdtrc(freedom, freedom * (self.groups - 1), statistic))
