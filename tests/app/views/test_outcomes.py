"""The Metrics page: which metric left its target, one metric over time beside quality, and all of them in a table."""

from __future__ import annotations

import pandas as pd
import pytest

from app import locations
from tests.app.conftest import assert_fine, charts, texts

SHOP = locations.sample_logs() / "shop"
EVENTS = """name = "a <b>shop</b>"
[events]
path = "events.csv"
unit = "user"
timestamp = "ts"
[metrics."buys <i>per</i> user"]
kind = "count"
value = "event = 'buy'"
target = 0.6
[metrics.buyers]
kind = "proportion"
value = "event = 'buy'"
"""


@pytest.fixture
def events(tmp_path):
    """A project of events alone: no model at all."""
    days = pd.date_range("2024-01-01", periods=40, freq="D", tz="UTC")
    rows = [
        {"user": f"u{user}", "ts": day.isoformat(), "event": "buy" if (user + place) % 4 == 0 else "visit"}
        for place, day in enumerate(days)
        for user in range(12)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "events.csv", index=False)
    (tmp_path / "assay.toml").write_text(EVENTS)
    return tmp_path


def test_the_shop_tells_its_story(open_page):
    page = open_page("outcomes", SHOP, range="all")
    assert_fine(page)
    said = texts(page)
    assert "clicks_per_item misses its target of 0.120" in said.replace("\\", "")
    assert "the day ranker-3 went live" in said.replace("\\", "")
    assert [tile.label.replace("\\", "") for tile in page.metric][:2] == ["clicks_per_item", "answer_time"]
    assert len(page.metric) == 4
    assert len(charts(page)) == 2
    assert page.dataframe


def test_a_link_chooses_the_metric_and_what_stands_beside_it(open_page):
    page = open_page("outcomes", SHOP, range="30d", metric="sales", beside="roc_auc", by="country")
    assert_fine(page)
    assert page.selectbox(key="metric").value == "sales"
    assert page.selectbox(key="beside").value == "roc_auc"
    page.selectbox(key="metric").set_value("buyers").run()
    assert_fine(page)


def test_a_project_without_a_model_has_metrics_all_the_same(open_page, events):
    page = open_page("outcomes", events)
    assert_fine(page)
    said = texts(page)
    assert "misses its target" in said
    assert "<b>" not in said.replace("\\<b\\>", "")
    assert len(charts(page)) == 1


def test_without_metrics_it_teaches(open_page, known_project):
    page = open_page("outcomes", known_project())
    assert_fine(page)
    assert "The project declares no metrics" in texts(page)
    assert any("[metrics.buyers]" in block.value for block in page.code)


def test_a_window_without_rows_says_so(open_page):
    page = open_page("outcomes", SHOP, range="custom", start="2020-01-01", end="2020-02-01")
    assert_fine(page)
    assert "Nothing in this window" in texts(page)
