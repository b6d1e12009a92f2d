"""The shell: navigation, scope bar, links, and what is said where nothing can be shown."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.scope import Scope
from app.parts import links
from app.parts.view import grain_of, preset, resolve
from app.parts.workspace import workspace
from tests.app.conftest import assert_fine, texts


def test_a_link_opens_on_its_scope(open_page):
    page = open_page(
        "quality",
        range="30d",
        version=["gbm-2013.09"],
        where=["carrier=UA", "carrier=AA"],
        project="NYC flight delays",
    )
    assert_fine(page)
    said = texts(page)
    assert "from 2013-12-02 to 2014-01-01, version gbm-2013.09, carrier is UA or carrier is AA" in said
    assert "(America/New_York)" in said
    assert "the logs end on 31 Dec 2013" in said
    assert page.session_state["where"] == ["carrier=UA", "carrier=AA"]


def test_start_alone_is_a_custom_window(open_page, known_project):
    page = open_page("quality", known_project(), start="2024-01-02", end="2024-01-04")
    assert_fine(page)
    assert "from 2024-01-02 to 2024-01-04" in texts(page)


def test_the_shared_link_holds_what_was_chosen_and_a_frozen_one(open_page):
    page = open_page("quality", range="7d", where=["origin=JFK"])
    moving, frozen = (code.value for code in page.code[:2])
    assert "range=7d" in moving
    assert "where=origin%3DJFK" in moving
    assert "range=custom&start=2013-12-25&end=2014-01-01" in frozen


@pytest.mark.parametrize("where", ["nowhere=1", "place", "score=high"])
def test_a_filter_that_means_nothing_is_a_card_with_a_way_out(open_page, known_project, where):
    page = open_page("quality", known_project(), where=[where])
    assert_fine(page)
    assert "This cannot be shown" in texts(page)
    page.button(key="scope_reset").click().run()
    assert_fine(page)
    assert "This cannot be shown" not in texts(page)
    assert page.session_state["where"] == []


def test_a_filter_is_added_by_the_form(open_page, known_project):
    page = open_page("quality", known_project())
    page.selectbox(key="filter_name").select("place").run()
    assert_fine(page)
    page.selectbox(key="filter_value").select("north").run()
    page.button(key="filter_add").click().run()
    assert_fine(page)
    assert page.session_state["where"] == ["place=north"]
    assert "place is north" in texts(page)


def test_a_feature_is_filtered_by_an_interval(open_page, known_project):
    page = open_page("quality", known_project())
    page.selectbox(key="filter_name").select("size").run()
    page.number_input(key="filter_low").set_value(10.0).run()
    page.button(key="filter_add").click().run()
    assert_fine(page)
    assert page.session_state["where"] == ["size=[10, inf)"]


def test_another_project_forgets_the_words_of_the_first(open_page):
    page = open_page("quality", where=["origin=JFK"], version=["gbm-2013.03"])
    page.selectbox(key="project").select("NYC flights: minutes late").run()
    assert_fine(page)
    assert page.session_state["where"] == []
    assert page.session_state["version"] == []


def test_a_folder_without_a_project_says_what_to_do(open_page, tmp_path):
    page = open_page("overview", tmp_path)
    assert_fine(page)
    assert "No project yet" in texts(page)
    assert "assay init" in texts(page)


def test_a_broken_project_does_not_hide_the_others(open_page, make_project, tmp_path):
    make_project("good")
    broken = tmp_path / "bad"
    broken.mkdir()
    (broken / "assay.toml").write_text("name = 1")
    page = open_page("quality", tmp_path, project="bad")
    assert_fine(page)
    assert "bad cannot be opened" in texts(page)
    page.selectbox(key="project").select("good").run()
    assert_fine(page)
    assert "cannot be opened" not in texts(page)


@pytest.mark.parametrize("page", ["quality", "drift", "labels", "segments", "examples", "telemetry"])
def test_each_page_of_a_broken_project_says_one_line(open_page, known_project, tmp_path, page):
    good = (known_project() / "assay.toml").read_text()
    mistakes = {
        "wrong_key": good.replace("timestamp =", "timestmp ="),
        "no_toml": 'name = "half\n[predictions',
        "no_logs": good.replace('name = "small"', 'name = "no_logs"').replace('"score"', '"points"'),
    }
    for name, text in mistakes.items():
        folder = tmp_path / name
        shutil.copytree(known_project(), folder)
        (folder / "assay.toml").write_text(text)
    for name, words in {
        "wrong_key": ["timestmp", "timestamp"], "no_toml": ["assay.toml", "line 1"], "no_logs": ["points"],
    }.items():  # fmt: skip
        shown = open_page(page, tmp_path, project=name)
        assert_fine(shown)
        said = texts(shown)
        assert [word for word in words if word not in said] == []
        assert "Traceback" not in said


@pytest.mark.parametrize(
    "window,now,start,end,says",
    [
        ("7d", "2013-12-31T23:00", "2013-12-25", "2014-01-01", False),
        ("30d", "2030-01-01T00:00", "2013-12-02", "2014-01-01", True),
        ("24h", "2030-01-01T00:00", "2013-12-30T23:00", "2013-12-31T23:00", True),
        ("7d", "2013-07-04T12:00", "2013-06-28", "2013-07-05", False),
    ],
)
def test_the_last_days_are_those_of_the_logs(window, now, start, end, says):
    zone = ZoneInfo("America/New_York")
    local = lambda text: datetime.fromisoformat(text).replace(tzinfo=zone)  # noqa: E731
    newest = local("2013-12-31T22:50").astimezone(UTC)
    found = preset(window, newest, local(now).astimezone(UTC), zone)
    assert found[:2] == (local(start), local(end))
    assert (found[2] is not None) is says


@pytest.mark.parametrize(
    "days,grain",
    [(1, "hour"), (2, "hour"), (7, "day"), (31, "day"), (32, "week"), (366, "week"), (400, "month")],
)
def test_the_grain_gives_a_readable_number_of_windows(days, grain):
    start = datetime(2020, 1, 1, tzinfo=UTC)
    end = datetime.fromtimestamp(start.timestamp() + days * 86_400, UTC)
    assert grain_of("auto", Scope(start=start, end=end), None) == grain
    assert grain_of("day", Scope(start=start, end=end), None) == "day"
    assert grain_of("century", Scope(start=start, end=end), None) == grain


def test_words_a_client_makes_up_fall_back(make_project, monkeypatch):
    monkeypatch.setenv("ASSAY_PROJECT", str(make_project()))
    entry = workspace().entries()[0]
    view = resolve(entry.name, entry.bench, {"range": "forever", "grain": "century", "version": ["z", "a"]})
    assert view.scope.versions == ("a",)
    assert view.scope.start is not None
    assert view.version == "a"


def test_pages_that_exist_are_in_the_navigation():
    assert links.exists("quality")
    assert not links.exists("../main")
    assert not links.exists("nothing")
