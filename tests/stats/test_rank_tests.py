"""Ranks: against scipy, against all pairs one by one, and no contradiction between p and interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.stats import rank_tests
from analytics.stats.rank_tests import Shift, mann_whitney

VALUES = st.lists(st.one_of(st.integers(-4, 4).map(float), st.floats(-50, 50)), min_size=2, max_size=40)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_p_value_agrees_with_scipy(arm, control):
    found = mann_whitney(arm, control)
    if len(set(arm + control)) == 1:
        assert np.isnan(found.p_value)
        return
    theirs = stats.mannwhitneyu(arm, control, method="asymptotic")
    assert found.wins == theirs.statistic
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-10)
    pairs = np.subtract.outer(arm, control)
    assert found.share == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


@given(VALUES, VALUES, st.sampled_from([0.5, 0.8, 0.95]), st.sampled_from([5, 10**6]))
@settings(deadline=None)
def test_the_shift_is_the_median_of_all_pairs_and_its_interval_says_what_p_says(
    arm, control, confidence, formed
):
    kept, rank_tests._FORMED = rank_tests._FORMED, formed
    try:
        shift = Shift(arm, control)
        interval = shift.interval(confidence)
    finally:
        rank_tests._FORMED = kept
    assert shift.value == pytest.approx(np.median(np.subtract.outer(arm, control)), abs=1e-9)
    if interval is not None:
        assert interval.low <= shift.value <= interval.high
        rejects = mann_whitney(arm, control).p_value < 1 - confidence
        assert rejects == (interval.low > 0 or interval.high < 0)


def test_the_interval_is_that_of_r():
    # wilcox.test(c(.80,.83,1.89,1.04,1.45,1.38,1.91,1.64,.73,1.46), c(1.15,.88,.90,.74,1.21), exact=FALSE,
    # conf.int=TRUE) of Hollander and Wolfe (1973) prints an estimate near .305 and an interval near (-.15, .76)
    arm = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    control = [1.15, 0.88, 0.90, 0.74, 1.21]
    shift = Shift(arm, control)
    assert shift.value == pytest.approx(0.305, abs=0.001)
    assert tuple(shift.interval(0.95)) == pytest.approx((-0.15, 0.76), abs=0.02)


def test_where_ties_leave_no_interval_there_is_none():
    rng = np.random.default_rng(4)
    spend = np.where(rng.random(2000) < 0.1, rng.lognormal(3, 1, 2000), 0.0)
    more = np.where(rng.random(2000) < 0.16, rng.lognormal(3, 1, 2000), 0.0)
    assert mann_whitney(more, spend).p_value < 1e-4
    shift = Shift(more, spend)
    assert shift.value == 0.0
    assert shift.interval(0.95) is None
