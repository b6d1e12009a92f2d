"""The Rao-Scott F test of `analytics.stats.clustered`, prepared once for a reference and asked of many windows.

The statistic is a sum of w_j g_j^2 with g = A d, d being the difference of the shares; A is the identity for
chi-squared, and cumulates up to the middle of each bin for Anderson-Darling. Only A C A' (C: the covariance of d) is
needed, and of it only the trace and the sum of squares, so no window costs an eigenvalue decomposition.

F supposes that the blocks' own shares are about normal. Real days are not: one storm lies further out than F ever lets
a day lie. So the same statistic is asked of sets of the reference's own blocks, as many as the window has, each against
the rest of the reference, and the p-value is the larger of the F one and that of a gamma distribution with the first
three moments of these statistics (as beyond all shuffles in `analytics.drift.draws`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.drift.draws import gamma_tail
from analytics.drift.left_out import statistics_left_out, weights_and_variances

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
        blocks: rows per block and bin; no blocks, where only F is asked.
        known: window's blocks -> statistics of the reference's own sets of so many, as far as they were needed.
    """

    ordered: bool
    total: Floats
    groups: int
    pairs: float
    between: Floats
    follows: tuple[float, float] = field(default=(0.0, 0.0), kw_only=True)
    blocks: Floats = field(default_factory=lambda: np.zeros((0, 1)), kw_only=True)
    known: dict[int, Floats] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

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
        return cls(
            ordered, total, groups, pairs, between, follows=_follows(residual, np.diag(within)), blocks=blocks
        )

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
        blocks = self.blocks @ member if len(self.blocks) else self.blocks
        return replace(
            self, total=self.total @ member, between=member.T @ self.between @ member, blocks=blocks, known={}
        )

    def p_value(self, window: Floats) -> float:
        """The p-value for a window's counts by block; 1 where there is nothing to compare."""
        sizes = window.sum(axis=1)
        groups, m, n = int((sizes > 0).sum()), float(self.total.sum()), float(sizes.sum())
        shared = self.pairs / m**2 + float((sizes * (sizes - 1)).sum()) / n**2
        carry = self.carry(groups)
        tested = self._tested(window.sum(axis=0), shared)
        if tested is None:
            return 1.0
        own = self._own(groups)
        by_own = gamma_tail(tested[0] / carry, own) if own.size else 0.0
        return max(self._tail(*tested, carry), by_own)

    def p_value_of(self, current: Floats, shared: float, carry: float = 1.0) -> float:
        """The p-value for a window's counts by F alone; 1 where there is nothing to compare.

        Args:
            current: rows per bin.
            shared: the part of all pairs of rows that share a block, within the reference and within the window
                together, less twice that across the two.
            carry: what the variance is multiplied with besides.
        """
        tested = self._tested(current, shared)
        return 1.0 if tested is None else self._tail(*tested, carry)

    def _tail(self, statistic: float, freedom: float, carry: float) -> float:
        return float(special.fdtrc(freedom, freedom * (self.groups - 1), statistic / carry))

    def _own(self, window_groups: int) -> Floats:
        """The statistics of sets of the reference's own blocks, as many as the window has."""
        if window_groups not in self.known:
            shares = self.total / self.total.sum()
            weights, _ = weights_and_variances(shares, ordered=self.ordered)
            trace = float(weights @ np.diag(self.between))
            self.known[window_groups] = (
                statistics_left_out(self.blocks, window_groups, ordered=self.ordered, trace=trace)
                if len(self.blocks) > 1
                else np.zeros(0)
            )
        return self.known[window_groups]

    def _tested(self, current: Floats, shared: float) -> tuple[float, float] | None:
        """The statistic, of mean 1 under no drift, and its degrees of freedom."""
        m, n = float(self.total.sum()), float(current.sum())
        pooled = (self.total + current) / (m + n)
        if (pooled > 0).sum() < 2:
            return None
        gap = self.total / m - current / n
        weights, _ = weights_and_variances(pooled, ordered=self.ordered)
        if self.ordered:
            middle = np.cumsum(pooled) - pooled / 2
            gap = np.cumsum(gap) - gap / 2
            within = np.minimum.outer(middle, middle) - np.outer(middle, middle) - np.diag(pooled / 4)
        else:
            within = np.diag(pooled) - np.outer(pooled, pooled)
        covariance = within * (1 / n + 1 / m) + self.between * shared
        mean = float(weights @ np.diag(covariance))
        squares = float(weights @ np.square(covariance) @ weights)
        return float(weights @ np.square(gap)) / mean, mean**2 / squares


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
