"""Files whose heads are whole and whose rows cannot be read: found by reading every value once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier
from analytics.errors import FileVanishedError, TelemetryError
from analytics.telemetry.feeds import Feed, Group


def broken_files(engine: DuckDBEngine, feeds: Mapping[str, Feed]) -> dict[Path, str]:
    """What to leave out after a query failed, and why."""
    broken: dict[Path, str] = {}
    for feed in feeds.values():
        for group in feed.groups:
            broken |= broken_of(engine, group)
    return broken


def broken_of(engine: DuckDBEngine, group: Group) -> dict[Path, str]:
    """The broken files of one group."""
    broken: dict[Path, str] = {}
    columns = ", ".join(touched(group))
    for file, relation in zip(group.files, group.alone, strict=True):
        try:
            engine.query(f"SELECT {columns} FROM {relation}")
        except FileVanishedError:
            raise
        except TelemetryError as error:
            broken[file.path] = f"the rows cannot be read ({' '.join(str(error).split())[:160]})"
    return broken


def touched(group: Group) -> list[str]:
    """Expressions that cannot be answered without reading every value."""
    # a count could be answered from the footer; a hash needs the values
    return [f"max(hash({identifier(name)}))" for name in group.columns]
