"""The Overview: one card a model, red first, and a way on to every page."""

from __future__ import annotations

import pytest

from app.parts import attention
from app.parts.words import attention as first_line
from tests.app.conftest import assert_fine, texts


def test_every_model_of_the_workspace_has_a_card(open_page):
    page = open_page("overview", range="30d")
    assert_fine(page)
    said = texts(page)
    names = (
        "NYC flight delays",
        "NYC flights: how late, in classes",
        "NYC flights: minutes late",
        "Simulated shop",
    )
    for name in names:
        assert f"#### {name}" in said
    assert "Version gbm-2013.09" in said
    assert [metric.label for metric in page.metric].count("Labelled") == 4


@pytest.mark.parametrize(
    "case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"rows": 0}, {"reference": False}]
)
def test_a_model_with_little_to_say_has_a_card_all_the_same(open_page, known_project, case):
    page = open_page("overview", known_project(**case))
    assert_fine(page)
    assert "#### small" in texts(page)


def test_an_empty_window_is_said(open_page, known_project):
    page = open_page("overview", known_project(), start="2020-01-01", end="2020-02-01")
    assert_fine(page)
    assert "No predictions in this window." in texts(page)


def test_a_broken_project_stands_beside_the_others(open_page, make_project, tmp_path):
    make_project("good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "assay.toml").write_text("name = 1")
    page = open_page("overview", tmp_path)
    assert_fine(page)
    assert "bad cannot be opened" in texts(page)
    assert "#### good" in texts(page)


def test_a_button_leads_to_the_page_of_the_model(open_page):
    page = open_page("overview", range="30d")
    page.button(key="NYC flights: minutes late_quality").click().run()
    assert_fine(page)
    assert page.session_state["project"] == "NYC flights: minutes late"
    assert page.session_state["version"] == ["mean-2013.03"]
    assert "Mean absolute error by day" in texts(page)


def test_worse_comes_first():
    assert attention.ORDER[0] == "worse"
    assert first_line(2, 3) == "2 of 3 models need attention."
