"""Comparisons that may be looked at more than once: always-valid, group-sequential.

Each wraps the comparison that the metric would have had at a fixed horizon and answers p, interval and lift at every
level from one statistic. Always-valid: the estimate's z (unpooled variance) against the normal-mixture boundary, the
lift by Fieller with the same multiplier. Group-sequential: the fixed test's own intervals, read at the nominal level of
the boundary of the last look that was reached, so that every method keeps its own statistic.

Sources: as in `analytics.stats.confidence_sequences` and `analytics.stats.group_sequential`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from scipy.special import ndtr, ndtri, stdtrit

from analytics.experiments.design import Design
from analytics.experiments.methods import (
    Comparison,
    OfFixed,
    PairedComparison,
    ScoreComparison,
    StratifiedComparison,
    TComparison,
)
from analytics.experiments.rates import RateComparison
from analytics.stats.confidence_sequences import mixture_width, sequence_multiplier, sequence_p_value
from analytics.stats.group_sequential import RepeatedLook
from analytics.stats.intervals import Interval
from analytics.stats.means import fieller

PLANNED = 5000.0
"""Units of a pair of arms that a sequence is tuned to where no size was planned."""
FARTHEST = 8.0
"""Standard errors: a boundary beyond says as much as one here, since floats hold no smaller probabilities of 1 - p."""


class Law(Protocol):
    """How far an estimate with a normal error must be from 0."""

    def factor(self, confidence: float) -> float:
        """Standard errors that the interval reaches to either side."""

    def p_value(self, z: float) -> float:
        """The smallest 1 - confidence whose interval leaves 0 out."""


@dataclass(frozen=True)
class Mixture:
    """The boundary of a confidence sequence at one size.

    Attributes:
        n: units of both arms so far.
        width: rho², chosen beforehand.
        stretch: factor of the standard error where it has few degrees of freedom.
    """

    n: float
    width: float
    stretch: float = 1.0

    def factor(self, confidence: float) -> float:
        """Standard errors that the interval reaches to either side."""
        return self.stretch * sequence_multiplier(self.n, 1.0 - confidence, self.width)

    def p_value(self, z: float) -> float:
        """The smallest 1 - confidence whose interval leaves 0 out."""
        return sequence_p_value(z / self.stretch, self.n, self.width)


class Moments(NamedTuple):
    """Two estimates with normal errors."""

    mean: float
    mean_control: float
    variance: float
    variance_control: float
    covariance: float = 0.0

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.mean - self.mean_control

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return math.sqrt(max(self.variance + self.variance_control - 2.0 * self.covariance, 0.0))


@dataclass(frozen=True)
class WaldComparison:
    """Two estimates compared by their standard errors, against whatever law their difference is held to.

    Attributes:
        moments: of the estimates.
        law: of the difference over its standard error.
        test: its name.
        chance_above: that the arm's true mean is the larger.
        fixed: the same comparison at a fixed horizon.
        bounded: whether both estimates are shares.
        df: degrees of freedom of the standard error; None where there are many.
    """

    moments: Moments
    law: Law
    test: str
    chance_above: float
    fixed: Comparison
    bounded: bool = False
    df: float | None = None
    no_lift: str = "the control mean cannot be told from 0, so there is no lift; see the difference"

    @property
    def mean(self) -> float:
        """Of the arm."""
        return self.moments.mean

    @property
    def mean_control(self) -> float:
        """Of the control."""
        return self.moments.mean_control

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.moments.difference

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return self.moments.standard_error

    @property
    def statistic(self) -> float:
        """Difference / standard error."""
        return self.difference / self.standard_error

    @property
    def p_value(self) -> float:
        """By the law."""
        return self.law.p_value(self.statistic)

    def interval(self, confidence: float) -> Interval:
        """Of the difference; of shares within [-1, 1]."""
        half = self.law.factor(confidence) * self.standard_error
        low, high = self.difference - half, self.difference + half
        return Interval(max(low, -1.0), min(high, 1.0)) if self.bounded else Interval(low, high)

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """By Fieller, with the multiplier of the difference's interval."""
        found = fieller(*self.moments, self.law.factor(confidence))
        value, low, high = float(found.value), float(found.low), float(found.high)
        if not all(map(math.isfinite, (value, low, high))):
            return None
        if self.bounded:  # nothing falls by more than all, and rounding must not say otherwise
            value, low = max(value, -1.0), max(low, -1.0)
        return value, Interval(low, high)


@dataclass(frozen=True)
class LookComparison(OfFixed):
    """A comparison at the last look of a group-sequential design.

    Attributes:
        fixed: the same comparison at a fixed horizon.
        look: the boundary of this look at every level.
    """

    look: RepeatedLook

    @property
    def test(self) -> str:
        """Of the fixed comparison, with the boundary's name."""
        return f"{self.fixed.test}, group-sequential ({self.look.looks.boundary})"

    @property
    def z(self) -> float:
        """The fixed p-value as a standard normal, with the difference's sign: what the boundary is for."""
        nominal = min(max(self.fixed.p_value, 1e-300), 1.0)
        return math.copysign(-float(ndtri(nominal / 2.0)), self.difference)

    @property
    def p_value(self) -> float:
        """Repeated: the smallest level at which this look crosses."""
        # beyond the farthest boundary every level is crossed that a float can tell from 0
        return self.fixed.p_value if abs(self.z) >= FARTHEST else self.look.p_value(self.z)

    def nominal(self, confidence: float) -> float:
        """The confidence of the fixed interval that reaches as far as the boundary."""
        reach = min(self.look.multiplier(1.0 - confidence), FARTHEST)
        return 1.0 - 2.0 * float(ndtr(-max(reach, 0.01)))

    def interval(self, confidence: float) -> Interval:
        """Repeated: of the difference."""
        return self.fixed.interval(self.nominal(confidence))

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """The fixed method's, at the nominal level of the boundary."""
        return self.fixed.lift(self.nominal(confidence))


def fixed_of(comparison: Comparison) -> Comparison:
    """What the comparison would have been at a fixed horizon."""
    return comparison.fixed if isinstance(comparison, (WaldComparison, LookComparison)) else comparison


def planned_pair(design: Design, variant: str) -> float | None:
    """Units of one arm and the control together that were planned; None where none were."""
    if design.planned_units is None:
        return None
    return design.planned_units * (design.planned[variant] + design.planned[design.control])


def always_valid(design: Design, variant: str, fixed: Comparison, n: float) -> WaldComparison | None:
    """A comparison as a confidence sequence has it; None where the method has no plain standard error.

    Args:
        design: of the experiment; the sequence is tuned to its planned size and alpha.
        variant: the arm.
        fixed: the comparison at a fixed horizon.
        n: units of both arms so far.
    """
    moments = moments_of_estimates(fixed)
    if moments is None or not moments.standard_error > 0:
        return None
    width = mixture_width(planned_pair(design, variant) or PLANNED, design.alpha)
    df = fixed.df if "cluster" in fixed.test else None
    return WaldComparison(
        moments,
        Mixture(n, width, _stretch(df, design.alpha)),
        "normal-mixture confidence sequence",
        fixed.chance_above,
        fixed,
        bounded=not isinstance(fixed, TComparison | RateComparison),
        df=df,
    )


def _stretch(df: float | None, alpha: float) -> float:
    """By how much Student's t reaches farther than the normal at the sequence's tightest multiplier."""
    if df is None or math.isinf(df):
        return 1.0
    width = mixture_width(1.0, alpha)
    normal = sequence_multiplier(1.0, alpha, width)
    return float(-stdtrit(df, float(ndtr(-normal)))) / normal


def moments_of_estimates(fixed: Comparison) -> Moments | None:
    """Both estimates with the variances they have by themselves (not those under no effect)."""
    if isinstance(fixed, TComparison):
        return Moments(
            fixed.mean, fixed.mean_control, fixed.variance, fixed.variance_control, fixed.covariance
        )
    if isinstance(fixed, ScoreComparison):
        shares = fixed.mean, fixed.mean_control
        arm, control = (p * (1.0 - p) / n for p, n in zip(shares, (fixed.n, fixed.n_control), strict=True))
        return Moments(*shares, arm, control)
    if isinstance(fixed, RateComparison):
        rates = fixed.rates
        arm, control = rates.rate / rates.exposure, rates.rate_control / rates.exposure_control
        return Moments(fixed.mean, fixed.mean_control, arm, control)
    if isinstance(fixed, StratifiedComparison):
        return Moments(fixed.mean, fixed.mean_control, *fixed.shares.variances)
    if isinstance(fixed, PairedComparison):
        p, q, n = fixed.mean, fixed.mean_control, fixed.shares.n
        return Moments(p, q, p * (1.0 - p) / n, q * (1.0 - q) / n, (fixed.shares.both / n - p * q) / n)
    return None
