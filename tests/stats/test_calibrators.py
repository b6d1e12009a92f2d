"""Calibration is used where left-out rows say that it helps; weights make one sample look like another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from analytics.stats.calibrators import Calibrator, block_folds, choose, fit, leave_out_variance
from analytics.stats.density_ratio import density_ratio
from analytics.stats.encoding import fit_encoder


def drawn(n=6000, seed=0, power=1.0):
    rng = np.random.default_rng(seed)
    chance = rng.random(n)
    return chance**power, (rng.random(n) < chance).astype(float), np.ones(n), np.arange(n) // 100


def test_honest_scores_are_left_alone():
    score, label, weight, block = drawn()
    chosen = choose(score, label, weight, block_folds(block))
    assert chosen.losses["none"] <= chosen.losses["isotonic"]
    assert np.abs(chosen.chances(score) - score).max() < 0.05


def test_scores_that_are_off_are_mended():
    score, label, weight, block = drawn(power=3.0)
    chosen = choose(score, label, weight, block_folds(block))
    assert chosen.kind != "none"
    assert np.abs(chosen.chances(score) - np.cbrt(score)).mean() < 0.04
    crossed = chosen.cross_fitted(score, block_folds(block))
    assert crossed.shape == score.shape
    assert np.all(np.diff(chosen.chances(np.linspace(0, 1, 50))) >= 0)


def test_logistic_is_the_maximum_likelihood_fit():
    score, label, weight, _ = drawn(power=2.0)
    ours = fit("logistic", score, label, weight)
    x = logit(np.clip(score, 1e-6, 1 - 1e-6))[:, None]
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, label)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_isotonic_is_scikit_learns_kept_off_certainty():
    score, label, weight, _ = drawn(2000)
    ours = fit("isotonic", score, label, weight)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(score, label)
    grid = np.linspace(0.1, 0.9, 100)
    assert np.abs(ours(grid) - theirs.predict(grid)).mean() < 0.03
    assert ours(0.0) > 0
    assert ours(1.0) < 1


def test_a_rare_class_is_not_fitted():
    assert (
        fit("logistic", np.linspace(0, 1, 100), np.r_[np.zeros(95), np.ones(5)], np.ones(100)) == Calibrator()
    )


def test_several_classes_sum_to_one():
    rng = np.random.default_rng(1)
    score = rng.dirichlet(np.ones(3), 900)
    label = (rng.random(900)[:, None] > score.cumsum(axis=1)).sum(axis=1)
    chosen = choose(score**2 / (score**2).sum(axis=1, keepdims=True), label, np.ones(900), np.arange(900) % 5)
    assert np.allclose(chosen.chances(score).sum(axis=1), 1)
    assert np.allclose(chosen.cross_fitted(score, np.arange(900) % 5).sum(axis=1), 1)


def test_the_jackknife_is_that_of_a_mean():
    values = np.random.default_rng(0).normal(0, 1, 50)
    without = (values.sum() - values) / 49
    assert float(leave_out_variance(without)) == pytest.approx(values.var(ddof=1) / 50)


def test_weights_make_means_agree_and_report_what_is_left():
    rng = np.random.default_rng(3)
    source, target = rng.normal(0, 1, (4000, 3)), rng.normal([0.6, 0, 0], 1, (800, 3))
    found = density_ratio(source, target, np.arange(4000) % 2, np.arange(800) % 2)
    assert found.weights.mean() == pytest.approx(1)
    assert np.average(source[:, 0], weights=found.weights) == pytest.approx(0.6, abs=0.1)
    assert found.effective_n == pytest.approx(4000 * np.exp(-(0.6**2)), rel=0.15)
    same = density_ratio(source, rng.normal(0, 1, (800, 3)), np.arange(4000) % 2, np.arange(800) % 2)
    assert same.effective_n > 3700
    apart = density_ratio(source, target + 9, np.arange(4000) % 2, np.arange(800) % 2)
    assert apart.outside > 0.95
    assert same.outside < 0.01
    assert found.outside < 0.05


def test_columns_of_any_kind_become_numbers():
    columns = {
        "x": np.array([1.0, 2.0, np.nan, np.inf, 3.0]), "constant": np.ones(5), "gone": np.full(5, np.nan),
        "text": ["a", None, "b", "b", "ä\"'"],
    }  # fmt: skip
    matrix = fit_encoder(columns)(columns, squares=True)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (5, 3 + 4)
    unseen = fit_encoder(columns)(columns | {"text": ["z"] * 5})
    assert unseen[:, -4:].sum() == 0
    assert fit_encoder({"constant": np.ones(3)})({"constant": np.ones(3)}).shape == (3, 0)


def test_folds_are_whole_blocks():
    folds = block_folds(np.repeat(np.arange(25), 4), 10)
    assert folds.max() == 9
    assert all(len(set(folds[i : i + 4])) == 1 for i in range(0, 100, 4))
