"""What drift watches, and the bins the reference fixes for it.

Bins belong to one version of the reference and never move with the window looked at, so that counts on them
add over hours, files and segments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from analytics.aggregates.day_facts import labels_in
from analytics.aggregates.reference_edges import QUANTILES, Ranks, alike, edges_of
from analytics.aggregates.sorted_ranks import sorted_ranks
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql, literal
from analytics.errors import ProjectError
from analytics.scope import MISSING, Scope
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog, Source
from analytics.telemetry.declared import FeatureKind
from analytics.telemetry.remembered import remembered
from analytics.telemetry.rows import OTHER, segmented_rows, unlabelled_rows

Role = Literal["feature", "score", "decision", "label"]


class _Of(NamedTuple):
    """Which rows fix bins: those of a source, as known then; every how manieth.

    Of the reference all versions together; of monitored rows, where there is no reference, those of one.
    """

    rows: Sql
    source: Source
    as_of: datetime | None
    every: int = 1


MOST_ROWS = 1_000_000
"""Where there is no reference, so many of the logged rows fix bins, evenly spread over the files."""
MAX_DOUBLE = float(np.finfo(np.float64).max)
LISTED = 200
"""Categories counted by name; rarer ones of the reference are counted together as ``(other)``."""
UNSEEN = "(unseen)"


@dataclass(frozen=True)
class Field:
    """Something of the model whose distribution is watched.

    Attributes:
        name: name of the feature; else ``score``, ``score:<class>``, ``decision`` or ``label``.
        expression: SQL over scoped rows: a DOUBLE for a numeric field, else a text, NULL where missing.
    """

    name: str
    role: Role
    kind: FeatureKind
    expression: str


@dataclass(frozen=True)
class ReferenceBins:
    """The bins of one field, fixed by the reference rows of one version.

    In order: the bins of values, ``(other)`` where there are more categories than listed, then missing and,
    for a numeric field, +infinity and -infinity, else the values the reference never had.

    Attributes:
        version: the version whose reference rows fixed the bins.
        edges: increasing finite edges e_1 … e_k; value bins are x < e_1, e_1 <= x < e_2, …, x >= e_k. A value
            that holds 5 % of the reference or more has an edge at itself and one at the next double.
        coarse: per edge, whether it also separates the wider bins of PSI (every second quantile).
        categories: the most frequent values of the reference.
        rows: per category, how many rows of the reference have it.
        blocks: per category, in how many blocks of the reference it occurs.
        pooled: whether the reference has values beyond `categories`.
        shared: whether rows of every version are counted alike, whichever version of the reference is asked about:
            all have these edges, or few categories.
        counted: of categories that are shared, those of all versions.
        absent: the reference has no such column, so there is nothing to compare with.
        source: which rows fixed the bins: the reference, or all monitored rows where there is none.
    """

    field: Field
    version: str | None
    edges: tuple[float, ...] = ()
    coarse: tuple[bool, ...] = ()
    categories: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    pooled: bool = False
    shared: bool = False
    counted: tuple[str, ...] = ()
    absent: bool = False
    source: Source = "reference"

    @property
    def is_numeric(self) -> bool:
        """Whether the bins are intervals of numbers."""
        return self.field.kind == "numeric"

    @property
    def listed(self) -> tuple[str, ...]:
        """The values that rows are counted by."""
        return self.counted if self.shared else self.categories

    @property
    def n_values(self) -> int:
        """Number of bins that hold finite values (or categories the reference has)."""
        return len(self.edges) + 1 if self.is_numeric else len(self.categories) + self.pooled

    @property
    def centre(self) -> float:
        """What numbers are counted from in sums, so that their squares lose little; their middle edge."""
        return self.edges[len(self.edges) // 2] if self.edges else 0.0

    @property
    def size(self) -> int:
        """Number of bins."""
        return self.n_values + (3 if self.is_numeric else 2)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each bin, unlike all the others."""
        if not self.is_numeric:
            return (*self.categories, *((OTHER,) if self.pooled else ()), MISSING, UNSEEN)
        for digits in (6, 10, 17):
            names = tuple(_interval_name(low, high, digits) for low, high in self.limits[: self.n_values])
            if len(set(names)) == len(names):
                break
        return (*names, MISSING, "inf", "-inf")

    @cached_property
    def limits(self) -> tuple[tuple[float | None, float | None], ...]:
        """Lower and upper limit of each bin; None where it has none; equal for the bin of a single value."""
        if not self.is_numeric:
            return ((None, None),) * self.size
        lows = (None, *self.edges)
        highs = (*self.edges, None)
        inner = tuple(
            (
                low,
                low
                if low is not None and high is not None and high == math.nextafter(low, math.inf)
                else high,
            )
            for low, high in zip(lows, highs, strict=True)
        )
        return (*inner, *((None, None),) * 3)


def _interval_name(low: float | None, high: float | None, digits: int) -> str:
    if low is not None and low == high:
        return f"{low:.{digits}g}"
    start = "(-inf" if low is None else f"[{low:.{digits}g}"
    return f"{start}, {'inf' if high is None else format(high, f'.{digits}g')})"


def watched_fields(catalog: Catalog) -> tuple[Field, ...]:
    """Every feature, the score (multiclass: one a class), the decision and the label, where logged."""
    predictions = catalog.predictions
    fields = [
        Field(feature.name, "feature", feature.kind, _value(feature.column, feature.kind))
        for feature in catalog.features
    ]
    if predictions.task == "multiclass":
        fields += [
            Field(f"score:{name}", "score", "numeric", typed.score_column(name))
            for name in predictions.classes
        ]
    else:
        fields.append(Field("score", "score", "numeric", "score"))
    if predictions.task != "regression" and (
        predictions.decision is not None
        or predictions.threshold is not None
        or predictions.task == "multiclass"
    ):
        fields.append(Field("decision", "decision", "categorical", _value("decision", "categorical")))
    if catalog.has_labels:
        kind: FeatureKind = "numeric" if predictions.task == "regression" else "categorical"
        fields.append(Field("label", "label", kind, _value("label", kind)))
    return tuple(fields)


def _value(column: str, kind: FeatureKind) -> str:
    # the empty text is the missing value everywhere in Assay
    return f"CAST({column} AS DOUBLE)" if kind == "numeric" else f"nullif(CAST({column} AS VARCHAR), '')"


def counted_rows(catalog: Catalog) -> str:
    """The condition on rows that take part: a usable weight, and no failed request that left no score."""
    predictions = catalog.predictions
    parts = ["weight > 0e0"] if predictions.weight is not None else []
    if predictions.status is not None and predictions.ok_status:
        fine = ", ".join(literal(status) for status in predictions.ok_status)
        scores = [typed.score_column(name) for name in predictions.classes] or ["score"]
        parts.append(f"(status IS NULL OR status IN ({fine}) OR coalesce({', '.join(scores)}) IS NOT NULL)")
    return " AND ".join(parts) or "TRUE"


def of_version(version: str | None, name: str) -> Sql:
    """The condition that a row belongs to a version, bound under a name."""
    return Sql("version IS NULL") if version is None else Sql(f"version = ${name}", {name: version})


def reference_version_of(catalog: Catalog, version: str | None) -> str | None:
    """The version whose reference rows a version is compared with: its own, else the reference's first.

    Raises:
        ProjectError: the project has no reference, or the reference has no rows.
    """
    if not catalog.reference_versions:
        raise ProjectError(
            f"{catalog.project.file}: reference: drift compares with a [reference], and there is "
            f"{'none' if catalog.project.reference is None else 'no row in it'}; name files, or start and end"
        )
    return version if version in catalog.reference_versions else catalog.reference_versions[0]


def feature_bins(
    catalog: Catalog,
    reference_version: str | None,
    source: Source = "reference",
    as_of: datetime | None = None,
) -> tuple[ReferenceBins, ...]:
    """The bins of every watched field, from the whole reference of one version (no filter, no weights).

    With the source ``predictions``, from all monitored rows of the version as known at ``as_of``, for projects
    without a reference; from every k-th row of each file where there are over `MOST_ROWS`.

    Numeric edges are the order statistics of rank ceil(k n / 20), k = 1 … 19, of the finite values (the
    inverted distribution function). Where all versions of a reference are much alike (`reference_edges.alike`), those
    of its first version are used for all, so that rows of every version are counted in one scan.
    """
    own = of_version(reference_version, "reference_version") if source == "predictions" else Sql("TRUE")
    of = _Of(own, source, as_of, _every(catalog, source))
    fields = watched_fields(catalog)
    found: dict[str, ReferenceBins] = {}
    # of labels apart from the rest, which need not be joined with them nor read again when late ones arrive
    for numeric, late in product((True, False), (False, True)):
        some = [
            field for field in fields if (field.kind == "numeric", field.role == "label") == (numeric, late)
        ]
        if some:
            rows = _by_field(_answered(catalog, some, of))
            make = _numeric_bins if numeric else _category_bins
            for i, field in enumerate(some):
                by_version = _by_version(rows.get(i, []), catalog.reference_versions)
                found[field.name] = make(field, reference_version, by_version)
    held = _columns(catalog, source)
    return tuple(
        _absent(bins) if field.role == "feature" and field.name not in held else replace(bins, source=source)
        for field in fields
        for bins in [found[field.name]]
    )


def _every(catalog: Catalog, source: Source) -> int:
    if source == "reference":
        return 1
    table = remembered(catalog, "rows", "SELECT count(*) AS n FROM predictions", ("predictions",))
    return max(1, int(table.column("n")[0].as_py()) // MOST_ROWS)


def _absent(bins: ReferenceBins) -> ReferenceBins:
    return ReferenceBins(bins.field, bins.version, shared=True, absent=True)


def _columns(catalog: Catalog, source: Source) -> set[str]:
    feed = catalog.feeds.get(source) or catalog.feeds["predictions"]
    return set(feed.columns)


def _quantiles(n_fields: int) -> str:
    # a value is an order statistic of rank ceil(k n / 20) for some k exactly where its last rank passes a
    # twentieth of n that the rank before its first one does not
    picks = [
        f"SELECT {i} AS field, version, value, n, upto, total FROM (SELECT version, value, n, sum(n) OVER "
        "(PARTITION BY version ORDER BY value ROWS UNBOUNDED PRECEDING) AS upto, "
        "sum(n) OVER (PARTITION BY version) AS total FROM "
        f"(SELECT version, f{i} AS value, CAST(count(*) AS DOUBLE) AS n FROM reference_rows "
        f"WHERE abs(f{i}) <= {literal(MAX_DOUBLE)} GROUP BY version, f{i})) "
        f"WHERE floor(upto * {QUANTILES}e0 / nullif(total, 0e0)) > "
        f"floor((upto - n) * {QUANTILES}e0 / nullif(total, 0e0))"
        for i in range(n_fields)
    ]
    return " UNION ALL ".join(picks)


def _most_frequent(n_fields: int) -> str:
    picks = [
        f"SELECT {i} AS field, version, value, place, held, blocks FROM (SELECT version, f{i} AS value, "
        f"row_number() OVER (PARTITION BY version ORDER BY count(*) DESC, f{i}) AS place, "
        "count(*) AS held, count(DISTINCT block_key) AS blocks "
        f"FROM reference_rows WHERE f{i} IS NOT NULL GROUP BY version, f{i}) WHERE place <= {LISTED + 1}"
        for i in range(n_fields)
    ]
    return " UNION ALL ".join(picks)


def _over_rows(catalog: Catalog, fields: list[Field], of: _Of) -> Sql:
    scope = Scope(as_of=of.as_of)
    base = unlabelled_rows(scope, of.source) if all(field.role != "label" for field in fields) else None
    rows = segmented_rows(catalog, scope, of.source, (), datetime.now(UTC), base)
    some = f" AND row % {of.every} = 0" if of.every > 1 else ""
    columns = ", ".join(f"{field.expression} AS f{i}" for i, field in enumerate(fields))
    text = (
        f"SELECT block_key, version, {columns} FROM ({rows.text}) "
        f"WHERE {of.rows.text} AND {counted_rows(catalog)}{some}"
    )
    return Sql(text, rows.parameters | of.rows.parameters)


def _answered(catalog: Catalog, fields: list[Field], of: _Of) -> pa.Table:
    """The answer, kept on disk while the files stay the same, unless it is of an instant: there are many of those."""
    n, numeric, labelled = len(fields), fields[0].kind == "numeric", fields[0].role == "label"
    body = _quantiles(n) if numeric else _most_frequent(n)
    rows = _over_rows(catalog, fields, of)

    def run() -> pa.Table:
        few = _with_its_labels(catalog, rows) if labelled and of.source == "reference" else rows
        engine = catalog.engine
        found = sorted_ranks(engine, few, n) if numeric and isinstance(engine, DuckDBEngine) else None
        return engine.query(_text(few, body)) if found is None else found

    if of.as_of is not None or "known_at" in rows.parameters:
        return run()
    feed = "reference" if of.source == "reference" and catalog.listed.get("reference") else "predictions"
    feeds = (feed, "labels") if labelled else (feed,)
    return remembered(catalog, "reference bins", _text(rows, body), feeds, run)


def _text(rows: Sql, body: str) -> Sql:
    return Sql(f"WITH reference_rows AS ({rows.text}) {body}", rows.parameters)


def _with_its_labels(catalog: Catalog, rows: Sql) -> Sql:
    """The same rows, for which of long label logs only those files are read that are about the reference."""
    about = catalog.parts.reference_labels() if catalog.parts is not None else None
    return rows if about is None else Sql(f"WITH {labels_in(about)} {rows.text}", rows.parameters)


def _by_field(table: pa.Table) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["field"], []).append(row)
    return found


def _by_version(rows: Ranks, order: Sequence[str | None]) -> dict[str | None, Ranks]:
    """Rows of each version, versions in the order of the reference."""
    found: dict[str | None, Ranks] = {version: [] for version in order}
    for row in rows:
        found.setdefault(row["version"], []).append(row)
    return {version: some for version, some in found.items() if some}


def _numeric_bins(field: Field, version: str | None, by_version: Mapping[str | None, Ranks]) -> ReferenceBins:
    first = next(iter(by_version.values()), [])
    coarse = edges_of(first)
    shared = all(alike(coarse, first, other) for other in by_version.values())
    if not shared:
        coarse = edges_of(by_version.get(version, []))
    edges = tuple(sorted(coarse))
    return ReferenceBins(field, version, edges, tuple(coarse[edge] for edge in edges), shared=shared)


def _category_bins(
    field: Field, version: str | None, by_version: Mapping[str | None, Ranks]
) -> ReferenceBins:
    ordered = sorted(by_version.get(version, []), key=lambda row: row["place"])
    listed = ordered[:LISTED]
    every = sorted({row["value"] for rows in by_version.values() for row in rows})
    shared = len(every) <= LISTED
    return ReferenceBins(
        field,
        version,
        categories=tuple(row["value"] for row in listed),
        rows=tuple(row["held"] for row in listed),
        blocks=tuple(row["blocks"] for row in listed),
        pooled=len(ordered) > LISTED,
        shared=shared,
        counted=tuple(every) if shared else (),
    )
