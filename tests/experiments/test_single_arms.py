"""Every arm by itself: its mean and interval against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from tests.experiments.arms import one

RNG = np.random.default_rng(60)


def test_a_mean_has_the_t_interval():
    values = {"A": RNG.gamma(2, 1, 60), "B": RNG.gamma(2, 1, 40)}
    control, arm = one("mean", values).arms
    assert (control.variant, control.is_control) == ("A", True)
    assert (arm.variant, arm.is_control) == ("B", False)
    for row, own in ((control, values["A"]), (arm, values["B"])):
        assert (row.ci_low, row.ci_high) == pytest.approx(DescrStatsW(own).tconfint_mean())
        assert row.standard_deviation == pytest.approx(own.std(ddof=1))


@pytest.mark.parametrize("successes", [0, 7, 40])
def test_a_share_has_wilsons_interval(successes):
    values = {"A": np.repeat([1.0, 0.0], [successes, 40 - successes]), "B": np.repeat([1.0, 0.0], [9, 31])}
    row = one("proportion", values).arms[0]
    assert row.status == "ok"
    expected = proportion_confint(successes, 40, method="wilson")
    assert (row.ci_low, row.ci_high) == pytest.approx(expected, abs=1e-12)


def test_a_ratio_has_the_interval_of_its_linearised_units():
    table = np.column_stack([RNG.gamma(4, 1, 80), RNG.poisson(4, 80) + 1.0])
    row = one("ratio", {"A": table, "B": table}).arms[0]
    numerator, denominator = table.mean(axis=0)
    ratio = numerator / denominator
    linear = ratio + (table[:, 0] - ratio * table[:, 1]) / denominator
    assert (row.ci_low, row.ci_high) == pytest.approx(DescrStatsW(linear).tconfint_mean())
    assert row.standard_deviation == pytest.approx(linear.std(ddof=1))


def test_clusters_widen_the_interval_as_in_least_squares():
    groups = np.repeat(np.arange(20), 8)
    values = RNG.normal(5, 1, 160) + RNG.normal(0, 1, 20)[groups]
    row = one("mean", {"A": values, "B": values}, clusters={"A": groups, "B": groups}).arms[0]
    fit = sm.OLS(values, np.ones(160)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(fit.conf_int()[0]))


def test_a_clustered_share_stays_inside_its_bounds_and_is_wider():
    groups = np.repeat(np.arange(10), 20)
    values = (groups == 3).astype(float)
    shares = {"A": values, "B": values}
    row = one("proportion", shares, clusters={"A": groups, "B": groups}).arms[0]
    plain = one("proportion", shares).arms[0]
    assert 0 <= row.ci_low < plain.ci_low < row.mean < plain.ci_high < row.ci_high <= 1


@pytest.mark.parametrize(
    "values,clusters,status,word",
    [
        (np.zeros(0), np.zeros(0, int), "no_data", "no units"),
        (np.ones(1), np.zeros(1, int), "too_few", "one unit"),
        (np.arange(9.0), np.zeros(9, int), "too_few", "one cluster"),
        (np.ones(9), np.arange(9), "undefined", "nothing varies"),
    ],
)
def test_an_arm_without_interval_says_why(values, clusters, status, word):
    other = np.arange(9.0)
    given = {"A": other, "B": values}
    row = one("mean", given, clusters={"A": np.arange(9), "B": clusters}, test_split=False).arms[1]
    assert (row.status, row.ci_low, row.ci_high) == (status, None, None)
    assert word in row.reason
    assert row.mean == (values.mean() if len(values) else None)
