"""Comparing two rates of events: the score statistic and its intervals, the exact conditional test, the E-test.

Counts are taken to be Poisson: events that do not hang together, each unit of exposure as likely to bring one as any
other. Events of users seldom are (`dispersion` tests it): where their variance is twice their mean, each of the three
raises false alarms in one of six instead of one of twenty.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy import optimize, special, stats

from .arrays import as_floats
from .intervals import Interval, clopper_pearson, normal_quantile

MOST_EVENTS = 20_000
"""Events of both arms beyond which the E-test would sum over too many pairs of counts."""


class Rates(NamedTuple):
    """Events and exposure (users, hours, thousand requests …) of an arm and of the control."""

    events: float
    exposure: float
    events_control: float
    exposure_control: float

    @property
    def rate(self) -> float:
        """Of the arm."""
        return self.events / self.exposure

    @property
    def rate_control(self) -> float:
        """Of the control."""
        return self.events_control / self.exposure_control

    @property
    def total(self) -> float:
        """Events of both arms."""
        return self.events + self.events_control

    @property
    def share(self) -> float:
        """Part of the exposure that is the arm's, and so of the events where rates are equal."""
        return self.exposure / (self.exposure + self.exposure_control)

    def checked(self) -> Rates:
        """These.

        Raises:
            ValueError: a count below 0, or no exposure.
        """
        if min(self.events, self.events_control) < 0 or min(self.exposure, self.exposure_control) <= 0:
            raise ValueError("events are 0 or more, and exposure is above 0")
        return self


class RateTest(NamedTuple):
    """A difference of rates tested against 0 by the score statistic; the standard error is the one under the null."""

    difference: float
    standard_error: float
    statistic: float
    p_value: float


def score_test(rates: Rates) -> RateTest:
    """Test whether two rates differ, two-sided, by the score statistic; all but the difference nan without events.

    Source: Ng and Tang, Statistics in Medicine 24 (2005), statistic W2.

    >>> found = score_test(Rates(60, 51477.5, 30, 54308.7))
    >>> round(found.statistic, 4), round(found.p_value, 6)
    (3.4174, 0.000632)
    """
    rates.checked()
    difference = rates.rate - rates.rate_control
    both = rates.total / (rates.exposure + rates.exposure_control)
    error = math.sqrt(both * (1 / rates.exposure + 1 / rates.exposure_control))
    if error == 0:
        return RateTest(difference, math.nan, math.nan, math.nan)
    statistic = difference / error
    return RateTest(difference, error, statistic, float(2 * special.ndtr(-abs(statistic))))


def score_ratio(rates: Rates, confidence: float) -> Interval:
    """Return the score interval of the ratio of two rates; it excludes 1 exactly where `score_test` rejects.

    It is Wilson's interval of the arm's share of all events, turned into a ratio. From 0 where the arm has no events,
    to infinity where the control has none; nan without any.

    >>> low, high = score_ratio(Rates(60, 51477.5, 30, 54308.7), 0.95)
    >>> round(low, 3), round(high, 3)
    (1.366, 3.259)
    """
    rates.checked()
    if rates.total == 0:
        return Interval(math.nan, math.nan)
    squared = normal_quantile(confidence) ** 2
    x, y, n = rates.events, rates.events_control, rates.total
    # the odds x / y of an event at which the statistic is just the quantile solve y² o² - (2xy + q n) o + x² = 0
    middle = 2 * x * y + squared * n
    root = math.sqrt(squared * n * (4 * x * y + squared * n))
    scale = rates.exposure_control / rates.exposure
    low = 2 * x**2 / (middle + root) * scale
    high = (middle + root) / (2 * y**2) * scale if y else math.inf
    ratio = rates.rate / rates.rate_control if y else math.inf
    return Interval(min(low, ratio), max(high, ratio))


def score_difference(rates: Rates, confidence: float) -> Interval:
    """Return the differences of rates that the score test does not reject, with the likeliest rates at each.

    It excludes 0 exactly where `score_test` rejects; nan without events. Source: Ng and Tang, Statistics in Medicine
    24 (2005).

    >>> low, high = score_difference(Rates(60, 100.0, 30, 100.0), 0.95)
    >>> round(low, 4), round(high, 4)
    (0.1166, 0.4957)
    """
    rates.checked()
    if rates.total == 0:
        return Interval(math.nan, math.nan)
    quantile = normal_quantile(confidence)
    difference = rates.rate - rates.rate_control
    swapped = Rates(rates.events_control, rates.exposure_control, rates.events, rates.exposure)
    return Interval(
        min(_lowest_difference(rates, quantile), difference),
        max(-_lowest_difference(swapped, quantile), difference),
    )


def _lowest_difference(rates: Rates, quantile: float) -> float:
    """Return the lowest difference that is not rejected: the statistic falls as the difference rises."""
    gap = rates.rate - rates.rate_control
    scale = quantile * math.sqrt(
        (rates.events + quantile**2 + 1) / rates.exposure**2
        + (rates.events_control + quantile**2 + 1) / rates.exposure_control**2
    )

    def beyond(difference: float) -> float:
        variance = _variance_at(rates, difference)
        return (gap - difference) - quantile * math.sqrt(variance)

    low = gap - scale
    while beyond(low) < 0:
        scale *= 2
        low = gap - scale
    return float(optimize.brentq(beyond, low, gap, xtol=1e-15 * scale, rtol=1e-14))


def _variance_at(rates: Rates, difference: float) -> float:
    """Return the variance of the difference at the likeliest pair of rates that differ by it."""
    whole = rates.exposure + rates.exposure_control
    # of the rates of control c: whole c² + (whole d - total) c - events_control d = 0, and c >= 0, c + d >= 0
    half = (rates.total - whole * difference) / (2 * whole)
    root = math.sqrt(max(half**2 + rates.events_control * difference / whole, 0.0))
    control = max(half + root, 0.0, -difference)
    return (control + difference) / rates.exposure + control / rates.exposure_control


def conditional_test(rates: Rates) -> float:
    """Return the exact two-sided p-value, given how many events there are in all: twice the smaller tail, at most 1.

    Never more false alarms than it says. `conditional_ratio` inverts it. Nan without events. Source: Przyborowski and
    Wilenski, Biometrika 31 (1940).

    >>> round(conditional_test(Rates(11, 800, 3, 800)), 5)
    0.05737
    """
    rates.checked()
    if rates.total == 0:
        return math.nan
    lower = special.bdtr(rates.events, rates.total, rates.share)
    upper = special.bdtrc(rates.events - 1, rates.total, rates.share) if rates.events else 1.0
    return float(min(2 * min(lower, upper), 1.0))


def conditional_ratio(rates: Rates, confidence: float) -> Interval:
    """Return the exact interval of the ratio of two rates: Clopper and Pearson's of the arm's share of all events.

    It excludes 1 exactly where the p-value of `conditional_test` is under 1 - confidence; nan without events.

    >>> low, high = conditional_ratio(Rates(11, 800, 3, 800), 0.95)
    >>> round(low, 4), round(high, 4)
    (0.9686, 20.4688)
    """
    rates.checked()
    if rates.total == 0:
        return Interval(math.nan, math.nan)
    scale = rates.exposure_control / rates.exposure
    low, high = clopper_pearson(rates.events, rates.total, confidence)
    return Interval(low / (1 - low) * scale, high / (1 - high) * scale if high < 1 else math.inf)


def e_test(rates: Rates) -> float:
    """Return the two-sided p-value of the E-test: exact but for the rate under the null, which is estimated.

    More power than the conditional test where events are few. Nan without events.

    Raises:
        ValueError: more than `MOST_EVENTS` events.

    Source: Krishnamoorthy and Thomson, Journal of Statistical Planning and Inference 119 (2004).

    >>> round(e_test(Rates(0, 100, 3, 100)), 4)
    0.0884
    """
    rates.checked()
    if rates.total == 0:
        return math.nan
    if rates.total > MOST_EVENTS:
        raise ValueError(f"the E-test is for up to {MOST_EVENTS:,} events")
    found = stats.poisson_means_test(
        int(rates.events), rates.exposure, int(rates.events_control), rates.exposure_control
    )
    return float(found.pvalue)


class Dispersion(NamedTuple):
    """Whether counts vary as Poisson counts do.

    Attributes:
        ratio: variance over mean, of all arms together; 1 for Poisson counts.
        statistic: chi-squared.
        df: its degrees of freedom.
        p_value: that so much more variance than the mean comes by chance (one-sided: only more raises false alarms).
    """

    ratio: float
    statistic: float
    df: float
    p_value: float


def dispersion(means: object, variances: object, n: object) -> Dispersion:
    """Test whether the variance of counts is above their mean, each arm about its own.

    Args:
        means: of the counts of a unit, one per arm.
        variances: divisor n - 1.
        n: units.

    Returns:
        All nan where no arm has events and two units. Source: Fisher, Thornton and Mackenzie, Annals of Applied Biology
        9 (1922).

    >>> found = dispersion([2.0, 2.0], [2.0, 6.0], [51, 51])
    >>> found.ratio, found.statistic, round(found.p_value, 6)
    (2.0, 200.0, 0.0)
    """
    mean, variance, size = (as_floats(x) for x in (means, variances, n))  # type: ignore[arg-type]
    used = (mean > 0) & (size >= 2)
    if not used.any():
        return Dispersion(math.nan, math.nan, math.nan, math.nan)
    df = float((size[used] - 1).sum())
    statistic = float(((size[used] - 1) * variance[used] / mean[used]).sum())
    return Dispersion(statistic / df, statistic, df, float(special.chdtrc(df, statistic)))
