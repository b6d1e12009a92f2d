"""Two-sample tests on binned counts: are both samples drawn from one distribution?

Both samples are samples (neither is exact). Counts are aligned bins, ordered for Anderson-Darling. Rows count
as independent here; `clustered` has the tests for rows that come in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from .arrays import FloatArray, as_floats, divide

Statistic = Callable[[FloatArray, FloatArray], FloatArray]

LEAST_EXPECTED = 5.0
"""With a smaller expected count somewhere, null distributions come from permutations."""
FIRST_DRAWS, MORE_DRAWS = 999, 9000
_FEW = 10
_SEED = 20133


class TestResult(NamedTuple):
    """A statistic, its p-value, and how the null was found (asymptotic, permutation, exact, …)."""

    statistic: float
    p_value: float
    method: str


TestResult.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test class


def anderson_darling_statistic(ref_counts: npt.ArrayLike, counts: npt.ArrayLike) -> FloatArray:
    """Return the two-sample Anderson-Darling statistic with midranks (bins on the last axis).

    Source: Scholz and Stephens, JASA 82 (1987), statistic A2akN without the factor (N - 1) / N.
    """
    reference, current = as_floats(ref_counts), as_floats(counts)
    m, n = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
    gap = _middle(reference / m) - _middle(current / n)
    weights = _anderson_darling_weights((reference + current) / (m + n))
    return as_floats((weights * np.square(gap)).sum(axis=-1) * (m * n / (m + n))[..., 0])


def _middle(shares: FloatArray) -> FloatArray:
    return np.cumsum(shares, axis=-1) - shares / 2


def _anderson_darling_weights(pooled: FloatArray) -> FloatArray:
    middle = _middle(pooled)
    spread = middle * (1 - middle) - pooled / 4
    return np.where(pooled > 0, divide(pooled, np.where(spread > 1e-15, spread, 0.0)), 0.0)


def chi_squared_statistic(ref_counts: npt.ArrayLike, counts: npt.ArrayLike) -> FloatArray:
    """Return Pearson's statistic of the 2 x bins table (no continuity correction)."""
    reference, current = as_floats(ref_counts), as_floats(counts)
    m, n = reference.sum(axis=-1, keepdims=True), current.sum(axis=-1, keepdims=True)
    gap = np.square(reference / m - current / n)
    return as_floats(divide(gap, (reference + current) / (m + n)).sum(axis=-1) * (m * n / (m + n))[..., 0])


def quadratic_form(kind: Statistic, pooled: FloatArray) -> FloatArray:
    """Return the matrix Q with statistic = m n / (m + n) x d' Q d, d being the difference of shares.

    ``kind`` is `anderson_darling_statistic` or `chi_squared_statistic`.
    """
    if kind is chi_squared_statistic:
        return np.diag(divide(1.0, pooled))
    size = pooled.size
    cumulate = np.tril(np.ones((size, size))) - np.eye(size) / 2
    return as_floats(cumulate.T @ (_anderson_darling_weights(pooled)[:, None] * cumulate))


def anderson_darling_binned(
    ref_counts: npt.ArrayLike, counts: npt.ArrayLike, seed: int = _SEED
) -> TestResult:
    """Test ordered bins by Anderson-Darling, sensitive over the whole range and in the tails.

    The asymptotic null distribution is the weighted sum of chi-squares that belongs to these very bins, ties
    and all (eigenvalues of the statistic's matrix against the multinomial covariance). By permutation where a
    bin expects fewer than five rows.

    >>> result = anderson_darling_binned([100, 100, 100], [40, 30, 20])
    >>> round(result.statistic, 2), round(result.p_value, 3), result.method
    (4.28, 0.028, 'asymptotic')
    """
    reference, current, pooled = _used_bins(ref_counts, counts)
    if pooled.size == 1:
        return TestResult(0.0, 1.0, "constant")
    if sparse(reference, current):
        return _permuted(reference, current, anderson_darling_statistic, seed)
    statistic = float(anderson_darling_statistic(reference, current))
    covariance = np.diag(pooled) - np.outer(pooled, pooled)
    weights = form_eigenvalues(quadratic_form(anderson_darling_statistic, pooled), covariance)
    return TestResult(statistic, weighted_chi_squared_tail(weights, statistic), "asymptotic")


def chi_squared(ref_counts: npt.ArrayLike, counts: npt.ArrayLike, seed: int = _SEED) -> TestResult:
    """Test unordered categories by chi-squared; by permutation where a cell expects under five rows.

    >>> result = chi_squared([100, 100, 100], [40, 30, 20])
    >>> round(result.statistic, 4), round(result.p_value, 4)
    (5.1587, 0.0758)
    """
    reference, current, pooled = _used_bins(ref_counts, counts)
    if pooled.size == 1:
        return TestResult(0.0, 1.0, "constant")
    if sparse(reference, current):
        return _permuted(reference, current, chi_squared_statistic, seed)
    statistic = float(chi_squared_statistic(reference, current))
    return TestResult(statistic, float(special.chdtrc(pooled.size - 1, statistic)), "asymptotic")


def _used_bins(ref_counts: npt.ArrayLike, counts: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Drop bins without rows on either side; return counts and pooled shares."""
    reference, current = as_floats(ref_counts), as_floats(counts)
    if reference.shape != current.shape or reference.ndim != 1:
        raise ValueError("both sides need counts of the same bins, on one axis")
    if reference.sum() <= 0 or current.sum() <= 0:
        raise ValueError("a two-sample test needs rows on both sides")
    both = reference + current
    used = both > 0
    return reference[used], current[used], both[used] / both.sum()


def sparse(reference: FloatArray, current: FloatArray) -> bool:
    """Whether a used bin expects fewer rows on a side than the asymptotic null needs."""
    both = reference + current
    return bool(min(reference.sum(), current.sum()) / both.sum() * both.min() < LEAST_EXPECTED)


def _permuted(reference: FloatArray, current: FloatArray, statistic: Statistic, seed: int) -> TestResult:
    """Shuffle rows between the samples; counts that are not whole (effective ones) are rounded."""
    left, right = np.round(reference).astype(np.int64), np.round(current).astype(np.int64)
    pooled, size = left + right, int(right.sum())
    if size == 0 or size == int(pooled.sum()):
        raise ValueError("a two-sample test needs at least one whole row on both sides")
    if np.count_nonzero(pooled) == 2:
        cell = np.flatnonzero(pooled)[0]
        counts = (int(x) for x in (left[cell], left.sum() - left[cell], right[cell], size - right[cell]))
        observed = float(statistic(as_floats(left), as_floats(right)))
        return TestResult(observed, share_test(*counts).p_value, "exact")
    generator = np.random.default_rng(seed)

    def draw(times: int) -> FloatArray:
        drawn = generator.multivariate_hypergeometric(pooled, size, size=times, method="marginals")
        return statistic(as_floats(pooled - drawn), as_floats(drawn))

    observed = float(statistic(as_floats(left), as_floats(right)))
    return TestResult(observed, permutation_p_value(observed, draw), "permutation")


def permutation_p_value(observed: float, draw: Callable[[int], FloatArray]) -> float:
    """Return (1 + draws at least as large) / (1 + draws); ten times the draws where few are as large.

    999 draws alone could not go below .001, which a correction for a few dozen features would never let pass.
    """
    least = observed - 1e-9 * max(abs(observed), 1.0)  # equal tables must not differ by rounding
    larger, total = int((draw(FIRST_DRAWS) >= least).sum()), FIRST_DRAWS
    if larger < _FEW:
        larger += int((draw(MORE_DRAWS) >= least).sum())
        total += MORE_DRAWS
    return (1 + larger) / (1 + total)


@dataclass(frozen=True)
class ShareTest:
    """A test of one share between two samples, with what its p-value can be when nothing differs.

    Attributes:
        p_value: of the table at hand.
        tables: the ones with the same margins, and their p-values.
    """

    p_value: float
    tables: Tables

    @property
    def p_values(self) -> FloatArray:
        """Of all tables with the same margins."""
        return self.tables.p_values

    @property
    def chances(self) -> FloatArray:
        """How likely each of these is when nothing differs."""
        return self.tables.chances

    def attained(self, level: float) -> float:
        """The chance of a p-value of at most this when nothing differs: often less than the level."""
        return self.tables.attained(level * (1 + 1e-9))


class Tables:
    """Tables with the same margins: their p-values, and how likely each is when nothing differs."""

    p_values: FloatArray
    chances: FloatArray

    def __init__(self, p_values: FloatArray, chances: FloatArray) -> None:
        self.p_values, self.chances = p_values, chances

    def attained(self, level: float) -> float:
        """The chance of a p-value of at most this."""
        return float(self.chances[self.p_values <= level].sum())


class LargeTables(Tables):
    """The same by chi-squared: p falls with the distance from the mean, so that only its two tails are added up.

    All tables within 40 standard deviations are some thousand where rows are many, and their p-values and chances took
    half of a millisecond; these tails take a twentieth of it.
    """

    def __init__(self, drawn: int, hits: int, total: int, observed: int) -> None:
        self.margins = (drawn, hits, total)
        self.observed = observed
        self.scale = total**3 / (drawn * (total - drawn) * hits * (total - hits))
        self.mean = drawn * hits / total

    def p_value_at(self, table: float | FloatArray) -> FloatArray:
        """By chi-squared, of one table or of several."""
        return as_floats(special.chdtrc(1, np.square(table - self.mean) * self.scale))

    @cached_property
    def _support(self) -> FloatArray:
        return _likely_support(*self.margins, self.observed)

    @cached_property
    def p_values(self) -> FloatArray:  # type: ignore[override]  # found when somebody asks
        """Of all tables with the same margins."""
        return self.p_value_at(self._support)

    @cached_property
    def chances(self) -> FloatArray:  # type: ignore[override]
        """How likely each of these is when nothing differs."""
        return as_floats(np.exp(_log_hypergeometric(self._support, *self.margins)))

    def attained(self, level: float) -> float:
        """The chance of a p-value of at most this."""
        if level >= 1:
            return 1.0
        # below the smallest p-values a number can hold, tables still have chances
        far = math.sqrt(float(special.chdtri(1, max(level, 1e-300))) / self.scale)
        below, above = math.floor(self.mean - far), math.ceil(self.mean + far)
        return min(_tail_chance(below, -1, *self.margins) + _tail_chance(above, 1, *self.margins), 1.0)


def _tail_chance(first: int, step: int, drawn: int, hits: int, total: int) -> float:
    """The chance of a table and of all beyond it, upwards or downwards, by the ratio of each to the one before."""
    if step < 0:
        # as many of the other kind: the same tail upwards
        first, hits = drawn - first, total - hits
    most = min(drawn, hits)
    if first > most:
        return 0.0
    mean = drawn * hits / total
    spread = math.sqrt(mean * (1 - hits / total) * (total - drawn) / max(total - 1, 1))
    gone = max(first - mean, 0.0) / max(spread, 1e-9)
    length = int(1.5 * spread * (math.sqrt(gone**2 + 80) - gone)) + 60
    k = np.arange(first, min(most, first + length), dtype=np.float64)
    ratios = (drawn - k) * (hits - k) / ((k + 1) * (total - drawn - hits + k + 1))
    start = math.exp(_log_chance(first, drawn, hits, total))
    return start * (1.0 + float(np.cumprod(ratios).sum()))


def _log_chance(k: int, drawn: int, hits: int, total: int) -> float:
    def choose(n: int, some: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(some + 1) - math.lgamma(n - some + 1)

    return choose(hits, k) + choose(total - hits, drawn - k) - choose(total, drawn)


_ALIKE = Tables(np.ones(1), np.ones(1))
NO_TEST = ShareTest(1.0, _ALIKE)
"""Of a share that cannot differ."""


def share_test(
    in_reference: int, out_reference: int, in_current: int, out_current: int, *, upwards: bool = False
) -> ShareTest:
    """Test whether a share differs: chi-squared, or where a cell expects under five the exact test's mid-p.

    Fisher's test with all of the observed table's probability rejects 1 to 4 % of the time at a nominal 5 % (200
    against 200 rows, a share of 2.5 %: 2.0 %); with half of it 4 to 6 %. Source: Lancaster, JASA 56 (1961).

    Args:
        in_reference: rows of the reference that have it.
        out_reference: the others.
        in_current: the same of the current sample.
        out_current: the others.
        upwards: whether only a rise of the share counts (always by the exact test).

    >>> found = share_test(8, 2, 1, 5)
    >>> round(found.p_value, 4), round(found.attained(found.p_value), 4)
    (0.0232, 0.035)
    """
    a, b, c, d = (round(x) for x in (in_reference, out_reference, in_current, out_current))
    if min(a, b, c, d) < 0 or a + b == 0 or c + d == 0:
        raise ValueError("a test of a share needs counts, and rows on both sides")
    drawn, hits, total = a + b, a + c, a + b + c + d
    if hits in {0, total}:
        return NO_TEST
    if not upwards and min(drawn, total - drawn) * min(hits, total - hits) >= LEAST_EXPECTED * total:
        large = LargeTables(drawn, hits, total, a)
        return ShareTest(float(large.p_value_at(a)), large)
    tables = _likely_support(drawn, hits, total, a)
    chances = np.exp(_log_hypergeometric(tables, drawn, hits, total))
    p_values = np.minimum(np.cumsum(chances) - chances / 2 if upwards else _mid_p_values(chances), 1.0)
    return ShareTest(float(p_values[np.flatnonzero(tables == a)[0]]), Tables(p_values, chances))


def _mid_p_values(chances: FloatArray) -> FloatArray:
    """Return the chance of less likely tables and half that of equally likely ones, for each table."""
    order = np.argsort(chances, kind="stable")
    ascending = chances[order]
    below = np.concatenate([[0.0], np.cumsum(ascending)])
    first = np.searchsorted(ascending, ascending * (1 - 1e-7), side="left")
    last = np.searchsorted(ascending, ascending * (1 + 1e-7), side="right")
    found = np.empty_like(chances)
    found[order] = (below[first] + below[last]) / 2
    return found


def form_eigenvalues(form: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the weights of the chi-squares whose sum d' form d is, for normal d with this covariance."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    weights = np.linalg.eigvalsh(root.T @ form @ root)
    return as_floats(weights[weights > 1e-10 * weights.max()])


def weighted_chi_squared_tail(weights: FloatArray, x: float) -> float:
    """Return P(sum weights x chi-squared(1) > x), to a few percent of itself.

    By the saddlepoint approximation. Source: Kuonen, Biometrika 86 (1999).

    >>> round(weighted_chi_squared_tail(np.ones(4), 9.4877), 3)
    0.05
    """
    if x <= 0:
        return 1.0
    mean, spread = float(weights.sum()), float(np.sqrt(2 * np.square(weights).sum()))
    # The formula is 0 / 0 at the mean; nearby it is smooth, so bridge it by a straight line.
    near = 0.02 * min(spread, mean)
    if abs(x - mean) < near:
        low, high = _saddlepoint(weights, mean - near), _saddlepoint(weights, mean + near)
        return low + (high - low) * (x - mean + near) / (2 * near)
    return min(max(_saddlepoint(weights, x), 0.0), 1.0)


def _saddlepoint(weights: FloatArray, x: float) -> float:
    largest = float(weights.max())
    scaled, x = weights / largest, x / largest
    size = weights.size

    def slope(t: float) -> float:
        return float((scaled / (1 - 2 * t * scaled)).sum()) - x

    # slope grows from 0 at minus infinity to infinity at 1/2: brackets from its largest and its total term.
    t = float(optimize.brentq(slope, -size / (2 * x) - 1, 0.5 - 0.25 / max(x, 1.0) * min(1.0, x)))
    rest = 1 - 2 * t * scaled
    distance = 2 * (t * x + 0.5 * float(np.log(rest).sum()))
    w = float(np.sign(t) * np.sqrt(max(distance, 0.0)))
    v = t * float(np.sqrt(2 * np.square(scaled / rest).sum()))
    return float(special.ndtr(-(w + np.log(v / w) / w)))


def _likely_support(drawn: int, hits: int, total: int, observed: int) -> FloatArray:
    """All tables within 40 standard deviations of the mean, and the observed one: the rest weighs nothing."""
    mean = drawn * hits / total
    spread = np.sqrt(mean * (1 - hits / total) * (total - drawn) / max(total - 1, 1))
    low = max(0, drawn + hits - total, int(mean - 40 * spread) - 20)
    high = min(drawn, hits, int(mean + 40 * spread) + 20)
    return np.arange(min(low, observed), max(high, observed) + 1, dtype=np.float64)


def _log_hypergeometric(k: FloatArray, drawn: int, hits: int, total: int) -> FloatArray:
    return as_floats(
        _log_choose(hits, k) + _log_choose(total - hits, drawn - k) - _log_choose(total, as_floats(drawn))
    )


def _log_choose(n: int, k: FloatArray) -> FloatArray:
    return as_floats(special.gammaln(n + 1.0) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def combine(values: float | None, shares: Sequence[ShareTest] = (), others: Sequence[float] = ()) -> float:
    """Return one p-value for tests that are independent when nothing differs.

    Under no difference the smallest of them is at most m with the chance 1 - (1 - m) prod (1 - F(m)), F being what a
    test of a share attains at m; that is never above twice m for two tests, and m itself where a share cannot differ.

    Args:
        values: the p-value of a test that can take any p-value; None where there is nothing to test.
        shares: tests of shares.
        others: more p-values like the first.

    >>> combine(0.01), round(combine(0.01, others=[0.5]), 4), combine(None)
    (0.01, 0.0199, 1.0)
    """
    plain = [p for p in (values, *others) if p is not None]
    found = [*plain, *(share.p_value for share in shares)]
    if len(found) < 2:
        return found[0] if found else 1.0
    least = min(found)
    if least >= 1:
        return 1.0
    kept = len(plain) * math.log1p(-least)
    for share in shares:
        kept += math.log1p(-min(share.attained(least), 1 - 1e-16))
    return min(max(-math.expm1(kept), least), 1.0)
