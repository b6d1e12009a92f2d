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
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.drift.draws import Gamma
from analytics.drift.left_out import statistics_left_out, weights_and_variances

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
LEAST_FOLLOWING = 20
"""Blocks needed to tell whether they follow one another."""
MOST_KEPT = 0.85
_AT_ONCE = 1_000_000
"""Numbers of all windows' covariances that are in memory at once."""
_JOINED = 16
"""Ways of joining categories that are remembered of a field: a reference stays prepared for as long as its files do."""


class BlockSums(NamedTuple):
    """Counts of some windows, of which the blocks are known by three numbers only.

    Attributes:
        totals: rows per bin, shape (W, B).
        groups: blocks that hold rows, shape (W,).
        pairs: ordered pairs of rows that share a block, shape (W,).
    """

    totals: Floats
    groups: NDArray[np.int64]
    pairs: Floats

    @classmethod
    def of(cls, counts: Floats, starts: Places) -> BlockSums:
        """Add counts by block, those of one window after those of another; each window begins at its start."""
        sizes = counts.sum(axis=1)
        groups = np.add.reduceat((sizes > 0).astype(np.int64), starts)
        return cls(np.add.reduceat(counts, starts), groups, np.add.reduceat(sizes * (sizes - 1), starts))

    def only(self, chosen: Places) -> BlockSums:
        """Some of the windows."""
        return BlockSums(self.totals[chosen], self.groups[chosen], self.pairs[chosen])


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
        known: window's blocks -> what the statistics of the reference's own sets of so many are like, as far as it
            was needed.
    """

    ordered: bool
    total: Floats
    groups: int
    pairs: float
    between: Floats
    follows: tuple[float, float] = field(default=(0.0, 0.0), kw_only=True)
    blocks: Floats = field(default_factory=lambda: np.zeros((0, 1)), kw_only=True)
    known: dict[int, Gamma | None] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

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
        if min(sides) <= 0:
            return 1.0
        return sum(_sum_of(n, *self.follows) / n for n in sides) / sum(1 / n for n in sides)

    def joined(self, groups: NDArray[np.intp] | None) -> FewBlocks:
        """The same with the categories of one group taken together."""
        if groups is None or self.ordered:
            return self
        key = groups.tobytes()
        found = self._joined.get(key)
        if found is None:
            if len(self._joined) >= _JOINED:
                self._joined.clear()
            member = np.eye(groups.max() + 1)[groups]
            blocks = self.blocks @ member if len(self.blocks) else self.blocks
            found = self._joined[key] = replace(
                self,
                total=self.total @ member,
                between=member.T @ self.between @ member,
                blocks=blocks,
                known={},
            )
        return found

    @cached_property
    def _joined(self) -> dict[bytes, FewBlocks]:
        # most windows of a field join the same categories
        return {}

    def p_value(self, window: Floats) -> float:
        """The p-value for a window's counts by block; 1 where there is nothing to compare."""
        return float(self.p_values(BlockSums.of(window, np.zeros(1, dtype=np.intp)))[0])

    def p_values(self, windows: BlockSums) -> Floats:
        """The p-value of each of some windows; 1 where there is nothing to compare."""
        most = max(_AT_ONCE // max(self.total.size**2, 1), 1)
        places = range(0, len(windows.groups), most)
        pieces = [windows.only(np.arange(i, min(i + most, len(windows.groups)))) for i in places]
        return np.concatenate([np.zeros(0), *map(self._p_values, pieces)])

    def _p_values(self, windows: BlockSums) -> Floats:
        totals, groups, pairs = windows
        shared = self.pairs / float(self.total.sum()) ** 2 + pairs / np.square(totals.sum(axis=1))
        statistics, freedom = self._tested(totals, shared)
        for count in np.unique(groups):
            statistics[groups == count] /= self.carry(int(count))
        found = self._tail(statistics, freedom)
        for count in np.unique(groups):
            own = self._own(int(count))
            if own is not None:
                chosen = groups == count
                found[chosen] = np.maximum(found[chosen], own.tail(statistics[chosen]))
        return np.where(np.isnan(statistics), 1.0, found)

    def p_value_of(self, current: Floats, shared: float, carry: float = 1.0) -> float:
        """The p-value for a window's counts by F alone; 1 where there is nothing to compare.

        Args:
            current: rows per bin.
            shared: the part of all pairs of rows that share a block, within the reference and within the window
                together, less twice that across the two.
            carry: what the variance is multiplied with besides.
        """
        statistics, freedom = self._tested(current[None], np.array([shared]))
        return 1.0 if np.isnan(statistics[0]) else float(self._tail(statistics / carry, freedom)[0])

    def _tail(self, statistics: Floats, freedom: Floats) -> Floats:
        return np.asarray(special.fdtrc(freedom, freedom * (self.groups - 1), statistics))

    def _own(self, window_groups: int) -> Gamma | None:
        """How the statistics of sets of the reference's own blocks are distributed, as many as the window has."""
        if window_groups not in self.known:
            shares = self.total / self.total.sum()
            weights, _ = weights_and_variances(shares, ordered=self.ordered)
            trace = float(weights @ np.diag(self.between))
            found = (
                statistics_left_out(self.blocks, window_groups, ordered=self.ordered, trace=trace)
                if len(self.blocks) > 1
                else np.zeros(0)
            )
            self.known[window_groups] = Gamma.of(found) if found.size else None
        return self.known[window_groups]

    def _tested(self, current: Floats, shared: Floats) -> tuple[Floats, Floats]:
        """The statistic of each window, of mean 1 under no drift, and its degrees of freedom; nan where there is none.

        Args:
            current: rows per bin, shape (W, B).
            shared: as for `p_value_of`, shape (W,).
        """
        m, n = float(self.total.sum()), current.sum(axis=1)
        pooled = (self.total + current) / (m + n)[:, None]
        gap = self.total / m - current / n[:, None]
        weights, variances = weights_and_variances(pooled, ordered=self.ordered)
        if self.ordered:
            middle = np.cumsum(pooled, axis=1) - pooled / 2
            gap = np.cumsum(gap, axis=1) - gap / 2
            within = np.minimum(middle[:, :, None], middle[:, None, :])
            within -= middle[:, :, None] * middle[:, None, :]
        else:
            within = -pooled[:, :, None] * pooled[:, None, :]
        places = np.arange(self.total.size)
        within[:, places, places] = variances
        covariance = within * (1 / n + 1 / m)[:, None, None]
        covariance += self.between * shared[:, None, None]
        means = (weights * covariance[:, places, places]).sum(axis=1)
        np.square(covariance, out=covariance)
        squares = (weights * np.matmul(covariance, weights[:, :, None])[:, :, 0]).sum(axis=1)
        known = ((pooled > 0).sum(axis=1) >= 2) & (means > 0)
        nothing = np.full(len(n), np.nan)
        statistics = np.divide((weights * np.square(gap)).sum(axis=1), means, out=nothing.copy(), where=known)
        return statistics, np.divide(np.square(means), squares, out=nothing, where=known)


@lru_cache(maxsize=4096)
def _sum_of(groups: int, first: float, kept: float) -> float:
    """Variance of the sum of so many blocks in a row over that of as many independent ones.

    Args:
        groups: how many.
        first: correlation of a block with the one before.
        kept: how much of it is left one block later.
    """
    lags = np.arange(1, groups)
    return 1 + 2 * float(((1 - lags / groups) * first * kept ** (lags - 1)).sum())


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
