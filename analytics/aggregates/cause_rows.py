"""Rows in which causes are looked for, held while several queries read them: day, segments, fields, outcomes.

A day is 24 hours that end where the window ends, so that a window from 14:00 to 14:00 is one whole day; of a window
shorter than a day the same stretch of every earlier day is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from analytics.aggregates.reference_bins import Field, counted_rows, watched_fields
from analytics.engines.text import Sql, identifier, literal
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows, segment_expression
from analytics.telemetry.typed import score_column

DAY_SECONDS = 86_400
MANY = 8
"""Rows of one day whose features are all alike, from which they are a burst."""


@dataclass(frozen=True)
class Stretch:
    """The window and the days before it, as the SQL cuts them.

    Attributes:
        start: first instant that is read; ``end``: of the window.
        days: blocks of the window, at least 1; ``history``: of what is read before it.
        seconds: length of the window where it is shorter than a day, else None.
        wait: seconds that every label of the window has had to come; None where nothing is known to be missing.
    """

    start: datetime
    end: datetime
    days: int
    history: int
    seconds: float | None
    wait: float | None


def number(value: float) -> str:
    """SQL of a double."""
    return literal(float(value))


def column_of(field: Field) -> str:
    """The column of kept rows that holds a field."""
    return identifier(f"f:{field.name}")


def looked_at(catalog: Catalog) -> tuple[Field, ...]:
    """Features, scores and decisions; labels are counted apart, for they come late."""
    return tuple(field for field in watched_fields(catalog) if field.role != "label")


@contextmanager
def kept_rows(
    catalog: Catalog, scope: Scope, stretch: Stretch, *, reference: bool
) -> Iterator[tuple[Sql, str]]:
    """Hold the rows of a stretch with their day, segments, fields and outcomes while several queries read them.

    Args:
        catalog: the project's views.
        scope: versions, filters and as-of.
        stretch: what is cut.
        reference: take the reference's rows in as earlier days.
    """
    # where versions share requests the others are read as well, to tell whose answers stand under a name
    versions = () if shares_requests(catalog) else scope.versions
    read = replace(scope, start=stretch.start, end=stretch.end, grain="all", by=None, versions=versions)
    sources = [scoped_rows(catalog, read)]
    if reference:
        sources.append(scoped_rows(catalog, read, "reference"))
    columns = _columns(catalog, stretch)
    named = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in columns.items())
    parameters: dict[str, Any] = {"cause_end": stretch.end}
    parts = []
    for place, rows in enumerate(sources):
        # of the reference only days before anything was logged: later ones are another version's training
        earlier = " AND ts < CAST($cause_first AS TIMESTAMP WITH TIME ZONE)" if place else ""
        parts.append(f"SELECT {named} FROM ({rows.text}) WHERE {counted_rows(catalog)}{earlier}")
        parameters |= rows.parameters
    if reference and catalog.extent is not None:
        parameters["cause_first"] = catalog.extent[0]
    slot = f" AND off <= {number(stretch.seconds)}" if stretch.seconds is not None else ""
    inner = f"SELECT * FROM ({' UNION ALL '.join(parts)}) WHERE b < 0 AND b >= {-stretch.days - stretch.history}{slot}"
    of = "version, unit" if catalog.predictions.unit is not None else "version"
    beside = ", ".join(_neighbours(catalog))
    text = f"SELECT *, {beside} FROM ({inner}) WINDOW in_time AS (PARTITION BY {of} ORDER BY ts)"
    with catalog.engine.kept(Sql(text, parameters)) as kept:
        yield kept, text


def _neighbours(catalog: Catalog) -> list[str]:
    """What a row says beside others: a value again as in the row before it (of its unit), copies, another's answer."""
    fields = looked_at(catalog)
    known = "unit IS NOT NULL AND " if catalog.predictions.unit is not None else ""
    parts = [
        f"({known}{column_of(f)} = lag({column_of(f)}) OVER in_time) IS TRUE AS {again_of(f)}" for f in fields
    ]
    features = [column_of(f) for f in fields if f.role == "feature"]
    scores = [column_of(f) for f in fields if f.role == "score"]
    if features:
        alike = f"count(*) OVER (PARTITION BY version, b, hash({', '.join([*features, *scores])}))"
        # rows of which hardly anything is known are alike without being copies
        there = " + ".join(f"CAST({name} IS NOT NULL AS INTEGER)" for name in features)
        known = f"({there}) * 2 >= {len(features)}"
        parts += [f"{alike} >= {MANY} AND {known} AS copied", f"{alike} >= 2 AND {known} AS again"]
    if catalog.has_labels and catalog.predictions.task == "binary" and catalog.predictions.unit is not None:
        # one day of one unit: late in the morning, late in the evening
        parts.append(
            "lag(CASE WHEN unit IS NOT NULL THEN y END) OVER (PARTITION BY version, unit, b ORDER BY ts) AS y_last"
        )
    if shares_requests(catalog):
        parts.append(
            f"request IS NOT NULL AND count(*) OVER (PARTITION BY request, hash({', '.join(scores)})) > 1 AS echoed"
        )
    return parts


def shares_requests(catalog: Catalog) -> bool:
    """Whether several versions may answer one request, so that their answers can be laid side by side."""
    return catalog.predictions.request is not None and len(catalog.versions) > 1


def again_of(field: Field) -> str:
    """The column that tells whether a field's value is that of the row before."""
    return identifier(f"r:{field.name}")


def _columns(catalog: Catalog, stretch: Stretch) -> dict[str, str]:
    section, zone = catalog.predictions, literal(catalog.project.time_zone)
    local, end = (
        f"ts AT TIME ZONE {zone}",
        f"CAST($cause_end AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE {zone}",
    )
    # seconds before the end, in local time, so that an hour of a day is the same hour on every day
    gap = f"(epoch_us({end}) - epoch_us({local})) / 1e6"
    columns = {
        "version": "version",
        "ts": "ts",
        "b": f"CAST(-ceil({gap} / {DAY_SECONDS}e0) AS INTEGER)",
        "off": f"{gap} - floor({gap} / {DAY_SECONDS}e0) * {DAY_SECONDS}e0",
        "w": "weight" if section.weight is not None else "1e0",
        "unit": "unit",
        "request": "request",
    }
    columns |= {f"s:{name}": segment_expression(catalog.segments[name]) for name in catalog.segments}
    columns |= {f"f:{field.name}": _clean(field) for field in looked_at(catalog)}
    if section.latency is not None:
        columns["latency"] = "CASE WHEN latency >= 0e0 AND isfinite(latency) THEN latency END"
    if section.status is not None and section.ok_status:
        fine = ", ".join(literal(status) for status in section.ok_status)
        columns["failed"] = (
            f"CASE WHEN status IS NULL THEN NULL WHEN status IN ({fine}) THEN 0e0 ELSE 1e0 END"
        )
    if catalog.has_labels:
        columns |= _outcomes(catalog, stretch)
    return columns


def _clean(field: Field) -> str:
    if field.kind != "numeric":
        return field.expression
    return f"CASE WHEN NOT isnan({field.expression}) THEN {field.expression} END"


def _outcomes(catalog: Catalog, stretch: Stretch) -> dict[str, str]:
    section = catalog.predictions
    late = "(epoch_us(label_ts) - epoch_us(ts)) / 1e6"
    came = "label IS NOT NULL"
    if stretch.wait is not None:
        # of every day only the labels that came as soon as those of the window had to
        came += f" AND (label_ts IS NULL OR {late} <= {number(stretch.wait)})"
    columns = {
        "delay": f"CASE WHEN label IS NOT NULL THEN greatest({late}, 0e0) END",
        "came": f"CASE WHEN {came} THEN 1e0 ELSE 0e0 END",
    }
    if section.task == "multiclass":
        given = " ".join(
            f"WHEN label = {literal(name)} THEN {score_column(name)}" for name in section.classes
        )
        columns["loss"] = f"CASE WHEN scored AND {came} THEN -ln(greatest(CASE {given} END, 2.22e-16)) END"
        columns["y"] = "CAST(NULL AS DOUBLE)"
        columns["wrong"] = f"CASE WHEN {came} THEN CAST(label <> decision AS DOUBLE) END"
        return columns
    columns["y"] = f"CASE WHEN scored AND {came} THEN CAST(label AS DOUBLE) END"
    if section.task == "regression":
        columns["loss"] = f"CASE WHEN scored AND {came} THEN abs(label - score) END"
        columns["wrong"] = "CAST(NULL AS DOUBLE)"
    else:
        right = "CASE WHEN label = 1 THEN score ELSE 1e0 - score END"
        columns["loss"] = f"CASE WHEN scored AND {came} THEN -ln(greatest({right}, 2.22e-16)) END"
        columns["wrong"] = f"CASE WHEN {came} THEN CAST(label <> decision AS DOUBLE) END"
    columns["p"] = "CASE WHEN scored THEN CAST(score AS DOUBLE) END"
    return columns


def rows_where(catalog: Catalog, condition: str) -> str:
    """How many kept rows (the sum of their weights) meet a condition."""
    if catalog.predictions.weight is None:
        # a third of what a sum of cases takes
        return f"count_if({condition})"
    return f"sum(CASE WHEN {condition} THEN w ELSE 0e0 END)"
