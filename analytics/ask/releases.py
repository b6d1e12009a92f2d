"""Releases of a scope: each against the version that was live before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from analytics.ask.days import LEFT_OUT, Days, MetricDays, days_in, one_thread
from analytics.changes.releases import Release, Sides, release_rows
from analytics.changes.rows import ReleaseRow
from analytics.directions import DIRECTIONS
from analytics.results import Results
from analytics.scope import Scope
from analytics.stats.daily import WEEK, Daily
from analytics.telemetry.catalog import Catalog

LONGEST_SIDE = 4 * WEEK
LONGEST_PAIRED = 13 * WEEK
"""Days after a release on which both versions are compared: no days before are needed for it."""


def releases_of(catalog: Catalog, scope: Scope) -> Results[ReleaseRow]:
    """One row per release and metric: before and after it, and on the same days as the old version in shadow.

    Both sides are as long as each other: four weeks, or the whole weeks between the neighbouring releases and the
    ends of the data. A release named together with another one at the same instant is in shadow and has no row.

    Raises:
        ScopeError: the scope splits by a segment, or its grain is neither all, day nor week.
    """
    zone = catalog.project.zone
    days = days_in(catalog, replace(scope, versions=()))
    if not days.windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    live = live_releases(catalog, days)
    if not live:
        return Results(
            (), zone, days.found.sql, ("No release is declared in this stretch: see [[releases]].",)
        )
    rows: list[ReleaseRow] = []
    with one_thread():
        for place, (at, version) in enumerate(live):
            if scope.versions and version not in scope.versions:
                continue
            before = live[place - 1][1] if place else None
            since = live[place - 1][0] if place else days.windows[0].start
            until = live[place + 1][0] if place + 1 < len(live) else days.windows[-1].end
            side = _side((at - since).days, (until - at).days)
            release = Release(at, version, before, side)
            paired = max(min((until - at).days, LONGEST_PAIRED), WEEK)
            sides = [_sides(catalog, days, (release, paired), metric) for metric in _metrics(days)]
            rows += release_rows(release, sides, scope.confidence)
    note = (
        f"one value a {days.grain}; p-values and the intervals that recommendations stand on are corrected over the "
        "metrics of a release (Benjamini-Hochberg)"
    )
    return Results(tuple(rows), zone, days.found.sql, (note,))


def live_releases(catalog: Catalog, days: Days) -> list[tuple[datetime, str]]:
    """When which version went live, by time: of several at one instant the first named; none after as-of."""
    found: dict[datetime, str] = {}
    for release in catalog.releases:
        at = catalog.project.instant(release.timestamp)
        known = days.scope.as_of is None or at <= days.scope.as_of
        if known and release.version in catalog.versions and at < days.windows[-1].end:
            found.setdefault(at, release.version)
    return sorted(found.items())


def _side(before: int, after: int) -> int:
    days = min(before, after, LONGEST_SIDE)
    return days - days % WEEK if days >= WEEK else max(days, 0)


def _metrics(days: Days) -> list[str]:
    return [m for m in days.metrics() if m not in LEFT_OUT and DIRECTIONS.get(m) in {"higher", "lower"}]


def _sides(catalog: Catalog, days: Days, asked: tuple[Release, int], metric: str) -> Sides:
    release, longest = asked
    old = days.of(release.version_before, metric) if release.version_before is not None else None
    new = days.of(release.version, metric)
    # where days are few, all that come after count as waiting or missing, not as a shorter side
    length = max(release.days, WEEK if days.grain == "day" else LONGEST_SIDE)
    at = release.at
    before = _part(old, at, -length) if old is not None else _nothing(new.series)
    after = _part(new, at, length)
    paired = _nothing(new.series)
    if old is not None:
        ours, theirs = _part(new, at, longest), _part(old, at, longest)
        shared, left, right = np.intersect1d(ours.day, theirs.day, return_indices=True)
        # the error of a difference on the same rows is smaller than of either: days tell how large it is
        paired = Daily(shared, ours.value[left] - theirs.value[right], np.zeros(len(shared)), ours.period)
    waiting = new.left_out.get("labels still arrive", 0)
    tolerance = catalog.project.quality.tolerance.get(metric)
    return Sides(metric, before, after, paired, waiting, tolerance)


def _part(found: MetricDays, at: datetime, days: int) -> Daily:
    """The days so long after (before, where negative) an instant; a day that it cuts is left out."""
    inside = np.array(
        [
            (0 <= (w.start - at).total_seconds() / 86_400 < days)
            if days > 0
            else (days - 0.1 <= (w.start - at).total_seconds() / 86_400 and w.end <= at)
            for w in found.windows
        ],
        dtype=np.bool_,
    )
    series = found.series
    return Daily(series.day[inside], series.value[inside], series.variance[inside], series.period)


def _nothing(like: Daily) -> Daily:
    return Daily(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0), like.period)
