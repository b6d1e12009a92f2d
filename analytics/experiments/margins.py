"""The p-values against margins: of a guardrail that harm is less than accepted, of others that no effect matters.

Both come from the very intervals that badges stand on: 1 - the confidence at which a limit lies on the margin. So a
badge says safe, or that nothing matters, exactly where its p-value is below 1 - the confidence of the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from analytics.experiments.design import MetricDesign
from analytics.experiments.methods import Comparison, OfFixed
from analytics.experiments.rows import ExperimentRow
from analytics.results import changed
from analytics.stats.equivalence import above_margin, below_margin, two_one_sided
from analytics.stats.intervals import Interval

_ENDLESS = Interval(-math.inf, math.inf)


def with_margins(row: ExperimentRow, metric: MetricDesign, comparison: Comparison) -> ExperimentRow:
    """A row with the p-values that its margin, or the smallest effect that matters, asks for."""
    if metric.role == "guardrail":
        return changed(row, p_safe=_safe(metric, comparison))
    return changed(row, p_equivalent=_equivalent(metric, comparison))


def _safe(metric: MetricDesign, comparison: Comparison) -> float | None:
    """That the harm is as large as what is accepted, or larger."""
    absolute, relative = metric.margin_absolute, metric.margin
    worse = -1.0 if metric.direction == "up" else 1.0
    test = above_margin if metric.direction == "up" else below_margin
    plain = test(comparison.interval, comparison.difference, worse * (absolute or 0.0))
    lift = None if absolute is not None or not relative else comparison.lift(0.5)
    if lift is None or relative is None:
        return _two_sided(plain)
    # inside the margin, or wholly on the good side of 0 where there is no lift to tell
    return _two_sided(min(plain, test(_lift_interval(comparison), lift[0], worse * relative)))


def _equivalent(metric: MetricDesign, comparison: Comparison) -> float | None:
    """That the effect is as large as what matters, or larger, in either direction (two one-sided tests)."""
    if metric.smallest_difference is not None:
        least = metric.smallest_difference
        return _two_sided(two_one_sided(comparison.interval, comparison.difference, -least, least))
    if metric.smallest_lift is None:
        return None
    lift, least = comparison.lift(0.5), metric.smallest_lift
    if lift is None:
        return None
    return _two_sided(two_one_sided(_lift_interval(comparison), lift[0], -least, least))


def _lift_interval(comparison: Comparison) -> Callable[[float], Interval]:
    def found(confidence: float) -> Interval:
        lift = comparison.lift(confidence)
        return _ENDLESS if lift is None else lift[1]

    return found


def _two_sided(p: float) -> float:
    return min(2.0 * p, 1.0)


@dataclass(frozen=True)
class OneSided(OfFixed):
    """A comparison of which only a change for the better counts.

    The p-value is one-sided. The interval at a confidence is the two-sided one at which each of its limits is exceeded
    by chance alone as often as the confidence says, so it leaves 0 out on the better side exactly where p is below
    1 - confidence.

    Attributes:
        fixed: the two-sided comparison.
        side: 1 where a rise is better, -1 where a fall is.
    """

    side: int

    @property
    def test(self) -> str:
        """What was tested and how."""
        return f"{self.fixed.test}, one-sided"

    @property
    def p_value(self) -> float:
        """That so large a change for the better comes by chance."""
        tail = self.fixed.p_value / 2.0
        return tail if self.fixed.statistic * self.side > 0 else 1.0 - tail

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""
        return self.fixed.interval(_both_ends(confidence))

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """Difference / |control mean| and its interval."""
        return self.fixed.lift(_both_ends(confidence))


def _both_ends(confidence: float) -> float:
    """The confidence of a two-sided interval whose ends each have this one; next to 0 where they meet."""
    return max(2.0 * confidence - 1.0, 1e-9)
