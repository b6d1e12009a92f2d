"""Seeded simulations of the statistics of experiments: size without an effect, coverage with one.

What Student's t loses on skewed values with a small arm is measured here too; `python -m
tests.statistical.test_experiment_methods` prints the table of docs/methods (about a minute).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from analytics.stats import means, proportions
from analytics.stats.cluster_robust import cr1
from analytics.stats.intervals import normal_quantile
from analytics.stats.permutation import studentised_permutation

pytestmark = pytest.mark.statistical
LARGE = 2158
CHUNK = 500

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def zero_inflated(rng, shape):
    """Nine of ten units spend nothing."""
    return np.where(rng.random(shape) < 0.1, rng.exponential(size=shape), 0.0)


DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "lognormal(0, 1)": lambda rng, shape: rng.lognormal(0, 1, shape),
    "lognormal(0, 2)": lambda rng, shape: rng.lognormal(0, 2, shape),
    "zero-inflated": zero_inflated,
}


class Arms(NamedTuple):
    """Mean, variance and n of many samples of one arm."""

    mean: np.ndarray
    variance: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, values):
        n = np.full(len(values), float(values.shape[1]))
        return cls(values.mean(axis=1), values.var(axis=1, ddof=1), n)


def sampled(draw: Draw, rng: np.random.Generator, replicates: int, n: int) -> Arms:
    parts = [Arms.of(draw(rng, (CHUNK, n))) for _ in range(replicates // CHUNK)]
    return Arms(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def within(rate, expected, replicates):
    """Four standard errors of a simulated rate."""
    return abs(rate - expected) < 4 * np.sqrt(expected * (1 - expected) / replicates)


SIZES = [(10, LARGE), (LARGE, 10), (30, 30), (400, 100)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("deviations", [(1.0, 1.0), (4.0, 1.0), (1.0, 4.0)])
def test_welch_and_fieller_cover_normal_data(sizes, deviations):
    """94 to 96 %, also with 2,158 units against 10 and unequal variances."""
    replicates, rng = 6000, np.random.default_rng([1, *sizes])
    means_of = (22.0, 20.0)
    arm, control = (
        sampled(lambda r, shape, m=m, s=s: r.normal(m, s, shape), rng, replicates, n)
        for m, s, n in zip(means_of, deviations, sizes, strict=True)
    )
    test = means.welch(*arm, *control)
    interval = means.t_interval(test.difference, test.standard_error, test.df, 0.95)
    assert 0.94 < np.mean((interval.low <= 2) & (interval.high >= 2)) < 0.96
    lift = means.fieller(
        arm.mean,
        control.mean,
        arm.variance / arm.n,
        control.variance / control.n,
        np.zeros(replicates),
        normal_quantile(0.95, test.df),
    )
    assert 0.94 < np.mean((lift.low <= 0.1) & (lift.high >= 0.1)) < 0.96


@pytest.mark.parametrize("sizes", SIZES)
def test_size_of_welch(sizes):
    replicates, rng = 6000, np.random.default_rng([2, *sizes])
    arm, control = (sampled(DISTRIBUTIONS["normal"], rng, replicates, n) for n in sizes)
    p = means.welch(*arm, *control).p_value
    for alpha in (0.01, 0.05, 0.2):
        assert within(np.mean(p < alpha), alpha, replicates), (alpha, np.mean(p < alpha))


def exact_rejections(n, n_control, share, alpha=0.05):
    """Probability that the score test rejects although both arms have this share: over all tables, no simulation."""
    from scipy import stats

    x, x_control = np.meshgrid(np.arange(n + 1.0), np.arange(n_control + 1.0), indexing="ij")
    mass = np.outer(stats.binom(n, share).pmf(x[:, 0]), stats.binom(n_control, share).pmf(x_control[0]))
    p = proportions.score_test(x, np.full(x.shape, n), x_control, np.full(x.shape, n_control)).p_value
    return mass[p < alpha].sum()


@pytest.mark.parametrize("sizes", [(400, 400), (1000, 1000), (2000, 300), (900, 100)])
@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
def test_size_of_the_score_test(sizes, share):
    """Exact, not simulated: 4.0 to 5.2 %; discrete counts cannot hit 5 % itself."""
    assert 0.039 < exact_rejections(*sizes, share) < 0.056


@pytest.mark.parametrize("sizes", [(10, 10), (10, 60), (30, 30)])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5])
def test_size_of_the_score_test_in_small_arms(sizes, share):
    assert exact_rejections(*sizes, share) < 0.065


@pytest.mark.parametrize("sizes", [(100, 100), (300, 50)])
@pytest.mark.parametrize("shares", [(0.1, 0.1), (0.25, 0.2), (0.9, 0.8), (0.04, 0.02)])
def test_intervals_of_proportions_cover(sizes, shares):
    replicates, rng = 20_000, np.random.default_rng(4)
    n, n_control = (np.full(replicates, float(size)) for size in sizes)
    x, x_control = (
        rng.binomial(size, share, replicates).astype(float) for size, share in zip(sizes, shares, strict=True)
    )
    low, high = proportions.miettinen_nurminen(x, n, x_control, n_control, 0.95)
    truth = shares[0] - shares[1]
    assert 0.935 < np.mean((low <= truth) & (high >= truth)) < 0.975
    low, high = proportions.koopman(x, n, x_control, n_control, 0.95)
    truth = shares[0] / shares[1]
    assert 0.935 < np.mean((low <= truth) & (high >= truth)) < 0.975


def clustered(rng, replicates, *, mixed, clusters=40, rows=20, arm_effect=0.0):
    """Counts and sums of values by cluster and arm; clusters differ, and (``arm_effect``) react differently."""
    shape = (replicates, clusters, rows)
    share = rng.uniform(0.2, 0.8, (replicates, clusters, 1))
    inside = (
        rng.random(shape) < share if mixed else np.broadcast_to(np.arange(clusters) % 2, shape[:2])[..., None]
    )
    arm = np.broadcast_to(inside, shape).astype(float)
    level = rng.normal(size=(replicates, clusters, 1)) + 5
    reaction = arm_effect * rng.normal(size=(replicates, clusters, 1))
    y = level + reaction * arm + rng.normal(size=shape)
    counts = np.stack([arm.sum(axis=2), (1 - arm).sum(axis=2)], axis=-1)
    sums = np.stack([(arm * y).sum(axis=2), ((1 - arm) * y).sum(axis=2)], axis=-1)
    return counts, sums, y, arm


def clustered_test(counts, sums):
    arm_means = sums.sum(axis=1) / counts.sum(axis=1)
    v = cr1(counts, sums - counts * arm_means[:, None, :])
    error = np.sqrt(v[:, 0, 0] + v[:, 1, 1] - 2 * v[:, 0, 1])
    df = np.full(len(error), counts.shape[1] - 1.0)
    return means.t_test(arm_means[:, 0] - arm_means[:, 1], error, df)


CLUSTERS = {
    "mixed": {"mixed": True},
    "mixed, clusters react differently": {"mixed": True, "arm_effect": 1.0},
    "whole clusters": {"mixed": False},
}


@pytest.mark.parametrize("case", list(CLUSTERS))
def test_size_of_cr1_with_forty_clusters(case):
    """Measured with 20,000 draws: 5.2 to 5.5 %; forgetting the clusters is far worse."""
    rng = np.random.default_rng(5)
    counts, sums, y, arm = clustered(rng, 4000, **CLUSTERS[case])
    size = np.mean(clustered_test(counts, sums).p_value < 0.05)
    assert 0.04 < size < 0.065, size
    if case != "mixed":
        total, rows = counts.sum(axis=1), (1, 2)
        arms = []
        for side, column in ((arm, 0), (1 - arm, 1)):
            mean = (side * y).sum(axis=rows) / total[:, column]
            squares = (side * np.square(y - mean[:, None, None])).sum(axis=rows)
            arms += [mean, squares / (total[:, column] - 1), total[:, column]]
        assert np.mean(means.welch(*arms).p_value < 0.05) > 2 * size


@pytest.mark.parametrize("small", [10, 50])
@pytest.mark.parametrize("name", ["exponential", "lognormal(0, 1)"])
def test_size_of_the_permutation_test(name, small):
    replicates, rng = 500, np.random.default_rng([6, small])
    draw = DISTRIBUTIONS[name]
    p = np.array(
        [
            studentised_permutation(draw(rng, (1, small))[0], draw(rng, (1, LARGE))[0], draws=399, seed=i)
            for i in range(replicates)
        ]
    )
    for alpha in (0.05, 0.2):
        assert within(np.mean(p <= alpha), alpha, replicates), (alpha, np.mean(p <= alpha))


class Shortfall(NamedTuple):
    """How often the 95 % t interval holds the true difference 0, and on which side it misses."""

    distribution: str
    n_small: int
    coverage: float
    too_low: float
    too_high: float
    not_computed: float


def shortfall(name: str, n_small: int, replicates: int, seed: int = 7) -> Shortfall:
    """Cover the difference of a small arm and 2,158 units, both of one skewed distribution.

    ``too_low``: the whole interval lies under the truth. An interval that cannot be computed counts as none.
    """
    draw, rng = DISTRIBUTIONS[name], np.random.default_rng([seed, n_small])
    test = means.welch(*sampled(draw, rng, replicates, n_small), *sampled(draw, rng, replicates, LARGE))
    low, high = means.t_interval(test.difference, test.standard_error, test.df, 0.95)
    known = ~np.isnan(low)
    return Shortfall(
        name,
        n_small,
        float(np.mean((low[known] <= 0) & (high[known] >= 0))),
        float(np.mean(high[known] < 0)),
        float(np.mean(low[known] > 0)),
        float(np.mean(~known)),
    )


@pytest.mark.parametrize("n_small", [10, 30])
@pytest.mark.parametrize("name", ["exponential", "lognormal(0, 1)", "lognormal(0, 2)", "zero-inflated"])
def test_t_falls_short_on_skewed_values_with_a_small_arm(name, n_small):
    """Why a warning and a permutation p-value stand in the record: the published shortfall is real."""
    found = shortfall(name, n_small, 3000)
    assert found.coverage < 0.93, found
    # the mean of a few skewed values is mostly too low, and then looks too certain
    assert found.too_low > 4 * found.too_high, found


@pytest.mark.parametrize("name", ["exponential", "normal"])
def test_t_recovers_with_three_hundred_units(name):
    assert shortfall(name, 300, 3000).coverage == pytest.approx(0.95, abs=0.015)


def table(replicates: int = 20_000) -> Iterator[Shortfall]:
    for name in DISTRIBUTIONS:
        for n_small in (10, 30, 100, 300):
            yield shortfall(name, n_small, replicates)


if __name__ == "__main__":
    print("| values | small arm | coverage | all too low | all too high |\n| --- | --: | --: | --: | --: |")
    for row in table():
        shares = " | ".join(f"{100 * share:.1f} %" for share in (row.coverage, row.too_low, row.too_high))
        print(f"| {row.distribution} | {row.n_small} | {shares} |")
