"""Trend of an effect over days since exposure, equal effects, association: known answers and sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.oneway import anova_oneway

from analytics.stats.association import association
from analytics.stats.effect_trend import DailyMeans, clustered_means, effect_trend
from analytics.stats.equal_effects import equal_effects


def daily(arm: np.ndarray, control: np.ndarray) -> DailyMeans:
    days = arm.shape[1]
    both = [np.cov(values, rowvar=False) / len(values) for values in (arm, control)]
    df = len(arm) + len(control) - 2.0
    return DailyMeans(arm.mean(axis=0), control.mean(axis=0), *both, np.zeros((days, days)), df)


def units(generator, n, means, *, rho=0.8):
    """Values of n units by day: days of one unit go together, and later days have less of everything."""
    level = generator.gamma(2.0, 0.5, (n, 1))
    noise = generator.gamma(2.0, 0.5, (n, len(means)))
    return np.asarray(means) * (rho * level + (1 - rho) * noise)


def test_equal_variances_are_a_plain_regression_of_every_unit():
    """With equal weights the slope is the difference of two mean slopes of units, so Welch's test of those is known."""
    generator = np.random.default_rng(4)
    arm, control = generator.normal(1, 1, (200, 6)), generator.normal(0, 1, (300, 6))
    given = daily(arm, control)
    flat = np.diag(np.full(6, 1e-2))
    fixed = effect_trend(DailyMeans(given.means, given.means_control, flat, 0 * flat, 0 * flat, 1e6))
    place = np.log1p(np.arange(6))
    line = OLS(given.means - given.means_control, np.column_stack([np.ones(6), place])).fit()
    assert fixed is not None
    assert fixed.change == pytest.approx(line.params[1] * place[-1])


def test_clusters_of_one_unit_are_units():
    generator = np.random.default_rng(5)
    values = generator.normal(2, 1, (500, 5))
    is_arm = np.arange(500) < 200
    found = clustered_means(
        is_arm.astype(float), values * is_arm[:, None], (~is_arm).astype(float), values * ~is_arm[:, None]
    )
    plain = daily(values[is_arm], values[~is_arm])
    assert found is not None
    assert found.means == pytest.approx(plain.means)
    assert found.covariance == pytest.approx(plain.covariance, rel=0.01)
    assert found.between == pytest.approx(np.zeros((5, 5)), abs=1e-12)


@pytest.mark.parametrize("days", [1, 2])
def test_too_few_days(days):
    flat = np.eye(days)
    assert effect_trend(DailyMeans(np.ones(days), np.ones(days), flat, flat, 0 * flat, 100.0)) is None


def test_nothing_varies():
    zero = np.zeros((4, 4))
    assert effect_trend(DailyMeans(np.ones(4), np.ones(4), zero, zero, zero, 100.0)) is None


def test_no_lift_where_the_control_may_be_zero():
    found = effect_trend(DailyMeans(np.ones(4), np.full(4, 0.1), np.eye(4), np.eye(4), 0 * np.eye(4), 100.0))
    assert found is not None
    assert found.lift_change is None
    assert found.p_either == found.p_value


@pytest.mark.statistical
@pytest.mark.parametrize("effect", ["none", "constant difference", "constant lift"])
def test_constant_effects_raise_no_alarm_beyond_the_level(effect):
    generator, fades = np.random.default_rng(8), np.array([3.0, 2, 1.5, 1.2, 1, 0.9, 0.8])
    p = []
    for _ in range(800):
        arm, control = units(generator, 250, fades), units(generator, 150, fades)
        if effect == "constant difference":
            arm = arm + 0.5
        if effect == "constant lift":
            arm = arm * 1.3
        found = effect_trend(daily(arm, control))
        assert found is not None
        p.append(found.p_either)
    assert (np.array(p) < 0.05).mean() <= 0.07
    assert (np.array(p) < 0.01).mean() <= 0.02


@pytest.mark.statistical
def test_days_taken_as_independent_would_not_hold_the_level():
    """What the covariance is for: with a covariance of zeros between days the same data are called a trend too seldom
    or too often; here a unit's liking for its first days makes it too often."""
    generator, alarms = np.random.default_rng(9), {True: 0, False: 0}
    tilt = np.linspace(1, -1, 7)
    for _ in range(400):
        arm, control = (
            generator.normal(5, 1, (200, 7)) + generator.normal(0, 1.5, (200, 1)) * tilt for _ in range(2)
        )
        given = daily(arm, control)
        alone = given._replace(
            covariance=np.diag(np.diag(given.covariance)),
            covariance_control=np.diag(np.diag(given.covariance_control)),
        )
        for whole, days in ((True, given), (False, alone)):
            found = effect_trend(days)
            assert found is not None
            alarms[whole] += found.p_value < 0.05
    assert alarms[True] <= 0.08 * 400 < 0.2 * 400 <= alarms[False]


@pytest.mark.statistical
def test_power_for_an_effect_that_wears_off():
    generator, fades = np.random.default_rng(10), np.array([3.0, 2, 1.5, 1.2, 1, 0.9, 0.8])
    gone = 1 + 0.3 * np.exp(-np.arange(7) / 2)
    found = [
        effect_trend(daily(units(generator, 2000, fades) * gone, units(generator, 2000, fades)))
        for _ in range(100)
    ]
    assert (
        np.mean([trend is not None and trend.p_either < 0.01 and trend.change < 0 for trend in found]) > 0.9
    )


def test_equal_effects_is_welchs_test():
    generator = np.random.default_rng(1)
    groups = [generator.normal(0, spread, n) for spread, n in ((1, 20), (3, 12), (2, 40))]
    reference = anova_oneway(groups, use_var="unequal", welch_correction=True)
    found = equal_effects(
        [g.mean() for g in groups], [g.var(ddof=1) / len(g) for g in groups], [len(g) - 1 for g in groups]
    )
    assert (found.statistic, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert np.isnan(equal_effects([1.0], [1.0], [5]).p_value)
    with pytest.raises(ValueError, match="s"):
        equal_effects([1.0, 2.0], [1.0, 0.0], [5, 5])


def test_association_is_pearsons():
    table = np.array([[120, 90, 40], [80, 110, 60]])
    found, reference = association(table), stats.chi2_contingency(table, correction=False)
    assert (found.statistic, found.p_value, found.df) == pytest.approx(reference[:3])
    assert found.p_value == pytest.approx(Table(table).test_nominal_association().pvalue)
    assert found.effect_size == pytest.approx((reference[0] / table.sum()) ** 0.5)
    assert np.isnan(association([[3, 1], [1, 2]]).p_value)
    assert np.isnan(association([[5, 0], [7, 0]]).statistic)
