"""When did a number change, finer than a day where rows allow: a scan in coarse steps, then once more in fine ones.

Steps of hours take the time of day out as `daily` takes the weekday out. See `analytics.stats.change_point` for the
scan, its p-value and the interval of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .arrays import FloatArray
from .change_point import Change, find_change, least_values
from .daily import WEEK, Daily

DAY_SECONDS = 86_400
STEPS = (900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY_SECONDS, WEEK * DAY_SECONDS)
"""Lengths of a step, seconds."""
MOST_STEPS = 200
LEAST_ROWS = 8
DRAWS = 299


@dataclass(frozen=True)
class Steps(Daily):
    """One value a step; ``day`` is the number of the step, ``per_day`` how many there are a day."""

    per_day: int = 1

    @cached_property
    def weekdays(self) -> FloatArray:
        """Contrasts of the times of day that occur; of weekdays, where a step is a day."""
        if self.per_day == 1:
            return super().weekdays
        if self.n < 4 * self.per_day:
            return np.zeros((self.n, 0))
        present, code = np.unique(self.day % self.per_day, return_inverse=True)
        contrasts = np.vstack([np.eye(len(present) - 1), -np.ones(len(present) - 1)])
        return np.asarray(contrasts[code])


@dataclass(frozen=True)
class Sums:
    """What counts and what is added by step, from the finest ones on.

    Attributes:
        step: number of each step, ascending.
        rows: in it.
        d: what counts.
        u: what is added.
        squares: d^2, d u, u^2, shape (3, n).
        seconds: length of a step.
    """

    step: np.ndarray[tuple[int], np.dtype[np.int64]]
    rows: FloatArray
    d: FloatArray
    u: FloatArray
    squares: FloatArray
    seconds: int

    def coarser(self, seconds: int) -> Sums:
        """Steps that many seconds long."""
        times = seconds // self.seconds
        number, at = np.unique(self.step // times, return_inverse=True)

        def summed(values: FloatArray) -> FloatArray:
            return np.asarray(np.bincount(at, values, minlength=len(number)), dtype=np.float64)

        squares = np.stack([summed(one) for one in self.squares])
        return Sums(number, summed(self.rows), summed(self.d), summed(self.u), squares, seconds)

    def between(self, low: int, high: int) -> Sums:
        """Steps from one number up to another, that one excluded."""
        kept = (self.step >= low) & (self.step < high)
        return Sums(
            self.step[kept], self.rows[kept], self.d[kept], self.u[kept], self.squares[:, kept], self.seconds
        )

    def series(self) -> Steps:
        """Values of the steps with rows enough; their sampling variance from one constant for all."""
        used = (self.rows >= LEAST_ROWS) & (self.d > 0)
        d, u, squares = self.d[used], self.u[used], self.squares[:, used]
        per_day = max(DAY_SECONDS // self.seconds, 1)
        period = WEEK if self.seconds > DAY_SECONDS else 1
        if not used.any():
            nothing = np.zeros(0)
            return Steps(np.zeros(0, dtype=np.int64), nothing, nothing, period, per_day)
        whole = float(u.sum() / d.sum())
        spread = float((squares[2] - 2 * whole * squares[1] + whole**2 * squares[0]).sum() / squares[0].sum())
        number = self.step[used] * period
        return Steps(number, u / d, max(spread, 0.0) * squares[0] / d**2, period, per_day)


@dataclass(frozen=True)
class Onset:
    """When a number changed.

    Attributes:
        seconds: length of the steps that the moment is told in.
        at: number of the first step after the change.
        low: the earliest step that fits about as well.
        high: the latest.
        change: levels and p-value, from the coarse scan.
    """

    seconds: int
    at: int
    low: int
    high: int
    change: Change


def usable_step(sums: Sums, least: int = 0) -> int | None:
    """The shortest step of which there are not too many, most with rows enough; None where no step will do."""
    for seconds in STEPS:
        if seconds < max(sums.seconds, least):
            continue
        found = sums.coarser(seconds)
        if len(found.step) > MOST_STEPS:
            continue
        series = found.series()
        if series.n >= max(least_values(series.period), 0.6 * len(found.step)):
            return seconds
    return None


def find_onset(sums: Sums, confidence: float, alpha: float = 0.05) -> Onset | None:
    """Look for one change; None where there is none beyond chance, or too little to look at.

    Args:
        sums: over the stretch to look at, in the finest steps.
        confidence: of the interval of the moment.
        alpha: the chance of finding a change where there is none.
    """
    seconds = usable_step(sums)
    if seconds is None:
        return None
    coarse = sums.coarser(seconds)
    series = coarse.series()
    if not np.ptp(series.value) > 0 or series.follows_weekdays():
        return None
    change = find_change(series, confidence, DRAWS)
    if change.p_value >= alpha:
        return None
    steps = series.day // series.period
    found = Onset(seconds, int(steps[change.at]), int(steps[change.low]), int(steps[change.high]), change)
    return _finer(sums, found, confidence, alpha)


def _finer(sums: Sums, found: Onset, confidence: float, alpha: float) -> Onset:
    """The same moment in shorter steps, from the stretch around it, where that tells it better."""
    width = max(found.high - found.low + 1, 4)
    around = [(found.low - 2 * width) * found.seconds, (found.high + 1 + 2 * width) * found.seconds]
    near = sums.between(*(edge // sums.seconds for edge in around))
    seconds = usable_step(near)
    if seconds is None or seconds >= found.seconds:
        return found
    series = near.coarser(seconds).series()
    if not np.ptp(series.value) > 0 or series.follows_weekdays():
        return found
    change = find_change(series, confidence, DRAWS)
    at, low, high = (
        int(series.day[place] // series.period) for place in (change.at, change.low, change.high)
    )
    narrower = (high - low + 1) * seconds <= (found.high - found.low + 1) * found.seconds
    agrees = found.low * found.seconds <= high * seconds and low * seconds <= (found.high + 1) * found.seconds
    if change.p_value >= alpha or not narrower or not agrees:
        return found
    return Onset(seconds, at, low, high, found.change)
