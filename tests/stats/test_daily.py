"""Daily series: generalised least squares against statsmodels, noise by moments, coverage of trends."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analytics.stats.daily import Daily, fit, noise_from, noise_of
from analytics.stats.daily_trend import crossing, find_trend, level, weekly_profile


def autoregressive(random, n, rho):
    """Stationary, variance 1."""
    shocks = random.normal(size=n) * np.sqrt(1 - rho**2)
    values = np.empty(n)
    values[0] = random.normal()
    for place in range(1, n):
        values[place] = rho * values[place - 1] + shocks[place]
    return values


def days(values, variance=0.0):
    return Daily(
        np.arange(len(values)), np.asarray(values, dtype=float), np.full(len(values), float(variance))
    )


def test_generalised_least_squares_is_that_of_statsmodels():
    random = np.random.default_rng(1)
    day = np.sort(random.choice(90, 60, replace=False))
    series = Daily(day, random.normal(size=60) + 0.02 * day, random.uniform(0.1, 0.5, 60))
    noise = noise_from(series, 0.8, 0.5)
    design = series.design(series.months)
    ours = fit(series, design, noise)
    gaps = np.abs(day[:, None] - day[None, :])
    theirs = sm.GLS(series.value, design, sigma=0.8 * 0.5**gaps + np.diag(series.variance)).fit()
    assert ours.coefficients == pytest.approx(theirs.params, rel=1e-8)
    # our scale is never below 1; theirs is the residuals'
    assert ours.covariance / max(theirs.scale, 1) == pytest.approx(
        theirs.cov_params() / theirs.scale, rel=1e-6
    )
    assert ours.df == theirs.df_resid


def test_noise_is_found_without_the_bias_of_short_series():
    random = np.random.default_rng(2)
    found = []
    for _ in range(100):
        series = days(autoregressive(random, 60, 0.5))
        noise = noise_of(series, series.design(series.months))
        found.append((noise.tau2, noise.rho))
    tau2, rho = np.mean(found, axis=0)
    assert tau2 == pytest.approx(1.0, abs=0.12)
    # the plain estimate is .35 here
    assert rho == pytest.approx(0.5, abs=0.07)


def test_sampling_error_is_not_taken_for_an_effect_of_the_day():
    random = np.random.default_rng(3)
    effects = [noise_of(series, series.design()).tau2 for series in (
        days(random.normal(size=120), variance=1.0) for _ in range(50))]  # fmt: skip
    assert np.mean(effects) < 0.12


def test_levels_are_of_an_average_weekday():
    weekend = np.isin(np.arange(70) % 7, (0, 6))
    series = days(10.0 + 7.0 * weekend + 1e-3 * (-1.0) ** np.arange(70))
    assert level(series).value == pytest.approx(12.0, abs=0.01)


def test_a_weekly_profile_is_told_from_chance():
    random = np.random.default_rng(4)
    with_profile = days(3.0 * (np.arange(84) % 7 == 0) + random.normal(size=84))
    without = days(random.normal(size=84))
    for series, lowest, highest in ((with_profile, 0.3, 1.0), (without, 0.0, 0.15)):
        trend = find_trend(series)
        weekly = weekly_profile(series, series.months, trend.noise)
        assert lowest <= weekly.share <= highest
        assert (weekly.p_value < 0.001) == (series is with_profile)
    assert weekly_profile(days(random.normal(size=20)), np.zeros(20), trend.noise) is None


def test_a_floor_is_met_where_the_line_says():
    series = days(10.0 - 0.1 * np.arange(60) + 1e-3 * np.sin(np.arange(60.0)))
    trend = find_trend(series)
    met = crossing(trend.fit, 0.0, float(series.months[-1]))
    at = met.at * 365.25 / 12 + series.day.mean()
    assert at == pytest.approx(100.0, abs=0.5)
    assert met.low < met.at < met.high
    assert {type(met.at), type(met.low), type(met.high)} == {float}  # numpy's are refused by JSON


def test_a_level_line_may_never_meet_its_floor():
    series = days(np.random.default_rng(5).normal(size=60))
    met = crossing(find_trend(series).fit, -2.0, float(series.months[-1]))
    assert met.high is None
    assert met.low is None or met.low >= series.months[-1]


@pytest.mark.statistical
@pytest.mark.parametrize("rho, least", [(0.0, 0.925), (0.3, 0.91), (0.6, 0.88)])
def test_intervals_of_trends_cover(rho, least):
    random = np.random.default_rng(6)
    covered = [
        (found := find_trend(days(autoregressive(random, 90, rho)))).low <= 0 <= found.high
        for _ in range(400)
    ]
    assert least <= np.mean(covered) <= 0.985


@pytest.mark.statistical
@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_the_date_of_a_floor_is_covered(rho):
    random = np.random.default_rng(7)
    covered = []
    for _ in range(300):
        series = days(5 - 2.0 * np.arange(90) / 90 + 0.7 * autoregressive(random, 90, rho))
        met = crossing(find_trend(series).fit, 2.0, float(series.months[-1]))
        true = (135 - series.day.mean()) * 12 / 365.25
        covered.append((met.low is None or met.low <= true) and (met.high is None or true <= met.high))
    assert 0.91 <= np.mean(covered) <= 0.985
