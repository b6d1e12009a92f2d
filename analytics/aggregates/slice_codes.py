"""Rows as small numbers: which condition of every field holds, and what the row lost.

One scan writes the codes; the engine hands over one byte a field and row, the loss, the block and the unit, and no
logged value. Counting slices reads the codes several hundred times: arrays of bytes take that many times faster than a
GROUP BY each. Where there are too many rows they are sampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import block_codes, column
from analytics.aggregates.moments import Beside, RowMoments, unit_expression
from analytics.aggregates.slice_fields import MOST_VALUES, SliceField, readable_categories
from analytics.aggregates.slice_losses import Loss
from analytics.engines.text import Sql, literal
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MOST_ROWS = 4_000_000
"""More rows than these are sampled, seeded."""
LEAST_BLOCKS = 10
"""Fewer blocks cannot be halved fairly."""
LEAST_UNITS = 20
LARGEST = 1e300
"""A loss beyond it has no square."""
_SEED = "assay"
_ROUNDING = 1e-9
_RARE = 10
"""A value that fewer rows hold is no condition."""


@dataclass(frozen=True)
class Among:
    """Rows that others are a part of: their sums are made once."""

    codes: SliceCodes
    rows: Mask

    @cached_property
    def moments(self) -> RowMoments:
        """Sums of the metric and of rows over all of them."""
        return self.codes.moments(self.rows)

    @cached_property
    def units(self) -> Floats:
        """The same by unit."""
        return self.codes.by_unit(self.rows, self.codes.plain)

    def amounts(self, amount: Floats) -> tuple[Floats, Floats | None]:
        """Weighted sums of an amount by block and by unit, over all rows; made once."""
        if "amounts" not in self._made:
            self._made["amounts"] = self.codes.sums_of(self.codes.weight * amount)
        by_block, by_unit = self._made["amounts"]
        return by_block, by_unit

    def squares(self, amount: Floats) -> float:
        """The sum of squares of the weighted amount; made once."""
        if "squares" not in self._made:
            self._made["squares"] = float(np.square(self.codes.weight * amount).sum())
        return float(self._made["squares"])

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class SliceCodes:
    """Rows of one version with a loss, as codes.

    Attributes:
        fields: what the codes mean, in order.
        codes: one array a field: 0 where none of its conditions holds, shape (n,) each.
        value: the metric of each row.
        weight: of each row.
        block: number of each row's block.
        unit: number of each row's unit; None where none is declared.
        part: 1 where slices are looked for, 2 where they are confirmed, 0 for rows in neither.
        split: what was halved, in words.
        n: rows with a loss before sampling.
        sql: the texts that scanned.
    """

    fields: tuple[SliceField, ...]
    codes: tuple[NDArray[np.uint8], ...]
    value: Floats
    weight: Floats
    block: NDArray[np.int64]
    unit: NDArray[np.int64] | None
    part: NDArray[np.uint8]
    split: str
    n: int
    sql: tuple[str, ...]

    def only(self, rows: Mask) -> SliceCodes:
        """Some of the rows."""
        unit = None if self.unit is None else self.unit[rows]
        return replace(
            self,
            codes=tuple(codes[rows] for codes in self.codes),
            value=self.value[rows],
            weight=self.weight[rows],
            block=self.block[rows],
            unit=unit,
            part=self.part[rows],
        )

    def holds(self, conditions: Sequence[tuple[int, int]]) -> Mask:
        """Which rows meet all (field, code) conditions."""
        kept = np.ones(len(self.value), dtype=np.bool_)
        for field, code in conditions:
            kept &= self.codes[field] == code
        return kept

    @cached_property
    def total_weight(self) -> float:
        """Of all rows."""
        return float(self.weight.sum())

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        unique, inverse = np.unique(self.block, return_inverse=True)
        return unique, inverse

    @cached_property
    def _units(self) -> NDArray[np.int64] | None:
        return None if self.unit is None else np.unique(self.unit, return_inverse=True)[1].astype(np.int64)

    def moments(
        self, rows: Mask, within: Among | None = None, values: Mapping[str, Floats] | None = None
    ) -> RowMoments:
        """Sums of numbers over some rows.

        Args:
            rows: which.
            within: rows of which they are a part; how their units stand to these is told as well.
            values: name -> a number of every row; the metric (``value``) and 1 (``rows``) where left out.
        """
        known = self.plain if values is None else values
        index = np.flatnonzero(rows)
        weighted = [self.weight[index] * value[index] for value in known.values()]
        unique, block = self._blocks
        sums = _by(block[index], weighted, len(unique))
        held = np.bincount(block[index], minlength=len(unique)) > 0
        stacked = np.stack(weighted)
        counts = np.count_nonzero(stacked, axis=1).astype(np.float64)
        units, n_units, beside = self._unit_sums(rows, within, known)
        return RowMoments(
            tuple(known),
            len(index),
            counts,
            unique[held],
            sums[held],
            stacked @ stacked.T,
            units,
            n_units,
            beside,
        )

    def sums_of(self, values: Floats) -> tuple[Floats, Floats | None]:
        """Sums of a number over the rows of every block and of every unit."""
        unique, block = self._blocks
        units = None if self._units is None else np.bincount(self._units, values).astype(np.float64)
        return np.bincount(block, values, minlength=len(unique)).astype(np.float64), units

    @cached_property
    def plain(self) -> Mapping[str, Floats]:
        """The metric and 1 of every row."""
        return {"value": self.value, "rows": np.ones(len(self.value))}

    def share_moments(self, rows: Mask, amount: Floats, among: Among) -> RowMoments:
        """Sums of an amount inside some rows (``inside``) and over all (``all``).

        Args:
            rows: which.
            amount: of every row.
            among: all rows.
        """
        index = np.flatnonzero(rows)
        inside = self.weight[index] * amount[index]
        unique, block = self._blocks
        by_block, by_unit = among.amounts(amount)
        sums = np.stack([np.bincount(block[index], inside, minlength=len(unique)), by_block], axis=1)
        squares, every = float(inside @ inside), among.squares(amount)
        units = n_units = None
        if self._units is not None and by_unit is not None:
            mine = np.bincount(self._units[index], inside, minlength=len(by_unit))
            both = np.stack([mine, by_unit], axis=1)
            units, n_units = both.T @ both, (both != 0.0).sum(axis=0).astype(np.float64)
        counts = np.array([np.count_nonzero(inside), np.count_nonzero(amount)], dtype=np.float64)
        products = np.array([[squares, squares], [squares, every]])
        return RowMoments(("inside", "all"), len(amount), counts, unique, sums, products, units, n_units)

    def _unit_sums(
        self, rows: Mask, within: Among | None, values: Mapping[str, Floats]
    ) -> tuple[Floats | None, Floats | None, Beside | None]:
        if self._units is None:
            return None, None, None
        mine = self.by_unit(rows, values)
        beside = None
        if within is not None:
            whole = within.units
            # sums in another order may differ by rounding
            more = np.abs(whole - mine) > _ROUNDING * np.abs(whole)
            beside = Beside(mine.T @ whole, ((mine != 0.0) & more).sum(axis=0).astype(np.float64))
        return mine.T @ mine, (mine != 0.0).sum(axis=0).astype(np.float64), beside

    def by_unit(self, rows: Mask, values: Mapping[str, Floats]) -> Floats:
        """Sums of numbers over some rows of every unit, shape (units, numbers)."""
        if self._units is None:
            return np.zeros((0, len(values)))
        index = np.flatnonzero(rows)
        weighted = [self.weight[index] * value[index] for value in values.values()]
        return _by(self._units[index], weighted, int(self._units.max(initial=-1)) + 1)


def _by(key: NDArray[np.int64], values: Sequence[Floats], size: int) -> Floats:
    return np.stack([np.bincount(key, one, minlength=size) for one in values], axis=1)


@dataclass(frozen=True)
class _Size:
    """How many rows, blocks and units there are."""

    n: int
    n_blocks: int
    n_units: int


def read_slice_codes(
    catalog: Catalog,
    rows: Sql,
    fields: Sequence[SliceField],
    loss: Loss,
    *,
    most_rows: int = MOST_ROWS,
) -> SliceCodes:
    """Encode scoped rows.

    Args:
        catalog: the project's views.
        rows: scoped rows of one version.
        fields: what to slice by.
        loss: what each row is measured by.
        most_rows: more are sampled.
    """
    with catalog.engine.kept(_encoded(catalog, rows, fields, loss)) as kept:
        size = _size(catalog, kept)
        named = [
            field if field.is_numeric else field.of_categories(found)
            for field, found in zip(fields, _categories(catalog, kept, fields), strict=True)
        ]
        by_unit, by_block = size.n_units >= LEAST_UNITS, size.n_blocks >= LEAST_BLOCKS
        sql = _fetched(kept, named, min(1.0, most_rows / max(size.n, 1)), halved=not (by_unit or by_block))
        table = catalog.engine.query(sql)
    block = block_codes(table)
    unit, unit_half = _units_of(table) if size.n_units else (None, None)
    part = _parts(
        column(table, "half").astype(np.bool_),
        unit_half if by_unit else None,
        _block_halves(block) if by_block else None,
    )
    weighted = catalog.predictions.weight is not None
    return SliceCodes(
        fields=tuple(named),
        codes=tuple(
            table.column(f"f{i}").to_numpy(zero_copy_only=False).astype(np.uint8) for i in range(len(named))
        ),
        value=column(table, "value"),
        weight=column(table, "weight") if weighted else np.ones(table.num_rows),
        block=block,
        unit=unit,
        part=part,
        split=_words(catalog, by_unit=by_unit, by_block=by_block),
        n=size.n,
        sql=(rows.text, sql.text),
    )


def _encoded(catalog: Catalog, rows: Sql, fields: Sequence[SliceField], loss: Loss) -> Sql:
    unit = unit_expression() if catalog.predictions.unit is not None else "CAST(NULL AS VARCHAR)"
    coded = "".join(f", {field.expression} AS f{i}" for i, field in enumerate(fields))
    weighted = " AND weight > 0e0" if catalog.predictions.weight is not None else ""
    return Sql(
        f"SELECT * FROM (SELECT block_key, ts, {unit} AS unit, weight, {loss.value} AS value{coded} "
        f"FROM ({rows.text}) WHERE {loss.condition}{weighted}) WHERE abs(value) <= {literal(LARGEST)}",
        rows.parameters,
    )


def _size(catalog: Catalog, kept: Sql) -> _Size:
    text = (
        "SELECT count(*) AS n, count(DISTINCT block_key) AS n_blocks, count(DISTINCT unit) AS n_units "
        f"FROM ({kept.text})"
    )
    found = catalog.engine.query(text).to_pylist()[0]
    return _Size(int(found["n"]), int(found["n_blocks"]), int(found["n_units"]))


def _categories(catalog: Catalog, kept: Sql, fields: Sequence[SliceField]) -> list[list[str | None]]:
    """The values of each field that is no number, most frequent first."""
    picks = [
        f"SELECT * FROM (SELECT {i} AS field, f{i} AS value, count(*) AS n FROM ({kept.text}) GROUP BY f{i} "
        f"HAVING count(*) >= {_RARE} ORDER BY n DESC, value LIMIT {MOST_VALUES + 2})"
        for i, field in enumerate(fields)
        if not field.is_numeric
    ]
    found: list[list[str | None]] = [[] for _ in fields]
    if picks:
        for row in catalog.engine.query(" UNION ALL ".join(picks)).to_pylist():
            found[row["field"]].append(row["value"])
    return [
        readable_categories(names, is_segment=field.is_segment)[:MOST_VALUES]
        for names, field in zip(found, fields, strict=True)
    ]


def _fetched(kept: Sql, fields: Sequence[SliceField], share: float, *, halved: bool) -> Sql:
    """Codes of every field; a category by a join with its values, which are bound.

    Args:
        kept: encoded rows.
        fields: with their values.
        share: of the rows that are drawn, by their digests.
        halved: whether rows themselves are halved, by their digests too.
    """
    columns, joins, parameters = [], [], dict[str, str]()
    for i, field in enumerate(fields):
        code = Sql(f"k.f{i}")
        if not field.is_numeric:
            code = _category_code(i, field)
            if code.parameters:
                values = ", ".join(f"(${name}, {name.rsplit('_', 1)[1]})" for name in code.parameters)
                joins.append(f"LEFT JOIN (VALUES {values}) AS m{i}(value, code) ON m{i}.value = k.f{i}")
            parameters |= code.parameters
        columns.append(f"CAST({code.text} AS SMALLINT) AS f{i}")
    digest = f"md5(concat('{_SEED} ', k.ts, ' ', k.value))"
    half = f"CAST(substr({digest}, 1, 1) < '8' AS SMALLINT)" if halved else "0"
    drawn = ""
    if share < 1.0:
        drawn, parameters["slice_share"] = (
            f"WHERE substr({digest}, 9, 6) < $slice_share",
            f"{int(share * 16**6):06x}",
        )
    text = (
        f"SELECT k.block_key, k.unit, k.weight, k.value, {half} AS half, {', '.join(columns) or '0 AS f'} "
        f"FROM ({kept.text}) AS k {' '.join(joins)} {drawn}"
    )
    return Sql(text, parameters)


def _category_code(i: int, field: SliceField) -> Sql:
    """A category's code; the parameters are its values by a name that ends in the code."""
    names = {
        f"slice_value_{i}_{j}": one.word
        for j, one in enumerate(field.values, start=1)
        if one.word != MISSING or field.is_segment
    }
    code = f"coalesce(m{i}.code, 0)" if names else "0"
    missing = next((j for j, one in enumerate(field.values, start=1) if one.word == MISSING), None)
    if missing is not None and not field.is_segment:
        code = f"CASE WHEN k.f{i} IS NULL THEN {missing} ELSE {code} END"
    return Sql(code, names)


# --- halves


def _units_of(table: pa.Table) -> tuple[NDArray[np.int64], Mask]:
    """Each row's unit as a number, and which half the unit is in by its digest."""
    encoded = table.column("unit").combine_chunks().dictionary_encode()
    index = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    names = encoded.dictionary.to_numpy(zero_copy_only=False)
    half = (pd.util.hash_array(names.astype(object), categorize=False) & 1).astype(np.bool_)
    return index, half[index]


def _block_halves(block: NDArray[np.int64]) -> Mask:
    """Every second block in the order of their digests."""
    unique, inverse = np.unique(block, return_inverse=True)
    order = np.argsort(pd.util.hash_array(unique), kind="stable")
    half = np.zeros(len(unique), dtype=np.bool_)
    half[order[::2]] = True
    return np.asarray(half[inverse])


def _parts(row: Mask, unit: Mask | None, block: Mask | None) -> NDArray[np.uint8]:
    """1 and 2; where units and blocks are halved, rows of which one is in either half are in neither part."""
    first = row if unit is None and block is None else np.ones(len(row), dtype=np.bool_)
    second = ~row if unit is None and block is None else first.copy()
    for half in (unit, block):
        if half is not None:
            first &= half
            second &= ~half
    return (first + 2 * second.astype(np.uint8)).astype(np.uint8)


def _words(catalog: Catalog, *, by_unit: bool, by_block: bool) -> str:
    block = f"{catalog.predictions.block}s"
    if by_unit:
        return f"units and {block}" if by_block else "units"
    return block if by_block else "rows"
