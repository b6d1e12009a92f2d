"""The section Calibration of the Quality page, on every task and where there is little or nothing to show."""

from __future__ import annotations

import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"


def opened(open_page, folder, **words):
    return open_page("quality", folder, section="calibration", range="all", **words)


def test_the_summer_of_the_logistic_model_is_plain_to_see(open_page):
    page = opened(open_page, FLIGHTS, version=["logistic-2013.03"], grain="month")
    assert_fine(page)
    said = texts(page).replace("\\", "")
    assert "Scores promise too little: 14.8% on average, and 24% came true" in said
    assert "most in July 2013 (−22 pp)" in said
    assert "Recalibrate: a logistic map fitted to earlier days would have lowered log loss" in said
    assert "The model predicts 1 in 9.7% of rows, and 24% were." in said
    assert "Log loss of 0.565 is worse than one answer for all (0.551)" in said
    labels = [metric.label for metric in page.metric]
    assert labels[-4:] == [
        "Calibration error",
        "Spiegelhalter's test",
        "Calibration slope",
        "Recalibration brings",
    ]
    assert len(charts(page)) == 5


def test_several_classes_are_looked_at_one_by_one(open_page, known_project):
    page = opened(open_page, known_project(task="multiclass", rows=2000))
    assert_fine(page)
    box = page.selectbox(key="class")
    assert box.value == "Top class"
    box.select(box.options[1]).run()
    assert_fine(page)


def test_a_regression_has_tenths_and_errors(open_page, known_project):
    page = opened(open_page, known_project(task="regression", rows=2000))
    assert_fine(page)
    said = texts(page)
    assert "By tenth of the prediction" in said
    assert "Errors by tenth of the prediction" in said
    assert "Mean prediction minus mean label" in said


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"rows": 0}])
def test_too_little_is_said_and_never_a_traceback(open_page, known_project, task, case):
    page = opened(open_page, known_project(task=task, **case), by="place")
    assert_fine(page)
