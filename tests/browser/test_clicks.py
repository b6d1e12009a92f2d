"""From a number to the rows behind it, and back: by mark, point, cell and button, and by the browser itself."""

from __future__ import annotations

import re

from playwright.sync_api import expect

JULY = {"start": "2013-07-01", "end": "2013-08-01"}
ORIGIN = {
    "project": "NYC flight delays",
    "range": "custom",
    "version": "gbm-2013.03",
    "where": "origin=EWR",
    **JULY,
}


def goes_back(tab, page: str, words: dict[str, list[str]], headline: str) -> None:
    """The browser's own button leads to the page and the scope that were left."""
    with tab.run(to=page):
        tab.page.go_back()
    expect(tab.main.get_by_role("heading").first).to_contain_text(headline[:60])
    assert tab.words == words
    for condition in words.get("where", []):
        expect(tab.main.get_by_label(condition, exact=True)).to_be_visible()
    expect(tab.main.locator("[data-tag]")).to_have_count(len(words.get("where", [])))
    tab.check()


def test_a_mark_of_a_segment_leads_to_its_worst_rows_and_back(tab):
    tab.open("segments", **ORIGIN)
    before, headline = tab.words, tab.headline
    with tab.run(to="examples"):
        tab.click_point(tab.charts.first, "carrier=EV")
    assert tab.words["where"] == ["origin=EWR", "carrier=EV"]
    assert tab.words["start"] == ["2013-07-01"]
    assert tab.words.get("kind", ["worst"]) == ["worst"]
    expect(tab.main.get_by_label("carrier=EV", exact=True)).to_be_visible()
    assert "origin is EWR, carrier is EV" in tab.scope
    assert "costly" in tab.headline or "loss" in tab.headline

    goes_back(tab, "segments", before, headline)


def test_a_row_of_the_table_of_slices_leads_to_its_worst_rows_and_the_button_back(tab):
    tab.open("segments", **ORIGIN)
    before, headline = tab.words, tab.headline
    slices = tab.main.get_by_test_id("stDataFrame").last
    first = tab.cells(slices)[0][0]
    with tab.run(to="examples"):
        tab.press_in_table(slices, row=0)
    assert tab.words["where"] == ["origin=EWR", first]

    with tab.run(to="segments"):
        tab.main.get_by_role("button", name="Back to Segments").click()
    assert tab.words == before
    assert tab.headline == headline


def test_only_this_slice_narrows_the_scope_of_the_page(tab):
    tab.open("segments", **ORIGIN)
    slices = tab.main.get_by_test_id("stDataFrame").last
    second = tab.cells(slices)[1][0]
    with tab.run():
        tab.press_in_table(slices, row=1, nth=1)
    expect(tab.main.get_by_label(second, exact=True)).to_be_visible()
    assert tab.words["where"] == ["origin=EWR", second]


def test_a_point_in_time_leads_to_the_rows_of_its_window_and_back(tab):
    tab.open("quality", **ORIGIN)
    before, headline = tab.words, tab.headline
    with tab.run(to="examples"):
        start, end, version = tab.click_point(
            tab.card(re.compile(r"^Log loss by day")), ..., ..., "gbm-2013.03"
        )[:3]
    assert tab.words["start"][0][:10] == start[:10]
    assert tab.words["end"][0][:10] == end[:10]
    assert tab.words["version"] == [version]
    assert tab.words["where"] == ["origin=EWR"]
    assert f"from {start[:10]} to {end[:10]}" in tab.scope

    goes_back(tab, "quality", before, headline)


def test_a_confusion_cell_leads_to_its_rows_and_back(tab):
    tab.open("quality", **ORIGIN)
    before, headline = tab.words, tab.headline
    with tab.run(to="examples"):
        tab.click_point(tab.card("Confusion table"), "0", "1")
    assert tab.words["where"] == ["origin=EWR", "outcome=fp"]
    lines = tab.cells(tab.main.get_by_test_id("stDataFrame").first)
    assert lines
    labels = tab.main.get_by_test_id("stDataFrame").first.locator("table[role=grid] th").all_inner_texts()
    where = {name: labels.index(name) for name in ("Label", "Decision")}
    assert {(line[where["Label"]], line[where["Decision"]]) for line in lines} == {("0", "1")}

    goes_back(tab, "quality", before, headline)


def test_a_cell_of_many_classes_leads_to_its_rows(tab):
    tab.open("quality", project="NYC flights: how late, in classes", version="classes-2013.03", **JULY)
    with tab.run(to="examples"):
        tab.click_point(tab.card("Confusion table"), "late", "on_time")
    assert tab.words["where"] == ["label=late", "decision=on_time"]
    assert tab.words["project"] == ["NYC flights: how late, in classes"]


def test_a_cell_of_the_heat_map_shows_its_histogram_and_a_bar_its_rows(tab):
    week = {"range": "custom", "start": "2013-07-01", "end": "2013-07-08"}
    tab.open("drift", project="NYC flight delays", version="gbm-2013.03", **week)
    before = tab.words
    heading = re.compile(r"^temp, .*, against the reference")
    with tab.run():
        feature, start = tab.click_point(tab.charts.first, "temp")[:2]
    expect(tab.main.get_by_text(heading).first).to_be_visible()
    assert feature == "temp"
    assert tab.words["at"][0][:10] == start[:10]
    expect(tab.card(heading)).to_have_attribute("aria-label", re.compile("temp"))

    here = tab.words
    with tab.run(to="examples"):
        tab.click_point(tab.card(heading), ..., 48.92, None)  # hotter than all of the reference
    assert tab.words["where"] == ["temp=[48.92, inf)"]
    assert tab.words["kind"] == ["random"]
    assert tab.words["start"][0][:10] == start[:10]

    with tab.run(to="drift"):
        tab.page.go_back()
    assert here.items() <= tab.words.items()
    assert "where" not in tab.words
    expect(tab.main.get_by_text(heading).first).to_be_visible()
    assert before.items() <= tab.words.items()


def test_the_overview_leads_to_a_page_of_its_model_and_back(tab):
    tab.open("overview", range="30d")
    headline = tab.headline
    name = "NYC flights: minutes late"
    card = tab.main.get_by_role("heading", name=name)
    with tab.run(to="examples"):
        card.locator("xpath=following::button[.//p[text()='Examples']][1]").click()
    assert tab.words["range"] == ["30d"]
    expect(tab.main.get_by_role("combobox", name="Project")).to_have_value(name)

    with tab.run(to="overview"):
        tab.page.go_back()
    assert tab.words["range"] == ["30d"]
    assert tab.headline == headline


def test_the_overview_leads_to_an_address_that_names_its_model(tab):
    tab.open("overview", range="30d")
    name = "NYC flights: minutes late"
    with tab.run(to="telemetry"):
        tab.main.get_by_role("heading", name=name).locator(
            "xpath=following::button[.//p[text()='Telemetry']][1]"
        ).click()
    assert tab.words["project"] == [name]
    tab.page.reload()
    tab.settle()
    expect(tab.main.get_by_role("combobox", name="Project")).to_have_value(name)


def test_a_preset_is_in_the_address_and_survives_a_reload(tab):
    tab.open("quality", project="NYC flights: minutes late")
    quarter = tab.scope
    with tab.run():
        tab.main.get_by_role("radio", name="30d").click()
    assert tab.words["range"] == ["30d"]
    month, headline = tab.scope, tab.headline
    assert month != quarter

    tab.page.reload()
    tab.settle()
    assert tab.words["range"] == ["30d"]
    expect(tab.main.get_by_role("radio", name="30d")).to_be_checked()
    assert (tab.scope, tab.headline) == (month, headline)

    with tab.run(to="examples"):
        tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Examples").click()
    assert tab.words["range"] == ["30d"]
    assert tab.scope == month


def test_another_project_forgets_the_filters_of_the_first(tab):
    tab.open("quality", **ORIGIN, metric="recall")
    tab.main.get_by_role("combobox", name="Project").click()
    with tab.run():
        tab.page.get_by_role("option", name="NYC flights: minutes late").click()
    assert tab.words == {
        "project": ["NYC flights: minutes late"],
        "range": ["custom"],
        **{k: [v] for k, v in JULY.items()},
    }
    assert "origin" not in tab.scope


def test_a_removed_filter_leaves_scope_and_address(tab):
    tab.open("quality", **ORIGIN)
    with tab.run():
        tab.main.get_by_role("button", name="Remove origin=EWR").click()
    expect(tab.main.locator("[data-tag]")).to_have_count(0)
    assert "where" not in tab.words
    assert "origin" not in tab.scope
