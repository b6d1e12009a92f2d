"""How sure the level of a series is: from how much days differ from the same day a week before.

A reading is exact, and the level it stands for is not: a day's sales would have been others had the day been lived
again. Readings of one day go together, so a day is one observation. Half the squared difference of two days a week
apart is the noise of one day where the level has not moved between them; its median over all pairs is not moved by the
few pairs that a jump or an outage lies between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from analytics.aggregates.series_cells import SeriesCell
from analytics.outcomes.estimate import Outcome, nothing
from analytics.stats.means import t_interval

LEAST_PAIRS = 8
_MEDIAN_OF_CHI_SQUARED = 0.4549364231195724
"""With one degree of freedom: the median of the squared difference is this times its mean, under a normal one."""
_EFFICIENCY = 0.37
"""Of the median absolute deviation: what it knows of a variance, compared with the mean of squares."""


def noise(steps: Mapping[datetime, float], apart: timedelta) -> tuple[float, int] | None:
    """Variance of one step's mean about its level, and from how many pairs; None with too few of them.

    >>> from datetime import datetime
    >>> days = {datetime(2026, 1, 1) + timedelta(days=i): float(i % 7 + (i // 7) % 2) for i in range(28)}
    >>> round(noise(days, timedelta(days=7))[0], 3)
    1.099
    """
    gaps = [
        (value - steps[moment - apart]) ** 2 for moment, value in steps.items() if moment - apart in steps
    ]
    if len(gaps) < LEAST_PAIRS:
        return None
    variance = float(np.median(gaps)) / _MEDIAN_OF_CHI_SQUARED / 2
    # most days may be alike (a counter that stands still): then the mean of squares is all there is
    return (variance if variance > 0 else float(np.mean(gaps)) / 2), len(gaps)


def series_outcome(cell: SeriesCell | None, scatter: tuple[float, int] | None, confidence: float) -> Outcome:
    """The mean of a window's readings with the interval of its level."""
    if cell is None or cell.n == 0:
        return nothing("no_data", "no readings in this window")
    if scatter is None:
        return nothing(
            "too_few", f"{LEAST_PAIRS} pairs of days a week apart are needed to tell how much a day scatters"
        )
    variance, pairs = scatter
    if variance <= 0:
        return nothing(
            "undefined", "every day is the same as a week before, so nothing tells how sure the level is"
        )
    df = max(_EFFICIENCY * pairs, 2.0)
    low, high = t_interval(cell.mean, math.sqrt(variance / cell.steps), df, confidence)
    return Outcome(cell.mean, low, high, "windows", "ok", None)
