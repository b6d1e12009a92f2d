"""Other ways than the score test to compare two proportions: z, pooled z, Newcombe, Fisher, Boschloo, Barnard.

Of z, pooled z and Newcombe the interval inverts the test, so that the two agree; of the exact tests none does, and
they give a p-value alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from .intervals import Interval, normal_quantile, wilson
from .proportions import koopman, miettinen_nurminen

MOST_UNITS = 400
"""Units of both arms up to which unconditional exact tests take under a second; beyond it they say what z says."""
_WIDEST = 37.0
"""A statistic beyond it has no p-value that a float can hold."""


class Counts(NamedTuple):
    """Successes and units of an arm and of the control, every arm with units."""

    successes: int
    n: int
    successes_control: int
    n_control: int

    @property
    def share(self) -> float:
        """Of the arm."""
        return self.successes / self.n

    @property
    def share_control(self) -> float:
        """Of the control."""
        return self.successes_control / self.n_control

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return self.share - self.share_control

    @property
    def variances(self) -> tuple[float, float]:
        """Of either share, p (1 - p) / n."""
        return (
            self.share * (1 - self.share) / self.n,
            self.share_control * (1 - self.share_control) / self.n_control,
        )

    @property
    def floats(self) -> tuple[float, float, float, float]:
        """The same as floats."""
        return float(self.successes), float(self.n), float(self.successes_control), float(self.n_control)

    @property
    def table(self) -> list[list[int]]:
        """Successes and failures; arm, then control."""
        return [
            [self.successes, self.n - self.successes],
            [self.successes_control, self.n_control - self.successes_control],
        ]


def pooled_z(counts: Counts) -> tuple[float, float, float]:
    """Return standard error under the null, z and two-sided p; its square is Pearson's chi-squared without correction.

    z and p are nan where nobody or everybody succeeded.

    >>> error, z, p = pooled_z(Counts(56, 70, 48, 80))
    >>> round(z, 4), round(p, 4)
    (2.6501, 0.008)
    """
    units = counts.n + counts.n_control
    share = (counts.successes + counts.successes_control) / units
    error = math.sqrt(share * (1 - share) * (1 / counts.n + 1 / counts.n_control))
    z = counts.difference / error if error > 0 else math.nan
    return error, z, float(2 * special.ndtr(-abs(z)))


def pooled_interval(counts: Counts, confidence: float) -> Interval:
    """Return the differences that the pooled z does not reject (Mee's interval).

    It is Miettinen and Nurminen's without their factor N / (N - 1), so theirs at a level a hair lower. Source: Mee,
    Biometrics 40 (1984).

    >>> low, high = pooled_interval(Counts(56, 70, 48, 80), 0.95)
    >>> round(low, 4), round(high, 4)
    (0.0533, 0.3377)
    """
    return miettinen_nurminen(*counts.floats, _without_factor(counts, confidence))


def pooled_ratio(counts: Counts, confidence: float) -> Interval:
    """Return the ratios of shares that the pooled z does not reject. Source: Koopman, Biometrics 40 (1984)."""
    return koopman(*counts.floats, _without_factor(counts, confidence))


def _without_factor(counts: Counts, confidence: float) -> float:
    units = counts.n + counts.n_control
    quantile = normal_quantile(confidence) * math.sqrt((units - 1) / units)
    return float(2 * special.ndtr(quantile) - 1)


def newcombe_p(counts: Counts) -> float:
    """Return the two-sided p-value of which Newcombe's interval is the inverse: at 1 - p it just touches 0.

    Newcombe gave an interval and no test; this is the one that goes with it. Nan where nothing separates the arms
    from each other and from 0 or 1.

    >>> p = newcombe_p(Counts(56, 70, 48, 80))
    >>> from analytics.stats.intervals import newcombe_difference
    >>> low, _ = newcombe_difference(56 / 70, 70, 48 / 80, 80, 1 - p)
    >>> round(p, 4), abs(low) < 1e-9
    (0.0081, True)
    """
    if counts.successes + counts.successes_control in {0, counts.n + counts.n_control}:
        return math.nan
    if counts.difference == 0:
        return 1.0
    arms = (counts.share, counts.n), (counts.share_control, counts.n_control)
    (p, n), (p_control, n_control) = sorted(arms, reverse=True)

    def beyond(z: float) -> float:
        low = p - _wilson_half(p, n, z)[0]
        high = p_control + _wilson_half(p_control, n_control, z)[1]
        return (p - p_control) - math.hypot(p - low, high - p_control)

    if beyond(_WIDEST) >= 0:
        return float(2 * special.ndtr(-_WIDEST))
    return float(2 * special.ndtr(-optimize.brentq(beyond, 0.0, _WIDEST, xtol=1e-13, rtol=1e-14)))


def _wilson_half(p: float, n: int, z: float) -> tuple[float, float]:
    """Distance from a share down and up to its Wilson limits at a given quantile."""
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p - (middle - half), middle + half - p


def newcombe_ratio(counts: Counts, confidence: float) -> Interval | None:
    """Return the ratio's interval from the same Wilson limits; it excludes 1 where Newcombe's interval excludes 0.

    None where the control's limits leave it unbounded on either side. Source: Donner and Zou, Statistical Methods in
    Medical Research 21 (2012) (MOVER-R).

    >>> low, high = newcombe_ratio(Counts(56, 70, 48, 80), 0.95)
    >>> round(low, 4), round(high, 4)
    (1.0783, 1.6629)
    """
    p, p_control = counts.share, counts.share_control
    low, high = wilson(p, counts.n, confidence)
    low_control, high_control = wilson(p_control, counts.n_control, confidence)
    lower = high_control * (2 * p_control - high_control)
    upper = low_control * (2 * p_control - low_control)
    under = (p * p_control) ** 2 - low * (2 * p - low) * lower
    over = (p * p_control) ** 2 - high * (2 * p - high) * upper
    if min(lower, upper) <= 0 or min(under, over) < 0:
        return None
    ratio = p / p_control
    return Interval(
        min((p * p_control - math.sqrt(under)) / lower, ratio),
        max((p * p_control + math.sqrt(over)) / upper, ratio),
    )


def fisher_p(counts: Counts) -> float:
    """Return the exact two-sided p-value given both margins: the chance of tables no likelier than this one.

    Source: Fisher, Statistical Methods for Research Workers (1925), as `scipy.stats.fisher_exact` has it.

    >>> round(fisher_p(Counts(8, 10, 1, 6)), 5)
    0.03497
    """
    return float(stats.fisher_exact(np.array(counts.table))[1])


def boschloo_p(counts: Counts) -> float:
    """Return the exact p-value that does not condition on the successes: Fisher's p as the statistic.

    Raises:
        ValueError: more than `MOST_UNITS` units.

    Source: Boschloo, Statistica Neerlandica 24 (1970).

    >>> round(boschloo_p(Counts(8, 10, 1, 6)), 4)
    0.0176
    """
    return float(stats.boschloo_exact(_small(counts)).pvalue)


def barnard_p(counts: Counts) -> float:
    """Return the exact p-value that does not condition on the successes: the pooled z as the statistic.

    Raises:
        ValueError: more than `MOST_UNITS` units.

    Source: Barnard, Biometrika 34 (1947).

    >>> round(barnard_p(Counts(8, 10, 1, 6)), 4)
    0.0132
    """
    return float(stats.barnard_exact(_small(counts)).pvalue)


def _small(counts: Counts) -> list[list[int]]:
    if counts.n + counts.n_control > MOST_UNITS:
        raise ValueError(f"exact tests without conditioning are for up to {MOST_UNITS} units")
    # columns are the arms, as scipy wants them
    return np.array(counts.table).T.tolist()  # type: ignore[no-any-return]


class Homogeneity(NamedTuple):
    """Pearson's chi-squared of counts over arms.

    Attributes:
        statistic: chi-squared, without correction for continuity.
        df: arms less 1.
        p_value: that the arms' shares differ so much by chance.
        least_expected: the smallest expected count; under 5 the distribution is rough.
    """

    statistic: float
    df: float
    p_value: float
    least_expected: float


def homogeneity(successes: list[int], n: list[int]) -> Homogeneity:
    """Test whether all arms have one share; all nan where nobody or everybody succeeded.

    >>> found = homogeneity([30, 20, 50], [100, 100, 100])
    >>> round(found.statistic, 2), found.df, round(found.p_value, 6)
    (21.0, 2.0, 2.8e-05)
    """
    table = np.array([successes, np.subtract(n, successes)])
    used = table[:, table.sum(axis=0) > 0]
    if used.shape[1] < 2 or (used.sum(axis=1) == 0).any():
        return Homogeneity(math.nan, math.nan, math.nan, math.nan)
    found = stats.chi2_contingency(used, correction=False)
    return Homogeneity(
        float(found.statistic), float(found.dof), float(found.pvalue), float(found.expected_freq.min())
    )
