from __future__ import annotations

import numpy as np
import pytest

from analytics.examples.suspected import folds_of, suspected_classes, suspected_numbers

N = 1_500


@pytest.fixture(scope="module")
def world():
    draw = np.random.default_rng(8)
    x, y = draw.normal(size=(2, N))
    chance = 1 / (1 + np.exp(-8 * (x + y)))
    truth = (draw.random(N) < chance).astype(np.int64)
    wrong = draw.random(N) < 0.05
    day = np.repeat(np.arange(30), N // 30)
    return {"x": x, "y": y}, chance, truth, wrong, day


def test_planted_wrong_labels_come_first(world):
    columns, _, truth, wrong, day = world
    labels = np.where(wrong, 1 - truth, truth)
    fold, word = folds_of(day, [None] * N)
    # the logged score knows only half of what there is to know
    logged = 1 / (1 + np.exp(-1.2 * columns["x"]))
    found = suspected_classes(columns, np.column_stack([1 - logged, logged]), labels, fold)
    assert word == "days"
    places = [one.place for one in found]
    assert wrong[places[:20]].mean() >= 0.8
    assert wrong[places[:40]].mean() >= 0.6
    assert all(one.suggested == 1 - labels[one.place] for one in found)


def test_planted_wrong_numbers_come_first(world):
    columns, _, _, wrong, day = world
    truth = 10 * columns["x"]
    labels = truth + np.where(wrong, 200.0, 0.0)
    found = suspected_numbers(columns, truth + 1, labels, folds_of(day, [None] * N)[0])
    assert {one.place for one in found} == set(np.flatnonzero(wrong).tolist())
    assert all(one.suggested is None and one.times > 5 for one in found)


def test_folds_hold_whole_days_else_whole_units_else_rows():
    units = [f"u{place % 40}" for place in range(200)]
    fold, word = folds_of(np.zeros(200, dtype=np.int64), units)
    assert word == "units"
    assert all(len({fold[place] for place in range(200) if units[place] == unit}) == 1 for unit in set(units))
    assert folds_of(np.zeros(200, dtype=np.int64), [None] * 200)[1] == "rows"


def test_no_features_and_equal_scores_suspect_by_class_shares_only():
    labels = np.array([0] * 150 + [1] * 50)
    assert suspected_classes({}, np.full((200, 2), 0.5), labels, np.arange(200) % 5) is not None
