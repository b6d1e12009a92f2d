"""Conjugate models: what is believed of each arm after the data, and of their difference, ratio and order.

A share with a beta prior, a rate of events with a gamma prior, and an estimate whose error is normal (or Student's)
have posteriors in closed form. Whatever is asked of two arms or more is one integral over one of them: with its value
written as quantile(Phi(s)), the integrand is smooth and falls off as exp(-s²/2), so that the trapezoidal rule is exact
to rounding.

Sources: Gelman, Carlin, Stern, Dunson, Vehtari and Rubin, Bayesian Data Analysis (2013), chapter 2; for the loss,
Stucchio, Bayesian A/B Testing at VWO (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import brentq

from .arrays import FloatArray, as_floats
from .intervals import Interval

_S = np.linspace(-8.5, 8.5, 341)
_STEP = float(_S[1] - _S[0])
_PHI = np.exp(-0.5 * np.square(_S)) / np.sqrt(2 * np.pi) * _STEP
_FEW = np.linspace(-8.0, 8.0, 65)
_PHI_FEW = np.exp(-0.5 * np.square(_FEW)) / np.sqrt(2 * np.pi) * float(_FEW[1] - _FEW[0])
"""Enough where the function under the integral is no steeper than the normal distribution's."""
_ENDS = _S[[0, -1]]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_SHARED, _SHARED_WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


class Posterior(Protocol):
    """What is believed of one number."""

    @property
    def mean(self) -> float:
        """Expected value."""

    def cdf(self, x: FloatArray) -> FloatArray:
        """Probability of being at most x."""

    def at(self, s: FloatArray) -> FloatArray:
        """The quantile of Phi(s), in which nothing is lost at either tail."""


@dataclass(frozen=True)
class BetaPosterior:
    """Of a share.

    Attributes:
        a, b: of the beta distribution.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Expected share."""
        return self.a / (self.a + self.b)

    def cdf(self, x: FloatArray) -> FloatArray:
        """Probability of being at most x."""
        return as_floats(special.betainc(self.a, self.b, np.clip(x, 0.0, 1.0)))

    def at(self, s: FloatArray) -> FloatArray:
        """The quantile of Phi(s)."""
        low = special.betaincinv(self.a, self.b, special.ndtr(np.minimum(s, 0.0)))
        high = special.betainccinv(self.a, self.b, special.ndtr(-np.maximum(s, 0.0)))
        return np.where(s <= 0, low, high)


@dataclass(frozen=True)
class GammaPosterior:
    """Of a rate.

    Attributes:
        shape: of the gamma distribution.
        rate: of the gamma distribution: one over its scale.
    """

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Expected rate."""
        return self.shape / self.rate

    def cdf(self, x: FloatArray) -> FloatArray:
        """Probability of being at most x."""
        return as_floats(special.gammainc(self.shape, np.maximum(x, 0.0) * self.rate))

    def at(self, s: FloatArray) -> FloatArray:
        """The quantile of Phi(s)."""
        low = special.gammaincinv(self.shape, special.ndtr(np.minimum(s, 0.0)))
        high = special.gammainccinv(self.shape, special.ndtr(-np.maximum(s, 0.0)))
        return np.where(s <= 0, low, high) / self.rate


@dataclass(frozen=True)
class NormalPosterior:
    """Of a mean, a ratio or whatever has a normal error.

    Attributes:
        mean: expected value.
        sd: standard deviation.
    """

    mean: float
    sd: float

    def cdf(self, x: FloatArray) -> FloatArray:
        """Probability of being at most x."""
        return as_floats(special.ndtr((x - self.mean) / self.sd))

    def at(self, s: FloatArray) -> FloatArray:
        """The quantile of Phi(s)."""
        return as_floats(self.mean + self.sd * s)


@dataclass(frozen=True)
class StudentPosterior:
    """Of an estimate with few degrees of freedom, under a flat prior.

    Attributes:
        mean: expected value (the middle, where there is none).
        scale: standard error.
        df: degrees of freedom.
    """

    mean: float
    scale: float
    df: float

    def cdf(self, x: FloatArray) -> FloatArray:
        """Probability of being at most x."""
        return as_floats(special.stdtr(self.df, (x - self.mean) / self.scale))

    def at(self, s: FloatArray) -> FloatArray:
        """The quantile of Phi(s)."""
        tail = special.stdtrit(self.df, special.ndtr(-np.abs(s)))
        return as_floats(self.mean - self.scale * np.sign(s) * tail)


def beta_posterior(
    successes: float, n: float, prior_successes: float = 1.0, prior_failures: float = 1.0
) -> BetaPosterior:
    """Return the posterior of a share; the prior counts as so many successes and failures seen before.

    >>> beta_posterior(30, 100)
    BetaPosterior(a=31.0, b=71.0)
    """
    return BetaPosterior(successes + prior_successes, n - successes + prior_failures)


def gamma_posterior(
    events: float, n: float, prior_events: float = 0.5, prior_units: float = 0.0
) -> GammaPosterior:
    """Return the posterior of events per unit; the prior counts as events of units seen before (Jeffreys: half of one).

    >>> gamma_posterior(40, 100)
    GammaPosterior(shape=40.5, rate=100.0)
    """
    return GammaPosterior(events + prior_events, n + prior_units)


def normal_posterior(
    estimate: float, standard_error: float, prior_mean: float = 0.0, prior_sd: float | None = None
) -> NormalPosterior:
    """Return the posterior of what is estimated; without a prior's deviation every value was as likely before.

    >>> found = normal_posterior(2.0, 1.0, 0.0, 1.0)
    >>> found.mean, round(found.sd, 4)
    (1.0, 0.7071)
    """
    if prior_sd is None:
        return NormalPosterior(estimate, standard_error)
    weight = prior_sd**2 / (prior_sd**2 + standard_error**2)
    return NormalPosterior(
        weight * estimate + (1 - weight) * prior_mean, standard_error * float(np.sqrt(weight))
    )


def chance_above(arm: Posterior, control: Posterior) -> float:
    """Return the probability that the arm's number is the larger.

    >>> round(chance_above(beta_posterior(56, 70), beta_posterior(48, 80)), 4)
    0.9959
    """
    return float(np.clip(1 - _below(arm, control)(0.0), 0.0, 1.0))


def _below(arm: Posterior, control: Posterior) -> Callable[[float], float]:
    """The probability that arm - control is at most so much, from one integral over the narrower of the two."""
    x, y = arm.at(_FEW), control.at(_FEW)
    if _width(x) <= _width(y):
        return lambda gap: float(_PHI_FEW @ (1 - control.cdf(x - gap)))
    return lambda gap: float(_PHI_FEW @ arm.cdf(y + gap))


def _below_ratio(arm: Posterior, control: Posterior) -> Callable[[float], float]:
    """The probability that arm / control is at most exp(so much)."""
    x, y = arm.at(_FEW), control.at(_FEW)
    if _width(x) <= _width(y):
        return lambda gap: float(_PHI_FEW @ (1 - control.cdf(x / np.exp(gap))))
    return lambda gap: float(_PHI_FEW @ arm.cdf(y * np.exp(gap)))


def _width(x: FloatArray) -> float:
    """Between the quartiles, roughly."""
    return float(x[3 * len(x) // 5] - x[2 * len(x) // 5])


def chances_best(arms: Sequence[Posterior], *, smallest: bool = False) -> FloatArray:
    """Return the probability of each arm to be the best of all, shape (A,).

    Args:
        arms: independent of each other.
        smallest: whether less is better.
    """
    found = [_PHI @ _others(arms, i, arm.at(_S), smallest=smallest) for i, arm in enumerate(arms)]
    return as_floats(np.clip(found, 0.0, 1.0))


def expected_losses(arms: Sequence[Posterior], *, smallest: bool = False) -> FloatArray:
    """Return by how much each arm is expected to fall short of the best, if it is chosen, shape (A,).

    Args:
        arms: independent of each other.
        smallest: whether less is better.

    >>> arms = [beta_posterior(48, 80), beta_posterior(56, 70)]
    >>> expected_losses(arms).round(4).tolist()
    [0.1942, 0.0001]
    """
    # each is best somewhere; there it is better than the one chosen by the gap, elsewhere the gap is not counted
    best = sum(
        float(_PHI @ (arm.at(_S) * _others(arms, i, arm.at(_S), smallest=smallest)))
        for i, arm in enumerate(arms)
    )
    sign = -1.0 if smallest else 1.0
    return np.maximum(as_floats([sign * (best - arm.mean) for arm in arms]), 0.0)


def _others(arms: Sequence[Posterior], own: int, x: FloatArray, *, smallest: bool) -> FloatArray:
    """Probability that all other arms lie below x (above it, where less is better)."""
    below = [arm.cdf(x) for i, arm in enumerate(arms) if i != own]
    return as_floats(np.prod([1 - share for share in below] if smallest else below, axis=0))


def difference_interval(arm: Posterior, control: Posterior, confidence: float) -> Interval:
    """Return the equal-tailed credible interval of arm - control.

    It leaves 0 out exactly where `two_sided_tail` is under 1 - confidence.
    """
    x, y = arm.at(_ENDS), control.at(_ENDS)
    return _quantiles(_below(arm, control), float(x[0] - y[1]), float(x[1] - y[0]), confidence)


def ratio_interval(arm: Posterior, control: Posterior, confidence: float) -> Interval:
    """Return the equal-tailed credible interval of arm / control, of two numbers that cannot be negative.

    It leaves 1 out exactly where `difference_interval` leaves 0 out.
    """
    x, y = (np.log(np.maximum(one.at(_ENDS), 1e-300)) for one in (arm, control))
    found = _quantiles(_below_ratio(arm, control), float(x[0] - y[1]), float(x[1] - y[0]), confidence)
    return Interval(float(np.exp(found.low)), float(np.exp(found.high)))


def two_sided_tail(chance: float) -> float:
    """Return twice the smaller of a chance and its opposite: the posterior's stand-in for a two-sided p-value.

    >>> round(two_sided_tail(0.975), 4)
    0.05
    """
    return min(1.0, 2.0 * min(chance, 1.0 - chance))


class Choice(NamedTuple):
    """Control first, then the arms: chances to be the best, and expected losses of choosing each."""

    best: FloatArray
    losses: FloatArray


def choice_against_control(
    differences: npt.ArrayLike,
    variances: npt.ArrayLike,
    variance_control: float,
    prior_sd: float | None = None,
    *,
    smallest: bool = False,
) -> Choice:
    """Return who is best, and what each choice is expected to lose, from estimates with normal errors.

    Nothing is believed of the control before the data. Of every arm's difference, independently of the others, a
    normal prior about 0 is; without its deviation every difference was as likely before.

    Args:
        differences: arm - control as estimated, shape (A,).
        variances: of the arms' own estimates, shape (A,).
        variance_control: of the control's estimate, which all differences share.
        prior_sd: of the differences.
        smallest: whether less is better.

    >>> found = choice_against_control([1.0], [0.5], 0.5)
    >>> found.best.round(4).tolist(), found.losses.round(4).tolist()
    ([0.1587, 0.8413], [1.0833, 0.0833])
    """
    gaps, own = as_floats(differences) * (-1.0 if smallest else 1.0), as_floats(variances)
    weight = np.ones_like(own) if prior_sd is None else prior_sd**2 / (prior_sd**2 + own)
    # what the control's estimate is off by, given all data; given that, the arms' effects are independent
    tell = np.zeros_like(own) if prior_sd is None else 1 / (own + prior_sd**2)
    precision = 1 / variance_control + tell.sum()
    centre, spread = (gaps * tell).sum() / precision, 1 / np.sqrt(precision)
    off = centre + spread * _SHARED
    means = weight * (gaps - off[:, None])
    best, gained = _beyond_zero(means, np.sqrt(weight * own))
    shares = _SHARED_WEIGHTS / _SHARED_WEIGHTS.sum()
    chances = np.clip(np.concatenate([[1 - (shares @ best).sum()], shares @ best]), 0.0, 1.0)
    most = float((shares @ gained).sum())
    expected = np.concatenate([[0.0], weight * (gaps - centre)])
    return Choice(chances, np.maximum(most - expected, 0.0))


def _beyond_zero(means: FloatArray, sds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Chance of each effect to be above 0 and above all others, and its expected value there, both (T, A)."""
    start = np.clip(-means / sds, -_S[-1], _S[-1])
    half = (_S[-1] - start) / 2
    s = start[..., None] + half[..., None] * (_NODES + 1)
    x = means[..., None] + sds[:, None] * s
    mass = half[..., None] * _WEIGHTS * np.exp(-0.5 * np.square(s)) / np.sqrt(2 * np.pi)
    for i in range(len(sds)):
        for j in range(len(sds)):
            if i != j:
                mass[:, i] *= special.ndtr((x[:, i] - means[:, j, None]) / sds[j])
    return as_floats(mass.sum(axis=2)), as_floats((mass * x).sum(axis=2))


def _quantiles(below: Callable[[float], float], low: float, high: float, confidence: float) -> Interval:
    """Where a rising probability passes either tail, between ends it surely lies between."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, found {confidence!r}")
    tail = (1 - confidence) / 2
    ends = []
    for share in (tail, 1 - tail):
        # about where a normal distribution over the middle would have it
        middle, step = (low + high) / 2, (high - low) / 17
        guess = middle + float(special.ndtri(share)) * step
        a, b = max(low, guess - step / 2), min(high, guess + step / 2)
        while a > low and below(a) > share:
            a = max(low, a - step)
        while b < high and below(b) < share:
            b = min(high, b + step)
        ends.append(float(brentq(lambda x, share=share: below(x) - share, a, b, xtol=1e-14, rtol=1e-12)))
    return Interval(*ends)
