"""The Service page: the sentence, one time axis, objectives, who waits, what is always expected; it looks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from app.parts import service
from app.parts.view import grain_of, preset, resolve
from tests.app.conftest import assert_fine, charts, texts
from tests.ask.projects import BINARY, START, times, write_project

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
ROLES = BINARY + (
    'latency = "ms"\nstatus = "status"\nok_status = ["ok"]\nunit = "who"\nversion = "version"\nfeatures = ["ms"]\n'
)
SECTIONS = """
[series]
path = "series.csv"
timestamp = "at"
name = "name"
value = "value"
[[releases]]
timestamp = 2024-01-20
version = "b"
[objectives.answered]
kind = "availability"
share = 0.99
[objectives.quick]
good = "latency < 500"
share = 0.9
[assertions.has_size]
expect = "size > 0"
[assertions.in_range]
expect = "score BETWEEN 0 AND 1"
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Thirty days; on the last one two requests of five fail in two ways, and some rows lack what is expected."""
    n, random = 6_000, np.random.default_rng(4)
    late = np.arange(n) >= n - 200
    status = np.where(late & (random.random(n) < 0.4), random.choice(["timeout", "refused"], n), "ok")
    frame = pd.DataFrame(
        {
            "ts": times(n, 30), "score": random.random(n), "label": random.integers(0, 2, n),
            "ms": random.gamma(4, 10, n), "status": status, "who": random.integers(0, 300, n).astype(str),
            "version": np.where(np.arange(n) < 4_000, "a", "b"), "size": np.where(np.arange(n) % 500 == 7, -1.0, 1.0),
        }
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("story") / "story"
    folder.mkdir()
    hours = pd.date_range(START, periods=30 * 24, freq="h")
    pd.DataFrame({"at": hours, "name": "cpu", "value": 0.3 + 0.1 * np.sin(np.arange(len(hours)))}).to_csv(
        folder / "series.csv", index=False
    )
    bench = write_project(folder, frame, ROLES, SECTIONS)
    yield folder
    bench.close()


def test_the_page_says_what_burns_and_draws_all_on_one_axis(open_page, story):
    page = open_page("service", story, range="30d")
    assert_fine(page)
    assert "“answered” burns" in texts(page)
    assert [tile.label.replace("\\", "") for tile in page.metric] == [
        "Requests", "Failed requests", "p95 latency", "Budget left: answered",
    ]  # fmt: skip
    (figure,) = charts(page)
    assert {trace.get("yaxis", "y") for trace in figure["data"]} == {"y", "y2", "y3", "y4", "y5"}
    assert {trace.get("xaxis", "x") for trace in figure["data"]} == {"x"}
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert titles[:5] == [
        f"<b>{name}</b>" for name in ("Requests", "Failed requests", "Latency, as logged", "Log loss", "cpu")
    ]
    names = {trace.get("name") for trace in figure["data"]}
    assert {"all failures", "timeout", "refused", "p50", "p95", "p99"} <= names


@pytest.mark.parametrize(
    "section, said",
    [
        ("objectives", "Objectives and their budgets"),
        ("tail", "Nobody in particular waits"),
        ("assertions", "What is always expected"),
    ],
)
def test_every_section_answers(open_page, story, section, said):
    page = open_page("service", story, range="7d", section=section)
    assert_fine(page)
    assert said in texts(page)
    assert page.dataframe


def test_rows_that_break_an_assertion_are_shown(open_page, story):
    page = open_page("service", story, range="30d", section="assertions")
    assert_fine(page)
    assert page.selectbox(key="assertion").value == "has_size"
    assert set(page.dataframe[1].value["size"]) == {"−1.00"}


def test_a_project_that_declares_nothing_is_taught(open_page, make_project):
    folder = make_project("plain")
    for section in ("objectives", "assertions", "tail"):
        page = open_page("service", folder, range="all", section=section)
        assert_fine(page)
    page = open_page("service", folder, range="all", section="objectives")
    assert "share = 0.99" in texts(page)
    # where the numbers would stand: failed requests, and both latencies
    assert texts(page).count("ok_status are not declared") == 1
    assert texts(page).count("predictions.latency is not declared") == 2


def test_no_request_is_a_sentence_and_a_way_out(open_page, story):
    page = open_page("service", story, range="custom", start="2020-01-01", end="2020-01-02")
    assert_fine(page)
    assert "No request came on 1 Jan 2020, nor in the window before" in texts(page)
    assert page.button


@pytest.fixture
def live(tmp_path_factory):
    """Logs that go on until a minute ago, when the test begins: a whole run takes longer than these windows."""
    n, random = 3_000, np.random.default_rng(1)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    frame = pd.DataFrame(
        {
            "ts": pd.Timestamp(now) - pd.to_timedelta(np.arange(n)[::-1] + 1, unit="min"), "score": random.random(n),
            "label": random.integers(0, 2, n), "ms": random.gamma(3, 10, n), "status": "ok", "who": "1",
            "email": [f"{i}@x" for i in random.integers(0, 40, n)],
        }
    )  # fmt: skip
    roles = BINARY + (
        'latency = "ms"\nstatus = "status"\nok_status = ["ok"]\nunit = "email"\n'
        'private = ["email"]\nfeatures = ["ms"]\n'
    )
    bench = write_project(tmp_path_factory.mktemp("live") / "live", frame, roles)
    yield bench
    bench.close()


def test_short_windows_end_now_and_are_cut_by_five_minutes(live, open_page):
    page = open_page("service", live.project.folder, range="15min")
    assert_fine(page)
    said = texts(page)
    assert "Looks again every 30 seconds" in said
    assert len(charts(page)[0]["data"][0]["x"]) in {3, 4}
    hidden = open_page("service", live.project.folder, range="24h", section="tail")
    assert_fine(hidden)
    assert "@x" not in texts(hidden)
    assert set(hidden.dataframe[0].value["Unit"]) == {"(private)"}


def test_the_page_looks_again_only_while_its_window_moves(live, monkeypatch):
    def pause(**words):
        monkeypatch.setattr(service.st, "session_state", words)
        return service.pause(resolve("live", live, words))

    assert pause(range="15min") == timedelta(seconds=30)
    assert pause(range="24h") == timedelta(minutes=5)
    assert pause(range="all") is None
    assert pause(range="custom", start="2024-01-01") is None
    assert pause(range="1h", as_of=(NOW - timedelta(hours=1)).isoformat()) is None


def test_silence_of_logs_that_go_on_is_in_the_window():
    newest = NOW - timedelta(minutes=20)
    start, end, note = preset("15min", newest, NOW, UTC)
    assert (start, end, note) == (NOW - timedelta(minutes=15), NOW, None)
    old_start, old_end, note = preset("1h", NOW - timedelta(days=30), NOW, UTC)
    assert old_end - old_start == timedelta(hours=1)
    assert old_end == NOW - timedelta(days=30) + timedelta(minutes=1)
    assert note is not None


def test_six_hours_are_cut_by_five_minutes(live):
    scope = live.scope(start="-6h", end="now")
    assert grain_of("auto", scope, None) == "5min"
