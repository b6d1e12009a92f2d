"""Result rows about time: changes, ageing and releases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

Role = Literal["metric", "feature", "score", "decision", "label"]
Kind = Literal["sudden", "gradual", "changed", "recurring", "none"]
Statistic = Literal["value", "mean_rank", "share", "missing_rate"]
Recommendation = Literal["keep", "watch", "roll back", "too early"]
Part = Literal["bin", "slope", "refresh", "retrain"]


@dataclass(frozen=True)
class ChangeRow:
    """One metric or field of one version: did it change, since when, and where does it go?

    Attributes:
        window_start: of the days looked at.
        statistic: what stands for a day: the metric's value, the mean rank of its values in the reference (.5 is the
            reference's median), the share of one category, or the share of missing values.
        category: the category whose share it is.
        kind: one jump, a straight line, a change that could be either, the day of the week only, or none.
        change_at: first day (or week) after the jump; with a gradual change, None.
        change_low: the earliest day it may be.
        change_high: the latest one.
        before: level of an average weekday before; None where nothing changed.
        difference: after less before; its interval holds for whichever day was found.
        p_value: of no change at all.
        p_adjusted: Benjamini-Hochberg over the metrics, or the fields, of a version.
        trend_per_month: slope of a straight line through all days.
        weekly_share: share of the variance of days that is the day of the week.
        floor: from the project file.
        reaches_floor_at: when the straight line meets it; None where it does not fall towards it, or in over ten years.
        reaches_floor_low: not before.
        reaches_floor_high: not after; None where it may never.
        n: days (or weeks) that count.
        grain: day or week.
        day_correlation: of the effects of neighbouring days.
        worse: whether the change is for the worse; None where neither way is.
        tolerance: of a field, the smallest change worth a word, in the unit of before and after (half of the declared
            share of rows for a mean rank); None for metrics.
        tolerated: whether a field changed by less than that; None where nothing changed, and for metrics.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    role: Role
    field: str
    statistic: Statistic
    category: str | None
    kind: Kind | None
    change_at: datetime | None
    change_low: datetime | None
    change_high: datetime | None
    before: float | None
    before_low: float | None
    before_high: float | None
    after: float | None
    after_low: float | None
    after_high: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    trend_per_month: float | None
    trend_low: float | None
    trend_high: float | None
    weekly_share: float | None
    weekly_p_adjusted: float | None
    floor: float | None
    reaches_floor_at: datetime | None
    reaches_floor_low: datetime | None
    reaches_floor_high: datetime | None
    n: int
    grain: Literal["day", "week"]
    day_correlation: float | None
    worse: bool | None
    status: Status
    reason: str | None
    tolerance: float | None = None
    tolerated: bool | None = None


@dataclass(frozen=True)
class AgeingRow:
    """One version at one age, or what its ages say together.

    Attributes:
        part: ``bin``: the metric at an age; ``slope``: its change per month of age; ``refresh``: this version less the
            older `compared_with` on the same days; ``retrain``: the age, in days, from which it should be retrained.
        counted_from: what age 0 is: ``trained_until``, ``release`` or ``first row``.
        born_at: that instant.
        age_from: days since then, first of the bin.
        age_to: first after it.
        value: the metric of an average day; for ``retrain`` an age in days.
        p_adjusted: of a slope or difference of 0, Holm over the versions (pairs).
        per_month: for ``refresh``, the difference by month between the two ages: what a month of age costs with the
            season removed.
        n: days.
        n_rows: labelled rows behind them.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    part: Part
    counted_from: Literal["trained_until", "release", "first row"]
    born_at: datetime
    age_from: float | None
    age_to: float | None
    compared_with: str | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    per_month: float | None
    per_month_low: float | None
    per_month_high: float | None
    p_value: float | None
    p_adjusted: float | None
    floor: float | None
    n: int
    n_rows: int
    status: Status
    reason: str | None


@dataclass(frozen=True)
class ReleaseRow:
    """One metric before and after one release.

    Attributes:
        released_at: when the version went live.
        version: the new one.
        version_before: the one live until then.
        days: length of each side.
        before: the old version on an average day before.
        after: the new version on an average day after.
        difference: after less before, the two as they are.
        same_weekday_difference: the same with weekdays set equal.
        paired_difference: new less old on the same days after, where the old one still runs in shadow.
        p_adjusted: Benjamini-Hochberg over the metrics of the release, of the evidence the recommendation stands on.
        evidence: which difference that is.
        evidence_low: its interval, corrected over the metrics.
        tolerance: how much worse may be tolerated, in the metric's unit.
        days_needed: how many days after would tell; None where it can be told now, or not within a year.
    """

    released_at: datetime
    version: str
    version_before: str | None
    metric: str
    days: int
    before: float | None
    before_low: float | None
    before_high: float | None
    after: float | None
    after_low: float | None
    after_high: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    same_weekday_difference: float | None
    same_weekday_low: float | None
    same_weekday_high: float | None
    paired_difference: float | None
    paired_low: float | None
    paired_high: float | None
    p_value: float | None
    p_adjusted: float | None
    evidence: Literal["paired", "same weekday"] | None
    evidence_low: float | None
    evidence_high: float | None
    tolerance: float | None
    n_before: int
    n_after: int
    n_paired: int
    recommendation: Recommendation | None
    days_needed: int | None
    status: Status
    reason: str | None
