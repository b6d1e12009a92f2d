"""Rows of one unit are not independent, on whatever days they come: the same tests with the units' covariance.

Design: rows of one unit are as alike across days, and across the two sides, as rows of one unit of the reference
are (`few_blocks`, with units for blocks). The difference of shares then has the covariance

    S (1/n + 1/m) + B (alike in the window + alike in the reference - 2 across),

S being the multinomial one, B the covariance of two rows of one unit, *alike* the part of all pairs of rows of a side
that belong to one unit, and *across* the same of pairs of a row of either side: units on both sides cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.unit_counts import ReferenceUnits, UnitPairs
from analytics.drift.few_blocks import FewBlocks
from analytics.drift.sides import ReferenceSide, Share, Side, join, part
from analytics.stats.blocks import MINIMUM_CLUSTERS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnitField:
    """One field of the reference by unit.

    Attributes:
        reference: the field's reference.
        units: all units of the reference.
        counts: rows of the sampled units, by unit and bin.
        thinned: how many times larger *alike* is among the rows that hold the field than among all rows, in the
            sample (labels may be known of some units only).
    """

    reference: ReferenceSide
    units: ReferenceUnits
    counts: Floats
    thinned: float

    @classmethod
    def of(cls, reference: ReferenceSide, units: ReferenceUnits, index: int) -> UnitField:
        """Prepare the field with this number."""
        counts, sizes = Side.of(units.sample.field(index)).counts, _rows(units)
        held, whole = _alike(counts.sum(axis=1)), _alike(sizes)
        return cls(reference, units, counts, held / whole if whole > 0 else 1.0)

    def shared(self, pairs: UnitPairs) -> float:
        """What `FewBlocks.p_value_of` asks for."""
        return max(self.thinned * (self.units.alike + pairs.alike - 2 * pairs.across), 0.0)

    @cached_property
    def worth(self) -> int:
        """How many units of one size tell as much of how alike rows are: large ones count with their squares."""
        squares = np.square(self.counts.sum(axis=1))
        if not squares.any():
            return self.units.units
        part_of_sample = float(squares.sum()) ** 2 / float(np.square(squares).sum()) / len(squares)
        return max(round(self.units.units * part_of_sample), 2)

    @cached_property
    def likeness(self) -> float:
        """The correlation of two rows of one unit, over all values; 0 to 1."""
        values = self.counts[:, : self.reference.bins.n_values]
        if not values.any():
            return 0.0
        shares = values.sum(axis=0) / values.sum()
        whole = float((shares * (1 - shares)).sum())
        return min(float(np.trace(_between(values, ordered=False))) / whole, 1.0) if whole > 0 else 0.0

    @cached_property
    def _values(self) -> FewBlocks:
        n, ordered = self.reference.bins.n_values, self.reference.bins.is_numeric
        values = self.counts[:, :n]
        if self.reference.joins:
            values = np.column_stack([values, self.counts[:, -1]])
        total = self.reference.values.sum(axis=0)
        return FewBlocks(ordered, total, self.worth, 0.0, _between(values, ordered=ordered))

    def values_p_value(self, window: Side, pairs: UnitPairs) -> float | None:
        """The test of values; None where there is nothing to test."""
        current, groups = self.reference.window_values(window)
        total, test = join(current, groups).sum(axis=0), self._values.joined(groups)
        if not test.total.any() or not total.any() or np.count_nonzero(test.total + total) < 2:
            return None
        return test.p_value_of(total, self.shared(pairs))

    def share_p_value(self, window: Side, share: Share, pairs: UnitPairs) -> float:
        """The test of one share that varies."""
        between = _between(part(self.counts, share), ordered=False)
        test = FewBlocks(False, part(self.reference.honest.total, share), self.worth, 0.0, between)
        return test.p_value_of(part(window.total, share), self.shared(pairs))

    def thinning(self, side: Side, alike: float) -> float:
        """How many rows of a side are worth one."""
        return 1.0 + self.likeness * self.thinned * alike * side.n

    def spread(self, window: Side, pairs: UnitPairs) -> float:
        """How many times the difference of shares varies as much as with independent rows, over all values."""
        return 1.0 + self.likeness * self.shared(pairs) / (1 / self.reference.side.n + 1 / window.n)


def _rows(units: ReferenceUnits) -> Floats:
    """Rows of each sampled unit; of labels only those that came are counted, so another field is asked."""
    bins = units.sample.bins
    index = next((i for i, item in enumerate(bins) if item.field.role != "label"), 0)
    sizes: Floats = Side.of(units.sample.field(index)).counts.sum(axis=1)
    return sizes


def _between(counts: Floats, *, ordered: bool) -> Floats:
    if not counts.any():
        return np.zeros((counts.shape[1], counts.shape[1]))
    return FewBlocks.of(counts, ordered=ordered).between


def _alike(sizes: Floats) -> float:
    total = float(sizes.sum())
    return float((sizes * np.maximum(sizes - 1, 0)).sum()) / total**2 if total > 0 else 0.0


def enough(units: ReferenceUnits | None) -> bool:
    """Whether the reference has units enough to tell how alike their rows are; a window may have any number."""
    return units is not None and units.units >= MINIMUM_CLUSTERS
