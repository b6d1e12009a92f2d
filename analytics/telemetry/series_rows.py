"""The log of other numbers over time as typed rows."""

from __future__ import annotations

from analytics.engines.text import identifier
from analytics.errors import ProjectError
from analytics.project import Project, Series
from analytics.telemetry import casts, typed
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.feeds import FILE, ROW, Group


def series_rows(catalog: Catalog) -> str:
    """One row a reading: file, row, ts, name, value, usable. Usable is what has a time, a name and a finite value.

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
    bodies = []
    for group in feed.groups:
        moment = typed.instant(group, section.timestamp, catalog.project)
        name = typed.cast(group, section.name, casts.as_key, "VARCHAR")
        value = typed.cast(group, section.value, casts.as_double, "DOUBLE")
        bodies.append(
            f"SELECT {identifier(FILE)} AS file, {identifier(ROW)} AS row, {moment} AS ts, {name} AS name, "
            f"{value} AS value, {usable_reading(catalog.project, section, group)} AS usable FROM {group.relation}"
        )
    return " UNION ALL ".join(bodies)


def usable_reading(project: Project, section: Series, group: Group) -> str:
    """Whether a raw row of the log can be used."""
    moment = casts.usable_instant(f"({typed.instant(group, section.timestamp, project)})")
    name = typed.cast(group, section.name, casts.as_key, "VARCHAR")
    value = typed.cast(group, section.value, casts.as_double, "DOUBLE")
    return f"coalesce({moment} AND {name} IS NOT NULL AND isfinite({value}), FALSE)"
