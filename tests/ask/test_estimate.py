"""Estimates through a project: against row-wise brute force, as-of, odd data, and what may not be known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn import metrics as sk

from analytics.ask.estimate import estimates_of
from analytics.errors import ScopeError
from analytics.scope import Filter, Scope
from tests.ask.projects import START, dumps, write_project

WORDS = 'task = "binary"\nscore = "score"\nid = "id"\ndecision = "decision"\nfeatures = ["x"]\n'
FEED = 'task = "binary"\nscore = "score"\nid = "id"\nthreshold = 0.5\nfeatures = ["x"]\n'


def by_metric(rows):
    """The rows of the first window."""
    start = rows[0].window_start
    return {row.metric: row for row in rows if row.window_start == start}


def drawn(days=30, per_day=60, seed=0, start=START):
    rng = np.random.default_rng(seed)
    n = days * per_day
    x = rng.normal(0, 1, n)
    ts = start + pd.to_timedelta(
        np.repeat(np.arange(days), per_day) * 86_400
        + np.tile(np.arange(per_day), days) * (86_400 // per_day),
        unit="s",
    )
    chance = expit(x)
    return pd.DataFrame({
        "id": [f"{start.date()}-{i}" for i in range(n)], "ts": ts, "x": x, "score": chance,
        "decision": (chance > 0.4).astype(int), "label": (rng.random(n) < chance).astype(int),
    })  # fmt: skip


def project(tmp_path, frame, words=WORDS + 'label = "label"\n', reference=None, **more):
    text = ""
    tmp_path.mkdir(exist_ok=True)
    if reference is not None:
        reference.to_parquet(tmp_path / "reference.parquet")
        text = '[reference]\npath = "reference.parquet"\n'
    return write_project(tmp_path, frame, words, text, **more)


def before(days=30, seed=9, **more):
    return drawn(days, seed=seed, start=START - pd.Timedelta(days=days), **more)


def test_it_is_the_row_wise_estimate(tmp_path):
    """Sure labels in the reference make no calibration better than the scores, so p is the score."""
    frame = drawn(3, 200)
    bench = project(tmp_path, frame, reference=before(40, per_day=150))
    found = estimates_of(bench.catalog, Scope(grain="day"), ["cbpe"]).rows
    first = by_metric(found)
    assert first["accuracy"].calibration == "none"
    p, d = frame["score"].to_numpy()[:200], frame["decision"].to_numpy()[:200]
    tp, fp = p[d == 1].sum(), (1 - p)[d == 1].sum()
    fn, tn = p[d == 0].sum(), (1 - p)[d == 0].sum()
    assert first["accuracy"].value == pytest.approx((tp + tn) / 200, rel=1e-9)
    assert first["precision"].value == pytest.approx(tp / (tp + fp), rel=1e-9)
    assert first["recall"].value == pytest.approx(tp / (tp + fn), rel=1e-9)
    assert first["specificity"].value == pytest.approx(tn / (tn + fp), rel=1e-9)
    assert first["f1"].value == pytest.approx(2 * tp / (2 * tp + fp + fn), rel=1e-9)
    assert first["prevalence"].value == pytest.approx(p.mean(), rel=1e-9)
    assert first["log_loss"].value == pytest.approx(
        -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean(), rel=1e-9
    )
    assert first["brier_score"].value == pytest.approx((p * (1 - p)).mean(), rel=1e-9)
    pairs = p[:, None] * (1 - p)[None, :] * (1 - np.eye(200))
    above = (p[:, None] > p[None, :]) + 0.5 * (p[:, None] == p[None, :])
    assert first["roc_auc"].value == pytest.approx((pairs * above).sum() / pairs.sum(), rel=1e-9)
    bench.close()


def test_measured_values_are_those_of_quality(tmp_path):
    bench = project(tmp_path, drawn(6, 80), reference=before())
    scope = Scope(grain="day")
    quality = {(row.window_start, row.metric): row for row in bench.quality(scope)}
    for row in bench.estimate(scope, ["cbpe"]):
        against = quality[row.window_start, row.metric]
        assert row.realised == pytest.approx(against.value, rel=1e-9), row.metric
        assert row.n_labelled == against.n_labelled
    bench.close()


def test_large_windows_are_read_in_bins_that_hardly_move_anything(tmp_path):
    frame = drawn(1, 9000)
    bench = project(
        tmp_path, frame.assign(ts=START + pd.to_timedelta(np.arange(9000), unit="s")), reference=before()
    )
    found = by_metric(bench.estimate(Scope(grain="day"), ["cbpe"]))
    p = frame["score"].to_numpy()
    assert found["accuracy"].realised == pytest.approx((frame["label"] == frame["decision"]).mean(), rel=1e-9)
    assert found["log_loss"].realised == pytest.approx(sk.log_loss(frame["label"], p), rel=1e-9)
    assert found["roc_auc"].realised == pytest.approx(sk.roc_auc_score(frame["label"], p), abs=2e-4)
    bench.close()


def late(tmp_path, as_of_days=None, **more):
    frame = drawn(30, 60)
    feed = pd.DataFrame({
        "id": frame["id"], "label": frame["label"],
        "ts": frame["ts"] + pd.to_timedelta(np.where(np.arange(len(frame)) % 10 == 0, 60, 30), unit="h"),
    })  # fmt: skip
    if as_of_days is not None:
        feed = feed[feed["ts"] <= START + timedelta(days=as_of_days)]
    frame = frame.drop(columns="label")
    return project(tmp_path, frame, WORDS, before(), feed=feed, **more)


def test_as_of_knows_only_what_was_known(tmp_path):
    """The whole log as of day 20 says what a log says that ends there."""
    as_of = (START + timedelta(days=20)).to_pydatetime()
    end = (START + timedelta(days=20)).to_pydatetime()
    scope = Scope(grain="day", as_of=as_of, end=end)
    whole, short = late(tmp_path / "whole"), late(tmp_path / "short", as_of_days=20)
    a = estimates_of(whole.catalog, scope, ["cbpe"])
    b = estimates_of(short.catalog, scope, ["cbpe"])
    assert a.rows.to_records() == b.rows.to_records()
    assert a.scorecard.to_records() == b.scorecard.to_records()
    immature = [row for row in a.rows if row.realised_status == "immature"]
    assert immature
    assert all(row.realised is None and row.held is None and row.value is not None for row in immature)
    whole.close()
    short.close()


def test_a_back_test_rests_on_what_was_mature_when_its_window_ended(tmp_path):
    bench = late(tmp_path)
    rows = [row for row in bench.estimate(Scope(grain="day"), ["cbpe"]) if row.metric == "log_loss"]
    # 95 % of labels take 60 hours: the window of a day is mature 2.5 days after its end
    assert [row.n_backtests for row in rows[:6]] == [0, 0, 0, 1, 2, 3]
    assert max(row.n_backtests for row in rows) == 20
    # labels that come after a band was made do not change it
    early = late(tmp_path / "early", as_of_days=15)
    then = [row for row in early.estimate(Scope(grain="day"), ["cbpe"]) if row.metric == "log_loss"]
    for now, was in zip(rows[:12], then[:12], strict=True):
        assert (now.value, now.ci_low, now.ci_high) == pytest.approx((was.value, was.ci_low, was.ci_high))
    bench.close()
    early.close()


def test_no_labels_anywhere(tmp_path):
    frame = drawn(10).drop(columns="label")
    bench = project(tmp_path, frame, WORDS, before().drop(columns="label"))
    found = estimates_of(bench.catalog, Scope(grain="day"))
    assert {row.status for row in found.rows} == {"undefined"}
    assert all("no labels of this version" in row.reason for row in found.rows)
    assert {row.realised_status for row in found.rows} == {"no_data"}
    assert {row.standing for row in found.scorecard} == {"unproven"}
    dumps(found.rows)
    dumps(found.scorecard)
    bench.close()


def test_no_reference_takes_scores_at_their_word_once_back_tests_speak(tmp_path):
    bench = project(tmp_path, drawn(15))
    rows = [row for row in bench.estimate(Scope(grain="day"), ["cbpe"]) if row.metric == "accuracy"]
    assert [row.status for row in rows[:5]] == ["undefined"] * 5
    assert all(row.status == "ok" and "at their word" in row.reason for row in rows[5:])
    assert {row.calibration for row in rows} == {None}
    bench.close()


def test_windows_inside_the_reference_are_no_test(tmp_path):
    frame = drawn(20)
    more = f"[reference]\nstart = {START.date()}\nend = {(START + timedelta(days=10)).date()}\n"
    bench = write_project(tmp_path, frame, WORDS + 'label = "label"\n', more)
    rows = [row for row in bench.estimate(Scope(grain="day"), ["cbpe"]) if row.metric == "accuracy"]
    assert [row.status for row in rows] == ["undefined"] * 10 + ["ok"] * 10
    assert "overlaps the reference" in rows[0].reason
    assert [row.n_backtests for row in rows[10:]] == list(range(10))
    assert rows[0].held is None
    bench.close()


@pytest.mark.parametrize(
    "words", [WORDS + 'label = "label"\n', WORDS.replace("binary", "regression") + 'label = "label"\n']
)
def test_odd_data_has_a_status_and_a_reason(tmp_path, words):
    frame = drawn(8, 40)
    frame = frame[frame["ts"].dt.day != 3].assign(constant=1.0, missing=np.nan, text="ä\"';--")
    frame.loc[frame["ts"].dt.day == 4, "score"] = 0.5
    frame.loc[frame["ts"].dt.day == 5, "label"] = 1
    frame.loc[frame["ts"].dt.day == 6, "score"] = np.nan
    frame = frame[(frame["ts"].dt.day != 7) | (np.arange(len(frame)) % 40 == 0)]
    words = words.replace('["x"]', '["x", "constant", "missing", "text"]')
    extra = {"constant": 1.0, "missing": np.nan, "text": "b"}
    bench = project(tmp_path, frame, words, before().assign(**extra))
    found = estimates_of(bench.catalog, Scope(grain="day"))
    records = found.rows.to_records()
    dumps(found.rows)
    dumps(found.scorecard)
    assert len({record["window_start"] for record in records}) == 8
    for record in records:
        assert (record["value"] is None) == (record["status"] != "ok")
        assert record["status"] == "ok" or record["reason"]
        if record["value"] is not None:
            assert record["ci_low"] <= record["value"] <= record["ci_high"]
        assert (record["realised"] is None) == (record["realised_status"] != "ok")
    by_day = {record["window_start"][8:10]: record["status"] for record in records}
    assert by_day["03"] == by_day["06"] == "no_data"
    assert by_day["07"] == "too_few"
    bench.close()


def test_one_window_of_everything_says_that_it_cannot_be_tested(tmp_path):
    bench = project(tmp_path, drawn(10), reference=before())
    found = estimates_of(bench.catalog, Scope(), ["cbpe"])
    assert len(found.rows) == 9
    assert all("0 back-tests" in row.reason for row in found.rows)
    assert any("shorter windows" in note for note in found.rows.notes)
    stretch = Scope(
        start=(START + timedelta(days=8)).to_pydatetime(), end=(START + timedelta(days=10)).to_pydatetime()
    )
    (row,) = [row for row in bench.estimate(stretch, ["cbpe"]) if row.metric == "accuracy"]
    assert (row.n, row.n_backtests) == (120, 4)
    bench.close()


def test_a_scope_that_starts_amid_a_week_keeps_its_own_rows(tmp_path):
    bench = project(tmp_path, drawn(30), reference=before())
    start = (START + timedelta(days=16)).to_pydatetime()
    rows = [
        row for row in bench.estimate(Scope(start=start, grain="week"), ["cbpe"]) if row.metric == "accuracy"
    ]
    assert [row.n for row in rows] == [300, 420, 120]
    assert [row.n_backtests for row in rows] == [2, 3, 4]
    bench.close()


def test_what_makes_no_sense_is_refused(tmp_path):
    bench = project(tmp_path, drawn(5), reference=before())
    with pytest.raises(ScopeError, match="not one for a binary model"):
        estimates_of(bench.catalog, Scope(), ["dle"])
    with pytest.raises(ScopeError, match="cannot be cut by the label"):
        estimates_of(bench.catalog, Scope(filters=(Filter("label", "label", "1"),)))
    bench.close()


def test_weights_of_rows_count(tmp_path):
    frame = drawn(5, 100).assign(w=1.0)
    frame.loc[frame["score"] > 0.7, "w"] = 4.0
    words = WORDS + 'label = "label"\nweight = "w"\n'
    bench = project(tmp_path, frame, words, before(40, per_day=100).assign(w=1.0))
    (row,) = [r for r in bench.estimate(Scope(grain="day"), ["cbpe"]) if r.metric == "prevalence"][:1]
    day = frame[:100]
    if row.calibration == "none":
        assert row.value == pytest.approx(np.average(day["score"], weights=day["w"]))
    assert row.realised == pytest.approx(np.average(day["label"], weights=day["w"]))
    bench.close()
