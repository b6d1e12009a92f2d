"""Shares of two arms measured on the same pairs: test, interval of the difference and of the ratio from one score.

The score for a difference of 0 and the one for a ratio of 1 are both McNemar's statistic without correction,
(b - c) / sqrt(b + c), so the three answers never contradict each other.

Sources: McNemar, Psychometrika 12 (1947); Tango, Statistics in Medicine 17 (1998), for the difference; Tang, Tang and
Chan, Statistics in Medicine 22 (2003), for the ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from .intervals import Interval, normal_quantile
from .inverted import difference_limits, ratio_limits


@dataclass(frozen=True)
class PairedShares:
    """Pairs by what both of their units did.

    Attributes:
        both: pairs in which the arm's and the control's unit have it.
        arm_only: pairs in which only the arm's unit has it.
        control_only: pairs in which only the control's unit has it.
        neither: the others.

    >>> pairs = PairedShares(43, 0, 8, 63)
    >>> low, high = pairs.interval(0.95)
    >>> round(pairs.difference, 3), round(low, 3), round(high, 3)
    (-0.07, -0.132, -0.035)
    """

    both: float
    arm_only: float
    control_only: float
    neither: float

    @property
    def n(self) -> float:
        """Pairs."""
        return self.both + self.arm_only + self.control_only + self.neither

    @property
    def difference(self) -> float:
        """Share of the arm minus share of the control."""
        return (self.arm_only - self.control_only) / self.n

    @property
    def standard_error(self) -> float:
        """Of the difference where there is none, as the test has it."""
        return math.sqrt(self.arm_only + self.control_only) / self.n

    @property
    def statistic(self) -> float:
        """McNemar's, standard normal; nan where every pair agrees."""
        apart = self.arm_only + self.control_only
        return (self.arm_only - self.control_only) / math.sqrt(apart) if apart else math.nan

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return float(2.0 * special.ndtr(-abs(self.statistic)))

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""
        z, value = normal_quantile(confidence), self.difference
        return difference_limits(self._difference_at, value, z)

    def ratio(self, confidence: float) -> tuple[float, Interval] | None:
        """Share of the arm / share of the control, with its interval; None where no control unit has it."""
        control = self.both + self.control_only
        if control == 0:
            return None
        z, value = normal_quantile(confidence), (self.both + self.arm_only) / control
        limits = ratio_limits(self._ratio_at, value, z)
        return None if limits is None else (value, limits)

    def _difference_at(self, d: float) -> float:
        n, b, c = self.n, self.arm_only, self.control_only
        first = 2.0 * n
        second = -b - c + (2.0 * n - b + c) * d
        third = -c * d * (1.0 - d)
        share = (math.sqrt(max(second**2 - 4.0 * first * third, 0.0)) - second) / (2.0 * first)
        return _over(b - c - n * d, n * (2.0 * share + d * (1.0 - d)))

    def _ratio_at(self, ratio: float) -> float:
        n, a, b, c = self.n, self.both, self.arm_only, self.control_only
        first = n * (1.0 + ratio)
        second = (a + c) * ratio**2 - (a + b + 2.0 * c)
        third = c * (1.0 - ratio) * (a + b + c) / n
        share = (math.sqrt(max(second**2 - 4.0 * first * third, 0.0)) - second) / (2.0 * first)
        variance = n * (1.0 + ratio) * share + (a + b + c) * (ratio - 1.0)
        return _over(a + b - ratio * (a + c), variance)


def _over(gap: float, variance: float) -> float:
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0
