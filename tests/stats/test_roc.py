"""ROC area: scikit-learn's value, DeLong's variance, coverage of the interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from analytics.stats import blocks, roc


def _counts(
    score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    w = np.ones(len(score)) if weight is None else weight
    values, position = np.unique(score, return_inverse=True)
    return (
        np.bincount(position, w * label, values.size),
        np.bincount(position, w * (1 - label), values.size),
    )


def _sample(seed: int, n: int = 200, decimals: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.3).astype(int)
    return np.round(rng.normal(size=n) + label, decimals), label


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_area_matches_sklearn_with_ties_and_weights(decimals: int) -> None:
    score, label = _sample(1, decimals=decimals)
    weight = np.random.default_rng(2).uniform(0.2, 5, size=label.size)
    assert roc.auc(*_counts(score, label)) == pytest.approx(metrics.roc_auc_score(label, score), abs=1e-12)
    weighted = metrics.roc_auc_score(label, score, sample_weight=weight)
    assert roc.auc(*_counts(score, label, weight)) == pytest.approx(weighted, abs=1e-12)


def test_variance_is_that_of_delong() -> None:
    """Against the definition: placements computed pair by pair."""
    score, label = _sample(3)
    high, low = score[label == 1], score[label == 0]
    pairs = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    expected = pairs.mean(axis=1).var(ddof=1) / high.size + pairs.mean(axis=0).var(ddof=1) / low.size
    estimate = roc.delong(*_counts(score, label))
    assert estimate.auc == pytest.approx(pairs.mean())
    assert estimate.variance == pytest.approx(expected, rel=1e-12)


def test_constant_weights_change_nothing() -> None:
    pos, neg = _counts(*_sample(4))
    plain, heavy = roc.delong(pos, neg), roc.delong(3 * pos, 5 * neg, 9 * pos, 25 * neg)
    assert heavy.auc == pytest.approx(plain.auc)
    assert heavy.variance == pytest.approx(plain.variance)


def test_cells_are_vectorised() -> None:
    pairs = [_counts(*_sample(seed, decimals=0)) for seed in (5, 6)]
    width = max(len(pos) for pos, _ in pairs)
    pos = np.array([np.pad(p, (0, width - len(p))) for p, _ in pairs])
    neg = np.array([np.pad(n, (0, width - len(n))) for _, n in pairs])
    together = roc.delong(pos, neg)
    for i, (one_pos, one_neg) in enumerate(pairs):
        assert together.auc[i] == pytest.approx(roc.auc(one_pos, one_neg))
        assert together.variance[i] == pytest.approx(roc.delong(one_pos, one_neg).variance)


@given(
    pos=st.lists(st.integers(0, 5), min_size=3, max_size=8),
    seed=st.integers(0, 1000),
)
def test_influences_sum_to_zero_and_predict_the_change(pos: list[int], seed: int) -> None:
    positives = np.array([*pos, 3.0])
    negatives = np.random.default_rng(seed).integers(0, 5, size=positives.size) + 0.5
    influence = roc.placements(positives, negatives)
    assert positives @ influence.positive == pytest.approx(0, abs=1e-9)
    assert negatives @ influence.negative == pytest.approx(0, abs=1e-9)
    step = 1e-6
    for k in range(positives.size):
        more = np.eye(positives.size)[k] * step
        gain = (roc.auc(positives + more, negatives) - roc.auc(positives - more, negatives)) / (2 * step)
        assert influence.positive[k] == pytest.approx(gain, abs=1e-6)
        loss = (roc.auc(positives, negatives + more) - roc.auc(positives, negatives - more)) / (2 * step)
        assert influence.negative[k] == pytest.approx(loss, abs=1e-6)


def test_empty_class_has_no_area() -> None:
    estimate = roc.delong([0, 0], [3, 1])
    assert np.isnan(estimate.auc)
    assert np.isnan(estimate.variance)
    assert np.isnan(roc.delong([1, 0], [3, 1]).variance), "one positive tells nothing about their spread"


def test_curve_matches_sklearn() -> None:
    score, label = _sample(7, decimals=1)
    fpr, tpr, _ = metrics.roc_curve(label, score, drop_intermediate=False)
    curve = roc.roc_curve(*_counts(score, label))
    assert curve.false_positive_rate == pytest.approx(fpr)
    assert curve.true_positive_rate == pytest.approx(tpr)


def test_interval_is_delong_on_the_logit_for_large_samples() -> None:
    low, high = roc.auc_interval(0.8, 1e-5, 2e6, 3e6, 0.95)
    half = 1.959964 * np.sqrt(1e-5) / 0.16
    expected = 1 / (1 + np.exp(-(np.log(4) + np.array([-half, half]))))
    assert [float(low), float(high)] == pytest.approx(expected, abs=1e-5)


def test_exact_bounds_where_nothing_varies() -> None:
    low, high = roc.auc_interval([1.0, 0.0, 0.5], 0.0, 20, 500, 0.95)
    bound = 0.025 ** (1 / 20)
    assert low == pytest.approx([bound, 0, bound / 2])
    assert high == pytest.approx([1, 1 - bound, 1 - bound / 2])


@pytest.mark.statistical
@pytest.mark.parametrize("k", [10, 25])
def test_chance_of_separation_never_exceeds_the_bound(k: int) -> None:
    """At the limit AUC, the least favourable scores separate with chance alpha / 2, others more rarely."""
    rng, draws, others = np.random.default_rng(8), 4000, 40
    bound = 0.025 ** (1 / k)
    negatives = rng.random((draws, others))
    worst = np.where(rng.random((draws, k)) < bound, 2.0, -1.0)
    assert np.mean(worst.min(axis=1) > negatives.max(axis=1)) == pytest.approx(0.025, abs=0.008)
    shift = np.sqrt(2) * stats.norm.ppf(bound)
    normal = rng.normal(size=(draws, k)) + shift
    assert np.mean(normal.min(axis=1) > rng.normal(size=(draws, others)).max(axis=1)) <= 0.025


@pytest.mark.statistical
@pytest.mark.parametrize(
    "n,prevalence", [(40, 0.5), (100, 0.1), (500, 0.05), (1000, 0.02), (2000, 0.3), (5000, 0.01)]
)
def test_interval_coverage(n: int, prevalence: float) -> None:
    """Measured: .93 to .99 in every cell, mean .96 (from 10 positives, AUC .64 to .998)."""
    rng, draws = np.random.default_rng(9), 400
    for shift in (0.5, 1.0, 2.0, 3.0, 4.0):
        label = rng.random((draws, n)) < prevalence
        label = label[label.sum(axis=1) >= 10]
        score = rng.normal(size=label.shape) + shift * label
        ordered = np.take_along_axis(label, np.argsort(score, axis=1), axis=1).astype(float)
        m = ordered.sum(axis=1)
        low, high = roc.auc_interval(*roc.delong(ordered, 1 - ordered), m, n - m, 0.95)
        truth = stats.norm.cdf(shift / np.sqrt(2))
        assert np.mean((low <= truth) & (truth <= high)) >= 0.92


@pytest.mark.statistical
def test_block_variance_restores_coverage_for_correlated_days() -> None:
    """Days share a shift of score and prevalence: intervals for independent rows cover far too little."""
    rng, draws, days, rows = np.random.default_rng(10), 400, 25, 80
    edges = np.linspace(-6, 7, 201)

    def day_counts(size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        mood = rng.normal(size=(*size, 1))
        label = rng.random((*size, rows)) < 1 / (1 + np.exp(1.2 - mood))
        score = rng.normal(size=label.shape) + label + 0.5 * mood
        position = np.clip(np.searchsorted(edges, score), 1, 200) - 1
        flat = position + 200 * np.arange(np.prod(size)).reshape(*size, 1)
        shape = (*size, 200)
        bins = int(np.prod(shape))
        pos = np.bincount(flat.ravel(), label.ravel(), bins).reshape(shape)
        return pos, np.bincount(flat.ravel(), ~label.ravel(), bins).reshape(shape)

    truth = float(roc.auc(*(side.sum(axis=0) for side in day_counts((20_000,)))))
    pos, neg = day_counts((draws, days))
    total_pos, total_neg = pos.sum(axis=1), neg.sum(axis=1)
    area, row_variance = roc.delong(total_pos, total_neg)
    influence = roc.placements(total_pos, total_neg)
    totals = (pos * influence.positive[:, None] + neg * influence.negative[:, None]).sum(axis=-1)
    between = blocks.block_variance(totals.T)
    covered = []
    for i in range(draws):
        chosen = blocks.largest_variance(float(row_variance[i]), None, float(between[i]), days, 0)
        m, n = total_pos[i].sum(), total_neg[i].sum()
        plain = roc.auc_interval(area[i], row_variance[i], m, n, 0.95)
        honest = roc.auc_interval(area[i], chosen.variance, m, n, 0.95, chosen.df)
        covered.append([limits.low <= truth <= limits.high for limits in (plain, honest)])
    plain_share, honest_share = np.mean(covered, axis=0)
    assert plain_share < 0.85
    assert honest_share >= 0.92
