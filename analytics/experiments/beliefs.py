"""What is believed of an arm after the data: comparisons by conjugate models.

Shares have a beta prior, counts that vary as Poisson counts do a gamma prior, everything else an estimate with a normal
error and, where one is declared, a normal prior about 0 on the lift. Interval and lift interval are equal-tailed, and
``p_value`` is twice the posterior's smaller tail, so that all three leave 0 out together. Under a flat prior these are
the numbers of the fixed test, read as if it were looked at once.

Sources: as in `analytics.stats.bayes`; the joint posterior of a mean and a difference under a normal prior on the
difference is the usual regression of one on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from analytics.experiments.methods import Comparison, NotTested, ScoreComparison
from analytics.experiments.pairs import PairMoments
from analytics.experiments.rates import RateComparison
from analytics.experiments.stopping import Moments, WaldComparison, moments_of_estimates
from analytics.project import Prior
from analytics.stats.bayes import (
    Posterior,
    beta_posterior,
    chance_above,
    difference_interval,
    gamma_posterior,
    ratio_interval,
    two_sided_tail,
)
from analytics.stats.intervals import Interval

NO_LIFT_TO_BELIEVE = (
    "the control mean is 0, so what is believed of its lift says nothing; declare no prior lift"
)
SUCCESSES, FAILURES = 1.0, 1.0
"""Of a share where no prior is declared: every share was as likely."""
EVENTS = 0.5
"""Of a rate: Jeffreys' prior, half an event in no time."""
_DISPERSED = 0.05
"""p-value of the dispersion test under which counts are no Poisson counts."""


@dataclass(frozen=True)
class Tails:
    """The posterior of a difference: normal, or Student's where a flat prior meets few degrees of freedom."""

    df: float = math.inf

    def factor(self, confidence: float) -> float:
        """Posterior deviations that the interval reaches to either side."""
        tail = (1.0 - confidence) / 2.0
        return float(-ndtri(tail) if math.isinf(self.df) else -stdtrit(self.df, tail))

    def p_value(self, z: float) -> float:
        """Twice the smaller tail."""
        return 2.0 * (1.0 - self.below(abs(z)))

    def below(self, z: float) -> float:
        """Of being under z deviations."""
        return float(ndtr(z) if math.isinf(self.df) else stdtr(self.df, z))


@dataclass(frozen=True)
class PosteriorComparison:
    """Two arms with independent posteriors of what cannot be negative: shares, or rates.

    Attributes:
        arm, control: their posteriors.
        test: the model.
        fixed: the same comparison by its test at a fixed horizon.
    """

    arm: Posterior
    control: Posterior
    test: str
    fixed: Comparison
    df: None = None
    no_lift: str = "the control's posterior reaches 0, so there is no lift; see the difference"

    @property
    def mean(self) -> float:
        """Expected, of the arm."""
        return self.arm.mean

    @property
    def mean_control(self) -> float:
        """Expected, of the control."""
        return self.control.mean

    @property
    def difference(self) -> float:
        """Expected."""
        return self.mean - self.mean_control

    @property
    def standard_error(self) -> float:
        """Posterior deviation of the difference."""
        return math.hypot(_deviation(self.arm), _deviation(self.control))

    @property
    def statistic(self) -> float:
        """Expected difference over its deviation."""
        return self.difference / self.standard_error

    @cached_property
    def chance_above(self) -> float:
        """That the arm's true value is the larger."""
        return chance_above(self.arm, self.control)

    @property
    def p_value(self) -> float:
        """Twice the smaller tail of the posterior."""
        return two_sided_tail(self.chance_above)

    def interval(self, confidence: float) -> Interval:
        """Equal-tailed, of the difference."""
        low, high = difference_interval(self.arm, self.control, confidence)
        return Interval(min(low, self.difference), max(high, self.difference))

    def lift(self, confidence: float) -> tuple[float, Interval] | None:
        """Ratio of the expected values, less 1, with the equal-tailed interval of the ratio."""
        value = self.difference / self.mean_control
        low, high = ratio_interval(self.arm, self.control, confidence)
        if not math.isfinite(high):
            return None
        return value, Interval(min(low - 1.0, value), max(high - 1.0, value))


def _deviation(posterior: Posterior) -> float:
    """Half of what lies between the quantiles of -1 and 1, which is the deviation of a normal one."""
    low, high = posterior.at(np.array([-1.0, 1.0]))
    return float(high - low) / 2.0


def believed(fixed: Comparison, prior: Prior, two: PairMoments, kind: str) -> Comparison | NotTested | None:
    """A comparison by the model of its kind; None where the method has no plain standard error.

    Where the control's mean is 0, what is believed of lifts says nothing of differences.

    Args:
        fixed: the comparison at a fixed horizon.
        prior: as declared.
        two: moments of both sides.
        kind: of the metric.
    """
    if prior.lift is None:
        conjugate = conjugate_pair(fixed, prior, two, kind)
        if conjugate is not None:
            return conjugate
    moments = moments_of_estimates(fixed)
    if moments is None or not moments.standard_error > 0:
        return None
    shares = isinstance(fixed, ScoreComparison)
    if prior.lift is None:
        law = Tails(math.inf if fixed.df is None else fixed.df)
        above = law.below(moments.difference / moments.standard_error)
        return WaldComparison(moments, law, "normal posterior", above, fixed, bounded=shares, df=fixed.df)
    if not moments.mean_control:
        return NotTested("undefined", NO_LIFT_TO_BELIEVE, fixed.mean, fixed.mean_control)
    after = _after(moments, prior.lift * abs(moments.mean_control))
    above = float(ndtr(after.difference / after.standard_error))
    return WaldComparison(after, Tails(), "normal posterior", above, fixed, bounded=shares)


def conjugate_pair(
    fixed: Comparison, prior: Prior, two: PairMoments, kind: str
) -> PosteriorComparison | None:
    """Beta or gamma posteriors of both arms, where the metric has such a model."""
    if isinstance(fixed, ScoreComparison):
        believed_before = prior.successes or SUCCESSES, prior.failures or FAILURES
        arm = beta_posterior(fixed.successes, fixed.n, *believed_before)
        control = beta_posterior(fixed.successes_control, fixed.n_control, *believed_before)
        return PosteriorComparison(arm, control, "beta-binomial posterior", fixed)
    if isinstance(fixed, RateComparison):
        totals = fixed.rates
        mine = gamma_posterior(totals.events, totals.exposure)
        other = gamma_posterior(totals.events_control, totals.exposure_control)
        return PosteriorComparison(mine, other, "gamma-Poisson posterior", fixed)
    if kind == "count" and two.clusters is None and not _dispersed(two):
        rates = [gamma_posterior(float(one.n * one.means[0]), one.n) for one in (two.arm, two.control)]
        return PosteriorComparison(rates[0], rates[1], "gamma-Poisson posterior", fixed)
    return None


def _dispersed(two: PairMoments) -> bool:
    """Whether counts vary more, or less, than Poisson counts do in either arm."""
    for side in (two.arm, two.control):
        mean, df = float(side.means[0]), side.n - 1.0
        if mean <= 0 or df < 1:
            return True
        above = float(chdtrc(df, float(side.comoments[0, 0]) / mean))
        if two_sided_tail(above) < _DISPERSED:
            return True
    return False


def _after(found: Moments, prior_sd: float) -> Moments:
    """Both means after a normal prior about 0 on their difference, and none on the control."""
    squared = found.standard_error**2
    weight = prior_sd**2 / (prior_sd**2 + squared)
    slope = (found.covariance - found.variance_control) / squared
    difference, variance = weight * found.difference, weight * squared
    control = found.mean_control + slope * (difference - found.difference)
    variance_control = found.variance_control - slope**2 * (squared - variance)
    shared = slope * variance
    return Moments(
        control + difference,
        control,
        variance_control + variance + 2.0 * shared,
        variance_control,
        variance_control + shared,
    )
