"""Stratified effects and splits against closed forms, the unstratified methods and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from analytics.stats.means import welch_df
from analytics.stats.proportions import koopman, miettinen_nurminen, score_test
from analytics.stats.sample_ratio import sample_ratio_test
from analytics.stats.stratified import StratifiedShares, satterthwaite, split_within, weights_by_units

TABLES = st.integers(3, 60).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(0, 40), st.just(40))
)


def test_satterthwaite_with_two_parts_is_welch() -> None:
    assert satterthwaite([0.4, 0.45], [9, 19]) == pytest.approx(welch_df(0.4, 10, 0.45, 20))
    assert math.isinf(satterthwaite([0.0, 0.0], [3, 4]))


def test_weights_are_shares_of_both_arms() -> None:
    assert weights_by_units([1, 2], [3, 4]).tolist() == [0.4, 0.6]


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_one_stratum_is_the_unstratified_score(table: tuple[int, int, int, int]) -> None:
    x, n, x0, n0 = table
    ours = StratifiedShares([x], [n], [x0], [n0])
    if x + x0 in {0, n + n0}:
        assert math.isnan(ours.statistic)
        return
    assert ours.p_value == pytest.approx(score_test(x, n, x0, n0).p_value, rel=1e-9)
    assert ours.interval(0.95) == pytest.approx(miettinen_nurminen(x, n, x0, n0, 0.95), abs=2e-6)
    ratio = ours.ratio(0.95)
    if x0 and x:
        assert ratio is not None
        # an arm in which all have it ends where the ratio may grow no more
        assert ratio[1] == pytest.approx(koopman(x, n, x0, n0, 0.95), rel=1e-4, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(TABLES, min_size=1, max_size=4), st.sampled_from([0.8, 0.95]))
def test_test_difference_and_ratio_agree(tables: list[tuple[int, int, int, int]], level: float) -> None:
    columns = np.array(tables, dtype=np.float64).T
    ours = StratifiedShares(*columns)
    if math.isnan(ours.statistic):
        return
    low, high = ours.interval(level)
    assert low <= ours.difference <= high
    rejected = ours.p_value < 1 - level
    if abs(ours.p_value - (1 - level)) > 1e-6:
        assert rejected == (low > 0 or high < 0)
        ratio = ours.ratio(level)
        if ratio is not None:
            assert rejected == (ratio[1].low > 1 or ratio[1].high < 1)
    swapped = StratifiedShares(columns[2], columns[3], columns[0], columns[1])
    assert swapped.interval(level) == pytest.approx((-high, -low), abs=1e-6)


def test_close_to_cochran_mantel_haenszel() -> None:
    """With arms of like shares in every stratum, weights by units and Mantel and Haenszel's are the same."""
    tables = [np.array([[30, 70], [20, 80]]), np.array([[100, 100], [80, 120]])]
    ours = StratifiedShares([30, 100], [100, 200], [20, 80], [100, 200])
    theirs = StratifiedTable(tables).test_null_odds(correction=False)
    assert ours.statistic**2 == pytest.approx(theirs.statistic, rel=1e-9)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_splits_within_strata_add_up() -> None:
    counts, planned = [[880, 120], [510, 490]], [[0.9, 0.1], [0.5, 0.5]]
    found = split_within(counts, planned)
    parts = [sample_ratio_test(c, p) for c, p in zip(counts, planned, strict=True)]
    assert found.statistic == pytest.approx(sum(part.statistic for part in parts))
    assert found.df == 2
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 2))
    assert found.by_stratum.tolist() == pytest.approx([part.p_value for part in parts])
    # the plain test cries out over shares that were meant to differ
    assert sample_ratio_test(np.sum(counts, axis=0), [0.5, 0.5]).p_value < 1e-10
    assert found.p_value > 0.05


def test_a_stratum_with_too_few_is_left_out() -> None:
    found = split_within([[500, 480], [4, 1], [0, 0]], [0.5, 0.5])
    assert (found.n_tested, found.df) == (1, 1)
    assert math.isnan(found.by_stratum[1])
    nothing = split_within([[1, 1]], [0.5, 0.5])
    assert math.isnan(nothing.p_value)


@pytest.mark.statistical
def test_size_and_coverage_where_shares_differ_by_stratum() -> None:
    """Two countries with shares of 10 and 50 %: the stratified test keeps its level, the pooled one does not."""
    rng = np.random.default_rng(5)
    base, n, n0 = np.array([0.05, 0.20, 0.5]), np.array([40, 300, 30]), np.array([360, 300, 30])
    rejected = pooled = covered = 0
    for _ in range(1500):
        x, x0 = rng.binomial(n, base), rng.binomial(n0, base)
        ours = StratifiedShares(x, n, x0, n0)
        rejected += ours.p_value < 0.05
        pooled += score_test(int(x.sum()), int(n.sum()), int(x0.sum()), int(n0.sum())).p_value < 0.05
        low, high = ours.interval(0.95)
        covered += low <= 0 <= high
    assert 0.035 < rejected / 1500 < 0.066
    assert covered == 1500 - rejected
    assert pooled / 1500 > 0.3
