"""A change of level: found on its day, sizes under no change, coverage of the day and of the difference."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analytics.stats.change_point import candidates, find_change
from analytics.stats.daily import Daily
from analytics.stats.daily_trend import find_trend, shape_of
from tests.stats.test_daily import autoregressive, days


def test_a_clear_jump_is_dated_to_the_day():
    found = find_change(
        days(np.r_[np.zeros(40), np.full(30, 5.0)] + np.random.default_rng(1).normal(size=70))
    )
    assert found.at == 40
    assert found.low <= 40 <= found.high <= 42
    assert found.p_value == pytest.approx(0.001)
    assert found.difference_low < 5.0 < found.difference_high
    assert found.after - found.before == pytest.approx(found.difference)
    numbers = (
        found.difference,
        found.difference_low,
        found.difference_high,
        found.before_low,
        found.after_high,
    )
    assert {type(number) for number in numbers} == {float}  # numpy's are refused by JSON


def test_the_statistic_is_the_largest_f_of_ordinary_regressions():
    random = np.random.default_rng(2)
    series = days(random.normal(size=42))
    steps = candidates(series)
    design = series.design()
    best = max(
        sm.OLS(series.value, np.column_stack([design, step])).fit().tvalues[-1] ** 2 for step in steps.T
    )
    found = find_change(series)
    if found.noise.rho == 0:
        assert found.statistic == pytest.approx(best, rel=1e-6)
    else:
        assert found.statistic <= best


def test_a_weekly_profile_is_no_change():
    random = np.random.default_rng(3)
    profile = np.array([0, 0, 0, 0, 0, 8.0, 8.0])
    steady = find_change(days(profile[np.arange(63) % 7] + random.normal(size=63)))
    assert steady.p_value > 0.05
    jump = find_change(
        days(profile[np.arange(63) % 7] + random.normal(size=63) + 3.0 * (np.arange(63) >= 30))
    )
    assert jump.p_value < 0.01
    assert abs(jump.at - 30) <= 1


def test_the_interval_of_the_difference_leaves_out_0_exactly_where_p_is_small():
    random = np.random.default_rng(4)
    for delta in np.linspace(0.0, 1.6, 24):
        found = find_change(days(random.normal(size=40) + delta * (np.arange(40) >= 20)), draws=199)
        outside = found.difference_low > 0 or found.difference_high < 0
        assert outside == (found.p_value <= 0.05)


def test_days_without_a_value_and_unsure_days_are_borne():
    random = np.random.default_rng(5)
    day = np.sort(random.choice(120, 80, replace=False))
    variance = random.uniform(0.2, 3.0, 80)
    value = random.normal(size=80) * np.sqrt(variance) + 3.0 * (day >= 60)
    found = find_change(Daily(day, value, variance))
    assert abs(day[found.at] - 60) <= 6
    assert found.p_value < 0.01


def test_the_same_series_gives_the_same_answer():
    series = days(np.random.default_rng(6).normal(size=50))
    assert find_change(series).p_value == find_change(series).p_value


def test_a_jump_and_a_line_are_told_apart():
    random = np.random.default_rng(7)
    n = 120
    jumps = days(2.5 * (np.arange(n) >= 60) + random.normal(size=n))
    slope = days(4.0 * np.arange(n) / n + random.normal(size=n))
    assert shape_of(jumps, find_change(jumps), find_trend(jumps)) == "sudden"
    assert shape_of(slope, find_change(slope), find_trend(slope)) == "gradual"


@pytest.mark.statistical
@pytest.mark.parametrize("rho, n, most", [(0.0, 42, 0.06), (0.0, 90, 0.06), (0.3, 42, 0.10), (0.3, 90, 0.10)])
def test_size_without_a_change(rho, n, most):
    random = np.random.default_rng(8)
    alarms = [
        find_change(days(autoregressive(random, n, rho)), draws=199).p_value <= 0.05 for _ in range(150)
    ]
    # three standard errors of 150 runs above what is promised
    assert np.mean(alarms) <= most + 3 * np.sqrt(most * (1 - most) / 150)


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_the_day_and_the_difference_are_covered(rho):
    random = np.random.default_rng(9)
    day, difference, found = [], [], 0
    for _ in range(200):
        change = find_change(days(1.2 * (np.arange(80) >= 50) + autoregressive(random, 80, rho)), draws=199)
        day.append(change.low <= 50 <= change.high)
        difference.append(change.difference_low <= 1.2 <= change.difference_high)
        found += change.p_value <= 0.05
    assert np.mean(day) >= 0.92
    assert np.mean(difference) >= 0.93
    assert found >= (180 if rho == 0 else 110)
