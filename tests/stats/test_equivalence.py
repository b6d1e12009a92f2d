"""Tests against margins agree with statsmodels, and with the interval they come from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from analytics.stats.equivalence import above_margin, below_margin, two_one_sided
from analytics.stats.lift import Means, delta_interval, delta_test, log_ratio_interval, log_ratio_test
from analytics.stats.means import t_interval, welch
from analytics.stats.proportions import miettinen_nurminen


def test_tost_agrees_with_statsmodels():
    rng = np.random.default_rng(1)
    arm, control = rng.normal(0.1, 1, 80), rng.normal(0, 1.5, 120)
    test = welch(arm.mean(), arm.var(ddof=1), 80, control.mean(), control.var(ddof=1), 120)

    def interval(level):
        return t_interval(test.difference, test.standard_error, test.df, level)

    theirs, lower, upper = ttost_ind(arm, control, -0.5, 0.6, usevar="unequal")
    assert two_one_sided(interval, test.difference, -0.5, 0.6) == pytest.approx(theirs, rel=1e-8)
    assert above_margin(interval, test.difference, -0.5) == pytest.approx(lower[1], rel=1e-8)
    assert below_margin(interval, test.difference, 0.6) == pytest.approx(upper[1], rel=1e-8)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.2, 3), st.floats(2, 500))
@settings(deadline=None)
def test_on_both_sides_of_the_margin_it_is_students_tail(value, margin, error, df):
    found = above_margin(lambda level: t_interval(value, error, df, level), value, margin)
    expected = float(stats.t.sf((value - margin) / error, df))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.integers(1, 59), st.integers(1, 59), st.floats(-0.4, 0.4), st.sampled_from([0.8, 0.9, 0.95]))
@settings(deadline=None, max_examples=60)
def test_it_says_what_the_interval_says_also_for_shares(x, y, margin, confidence):
    interval = miettinen_nurminen(x, 60, y, 60, confidence)
    p = above_margin(lambda level: miettinen_nurminen(x, 60, y, 60, level), (x - y) / 60, margin)
    if abs(2 * p - (1 - confidence)) > 1e-7:
        assert (2 * p < 1 - confidence) == (interval.low > margin)


def test_an_interval_without_an_end_never_clears_a_margin():
    from analytics.stats.intervals import Interval

    endless = Interval(-math.inf, math.inf)
    assert above_margin(lambda _: endless, 0.0, -1.0) == 0.5


def test_the_delta_lift_is_the_first_order_and_the_log_ratio_is_symmetric():
    means = Means(12.0, 10.0, 0.4, 0.45)
    test = delta_test(means, math.inf)
    assert test.standard_error**2 == pytest.approx(0.4 / 100 + 144 * 0.45 / 10**4)
    interval = delta_interval(means, math.inf, 0.95)
    assert (interval.low > 0) == (test.p_value < 0.05)
    log, turned = log_ratio_test(means, math.inf), log_ratio_test(Means(10.0, 12.0, 0.45, 0.4), math.inf)
    assert log.p_value == pytest.approx(turned.p_value)
    low, high = log_ratio_interval(means, math.inf, 0.95)
    back = log_ratio_interval(Means(10.0, 12.0, 0.45, 0.4), math.inf, 0.95)
    assert (1 + low) * (1 + back.high) == pytest.approx(1)
    assert (low > 0) == (log.p_value < 0.05)
    assert high > 0.2
    assert math.isnan(log_ratio_test(Means(1.0, -1.0, 1.0, 1.0), 10.0).p_value)
    assert math.isnan(delta_test(Means(1.0, 0.0, 1.0, 1.0), 10.0).p_value)
    # the lift of a negative control has the sign of the difference
    assert delta_test(Means(-5.0, -10.0, 0.1, 0.1), 50.0).difference == 0.5


def test_the_peers_contradiction_the_log_ratio_and_the_difference_disagree():
    # reference: a relative p of .062 beside an absolute one of .020; here the first order says no, the difference yes
    means, df = Means(13.0, 8.0, 2.0, 2.2), math.inf
    difference = 2 * stats.norm.sf(5 / math.sqrt(4.2))
    assert difference < 0.05 < delta_test(means, df).p_value
