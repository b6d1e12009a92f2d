"""Calibration line and isotonic map against statsmodels and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from analytics.stats.recalibration import (
    LogisticFit,
    NoFit,
    apply_isotonic,
    apply_logistic,
    fit_isotonic,
    fit_logistic,
    logistic_influence,
)


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    scores = expit(rng.normal(-1, 1.2, 400))
    labels = (rng.random(400) < expit(0.4 + 0.6 * logit(scores))).astype(float)
    weights = rng.uniform(0.5, 3.0, 400)
    return scores, labels, weights


def fitted(rows) -> LogisticFit:
    scores, labels, weights = rows
    fit = fit_logistic(scores, weights * (1 - labels), weights * labels)
    assert isinstance(fit, LogisticFit)
    return fit


def test_the_line_is_that_of_statsmodels(rows):
    scores, labels, weights = rows
    model = sm.GLM(
        labels, sm.add_constant(logit(scores)), family=sm.families.Binomial(), freq_weights=weights
    )
    fit = fitted(rows)
    assert [fit.intercept, fit.slope] == pytest.approx(model.fit().params, rel=1e-6)


def test_the_influence_gives_the_sandwich_variance(rows):
    scores, labels, _ = rows
    fit = fit_logistic(scores, 1 - labels, labels)
    influence = logistic_influence(fit, scores)
    of_rows = np.where(labels == 1, influence[:, 1], influence[:, 0])
    assert of_rows.sum(axis=1) == pytest.approx([0, 0], abs=1e-8)
    robust = sm.Logit(labels, sm.add_constant(logit(scores))).fit(disp=0, cov_type="HC0").cov_params()
    assert of_rows @ of_rows.T == pytest.approx(robust, rel=1e-5)


@pytest.mark.parametrize(
    "negatives, positives, reason",
    [
        ([1, 1, 1], [0, 0, 0], "all labels are equal"),
        ([1, 0, 0], [0, 0, 1], "without a fault"),
        ([0, 1, 0], [0, 1, 0], "all scores are equal"),
    ],
)
def test_no_line_says_why(negatives, positives, reason):
    fit = fit_logistic([0.2, 0.5, 0.8], negatives, positives)
    assert isinstance(fit, NoFit)
    assert reason in fit.reason


def test_scores_of_zero_and_one_have_a_line():
    fit = fit_logistic([0.0, 0.5, 1.0], [50, 10, 1], [1, 10, 50])
    assert isinstance(fit, LogisticFit)
    assert 0 < fit.slope < 1


def test_isotonic_is_that_of_scikit_learn(rows):
    scores, labels, weights = rows
    fit = fit_isotonic(scores, labels, weights)
    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weights)
    grid = np.linspace(0, 1, 57)
    assert apply_isotonic(fit, grid) == pytest.approx(expected.predict(grid), abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_map_never_turns_scores_around(seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.random(60), rng.integers(0, 2, 60).astype(float)
    mapped = apply_isotonic(fit_isotonic(scores, labels, np.ones(60), towards=labels.mean()), np.sort(scores))
    assert (np.diff(mapped) >= -1e-12).all()
    if 0 < labels.mean() < 1:
        assert mapped.min() > 0
        assert mapped.max() < 1


def test_the_logistic_map_undoes_what_was_done(rows):
    fit = fitted(rows)
    scores = np.array([0.1, 0.5])
    assert apply_logistic(fit, scores) == pytest.approx(expit(fit.intercept + fit.slope * logit(scores)))
