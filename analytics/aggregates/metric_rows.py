"""Rows of events, predictions and units cut to windows: what a metric is made of outside experiments.

Every row carries window_key, block_key, version (of predictions), ``seg`` (its segment value), ``who`` (its unit, or
the row itself where nobody knows whose it is) and ``grp``: what is independent of the others, the unit's cluster where
one is declared, else the unit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa

from analytics.engines.text import Sql, all_of, literal
from analytics.scope import MISSING, Filter, Scope
from analytics.telemetry.catalog import CLOCK_TOLERANCE, Catalog
from analytics.telemetry.experiment_rows import event_rows, unit_rows
from analytics.telemetry.remembered import is_worth_keeping, remembered
from analytics.telemetry.rows import block_key, scoped_rows, window_key

RowSource = Literal["events", "predictions", "units"]
OPEN = "CAST(NULL AS VARCHAR)"


def segments_of_units(catalog: Catalog) -> dict[str, str]:
    """Segments that the table of units tells: name -> column of its rows."""
    section = catalog.project.units
    if section is None:
        return {}
    found = {name: f"segment_{place}" for place, name in enumerate(section.segments)}
    return found if section.stratum is None else {section.stratum: "stratum"} | found


def splits_by(catalog: Catalog, source: RowSource) -> tuple[str, ...]:
    """The segments that rows of a source can be split by."""
    own = catalog.predictions.segments if source == "predictions" else ()
    return tuple(dict.fromkeys((*own, *segments_of_units(catalog))))


def can_filter(catalog: Catalog, source: RowSource, condition: Filter) -> bool:
    """Whether rows of a source can be cut by a condition."""
    of_units = condition.kind == "segment" and condition.name in segments_of_units(catalog)
    return of_units or (source == "predictions" and not _is_foreign(catalog, condition))


def _is_foreign(catalog: Catalog, condition: Filter) -> bool:
    """Whether predictions know nothing of what a condition names."""
    return condition.kind == "segment" and condition.name not in catalog.predictions.segments


def extent_of(catalog: Catalog, source: RowSource) -> tuple[datetime, datetime] | None:
    """First and last instant of the rows of a source; None where there is none. Wrong clocks do not count."""
    if source == "predictions":
        return catalog.extent
    if (key := ("extent", source)) not in catalog.answered:
        catalog.answered[key] = _extent(catalog, source)
    found: tuple[datetime, datetime] | None = catalog.answered[key]
    return found


def _extent(catalog: Catalog, source: RowSource) -> tuple[datetime, datetime] | None:
    rows = event_rows(catalog) if source == "events" else unit_rows(catalog)
    text = f"SELECT min(ts) AS first, max(ts) AS last FROM ({rows}) WHERE usable"
    latest = datetime.now(UTC) + CLOCK_TOLERANCE
    if is_worth_keeping(catalog, (source,)):
        found = _ends(remembered(catalog, "extent", text, (source,)))
        if found is None or found[1] <= latest:
            return found
    known = Sql(f"{text} AND ts <= CAST($latest AS TIMESTAMP WITH TIME ZONE)", {"latest": latest})
    return _ends(catalog.engine.query(known))


def _ends(table: pa.Table) -> tuple[datetime, datetime] | None:
    (row,) = table.to_pylist()
    return None if row["first"] is None else (row["first"].astimezone(UTC), row["last"].astimezone(UTC))


def metric_rows(catalog: Catalog, scope: Scope, source: RowSource) -> Sql:
    """The rows of a source in a scope, whose ends are both set."""
    own_segment = source == "predictions" and scope.by in catalog.predictions.segments
    foreign = scope.filters
    if source == "predictions":
        foreign = tuple(condition for condition in scope.filters if _is_foreign(catalog, condition))
        own = tuple(condition for condition in scope.filters if condition not in foreign)
        rows = scoped_rows(catalog, replace(scope, by=scope.by if own_segment else None, filters=own))
    else:
        rows = _timed(catalog, scope, source)
    of_units = _of_units(catalog)
    by = segments_of_units(catalog).get(scope.by or "")
    segment = "r.segment" if own_segment or by is None else f"coalesce(x.{by}, {literal(MISSING)})"
    alone = "'r' || r.file || ':' || CAST(r.row AS VARCHAR)"
    cluster = "'c' || x.cluster, " if of_units is not None and _clustered(catalog) else ""
    chosen = _filtered(catalog, foreign)
    items = (
        f"r.*, {segment} AS seg, coalesce('u' || CAST(r.unit AS VARCHAR), {alone}) AS who, "
        f"coalesce({cluster}'u' || CAST(r.unit AS VARCHAR), {alone}) AS grp, {OPEN} AS arm_variant"
    )
    joined = f"LEFT JOIN ({of_units}) AS x ON r.unit = x.unit" if of_units is not None else ""
    text = f"SELECT {items} FROM ({rows.text}) AS r {joined} WHERE {chosen.text}"
    return Sql(text, rows.parameters | chosen.parameters)


def _clustered(catalog: Catalog) -> bool:
    section = catalog.project.units
    return section is not None and section.cluster is not None


def _of_units(catalog: Catalog) -> str | None:
    """One row a unit with its cluster and segments; None where nothing is known of units."""
    if catalog.project.units is None or not (_clustered(catalog) or segments_of_units(catalog)):
        return None
    columns = ["min(cluster) AS cluster"]
    columns += [f"min({name}) AS {name}" for name in dict.fromkeys(segments_of_units(catalog).values())]
    return f"SELECT unit, {', '.join(columns)} FROM ({unit_rows(catalog)}) WHERE usable GROUP BY unit"


def _filtered(catalog: Catalog, filters: tuple[Filter, ...]) -> Sql:
    """Conditions on what the table of units tells; one name twice means or."""
    columns = segments_of_units(catalog)
    by_name: dict[str, list[str]] = {}
    parameters: dict[str, object] = {}
    for place, condition in enumerate(filters):
        name = f"unit_filter_{place}"
        by_name.setdefault(condition.name, []).append(
            f"coalesce(x.{columns[condition.name]}, {literal(MISSING)}) = ${name}"
        )
        parameters[name] = condition.value
    parts = [f"({' OR '.join(texts)})" for texts in by_name.values()]
    return Sql(" AND ".join(parts) or "TRUE", parameters)


def _timed(catalog: Catalog, scope: Scope, source: RowSource) -> Sql:
    rows = event_rows(catalog) if source == "events" else unit_rows(catalog)
    zone, section = catalog.project.time_zone, catalog.project.predictions
    block = section.block if section is not None else "day"
    bounds = [Sql("usable"), Sql("ts IS NOT NULL")]
    for name, sign, moment in (
        ("start", ">=", scope.start),
        ("end", "<", scope.end),
        ("as_of", "<=", scope.as_of),
    ):
        if moment is not None:
            bounds.append(Sql(f"ts {sign} CAST(${name} AS TIMESTAMP WITH TIME ZONE)", {name: moment}))
    wanted = all_of(bounds)
    keys = (
        f"{window_key(scope.grain, zone)} AS window_key, {block_key(block, scope.grain, zone)} AS block_key, "
        f"{OPEN} AS version, {OPEN} AS segment, 1e0 AS weight"
    )
    inner = f"SELECT *, {keys} FROM ({rows}) WHERE {wanted.text}"
    if source == "units":
        ranked = (
            f"SELECT *, row_number() OVER (PARTITION BY unit ORDER BY ts, file, row) AS place FROM ({inner})"
        )
        inner = f"SELECT * FROM ({ranked}) WHERE place = 1"
    return Sql(inner, wanted.parameters)
