"""When rows and labels reached the logs, minute by minute: how long a feed has been silent at any instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from analytics.engines.text import Sql
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows, window_key

Floats = NDArray[np.float64]
Key = tuple[str | None, str | None]


@dataclass(frozen=True)
class Heard:
    """The minutes in which something came.

    Attributes:
        first: of each minute, the instant of the first arrival, in seconds since 1970, ascending.
        last: likewise the last one.
        rows: how many came.
        day: a number for the local day.
    """

    first: Floats
    last: Floats
    rows: Floats
    day: NDArray[np.int64]

    def newest(self, until: datetime) -> float | None:
        """The last arrival in a minute before this one, in seconds since 1970; None where nothing had come."""
        place = int(np.searchsorted(self.first, until.timestamp(), side="left"))
        return float(self.last[place - 1]) if place else None

    def longest_by_day(self, until: datetime) -> Floats:
        """The longest silence that ended on each day, in seconds, as known at an instant."""
        known = int(np.searchsorted(self.first, until.timestamp(), side="left"))
        gaps = self.first[1:known] - self.last[: max(known - 1, 0)]
        if not len(gaps):
            return np.zeros(0)
        days, place = np.unique(self.day[1:known], return_inverse=True)
        longest = np.zeros(len(days))
        np.maximum.at(longest, place, gaps)
        return longest


def heard_predictions(catalog: Catalog, scope: Scope, *, by_version: bool) -> dict[Key, Heard]:
    """When predictions of a scope reached the log, by version (or all together) and segment value."""
    rows = scoped_rows(catalog, scope)
    version = "version" if by_version else "CAST(NULL AS VARCHAR)"
    return _heard(
        catalog,
        Sql(
            f"SELECT coalesce(received, ts) AS ts, {version} AS version, segment FROM ({rows.text})",
            rows.parameters,
        ),
    )


def heard_labels(catalog: Catalog, scope: Scope) -> dict[Key, Heard]:
    """When labels about the predictions of a scope came, by version."""
    rows = scoped_rows(catalog, scope)
    if not catalog.has_label_feed:
        text = f"SELECT own_label_ts AS ts, version, segment FROM ({rows.text}) WHERE own_label IS NOT NULL"
    else:
        text = (
            f"SELECT l.ts AS ts, r.version AS version, r.segment AS segment FROM ({rows.text}) AS r "
            "JOIN labels AS l ON r.id = l.id"
        )
    return _heard(catalog, Sql(text, rows.parameters))


def _heard(catalog: Catalog, arrivals: Sql) -> dict[Key, Heard]:
    day = window_key("day", catalog.project.time_zone)
    text = (
        f"SELECT version, segment, min(epoch(ts)) AS first, max(epoch(ts)) AS last, count(*) AS n, min({day}) AS day "
        f"FROM ({arrivals.text}) WHERE ts IS NOT NULL "
        "GROUP BY version, segment, date_trunc('minute', ts AT TIME ZONE 'UTC') ORDER BY version, segment, first"
    )
    table = catalog.engine.query(Sql(text, arrivals.parameters))
    keys = list(zip(table.column("version").to_pylist(), table.column("segment").to_pylist(), strict=True))
    numbers = {name: table.column(name).to_numpy().astype(np.float64) for name in ("first", "last", "n")}
    days = table.column("day").to_numpy().astype("datetime64[D]").astype(np.int64)
    found = {}
    for key in dict.fromkeys(keys):
        mine = np.array([one == key for one in keys], dtype=np.bool_)
        found[key] = Heard(numbers["first"][mine], numbers["last"][mine], numbers["n"][mine], days[mine])
    return found


def first_seen(catalog: Catalog) -> dict[str | None, datetime]:
    """The first timestamp of every version."""
    if catalog.predictions.version is None:
        return {None: catalog.extent[0]} if catalog.extent is not None else {}
    rows = catalog.engine.query(
        "SELECT version, min(ts) AS first FROM predictions GROUP BY version"
    ).to_pylist()
    return {row["version"]: row["first"].astimezone(UTC) for row in rows}
