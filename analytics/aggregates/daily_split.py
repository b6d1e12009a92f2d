"""What fell on each arm by day, stratum and phase: what a split is tested on wherever it is looked at daily."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.unit_table import UnitTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DailySplit:
    """Units (or clusters, where these were randomised) by arm, cell by cell.

    Attributes:
        arms: declared, in declared order.
        days: local day of first exposure of each cell, ascending within a stratum, shape (C,); empty where exposures
            carry no time.
        strata: stratum of each cell, shape (C,); empty text without strata.
        phases: number of each cell's phase, -1 before the first, 0 without phases, shape (C,).
        n: shape (C, arms).
        clustered: whether clusters are counted.
    """

    arms: tuple[str, ...] = ()
    days: NDArray[np.datetime64] = field(default_factory=lambda: np.zeros(0, "datetime64[D]"))
    strata: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    phases: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    n: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    clustered: bool = False

    def __eq__(self, other: object) -> bool:
        """Whether the cells are the same."""
        return (
            isinstance(other, DailySplit)
            and (self.arms, self.clustered) == (other.arms, other.clustered)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name))
                for name in ("days", "strata", "phases", "n")
            )
        )

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: DailySplit) -> DailySplit:
        """The cells of disjoint sets of units together."""
        if self.arms != other.arms or self.clustered != other.clustered:
            raise ValueError("only splits over the same arms add")
        return DailySplit.of(
            self.arms,
            np.concatenate([self.days, other.days]),
            np.concatenate([self.strata, other.strata]),
            np.concatenate([self.phases, other.phases]),
            np.vstack([self.n, other.n]),
            clustered=self.clustered,
        )

    @classmethod
    def of(
        cls,
        arms: tuple[str, ...],
        days: NDArray[np.datetime64],
        strata: NDArray[np.str_],
        phases: NDArray[np.int64],
        n: Floats,
        *,
        clustered: bool = False,
    ) -> DailySplit:
        """Cells of one key are added, and put in order."""
        if not len(n):
            return cls(arms, days, strata, phases, n, clustered)
        names, stratum = np.unique(strata, return_inverse=True)
        keys = np.column_stack([stratum, days.astype(np.int64), phases])
        unique, place = np.unique(keys, axis=0, return_inverse=True)
        total = np.zeros((len(unique), len(arms)))
        np.add.at(total, place.ravel(), n)
        kept = unique[:, 1].astype("datetime64[D]")
        return cls(arms, kept, names[unique[:, 0]], unique[:, 2], total, clustered)


def _randomised(table: UnitTable, *, clusters: bool) -> str:
    """One row per unit, or per cluster with what its first unit had."""
    if not clusters:
        return f"SELECT variant, day, coalesce(stratum, '') AS stratum, phase FROM ({table.units.text})"
    return (
        "SELECT min(variant) AS variant, min(day) AS day, min(coalesce(stratum, '')) AS stratum, "
        f"min(phase) AS phase FROM ({table.units.text}) GROUP BY cluster"
    )


def read_strata(table: UnitTable, *, clusters: bool) -> dict[str, dict[str, int]]:
    """Stratum -> arm -> units (or clusters), whether exposures carry times or not."""
    rows = table.query(
        f"SELECT stratum, variant, count(*) AS n FROM ({_randomised(table, clusters=clusters)}) "
        "GROUP BY stratum, variant ORDER BY stratum, variant"
    ).to_pylist()
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["stratum"], {})[row["variant"]] = int(row["n"])
    return found


def read_daily_split(table: UnitTable, *, clusters: bool) -> DailySplit:
    """Count units, or clusters by the day of their first unit."""
    arms = tuple(table.reading.variants)
    rows = table.query(
        "SELECT variant, day, stratum, phase, count(*) AS n "
        f"FROM ({_randomised(table, clusters=clusters)}) WHERE day IS NOT NULL "
        "GROUP BY variant, day, stratum, phase"
    )
    if not rows.num_rows:
        return DailySplit(arms=arms, n=np.zeros((0, len(arms))), clustered=clusters)
    counts = np.zeros((rows.num_rows, len(arms)))
    place = [arms.index(name) for name in rows.column("variant").to_pylist()]
    counts[np.arange(rows.num_rows), place] = rows.column("n").to_numpy()
    return DailySplit.of(
        arms,
        rows.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]"),
        np.array(rows.column("stratum").to_pylist(), dtype=np.str_),
        rows.column("phase").to_numpy(zero_copy_only=False).astype(np.int64),
        counts,
        clustered=clusters,
    )
