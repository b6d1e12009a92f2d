"""The methods of comparison: estimate, p-value and intervals at any level, all from one statistic.

Sources: Welch, Biometrika 34 (1947); Fieller, JRSS B 16 (1954); Miettinen and Nurminen, Statistics in Medicine 4
(1985); Koopman, Biometrics 40 (1984).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import ndtr, stdtr

from analytics.results import Status
from analytics.stats.intervals import Interval, normal_quantile
from analytics.stats.means import TTest, fieller, t_interval, t_test
from analytics.stats.paired import PairedShares
from analytics.stats.proportions import ScoreTest, koopman, miettinen_nurminen, score_test
from analytics.stats.stratified import StratifiedShares


class Comparison(Protocol):
    """An arm against the control by one method; intervals at any confidence agree with the p-value."""

    @property
    def test(self) -> str:
        """What was tested and how."""

    @property
    def mean(self) -> float:
        """Of the arm."""

    @property
    def mean_control(self) -> float:
        """Of the control."""

    @property
    def difference(self) -> float:
        """Arm minus control."""

    @property
    def standard_error(self) -> float:
        """Of the difference."""

    @property
    def statistic(self) -> float:
        """Of the test."""

    @property
    def df(self) -> float | None:
        """Degrees of freedom; None for the normal distribution."""

    @property
    def p_value(self) -> float:
        """Two-sided."""

    @property
    def chance_above(self) -> float:
        """That the arm's true mean is the larger, under a flat prior."""

    @property
    def no_lift(self) -> str:
        """Why there is no lift, where there is none."""

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """Difference / |control mean| and its interval; None where the control cannot be told from 0."""


@dataclass(frozen=True)
class TComparison:
    """Of means, ratios, adjusted means and whatever lies in clusters, by Student's t.

    Attributes:
        mean, mean_control: the estimates.
        variance, variance_control, covariance: of the estimates.
        df: degrees of freedom.
        test: its name.
    """

    mean: float
    mean_control: float
    variance: float
    variance_control: float
    covariance: float
    df: float
    test: str
    no_lift: str = "the control mean cannot be told from 0, so there is no lift; see the difference"

    @cached_property
    def _tested(self) -> TTest[float]:
        variance = self.variance + self.variance_control - 2.0 * self.covariance
        return t_test(self.mean - self.mean_control, math.sqrt(variance), self.df)

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.mean - self.mean_control

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return float(self._tested.standard_error)

    @property
    def statistic(self) -> float:
        """Student's t."""
        return float(self._tested.statistic)

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return float(self._tested.p_value)

    @property
    def chance_above(self) -> float:
        """That the arm's true mean is the larger, under a flat prior."""
        return float(stdtr(self.df, self.statistic))

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""
        low, high = t_interval(self.difference, self.standard_error, self.df, confidence)
        return Interval(float(low), float(high))

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """By Fieller, with the quantile of the difference's interval."""
        found = fieller(
            self.mean,
            self.mean_control,
            self.variance,
            self.variance_control,
            self.covariance,
            normal_quantile(confidence, self.df),
        )
        limits = float(found.value), float(found.low), float(found.high)
        return (limits[0], Interval(*limits[1:])) if all(map(math.isfinite, limits)) else None


@dataclass(frozen=True)
class ScoreComparison:
    """Of shares of independent units, by the score test; both intervals invert its statistic."""

    successes: int
    n: int
    successes_control: int
    n_control: int
    test: str = "score"
    df: None = None
    no_lift: str = "nobody in the control has it, so there is no lift; see the difference"

    @cached_property
    def _tested(self) -> ScoreTest[float]:
        return score_test(*self.counts)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Successes and units, then the control's."""
        return self.successes, self.n, self.successes_control, self.n_control

    @property
    def mean(self) -> float:
        """Share of the arm."""
        return self.successes / self.n

    @property
    def mean_control(self) -> float:
        """Share of the control."""
        return self.successes_control / self.n_control

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
        """That the arm's true share is the larger, under a flat prior."""
        return float(ndtr(self.statistic))

    def interval(self, confidence: float) -> Interval:
        """Miettinen and Nurminen's."""
        return limits([self], confidence)[0].interval

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """Koopman's interval of the ratio, less 1."""
        return limits([self], confidence)[0].lift


class ScoredShares(Protocol):
    """Two shares with everything that one score statistic says of them."""

    @property
    def difference(self) -> float:
        """Arm minus control."""

    @property
    def standard_error(self) -> float:
        """Of the difference where there is none, as the test has it."""

    @property
    def statistic(self) -> float:
        """Standard normal."""

    @property
    def p_value(self) -> float:
        """Two-sided."""

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""

    def ratio(self, confidence: float) -> tuple[float, Interval] | None:
        """Of the ratio; None where nobody in the control has it."""


@dataclass(frozen=True)
class _OfShares(ABC):
    """A comparison of shares that are not two plain samples."""

    shares: ScoredShares
    test: str = "score"
    df: None = None
    no_lift: str = "nobody in the control has it, so there is no lift; see the difference"

    @property
    @abstractmethod
    def mean_control(self) -> float:
        """Share of the control."""

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.shares.difference

    @property
    def standard_error(self) -> float:
        """Of the difference where there is none, as the test has it."""
        return self.shares.standard_error

    @property
    def statistic(self) -> float:
        """Standard normal."""
        return self.shares.statistic

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return self.shares.p_value

    @property
    def chance_above(self) -> float:
        """That the arm's true share is the larger, under a flat prior."""
        return float(ndtr(self.statistic))

    def interval(self, confidence: float) -> Interval:
        """Inverts the statistic."""
        return self.shares.interval(confidence)

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """The ratio's interval, less 1."""
        return _less_one(self.shares.ratio(confidence), self.difference, self.mean_control)


@dataclass(frozen=True)
class StratifiedComparison(_OfShares):
    """Of shares within strata, combined, by the stratified score; Miettinen and Nurminen's intervals invert it."""

    shares: StratifiedShares
    test: str = "stratified score"

    @property
    def mean(self) -> float:
        """Share of the arm, had it this mix of strata."""
        return self.shares.mean

    @property
    def mean_control(self) -> float:
        """The same of the control."""
        return self.shares.mean_control


@dataclass(frozen=True)
class PairedComparison(_OfShares):
    """Of shares of paired units, by McNemar's score; Tango's and Tang's intervals invert it."""

    shares: PairedShares
    test: str = "mcnemar"

    @property
    def mean(self) -> float:
        """Share of the arm's units."""
        return (self.shares.both + self.shares.arm_only) / self.shares.n

    @property
    def mean_control(self) -> float:
        """The same of the control."""
        return (self.shares.both + self.shares.control_only) / self.shares.n


@dataclass(frozen=True)
class OfFixed:
    """A comparison whose estimates are those of another one, and whose p-value and intervals are not.

    Attributes:
        fixed: the other one.
    """

    fixed: Comparison

    @property
    def mean(self) -> float:
        """Of the arm."""
        return self.fixed.mean

    @property
    def mean_control(self) -> float:
        """Of the control."""
        return self.fixed.mean_control

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.fixed.difference

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return self.fixed.standard_error

    @property
    def statistic(self) -> float:
        """Of the other one's test."""
        return self.fixed.statistic

    @property
    def df(self) -> float | None:
        """Of the other one's test."""
        return self.fixed.df

    @property
    def chance_above(self) -> float:
        """That the arm's true mean is the larger, under a flat prior."""
        return self.fixed.chance_above

    @property
    def no_lift(self) -> str:
        """Why there is no lift, where there is none."""
        return self.fixed.no_lift


def _less_one(
    ratio: tuple[float, Interval] | None, difference: float, control: float
) -> tuple[float, Interval] | None:
    """A lift from a ratio."""
    if ratio is None:
        return None
    # taking 1 away must not move a limit past the value
    value, (low, high) = difference / control, ratio[1]
    return value, Interval(min(low - 1.0, value), max(high - 1.0, value))


class Limits(NamedTuple):
    """Interval of a difference, and the lift with its interval where it exists."""

    interval: Interval
    lift: tuple[float, Interval] | None


def limits(comparisons: Sequence[Comparison], confidence: float) -> list[Limits]:
    """Intervals of many comparisons; those of shares come from one search, which costs no more than one alone."""
    shares = iter(_share_limits([one for one in comparisons if isinstance(one, ScoreComparison)], confidence))
    return [
        next(shares)
        if isinstance(one, ScoreComparison)
        else Limits(one.interval(confidence), one.lift(confidence))
        for one in comparisons
    ]


def _share_limits(comparisons: Sequence[ScoreComparison], confidence: float) -> list[Limits]:
    if not comparisons:
        return []
    columns = np.array([one.counts for one in comparisons], dtype=np.float64).T
    differences = miettinen_nurminen(columns[0], columns[1], columns[2], columns[3], confidence)
    ratios = koopman(columns[0], columns[1], columns[2], columns[3], confidence)
    answers = []
    for one, low, high, ratio_low, ratio_high in zip(comparisons, *differences, *ratios, strict=True):
        lift = None
        if one.successes_control:
            value = one.difference / one.mean_control
            # taking 1 away must not move a limit past the value
            lift = value, Interval(min(float(ratio_low) - 1.0, value), max(float(ratio_high) - 1.0, value))
        answers.append(Limits(Interval(float(low), float(high)), lift))
    return answers


@dataclass(frozen=True)
class NotTested:
    """Why two arms cannot be compared; what is known of their means stays visible."""

    status: Status
    reason: str
    mean: float | None = None
    mean_control: float | None = None
