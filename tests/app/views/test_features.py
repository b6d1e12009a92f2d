"""The Features page, and what the Drift page compares with."""

from __future__ import annotations

import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"
JULY = {"version": ["gbm-2013.03"], "range": "custom", "start": "2013-07-01", "end": "2013-08-01"}
LATER = {"version": ["b"], "range": "custom", "start": "2024-01-03", "end": "2024-01-06"}
"""Days of a small project with as many before them."""


def test_a_number_is_described_and_compared_with_the_reference(open_page):
    page = open_page("features", FLIGHTS, **JULY, feature="temp")
    assert_fine(page)
    said = texts(page)
    assert "temp is 81.0 in the middle, 70.0 to 93.9 in 9 of 10 rows" in said
    assert "against the reference" in said
    assert [metric.label for metric in page.metric] == ["Missing", "Median", "Spread", "Share moved"]
    names = {trace.get("name") for trace in charts(page)[0]["data"]}
    assert {"5% to 95% of rows", "median", "mean, with its interval"} <= names
    assert page.selectbox(key="split_by").value == "outcome"
    assert {trace["name"] for trace in charts(page)[1]["data"]} == {"right", "wrong"}
    assert len(page.dataframe[-1].value) == 22


def test_a_text_shows_its_most_frequent_values(open_page):
    page = open_page("features", FLIGHTS, **JULY, feature="carrier", split_by="label")
    assert_fine(page)
    assert "has 15 values, most often EV" in texts(page)
    names = [trace["name"] for trace in charts(page)[0]["data"]]
    assert names[:2] == ["EV", "UA"] or "EV" in names[:2]
    assert "other values" in names
    assert {trace["name"] for trace in charts(page)[1]["data"]} == {"0", "1"}


def test_a_regression_is_split_by_the_size_of_its_errors(open_page, known_project):
    page = open_page("features", known_project(task="regression"), range="all", feature="size")
    assert_fine(page)
    assert {trace["name"] for trace in charts(page)[1]["data"]} == {"close", "far"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["one", "none"])
@pytest.mark.parametrize("reference", [True, False])
def test_every_task_and_any_labels(open_page, known_project, task, labels, reference):
    project = known_project(task=task, labels=labels, reference=reference)
    assert_fine(open_page("features", project, range="all"))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("features", known_project(rows=rows), range="all"))


def test_drift_against_the_window_before(open_page, known_project):
    page = open_page("drift", known_project(), **LATER, against="previous")
    assert_fine(page)
    assert "compared with the window before it" in texts(page)
    assert page.selectbox(key="against").value == "previous"
    assert page.button(key="open_feature").label.startswith("What ")


def test_drift_of_one_segment_against_the_rest(open_page, known_project):
    page = open_page("drift", known_project(), **LATER, against="segment=place=north")
    assert_fine(page)
    assert "compared with the rows that are not place=north" in texts(page)
    assert page.selectbox(key="against_slice").value == "place=north"


def test_without_a_reference_the_window_before_is_offered(open_page, known_project):
    page = open_page("drift", known_project(reference=False))
    assert_fine(page)
    page.button(key="no_reference_0").click().run()
    assert_fine(page)
    assert "No reference is declared; each window is compared with the window before it" in texts(page)


def test_nonsense_falls_back(open_page):
    page = open_page("drift", FLIGHTS, **JULY, against="yesterday")
    assert_fine(page)
    assert page.selectbox(key="against").value == "reference"


def test_groups_of_very_many_rows_are_read_when_wanted(open_page, monkeypatch):
    monkeypatch.setattr("app.parts.features.MOST_UNASKED", 100)
    page = open_page("features", FLIGHTS, **JULY, feature="temp")
    assert_fine(page)
    assert len(charts(page)) == 1
    wanted = page.toggle(key="read_groups")
    assert wanted.label.startswith("Read all ")
    wanted.set_value(True).run()
    assert_fine(page)
    assert {trace["name"] for trace in charts(page)[1]["data"]} == {"right", "wrong"}
