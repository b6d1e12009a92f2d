"""Counts of true class by decided class: everything that depends on decisions alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_added, read_stored
from analytics.aggregates.keys import KEYS, CellKey, add_blocks, block_codes, column, group, key_columns
from analytics.aggregates.moments import Statistic, unit_expression, weighs_one
from analytics.engines.text import Sql, literal
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
MOST_DECISIONS = 30
"""(true, decided) pairs up to which their products over units are read: five classes."""


@dataclass(frozen=True)
class DecisionCells:
    """Rows of one cell by block, true class and decided class.

    Attributes:
        classes: in order; the last index of the true axis stands for "no label yet".
        blocks: the blocks' numbers, ascending, shape (G,).
        counts: rows, shape (G, K + 1, K).
        weights: sums of weights, same shape.
        squares: sums of squared weights, same shape.
    """

    classes: tuple[str, ...]
    blocks: NDArray[np.int64]
    counts: Floats
    weights: Floats
    squares: Floats

    def __add__(self, other: DecisionCells) -> DecisionCells:
        """Disjoint rows together."""
        if self.classes != other.classes:
            raise ValueError("only tables of the same classes add")
        blocks, counts = add_blocks(self.blocks, self.counts, other.blocks, other.counts)
        _, weights = add_blocks(self.blocks, self.weights, other.blocks, other.weights)
        _, squares = add_blocks(self.blocks, self.squares, other.blocks, other.squares)
        return DecisionCells(self.classes, blocks, counts, weights, squares)

    def __sub__(self, part: DecisionCells) -> DecisionCells:
        """The rows that are not in a part of these."""
        return self + DecisionCells(part.classes, part.blocks, -part.counts, -part.weights, -part.squares)

    @cached_property
    def total_weights(self) -> Floats:
        """Weights of all blocks, shape (K + 1, K)."""
        return as_floats(self.weights.sum(axis=0))

    @cached_property
    def total_squares(self) -> Floats:
        """Squared weights of all blocks, same shape."""
        return as_floats(self.squares.sum(axis=0))

    @property
    def labelled(self) -> Floats:
        """Weights of labelled rows by true and decided class, shape (K, K)."""
        total: Floats = self.weights.sum(axis=0)[:-1]
        return total


def read_decision_cells(
    catalog: Catalog, rows: Sql, classes: Sequence[str], *, stored: Additive | None = None
) -> tuple[dict[CellKey, DecisionCells], str]:
    """Count scored rows with a decision by cell, block, true and decided class.

    A class outside ``classes`` cannot be decided or true here: such rows are counted as invalid by the report.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        classes: in order.
        stored: the same counts, as a family of aggregates keeps them that shares its scans.
    """
    kept = read_stored(catalog, rows, stored) if stored is not None else None
    table, text = kept or read_added(catalog, rows, decision_parts(plain=weighs_one(catalog, rows)))
    return _decision_cells(table, classes), text


def decision_parts(*, plain: bool) -> Additive:
    """Rows by cell, block, true and decided class; without sums of weights where every row weighs 1."""
    weights = "" if plain else ", sum(weight) AS w, sum(weight * weight) AS w2"

    def query(rows: Sql) -> Sql:
        text = (
            f"SELECT {KEYS}, block_key, CAST(label AS VARCHAR) AS true_class, "
            f"CAST(decision AS VARCHAR) AS decided_class, count(*) AS n{weights} FROM ({rows.text}) "
            f"WHERE scored AND decision IS NOT NULL "
            f"GROUP BY {KEYS}, block_key, CAST(label AS VARCHAR), CAST(decision AS VARCHAR)"
        )
        return Sql(text, rows.parameters)

    return Additive("decisions", query, decision_sums(plain=plain))


def decision_sums(*, plain: bool) -> tuple[str, ...]:
    """The columns that are summed."""
    return ("n",) if plain else ("n", "w", "w2")


def _decision_cells(table: pa.Table, classes: Sequence[str]) -> dict[CellKey, DecisionCells]:
    place = {name: i for i, name in enumerate(classes)}
    true = _codes(table, "true_class", place, missing=len(classes))
    decided = _codes(table, "decided_class", place, missing=-1)
    blocks = block_codes(table)
    # rows that weigh 1 weigh what they count
    n, w, w2 = (
        column(table, name if name in table.column_names else "n") for name in decision_sums(plain=False)
    )
    answers = {}
    for key, index in group(table).rows.items():
        kept = index[(decided[index] >= 0) & (true[index] >= 0)]
        unique, block = np.unique(blocks[kept], return_inverse=True)
        shape = (len(unique), len(classes) + 1, len(classes))
        sums = []
        for values in (n, w, w2):
            total = np.zeros(shape)
            np.add.at(total, (block, true[kept], decided[kept]), values[kept])
            sums.append(total)
        answers[key] = DecisionCells(tuple(classes), unique, *sums)
    return answers


def decided_statistics(classes: Sequence[str]) -> tuple[Statistic, ...]:
    """One statistic a (true, decided) pair, in the order of `DecisionCells`."""
    true = [*(f"CAST(label AS VARCHAR) = {literal(name)}" for name in classes), "label IS NULL"]
    decided = [f"CAST(decision AS VARCHAR) = {literal(name)}" for name in classes]
    return tuple(
        Statistic(f"decided_{i}_{j}", f"CASE WHEN scored AND {one} AND {other} THEN 1e0 ELSE 0e0 END")
        for i, one in enumerate(true)
        for j, other in enumerate(decided)
    )


def read_unit_squares(
    catalog: Catalog, rows: Sql, influences: Mapping[CellKey, Floats], classes: Sequence[str]
) -> dict[CellKey, tuple[Floats, Floats]]:
    """Sums over units of their squared influence totals.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        influences: cell -> influence of one row of unit weight, shape (M, K + 1, K) for M metrics.
        classes: names of the K classes.

    Returns:
        Cell -> the M sums of squares, and for each the number of units with a row that moves it.
    """
    cells = list(influences)
    places = [(true, decided) for true in (*classes, "") for decided in classes]
    stacked = np.stack([influences[cell] for cell in cells]) if cells else np.zeros((0, 0, 0, 0))
    columns = key_columns([cell for cell in cells for _ in places])
    columns["true_class"] = pa.array([true for _ in cells for true, _ in places], pa.string())
    columns["decided_class"] = pa.array([decided for _ in cells for _, decided in places], pa.string())
    for metric in range(stacked.shape[1]):
        columns[f"m{metric}"] = pa.array(stacked[:, metric].ravel())
    join = "coalesce(CAST(r.label AS VARCHAR), '') = i.true_class AND CAST(r.decision AS VARCHAR) = i.decided_class"
    return unit_squares(catalog, rows, pa.table(columns), stacked.shape[1], join)


def unit_squares(
    catalog: Catalog, rows: Sql, influences: pa.Table, metrics: int, join: str
) -> dict[CellKey, tuple[Floats, Floats]]:
    """Join influences to rows, sum them by unit, and sum the squares by cell: one pass for any number of metrics.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        influences: columns window_key, version, segment, m0, m1 … and what ``join`` names.
        metrics: how many columns m0, m1 …
        join: SQL that finds the influence (i) of a row (r) within its cell.
    """
    if influences.num_rows == 0 or metrics == 0:
        return {}
    sums = ", ".join(
        f"sum(r.weight * i.m{k}) AS m{k}, count(*) FILTER (WHERE i.m{k} <> 0e0) AS c{k}"
        for k in range(metrics)
    )
    squares = ", ".join(
        f"sum(m{k} * m{k}) AS m{k}, count(*) FILTER (WHERE c{k} > 0) AS u{k}" for k in range(metrics)
    )
    same = "r.window_key = i.window_key AND coalesce(r.version, '') = i.version AND coalesce(r.segment, '') = i.segment"
    text = (
        f"SELECT {KEYS}, {squares} FROM ("
        "SELECT r.window_key AS window_key, r.version AS version, r.segment AS segment, "
        f"r.unit_key AS unit_key, {sums} "
        f"FROM (SELECT *, {unit_expression()} AS unit_key FROM ({rows.text}) WHERE scored) AS r "
        f"JOIN influences AS i ON {same} AND {join} "
        f"GROUP BY r.window_key, r.version, r.segment, r.unit_key) GROUP BY {KEYS}"
    )
    table = catalog.engine.query(Sql(text, rows.parameters), tables={"influences": influences})
    squared = np.stack([column(table, f"m{k}") for k in range(metrics)])
    units = np.stack([column(table, f"u{k}") for k in range(metrics)])
    return {key: (squared[:, index[0]], units[:, index[0]]) for key, index in group(table).rows.items()}


def _codes(table: pa.Table, name: str, place: Mapping[str, int], missing: int) -> NDArray[np.int64]:
    values = table.column(name).to_pylist()
    # -1 marks a class nobody declared
    return np.array([missing if value is None else place.get(value, -1) for value in values], dtype=np.int64)
