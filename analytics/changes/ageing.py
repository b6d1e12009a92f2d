"""Quality by age: each version's value at each age, its slope, and what a younger version brings on the same days.

Age and season grow together: from one version alone the two cannot be told apart, whatever its slope. Two versions on
the same days can: their difference has no season in it. So "how often should we retrain" is answered by the age at
which the value meets the floor that was declared, and else by the youngest age at which a younger version is better on
the same days beyond chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from analytics.changes.describe import HORIZON_DAYS, MONTH_DAYS
from analytics.changes.rows import AgeingRow
from analytics.directions import DIRECTIONS, worse_by
from analytics.stats.arrays import FloatArray
from analytics.stats.change_point import least_values
from analytics.stats.daily import WEEK, Daily, Noise, noise_of, within
from analytics.stats.daily_trend import Trend, crossing, find_trend, level
from analytics.stats.multiplicity import holm

BIN_DAYS = 4 * WEEK
LEAST_VALUES = {1: WEEK, WEEK: 3}


@dataclass(frozen=True)
class Life:
    """One metric of one version, from its birth on.

    Attributes:
        age: of each day of the series, in days since `born_at`; none below 0.
        n_rows: labelled rows of each day.
    """

    version: str | None
    metric: str
    born_at: datetime
    counted_from: Literal["trained_until", "release", "first row"]
    series: Daily
    age: FloatArray
    n_rows: FloatArray

    def among(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> Daily:
        """Some of its days."""
        one = self.series
        return Daily(one.day[chosen], one.value[chosen], one.variance[chosen], one.period)


def ageing_rows(
    lives: Sequence[Life], window: tuple[datetime, datetime], floor: float | None, confidence: float
) -> tuple[AgeingRow, ...]:
    """Bins, slopes, refreshes and the answer, for one metric of every version."""
    slopes, trends = _slopes(lives, window, floor, confidence)
    refreshes = _refreshes(lives, window, confidence)
    rows: list[AgeingRow] = []
    for life, slope, trend in zip(lives, slopes, trends, strict=True):
        rows += _bins(life, window, floor, confidence)
        rows.append(slope)
        mine = [row for row in refreshes if row.version == life.version]
        older = [row for row in refreshes if row.compared_with == life.version]
        rows += mine
        rows.append(_retrain(life, window, trend, (floor, confidence), older))
    return tuple(rows)


def _blank(life: Life, window: tuple[datetime, datetime], part: str, floor: float | None = None) -> AgeingRow:
    unknown: dict[str, Any] = dict.fromkeys(field.name for field in fields(AgeingRow))
    known = {
        "window_start": window[0], "window_end": window[1], "version": life.version, "metric": life.metric,
        "part": part, "counted_from": life.counted_from, "born_at": life.born_at, "floor": floor, "status": "ok",
        "n": life.series.n, "n_rows": round(float(life.n_rows.sum())),
    }  # fmt: skip
    return AgeingRow(**(unknown | known))


def _edges(age: FloatArray) -> list[tuple[float, float]]:
    if not len(age):
        return []
    first, last = int(age.min() // BIN_DAYS), int(age.max() // BIN_DAYS)
    return [(float(k * BIN_DAYS), float((k + 1) * BIN_DAYS)) for k in range(first, last + 1)]


def _bins(
    life: Life, window: tuple[datetime, datetime], floor: float | None, confidence: float
) -> list[AgeingRow]:
    rows = []
    noise = _noise(life.series)
    for low, high in _edges(life.age):
        chosen = (life.age >= low) & (life.age < high)
        row = replace(
            _blank(life, window, "bin", floor), age_from=low, age_to=high, n=int(chosen.sum()),
            n_rows=round(float(life.n_rows[chosen].sum())),
        )  # fmt: skip
        rows.append(_with_level(row, life.among(chosen), noise, confidence))
    return rows


def _noise(series: Daily) -> Noise | None:
    """How days scatter around the straight line: from all days, since those of a bin alone tell too little."""
    if series.n < 2 * WEEK:
        return None
    return noise_of(series, series.design(series.months))


def _with_level(row: AgeingRow, series: Daily, noise: Noise | None, confidence: float) -> AgeingRow:
    least = LEAST_VALUES[series.period]
    if series.n < least:
        word = "days" if series.period == 1 else "weeks"
        reason = f"{series.n} {word} have a value, and {least} are needed"
        return replace(row, status="too_few" if series.n else "no_data", reason=reason)
    found = level(series, confidence, None if noise is None else within(noise, series))
    # only a difference is tested against 0
    p_value = found.p_value if row.part == "refresh" else None
    return replace(row, value=found.value, ci_low=found.low, ci_high=found.high, p_value=p_value)


def _slopes(
    lives: Sequence[Life], window: tuple[datetime, datetime], floor: float | None, confidence: float
) -> tuple[list[AgeingRow], list[Trend | None]]:
    trends = [
        find_trend(life.series, confidence) if life.series.n >= least_values(life.series.period) else None
        for life in lives
    ]
    adjusted = holm([None if trend is None else trend.p_value for trend in trends])
    rows = []
    for life, trend, p in zip(lives, trends, adjusted.tolist(), strict=True):
        row = _blank(life, window, "slope", floor)
        if trend is None:
            least = least_values(life.series.period)
            reason = f"a slope needs {least} values, and there are {life.series.n}"
            rows.append(replace(row, status="too_few" if life.series.n else "no_data", reason=reason))
            continue
        rows.append(
            replace(
                row,
                value=trend.slope,
                ci_low=trend.low,
                ci_high=trend.high,
                p_value=trend.p_value,
                p_adjusted=p,
                age_from=float(life.age.min()),
                age_to=float(life.age.max()) + life.series.period,
                reason="age and season cannot be told apart in the slope of one version",
            )
        )
    return rows, trends


def _refreshes(
    lives: Sequence[Life], window: tuple[datetime, datetime], confidence: float
) -> list[AgeingRow]:
    """Each version less each older one on the days both have: as a whole, and by age of the older one."""
    rows: list[AgeingRow] = []
    for young in lives:
        for old in lives:
            gap = (young.born_at - old.born_at).total_seconds() / 86_400
            if gap < 1:
                continue
            shared, left, right = np.intersect1d(young.series.day, old.series.day, return_indices=True)
            if not len(shared):
                continue
            values = young.series.value[left] - old.series.value[right]
            age = old.age[right]
            row = replace(_blank(young, window, "refresh"), compared_with=old.version)
            whole = Daily(shared, values, np.zeros(len(shared)), young.series.period)
            noise = _noise(whole)
            stretches = [(float(age.min()), float(age.max()) + young.series.period), *_edges(age)]
            for low, high in stretches:
                chosen = (age >= low) & (age < high)
                # on the same rows the errors of both go together: the days tell how large that of the difference is
                series = Daily(
                    shared[chosen], values[chosen], np.zeros(int(chosen.sum())), young.series.period
                )
                n_rows = round(float(young.n_rows[left][chosen].sum()))
                one = replace(row, age_from=low, age_to=high, n=series.n, n_rows=n_rows)
                rows.append(_with_refresh(one, series, noise, (gap / MONTH_DAYS, confidence)))
    adjusted = holm([row.p_value for row in rows]).tolist()
    return [
        replace(row, p_adjusted=p) if row.p_value is not None else row
        for row, p in zip(rows, adjusted, strict=True)
    ]


def _with_refresh(
    row: AgeingRow, series: Daily, noise: Noise | None, asked: tuple[float, float]
) -> AgeingRow:
    months, confidence = asked
    row = _with_level(row, series, noise, confidence)
    if row.value is None or row.ci_low is None or row.ci_high is None:
        return row
    return replace(
        row,
        per_month=row.value / months,
        per_month_low=row.ci_low / months,
        per_month_high=row.ci_high / months,
    )


def _retrain(
    life: Life,
    window: tuple[datetime, datetime],
    trend: Trend | None,
    asked: tuple[float | None, float],
    older: Sequence[AgeingRow],
) -> AgeingRow:
    floor, confidence = asked
    row = replace(_blank(life, window, "retrain", floor), status="undefined")
    seen = f"{life.age.max():.0f} days" if life.series.n else "any day"
    if floor is not None and trend is not None and DIRECTIONS.get(life.metric) in {"higher", "lower"}:
        return _by_floor(row, life, trend, floor, confidence)
    better = [r for r in older if r.p_adjusted is not None and r.p_adjusted < 1 - confidence and _gains(r)]
    if better:
        # the shortest stretch of ages tells most; among four weeks the youngest
        first = min(better, key=lambda r: (_length(r) > BIN_DAYS, r.age_from or 0.0))
        reason = (
            f"at this age it is beaten by {first.version} on the same days, beyond chance; without a floor, how "
            "much may be lost is not known"
        )
        return replace(
            row,
            status="ok",
            value=first.age_from,
            ci_low=first.age_from,
            ci_high=first.age_to,
            reason=reason,
            compared_with=first.version,
        )
    if older:
        return replace(row, reason=f"a younger version was not better on the same days, within {seen}")
    return replace(
        row,
        reason=f"no floor is declared and no younger version ran on the same days: age and season cannot be told "
        f"apart within {seen}",
    )


def _length(row: AgeingRow) -> float:
    return (row.age_to or 0.0) - (row.age_from or 0.0)


def _gains(row: AgeingRow) -> bool:
    """Whether the younger version is the better one."""
    return row.value is not None and (worse_by(row.metric, row.value, 0.0) or 0.0) < 0


def _by_floor(row: AgeingRow, life: Life, trend: Trend, floor: float, confidence: float) -> AgeingRow:
    """The age at which the straight line meets the floor."""
    months = life.series.months
    meets = crossing(trend.fit, floor, float(months[-1]), confidence)
    middle = float(life.age.mean())
    now = float(trend.fit.coefficients[0] + trend.slope * months[-1])
    seen = f"within {life.age.max():.0f} days"

    def age(place: float | None) -> float | None:
        days = None if place is None else middle + place * MONTH_DAYS
        return None if days is None or not 0 <= days <= HORIZON_DAYS else days

    falls = (worse_by(life.metric, trend.slope, 0.0) or 0.0) > 0
    past = (worse_by(life.metric, now, floor) or 0.0) >= 0
    season = "; its slope may be the season's"
    at = age(meets.at)
    if falls and at is not None:
        low, high = age(meets.low), age(meets.high)
        open_end = "" if high is not None else "; it may never get there: the interval is open"
        return replace(
            row,
            status="ok",
            value=at,
            ci_low=min(low, at) if low is not None else 0.0,
            ci_high=None if high is None else max(high, at),
            reason=f"where the straight line meets the floor{open_end}{season}",
        )
    if past:
        return replace(row, reason=f"is past the floor at every age seen ({seen}): it is not age")
    return replace(
        row,
        ci_low=age(meets.low),
        reason=f"the floor is not met {seen}, and the line does not fall towards it",
    )
