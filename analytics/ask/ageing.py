"""Ageing of a scope: quality by days since training, and what younger versions bring on the same days."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from typing import Literal

import numpy as np

from analytics.ask.days import LEFT_OUT, MAIN_METRIC, Days, days_in, one_thread
from analytics.changes.ageing import Life, ageing_rows
from analytics.changes.rows import AgeingRow
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Scope
from analytics.stats.daily import Daily
from analytics.telemetry.catalog import Catalog


def ageing_of(catalog: Catalog, scope: Scope, metric: str | None = None) -> Results[AgeingRow]:
    """Quality by age of every version, for one metric, or for the main one and those that have a floor.

    Raises:
        ScopeError: no such metric, the scope splits by a segment, or its grain is neither all, day nor week.
    """
    zone = catalog.project.zone
    days = days_in(catalog, scope)
    if not days.windows:
        return Results((), zone, notes=("The logs hold no prediction.",))
    window = (days.windows[0].start, days.windows[-1].end)
    floors = catalog.project.quality.floor
    rows: list[AgeingRow] = []
    skipped = 0
    with one_thread():
        for name in _asked(catalog, days, metric):
            lives = []
            for version in days.versions:
                life, before = _life(catalog, days, version, name)
                lives.append(life)
                skipped += before
            rows += ageing_rows(lives, window, floors.get(name), scope.confidence)
    notes = [
        f"one value a {days.grain}; ages are in days since the end of training, else the release, else the first row"
    ]
    if skipped:
        notes.append(
            "days from before the end of a version's training are left out: it has seen their labels"
        )
    return Results(tuple(rows), zone, days.found.sql, tuple(notes))


def _asked(catalog: Catalog, days: Days, metric: str | None) -> tuple[str, ...]:
    known = [name for name in days.metrics() if name not in LEFT_OUT]
    if metric is None:
        main = MAIN_METRIC[catalog.predictions.task]
        return tuple(
            dict.fromkeys((main, *(name for name in catalog.project.quality.floor if name in known)))
        )
    if metric in LEFT_OUT:
        raise ScopeError(f'metric "{metric}" has no age: {LEFT_OUT[metric]}')
    if metric not in known:
        near = get_close_matches(metric, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ScopeError(f'"{metric}" is no metric of these days{hint} Known: {", ".join(sorted(known))}')
    return (metric,)


def _life(catalog: Catalog, days: Days, version: str | None, metric: str) -> tuple[Life, int]:
    """The days of one version since its birth, and how many were left out because they are older."""
    found = days.of(version, metric)
    born, counted_from = _born(catalog, days, version)
    # counted in local days, so that a change of the clocks moves no day into another bin
    birthday = born.astimezone(catalog.project.zone).date().toordinal()
    age = (found.series.day - birthday).astype(np.float64)
    kept = (age >= 0) & np.array([window.start >= born for window in found.windows], dtype=np.bool_)
    one = found.series
    series = Daily(one.day[kept], one.value[kept], one.variance[kept], one.period)
    life = Life(version, metric, born, counted_from, series, age[kept], found.n_rows[kept])
    return life, int((~kept).sum())


def _born(
    catalog: Catalog, days: Days, version: str | None
) -> tuple[datetime, Literal["trained_until", "release", "first row"]]:
    instant, as_of = catalog.project.instant, days.scope.as_of
    mine = [
        release
        for release in catalog.releases
        if release.version == version and (as_of is None or instant(release.timestamp) <= as_of)
    ]
    trained = [instant(release.trained_until) for release in mine if release.trained_until is not None]
    if trained:
        return max(trained), "trained_until"
    if mine:
        return min(instant(release.timestamp) for release in mine), "release"
    seen = {key.window for key in days.found.cells if key.version == version}
    first = next((window.start for window in days.windows if window.key in seen), days.windows[0].start)
    return first, "first row"
