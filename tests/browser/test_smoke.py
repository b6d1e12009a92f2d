"""Every page stands in light, dark and on a phone, and can be read without seeing it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator

from tests.browser.tab import DESKTOP, PAGES, PHONE, Tab

PROJECTS = ("flights", "flights_delay_class", "flights_minutes")
# Quality draws other charts for each task; the other pages of the small projects are walked by test_hostile.
EVERY = [
    *((page, PROJECTS[0]) for page in PAGES), *(("quality", project) for project in PROJECTS[1:]), ("outcomes", "shop"),
]  # fmt: skip
PAPER = {"phone": "rgb(255, 255, 255)", "light": "rgb(255, 255, 255)", "dark": "rgb(23, 22, 20)"}
BACKGROUND = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"

# What of the page is wider than the window, by name; the page itself must not move sideways.
TOO_WIDE = """() => ['html', 'body', '[data-testid=stAppViewContainer]', '[data-testid=stMain]',
  '[data-testid=stMainBlockContainer]'].filter(name => {
    const element = document.querySelector(name);
    return element.scrollWidth > element.clientWidth + 1 || element.scrollWidth > window.innerWidth + 1;
  })"""

# Widgets that nothing names, to somebody who hears the page.
NAMELESS = re.compile(
    r"^\s*- (button|link|combobox|textbox|slider|radio|checkbox|switch|spinbutton|tab)( \[[^\]]*\])*:?$",
    re.MULTILINE,
)


@pytest.mark.parametrize("page, project", EVERY, ids=[f"{page}-{project}" for page, project in EVERY])
def test_page_stands(tab, benches, page, project):
    words = {"project": benches[project].project.name} if page != "overview" else {}
    assert [*stands(tab, page, words)] == ["phone", "light", "dark"]
    can_be_heard(tab)
    if page == "overview":
        no_heading_outranks_the_first_line(tab)
    charts_have_tables(tab, page, most=None if project == PROJECTS[0] else 1)
    assert any(asked.startswith("ws://") for asked in tab.requests), "the server was not asked at all"


def stands(tab: Tab, page: str, words: Mapping[str, Any]) -> Iterator[str]:
    """Show a page on a phone, in light and in dark, each looked at before the caller may look closer."""
    for appearance in ("phone", "light", "dark"):
        tab.page.set_viewport_size(PHONE if appearance == "phone" else DESKTOP)
        tab.page.emulate_media(color_scheme="dark" if appearance == "dark" else "light")
        # a page that was drawn for a phone must stand on a desktop as well, without being loaded anew
        if appearance == "phone":
            tab.open(page, **words)
        tab.page.wait_for_function(f"() => ({BACKGROUND})() === '{PAPER[appearance]}'")
        tab.settle()
        says_what_is_the_case(tab)
        assert tab.page.evaluate(TOO_WIDE) == [], f"scrolls sideways: {appearance}"
        charts_can_be_heard(tab)
        yield appearance


def no_heading_outranks_the_first_line(tab: Tab) -> None:
    """The outline begins with the sentence that says what is the case."""
    levels = tab.main.get_by_role("heading").evaluate_all(
        "all => all.map(heading => Number(heading.tagName[1]))"
    )
    assert levels[0] == min(levels)
    assert levels[0] < max(levels)


def says_what_is_the_case(tab: Tab) -> None:
    """The first line is a sentence, and nothing anywhere is a number that is none."""
    assert re.search(r"\w.*[.!?]$", tab.headline), tab.headline
    said = tab.main.inner_text()
    assert not re.search(r"\b(nan|NaN|undefined|Traceback|<NA>)\b", said), said


def charts_can_be_heard(tab: Tab) -> None:
    """Each chart says its takeaway, and no two the same."""
    said = [chart.get_attribute("aria-label") or "" for chart in tab.charts.all()]
    assert all(len(alt) > 20 for alt in said), said
    assert not any(re.search(r"\b(nan|None|null)\b", alt) for alt in said), said
    assert all(chart.get_attribute("role") in {"figure", "img"} for chart in tab.charts.all())


def can_be_heard(tab: Tab) -> None:
    """A language, a title, names on everything that can be used, tables with what they are about."""
    assert tab.page.locator("html").get_attribute("lang") == "en"
    assert "Assay" in tab.page.title()
    tree = tab.page.locator("body").aria_snapshot()
    assert "button" in tree
    assert not (found := NAMELESS.search(tree)), f"no name: {tree[max(0, found.start() - 300) : found.end()]}"
    for table in tab.main.get_by_test_id("stDataFrame").all():
        assert table.locator("[aria-label]:has(canvas)").count(), "a table does not say what it is"


def charts_have_tables(tab: Tab, page: str, most: int | None = None) -> None:
    """Below each chart stands its table, with a file to take along; the overview's small trends lead to Quality.

    All charts of one project are opened, one of each page of the others: what stands below them is the same code.
    """
    if page == "overview":
        return
    taken = 0
    for chart in tab.charts.all()[:most]:
        below = chart.locator(
            "xpath=ancestor::*[@data-testid='stElementContainer'][1]/following-sibling::*[1]"
        )
        with tab.run():
            below.locator("summary").click()
        table = below.get_by_test_id("stDataFrame")
        assert tab.cells(table)
        button = below.get_by_role("button", name="CSV", exact=True)
        if not taken:
            is_the_table(tab, table, button)
        taken += 1
    if page != "examples":
        assert taken, "a page without any chart"
    for button in tab.main.get_by_role("button", name="CSV", exact=True).all()[taken:]:
        name, _ = tab.download(button)
        assert name.suggested_filename.endswith(".csv")


def is_the_table(tab: Tab, table: Locator, button: Locator) -> None:
    """The file holds the lines and the columns that the table shows."""
    file, content = tab.download(button)
    assert re.fullmatch(r"[\w.=-]+\.csv", file.suggested_filename)
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    grid = table.locator("table[role=grid]")
    assert len(lines) == int(grid.get_attribute("aria-rowcount"))
    assert len(lines[0]) == int(grid.get_attribute("aria-colcount"))
    assert [name for name in grid.locator("th").all_inner_texts() if name not in lines[0]] == []
