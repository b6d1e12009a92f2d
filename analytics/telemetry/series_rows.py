"""The log of other numbers over time as typed rows."""

from __future__ import annotations

from analytics.engines.expressions import Expression
from analytics.engines.text import identifier
from analytics.errors import ProjectError
from analytics.project import Project, Series
from analytics.telemetry import casts, typed
from analytics.telemetry.casts import is_numeric
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.feeds import FILE, ROW, Group


def series_rows(catalog: Catalog) -> str:
    """One row a reading: file, row, ts, name, value, usable and every other logged column.

    Usable is what has a time, a name and a finite value.

    Raises:
        ProjectError: the project has no such section.
        TelemetryError: no file can be read, or one lacks a declared column.
    """
    section = catalog.project.series
    if section is None:
        raise ProjectError(
            f"{catalog.project.file}: series: this needs a [series] section, and there is none"
        )
    feed = catalog.require_feed("series")
    for role in ("timestamp", "name", "value"):
        feed.require(getattr(section, role), f"series.{role}", catalog.project.file)
    others = {name: kind for name, kind in catalog.types_of("series").items() if not _is_time(kind)}
    bodies = []
    for group in feed.groups:
        moment = typed.instant(group, section.timestamp, catalog.project)
        name = typed.cast(group, section.name, casts.as_key, "VARCHAR")
        value = typed.cast(group, section.value, casts.as_double, "DOUBLE")
        bodies.append(
            f"SELECT {identifier(FILE)} AS file, {identifier(ROW)} AS row, {moment} AS ts, {name} AS name, "
            f"{value} AS value, {usable_reading(catalog.project, section, group)} AS usable"
            f"{''.join(f', {item}' for item in typed.columns(group, others))} FROM {group.relation}"
        )
    return " UNION ALL ".join(bodies)


def usable_reading(project: Project, section: Series, group: Group) -> str:
    """Whether a raw row of the log can be used."""
    moment = casts.usable_instant(f"({typed.instant(group, section.timestamp, project)})")
    name = typed.cast(group, section.name, casts.as_key, "VARCHAR")
    value = typed.cast(group, section.value, casts.as_double, "DOUBLE")
    return f"coalesce({moment} AND {name} IS NOT NULL AND isfinite({value}), FALSE)"


def series_columns(catalog: Catalog) -> dict[str, Expression]:
    """What a name in an expression over one reading may stand for: the logged columns."""
    section = catalog.project.series
    if section is None:
        return {}
    found = {}
    for name, kind in catalog.types_of("series").items():
        if is_numeric(kind):
            found[name] = Expression(f"CAST({typed.column(name)} AS DOUBLE)", "number")
        elif kind == "BOOLEAN":
            found[name] = Expression(typed.column(name), "truth")
        elif kind == "VARCHAR" or kind.startswith("ENUM"):
            found[name] = Expression(f"CAST({typed.column(name)} AS VARCHAR)", "text")
    roles = {section.value: Expression("value", "number"), section.name: Expression("name", "text")}
    return found | roles | {section.timestamp: Expression("ts", "time")}


def _is_time(kind: str) -> bool:
    return kind.startswith("TIMESTAMP") or kind == "DATE"
