"""In what state an experiment's logs are: files that cannot be read, rows that are rejected, feeds that stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from analytics.aggregates.metric_counts import known_until
from analytics.aggregates.readings import TIMED
from analytics.aggregates.unit_kinds import value_column
from analytics.aggregates.unit_table import UnitTable
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.listing import EXPERIMENT_FEEDS


@dataclass(frozen=True)
class LogState:
    """What can be told of the logs themselves.

    Attributes:
        unreadable: files that are left out, with the reason, as ``exposures: day-3.parquet (truncated)``.
        rejected: feed -> (rows rejected, all rows); feeds without any are left out.
        first_exposure, newest_exposure: of the units; None where they carry no time.
        newest_rows: source of a metric -> its newest row.
        rows: source -> its rows after the units' first exposures.
    """

    unreadable: tuple[str, ...] = ()
    rejected: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    first_exposure: datetime | None = None
    newest_exposure: datetime | None = None
    newest_rows: Mapping[str, datetime] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)


def read_log_state(table: UnitTable, appearances: Sql) -> LogState:
    """Judge the logs of one experiment; where nothing is rejected nothing is counted again."""
    catalog = table.catalog
    times = table.row(f"SELECT min(ts) AS first, max(ts) AS newest FROM ({table.units.text})")
    newest: dict[str, datetime] = {}
    rows: dict[str, int] = {}
    for index, wanted in enumerate(table.reading.metrics):
        if wanted.source not in TIMED or wanted.source in rows:
            continue
        until = known_until(table, wanted)
        if until is not None:
            newest[wanted.source] = until
        column = value_column(index, "rows")
        rows[wanted.source] = int(
            table.row(f"SELECT coalesce(sum({column}), 0) AS n FROM ({table.units.text})")["n"]
        )
    return LogState(
        _unreadable(catalog),
        _rejected(table, appearances),
        _instant(times["first"]),
        _instant(times["newest"]),
        newest,
        rows,
    )


def _instant(found: datetime | None) -> datetime | None:
    return None if found is None else found.astimezone(UTC)


def _unreadable(catalog: Catalog) -> tuple[str, ...]:
    return tuple(
        f"{name}: {path.name} ({reason})"
        for name in EXPERIMENT_FEEDS
        if (feed := catalog.feeds.get(name)) is not None
        for path, reason in feed.damaged.items()
    )


def _rejected(table: UnitTable, appearances: Sql) -> dict[str, tuple[int, int]]:
    """Lines that are no records, and exposures (or units) without unit or time."""
    catalog, answer = table.catalog, {}
    assigning = "exposures" if catalog.project.exposures is not None else "units"
    for name in EXPERIMENT_FEEDS:
        feed = catalog.feeds.get(name)
        if feed is None:
            continue
        lost, total = sum(csv.rejected for csv in feed.csv.values()), 0
        if name == assigning:
            seen = table.row(
                "SELECT coalesce(sum(n + outside + future), 0) AS n, "
                f"coalesce(sum(outside) FILTER (unit IS NULL), 0) AS unusable FROM ({appearances.text})"
            )
            lost, total = lost + int(seen["unusable"]), int(seen["n"])
        elif lost:
            total = sum(
                int(table.row(f"SELECT count(*) AS n FROM {group.relation}")["n"]) for group in feed.groups
            )
        if lost:
            answer[name] = (lost, total + sum(csv.rejected for csv in feed.csv.values()))
    return answer
