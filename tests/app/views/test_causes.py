from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow
from app import locations
from app.headlines.causes import causes_verdict, follows, moved_verdict
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"
OUTAGE = {"range": "custom", "start": "2013-12-25", "end": "2014-01-01", "version": ["gbm-2013.03"]}


def test_the_dead_weather_feed_stands_at_the_top_and_its_rows_are_one_click_away(open_page):
    page = open_page("changed", FLIGHTS, section="cause", **OUTAGE)
    assert_fine(page)
    said = texts(page)
    assert "missing in" in said
    assert "fix it upstream" in said
    page.button(key="changed_cause_rows").click().run()
    assert_fine(page)
    assert any(text.endswith("=(missing)") for text in page.session_state["where"])


def test_what_is_different_about_a_cell(open_page):
    page = open_page(
        "changed", FLIGHTS, section="moved", range="custom", start="2013-07-01", end="2013-07-08",
        version=["gbm-2013.03"], where=["outcome=fn"],
    )  # fmt: skip
    assert_fine(page)
    assert "tells most about these rows" in texts(page)
    assert len(charts(page)) == 1
    page.selectbox(key="rest").set_value("before").run()
    assert_fine(page)


def test_examples_of_a_cell_lead_to_what_is_different(open_page):
    page = open_page("examples", FLIGHTS, where=["outcome=fp"], **OUTAGE)
    assert_fine(page)
    page.button(key="examples_different").click().run()
    assert_fine(page)
    assert page.session_state["section"] == "moved"
    assert "outcome=fp" in page.session_state["where"]


def test_who_was_first(open_page):
    page = open_page("changed", FLIGHTS, section="first", **OUTAGE)
    assert_fine(page)
    assert "The first row that shows it" in texts(page)
    assert len(page.dataframe) == 2


@pytest.mark.parametrize("section", ["cause", "moved", "first"])
def test_hardly_any_rows(open_page, known_project, section):
    assert_fine(open_page("changed", known_project(rows=1), section=section, range="all"))


def cause(**changes):
    known = {
        "rank": 1, "kind": "feature", "name": "heat", "segment": None, "segment_value": None,
        "sentence": "heat is missing in 48 % of rows.", "action": "fix_upstream",
        "value_before": 0.0, "value_after": 0.48,
        "effect": 0.48, "ci_low": 0.4, "ci_high": 0.5, "p_adjusted": 0.001, "n_before": 9, "n_after": 9,
        "since": datetime(2024, 1, 1, tzinfo=UTC), "consequences": ("score", "quality"), "evidence": "",
    }  # fmt: skip
    return CauseRow(**(known | changes))


def test_sentences():
    assert causes_verdict([], ["nothing changed beyond chance", "x"]).state == "same"
    assert causes_verdict([], ["nothing is logged before the window"]).state == "unknown"
    assert causes_verdict([cause(), cause(rank=2)]).sentence == (
        "heat is missing in 48 % of rows. What to do: fix it upstream. 1 other thing changed besides."
    )
    assert follows(cause()) == "With it moved: score, quality."
    row = MovedRow(
        1, "heat", "feature", 0.2, 0.1, 0.3, 0.0, 0.4, 0.001, 0.001, "blocks", "a", 0.5, 0.1, 0.4,
        "a: 50 % against 10 %; b: 1 % against 2 %", 0.0, 0.0, 100, 100, "ok", None,
    )  # fmt: skip
    assert moved_verdict([row], "these rows").sentence == (
        "heat tells most about these rows (a: 50 % against 10 %)."
    )
    assert moved_verdict([], "these rows").state == "unknown"
