"""Studentised permutation test: against all reassignments, against SciPy, and at the edges."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.stats import permutation


def welch_size(x, y, axis=-1):
    return np.abs(stats.ttest_ind(x, y, equal_var=False, axis=axis).statistic)


def exact(arm, control):
    """Share of all reassignments at least as extreme."""
    pooled, chosen = np.array([*arm, *control]), np.arange(len(arm) + len(control))
    sizes = []
    for subset in combinations(chosen, len(arm)):
        inside = np.isin(chosen, subset)
        sizes.append(welch_size(pooled[inside], pooled[~inside]))
    return np.mean(np.array(sizes) >= welch_size(np.array(arm), np.array(control)) * (1 - 1e-9))


@pytest.mark.parametrize(
    "arm,control",
    [
        ([1.0, 2.5, 3.1, 9.0], [2.0, 5.0, 6.0, 7.5, 12.0, 11.0]),
        ([0.0, 0.0, 1.0], [0.0, 2.0, 0.0, 3.0, 1.0, 0.0, 0.0]),
        ([5.0, 6.0, 7.0, 9.0], [1.0, 2.0, 3.0, 4.5]),
    ],
)
def test_estimates_the_share_of_all_reassignments(arm, control):
    expected = exact(arm, control)
    error = np.sqrt(expected * (1 - expected) / permutation.DRAWS)
    for values in ((arm, control), (control, arm)):
        assert permutation.studentised_permutation(*values) == pytest.approx(expected, abs=4 * error + 1e-4)


@pytest.mark.parametrize("sizes", [(12, 900), (60, 80)])
def test_agrees_with_scipy(sizes):
    """A dozen is gathered member by member, sixty of 140 are the head of a shuffle."""
    rng = np.random.default_rng(3)
    arm, control = rng.lognormal(0.4, 1, sizes[0]), rng.lognormal(0, 1, sizes[1])
    expected = stats.permutation_test(
        (arm, control),
        welch_size,
        n_resamples=4999,
        alternative="greater",
        rng=rng,
        vectorized=True,
        batch=500,
    ).pvalue
    found = permutation.studentised_permutation(arm, control)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 3300))


def test_statistic_from_pooled_moments_is_welchs():
    rng = np.random.default_rng(5)
    pooled = rng.lognormal(0, 2, 300)
    pooled -= pooled.mean()
    rows = np.array([rng.permutation(300) for _ in range(50)])
    found = permutation._Statistic(pooled, 7).of(pooled[rows[:, :7]])
    assert found == pytest.approx(welch_size(pooled[rows[:, :7]], pooled[rows[:, 7:]], axis=1), rel=1e-9)


@pytest.mark.parametrize("total,size", [(7, 3), (7, 7), (40, 20), (5000, 90), (400, 150)])
def test_subsets_are_uniform(total, size):
    rng = np.random.default_rng(7)
    rows = np.concatenate(list(permutation._subsets(total, size, 3000, rng)))
    assert rows.shape == (3000, size)
    assert (np.diff(np.sort(rows, axis=1), axis=1) > 0).all(), "no member twice"
    expected = 3000 * size / total
    seen = np.bincount(rows.ravel(), minlength=total)
    # variance of a member's count: binomial
    z = (seen - expected) / np.sqrt(max(expected * (1 - size / total), 1e-9))
    assert np.abs(z).max() < 5


def test_pairs_of_a_gathered_subset_are_uniform():
    rng = np.random.default_rng(8)
    rows = np.sort(permutation._gather(6, 3, 20_000, rng), axis=1)
    seen = np.unique(rows, axis=0, return_counts=True)[1]
    assert stats.chisquare(seen).pvalue > 1e-4
    assert len(seen) == 20


def test_is_seeded_and_never_0():
    rng = np.random.default_rng(9)
    arm, control = rng.normal(9, 1, 20), rng.normal(0, 1, 300)
    assert permutation.studentised_permutation(arm, control) == 1e-4
    assert permutation.studentised_permutation(arm, control, draws=99) == 0.01
    close = arm - 8.7
    first = permutation.studentised_permutation(close, control)
    assert permutation.studentised_permutation(close, control) == first
    assert permutation.studentised_permutation(close, control, seed=1) != first


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=8),
    st.lists(st.integers(0, 5), min_size=2, max_size=20),
    st.sampled_from([2.0**-20, 1.0, 2.0**20]),
    st.sampled_from([0.0, 1e3, 1e9]),
)
def test_a_shift_and_a_unit_do_not_matter(arm, control, unit, shift):
    plain = permutation.studentised_permutation(arm, control, draws=299)
    moved = permutation.studentised_permutation(
        (np.array(arm) * 0.25 + shift) * unit, (np.array(control) * 0.25 + shift) * unit, draws=299
    )
    assert moved == pytest.approx(plain, abs=0.011, nan_ok=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "arm,control",
    [
        ([1.0], [2.0, 3.0, 4.0]),
        ([], [2.0, 3.0]),
        ([2.0, 2.0], [2.0, 2.0, 2.0]),
        ([1.0, np.nan], [2.0, 3.0]),
        ([1.0, 2.0], [np.inf, 3.0]),
    ],
)
def test_nothing_to_compute_is_nan(arm, control):
    assert np.isnan(permutation.studentised_permutation(arm, control))


@pytest.mark.filterwarnings("error")
def test_arms_that_do_not_vary_but_differ():
    """t is infinite; of the 10 reassignments only the two with all the ones on one side are as extreme."""
    found = permutation.studentised_permutation([1.0, 1.0], [0.0, 0.0, 0.0])
    assert found == pytest.approx(0.1, abs=0.015)


def test_a_large_arm_costs_little():
    rng = np.random.default_rng(11)
    found = permutation.studentised_permutation(rng.exponential(size=99), rng.exponential(size=100_000))
    assert 0 < found <= 1
