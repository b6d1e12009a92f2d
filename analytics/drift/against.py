"""Drift against something other than the reference: an earlier window, another version, another segment.

The distances, the rules for drift and the rows are those of `analytics.drift.compute`. What differs is what chance
gives: an earlier window of a day or a week has too few blocks to tell how much days differ, and two sides of the same
days are not independent of each other. Here are sides that know better; they are put in the place of the reference's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.aggregates.features import CellHistogram
from analytics.aggregates.keys import add_blocks
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.drift.compute import VersionHistograms
from analytics.drift.draws import tail
from analytics.drift.few_blocks import BlockSums, FewBlocks
from analytics.drift.sides import Mode, ReferenceSide, Share, Side, part
from analytics.drift.significance import values_by_block
from analytics.stats.clustered import LEAST_BLOCKS
from analytics.stats.paired_blocks import PairedSpread, influences, paired_f, shared_blocks, sign_flips

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
_TAIL = 8
_RUN = 7
_QUANTILE = 1 - 0.05 / 4
"""Where a share counts: its test has half of 5 %, two-sided."""


def with_unseen_listed(cell: CellHistogram) -> CellHistogram:
    """The same counts with values that the bins do not list counted as ``(other)``.

    The side compared with is not what fixed the bins, so a value new to the bins is no news.
    """
    bins, parts = [], []
    for index, item in enumerate(cell.bins):
        start = cell.starts[index]
        columns = cell.values[:, start : start + item.size + _TAIL]
        if not item.is_numeric:
            named = item.n_values - item.pooled
            other = columns[:, named : item.n_values].sum(axis=1) + columns[:, item.size - 1]
            rest = columns[:, item.size :].copy()
            rest[:, 4:] = 0.0
            nobody = np.zeros(len(columns))
            columns = np.column_stack([columns[:, :named], other, columns[:, item.n_values], nobody, rest])
        bins.append(listed(item))
        parts.append(columns)
    return CellHistogram(tuple(bins), cell.blocks, np.concatenate(parts, axis=1))


def listed(item: ReferenceBins) -> ReferenceBins:
    """Bins of which nothing is unseen."""
    return item if item.is_numeric else replace(item, pooled=True, rows=(), blocks=())


def without(whole: CellHistogram, part: CellHistogram) -> CellHistogram:
    """The rows of a cell that are not in a part of it."""
    blocks, values = add_blocks(whole.blocks, whole.values, part.blocks, -part.values)
    # sums of weights may differ by rounding
    values[np.abs(values) < 1e-9 * max(float(np.abs(whole.values).max(initial=0.0)), 1.0)] = 0.0
    left = CellHistogram(whole.bins, blocks, np.maximum(values, 0.0))
    rows = left.values[:, [left.starts[0] + left.bins[0].size]].ravel() if left.bins else np.zeros(0)
    return CellHistogram(left.bins, left.blocks[rows > 0], left.values[rows > 0])


def together(cells: Mapping[datetime, CellHistogram], bins: tuple[ReferenceBins, ...]) -> CellHistogram:
    """All windows of a version as one cell; their blocks are different ones."""
    if not cells:
        return CellHistogram.empty(bins)
    blocks = np.concatenate([cell.blocks for cell in cells.values()])
    order = np.argsort(blocks, kind="stable")
    return CellHistogram(bins, blocks[order], np.concatenate([cell.values for cell in cells.values()])[order])


@dataclass(frozen=True)
class Compared(VersionHistograms):
    """One window of a version and what it is compared with.

    Attributes:
        sides: the other side of each field.
        tests: what its values are tested with, where not by shuffling blocks or by rows.
    """

    sides: tuple[ReferenceSide, ...] = ()
    tests: tuple[FewBlocks | None, ...] = ()

    @property
    def references(self) -> tuple[ReferenceSide, ...]:
        """The other side of each field."""
        return self.sides

    @property
    def values(self) -> tuple[FewBlocks | None, ...]:
        """The tests of values."""
        return self.tests


# --- an earlier window of the same version


@dataclass(frozen=True)
class Alike:
    """How alike rows of one block are, learnt from a longer stretch of one field.

    Attributes:
        values: for the test of values; None where too few blocks hold them.
        everything: variance that rows of a block share over that of rows, of all bins together.
        shares: the same of the shares of missing and of infinite rows.
    """

    values: FewBlocks | None
    everything: float
    shares: tuple[float, float]

    @classmethod
    def of(cls, item: ReferenceBins, counts: Floats) -> Alike | None:
        """Learn from counts by block, in the order of time; None where there are too few blocks."""
        whole = within_runs(counts, ordered=False)
        if whole is None:
            return None
        cut = [within_runs(part(counts, share), ordered=False) for share in shares_of(item)]
        first, second = (0.0 if found is None else _alike(found) for found in cut)
        values = within_runs(counts[:, : item.n_values], ordered=item.is_numeric)
        return cls(values, _alike(whole), (first, second))


def within_runs(counts: Floats, *, ordered: bool) -> FewBlocks | None:
    """How much blocks differ from their neighbours: within runs of seven, so that a trend, or a jump, is not noise.

    Returns:
        As `FewBlocks.of` gives it, its groups being one more than the degrees of freedom; None under seven of them.
    """
    blocks = counts[counts.sum(axis=1) > 0]
    runs = [run for run in np.split(blocks, range(_RUN, len(blocks), _RUN)) if len(run) > 1]
    freedom = sum(len(run) - 1 for run in runs)
    if freedom < LEAST_BLOCKS - 1:
        return None
    size = blocks.shape[1]
    between, pairs, total = np.zeros((size, size)), 0.0, np.zeros(size)
    for run in runs:
        sizes, held = run.sum(axis=1), run.sum(axis=0)
        shares = held / held.sum()
        residual = run - sizes[:, None] * shares
        within = np.diag(held) - np.outer(held, shares)
        between += residual.T @ residual * len(run) / (len(run) - 1) - within
        pairs += float((sizes * (sizes - 1)).sum())
        total += held
    if pairs <= 0:
        return None
    values, vectors = np.linalg.eigh(between / pairs)
    between = (vectors * np.maximum(values, 0)) @ vectors.T
    if ordered:
        half = np.cumsum(between, axis=0) - between / 2
        between = np.cumsum(half, axis=1) - half / 2
    return FewBlocks(ordered, total, freedom + 1, pairs, between)


def _alike(found: FewBlocks) -> float:
    shares = found.total / found.total.sum()
    rows = float((shares * (1 - shares)).sum())
    return float(np.trace(found.between)) / rows if rows > 0 else 0.0


@dataclass(frozen=True)
class EarlierSide(ReferenceSide):
    """An earlier window of few blocks; how alike rows of a block are is known from a longer stretch."""

    alike: Alike | None = None

    @property
    def _mates(self) -> float:
        sizes = self.side.counts.sum(axis=1)
        return max(float((sizes * (sizes - 1)).sum() / sizes.sum()), 0.0)

    @cached_property
    def effect(self) -> float:
        """Design effect for blocks of this window's sizes."""
        return 1.0 if self.alike is None else 1.0 + self.alike.everything * self._mates

    @cached_property
    def share_effects(self) -> tuple[float, float]:
        """The same for the shares of missing and of infinite rows."""
        if self.alike is None:
            return 1.0, 1.0
        first, second = (1.0 + one * self._mates for one in self.alike.shares)
        return first, second

    def mode(self, window: Side) -> Mode:  # noqa: ARG002  # whatever the window, this side has few blocks
        """Few blocks."""
        return "few blocks"


@dataclass(frozen=True)
class Stretch:
    """A longer stretch of one version that tells how much blocks differ.

    Attributes:
        fields: each field; None where there are too few blocks.
    """

    fields: tuple[Alike | None, ...]

    @classmethod
    def of(cls, cell: CellHistogram) -> Stretch:
        """Learn from counts."""
        sides = (Side.of(cell.field(index)) for index in range(len(cell.bins)))
        return cls(tuple(Alike.of(item, side.counts) for item, side in zip(cell.bins, sides, strict=True)))


def earlier(
    version: str | None, window: tuple[datetime, CellHistogram], other: CellHistogram, longer: Stretch | None
) -> Compared:
    """A window against an earlier one of the same version.

    Args:
        version: both sides'.
        window: key and counts.
        other: the earlier window, on the same bins.
        longer: a longer stretch that tells how much blocks differ; None: rows count as independent there.
    """
    sides: list[ReferenceSide] = []
    tests: list[FewBlocks | None] = []
    for index, item in enumerate(other.bins):
        plain = ReferenceSide.of(item, other.field(index))
        few = Side.of(window[1].field(index)).n_blocks < LEAST_BLOCKS or plain.side.n_blocks < LEAST_BLOCKS
        alike = longer.fields[index] if few and longer is not None else None
        if alike is not None:
            sides.append(EarlierSide(plain.bins, plain.side, plain.lone, plain.paired, alike))
            tests.append(_spread_elsewhere(plain, alike.values))
        else:
            sides.append(plain)
            tests.append(values_by_block(plain))
    return Compared(version, version, other, {window[0]: window[1]}, tuple(sides), tuple(tests))


def _spread_elsewhere(own: ReferenceSide, learnt: FewBlocks | None) -> FewBlocks | None:
    if learnt is None:
        return None
    sizes = own.values.sum(axis=1)
    return replace(learnt, total=own.values.sum(axis=0), pairs=float((sizes * (sizes - 1)).sum()))


# --- two sides of the same blocks


@dataclass(frozen=True)
class PairedSide(ReferenceSide):
    """Rows of the same blocks as the window's.

    Attributes:
        effects: how many times the difference varies as much as with independent rows: of all bins together, of the
            share of missing values, of that of infinite ones; None where nothing is known of blocks.
    """

    effects: tuple[float, float, float] | None = None

    @cached_property
    def effect(self) -> float:
        """Of all bins together."""
        return 1.0 if self.effects is None else self.effects[0]

    @cached_property
    def share_effects(self) -> tuple[float, float]:
        """Of the shares of missing and of infinite values."""
        return (1.0, 1.0) if self.effects is None else self.effects[1:]

    def scaled(self, effect: float, window: Side) -> float:  # noqa: ARG002  # both sides have the same blocks
        """The effect is that of the difference: of both sides alike."""
        return effect

    def mode(self, window: Side) -> Mode:  # noqa: ARG002
        """Blocks, where something is known of them."""
        return "rows" if self.effects is None else "few blocks"


@dataclass(frozen=True)
class PairedTest(FewBlocks):
    """Tests values block by block.

    Attributes:
        left: counts of the other side on the window's blocks.
        right: counts of the window on these blocks.
        spread: of the difference over a longer stretch; None where signs are flipped.
    """

    left: Floats | None = None
    right: Floats | None = None
    spread: PairedSpread | None = None

    @classmethod
    def with_sides(cls, sides: Pair, spread: PairedSpread | None, *, ordered: bool) -> PairedTest:
        """The test of one window."""
        left, right = sides
        nothing = np.zeros((left.shape[1], left.shape[1]))
        return cls(ordered, left.sum(axis=0), len(left), 0.0, nothing, left, right, spread)

    def joined(self, groups: NDArray[np.intp] | None) -> FewBlocks:
        """Categories are never joined here: none is unseen."""
        if groups is not None:
            raise ValueError("bins of a paired comparison list every value")
        return self

    def p_values(self, windows: BlockSums) -> Floats:
        """The p-value, of the one window whose blocks are held; 1 where there is nothing to compare."""
        return np.full(len(windows.groups), self._p_value())

    def _p_value(self) -> float:
        if self.left is None or self.right is None or not self.left.any() or not self.right.any():
            return 1.0
        if self.spread is not None:
            return paired_f(self.left, self.right, self.spread, ordered=self.ordered)
        flipped = sign_flips(self.left, self.right, ordered=self.ordered)
        return tail(flipped.observed, flipped.draws, flipped.arrangements)


@dataclass(frozen=True)
class PairedField:
    """What a longer stretch teaches of the difference of one field: of all bins, values, missing, infinite."""

    everything: PairedSpread
    values: PairedSpread | None
    shares: tuple[PairedSpread | None, ...]


@dataclass(frozen=True)
class PairedStretch:
    """Both sides over a longer stretch: how much their difference varies from block to block.

    Attributes:
        fields: each field; None where fewer than eight blocks have both sides.
    """

    fields: tuple[PairedField | None, ...]

    @classmethod
    def of(cls, other: CellHistogram, own: CellHistogram) -> PairedStretch:
        """Learn from the counts of both sides."""
        return cls(
            tuple(_learnt(item, _aligned(item, other, own, index)) for index, item in enumerate(own.bins))
        )


def _learnt(item: ReferenceBins, sides: Pair) -> PairedField | None:
    left, right = sides
    everything = PairedSpread.of(left, right)
    if everything is None:
        return None
    n = item.n_values
    shares = tuple(PairedSpread.of(part(left, share), part(right, share)) for share in shares_of(item))
    return PairedField(everything, PairedSpread.of(left[:, :n], right[:, :n]), shares)


def paired(
    version: str | None,
    window: tuple[datetime, CellHistogram],
    other: CellHistogram,
    longer: PairedStretch | None,
) -> Compared:
    """A window against other rows of the same blocks.

    Args:
        version: the window's.
        window: key and counts.
        other: the other rows, on the same bins.
        longer: both sides over a longer stretch; None: rows count as independent where the window has fewer than
            eight blocks.
    """
    sides: list[ReferenceSide] = []
    tests: list[FewBlocks | None] = []
    for index, item in enumerate(other.bins):
        both = _aligned(item, other, window[1], index)
        plain = ReferenceSide.of(item, other.field(index))
        flips = shared_blocks(*both) >= LEAST_BLOCKS
        learnt = None if flips or longer is None else longer.fields[index]
        known = flips or learnt is not None
        effects = _effects(item, both, learnt) if known else None
        sides.append(PairedSide(plain.bins, plain.side, plain.lone, plain.paired, effects))
        values = (both[0][:, : item.n_values], both[1][:, : item.n_values])
        spread = None if learnt is None else learnt.values
        test = PairedTest.with_sides(values, spread, ordered=item.is_numeric)
        # flipping, or learning, takes blocks that hold values
        useful = spread is not None or shared_blocks(*values) >= LEAST_BLOCKS
        tests.append(test if known and useful else None)
    return Compared(version, version, other, {window[0]: window[1]}, tuple(sides), tuple(tests))


def shares_of(item: ReferenceBins) -> tuple[Share, Share]:
    """The shares that are tested apart from the values, as `ReferenceSide.shares_apart` has them."""
    empty = Side(np.zeros((0, item.size)), 0, 0.0, 0.0)
    return ReferenceSide(item, empty, np.zeros((0, item.size)), 0.0).shares_apart


def _aligned(
    item: ReferenceBins, left: CellHistogram, right: CellHistogram, index: int
) -> tuple[Floats, Floats]:
    """The counts of both sides in effective rows, on the union of their blocks."""
    blocks = np.union1d(left.blocks, right.blocks)
    found = []
    for cell in (left, right):
        counts = np.zeros((len(blocks), item.size))
        counts[np.searchsorted(blocks, cell.blocks)] = Side.of(cell.field(index)).counts
        found.append(counts)
    return found[0], found[1]


def _effects(item: ReferenceBins, sides: Pair, learnt: PairedField | None) -> tuple[float, float, float]:
    spreads = (None, None) if learnt is None else learnt.shares
    first, second = (
        _effect((part(sides[0], share), part(sides[1], share)), spread, flips=learnt is None)
        for share, spread in zip(shares_of(item), spreads, strict=True)
    )
    groups = shared_blocks(*sides) if learnt is None else learnt.everything.groups
    # a variance learnt from few blocks is itself uncertain: Student's quantile in the place of the normal one
    student = float(special.stdtrit(groups - 1, _QUANTILE) / special.ndtri(_QUANTILE)) ** 2
    everything = _effect(sides, None if learnt is None else learnt.everything, flips=learnt is None)
    return everything, first * student, second * student


def _effect(sides: Pair, spread: PairedSpread | None, *, flips: bool) -> float:
    """Variance of the difference over that of independent rows, at least 1."""
    left, right = sides
    m, n = float(left.sum()), float(right.sum())
    if m <= 0 or n <= 0 or (spread is None and not flips):
        return 1.0
    pooled = (left.sum(axis=0) + right.sum(axis=0)) / (m + n)
    rows = float((pooled * (1 - pooled)).sum()) * (1 / n + 1 / m)
    if rows <= 0:
        return 1.0
    if spread is not None:
        found = float(np.trace(spread.covariance(left, right)))
    else:
        single = influences(left, right)
        used = int((np.abs(single).max(axis=1) > 0).sum())
        found = float(np.square(single).sum()) * used / max(used - 1, 1)
    return max(found / rows, 1.0) if math.isfinite(found) else 1.0
