"""CR1: the numbers of statsmodels for the regression on the arm, with and without arms mixed in a cluster."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analytics.stats import means
from analytics.stats.cluster_robust import cr1, cr2
from analytics.stats.intervals import normal_quantile


def units(seed, mixed, clusters=25, rows=400):
    """Values, arm (1, 0) and cluster of units with effects of their clusters."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, rows)
    arm = rng.integers(0, 2, rows) if mixed else (cluster % 2)
    y = (
        10
        + rng.normal(0, 1, clusters)[cluster]
        + rng.normal(0, 0.5, clusters)[cluster] * arm
        + rng.normal(size=rows)
    )
    return y, arm, cluster


def by_cluster(y, arm, cluster):
    """What `cr1` takes, control last."""
    counts, sums = np.zeros((2, cluster.max() + 1, 2))
    for column, one in enumerate((1, 0)):
        mine = arm == one
        counts[:, column] = np.bincount(cluster[mine], minlength=len(counts))
        sums[:, column] = np.bincount(cluster[mine], y[mine] - y[mine].mean(), len(counts))
    return counts, sums


@pytest.mark.parametrize("mixed", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_matches_statsmodels(mixed, seed):
    y, arm, cluster = units(seed, mixed)
    fit = sm.OLS(y, sm.add_constant(arm)).fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True)
    v = cr1(*by_cluster(y, arm, cluster))
    error = np.sqrt(v[0, 0] + v[1, 1] - 2 * v[0, 1])
    assert error == pytest.approx(fit.bse[1])
    assert v[1, 1] == pytest.approx(fit.cov_params()[0, 0])
    assert v[0, 1] - v[1, 1] == pytest.approx(fit.cov_params()[0, 1])
    assert (v == v.T).all()
    assert (v[0, 1] == 0) == (not mixed)
    groups = len(np.unique(cluster))
    test = means.t_test(y[arm == 1].mean() - y[arm == 0].mean(), error, groups - 1)
    assert (test.statistic, test.p_value) == pytest.approx((fit.tvalues[1], fit.pvalues[1]))
    low, high = means.t_interval(test.difference, error, groups - 1, 0.95)
    assert (low, high) == pytest.approx(tuple(fit.conf_int()[1]))
    lift = means.fieller(
        y[arm == 1].mean(), y[arm == 0].mean(), v[0, 0], v[1, 1], v[0, 1], normal_quantile(0.95, groups - 1)
    )
    assert (lift.low > 0, lift.high < 0) == (low > 0, high < 0)


def test_clusters_of_one_unit_are_the_heteroscedastic_variance():
    y, arm, _ = units(3, mixed=True)
    v = cr1(*by_cluster(y, arm, np.arange(y.size)))
    expected = sm.OLS(y, sm.add_constant(arm)).fit(cov_type="HC1").bse[1] ** 2
    assert v[0, 0] + v[1, 1] == pytest.approx(expected)
    assert v[0, 1] == 0


def test_clusters_without_units_do_not_count_and_stacks_agree():
    tables = [by_cluster(*units(seed, mixed=True)) for seed in (4, 5)]
    counts, sums = (np.stack(part) for part in zip(*tables, strict=True))
    together = cr1(counts, sums)
    for i in range(2):
        assert together[i] == pytest.approx(cr1(counts[i], sums[i]))
        padded = [np.concatenate([part, np.zeros((7, 2))]) for part in (counts[i], sums[i])]
        assert cr1(*padded) == pytest.approx(together[i])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "counts",
    [[[5, 5]], [[5, 5], [0, 0]], [[5, 0], [4, 0]], [[1, 0], [0, 1]], np.zeros((0, 2)), [[0, 0], [0, 0]]],
)
def test_too_little_gives_nan(counts):
    assert np.isnan(cr1(counts, np.zeros(np.shape(counts)))).all()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="shape"):
        cr1([[1, 2, 3]], [[0, 0, 0]])
    with pytest.raises(ValueError, match="shape"):
        cr1([[1, 2]], [[0, 0], [0, 0]])


def test_variance_is_that_of_repeated_experiments():
    """Whole clusters in one arm: the variance by units is far too small, CR1 is near the truth."""
    differences, robust, naive = [], [], []
    for seed in range(300):
        y, arm, cluster = units(seed, mixed=False, clusters=40)
        v = cr1(*by_cluster(y, arm, cluster))
        differences.append(y[arm == 1].mean() - y[arm == 0].mean())
        robust.append(v[0, 0] + v[1, 1])
        naive.append(stats.ttest_ind(y[arm == 1], y[arm == 0], equal_var=False)._standard_error ** 2)
    truth = np.var(differences, ddof=1)
    assert np.mean(robust) / truth == pytest.approx(1, abs=0.25)
    assert np.mean(naive) / truth < 0.4


def _by_matrices(
    group: np.ndarray, arm: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CR2 as it is defined: residuals of each cluster times (I - H)^(-1/2); and the clusters' parts of the contrast."""
    design = np.column_stack([arm == 0, arm == 1]).astype(float)
    inner = np.linalg.inv(design.T @ design)
    residuals = y - design @ (inner @ design.T @ y)
    hat = design @ inner @ design.T
    meat, parts = np.zeros((2, 2)), []
    for cluster in np.unique(group):
        rows = group == cluster
        roots, vectors = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        mend = vectors @ np.diag(1 / np.sqrt(roots)) @ vectors.T
        score = design[rows].T @ mend @ residuals[rows]
        meat += np.outer(score, score)
        parts.append((np.eye(len(y)) - hat)[:, rows] @ mend @ design[rows] @ inner)
    return inner @ meat @ inner, np.array(parts), hat


def test_cr2_is_what_its_definition_says() -> None:
    rng = np.random.default_rng(1)
    group, arm = rng.integers(0, 9, 60), rng.integers(0, 2, 60)
    y = rng.normal(size=60) * (1 + arm) + group * 0.3
    of = [[(group == k) & (arm == a) for a in (0, 1)] for k in range(9)]
    means = [y[arm == a].mean() for a in (0, 1)]
    counts = np.array([[rows.sum() for rows in both] for both in of])
    sums = np.array([[(y[both[a]] - means[a]).sum() for a in (0, 1)] for both in of])
    found = cr2(counts, sums, np.eye(2))
    covariance, parts, _ = _by_matrices(group, arm, y)
    assert found.covariance == pytest.approx(covariance)
    # degrees of freedom with units of each arm as variable as its own estimate says
    unit = np.diag(covariance) / np.array([parts[:, arm == a, a].__pow__(2).sum() for a in (0, 1)])
    scaled = (parts @ [1.0, -1.0]) * np.sqrt(np.where(arm == 0, unit[0], unit[1]))
    matrix = scaled @ scaled.T
    assert found.df == pytest.approx(np.trace(matrix) ** 2 / np.trace(matrix @ matrix))


def test_equal_clusters_in_one_arm_each_are_welch_on_their_means() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(10, 6)) + rng.normal(size=(10, 1))
    arm = np.arange(10) < 4
    counts = np.column_stack([np.where(arm, 6, 0), np.where(arm, 0, 6)])
    means = values[arm].mean(), values[~arm].mean()
    sums = np.column_stack(
        [np.where(arm, (values - means[0]).sum(axis=1), 0), np.where(arm, 0, (values - means[1]).sum(axis=1))]
    )
    found = cr2(counts, sums, np.eye(2))
    theirs = stats.ttest_ind(values[arm].mean(axis=1), values[~arm].mean(axis=1), equal_var=False)
    error = np.sqrt(np.trace(found.covariance))
    assert (means[0] - means[1]) / error == pytest.approx(theirs.statistic)
    assert found.df == pytest.approx(theirs.df)


def test_cells_of_strata_add() -> None:
    """Two strata with weights: variances of independent cells add with the squares of the weights."""
    sizes, cells = [3, 2, 3, 2, 4, 1, 2, 2], [0, 0, 1, 1, 2, 2, 3, 3]
    counts = np.zeros((8, 4))
    counts[np.arange(8), cells] = sizes
    sums = np.where(counts > 0, np.array([1, -1, 2, -2, 1, -1, 3, -3])[:, None], 0.0)
    whole = cr2(counts, sums, [[0.3, 0, 0.7, 0], [0, 0.3, 0, 0.7]]).covariance
    one = cr2(counts[:4, :2], sums[:4, :2], np.eye(2)).covariance
    two = cr2(counts[4:, 2:], sums[4:, 2:], np.eye(2)).covariance
    assert whole == pytest.approx(0.09 * one + 0.49 * two)


@pytest.mark.statistical
@pytest.mark.parametrize("clusters, most", [(6, 0.06), (10, 0.08), (20, 0.085), (30, 0.08)])
def test_size_with_few_clusters_of_unlike_size(clusters: int, most: float) -> None:
    """Whole clusters randomised, sizes log-normal, intra-cluster correlation .2: CR1 with G - 1 cries wolf."""
    rng = np.random.default_rng(clusters)
    ours = theirs = 0
    for _ in range(1500):
        sizes = np.maximum(rng.lognormal(2.5, 1.0, clusters), 1).astype(int)
        arm = rng.permutation(clusters) < clusters // 2
        counts = np.column_stack([np.where(arm, sizes, 0), np.where(arm, 0, sizes)]).astype(float)
        common = rng.normal(size=(clusters, 1)) * np.sqrt(0.2)
        total = counts * common + rng.normal(size=(clusters, 2)) * np.sqrt(counts * 0.8)
        mean = total.sum(axis=0) / counts.sum(axis=0)
        sums, gap = total - counts * mean, mean[0] - mean[1]
        found = cr2(counts, sums, np.eye(2))
        ours += 2 * stats.t.sf(abs(gap) / np.sqrt(np.trace(found.covariance)), found.df) < 0.05
        theirs += 2 * stats.t.sf(abs(gap) / np.sqrt(np.trace(cr1(counts, sums))), clusters - 1) < 0.05
    assert ours / 1500 < most
    assert theirs > ours
