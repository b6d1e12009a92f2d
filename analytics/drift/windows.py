"""One field in several windows at once: what numpy adds over all of them in one call instead of one call a window.

90 days of 46 fields (4,140 tests by few blocks) took 2.9 s of processor time window by window and take .38 s so, .31 s
of a reference that is prepared already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.features import CellHistogram, FieldCounts
from analytics.drift.few_blocks import BlockSums, Places
from analytics.drift.sides import Side

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """One field in some windows; every one has blocks, and the blocks of one stand together.

    Attributes:
        counts: effective rows by block and bin, as in `Side`, shape (S, B).
        starts: the first block of each window, shape (W,).
        sums: the field's `FieldCounts` as they were counted, over all blocks of each window.
    """

    counts: Floats
    starts: Places
    sums: FieldCounts

    @classmethod
    def of(cls, counts: Floats, starts: Places, sums: FieldCounts) -> Windows:
        """Scale counts to effective rows (Kish)."""
        lengths = np.diff(starts, append=len(counts))
        return cls(counts * np.repeat(_kish(sums), lengths)[:, None], starts, sums)

    def __len__(self) -> int:
        return len(self.starts)

    def only(self, chosen: Sequence[int]) -> Windows:
        """Some of the windows, in this order."""
        if list(chosen) == list(range(len(self))):
            return self
        pieces = [self.counts[self._blocks(i)] for i in chosen]
        lengths = np.array([0, *map(len, pieces)])
        sums = FieldCounts(*(part[list(chosen)] for part in self.sums))
        return Windows(np.concatenate(pieces), np.cumsum(lengths)[:-1], sums)

    @cached_property
    def rows(self) -> list[int]:
        """Number of rows of each, as counted."""
        found: list[int] = np.round(self.sums.rows).astype(np.int64).tolist()
        return found

    @cached_property
    def blocks(self) -> BlockSums:
        """All bins, by block."""
        return BlockSums.of(self.counts, self.starts)

    @property
    def totals(self) -> Floats:
        """Effective rows per bin, shape (W, B)."""
        return self.blocks.totals

    @cached_property
    def n(self) -> Floats:
        """Effective number of rows, shape (W,)."""
        found: Floats = self.totals.sum(axis=1)
        return found

    @cached_property
    def outer(self) -> Floats:
        """Sums of distances below the lowest and above the highest edge, in the scale of counts, shape (2, W)."""
        found: Floats = np.stack([self.sums.below, self.sums.above]) * _kish(self.sums)
        return found

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """Each window on its own."""
        below, above = self.outer.tolist()
        sizes = self.n
        mates = self.blocks.pairs / np.where(sizes > 0, sizes, 1.0)
        found = []
        for i, rows in enumerate(self.rows):
            side = Side(self.counts[self._blocks(i)], rows, below[i], above[i])
            # what a side would add up by itself is known
            side.__dict__.update(
                total=self.totals[i],
                n=float(sizes[i]),
                n_blocks=int(self.blocks.groups[i]),
                mates=float(mates[i]),
            )
            found.append(side)
        return tuple(found)

    def _blocks(self, window: int) -> slice:
        after = self.starts[window + 1] if window + 1 < len(self.starts) else len(self.counts)
        return slice(int(self.starts[window]), int(after))


def _kish(sums: FieldCounts) -> Floats:
    """Effective rows in one of weights, of each window."""
    weights = sums.counts.sum(axis=1)
    found: Floats = np.divide(weights, sums.squares, out=np.ones_like(weights), where=sums.squares > 0)
    return found


@dataclass(frozen=True)
class Stacked:
    """Several windows of one version, all fields.

    Attributes:
        whole: the blocks of all windows, those of one after those of another.
        starts: the first block of each window.
        sums: the columns of ``whole`` added over the blocks of each window.
    """

    whole: CellHistogram
    starts: Places
    sums: CellHistogram

    @classmethod
    def of(cls, cells: Iterable[CellHistogram]) -> Stacked:
        """Stack windows that have blocks, one at least."""
        some = list(cells)
        starts = np.cumsum([0, *(len(cell.blocks) for cell in some[:-1])])
        values = np.concatenate([cell.values for cell in some])
        whole = CellHistogram(some[0].bins, np.concatenate([cell.blocks for cell in some]), values)
        numbers = np.arange(len(some), dtype=np.int64)
        return cls(whole, starts, CellHistogram(some[0].bins, numbers, np.add.reduceat(values, starts)))

    def field(self, index: int) -> Windows:
        """One field of all windows."""
        start, size = self.whole.starts[index], self.whole.bins[index].size
        return Windows.of(self.whole.values[:, start : start + size], self.starts, self.sums.field(index))
