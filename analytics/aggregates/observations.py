"""Values one by one, for quantiles and distributions: of units, or of the rows of events and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observations:
    """Values of all arms.

    Attributes:
        variants: arm of each value, shape (n,).
        values: shape (n,), finite.
        groups: what each value hangs together with (its unit, or its cluster), shape (n,); None where every value
            stands for itself.
        days: local day of first exposure of its unit, shape (n,); NaT where unknown.
        n_units: arm -> units that have a value.
        share: of the units that were read.
        of_rows: whether values are of rows, and not one a unit.
    """

    variants: NDArray[np.str_]
    values: Floats
    groups: NDArray[np.int64] | None
    days: NDArray[np.datetime64]
    n_units: Mapping[str, int]
    share: float = 1.0
    of_rows: bool = False

    def arm(self, variant: str) -> tuple[Floats, NDArray[np.int64] | None]:
        """Values and groups of one arm."""
        chosen = self.variants == variant
        return self.values[chosen], None if self.groups is None else self.groups[chosen]

    def until(self, day: date) -> Observations:
        """The values of units first exposed up to and including a day."""
        chosen = self.days <= np.datetime64(day)
        groups = None if self.groups is None else self.groups[chosen]
        return Observations(
            self.variants[chosen],
            self.values[chosen],
            groups,
            self.days[chosen],
            {},
            self.share,
            self.of_rows,
        )
