"""From a daily series to a row about its change: which kind, since when, how large, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from analytics.changes.rows import ChangeRow, Kind, Role, Statistic
from analytics.directions import DIRECTIONS, worse_by
from analytics.results import Status
from analytics.stats.arrays import FloatArray
from analytics.stats.change_point import Change, find_change, least_values
from analytics.stats.daily import Daily
from analytics.stats.daily_trend import Shape, Trend, Weekly, crossing, find_trend, shape_of, weekly_profile
from analytics.stats.multiplicity import benjamini_hochberg

ALPHA = 0.05
RECURRING_SHARE = 0.1
"""A weekly profile is worth a word from this share of the scatter of days on."""
MONTH_DAYS = 365.25 / 12
HORIZON_DAYS = 3652.5
"""A floor that is farther away than ten years is not foretold."""


@dataclass(frozen=True)
class Subject:
    """What a series is about.

    Attributes:
        candidates: series that may tell of the subject; the one that changed most is taken and its p-value multiplied
            by their number.
        starts: day number -> instant.
        reason: why there is nothing to look at, where there is nothing.
        tolerance: of a field: a share of rows that may move, and a share that may go missing; None for a metric.
    """

    version: str | None
    role: Role
    field: str
    candidates: tuple[tuple[Statistic, str | None, Daily], ...]
    starts: Mapping[int, datetime]
    floor: float | None = None
    reason: str | None = None
    tolerance: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Found:
    statistic: Statistic
    category: str | None
    series: Daily
    change: Change
    trend: Trend
    shape: Shape
    weekly: Weekly | None
    p_value: float


def change_rows(
    subjects: Sequence[Subject],
    window: tuple[datetime, datetime],
    grain: Literal["day", "week"],
    confidence: float,
) -> tuple[ChangeRow, ...]:
    """One row a subject; metrics and fields of a version are two families of tests."""
    memory: dict[tuple[bytes, ...], tuple[Change, Trend, Shape, Weekly | None]] = {}
    found = [_look(subject, confidence, memory) for subject in subjects]
    families: dict[tuple[str | None, bool], list[int]] = {}
    for place, subject in enumerate(subjects):
        families.setdefault((subject.version, subject.role == "metric"), []).append(place)
    p_adjusted: list[float | None] = [None] * len(subjects)
    weekly_p: list[float | None] = [None] * len(subjects)
    for family in families.values():
        looked = [found[place] for place in family]
        one = benjamini_hochberg([f.p_value if isinstance(f, _Found) else None for f in looked])
        other = benjamini_hochberg(
            [f.weekly.p_value if isinstance(f, _Found) and f.weekly is not None else None for f in looked]
        )
        for place, p, weekly in zip(family, one.tolist(), other.tolist(), strict=True):
            p_adjusted[place] = None if np.isnan(p) else p
            weekly_p[place] = None if np.isnan(weekly) else weekly
    return tuple(
        _row(subject, one, (p, weekly), window, grain, confidence)
        for subject, one, p, weekly in zip(subjects, found, p_adjusted, weekly_p, strict=True)
    )


def _look(
    subject: Subject,
    confidence: float,
    memory: dict[tuple[bytes, ...], tuple[Change, Trend, Shape, Weekly | None]],
) -> _Found | tuple[Status, str]:
    """The candidate that changed most, or why none can be looked at."""
    if subject.reason is not None:
        return "undefined", subject.reason
    looked = [_problem(series) for _, _, series in subject.candidates]
    able = [c for c, problem in zip(subject.candidates, looked, strict=True) if problem is None]
    if not able:
        return next((problem for problem in looked if problem is not None), ("no_data", "no day has a value"))
    best: _Found | None = None
    for statistic, category, series in able:
        key = (series.day.tobytes(), series.value.tobytes(), series.variance.tobytes())
        if key not in memory:
            memory[key] = _analyse(series, confidence)
        change, trend, shape, weekly = memory[key]
        p = min(1.0, change.p_value * len(able))
        if best is None or (p, -abs(change.statistic)) < (best.p_value, -abs(best.change.statistic)):
            best = _Found(statistic, category, series, change, trend, shape, weekly, p)
    return best if best is not None else ("no_data", "no day has a value")


def _analyse(series: Daily, confidence: float) -> tuple[Change, Trend, Shape, Weekly | None]:
    change, trend = find_change(series, confidence), find_trend(series, confidence)
    shape = shape_of(series, change, trend)
    beside: FloatArray = (
        series.months if shape == "gradual" else (np.arange(series.n) >= change.at).astype(np.float64)
    )
    noise = trend.noise if shape == "gradual" else change.noise
    return change, trend, shape, weekly_profile(series, beside, noise)


def _problem(series: Daily) -> tuple[Status, str] | None:
    word = "days" if series.period == 1 else "weeks"
    least = least_values(series.period)
    if series.n == 0:
        return "no_data", f"none of the {word} has a value"
    if series.n < least:
        return (
            "too_few",
            f"a change needs {least} {word} with a value to be looked for, and there are {series.n}",
        )
    if float(np.ptp(series.value)) <= 1e-9 * max(float(np.abs(series.value).max()), 1e-300):
        return "undefined", f"is the same on all {word}"
    if series.follows_weekdays():
        return "undefined", "is the day of the week itself, or follows it exactly"
    return None


def _row(
    subject: Subject,
    found: _Found | tuple[Status, str],
    p: tuple[float | None, float | None],
    window: tuple[datetime, datetime],
    grain: Literal["day", "week"],
    confidence: float,
) -> ChangeRow:
    first = subject.candidates[0] if subject.candidates else ("value", None, None)
    n = first[2].n if first[2] is not None else 0
    unknown: dict[str, Any] = dict.fromkeys(field.name for field in fields(ChangeRow))
    known = {
        "window_start": window[0], "window_end": window[1], "version": subject.version, "role": subject.role,
        "field": subject.field, "statistic": first[0], "floor": subject.floor, "n": n, "grain": grain, "status": "ok",
    }  # fmt: skip
    blank = ChangeRow(**(unknown | known))
    if not isinstance(found, _Found):
        return replace(blank, status=found[0], reason=found[1])
    p_adjusted, weekly_p = p
    kind = _kind(found, p_adjusted, weekly_p)
    row = replace(
        blank, statistic=found.statistic, category=found.category, kind=kind, p_value=found.p_value,
        p_adjusted=p_adjusted, trend_per_month=found.trend.slope, trend_low=found.trend.low,
        trend_high=found.trend.high, weekly_share=found.weekly.share if found.weekly is not None else None,
        weekly_p_adjusted=weekly_p, n=found.series.n,
        day_correlation=found.change.noise.rho if found.change.noise.tau2 > 0 else 0.0,
        reason=_REASONS.get(kind),
    )  # fmt: skip
    if kind in {"sudden", "changed", "gradual"}:
        row = _with_change(row, found, subject)
    return _with_floor(row, found, subject, confidence) if subject.floor is not None else row


_REASONS = {"changed": "changed, but one jump and a straight line fit about as well"}


def _kind(found: _Found, p_adjusted: float | None, weekly_p: float | None) -> Kind:
    if p_adjusted is not None and p_adjusted < ALPHA:
        shapes: dict[Shape, Kind] = {"sudden": "sudden", "gradual": "gradual", "unclear": "changed"}
        return shapes[found.shape]
    weekly = found.weekly
    if weekly is not None and weekly_p is not None and weekly_p < ALPHA and weekly.share >= RECURRING_SHARE:
        return "recurring"
    return "none"


def _with_change(row: ChangeRow, found: _Found, subject: Subject) -> ChangeRow:
    change, days = found.change, found.series.day.tolist()
    dated = row.kind != "gradual"
    tolerance = _tolerance(found.statistic, subject.tolerance)
    worse = worse_by(subject.field, change.after, change.before) if subject.field in DIRECTIONS else None
    return replace(
        row,
        change_at=subject.starts[days[change.at]] if dated else None,
        change_low=subject.starts[days[change.low]] if dated else None,
        change_high=subject.starts[days[change.high]] if dated else None,
        before=change.before, before_low=change.before_low, before_high=change.before_high,
        after=change.after, after_low=change.after_low, after_high=change.after_high,
        difference=change.difference, ci_low=change.difference_low, ci_high=change.difference_high,
        worse=None if worse is None or subject.role != "metric" else worse > 0,
        tolerance=tolerance,
        tolerated=None if tolerance is None else abs(change.difference) < tolerance,
    )  # fmt: skip


def _tolerance(statistic: Statistic, declared: tuple[float, float] | None) -> float | None:
    """In the unit of the series: a share t of the rows, from the middle to one end, moves the mean rank by t / 2."""
    if declared is None:
        return None
    moved, missing = declared
    return {"mean_rank": moved / 2, "missing_rate": missing}.get(statistic, moved)


def _with_floor(row: ChangeRow, found: _Found, subject: Subject, confidence: float) -> ChangeRow:
    """When the straight line meets the floor; where it does not fall towards it, only from when on it might."""
    series, trend, floor = found.series, found.trend, subject.floor
    if floor is None or DIRECTIONS.get(subject.field, "none") not in {"higher", "lower"}:
        return row
    now = float(series.months[-1])
    level_now, slope = float(trend.fit.coefficients[:2] @ (1.0, now)), trend.slope
    past = (worse_by(subject.field, level_now, floor) or 0.0) >= 0
    falls = (worse_by(subject.field, slope, 0.0) or 0.0) > 0
    meets = crossing(trend.fit, floor, now, confidence)
    last = subject.starts[int(series.day[-1])]

    def when(place: float | None) -> datetime | None:
        days = None if place is None else (place - now) * MONTH_DAYS
        return None if days is None or abs(days) > HORIZON_DAYS else last + timedelta(days=days)

    reason = _joined(row.reason, "the straight line is past the floor already") if past else row.reason
    if falls:
        return replace(
            row, reason=reason, reaches_floor_at=when(meets.at), reaches_floor_low=when(meets.low),
            reaches_floor_high=when(meets.high),
        )  # fmt: skip
    ahead = meets.low if meets.low is not None and meets.low > now and not past else None
    return replace(row, reason=reason, reaches_floor_low=when(ahead))


def _joined(reason: str | None, more: str) -> str:
    return f"{reason}; {more}" if reason else more
