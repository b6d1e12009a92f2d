"""Effects and splits within strata, combined.

Where shares or rules differ by stratum (by country, say, or because a split changed midway), arms differ in who is in
them. Within a stratum they do not. The combined effect is the mean of the strata's effects, weighted by the units of
both arms in each: what the arm would have changed had all of these units seen it. Weights are taken as given, so the
interval is about this very mix of strata.

Sources: Cochran, Sampling Techniques, 3rd ed. (1977), chapter 5; Satterthwaite, Biometrics Bulletin 2 (1946);
Miettinen and Nurminen, Statistics in Medicine 4 (1985), section on stratified comparisons.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats
from .intervals import Interval, normal_quantile
from .inverted import difference_limits, ratio_limits
from .sample_ratio import sample_ratio_test

LEAST_EXPECTED = 5.0
"""A stratum in which an arm expects fewer units says nothing about the split."""


class StratifiedSplit(NamedTuple):
    """Chi-squared of a split summed over strata; the strata's own beside it.

    Attributes:
        statistic, df, p_value: of all strata together; nan where no stratum could be tested.
        by_stratum: p-value of each, shape (H,); nan where too few are expected.
        expected: units expected, shape (H, A).
        n_tested: strata that entered.
    """

    statistic: float
    df: int
    p_value: float
    by_stratum: FloatArray
    expected: FloatArray
    n_tested: int


def satterthwaite(variances: npt.ArrayLike, freedoms: npt.ArrayLike) -> float:
    """Return the degrees of freedom of a sum of independent variance estimates; infinite where all are 0.

    >>> round(satterthwaite([4 / 10, 9 / 20], [9, 19]), 3)
    25.408
    """
    v, f = as_floats(variances), as_floats(freedoms)
    total = float(v.sum())
    if total <= 0:
        return math.inf
    share = v / total
    return float(1.0 / (share**2 / f).sum())


def weights_by_units(units: npt.ArrayLike, units_control: npt.ArrayLike) -> FloatArray:
    """Return the share of each stratum in the units of both arms.

    >>> weights_by_units([10, 30], [10, 50]).tolist()
    [0.2, 0.8]
    """
    both = as_floats(units) + as_floats(units_control)
    return as_floats(both / both.sum())


def split_within(counts: npt.ArrayLike, planned: npt.ArrayLike) -> StratifiedSplit:
    """Test a split within strata: the strata's chi-squared add up, and so do their degrees of freedom.

    Args:
        counts: units of each arm by stratum, shape (H, A).
        planned: shares of the arms by stratum, shape (H, A), or one row for all, shape (A,).

    >>> found = split_within([[90, 10], [52, 48]], [[0.9, 0.1], [0.5, 0.5]])
    >>> round(found.statistic, 3), found.df, round(found.p_value, 3)
    (0.16, 2, 0.923)
    """
    observed = as_floats(counts)
    shares = np.broadcast_to(as_floats(planned), observed.shape)
    expected, own = np.zeros(observed.shape), np.full(len(observed), np.nan)
    statistic, df, tested = 0.0, 0, 0
    for h, (row, share) in enumerate(zip(observed, shares, strict=True)):
        if row.sum() == 0 or np.count_nonzero(share) < 2:
            continue
        found = sample_ratio_test(row, share)
        expected[h] = found.expected
        if min(e for e, s in zip(found.expected, share, strict=True) if s > 0) < LEAST_EXPECTED:
            continue
        own[h] = found.p_value
        statistic, df, tested = statistic + float(found.statistic), df + int(found.df), tested + 1
    p = math.nan if not df else 0.0 if math.isinf(statistic) else float(special.chdtrc(df, statistic))
    return StratifiedSplit(statistic if df else math.nan, df, p, own, expected, tested)


class StratifiedShares:
    """Shares of two arms by stratum, compared by Miettinen and Nurminen's stratified score.

    The test, the interval of the difference and the one of the ratio invert one statistic each that are the same under
    no difference, so that they never contradict each other. With one stratum this is the unstratified score test.

    >>> shares = StratifiedShares([30, 10], [100, 100], [20, 5], [100, 100])
    >>> round(shares.difference, 3), round(shares.p_value, 3)
    (0.075, 0.037)
    """

    def __init__(
        self,
        successes: npt.ArrayLike,
        n: npt.ArrayLike,
        successes_control: npt.ArrayLike,
        n_control: npt.ArrayLike,
    ) -> None:
        self._x, self._n = as_floats(successes), as_floats(n)
        self._x0, self._n0 = as_floats(successes_control), as_floats(n_control)
        self._w = weights_by_units(self._n, self._n0)
        both = self._n + self._n0
        self._factor = both / (both - 1.0)

    @property
    def mean(self) -> float:
        """Share of the arm in this mix of strata."""
        return float(self._w @ (self._x / self._n))

    @property
    def mean_control(self) -> float:
        """The same of the control."""
        return float(self._w @ (self._x0 / self._n0))

    @property
    def difference(self) -> float:
        """Arm minus control."""
        return float(self._w @ (self._x / self._n - self._x0 / self._n0))

    @property
    def standard_error(self) -> float:
        """Of the difference where there is none within any stratum, as the test has it."""
        pooled = (self._x + self._x0) / (self._n + self._n0)
        spread = pooled * (1.0 - pooled) * (1.0 / self._n + 1.0 / self._n0) * self._factor
        return math.sqrt(float(self._w**2 @ spread))

    @property
    def statistic(self) -> float:
        """Standard normal; nan where nothing varies."""
        error = self.standard_error
        return self.difference / error if error > 0 else math.nan

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return float(2.0 * special.ndtr(-abs(self.statistic)))

    @property
    def variances(self) -> tuple[float, float]:
        """Of either share in this mix of strata, by itself."""
        shares = (self._x / self._n, self._n), (self._x0 / self._n0, self._n0)
        arm, control = (float(self._w**2 @ (p * (1.0 - p) / n)) for p, n in shares)
        return arm, control

    def interval(self, confidence: float) -> Interval:
        """Of the difference."""
        z, value = normal_quantile(confidence), self.difference
        return difference_limits(self._difference_at, value, z)

    def ratio(self, confidence: float) -> tuple[float, Interval] | None:
        """Arm / control with its interval; None where the control has none."""
        if self.mean_control == 0:
            return None
        z, value = normal_quantile(confidence), self.mean / self.mean_control
        limits = ratio_limits(self._ratio_at, value, z)
        return None if limits is None else (value, limits)

    def _difference_at(self, d: float) -> float:
        """The statistic where the true difference is ``d``."""
        p = _share_given_difference(self._x / self._n, self._n, self._x0 / self._n0, self._n0, d)
        q = np.clip(p - d, 0.0, 1.0)
        variance = (p * (1 - p) / self._n + q * (1 - q) / self._n0) * self._factor
        return _over(self.difference - d, float(self._w**2 @ variance))

    def _ratio_at(self, ratio: float) -> float:
        """The statistic where the true ratio is ``ratio``."""
        a = (self._n + self._n0) * ratio
        b = self._n * ratio + self._x + self._n0 + self._x0 * ratio
        c = self._x + self._x0
        q = np.clip(2.0 * c / (b + np.sqrt(np.maximum(b**2 - 4.0 * a * c, 0.0))), 0.0, 1.0)
        p = np.clip(ratio * q, 0.0, 1.0)
        variance = (p * (1 - p) / self._n + ratio**2 * q * (1 - q) / self._n0) * self._factor
        return _over(self.mean - ratio * self.mean_control, float(self._w**2 @ variance))


def _over(gap: float, variance: float) -> float:
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap) if gap else 0.0


def _share_given_difference(
    p: FloatArray, n: FloatArray, p_control: FloatArray, n_control: FloatArray, d: float
) -> FloatArray:
    """The arm's likeliest share in each stratum where it lies ``d`` above the control's: a root of a cubic."""
    t = n_control / n
    a = 1.0 + t
    b = -(1.0 + t + p + t * p_control + d * (t + 2.0))
    c = d * d + d * (2.0 * p + t + 1.0) + p + t * p_control
    last = -p * d * (1.0 + d)
    third = b / (3.0 * a)
    v = third**3 - b * c / (6.0 * a * a) + last / (2.0 * a)
    u = np.where(v > 0, 1.0, -1.0) * np.sqrt(np.maximum(third**2 - c / (3.0 * a), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(u != 0, v / u**3, 0.0)
    w = (math.pi + np.arccos(np.clip(turn, -1.0, 1.0))) / 3.0
    found = 2.0 * u * np.cos(w) - third
    return as_floats(np.clip(found, max(d, 0.0), min(1.0 + d, 1.0)))
