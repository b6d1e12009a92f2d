"""Means and areas of sampled rows against numpy and scikit-learn, and what hangs together widens them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from analytics.measures.rows import Together, area_of_rows, difference_of_means, mean_of_rows
from analytics.stats.roc import delong


@pytest.fixture(scope="module")
def drawn():
    generator = np.random.default_rng(2)
    n = 600
    weight = generator.integers(1, 4, n).astype(float)
    return generator, weight, generator.random(n), generator.random(n) < 0.3


def test_the_weighted_mean(drawn):
    _, weight, values, _ = drawn
    found = mean_of_rows("share", values, Together(weight, np.arange(len(values))))
    assert found.value == pytest.approx(np.average(values, weights=weight))
    assert found.size == pytest.approx(weight.sum() ** 2 / np.square(weight).sum())


def test_the_variance_of_an_unweighted_mean_is_the_textbooks(drawn):
    _, weight, values, _ = drawn
    found = mean_of_rows("mean", values, Together(np.ones_like(weight), np.arange(len(values))), "mean")
    assert found.row_variance == pytest.approx(np.var(values, ddof=1) / len(values))


def test_the_area_is_scikit_learns_and_its_variance_delongs(drawn):
    _, weight, scores, positive = drawn
    ties = np.round(scores, 1)
    found = area_of_rows("auc", ties, positive, Together(weight, np.arange(len(ties))))
    assert found.value == pytest.approx(roc_auc_score(positive, ties, sample_weight=weight))
    plain = area_of_rows("auc", scores, positive, Together(np.ones_like(weight), np.arange(len(ties))))
    order = np.argsort(scores)
    exact = delong(positive[order].astype(float), (~positive[order]).astype(float))
    assert plain.row_variance == pytest.approx(float(exact.variance), rel=0.01)


def test_rows_that_hang_together_widen_the_interval(drawn):
    generator, _, _, _ = drawn
    day = np.repeat(np.arange(30), 20)
    values = (generator.random(600) < np.repeat(generator.random(30), 20)).astype(float)
    alone = mean_of_rows("share", values, Together(np.ones(600), np.arange(600))).interval(0.95)
    days = mean_of_rows("share", values, Together(np.ones(600), day)).interval(0.95)
    units = mean_of_rows("share", values, Together(np.ones(600), np.zeros(600, dtype=int), day)).interval(
        0.95
    )
    assert (days[1] - days[0]) > 1.5 * (alone[1] - alone[0])
    assert (days[2], units[2]) == ("blocks", "units")


def test_a_part_against_all_of_it(drawn):
    _, weight, values, part = drawn
    rows = Together(weight, np.arange(len(values)))
    everything = np.ones(len(values), dtype=bool)
    found = difference_of_means("d", values, rows, part, everything)
    assert found.value == pytest.approx(
        np.average(values[part], weights=weight[part]) - np.average(values, weights=weight)
    )
    nothing = difference_of_means("d", values, rows, everything, everything)
    assert (nothing.value, nothing.row_variance) == (0.0, pytest.approx(0.0))
