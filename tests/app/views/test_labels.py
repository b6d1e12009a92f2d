"""The Labels page says how many labels there are, how late they come, and replays what was known."""

from __future__ import annotations

import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"
JULY = {"range": "custom", "start": "2013-07-01", "end": "2013-07-16", "version": ["gbm-2013.03"]}


def test_says_how_many_labels_there_are_and_how_late_they_come(open_page):
    page = open_page("labels", FLIGHTS, **JULY)
    assert_fine(page)
    said = texts(page)
    assert "predictions from 1 Jul to 15 Jul 2013 have a label" in said
    assert "they come after 3" in said
    assert [tile.label for tile in page.metric] == [
        "With a label",
        "Expected by now",
        "Median delay",
        "Newest label",
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
