"""Whatever is logged shows as the text it is: it runs nothing, asks for nothing, draws nothing, links nowhere."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import TimeoutError as WaitedTooLong
from playwright.sync_api import expect

from tests.browser import hostile
from tests.browser.tab import PHONE, Tab
from tests.browser.test_smoke import TOO_WIDE

NAMES = {"binary": hostile.BINARY, "multiclass": hostile.CLASSES}

# Everything that can be read or heard on a page, tables and charts included.
EVERYTHING = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const texts = [main.innerText];
  for (const text of main.querySelectorAll('svg text')) texts.push(text.textContent);
  for (const cell of main.querySelectorAll('table[role=grid] td, table[role=grid] th')) texts.push(cell.textContent);
  for (const field of main.querySelectorAll('input')) texts.push(field.value);
  for (const named of main.querySelectorAll('[aria-label]')) texts.push(named.getAttribute('aria-label'));
  return texts.join(' ').replaceAll('\\u2060', '').replaceAll(/\\s+/g, ' ');
}"""

# What logged text would have become, had it been taken for more than text.
BECAME = """() => [...document.querySelectorAll([
  'img[src="x"]', 'img[src*="evil"]', 'a[href*="evil"]:not([href^="#"])', '[onerror]', '.katex',
].join(', ')), ...[...document.querySelectorAll('body script')].filter(script => script.textContent.includes('alert')),
  ...[...document.querySelectorAll('strong, b')].filter(bold => bold.textContent.trim() === 'b'),
].map(element => element.outerHTML.slice(0, 300))"""


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    """A server on the hostile workspace."""
    running = start_server(hostile.write(tmp_path_factory.mktemp("hostile")))
    yield running.url
    running.stop()


def is_only_text(tab: Tab, *texts: str) -> None:
    """These can be read, and nothing has become anything."""
    can_be_read(tab, [" ".join(text.split()) for text in texts], len(texts))
    assert tab.page.evaluate(BECAME) == []
    assert tab.page.evaluate(TOO_WIDE) == []
    tab.check()


def can_be_read(tab: Tab, texts: list[str], at_least: int) -> None:
    """So many of these stand on the page; tables say what they hold a moment after they are drawn."""
    try:
        tab.page.wait_for_function(
            f"([texts, n]) => (said => texts.filter(text => said.includes(text)).length >= n)(({EVERYTHING})())",
            arg=[texts, at_least],
            timeout=10_000,
        )
    except WaitedTooLong:
        said = tab.page.evaluate(EVERYTHING)
        pytest.fail(f"not on {tab.page.url}: {[text for text in texts if text not in said]}")


def test_the_overview_shows_text(open_tab, server):
    tab = open_tab(server)
    tab.open("overview", range="all")
    is_only_text(tab, *NAMES.values(), hostile.IMAGE, f"{hostile.ARM} wins on {hostile.SHARE}")


@pytest.mark.parametrize("task", NAMES)
def test_quality_shows_text(open_tab, server, task):
    tab = open_tab(server)
    tab.open("quality", project=NAMES[task], range="all", by=hostile.SEGMENT)
    is_only_text(tab, NAMES[task], *hostile.VERSIONS, hostile.SEGMENT, hostile.SUM, hostile.FORMULA)
    tab.main.get_by_role("button", name="Share").click()
    links = tab.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(links.first).to_contain_text("project=")
    assert tab.page.evaluate(BECAME) == []


@pytest.mark.parametrize("task", NAMES)
def test_drift_shows_text(open_tab, server, task):
    tab = open_tab(server)
    tab.open("drift", project=NAMES[task], range="all", feature=hostile.SEGMENT)
    is_only_text(tab, NAMES[task], hostile.SEGMENT, hostile.NUMBER, hostile.SCRIPT, hostile.SUM)


@pytest.mark.parametrize("task", NAMES)
def test_segments_show_text_and_lead_to_it(open_tab, server, task):
    tab = open_tab(server)
    tab.open("segments", project=NAMES[task], range="all")
    is_only_text(tab, NAMES[task])
    slices = [f"{name}={value}" for name in (hostile.SEGMENT, "note") for value in hostile.VALUES]
    can_be_read(tab, slices, at_least=10)

    first = tab.points(tab.charts.first)[0]
    tab.page.mouse.move(first["x"], first["y"])
    expect(tab.charts.first.locator(".hoverlayer text").first).to_be_attached()
    assert tab.page.evaluate(BECAME) == []

    with tab.run(to="examples"):
        carried = tab.click_point(tab.charts.first)
    assert tab.words["where"] == [carried[0]]
    is_only_text(tab, carried[0])


@pytest.mark.parametrize("task", NAMES)
def test_examples_show_text_and_hand_it_out_guarded(open_tab, server, task):
    tab = open_tab(server)
    tab.open(
        "examples",
        project=NAMES[task],
        range="all",
        kind="random",
        k=40,
        where=f"{hostile.SEGMENT}={hostile.SUM}",
    )
    is_only_text(tab, f"{hostile.SEGMENT}={hostile.SUM}", hostile.SUM, NAMES[task])

    _, content = tab.download(tab.main.get_by_role("button", name="CSV", exact=True).first)
    is_guarded(content)


@pytest.mark.parametrize("task", NAMES)
def test_telemetry_shows_text(open_tab, server, task):
    tab = open_tab(server)
    tab.open("telemetry", project=NAMES[task])
    is_only_text(tab, NAMES[task], hostile.FILE, hostile.SEGMENT, hostile.NUMBER)


def test_the_scorecard_shows_text_and_hands_it_out_guarded(open_tab, server):
    tab = open_tab(server, size=PHONE)
    tab.open("scorecard", project=hostile.TRIAL, metric=hostile.SPENT)
    # a field of one line shows no line break at all
    named = hostile.CONTROL, hostile.ARM, hostile.SHARE, hostile.SPENT, hostile.STRANGER
    is_only_text(tab, hostile.TRIAL.replace("\n", ""), *named)
    first = tab.points(tab.card("Effects"))[0]
    assert first["custom"] == [hostile.SHARE, hostile.ARM]
    buttons = tab.main.get_by_role("button", name="CSV", exact=True)
    expect(buttons).to_have_count(2)
    for button in buttons.all():
        is_guarded(tab.download(button)[1], hostile.SHARE)
    tab.open("scorecard", project=hostile.TRIAL, metric=hostile.SPENT, section="metric")
    is_only_text(tab, f"{hostile.MEANS}. Logged as {hostile.LOGGED_AS}")
    tab.open("scorecard", project=hostile.TRIAL, section="side")
    is_only_text(tab, hostile.SHARE, hostile.ARM, hostile.CONTROL)
    tab.open("scorecard", project=hostile.TRIAL, section="ledger")
    is_only_text(tab, "Nothing is decided yet")


def test_what_is_typed_shows_as_text(open_tab, server):
    tab = open_tab(server)
    arms = f"{hostile.FORMULA} {hostile.ANCHOR[:50]} 30/100\n{hostile.IMAGE} 50/100"
    tab.open("scorecard", project=hostile.TRIAL, source="counts", counts=arms, split="1:1")
    is_only_text(tab, f"{hostile.IMAGE} wins on conversion", hostile.FORMULA)
    tab.open("scorecard", project=hostile.TRIAL, source="counts", counts=f"A 1/2\n{hostile.LINK}")
    is_only_text(tab, f'line 2, "{hostile.LINK[:20]}')
    tab.open("plan", project=hostile.TRIAL, baseline_from="logs", metric=hostile.SHARE, lift=hostile.IMAGE)
    is_only_text(tab, hostile.SHARE, f'lift: "{hostile.IMAGE}" is not a number')


def test_long_text_does_not_widen_a_phone(open_tab, server):
    tab = open_tab(server, size=PHONE)
    for page in ("overview", "segments", "examples"):
        tab.open(page, range="all", where=f"{hostile.SEGMENT}={hostile.LONG}")
        assert tab.page.evaluate(TOO_WIDE) == []


def test_the_button_of_a_table_hands_out_guarded_text_or_is_not_there(open_tab, server):
    tab = open_tab(server)
    # with it, Chromium asks its user where to put the file
    tab.page.add_init_script("delete window.showSaveFilePicker")
    tab.open(
        "examples",
        project=hostile.BINARY,
        range="all",
        kind="random",
        where=f"{hostile.SEGMENT}={hostile.SUM}",
    )
    table = tab.main.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.hover()
    button = table.get_by_role("button", name="Download as CSV")
    if button.count():
        is_guarded(tab.download(button)[1])


def is_guarded(content: bytes, text: str = hostile.SUM) -> None:
    """No cell of the file is a formula to a spreadsheet, least of all this one."""
    cells = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in line]
    assert f"'{text}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))]
