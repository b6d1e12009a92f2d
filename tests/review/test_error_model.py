"""A model of mistakes finds those that are planted, and none where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.measures.rows import Together
from analytics.review.error_model import LabelledRows, fit_error_model
from analytics.review.judged import carriers, filters, judge
from analytics.review.rows import ErrorModelRow

N = 3_000


def rows_of(wrong_where, seed=0, n=N):
    generator = np.random.default_rng(seed)
    columns = {
        "temp": generator.normal(size=n),
        "wind": np.where(generator.random(n) < 0.1, np.nan, generator.normal(size=n)),
        "carrier": generator.choice(["AA", "UA", "B6"], n).tolist(),
    }
    chance = wrong_where(columns)
    wrong = generator.random(n) < chance
    together = Together(np.ones(n), np.repeat(np.arange(n // 100), 100))
    return LabelledRows(columns, wrong, generator.random(n), together), chance


def blank(rows):
    nothing = [None] * 18
    return ErrorModelRow("v1", "wrong", *nothing, rows.n, int(rows.wrong.sum()), rows.n, "ok", None)


@pytest.fixture(scope="module")
def planted():
    rows, chance = rows_of(lambda columns: np.where(np.array(columns["carrier"]) == "UA", 0.6, 0.1))
    return rows, fit_error_model(rows), chance


def test_it_tells_wrong_rows_as_well_as_the_truth_does(planted):
    rows, fitted, chance = planted
    found, bins = judge(blank(rows), rows, fitted, 0.95)
    share, right = chance[rows.wrong], chance[~rows.wrong]
    best = (share[:, None] > right[None, :]).mean() + 0.5 * (share[:, None] == right[None, :]).mean()
    assert found.auc == pytest.approx(best, abs=0.03)
    assert found.auc_ci_low < best < found.auc_ci_high
    # the score knows nothing here
    assert found.score_auc_ci_low < 0.5 < found.score_auc_ci_high
    assert found.auc_gain_ci_low > 0.2
    assert 0.7 < found.calibration_slope < 1.2
    assert found.calibration_error < 0.05
    assert bins[-1].wrong_rate > 0.5
    assert bins[0].wrong_rate < 0.2


def test_what_carries_it_stands_first_and_the_rest_carries_nothing(planted):
    rows, fitted, _ = planted
    found = carriers("v1", rows, fitted, 0.95)
    assert found[0].feature == "carrier"
    assert found[0].ci_low > 0.1
    assert all(row.ci_low < 0.01 for row in found[1:])


def test_a_filter_catches_what_is_planted(planted):
    rows, fitted, _ = planted
    found = {(row.by, row.rate): row for row in filters("v1", rows, fitted, per_day=500, confidence=0.95)}
    third = found["error_model", 0.3]
    # a third of the rows holds three quarters of the mistakes
    assert third.caught > 0.6
    assert third.wrong_rate_rest < 0.15 < third.wrong_rate
    assert third.difference_ci_high < 0
    assert third.per_day == pytest.approx(500 * third.refused)
    by_score = found["score", 0.3]
    assert by_score.caught == pytest.approx(0.3, abs=0.06)
    assert by_score.difference_ci_low < 0 < by_score.difference_ci_high or abs(by_score.difference) < 0.02
    for row in found.values():
        assert row.caught_ci_low <= row.caught <= row.caught_ci_high
        assert row.ci_low <= row.wrong_rate_rest <= row.ci_high


@pytest.mark.statistical
def test_where_mistakes_are_chance_the_area_is_a_half():
    held, runs = 0, 8
    for seed in range(runs):
        rows, _ = rows_of(lambda columns: np.full(len(columns["temp"]), 0.2), seed=seed, n=600)
        found, _ = judge(blank(rows), rows, fit_error_model(rows), 0.95)
        held += found.auc_ci_low <= 0.5 <= found.auc_ci_high
    assert held >= 6


def test_too_little_to_learn_from_is_said():
    rows, _ = rows_of(lambda columns: np.full(len(columns["temp"]), 0.2), n=100)
    assert rows.problem == "100 labelled rows; 200 are needed"
    rows, _ = rows_of(lambda columns: np.zeros(len(columns["temp"])), n=400)
    assert rows.problem == "0 of 400 rows are wrong; 20 of either kind are needed"
    with pytest.raises(ValueError, match="20 of either kind"):
        fit_error_model(rows)


def test_one_value_everywhere_fits_a_constant():
    rows, _ = rows_of(lambda columns: np.full(len(columns["temp"]), 0.3), n=400)
    flat = LabelledRows({"x": np.ones(400)}, rows.wrong, rows.doubt, rows.together)
    found, _ = judge(blank(flat), flat, fit_error_model(flat), 0.95)
    # folds differ a little in how many of the others were wrong
    assert found.auc == pytest.approx(0.5, abs=0.1)
    assert found.wrong_rate == pytest.approx(0.3, abs=0.08)
