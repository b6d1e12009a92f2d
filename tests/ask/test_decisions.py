"""Thresholds, reviews and confident answers against the same numbers worked out from rows with pandas."""

from __future__ import annotations

from dataclasses import replace
from json import dumps

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ScopeError
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, SAMPLES, START, delay_classes, flights, times, write_project

VERSION = "gbm-2013.09"
COSTS = "[costs]\ntrue_positive = 20\nfalse_positive = -10\nfalse_negative = -5\n"


@pytest.fixture(scope="module")
def bench():
    opened = Workbench(SAMPLES / "flights")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows():
    frame = flights()
    return frame[(frame["model_version"] == VERSION) & (frame["timestamp"] >= "2013-09-01")]


def scope(bench, **more):
    return bench.scope(start="2013-09-01", versions=[VERSION], **more)


def earned(label, decision):
    return np.where(label == 1, np.where(decision, 20.0, -5.0), np.where(decision, -10.0, 0.0))


def test_the_curve_is_what_each_threshold_earned(bench, rows):
    labelled = rows.dropna(subset=["label"])
    found = bench.threshold_curve(scope(bench))
    dumps(found.to_records())
    for row in found[::15]:
        if row.threshold is not None:
            wanted = earned(labelled["label"], labelled["score"] >= row.threshold).mean()
            assert row.value == pytest.approx(wanted, abs=1e-9)
            assert row.decision_rate == pytest.approx((rows["score"] >= row.threshold).mean(), abs=1e-12)
            assert row.ci_low < row.value < row.ci_high
    logged = next(row for row in found if row.threshold is None)
    assert logged.value == pytest.approx(earned(labelled["label"], labelled["predicted_label"] == 1).mean())


def test_the_best_threshold_is_the_top_of_the_curve_and_is_judged_by_other_days(bench, rows):
    (row,) = bench.thresholds(scope(bench), ["cost"])
    curve = [point for point in bench.threshold_curve(scope(bench)) if point.threshold is not None]
    top = max(point.value for point in curve)
    labelled = rows.dropna(subset=["label"])
    at_best = earned(labelled["label"], labelled["score"] >= row.threshold).mean()
    assert at_best >= top - 1e-9
    present = earned(labelled["label"], labelled["predicted_label"] == 1).mean()
    assert row.gain_in_sample == pytest.approx(at_best - present, abs=1e-9)
    # days that did not choose the threshold earn less by it
    assert row.gain < row.gain_in_sample
    assert row.ci_low < row.value < row.ci_high
    assert row.gain_ci_low < row.gain < row.gain_ci_high
    assert row.threshold_low <= row.threshold <= row.threshold_high
    assert row.present_threshold == 0.27
    assert row.independence == "blocks"
    assert (row.p_value > 0.05) == (row.gain_ci_low <= 0 <= row.gain_ci_high)
    assert row.rows_per_day == pytest.approx(len(rows) / rows["local"].dt.date.nunique())


def test_goals_are_kept_on_the_rows_that_chose(bench, rows):
    labelled = rows.dropna(subset=["label"])
    found = {row.goal: row for row in bench.thresholds(scope(bench), ["recall=0.9", "budget=30"])}
    recall = found["recall"]
    called = labelled["score"] >= recall.threshold
    assert labelled.loc[called, "label"].sum() / labelled["label"].sum() >= 0.9
    assert recall.recall == pytest.approx(0.9, abs=0.03)
    assert recall.p_value is None
    budget = found["budget"]
    volume = (rows["score"] >= budget.threshold).sum() / rows["local"].dt.date.nunique()
    assert 25 < volume <= 30


def test_a_precision_out_of_reach_says_so(bench):
    (row,) = bench.thresholds(scope(bench), ["precision=0.99"])
    assert (row.status, row.value) == ("undefined", None)
    assert row.reason == "no threshold reaches a precision of 99%"


def test_segments_have_thresholds_of_their_own_and_one_family(bench):
    found = bench.thresholds(scope(bench, by="origin"), ["cost"])
    assert [row.segment_value for row in found] == ["EWR", "JFK", "LGA"]
    p = sorted((row.p_value, row.p_adjusted) for row in found)
    assert all(adjusted >= plain for plain, adjusted in p)
    assert p[0][1] == pytest.approx(min(3 * p[0][0], 1.5 * p[1][0], p[2][0]))
    assert "Benjamini-Hochberg" in found.notes[0]


def test_the_top_of_each_day_is_that_of_the_rows(bench, rows):
    found = bench.gain(scope(bench), 20)
    dumps(found.to_records())
    row = next(row for row in found if row.review == "budget")
    day = rows["local"].dt.date
    top = rows[rows.groupby(day)["score"].rank(ascending=False, method="first") <= 20]
    labelled = top.dropna(subset=["label"])
    # ties at the end of a review are shared out
    assert row.precision == pytest.approx(labelled["label"].mean(), abs=2e-3)
    assert row.recall == pytest.approx(labelled["label"].sum() / rows["label"].sum(), abs=2e-3)
    assert row.reviewed_per_day == pytest.approx(20)
    assert row.recall_at_random < row.recall
    tenth = next(row for row in found if row.share_reviewed == 0.1)
    first = rows.sort_values("score", ascending=False).iloc[: round(0.1 * len(rows))]
    assert tenth.precision == pytest.approx(first["label"].mean(), abs=1e-3)
    assert tenth.lift == pytest.approx(first["label"].mean() / rows["label"].mean(), abs=5e-3)
    everything = next(row for row in found if row.share_reviewed == 1.0)
    assert (everything.recall, everything.recall_ci_low, everything.recall_ci_high) == (1.0, 1.0, 1.0)
    assert everything.lift == pytest.approx(1.0)


def test_confident_answers_are_those_of_the_rows(bench, rows):
    found = bench.coverage(scope(bench))
    dumps(found.to_records())
    sure = np.maximum(rows["score"], 1 - rows["score"])
    for share in (1.0, 0.8, 0.5):
        (row,) = [row for row in found if row.share_asked == share and row.metric == "accuracy"]
        answered = rows[sure >= row.answered_from]
        labelled = answered.dropna(subset=["label"])
        assert row.share_answered == pytest.approx(len(answered) / len(rows))
        assert row.value == pytest.approx((labelled["label"] == labelled["predicted_label"]).mean())
        assert row.n_labelled == len(labelled)
        assert row.answered_per_day + row.refused_per_day == pytest.approx(
            len(rows) / rows["local"].dt.date.nunique()
        )
    whole = next(row for row in found if row.share_asked == 1.0 and row.metric == "cost")
    (quality,) = [row for row in bench.quality(scope(bench)) if row.metric == "cost"]
    assert (whole.value, whole.change) == (pytest.approx(quality.value), 0.0)


def test_distance_is_from_the_threshold_in_use(bench, rows):
    found = [row for row in bench.coverage(scope(bench), "distance") if row.metric == "accuracy"]
    logit = np.log(rows["score"] / (1 - rows["score"]))
    distance = abs(logit - np.log(0.27 / 0.73))
    half = next(row for row in found if row.share_asked == 0.5)
    labelled = rows[distance >= half.answered_from - 1e-9].dropna(subset=["label"])
    assert half.value == pytest.approx((labelled["label"] == labelled["predicted_label"]).mean(), abs=1e-3)


def test_several_classes_decide_by_expected_earnings(tmp_path):
    frame = delay_classes()
    frame = frame[frame["model_version"] == "classes-2013.09"].dropna(subset=["label"]).head(4_000)
    names = ["early", "on_time", "late", "very_late"]
    columns = dict(zip(names, _score_columns(frame, names), strict=True))
    earnings = np.array([[2.0, -1, -1, -3], [-1, 2, -1, -2], [-2, -1, 3, 0], [-5, -4, 1, 6]])
    table = ", ".join(
        f"{true} = {{ " + ", ".join(f"{d} = {earnings[i, j]}" for j, d in enumerate(names)) + " }"
        for i, true in enumerate(names)
    )
    logged = frame.rename(columns={"timestamp": "ts"})[["ts", "label", *columns.values()]]
    scores = ", ".join(f'{name} = "{column}"' for name, column in columns.items())
    bench = write_project(
        tmp_path, logged, f'task = "multiclass"\nscore = {{ {scores} }}\nlabel = "label"\n',
        f"[costs]\nmatrix = {{ {table} }}\n",
    )  # fmt: skip
    (row,) = bench.thresholds(goals=["cost"])
    score = logged[list(columns.values())].to_numpy()
    true = pd.Categorical(logged["label"], names).codes
    best, present = (score @ earnings).argmax(axis=1), score.argmax(axis=1)
    assert row.value == pytest.approx(earnings[true, best].mean())
    assert row.gain == pytest.approx((earnings[true, best] - earnings[true, present]).mean())
    assert row.gain_ci_low < row.gain < row.gain_ci_high
    assert row.threshold is None
    assert {row.metric for row in bench.coverage()} == {"accuracy", "log_loss", "cost"}
    bench.close()


def _score_columns(frame, names):
    return [next(c for c in frame.columns if c in {name, f"p_{name}", f"score_{name}"}) for name in names]


def made(n=1_200, seed=2, **columns):
    rng = np.random.default_rng(seed)
    score = rng.random(n).round(3)
    frame = pd.DataFrame({"ts": times(n, 30), "score": score, "label": (rng.random(n) < score).astype(int)})
    return frame.assign(decision=(score >= 0.6).astype(int), **columns)


def test_a_weight_counts_as_so_many_rows(tmp_path):
    weight = np.random.default_rng(3).integers(1, 4, 1_200)
    frame = made(weight=weight.astype(float))
    toml = BINARY + 'decision = "decision"\n'
    weighted = write_project(tmp_path / "w", frame, toml + 'weight = "weight"\n', COSTS)
    repeated = write_project(tmp_path / "r", frame.loc[frame.index.repeat(weight)], toml, COSTS)
    (one,), (other,) = (bench.thresholds(goals=["cost"]) for bench in (weighted, repeated))
    assert one.threshold == other.threshold
    assert one.present_value == pytest.approx(other.present_value)
    assert one.gain_in_sample == pytest.approx(other.gain_in_sample)
    for first, second in zip(weighted.gain(budget=10), repeated.gain(budget=10), strict=True):
        assert first.recall == pytest.approx(second.recall)
        assert first.precision == pytest.approx(second.precision)
    for first, second in zip(weighted.coverage(), repeated.coverage(), strict=True):
        assert first.value == pytest.approx(second.value)
        assert first.refused_per_day == pytest.approx(second.refused_per_day)
    weighted.close()
    repeated.close()


def test_units_widen_what_they_share(tmp_path):
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(60), 20)
    effect = rng.normal(0, 2, 60)[unit]
    frame = made(unit=[f"u{i}" for i in unit])
    frame["label"] = (rng.random(len(frame)) < 1 / (1 + np.exp(-effect))).astype(int)
    toml = BINARY + 'decision = "decision"\nblock = "none"\n'
    plain = write_project(tmp_path / "p", frame, toml, COSTS)
    units = write_project(tmp_path / "u", frame, toml + 'unit = "unit"\n', COSTS)
    (one,), (other,) = (bench.thresholds(goals=["cost"]) for bench in (plain, units))
    assert (one.independence, other.independence) == ("rows", "units")
    assert other.present_ci_high - other.present_ci_low > 1.4 * (one.present_ci_high - one.present_ci_low)
    tenth = [next(row for row in b.gain() if row.share_reviewed == 0.1) for b in (plain, units)]
    assert (
        tenth[1].precision_ci_high - tenth[1].precision_ci_low
        > tenth[0].precision_ci_high - tenth[0].precision_ci_low
    )
    plain.close()
    units.close()


def test_labels_that_came_later_do_not_count(tmp_path):
    frame = made().drop(columns="label").assign(id=[str(i) for i in range(1_200)])
    label = (np.random.default_rng(5).random(1_200) < frame["score"]).astype(int)
    feed = pd.DataFrame({"id": frame["id"], "label": label, "ts": frame["ts"] + pd.Timedelta("2 days")})
    toml = 'task = "binary"\nscore = "score"\nid = "id"\ndecision = "decision"\n'
    bench = write_project(tmp_path, frame, toml, COSTS, feed)
    early = bench.thresholds(bench.scope(as_of="2024-01-11"), ["cost"])[0]
    assert early.n == pytest.approx(400, abs=5)
    assert early.n_labelled == pytest.approx(320, abs=5)
    assert early.status == "immature"
    bench.close()


@pytest.mark.parametrize(
    "change,status",
    [
        ({"label": None}, "no_data"),
        ({"label": 0}, "too_few"),
        ({"score": float("nan")}, "no_data"),
        ({"score": 0.5}, "ok"),
        ({"decision": 1}, "ok"),
    ],
)
def test_odd_logs_get_a_status_and_a_reason(tmp_path, change, status):
    frame = made().assign(**change)
    if change.get("label", 1) is None:
        frame["label"] = pd.Series([None] * len(frame), dtype="Int64")
    bench = write_project(tmp_path, frame, BINARY + 'decision = "decision"\n', COSTS)
    for row in bench.thresholds(goals=["cost", "recall=0.5", "precision=0.01", "budget=5"]):
        assert row.status in {status, "undefined"}
        assert row.status == "ok" or row.reason
    for answer in (bench.gain(budget=5), bench.coverage(), bench.threshold_curve()):
        dumps(answer.to_records())
    bench.close()


def test_an_empty_window_is_a_row(tmp_path):
    frame = made()
    hole = (frame["ts"] < START + pd.Timedelta("10 days")) | (frame["ts"] >= START + pd.Timedelta("12 days"))
    bench = write_project(tmp_path, frame[hole], BINARY + 'decision = "decision"\n', COSTS)
    scope = bench.scope(grain="day")
    for answer in (bench.thresholds(scope, ["cost"]), bench.gain(scope), bench.coverage(scope)):
        empty = [row for row in answer if row.status == "no_data"]
        assert {row.reason for row in empty} == {"no rows in this window"}
        assert len({row.window_start for row in answer}) == 30
        assert len({row.window_start for row in empty}) == 2
    bench.close()


def test_what_cannot_be_asked_says_why():
    bench = Workbench(SAMPLES / "flights_minutes")
    for ask, word in (
        (bench.thresholds, "threshold"),
        (bench.gain, "positive class"),
        (bench.coverage, "doubt"),
    ):
        with pytest.raises(ScopeError, match=word):
            ask()
    bench.close()


@pytest.mark.parametrize("goal", ["money", "precision", "recall=2", "budget=0", "budget=nan", "cost=3"])
def test_a_goal_that_makes_no_sense_is_refused(bench, goal):
    with pytest.raises(ScopeError):
        bench.thresholds(scope(bench), [goal])


def test_without_earnings_or_decisions(tmp_path):
    frame = made().drop(columns="decision")
    bench = write_project(tmp_path, frame, BINARY)
    cost, recall = bench.thresholds(goals=["cost", "recall=0.8"])
    assert cost.status == "undefined"
    assert "[costs]" in cost.reason
    assert recall.value is not None
    assert (recall.present_value, recall.gain, recall.present_threshold) == (None, None, None)
    assert {row.metric for row in bench.coverage()} == {"log_loss"}
    with pytest.raises(ScopeError, match="one threshold"):
        bench.coverage(certain_by="distance")
    bench.close()


def test_decisions_that_follow_no_threshold(tmp_path):
    rng = np.random.default_rng(6)
    bench = write_project(
        tmp_path,
        made().assign(decision=rng.integers(0, 2, 1_200)),
        BINARY + 'decision = "decision"\n',
        COSTS,
    )
    (row,) = bench.thresholds(goals=["cost"])
    assert row.present_threshold is None
    assert row.gain_ci_low > 0
    assert row.p_value < 0.001
    bench.close()


def test_hostile_classes(tmp_path):
    rng = np.random.default_rng(7)
    score = rng.dirichlet([1, 1], 400)
    names = ["it's", 'say "x"; DROP']
    frame = pd.DataFrame({"ts": times(400), "a": score[:, 0], "b": score[:, 1]})
    frame["label"] = np.where(rng.random(400) < score[:, 0], *names)
    key = [repr(name) if '"' in name else f'"{name}"' for name in names]
    bench = write_project(
        tmp_path, frame, f'task = "multiclass"\nscore = {{ {key[0]} = "a", {key[1]} = "b" }}\nlabel = "label"\n',
        f"[costs]\nmatrix = {{ {key[0]} = {{ {key[0]} = 1 }}, {key[1]} = {{ {key[1]} = 2 }} }}\n",
    )  # fmt: skip
    found = bench.thresholds(goals=["cost", "recall=0.5"])
    assert {row.class_ for row in found} == {None, *names}
    assert all(row.status == "ok" for row in found)
    assert all(row.status == "ok" for row in bench.coverage())
    assert all(replace(row, status="ok") == row for row in bench.gain(budget=3))
    bench.close()
