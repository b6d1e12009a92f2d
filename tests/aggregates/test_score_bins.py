"""What score bins cost AUC and average precision, at base rates from .1 % to 50 %."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from analytics.aggregates.edges import score_edges
from analytics.aggregates.scores import EVERY, ScoreHistogram
from analytics.measures.ranking import ranking_estimates

N = 400_000


def _histogram(score, label, every):
    edges = score_edges()[every - 1 :: every]
    keys, place = np.unique(np.searchsorted(edges, score, side="right"), return_inverse=True)
    where, inverse = np.unique(label * len(keys) + place, return_inverse=True)
    n = np.bincount(inverse).astype(float)
    low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.minimum.at(low, place, score)
    np.maximum.at(high, place, score)
    nothing = np.zeros(len(where), dtype=np.int64)
    sums = np.stack([n, n, n, np.bincount(inverse, score)])
    return ScoreHistogram(
        keys.astype(float), low, high, False, np.zeros(1, np.int64), nothing, where // len(keys),
        where % len(keys), sums, every,
    )  # fmt: skip


def _drawn(base, separation, seed=1):
    """Scores that mean what they say, of classes that lie so far apart in log-odds."""
    draw = np.random.default_rng(seed)
    label = (draw.random(N) < base).astype(np.int64)
    logit = draw.normal(label * separation, separation**0.5 + 0.2)
    return np.clip(expit(logit - separation / 2 + np.log(base / (1 - base))), 0, 1), label


@pytest.mark.statistical
@pytest.mark.parametrize("separation", [0.5, 3.0])
@pytest.mark.parametrize("base", [0.001, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("every, close", [(1, 1e-3), (EVERY, 1.5e-3)])
def test_bins_keep_auc_and_average_precision(base, separation, every, close):
    score, label = _drawn(base, separation)
    area, average = ranking_estimates(_histogram(score, label, every))
    truth = roc_auc_score(label, score), average_precision_score(label, score)
    assert area.value == pytest.approx(truth[0], abs=close)
    # what their own intervals leave open is far more
    for estimate, true in zip((area, average), truth, strict=True):
        low, high, _ = estimate.interval(0.95)
        assert abs(estimate.value - true) < (high - low) / 12


def test_coarser_bins_are_those_of_fewer_edges():
    score, label = _drawn(0.1, 1.0)
    fine, coarse = _histogram(score, label, 1).coarser(EVERY), _histogram(score, label, EVERY)
    np.testing.assert_array_equal(fine.keys, coarse.keys)
    for name in ("counts", "weights", "squares", "low", "high"):
        np.testing.assert_array_equal(getattr(fine, name), getattr(coarse, name))
    np.testing.assert_allclose(fine.scores, coarse.scores)


def test_a_slice_in_fewer_bins_is_taken_from_the_whole_in_more():
    score, label = _drawn(0.2, 1.0)
    inside = np.arange(N) % 3 == 0
    rest = _histogram(score, label, 1) - _histogram(score[inside], label[inside], EVERY)
    expected = _histogram(score[~inside], label[~inside], EVERY)
    assert rest.every == EVERY
    np.testing.assert_array_equal(rest.counts.sum(axis=1), expected.counts.sum(axis=1))
    assert ranking_estimates(rest)[0].value == pytest.approx(ranking_estimates(expected)[0].value, abs=1e-9)
