"""Comparisons against statsmodels, SciPy and formulas of their own."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats import proportion
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts, compare_means
from analytics.stats.proportions import miettinen_nurminen
from tests.experiments.arms import one


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def test_mean_is_welchs(rng):
    x, y = rng.gamma(2, 3, 80), rng.gamma(2, 2.5, 130)
    row = one("mean", {"A": y, "B": x}).rows[0]
    both = CompareMeans(DescrStatsW(x), DescrStatsW(y))
    statistic, p, df = both.ttest_ind(usevar="unequal")
    low, high = both.tconfint_diff(usevar="unequal")
    assert (row.statistic, row.p_value, row.df) == pytest.approx((statistic, p, df), rel=1e-10)
    assert (row.ci_low, row.ci_high) == pytest.approx((low, high), rel=1e-10)
    assert (row.mean, row.mean_control, row.n, row.n_control) == (
        pytest.approx(x.mean()),
        pytest.approx(y.mean()),
        80,
        130,
    )
    assert row.lift == pytest.approx((x.mean() - y.mean()) / y.mean())
    assert row.chance_to_beat == pytest.approx(1 - stats.t.sf(statistic, df))
    assert row.test == "welch"


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(
    "typed,control", [((11.2, 3.1, 2158), (10.9, 2.8, 10)), ((0.52, 0.2, 40), (0.41, 0.31, 60))]
)
def test_typed_means_give_what_scipy_gives(typed, control, confidence):
    arms = [
        TypedArm(name, n, mean=mean, standard_deviation=deviation)
        for name, (mean, deviation, n) in (("B", typed), ("A", control))
    ]
    row = compare_means(arms, "A", alpha=1 - confidence).rows[0]
    test = stats.ttest_ind_from_stats(*typed, *control, equal_var=False)
    assert (row.statistic, row.p_value) == pytest.approx((test.statistic, test.pvalue))
    variances = [deviation**2 / n for _, deviation, n in (typed, control)]
    df = sum(variances) ** 2 / sum(
        v**2 / (n - 1) for v, n in zip(variances, (typed[2], control[2]), strict=True)
    )
    half = stats.t.ppf(0.5 + confidence / 2, df) * np.sqrt(sum(variances))
    assert row.df == pytest.approx(df)
    assert (row.ci_low, row.ci_high) == pytest.approx((row.difference - half, row.difference + half))


def test_a_printout_of_r_can_be_checked():
    """R's t.test(extra ~ group) on its own data set sleep: t = 1.8608, df = 17.776, p = .07939."""
    arms = [
        TypedArm("2", 10, mean=2.33, standard_deviation=2.002249),
        TypedArm("1", 10, mean=0.75, standard_deviation=1.78901),
    ]
    row = compare_means(arms, "1").rows[0]
    assert (round(row.statistic, 4), round(row.df, 3), round(row.p_value, 5)) == (1.8608, 17.776, 0.07939)
    assert (row.ci_low, row.ci_high) == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)


def test_proportion_is_the_score_test():
    row = compare_counts([TypedArm("B", 3568, 462), TypedArm("A", 3662, 378)], "A").rows[0]
    test = proportion.test_proportions_2indep(462, 3568, 378, 3662, method="score", correction=True)
    assert (row.statistic, row.p_value) == pytest.approx((test.statistic, test.pvalue))
    ratio = proportion.confint_proportions_2indep(
        462, 3568, 378, 3662, compare="ratio", method="score", correction=True
    )
    assert (row.lift_ci_low, row.lift_ci_high) == pytest.approx(np.array(ratio) - 1, abs=1e-6)
    # of the difference statsmodels 0.15.0 has no right answer: see tests/stats/test_proportions.py
    limits = miettinen_nurminen(462, 3568, 378, 3662, 0.95)
    assert (row.ci_low, row.ci_high) == pytest.approx(limits)
    assert (row.test, row.df) == ("score", None)


def ols(values, clusters=None):
    """Ordinary least squares of stacked values on 1 and the arm, with cluster-robust errors."""
    y = np.concatenate([values["A"], values["B"]])
    arm = np.repeat([0.0, 1.0], [len(values["A"]), len(values["B"])])
    groups = np.concatenate([clusters["A"], clusters["B"]])
    return sm.OLS(y, sm.add_constant(arm)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)


def cr2_by_matrices(values, clusters):
    """Difference, standard error and p-value by CR2 as Bell and McCaffrey define it, cluster by cluster."""
    y = np.concatenate([values["A"], values["B"]])
    arm = np.repeat([0, 1], [len(values["A"]), len(values["B"])])
    groups = np.concatenate([clusters["A"], clusters["B"]])
    design = np.column_stack([arm == 0, arm == 1]).astype(float)
    inner = np.linalg.inv(design.T @ design)
    means = inner @ design.T @ y
    residuals, hat = y - design @ means, design @ inner @ design.T
    parts, scores = [], []
    for cluster in np.unique(groups):
        own = groups == cluster
        roots, vectors = np.linalg.eigh(np.eye(own.sum()) - hat[np.ix_(own, own)])
        mended = design[own].T @ vectors @ np.diag(roots**-0.5) @ vectors.T
        scores.append(inner @ mended @ residuals[own])
        parts.append(inner @ mended @ (np.eye(len(y)) - hat)[own])
    covariance, table = np.array(scores).T @ np.array(scores), np.array(parts)
    # units of each arm as variable as its own estimate says
    unit = [covariance[a, a] / (table[:, a][:, arm == a] ** 2).sum() for a in (0, 1)]
    scaled = (table[:, 1] - table[:, 0]) * np.sqrt(np.where(arm == 0, unit[0], unit[1]))
    matrix = scaled @ scaled.T
    df = np.trace(matrix) ** 2 / np.trace(matrix @ matrix)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    gap = means[1] - means[0]
    return gap, error, df, 2 * stats.t.sf(abs(gap) / error, df)


@pytest.mark.parametrize("shared", [False, True])
def test_many_clusters_are_those_of_statsmodels(rng, shared):
    clusters = {"A": rng.integers(0, 60, 300), "B": rng.integers(0, 60, 340) + (0 if shared else 100)}
    effect = rng.normal(0, 1, 200)
    values = {arm: rng.normal(5, 1, len(own)) + effect[own] for arm, own in clusters.items()}
    row = one("mean", values, clusters=clusters).rows[0]
    fit = ols(values, clusters)
    assert row.difference == pytest.approx(fit.params[1])
    assert row.standard_error == pytest.approx(fit.bse[1], rel=1e-10)
    assert row.df == fit.df_resid_inference
    assert row.p_value == pytest.approx(fit.pvalues[1])
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(fit.conf_int()[1]))


@pytest.mark.parametrize("shared", [False, True])
def test_few_clusters_are_cr2_and_close_to_statsmodels(rng, shared):
    clusters = {"A": rng.integers(0, 12, 300), "B": rng.integers(0, 12, 340) + (0 if shared else 100)}
    effect = rng.normal(0, 1, 200)
    values = {arm: rng.normal(5, 1, len(own)) + effect[own] for arm, own in clusters.items()}
    row = one("mean", values, clusters=clusters).rows[0]
    fit = ols(values, clusters)
    gap, error, df, p = cr2_by_matrices(values, clusters)
    assert row.difference == pytest.approx(fit.params[1]) == pytest.approx(gap)
    assert (row.standard_error, row.df, row.p_value) == pytest.approx((error, df, p))
    # statsmodels has CR1 with clusters - 1 degrees of freedom: too sure of itself, and nearly the same with many
    assert fit.bse[1] < row.standard_error < 1.1 * fit.bse[1]
    assert row.df < fit.df_resid_inference
    assert row.test == "cluster-robust t"


def test_a_clustered_share_is_tested_between_clusters(rng):
    clusters = {"A": np.repeat(np.arange(40), 10), "B": np.repeat(np.arange(40, 80), 10)}
    chance = rng.beta(2, 4, 80)
    values = {arm: (rng.random(len(own)) < chance[own]).astype(float) for arm, own in clusters.items()}
    row = one("proportion", values, clusters=clusters).rows[0]
    fit = ols(values, clusters)
    assert (row.standard_error, row.p_value) == pytest.approx((fit.bse[1], fit.pvalues[1]))
    plain = one("proportion", values).rows[0]
    assert plain.standard_error < row.standard_error


def test_ratio_is_the_delta_method_and_nearly_cluster_robust_least_squares(rng):
    """A ratio of sums over users is the mean over rows, with rows in clusters by user."""
    values, rows, users = {}, {}, {}
    for start, arm in ((0, "A"), (10_000, "B")):
        sizes = rng.poisson(4, 400) + 1
        own = rng.normal(0, 1, 400)
        rows[arm] = rng.normal(2, 1, sizes.sum()) + np.repeat(own, sizes)
        users[arm] = np.repeat(np.arange(400), sizes) + start
        sums = np.bincount(users[arm] - start, rows[arm])
        values[arm] = np.column_stack([sums, sizes])
    row = one("ratio", values).rows[0]
    variances = []
    for table in values.values():
        (numerator, denominator), covariance = table.mean(axis=0), np.cov(table.T)
        ratio = numerator / denominator
        unit = covariance[0, 0] - 2 * ratio * covariance[0, 1] + ratio**2 * covariance[1, 1]
        variances.append(unit / denominator**2 / len(table))
    assert row.standard_error == pytest.approx(np.sqrt(sum(variances)))
    fit = ols(rows, users)
    assert row.difference == pytest.approx(fit.params[1])
    assert row.standard_error == pytest.approx(fit.bse[1], rel=2e-3)
    assert row.test == "delta welch"


def test_a_ratio_in_clusters_is_least_squares_on_its_rows(rng):
    """Users in households: rows of the same household are one cluster whichever user they belong to."""
    values, rows, homes, home_of_user = {}, {}, {}, {}
    effect = rng.normal(0, 1, 60)
    for arm in "AB":
        sizes = rng.poisson(4, 500) + 1
        home_of_user[arm] = rng.integers(0, 60, 500)
        homes[arm] = np.repeat(home_of_user[arm], sizes)
        rows[arm] = rng.normal(2, 1, sizes.sum()) + effect[homes[arm]]
        values[arm] = np.column_stack([np.bincount(np.repeat(np.arange(500), sizes), rows[arm]), sizes])
    row = one("ratio", values, clusters=home_of_user).rows[0]
    fit = ols(rows, homes)
    units, lines = 1000, sum(map(len, rows.values()))
    factor = np.sqrt((units - 1) / (units - 2) * (lines - 2) / (lines - 1))
    assert row.standard_error == pytest.approx(fit.bse[1] * factor, rel=1e-9)
    assert row.df == 59


def test_cuped_is_its_formula(rng):
    before = {"A": rng.gamma(2, 1, 300), "B": rng.gamma(2, 1, 250)}
    values = {arm: 3 * x + rng.normal(0, 1, len(x)) + (arm == "B") for arm, x in before.items()}
    row = one("mean", values, covariate=before).rows[1]
    y, x = (np.concatenate([part["A"], part["B"]]) for part in (values, before))
    theta = np.cov(y, x)[0, 1] / np.var(x, ddof=1)
    adjusted = {arm: values[arm] - theta * (before[arm] - x.mean()) for arm in values}
    test = stats.ttest_ind(adjusted["B"], adjusted["A"], equal_var=False)
    limits = test.confidence_interval()
    assert row.method == "cuped"
    assert (row.mean, row.mean_control) == pytest.approx((adjusted["B"].mean(), adjusted["A"].mean()))
    assert (row.statistic, row.df, row.p_value) == pytest.approx((test.statistic, test.df, test.pvalue))
    assert (row.ci_low, row.ci_high) == pytest.approx((limits.low, limits.high))
    assert row.lift == pytest.approx(row.difference / adjusted["A"].mean())


def test_cuped_is_nearly_least_squares_with_the_covariate(rng):
    before = {"A": rng.normal(0, 1, 3000), "B": rng.normal(0, 1, 3000)}
    values = {arm: 10 + 2 * x + rng.normal(0, 1, 3000) + 0.1 * (arm == "B") for arm, x in before.items()}
    row = one("mean", values, covariate=before).rows[1]
    y, x = (np.concatenate([part["A"], part["B"]]) for part in (values, before))
    regressors = np.column_stack([np.ones(6000), np.repeat([0.0, 1.0], 3000), x])
    fit = sm.OLS(y, regressors).fit()
    assert row.difference == pytest.approx(fit.params[1], rel=1e-2)
    assert row.standard_error == pytest.approx(fit.bse[1], rel=1e-2)


@pytest.mark.parametrize("number", [8, 60])
def test_cuped_in_clusters_is_that_of_adjusted_values(rng, number):
    clusters = {arm: rng.integers(0, number, 400) for arm in "AB"}
    before = {arm: rng.normal(0, 1, 400) for arm in "AB"}
    values = {arm: 10 + 2 * before[arm] + rng.normal(0, 1, 400) for arm in "AB"}
    row = one("mean", values, clusters=clusters, covariate=before).rows[1]
    y, x = (np.concatenate([part["A"], part["B"]]) for part in (values, before))
    theta = np.cov(y, x)[0, 1] / np.var(x, ddof=1)
    adjusted = {arm: values[arm] - theta * before[arm] for arm in "AB"}
    fit = ols(adjusted, clusters)
    usual = fit.params[1], fit.bse[1], float(number - 1), fit.pvalues[1]
    found = cr2_by_matrices(adjusted, clusters) if number < 30 else usual
    assert (row.difference, row.standard_error, row.df, row.p_value) == pytest.approx(found)


def test_cuped_of_a_ratio_is_cuped_of_its_linearised_units(rng):
    values, before = {}, {}
    for arm in "AB":
        size, own = rng.poisson(5, 600) + 1.0, rng.normal(2, 0.5, 600)
        earlier = rng.poisson(5, 600) + 1.0
        values[arm] = np.column_stack([own * size + rng.normal(0, 1, 600), size])
        before[arm] = np.column_stack([own * earlier + rng.normal(0, 1, 600), earlier])

    def linear(table, centre):
        mean = table.mean(axis=0)
        ratio = mean[0] / mean[1]
        return (table[:, 0] - ratio * table[:, 1]) / mean[1] + ratio - centre

    row = one("ratio", values, covariate=before).rows[1]
    all_y, all_x = (np.vstack([part["A"], part["B"]]) for part in (values, before))
    y, x = linear(all_y, 0), linear(all_x, 0)
    theta = np.cov(y, x)[0, 1] / np.var(x, ddof=1)
    adjusted = {arm: linear(values[arm], 0) - theta * linear(before[arm], x.mean()) for arm in "AB"}
    test = stats.ttest_ind(adjusted["B"], adjusted["A"], equal_var=False)
    assert (row.statistic, row.df) == pytest.approx((test.statistic, test.df))
    assert row.standard_error < one("ratio", values).rows[0].standard_error
    assert row.test == "delta welch"
