"""Two rates: against statsmodels and scipy, published numbers, and no contradiction between p and interval."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.rates import confint_poisson_2indep, test_poisson_2indep

from analytics.stats import poisson
from analytics.stats.poisson import Rates

test_poisson_2indep.__test__ = False
unhurried = settings(deadline=None, max_examples=200)
CASES = [
    Rates(60, 51477.5, 30, 54308.7),
    Rates(11, 800, 3, 800),
    Rates(5, 10, 30, 20),
    Rates(1000, 7, 900, 8),
]


@st.composite
def rates(draw):
    events = [draw(st.one_of(st.integers(0, 12), st.integers(0, 5000))) for _ in range(2)]
    exposures = [draw(st.floats(0.01, 1e6)) for _ in range(2)]
    return Rates(events[0], exposures[0], events[1], exposures[1])


@pytest.mark.parametrize("case", CASES)
def test_score_agrees_with_statsmodels(case):
    theirs = test_poisson_2indep(*case, method="score")
    ours = poisson.score_test(case)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-10)
    ratio = confint_poisson_2indep(*case, method="score", compare="ratio")
    assert tuple(poisson.score_ratio(case, 0.95)) == pytest.approx(ratio, rel=1e-6)
    difference = confint_poisson_2indep(*case, method="score", compare="diff")
    assert tuple(poisson.score_difference(case, 0.95)) == pytest.approx(difference, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_e_test_agrees_with_scipy_and_nearly_with_statsmodels(case):
    rounded = Rates(*(int(x) for x in case[:1]), case[1], *(int(x) for x in case[2:3]), case[3])
    assert poisson.e_test(case) == stats.poisson_means_test(rounded[0], case[1], rounded[2], case[3]).pvalue
    # statsmodels sums over counts up to a fixed one, so it is compared only where that is enough
    if case.total < 100:
        theirs = test_poisson_2indep(*case, method="etest-wald")
        assert poisson.e_test(case) == pytest.approx(theirs.pvalue, abs=0.002)


@pytest.mark.parametrize("case", CASES)
def test_exact_is_twice_the_smaller_binomial_tail(case):
    tails = [
        stats.binomtest(case.events, case.total, case.share, alternative=way).pvalue
        for way in ("less", "greater")
    ]
    assert poisson.conditional_test(case) == pytest.approx(min(2 * min(tails), 1.0), rel=1e-9)


def test_published_e_test():
    # Krishnamoorthy and Thomson (2004), section 5: seeds of dodder, 0 of 100 against 3 of 100 samples
    assert poisson.e_test(Rates(0, 100, 3, 100)) == pytest.approx(0.0884, abs=5e-5)


@given(rates(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@unhurried
def test_p_value_and_intervals_never_contradict_each_other(case, confidence):
    if case.total == 0:
        assert math.isnan(poisson.score_test(case).p_value)
        assert math.isnan(poisson.conditional_test(case))
        assert all(map(math.isnan, poisson.score_ratio(case, confidence)))
        return
    score, exact = poisson.score_test(case).p_value, poisson.conditional_test(case)
    for p, interval, null in (
        (score, poisson.score_difference(case, confidence), 0.0),
        (score, poisson.score_ratio(case, confidence), 1.0),
        (exact, poisson.conditional_ratio(case, confidence), 1.0),
    ):
        assert interval.low <= interval.high
        if abs(p - (1 - confidence)) > 1e-9:
            assert (interval.low > null or interval.high < null) == (p < 1 - confidence)


@given(rates(), st.sampled_from([0.8, 0.95]))
@unhurried
def test_intervals_hold_their_value_and_turn_with_the_arms(case, confidence):
    if not case.total:
        return
    turned = Rates(case.events_control, case.exposure_control, case.events, case.exposure)
    low, high = poisson.score_difference(case, confidence)
    assert low <= case.rate - case.rate_control <= high
    back = poisson.score_difference(turned, confidence)
    assert (-back.high, -back.low) == pytest.approx((low, high), rel=1e-9)
    if case.events_control:
        ratio = case.rate / case.rate_control
        for interval in (poisson.score_ratio(case, confidence), poisson.conditional_ratio(case, confidence)):
            assert interval.low <= ratio * (1 + 1e-12)
            assert interval.high >= ratio * (1 - 1e-12)
    else:
        assert poisson.score_ratio(case, confidence).high == math.inf


def test_a_change_of_the_unit_of_exposure_leaves_p_and_ratio():
    hours, days = Rates(40, 240.0, 22, 192.0), Rates(40, 10.0, 22, 8.0)
    assert poisson.score_test(hours).p_value == pytest.approx(poisson.score_test(days).p_value, rel=1e-12)
    assert tuple(poisson.score_ratio(hours, 0.9)) == pytest.approx(tuple(poisson.score_ratio(days, 0.9)))
    assert poisson.conditional_test(hours) == pytest.approx(poisson.conditional_test(days), rel=1e-12)


def test_too_many_events_and_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="20,000"):
        poisson.e_test(Rates(15_000, 1, 6000, 1))
    for wrong in (Rates(-1, 1, 0, 1), Rates(1, 0, 0, 1)):
        with pytest.raises(ValueError, match="exposure"):
            poisson.score_test(wrong)


def test_dispersion_is_fishers_index_summed_over_arms():
    counts = [0, 1, 1, 2, 5, 3], [2, 2, 0, 1, 4]
    expected = sum(sum((x - sum(arm) / len(arm)) ** 2 for x in arm) / (sum(arm) / len(arm)) for arm in counts)
    means = [sum(arm) / len(arm) for arm in counts]
    variances = [
        sum((x - m) ** 2 for x in arm) / (len(arm) - 1) for arm, m in zip(counts, means, strict=True)
    ]
    found = poisson.dispersion(means, variances, [6, 5])
    assert found.statistic == pytest.approx(expected)
    assert found.df == 9
    assert found.p_value == pytest.approx(stats.chi2.sf(expected, 9))
    assert math.isnan(poisson.dispersion([0.0, 0.0], [0.0, 0.0], [5, 5]).p_value)
