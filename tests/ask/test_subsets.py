"""Some rows as a catalog: those that pass filters answer as the whole does, a sample says what holds of all."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import numpy as np
import pandas as pd
import pytest

from analytics.ask import subsets as module
from analytics.ask.subsets import QUESTIONS, Subsets, believable
from analytics.engines.text import Sql, all_of
from analytics.errors import AssayError, QueryTimeoutError
from analytics.scope import Filter
from analytics.telemetry import facts
from analytics.telemetry.subsets import passing, sample, subset
from analytics.workbench import Workbench, open_workbench
from tests.app.stored_projects import stored_project
from tests.ask.projects import BINARY, SAMPLES, START, values, write_project

WHERE = {
    "binary": ["c0=north", "c1=x", "outcome=right"],
    "multiclass": ["c0=north", "n0=[-1, 1]"],
    "regression": ["c0=north", "score=[0, 12]"],
}


def _asked(bench: Workbench, question: str, scope):
    words = {"feature": "score"} if question == "histogram" else {}
    try:
        return getattr(bench, question)(scope=scope, **words)
    except AssayError as error:
        return str(error)


@pytest.mark.parametrize("task", WHERE)
def test_rows_that_pass_answer_as_all_rows_do(task, tmp_path) -> None:
    bench = Workbench(stored_project(tmp_path, task))
    assert bench.catalog.parts is not None
    scope = bench.scope(where=WHERE[task], grain="week", start="2026-01-04", end="2026-01-17")
    part = bench.over(subset(bench.catalog, all_of(passing(bench.catalog, scope))))
    rows = part.catalog.engine.query("SELECT count(*) AS n FROM predictions").to_pylist()[0]["n"]
    whole = bench.catalog.engine.query("SELECT count(*) AS n FROM predictions").to_pylist()[0]["n"]
    assert 500 < rows < whole / 2
    answered = 0
    for question in sorted(QUESTIONS):
        one = replace(scope, grain="all") if question in {"segments", "pairs"} else scope
        expected, found = _asked(bench, question, one), _asked(part, question, one)
        if isinstance(expected, str):
            assert found == expected, question
            continue
        assert _close(found, expected), question
        answered += 1
    assert answered >= 6


def _close(found: object, expected: object) -> bool:
    if isinstance(expected, tuple) and not hasattr(expected, "to_records"):
        return all(_close(one, other) for one, other in zip(found, expected, strict=True))
    assert isinstance(found, type(expected))
    these, those = found.to_records(), expected.to_records()
    assert len(these) == len(those)
    assert found.notes == expected.notes
    for this, that in zip(these, those, strict=True):
        for name, value in that.items():
            if isinstance(value, float):
                assert this[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
            else:
                assert this[name] == value, name
    return True


def test_a_subset_is_forgotten_when_nobody_holds_it() -> None:
    bench = open_workbench(SAMPLES / "flights")
    count = "SELECT count(*) AS n FROM duckdb_tables() WHERE schema_name LIKE 'subset%'"
    part = sample(bench.catalog, 0.1)
    assert bench.catalog.engine.query(count).to_pylist()[0]["n"] == 2
    del part
    gc.collect()
    assert bench.catalog.engine.query(count).to_pylist()[0]["n"] == 0


def test_a_sample_keeps_requests_together_and_is_the_same_every_time() -> None:
    bench = open_workbench(SAMPLES / "flights")
    assert bench.project.require_predictions().request is not None
    ids = "SELECT id FROM predictions ORDER BY id"
    one, two = sample(bench.catalog, 0.2), sample(bench.catalog, 0.2)
    drawn = one.engine.query(ids).to_pylist()
    assert drawn == two.engine.query(ids).to_pylist()
    by_request = "SELECT request, count(*) AS n FROM predictions GROUP BY request"
    whole = {row["request"]: row["n"] for row in bench.catalog.engine.query(by_request).to_pylist()}
    mine = {row["request"]: row["n"] for row in one.engine.query(by_request).to_pylist()}
    assert all(whole[request] == n for request, n in mine.items())
    assert abs(len(mine) / len(whole) - 0.2) < 0.01
    # labels of these rows and of no others
    labels = one.engine.query("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM labels").to_pylist()[0]
    assert labels["ids"] <= len(drawn)
    assert labels["n"] > 0.5 * len(drawn)


def test_rows_without_a_request_are_drawn_one_by_one(tmp_path) -> None:
    n = 6000
    frame = pd.DataFrame(
        {
            "ts": START + pd.to_timedelta(np.arange(n), unit="s"),
            "score": np.linspace(0, 1, n),
            "label": np.arange(n) % 2,
            "request": [f"r{k // 2}" if k % 3 else None for k in range(n)],
        }
    )
    bench = write_project(tmp_path, frame, BINARY + 'request = "request"\n')
    text = "SELECT count(*) AS n, count(request) AS asked FROM predictions"
    part = sample(bench.catalog, 0.2)
    drawn = part.engine.query(text).to_pylist()[0]
    assert abs(drawn["asked"] / (n * 2 / 3) - 0.2) < 0.03
    assert abs((drawn["n"] - drawn["asked"]) / (n / 3) - 0.2) < 0.03


METRICS = ("log_loss", "brier_score", "roc_auc", "average_precision", "accuracy", "recall", "prevalence")


@pytest.mark.statistical
def test_intervals_of_a_sample_hold_what_all_rows_say(tmp_path) -> None:
    rng = np.random.default_rng(20261122)
    n, runs = 60_000, 60
    score = rng.beta(2, 5, n)
    frame = pd.DataFrame(
        {
            "ts": START + pd.to_timedelta(np.arange(n) * 30, unit="s"),
            "score": score,
            "label": (rng.random(n) < score).astype(int),
            "decision": (score > 0.4).astype(int),
            "place": rng.choice(["a", "b"], n),
        }
    )
    covered, given = dict.fromkeys(METRICS, 0), 0.0
    bench = write_project(
        tmp_path, frame, BINARY + 'decision = "decision"\nsegments = ["place"]\nfeatures = ["place"]\n'
    )
    scope = bench.scope(where=["place=a"])
    whole = values(bench.quality(scope))
    for run in range(runs):
        part = subset(bench.catalog, Sql(f"hash(ts, {run}) % 1000 < 20"))
        found = values(bench.over(part).quality(scope))
        for name in METRICS:
            low, high = found[name].ci_low, found[name].ci_high
            covered[name] += low <= whole[name].value <= high
        given += found["log_loss"].ci_high - found["log_loss"].ci_low
    # 95 % of 60 with four standard errors of slack; and not by being useless
    assert all(count >= 50 for count in covered.values()), covered
    assert sum(covered.values()) / (runs * len(METRICS)) >= 0.93, covered
    assert given / runs < 0.2


def _large(monkeypatch, tmp_path, n: int = 4000) -> Workbench:
    monkeypatch.setattr(facts, "LARGE_BYTES", 1000)
    monkeypatch.setattr(module, "LARGE_ROWS", n // 2)
    monkeypatch.setattr(module, "DRAWN", n // 4)
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "ts": START + pd.to_timedelta(np.arange(n) * 60, unit="s"),
            "id": [f"i{k}" for k in range(n)],
            "score": rng.random(n),
            "label": rng.integers(0, 2, n),
            "place": rng.choice(["a", "b"], n),
            "kind": rng.choice(["x", "y"], n),
        }
    )
    words = (
        BINARY + 'id = "id"\nthreshold = 0.5\nsegments = ["place", "kind"]\nfeatures = ["place", "kind"]\n'
    )
    return write_project(tmp_path, frame, words)


def test_only_questions_that_would_read_many_rows_are_sampled(monkeypatch, tmp_path) -> None:
    bench = _large(monkeypatch, tmp_path)
    subsets = bench.subsets
    plain, two = bench.scope(), bench.scope(where=["place=a", "kind=x"])
    # nothing is stored: every question reads rows
    assert subsets.is_worth_it("quality", plain)
    assert not subsets.is_worth_it("labels", two)
    short = replace(two, start=datetime(2024, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 1, 6, tzinfo=UTC))
    assert not subsets.is_worth_it("quality", short)
    bench.aggregate()
    subsets = bench.subsets
    one, pair = bench.scope(where=["place=a"]), bench.scope(where=["place=a"], by="kind")
    assert not subsets.is_worth_it("quality", plain)
    assert not subsets.is_worth_it("quality", one)
    # days are stored, and windows shorter than that are read; segments are asked of all of it
    assert not subsets.is_worth_it("drift", bench.scope(grain="week"))
    for question in ("quality", "drift", "calibration"):
        assert subsets.is_worth_it(question, bench.scope(grain="hour"))
    assert not subsets.is_worth_it("segments", bench.scope(grain="hour"))
    assert subsets.is_worth_it("quality", pair)
    assert subsets.is_worth_it("quality", two)
    assert subsets.is_worth_it("quality", bench.scope(where=["score=[0, 0.5)"]))


def test_what_a_few_rows_rule_is_not_told_from_a_sample(tmp_path) -> None:
    draw = np.random.default_rng(5)
    label = draw.gamma(0.5, 1.0, 500)
    frame = pd.DataFrame({"ts": START, "score": label + draw.normal(size=500), "y": label})
    bench = write_project(tmp_path, frame, 'task = "regression"\nscore = "score"\nlabel = "y"\n')
    exact = bench.quality(bench.scope())
    told = {row.metric: row for row in believable(exact)}
    for row in exact:
        if row.metric == "mean_absolute_percentage_error":
            assert row.status == "ok"
            assert (told[row.metric].value, told[row.metric].status) == (None, "undefined")
            assert "a few rows rule it" in told[row.metric].reason
        else:
            assert told[row.metric] is row


def test_of_wide_rows_fewer_are_drawn(monkeypatch, tmp_path) -> None:
    bench = _large(monkeypatch, tmp_path)
    assert bench.subsets.share == 0.2
    monkeypatch.setattr(module, "DRAWN_BYTES", 4000)
    narrow = Subsets(bench.catalog)
    assert narrow.share <= 0.02
    rows = narrow.sample().engine.query("SELECT count(*) AS n FROM predictions").to_pylist()[0]["n"]
    assert 0 < rows < 120


def test_rows_that_pass_are_held_once_and_labels_are_not_what_passes(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(module, "HELD_SHARE", 0.4)
    bench = _large(monkeypatch, tmp_path)
    subsets = bench.subsets
    two = bench.scope(where=["place=a", "kind=x"])
    held = subsets.exact(two)
    assert held.cut_from is bench.catalog
    assert subsets.exact(replace(two, filters=(*two.filters, Filter("label", "label", "1")))) is held
    assert subsets.exact(replace(two, grain="day")) is held
    # most rows pass: a copy gains nothing
    assert subsets.exact(bench.scope(where=["place=a"])) is bench.catalog
    assert subsets.exact(bench.scope(where=["label=1"])) is bench.catalog
    quick = subsets.outlook("quality", two, 0.5).seconds
    assert quick >= 0.5
    before = Subsets(bench.catalog)
    assert before.outlook("quality", two, 0.5).n == subsets.rows(two)
    assert before.outlook("quality", two, 0.5).seconds > quick


def test_who_has_rows_does_not_wait_for_a_copy_of_others(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(module, "HELD_SHARE", 0.4)
    bench = _large(monkeypatch, tmp_path)
    two, other = (bench.scope(where=[f"place={place}", "kind=x"]) for place in ("a", "b"))
    held = bench.subsets.exact(two)
    copying, done = Event(), Event()

    def slow(*given):
        copying.set()
        assert done.wait(60)
        return subset(*given)

    monkeypatch.setattr(module, "subset", slow)
    with ThreadPoolExecutor() as pool:
        copy = pool.submit(bench.subsets.exact, other)
        assert copying.wait(60)
        try:
            assert pool.submit(bench.subsets.exact, two).result(timeout=30) is held
        finally:
            done.set()
        assert copy.result(timeout=60) is not bench.catalog


def test_a_copy_that_failed_is_not_still_being_read(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(module, "HELD_SHARE", 0.4)
    bench = _large(monkeypatch, tmp_path)
    bench.subsets.sample()
    bench.subsets._read_seconds = 100.0  # as of logs that are worth it
    two = bench.scope(where=["place=a", "kind=x"])
    before = bench.subsets.outlook("quality", two, 0.5).seconds

    def stopped(*_):
        time.sleep(0.1)
        raise QueryTimeoutError("the query was stopped")

    with monkeypatch.context() as patch:
        patch.setattr(module, "subset", stopped)
        with pytest.raises(QueryTimeoutError):
            bench.subsets.exact(two)
    # nothing of it was read: the next copy takes as long as this one would have
    assert bench.subsets.outlook("quality", two, 0.5).seconds == pytest.approx(before, abs=0.01)


def test_what_is_expected_follows_what_answers_took(monkeypatch, tmp_path) -> None:
    bench = _large(monkeypatch, tmp_path)
    subsets = bench.subsets
    two = bench.scope(where=["place=a", "kind=x"])
    first = subsets.outlook("quality", two, 2.0).seconds
    for _ in range(12):
        now = subsets.outlook("quality", two, 2.0).seconds
        subsets.took(now, 3 * first)
    assert subsets.outlook("quality", two, 2.0).seconds == pytest.approx(3 * first, rel=0.05)
