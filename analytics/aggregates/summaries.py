"""What every field is like in every cell: centred moments, missing shares, order statistics and top values.

Four passes over rows that are held once: means, then deviations from them (by block and by unit), then the values
themselves, counted. All fields of all cells go through each pass together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.groups import Grouping
from analytics.aggregates.keys import CellKey, column
from analytics.aggregates.moments import unit_expression
from analytics.aggregates.reference_bins import MAX_DOUBLE, Field, counted_rows
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
_FIELDS_A_QUERY = 40
"""More at once only make the text longer."""
_BY_BLOCK = (
    "n",
    "w",
    "w2",
    "missing",
    "missing2",
    "infinite",
    "n_finite",
    "finite",
    "finite2",
    "d1",
    "d2",
    "v2",
)
_BY_UNIT = ("units", "cc", "aa", "ab", "bb")


@dataclass(frozen=True)
class UnitSums:
    """Sums over the units of a cell, for the variances of a mean and of a share.

    Attributes:
        n: units.
        deviations: sum of (sum w (x - mean))^2.
        missing: sum of a^2, a being the weight of a unit's rows without a value.
        both: sum of a b, b being the weight of all its rows.
        rows: sum of b^2.
    """

    n: int
    deviations: float
    missing: float
    both: float
    rows: float


@dataclass(frozen=True)
class Values:
    """Order statistics and the most frequent value of a field in a cell.

    Attributes:
        p05: the smallest value that 5 % of the weight does not exceed; p50 and p95 alike; None for texts.
        top: the most frequent value, the first of equals; a text, or a number.
        top_weight: the weight of its rows.
        n_values: how many different values there are; None where nobody counted.
    """

    p05: float | None
    p50: float | None
    p95: float | None
    top: str | float | None
    top_weight: float
    n_values: int | None


@dataclass(frozen=True)
class FieldSums:
    """One field of one cell; arrays are by block.

    Attributes:
        field: which.
        n: rows; of labels, those with one.
        w: sum of weights.
        w2: sum of squared weights.
        missing: weight of the rows without a value (null, NaN, the empty text).
        missing2: the same with squared weights.
        infinite: weight of the rows with an infinite one.
        n_finite: rows with a finite value.
        finite: their weight.
        finite2: their squared weight.
        mean: of the finite values, all blocks together; None where there is none, or none that a double can hold.
        d1: sum w (x - mean): 0 over all blocks but for rounding.
        d2: sum w (x - mean)^2.
        v2: sum w^2 (x - mean)^2.
        units: None where no unit is declared.
        values: None where there is no finite value.
    """

    field: Field
    n: Floats
    w: Floats
    w2: Floats
    missing: Floats
    missing2: Floats
    infinite: Floats
    n_finite: Floats
    finite: Floats
    finite2: Floats
    mean: float | None
    d1: Floats
    d2: Floats
    v2: Floats
    units: UnitSums | None
    values: Values | None


@dataclass(frozen=True)
class Summaries:
    """Every field of every cell that has rows.

    Attributes:
        cells: cell -> its fields, in order.
        sql: the texts that scanned.
    """

    cells: Mapping[CellKey, tuple[FieldSums, ...]]
    sql: tuple[str, ...]


def read_summaries(catalog: Catalog, grouping: Grouping, fields: Sequence[Field]) -> Summaries:
    """Summarise the fields of scoped rows by window, version and group.

    Args:
        catalog: the project's views.
        grouping: scoped rows and what they are split by; the key's segment is the group.
        fields: of `analytics.aggregates.reference_bins.watched_fields`.
    """
    found: dict[CellKey, list[FieldSums]] = {}
    texts: list[str] = []
    for start in range(0, len(fields), _FIELDS_A_QUERY):
        some = fields[start : start + _FIELDS_A_QUERY]
        held = _needed(catalog, grouping, some)
        with catalog.engine.kept(held) as kept:
            for key, sums in _Reading(catalog, kept, some).cells():
                found.setdefault(key, []).extend(sums)
        texts.append(held.text)
    return Summaries({key: tuple(sums) for key, sums in found.items()}, tuple(texts))


def _needed(catalog: Catalog, grouping: Grouping, fields: Sequence[Field]) -> Sql:
    """The rows that count with their fields: NaN is missing; a label that is not there is no row of the label."""
    columns = "".join(f", {_value(field)} AS f{i}" for i, field in enumerate(fields))
    unit = f", {unit_expression()} AS unit_key" if catalog.predictions.unit is not None else ""
    return Sql(
        "SELECT dense_rank() OVER (ORDER BY window_key, version, segment) AS cell, * FROM "
        f"(SELECT window_key, version, {grouping.expression} AS segment, block_key, weight{unit}{columns} "
        f"FROM ({grouping.rows.text}) WHERE {counted_rows(catalog)})",
        grouping.rows.parameters,
    )


def _value(field: Field) -> str:
    if field.kind != "numeric":
        return field.expression
    return f"CASE WHEN NOT isnan({field.expression}) THEN {field.expression} END"


@dataclass(frozen=True)
class _Reading:
    """The passes over rows that are held."""

    catalog: Catalog
    rows: Sql
    fields: Sequence[Field]

    @property
    def numeric(self) -> list[int]:
        return [i for i, field in enumerate(self.fields) if field.kind == "numeric"]

    def cells(self) -> Iterator[tuple[CellKey, list[FieldSums]]]:
        keys = self._keys()
        if not keys:
            return
        means = self._means(len(keys))
        blocks = self._by_block(means)
        units = self._by_unit(means) if self.catalog.predictions.unit is not None else None
        values = self._values()
        place = column(blocks, "cell").astype(np.int64)
        table = {
            name: column(blocks, name) for name in blocks.column_names if name not in {"cell", "block_key"}
        }
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(1, len(keys) + 2))
        for cell, key in keys.items():
            mine = order[ends[cell - 1] : ends[cell]]
            yield (
                key,
                [self._field(i, cell, table, mine, means, units, values) for i in range(len(self.fields))],
            )

    def _field(  # noqa: PLR0917  # the four passes meet here
        self,
        i: int,
        cell: int,
        table: Mapping[str, Floats],
        mine: NDArray[np.int64],
        means: Floats,
        units: Mapping[tuple[int, int], UnitSums] | None,
        values: Mapping[tuple[int, int], Values],
    ) -> FieldSums:
        mean = float(means[cell - 1, i])
        sums = {name: table[f"{name}_{i}"][mine] for name in _BY_BLOCK}
        return FieldSums(
            field=self.fields[i],
            mean=mean if np.isfinite(mean) else None,
            units=None if units is None else units.get((cell, i)),
            values=values.get((cell, i)),
            **sums,
        )

    def _query(self, text: str, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        return self.catalog.engine.query(Sql(text, self.rows.parameters), tables=tables)

    def _keys(self) -> dict[int, CellKey]:
        text = f"SELECT DISTINCT cell, window_key, version, segment FROM ({self.rows.text}) ORDER BY cell"
        return {
            int(row["cell"]): CellKey(row["window_key"], row["version"], row["segment"])
            for row in self._query(text).to_pylist()
        }

    def _means(self, cells: int) -> Floats:
        """Weighted mean of the finite values, cells x fields; NaN for texts and where there are none."""
        found = np.full((cells, len(self.fields)), np.nan)
        if not self.numeric:
            return found
        sums = "".join(
            f", sum(CASE WHEN {_finite(i)} THEN weight * f{i} END) / "
            f"sum(CASE WHEN {_finite(i)} THEN weight END) AS m{i}"
            for i in self.numeric
        )
        table = self._query(f"SELECT cell{sums} FROM ({self.rows.text}) GROUP BY cell")
        at = column(table, "cell").astype(np.int64) - 1
        for i in self.numeric:
            found[at, i] = column(table, f"m{i}")
        # what is beyond a double cannot be averaged
        found[~np.isfinite(found)] = np.nan
        return found

    def _centred(self, means: Floats) -> tuple[str, dict[str, pa.Table]]:
        """The rows with g_i = f_i - mean where finite."""
        if not self.numeric:
            return self.rows.text, {}
        columns = {"cell": pa.array(np.arange(1, len(means) + 1), pa.int64())}
        columns |= {
            f"m{i}": pa.array(means[:, i], pa.float64(), mask=np.isnan(means[:, i])) for i in self.numeric
        }
        gaps = "".join(
            f", CASE WHEN {_finite(i, 'r.')} THEN r.f{i} - c.m{i} END AS g{i}" for i in self.numeric
        )
        text = f"SELECT r.*{gaps} FROM ({self.rows.text}) AS r JOIN summary_means AS c ON r.cell = c.cell"
        return text, {"summary_means": pa.table(columns)}

    def _by_block(self, means: Floats) -> pa.Table:
        body, tables = self._centred(means)
        sums = [
            f"{expression} AS {name}_{i}"
            for i in range(len(self.fields))
            for name, expression in self._sums(i)
        ]
        return self._query(
            f"SELECT cell, block_key, {', '.join(sums)} FROM ({body}) GROUP BY cell, block_key", tables
        )

    def _sums(self, i: int) -> list[tuple[str, str]]:
        field = self.fields[i]
        counted = f"f{i} IS NOT NULL" if field.role == "label" else "TRUE"
        missing = "FALSE" if field.role == "label" else f"f{i} IS NULL"
        finite = _finite(i) if field.kind == "numeric" else f"f{i} IS NOT NULL"
        infinite = f"abs(f{i}) > {literal(MAX_DOUBLE)}" if field.kind == "numeric" else "FALSE"
        gaps = [f"weight * g{i}", f"weight * g{i} * g{i}", f"weight * weight * g{i} * g{i}"]
        found = [
            _total(counted, "1e0"), _total(counted, "weight"), _total(counted, "weight * weight"),
            _total(missing, "weight"), _total(missing, "weight * weight"), _total(infinite, "weight"),
            _total(finite, "1e0"), _total(finite, "weight"), _total(finite, "weight * weight"),
            *(f"coalesce(sum({gap}), 0e0)" if field.kind == "numeric" else "0e0" for gap in gaps),
        ]  # fmt: skip
        return list(zip(_BY_BLOCK, found, strict=True))

    def _by_unit(self, means: Floats) -> dict[tuple[int, int], UnitSums]:
        body, tables = self._centred(means)
        inner, outer = [], []
        for i, field in enumerate(self.fields):
            label, numeric = field.role == "label", field.kind == "numeric"
            inner += [
                f"{_total(f'f{i} IS NOT NULL' if label else 'TRUE', 'weight')} AS b{i}",
                f"{_total('FALSE' if label else f'f{i} IS NULL', 'weight')} AS a{i}",
                f"{f'coalesce(sum(weight * g{i}), 0e0)' if numeric else '0e0'} AS c{i}",
            ]
            sums = (
                f"CAST(b{i} > 0e0 AS DOUBLE)",
                f"c{i} * c{i}",
                f"a{i} * a{i}",
                f"a{i} * b{i}",
                f"b{i} * b{i}",
            )
            outer += [f"sum({one}) AS {name}_{i}" for name, one in zip(_BY_UNIT, sums, strict=True)]
        text = (
            f"SELECT cell, {', '.join(outer)} FROM "
            f"(SELECT cell, unit_key, {', '.join(inner)} FROM ({body}) GROUP BY cell, unit_key) GROUP BY cell"
        )
        table = self._query(text, tables)
        values = {name: column(table, name) for name in table.column_names}
        return {
            (int(cell), i): UnitSums(
                int(values[f"units_{i}"][row]), *(float(values[f"{name}_{i}"][row]) for name in _BY_UNIT[1:])
            )
            for row, cell in enumerate(values["cell"])
            for i in range(len(self.fields))
        }

    def _values(self) -> dict[tuple[int, int], Values]:
        found: dict[tuple[int, int], Values] = {}
        texts = [i for i in range(len(self.fields)) if i not in set(self.numeric)]
        for kind, members in ((True, self.numeric), (False, texts)):
            if members:
                body = " UNION ALL ".join(self._ordered(i, numeric=kind) for i in members)
                for row in self._query(body).to_pylist():
                    found[int(row["cell"]), int(row["field"])] = Values(
                        row["p05"],
                        row["p50"],
                        row["p95"],
                        row["top"],
                        float(row["top_weight"]),
                        int(row["n_values"]),
                    )
        return found

    def _ordered(self, i: int, *, numeric: bool) -> str:
        kept = _finite(i) if numeric else f"f{i} IS NOT NULL"
        # in twentieths, so that a sum of counts is compared without rounding
        ranks = {"p05": "total", "p50": "total * 10e0", "p95": "total * 19e0"}
        picks = {name: f"upto * 20e0 >= {rank}" for name, rank in ranks.items()}
        nothing = "CAST(NULL AS DOUBLE)"
        quantiles = ", ".join(
            f"{f'min(value) FILTER (WHERE {rule})' if numeric else nothing} AS {name}"
            for name, rule in picks.items()
        )
        return (
            f"SELECT cell, {i} AS field, {quantiles}, min(value) FILTER (WHERE held = most) AS top, "
            "max(most) AS top_weight, count(*) AS n_values FROM (SELECT cell, value, held, "
            "sum(held) OVER (PARTITION BY cell ORDER BY value ROWS UNBOUNDED PRECEDING) AS upto, "
            "sum(held) OVER (PARTITION BY cell) AS total, max(held) OVER (PARTITION BY cell) AS most FROM "
            f"(SELECT cell, f{i} AS value, sum(weight) AS held FROM ({self.rows.text}) WHERE {kept} "
            f"GROUP BY cell, f{i})) GROUP BY cell"
        )


def _finite(i: int, of: str = "") -> str:
    return f"abs({of}f{i}) <= {literal(MAX_DOUBLE)}"


def _total(condition: str, what: str) -> str:
    return f"sum(CASE WHEN {condition} THEN {what} ELSE 0e0 END)"
