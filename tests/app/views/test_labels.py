"""The Labels page says how many labels there are, how late they come, and replays what was known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts
from tests.ask.projects import START, times, write_project
from tests.labels.projects import late_project

FLIGHTS = locations.sample_logs() / "flights"
JULY = {"range": "custom", "start": "2013-07-01", "end": "2013-07-16", "version": ["gbm-2013.03"]}


def test_says_how_many_labels_there_are_and_how_late_they_come(open_page):
    page = open_page("labels", FLIGHTS, **JULY)
    assert_fine(page)
    said = texts(page)
    assert "predictions from 1 Jul to 15 Jul 2013 have a label" in said
    assert "half of these came within 3" in said
    assert [tile.label for tile in page.metric] == [
        "With a label",
        "Expected by now",
        "Median delay",
        "Since the newest label",
    ]
    assert len(charts(page)) == 1


def test_a_day_is_replayed(open_page):
    page = open_page("labels", FLIGHTS, **JULY, as_of="2013-07-15T12:00:00-04:00")
    assert_fine(page)
    assert "As known on 15 Jul 2013, 12:00" in texts(page)
    assert "the newest window still waits for some" in texts(page)
    slider = page.select_slider(key="known_on")
    assert slider.value == "2013-07-15T12:00:00-04:00"
    slider.set_value("2013-07-12T12:00:00-04:00").run()
    assert_fine(page)
    assert "As known on 12 Jul 2013, 12:00" in texts(page)
    assert page.session_state["as_of"] == "2013-07-12T12:00:00-04:00"
    page.select_slider(key="known_on").set_value("now").run()
    assert_fine(page)
    assert page.session_state["as_of"] == ""


@pytest.mark.parametrize("section", ["counts", "delays", "selection", "sources"])
@pytest.mark.parametrize("project", ["flights", "flights_delay_class", "flights_minutes"])
def test_every_section_answers_for_every_task(open_page, project, section):
    page = open_page(
        "labels", locations.sample_logs() / project, range="custom", start="2013-07-08", end="2013-07-16",
        section=section, as_of="2013-07-15T14:00",
    )  # fmt: skip
    assert_fine(page)
    assert page.metric


def feed_project(
    folder: Path, *, stopped: bool = False, contradicts: bool = False, selected: bool = False
) -> Path:
    """Ten days of predictions up to now whose labels come after three hours, or as asked."""
    bench, frame = late_project(folder, days=10, hours=dict.fromkeys(((0, 0), (0, 1), (1, 0), (1, 1)), 3.0))
    bench.close()
    feed = pd.read_parquet(folder / "labels.parquet")
    if stopped:
        feed = feed[feed["ts"] < START + timedelta(days=8)]
    if contradicts:
        again = feed[::10].assign(
            label=lambda rows: 1 - rows["label"], ts=lambda rows: rows["ts"] + timedelta(hours=2)
        )
        feed = pd.concat([feed, again])
    if selected:
        feed = feed[~feed["id"].isin(frame["id"][frame["decision"] == 1])]
    feed.to_parquet(folder / "labels.parquet")
    return folder


def test_a_silent_feed_is_the_first_thing_said(open_page, tmp_path):
    page = open_page("labels", feed_project(tmp_path, stopped=True), range="all", as_of="2024-01-11")
    assert_fine(page)
    assert "the label feed has been silent for 48 h" in texts(page)
    tile = next(tile for tile in page.metric if tile.label == "Feed silent")
    assert tile.proto.color == tile.proto.MetricColor.RED


def test_contradictions_and_selection_are_told(open_page, tmp_path):
    project = feed_project(tmp_path, contradicts=True, selected=True)
    page = open_page("labels", project, range="all", as_of="2024-01-11", section="sources")
    assert_fine(page)
    assert "contradict an earlier one" in texts(page)
    assert len(charts(page)) == 1
    page = open_page("labels", project, range="all", as_of="2024-01-11", section="selection")
    assert_fine(page)
    assert "0% of predictions with decision 1 get one" in page.warning[0].value.replace("\\", "")


@pytest.mark.parametrize("section", ["counts", "delays", "selection", "sources"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["both", "one", "none"])
def test_labels_as_columns(open_page, known_project, task, labels, section):
    assert_fine(open_page("labels", known_project(task=task, labels=labels), range="all", section=section))


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("labels", known_project(rows=rows), range="all"))


def test_no_labels_declared(open_page, tmp_path):
    frame = pd.DataFrame({"ts": times(50), "score": 0.4})
    write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\n').close()
    page = open_page("labels", tmp_path)
    assert_fine(page)
    assert "declares no labels" in texts(page)
    assert "label_timestamp" in texts(page)
