"""Test of the split: SciPy's answer, uneven and dropped shares, and what cannot be tested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.sample_ratio import sample_ratio_test


@pytest.mark.parametrize(
    "counts,shares",
    [
        ([5120, 4880], [0.5, 0.5]),
        ([910, 85], [0.9, 0.1]),
        ([333, 340, 300, 27], [3, 3, 3, 1]),
        ([10**9, 10**9 + 10**5], [1, 1]),
    ],
)
def test_matches_scipy(counts, shares):
    expected = np.array(shares) / sum(shares) * sum(counts)
    reference = stats.chisquare(counts, expected)
    found = sample_ratio_test(counts, shares)
    assert found.expected == pytest.approx(expected)
    assert (found.statistic, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert found.df == len(counts) - 1


def test_published_mismatch():
    """Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020): p = 1.8E-6 for these users at 50 / 50."""
    found = sample_ratio_test([821_588, 815_482], [0.5, 0.5])
    assert found.p_value == pytest.approx(1.8e-6, rel=0.05)


def test_an_arm_planned_to_get_nothing_gives_no_degree_of_freedom():
    found = sample_ratio_test([480, 530, 0], [0.5, 0.5, 0.0])
    assert (found.statistic, found.df, found.p_value) == pytest.approx(
        sample_ratio_test([480, 530], [0.5, 0.5])[1:]
    )
    assert found.expected.tolist() == [505, 505, 0]
    assert sample_ratio_test([480, 530, 7], [0.5, 0.5, 0.0])[1:] == found[1:]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6), st.floats(1e-3, 1e3))
def test_shares_may_have_any_unit_and_expected_counts_sum_to_all(counts, unit):
    shares = np.arange(1, len(counts) + 1)
    found, other = (sample_ratio_test(counts, planned) for planned in (shares, shares * unit))
    assert found.expected.sum() == pytest.approx(sum(counts))
    assert found.p_value == pytest.approx(other.p_value, nan_ok=True)
    assert np.isnan(found.p_value) == (sum(counts) == 0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("counts,shares", [([0, 0], [0.5, 0.5]), ([10], [1.0]), ([10, 5], [1.0, 0.0])])
def test_nothing_to_test_is_nan(counts, shares):
    found = sample_ratio_test(counts, shares)
    assert np.isnan([found.statistic, found.p_value]).all()


@pytest.mark.parametrize(
    "counts,shares", [([1, 2], [0.5]), ([1, -2], [0.5, 0.5]), ([1, 2], [0, 0]), ([1, 2], [2, -1])]
)
def test_impossible_plans_are_refused(counts, shares):
    with pytest.raises(ValueError, match="share"):
        sample_ratio_test(counts, shares)
