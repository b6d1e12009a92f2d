"""Comparing two arms by ranks: the Mann-Whitney test, and the shift of Hodges and Lehmann with its interval.

The test asks whether a unit of one arm beats a unit of the other more often than not. The shift is how far all values
of one arm would have to move for that to stop; it is a difference of means only where the arms differ by a shift.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from .arrays import as_floats
from .intervals import Interval, normal_quantile

_FORMED = 2_000_000
"""Differences of pairs that are formed at a time: bounds the memory."""


class RankTest(NamedTuple):
    """The Mann-Whitney test of two arms.

    Attributes:
        wins: pairs of units in which the arm's value is the larger, ties counting half.
        share: the same of all pairs.
        standard_error: of ``wins`` where both arms have one distribution, corrected for ties.
        statistic: (|wins - half of all pairs| - 1/2) / standard_error with its sign; normal.
        p_value: two-sided.
    """

    wins: float
    share: float
    standard_error: float
    statistic: float
    p_value: float


def mann_whitney(values: npt.ArrayLike, values_control: npt.ArrayLike) -> RankTest:
    """Test by ranks, with the normal distribution, ties and continuity corrected for; nan where all values are equal.

    Source: Mann and Whitney, Annals of Mathematical Statistics 18 (1947).

    >>> found = mann_whitney([1.1, 2.2, 3.3, 4.4], [2.0, 5.0, 6.0, 7.0])
    >>> found.wins, round(found.p_value, 4)
    (3.0, 0.1939)
    """
    arm, control = as_floats(values), as_floats(values_control)
    pooled = np.concatenate([arm, control])
    ranks = stats.rankdata(pooled)
    wins = float(ranks[: arm.size].sum() - arm.size * (arm.size + 1) / 2)
    pairs, units = arm.size * control.size, pooled.size
    _, ties = np.unique(pooled, return_counts=True)
    alike = (
        float((ties.astype(np.float64) ** 3 - ties).sum()) / (units * (units - 1)) if units > 1 else math.nan
    )
    error = math.sqrt(max(pairs / 12 * (units + 1 - alike), 0.0)) if units > 1 else math.nan
    if not error > 0:
        return RankTest(wins, wins / pairs, math.nan, math.nan, math.nan)
    gap = wins - pairs / 2
    statistic = math.copysign(max(abs(gap) - 0.5, 0.0) / error, gap)
    return RankTest(wins, wins / pairs, error, statistic, float(2 * special.ndtr(-abs(statistic))))


class Shift:
    """The shift of Hodges and Lehmann and its intervals at any level.

    An interval holds the shifts that the test does not reject, with the standard error that it has at no shift, so it
    excludes 0 exactly where the test rejects. Source: Hodges and Lehmann, Annals of Mathematical Statistics 34 (1963).

    >>> shift = Shift([1.1, 2.2, 3.3, 4.4], [2.0, 5.0, 6.0, 7.0])
    >>> round(shift.value, 2), tuple(round(limit, 2) for limit in shift.interval(0.9))
    (-2.65, (-4.9, 1.3))
    """

    def __init__(self, values: npt.ArrayLike, values_control: npt.ArrayLike) -> None:
        self._arm, self._control = np.sort(as_floats(values)), np.sort(as_floats(values_control))
        self._test = mann_whitney(self._arm, self._control)
        pairs = self._arm.size * self._control.size
        # how many pairs have a difference below 0, and how many one of 0 besides: zeros are what ties are made of
        self._less, self._up_to_0 = (
            int(np.searchsorted(self._arm, self._control, side=side).sum()) for side in ("left", "right")
        )
        # the median of all differences, the mean of the middle two where their number is even
        self.value = (self._ranked((pairs - 1) // 2) + self._ranked(pairs // 2)) / 2

    def interval(self, confidence: float) -> Interval | None:
        """The interval; None where ties leave none that says what the test says."""
        error, pairs = self._test.standard_error, self._arm.size * self._control.size
        if not error > 0:
            return None
        reach = normal_quantile(confidence) * error + 0.5
        rank = math.ceil(pairs / 2 - reach)
        low = -math.inf if rank < 1 else self._ranked(rank - 1)
        high = math.inf if rank < 1 else self._ranked(pairs - rank)
        rejects = self._test.p_value < 1 - confidence
        if not (math.isfinite(low) and math.isfinite(high) and low < high) or rejects != (
            low > 0 or high < 0
        ):
            return None
        return Interval(low, high)

    def _ranked(self, rank: int) -> float:
        """The difference of a pair that has so many below it, from all that lie in an ever narrower bracket."""
        if self._less <= rank < self._up_to_0:
            return 0.0
        low, high = float(self._arm[0] - self._control[-1]), float(self._arm[-1] - self._control[0])
        first = np.zeros(self._control.size, dtype=np.int64)
        last = np.full(self._control.size, self._arm.size, dtype=np.int64)
        while int((last - first).sum()) > _FORMED:
            middle = low + (high - low) / 2
            if not low < middle < high:
                # all that are left are ties
                place = int(np.argmax(last - first))
                return float(self._arm[first[place]] - self._control[place])
            cut = np.searchsorted(self._arm, self._control + middle, side="right")
            if int(cut.sum()) > rank:
                high, last = middle, np.clip(cut, first, last)
            else:
                low, first = middle, np.clip(cut, first, last)
        inside = last - first
        # the places first[j] .. last[j] - 1 of every j, one after the other
        places = np.arange(int(inside.sum())) + np.repeat(first - (np.cumsum(inside) - inside), inside)
        differences = self._arm[places] - np.repeat(self._control, inside)
        return float(np.partition(differences, rank - int(first.sum()))[rank - int(first.sum())])
