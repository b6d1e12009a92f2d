"""The sections of the Segments page that search, map and compare slices."""

from __future__ import annotations

import pytest

from app.parts import slice_words as words
from tests.app.conftest import assert_fine, charts, texts
from tests.ask.projects import BINARY, write_project
from tests.ask.test_slices import PLANTED, planted


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Errors are more frequent in the hottest quarter at site b."""
    folder = tmp_path_factory.mktemp("planted")
    write_project(folder, planted(12_000), BINARY + PLANTED).close()
    return folder


def test_found_slices_say_where_and_lead_to_rows(open_page, logs):
    page = open_page("segments", logs, section="found", metric="accuracy", range="all")
    assert_fine(page)
    assert "Accuracy is worse where temp from" in texts(page)
    assert len(page.metric) == 3
    forest, trend = charts(page)[:2]
    assert any(trace["name"] == "worse" for trace in forest["data"])
    assert {trace["name"] for trace in trend["data"]} >= {"the slice", "all other rows"}
    frame = page.dataframe[-1].value
    assert frame["Confirmed"][0] == "▼ worse"
    assert set(frame[words.AGAINST]) == {words.AGAINST_BUTTON}
    assert "slices counted on" in texts(page)
    names = page.selectbox(key="slice").options
    other = open_page("segments", logs, section="found", metric="accuracy", slice=names[1], range="all")
    assert_fine(other)
    assert other.selectbox(key="slice").value == names[1]


def test_the_map_is_of_the_fields_that_were_chosen(open_page, logs):
    page = open_page("segments", logs, section="map", map_x="site", map_y="noise", range="all")
    assert_fine(page)
    (drawn,) = charts(page)
    assert drawn["layout"]["xaxis"]["title"]["text"] == "site"
    assert len(drawn["layout"]["xaxis"]["ticktext"]) == 3
    assert page.selectbox(key="map_y").value == "noise"


def test_the_map_chooses_the_fields_that_tell(open_page, logs):
    page = open_page("segments", logs, section="map", metric="accuracy", range="all")
    assert_fine(page)
    assert "Fields chosen on other rows" in texts(page)
    drawn = charts(page)[0]["layout"]
    assert {drawn[axis]["title"]["text"] for axis in ("xaxis", "yaxis")} == {"site", "temp"}
    assert drawn["xaxis"]["title"]["text"] == page.selectbox(key="map_x").value
    assert "Worst where" in texts(page)


def test_the_tree_is_indented_in_its_order(open_page, logs):
    page = open_page("segments", logs, section="tree", metric="accuracy", range="all")
    assert_fine(page)
    assert "Accuracy is worst where" in texts(page)
    names = [note["text"] for note in charts(page)[0]["layout"]["annotations"]]
    assert names[0] == "all rows"
    assert len(names) > 3


def test_the_rest_compares_what_is_filtered(open_page, logs):
    page = open_page("segments", logs, section="rest", where=["site=b"], range="all")
    assert_fine(page)
    assert "what is filtered is worse than the rest on" in texts(page).lower()
    frame = page.dataframe[-1].value
    assert {"quality", "feature", "labels"} == set(frame["Kind"])
    assert "site" not in set(frame["What"])


def test_the_rest_offers_slices_that_were_found(open_page, logs):
    page = open_page("segments", logs, section="rest", metric="accuracy", range="all")
    assert_fine(page)
    assert len(page.selectbox(key="slice").options) > 1


@pytest.mark.parametrize("section", ["found", "map", "tree", "rest"])
@pytest.mark.parametrize("task, labels", [("binary", "both"), ("multiclass", "one"), ("regression", "none")])
def test_every_task_and_any_labels(open_page, known_project, section, task, labels):
    assert_fine(open_page("segments", known_project(task=task, labels=labels), section=section, range="all"))


@pytest.mark.parametrize("section", ["found", "map", "tree", "rest"])
@pytest.mark.parametrize("rows", [0, 3])
def test_hardly_any_rows(open_page, known_project, section, rows):
    assert_fine(open_page("segments", known_project(rows=rows), section=section, range="all"))


@pytest.mark.parametrize("section", ["found", "map", "tree", "rest"])
def test_an_empty_window(open_page, logs, section):
    assert_fine(
        open_page("segments", logs, section=section, range="custom", start="2019-01-01", end="2019-02-01")
    )
