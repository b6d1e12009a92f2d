"""A log of releases, read like any other feed."""

from __future__ import annotations

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier
from analytics.project import Project, Release
from analytics.telemetry import casts
from analytics.telemetry.feeds import Feed

_MOMENTS = ("timestamp", "trained_from", "trained_until")
_TEXTS = ("version", "data_version", "parent", "note")


def read_releases(engine: DuckDBEngine, feed: Feed, project: Project) -> tuple[Release, ...]:
    """Read the rows of a release log; a row without a time or a version is left out."""
    releases = []
    for group in feed.groups:
        items = [
            f"{casts.as_instant(identifier(name), group.columns[name], project.time_zone)} AS {name}"
            for name in _MOMENTS
            if name in group.columns
        ] + [
            f"{casts.as_text(identifier(name), group.columns[name])} AS {name}"
            for name in _TEXTS
            if name in group.columns
        ]
        rows = engine.query(f"SELECT {', '.join(items)} FROM {group.relation}").to_pylist()
        releases += [
            Release(**row) for row in rows if row.get("timestamp") is not None and row.get("version")
        ]
    return tuple(releases)
