from __future__ import annotations

import pytest

from app import locations
from app.parts import changed_words
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"
JULY = {"range": "custom", "start": "2013-07-01", "end": "2013-07-15", "version": ["gbm-2013.03"]}


def test_a_link_of_an_alert_opens_on_the_answer(open_page):
    page = open_page("changed", FLIGHTS, metric="log_loss", alert="loss_high", before="previous", **JULY)
    assert_fine(page)
    assert "Log loss" in texts(page)
    assert "loss_high" in texts(page)
    assert page.selectbox(key="before").value == "previous"
    assert page.metric[0].label == changed_words.CHANGE
    assert len(charts(page)) == 1
    page.button(key="changed_examples").click().run()
    assert_fine(page)
    assert page.session_state["k"] == 10


def test_where_shows_one_account(open_page):
    page = open_page("changed", FLIGHTS, section="where", split_by="carrier", **JULY)
    assert_fine(page)
    assert page.selectbox(key="split_by").value == "carrier"
    frame = page.dataframe[-1].value
    assert {"Adds", "Mix", "Rate", "Low", "High"} <= set(frame.columns)


def test_a_metric_that_cannot_be_split_says_so(open_page):
    page = open_page("changed", FLIGHTS, metric="psi", **JULY)
    assert_fine(page)
    assert "does not fall into parts" in texts(page)


def test_another_window_by_its_ends(open_page):
    page = open_page("changed", FLIGHTS, before_start="2013-06-01", before_end="2013-07-01", **JULY)
    assert_fine(page)
    assert "2013-06-01 to 2013-07-01" in texts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["both", "none"])
def test_every_task_and_any_labels(open_page, known_project, task, labels):
    assert_fine(open_page("changed", known_project(task=task, labels=labels), range="all"))


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("changed", known_project(rows=rows), range="all"))
