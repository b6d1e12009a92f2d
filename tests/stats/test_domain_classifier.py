"""The domain classifier: areas as scikit-learn has them, folds that hold clusters, a null that knows of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from analytics.stats.domain_classifier import (
    area_of,
    classify,
    difference,
    fold_sides,
    out_of_fold,
    placements,
)
from analytics.stats.feature_maps import feature_map


def two_sides(shift: float, n: int = 400, days: int = 10, seed: int = 1):
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(2 * days), n // days)
    side = day >= days
    x = rng.normal(size=(len(day), 3))
    x[side, 0] += shift
    return [x[:, i] for i in range(3)], side, day


def test_folds_hold_whole_clusters_and_both_sides():
    _, side, day = two_sides(0.0)
    sides = fold_sides(side, day, np.ones(len(day)))
    for one in np.unique(day):
        assert len(np.unique(sides.fold[day == one])) == 1
    for fold in range(5):
        assert set(side[sides.fold == fold]) == {True, False}
    assert sides.folding == "clusters"


def test_one_cluster_in_the_window_is_dealt_by_rows():
    side = np.arange(300) >= 290
    day = np.where(side, 29, np.arange(300) // 10)
    sides = fold_sides(side, day, np.ones(300))
    assert sides.folding == "rows"
    assert len(np.unique(sides.fold[side])) == 5


def test_the_area_of_one_fold_is_scikit_learns_with_ties_and_weights():
    rng = np.random.default_rng(2)
    side, scores = rng.random(200) < 0.3, rng.integers(0, 12, 200).astype(float)
    weight = rng.uniform(0.5, 3, 200)
    sides = fold_sides(side, np.arange(200), weight)
    one = type(sides)(side, sides.cluster, weight, np.zeros(200, dtype=int), "clusters")
    placed = placements(scores, one)
    assert placed.auc == pytest.approx(roc_auc_score(side, scores, sample_weight=weight))
    assert placed.influence.sum() == pytest.approx(0, abs=1e-12)


def test_scores_are_of_rows_the_rule_has_not_seen():
    columns, side, day = two_sides(1.0)
    design = feature_map(columns).design()
    sides = fold_sides(side, day, np.ones(len(day)))
    found, _ = classify(design, sides, draws=19)
    held = sides.fold == 0
    gap = design[~held & side].mean(axis=0) - design[~held & ~side].mean(axis=0)
    assert found.scores[held] == pytest.approx(design[held] @ gap, abs=1e-4)
    assert found.auc == pytest.approx(placements(found.scores, sides).auc, abs=1e-6)


def test_a_shift_is_found_and_nothing_is_not():
    columns, side, day = two_sides(1.0)
    sides = fold_sides(side, day, np.ones(len(day)))
    found, _ = classify(feature_map(columns).design(), sides)
    assert found.p_value == pytest.approx(1 / 200)
    assert found.ci_low <= found.auc <= found.ci_high
    assert found.auc > found.null_high > 0.5
    columns, side, day = two_sides(0.0, seed=3)
    nothing, _ = classify(feature_map(columns).design(), fold_sides(side, day, np.ones(len(day))))
    assert nothing.p_value > 0.05


def test_days_that_differ_are_no_drift_but_would_be_to_rows():
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(40), 40)
    side = day >= 32
    x = rng.normal(size=(40, 3))[day] + rng.normal(size=(len(day), 3))
    design = feature_map([x[:, i] for i in range(3)]).design()
    by_day, _ = classify(design, fold_sides(side, day, np.ones(len(day))))
    by_row, _ = classify(design, fold_sides(side, np.arange(len(day)), np.ones(len(day))))
    assert by_row.p_value == pytest.approx(1 / 200)
    assert by_day.p_value > 0.05


def test_a_lone_day_is_compared_with_every_other_day_taking_its_turn():
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(25), 30)
    x = rng.normal(size=(25, 2))[day] + 0.3 * rng.normal(size=(len(day), 2))
    design = feature_map([x[:, 0], x[:, 1]]).design()
    found, _ = classify(design, fold_sides(day == 24, day, np.ones(len(day))))
    assert found.draws == 24
    assert found.null_mean > 0.7, "any day is told apart once its rows are on both sides of a fold"
    assert found.p_value * 25 == pytest.approx(round(found.p_value * 25))


def test_share_beyond_counts_reference_rows_above():
    columns, side, day = two_sides(2.0)
    sides = fold_sides(side, day, np.ones(len(day)))
    found, _ = classify(feature_map(columns).design(), sides, draws=1)
    row = int(np.flatnonzero(side)[np.argmax(found.scores[side])])
    peers = (sides.fold == sides.fold[row]) & ~side
    assert found.share_beyond[row] == pytest.approx(
        (found.scores[peers] > found.scores[row]).mean(), abs=0.02
    )


def test_what_is_lost_without_a_feature():
    columns, side, day = two_sides(1.5)
    encoded = feature_map(columns)
    sides = fold_sides(side, day, np.ones(len(day)))
    found, rules = classify(encoded.design(), sides, draws=1)
    full = placements(found.scores, sides)
    order = np.random.default_rng(0).permutation(len(day))
    lost = [
        difference(full, placements(out_of_fold(encoded.design(i, order), sides, rules), sides), sides)
        for i in range(3)
    ]
    assert lost[0].value > 10 * lost[0].standard_error > 0
    assert abs(lost[1].value) < 0.05
    area, low, high = area_of(placements(out_of_fold(encoded.alone(0), sides), sides), sides, 0.95)
    assert low <= area <= high
    assert area > 0.8


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_increasing_map_of_a_feature_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=80)
    straight, bent = (feature_map([values, np.ones(80)]).design() for values in (x, np.exp(3 * x)))
    assert straight == pytest.approx(bent)


def test_identical_rows_tie_and_all_alike_is_one_half():
    side = np.arange(100) % 2 == 0
    sides = fold_sides(side, np.arange(100), np.ones(100))
    placed = placements(np.zeros(100), sides)
    assert placed.auc == 0.5
    area, low, high = area_of(placed, sides, 0.95)
    assert low <= area <= high
