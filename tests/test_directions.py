"""Which way is better, for every word of the contract."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from analytics.directions import DIRECTIONS, direction, worse_by

CONTRACT = [
    "roc_auc", "average_precision", "log_loss", "brier_score", "expected_calibration_error", "accuracy",
    "balanced_accuracy", "precision", "recall", "specificity", "f1", "matthews_corrcoef", "prevalence",
    "mean_score", "decision_rate", "cost", "precision_macro", "recall_macro", "f1_macro",
    "roc_auc_macro", "top_2_accuracy", "mean_absolute_error", "root_mean_squared_error", "mean_error",
    "mean_absolute_percentage_error", "r2", "median_absolute_error", "mean_label", "mean_prediction",
    "request_rate", "error_rate", "latency_p50", "latency_p95", "latency_p99", "label_coverage",
    "label_delay_p50", "mean_squared_error", "mean_latency",
]  # fmt: skip

rng = np.random.default_rng(1)
LABEL = np.repeat([0, 1], 50)
GOOD, BAD = LABEL * 0.6 + 0.2, rng.random(100)
TRUE = rng.normal(10, 2, 100)


def test_every_word_has_a_direction():
    assert set(DIRECTIONS) == set(CONTRACT)


@pytest.mark.parametrize(
    "name,score",
    [
        ("roc_auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
        ("log_loss", metrics.log_loss),
        ("brier_score", metrics.brier_score_loss),
        ("accuracy", lambda y, p: metrics.accuracy_score(y, p > 0.5)),
        ("balanced_accuracy", lambda y, p: metrics.balanced_accuracy_score(y, p > 0.5)),
        ("precision", lambda y, p: metrics.precision_score(y, p > 0.5)),
        ("recall", lambda y, p: metrics.recall_score(y, p > 0.5)),
        ("f1", lambda y, p: metrics.f1_score(y, p > 0.5)),
        ("matthews_corrcoef", lambda y, p: metrics.matthews_corrcoef(y, p > 0.5)),
    ],
)
def test_random_scores_are_worse_than_good_ones(name, score):
    assert worse_by(name, score(LABEL, BAD), score(LABEL, GOOD)) > 0


@pytest.mark.parametrize(
    "name,score",
    [
        ("mean_absolute_error", metrics.mean_absolute_error),
        ("root_mean_squared_error", metrics.root_mean_squared_error),
        ("mean_absolute_percentage_error", metrics.mean_absolute_percentage_error),
        ("median_absolute_error", metrics.median_absolute_error),
        ("r2", metrics.r2_score),
        ("mean_error", lambda y, p: float((p - y).mean())),
    ],
)
def test_predictions_that_are_far_off_are_worse(name, score):
    assert worse_by(name, score(TRUE, TRUE - 5), score(TRUE, TRUE - 0.1)) > 0


def test_neither_way_is_worse_for_what_the_world_does():
    assert worse_by("prevalence", 0.9, 0.1) is None


def test_an_unknown_metric_is_a_mistake():
    with pytest.raises(KeyError):
        direction("acuracy")
