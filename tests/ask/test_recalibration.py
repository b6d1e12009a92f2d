"""Recalibration is judged forward in time: gains where they last, none where they do not, nothing learnt from a day
that is judged."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from analytics.quality.calibration import RecalibrationRow
from analytics.quality.recalibration import (
    Entries,
    Fold,
    folds_of,
    losses,
    tried,
)
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, START, write_project


def at_days(days: int, per_day: int) -> pd.DatetimeIndex:
    day = np.repeat(np.arange(days), per_day)
    return START + pd.to_timedelta(day * 86_400 + np.tile(np.arange(per_day), days) * 60, unit="s")


def project(folder, *, days=60, per_day=60, slope=0.5, shift=0.8, late=None, seed=2) -> Workbench:
    """Labels follow slope x logit + shift, and minus shift from the day ``late`` on."""
    rng = np.random.default_rng(seed)
    n = days * per_day
    scores = expit(rng.normal(-0.5, 1.5, n))
    day = np.repeat(np.arange(days), per_day)
    by_day = np.where(day >= late, -shift, shift) if late is not None else shift
    labels = (rng.random(n) < expit(by_day + slope * logit(scores))).astype(int)
    frame = pd.DataFrame({
        "ts": at_days(days, per_day), "score": scores, "label": labels, "u": rng.integers(0, 200, n).astype(str)
    })  # fmt: skip
    return write_project(folder, frame, BINARY + 'unit = "u"\n')


def rows_of(bench: Workbench) -> dict[tuple[str, str], RecalibrationRow]:
    gains, _ = bench.recalibration()
    json.dumps(gains.to_records(), allow_nan=False)
    return {(row.method, row.metric): row for row in gains}


def test_scores_that_are_off_for_good_are_mended(tmp_path):
    bench = project(tmp_path)
    found = rows_of(bench)
    for method in ("logistic", "isotonic"):
        for metric in ("log_loss", "brier_score", "expected_calibration_error"):
            row = found[method, metric]
            assert row.difference_ci_high < 0, (method, metric)
            assert row.p_adjusted < 0.01
            assert row.difference == pytest.approx(row.value - found["none", metric].value)
    assert found["logistic", "log_loss"].parameters.startswith("logit: intercept 0.7")
    assert found["none", "log_loss"].n == pytest.approx(60 * 60 * 5 / 6, rel=0.05)
    _, maps = bench.recalibration()
    by_score = {(row.method, round(row.score, 2)): row.recalibrated for row in maps}
    assert by_score["logistic", 0.5] == pytest.approx(expit(0.8), abs=0.03)
    assert by_score["isotonic", 0.5] == pytest.approx(expit(0.8), abs=0.08)
    bench.close()


def test_right_scores_gain_nothing(tmp_path):
    bench = project(tmp_path, slope=1.0, shift=0.0)
    found = rows_of(bench)
    assert found["logistic", "log_loss"].difference > -0.002
    assert all(
        row.p_adjusted is None or row.difference > 0 or row.p_adjusted > 0.01 for row in found.values()
    )
    bench.close()


def test_what_turns_around_is_not_mended(tmp_path):
    bench = project(tmp_path, slope=1.0, shift=0.8, late=30)
    row = rows_of(bench)["logistic", "log_loss"]
    # with days of both halves in the fit, cross-validation would call this a gain; forward in time it is none
    assert row.difference_ci_high > 0
    bench.close()


def test_no_day_is_fitted_and_judged(tmp_path):
    starts = np.arange(12)
    steps = folds_of(np.ones(12), starts + 1, starts, 0)
    assert [(step.first, step.after) for step in steps] == [(2, 4), (4, 6), (6, 8), (8, 10), (10, 12)]
    assert all(step.fitted <= step.first for step in steps)
    # labels that take two days are not known yet
    late = folds_of(np.ones(12), starts + 1, starts, 2)
    assert [step.first - step.fitted for step in late] == [2, 2, 2, 2, 2]


def test_a_map_does_not_see_what_it_is_judged_on():
    rng = np.random.default_rng(1)
    block = np.repeat(np.arange(6), 100)
    label = rng.integers(0, 2, 600).astype(float)
    ones = np.ones(600)
    rows = Entries(block, rng.random(600), label, ones, ones, ones, np.arange(600), 6)
    steps = (Fold(3, 3, 6),)
    first = tried(rows, steps, ("none", "logistic", "isotonic"), of_scores=True)
    turned = Entries(
        block, rows.score, np.where(block < 3, label, 1 - label), ones, ones, ones, np.arange(600), 6
    )
    second = tried(turned, steps, ("none", "logistic", "isotonic"), of_scores=True)
    for method in ("logistic", "isotonic"):
        assert second.mapped[method] == pytest.approx(first.mapped[method])


def test_losses_are_those_of_the_contract():
    mapped, labels = np.array([0.2, 0.9]), np.array([0.0, 1.0])
    assert losses("log_loss", mapped, labels) == pytest.approx([-np.log(0.8), -np.log(0.9)])
    assert losses("brier_score", mapped, labels) == pytest.approx([0.04, 0.01])
    assert np.isfinite(losses("log_loss", np.array([0.0, 1.0]), np.array([1.0, 0.0]))).all()


@pytest.mark.parametrize(
    "case", [{"days": 3}, {"days": 60, "per_day": 1}, {"days": 1, "per_day": 400}, {"days": 8, "per_day": 2}]
)
def test_too_little_is_said(tmp_path, case):
    bench = project(tmp_path, **case)
    found = rows_of(bench)
    assert {row.status for row in found.values()} <= {"ok", "too_few"}
    for row in found.values():
        if row.status != "ok":
            assert row.reason
            assert row.value is None
            assert row.difference is None
    bench.close()


def test_labels_still_on_their_way_are_left_out(tmp_path):
    rng = np.random.default_rng(3)
    n = 40 * 50
    frame = pd.DataFrame({"ts": at_days(40, 50), "score": rng.random(n), "id": np.arange(n).astype(str)})
    feed = pd.DataFrame({"id": frame["id"], "label": (rng.random(n) < frame["score"]).astype(int)})
    feed["ts"] = frame["ts"] + pd.to_timedelta(rng.uniform(0, 10, n), unit="D")
    toml = 'task = "binary"\nscore = "score"\nid = "id"\n'
    bench = write_project(tmp_path, frame, toml, feed=feed)
    whole, _ = bench.recalibration()
    early, _ = bench.recalibration(bench.scope(as_of="2024-01-31"))
    assert early[0].n < whole[0].n
    # the youngest ten days of predictions have not got all their labels at the end of January
    assert early[0].n_days <= 21
    bench.close()


def test_a_regression_is_mapped_by_a_line(tmp_path):
    rng = np.random.default_rng(5)
    n = 60 * 40
    prediction = rng.normal(10, 3, n)
    frame = pd.DataFrame({
        "ts": at_days(60, 40), "score": prediction, "label": 5 + 0.5 * prediction + rng.normal(0, 1, n)
    })  # fmt: skip
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\n')
    found = rows_of(bench)
    line = found["linear", "mean_squared_error"]
    assert line.difference_ci_high < 0
    assert line.parameters.startswith("intercept 5")
    assert found["linear", "mean_absolute_error"].value == pytest.approx((2 / np.pi) ** 0.5, rel=0.05)
    assert found["isotonic", "mean_squared_error"].difference_ci_high < 0
    bench.close()
