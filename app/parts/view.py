"""What a page is about: one project and one scope, read from the scope bar's words and checked anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.ask.live import live_version
from analytics.project import Predictions, Project
from analytics.scope import GRAINS, Grain, Scope, format_instant, parse_instant
from analytics.workbench import Workbench
from app.formats import day

RANGES = ("15min", "1h", "24h", "7d", "30d", "90d", "all", "custom")
_SHORT_DAYS = 0.26
"""Up to six hours charts show every five minutes."""
_MINUTES = {"15min": timedelta(minutes=15), "1h": timedelta(hours=1)}
DEFAULT_RANGE = "90d"
AUTO = "auto"
DEFAULTS: dict[str, Any] = {
    "project": None, "range": DEFAULT_RANGE, "start": "", "end": "", "grain": AUTO, "as_of": "",
    "version": [], "by": None, "where": [],
}  # fmt: skip
"""The words of the scope bar: URL parameter, key in the session, and value where nothing is chosen."""


@dataclass(frozen=True)
class View:
    """One project under one scope.

    Attributes:
        name: of the project in links.
        bench: the open project.
        scope: window, versions, filters and as-of; one window, no split.
        grain: how charts over time cut the window.
        by: the segment to split by, for pages that do.
        note: how a relative window was read, where that needs saying.
    """

    name: str
    bench: Workbench
    scope: Scope
    grain: Grain
    by: str | None = None
    note: str | None = None

    @property
    def project(self) -> Project:
        """The project file."""
        return self.bench.project

    @property
    def predictions(self) -> Predictions:
        """The predictions section of the project file."""
        return self.project.require_predictions()

    @property
    def zone(self) -> ZoneInfo:
        """The project's time zone."""
        return self.project.zone

    @property
    def over_time(self) -> Scope:
        """The scope cut into windows."""
        return replace(self.scope, grain=self.grain)

    @property
    def split(self) -> Scope:
        """The scope split by the chosen segment, in one window."""
        return replace(self.scope, by=self.by)

    @property
    def versions(self) -> tuple[str | None, ...]:
        """The versions asked for, in the project's order."""
        known = self.bench.catalog.versions
        return tuple(name for name in known if name in self.scope.versions) if self.scope.versions else known

    @property
    def version(self) -> str | None:
        """The one version that tiles are about: of those asked for, the one live last in the window."""
        return live_version(self.bench.catalog, self.versions, self.scope.end)

    def over_time_of(self, version: str | None) -> Scope:
        """The scope of one version, cut into windows."""
        return replace(self.of_version(version), grain=self.grain)

    def of_version(self, version: str | None) -> Scope:
        """The scope of one version."""
        return replace(self.scope, versions=() if version is None else (version,))


def resolve(name: str, bench: Workbench, words: Mapping[str, Any], now: datetime | None = None) -> View:
    """A view from the words of the scope bar.

    Args:
        name: of the project in links.
        bench: the open project.
        words: by the names of `DEFAULTS`; whatever is missing has its default.
        now: the present.

    Raises:
        ScopeError: a word cannot be understood.
        TelemetryError: the logs cannot be opened.
    """
    now = (now or datetime.now(UTC)).replace(second=0, microsecond=0)
    # of finished logs, "an hour ago" means before their end
    present = now if bench.project.clock == "wall" else bench.now()
    said = DEFAULTS | {key: value for key, value in words.items() if value is not None}
    zone = bench.project.zone
    catalog = bench.catalog
    # a project of experiments alone has no predictions to cut a window from
    known = catalog.versions if catalog.has_predictions else ()
    extent = catalog.extent if catalog.has_predictions else None
    known_at = parse_instant(said["as_of"], zone, present) if said["as_of"] else None
    window = said["range"] if said["range"] in RANGES else DEFAULT_RANGE
    custom = window == "custom"
    scope = bench.scope(
        where=said["where"],
        versions=[version for version in said["version"] if version in known],
        by=said["by"],
        start=said["start"] if custom else None,
        end=said["end"] if custom else None,
        as_of=said["as_of"] or None,
        now=present,
    )
    note = None
    if extent is not None and not custom and window != "all":
        start, end, note = preset(window, extent[1], min(now, known_at or now), zone)
        scope = replace(scope, start=start, end=end)
    by = scope.by
    grain = grain_of(said["grain"], scope, extent)
    return View(name, bench, replace(scope, by=None), grain, by, note)


def preset(
    window: str, newest: datetime, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime, str | None]:
    """The last hours or days before now, or of the logs where these end earlier.

    >>> newest, now = datetime(2013, 12, 31, 22, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    >>> start, end, note = preset("7d", newest, now, ZoneInfo("UTC"))
    >>> start.date().isoformat(), end.date().isoformat(), note
    ('2013-12-25', '2014-01-01', 'the logs end on 31 Dec 2013')
    """
    last = min(newest, now)
    note = f"the logs end on {day(newest.astimezone(zone))}" if now - newest > timedelta(days=1) else None
    if window in _MINUTES:
        # silence is a signal: of logs that go on, the last minutes are those before now
        end = (last if note else now).replace(second=0, microsecond=0) + timedelta(minutes=1 if note else 0)
        return end - _MINUTES[window], end, note
    if window == "24h":
        end = last.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return end - timedelta(hours=24), end, note
    final = last.astimezone(zone).date() + timedelta(days=1)
    first = final - timedelta(days=int(window.removesuffix("d")))
    return _midnight(first, zone), _midnight(final, zone), note


def grain_of(word: str, scope: Scope, extent: tuple[datetime, datetime] | None) -> Grain:
    """The grain asked for, or one that gives a readable number of windows."""
    for grain in GRAINS:
        if grain == word:
            return grain
    start, end = scope.start or (extent and extent[0]), scope.end or (extent and extent[1])
    if start is None or end is None:
        return "day"
    days = (end - start) / timedelta(days=1)
    if days <= _SHORT_DAYS:
        return "5min"
    return "hour" if days <= 2 else "day" if days <= 31.1 else "week" if days <= 366.1 else "month"


def window_words(start: datetime, end: datetime, zone: ZoneInfo) -> dict[str, str]:
    """The words of a fixed window."""
    return {"range": "custom", "start": format_instant(start, zone), "end": format_instant(end, zone)}


def _midnight(day_: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day_, time(), zone).astimezone(UTC)
