"""The section Decisions of the Quality page, on every task and where there is little or nothing to show."""

from __future__ import annotations

import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"


def opened(open_page, folder, **words):
    return open_page("quality", folder, section="decisions", range="all", **words)


def test_a_sentence_four_tiles_and_three_charts(open_page):
    page = open_page(
        "quality", FLIGHTS, section="decisions", range="custom", start="2013-09-01", end="2014-01-01",
        version=["gbm-2013.09"], by="origin",
    )  # fmt: skip
    assert_fine(page)
    said = texts(page).replace("\\", "")
    assert (
        "Nothing shows that another way to decide earns more: calling positive from 0.380 instead of 0.270"
        in said
    )
    labels = [metric.label for metric in page.metric]
    assert labels[-4:] == ["Best threshold", "Earned per decision", "As decided", "Gain over that"]
    assert "Best thresholds by origin" in said
    assert "after correction (Benjamini-Hochberg)" in said
    assert "The 20 highest scores of each day hold" in said
    assert "Answering only the surest" in said
    assert len(charts(page)) == 3


@pytest.mark.parametrize("goal", ["precision=0.8", "recall=0.9", "budget"])
def test_other_goals_say_what_is_caught(open_page, known_project, goal):
    page = opened(open_page, known_project(rows=2000), goal=goal)
    assert_fine(page)
    assert (
        "catches" in texts(page) or "No threshold reaches" in texts(page) or "cannot be said" in texts(page)
    )


def test_several_classes_are_asked_one_against_the_rest(open_page, known_project):
    page = opened(open_page, known_project(task="multiclass", rows=2000), goal="recall=0.9")
    assert_fine(page)
    assert page.selectbox(key="class").value is not None
    assert "catches" in texts(page)


def test_a_regression_has_no_such_section(open_page, known_project):
    page = opened(open_page, known_project(task="regression"))
    assert_fine(page)
    assert "Best threshold" not in texts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"rows": 0}])
def test_too_little_is_said_and_never_a_traceback(open_page, known_project, task, case):
    page = opened(open_page, known_project(task=task, **case), by="place")
    assert_fine(page)


@pytest.mark.parametrize("class_,first", [("very_late", "Precision and recall"), ("on_time", "ROC curve")])
def test_where_positives_are_rare_precision_and_recall_come_first(open_page, class_, first):
    page = open_page(
        "quality", locations.sample_logs() / "flights_delay_class", range="custom", start="2013-10-01",
        end="2013-11-01", **{"class": class_},
    )  # fmt: skip
    assert_fine(page)
    said = texts(page)
    assert min(("ROC curve", "Precision and recall"), key=said.index) == first
