"""A scorecard is read, decided on, handed out and found again: in a browser, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from analytics.workbench import Workbench
from tests.app.views.experiment_projects import shop
from tests.browser.tab import PHONE
from tests.browser.test_hostile import TOO_WIDE

WIDE = {"width": 1440, "height": 1000}
# how much of a table lies beyond its right edge, in pixels
BEYOND = "grid => { const there = grid.querySelector('.dvn-scroller'); return there.scrollWidth - there.clientWidth; }"


@pytest.fixture(scope="module")
def alone(start_server, tmp_path_factory):
    """A server on a project of experiments alone with a store of its own, and the project's folder."""
    place = tmp_path_factory.mktemp("decided")
    folder = shop(place / "work" / "shop")
    running = start_server(folder.parent, environment={"ASSAY_STORE": str(place / "kept" / "store.sqlite3")})
    yield running.url, folder
    running.stop()


def test_n_and_p_are_on_the_screen(tab, benches):
    tab.page.set_viewport_size(WIDE)
    tab.open("scorecard", project=benches["shop"].project.name, experiment="large_pictures")
    grid = tab.main.get_by_test_id("stDataFrame").first
    expect(grid.locator("table[role=grid] [role=columnheader]").first).to_be_attached()
    heads = grid.locator("table[role=grid] [role=columnheader]").all_inner_texts()
    assert heads[:3] == ["Metric", "Verdict", "n"]
    assert heads[-2:] == ["p", "Chance"]
    # at most the last column is cut
    assert grid.evaluate(BEYOND) <= 64
    first = tab.cells(grid)[0]
    card = benches["shop"].scorecard(name="large_pictures")
    row = card.headline_rows()[0]
    assert first[0] == row.metric
    assert first[2] == f"{row.n_control:,} / {row.n:,}"


def decide(tab, name, call):
    tab.main.get_by_role("textbox", name="Your name").fill(name)
    tab.main.get_by_role("radio", name=call).or_(
        tab.main.get_by_role("button", name=call, exact=True)
    ).first.click()
    with tab.run():
        tab.main.get_by_role("button", name="Keep this decision").click()


def test_a_decision_is_kept_and_found_again(open_tab, alone):
    url, _ = alone
    tab = open_tab(url)
    tab.open("scorecard", section="ledger")
    expect(tab.main.get_by_text("Nothing is decided yet. The scorecard's word is ship.")).to_be_visible()
    decide(tab, "Ana <b>", "Ship")
    said = "Ana <b> decided to ship new; the scorecard's word was ship"
    expect(tab.main.get_by_text(said)).to_be_visible()
    expect(tab.main.get_by_text("Decision 1 is kept.")).to_be_visible()
    decide(tab, "Ben", "Hold")
    other = open_tab(url, scheme="dark", size=PHONE)
    other.open("scorecard", section="ledger", decision="1")
    expect(other.main.get_by_text("Ben decided to hold, against the scorecard")).to_be_visible()
    expect(other.main.get_by_text("With all that is known now, every number is as it was.")).to_be_visible()
    assert other.words["decision"] == ["1 (ship)"]
    assert other.page.evaluate(TOO_WIDE) == []


def test_the_page_is_handed_out_and_stands_alone(open_tab, alone, window, tmp_path):
    url, folder = alone
    tab = open_tab(url)
    tab.open("scorecard")
    file, content = tab.download(tab.main.get_by_role("button", name="Page", exact=True))
    assert file.suggested_filename == "scorecard_new_shop.html"
    saved = tmp_path / "scorecard.html"
    saved.write_bytes(content)
    alone_page = window.new_page()
    asked = []
    alone_page.on("request", lambda request: asked.append(request.url))
    wrong = []
    alone_page.on("console", lambda message: wrong.append(message.text))
    for size in (WIDE, PHONE):
        alone_page.set_viewport_size(size)
        alone_page.goto(saved.as_uri())
        assert alone_page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert (
        alone_page.locator("h1").inner_text()
        == Workbench(folder).scorecard(name="new_shop").decision.sentence
    )
    assert asked == [saved.as_uri()] * 2
    assert wrong == []
    alone_page.close()


def test_two_arms_side_by_side_on_a_desk_and_on_a_phone(open_tab, alone):
    url, _ = alone
    for size, beside in ((WIDE, True), (PHONE, False)):
        tab = open_tab(url, size=size)
        tab.open("scorecard", section="side", shown="spent")
        expect(tab.charts).to_have_count(2)
        left, right = (tab.charts.nth(place).bounding_box() for place in (0, 1))
        assert (abs(left["y"] - right["y"]) < 5) == beside
        assert tab.page.evaluate(TOO_WIDE) == []
        assert tab.words["shown"] == ["spent"]
