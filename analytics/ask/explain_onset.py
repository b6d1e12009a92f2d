"""When a change began: the steps of the metric up to the window's end, scanned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np

from analytics.aggregates.change_parts import Side
from analytics.aggregates.change_steps import read_steps
from analytics.aggregates.row_measures import RowMeasure
from analytics.ask.days import one_thread
from analytics.ask.explain_sides import Comparison
from analytics.ask.labels import outages_of
from analytics.explain.account import Subject
from analytics.explain.rows import ExplainRow
from analytics.scope import Scope, parse_filter
from analytics.stats.intervals import normal_quantile
from analytics.stats.onset import DAY_SECONDS, MOST_STEPS, STEPS, Onset, Sums, find_onset, usable_step
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows

FINEST = 900
_LOOKS = 2
_TIMES = 6
_LONGEST = timedelta(days=60)
_NEAR = timedelta(days=1)


class Point(NamedTuple):
    """One step of the metric: a window, its value, interval and rows."""

    start: datetime
    end: datetime
    value: float
    ci_low: float
    ci_high: float
    n: int


class Mark(NamedTuple):
    """Something that happened: a release, a declared fault, a stretch without labels."""

    kind: Literal["release", "chaos", "outage"]
    name: str
    start: datetime
    end: datetime | None = None
    note: str | None = None


@dataclass(frozen=True)
class When:
    """When it began, and what a chart of it shows.

    Attributes:
        row: the moment; status undefined where none stands out.
        points: the metric by step over the stretch that was looked at.
        marks: what happened in it.
        near: what happened last before the moment, within a day.
    """

    row: ExplainRow
    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    near: Mark | None = None


def when_of(
    catalog: Catalog,
    scope: Scope,
    comparison: Comparison,
    of: tuple[RowMeasure, Subject],
    first: ExplainRow | None = None,
) -> tuple[When, tuple[str, ...]]:
    """Look for the onset, near the window first, then in up to 60 days before it.

    Args:
        catalog: the project's views.
        scope: the question.
        comparison: the two sides.
        of: the metric, and what rows say of it.
        first: the slice that adds most; where all rows tell no moment, its rows are looked at.
    """
    found, texts = _of_rows(catalog, scope, comparison, *of)
    if found.row.since is not None or first is None or not first.where or not found.points:
        return found, texts
    features = [one.name for one in catalog.features]
    narrowed = scope.narrowed(*(parse_filter(text, catalog.project, features) for text in first.where))
    inside, more = _of_rows(catalog, narrowed, comparison, *of)
    if inside.row.since is None:
        return found, (*texts, *more)
    named = replace(inside.row, segment=first.segment, segment_value=first.segment_value, where=first.where)
    return replace(inside, row=named), (*texts, *more)


def _of_rows(
    catalog: Catalog, scope: Scope, comparison: Comparison, measure: RowMeasure, subject: Subject
) -> tuple[When, tuple[str, ...]]:
    blank = subject.blank("onset", "undefined", None)
    if comparison.kind in {"version", "segment"}:
        reason = "the two sides are not before and after each other"
        return When(replace(blank, reason=reason), (), ()), ()
    stretches = list(_stretches(catalog, comparison))
    texts: dict[str, None] = {}
    shown: tuple[datetime, Sums] | None = None
    for start, end in stretches:
        sums, text = _steps(catalog, scope, comparison, measure, (start, end))
        texts[text] = None
        shown = (start, sums)
        with one_thread():
            found = find_onset(sums, subject.confidence, 0.05 / _LOOKS)
        if found is not None:
            return _found(catalog, subject, (start, end), sums, found), tuple(texts)
    reason = "no single moment stands out from how the metric varies anyway"
    if shown is None or usable_step(shown[1]) is None:
        reason = "too few steps of time have rows enough to look for a moment"
    points = () if shown is None else _points(shown[0], shown[1], subject)
    marks = marks_of(catalog, stretches[-1][0], stretches[-1][1]) if stretches else ()
    return When(replace(blank, reason=reason), points, marks), tuple(texts)


def _stretches(catalog: Catalog, comparison: Comparison) -> list[tuple[datetime, datetime]]:
    """The window with six times its length before it, then with up to 60 days before it."""
    window, extent = comparison.window, catalog.extent
    if extent is None:
        return []
    length = window.end - window.start
    end = min(window.end, extent[1] + timedelta(seconds=1))
    found = []
    for back in (min(_TIMES * length, 2 * _LONGEST), max(length, _LONGEST)):
        start = max(window.start - back, extent[0].replace(minute=0, second=0, microsecond=0))
        start = start.astimezone(catalog.project.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        one = (start.astimezone(window.end.tzinfo), end)
        if one[0] < end and one not in found:
            found.append(one)
    return found


def _steps(
    catalog: Catalog,
    scope: Scope,
    comparison: Comparison,
    measure: RowMeasure,
    stretch: tuple[datetime, datetime],
) -> tuple[Sums, str]:
    whole = replace(scope, start=stretch[0], end=stretch[1], grain="all", by=None, versions=())
    side = Side(scoped_rows(catalog, whole), comparison.version)
    return read_steps(catalog, measure, side, stretch[0], FINEST)


def _found(
    catalog: Catalog, subject: Subject, stretch: tuple[datetime, datetime], sums: Sums, found: Onset
) -> When:
    origin = stretch[0]
    since, low, high = (
        origin + timedelta(seconds=found.seconds * step) for step in (found.at, found.low, found.high)
    )
    change = found.change
    row = replace(
        subject.blank("onset", subject.state, subject.reason),
        value_before=_root(change.before, subject),
        value_after=_root(change.after, subject),
        n_before=int(sums.rows[sums.step * sums.seconds < found.at * found.seconds].sum()),
        n_after=int(sums.rows[sums.step * sums.seconds >= found.at * found.seconds].sum()),
        p_value=change.p_value,
        since=since,
        since_low=low,
        since_high=high,
    )
    if not subject.root:
        row = replace(
            row, total_effect=change.difference, ci_low=change.difference_low, ci_high=change.difference_high
        )
    marks = marks_of(catalog, *stretch)
    return When(row, _points(origin, sums, subject), marks, _near(marks, low, high, since))


def _root(value: float, subject: Subject) -> float:
    return float(np.sqrt(max(value, 0.0))) if subject.root else value


def _near(marks: tuple[Mark, ...], low: datetime, high: datetime, since: datetime) -> Mark | None:
    """What happened last, not after the moment can be and at most a day before it."""
    before = [mark for mark in marks if low - _NEAR <= mark.start <= high]
    return min(before, key=lambda mark: abs(since - mark.start)) if before else None


def marks_of(catalog: Catalog, start: datetime, end: datetime) -> tuple[Mark, ...]:
    """Releases, declared faults and stretches without labels that touch a stretch of time."""
    project = catalog.project
    found = [
        Mark("release", release.version, project.instant(release.timestamp), None, release.note)
        for release in catalog.releases
    ]
    found += [
        Mark("chaos", one.name, project.instant(one.start), project.instant(one.end), one.hypothesis)
        for one in project.chaos
    ]
    found += [Mark("outage", "no labels", first, last) for first, last in outages_of(catalog)]
    return tuple(
        mark
        for mark in sorted(found, key=lambda mark: mark.start)
        if mark.start < end and (mark.end or mark.start) >= start
    )


def _points(origin: datetime, sums: Sums, subject: Subject) -> tuple[Point, ...]:
    """Days, or the shortest longer step that a chart can show; hours where the stretch is short."""
    length = float((sums.step.max() - sums.step.min() + 1) * sums.seconds) if len(sums.step) else 0.0
    least = DAY_SECONDS if length > 10 * DAY_SECONDS else 0
    seconds = next(
        (s for s in STEPS if s >= max(least, sums.seconds) and length / s <= MOST_STEPS), STEPS[-1]
    )
    chosen = usable_step(sums, least) if least == 0 else seconds
    shown = sums.coarser(chosen or seconds)
    series = shown.series()
    rows = {int(step): int(n) for step, n in zip(shown.step, shown.rows, strict=True)}
    at = normal_quantile(subject.confidence)
    points = []
    for day, value, variance in zip(
        series.day.tolist(), series.value.tolist(), series.variance.tolist(), strict=True
    ):
        step = day // series.period
        half = float(at) * variance**0.5
        start = origin + timedelta(seconds=shown.seconds * step)
        low, middle, high = (_root(v, subject) for v in (value - half, value, value + half))
        points.append(Point(start, start + timedelta(seconds=shown.seconds), middle, low, high, rows[step]))
    return tuple(points)
