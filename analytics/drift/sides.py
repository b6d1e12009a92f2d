"""The two sides of a comparison, as counts the tests take: values, shares apart from values, and who is new by chance.

A value that the reference has never had is *unseen*. By that very definition the reference has no unseen rows, so a
column of many rare values would look drifted for ever. What a reference row would be is known all the same: it would
be unseen had its own row (or block of time) been left out. The unseen share is tested against that leave-one-out share
(Good, Biometrika 40, 1953), and where there are such lone rows, categories too rare for the reference to be sure of
having them are joined with the unseen ones. The distances that are shown use the reference as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.features import FieldCounts
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.drift.few_blocks import FewBlocks
from analytics.stats.clustered import LEAST_BLOCKS, design_effect
from analytics.stats.two_sample import LEAST_EXPECTED

Floats = NDArray[np.float64]
Mode = Literal["rows", "few blocks", "blocks"]


class Share(NamedTuple):
    """A share as columns of the counts: what it counts, and the rest of the rows it is taken of."""

    inside: tuple[int, ...]
    outside: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """One field on one side, by block.

    Attributes:
        counts: effective rows per block and bin, shape (G, B): rows, or weights scaled to Kish's effective n.
        rows: number of rows, as counted.
        below: sum of distances below the lowest edge, in the scale of counts.
        above: sum of distances above the highest edge.
    """

    counts: Floats
    rows: int
    below: float
    above: float

    @classmethod
    def of(cls, field: FieldCounts) -> Side:
        """Scale the counts of one field to effective rows."""
        factor = _kish(field)
        below, above = float(field.below.sum()) * factor, float(field.above.sum()) * factor
        return cls(field.counts * factor, round(float(field.rows.sum())), below, above)

    @cached_property
    def total(self) -> Floats:
        """Effective rows per bin."""
        total: Floats = self.counts.sum(axis=0)
        return total

    @cached_property
    def n(self) -> float:
        """Effective number of rows."""
        return float(self.total.sum())

    @property
    def shares(self) -> Floats:
        """Share of each bin; needs rows."""
        shares: Floats = self.total / self.n
        return shares

    @cached_property
    def n_blocks(self) -> int:
        """Blocks that hold rows of this field."""
        return int((self.counts.sum(axis=1) > 0).sum())

    @cached_property
    def mates(self) -> float:
        """Rows that share a block with a row, on average."""
        sizes = self.counts.sum(axis=1)
        return float((sizes * (sizes - 1)).sum() / sizes.sum())


def _kish(field: FieldCounts) -> float:
    squares = float(field.squares.sum())
    return float(field.counts.sum()) / squares if squares > 0 else 1.0


@dataclass(frozen=True)
class ReferenceSide:
    """The reference of one field, with all that does not depend on the window.

    Attributes:
        side: as it is.
        lone: per block and bin, the rows that would be unseen were they left out, shape (G, B).
        paired: rows whose value one other row (or block) has.
    """

    bins: ReferenceBins
    side: Side
    lone: Floats
    paired: float

    @classmethod
    def of(cls, bins: ReferenceBins, field: FieldCounts) -> ReferenceSide:
        """Prepare one field."""
        own = Side.of(field)
        lone, paired = np.zeros_like(own.counts), 0.0
        if not bins.is_numeric:
            by_block = own.n_blocks >= LEAST_BLOCKS
            held = np.array(bins.blocks if by_block else bins.rows)
            lone[:, np.flatnonzero(held == 1)] = own.counts[:, np.flatnonzero(held == 1)]
            paired = float(own.counts[:, np.flatnonzero(held == 2)].sum())
            if bins.pooled:
                one, two = (
                    (field.in_one_block, field.in_two_blocks) if by_block else (field.once, field.twice)
                )
                lone[:, bins.n_values - 1] = one * _kish(field)
                paired += float(two.sum()) * _kish(field)
        return cls(bins, own, lone, paired)

    @cached_property
    def honest(self) -> Side:
        """The reference with its lone rows counted as unseen."""
        if not self.lone.any():
            return self.side
        counts = self.side.counts - self.lone
        counts[:, -1] += self.lone.sum(axis=1)
        return Side(counts, self.side.rows, self.side.below, self.side.above)

    @cached_property
    def lone_share(self) -> float:
        """Share of rows expected to be unseen when nothing has drifted."""
        return float(self.lone.sum()) / self.side.n

    @cached_property
    def joins(self) -> bool:
        """Whether rare categories are joined with the unseen ones when values are tested."""
        return bool(self.lone.any())

    @cached_property
    def values(self) -> Floats:
        """The counts by block that the test of values looks at, in the order of `groups`."""
        return self._values(self.side)

    def _values(self, side: Side) -> Floats:
        n = self.bins.n_values
        return np.column_stack([side.counts[:, :n], side.counts[:, -1]]) if self.joins else side.counts[:, :n]

    def window_values(self, window: Side) -> tuple[Floats, NDArray[np.intp] | None]:
        """The same of a window; and, where rare ones are joined, the group of each column.

        A category is rare where the rows of both sides together (or, by block, the blocks that hold it) let the
        reference expect fewer than five: a rule in which both sides play the same part.
        """
        values = self._values(window)
        if not self.joins:
            return values, None
        left, right = self.values, values
        pooled = left.sum(axis=0) + right.sum(axis=0)
        expected = pooled * (self.side.n / (self.side.n + window.n))
        if self.by_block:
            blocks = (left > 0).sum(axis=0) + (right > 0).sum(axis=0)
            part = self.side.n_blocks / (self.side.n_blocks + window.n_blocks)
            expected = np.minimum(expected, blocks * part)
        rare = expected < self._least_expected()
        rare[self.bins.n_values - self.bins.pooled :] = True
        groups = np.cumsum(~rare) - 1
        groups[rare] = groups.max() + 1
        return values, groups

    def _least_expected(self) -> float:
        if not self.bins.pooled:
            return LEAST_EXPECTED
        # the last of the listed ones is there by luck; far above it luck does not matter
        last = float(self.side.total[: self.bins.n_values - 1].min())
        return max(LEAST_EXPECTED, last + 4 * math.sqrt(last))

    @property
    def by_block(self) -> bool:
        """Whether the reference has blocks enough to speak of dependence."""
        return self.side.n_blocks >= LEAST_BLOCKS

    @cached_property
    def shares_apart(self) -> tuple[Share, Share]:
        """The two shares tested apart from the values: missing of all rows; infinite or unseen of those present."""
        n, size = self.bins.n_values, self.bins.size
        values, rest = tuple(range(n)), tuple(range(n + 1, size))
        return Share((n,), (*values, *rest)), Share(rest, values)

    @cached_property
    def effect(self) -> float:
        """How many times the blocks' shares vary as much as those of independent rows would."""
        return design_effect(self.honest.counts)

    @cached_property
    def share_effects(self) -> tuple[float, float]:
        """The same for each of `shares_apart`."""
        if not self.by_block:
            return 1.0, 1.0
        first, second = (_share_effect(part(self.honest.counts, share)) for share in self.shares_apart)
        return first, second

    def scaled(self, effect: float, window: Side) -> float:
        """A design effect of the reference for blocks of the window's sizes: rows of one block are as alike."""
        mates = self.side.mates
        return 1.0 + (effect - 1) * max(window.mates, 0.0) / mates if mates > 0 else 1.0

    def share_by_block(self, share: Share) -> FewBlocks:
        """What a share of windows of few blocks is tested against, prepared once; some rows must have it, some not."""
        if share not in self._shares_by_block:
            self._shares_by_block[share] = FewBlocks.of(part(self.honest.counts, share), ordered=False)
        return self._shares_by_block[share]

    @cached_property
    def _shares_by_block(self) -> dict[Share, FewBlocks]:
        return {}

    def mode(self, window: Side) -> Mode:
        """What the tests take as independent.

        Rows; blocks, shuffled whole; or, in a window of few blocks, rows thinned by the design effect of the
        reference's blocks.
        """
        if not self.by_block:
            return "rows"
        return "blocks" if window.n_blocks >= LEAST_BLOCKS else "few blocks"


def join(counts: Floats, groups: NDArray[np.intp] | None) -> Floats:
    """Add the columns of one group (last axis); no groups leave the columns as they are."""
    return counts if groups is None else counts @ np.eye(groups.max() + 1)[groups]


def split(counts: Floats, bins: slice) -> Floats:
    """Rows inside some bins and outside them, on the last axis."""
    inside = counts[:, bins].sum(axis=1)
    return np.column_stack([inside, counts.sum(axis=1) - inside])


def part(counts: Floats, share: Share) -> Floats:
    """Rows that make a share and those it is taken of, apart from them, on the last axis."""
    found: Floats = counts @ _members(share, counts.shape[-1])
    return found


@lru_cache(maxsize=512)
def _members(share: Share, size: int) -> Floats:
    """Which column of the counts is in which part; a product with it takes a third of two sums of chosen columns."""
    members = np.zeros((size, len(share)))
    for place, columns in enumerate(share):
        members[list(columns), place] = 1.0
    return members


def _share_effect(counts: Floats) -> float:
    return design_effect(counts) if counts.any() else 1.0
