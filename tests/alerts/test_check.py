"""From logs to states: numbers as they were known, rules of every kind, incidents, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.alerts.check import LOOKS, history_of, stood_at
from analytics.alerts.readings import asked_of, looks_between, readings_of
from analytics.alerts.states import replay
from analytics.errors import ProjectError
from analytics.project import Alert
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.cli import cli

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 40
PER_DAY = 120
BROKEN = 35
"""From this day on carrier B is decided the wrong way, and its temperature is missing."""
RULES = """
[objectives.right]
kind = "right_decision"
share = 0.9

[assertions.has_temp]
expect = "temp IS NOT NULL"

[alerts.floor]
metric = "accuracy"
below = 0.8
for = 2
suggest = "retrain"

[alerts.floor_by_carrier]
metric = "accuracy"
below = 0.8
by = ["carrier"]
for = 2

[alerts.worse]
metric = "accuracy"
worse_than_reference_by = 0.05
window = "7 days"
severity = "ticket"

[alerts.temp_missing]
metric = "missing_rate"
feature = "temp"
above = 0.05

[alerts.temp_asserted]
metric = "has_temp"
above = 0.05

[alerts.odd_traffic]
metric = "request_rate"
anomaly = true
confidence = 0.999

[alerts.silent]
no_data = "6 hours"

[alerts.labels_stopped]
labels_stopped = true

[alerts.covered]
metric = "label_coverage"
below = 0.5

[alerts.drifts]
metric = "drifted"
above = 0
window = "7 days"
"""


def logs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two carriers, labels six hours later but for one in 25, which take two days."""
    rng = np.random.default_rng(1)
    n = DAYS * PER_DAY
    at = pd.Timestamp(START) + pd.to_timedelta((np.arange(n) + 0.5) * 86_400 / PER_DAY, unit="s")
    day = np.arange(n) // PER_DAY
    carrier = rng.choice(["A", "B"], n)
    label = rng.integers(0, 2, n)
    broken = (day >= BROKEN) & (carrier == "B")
    right = rng.random(n) < 0.92
    decided = np.where(right & ~broken, label, 1 - label)
    temp = rng.normal(20, 3, n)
    temp[broken] = np.nan
    frame = pd.DataFrame({
        "ts": at, "id": [f"r{i}" for i in range(n)], "score": 0.3 + 0.4 * decided, "decided": decided,
        "carrier": carrier, "temp": temp,
    })  # fmt: skip
    slow = rng.random(n) < 0.04
    delay = np.where(slow, 48 * 3600, 5 * 3600 + rng.integers(0, 3600, n))
    feed = pd.DataFrame({"id": frame["id"], "label": label, "at": at + pd.to_timedelta(delay, unit="s")})
    # the first reports of the slow ones are wrong: whoever looks early sees these
    wrong = feed[slow].assign(label=1 - label[slow], at=at[slow] + pd.Timedelta(hours=1))
    feed = pd.concat([feed, wrong]).sort_values("at")
    return frame, feed[feed["at"] < pd.Timestamp(START + timedelta(days=DAYS))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alerts")
    frame, feed = logs()
    frame.to_parquet(folder / "predictions.parquet")
    feed.to_parquet(folder / "labels.parquet")
    text = """
name = "made"
clock = "logs"
[predictions]
path = "predictions.parquet"
task = "binary"
timestamp = "ts"
id = "id"
score = "score"
decision = "decided"
segments = ["carrier"]
features = ["temp"]
[labels]
path = "labels.parquet"
id = "id"
label = "label"
timestamp = "at"
[reference]
start = 2026-03-02
end = 2026-03-16
"""
    (folder / "assay.toml").write_text(text + RULES)
    return folder


@pytest.fixture(scope="module")
def bench(folder):
    bench = Workbench(folder)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def rows(bench):
    return {(row.alert, row.segment_value): row for row in bench.check()}


def test_every_window_is_read_as_it_was_known_at_its_look(bench):
    """One scan of all windows gives what one question a window, as of its look, gives."""
    catalog, now = bench.catalog, bench.now()
    found = readings_of(catalog, "floor", [now - timedelta(days=12), now])
    judged = [one for one in found if one.seen != "waiting"]
    assert len(judged) >= 10
    later = 0
    for one in judged[::3]:
        scope = Scope(start=one.window_start, end=one.window_end, as_of=one.looked_at)
        (row,) = [row for row in bench.quality(scope) if row.metric == "accuracy"]
        assert (one.value, one.ci_low, one.ci_high) == (row.value, row.ci_low, row.ci_high)
        (whole,) = [row for row in bench.quality(replace(scope, as_of=None)) if row.metric == "accuracy"]
        later += whole.value != row.value
    # the slow labels were corrected after the looks: today's numbers are others
    assert later


def test_segments_are_read_as_they_are(bench):
    (first, *_) = readings_of(bench.catalog, "floor_by_carrier", [bench.now()])
    scope = Scope(start=first.window_start, end=first.window_end, as_of=first.looked_at, by="carrier")
    (row,) = [
        row for row in bench.quality(scope)
        if row.metric == "accuracy" and row.segment_value == first.target.segment_value
    ]  # fmt: skip
    assert (first.value, first.n) == (row.value, row.n)


def test_missing_shares_are_those_of_drift(bench):
    found = readings_of(bench.catalog, "temp_missing", [bench.now()])[-1]
    scope = Scope(start=found.window_start, end=found.window_end)
    (row,) = [row for row in bench.drift(scope) if row.feature == "temp"]
    assert (found.value, found.n) == (pytest.approx(row.missing_rate), row.n)
    assert found.ci_low < found.value < found.ci_high


def test_the_states_at_the_end(rows):
    found = {name: row.state for name, row in rows.items()}
    assert found == {
        ("floor", None): "firing",
        ("floor_by_carrier", "A"): "ok",
        ("floor_by_carrier", "B"): "firing",
        ("worse", None): found["worse", None],
        ("temp_missing", None): "firing",
        ("temp_asserted", None): "firing",
        ("odd_traffic", None): "ok",
        ("silent", None): "ok",
        ("labels_stopped", None): "ok",
        ("covered", None): "ok",
        ("drifts", None): found["drifts", None],
    }


def test_it_fires_since_the_day_it_broke(rows):
    broke = START + timedelta(days=BROKEN)
    for name in (("floor", None), ("floor_by_carrier", "B"), ("temp_missing", None), ("temp_asserted", None)):
        assert rows[name].since == broke, name


def test_a_firing_alert_says_what_since_when_and_what_to_do(rows):
    row = rows["floor", None]
    assert "surely below the limit of 0.8" in row.sentence
    assert "It has been so since 6 Apr 2026." in row.sentence
    assert "retrain" in row.sentence
    assert row.suggest == "retrain"
    assert row.evidence.startswith("/changed?project=made&range=custom&start=2026-04-06&end=2026-04-1")
    assert "metric=accuracy" in row.evidence


def test_what_began_together_is_one_incident_with_the_cause_upstream_first(bench, rows):
    (incident,) = bench.standing().incidents
    assert incident.alerts[0] in {"temp_asserted", "temp_missing"}
    assert {"floor", "floor_by_carrier"} <= set(incident.alerts)
    assert incident.cause is not None
    assert incident.severity == "page"
    fires = [row for row in rows.values() if row.state == "firing"]
    assert {row.incident for row in fires} == {1}


def test_an_incident_keeps_its_key_while_it_goes_on(bench):
    keys = {
        incident.key
        for hours in (0, 13, 24, 31)
        for incident in bench.standing(at=bench.now() - timedelta(hours=hours)).incidents
    }
    assert len(keys) == 1


def test_before_it_broke_nothing_fires(bench):
    found = bench.check(at=START + timedelta(days=BROKEN))
    assert {row.state for row in found} == {"ok"}
    assert all("as_of=" in row.evidence for row in found)


def test_who_asks_twice_or_later_gets_the_same(bench):
    catalog = bench.catalog
    at = bench.now() - timedelta(days=1)
    early = history_of(catalog, "floor", None, at)
    late = [one for one in history_of(catalog, "floor", None, bench.now()) if one.at <= at]
    assert list(early) == late
    once, again = (stood_at(catalog, "floor", at).rows for _ in range(2))
    assert once == again
    # few looks back tell the same as all of them
    steps = replay(catalog.project.alerts["floor"], readings_of(catalog, "floor", [START, at]))
    assert (steps[-1].state, steps[-1].memory.since) == (once[0].state, once[0].since)
    assert len(steps) < LOOKS


def test_windows_whose_labels_still_come_wait(bench):
    found = readings_of(bench.catalog, "floor", [bench.now() - timedelta(days=3), START + timedelta(days=39)])
    waiting = [one for one in found if one.seen == "waiting"]
    assert [one.window_end for one in waiting] == [START + timedelta(days=39)]
    assert all(one.looked_at >= one.window_end + timedelta(hours=5) for one in found if one.seen != "waiting")


def test_a_rule_by_hand_is_asked_as_one_of_the_file(bench):
    rule = Alert(metric="accuracy", below=0.8, **{"for": 2})
    found = readings_of(bench.catalog, rule, [bench.now() - timedelta(days=2), bench.now()])
    assert {one.alert for one in found} == {"rule"}


def test_rolling_windows_see_it_sooner(bench):
    catalog = bench.catalog
    slow, quick = (
        Alert(metric="mean_score", changed_from_previous=True, tolerance=1.0, window="1 day", **more)
        for more in ({}, {"every": "6 hours"})
    )
    until = START + timedelta(days=10)
    count = [len(looks_between(asked_of(catalog, one), START, until)[0]) for one in (slow, quick)]
    assert count == [10, 40]


@pytest.mark.parametrize(
    "metric,words",
    [
        ("acuracy", 'did you mean "accuracy"?'),
        ("wasserstein", "there is no number"),
        ("mean_error", "no number"),
    ],
)
def test_a_metric_that_is_not_there(bench, metric, words):
    with pytest.raises(ProjectError, match="metric") as problem:
        readings_of(bench.catalog, Alert(metric=metric, below=0.5), [bench.now()])
    assert words in str(problem.value)


def test_silence_fires_and_ends(folder, tmp_path):
    frame, feed = logs()
    gap = (frame["ts"] > pd.Timestamp(START + timedelta(days=10))) & (
        frame["ts"] < pd.Timestamp(START + timedelta(days=11))
    )
    frame[~gap].to_parquet(tmp_path / "predictions.parquet")
    stop = pd.Timestamp(START + timedelta(days=20))
    feed[feed["at"] < stop].to_parquet(tmp_path / "labels.parquet")
    (tmp_path / "assay.toml").write_text((folder / "assay.toml").read_text())
    bench = Workbench(tmp_path)
    found = bench.alert_history(["silent"])
    assert [one.state for one in found] == ["firing", "ok"]
    assert found[0].at == START + timedelta(days=10, hours=6)
    assert found[1].at == START + timedelta(days=11, hours=1)
    stopped = bench.alert_history(["labels_stopped"])
    assert [one.state for one in stopped] == ["firing"]
    assert timedelta(0) < stopped[0].at - (START + timedelta(days=20)) <= timedelta(hours=12)
    # quality has no labels any more: that is missing data, not a fall
    (row,) = bench.check(["floor"])
    assert row.state == "no_data"
    bench.close()


def test_the_command(folder, tmp_path):
    report = tmp_path / "report.xml"
    found = CliRunner().invoke(
        cli,
        ["check", str(folder), "floor", "covered", "--json", "--junit", str(report)],
        standalone_mode=False,
    )
    assert found.return_value == 1
    records = json.loads(found.stdout)
    assert [(one["alert"], one["state"]) for one in records] == [("floor", "firing"), ("covered", "ok")]
    suites = ET.parse(report).getroot()
    assert [(one.get("name"), one.get("failures")) for one in suites] == [("floor", "1"), ("covered", "0")]
    fine = CliRunner().invoke(cli, ["check", str(folder), "covered"], standalone_mode=False)
    assert fine.return_value == 0
    assert "covered" in fine.stdout


def test_records_hold_every_field(bench):
    found = Results(tuple(bench.check(["floor"])), bench.project.zone).to_records()
    assert json.dumps(found, allow_nan=False)
    assert {
        "alert",
        "state",
        "value",
        "threshold",
        "since",
        "window_start",
        "window_end",
        "segment_value",
        "evidence",
    } <= (set(found[0]))
