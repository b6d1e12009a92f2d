"""A selection of rows against the rest, field by field: counts by bin, in blocks of time and in groups of units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.cause_bins import SAMPLED, FieldBins, numeric_bins
from analytics.aggregates.cause_rows import rows_where
from analytics.aggregates.reference_bins import Field, counted_rows, watched_fields
from analytics.engines.text import Sql, identifier, literal
from analytics.scope import Filter, Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import SLICE, scoped_rows, segment_expression

Floats = NDArray[np.float64]
Role = Literal[
    "feature", "score", "decision", "label", "version", "latency", "status", "segment", "unit", "time"
]
GROUPS = 50
"""Units fall into so many groups, whose rows are taken as independent of each other's."""
CATEGORIES = 20


@dataclass(frozen=True)
class MovedCells:
    """Counts of one field.

    Attributes:
        role: what the field is.
        bins: their meaning; the last one is the missing value.
        by_block: shape (blocks, 2, bins): the selection, then the rest.
        by_units: the same by groups of units; None where no unit is logged.
    """

    role: Role
    bins: FieldBins
    by_block: Floats
    by_units: Floats | None


def read_moved(
    catalog: Catalog, selection: Scope, rest: Scope | None, apart: tuple[Filter, ...]
) -> tuple[tuple[MovedCells, ...], str]:
    """Count both sides in one scan.

    Args:
        catalog: the project's views.
        selection: the rows that are asked about.
        rest: other rows; None for the rows of the same window that ``apart`` does not pass.
        apart: with no ``rest``: the filters that make the selection.
    """
    fields = _fields(catalog, selection)
    columns = ", ".join(
        [
            "block_key",
            "hash(unit) % " + str(GROUPS) + " AS units",
            "weight AS w" if catalog.predictions.weight is not None else "1e0 AS w",
            *(f"{field.expression} AS {identifier(f'f:{field.name}')}" for _, field in fields),
        ]
    )
    if rest is None:
        whole = replace(selection, filters=tuple(f for f in selection.filters if f not in apart), by=None)
        rows = scoped_rows(catalog, replace(whole, grain="all"), slice_=apart)
        flag = f"segment = {literal(SLICE)}"
        text = f"SELECT {flag} AS inside, {columns} FROM ({rows.text}) WHERE {counted_rows(catalog)}"
        kept = Sql(text, rows.parameters)
    else:
        kept = _two(catalog, selection, rest, columns)
    with catalog.engine.kept(kept) as held:
        bins = [_bins(catalog, held, field) for _, field in fields]
        table = catalog.engine.query(_query(catalog, held, bins, units=catalog.predictions.unit is not None))
    return _cells(table, fields, bins), kept.text


def _two(catalog: Catalog, selection: Scope, rest: Scope, columns: str) -> Sql:
    """Rows of two scopes; what both bind goes by two names."""
    parts, parameters = [], {}
    for inside, scope in ((True, selection), (False, rest)):
        rows = scoped_rows(catalog, replace(scope, grain="all", by=None))
        text = rows.text
        # the longest first: one name may begin like another
        for name in sorted(rows.parameters, key=len, reverse=True):
            text = text.replace(f"${name}", f"${'in' if inside else 'out'}_{name}")
            parameters[f"{'in' if inside else 'out'}_{name}"] = rows.parameters[name]
        said = "TRUE" if inside else "FALSE"
        parts.append(f"SELECT {said} AS inside, {columns} FROM ({text}) WHERE {counted_rows(catalog)}")
    return Sql(" UNION ALL ".join(parts), parameters)


def _fields(catalog: Catalog, scope: Scope) -> list[tuple[Role, Field]]:
    section = catalog.predictions
    found: list[tuple[Role, Field]] = [(field.role, field) for field in watched_fields(catalog)]
    taken = {field.name for _, field in found}

    def add(role: Role, name: str, kind: Literal["numeric", "categorical"], expression: str) -> None:
        if name not in taken:
            found.append((role, Field(name, "feature", kind, expression)))

    for name, segment in catalog.segments.items():
        add("segment", name, "categorical", segment_expression(segment))
    if section.version is not None and len(scope.versions) != 1 and len(catalog.versions) > 1:
        add("version", "version", "categorical", "version")
    if section.latency is not None:
        add("latency", "latency", "numeric", "latency")
    if section.status is not None:
        add("status", "status", "categorical", "status")
    if section.unit is not None:
        private = section.unit in section.private
        add("unit", "unit", "categorical", f"'unit ' || (hash(unit) % {GROUPS})" if private else "unit")
    zone = literal(catalog.project.time_zone)
    add("time", "hour of day", "numeric", f"CAST(extract(hour FROM ts AT TIME ZONE {zone}) AS DOUBLE)")
    add("time", "day of week", "categorical", f"strftime(ts AT TIME ZONE {zone}, '%A')")
    return found


def _bins(catalog: Catalog, kept: Sql, field: Field) -> FieldBins:
    """Tenths of the rest's values, or its most frequent categories."""
    column = identifier(f"f:{field.name}")
    if field.kind == "numeric":
        tenths = ", ".join(f"{k / 10}e0" for k in range(1, 10))
        row = catalog.engine.query(
            f"SELECT quantile_disc(v, [{tenths}]) AS q FROM (SELECT {column} AS v FROM ({kept.text}) "
            f"WHERE isfinite({column}) LIMIT {20 * SAMPLED})"
        ).to_pylist()[0]
        return numeric_bins(field, row["q"], None, None, None, None)
    rows = catalog.engine.query(
        f"SELECT {column} AS v FROM ({kept.text}) WHERE {column} IS NOT NULL GROUP BY 1 "
        f"ORDER BY count(*) DESC, 1 LIMIT {CATEGORIES}"
    ).to_pylist()
    return FieldBins(field, categories=tuple(row["v"] for row in rows if "\x00" not in row["v"]), known=None)


def _query(catalog: Catalog, kept: Sql, bins: list[FieldBins], *, units: bool) -> str:
    codes = ", ".join(f"{item.code} AS c{j}" for j, item in enumerate(bins))
    sums = ", ".join(
        f"{rows_where(catalog, f'c{j} = {k}')} AS x{j}_{k}"
        for j, item in enumerate(bins)
        for k in range(item.size)
    )
    sets = "(inside, block_key), (inside, units)" if units else "(inside, block_key)"
    keys = "inside, block_key, units, GROUPING(units)" if units else "inside, block_key, NULL AS units, 1"
    return (
        f"SELECT {keys} AS by_block, {sums} FROM (SELECT *, {codes} FROM ({kept.text})) "
        f"WHERE inside IS NOT NULL GROUP BY GROUPING SETS ({sets})"
    )


def _cells(
    table: pa.Table, fields: list[tuple[Role, Field]], bins: list[FieldBins]
) -> tuple[MovedCells, ...]:
    inside = np.array(table.column("inside").to_pylist(), dtype=bool)
    by_block = np.array(table.column("by_block").to_pylist(), dtype=np.int64) == 1
    blocks = _numbered(table.column("block_key").to_pylist())
    units = _numbered(table.column("units").to_pylist())
    values = (
        np.column_stack([table.column(i).to_numpy(zero_copy_only=False) for i in range(4, table.num_columns)])
        if table.num_rows
        else np.zeros((0, table.num_columns - 4))
    ).astype(np.float64)
    found, start = [], 0
    for (role, _), item in zip(fields, bins, strict=True):
        part = values[:, start : start + item.size]
        start += item.size
        found.append(
            MovedCells(
                role,
                item,
                _stacked(part[by_block], blocks[by_block], inside[by_block]),
                _stacked(part[~by_block], units[~by_block], inside[~by_block]) if (~by_block).any() else None,
            )
        )
    return tuple(found)


def _numbered(keys: list[object]) -> NDArray[np.int64]:
    places = {key: i for i, key in enumerate(sorted({str(key) for key in keys}))}
    return np.array([places[str(key)] for key in keys], dtype=np.int64)


def _stacked(values: Floats, groups: NDArray[np.int64], inside: NDArray[np.bool_]) -> Floats:
    names, places = np.unique(groups, return_inverse=True)
    found = np.zeros((len(names), 2, values.shape[1]))
    np.add.at(found, (places, np.where(inside, 0, 1)), values)
    return found
