"""Label next: a queue is drawn, labelled by its buttons, and says what it found."""

from __future__ import annotations

import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"
AUTUMN = {"range": "custom", "start": "2013-10-01", "end": "2013-11-01", "version": ["gbm-2013.09"]}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_STORE", str(tmp_path / "store.sqlite3"))


def test_draw_a_queue_label_a_row_and_read_what_it_says(open_page):
    page = open_page("review", FLIGHTS, **AUTUMN)
    assert_fine(page)
    assert "102 rows of this window wait for a label" in texts(page)
    next(one for one in page.text_input if one.label == "Name of the queue").set_value("autumn")
    next(one for one in page.number_input if one.label == "Rows").set_value(30)
    next(button for button in page.button if button.label == "Draw a queue").click()
    page.run()
    assert_fine(page)
    assert "Queue autumn: 0 of 30 rows labelled." in texts(page)
    page.text_input(key="review_who").set_value("Ana").run()
    assert_fine(page)
    said = texts(page)
    assert "Row 1 of 30. Asked because" in said
    shown = page.dataframe[0].value
    assert "carrier" in set(shown.iloc[:, 0])
    # what the model said would sway
    assert {"score", "predicted_label"}.isdisjoint(set(shown.iloc[:, 0]))
    page.button(key=next(b.key for b in page.button if (b.key or "").startswith("label_"))).click().run()
    assert_fine(page)
    assert "Row 2 of 30" in texts(page)
    page.segmented_control(key="section").set_value("found").run()
    assert_fine(page)
    assert "The labels say nothing yet: 1 labelled rows; 20 are needed." in texts(page)


def test_where_the_model_will_be_wrong(open_page):
    page = open_page("review", FLIGHTS, **AUTUMN, section="model")
    assert_fine(page)
    assert "Mistakes can be told beforehand" in texts(page)
    assert len(page.metric) == 4
    assert len(charts(page)) == 3


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_small_projects_of_every_task(open_page, known_project, task):
    page = open_page("review", known_project(task=task, rows=60, labels="none"), range="all", section="model")
    assert_fine(page)
    assert "cannot be told" in texts(page)
