"""Shrunken values and the range of what is true: against closed forms and statsmodels, and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from analytics.stats.shrinkage import shrink, true_range, variance_between

RUNS = 400


def test_equal_variances_have_a_closed_form():
    y = np.array([3.0, -1.0, 0.5, -2.5, 0.0])
    assert variance_between(y, np.full(5, 0.5)) == pytest.approx((y**2).sum() / 4 - 0.5)


def test_paule_and_mandel_agree_with_statsmodels():
    rng = np.random.default_rng(4)
    v = rng.uniform(0.2, 3.0, 12)
    y = rng.normal(0, 2, 12) + rng.standard_normal(12) * np.sqrt(v)
    theirs = combine_effects(y, v, method_re="iterated")
    # statsmodels estimates the mean too; here it is known, so take its own mean off
    mean = theirs.mean_effect_re
    assert variance_between(y - mean, v) == pytest.approx(theirs.tau2, rel=1e-3)


@given(st.lists(st.floats(-50, 50), min_size=4, max_size=20), st.floats(0.01, 20))
def test_values_are_pulled_towards_zero_and_never_past_it(values, variance):
    found = shrink(values, np.full(len(values), variance))
    assert (np.abs(found.value) <= np.abs(values) + 1e-12).all()
    assert (np.sign(found.value) * np.sign(values) >= 0).all()


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20), st.floats(0.01, 20))
def test_a_range_lies_in_its_interval_and_is_no_larger_than_observed(values, variance):
    found = true_range(values, np.full(len(values), variance), 0.95)
    assert 0 <= found.low <= found.value <= found.high
    assert found.value <= found.observed + 1e-9
    assert found.observed == pytest.approx(np.ptp(values))


@pytest.mark.statistical
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("count", [4, 10, 30])
def test_intervals_hold_the_truth_and_errors_shrink(count, spread):
    rng = np.random.default_rng(int(count * 10 + spread))
    held, held_range, ratio = [], [], []
    for _ in range(RUNS):
        v = rng.uniform(0.3, 2.0, count)
        truth = rng.normal(0, spread, count)
        y = truth + rng.standard_normal(count) * np.sqrt(v)
        found = shrink(y, v)
        held.append((np.abs(found.value - truth) <= 1.96 * found.deviation).mean())
        ratio.append(((found.value - truth) ** 2).sum() / ((y - truth) ** 2).sum())
        limits = true_range(y, v, 0.95)
        held_range.append(limits.low <= np.ptp(truth) <= limits.high)
    assert np.mean(held) > 0.935
    assert np.mean(held_range) > 0.92
    assert np.mean(ratio) < 1.0
