"""How many more labels a share needs."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.measures.estimate import Estimate, missing
from analytics.measures.labels_needed import labels_needed
from analytics.stats.rare import share_interval


def share(value, n, effect=1.0, metric="accuracy"):
    return Estimate(metric, value, family="share", row_variance=effect * value * (1 - value) / n, size=n)


def half(value, n):
    low, high = share_interval(value, value * (1 - value) / n, n, 0.95)
    return (high - low) / 2


def test_so_many_more_make_it_narrow():
    more = labels_needed(share(0.7, 100), 100, 0.95)
    assert half(0.7, 100 + more) == pytest.approx(0.05, abs=0.001)


def test_narrow_enough_needs_none():
    assert labels_needed(share(0.7, 2_000), 2_000, 0.95) == 0


def test_a_recall_counts_its_positives_in_labels():
    # 50 positives among 1,000 labels: each more positive costs twenty labels
    of_positives = labels_needed(share(0.7, 50, metric="recall"), 50, 0.95)
    in_labels = labels_needed(share(0.7, 50, metric="recall"), 1_000, 0.95)
    assert in_labels == pytest.approx(20 * of_positives, abs=20)


def test_days_that_are_alike_ask_for_more():
    assert labels_needed(share(0.7, 500, effect=4.0), 500, 0.95) > 4 * 300 - 500
    totals = np.random.default_rng(1).normal(0, 0.02, 20)
    by_day = Estimate(
        "accuracy",
        0.7,
        family="share",
        row_variance=0.21 / 500,
        blocks=np.arange(20),
        block_totals=totals,
        size=500,
    )
    assert labels_needed(by_day, 500, 0.95) > labels_needed(share(0.7, 500), 500, 0.95)


@pytest.mark.parametrize(
    "estimate,n,wanted",
    [
        (missing("recall", "too_few", "11 labelled rows; at least 20 are needed"), 11, 9),
        (missing("recall", "undefined", "no positives"), 300, None),
        (missing("roc_auc", "too_few", "9 positive labels"), 300, None),
        (Estimate("log_loss", 0.4, family="positive", row_variance=0.01), 50, None),
        (share(0.2, 40, metric="decision_rate"), 40, None),
        (Estimate("accuracy", 1.0, family="share", row_variance=0.0, size=0.0), 40, None),
    ],
)
def test_what_is_no_share_of_labels_says_nothing(estimate, n, wanted):
    assert labels_needed(estimate, n, 0.95) == wanted
