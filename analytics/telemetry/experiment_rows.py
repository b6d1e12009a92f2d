"""Exposures, events and units as typed rows, and what the names in a metric's expression stand for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from analytics.engines.expressions import Expression
from analytics.engines.text import identifier, literal
from analytics.errors import ProjectError
from analytics.project import MetricSource, Project
from analytics.telemetry import casts, typed
from analytics.telemetry.casts import is_numeric
from analytics.telemetry.catalog import CLOCK_TOLERANCE, Catalog
from analytics.telemetry.feeds import FILE, ROW, Feed, Group
from analytics.telemetry.listing import EXPERIMENT_FEEDS
from analytics.telemetry.sniff import sniffed_types

NO_VARIANT = "(missing)"
MOST_LOOKED_AT = 100_000_000
"""Bytes of text logs up to which columns are looked at from end to end."""
_TIMES = ("timestamp",)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", None)
"""Types whose values fit into 64 bits; None where files lack the column."""


def exposure_rows(catalog: Catalog) -> str:
    """One row an exposure: file, row, unit, variant, experiment, stratum, segments, ts, usable.

    Usable is what has a unit and a time; segments are ``segment_0`` and so on, in declared order.
    """
    return _rows(
        catalog, "exposures", ("unit", "variant", "experiment", "stratum", "timestamp"), columns=False
    )


def event_rows(catalog: Catalog) -> str:
    """One row an event: file, row, unit, ts, usable and every logged column."""
    return _rows(catalog, "events", ("unit", "timestamp"), columns=True)


def last_event(catalog: Catalog) -> datetime | None:
    """When the newest event happened that no wrong clock put into the future; None without any."""
    latest = datetime.now(UTC) + CLOCK_TOLERANCE
    newest = _newest(catalog, latest)
    if newest is not None:
        return newest
    row = catalog.engine.query(
        f"SELECT max(ts) AS last FROM ({event_rows(catalog)}) "
        "WHERE usable AND ts <= CAST($latest AS TIMESTAMP WITH TIME ZONE)",
        {"latest": latest},
    ).to_pylist()[0]
    return None if row["last"] is None else row["last"].astimezone(UTC)


def _newest(catalog: Catalog, latest: datetime) -> datetime | None:
    """The largest logged time, which Parquet files tell without being read; None where it is no time to believe."""
    feed, name = catalog.require_feed("events"), used_columns(catalog, "events")["timestamp"]
    parts = []
    for group in feed.groups:
        kind = group.kind(name)
        if kind is not None and (kind.startswith("TIMESTAMP") or kind == "DATE"):
            instant = casts.as_instant("newest", kind, catalog.project.time_zone)
            raw = f"SELECT max({identifier(name)}) AS newest FROM {group.relation}"
            parts.append(f"SELECT {instant} AS ts FROM ({raw})")
        else:
            moment = typed.instant(group, name, catalog.project)
            parts.append(
                f"SELECT max(ts) AS ts FROM (SELECT {moment} AS ts FROM {group.relation}) "
                f"WHERE {casts.usable_instant('ts')}"
            )
    # judged by the engine: Python has no dates past the year 9999
    believed = f"{casts.usable_instant('last')} AND last <= CAST($latest AS TIMESTAMP WITH TIME ZONE)"
    row = catalog.engine.query(
        f"SELECT CASE WHEN {believed} THEN last END AS last "
        f"FROM (SELECT max(ts) AS last FROM ({' UNION ALL '.join(parts)}))",
        {"latest": latest},
    ).to_pylist()[0]
    return None if row["last"] is None else row["last"].astimezone(UTC)


def unit_rows(catalog: Catalog) -> str:
    """One row a unit: file, row, unit, variant, experiment, cluster, pair, stratum, segments, ts, usable, every column.

    What is not declared is NULL; segments are ``segment_0`` and so on, in declared order.
    """
    roles = ("unit", "variant", "experiment", "cluster", "pair", "stratum", "timestamp")
    return _rows(catalog, "units", roles, columns=True)


def expression_columns(
    catalog: Catalog, source: MetricSource, *, needs_unit: bool = True
) -> dict[str, Expression]:
    """What a name in an expression over one row of a source may stand for.

    A logged column goes before a role of the predictions (label, decision, score, version, latency) of the same name.
    ``variant`` is the arm of the row's unit, where no column is called so. Metrics are summed by unit,
    and so predictions without one are refused, unless ``needs_unit`` says otherwise.
    """
    types = catalog.types_of(source)
    names = {"variant": Expression("arm_variant", "text")} if source != "units" else {}
    if source == "predictions":
        names |= _roles(catalog, needs_unit=needs_unit)
    private = catalog.predictions.private if source == "predictions" else ()
    empty = dict.fromkeys(_empty_columns(catalog, source), "NULL")
    found = {
        name: _column(name, kind, catalog.project, source)
        for name, kind in (types | empty).items()
        if name not in private
    }
    if source == "predictions":
        # as the view reads it: a text's zone is lost in the column of that name
        found[catalog.predictions.timestamp] = Expression("ts", "time")
    return names | {name: column for name, column in found.items() if column is not None}


def _empty_columns(catalog: Catalog, source: MetricSource) -> frozenset[str]:
    """Columns of text logs that hold no value yet, and so no text either."""
    feed, key = catalog.feeds[source], ("empty columns", source)
    size = sum(file.size for group in feed.groups if group.text for file in group.files)
    if not 0 < size <= MOST_LOOKED_AT:
        return frozenset()
    if key not in catalog.answered:
        texts = {name for name, kind in feed.columns.items() if kind == "VARCHAR"}
        known = sniffed_types(catalog.engine, feed)
        catalog.answered[key] = frozenset(texts - set(known) - feed.partitions)
    found: frozenset[str] = catalog.answered[key]
    return found


def used_columns(catalog: Catalog, name: str) -> Mapping[str, str]:
    """Role -> column of a feed of experiments, as declared."""
    section = getattr(catalog.project, name)
    return section.model_dump(exclude={"path", "segments"}, exclude_none=True) if section is not None else {}


def usable(project: Project, name: str, group: Group) -> str:
    """Whether a raw row of such a feed can be used: it has a unit and, where times are declared, a time."""
    roles = getattr(project, name).model_dump(exclude={"path", "segments"}, exclude_none=True)
    known = typed.cast(group, roles["unit"], casts.as_key, "VARCHAR")
    # a whole number is not written out to see that it is there
    unit = f"{identifier(roles['unit']) if _is_whole(group, roles['unit']) else known} IS NOT NULL"
    if "timestamp" not in roles:
        return unit
    moment = casts.usable_instant(f"({typed.instant(group, roles['timestamp'], project)})")
    return f"{unit} AND coalesce({moment}, FALSE)"


def _is_whole(group: Group, name: str) -> bool:
    kind = group.kind(name)
    return kind is not None and kind in _WHOLE


def _rows(catalog: Catalog, name: str, roles: tuple[str, ...], *, columns: bool) -> str:
    feed = catalog.require_feed(name)
    declared = used_columns(catalog, name)
    for role, column in declared.items():
        feed.require(column, f"{name}.{role}", catalog.project.file)
    for column in _segments(catalog, name):
        feed.require(column, f"{name}.segments", catalog.project.file)
    bodies = [
        f"SELECT {', '.join(_items(catalog, feed, group, roles, columns=columns))} FROM {group.relation}"
        for group in feed.groups
    ]
    return " UNION ALL ".join(bodies)


def _items(catalog: Catalog, feed: Feed, group: Group, roles: tuple[str, ...], *, columns: bool) -> list[str]:
    project, declared = catalog.project, used_columns(catalog, feed.name)
    items = [f"{identifier(FILE)} AS file", f"{identifier(ROW)} AS row"]
    for role in roles:
        name = declared.get(role)
        if role in _TIMES:
            items.append(f"{typed.instant(group, name, project)} AS ts")
        elif role == "unit":
            items.append(f"{_unit(catalog, group, declared['unit'])} AS unit")
        elif role == "variant":
            text = typed.cast(group, name, casts.as_key, "VARCHAR")
            items.append(f"coalesce({text}, {literal(NO_VARIANT)}) AS variant")
        else:
            items.append(f"{typed.cast(group, name, casts.as_key, 'VARCHAR')} AS {role}")
    items += [
        f"{typed.cast(group, name, casts.as_key, 'VARCHAR')} AS segment_{i}"
        for i, name in enumerate(_segments(catalog, feed.name))
    ]
    items.append(f"{usable(project, feed.name, group)} AS usable")
    if columns:
        types = catalog.types_of(feed.name)
        items += typed.columns(group, {name: kind for name, kind in types.items() if not _is_time(kind)})
        # as instants: a text's zone would be lost on the way through another type
        times = [name for name, kind in types.items() if _is_time(kind)]
        items += [f"{typed.instant(group, name, project)} AS {typed.column(name)}" for name in times]
    return items


def _segments(catalog: Catalog, name: str) -> tuple[str, ...]:
    return tuple(getattr(getattr(catalog.project, name), "segments", ()))


def _is_time(kind: str) -> bool:
    return kind.startswith("TIMESTAMP") or kind == "DATE"


def _unit(catalog: Catalog, group: Group, name: str) -> str:
    how = (lambda column, _: f"CAST({column} AS BIGINT)") if whole_units(catalog) else casts.as_key
    return typed.cast(group, name, how, "BIGINT" if whole_units(catalog) else "VARCHAR")


def whole_units(catalog: Catalog) -> bool:
    """Whether units are whole numbers in every file; these are joined in half the time texts take."""
    project = catalog.project
    if any(project.source_of(metric) == "predictions" for metric in project.metrics.values()):
        return False
    feeds = [catalog.feeds[name] for name in EXPERIMENT_FEEDS if name in catalog.feeds]
    kinds = [group.kind(getattr(project, feed.name).unit) for feed in feeds for group in feed.groups]
    return all(kind in _WHOLE for kind in kinds)


def _column(name: str, kind: str, project: Project, source: MetricSource) -> Expression | None:
    column = typed.column(name)
    if is_numeric(kind):
        return Expression(column if kind == "DOUBLE" else f"CAST({column} AS DOUBLE)", "number")
    if kind == "BOOLEAN":
        return Expression(column, "truth")
    if kind == "VARCHAR" or kind.startswith("ENUM"):
        return Expression(f"CAST({column} AS VARCHAR)", "text")
    if _is_time(kind):
        whole = casts.as_instant(column, kind, project.time_zone) if source == "predictions" else column
        return Expression(f"({whole})", "time")
    # a column in which nothing was ever logged
    return Expression("NULL", "nothing") if kind in {"NULL", '"NULL"'} else None


def _roles(catalog: Catalog, *, needs_unit: bool) -> dict[str, Expression]:
    section = catalog.predictions
    of_class = Expression("label", "text" if section.task == "multiclass" else "number")
    roles = {"label": of_class} if catalog.has_labels else {}
    roles["decision"] = Expression("decision", "number" if section.task == "binary" else "text")
    if not section.classes:
        roles["score"] = Expression("score", "number")
    if section.version is not None:
        roles["version"] = Expression("version", "text")
    if section.latency is not None:
        roles["latency"] = Expression("latency", "number")
    if section.unit is None and needs_unit:
        raise ProjectError(
            f"{catalog.project.file}: predictions.unit: a metric over predictions needs the column that names the unit"
        )
    return roles
