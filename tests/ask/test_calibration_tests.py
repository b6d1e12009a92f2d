"""Calibration tests of a project against NumPy, SciPy and statsmodels on the same rows."""

from __future__ import annotations

import json
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from tests.ask.projects import BINARY, START, flights, times, write_project

VERSION = "logistic-2013.03"
NO_BLOCKS = BINARY + 'block = "none"\n'


def project(folder, n=2000, seed=1, slope=1.0, shift=0.0, more=NO_BLOCKS, **columns):
    rng = np.random.default_rng(seed)
    scores = expit(rng.normal(-1, 1.3, n))
    labels = (rng.random(n) < expit(shift + slope * logit(scores))).astype(int)
    frame = pd.DataFrame({"ts": times(n), "score": scores, "label": labels, **columns})
    return frame, write_project(folder, frame, more)


def one(bench, **words):
    (row,) = bench.calibration_tests(bench.scope(**words))
    return row


def test_gap_and_spiegelhalter_by_hand(tmp_path):
    frame, bench = project(tmp_path, seed=3)
    row = one(bench)
    s, y = frame["score"].to_numpy(), frame["label"].to_numpy()
    z = ((y - s) * (1 - 2 * s)).sum() / np.sqrt(((1 - 2 * s) ** 2 * s * (1 - s)).sum())
    assert row.spiegelhalter_z == pytest.approx(z, rel=1e-9)
    assert row.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert row.gap == pytest.approx((s - y).mean(), rel=1e-9)
    error = np.sqrt(max(((s - y - row.gap) ** 2).sum(), (s * (1 - s)).sum())) / len(s)
    assert row.gap_ci_high - row.gap == pytest.approx(1.959964 * error, rel=1e-4)
    assert row.gap_p_value == pytest.approx(2 * stats.norm.sf(abs(row.gap) / error), rel=1e-6)
    assert row.independence == "rows"
    assert row.miscalibrated is False
    bench.close()


def test_the_calibration_line_is_that_of_statsmodels(tmp_path):
    frame, bench = project(tmp_path, slope=0.6, shift=0.5)
    row = one(bench)
    fit = sm.Logit(frame["label"], sm.add_constant(logit(frame["score"]))).fit(disp=0, cov_type="HC0")
    assert [row.intercept, row.slope] == pytest.approx(
        list(fit.params), abs=2e-3
    )  # bins stand for their mean score
    low, high = fit.conf_int().to_numpy()[1]
    assert [row.slope_ci_low, row.slope_ci_high] == pytest.approx([low, high], abs=3e-3)
    assert row.slope_ci_high < 1
    assert row.miscalibrated is True
    bench.close()


def test_weights_count(tmp_path):
    rng = np.random.default_rng(8)
    weights = rng.integers(1, 4, 600)
    frame, bench = project(tmp_path / "weighted", n=600, w=weights, more=NO_BLOCKS + 'weight = "w"\n')
    repeated = frame.loc[frame.index.repeat(weights)].assign(ts=lambda rows: times(len(rows)))
    again = write_project(tmp_path / "repeated", repeated.drop(columns="w"), NO_BLOCKS)
    row, other = one(bench), one(again)
    for name in ("gap", "mean_score", "mean_label", "slope", "expected_calibration_error"):
        assert getattr(row, name) == pytest.approx(getattr(other, name), rel=1e-4)
    # 600 rows stay 600 rows
    assert row.gap_ci_high - row.gap_ci_low > 1.2 * (other.gap_ci_high - other.gap_ci_low)
    bench.close()
    again.close()


def test_days_widen_what_they_must(tmp_path):
    rng = np.random.default_rng(2)
    day = np.repeat(np.arange(40), 50)
    scores = expit(rng.normal(-1, 1, 2000))
    moved = np.clip(scores + rng.choice([-0.5, 0.5], 40)[day] * scores * (1 - scores), 0, 1)
    frame = pd.DataFrame({
        "ts": START + pd.to_timedelta(day * 86_400 + np.tile(np.arange(50), 40) * 60, unit="s"),
        "score": scores, "label": (rng.random(2000) < moved).astype(int),
    })  # fmt: skip
    blocks, rows = (
        write_project(tmp_path / "a", frame, BINARY),
        write_project(tmp_path / "b", frame, NO_BLOCKS),
    )
    wide, narrow = one(blocks), one(rows)
    assert (wide.independence, narrow.independence) == ("blocks", "rows")
    assert wide.gap == pytest.approx(narrow.gap)
    assert wide.gap_ci_high - wide.gap_ci_low > 1.3 * (narrow.gap_ci_high - narrow.gap_ci_low)
    weeks = blocks.calibration_tests(blocks.scope(grain="week"))
    # seven days do not know how days differ; all weeks together do
    assert {row.independence for row in weeks} == {"blocks"}
    blocks.close()
    rows.close()


def test_flights_the_logistic_model_fails_in_july(shared_bench):
    rows = flights()
    rows = rows[(rows["model_version"] == VERSION) & rows["label"].notna()]
    months = shared_bench.calibration_tests(shared_bench.scope(versions=[VERSION], grain="month"))
    worst = max(months, key=lambda row: abs(row.gap))
    assert worst.window_start.astimezone(shared_bench.project.zone).month == 7
    july = rows[rows["month"] == "2013-07"]
    assert worst.gap == pytest.approx(
        (july["score"].astype(float) - july["label"].astype(float)).mean(), abs=1e-9
    )
    assert worst.miscalibrated is True
    assert worst.gap < -0.2
    assert all(row.gap_ci_low <= row.gap <= row.gap_ci_high for row in months)


@pytest.fixture(scope="module")
def shared_bench():
    from analytics.workbench import Workbench
    from tests.ask.projects import SAMPLES

    bench = Workbench(SAMPLES / "flights")
    yield bench
    bench.close()


def test_every_p_value_is_in_one_family(shared_bench):
    found = shared_bench.calibration_tests(shared_bench.scope(versions=[VERSION], by="carrier"))
    pairs = [(row.p_value, row.p_adjusted) for row in found if row.p_value is not None]
    pairs += [(row.gap_p_value, row.gap_p_adjusted) for row in found if row.gap_p_value is not None]
    expected = stats.false_discovery_control([p for p, _ in pairs])
    assert [adjusted for _, adjusted in pairs] == pytest.approx(list(expected))
    json.dumps(found.to_records(), allow_nan=False)


def test_classes_one_against_the_rest_and_the_top_one(tmp_path):
    rng = np.random.default_rng(4)
    shares = rng.dirichlet([2, 2, 1], 900)
    label = np.array(["a", "b", "c"])[[rng.choice(3, p=p) for p in shares]]
    frame = pd.DataFrame(
        {"ts": times(900), "label": label, "pa": shares[:, 0], "pb": shares[:, 1], "pc": shares[:, 2]}
    )
    toml = 'task = "multiclass"\nscore = { a = "pa", b = "pb", c = "pc" }\nlabel = "label"\nblock = "none"\n'
    bench = write_project(tmp_path, frame, toml)
    found = {row.class_: row for row in bench.calibration_tests()}
    assert list(found) == [None, "a", "b", "c"]
    assert found["b"].gap == pytest.approx(shares[:, 1].mean() - (label == "b").mean())
    top = shares.argmax(axis=1)
    right = np.array(["a", "b", "c"])[top] == label
    assert found[None].gap == pytest.approx(shares.max(axis=1).mean() - right.mean())
    bench.close()


def test_a_regression_is_tested_by_its_line(tmp_path):
    rng = np.random.default_rng(6)
    prediction = rng.normal(10, 4, 800)
    label = 0.2 + 0.96 * prediction + rng.normal(0, 2, 800) * (1 + abs(prediction - 10) / 4)
    frame = pd.DataFrame({"ts": times(800), "score": prediction, "label": label})
    bench = write_project(
        tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "label"\nblock = "none"\n'
    )
    row = one(bench)
    fit = sm.OLS(label, sm.add_constant(prediction)).fit(cov_type="HC0")
    assert [row.intercept, row.slope] == pytest.approx(list(fit.params), rel=1e-9)
    low, high = fit.conf_int()[1]
    assert [row.slope_ci_low, row.slope_ci_high] == pytest.approx([low, high], rel=1e-6)
    wald = fit.wald_test((np.eye(2), np.array([0.0, 1.0])), scalar=True, use_f=False)
    assert np.log(row.p_value) == pytest.approx(np.log(float(wald.pvalue)), rel=0.02)
    assert row.spiegelhalter_z is None
    assert row.expected_calibration_error is None
    bench.close()


@pytest.mark.parametrize(
    "scores, labels, status",
    [
        (np.full(100, 0.3), np.zeros(100), "ok"),
        (np.full(100, 0.5), np.arange(100) % 2, "ok"),
        (np.arange(100) % 2, np.arange(100) % 2, "ok"),
        (np.full(5, 0.3), np.zeros(5), "too_few"),
        (np.full(100, 0.3), np.full(100, np.nan), "no_data"),
        (np.full(100, 1e-6), np.zeros(100), "ok"),
    ],
)
def test_odd_data_has_a_status_and_never_a_default(tmp_path, scores, labels, status):
    frame = pd.DataFrame({"ts": times(len(scores)), "score": scores.astype(float), "label": labels})
    bench = write_project(tmp_path, frame, BINARY)
    row = one(bench)
    assert row.status == status
    json.dumps(bench.calibration_tests().to_records(), allow_nan=False)
    if status != "ok":
        assert row.reason
        assert set(astuple(row)[9:29]) <= {None}
    bench.close()


def test_scores_near_nothing_are_not_tested(tmp_path):
    frame = pd.DataFrame({"ts": times(500), "score": 0.001, "label": 0})
    bench = write_project(tmp_path, frame, BINARY)
    row = one(bench)
    assert row.p_value is None
    assert row.gap_p_value is None
    assert row.miscalibrated is None
    assert "0.5 events" in row.reason
    bench.close()


def test_an_empty_window_is_a_row(tmp_path):
    _, bench = project(tmp_path)
    found = bench.calibration_tests(bench.scope(start="2023-12-30", end="2024-01-03", grain="day"))
    assert [row.status for row in found] == ["no_data", "no_data", "ok", "ok"]
    assert found[0].n == 0
    bench.close()


def test_calibration_by_segment_adds_up(shared_bench):
    parts = shared_bench.calibration(shared_bench.scope(versions=[VERSION], by="origin"))
    whole = shared_bench.calibration(shared_bench.scope(versions=[VERSION]))
    assert {row.segment for row in parts} == {"origin"}
    by_bin = pd.DataFrame([(row.bin_low, row.n) for row in parts]).groupby(0)[1].sum()
    assert by_bin.tolist() == [row.n for row in whole]
