"""A shared link opens on what it says, with the numbers that `analytics` gives for the same words."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.parts.metrics import main_metrics
from app.parts.view import resolve
from app.text import count, interval, segments_headline, show, title, unit

JULY = {"start": "2013-07-01", "end": "2013-08-01"}


@pytest.mark.parametrize(
    "project, words, sentence",
    [
        (
            "flights",
            JULY | {"where": ["carrier=EV"], "version": ["gbm-2013.03"]},
            "from 2013-07-01 to 2013-08-01, version gbm-2013.03, carrier is EV (America/New_York)",
        ),
        (
            "flights",
            JULY
            | {"where": ["origin=JFK", "origin=LGA"], "version": ["logistic-2013.03"], "as_of": "2013-07-15"},
            (
                "from 2013-07-01 to 2013-08-01, version logistic-2013.03, origin is JFK or origin is LGA, "
                "as known on 2013-07-15 (America/New_York)"
            ),
        ),
        (
            "flights_minutes",
            JULY | {"where": ["origin=EWR"], "version": ["median-2013.03"]},
            "from 2013-07-01 to 2013-08-01, version median-2013.03, origin is EWR (America/New_York)",
        ),
    ],
)
def test_quality_opens_on_its_segment(tab, benches, project, words, sentence):
    bench = benches[project]
    tab.open("quality", project=bench.project.name, **words)

    for condition in words["where"]:
        expect(tab.main.get_by_label(condition, exact=True)).to_be_visible()
    expect(tab.main.get_by_role("radio", name="custom")).to_be_checked()
    expect(tab.main.get_by_role("combobox", name="Project")).to_have_value(bench.project.name)
    assert tab.scope.startswith(sentence)

    view = resolve(project, bench, words | {"range": "custom"})
    rows = {row.metric: row for row in bench.quality(view.scope) if row.class_ is None}
    shown = [rows[metric] for metric in main_metrics(view)]
    assert len(shown) == 4
    assert all(row.n_labelled > 100 for row in shown), "an empty window would agree with anything"
    for row in shown:
        value, tile = tab.tile(title(row.metric))
        assert value == show(row.metric, row.value)
        assert interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share") in tile
        assert f"n = {count(row.n_labelled)}" in tile


def test_segments_open_on_the_version_metric_and_window(tab, benches):
    bench = benches["flights_delay_class"]
    words = JULY | {"version": ["classes-2013.03"], "where": ["origin=EWR"]}
    tab.open("segments", project=bench.project.name, metric="balanced_accuracy", **words)

    rows = bench.segments(
        bench.scope(where=words["where"], versions=words["version"], **JULY), "balanced_accuracy"
    )
    assert tab.headline == segments_headline(rows)
    assert "from 2013-07-01 to 2013-08-01, version classes-2013.03, origin is EWR" in tab.scope
    compared = sum(row.p_adjusted is not None for row in rows)
    value, tile = tab.tile("Slices compared")
    assert value == str(compared)
    assert f"of {len(rows)}" in tile


def test_examples_open_on_the_same_rows(tab, benches):
    bench = benches["flights"]
    words = JULY | {"version": ["gbm-2013.03"], "where": ["outcome=fp", "carrier=EV"]}
    tab.open("examples", project=bench.project.name, kind="uncertain", k=5, **words)

    scope = bench.scope(where=words["where"], versions=words["version"], **JULY)
    rows = bench.examples(scope, "uncertain", 5)
    cells = tab.cells(tab.main.get_by_test_id("stDataFrame").first)
    assert len(rows) == len(cells) == 5
    assert [line[0] for line in cells] == [str(row.rank) for row in rows]
    assert rows[0].id in tab.plain(tab.main.inner_text())


def test_the_share_button_hands_out_a_link_to_the_same_scope(tab, open_tab, samples):
    tab.open("quality", project="NYC flights: minutes late", range="30d", where="carrier=UA", by="origin")
    tab.main.get_by_role("button", name="Share").click()
    links = tab.page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(links).to_have_count(2)
    moving, frozen = links.all_inner_texts()

    for link in (moving, frozen):
        again = open_tab(samples)
        again.page.goto(link.strip())
        again.settle()
        assert again.scope.split(" · ")[0] == tab.scope.split(" · ")[0]
        assert again.headline == tab.headline
        again.check()
    assert "range=30d" in moving
    assert "range=custom" in frozen
