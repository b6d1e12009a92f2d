"""The columns of a feature histogram: what is summed for one field, and what bins they make.

The form of each sum is the quickest of those tried on DuckDB 2.0, over a million rows of 15 numeric features, in
nanoseconds of processor time a row and edge:

- `count_if(y >= edge)`: 1.0, whole numbers exact; y is x with -infinity where it is missing, as a column without NULL
  is compared and counted without looking at which rows have a value. `count_if(x < edge)`, which stood here before:
  2.7 (1.5 where nothing is missing); `sum(CAST(x < edge AS DOUBLE))` 3.6; `CAST … AS INTEGER` 3.1; two or three
  counts packed into one BIGINT 7; `count(nullif(…))` 6.4; FILTER 38. A bin found by halving (CASE) costs 22 to 32 a
  row and feature, as much as all 19 edges, before anything is counted. With all the other sums a row and feature
  takes 40 instead of 64.
- `count_if(x = 'a')` on the text itself where the reference's values are listed: .5 a row and value on dictionary
  pages, 1.6 otherwise; the join with a table of their codes, which stood here before, cost 20 to 30 a row and field.
- moments of numbers that are NULL where not finite, made so once (g): half of a CASE in every sum. Sums beyond the
  outer edges are a CASE each all the same: few rows get there, and `greatest(low - g, 0e0)` costs 1.5 times as much.
- nothing is summed that follows from other sums where no weights are declared (missing rows, their squares).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.reference_bins import LISTED, MAX_DOUBLE, ReferenceBins, counted_rows, of_version
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import block_key

Floats = NDArray[np.float64]
_KEYS = frozenset({"window_key", "block_key", "version"})
LOWEST = "CAST('-Infinity' AS DOUBLE)"
"""What a missing number is counted as: no edge is that low."""
TAIL = 8
"""Columns after the bins of a field, as `analytics.aggregates.features.FieldCounts` names them after counts."""


def pooled_lookup(catalog: Catalog, item: ReferenceBins, i: int) -> Sql:
    """The join that gives a value of many its code: its place among the listed ones, LISTED for the other ones."""
    own = of_version(item.version, f"bins_version_{i}")
    block = block_key(catalog.predictions.block, "all", catalog.project.time_zone)
    flags = "count(*) AS held, count(DISTINCT block) AS blocks"
    ranked = (
        f"SELECT value, row_number() OVER (ORDER BY count(*) DESC, value) - 1 AS place, {flags} FROM "
        f"(SELECT {item.field.expression} AS value, {block} AS block FROM {item.source} WHERE {own.text} AND "
        f"{counted_rows(catalog)}) WHERE value IS NOT NULL GROUP BY value"
    )
    code = f"CAST(CASE WHEN place < {LISTED} THEN place ELSE {LISTED} END AS INTEGER)"
    table = f"(SELECT value, {code} AS code, held, blocks FROM ({ranked}))"
    return Sql(f"LEFT JOIN {table} AS m{i} ON m{i}.value = f{i}", own.parameters)


def bound_categories(item: ReferenceBins, i: int) -> dict[str, str]:
    """The values a text compares with, by the names they are bound under."""
    if item.is_numeric or item.pooled:
        return {}
    return {f"category_{i}_{place}": name for place, name in enumerate(item.listed)}


@lru_cache(maxsize=4096)
def field_sums(item: ReferenceBins, i: int, *, weighted: bool) -> list[tuple[str, str]]:
    """What is summed for a field: name and expression over f (its value), g (where finite), y, weight and lookups.

    Remembered, as every question about drift writes the texts of all fields several times.

    Args:
        item: its bins.
        i: its number, which all names hold.
        weighted: whether rows have weights; else sums of weights are counts, of y as well (f, or -infinity where
            it is missing).
    """

    def total(condition: str) -> str:
        if weighted:
            return f"sum(CAST({condition} AS DOUBLE) * weight)"
        return f"CAST(count_if({condition}) AS BIGINT)"

    present = f"f{i} IS NOT NULL"
    sums = [(f"present_{i}", total(present) if weighted else f"count(f{i})")]
    if weighted and item.field.role == "label":
        squares = f"sum(CASE WHEN {present} THEN weight * weight END)"
        sums += [(f"n_{i}", f"count(f{i})"), (f"w2_{i}", squares)]
    elif weighted:
        sums.append((f"missing_{i}", total(f"f{i} IS NULL")))
    if item.is_numeric:
        counts = _weights_below(item, i, total) if weighted else _rows_from(item, i, total)
        return sums + counts + _numeric_sums(item, i, " * weight" if weighted else "")
    if not item.pooled:
        return sums + [(f"is_{name}", total(f"f{i} = ${name}")) for name in bound_categories(item, i)]
    other = f"m{i}.code = {LISTED}"
    sums += [(f"is_category_{i}_{place}", total(f"m{i}.code = {place}")) for place in range(LISTED)]
    sums.append((f"other_{i}", total(other)))
    return sums + [
        (f"{unit}_{few}_{i}", total(f"{other} AND m{i}.{unit} = {few}"))
        for unit in ("held", "blocks")
        for few in (1, 2)
    ]


def _rows_from(item: ReferenceBins, i: int, total: Callable[[str], str]) -> list[tuple[str, str]]:
    """Rows from each edge on, and from the lowest number on: what is missing is below all of them."""
    sums = [(f"from_{i}_{k}", total(f"y{i} >= {literal(edge)}")) for k, edge in enumerate(item.edges)]
    return [*sums, *_beyond(i, "y", total), (f"from_lowest_{i}", total(f"y{i} >= {literal(-MAX_DOUBLE)}"))]


def _weights_below(item: ReferenceBins, i: int, total: Callable[[str], str]) -> list[tuple[str, str]]:
    """Weights below each edge, and not from it on: their difference from all would be off by rounding."""
    sums = [(f"below_{i}_{k}", total(f"f{i} < {literal(edge)}")) for k, edge in enumerate(item.edges)]
    return [*sums, *_beyond(i, "f", total), (f"below_all_{i}", total(f"f{i} < {literal(-MAX_DOUBLE)}"))]


def _beyond(i: int, of: str, total: Callable[[str], str]) -> list[tuple[str, str]]:
    # NaN is larger than every number, infinity included, on every engine used
    return [
        (f"above_all_{i}", total(f"{of}{i} > {literal(MAX_DOUBLE)}")),
        (f"nan_{i}", total(f"isnan({of}{i})")),
    ]


def _numeric_sums(item: ReferenceBins, i: int, times: str) -> list[tuple[str, str]]:
    sums = []
    if item.edges:
        low, high = literal(item.edges[0]), literal(item.edges[-1])
        under = f"f{i} < {low} AND f{i} >= {literal(-MAX_DOUBLE)}"
        over = f"f{i} >= {high} AND f{i} <= {literal(MAX_DOUBLE)}"
        sums += [
            (f"under_{i}", f"sum(CASE WHEN {under} THEN ({low} - f{i}){times} END)"),
            (f"over_{i}", f"sum(CASE WHEN {over} THEN (f{i} - {high}){times} END)"),
        ]
    gap = f"(g{i} - {literal(item.centre)})"
    return [*sums, (f"first_{i}", f"sum({gap}{times})"), (f"second_{i}", f"sum({gap} * {gap}{times})")]


def columns_of(table: pa.Table) -> Mapping[str, Floats]:
    """The sums of an answer by name, missing ones 0; read once for all fields, of which there may be 500 columns."""
    return {
        name: _doubles(column)
        for name, column in zip(table.column_names, table.columns, strict=True)
        if name not in _KEYS
    }


def field_values(item: ReferenceBins, i: int, columns: Mapping[str, Floats]) -> Floats:
    """The bins of a field and their tail, a row for each of the answer's.

    Args:
        item: the field's bins.
        i: its number, which the names of its sums hold.
        columns: from `columns_of`.
    """
    nothing = np.zeros(len(next(iter(columns.values()))))

    def read(name: str, default: str = "") -> Floats:
        return columns.get(name, columns.get(default, nothing))

    present = read(f"present_{i}")
    label = item.field.role == "label"
    rows = read(f"n_{i}", f"present_{i}") if label else read("n")
    squares = read(f"w2_{i}", f"present_{i}") if label else read("w2", "n")
    missing = nothing if label else columns.get(f"missing_{i}", rows - present)
    if item.is_numeric:
        found = _numeric_values(item, i, read, present, missing, weighted="w2" in columns)
        names = (f"under_{i}", f"over_{i}", f"first_{i}", f"second_{i}", "", "")
    else:
        found = _category_values(item, i, read, present, missing)
        names = ("", "", f"held_1_{i}", f"held_2_{i}", f"blocks_1_{i}", f"blocks_2_{i}")
    return np.stack([*found, rows, squares, *(read(name) for name in names)], axis=1)


def _numeric_values(
    item: ReferenceBins,
    i: int,
    read: Callable[[str], Floats],
    present: Floats,
    missing: Floats,
    *,
    weighted: bool,
) -> list[Floats]:
    above_all, nans = read(f"above_all_{i}"), read(f"nan_{i}")
    if weighted:
        below_all = read(f"below_all_{i}")
        below = [read(f"below_{i}_{k}") for k in range(len(item.edges))]
    else:
        below_all = present - read(f"from_lowest_{i}")
        below = [present - read(f"from_{i}_{k}") for k in range(len(item.edges))]
    cumulative = np.stack([below_all, *below, present - above_all])
    values = np.maximum(np.diff(cumulative, axis=0), 0.0)
    return [*values, missing + nans, above_all - nans, below_all]


def _category_values(
    item: ReferenceBins, i: int, read: Callable[[str], Floats], present: Floats, missing: Floats
) -> list[Floats]:
    places = {name: place for place, name in enumerate(item.listed)}
    names = [f"is_category_{i}_{places[name]}" for name in item.categories]
    seen = [read(name) for name in (*names, *([f"other_{i}"] if item.pooled else []))]
    if not seen:
        return [missing, present]
    # weights may differ from their sum by rounding; a share below 0 would be worse
    unseen = np.maximum(present - np.stack(seen, axis=1).sum(axis=1), 0.0)
    unseen[unseen < present * 1e-9] = 0.0
    return [*seen, missing, unseen]


def _doubles(values: pa.ChunkedArray) -> Floats:
    known = values.fill_null(0) if values.null_count else values
    found: Floats = known.to_numpy().astype(np.float64, copy=False)
    return found
