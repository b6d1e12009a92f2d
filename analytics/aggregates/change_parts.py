"""Two sides of a change, held in memory: what each row counts and adds, summed by the values of any column.

A side is a window of one version, or the reference. The rows of both are read once; what is summed after that (by
segment, bin, pair, or any set of slices) reads what is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import block_codes, column
from analytics.aggregates.moments import unit_expression
from analytics.aggregates.reference_bins import MAX_DOUBLE, ReferenceBins, of_version
from analytics.aggregates.row_measures import RowMeasure
from analytics.engines.text import Sql, identifier, literal
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import OTHER

Floats = NDArray[np.float64]
LONGER = 2
"""The number of the stretch that is neither side."""
LISTED = 50
"""Values of a text column that are told apart; the others are ``(other)``."""


@dataclass(frozen=True)
class Column:
    """What rows are split by.

    Attributes:
        name: of the segment or feature.
        part: which of the two.
        expression: SQL over scoped rows: a text, or the whole number of a bin.
        bins: of a numeric feature.
    """

    name: str
    part: Literal["segment", "feature"]
    expression: str
    bins: ReferenceBins | None = None


@dataclass(frozen=True)
class Side:
    """Rows of one side: scoped rows, whose version."""

    rows: Sql
    version: str | None


@dataclass(frozen=True)
class Cut:
    """A column of held rows whose values are told apart: its place, and the texts that are kept (None: all)."""

    place: int
    column: Column
    kept: tuple[str, ...] | None = None

    @property
    def expression(self) -> str:
        """SQL over held rows."""
        name = f"c{self.place}"
        if self.kept is None:
            return name
        values = ", ".join(literal(value) for value in (*self.kept, MISSING))
        return f"CASE WHEN {name} IN ({values}) THEN {name} ELSE {literal(OTHER)} END"


class Condition(NamedTuple):
    """A set of values of one cut: the texts, or the codes of the bins."""

    cut: Cut
    values: tuple[str | int, ...]

    @property
    def text(self) -> str:
        """SQL over held rows."""
        listed = ", ".join(literal(value) for value in self.values)
        return f"{self.cut.expression} IN ({listed})"


Slice = tuple[Condition, ...]
"""Conditions that all hold."""


@dataclass(frozen=True)
class UnitSums:
    """Products of what units have in a part and in all, in the order d before, u before, d after, u after.

    Attributes:
        own: sum over units of (sums in the part) x (the same)', shape (V, 4, 4).
        across: sum over units of (sums in the part) x (sums in all)', same shape.
        whole: sum over units of (sums in all) x (the same)', shape (4, 4).
        n: units on each side.
    """

    own: Floats
    across: Floats
    whole: Floats
    n: tuple[int, int]


@dataclass(frozen=True)
class LongerParts:
    """Values in a stretch that is neither side: what tells how blocks differ.

    Attributes:
        n: rows, shape (V,).
        squares: d^2, d u, u^2, shape (3, V).
        by_block: d and u by block, shape (2, G, V).
    """

    n: Floats
    squares: Floats
    by_block: Floats


@dataclass(frozen=True)
class Parts:
    """Sums of both sides (0 before, 1 after) by value.

    Attributes:
        values: as they are met: texts, or the codes of bins; V of them.
        n: rows, shape (2, V).
        d: sums of what counts, shape (2, V).
        u: sums of what is added, shape (2, V).
        squares: sums over rows of d^2, d u, u^2, shape (3, 2, V).
        blocks: the blocks of each side.
        by_block: of each side, d and u by block, shape (2, G, V).
        units: None where no unit is declared or asked for.
        longer: the same values in a longer stretch; None where none is held.
    """

    values: tuple[str | int, ...]
    n: Floats
    d: Floats
    u: Floats
    squares: Floats
    blocks: tuple[NDArray[np.int64], NDArray[np.int64]]
    by_block: tuple[Floats, Floats]
    units: UnitSums | None = None
    longer: LongerParts | None = None


class ChangeRows:
    """Held rows of both sides."""

    def __init__(
        self, catalog: Catalog, texts: Sequence[str], columns: Sequence[Column], sql: tuple[str, ...]
    ) -> None:
        self.catalog = catalog
        self.text = " UNION ALL ".join(texts)
        self.sides = " UNION ALL ".join(texts[:LONGER])
        self.sql = sql
        self._columns = tuple(columns)

    def cuts(self, most: int = LISTED) -> tuple[Cut, ...]:
        """Every column, with the values of texts that are told apart: those with most rows on either side."""
        return tuple(self._cut(place, item, most) for place, item in enumerate(self._columns))

    def _cut(self, place: int, item: Column, most: int) -> Cut:
        if item.bins is not None:
            return Cut(place, item)
        # the share of either side counts: what is new now must not drown in what was before
        table = self.catalog.engine.query(
            f"SELECT value, max(share) AS share FROM (SELECT c{place} AS value, side, "
            f"count(*) / sum(count(*)) OVER (PARTITION BY side) AS share FROM ({self.sides}) GROUP BY 1, 2) "
            f"GROUP BY value ORDER BY share DESC, value LIMIT {most + 1}"
        )
        values = tuple(table.column("value").to_pylist())
        return Cut(place, item, values[:most]) if len(values) > most else Cut(place, item)

    def parts(self, expression: str, *, units: bool = True, longer: bool = False) -> Parts:
        """Sums by the values of an expression over held rows; with ``longer`` in the longer stretch as well."""
        table = self.catalog.engine.query(
            f"SELECT side, block_key, {expression} AS value, count(*) AS n, sum(d) AS d, sum(u) AS u, "
            "sum(d * d) AS dd, sum(d * u) AS du, sum(u * u) AS uu "
            f"FROM ({self.text if longer else self.sides}) GROUP BY 1, 2, 3"
        )
        found = _parts(table)
        if not units or self.catalog.predictions.unit is None:
            return found
        return replace(found, units=self._units(expression, found.values))

    def pair(self, first: Cut, second: Cut) -> tuple[list[tuple[str | int, str | int]], Floats, Floats]:
        """Sums by two columns without blocks: the pairs of values; n, d, u, dd, du, uu, shape (6, 2, V); blocks."""
        table = self.catalog.engine.query(
            f"SELECT side, {first.expression} AS a, {second.expression} AS b, "
            "count(DISTINCT block_key) AS blocks, count(*) AS n, sum(d) AS d, "
            f"sum(u) AS u, sum(d * d) AS dd, sum(d * u) AS du, sum(u * u) AS uu FROM ({self.sides}) GROUP BY 1, 2, 3"
        )
        keys = list(zip(table.column("a").to_pylist(), table.column("b").to_pylist(), strict=True))
        values = sorted(set(keys), key=str)
        place = {value: i for i, value in enumerate(values)}
        sums = np.zeros((6, 2, len(values)))
        sides = column(table, "side").astype(np.int64)
        at = np.array([place[key] for key in keys], dtype=np.int64)
        for i, name in enumerate(("n", "d", "u", "dd", "du", "uu")):
            sums[i, sides, at] = column(table, name)
        blocks = np.bincount(at, column(table, "blocks"), minlength=len(values))
        return values, sums, np.asarray(blocks, dtype=np.float64)

    def memberships(self, slices: Sequence[Slice]) -> tuple[NDArray[np.bool_], Floats]:
        """Which slices rows are in together: the patterns met, shape (P, S), and d, u, dd, du, uu, (5, 2, P)."""
        bits = " + ".join(f"CASE WHEN {_all(part)} THEN {2**i} ELSE 0 END" for i, part in enumerate(slices))
        table = self.catalog.engine.query(
            f"SELECT side, CAST({bits or '0'} AS BIGINT) AS mask, sum(d) AS d, sum(u) AS u, sum(d * d) AS dd, "
            f"sum(d * u) AS du, sum(u * u) AS uu FROM ({self.sides}) GROUP BY 1, 2"
        )
        masks = table.column("mask").to_numpy().astype(np.int64)
        patterns, at = np.unique(masks, return_inverse=True)
        sums = np.zeros((5, 2, len(patterns)))
        sides = column(table, "side").astype(np.int64)
        for i, name in enumerate(("d", "u", "dd", "du", "uu")):
            sums[i, sides, at] = column(table, name)
        inside = (patterns[:, None] >> np.arange(len(slices))[None, :]) & 1
        return inside.astype(np.bool_), sums

    def first_of(self, slices: Sequence[Slice]) -> Parts:
        """Sums by the first slice that holds a row; the value of the rows in none is -1."""
        cases = " ".join(f"WHEN {_all(part)} THEN {i}" for i, part in enumerate(slices))
        return self.parts(f"CASE {cases} ELSE -1 END" if cases else "-1")

    def _units(self, expression: str, values: Sequence[str | int]) -> UnitSums:
        names, picked = _SIDED, _by_unit()
        totals = ", ".join(f"sum({name}) OVER (PARTITION BY unit_key) AS t_{name}" for name in names)
        own = ", ".join(
            f"sum({a} * {b}) AS o{i}{j}, sum({a} * t_{b}) AS a{i}{j}"
            for i, a in enumerate(names)
            for j, b in enumerate(names)
        )
        inner = f"SELECT unit_key, {expression} AS value, {picked} FROM ({self.sides}) GROUP BY 1, 2"
        table = self.catalog.engine.query(
            f"SELECT value, {own} FROM (SELECT *, {totals} FROM ({inner})) GROUP BY value"
        )
        place = {value: i for i, value in enumerate(values)}
        found = np.zeros((2, len(values), 4, 4))
        at = [place[value] for value in table.column("value").to_pylist()]
        for k, letter in enumerate("oa"):
            for i in range(4):
                for j in range(4):
                    found[k, at, i, j] = column(table, f"{letter}{i}{j}")
        return UnitSums(found[0], found[1], *self._all_units)

    @cached_property
    def _all_units(self) -> tuple[Floats, tuple[int, int]]:
        """Products of units' sums over all their rows, and how many there are on each side."""
        picked, products = (
            _by_unit(),
            [f"sum({a} * {b}) AS w{i}{j}" for i, a in enumerate(_SIDED) for j, b in enumerate(_SIDED)],
        )
        whole = self.catalog.engine.query(
            f"SELECT {', '.join(products)}, count(*) FILTER (WHERE d0 > 0e0) AS n0, "
            "count(*) FILTER (WHERE d1 > 0e0) AS n1 "
            f"FROM (SELECT unit_key, {picked} FROM ({self.sides}) GROUP BY 1)"
        ).to_pylist()[0]
        every = np.array([[float(whole[f"w{i}{j}"] or 0.0) for j in range(4)] for i in range(4)])
        return every, (int(whole["n0"]), int(whole["n1"]))


_SIDED = ("d0", "u0", "d1", "u1")


def _by_unit() -> str:
    return ", ".join(
        f"sum(CASE WHEN side = {side} THEN {what} ELSE 0e0 END) AS {what}{side}"
        for side in (0, 1)
        for what in ("d", "u")
    )


def _all(part: Slice) -> str:
    return " AND ".join(f"({condition.text})" for condition in part)


@contextmanager
def change_rows(
    catalog: Catalog, measure: RowMeasure, sides: Sequence[Side], columns: Sequence[Column]
) -> Iterator[ChangeRows]:
    """Hold the rows of both sides that a metric is about while they are summed.

    Args:
        catalog: the project's views.
        measure: the metric.
        sides: before and after, and maybe a longer stretch that tells how blocks differ.
        columns: what rows will be split by.
    """
    with ExitStack() as stack:
        texts, sql = [], []
        for number, side in enumerate(sides):
            wanted = _side(measure, side, number, columns)
            sql.append(wanted.text)
            texts.append(stack.enter_context(catalog.engine.kept(wanted)).text)
        yield ChangeRows(catalog, texts, columns, tuple(sql))


def _side(measure: RowMeasure, side: Side, number: int, columns: Sequence[Column]) -> Sql:
    own = of_version(side.version, f"side_version_{number}")
    split = "".join(f", {item.expression} AS {identifier(f'c{i}')}" for i, item in enumerate(columns))
    text = (
        f"SELECT {number} AS side, block_key, {unit_expression()} AS unit_key, CAST(weight AS DOUBLE) * ({measure.d}) "
        f"AS d, CAST(weight AS DOUBLE) * ({measure.u}) AS u{split} "
        f"FROM (SELECT * FROM ({side.rows.text}) WHERE {own.text} AND weight > 0e0 AND ({measure.counted}))"
    )
    return Sql(text, side.rows.parameters | own.parameters)


def bin_code(bins: ReferenceBins) -> str:
    """SQL over scoped rows: the place of a row's bin among `ReferenceBins.names`."""
    value, last = f"({bins.field.expression})", bins.n_values
    steps = " ".join(f"WHEN {value} < {literal(edge)} THEN {i}" for i, edge in enumerate(bins.edges))
    return (
        f"CASE WHEN {value} IS NULL OR isnan({value}) THEN {last} WHEN {value} > {literal(MAX_DOUBLE)} THEN {last + 1} "
        f"WHEN {value} < {literal(-MAX_DOUBLE)} THEN {last + 2} {steps} ELSE {last - 1} END"
    )


def text_value(expression: str) -> str:
    """SQL over scoped rows: a text, the missing value by its name."""
    return f"coalesce(nullif(CAST({expression} AS VARCHAR), ''), {literal(MISSING)})"


def _parts(table: pa.Table) -> Parts:
    met = table.column("value").to_pylist()
    values = tuple(sorted(set(met), key=lambda value: (isinstance(value, str), value)))
    place = {value: i for i, value in enumerate(values)}
    at = np.array([place[value] for value in met], dtype=np.int64)
    sides = column(table, "side").astype(np.int64)
    codes = block_codes(table)
    numbers = {name: column(table, name) for name in ("n", "d", "u", "dd", "du", "uu")}
    summed = {name: np.zeros((3, len(values))) for name in numbers}
    for name, one in numbers.items():
        np.add.at(summed[name], (sides, at), one)
    blocks, by_block = [], []
    for side in (0, 1, LONGER):
        mine = sides == side
        own, row = np.unique(codes[mine], return_inverse=True)
        sums = np.zeros((2, len(own), len(values)))
        for i, name in enumerate(("d", "u")):
            np.add.at(sums[i], (row, at[mine]), numbers[name][mine])
        blocks.append(own)
        by_block.append(sums)
    squares = np.stack([summed[name] for name in ("dd", "du", "uu")])
    there = bool((sides == LONGER).any())
    return Parts(
        values, summed["n"][:2], summed["d"][:2], summed["u"][:2], squares[:, :2], (blocks[0], blocks[1]),
        (by_block[0], by_block[1]),
        longer=LongerParts(summed["n"][LONGER], squares[:, LONGER], by_block[LONGER]) if there else None,
    )  # fmt: skip
