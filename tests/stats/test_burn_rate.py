"""Burn rates: exact shares, clusters, days, verdicts of a pair of windows, and how often they are wrong."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from analytics.stats.burn_rate import (
    PAIRS,
    BurnRate,
    Outcomes,
    bad_share,
    budget_left,
    burn_rate,
    fastest,
    spent_in,
    until_gone,
    verdict,
)


def rows(n, bad):
    return Outcomes(float(n), float(bad), float(n), float(bad), float(bad), n)


def test_few_bad_events_get_the_exact_interval_and_many_wilsons():
    few = bad_share(rows(1_000, 4), 0.95)
    assert few.limits == pytest.approx(proportion_confint(4, 1_000, method="beta"), abs=1e-5)
    many = bad_share(rows(1_000, 400), 0.95)
    # the variance of a sample, not of a population: n - 1
    assert many.limits == pytest.approx(proportion_confint(400, 1_000, method="wilson"), abs=1e-4)


def test_rows_of_one_cluster_count_once():
    single, triple = rows(500, 50), Outcomes(1_500.0, 150.0, 4_500.0, 450.0, 450.0, 500)
    assert bad_share(triple, 0.95).limits == pytest.approx(bad_share(single, 0.95).limits)


def test_the_variance_is_that_of_a_ratio_over_clusters():
    random = np.random.default_rng(1)
    weight, bad = random.uniform(1, 5, 80), random.uniform(0, 1, 80)
    outcomes = Outcomes(weight.sum(), bad.sum(), (weight**2).sum(), (weight * bad).sum(), (bad**2).sum(), 80)
    share = bad.sum() / weight.sum()
    off = bad - share * weight
    assert outcomes.variance(share) == pytest.approx(80 * np.var(off, ddof=1) / weight.sum() ** 2)


def test_days_that_differ_widen_the_interval_from_ten_on():
    totals = [[100.0, 0.0]] * 11 + [[100.0, 60.0]]
    alike = bad_share(rows(1_200, 60), 0.95, [[100.0, 5.0]] * 12)
    assert not alike.by_block
    differ = bad_share(rows(1_200, 60), 0.95, totals)
    assert differ.by_block
    assert differ.limits.low < alike.limits.low
    assert differ.limits.high > alike.limits.high
    assert not bad_share(rows(900, 60), 0.95, totals[-9:]).by_block


@given(st.integers(1, 500), st.data(), st.floats(0.5, 0.9999))
def test_an_interval_holds_its_value_and_scales_with_the_budget(n, data, objective):
    bad = data.draw(st.integers(0, n))
    share, limits, _ = bad_share(rows(n, bad), 0.95)
    rate = burn_rate(share, limits, objective)
    assert rate.low <= rate.value <= rate.high
    assert rate.high <= fastest(objective) * (1 + 1e-9)
    left = budget_left(rate)
    assert left.low <= left.value <= left.high
    assert left.value == pytest.approx(1 - share / (1 - objective))


def test_the_workbook_s_factors_use_up_2_5_and_10_percent_of_a_month():
    assert [round(spent_in(pair.factor, pair.long, timedelta(days=30)), 12) for pair in PAIRS] == [
        0.02,
        0.05,
        0.1,
    ]


def test_both_windows_must_burn():
    hot, cold, wide = BurnRate(20.0, 16.0, 25.0), BurnRate(0.5, 0.1, 2.0), BurnRate(15.0, 3.0, 40.0)
    assert verdict(hot, hot, 14.4) == "breach"
    assert verdict(hot, wide, 14.4) == "breach"  # the short window only says that it goes on
    assert verdict(hot, cold, 14.4) == "fine"
    assert verdict(cold, hot, 14.4) == "fine"
    assert verdict(wide, hot, 14.4) == "unsure"


def test_how_long_the_rest_lasts():
    month = timedelta(days=30)
    assert until_gone(1.0, 2.0, month) == timedelta(days=15)
    assert until_gone(0.3, 1.0, month) is None
    assert until_gone(0.0, 5.0, month) == timedelta(0)
    assert until_gone(-0.3, 5.0, month) == timedelta(0)


@pytest.mark.parametrize("objective, n", [(0.99, 100), (0.99, 2_000), (0.999, 1_000), (0.95, 300)])
def test_a_burn_at_the_limit_is_called_a_breach_in_at_most_one_of_20(objective, n):
    """Exactly, over the binomial: the true burn is the factor, and every interval above it is a false page."""
    pair = PAIRS[1]
    chance = pair.factor * (1 - objective)
    bad = np.arange(n + 1)
    above = [burn_rate(*bad_share(rows(n, int(k)), 0.95)[:2], objective).low > pair.factor for k in bad]
    assert binom.pmf(bad, n, chance)[above].sum() <= 0.045


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.5, 2.0])
def test_an_objective_lies_between_0_and_1(wrong):
    with pytest.raises(ValueError, match="strictly between"):
        fastest(wrong)
