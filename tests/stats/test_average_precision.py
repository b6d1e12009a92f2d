"""Average precision: scikit-learn's value, shuffled ties, influences, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from analytics.stats import average_precision as ap


def _rows(seed: int, n: int = 300, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.2).astype(int)
    return rng.normal(size=n) + shift * label, label


def _binned(score: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, position = np.unique(score, return_inverse=True)
    return np.bincount(position, weight * label, values.size), np.bincount(
        position, weight * (1 - label), values.size
    )


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_step_matches_sklearn(decimals: int) -> None:
    score, label = _rows(1)
    score = score.round(decimals)
    weight = np.random.default_rng(2).uniform(0.5, 3, size=score.size)
    expected = metrics.average_precision_score(label, score)
    assert ap.average_precision(*_binned(score, label, np.ones(300))) == pytest.approx(expected, abs=1e-12)
    expected = metrics.average_precision_score(label, score, sample_weight=weight)
    assert ap.average_precision(*_binned(score, label, weight)) == pytest.approx(expected, abs=1e-12)


def test_shuffled_bin_is_the_sum_it_stands_for() -> None:
    pos, neg = np.array([2.0, 3.0, 0.0, 4.0]), np.array([7.0, 2.0, 5.0, 1.0])
    hits, alarms, total = 0.0, 0.0, 0.0
    for a, b in zip(pos[::-1], neg[::-1], strict=True):
        for k in range(1, int(a) + 1):
            total += (hits + k) / (hits + k + alarms + b * k / (a + 1))
        hits, alarms = hits + a, alarms + b
    assert ap.average_precision(pos, neg, "random") == pytest.approx(total / pos.sum(), rel=1e-12)
    heavier = ap.average_precision(3 * pos, 3 * neg, "random", pos_rows=pos)
    assert heavier == pytest.approx(total / pos.sum(), rel=1e-12), "weights of 3 change nothing"


def test_coarse_shuffled_bins_are_near_the_rows_where_steps_are_not() -> None:
    rng = np.random.default_rng(3)
    label = (rng.random(200_000) < 0.001).astype(int)
    score = np.clip(rng.beta(0.3, 40, size=label.size) + 0.05 * label * rng.random(label.size), 0, 1)
    exact = metrics.average_precision_score(label, score)
    edges = np.linspace(0, score.max(), 120)
    position = np.clip(np.searchsorted(edges, score), 1, 119) - 1
    pos, neg = np.bincount(position, label, 119), np.bincount(position, 1 - label, 119)
    assert ap.average_precision(pos, neg, "random") == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("ties", ["step", "random"])
def test_influence_is_the_derivative(ties: ap.Ties) -> None:
    pos, neg = np.array([20.0, 30.0, 60.0, 90.0]), np.array([400.0, 200.0, 100.0, 20.0])
    influence = ap.average_precision_influence(pos, neg, ties)
    assert pos @ influence.positive + neg @ influence.negative == pytest.approx(0, abs=1e-12)
    step = 1e-5
    scale = float(np.abs(influence.positive).max())
    tolerance = 1e-6 if ties == "step" else 0.05  # slices stand for an integral; positives count themselves
    for k in range(4):
        more = np.eye(4)[k] * step
        for cells, found in (
            ((pos + more, neg), influence.positive),
            ((pos, neg + more), influence.negative),
        ):
            change = (ap.average_precision(*cells, ties) - ap.average_precision(pos, neg, ties)) / step
            assert found[k] == pytest.approx(change, abs=tolerance * scale)


def test_variance_and_bias_agree_with_a_bootstrap() -> None:
    score, label = _rows(4, n=400)
    order = np.argsort(score)
    ordered = label[order].astype(float)
    estimate = ap.average_precision_estimate(ordered, 1 - ordered)
    times = np.random.default_rng(5).multinomial(400, np.full(400, 1 / 400), size=4000).astype(float)
    values = ap.average_precision(times * ordered, times * (1 - ordered))
    assert np.sqrt(estimate.variance) == pytest.approx(values.std(), rel=0.08)


def test_no_positives_no_value_and_separation_has_a_bound() -> None:
    assert np.isnan(ap.average_precision([0, 0], [1, 2]))
    low, high = ap.average_precision_interval(1.0, 0.0, [10, 200], [1000, 20], 0.95)
    assert high == pytest.approx(1)
    few_positives, few_negatives = 0.025 ** (1 / 10), 20 / 200 * (1 - 0.025 ** (1 / 20))
    assert low[0] < few_positives
    assert low[1] == pytest.approx(1 - few_negatives * np.log(1 + 1 / few_negatives))
    low, _ = ap.average_precision_interval(1.0, 0.0, 10, 20, 0.95)
    assert low < few_positives
    assert ap.average_precision_interval(1.0, 0.0, 1, 20, 0.95).low == pytest.approx(0.025)


def test_interval_holds_the_value_even_with_a_large_bias() -> None:
    low, high = ap.average_precision_interval([0.05, 0.5, 0.999], [1e-6, 0.01, 1e-9], 12, 80, 0.95, bias=0.04)
    assert (low <= [0.05, 0.5, 0.999]).all()
    assert (high >= [0.05, 0.5, 0.999]).all()
    assert (low > 0).all()


@pytest.mark.statistical
@pytest.mark.parametrize(
    "n,prevalence", [(100, 0.1), (100, 0.5), (500, 0.05), (1000, 0.02), (2000, 0.3), (5000, 0.01)]
)
def test_interval_coverage(n: int, prevalence: float) -> None:
    """Measured: .92 to .99, mean .955, from 10 positives on."""
    rng, draws = np.random.default_rng(6), 400
    grid = np.linspace(-8, 12, 40_001)
    for shift in (0.0, 0.5, 1.0, 2.0, 3.0):
        hits, alarms = prevalence * stats.norm.sf(grid, shift), (1 - prevalence) * stats.norm.sf(grid)
        truth = np.trapezoid(stats.norm.pdf(grid, shift) * hits / (hits + alarms), grid)
        label = rng.random((draws, n)) < prevalence
        label = label[label.sum(axis=1) >= 10]
        score = rng.normal(size=label.shape) + shift * label
        ordered = np.take_along_axis(label, np.argsort(score, axis=1), axis=1).astype(float)
        m = ordered.sum(axis=1)
        found = ap.average_precision_estimate(ordered, 1 - ordered)
        low, high = ap.average_precision_interval(
            found.value, found.variance, m, n - m, 0.95, bias=found.bias
        )
        assert np.mean((low <= truth) & (truth <= high)) >= 0.915


def test_a_bin_of_one_score_is_one_threshold():
    """Heavy ties in a large cell: the bins of a histogram that hold a single score are not shuffled."""
    rng = np.random.default_rng(5)
    label = rng.random(20_000) < 0.3
    score = np.clip(np.round(rng.normal(0.4 + 0.2 * label, 0.2), 1), 0, 1)
    scores, place = np.unique(score, return_inverse=True)
    pos, neg = (np.bincount(place[label == one], minlength=len(scores)) for one in (True, False))
    tied = np.ones(len(scores), dtype=bool)
    truth = metrics.average_precision_score(label, score)
    assert float(ap.average_precision(pos, neg, "random", tied=tied)) == pytest.approx(truth, abs=1e-12)
    assert abs(float(ap.average_precision(pos, neg, "random")) - truth) > 0.01
    for mixed, plain in zip(
        ap.average_precision_influence(pos, neg, "random", tied),
        ap.average_precision_influence(pos, neg, "step"),
        strict=True,
    ):
        np.testing.assert_allclose(mixed, plain)
    none = ap.average_precision_influence(pos, neg, "random", ~tied)
    np.testing.assert_allclose(none.positive, ap.average_precision_influence(pos, neg, "random").positive)
