"""Seasonal forecasts: the textbook interval, what outages do to it, and how often they cry wolf."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.stats.seasonal_forecast import forecast


def test_without_seasons_it_is_the_prediction_interval_of_a_mean():
    values = np.random.default_rng(1).normal(10, 2, 30)
    found = forecast(values, [0] * 30, [0.0] * 30, 0, 0.0, 0.9)
    reach = stats.t.ppf(0.95, 29) * values.std(ddof=1) * np.sqrt(1 + 1 / 30)
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == (
        pytest.approx(values.mean() - reach),
        pytest.approx(values.mean() + reach),
    )
    assert (found.df, found.n, found.left_out) == (29, 30, 0)


def test_with_seasons_the_scatter_is_that_of_a_one_way_layout():
    rng = np.random.default_rng(2)
    places = np.repeat(np.arange(7), 8)
    values = 10.0 * places + rng.normal(0, 1, 56)
    found = forecast(values, places, np.zeros(56), 3, 0.0, 0.95)
    groups = [values[places == k] for k in range(7)]
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / 49
    assert found.value == pytest.approx(groups[3].mean())
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 49) * np.sqrt(within * (1 + 1 / 8)))


def test_an_outage_among_the_earlier_windows_does_not_widen_it():
    rng = np.random.default_rng(3)
    values, places = rng.normal(100, 5, 56), np.tile(np.arange(7), 8)
    usual = forecast(values, places, np.zeros(56), 0, 0.0, 0.95)
    values[10:13] = 0.0
    found = forecast(values, places, np.zeros(56), 0, 0.0, 0.95)
    assert found.left_out == 3
    assert found.high - found.low == pytest.approx(usual.high - usual.low, rel=0.15)


def test_sampling_errors_that_explain_all_scatter_leave_none_between_windows():
    rng = np.random.default_rng(4)
    values = 0.5 + rng.normal(0, 0.1, 400)
    found = forecast(values, [0] * 400, [0.01] * 400, 0, 0.01, 0.95)
    # the new window's own error, and next to nothing else
    assert (found.high - found.low) / 2 == pytest.approx(1.966 * 0.1, rel=0.1)


@pytest.mark.parametrize(
    "values,places", [([], []), ([1.0], [0]), ([1.0, 2.0], [0, 0]), ([1.0] * 9, [1] * 9)]
)
def test_too_few_windows_forecast_nothing(values, places):
    assert forecast(values, places, [0.0] * len(values), 0, 0.0, 0.95) is None


def test_windows_that_are_all_alike_leave_no_room():
    found = forecast([3.0] * 20, [0] * 20, [0.0] * 20, 0, 0.0, 0.95)
    assert (found.low, found.value, found.high) == (3.0, 3.0, 3.0)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 3), st.floats(0, 1e6)), min_size=1, max_size=40),
    st.integers(0, 3),
)
def test_the_interval_holds_its_value(windows, place):
    values, places, variances = zip(*windows, strict=True)
    found = forecast(values, places, variances, place, 1.0, 0.95)
    assert found is None or found.low <= found.value <= found.high


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_false_alarms_are_as_many_as_promised(rho):
    """Eight weeks of days that differ by weekday and may go together: one in twenty next days is outside."""
    rng = np.random.default_rng(5)
    runs, days = 1500, 57
    noise = rng.normal(size=(runs, days))
    for day in range(1, days):
        noise[:, day] = rho * noise[:, day - 1] + np.sqrt(1 - rho**2) * noise[:, day]
    places = np.arange(days) % 7
    values = 3.0 * places + noise + rng.normal(0, 0.5, (runs, days))
    outside = 0
    for run in values:
        found = forecast(run[:-1], places[:-1], np.full(days - 1, 0.25), int(places[-1]), 0.25, 0.95)
        outside += not found.low <= run[-1] <= found.high
    assert 0.035 <= outside / runs <= 0.075
