"""Numbers typed by hand: through every change of mind the address is the page, and the page is the analysis."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from analytics.experiments.power import power_of, sentence
from analytics.experiments.rows import TypedArm
from analytics.experiments.typed import compare_counts, compare_means
from app.charts.experiments import effect_forest_alt, power_curve_alt
from app.parts.experiments_plan import curve
from app.text import experiment_line
from tests.browser.test_smoke import can_be_heard, charts_have_tables, stands

ARMS = [TypedArm("A", 3662, 378), TypedArm("B", 3568, 462), TypedArm("new one", 3600, 400)]
# Values of tiles that end in dots because there is no room for them.
CUT = """() => [...document.querySelectorAll('[data-testid=stMetricValue], [data-testid=stMetricValue] *')]
  .filter(part => part.scrollWidth > part.clientWidth + 1).map(part => part.textContent)"""
TYPED = {"source": "counts", "counts": "A 378/3662\nB 462/3568", "split": "1:1"}


def offered(tab):
    """The link that the popover for sharing offers."""
    tab.main.get_by_role("button", name="Share").click()
    link = tab.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first.inner_text()
    tab.page.keyboard.press("Escape")
    return link.replace("\n", "")


def written(arms):
    return "\n".join(f"{arm.name} {arm.successes}/{arm.n}" for arm in arms)


def type_and_compare(tab, text):
    """As people do: leaving the field sends it, and the press of the button must not get lost meanwhile."""
    field = tab.main.get_by_role("textbox", name="Arms, one a line")
    field.fill(text)
    with tab.run():
        tab.main.get_by_role("button", name="Compare").click()


def enter(tab, name, text):
    field = tab.main.get_by_role("textbox", name=name, exact=True)
    field.fill(text)
    with tab.run():
        field.press("Enter")


def shows(tab, card):
    """The page says, counts, draws and lists this comparison."""
    rows = card.headline_rows()
    assert tab.headline == experiment_line(card)
    assert tab.tile("Units")[0] == f"{sum(arm.n for arm in card.health.arms):,}"
    expect(tab.card("Effects")).to_have_attribute("aria-label", effect_forest_alt(rows))
    lines = tab.cells(tab.main.get_by_test_id("stDataFrame").first)
    assert len(lines) == len(rows)
    if len(rows) > 1:
        assert [line[1] for line in lines] == [row.variant for row in rows]
    return tab.main.get_by_test_id("stMetricValue").all_inner_texts()


def test_counts_through_every_way_a_page_is_left_and_found(tab, open_tab):
    two, three = compare_counts(ARMS[:2], "A"), compare_counts(ARMS, "B", direction="down")
    tab.open("scorecard")
    with tab.run():
        tab.main.get_by_role("radio", name="typed counts").click()
    assert not re.search(r"[{}]", tab.main.inner_text())
    type_and_compare(tab, written(ARMS[:2]))
    assert shows(tab, two)[0] == "+25.4%"

    type_and_compare(tab, written(ARMS))
    for label, wanted in (("Control", "B"), ("Better is", "lower")):
        tab.scroll_to(tab.main.get_by_role("combobox", name=label)).click()
        with tab.run():
            tab.page.get_by_role("option", name=wanted, exact=True).click()
    tiles = shows(tab, three)
    address, share = tab.page.url, offered(tab)
    assert tab.words["counts"] == [written(ARMS)]

    tab.page.reload()
    tab.settle()
    assert (shows(tab, three), tab.page.url) == (tiles, address)

    tab.open("plan")
    tab.page.go_back()
    tab.settle()
    assert (shows(tab, three), tab.page.url) == (tiles, address)
    tab.page.go_forward()
    tab.settle()
    assert tab.headline.startswith("To see 10.0% become")

    again = open_tab(tab.base, scheme="dark")
    again.page.goto(share)
    again.settle()
    assert shows(again, three) == tiles


def test_means_by_an_example_and_by_hand(tab):
    tab.open("scorecard", source="means")
    with tab.run():
        tab.main.get_by_role("button", name="Fill in an example").click()
    arms = [TypedArm("A", 2102, None, 10.9, 2.8), TypedArm("B", 2158, None, 11.2, 3.1)]
    assert shows(tab, compare_means(arms, "A"))
    type_and_compare(tab, "A 10.9, -2.8, 10\nB 11.2, 3.1, 2158")
    assert re.fullmatch(
        r"These numbers cannot be compared: line 1: mean and standard deviation .*\.", tab.headline
    )
    expect(tab.main.get_by_test_id("stMetric")).to_have_count(0)
    type_and_compare(tab, "A 10.9, 2.8, 10\nB 11.2, 3.1, 2158")
    few = [TypedArm("A", 10, None, 10.9, 2.8), arms[1]]
    assert shows(tab, compare_means(few, "A"))
    assert "only 10 units in A" in tab.main.inner_text()


def test_a_plan_is_typed_and_its_link_is_the_plan(tab, open_tab):
    tab.open("plan")
    assert tab.headline == sentence(power_of("proportion", baseline=0.1, lift=0.1))
    enter(tab, "Baseline of the control", "4%")
    enter(tab, "Lift to be shown", "often")
    assert (
        tab.headline == 'This cannot be planned: lift: "often" is not a number; write one such as 10% or 0.1.'
    )
    for name, text in (("Lift to be shown", "5%"), ("Power", "0.9"), ("Units a day", "1,500")):
        enter(tab, name, text)
    row = power_of("proportion", baseline=0.04, lift=0.05, power=0.9, daily_units=1500)
    is_planned(tab, row)
    pasted = " ".join(tab.main.get_by_test_id("stCode").first.inner_text().split())
    assert pasted.startswith(sentence(row))
    link = re.search(r"http\S+", pasted)
    assert link
    again = open_tab(tab.base)
    again.page.goto(link[0])
    again.settle()
    is_planned(again, row)


def test_a_plan_from_the_logs_is_shared_with_its_numbers(tab, open_tab, benches):
    bench = benches["flights"]
    known = bench.history(name="gbm_against_logistic", metric="missed_long_delay")
    row = power_of("proportion", baseline=known.baseline, lift=0.1, daily_units=known.daily_units)
    tab.open("plan", project=bench.project.name)
    for label, wanted in (("Baseline", "from the logs"), ("Metric", "missed_long_delay")):
        tab.scroll_to(tab.main.get_by_role("combobox", name=label, exact=True)).click()
        with tab.run():
            tab.page.get_by_role("option", name=wanted).click()
    is_planned(tab, row)
    expect(tab.main.get_by_role("textbox", name="Baseline of the control")).to_have_value("")
    again = open_tab(tab.base)
    again.page.goto(tab.main.get_by_test_id("stCode").first.inner_text().split()[-1])
    again.settle()
    assert "baseline_from" not in again.words
    assert tab.headline == again.headline


def is_planned(tab, row):
    """The page says, counts and draws this plan."""
    assert tab.headline == sentence(row)
    values = tab.main.get_by_test_id("stMetricValue").all_inner_texts()
    assert values[:3] == [f"{row.n_per_variant:,}", f"{row.n_total:,}", f"{row.days:,}"]
    expect(tab.card("Power")).to_have_attribute("aria-label", power_curve_alt(curve(row), row))


@pytest.mark.parametrize(
    "page, words",
    [("scorecard", {}), ("scorecard", TYPED), ("plan", {})],
    ids=["logs", "typed", "plan"],
)
def test_page_stands(tab, page, words):
    for appearance in stands(tab, page, words):
        assert tab.page.evaluate(CUT) == [], f"a tile is cut: {appearance}"
    can_be_heard(tab)
    charts_have_tables(tab, page)
