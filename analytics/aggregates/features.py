"""Feature histograms: rows of every watched field on the reference's bins, all fields in one scan.

The text is `sum(CAST(x < edge AS DOUBLE))` per edge (a few nanoseconds a row and edge on DuckDB) and the same
on the code of a category, grouped by window, block and version, so that the answer is one wide row a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import add_blocks, block_codes
from analytics.aggregates.reference_bins import LISTED, MAX_DOUBLE, ReferenceBins, counted_rows, of_version
from analytics.engines.text import Sql, literal
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import block_key, scoped_rows

Floats = NDArray[np.float64]
_TAIL = 8
"""Columns after the bins of a field, as `FieldCounts` names them after counts."""


class FieldCounts(NamedTuple):
    """One field of one cell by block (G blocks, B bins in the order of its `ReferenceBins`).

    Attributes:
        counts: sums of weights (rows, where no weight is declared), shape (G, B).
        rows: number of rows, shape (G,); of labels, those with one.
        squares: sums of squared weights, shape (G,).
        below: weighted sum of e_1 - x over finite x < e_1, shape (G,); numeric fields.
        above: weighted sum of x - e_k over finite x >= e_k, shape (G,).
        once: in ``(other)``, rows whose value one row of the reference has, shape (G,); of a numeric field, the
            weighted sum of x - c over finite x, c being `centre` of its bins.
        twice: the same for two rows; of a numeric field, the weighted sum of (x - c)^2.
        in_one_block: in ``(other)``, rows whose value one block of the reference has, shape (G,).
        in_two_blocks: the same for two blocks.
    """

    counts: Floats
    rows: Floats
    squares: Floats
    below: Floats
    above: Floats
    once: Floats
    twice: Floats
    in_one_block: Floats
    in_two_blocks: Floats


@dataclass(frozen=True)
class CellHistogram:
    """Every field of one window and version (or of the reference of one version) by block.

    Attributes:
        bins: what the columns mean; histograms add only on the same bins.
        blocks: the blocks' numbers, ascending, shape (G,).
        values: shape (G, K), fields one after another, each its bins and then the rest of its `FieldCounts`.
    """

    bins: tuple[ReferenceBins, ...]
    blocks: NDArray[np.int64]
    values: Floats

    @classmethod
    def empty(cls, bins: tuple[ReferenceBins, ...]) -> CellHistogram:
        """No rows."""
        return cls(bins, np.zeros(0, dtype=np.int64), np.zeros((0, sum(item.size + _TAIL for item in bins))))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First column of each field."""
        return tuple(accumulate((item.size + _TAIL for item in self.bins[:-1]), initial=0))

    def field(self, index: int) -> FieldCounts:
        """The counts of one field."""
        start, size = self.starts[index], self.bins[index].size
        tail = self.values[:, start + size : start + size + _TAIL].T
        return FieldCounts(self.values[:, start : start + size], *tail)

    def __add__(self, other: CellHistogram) -> CellHistogram:
        """Disjoint rows together, on the union of the blocks."""
        if self.bins != other.bins:
            raise ValueError(
                "histograms on different bins do not add; count both on the bins of one reference"
            )
        return CellHistogram(self.bins, *add_blocks(self.blocks, self.values, other.blocks, other.values))


@dataclass(frozen=True)
class FeatureHistograms:
    """The histograms of several windows and versions.

    Attributes:
        cells: (window key, version) -> histogram; a cell without rows is not there.
        sql: the text that counted.
    """

    cells: Mapping[tuple[datetime, str | None], CellHistogram]
    sql: str = ""

    def __iter__(self) -> Iterator[tuple[datetime, str | None]]:
        """The cells that have rows."""
        return iter(self.cells)

    def __add__(self, other: FeatureHistograms) -> FeatureHistograms:
        """Disjoint rows together (other files, other hours)."""
        cells = dict(self.cells)
        for key, cell in other.cells.items():
            cells[key] = cells[key] + cell if key in cells else cell
        return FeatureHistograms(cells, self.sql)


def feature_histograms(
    catalog: Catalog,
    scope: Scope,
    bins: tuple[ReferenceBins, ...],
    versions: Sequence[str | None],
    source: Source = "predictions",
    by: tuple[Sql, str] | None = None,
) -> FeatureHistograms:
    """Count the rows of some versions on the bins of one reference version, in one scan.

    Args:
        catalog: the project's views.
        scope: windows and filters (for the reference only the filters apply, and there is one window).
        bins: from `analytics.aggregates.reference_bins.feature_bins`.
        versions: the versions to count; each stays a cell of its own.
        source: monitored rows, or the reference.
        by: other rows instead of the scope's, and which of their columns stands for the block (a whole number).
    """
    rows, block = by or (scoped_rows(catalog, scope, source), "block_key")
    sql = histogram_query(catalog, rows, bins, versions, block)
    return FeatureHistograms(_cells(catalog.engine.query(sql), bins), sql.text)


def histogram_query(
    catalog: Catalog, rows: Sql, bins: tuple[ReferenceBins, ...], versions: Sequence[str | None], block: str
) -> Sql:
    """The text of the scan, one row per window, block and version."""
    wanted = [of_version(version, f"counted_version_{i}") for i, version in enumerate(versions)]
    weighted = catalog.predictions.weight is not None
    columns = [f"{item.field.expression} AS f{i}" for i, item in enumerate(bins)]
    lookups = [_lookup(catalog, item, i) for i, item in enumerate(bins) if not item.is_numeric]
    sums = [expression for i, item in enumerate(bins) for expression in _sums(item, i, weighted=weighted)]
    named = ", ".join(f"{expression} AS s{j}" for j, expression in enumerate(sums))
    text = (
        f"SELECT window_key, block_key, version, {named} FROM "
        f"(SELECT window_key, {block} AS block_key, version, weight, {', '.join(columns)} FROM ({rows.text}) "
        f"WHERE ({' OR '.join(part.text for part in wanted) or 'FALSE'}) AND {counted_rows(catalog)}) "
        f"{' '.join(lookup.text for lookup in lookups)} GROUP BY window_key, block_key, version"
    )
    parameters = dict(rows.parameters)
    for part in (*wanted, *lookups):
        parameters |= part.parameters
    return Sql(text, parameters)


def _lookup(catalog: Catalog, item: ReferenceBins, i: int) -> Sql:
    """The join that gives a category its code: its place among the listed ones, LISTED for the other ones."""
    if item.pooled:
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
    if not item.categories:
        return Sql("")
    names = {f"category_{i}_{place}": name for place, name in enumerate(item.categories)}
    values = ", ".join(f"(${name}, {place})" for place, name in enumerate(names))
    return Sql(f"LEFT JOIN (VALUES {values}) AS m{i}(value, code) ON m{i}.value = f{i}", names)


def _sums(item: ReferenceBins, i: int, *, weighted: bool) -> list[str]:
    """What `_bins` turns into the bins of a field, then the tail."""

    def total(condition: str) -> str:
        return f"sum(CAST({condition} AS DOUBLE){' * weight' if weighted else ''})"

    present = f"f{i} IS NOT NULL"
    counted = present if item.field.role == "label" else "TRUE"
    tail = [f"sum(CAST({counted} AS DOUBLE))"]
    tail.append(f"sum(CAST({counted} AS DOUBLE) * weight * weight)" if weighted else tail[0])
    missing = total(f"f{i} IS NULL") if item.field.role != "label" else "0e0"
    if item.is_numeric:
        less = [total(f"f{i} < {literal(edge)}") for edge in item.edges]
        # NaN is larger than every number, infinity included, on every engine used
        rest = [
            total(f"f{i} > {literal(MAX_DOUBLE)}"),
            total(f"isnan(f{i})"),
            total(f"f{i} < {literal(-MAX_DOUBLE)}"),
        ]
        return [
            *less,
            total(present),
            *rest,
            missing,
            *tail,
            *_beyond(item, i, weighted=weighted),
            *_moments(item, i, weighted=weighted),
            *["0e0"] * 2,
        ]
    listed = [total(f"m{i}.code = {place}") for place in range(len(item.categories))]
    if not item.pooled:
        return [*listed, total(present), missing, *tail, *["0e0"] * 6]
    other = f"m{i}.code = {LISTED}"
    lone = [total(f"{other} AND m{i}.{unit} = {few}") for unit in ("held", "blocks") for few in (1, 2)]
    return [*listed, total(other), total(present), missing, *tail, "0e0", "0e0", *lone]


def _beyond(item: ReferenceBins, i: int, *, weighted: bool) -> list[str]:
    if not item.edges:
        return ["0e0", "0e0"]
    times = " * weight" if weighted else ""
    low, high = literal(item.edges[0]), literal(item.edges[-1])
    return [
        f"sum(CASE WHEN f{i} < {low} AND f{i} >= {literal(-MAX_DOUBLE)} THEN ({low} - f{i}){times} END)",
        f"sum(CASE WHEN f{i} >= {high} AND f{i} <= {literal(MAX_DOUBLE)} THEN (f{i} - {high}){times} END)",
    ]


def _moments(item: ReferenceBins, i: int, *, weighted: bool) -> list[str]:
    times = " * weight" if weighted else ""
    gap, finite = f"(f{i} - {literal(item.centre)})", f"abs(f{i}) <= {literal(MAX_DOUBLE)}"
    return [f"sum(CASE WHEN {finite} THEN {term}{times} END)" for term in (gap, f"{gap} * {gap}")]


def _cells(
    table: pa.Table, bins: tuple[ReferenceBins, ...]
) -> dict[tuple[datetime, str | None], CellHistogram]:
    if table.num_rows == 0:
        return {}
    raw = np.column_stack([table.column(j).fill_null(0.0).to_numpy() for j in range(3, table.num_columns)])
    parts, start = [], 0
    for item in bins:
        width = item.size + _TAIL + item.is_numeric
        parts.append(_bins(item, raw[:, start : start + width]))
        start += width
    values = np.concatenate(parts, axis=1)
    blocks = block_codes(table)
    rows: dict[tuple[datetime, str | None], list[int]] = {}
    for row, key in enumerate(zip(table.column(0).to_pylist(), table.column(2).to_pylist(), strict=True)):
        rows.setdefault(key, []).append(row)
    cells = {}
    for key, chosen in rows.items():
        order = np.array(chosen)[np.argsort(blocks[chosen], kind="stable")]
        cells[key] = CellHistogram(bins, blocks[order], values[order])
    return cells


def _bins(item: ReferenceBins, raw: Floats) -> Floats:
    """Turn the sums of one field into its bins and tail."""
    tail = raw[:, -_TAIL:]
    if not item.is_numeric:
        n = item.n_values
        seen, present, missing = raw[:, :n], raw[:, n], raw[:, n + 1]
        # weights may differ from their sum by rounding; a share below 0 would be worse
        unseen = np.maximum(present - seen.sum(axis=1), 0.0) if item.size else present
        unseen[unseen < present * 1e-9] = 0.0
        return np.column_stack([seen, missing, unseen, tail])
    k = len(item.edges)
    above_all, nans, below_all, missing = raw[:, k + 1], raw[:, k + 2], raw[:, k + 3], raw[:, k + 4]
    infinite = above_all - nans
    cumulative = np.column_stack([below_all, raw[:, :k], raw[:, k] - above_all])
    values = np.maximum(np.diff(cumulative, axis=1), 0.0)
    return np.column_stack([values, missing + nans, infinite, below_all, tail])
