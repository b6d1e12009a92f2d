"""CR1: the numbers of statsmodels for the regression on the arm, with and without arms mixed in a cluster."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analytics.stats import means
from analytics.stats.cluster_robust import cr1
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
