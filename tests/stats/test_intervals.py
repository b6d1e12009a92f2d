"""Intervals: known answers, limits at the edges, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analytics.stats import intervals


@pytest.mark.parametrize("successes,n", [(0, 10), (3, 10), (10, 10), (37, 1000), (999, 1000)])
def test_shares_match_statsmodels(successes: int, n: int) -> None:
    expected = proportion_confint(successes, n, 0.1, method="wilson")
    assert intervals.wilson(successes / n, n, 0.9) == pytest.approx(expected, abs=1e-12)
    exact = proportion_confint(successes, n, 0.1, method="beta")
    found = intervals.clopper_pearson(successes, n, 0.9)
    assert found == pytest.approx(np.nan_to_num(exact, nan=1.0 if successes else 0.0), abs=1e-12)


def test_newcombe_matches_statsmodels() -> None:
    expected = confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    assert intervals.newcombe_difference(0.8, 70, 0.6, 80, 0.95) == pytest.approx(expected, abs=1e-12)


def test_arrays_agree_with_single_numbers() -> None:
    shares, sizes = np.array([0.0, 0.2, 1.0]), np.array([10.0, 33.3, 5.0])
    together = intervals.wilson(shares, sizes, 0.95, np.array([np.inf, 9.0, 4.0]))
    for i, df in enumerate([None, 9.0, 4.0]):
        single = intervals.wilson(float(shares[i]), float(sizes[i]), 0.95, df)
        assert (together.low[i], together.high[i]) == pytest.approx(single)


def test_sizes_of_arrays_agree_with_those_of_single_numbers() -> None:
    shares, variances = np.array([0.0, 0.2, 1.0, 0.4]), np.array([0.1, 0.003, 0.0, 0.0])
    together = intervals.effective_n(shares, variances, np.full(4, 7.0))
    single = [intervals.effective_n(float(p), float(v), 7.0) for p, v in zip(shares, variances, strict=True)]
    assert together.tolist() == pytest.approx(single)
    assert single == pytest.approx([7.0, 0.16 / 0.003, 7.0, 7.0])
    with pytest.raises(ValueError, match="a share lies between 0 and 1"):
        intervals.wilson(1.1, 10.0, 0.95)


def test_quantiles_are_those_of_scipy() -> None:
    assert intervals.normal_quantile(0.9, float("inf")) == intervals.normal_quantile(0.9)
    assert intervals.normal_quantile(0.9) == pytest.approx(stats.norm.ppf(0.95))
    assert intervals.normal_quantile(0.9, 7) == pytest.approx(stats.t.ppf(0.95, 7))
    for wrong in (0.0, 1.0, 95.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            intervals.normal_quantile(wrong)


@given(share=st.floats(0, 1), n=st.floats(0, 1e9), confidence=st.floats(0.5, 0.999))
def test_wilson_stays_in_range_and_holds_the_share(share: float, n: float, confidence: float) -> None:
    low, high = intervals.wilson(share, n, confidence)
    assert 0 <= low <= share <= high <= 1


def test_wilson_without_rows_says_nothing() -> None:
    assert intervals.wilson(0.5, 0, 0.95) == (0, 1)
    assert intervals.wilson(0.0, 10, 0.95).low == 0
    assert intervals.wilson(1.0, 10, 0.95).high == 1


def test_score_interval_of_a_share_is_wilson_and_scales() -> None:
    plain = intervals.wilson(0.3, 40, 0.95)
    assert intervals.score_interval(0.3, 0.3 * 0.7 / 40, 1.0, 0.95) == pytest.approx(plain)
    wide = intervals.score_interval(-0.4, 4 * 0.3 * 0.7 / 40, 1.0, 0.95, lower=-1, upper=1)
    assert wide == pytest.approx((2 * plain.low - 1, 2 * plain.high - 1))
    assert intervals.score_interval(1.0, 0.0, 20, 0.95) == pytest.approx(intervals.wilson(1.0, 20, 0.95))


def test_wald_scales() -> None:
    low, high = intervals.logit_wald(0.9, 0.0004, 0.95)
    centre, half = np.log(9), 1.959964 * 0.02 / 0.09
    assert (low, high) == pytest.approx([1 / (1 + np.exp(-(centre + s * half))) for s in (-1, 1)], abs=1e-6)
    assert intervals.log_wald(2.0, 0.01, 0.95) == pytest.approx(2 * np.exp([-0.0979982, 0.0979982]), abs=1e-6)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        intervals.logit_wald(1.0, 0.1, 0.95)
    with pytest.raises(ValueError, match="positive"):
        intervals.log_wald(0.0, 0.1, 0.95)


@pytest.mark.parametrize("n", [1, 5, 6, 20, 100, 1001])
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9])
def test_ranks_are_the_tightest_with_each_tail_within_its_half(n: int, probability: float) -> None:
    low, high = (float(rank) for rank in intervals.quantile_ranks(n, probability, 0.95))
    below = stats.binom(n, probability)
    assert below.cdf(low - 1) <= 0.025 < below.cdf(low)
    assert below.sf(high - 1) <= 0.025 < below.sf(high - 2)


def test_ranks_where_a_tail_is_hit_exactly() -> None:
    """P(K <= 0) is 1/4 for two rows: the limit at exactly that tail is the smallest row that reaches it."""
    for n, confidence in ((2, 0.5), (3, 0.75), (4, 0.875)):
        assert float(intervals.quantile_ranks(n, 0.5, confidence).low) == 0


def test_quantile_from_bins_agrees_with_rows() -> None:
    values = np.random.default_rng(5).lognormal(size=4000)
    edges = 1.05 ** np.arange(-120, 121)
    counts, _ = np.histogram(values, edges)
    for probability in (0.05, 0.5, 0.95):
        found = intervals.quantile_from_bins(edges, counts, probability, 0.95)
        assert found.value == pytest.approx(np.quantile(values, probability), rel=0.01)
        assert found.low <= found.value <= found.high


def test_quantile_from_bins_with_too_few_rows_has_no_limit() -> None:
    found = intervals.quantile_from_bins([-np.inf, 0, 1, np.inf], [1, 2, 0], 0.5, 0.95)
    assert (found.low, found.high) == (-np.inf, np.inf)
    with pytest.raises(ValueError, match="one edge more"):
        intervals.quantile_from_bins([0, 1], [1, 2], 0.5, 0.95)


@pytest.mark.statistical
def test_median_coverage() -> None:
    rng = np.random.default_rng(1)
    covered = []
    edges = np.linspace(-6, 6, 200)
    for _ in range(1500):
        values = rng.standard_t(3, size=41)
        rows = intervals.order_statistic_median(values, 0.95)
        bins = intervals.quantile_from_bins(edges, np.histogram(np.clip(values, -6, 6), edges)[0], 0.5, 0.95)
        covered.append([rows.low <= 0 <= rows.high, bins.low <= 0 <= bins.high])
    shares = np.mean(covered, axis=0)
    assert 0.94 <= shares[0] <= 0.985
    assert shares[1] >= shares[0] - 0.002


@pytest.mark.statistical
def test_wilson_coverage_for_a_weighted_share() -> None:
    """Weights that depend on the outcome: the linearised variance gives the effective n."""
    rng = np.random.default_rng(2)
    draws, n = 3000, 400
    y = rng.random((draws, n)) < 0.2
    kept = rng.random((draws, n)) < np.where(y, 0.8, 0.3)
    w = np.where(y, 1 / 0.8, 1 / 0.3) * kept
    total = w.sum(axis=1)
    share = (w * y).sum(axis=1) / total
    variance = (w**2 * (y - share[:, None]) ** 2).sum(axis=1) / total**2
    size = intervals.effective_n(share, variance, kept.sum(axis=1).astype(float))
    low, high = intervals.wilson(share, size, 0.95)
    assert 0.935 <= np.mean((low <= 0.2) & (high >= 0.2)) <= 0.965
