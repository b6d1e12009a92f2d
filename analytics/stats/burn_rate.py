"""Error budgets: how fast a service uses up the failures that its objective allows.

An objective ("99 % of requests are good, over 30 days") allows a share of failures, its budget. The burn rate is the
share of failures in a window over the allowed one: at 1 the budget lasts exactly its period. A page needs a burn over a
long window, so that something is at stake, and over a short one, so that it is still going on.
Source: Beyer and others, The Site Reliability Workbook (2018), chapter 5.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, NamedTuple

import numpy.typing as npt

from .arrays import as_floats
from .blocks import MINIMUM_CLUSTERS, block_variance
from .intervals import Interval
from .rare import share_interval

Verdict = Literal["breach", "fine", "unsure"]
Severity = Literal["page", "ticket"]


class BurnPair(NamedTuple):
    """Two windows that must both burn at least this fast, and what that calls for.

    Attributes:
        name: for people and records.
        long: says that enough of the budget is at stake.
        short: says that it is still going on.
        factor: burn rate that both must exceed.
        severity: wake somebody, or leave it for the morning.
    """

    name: str
    long: timedelta
    short: timedelta
    factor: float
    severity: Severity


PAIRS = (
    BurnPair("fast", timedelta(hours=1), timedelta(minutes=5), 14.4, "page"),
    BurnPair("slow", timedelta(hours=6), timedelta(minutes=30), 6.0, "page"),
    BurnPair("creeping", timedelta(days=3), timedelta(hours=6), 1.0, "ticket"),
)
"""The workbook's windows; over 30 days they use up 2, 5 and 10 % of the budget before they are noticed."""


class BurnRate(NamedTuple):
    """Share of failures over the allowed share, with its interval."""

    value: float
    low: float
    high: float


class Outcomes(NamedTuple):
    """Good and bad events of one window.

    Attributes:
        weight: sum of weights of all events.
        bad: sum of weights of the bad ones.
        squares: sum over clusters of (cluster's weight) squared; over rows where rows are independent.
        cross: sum over clusters of (weight) x (weight of its bad events).
        bad_squares: sum over clusters of (weight of its bad events) squared.
        clusters: how many.
    """

    weight: float
    bad: float
    squares: float
    cross: float
    bad_squares: float
    clusters: int

    def variance(self, share: float) -> float:
        """The linearised variance of the share of bad events, clusters being independent."""
        if self.clusters < 2:
            return 0.0
        spread = self.bad_squares - 2.0 * share * self.cross + share**2 * self.squares
        return max(spread, 0.0) / self.weight**2 * self.clusters / (self.clusters - 1)

    @property
    def size(self) -> float:
        """Kish's number of independent events."""
        return self.weight**2 / self.squares if self.squares > 0 else 0.0


class BadShare(NamedTuple):
    """The share of bad events, its limits, and whether blocks of time made them as wide as they are."""

    share: float
    limits: Interval
    by_block: bool


def bad_share(outcomes: Outcomes, confidence: float, totals: npt.ArrayLike = ()) -> BadShare:
    """Return the share of bad events with its interval: exact with few of them, Wilson's otherwise.

    Args:
        outcomes: of the window; its weight is above 0.
        confidence: of the interval.
        totals: weight and bad weight of every block (day) with events, shape (G, 2): with ten or more of them the
            larger of the two variances counts.

    >>> share, (low, high), _ = bad_share(Outcomes(1_000.0, 3.0, 1_000.0, 3.0, 3.0, 1_000), 0.95)
    >>> share, round(low, 5), round(high, 5)
    (0.003, 0.00062, 0.00875)
    """
    if outcomes.weight <= 0:
        raise ValueError("a share needs events")
    share = min(max(outcomes.bad / outcomes.weight, 0.0), 1.0)
    variance, df = outcomes.variance(share), None
    blocks = as_floats(totals)
    if len(blocks) >= MINIMUM_CLUSTERS:
        by_block = float(block_variance((blocks[:, 1] - share * blocks[:, 0]) / outcomes.weight))
        if by_block > variance:
            variance, df = by_block, len(blocks) - 1.0
    found = share_interval(share, variance, outcomes.size, confidence, df)
    return BadShare(share, Interval(min(found.low, share), max(found.high, share)), df is not None)


def burn_rate(share: float, limits: Interval, objective: float) -> BurnRate:
    """Return how many times faster than allowed the budget is used.

    Args:
        share: of bad events.
        limits: of that share.
        objective: share of good events that is promised, below 1.

    >>> rate = burn_rate(0.02, Interval(0.01, 0.03), 0.99)
    >>> round(rate.value, 6), round(rate.low, 6), round(rate.high, 6)
    (2.0, 1.0, 3.0)
    """
    budget = budget_of(objective)
    return BurnRate(share / budget, limits.low / budget, limits.high / budget)


def budget_of(objective: float) -> float:
    """Return the share of bad events that an objective allows.

    >>> round(budget_of(0.99), 12)
    0.01
    """
    if not 0 < objective < 1:
        raise ValueError("an objective lies strictly between 0 and 1")
    return 1.0 - objective


def fastest(objective: float) -> float:
    """Return the burn rate when every event is bad: a faster one cannot be.

    >>> round(fastest(0.9), 9)
    10.0
    """
    return 1.0 / budget_of(objective)


def verdict(long: BurnRate, short: BurnRate, factor: float) -> Verdict:
    """Return whether a pair of windows burns faster than its factor.

    A breach: the whole interval of the long window lies above, and the short one burns at least as fast by its value
    (it holds few events, and only says that it has not stopped). Fine: either whole interval lies below.

    >>> verdict(BurnRate(20.0, 16.0, 25.0), BurnRate(18.0, 9.0, 30.0), 14.4)
    'breach'
    >>> verdict(BurnRate(20.0, 16.0, 25.0), BurnRate(0.0, 0.0, 3.0), 14.4)
    'fine'
    """
    if long.low > factor and short.value >= factor:
        return "breach"
    if long.high <= factor or short.high <= factor:
        return "fine"
    return "unsure"


def budget_left(spent: BurnRate) -> BurnRate:
    """Return the part of the budget that is left after a whole period at this rate; below 0 where it is overdrawn.

    >>> budget_left(BurnRate(0.25, 0.125, 0.5))
    BurnRate(value=0.75, low=0.5, high=0.875)
    """
    return BurnRate(1.0 - spent.value, 1.0 - spent.high, 1.0 - spent.low)


def spent_in(factor: float, window: timedelta, period: timedelta) -> float:
    """Return the share of a period's budget that goes in one window at this burn rate.

    >>> round(spent_in(14.4, timedelta(hours=1), timedelta(days=30)), 9)
    0.02
    """
    return factor * (window / period)


def until_gone(left: float, rate: float, period: timedelta) -> timedelta | None:
    """Return how long what is left of the budget lasts at this burn rate; None where it lasts beyond the period.

    At a burn rate of 1 or less the oldest failures leave the period as fast as new ones come.

    >>> until_gone(0.5, 10.0, timedelta(days=30))
    datetime.timedelta(days=1, seconds=43200)
    """
    if left <= 0:
        return timedelta(0)
    return None if rate <= 1.0 else period * (left / rate)
