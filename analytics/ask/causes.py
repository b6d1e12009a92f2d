"""What caused a change: the window's numbers against the days before it, from one scan, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from analytics.aggregates.cause_cells import CauseCells, read_cause_cells, read_modelled
from analytics.aggregates.cause_onsets import day_start, read_hour, rows_per_day, step
from analytics.aggregates.cause_rows import Stretch, kept_rows, shares_requests
from analytics.ask.labels import known
from analytics.ask.windows import resolve, versions_of
from analytics.engines.text import Sql
from analytics.errors import ScopeError
from analytics.explain import causes
from analytics.explain.describe import Released, cause_row
from analytics.explain.relations import learn
from analytics.explain.rows import CauseRow
from analytics.explain.signals import Measured, Tolerances, measures
from analytics.results import Results
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog

HISTORY = 118
"""Days before the window that tell how much windows usually differ."""
MOST_ROWS = 1_500_000
"""Fewer days are read where there would be more rows than this."""
LEAST_HISTORY = 60
LEAST_REACH = 31
LOOK_BACK = 14
"""A change is dated at most so many days before the window."""
FULL_WAIT = timedelta(days=28)
USUAL_WINDOW = timedelta(days=7)
ONSETS = 3
NOTHING = "nothing changed beyond chance"
NONE_BEFORE = "whether anything changed cannot be told: hardly any rows like these came before"


@dataclass(frozen=True)
class Found:
    """What was counted and what moved; for whoever wants more than the rows."""

    scope: Scope
    stretch: Stretch
    cells: CauseCells
    measures: tuple[Measured, ...]
    roots: tuple[causes.Signal, ...]
    onsets: tuple[datetime | None, ...]
    versions: tuple[str | None, ...]


def causes_of(
    catalog: Catalog,
    scope: Scope,
    before: Scope | None = None,
    metric: str | None = None,
    k: int = 10,
    now: datetime | None = None,
) -> Results[CauseRow]:
    """What changed in the window and follows from nothing else, the likeliest first; none where nothing changed.

    Args:
        catalog: the project's views.
        scope: the window; without a start the last seven days of it.
        before: the days it is compared with; the four weeks before the window where left out.
        metric: what an alert is about; causes that cannot move it stand last.
        k: rows at most.
        now: the instant whose knowledge counts where the scope has no as-of.

    Raises:
        ScopeError: the scope splits by a segment.
    """
    zone = catalog.project.zone
    found = found_of(catalog, scope, before, now)
    if isinstance(found, str):
        return Results((), zone, notes=(found,))
    roots = sorted(
        zip(found.roots, found.onsets, strict=True), key=lambda pair: not concerns(pair[0], metric)
    )
    releases = [
        Released(release.version, catalog.project.instant(release.timestamp)) for release in catalog.releases
    ]
    rows = tuple(
        cause_row(rank, root, found.cells, found.measures, found.scope, onset, zone, releases)
        for rank, (root, onset) in enumerate(roots[:k], 1)
    )
    days = len(found.cells.days) - found.cells.window
    tested = causes.n_tested(found.cells, found.measures)
    notes = [
        (
            f"{tested:,} numbers were looked at, each against how much earlier windows of {_length(found.stretch)} "
            f"differed from the days before them ({days} days)"
        )
    ]
    if not rows:
        notes.insert(0, NOTHING if tested else NONE_BEFORE)
    return Results(rows, zone, found.cells.sql, tuple(notes))


def found_of(
    catalog: Catalog, scope: Scope, before: Scope | None = None, now: datetime | None = None
) -> Found | str:
    """Everything, or why there is nothing to look at."""
    if scope.by is not None:
        raise ScopeError(
            f'by: causes are found in every segment; narrow to one value with where "{scope.by}=VALUE"'
        )
    asked = scope
    scope, windows = resolve(catalog, replace(scope, grain="all"))
    if asked.start is None and scope.start is not None and scope.end is not None:
        scope = replace(scope, start=max(scope.start, scope.end - USUAL_WINDOW))
    if not windows or scope.start is None or scope.end is None:
        return "The logs hold no prediction."
    if before is not None and (
        before.filters != asked.filters or before.versions not in {(), asked.versions}
    ):
        return "causes are looked for in time: a window against earlier days of the same rows"
    if before is not None and before.end is not None and before.end > scope.start:
        return "causes are looked for in time: compare with days before the window"
    stretch, reference = stretch_of(catalog, scope, before, now)
    if stretch.history < 1:
        return "nothing is logged before the window, so nothing can be said to have changed"
    with kept_rows(catalog, scope, stretch, reference=reference) as (kept, _):
        cells = read_cause_cells(catalog, kept, stretch)
        if before is not None:
            cells = _against(cells, scope, before)
        versions = _versions(catalog, scope, cells)
        if not versions:
            return "the window, or the days before it, hold no row"
        relations = learn(cells, read_modelled(catalog, kept, stretch, [item for item, _ in cells.bins]))
        drift = catalog.project.drift
        tolerances = Tolerances(
            drift.share_tolerance,
            {item.field.name: drift.tolerance_of(item.field.name) for item, _ in cells.bins},
        )
        found = measures(cells, relations, tolerances)
        roots = causes.find(cells, found, versions, shared=shares_requests(catalog))
        onsets = tuple(
            _since(catalog, kept, cells, root, stretch) if place < ONSETS else None
            for place, root in enumerate(roots)
        )
    return Found(scope, stretch, cells, tuple(found), tuple(roots), onsets, versions)


def stretch_of(
    catalog: Catalog, scope: Scope, before: Scope | None, now: datetime | None
) -> tuple[Stretch, bool]:
    """What is read, and whether the reference's rows are earlier days."""
    if scope.start is None or scope.end is None or catalog.extent is None:
        raise ValueError("the scope's ends must be filled first")
    length = scope.end - scope.start
    whole = max(length // timedelta(days=1), 1)
    seconds = length.total_seconds() if length < timedelta(days=1) else None
    edge = scope.start if before is None or before.end is None else min(scope.start, before.end)
    window = max(-(-(scope.end - scope.start) // timedelta(days=1)), 1) if seconds is None else 1
    first = catalog.extent[0]
    reference = False
    logged = (edge - first) / timedelta(days=1)
    if (
        logged < LEAST_HISTORY
        and catalog.reference_extent is not None
        and catalog.reference_extent[0] < first
    ):
        first, reference = catalog.reference_extent[0], True
    reach = min(max(int((scope.start - first) / timedelta(days=1)), 0), HISTORY)
    if before is not None and before.start is not None:
        reach = max(reach, min(int((scope.start - before.start) / timedelta(days=1)), 2 * HISTORY))
    reach = _bounded(catalog, reach)
    moment = now if now is not None and scope.as_of is None else known(scope)
    waited = moment - scope.end
    wait = None if waited >= FULL_WAIT else max(waited.total_seconds(), 0.0)
    start = scope.end - timedelta(days=window + reach, hours=2)
    return Stretch(start, scope.end, whole if seconds is None else 1, reach, seconds, wait), reference


def _bounded(catalog: Catalog, reach: int) -> int:
    """Fewer days where rows are many; a month at least."""
    if reach <= LEAST_REACH:
        return reach
    return max(min(reach, int(MOST_ROWS / max(rows_per_day(catalog), 1.0))), LEAST_REACH)


def _since(
    catalog: Catalog, kept: Sql, cells: CauseCells, root: causes.Signal, stretch: Stretch
) -> datetime | None:
    """The hour from which it was different; the day where rows do not tell."""
    measure = root.measure
    if measure.daily is None:
        return None
    top, bottom = (part[root.place] for part in measure.daily)
    before, after = (float(part[0, root.place]) for part in (measure.before, measure.after))
    if measure.statistic == "volume":
        after *= cells.window / max(float(bottom[-cells.window :].sum()), 1e-9)
        before *= cells.window / max(float(bottom[-cells.window :].sum()), 1e-9)
    first = max(len(cells.days) - cells.window - LOOK_BACK, 0)
    place = step(top[first:], bottom[first:], before, after)
    if place is None:
        return None
    day = day_start(stretch, cells.days[first + place])
    bins = next((item for item, _ in cells.bins if item.field.name == measure.name), None)
    hour = read_hour(catalog, kept, root.group, measure.statistic, bins, (before, after), day, stretch.end)
    return hour if hour is not None else day


def _versions(catalog: Catalog, scope: Scope, cells: CauseCells) -> tuple[str | None, ...]:
    """Asked for, and there on days enough before the window."""
    asked = versions_of(catalog, scope)
    n = cells.of("n")
    there = {
        group.version
        for i, group in enumerate(cells.groups)
        if group.segment is None and n[i, : -cells.window].any()
    }
    return tuple(version for version in asked if version in there)


def _against(cells: CauseCells, scope: Scope, before: Scope) -> CauseCells:
    """The days of ``before`` stand directly ahead of the window; days between the two are left out."""
    if before.start is None or before.end is None or scope.end is None:
        return cells
    last = int(np.ceil((before.end - scope.end) / timedelta(days=1)))
    window = np.arange(len(cells.days)) >= len(cells.days) - cells.window
    keep = window | (cells.days < last)
    return replace(cells, days=cells.days[keep], sums=cells.sums[:, keep])


def concerns(root: causes.Signal, metric: str | None) -> bool:
    """Whether a cause can move a metric."""
    if metric is None:
        return True
    kind = root.kind
    if metric.startswith("latency"):
        return kind in {"latency", "traffic", "burst", "errors"}
    if metric == "error_rate":
        return kind in {"errors", "traffic", "burst", "feature"}
    if metric == "request_rate":
        return kind in {"traffic", "burst", "mix"}
    if metric.startswith("label_"):
        return kind in {"label_delay", "traffic", "mix"}
    return kind != "latency"


def _length(stretch: Stretch) -> str:
    if stretch.seconds is not None:
        return f"{stretch.seconds / 3600:.2g} h"
    return "a day" if stretch.days == 1 else f"{stretch.days} days"
