"""Mutual information in bits: closed forms, scikit-learn, and what days that are alike do not do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from analytics.stats.mutual_information import dependence, plug_in


def test_plug_in_is_scikit_learns_in_bits():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 400), rng.integers(0, 3, 400)
    table = np.bincount(x * 3 + y, minlength=15).reshape(5, 3).astype(float)
    assert plug_in(table) == pytest.approx(mutual_info_score(x, y) / np.log(2))


def test_all_is_known_or_nothing():
    rng = np.random.default_rng(1)
    y = np.tile([0, 1], 500)
    found = dependence(np.column_stack([y, rng.permutation(y)]), y, np.arange(1000) // 50, np.ones(1000))
    assert found.independence == "blocks"
    assert found.value[0] == pytest.approx(1, abs=0.01)
    assert found.p_value[0] == pytest.approx(1 / 200)
    assert found.value[1] < 0.01
    assert found.p_value[1] > 0.05
    assert (found.ci_low <= found.value).all()
    assert (found.value <= found.ci_high).all()


def test_what_is_the_same_all_day_is_no_news_of_losses_that_are_alike_all_day():
    rng = np.random.default_rng(2)
    day = np.repeat(np.arange(20), 50)
    feature, loss = rng.integers(0, 3, 20)[day], rng.integers(0, 3, 20)[day]
    by_day = dependence(feature[:, None], loss, day, np.ones(1000))
    by_row = dependence(feature[:, None], loss, np.zeros(1000, dtype=int), np.ones(1000))
    assert by_row.p_value[0] == pytest.approx(1 / 200)
    assert by_day.p_value[0] > 0.05
    assert by_day.by_chance[0] > 5 * by_row.by_chance[0]


def test_weights_count_as_rows():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 2, 300), rng.integers(0, 2, 300)
    weight = np.where(x == y, 3.0, 1.0)
    found = dependence(x[:, None], y, np.arange(300) // 20, weight, draws=19)
    heavy = mutual_info_score(np.repeat(x, weight.astype(int)), np.repeat(y, weight.astype(int))) / np.log(2)
    assert found.value[0] + found.by_chance[0] == pytest.approx(heavy)
