"""Sums of row statistics and of their products: means, ratios and their variances for any task.

A metric that is a smooth function of sums S = sum w z has the linearised error sum w psi with psi = g . z and g its
gradient. Its variance over rows is g' Q g with Q = sum w^2 z z', over units g' U g with U = sum over units of S_u S_u',
and over blocks that of the block sums S_b . g. S and Q add over blocks, hours and files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_added, read_stored
from analytics.aggregates.keys import KEY_NAMES, KEYS, CellKey, add_blocks, block_codes, column, group
from analytics.aggregates.unit_groups import GroupSums, centred
from analytics.engines.text import Sql
from analytics.project import Predictions
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.remembered import remembered
from analytics.telemetry.rows import ScopedRows
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
_CANCELLED = 1e-12
"""What is left of two equal sums whose rows were added in another order, as a share of them."""


@dataclass(frozen=True)
class Statistic:
    """A number every row has.

    Attributes:
        name: of the number.
        expression: its SQL; 0 where it does not apply.
        share: whether it is only ever 0 or 1.
        within: the share outside of which it is 0. Such a number is not counted on its own where all rows weigh 1.
        square: the statistic that is its square, if one is.
    """

    name: str
    expression: str
    share: bool = False
    within: str | None = None
    square: str | None = None


@dataclass(frozen=True)
class Beside:
    """How the units of a slice stand to the whole that the slice is cut from.

    Attributes:
        products: sum over units of (slice sums) x (whole sums)', shape (K, K).
        n_shared: units with more of each statistic outside the slice, shape (K,).
    """

    products: Floats
    n_shared: Floats


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
        n_units: units (or their groups) in which each statistic is not 0 throughout, shape (K,).
        beside: what these units have in all slices of their window and version together; None where not read.
    """

    names: tuple[str, ...]
    n: int
    counts: Floats
    blocks: NDArray[np.int64]
    sums: Floats
    products: Floats
    unit_products: Floats | None = None
    n_units: Floats | None = None
    beside: Beside | None = None

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
        """The rows that are not in a part of these; with units where it is known how the part's stand to the whole."""
        if self.names != part.names:
            raise ValueError("only moments of the same statistics subtract")
        blocks, sums = add_blocks(self.blocks, self.sums, part.blocks, -part.sums)
        _, size = add_blocks(self.blocks, np.abs(self.sums), part.blocks, np.abs(part.sums))
        # what cancels but for the order of adding is nothing: a block without rows left would count as one more
        sums[np.abs(sums) <= _CANCELLED * size] = 0.0
        units, n_units = None, None
        if self.unit_products is not None and part.unit_products is not None and part.beside is not None:
            across = part.beside.products
            units = self.unit_products - across - across.T + part.unit_products
        if self.n_units is not None and part.n_units is not None and part.beside is not None:
            n_units = self.n_units - part.n_units + part.beside.n_shared
        return RowMoments(
            self.names,
            self.n - part.n,
            self.counts - part.counts,
            blocks,
            sums,
            self.products - part.products,
            units,
            n_units,
        )


def variance_over_units(part: RowMoments, rest: RowMoments, into: Floats, out: Floats) -> float:
    """The variance, units independent, of a number of a part minus the same of the rest; their gradients are given.

    A unit with rows on both sides moves both; 0 where units were not read.
    """
    mine, others, beside = part.unit_products, rest.unit_products, part.beside
    if mine is None or others is None or beside is None:
        return 0.0
    across = beside.products - mine  # a unit's sums in the slice times its sums in the rest
    return max(float(into @ mine @ into + out @ others @ out - 2.0 * into @ across @ out), 0.0)


def read_row_moments(
    catalog: Catalog,
    rows: Sql,
    statistics: Sequence[Statistic],
    together: Sequence[Sequence[str]],
    *,
    slices: bool = False,
    tables: Mapping[str, pa.Table] | None = None,
    stored: Additive | None = None,
    groups: GroupSums | None = None,
) -> tuple[dict[CellKey, RowMoments], str]:
    """Sum the statistics over scoped rows by cell and block, and over units where they are declared.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        statistics: what to sum.
        together: groups of names that one metric depends on; only their products are summed.
        slices: whether to read as well how the units of a segment value stand to all values together.
        tables: what ``rows`` reads by name beside the views.
        stored: the same sums, as a family of aggregates keeps them that shares its scans.
        groups: sums by random groups of units, in the place of units where there are any.

    Returns:
        The moments of every cell with rows, and the SQL text that scanned.
    """
    wanted = moment_sums(catalog, rows, statistics, together)
    if tables is None:
        kept = read_stored(catalog, rows, stored) if stored is not None else None
        table, text = kept or read_added(catalog, rows, wanted.additive())
    else:
        sql = wanted.query(rows)
        table, text = catalog.engine.query(sql, tables=tables), sql.text
    units: dict[CellKey, tuple[Floats, Floats, Beside | None]] = {}
    if groups is not None:
        units = _units_of_groups(groups, [one.name for one in statistics], slices=slices)
    elif catalog.predictions.unit is not None:
        units = _read_units(catalog, rows, statistics, wanted.pairs, slices=slices, tables=tables)
    return wanted.read(table, units), text


@dataclass(frozen=True)
class MomentSums:
    """What is summed of some statistics, and how moments are put together from it.

    Where all rows weigh 1, the square of a 0 or 1 is itself, and a number that is 0 wherever another is 0 keeps
    its value times that: of the 29 sums of a binary model 11 are left, and a scan takes half the time.

    Attributes:
        statistics: the K of them.
        pairs: places of the two of each product that is wanted.
        plain: whether every row weighs 1.
    """

    statistics: tuple[Statistic, ...]
    pairs: tuple[tuple[int, int], ...]
    plain: bool

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column -> the SQL that sums it, over rows whose statistics are z0, z1 … and their weight."""
        weight, squared = ("", "") if self.plain else ("weight * ", "weight * weight * ")
        found = {f"s{i}": f"sum({weight}z{i})" for i in range(len(self.statistics))}
        for i, one in enumerate(self.statistics):
            if not (self.plain and (one.share or one.within is not None)):
                found[f"c{i}"] = f"count(*) FILTER (WHERE z{i} <> 0e0)"
        for place, (i, j) in enumerate(self.pairs):
            if self._as_sum(i, j) is None:
                found[f"p{place}"] = f"sum({squared}z{i} * z{j})"
        return found

    def _as_sum(self, i: int, j: int) -> int | None:
        """The statistic whose sum is that of the product of two; None where there is none."""
        if not self.plain:
            return None
        one, other = self.statistics[i], self.statistics[j]
        if i == j and one.square is not None:
            return [each.name for each in self.statistics].index(one.square)
        if one.share and (i == j or other.within == one.name):
            return j
        return i if other.share and one.within == other.name else None

    def additive(self) -> Additive:
        """The sums by window, version, segment value and block, which add."""
        return Additive("moments", self.query, ("n", *self.columns))

    def query(self, rows: Sql) -> Sql:
        """The sums over rows."""
        inner = ", ".join(f"{one.expression} AS z{i}" for i, one in enumerate(self.statistics))
        outer = ", ".join(f"{text} AS {name}" for name, text in self.columns.items())
        return Sql(
            f"SELECT {KEYS}, block_key, count(*) AS n, {outer} "
            f"FROM (SELECT {KEYS}, block_key, weight, {inner} FROM ({rows.text})) GROUP BY {KEYS}, block_key",
            rows.parameters,
        )

    def read(
        self, table: pa.Table, units: Mapping[CellKey, tuple[Floats, Floats, Beside | None]]
    ) -> dict[CellKey, RowMoments]:
        """The moments of every cell of an answer, with what was read of its units."""
        values = {
            name: column(table, name) for name in table.column_names if name not in (*KEY_NAMES, "block_key")
        }
        size, names = len(self.statistics), tuple(one.name for one in self.statistics)
        blocks, n = block_codes(table), values["n"]
        moments = {}
        for key, index in group(table).rows.items():
            products = np.zeros((size, size))
            for place, (i, j) in enumerate(self.pairs):
                as_sum = self._as_sum(i, j)
                summed = values[f"p{place}" if as_sum is None else f"s{as_sum}"]
                products[i, j] = products[j, i] = summed[index].sum()
            order = index[np.argsort(blocks[index], kind="stable")]
            sums = np.stack([values[f"s{i}"][order] for i in range(size)], axis=1)
            counts = np.array([self._counted(values, i)[index].sum() for i in range(size)])
            by_unit = units.get(key, (None, None, None))
            moments[key] = RowMoments(
                names, int(n[index].sum()), counts, blocks[order], sums, products, *by_unit
            )
        return moments

    def _counted(self, values: Mapping[str, Floats], i: int) -> Floats:
        if f"c{i}" in values:
            return values[f"c{i}"]
        return values[f"s{i}"] if self.statistics[i].share else np.full(len(values["n"]), np.nan)


def moment_sums(
    catalog: Catalog, rows: Sql, statistics: Sequence[Statistic], together: Sequence[Sequence[str]]
) -> MomentSums:
    """What `read_row_moments` sums over rows."""
    names = [statistic.name for statistic in statistics]
    pairs = {
        (min(i, j), max(i, j))
        for members in together
        for i, j in combinations_with_replacement([names.index(name) for name in members], 2)
    }
    return MomentSums(tuple(statistics), tuple(sorted(pairs)), weighs_one(catalog, rows))


def weighs_one(catalog: Catalog, rows: Sql) -> bool:
    """Whether every row weighs 1: no weight is declared, and the rows are those of the logs as they are."""
    return isinstance(rows, ScopedRows) and catalog.predictions.weight is None


def _read_units(
    catalog: Catalog,
    rows: Sql,
    statistics: Sequence[Statistic],
    pairs: Sequence[tuple[int, int]],
    *,
    slices: bool,
    tables: Mapping[str, pa.Table] | None,
) -> dict[CellKey, tuple[Floats, Floats, Beside | None]]:
    size = len(statistics)
    inner = ", ".join(f"sum(weight * {one.expression}) AS s{i}" for i, one in enumerate(statistics))
    source = (
        f"SELECT {KEYS}, {unit_expression()} AS unit_key, {inner} FROM ({rows.text}) "
        f"GROUP BY {KEYS}, {unit_expression()}"
    )
    outer = [f"count(*) FILTER (WHERE s{i} <> 0e0) AS u{i}" for i in range(size)]
    outer += [f"sum(s{i} * s{j}) AS p{k}" for k, (i, j) in enumerate(pairs)]
    if slices:
        whole = "PARTITION BY window_key, version, unit_key"
        totals = ", ".join(f"sum(s{i}) OVER ({whole}) AS t{i}" for i in range(size))
        source = f"SELECT *, {totals} FROM ({source})"
        # equal without rounding where a unit has rows in one slice only
        outer += [f"count(*) FILTER (WHERE s{i} <> 0e0 AND s{i} <> t{i}) AS h{i}" for i in range(size)]
        outer += [f"sum(s{i} * t{j}) AS a{k}, sum(s{j} * t{i}) AS b{k}" for k, (i, j) in enumerate(pairs)]
    table = catalog.engine.query(
        Sql(f"SELECT {KEYS}, {', '.join(outer)} FROM ({source}) GROUP BY {KEYS}", rows.parameters),
        tables=tables,
    )
    values = {name: column(table, name) for name in table.column_names if name not in KEY_NAMES}
    answers: dict[CellKey, tuple[Floats, Floats, Beside | None]] = {}
    for key, (row,) in group(table).rows.items():
        products, across = np.zeros((size, size)), np.zeros((size, size))
        for position, (i, j) in enumerate(pairs):
            products[i, j] = products[j, i] = values[f"p{position}"][row]
            if slices:
                across[i, j], across[j, i] = values[f"a{position}"][row], values[f"b{position}"][row]
        beside = Beside(across, np.array([values[f"h{i}"][row] for i in range(size)])) if slices else None
        answers[key] = (products, np.array([values[f"u{i}"][row] for i in range(size)]), beside)
    return answers


def _units_of_groups(
    groups: GroupSums, names: Sequence[str], *, slices: bool
) -> dict[CellKey, tuple[Floats, Floats, Beside | None]]:
    """What is read of units, with random groups of units as the units (`analytics.aggregates.unit_groups`)."""
    found: dict[CellKey, tuple[Floats, Floats, Beside | None]] = {}
    for key in groups.cells:
        sums = groups.of(key, names)
        beside = None
        if slices:
            whole = groups.whole(key, names)
            more = np.abs(whole - sums) > _CANCELLED * np.abs(whole)
            beside = Beside(
                centred(sums).T @ centred(whole), ((sums != 0.0) & more).sum(axis=0).astype(np.float64)
            )
        found[key] = centred(sums).T @ centred(sums), (sums != 0.0).sum(axis=0).astype(np.float64), beside
    return found


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


class Centre(NamedTuple):
    """Numbers near the predictions and labels of a regression, taken off before they are squared."""

    prediction: float = 0.0
    label: float = 0.0


def read_centre(catalog: Catalog, rows: Sql) -> Centre:
    """Mean prediction and mean label of scoped rows; squares of what is left of them keep their digits.

    Where there are stored parts, the same numbers for every question (`kept_centre`), as parts add only about one.
    """
    if isinstance(rows, ScopedRows) and catalog.parts is not None:
        return kept_centre(catalog)
    sql = Sql(
        f"SELECT avg(score) AS prediction, avg(label) AS label FROM ({rows.text}) WHERE scored",
        rows.parameters,
    )
    means = catalog.engine.query(sql).to_pylist()[0]
    return Centre(float(means["prediction"] or 0.0), float(means["label"] or 0.0))


def kept_centre(catalog: Catalog) -> Centre:
    """A number near all predictions, and so near their labels: the mean of the reference, or of the whole log.

    Rounded to about the standard deviation, so that it stays what it is while logs grow.
    """
    middle, _ = kept_scale(catalog)
    return Centre(middle, middle)


def kept_scale(catalog: Catalog) -> tuple[float, float]:
    """The centre of `kept_centre`, and the power of two from the predictions' standard deviation up.

    Returns:
        A whole multiple of the power, so that distances from it are cut into bins without rounding; and the power,
        1 where all predictions are equal.
    """
    known: tuple[float, float] | None = catalog.answered.get("scale")
    if known is None:
        known = catalog.answered["scale"] = _scale(catalog)
    return known


def _scale(catalog: Catalog) -> tuple[float, float]:
    source = "reference" if "reference" in catalog.sources else "predictions"
    feed = source if source in catalog.feeds else "predictions"
    # squares of larger numbers are infinite anyway
    text = (
        f"SELECT avg(score) AS mean, stddev_pop(score) AS spread FROM {source} "
        "WHERE scored AND abs(score) < 1e150"
    )
    found = remembered(catalog, "centre", text, (feed,)).to_pylist()[0]
    mean, spread = float(found["mean"] or 0.0), float(found["spread"] or 0.0)
    if not spread > 0:
        return mean, 1.0
    step = 2.0 ** math.ceil(math.log2(spread))
    return round(mean / step) * step, step
