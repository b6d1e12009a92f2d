"""The on-call path: from the link of a message to the evidence, and from there ten real rows one click away."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from analytics.alerts.evidence import evidence_path

ZONE = ZoneInfo("America/New_York")


def test_from_the_link_of_a_message_to_ten_rows(tab, benches):
    path = evidence_path(
        benches["flights"].project,
        start=datetime(2013, 7, 1, tzinfo=ZONE),
        end=datetime(2013, 7, 8, tzinfo=ZONE),
        metric="log_loss",
        version="gbm-2013.03",
        where=["origin=EWR"],
        before="previous",
        alert="log_loss_high",
    )
    address = urlsplit(path)
    tab.open(address.path.strip("/"), **parse_qs(address.query))
    sentence = tab.main.get_by_role("heading").filter(has_text="Log loss")
    expect(sentence.first).to_be_visible()
    expect(tab.main.get_by_text("log_loss_high")).to_be_visible()
    with tab.run(to="examples"):
        tab.main.get_by_role("button", name="Ten worst rows").first.click()
    assert tab.words["start"][0][:10] == "2013-07-01"
    assert tab.words["end"][0][:10] == "2013-07-08"
    assert tab.words["version"] == ["gbm-2013.03"]
    assert "origin=EWR" in tab.words["where"]
    assert tab.words["k"] == ["10"]
    assert tab.headline.startswith("10 worst predictions")
    with tab.run(to="changed"):
        tab.main.get_by_role("button", name="Back to What changed").click()
    expect(sentence.first).to_be_visible()
    assert tab.words["alert"] == ["log_loss_high"]
    tab.check()


def test_a_bar_of_an_account_leads_to_its_rows(tab):
    words = {"range": "custom", "start": "2013-07-01", "end": "2013-07-15", "version": "gbm-2013.03"}
    tab.open(
        "changed", project="NYC flight delays", section="where", split_by="origin", before="previous", **words
    )
    with tab.run(to="examples"):
        tab.click_point(tab.charts.last, 0)
    assert any(text.startswith("origin=") for text in tab.words["where"])
    tab.check()
