"""Sums of row statistics and of their products: means, ratios and their variances for any task.

A metric that is a smooth function of sums S = sum w z has the linearised error sum w psi with psi = g . z and g its
gradient. Its variance over rows is g' Q g with Q = sum w^2 z z', over units g' U g with U = sum over units of S_u S_u',
and over blocks that of the block sums S_b . g. S and Q add over blocks, hours and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.keys import KEYS, CellKey, add_blocks, block_codes, column, group
from analytics.engines.text import Sql
from analytics.project import Predictions
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Statistic:
    """A number every row has: its name and SQL expression (0 where it does not apply)."""

    name: str
    expression: str


@dataclass(frozen=True)
class RowMoments:
    """Sums over the rows of one cell.

    Attributes:
        names: of the K statistics.
        n: rows, whether usable or not.
        counts: of rows (not weights) that each statistic is not 0 for, shape (K,).
        blocks: the blocks' numbers, ascending, shape (G,).
        sums: weighted sums by block, shape (G, K).
        products: sum of w^2 z z', shape (K, K).
        unit_products: sum over units of the units' sums' products, shape (K, K); None without units.
        n_units: distinct units.
    """

    names: tuple[str, ...]
    n: int
    counts: Floats
    blocks: NDArray[np.int64]
    sums: Floats
    products: Floats
    unit_products: Floats | None = None
    n_units: int = 0

    def total(self, name: str) -> float:
        """The weighted sum of one statistic over all blocks."""
        return float(self.sums[:, self.names.index(name)].sum())

    def count(self, name: str) -> int:
        """Rows for which the statistic is not 0."""
        return int(self.counts[self.names.index(name)])

    def __add__(self, other: RowMoments) -> RowMoments:
        """Sums over disjoint rows; units are left out, as one unit may have rows on both sides."""
        if self.names != other.names:
            raise ValueError("only moments of the same statistics add")
        blocks, sums = add_blocks(self.blocks, self.sums, other.blocks, other.sums)
        return RowMoments(
            self.names,
            self.n + other.n,
            self.counts + other.counts,
            blocks,
            sums,
            self.products + other.products,
        )

    def __sub__(self, part: RowMoments) -> RowMoments:
        """The rows that are not in a part of these.

        Units are taken as lying on one side: exact for a unit with rows on one side only, and too wide rather than too
        narrow where the rows of a unit go up and down together.
        """
        if self.names != part.names:
            raise ValueError("only moments of the same statistics subtract")
        blocks, sums = add_blocks(self.blocks, self.sums, part.blocks, -part.sums)
        units = None
        if self.unit_products is not None and part.unit_products is not None:
            units = self.unit_products - part.unit_products
        return RowMoments(
            self.names,
            self.n - part.n,
            self.counts - part.counts,
            blocks,
            sums,
            self.products - part.products,
            units,
            self.n_units,
        )


def read_row_moments(
    catalog: Catalog, rows: Sql, statistics: Sequence[Statistic], together: Sequence[Sequence[str]]
) -> tuple[dict[CellKey, RowMoments], str]:
    """Sum the statistics over scoped rows by cell and block, and over units where they are declared.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        statistics: what to sum.
        together: groups of names that one metric depends on; only their products are summed.

    Returns:
        The moments of every cell with rows, and the SQL text that scanned.
    """
    names = tuple(statistic.name for statistic in statistics)
    pairs = sorted(
        {
            (min(i, j), max(i, j))
            for members in together
            for i, j in combinations_with_replacement([names.index(name) for name in members], 2)
        }
    )
    sql = _sums_sql(rows, statistics, pairs)
    table = catalog.engine.query(sql)
    cells = group(table)
    values = {
        name: column(table, name) for name in table.column_names if name[0] in "scpn" and name[1:].isdigit()
    }
    blocks = block_codes(table)
    n = column(table, "n")
    units = _read_units(catalog, rows, statistics, pairs) if catalog.predictions.unit is not None else {}
    moments = {}
    for key, index in cells.rows.items():
        products = np.zeros((len(names), len(names)))
        for position, (i, j) in enumerate(pairs):
            products[i, j] = products[j, i] = values[f"p{position}"][index].sum()
        order = index[np.argsort(blocks[index], kind="stable")]
        sums = np.stack([values[f"s{i}"][order] for i in range(len(names))], axis=1)
        counts = np.array([values[f"c{i}"][index].sum() for i in range(len(names))])
        unit_products, n_units = units.get(key, (None, 0))
        moments[key] = RowMoments(
            names, int(n[index].sum()), counts, blocks[order], sums, products, unit_products, n_units
        )
    return moments, sql.text


def _sums_sql(rows: Sql, statistics: Sequence[Statistic], pairs: Sequence[tuple[int, int]]) -> Sql:
    inner = ", ".join(f"{statistic.expression} AS z{i}" for i, statistic in enumerate(statistics))
    outer = [f"sum(weight * z{i}) AS s{i}" for i in range(len(statistics))]
    outer += [f"count(*) FILTER (WHERE z{i} <> 0e0) AS c{i}" for i in range(len(statistics))]
    outer += [f"sum(weight * weight * z{i} * z{j}) AS p{k}" for k, (i, j) in enumerate(pairs)]
    return Sql(
        f"SELECT {KEYS}, block_key, count(*) AS n, {', '.join(outer)} "
        f"FROM (SELECT {KEYS}, block_key, weight, {inner} FROM ({rows.text})) GROUP BY {KEYS}, block_key",
        rows.parameters,
    )


def _read_units(
    catalog: Catalog, rows: Sql, statistics: Sequence[Statistic], pairs: Sequence[tuple[int, int]]
) -> dict[CellKey, tuple[Floats, int]]:
    inner = ", ".join(
        f"sum(weight * {statistic.expression}) AS s{i}" for i, statistic in enumerate(statistics)
    )
    outer = ", ".join(f"sum(s{i} * s{j}) AS p{k}" for k, (i, j) in enumerate(pairs))
    table = catalog.engine.query(
        Sql(
            f"SELECT {KEYS}, count(*) AS units, {outer} FROM (SELECT {KEYS}, {unit_expression()} AS unit_key, {inner} "
            f"FROM ({rows.text}) GROUP BY {KEYS}, {unit_expression()}) GROUP BY {KEYS}",
            rows.parameters,
        )
    )
    size = len(statistics)
    answers = {}
    for key, index in group(table).rows.items():
        products = np.zeros((size, size))
        for position, (i, j) in enumerate(pairs):
            products[i, j] = products[j, i] = column(table, f"p{position}")[index][0]
        answers[key] = (products, int(column(table, "units")[index][0]))
    return answers


def unit_expression() -> str:
    """Who a row belongs to; a row without a unit stands for itself."""
    return "CASE WHEN unit IS NULL THEN concat(file, ' ', CAST(row AS VARCHAR)) ELSE unit END"


def needed_columns(predictions: Predictions, rows: Sql) -> Sql:
    """Scoped rows with only the columns that quality aggregates read, to be held in memory."""
    scores = [score_column(name) for name in predictions.classes] or ["score"]
    columns = (
        "window_key", "block_key", "version", "segment", "file", "row", "unit", "weight", "scored", "label", "decision",
        *scores,
    )  # fmt: skip
    return Sql(f"SELECT {', '.join(columns)} FROM ({rows.text})", rows.parameters)


def read_centre(catalog: Catalog, rows: Sql) -> float:
    """A number near the labels and predictions of a regression, taken off before they are squared."""
    sql = Sql(f"SELECT avg(score) AS centre FROM ({rows.text}) WHERE scored", rows.parameters)
    return float(catalog.engine.query(sql).to_pylist()[0]["centre"] or 0.0)
