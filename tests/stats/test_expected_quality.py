"""Expected quality against enumerations and draws, and against the realised metrics where nothing is uncertain."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from analytics.stats import expected_quality as eq

EARNED = np.array([[0.0, -10.0], [-5.0, 20.0]])


def drawn(n=300, seed=0, ties=True):
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    score = np.round(score, 1) if ties else score
    decision = (score > 0.45).astype(int)
    chance = np.clip(score + rng.normal(0, 0.1, n), 0.02, 0.98)
    rows = eq.rows_of(score, decision)
    return rows, chance[np.argsort(score, kind="stable")], rng


def named(found, earned=True):
    names = (*eq.BINARY, "cost") if earned else eq.BINARY
    return dict(zip(names, found.values, strict=True))


def test_with_certain_chances_it_is_the_realised_metric():
    rows, chance, rng = drawn()
    label = (rng.random(len(chance)) < chance).astype(float)
    found = named(eq.binary(rows, label, EARNED))
    clipped = np.clip(rows.score, 2.22e-16, 1 - 2.22e-16)
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(label, rows.score), abs=1e-12)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label, clipped), rel=1e-12)
    assert found["brier_score"] == pytest.approx(metrics.brier_score_loss(label, rows.score), rel=1e-12)
    for name in ("accuracy", "precision", "recall", "f1"):
        expected = getattr(metrics, f"{name}_score")(label, rows.decision)
        assert found[name] == pytest.approx(expected, rel=1e-12), name
    assert found["prevalence"] == pytest.approx(label.mean())
    earned = EARNED[label.astype(int), rows.decision].mean()
    assert found["cost"] == pytest.approx(earned)
    assert np.all(eq.label_variance(eq.binary(rows, label, EARNED), label, rows.w2) == 0)


def test_log_loss_brier_accuracy_and_cost_are_the_mean_over_all_ways_the_labels_may_come():
    rows = eq.rows_of(np.array([0.2, 0.4, 0.4, 0.9]), np.array([0, 0, 1, 1]))
    chance = np.array([0.3, 0.5, 0.6, 0.8])
    found = eq.binary(rows, chance, EARNED)
    total, square = np.zeros(len(found.values)), np.zeros(len(found.values))
    auc = []
    for labels in product((0.0, 1.0), repeat=4):
        y = np.array(labels)
        share = float(np.prod(np.where(y == 1, chance, 1 - chance)))
        values = eq.binary(rows, y, EARNED).values
        total += share * np.nan_to_num(values)
        square += share * np.square(np.nan_to_num(values))
        if 0 < y.sum() < 4:
            pairs = y.sum() * (4 - y.sum())
            auc.append((share * pairs, metrics.roc_auc_score(y, rows.score)))
    variance = eq.label_variance(found, chance, rows.w2)
    for name in ("log_loss", "brier_score", "accuracy", "prevalence", "cost"):
        i = (*eq.BINARY, "cost").index(name)
        assert found.values[i] == pytest.approx(total[i])
        assert variance[i] == pytest.approx(square[i] - total[i] ** 2)
    weights, areas = np.array(auc).T
    # expected concordant pairs over expected pairs: no row is paired with itself, ties count half
    assert found.values[0] == pytest.approx(float(weights @ areas / weights.sum()))


def test_the_variance_is_that_of_draws():
    rows, chance, rng = drawn(600)
    found = eq.binary(rows, chance, EARNED)
    values = np.array(
        [eq.binary(rows, (rng.random(600) < chance).astype(float), EARNED).values for _ in range(800)]
    )
    assert np.allclose(values.mean(axis=0), found.values, atol=4 * values.std(axis=0) / np.sqrt(800) + 2e-3)
    ratio = values.var(axis=0) / eq.label_variance(found, chance, rows.w2)
    assert np.all((ratio > 0.8) & (ratio < 1.25)), ratio


def test_other_chances_move_the_estimate_by_its_gradient():
    rows, chance, rng = drawn(400)
    found = eq.binary(rows, chance, EARNED)
    change = 1e-5 * rng.normal(0, 1, 400)
    true = eq.binary(rows, chance + change, EARNED).values - found.values
    assert np.allclose(eq.moved(found, rows.w, change), true, rtol=2e-2, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_grouping_do_not_matter(seed):
    rows, chance, rng = drawn(60, seed)
    order = rng.permutation(60)
    again = eq.rows_of(rows.score[order], rows.decision[order])
    sorted_again = chance[order][np.argsort(rows.score[order], kind="stable")]
    assert np.allclose(
        eq.binary(rows, chance, EARNED).values, eq.binary(again, sorted_again, EARNED).values, equal_nan=True
    )


def test_weights_count_like_repeated_rows():
    rows, chance, _ = drawn(80)
    twice = np.where(np.arange(80) % 3 == 0, 2, 1)
    weighted = eq.rows_of(rows.score, rows.decision, twice.astype(float))
    repeated = eq.rows_of(np.repeat(rows.score, twice), np.repeat(rows.decision, twice))
    a = eq.binary(weighted, chance, EARNED).values
    b = eq.binary(repeated, np.repeat(chance, twice), EARNED).values
    # a weight is one row that counts twice; two rows also make pairs with each other
    assert np.allclose(a[1:], b[1:])
    assert a[0] == pytest.approx(b[0], abs=2e-3)


def test_what_has_no_value_says_why():
    rows = eq.rows_of(np.array([0.1, 0.2]), np.array([0, 0]))
    found = eq.binary(rows, np.array([0.0, 0.0]), None)
    assert np.isnan(found.values[eq.BINARY.index("precision")])
    assert set(found.reasons) >= {"roc_auc", "precision", "recall"}
    assert all(found.reasons.values())
    nothing = eq.binary(eq.rows_of(np.zeros(0), np.zeros(0, int)), np.zeros(0), EARNED)
    assert np.all(np.isnan(nothing.values))


def test_multiclass_is_the_realised_metric_and_its_variance_that_of_draws():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1, (500, 3))
    score = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    decision, weight = score.argmax(axis=1), np.ones(500)
    label = (rng.random(500)[:, None] > score.cumsum(axis=1)).sum(axis=1)
    sure = dict(
        zip(eq.MULTICLASS, eq.multiclass(score, decision, weight, np.eye(3)[label]).values, strict=True)
    )
    assert sure["log_loss"] == pytest.approx(metrics.log_loss(label, score))
    assert sure["accuracy"] == pytest.approx(metrics.accuracy_score(label, decision))
    assert sure["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(label, decision))
    for name in ("precision", "recall", "f1"):
        expected = getattr(metrics, f"{name}_score")(label, decision, average="macro")
        assert sure[f"{name}_macro"] == pytest.approx(expected)
    found = eq.multiclass(score, decision, weight, score)
    draws = []
    for _ in range(500):
        drawn_label = (rng.random(500)[:, None] > score.cumsum(axis=1)).sum(axis=1)
        draws.append(eq.multiclass(score, decision, weight, np.eye(3)[drawn_label]).values)
    ratio = np.var(draws, axis=0) / eq.label_variance(found, score, weight)
    assert np.all((ratio > 0.75) & (ratio < 1.33)), ratio
    assert np.allclose(np.mean(draws, axis=0), found.values, atol=5e-3)
