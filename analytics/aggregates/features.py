"""Feature histograms: rows of every watched field on the reference's bins, all fields in one scan.

The text (`analytics.aggregates.feature_columns`) is `count_if(x >= edge)` per edge and `count_if(x = value)` per
category, grouped by window, block and version, so that the answer is one wide row a group, which adds over days. Labels
have a text of their own: only they need the label feed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import accumulate, product
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, Standard, read_added, read_stored
from analytics.aggregates.feature_columns import (
    LOWEST,
    TAIL,
    bound_categories,
    columns_of,
    field_sums,
    field_values,
    pooled_lookup,
)
from analytics.aggregates.keys import add_blocks, block_codes
from analytics.aggregates.reference_bins import (
    MAX_DOUBLE,
    ReferenceBins,
    counted_rows,
    feature_bins,
    of_version,
    reference_version_of,
)
from analytics.engines.text import Sql, any_of, literal
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.rows import ScopedRows, scoped_rows, segmented_rows, unlabelled_rows

Floats = NDArray[np.float64]
_Key = tuple[datetime, str | None]


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
        return cls(bins, np.zeros(0, dtype=np.int64), np.zeros((0, _starts(bins)[-1])))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First column of each field, and the number of all columns."""
        return _starts(self.bins)

    def field(self, index: int) -> FieldCounts:
        """The counts of one field."""
        start, size = self.starts[index], self.bins[index].size
        tail = self.values[:, start + size : start + size + TAIL].T
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
    """Count the rows of some versions on the bins of one reference version: from stored parts, or in a scan.

    Args:
        catalog: the project's views.
        scope: windows and filters (for the reference only the filters apply, and there is one window).
        bins: from `analytics.aggregates.reference_bins.feature_bins`.
        versions: the versions to count; each stays a cell of its own.
        source: monitored rows, or the reference.
        by: other rows instead of the scope's, and which of their columns stands for the block (a whole number).
    """
    found = _histograms(catalog, scope, bins, versions, source, by, read_added)
    if found is None:
        raise ValueError("rows always have an answer")
    return found


def stored_histograms(
    catalog: Catalog,
    scope: Scope,
    bins: tuple[ReferenceBins, ...],
    versions: Sequence[str | None],
    source: Source = "predictions",
) -> FeatureHistograms | None:
    """As `feature_histograms`, from stored parts alone; None where they do not answer."""
    return _histograms(catalog, scope, bins, versions, source, None, read_stored)


_Read = Callable[[Catalog, Sql, Additive], tuple[pa.Table, str] | None]


def _histograms(  # noqa: PLR0917  # bound but for the way of reading
    catalog: Catalog,
    scope: Scope,
    bins: tuple[ReferenceBins, ...],
    versions: Sequence[str | None],
    source: Source,
    by: tuple[Sql, str] | None,
    read: _Read,
) -> FeatureHistograms | None:
    of_all, own = _conditions(catalog, bins, versions, source) if by is None else (None, _any_of(versions))
    if of_all is not None and source == "reference" and read is read_added:
        # what is stored counts every version; rows that are not asked for need not be counted
        found = _histograms(catalog, scope, bins, versions, source, by, read_stored)
        if found is not None:
            return found
        of_all = None
    if of_all is not None and None not in versions and set(versions) != set(catalog.versions):
        scope = replace(scope, versions=tuple(str(version) for version in versions))
    values: dict[_Key, dict[int, Floats]] = {}
    texts = []
    for part in histogram_parts(catalog, bins, own, of_all or own, by[1] if by is not None else "block_key"):
        rows = by[0] if by is not None else _rows(catalog, scope, source, labelled=part.additive.labelled)
        answer = read(catalog, rows, part.additive)
        if answer is None:
            return None
        texts.append(answer[1])
        _put(values, bins, part.fields, answer[0])
    cells = {key: _cell(bins, blocks) for key, blocks in values.items() if key[1] in versions}
    return FeatureHistograms(cells, ";\n\n".join(texts))


def _rows(catalog: Catalog, scope: Scope, source: Source, *, labelled: bool) -> Sql:
    if labelled or any(one.kind in {"label", "outcome"} for one in scope.filters):
        return scoped_rows(catalog, scope, source)
    # joined labels nobody reads would cost half of a scan
    segments = () if scope.by is None else (scope.by,)
    return segmented_rows(catalog, scope, source, segments, datetime.now(UTC), unlabelled_rows(scope, source))


def _any_of(versions: Sequence[str | None]) -> Sql:
    return any_of([of_version(version, f"counted_version_{i}") for i, version in enumerate(versions)])


def compared_versions(catalog: Catalog, reference_version: str | None) -> Sql:
    """The condition on rows of the versions that are compared with the reference of one, whichever there will be."""
    known = catalog.reference_versions
    if known[0] != reference_version:
        return of_version(reference_version, "counted_version")
    others = {f"counted_elsewhere_{i}": version for i, version in enumerate(known[1:])}
    conditions = [f"version <> ${name}" for name in others]
    return Sql(" AND ".join(conditions) or "TRUE", dict(others))


def _conditions(
    catalog: Catalog, bins: tuple[ReferenceBins, ...], versions: Sequence[str | None], source: Source
) -> tuple[Sql | None, Sql]:
    """Which rows count of fields whose bins all versions share, and which of the others.

    The same texts whichever versions are asked for, so that one part answers for all of them; None where a part of all
    versions would not.
    """
    if any(item.source != "reference" for item in bins) or not catalog.reference_versions:
        return None, _any_of(versions)
    if source == "reference":
        return Sql("TRUE"), _any_of(versions)
    own = bins[0].version
    if any(
        version not in catalog.versions or reference_version_of(catalog, version) != own
        for version in versions
    ):
        return None, _any_of(versions)
    return Sql("TRUE"), compared_versions(catalog, own)


class HistogramPart(NamedTuple):
    """Some of the watched fields, counted by one additive query.

    Attributes:
        additive: the query.
        fields: which of the bins it counts.
    """

    additive: Additive
    fields: tuple[int, ...]


def histogram_parts(
    catalog: Catalog,
    bins: tuple[ReferenceBins, ...],
    own: Sql,
    of_all: Sql,
    block: str = "block_key",
) -> tuple[HistogramPart, ...]:
    """The queries that count on bins: what predictions hold apart from labels, and from values of one version alone.

    Args:
        catalog: the project's views.
        bins: of every watched field.
        own: the condition on rows that count for fields of which every version of the reference lists its own values.
        of_all: the same for the fields whose bins all versions share.
        block: which column stands for the block.
    """
    parts = []
    apart = len(catalog.reference_versions) > 1
    for labelled, alone in product((False, True), (False, True)):
        fields = tuple(
            i
            for i, item in enumerate(bins)
            if (item.field.role == "label", apart and not item.shared) == (labelled, alone)
        )
        if fields:
            query = partial(_query, catalog, bins, fields, own if alone else of_all, block)
            names = [name for name, _ in _sums(catalog, bins, fields)]
            pooled = any(bins[i].pooled for i in fields)
            name = "drift of labels" if labelled else "drift"
            parts.append(
                HistogramPart(
                    Additive(name, query, tuple(names), labelled=labelled, reference=pooled), fields
                )
            )
    return tuple(parts)


def standard_drift(catalog: Catalog) -> tuple[Standard, ...]:
    """What the Drift page reads: every version on the bins of the reference it is compared with."""
    found = []
    for version in catalog.reference_versions:
        bins = feature_bins(catalog, version)
        own = histogram_parts(catalog, bins, _any_of([version]), Sql("TRUE"))
        monitored = histogram_parts(catalog, bins, compared_versions(catalog, version), Sql("TRUE"))
        # those of fields that all versions share are the same for each, and built once
        found += [Standard(part.additive, source="reference") for part in own]
        found += [Standard(part.additive) for part in monitored]
    return tuple(found)


def _sums(catalog: Catalog, bins: tuple[ReferenceBins, ...], fields: Sequence[int]) -> list[tuple[str, str]]:
    weighted = catalog.predictions.weight is not None
    found = [("n", "count(*)"), *([("w2", "sum(weight * weight)")] if weighted else [])]
    return found + [one for i in fields for one in field_sums(bins[i], i, weighted=weighted)]


def _query(
    catalog: Catalog,
    bins: tuple[ReferenceBins, ...],
    fields: tuple[int, ...],
    versions: Sql,
    block: str,
    rows: Sql,
) -> Sql:
    """The text of the scan, one row per window, block and version."""
    of_some = isinstance(rows, ScopedRows) and bool(rows.scope.versions or rows.scope.filters)
    copied = of_some or versions.text != "TRUE"
    columns = "".join(f", {_read(bins[i], copied=copied)} AS f{i}" for i in fields)
    finite = "".join(
        f", CASE WHEN abs(f{i}) <= {literal(MAX_DOUBLE)} THEN f{i} END AS g{i}, coalesce(f{i}, {LOWEST}) AS y{i}"
        for i in fields
        if bins[i].is_numeric
    )
    lookups = [pooled_lookup(catalog, bins[i], i) for i in fields if bins[i].pooled]
    names = [bound_categories(bins[i], i) for i in fields]
    sums = ", ".join(f"{expression} AS {name}" for name, expression in _sums(catalog, bins, fields))
    text = (
        f"SELECT window_key, block_key, version, {sums} FROM (SELECT *{finite} FROM "
        f"(SELECT window_key, {block} AS block_key, version, weight{columns} FROM ({rows.text}) "
        f"WHERE ({versions.text}) AND {counted_rows(catalog)})) AS r "
        f"{' '.join(lookup.text for lookup in lookups)} GROUP BY window_key, block_key, version"
    )
    parameters = dict(rows.parameters) | versions.parameters
    for more in (*(lookup.parameters for lookup in lookups), *names):
        parameters |= more
    return Sql(text, parameters)


def _read(item: ReferenceBins, *, copied: bool) -> str:
    """The value of a field; numbers of rows of which a condition leaves some out are copied by adding 0.

    Otherwise DuckDB goes through the list of the rows left in every comparison, which takes 1.4 times as long.
    """
    return f"{item.field.expression} + 0e0" if copied and item.is_numeric else item.field.expression


def _put(
    values: dict[_Key, dict[int, Floats]],
    bins: tuple[ReferenceBins, ...],
    fields: tuple[int, ...],
    table: pa.Table,
) -> None:
    """Write the answer about some fields into the rows of values that all fields share."""
    if table.num_rows == 0:
        return
    starts, columns = _starts(bins), columns_of(table)
    found = np.zeros((table.num_rows, starts[-1]))
    for i in fields:
        found[:, starts[i] : starts[i + 1]] = field_values(bins[i], i, columns)
    places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in fields])
    blocks = block_codes(table).tolist()
    keys = zip(table.column("window_key").to_pylist(), table.column("version").to_pylist(), strict=True)
    for row, block, key in zip(found, blocks, keys, strict=True):
        cell = values.setdefault(key, {})
        if block in cell:
            cell[block][places] = row[places]
        else:
            cell[block] = row


def _cell(bins: tuple[ReferenceBins, ...], blocks: dict[int, Floats]) -> CellHistogram:
    order = sorted(blocks)
    return CellHistogram(bins, np.array(order, dtype=np.int64), np.stack([blocks[block] for block in order]))


def _starts(bins: tuple[ReferenceBins, ...]) -> tuple[int, ...]:
    """First column of each field, and the number of all."""
    return tuple(accumulate((item.size + TAIL for item in bins), initial=0))
