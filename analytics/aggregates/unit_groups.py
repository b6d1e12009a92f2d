"""Sums by random groups of units: what an interval needs where units go together, in parts that add over days.

A unit comes back on any day, so that sums by unit are no sum of days' sums. But every unit can be put into one of a
few groups by the digest of its name, the same group on every day: sums by group do add, and spread as sums by unit do.
With influences psi that sum to 0 and G groups drawn at random, E[sum over groups of (group's sum of psi)^2] =
(1 - 1/G) x sum over units of (unit's sum of psi)^2, so that G / (G - 1) times it estimates the variance over units
without bias, with G - 1 degrees of freedom: the random-group method, for smooth estimates the same as the
delete-a-group jackknife (Kott 2001, Wolter 2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
GROUPS = 64
"""With 63 degrees of freedom an interval is 2 % wider, and its width differs by 9 % from that with all units known."""
MANY_ROWS = 250_000
"""Questions about fewer rows are answered from these, unit by unit: they are read in tenths of a second."""
LEAST_GROUPS = 48
"""Fewer groups than this with rows mean fewer than about 90 units, each of which counts: rows are read then, too."""


def unit_group() -> str:
    """SQL of a row's group: two hexadecimal digits, the second one of four.

    A row without a unit stands for itself, or for those of the same instant, which no engine tells apart otherwise.
    """
    digest = "md5(CASE WHEN unit IS NULL THEN CAST(epoch_us(ts) AS VARCHAR) ELSE unit END)"
    second = f"substr({digest}, 2, 1)"
    quarter = " ".join(f"WHEN {second} < '{digit}' THEN '{digit}'" for digit in "48c")
    return f"concat(substr({digest}, 1, 1), CASE {quarter} ELSE 'g' END)"


@dataclass(frozen=True)
class UnitSums:
    """Sums of row statistics by cell and group, as they are kept.

    Attributes:
        additive: columns ``n`` (rows) and ``g0``, ``g1`` … by window, version, segment value and ``unit_group``.
        names: of the statistics, in the order of the columns.
    """

    additive: Additive
    names: tuple[str, ...]


def unit_sums(statistics: Mapping[str, str]) -> UnitSums:
    """Sums of statistics, given as name -> SQL of a row's value, in one query.

    A model's quality has a cheaper way to the same (`analytics.aggregates.condensed_units`).
    """
    inner = ", ".join(f"{expression} AS z{i}" for i, expression in enumerate(statistics.values()))
    outer = ", ".join(f"sum(weight * z{i}) AS g{i}" for i in range(len(statistics)))

    def query(rows: Sql) -> Sql:
        return Sql(
            f"SELECT {KEYS}, unit_group, count(*) AS n, {outer} FROM (SELECT {KEYS}, weight, {unit_group()} "
            f"AS unit_group, {inner} FROM ({rows.text})) GROUP BY {KEYS}, unit_group",
            rows.parameters,
        )

    sums = ("n", *(f"g{i}" for i in range(len(statistics))))
    return UnitSums(Additive("unit sums", query, sums), tuple(statistics))


@dataclass(frozen=True)
class GroupSums:
    """What `UnitSums` are of one question.

    Attributes:
        names: of the K statistics.
        cells: cell -> sums by group, shape (`GROUPS`, K); a group without rows has 0.
        slices: cell of a window and version -> the same over all its segment values together.
    """

    names: tuple[str, ...]
    cells: Mapping[CellKey, Floats]
    slices: Mapping[CellKey, Floats]

    def of(self, key: CellKey, names: Sequence[str]) -> Floats:
        """The sums of some statistics of a cell, shape (`GROUPS`, K)."""
        found: Floats = self.cells[key][:, [self.names.index(name) for name in names]]
        return found

    def whole(self, key: CellKey, names: Sequence[str]) -> Floats:
        """The sums of all segment values of a cell's window and version together, shape (`GROUPS`, K)."""
        every = self.slices[CellKey(key.window, key.version, None)]
        found: Floats = every[:, [self.names.index(name) for name in names]]
        return found

    def squares(self, key: CellKey, names: Sequence[str], influences: Floats) -> tuple[Floats, Floats]:
        """Sums over groups of squared influence totals, and how many groups have a row that moves each.

        Args:
            key: the cell.
            names: of K statistics.
            influences: of a unit of each statistic on M estimates, shape (M, K).
        """
        sums = self.of(key, names)
        moves = (sums != 0.0).astype(np.float64) @ (influences != 0.0).T.astype(np.float64)
        return ((sums @ influences.T) ** 2).sum(axis=0), (moves > 0).sum(axis=0).astype(np.float64)


def read_group_sums(catalog: Catalog, rows: Sql, kept: UnitSums | None) -> GroupSums | None:
    """The sums of scoped rows from stored parts; None where rows or units are few, or there are no parts.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        kept: which sums; None where a project keeps none.
    """
    if kept is None or catalog.predictions.unit is None:
        return None
    stored = read_stored(catalog, rows, kept.additive)
    if stored is None or not are_many(stored[0]):
        return None
    table = stored[0]
    columns = [f"g{i}" for i in range(len(kept.names))]
    segments = _by_cell(table, columns)
    whole = {key: each for key, each in segments.items() if key.segment is None}
    if len(whole) < len(segments):
        whole = _by_cell(table.set_column(_place(table), "segment", pa.nulls(table.num_rows)), columns)
    return GroupSums(kept.names, segments, whole)


def _place(table: pa.Table) -> int:
    return int(table.schema.get_field_index("segment"))


def centred(sums: Floats) -> Floats:
    """Sums by group less their mean; shape (`GROUPS`, K).

    Influences that sum to 0 need none of it. For a count, which has no such sum, products of these are what the
    squared counts of single units come to: E[sum (N_g - N / G)^2] = (1 - 1 / G) sum n_u^2.
    """
    apart: Floats = sums - sums.mean(axis=0)
    return apart


def are_many(table: pa.Table) -> bool:
    """Whether a question is about many rows, and about more than a few units."""
    n = column(table, "n")
    if n.sum() <= MANY_ROWS:
        return False
    largest = max(group(table).rows.values(), key=lambda index: float(n[index].sum()))
    return len(np.unique(group_codes(table)[largest])) >= LEAST_GROUPS


def _by_cell(table: pa.Table, columns: Sequence[str]) -> dict[CellKey, Floats]:
    codes = group_codes(table)
    values = np.stack([column(table, name) for name in columns], axis=1)
    found = {}
    for key, index in group(table).rows.items():
        found[key] = np.zeros((GROUPS, len(columns)))
        np.add.at(found[key], codes[index], values[index])
    return found


def group_codes(table: pa.Table) -> Integers:
    """Each row's group as a number that means the same in every table."""
    encoded = table.column("unit_group").combine_chunks().dictionary_encode()
    numbers = [int(name[0], 16) * 4 + "48cg".index(name[1]) for name in encoded.dictionary.to_pylist()]
    codes: Integers = np.array(numbers, dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    return codes
