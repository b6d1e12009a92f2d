"""Quality on made-up logs: hard scores, weights, late labels, empty and cut windows, and what is too little to say."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from analytics.measures import binary, multiclass
from analytics.quality.rows import MetricRow
from analytics.results import Status
from analytics.scope import Scope
from tests.ask.projects import BINARY, START, calibration_error, dumps, times, values, write_project
from tests.ask.test_quality_known import BINNED, EXACT, binary_truth

COSTS = "[costs]\ntrue_positive = 20\nfalse_positive = -10\nfalse_negative = -5\n"


def logged(score, label, decision=None, days=20, **more) -> pd.DataFrame:
    score = np.asarray(score)
    decision = (score >= 0.5).astype(int) if decision is None else decision
    return pd.DataFrame(
        {"ts": times(len(score), days), "score": score, "label": label, "decision": decision, **more}
    )


def quality(folder, frame, extra="", more="", **words):
    bench = write_project(folder, frame, BINARY + 'decision = "decision"\n' + extra, more)
    try:
        return bench.quality(bench.scope(**words))
    finally:
        bench.close()


def check(folder, frame, extra="", weight=None, tolerance=BINNED):
    """All binary metrics of one window against scikit-learn."""
    found = values(quality(folder, frame, extra, COSTS))
    truth = binary_truth(frame["score"], frame["label"], frame["decision"], weight)
    for metric, row in found.items():
        if metric in truth:
            close = tolerance if metric in {"roc_auc", "average_precision"} else EXACT
            assert row.value == pytest.approx(truth[metric], abs=close), metric
            assert row.ci_low <= row.value <= row.ci_high
    return found


def test_low_base_rate_crowded_near_zero(tmp_path):
    rng = np.random.default_rng(1)
    n = 1_000_000
    label = (rng.random(n) < 0.001).astype(int)
    score = 1 / (1 + np.exp(9.0 - 2.0 * label - 1.3 * rng.normal(size=n)))
    assert np.median(score) < 0.0002
    check(tmp_path, logged(score, label, (score > 0.002).astype(int)))


@pytest.mark.parametrize("n", [6_000, 60_000])
def test_low_base_rate_in_smaller_cells_is_exact(tmp_path, n):
    rng = np.random.default_rng(2)
    label = (rng.random(n) < 0.005).astype(int)
    score = 1 / (1 + np.exp(6.0 - 2.0 * label - rng.normal(size=n)))
    check(tmp_path, logged(score, label, (score > 0.01).astype(int)), tolerance=EXACT)


@pytest.mark.parametrize("n", [4_000, 40_000])
@pytest.mark.parametrize("kind", ["ends", "ties", "float32", "inverted"])
def test_hard_scores(tmp_path, n, kind):
    rng = np.random.default_rng(3)
    label = (rng.random(n) < 0.3).astype(int)
    raw = 1 / (1 + np.exp(1.0 - 1.5 * label - rng.normal(size=n)))
    score = {
        "ends": np.where(raw < 0.2, 0.0, np.where(raw > 0.8, 1.0, raw)),
        "ties": np.round(raw, 1),
        "float32": raw.astype(np.float32),
        "inverted": 1 - raw,
    }[kind]
    check(tmp_path, logged(score, label), tolerance=EXACT if n <= 5_000 or kind == "ties" else BINNED)


@pytest.mark.parametrize("n", [3_000, 30_000])
def test_weights(tmp_path, n):
    rng = np.random.default_rng(4)
    label = (rng.random(n) < 0.3).astype(int)
    score = 1 / (1 + np.exp(1.0 - 1.5 * label - rng.normal(size=n)))
    weight = rng.choice([0.5, 1.0, 7.0], n)
    frame = logged(score, label, w=weight)
    found = check(tmp_path, frame, 'weight = "w"\n', weight, EXACT if n <= 5_000 else BINNED)
    assert found["mean_score"].value == pytest.approx(np.average(score, weights=weight), abs=EXACT)


def test_rows_of_weight_two_are_no_two_rows(tmp_path):
    rng = np.random.default_rng(5)
    frame = logged(rng.random(400), rng.integers(0, 2, 400), w=2.0, days=1)
    once = values(quality(tmp_path / "once", frame))
    twice = values(quality(tmp_path / "twice", frame, 'weight = "w"\n'))
    for metric, row in once.items():
        assert twice[metric].value == pytest.approx(row.value, abs=EXACT)
        if metric != "expected_calibration_error":
            assert twice[metric].ci_low == pytest.approx(row.ci_low, abs=1e-6), metric


MULTI = 'task = "multiclass"\nscore = { A = "pa", B = "pb", C = "pc" }\nlabel = "label"\n'


def test_multiclass_with_an_absent_class(tmp_path):
    rng = np.random.default_rng(6)
    scores = rng.dirichlet([3, 2, 1], 600)
    label = np.where(rng.random(600) < scores[:, 0] / (scores[:, 0] + scores[:, 1]), "A", "B")
    frame = pd.DataFrame(
        {"ts": times(600), "label": label} | dict(zip(["pa", "pb", "pc"], scores.T, strict=True))
    )
    bench = write_project(tmp_path, frame, MULTI)
    found = values(bench.quality(bench.scope()))
    present = scores[:, :2]
    each = [metrics.roc_auc_score(label == name, present[:, i]) for i, name in enumerate("AB")]
    assert found["roc_auc"].value == pytest.approx(np.mean(each), abs=EXACT)
    assert "1 without labels" in found["roc_auc"].reason
    assert found["roc_auc:C"].status == "undefined"
    assert found["recall:C"].status == "undefined"
    decided = np.array(list("ABC"))[
        scores.argmax(axis=1)
    ]  # the largest score decides where nothing was logged
    assert found["accuracy"].value == pytest.approx((decided == label).mean(), abs=EXACT)
    recall = metrics.recall_score(label, decided, labels=["A", "B"], average="macro")
    assert found["recall"].value == found["recall_macro"].value == pytest.approx(recall, abs=EXACT)
    assert found["roc_auc"].ci_low == found["roc_auc_macro"].ci_low
    bench.close()


def test_both_words_for_macro_auc_have_one_interval_by_units(tmp_path):
    rng = np.random.default_rng(26)
    unit = np.repeat(np.arange(40), 25)
    scores = np.repeat(rng.dirichlet([1, 1, 1], 40), 25, axis=0)
    label = np.repeat([rng.choice(list("ABC"), p=one) for one in scores[::25]], 25)
    columns = dict(zip(["pa", "pb", "pc"], scores.T, strict=True))
    frame = pd.DataFrame({"ts": times(1000, 1), "label": label, "u": [f"u{i}" for i in unit]} | columns)
    bench = write_project(tmp_path, frame, MULTI + 'unit = "u"\n')
    found = values(bench.quality(bench.scope()))
    one, other = found["roc_auc"], found["roc_auc_macro"]
    assert one.independence == other.independence == "units"
    assert (one.ci_low, one.ci_high) == (other.ci_low, other.ci_high)
    bench.close()


def test_tied_scores_rank_as_in_scikit_learn(tmp_path):
    rng = np.random.default_rng(7)
    scores = rng.integers(1, 4, (300, 3)) / 10
    label = rng.integers(0, 3, 300)
    frame = pd.DataFrame(
        {"ts": times(300), "label": np.array(list("ABC"))[label]}
        | dict(zip(["pa", "pb", "pc"], scores.T, strict=True))
    )
    bench = write_project(tmp_path, frame, MULTI)
    found = values(bench.quality(bench.scope()))
    assert found["top_2_accuracy"].value == pytest.approx(
        metrics.top_k_accuracy_score(label, scores, k=2, labels=range(3)), abs=EXACT
    )
    bench.close()


def test_multiclass_costs_are_a_row_also_without_decisions_on_labels(tmp_path):
    frame = pd.DataFrame({"ts": times(30), "pa": 0.5, "pb": 0.5, "pc": 0.0, "label": "A", "decision": None})
    frame["decision"] = frame["decision"].astype("string")
    more = "[costs.matrix]\nA = { A = 0, B = -1 }\n"
    bench = write_project(tmp_path, frame, MULTI + 'decision = "decision"\n', more)
    found = values(bench.quality(bench.scope()))
    assert {name for name in found if ":" not in name} == set(multiclass.METRICS)
    assert found["cost"].status == "too_few"
    bench.close()


REGRESSION = 'task = "regression"\nscore = "score"\nlabel = "label"\n'


def regression_truth(label, score, weight=None):
    w = {"sample_weight": weight}
    present = label != 0
    return {
        "mean_absolute_error": metrics.mean_absolute_error(label, score, **w),
        "root_mean_squared_error": metrics.root_mean_squared_error(label, score, **w),
        "mean_error": np.average(score - label, weights=weight),
        "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(
            label[present], score[present], sample_weight=None if weight is None else weight[present]
        ),
        "r2": metrics.r2_score(label, score, **w),
        "median_absolute_error": metrics.median_absolute_error(label, score, **w),
        "mean_label": np.average(label, weights=weight),
        "mean_prediction": np.average(score, weights=weight),
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_regression(tmp_path, weighted, offset):
    rng = np.random.default_rng(8)
    label = np.round(rng.normal(0, 3, 900)) + offset
    score = label + rng.normal(0.3, 1, 900)
    weight = rng.choice([1.0, 2.0, 5.0], 900)
    frame = pd.DataFrame({"ts": times(900), "score": score, "label": label, "w": weight})
    bench = write_project(tmp_path, frame, REGRESSION + ('weight = "w"\n' if weighted else ""))
    found = values(bench.quality(bench.scope()))
    assert offset or (label == 0).sum() > 50
    for metric, truth in regression_truth(label, score, weight if weighted else None).items():
        assert found[metric].value == pytest.approx(truth, rel=EXACT), metric
        assert found[metric].ci_low < found[metric].value < found[metric].ci_high
    # an interval that lost its digits would be 0 or many units wide
    assert 0.1 < found["mean_label"].ci_high - found["mean_label"].ci_low < 2
    assert 0.001 < found["r2"].ci_high - found["r2"].ci_low < 0.1
    bench.close()


def test_constant_labels_have_no_r2(tmp_path):
    frame = pd.DataFrame({"ts": times(50), "score": np.arange(50.0), "label": 1e9 + 0.1})
    bench = write_project(tmp_path, frame, REGRESSION)
    found = values(bench.quality(bench.scope()))
    assert found["r2"].status == "undefined"
    assert found["mean_label"].value == pytest.approx(1e9 + 0.1, abs=1e-6)
    bench.close()


def test_one_class(tmp_path):
    rng = np.random.default_rng(9)
    found = values(quality(tmp_path, logged(rng.random(100), 0)))
    for metric in ("roc_auc", "average_precision", "recall", "balanced_accuracy", "matthews_corrcoef"):
        assert (found[metric].status, found[metric].value) == ("undefined", None)
        assert found[metric].reason
    for metric in ("log_loss", "brier_score", "accuracy", "specificity", "prevalence"):
        assert found[metric].status == "ok"
    assert found["prevalence"].value == 0.0
    assert 0.02 < found["prevalence"].ci_high < 0.05


def test_what_is_too_few(tmp_path):
    rng = np.random.default_rng(10)
    few = values(quality(tmp_path / "few", logged(rng.random(19), rng.integers(0, 2, 19))))
    assert {row.status for row in few.values()} == {"too_few"}
    label = np.arange(100) < 9
    nine = values(quality(tmp_path / "nine", logged(rng.random(100), label.astype(int))))
    for metric in ("roc_auc", "average_precision", "balanced_accuracy", "matthews_corrcoef"):
        assert nine[metric].status == "too_few"
        assert "9 positive" in nine[metric].reason
    assert nine["recall"].status == "ok"
    ten = values(quality(tmp_path / "ten", logged(rng.random(100), (np.arange(100) < 10).astype(int))))
    assert {row.status for row in ten.values()} == {"ok"}


def test_nothing_decided_positive(tmp_path):
    rng = np.random.default_rng(11)
    label = rng.integers(0, 2, 200)
    found = values(quality(tmp_path, logged(rng.random(200), label, 0)))
    assert found["precision"].status == "undefined"
    assert found["recall"].value == 0.0
    # all of the positives were missed: the limit follows their number, not that of all rows
    assert found["recall"].ci_high == pytest.approx(1 - 0.025 ** (1 / label.sum()))


def test_a_perfect_share_of_few_rows_is_not_certain(tmp_path):
    label = (np.arange(1000) < 500).astype(int)
    decision = (np.arange(1000) < 3).astype(int)
    found = values(quality(tmp_path, logged(np.full(1000, 0.5), label, decision)))
    assert found["precision"].value == 1.0
    assert found["precision"].ci_low == pytest.approx(0.025 ** (1 / 3))


def test_no_decisions(tmp_path):
    frame = logged(np.random.default_rng(12).random(100), np.arange(100) % 2)
    bench = write_project(tmp_path, frame, BINARY)
    found = values(bench.quality(bench.scope()))
    assert found["accuracy"].status == "undefined"
    assert "threshold" in found["accuracy"].reason
    assert found["roc_auc"].status == "ok"
    bench.close()


def test_threshold_decides_where_nothing_was_logged(tmp_path):
    rng = np.random.default_rng(13)
    frame = logged(rng.random(500).round(2), rng.integers(0, 2, 500))
    bench = write_project(tmp_path, frame, BINARY + "threshold = 0.37\n")
    found = values(bench.quality(bench.scope()))
    expected = metrics.accuracy_score(frame["label"], frame["score"] >= 0.37)
    assert found["accuracy"].value == pytest.approx(expected, abs=EXACT)
    bench.close()


def test_bad_rows_are_left_out_and_counted(tmp_path):
    rng = np.random.default_rng(14)
    score, label = rng.random(300), rng.integers(0, 2, 300).astype(float)
    score[:40] = np.resize([np.nan, -0.1, 1.1, np.inf], 40)
    label[40:60] = np.nan
    found = values(quality(tmp_path, logged(score, label, 1)))
    good = slice(60, None)
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(label[good], score[good]), abs=EXACT)
    assert (found["log_loss"].n, found["log_loss"].n_labelled) == (300, 240)
    assert found["mean_score"].value == pytest.approx(score[40:].mean(), abs=EXACT)


def test_duplicates_count_once(tmp_path):
    rng = np.random.default_rng(15)
    frame = logged(rng.random(200), rng.integers(0, 2, 200), id=[f"r{i}" for i in range(200)])
    again = frame.assign(ts=frame["ts"] + timedelta(days=1), score=0.0)
    found = values(quality(tmp_path, pd.concat([again, frame]), 'id = "id"\n'))
    assert found["brier_score"].n == 200
    truth = metrics.brier_score_loss(frame["label"], frame["score"])
    assert found["brier_score"].value == pytest.approx(truth, abs=EXACT)


# windows


def test_windows_are_half_open_and_empty_ones_are_rows(tmp_path):
    moments = pd.to_datetime(
        ["2024-01-01T00:00:00Z"] * 30 + ["2024-01-02T00:00:00Z"] * 40 + ["2024-01-04T23:59:59.999999Z"] * 50,
        format="ISO8601",
    )
    frame = logged(np.full(120, 0.5), np.arange(120) % 2).assign(ts=moments)
    results = quality(tmp_path, frame, grain="day")
    counts = {row.window_start.day: (row.n, row.status) for row in results if row.metric == "log_loss"}
    assert counts == {1: (30, "ok"), 2: (40, "ok"), 3: (0, "no_data"), 4: (50, "ok")}
    empty = [row for row in results if row.window_start.day == 3]
    assert {row.metric for row in empty} == set(binary.METRICS[:-1])
    assert {(row.status, row.value, row.ci_low) for row in empty} == {("no_data", None, None)}


def test_an_empty_scope_is_rows_too(tmp_path):
    frame = logged(np.full(50, 0.5), np.arange(50) % 2)
    results = quality(tmp_path, frame, start="2030-01-01", end="2030-01-03", grain="day")
    assert {(row.status, row.n) for row in results} == {("no_data", 0)}
    assert len({row.window_start for row in results}) == 2


@pytest.mark.parametrize(
    "grain, starts",
    [
        ("day", ["2024-03-09", "2024-03-10", "2024-03-11", "2024-11-02", "2024-11-03", "2024-11-04"]),
        ("week", ["2024-03-09", "2024-03-11", "2024-10-28", "2024-11-04"]),
        ("month", ["2024-03-09", "2024-11-01"]),  # the first window starts with the first day of data
    ],
)
def test_days_weeks_and_months_are_local(tmp_path, grain, starts):
    zone = "America/New_York"
    hours = pd.date_range("2024-03-09", "2024-03-12", freq="10min", tz=zone, inclusive="left").append(
        pd.date_range("2024-11-02", "2024-11-05", freq="10min", tz=zone, inclusive="left")
    )
    rng = np.random.default_rng(16)
    frame = logged(rng.random(len(hours)), rng.integers(0, 2, len(hours))).assign(ts=hours.tz_convert("UTC"))
    results = quality(tmp_path, frame, more=f'time_zone = "{zone}"', grain=grain)
    rows = [row for row in results if row.metric == "brier_score" and row.n]
    assert [row.window_start.astimezone(hours.tz).strftime("%Y-%m-%d") for row in rows] == starts
    for row in rows:
        inside = (frame["ts"] >= row.window_start) & (frame["ts"] < row.window_end)
        assert row.n == inside.sum()
        truth = metrics.brier_score_loss(frame["label"][inside], frame["score"][inside])
        assert row.value == pytest.approx(truth, abs=EXACT)
        local = row.window_start.astimezone(hours.tz)
        assert (local.hour, local.minute) == (0, 0)
    if grain == "day":  # 23 and 25 hours
        assert [rows[1].n, rows[4].n] == [138, 150]


def test_a_scope_may_start_and_end_inside_a_window(tmp_path):
    frame = logged(np.full(2000, 0.4), np.arange(2000) % 2)
    words = {"start": "2024-01-03T06:00", "end": "2024-01-05T18:00", "grain": "day"}
    rows = [row for row in quality(tmp_path, frame, **words) if row.metric == "log_loss"]
    edges = [START + timedelta(days=d) for d in (2.25, 3, 4, 4.75)]
    assert [(row.window_start, row.window_end) for row in rows] == list(pairwise(edges))
    assert [row.n for row in rows] == [75, 100, 75]


# labels


def late(tmp_path, now="2024-01-11", more=""):
    """100 rows a day for ten days; labels come two days later, and the label of row 0 is corrected on day 8."""
    rng = np.random.default_rng(17)
    frame = pd.DataFrame(
        {"ts": times(1000, 10), "score": rng.random(1000), "id": [f"r{i}" for i in range(1000)]}
    )
    feed = pd.DataFrame(
        {"id": frame["id"], "label": rng.integers(0, 2, 1000), "ts": frame["ts"] + timedelta(days=2)}
    )
    first = feed.iloc[[0]]
    changed = first.assign(label=1 - first["label"], ts=START + timedelta(days=8))
    feed = pd.concat([changed, feed]).sample(frac=1, random_state=0)
    bench = write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\nid = "id"\n', feed=feed)
    if more:
        file = tmp_path / "assay.toml"
        file.write_text(file.read_text() + more)
    return bench, frame, feed


@pytest.mark.parametrize("as_of", ["2024-01-06", "2024-01-09T12:00", None])
def test_as_of_replays_what_was_known(tmp_path, as_of):
    bench, frame, feed = late(tmp_path)
    known_at = pd.Timestamp(as_of or "2100-01-01", tz="UTC")
    newest = feed[feed["ts"] <= known_at].sort_values("ts").drop_duplicates("id", keep="last")
    seen = frame[frame["ts"] <= known_at].merge(newest[["id", "label"]], on="id", how="left")
    row = values(bench.quality(bench.scope(as_of=as_of)))["log_loss"]
    labelled = seen[seen["label"].notna()]
    assert (row.n, row.n_labelled) == (len(seen), len(labelled))
    assert row.value == pytest.approx(metrics.log_loss(labelled["label"], labelled["score"]), abs=EXACT)
    bench.close()


def test_windows_whose_labels_still_arrive_are_immature(tmp_path):
    bench, *_ = late(tmp_path)
    scope = bench.scope(as_of="2024-01-08", start="2024-01-01", end="2024-01-08", grain="day")
    rows = [row for row in bench.quality(scope) if row.metric == "log_loss"]
    # labels take two days: 5 January ends two days before the eighth began, 6 January does not
    assert [row.status for row in rows] == ["ok"] * 5 + ["no_data"] * 2
    whole = bench.scope(as_of="2024-01-08", start="2024-01-01", end="2024-01-08")
    row = values(bench.quality(whole))["log_loss"]
    assert (row.status, row.n_labelled) == ("immature", 500)
    assert row.value is not None
    assert "labels still arrive" in row.reason
    scores = [row.status for row in bench.quality(scope) if row.metric == "mean_score"]
    assert set(scores) == {"ok"}  # a score needs no label
    bench.close()


@pytest.mark.parametrize("means", [0, 1])
def test_absent_labels_mean_something_after_a_while(tmp_path, means):
    bench, frame, feed = late(tmp_path, more=f'absent_after = "1 days"\nabsent_means = {means}\n')
    bench.close()
    from analytics.workbench import Workbench

    bench = Workbench(tmp_path)
    known_at = pd.Timestamp("2024-01-06", tz="UTC")
    newest = feed[feed["ts"] <= known_at].sort_values("ts").drop_duplicates("id", keep="last")
    seen = frame[frame["ts"] <= known_at].merge(newest[["id", "label"]], on="id", how="left")
    ripe = seen["label"].isna() & (seen["ts"] + timedelta(days=1) <= known_at)
    labels = seen["label"].mask(ripe, means)
    row = values(bench.quality(bench.scope(as_of="2024-01-06")))["prevalence"]
    assert row.n_labelled == labels.notna().sum()
    assert row.value == pytest.approx(labels.mean(), abs=EXACT)
    bench.close()


def test_label_columns_with_a_timestamp_are_late_too(tmp_path):
    rng = np.random.default_rng(18)
    frame = logged(rng.random(1000), rng.integers(0, 2, 1000), days=10)
    frame["known"] = frame["ts"] + timedelta(days=3)
    bench = write_project(tmp_path, frame, BINARY + 'label_timestamp = "known"\n')
    row = values(bench.quality(bench.scope(as_of="2024-01-08")))["brier_score"]
    assert (row.n, row.n_labelled) == (700, 400)
    labelled = frame[:400]
    assert row.value == pytest.approx(
        metrics.brier_score_loss(labelled["label"], labelled["score"]), abs=EXACT
    )
    bench.close()


def test_days_without_labels_yet_do_not_count_as_days(tmp_path):
    # 12 of 40 days have labels: the t quantile must be that of 12 days
    rng = np.random.default_rng(19)
    n = 4000
    day = np.arange(n) // 100
    score = np.clip(0.5 + 0.2 * np.repeat(rng.normal(size=40), 100), 0.01, 0.99)
    label = np.where(day < 12, rng.integers(0, 2, n), np.nan)
    labelled = values(quality(tmp_path / "all", logged(score, label, 1, days=40)))["log_loss"]
    alone = values(quality(tmp_path / "some", logged(score, label, 1, days=40)[: 12 * 100]))["log_loss"]
    assert labelled.independence == alone.independence == "blocks"
    assert labelled.ci_low == pytest.approx(alone.ci_low, abs=1e-12)


# the shape of answers


def test_records_hold_the_contract(tmp_path):
    rng = np.random.default_rng(20)
    score, label = rng.random(400), rng.integers(0, 2, 400).astype(float)
    label[300:] = np.nan
    frame = logged(
        score, label, days=8, site=np.resize(["a", "b", ""], 400), version=np.resize(["v1", "v2"], 400)
    )
    words = 'segments = ["site"]\nversion = "version"\n'
    results = quality(tmp_path, frame, words, COSTS, grain="day", by="site")
    dumps(results)
    records = results.to_records()
    contract = [
        "window_start",
        "window_end",
        "version",
        "segment",
        "segment_value",
        "class",
        "metric",
        "value",
        "ci_low",
        "ci_high",
        "n",
        "n_labelled",
        "independence",
        "status",
        "reason",
    ]
    assert list(records[0])[: len(contract)] == contract
    assert len(records) == 8 * 2 * 3 * len(binary.METRICS)
    keys = [(r["window_start"], r["version"], r["segment_value"], r["class"], r["metric"]) for r in records]
    assert len(set(keys)) == len(keys)
    assert {r["segment_value"] for r in records} == {"a", "b", "(missing)"}
    for record in records:
        assert record["status"] in get_args(Status)
        has_value = record["status"] in {"ok", "immature"}
        assert (record["value"] is not None) == has_value
        assert (record["ci_low"] is not None) == has_value == (record["independence"] is not None)
        assert has_value or record["reason"]
        if has_value:
            assert record["ci_low"] <= record["value"] <= record["ci_high"]
    assert {field.name for field in fields(MetricRow)} >= {"noise_floor", "calibration_error_debiased"}


def test_reference_is_one_window(tmp_path):
    rng = np.random.default_rng(21)
    frame = logged(rng.random(600), rng.integers(0, 2, 600), days=10)
    bench = write_project(tmp_path, frame, BINARY, "[reference]\nstart = 2024-01-01\nend = 2024-01-04\n")
    rows = bench.quality(Scope(grain="day"), source="reference")
    assert len({row.window_start for row in rows}) == 1
    found = values(rows)["brier_score"]
    assert found.n == 180
    assert found.window_start == frame["ts"].min()
    truth = metrics.brier_score_loss(frame["label"][:180], frame["score"][:180])
    assert found.value == pytest.approx(truth, abs=EXACT)
    bench.close()


def test_calibration_error_has_its_floor_beside_it(tmp_path):
    rng = np.random.default_rng(22)
    score = rng.random(3000)
    frame = logged(score, (rng.random(3000) < score).astype(int))
    found = values(quality(tmp_path, frame))["expected_calibration_error"]
    assert found.value == pytest.approx(calibration_error(score, frame["label"].to_numpy()), abs=EXACT)
    assert found.ci_low <= found.value <= found.ci_high
    assert 0.005 < found.noise_floor < 0.03
    assert 0 <= found.calibration_error_debiased <= found.value


def test_scope_edges_in_utc():
    assert datetime(2024, 1, 1, tzinfo=UTC) == START
