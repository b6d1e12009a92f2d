"""Changes, ageing and releases on small projects with planted stories, and on odd data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.ask.days import days_in
from analytics.errors import ScopeError
from tests.ask.projects import BINARY, START, dumps, write_project

PER_DAY = 120


def day_start(day):
    return (START + timedelta(days=day)).to_pydatetime()


def logs(days, *, noise, versions=("a",), seed=0, size=None):
    """Rows of some days: a score whose link with the label is as strong as `noise(day, version)` is small."""
    random = np.random.default_rng(seed)
    parts = []
    for day in range(days):
        at = (
            START
            + timedelta(days=day)
            + pd.to_timedelta(np.sort(random.uniform(0, 86_000, PER_DAY)), unit="s")
        )
        truth = random.normal(size=PER_DAY)
        label = (truth + random.normal(size=PER_DAY) > 0).astype(int)
        for version in versions:
            seen = truth + noise(day, version) * random.normal(size=PER_DAY)
            score = 1 / (1 + np.exp(-seen))
            parts.append(
                pd.DataFrame(
                    {
                        "ts": at,
                        "score": score,
                        "label": label,
                        "version": version,
                        "size": random.normal(0.0 if size is None else size(day), 1.0, PER_DAY),
                        "place": random.choice(["north", "south", "east"], PER_DAY),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def released(*dated):
    """Releases as TOML."""
    return "".join(f'[[releases]]\ntimestamp = {day}\nversion = "{version}"\n' for day, version in dated)


ROLES = BINARY + 'version = "version"\nfeatures = ["size", "place"]\n'
REFERENCE = "[reference]\nstart = 2024-01-01\nend = 2024-01-15\n"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Worse from day 40 on, and size moves on day 25; version b, trained later, runs from day 40 in shadow's stead."""

    def noise(day, version):
        return 0.3 if version == "b" else (0.3 if day < 40 else 4.0)

    frame = logs(70, noise=noise, versions=("a", "b"), size=lambda day: 1.0 * (day >= 25))
    frame = frame[(frame["version"] == "a") | (frame["ts"] >= START + timedelta(days=40))]
    releases = (
        '[[releases]]\ntimestamp = 2024-01-01\nversion = "a"\ntrained_until = 2024-01-01\n'
        '[[releases]]\ntimestamp = 2024-02-10\nversion = "b"\ntrained_until = 2024-02-10\n'
    )
    return write_project(tmp_path_factory.mktemp("story"), frame, ROLES, releases + REFERENCE)


def only(rows, **where):
    found = [row for row in rows if all(getattr(row, name) == value for name, value in where.items())]
    assert len(found) == 1, found
    return found[0]


def test_a_planted_fall_is_dated_and_called_worse(story):
    rows = story.changes(story.scope(versions=["a"]))
    auc = only(rows, field="roc_auc")
    assert auc.kind == "sudden"
    assert auc.change_low <= day_start(40) <= auc.change_high
    assert abs((auc.change_at - day_start(40)).days) <= 1
    assert auc.worse
    assert auc.ci_low < auc.difference < auc.ci_high < 0
    assert auc.after == pytest.approx(auc.before + auc.difference)
    loss = only(rows, field="log_loss")
    assert loss.worse
    assert loss.difference > 0
    assert dumps(rows)


def test_a_planted_shift_of_a_field_is_dated_and_the_still_one_is_not(story):
    rows = story.changes(story.scope(versions=["a"]))
    size = only(rows, field="size")
    assert (size.kind, size.statistic, size.role) == ("sudden", "mean_rank", "feature")
    assert abs((size.change_at - day_start(25)).days) <= 1
    # one reference deviation: the mean rank goes from .5 to Phi(1 / sqrt 2)
    assert size.before == pytest.approx(0.5, abs=0.02)
    assert size.after == pytest.approx(0.76, abs=0.02)
    assert only(rows, field="place").kind == "none"
    assert size.worse is None


def test_what_did_not_change_has_no_date_and_no_difference(story):
    row = only(story.changes(story.scope(versions=["a"])), field="prevalence")
    assert row.kind == "none"
    assert row.change_at is row.before is row.difference is row.ci_low is None
    assert row.p_value is not None
    assert row.trend_low <= row.trend_per_month <= row.trend_high


def test_the_new_release_is_kept_on_the_same_days(story):
    found = story.releases(story.scope())
    rows = [row for row in found if row.version == "b"]
    loss = only(rows, metric="log_loss")
    assert loss.recommendation == "keep"
    assert loss.evidence == "paired"
    assert loss.paired_high < 0
    assert loss.evidence_low <= loss.paired_low
    # b after and a before had the same noise: before and after differ little
    assert abs(loss.difference) < abs(loss.paired_difference) / 4
    assert loss.days == 28
    assert loss.n_paired == 30
    assert {row.status for row in found if row.version == "a"} == {"undefined"}
    assert dumps(found)


def test_a_harmful_release_is_rolled_back(tmp_path):
    frame = logs(60, noise=lambda _, version: 0.3 if version == "a" else 4.0, versions=("a", "b"))
    late = frame["ts"] >= START + timedelta(days=30)
    # without shadow: a before, b after
    frame = frame[(frame["version"] == "b") == late]
    releases = released(("2024-01-01", "a"), ("2024-01-31", "b"))
    bench = write_project(tmp_path, frame, ROLES, releases)
    auc = only(bench.releases(bench.scope(versions=["b"])), metric="roc_auc")
    assert auc.recommendation == "roll back"
    assert auc.evidence == "same weekday"
    assert auc.n_paired == 0
    assert auc.same_weekday_high < 0
    assert "the days may have changed" in auc.reason


def test_a_release_of_yesterday_is_too_early(tmp_path):
    frame = logs(43, noise=lambda *_: 0.3, versions=("a", "b"))
    releases = released(("2024-01-01", "a"), ("2024-02-10", "b"))
    bench = write_project(tmp_path, frame, ROLES, releases)
    row = only(bench.releases(bench.scope(versions=["b"])), metric="log_loss")
    assert (row.recommendation, row.status) == ("too early", "too_few")
    assert "3 days after" in row.reason


def test_a_tolerance_of_the_project_decides(tmp_path):
    frame = logs(60, noise=lambda _, version: 0.3 if version == "a" else 0.9, versions=("a", "b"))
    releases = released(("2024-01-01", "a"), ("2024-01-31", "b"))
    strict = write_project(
        tmp_path / "strict", frame, ROLES, releases + "[quality]\ntolerance = { log_loss = 0.001 }\n"
    )
    lax = write_project(
        tmp_path / "lax", frame, ROLES, releases + "[quality]\ntolerance = { log_loss = 0.5 }\n"
    )
    calls = [
        only(bench.releases(bench.scope(versions=["b"])), metric="log_loss").recommendation
        for bench in (strict, lax)
    ]
    assert calls == ["roll back", "keep"]


def test_age_is_counted_from_training_and_a_refresh_is_seen_on_the_same_days(story):
    rows = story.ageing(story.scope(), metric="log_loss")
    bins = [row for row in rows if row.part == "bin" and row.version == "a"]
    assert [row.age_from for row in bins] == [0, 28, 56]
    assert {row.counted_from for row in rows} == {"trained_until"}
    assert sum(row.n for row in bins) == 70
    assert bins[2].value > bins[0].ci_high
    whole = next(row for row in rows if row.part == "refresh")
    assert (whole.version, whole.compared_with, whole.age_from) == ("b", "a", 40)
    assert whole.ci_high < 0
    assert whole.per_month == pytest.approx(whole.value / (40 * 12 / 365.25))
    retrain = only([row for row in rows if row.part == "retrain"], version="a")
    assert retrain.status == "ok"
    assert retrain.ci_low <= retrain.value <= retrain.ci_high
    other = only([row for row in rows if row.part == "retrain"], version="b")
    assert other.value is None
    assert "cannot be told apart" in other.reason
    assert dumps(rows)


def test_a_floor_dates_the_decay(tmp_path):
    frame = logs(90, noise=lambda day, _: 0.1 + 2.4 * day / 90)
    bench = write_project(tmp_path, frame, ROLES, "[quality]\nfloor = { roc_auc = 0.55 }\n" + REFERENCE)
    row = only(bench.changes(bench.scope()), field="roc_auc")
    assert row.kind in {"gradual", "changed"}
    assert row.trend_high < 0
    assert row.floor == 0.55
    assert day_start(90) < row.reaches_floor_low < row.reaches_floor_at
    assert row.reaches_floor_high is None or row.reaches_floor_high > row.reaches_floor_at
    retrain = next(r for r in bench.ageing(bench.scope(), metric="roc_auc") if r.part == "retrain")
    assert retrain.value > 90
    assert retrain.ci_low < retrain.value
    assert retrain.counted_from == "first row"


def test_days_whose_labels_still_arrive_do_not_count(tmp_path):
    frame = logs(40, noise=lambda *_: 0.3)
    frame["id"] = [f"p{i}" for i in range(len(frame))]
    feed = frame[["id", "label"]].assign(ts=frame["ts"] + timedelta(days=5))
    bench = write_project(
        tmp_path, frame.drop(columns="label"), ROLES.replace('label = "label"\n', 'id = "id"\n'), "", feed
    )
    scope = bench.scope(as_of="2024-02-05T00:00:00Z")
    days = days_in(bench.catalog, scope)
    series = days.of("a", "log_loss")
    # the 5th of February is day 35: five days wait, and the cut one
    assert series.series.n <= 30
    assert series.left_out.get("labels still arrive", 0) >= 5
    row = only(bench.changes(scope), field="log_loss")
    assert row.n == series.series.n


def test_weeks_are_taken_where_days_are_too_small(tmp_path):
    frame = logs(84, noise=lambda *_: 0.3)
    bench = write_project(tmp_path, frame.iloc[::10], ROLES, REFERENCE)
    rows = bench.changes(bench.scope())
    assert {row.grain for row in rows} == {"week"}
    loss = only(rows, field="log_loss")
    assert loss.n == 12
    assert loss.weekly_share is None
    assert loss.kind == "none"


@pytest.mark.parametrize("words", [{"grain": "hour"}, {"grain": "month"}])
def test_other_grains_are_refused(story, words):
    for question in (story.changes, story.ageing, story.releases):
        with pytest.raises(ScopeError, match="only day and week"):
            question(story.scope(**words))


def test_an_unknown_metric_is_refused_with_the_nearest(story):
    with pytest.raises(ScopeError, match='did you mean "log_loss"'):
        story.ageing(story.scope(), metric="log_los")


ODD = {
    "no labels": lambda frame: frame.assign(label=pd.Series([None] * len(frame), dtype="Float64")),
    "one class": lambda frame: frame.assign(label=0),
    "one row": lambda frame: frame.iloc[:1],
    "no rows": lambda frame: frame.iloc[:0],
    "constant": lambda frame: frame.assign(score=0.5, size=1.0, place="north"),
    "all missing": lambda frame: frame.assign(size=np.nan, place=pd.Series([None] * len(frame), dtype="string")),
    "infinite": lambda frame: frame.assign(size=np.inf),
    "hostile": lambda frame: frame.assign(place="'; DROP TABLE x; -- <b>", version="a' OR 1=1"),
    "many places": lambda frame: frame.assign(place=[f"place {i}" for i in range(len(frame))]),
    "a gap": lambda frame: frame[(frame["ts"] - START).dt.days.isin([*range(10), *range(22, 35)])],
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_logs_have_a_reason_and_never_a_traceback(tmp_path, case):
    frame = ODD[case](logs(35, noise=lambda *_: 0.5))
    releases = released(("2024-01-01", "z"), ("2024-01-12", "a"))
    bench = write_project(tmp_path, frame, ROLES, releases + REFERENCE)
    for results in (bench.changes(bench.scope()), bench.ageing(bench.scope()), bench.releases(bench.scope())):
        assert dumps(results)
        for row in results:
            value = getattr(row, "value", getattr(row, "p_value", None))
            assert row.status == "ok" or row.reason
            if row.status not in {"ok", "immature"}:
                assert value is None


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_answer(tmp_path, task):
    frame = logs(42, noise=lambda *_: 0.3)
    if task == "multiclass":
        frame["label"] = np.where(frame["label"] == 1, "x", "y")
        frame["p_y"] = 1 - frame["score"]
        roles = (
            'task = "multiclass"\nscore = { x = "score", y = "p_y" }\nlabel = "label"\nversion = "version"\n'
        )
    else:
        frame["label"] = frame["label"] * 10.0
        roles = 'task = "regression"\nscore = "score"\nlabel = "label"\nversion = "version"\n'
    bench = write_project(tmp_path, frame, roles)
    rows = bench.changes(bench.scope())
    main = "log_loss" if task == "multiclass" else "mean_absolute_error"
    assert only(rows, field=main).status == "ok"
    assert next(iter(bench.ageing(bench.scope()))).metric == main
    assert "declares no reference" in " ".join(rows.notes)


def test_weights_count(tmp_path):
    frame = logs(40, noise=lambda *_: 0.3)
    frame["w"] = np.where(frame["place"] == "north", 10.0, 1.0)
    bench = write_project(tmp_path, frame, ROLES + 'weight = "w"\n', REFERENCE)
    series = days_in(bench.catalog, bench.scope()).of("a", "prevalence").series
    first = frame[frame["ts"] < START + timedelta(days=1)]
    assert series.value[0] == pytest.approx(np.average(first["label"], weights=first["w"]))
    assert only(bench.changes(bench.scope()), field="place").status == "ok"


def test_as_of_forgets_later_releases(story):
    known = story.releases(story.scope(as_of=datetime(2024, 2, 9, tzinfo=UTC).isoformat()))
    assert {row.version for row in known} == {"a"}
