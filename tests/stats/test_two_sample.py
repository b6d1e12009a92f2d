"""Two-sample tests: known answers, sizes, power where a mean would see nothing."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.stats import two_sample


def _rows(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=300).round(1), rng.normal(0.15, size=120).round(1)
    values = np.unique(np.concatenate([left, right]))
    return left, right, *((side == values[:, None]).sum(axis=1) for side in (left, right))


def test_anderson_darling_statistic_matches_scipy() -> None:
    left, right, a, b = _rows(1)
    n = left.size + right.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = stats.anderson_ksamp([left, right]).statistic
    # scipy standardises; undo it with the exact variance of Scholz and Stephens for k = 2.
    i = np.arange(1, n)
    h, g = (1 / i).sum(), sum((1 / ((n - j) * np.arange(j + 1, n))).sum() for j in range(1, n - 1))
    inverse = 1 / left.size + 1 / right.size
    c = [
        (4 * g - 6) + (10 - 6 * g) * inverse,
        (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6,
        (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverse + 4 * h,
        (2 * h + 6) * 4 - 8 * h,
    ]
    sigma = np.sqrt((c[0] * n**3 + c[1] * n**2 + c[2] * n + c[3]) / ((n - 1) * (n - 2) * (n - 3)))
    found = float(two_sample.anderson_darling_statistic(a, b)) * (n - 1) / n
    assert (found - 1) / sigma == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("tail", [0.5, 0.1, 0.05, 0.01, 1e-4, 1e-9])
@pytest.mark.parametrize("df", [1, 2, 7, 40])
def test_tail_of_equal_weights_is_chi_squared(tail: float, df: int) -> None:
    x = float(stats.chi2.isf(tail, df))
    found = two_sample.weighted_chi_squared_tail(np.full(df, 3.0), 3 * x)
    assert found == pytest.approx(tail, rel=0.12 if df == 1 else 0.05)


@given(x=st.floats(1e-6, 1e5), scale=st.floats(1e-6, 1e6))
def test_tail_falls_and_does_not_depend_on_the_unit(x: float, scale: float) -> None:
    weights = 1 / (np.arange(1, 20) * np.arange(2, 21))
    here, further = (two_sample.weighted_chi_squared_tail(weights, t) for t in (x, x * 1.1))
    assert 0 <= further <= here <= 1
    assert two_sample.weighted_chi_squared_tail(weights * scale, x * scale) == pytest.approx(
        here, rel=1e-6, abs=1e-12
    )


def test_chi_squared_matches_scipy() -> None:
    a, b = np.array([50, 80, 0, 30]), np.array([20, 60, 0, 25])
    expected = stats.chi2_contingency(np.array([a, b])[:, [0, 1, 3]], correction=False)
    found = two_sample.chi_squared(a, b)
    assert found.method == "asymptotic"
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert two_sample.chi_squared(b, a).p_value == pytest.approx(found.p_value)


def test_sparse_tables_are_permuted_and_agree_with_the_exact_answer() -> None:
    a, b = np.array([8, 2]), np.array([1, 5])
    exact = stats.fisher_exact([a, b]).pvalue
    for test in (two_sample.chi_squared, two_sample.anderson_darling_binned):
        found = test(a, b)
        assert found.method == "exact"
        assert found.p_value == pytest.approx(exact - stats.hypergeom.pmf(8, 16, 9, 10) / 2)
        assert test(a, b) == found, "seeded"


def test_permutation_can_go_below_a_thousandth() -> None:
    found = two_sample.chi_squared([40, 1, 1], [1, 20, 3])
    assert found.method == "permutation"
    assert found.p_value == pytest.approx(1e-4, rel=0.01)


def test_nothing_to_compare() -> None:
    for test in (two_sample.chi_squared, two_sample.anderson_darling_binned):
        assert test([5, 0], [7, 0]) == two_sample.TestResult(0.0, 1.0, "constant")
        with pytest.raises(ValueError, match="both sides"):
            test([5, 1], [0, 0])
        with pytest.raises(ValueError, match="same bins"):
            test([5, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="both sides"):
        two_sample.share_test(0, 0, 1, 2)
    assert two_sample.share_test(7, 0, 4, 0).p_value == 1


@settings(max_examples=60, deadline=None)
@given(cells=st.tuples(*[st.integers(0, 60)] * 4).filter(lambda t: t[0] + t[1] > 0 and t[2] + t[3] > 0))
def test_shares_are_tested_by_the_mid_p_of_fisher_or_by_chi_squared(cells: tuple[int, int, int, int]) -> None:
    a, b, c, d = cells
    found = two_sample.share_test(a, b, c, d)
    if a + c in {0, a + b + c + d}:
        assert found.p_value == 1
        return
    assert found.chances.sum() == pytest.approx(1)
    expected = stats.contingency.expected_freq([[a, b], [c, d]])
    if expected.min() >= 5:
        assert found.p_value == pytest.approx(
            stats.chi2_contingency([[a, b], [c, d]], correction=False).pvalue
        )
    else:
        fisher = stats.fisher_exact([[a, b], [c, d]]).pvalue
        alike = found.chances[np.isclose(found.p_values, found.p_value)].sum()
        assert found.p_value == pytest.approx(fisher - alike / 2, rel=1e-6)
        assert found.attained(found.p_value) == pytest.approx(fisher, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(cells=st.tuples(*[st.integers(0, 40)] * 4).filter(lambda t: t[0] + t[1] > 0 and t[2] + t[3] > 0))
def test_a_rise_of_a_share_is_tested_one_sided(cells: tuple[int, int, int, int]) -> None:
    a, b, c, d = cells
    found = two_sample.share_test(a, b, c, d, upwards=True)
    if a + c not in {0, a + b + c + d}:
        law = stats.hypergeom(a + b + c + d, a + c, c + d)
        assert found.p_value == pytest.approx(law.sf(c) + law.pmf(c) / 2)


@pytest.mark.parametrize(
    "cells", [(5, 300_000, 3, 2000), (30_000, 300_000, 900, 10_000), (0, 300_000, 4000, 1000)]
)
def test_shares_in_large_tables(cells: tuple[int, int, int, int]) -> None:
    a, b, c, d = cells
    found = two_sample.share_test(a, b, c, d)
    expected = stats.fisher_exact([[a, b], [c, d]]).pvalue
    assert found.attained(found.p_value) == pytest.approx(expected, rel=0.1, abs=1e-99)


def test_combined_p_value() -> None:
    assert two_sample.combine(None) == 1
    assert two_sample.combine(0.03) == 0.03
    assert two_sample.combine(0.01, others=[0.5]) == pytest.approx(1 - 0.99**2)
    assert two_sample.combine(1.0, others=[1.0]) == 1
    one = two_sample.share_test(0, 999, 1, 299)
    assert two_sample.combine(0.03, [one]) == pytest.approx(0.03), "one missing row can never reach 3 %"
    many = two_sample.share_test(100, 900, 60, 240)
    exact = 1 - (1 - many.p_value) * (1 - many.attained(many.p_value))
    assert two_sample.combine(0.9, [many]) == pytest.approx(exact)


@pytest.mark.statistical
@pytest.mark.parametrize("share, least", [(0.5, 0.04), (0.1, 0.04), (0.025, 0.04), (0.005, 0.0)])
def test_size_of_a_share(share: float, least: float) -> None:
    """Exact, 200 against 200 rows: 5.1, 4.8, 4.4 and 0.3 %; Fisher's test 4.0, 3.4, 2.0 and 0.0 %."""
    counts = np.arange(201)
    chance = stats.binom.pmf(counts, 200, share)
    level = 0.0
    for a in np.flatnonzero(chance > 1e-7):
        for c in np.flatnonzero(chance > 1e-7):
            p = two_sample.share_test(a, 200 - a, c, 200 - c).p_value
            level += chance[a] * chance[c] * (p <= 0.05)
    assert least <= level <= 0.06


@pytest.mark.statistical
@pytest.mark.parametrize("sizes", [(1000, 500), (5000, 200), (300_000, 5000)])
@pytest.mark.parametrize("shape", ["even", "spiked"])
def test_size_of_the_asymptotic_tests(sizes: tuple[int, int], shape: str) -> None:
    """Measured with 4,000 draws: Anderson-Darling .046 to .052 at .05 and .007 to .010 at .01."""
    rng, draws = np.random.default_rng(4), 1200
    shares = np.full(20, 0.05) if shape == "even" else np.array([0.5, *[0.05] * 10])
    tables = [rng.multinomial(size, shares, size=draws) for size in sizes]
    for test in (two_sample.anderson_darling_binned, two_sample.chi_squared):
        p = np.array([test(a, b).p_value for a, b in zip(*tables, strict=True)])
        assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.02)
        assert np.mean(p < 0.3) == pytest.approx(0.3, abs=0.045)


@pytest.mark.statistical
def test_size_of_the_permutation_tests() -> None:
    """Measured: Anderson-Darling and chi-squared .04 to .06 (permutations cannot exceed their level)."""
    rng, draws = np.random.default_rng(5), 500
    shares = np.array([0.4, 0.3, 0.2, 0.05, 0.03, 0.02])
    for test in (two_sample.anderson_darling_binned, two_sample.chi_squared):
        p = [test(rng.multinomial(200, shares), rng.multinomial(40, shares)).p_value for _ in range(draws)]
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.045, abs=0.025)


@pytest.mark.statistical
def test_anderson_darling_sees_spread_and_shift() -> None:
    rng = np.random.default_rng(6)
    edges = stats.norm.ppf(np.linspace(0.05, 0.95, 19))
    for change in (lambda z: 1.35 * z, lambda z: z + 0.25):
        found = []
        for _ in range(100):
            a = np.bincount(np.searchsorted(edges, rng.normal(size=2000)), minlength=20)
            b = np.bincount(np.searchsorted(edges, change(rng.normal(size=300))), minlength=20)
            found.append(two_sample.anderson_darling_binned(a, b).p_value < 0.05)
        assert np.mean(found) > 0.85


@settings(max_examples=150, deadline=None)
@given(
    st.integers(5, 3000),
    st.integers(5, 3000),
    st.floats(0.001, 0.999),
    st.floats(0, 1),
    st.sampled_from([None, 1e-6, 0.01, 0.4, 0.999]),
)
def test_what_a_test_attains_is_the_chance_of_every_table_that_small(m, n, share, moved, level):
    rng = np.random.default_rng(7)
    a = int(rng.binomial(m, share))
    c = min(max(round(n * share + (moved - 0.5) * 8 * math.sqrt(n * share * (1 - share))), 0), n)
    found = two_sample.share_test(a, m - a, c, n - c)
    asked = found.p_value if level is None else level
    every = found.chances[found.p_values <= asked * (1 + 1e-9)].sum()
    assert found.attained(asked) == pytest.approx(float(every), rel=1e-7, abs=1e-290)
