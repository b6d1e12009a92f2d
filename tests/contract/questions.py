"""What is asked of every engine, and when two answers are one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pyarrow as pa

from analytics.aggregates.additive import Standard, canonical_rows
from analytics.aggregates.cells import read_decision_cells
from analytics.aggregates.edges import score_edges
from analytics.aggregates.features import feature_histograms
from analytics.aggregates.latency_bins import read_latency_bins
from analytics.aggregates.reference_bins import feature_bins
from analytics.aggregates.reliability import read_reliability
from analytics.aggregates.scores import read_score_histograms
from analytics.building.standard import standard
from analytics.engines.text import Sql
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

UNTOLD_BY_TASK = {"requests", "latency"}
"""Aggregates of columns that are the same in the projects of all tasks."""
_NUMBER_OR_CLASS = re.compile(r"\d+|(?<=')[ab](?=')|(?<=:)[ab](?=\")")
RELATIVE = 1e-12
"""What sums of doubles may differ by: the order in which they are added is nobody's."""


def stored(catalog: Catalog) -> Iterator[tuple[str, Sql]]:
    """The text of every aggregate that is kept up to date, as a build asks it."""
    for i, one in enumerate(standard(catalog)):
        name = "-".join((one.additive.name, one.source, *one.segments, str(i)))
        yield name, one.additive.query(canonical_rows(catalog, one))


def once(catalog: Catalog, *, everywhere: bool) -> Iterator[tuple[Standard, Sql]]:
    """Of the stored aggregates those that no other of them stands for; an engine takes a moment for each.

    Texts that differ in numbers or in the class only (its column, the edges of a version) are one; so is what every
    task asks alike. How rows are split is a part of its own: each segment alone is asked with the moments, the pair of
    them with all.

    Args:
        catalog: of the project.
        everywhere: whether to ask what does not depend on the task.
    """
    seen = set()
    for one in standard(catalog):
        name = one.additive.name
        if (len(one.segments) == 1 and name != "moments") or (name in UNTOLD_BY_TASK and not everywhere):
            continue
        sql = one.additive.query(canonical_rows(catalog, one))
        shape = name, one.source, one.segments, _NUMBER_OR_CLASS.sub("0", sql.text)
        if shape not in seen:
            seen.add(shape)
            yield one, sql


def asked(catalog: Catalog) -> Iterator[tuple[str, Sql]]:
    """What the readers of the Monitor pages ask over rows, by day and by a segment."""
    rows = scoped_rows(catalog, Scope(grain="day", by="country"))
    task = catalog.predictions.task
    texts: list[tuple[str, str]] = []
    if task != "regression":
        classes = catalog.predictions.classes or ("0", "1")
        texts.append(("cells", read_decision_cells(catalog, rows, classes)[1]))
    if task == "binary":
        from analytics.aggregates.keys import CellKey

        cell = CellKey(Scope().start, None, None)  # type: ignore[arg-type]  # one large cell: the eternal bins
        texts.append(("scores", read_score_histograms(catalog, rows, {cell: False}, score_edges())[1]))
        texts.append(("reliability", read_reliability(catalog, rows)[1]))
    texts.append(("latency", read_latency_bins(catalog, rows)[1]))
    for name, text in texts:
        yield name, Sql(text, rows.parameters)
    version = catalog.versions[0]
    scanned: list[Sql] = []
    query = catalog.engine.query

    def recorded(sql, parameters=None, tables=None):
        scanned.append(sql)
        return query(sql, parameters, tables)

    bins = feature_bins(catalog, None if version is None else "v1")
    catalog.engine.query = recorded
    try:
        feature_histograms(catalog, Scope(grain="week"), bins, catalog.versions)
    finally:
        del catalog.engine.query
    for i, sql in enumerate(
        one for one in scanned if "window_key" in (one.text if isinstance(one, Sql) else one)
    ):
        yield f"features-{i}", sql


def differences(mine: pa.Table, theirs: pa.Table) -> list[str]:
    """What differs between two answers; rows come in no order."""
    if mine.schema.names != theirs.schema.names:
        return [f"columns {mine.schema.names} and {theirs.schema.names}"]
    types = [
        f"{one.name} is {one.type} and {other.type}"
        for one, other in zip(mine.schema, theirs.schema, strict=True)
        if one.type != other.type
    ]
    if types or mine.num_rows != theirs.num_rows:
        return [*types, f"{mine.num_rows} and {theirs.num_rows} rows"]
    floats = [field.name for field in mine.schema if pa.types.is_floating(field.type)]
    exact = [name for name in mine.schema.names if name not in floats]
    order = [(name, "ascending") for name in (*exact, *floats)]
    ordered = [table.sort_by(order).to_pydict() for table in (mine, theirs)]
    found = []
    for name in mine.schema.names:
        for row, (one, other) in enumerate(zip(ordered[0][name], ordered[1][name], strict=True)):
            if not _same(one, other):
                found.append(f"{name}, row {row}: {one!r} and {other!r}")
                break
    return found


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-300) or (
            math.isnan(one) and math.isnan(other)
        )
    return one == other
