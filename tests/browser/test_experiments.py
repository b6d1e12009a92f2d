"""From typed counts to a verdict, from a plan to its shared link, and both pages at every width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from analytics.experiments.power import power_of, sentence
from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts
from tests.browser.tab import DESKTOP, PHONE
from tests.browser.test_smoke import (
    BACKGROUND,
    PAPER,
    TOO_WIDE,
    can_be_heard,
    charts_can_be_heard,
    charts_have_tables,
    says_what_is_the_case,
)

COUNTS = "A 378/3662\nB 462/3568"
# Values of tiles that end in dots because there is no room for them.
CUT = """() => [...document.querySelectorAll('[data-testid=stMetricValue], [data-testid=stMetricValue] *')]
  .filter(part => part.scrollWidth > part.clientWidth + 1).map(part => part.textContent)"""
TYPED = {"source": "counts", "counts": COUNTS, "split": "1:1"}


def offered(tab):
    """The link that the popover for sharing offers."""
    tab.main.get_by_role("button", name="Share").click()
    link = tab.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first.inner_text()
    tab.page.keyboard.press("Escape")
    return link.replace("\n", "")


def test_typed_counts_to_verdict_to_shared_link(tab, open_tab):
    tab.open("scorecard")
    with tab.run():
        tab.main.get_by_role("radio", name="typed counts").click()
    assert "Type two arms" in tab.headline
    tab.main.get_by_label("Arms, one a line").fill(COUNTS)
    with tab.run():
        tab.main.get_by_role("button", name="Compare").click()
    said = compare_counts([TypedArm("A", 3662, 378), TypedArm("B", 3568, 462)], "A").decision.sentence
    assert said in tab.headline
    with tab.run():
        split = tab.main.get_by_role("textbox", name="Planned split")
        split.fill("1:1")
        split.press("Enter")
    assert tab.tile("Split")[0] == "Fine"

    address = tab.page.url
    tab.page.reload()
    tab.settle()
    assert tab.page.url == address
    assert said in tab.headline

    other = open_tab(tab.base)
    other.page.goto(offered(tab))
    other.settle()
    assert said in other.headline
    assert other.tile("Split")[0] == "Fine"


def test_wrong_input_is_a_line_that_goes_away(tab):
    tab.open("scorecard", source="counts", counts="A 378/3662\nB <img src=x onerror=alert(1)>")
    assert "line 2" in tab.headline
    tab.main.get_by_label("Arms, one a line").fill(COUNTS)
    with tab.run():
        tab.main.get_by_role("button", name="Compare").click()
    assert "B wins on conversion" in tab.headline


def test_plan_to_shared_link(tab, open_tab):
    tab.open("plan")
    assert sentence(power_of("proportion", baseline=0.1, lift=0.1)) in tab.headline
    for label, text in (("Baseline of the control", "4%"), ("Units a day", "500")):
        tab.main.get_by_label(label, exact=True).fill(text)
        with tab.run():
            tab.main.get_by_label(label, exact=True).press("Enter")
    said = sentence(power_of("proportion", baseline=0.04, lift=0.1, daily_units=500))
    assert said in tab.headline
    pasted = tab.main.get_by_test_id("stCode").first.inner_text()
    assert said in " ".join(pasted.split())
    link = re.search(r"http\S+", pasted.replace("\n", " ")[pasted.index("http") :])
    assert link
    other = open_tab(tab.base)
    other.page.goto(link[0])
    other.settle()
    assert said in other.headline


def test_the_overview_leads_to_the_scorecard_and_back(tab):
    tab.open("overview")
    before = tab.headline
    with tab.run("scorecard"):
        tab.main.get_by_role("button", name="Scorecard").first.click()
    assert "gbm-2013.03" in tab.headline
    with tab.run("overview"):
        tab.page.go_back()
    assert tab.headline == before


def test_the_baseline_of_the_logs_stands_in_grey(tab, benches):
    bench = benches["flights"]
    known = bench.history(name="gbm_against_logistic", metric="missed_long_delay")
    tab.open("plan", project=bench.project.name, baseline_from="logs", metric="missed_long_delay")
    assert f"{known.baseline:.1%}" in tab.headline
    expect(tab.main.get_by_label("Baseline of the control")).to_have_value("")


@pytest.mark.parametrize(
    "page, words",
    [("scorecard", {}), ("scorecard", TYPED), ("plan", {}), ("plan", {"baseline_from": "logs"})],
    ids=["logs", "typed", "plan", "plan-logs"],
)
def test_page_stands(tab, page, words):
    for appearance in ("phone", "light", "dark"):
        tab.page.set_viewport_size(PHONE if appearance == "phone" else DESKTOP)
        tab.page.emulate_media(color_scheme="dark" if appearance == "dark" else "light")
        if appearance != "dark":
            tab.open(page, **words)
        tab.page.wait_for_function(f"() => ({BACKGROUND})() === '{PAPER[appearance]}'")
        tab.settle()
        says_what_is_the_case(tab)
        assert tab.page.evaluate(TOO_WIDE) == [], f"scrolls sideways: {appearance}"
        charts_can_be_heard(tab)
        assert tab.page.evaluate(CUT) == [], f"a tile is cut: {appearance}"
    can_be_heard(tab)
    charts_have_tables(tab, page)
