"""Metrics of the project by day: whether each changed, since when, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from analytics.ask.days import one_thread
from analytics.ask.outcomes import outcomes_of
from analytics.changes.describe import ALPHA, Subject, change_rows
from analytics.changes.rows import ChangeRow
from analytics.outcomes.rows import OutcomeRow, served
from analytics.results import Results
from analytics.scope import Scope
from analytics.stats.daily import Daily
from analytics.stats.intervals import normal_quantile
from analytics.telemetry.catalog import Catalog


def metric_changes_of(catalog: Catalog, scope: Scope, names: Iterable[str] = ()) -> Results[ChangeRow]:
    """One row a metric: did its days change, since when, and is that for the worse.

    A metric over predictions is followed through the versions that served most units each day.
    """
    days = replace(scope, grain="day", by=None)
    found = outcomes_of(catalog, days, names)
    if not found.rows:
        return Results((), found.zone, notes=found.notes)
    metrics = list(dict.fromkeys(row.metric for row in found))
    by_metric = {metric: served([row for row in found if row.metric == metric]) for metric in metrics}
    subjects = [_subject(metric, by_metric[metric], found.zone, scope.confidence) for metric in metrics]
    window = (min(row.window_start for row in found), max(row.window_end for row in found))
    with one_thread():
        rows = change_rows(subjects, window, "day", scope.confidence)
    judged = tuple(
        replace(row, worse=_worse(row, by_metric[metric][0].direction))
        for metric, row in zip(metrics, rows, strict=True)
    )
    notes = (
        "one value a day; levels are of an average weekday",
        "a metric over predictions is that of the version which served most units on each day",
        f"p-values are corrected over the metrics: when nothing has changed, {ALPHA:.2g} false reports are expected",
    )
    return Results(judged, found.zone, found.sql, notes)


def _subject(metric: str, rows: Sequence[OutcomeRow], zone: ZoneInfo, confidence: float) -> Subject:
    known = [row for row in rows if row.status == "ok" and row.value is not None]
    z = normal_quantile(confidence)
    number = {row: _day(row.window_start, zone) for row in known}
    errors = [((row.ci_high or 0.0) - (row.ci_low or 0.0)) / 2 / z for row in known]
    # the scatter of a series is what its own days say, and would be counted twice
    is_series = bool(rows) and rows[0].source == "series"
    series = Daily(
        np.array([number[row] for row in known], dtype=np.int64),
        np.array([row.value for row in known], dtype=np.float64),
        np.zeros(len(known)) if is_series else np.square(np.array(errors, dtype=np.float64)),
    )
    reason = None
    if not known:
        reason = next((row.reason for row in rows if row.reason is not None), "no day has a value")
    starts = {number[row]: row.window_start for row in known}
    return Subject(None, "metric", metric, (("value", None, series),), starts, None, reason)


def _day(moment: datetime, zone: ZoneInfo) -> int:
    return moment.astimezone(zone).date().toordinal()


def _worse(row: ChangeRow, direction: str) -> bool | None:
    move = row.trend_per_month if row.kind == "gradual" else row.difference
    if row.kind not in {"sudden", "gradual", "changed"} or not move:
        return None
    return (move < 0) == (direction == "up")
