"""Rows of many windows at once, each window as it was known when it was looked at.

`scoped_rows` knows one instant for all rows. An alert has looked at every window at an instant of its own, so here the
instant belongs to the window: labels (and rows that reach the log late) that came after it are not there. Windows may
overlap; a row is then there once for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from analytics.engines.text import Sql, all_of
from analytics.scope import Grain, Scope
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import (
    block_key,
    conditions,
    declared_segment,
    only_versions,
    segment_expression,
)

_LENGTHS: tuple[tuple[timedelta, Grain], ...] = (
    (timedelta(days=28), "month"),
    (timedelta(days=7), "week"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=15), "15min"),
)


class Look(NamedTuple):
    """One window ``[start, end)`` and the instant whose knowledge counts."""

    start: datetime
    end: datetime
    known_at: datetime

    @property
    def key(self) -> datetime:
        """What its rows carry as their window: its end in UTC, without a zone."""
        return self.end.astimezone(UTC).replace(tzinfo=None)


def looked_rows(catalog: Catalog, scope: Scope, looks: Sequence[Look]) -> Sql:
    """The rows of every look, with the columns of `analytics.telemetry.rows.scoped_rows`.

    Args:
        catalog: the project's views.
        scope: versions, filters and segment; its window, grain and as-of do not apply.
        looks: at least one; no two with the same end.
    """
    value = (
        segment_expression(declared_segment(catalog, scope.by))
        if scope.by is not None
        else "CAST(NULL AS VARCHAR)"
    )
    zone = catalog.project.time_zone
    longest = max(look.end - look.start for look in looks)
    block = block_key(catalog.predictions.block, _grain(longest), zone)
    labelled = _labelled(catalog, looks)
    wanted = all_of([*only_versions(scope, "predictions"), *conditions(catalog, scope.filters)])
    text = f"SELECT *, {block} AS block_key, {value} AS segment FROM ({labelled.text}) WHERE {wanted.text}"
    return Sql(text, labelled.parameters | wanted.parameters)


def _grain(length: timedelta) -> Grain:
    """The longest grain that is not longer than the window."""
    return next((grain for least, grain in _LENGTHS if length >= least), "5min")


def _instant(moment: datetime) -> str:
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).isoformat()}'"


def _labelled(catalog: Catalog, looks: Sequence[Look]) -> Sql:
    listed = ", ".join(
        f"(TIMESTAMP '{look.key.isoformat()}', {_instant(look.start)}, {_instant(look.end)}, "
        f"{_instant(look.known_at)})"
        for look in looks
    )
    first, last = min(look.start for look in looks), max(look.end for look in looks)
    rows = (
        "SELECT p.*, w.window_key, w.known_at FROM "
        f"(SELECT * FROM predictions WHERE ts >= {_instant(first)} AND ts < {_instant(last)}) AS p "
        f"JOIN (VALUES {listed}) AS w(window_key, window_start, window_end, known_at) "
        "ON p.ts >= w.window_start AND p.ts < w.window_end WHERE coalesce(p.received, p.ts) <= w.known_at"
    )
    if not catalog.has_label_feed:
        label = "CASE WHEN own_label_ts > known_at THEN NULL ELSE own_label END"
        return Sql(f"SELECT *, {label} AS label, own_label_ts AS label_ts FROM ({rows})")
    parameters: dict[str, Any] = {}
    label, label_ts = "l.label", "l.ts"
    section = catalog.project.labels
    if section is not None and section.absent_after is not None and section.absent_means is not None:
        parameters["absent_seconds"] = section.absent_after.total_seconds()
        due = "p.ts + CAST($absent_seconds AS DOUBLE) * INTERVAL '1' SECOND"
        ripe = f"l.id IS NULL AND {due} <= p.known_at"
        absent = typed.absent_label(catalog.predictions, section.absent_means)
        label = f"CASE WHEN {ripe} THEN {absent} ELSE l.label END"
        label_ts = f"CASE WHEN {ripe} THEN {due} ELSE l.ts END"
    # the newest report that had come by then; ids may be missing, a row of a file is always itself
    newest = (
        " QUALIFY row_number() OVER (PARTITION BY p.window_key, p.file, p.row "
        "ORDER BY l.ts DESC, l.file DESC, l.row DESC) = 1"
        if catalog.relabelled
        else ""
    )
    return Sql(
        f"SELECT p.*, {label} AS label, {label_ts} AS label_ts FROM ({rows}) AS p "
        f"LEFT JOIN labels AS l ON p.id = l.id AND l.ts <= p.known_at{newest}",
        parameters,
    )
