"""Choosing thresholds: against every threshold tried by hand, and properties of resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from analytics.stats.thresholds import (
    UNREACHABLE,
    Above,
    Amounts,
    above,
    best,
    earnings,
    folds_of,
    resampled_groups,
    resampled_rows,
    simplest_between,
    split_counts,
    threshold_range,
)

AMOUNTS = Amounts(20, -10, -5, 0)


def sums(positives, negatives, unlabelled=None):
    rows = positives + negatives + (unlabelled if unlabelled is not None else 0)
    return Above(above(positives), above(negatives), above(rows))


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_the_best_earning_threshold_is_that_of_a_search(seed, bins):
    rng = np.random.default_rng(seed)
    positives, negatives = rng.integers(0, 5, (2, bins)).astype(float)
    found = int(best(sums(positives, negatives), "cost", None, AMOUNTS))
    tried = [
        20 * positives[t:].sum() - 10 * negatives[t:].sum() - 5 * positives[:t].sum() for t in range(bins + 1)
    ]
    assert tried[found] == pytest.approx(max(tried))
    assert earnings(sums(positives, negatives), AMOUNTS) == pytest.approx(np.array(tried))


@given(st.integers(0, 10_000), st.floats(0.05, 0.99))
@settings(max_examples=60, deadline=None)
def test_precision_and_recall_goals_are_those_of_scikit_learn(seed, target):
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 10, 60)
    label = (rng.random(60) < 0.1 + 0.08 * place).astype(int)
    label[:2] = [0, 1]
    counted = [np.bincount(place[label == k], minlength=10).astype(float) for k in (1, 0)]
    of = sums(*counted)
    precision, recall, thresholds = precision_recall_curve(label, place)
    enough = precision[:-1] >= target - 1e-12
    chosen = int(best(of, "precision", target))
    if not enough.any():
        assert chosen == UNREACHABLE
    else:
        at = of.positives[chosen] / of.positives[0]
        assert at == pytest.approx(recall[:-1][enough].max())
    strict = int(best(of, "recall", target))
    reached = recall[:-1] >= target - 1e-12
    wanted = thresholds[reached].max()
    assert of.positives[strict] == (label[place >= wanted]).sum()


def test_a_budget_counts_unlabelled_rows_and_is_never_passed():
    of = sums(np.array([0.0, 1, 1]), np.array([5.0, 1, 0]), np.array([10.0, 0, 2]))
    chosen = int(best(of, "budget", 0.2))
    assert of.rows[chosen] / of.rows[0] <= 0.2
    assert of.rows[chosen - 1] / of.rows[0] > 0.2


def test_two_alarms_of_two_are_no_precision():
    of = sums(np.array([5.0, 5, 0, 2]), np.array([50.0, 5, 0, 0]))
    assert int(best(of, "precision", 0.9)) in {2, 3}
    assert int(best(of, "precision", 0.9, least=10 / 67)) == UNREACHABLE


def test_folds_are_stretches_of_days():
    assert folds_of(365).tolist() == sorted(folds_of(365))
    assert np.bincount(folds_of(365)).min() >= 36
    assert folds_of(4).tolist() == [0, 1, 2, 3]


def test_dealt_rows_are_all_there():
    n = np.array([0.0, 3, 1000])
    assert split_counts(n, 10).sum(axis=1).tolist() == n.tolist()


def test_resampling_keeps_totals_and_spread():
    rng = np.random.default_rng(1)
    days = sums(*rng.integers(0, 20, (2, 40, 6)).astype(float))
    drawn = resampled_groups(days, draws=4_000)
    assert drawn.rows[:, 0].mean() == pytest.approx(days.rows[:, 0].sum(), rel=0.01)
    assert drawn.rows[:, 0].var() == pytest.approx(40 * days.rows[:, 0].var(), rel=0.1)
    w = np.array([[40.0, 10], [5, 30], [0, 7]])
    rows = resampled_rows(w, 2 * w, draws=4_000)
    assert rows.rows[:, 0].mean() == pytest.approx(w.sum(), rel=0.02)
    assert rows.rows[:, 0].var() == pytest.approx(2 * w.sum(), rel=0.1)


def test_the_range_of_a_threshold_holds_it():
    chosen = np.array([3, 3, 4, 5, 9])
    assert threshold_range(chosen, 1, 10, 0.95) == (1, 9)
    assert threshold_range(np.full(400, UNREACHABLE), 4, 10, 0.95) == (4, 10)


@given(st.floats(0, 1), st.floats(1e-9, 0.5))
@settings(max_examples=200, deadline=None)
def test_the_simplest_number_lies_between(low, gap):
    assert low < simplest_between(low, low + gap) <= low + gap
