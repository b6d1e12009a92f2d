"""Totals of events where nothing is known of single units: two rates by the score test, taken as Poisson counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from scipy.special import ndtr

from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments
from analytics.stats import poisson
from analytics.stats.intervals import Interval


@dataclass(frozen=True)
class RateComparison:
    """Events per unit of an arm against the control's; both intervals invert the score test."""

    rates: poisson.Rates
    test: str = "score of rates"
    df: None = None
    no_lift: str = "the control has no event, so there is no lift; see the difference"

    @cached_property
    def _tested(self) -> poisson.RateTest:
        return poisson.score_test(self.rates)

    @property
    def mean(self) -> float:
        """Events per unit of the arm."""
        return self.rates.rate

    @property
    def mean_control(self) -> float:
        """Events per unit of the control."""
        return self.rates.rate_control

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.mean - self.mean_control

    @property
    def standard_error(self) -> float:
        """Of the difference where there is none, as the test has it."""
        return float(self._tested.standard_error)

    @property
    def statistic(self) -> float:
        """Standard normal."""
        return float(self._tested.statistic)

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return float(self._tested.p_value)

    @property
    def chance_above(self) -> float:
        """That the arm's true rate is the larger, under a flat prior."""
        return float(ndtr(self.statistic))

    def interval(self, confidence: float) -> Interval:
        """Of the difference, by the score test."""
        return poisson.score_difference(self.rates, confidence)

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """Of the ratio of rates, less 1."""
        if not self.mean_control:
            return None
        value = self.difference / self.mean_control
        low, high = poisson.score_ratio(self.rates, confidence)
        # taking 1 away must not move a limit past the value
        return value, Interval(min(low - 1.0, value), max(high - 1.0, value))


def compare_totals(two: PairMoments) -> RateComparison | NotTested:
    """Compare the totals of two arms as rates of events that do not hang together."""
    means = float(two.arm.means[0]), float(two.control.means[0])
    shown = [mean if side.n else None for side, mean in zip((two.arm, two.control), means, strict=True)]
    if None in shown:
        which = (
            "both arms have" if not any(shown) else "the arm has" if shown[0] is None else "the control has"
        )
        return NotTested("no_data", f"{which} no units", *shown)
    events = [round(side.n * mean) for side, mean in zip((two.arm, two.control), means, strict=True)]
    if not sum(events):
        return NotTested("undefined", "there is no event in either arm: there is nothing to test", *means)
    return RateComparison(poisson.Rates(events[0], two.arm.n, events[1], two.control.n))
