"""The sections Since when, and Releases and age."""

from __future__ import annotations

import pytest

from tests.app.conftest import assert_fine, charts, texts

RELEASES = '[[releases]]\ntimestamp = 2024-01-01\nversion = "a"\n[[releases]]\ntimestamp = 2024-01-16\nversion = "b"\n'


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_since_when_has_a_sentence_a_chart_and_a_table(open_page, known_project, task):
    page = open_page(
        "drift", known_project(task=task, rows=3600), range="all", section="changes", version=["b"]
    )
    assert_fine(page)
    said = texts(page)
    assert "Since when" in said
    assert "corrected over the metrics, and over the fields" in said
    assert charts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_release_and_its_age_are_told(open_page, make_project, task):
    folder = make_project(task=task, rows=3600)
    with (folder / "assay.toml").open("a") as file:
        file.write(RELEASES)
    page = open_page("quality", folder, range="all", section="releases")
    assert_fine(page)
    said = texts(page)
    assert "b, live since 16 Jan 2024" in said
    assert "Quality by age" in said
    assert len(charts(page)) >= 2


@pytest.mark.parametrize("case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"rows": 40}])
def test_too_little_is_said_and_never_a_traceback(open_page, known_project, case):
    folder = known_project(**case)
    page = open_page("quality", folder, range="all", section="releases")
    assert_fine(page)
    if case.get("rows") != 1:
        other = open_page("drift", folder, range="all", section="changes")
        assert_fine(other)
