"""How many distinct units an experiment that runs d days meets: visitors who come back are no new units.

Counts of unit-days by (day, days since the unit's last day) are all that is needed, and they add. A unit-day is the
unit's first since some start exactly where its last day lies before that start; so the number of distinct units from a
start to a day is a sum of such counts, for every start at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray

NEVER = -1
"""The gap of a unit's first day in the logs."""
WEEK = 7


@dataclass(frozen=True, eq=False)
class ArrivalCurve:
    """Distinct units by day of an experiment, averaged over its possible starts.

    Attributes:
        units: expected distinct units by the end of day 1, 2, …, shape (D,).
        low, high: least and most over the starts, shape (D,).
        starts: how many starts each day's mean stands on; 0 where it is continued beyond the logs, shape (D,).
        weekdays: mean units a day, Monday first, shape (7,); nan for a weekday without a day.
        days: of the logs.
    """

    units: FloatArray
    low: FloatArray
    high: FloatArray
    starts: npt.NDArray[np.int64]
    weekdays: FloatArray
    days: int

    def day_of(self, units: float) -> int | None:
        """The first day by whose end there are so many units; None where it never comes to that."""
        enough = np.flatnonzero(self.units >= units)
        return int(enough[0]) + 1 if len(enough) else None


def arrival_curve(
    days: npt.ArrayLike,
    gaps: npt.ArrayLike,
    counts: npt.ArrayLike,
    horizon: int,
    *,
    first_weekday: int = 0,
    only_first_start: bool = False,
) -> ArrivalCurve | None:
    """Return the distinct units met by day of an experiment.

    New units of day d are averaged over every start with d days of logs left, then added up, so the curve never falls.
    Beyond the logs it goes on with the decline of the new units a day over the last two weeks (never with a rise):
    it saturates where the logs do.

    Args:
        days: number of each count's day, 0 for the first of the logs, shape (R,).
        gaps: days since the unit's last day; `NEVER` on its first.
        counts: unit-days of that day and gap.
        horizon: how many days to return.
        first_weekday: weekday of day 0, Monday 0.
        only_first_start: whether only day 0 is a start, as in a log that began with an experiment.

    Returns:
        None without any unit.

    >>> curve = arrival_curve([0, 1, 1, 2], [NEVER, NEVER, 1, 1], [10, 5, 5, 10], 3)
    >>> curve.units.round(2).tolist(), curve.starts.tolist()
    ([10.0, 12.5, 12.5], [3, 2, 1])
    """
    day, gap = np.asarray(days, dtype=np.int64), np.asarray(gaps, dtype=np.int64)
    count = np.asarray(counts, dtype=np.float64)
    if not len(day) or not count.sum():
        return None
    known = int(day.max()) + 1
    fresh = _new_by_start(day, np.where(gap == NEVER, known, gap), count, known)
    if only_first_start:
        fresh = fresh[:1]
    reach = min(known, horizon)
    new, starts = np.zeros(horizon), np.zeros(horizon, dtype=np.int64)
    cumulated = np.cumsum(np.nan_to_num(fresh), axis=1)
    for offset in range(reach):
        there = fresh[: known - offset, offset]  # a start later than that has no such day
        new[offset], starts[offset] = there.mean(), len(there)
    new[reach:] = _continued(new[:reach], horizon - reach)
    units = np.cumsum(new)
    low, high = units.copy(), units.copy()
    for offset in range(reach):
        seen = cumulated[: known - offset, offset]
        low[offset], high[offset] = min(seen.min(), units[offset]), max(seen.max(), units[offset])
    # beyond the logs nothing was seen: the range of the last days, in proportion
    last = max(reach - 1, 0)
    low[reach:] = units[reach:] * low[last] / units[last] if units[last] else 0.0
    high[reach:] = units[reach:] * high[last] / units[last] if units[last] else 0.0
    return ArrivalCurve(units, np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high), starts,
                        _weekdays(day, count, known, first_weekday), known)  # fmt: skip


def _new_by_start(
    day: npt.NDArray[np.int64], gap: npt.NDArray[np.int64], count: FloatArray, known: int
) -> FloatArray:
    """Units first met on each day of an experiment by its start, shape (starts, days); nan beyond the logs."""
    by_gap = np.zeros((known, known + 1))
    np.add.at(by_gap, (day, np.minimum(gap, known)), count)
    # longer[x, o]: unit-days of day x whose unit was last there more than o days before
    longer = np.cumsum(by_gap[:, ::-1], axis=1)[:, ::-1][:, 1:]
    fresh = np.full((known, known), np.nan)
    for start in range(known):
        offsets = np.arange(known - start)
        fresh[start, offsets] = longer[start + offsets, offsets]
    return fresh


def _continued(new: FloatArray, more: int) -> FloatArray:
    """New units a day beyond those known: a geometric decline as in the last half, in weeks where there are two."""
    if more <= 0:
        return np.zeros(0)
    span = min(WEEK, max(len(new) // 2, 1))
    recent, before = (
        float(new[-span:].mean()),
        float(new[-2 * span : -span].mean()) if len(new) >= 2 * span else 0.0,
    )
    decline = min((recent / before) ** (1 / span), 1.0) if before > 0 else 1.0
    return np.asarray(recent * decline ** (np.arange(1, more + 1) + (span - 1) / 2), dtype=np.float64)


def _weekdays(day: npt.NDArray[np.int64], count: FloatArray, known: int, first: int) -> FloatArray:
    by_day = np.bincount(day, count, known)
    weekday = (np.arange(known) + first) % WEEK
    days = np.bincount(weekday, minlength=WEEK)
    total = np.bincount(weekday, by_day, WEEK)
    return np.asarray(np.where(days > 0, total / np.maximum(days, 1), np.nan), dtype=np.float64)
