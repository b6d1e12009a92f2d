from __future__ import annotations

import pytest

from app import locations
from app.parts import page_words
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"


def test_says_which_slice_costs_most(open_page):
    page = open_page("segments", FLIGHTS, version=["gbm-2013.03"], range="90d")
    assert_fine(page)
    assert "slices are worse than the rest" in texts(page)
    assert len(page.metric) == 4
    assert page.selectbox(key="metric").value == "log_loss"
    assert len(charts(page)) == 1


def test_the_verdict_stands_in_words_and_shape(open_page):
    frame = open_page("segments", FLIGHTS, range="90d").dataframe[-1].value
    words = set(frame["Against the rest"])
    assert {"▼ worse", "● no difference"} <= words
    assert frame["Impact on the whole"].dropna().is_monotonic_decreasing
    assert set(frame[page_words.OPEN]) == {page_words.EXAMPLES_BUTTON}


def test_a_link_opens_on_its_metric_and_segment(open_page):
    page = open_page("segments", FLIGHTS, metric="accuracy", by="hour", range="90d")
    assert_fine(page)
    assert page.selectbox(key="metric").value == "accuracy"
    assert len(charts(page)) == 2
    assert charts(page)[0]["layout"]["xaxis"]["ticktext"][0].startswith("(-inf")


def test_a_metric_of_another_page_falls_back(open_page):
    page = open_page("segments", FLIGHTS, metric="expected_calibration_error", range="90d")
    assert_fine(page)
    assert page.selectbox(key="metric").value == "log_loss"


def test_points_carry_the_slice_and_the_version(open_page):
    forest = charts(open_page("segments", FLIGHTS, range="90d"))[0]
    custom = [point for trace in forest["data"] for point in trace.get("customdata", ())]
    assert all("=" in where and version == "gbm-2013.09" for where, version in custom)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["both", "one", "none"])
def test_every_task_and_any_labels(open_page, known_project, task, labels):
    assert_fine(open_page("segments", known_project(task=task, labels=labels), range="all", by="place"))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("segments", known_project(rows=rows), range="all"))


def test_an_empty_window_offers_the_newest_data(open_page):
    page = open_page("segments", FLIGHTS, range="custom", start="2019-01-01", end="2019-02-01")
    assert_fine(page)
    assert "Nothing in this window" in texts(page)


def test_without_segments_it_teaches(open_page, make_project):
    folder = make_project()
    file = folder / "assay.toml"
    file.write_text(file.read_text().replace('segments = ["place"]\n', ""))
    page = open_page("segments", folder)
    assert_fine(page)
    assert "declares no segments" in texts(page)
    assert 'segments = ["place"' in texts(page)
