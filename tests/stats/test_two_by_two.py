"""Two proportions by other methods: against scipy, statsmodels and published tables; p and interval agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from analytics.stats import two_by_two
from analytics.stats.intervals import newcombe_difference
from analytics.stats.two_by_two import Counts

unhurried = settings(deadline=None, max_examples=200)


@st.composite
def tables(draw, most=2000):
    found = []
    for _ in range(2):
        n = draw(st.one_of(st.integers(1, 30), st.integers(1, most)))
        found += [draw(st.one_of(st.sampled_from([0, n]), st.integers(0, n))), n]
    return Counts(*found)


@pytest.mark.parametrize(
    "counts", [Counts(56, 70, 48, 80), Counts(9, 10, 3, 10), Counts(462, 3568, 378, 3662)]
)
def test_pooled_z_agrees_with_statsmodels_and_pearson(counts):
    _, z, p = two_by_two.pooled_z(counts)
    theirs = proportions_ztest(counts[::2], counts[1::2])
    assert (z, p) == pytest.approx(theirs, rel=1e-12)
    pearson = stats.chi2_contingency(counts.table, correction=False)
    assert z**2 == pytest.approx(pearson.statistic, rel=1e-12)


def test_published_intervals_of_mee():
    # Newcombe, Statistics in Medicine 17 (1998), table II, method 5
    for counts, published in (
        (Counts(56, 70, 48, 80), (0.0533, 0.3377)),
        (Counts(9, 10, 3, 10), (0.1821, 0.8370)),
        (Counts(6, 7, 2, 7), (0.0544, 0.8478)),
        (Counts(5, 56, 0, 29), (-0.0313, 0.1926)),
        (Counts(0, 10, 0, 20), (-0.1611, 0.2775)),
        (Counts(10, 10, 0, 20), (0.7225, 1.0)),
    ):
        assert tuple(two_by_two.pooled_interval(counts, 0.95)) == pytest.approx(published, abs=6e-5)


@pytest.mark.parametrize("counts", [Counts(8, 10, 1, 6), Counts(3, 40, 9, 35), Counts(0, 12, 4, 11)])
def test_exact_tests_agree_with_scipy(counts):
    table = np.array(counts.table)
    assert two_by_two.fisher_p(counts) == stats.fisher_exact(table).pvalue
    assert two_by_two.boschloo_p(counts) == stats.boschloo_exact(table.T).pvalue
    assert two_by_two.barnard_p(counts) == stats.barnard_exact(table.T).pvalue


def test_published_exact_tests():
    # Mehta and Senchaudhuri (2003): vaccine 7 of 15 infected against 12 of 15; Barnard's one-sided .0341, doubled
    # .068; Fisher's .1281
    counts = Counts(7, 15, 12, 15)
    assert two_by_two.barnard_p(counts) == pytest.approx(0.0682, abs=5e-4)
    assert two_by_two.fisher_p(counts) == pytest.approx(0.128, abs=5e-4)
    with pytest.raises(ValueError, match="400"):
        two_by_two.boschloo_p(Counts(1, 300, 2, 300))


@given(tables(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@unhurried
def test_p_value_and_intervals_never_contradict_each_other(counts, confidence):
    _, _, pooled = two_by_two.pooled_z(counts)
    newcombe = two_by_two.newcombe_p(counts)
    share = counts.share, counts.n, counts.share_control, counts.n_control
    nobody = counts.successes + counts.successes_control in {0, counts.n + counts.n_control}
    assert math.isnan(pooled) == math.isnan(newcombe) == nobody
    if nobody:
        return
    ratio = two_by_two.newcombe_ratio(counts, confidence)
    checks = [
        (pooled, two_by_two.pooled_interval(counts, confidence), 0.0),
        (newcombe, newcombe_difference(*share, confidence), 0.0),
    ]
    if counts.successes_control:
        checks.append((pooled, two_by_two.pooled_ratio(counts, confidence), 1.0))
    if ratio is not None:
        checks.append((newcombe, ratio, 1.0))
    for p, interval, null in checks:
        if abs(p - (1 - confidence)) > 1e-7:
            assert (interval.low > null or interval.high < null) == (p < 1 - confidence)


def test_newcombe_p_is_where_the_interval_touches_zero():
    counts = Counts(30, 200, 21, 220)
    p = two_by_two.newcombe_p(counts)
    low, _ = newcombe_difference(counts.share, 200, counts.share_control, 220, 1 - p)
    assert low == pytest.approx(0, abs=1e-10)
    assert two_by_two.newcombe_p(Counts(10, 100, 20, 200)) == 1.0


def test_homogeneity_agrees_with_scipy_and_leaves_empty_arms_out():
    found = two_by_two.homogeneity([30, 20, 50, 0], [100, 110, 120, 0])
    theirs = stats.chi2_contingency([[30, 20, 50], [70, 90, 70]], correction=False)
    assert (found.statistic, found.df, found.p_value) == pytest.approx(
        (theirs.statistic, theirs.dof, theirs.pvalue), rel=1e-12
    )
    assert found.least_expected == pytest.approx(theirs.expected_freq.min())
    assert math.isnan(two_by_two.homogeneity([0, 0], [5, 5]).p_value)
