"""Before and after a release: differences of daily values with intervals, and what to do about them.

The rules, in the metric's unit and with everything turned so that more is worse (w the harm, its interval corrected
over the metrics of the release, T the tolerance):

* **roll back** where the interval lies above 0 and w is at least T;
* **keep** where the interval lies below T: harm beyond what is tolerated is excluded;
* **watch** otherwise, with the days after the release that would tell at this size of effect;
* **too early** under a week of days on either side, days whose labels still arrive not counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from analytics.changes.rows import Recommendation, ReleaseRow
from analytics.directions import DIRECTIONS
from analytics.stats.daily import WEEK, Daily, Fit, fit, noise_of
from analytics.stats.multiplicity import benjamini_hochberg, bh_level

LEAST_VALUES = {1: WEEK, WEEK: 4}
"""Values a side needs, by days between two of them."""
RELATIVE_TOLERANCE = 0.02
LONGEST_WAIT = 365


@dataclass(frozen=True)
class Sides:
    """One metric around one release.

    Attributes:
        before: the old version's days before.
        after: the new version's days after.
        paired: new less old on the days after on which both have a value.
        waiting: days after whose labels still arrive.
        tolerance: how much worse may be tolerated; a fiftieth of the level before where None.
    """

    metric: str
    before: Daily
    after: Daily
    paired: Daily
    waiting: int
    tolerance: float | None = None


@dataclass(frozen=True)
class Release:
    """What went live when, and how many days on each side are looked at."""

    at: datetime
    version: str
    version_before: str | None
    days: int


@dataclass(frozen=True)
class _Evidence:
    kind: Literal["paired", "same weekday"]
    fit: Fit
    row: Sequence[float]
    n: int

    @property
    def p_value(self) -> float:
        return self.fit.p_value(np.array(self.row))


def release_rows(release: Release, sides: Sequence[Sides], confidence: float) -> tuple[ReleaseRow, ...]:
    """One row a metric; the metrics of one release are one family of tests."""
    looked = [_compare(release, side, confidence) for side in sides]
    p = [None if evidence is None else evidence.p_value for _, evidence in looked]
    adjusted = benjamini_hochberg(p)
    level = 1 - bh_level(p, 1 - confidence)
    return tuple(
        row if evidence is None else _judged(row, evidence, float(adjusted[place]), level, sides[place])
        for place, (row, evidence) in enumerate(looked)
    )


def _compare(release: Release, side: Sides, confidence: float) -> tuple[ReleaseRow, _Evidence | None]:
    unknown: dict[str, Any] = dict.fromkeys(field.name for field in fields(ReleaseRow))
    known = {
        "released_at": release.at, "version": release.version, "version_before": release.version_before,
        "metric": side.metric, "days": release.days, "n_before": side.before.n, "n_after": side.after.n,
        "n_paired": side.paired.n, "status": "ok",
    }  # fmt: skip
    row = ReleaseRow(**(unknown | known))
    least = LEAST_VALUES[side.after.period]
    evidence: _Evidence | None = None
    if side.before.n >= least and side.after.n >= least:
        row, evidence = _before_and_after(row, side, confidence)
    if side.paired.n >= least:
        design = side.paired.design()
        found = fit(side.paired, design, noise_of(side.paired, design))
        one = np.eye(design.shape[1])[0]
        value, low, high = found.limits(one, confidence)
        row = replace(row, paired_difference=value, paired_low=low, paired_high=high)
        evidence = _Evidence("paired", found, one.tolist(), side.paired.n)
    return (row, evidence) if evidence is not None else (_too_early(row, side, release), None)


def _before_and_after(row: ReleaseRow, side: Sides, confidence: float) -> tuple[ReleaseRow, _Evidence]:
    both = _joined(side.before, side.after)
    step = (np.arange(both.n) >= side.before.n).astype(np.float64)
    plain = np.column_stack([np.ones(both.n), step])
    noise = noise_of(both, plain)
    found = fit(both, plain, noise)
    before, after, difference = (found.limits(np.array(r), confidence) for r in ((1.0, 0), (1, 1), (0, 1)))
    row = replace(
        row, before=before[0], before_low=before[1], before_high=before[2], after=after[0], after_low=after[1],
        after_high=after[2], difference=difference[0], ci_low=difference[1], ci_high=difference[2],
        tolerance=side.tolerance if side.tolerance is not None else RELATIVE_TOLERANCE * abs(before[0]),
    )  # fmt: skip
    design = both.design(step)
    weekdays = fit(both, design, noise_of(both, design))
    second = np.eye(design.shape[1])[1]
    if design.shape[1] > 2:
        value, low, high = weekdays.limits(second, confidence)
        row = replace(row, same_weekday_difference=value, same_weekday_low=low, same_weekday_high=high)
    return row, _Evidence("same weekday", weekdays, second.tolist(), side.after.n)


def _joined(first: Daily, second: Daily) -> Daily:
    return Daily(
        np.concatenate([first.day, second.day]),
        np.concatenate([first.value, second.value]),
        np.concatenate([first.variance, second.variance]),
        first.period,
    )


def _too_early(row: ReleaseRow, side: Sides, release: Release) -> ReleaseRow:
    word = "days" if side.after.period == 1 else "weeks"
    least = LEAST_VALUES[side.after.period]
    waiting = f"; the labels of {side.waiting} more still arrive" if side.waiting else ""
    if release.version_before is None:
        reason = "no version was live before it"
        return replace(row, status="undefined", reason=reason)
    if side.before.n < least and side.after.n >= least:
        reason = f"{side.before.n} {word} before it have a value, and {least} are needed"
        return replace(row, status="too_few", reason=reason)
    reason = f"{side.after.n} {word} after it have a value, and {least} are needed{waiting}"
    return replace(row, recommendation="too early", status="too_few", reason=reason)


def _judged(row: ReleaseRow, evidence: _Evidence, p_adjusted: float, level: float, side: Sides) -> ReleaseRow:
    value, low, high = evidence.fit.limits(np.array(evidence.row), level)
    row = replace(
        row, p_value=evidence.p_value, p_adjusted=p_adjusted, evidence=evidence.kind, evidence_low=low,
        evidence_high=high,
    )  # fmt: skip
    if row.tolerance is None and side.tolerance is not None:
        row = replace(row, tolerance=side.tolerance)
    sign = {"higher": -1.0, "lower": 1.0}.get(DIRECTIONS.get(side.metric, "none"))
    if sign is None or row.tolerance is None:
        return row
    harm, harm_low, harm_high = sign * value, min(sign * low, sign * high), max(sign * low, sign * high)
    call, wait = recommend(harm, (harm_low, harm_high), row.tolerance, evidence.n)
    days = None if wait is None else wait * side.after.period
    return replace(row, recommendation=call, days_needed=days, reason=_why(call, row, days, harm, harm_low))


def recommend(
    harm: float, interval: tuple[float, float], tolerance: float, n: int
) -> tuple[Recommendation, int | None]:
    """What to do, and for "watch" how many values after the release would tell (None: not within a year).

    >>> recommend(0.05, (0.02, 0.08), tolerance=0.01, n=28)
    ('roll back', None)
    >>> recommend(-0.01, (-0.03, 0.005), tolerance=0.01, n=28)
    ('keep', None)
    >>> recommend(0.02, (-0.02, 0.06), tolerance=0.01, n=28)
    ('watch', 112)
    """
    low, high = interval
    if low > 0 and harm >= tolerance:
        return "roll back", None
    if high < tolerance:
        return "keep", None
    # the interval narrows with the root of the number of values
    reach = (high - low) / 2
    within = max(harm if harm >= tolerance else 0.0, tolerance - harm)
    if within <= 0:
        return "watch", None
    needed = math.ceil(n * (reach / within) ** 2)
    return "watch", needed if needed <= LONGEST_WAIT else None


def _why(call: Recommendation, row: ReleaseRow, days: int | None, harm: float, harm_low: float) -> str:
    against = {
        "paired": f"on the same days as {row.version_before} in shadow",
        "same weekday": f"against {row.version_before} before, weekday by weekday",
    }[row.evidence or "paired"]
    doubt = "" if row.evidence == "paired" else "; the days may have changed rather than the model"
    if call == "roll back":
        return f"worse {against}, beyond its interval and beyond what is tolerated{doubt}"
    if call == "keep":
        return f"{'better' if harm < 0 else 'no worse'} {against}: harm beyond what is tolerated is excluded"
    told = f"about {days} days after the release would tell" if days is not None else "a year would not tell"
    seen = (
        "worse, perhaps within what is tolerated,"
        if harm_low > 0
        else "neither harm nor its absence is shown"
    )
    return f"{seen} {against}; {told}"
