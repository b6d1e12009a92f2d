"""Reviews of a few rows: recall is no surer than the precision it follows from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binomtest, norm

from analytics.aggregates.decisions import DecisionScores
from analytics.quality.gain import found_among_few, review_share


def _scores(score: np.ndarray, label: np.ndarray) -> DecisionScores:
    order = np.argsort(score)
    one, zero = np.ones(len(score)), np.zeros(len(score), dtype=np.int64)
    return DecisionScores(
        score[order], 1, zero, label[order].astype(np.int64), zero, np.arange(len(score)), one, one, one,
        score[order], score[order],
    )  # fmt: skip


def _recall(scores: DecisionScores, share: float) -> tuple[float, float]:
    review = review_share(scores, None, share)
    assert review.precision is not None
    return found_among_few(review, review.recall.interval(0.95)[:2], review.precision.interval(0.95)[:2])


def test_eight_of_eight_positive_leave_recall_open() -> None:
    label = np.zeros(1600)
    label[-8:] = 1
    label[:1592:2] = 1
    low, high = _recall(_scores(np.arange(1600) / 1600, label), 0.005)
    value = 8 / label.sum()
    assert low == pytest.approx(value * binomtest(8, 8).proportion_ci(0.95, "exact").low, rel=1e-6)
    assert high >= value


def test_all_rows_reviewed_find_all() -> None:
    label = np.arange(200) % 30 == 0
    assert _recall(_scores(np.arange(200) / 200, label), 1.0) == (1.0, 1.0)


@pytest.mark.statistical
@pytest.mark.parametrize("share", [0.005, 0.01])
def test_coverage_of_the_top_few(share: float) -> None:
    """By variance alone 89 to 90 %."""
    grid = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    chance = expit(-1 + 1.5 * grid)
    true = chance[-round(share * 200_000) :].sum() / chance.sum()
    held = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        score = random.normal(size=1800)
        low, high = _recall(_scores(score, random.random(1800) < expit(-1 + 1.5 * score)), share)
        held.append(low <= true <= high)
    assert np.mean(held) >= 0.93
