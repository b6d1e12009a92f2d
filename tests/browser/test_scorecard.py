"""A logged experiment says on its page what the analysis says, also early, also where there is nothing but it."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from playwright.sync_api import expect

from analytics.workbench import Workbench
from app.charts.experiment_tables import records_table
from app.charts.experiments import cumulative_effect_alt, effect_forest_alt, value_distribution_alt
from app.charts.export import to_csv
from app.glossary import title
from app.text import EMPTY, experiment_line
from tests.app.views.experiment_projects import shop
from tests.browser.tab import PHONE

NAME = "gbm_against_logistic"


@pytest.fixture(scope="module")
def alone(start_server, tmp_path_factory):
    """A server on a project of experiments alone, and the project's workbench."""
    folder = shop(tmp_path_factory.mktemp("alone") / "shop")
    running = start_server(folder.parent)
    yield running.url, Workbench(folder / "assay.toml")
    running.stop()


def test_the_sample_experiment_is_told_and_drawn(tab, benches):
    bench = benches["flights"]
    card = bench.scorecard(name=NAME)
    rows = card.headline_rows()
    tab.open("scorecard", project=bench.project.name)
    assert tab.headline == experiment_line(card)
    assert tab.tile("Split")[0] == "Fine"
    assert tab.tile("Units")[0] == f"{sum(arm.n for arm in card.health.arms):,}"

    forest = tab.card("Effects")
    expect(forest).to_have_attribute("aria-label", effect_forest_alt(rows))
    drawn = {tuple(point["custom"]) for point in tab.points(forest)}
    assert drawn == {(row.metric, row.variant) for row in rows}
    assert len(rows) == 5
    cells = tab.cells(tab.main.get_by_test_id("stDataFrame").first)
    assert [line[0] for line in cells] == [row.metric for row in rows]

    with tab.run():
        tab.main.get_by_role("radio", name="One metric").or_(
            tab.main.get_by_text("One metric", exact=True)
        ).first.click()
    assert tab.words["section"] == ["One metric"]
    metric, variant = "correct_decisions", "gbm-2013.03"
    tab.scroll_to(tab.main.get_by_role("combobox", name="Metric")).click()
    with tab.run():
        tab.page.get_by_role("option", name=metric).click()
    assert tab.words["metric"] == [metric]
    facts = next(facts for facts in card.metrics if facts.name == metric)
    said = tab.plain(tab.main.inner_text())
    assert facts.means[1:] in said
    assert f"Logged as {facts.logged_as}" in said
    arms, bins, days = (
        [one for one in all_ if one.metric == metric] for all_ in (card.arms, card.bins, card.days)
    )
    values, by_day = tab.card("Values in each arm"), tab.card("Effect by day")
    expect(values).to_have_attribute("aria-label", value_distribution_alt(bins, arms, kind=facts.kind))
    expect(by_day).to_have_attribute(
        "aria-label", cumulative_effect_alt(days, metric, variant, kind=facts.kind)
    )


def test_the_sample_experiment_is_explained_and_handed_out(tab, benches):
    bench = benches["flights"]
    card = bench.scorecard(name=NAME)
    tab.open("scorecard", project=bench.project.name)
    file, content = tab.download(tab.main.locator(".st-key-scorecard_csv button"))
    assert file.suggested_filename == f"scorecard_{NAME}.csv"
    handed, known = (pd.read_csv(io.BytesIO(text)) for text in (content, to_csv(records_table(card))))
    pd.testing.assert_frame_equal(handed, known)
    cells = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in line]
    assert str(card.rows[0].lift) in cells
    assert not [
        cell
        for cell in cells
        if cell.startswith(("=", "+", "@")) or (cell.startswith("-") and not cell[1:2].isdigit())
    ]

    every = [row for row in card.rows if row.role != "health"]
    with tab.run():
        tab.main.get_by_text("Every column and every method").click()
    grid = tab.main.locator(".st-key-methods_table table[role=grid]")
    expect(grid).to_have_attribute("aria-rowcount", str(len(every) + 1))
    assert len(every) > len(card.headline_rows())

    with tab.run():
        tab.main.locator(".st-key-effects_explain button:visible").click()
    drawer = tab.page.get_by_role("dialog")
    expect(drawer).to_contain_text(title("fieller"))
    drawer.locator("summary").click()
    expect(drawer.get_by_test_id("stCode").first).to_contain_text("SELECT")
    tab.check()


def test_a_look_before_the_end_says_so_and_is_a_link(tab, open_tab, benches):
    bench = benches["flights"]
    card = bench.scorecard(bench.scope(as_of="2013-06-01"), name=NAME)
    assert "This is a look before the planned end (it ends on 2013-09-01)" in card.decision.sentence
    tab.open("scorecard", project=bench.project.name)
    tab.main.get_by_role("button", name="As known on").click()
    field = tab.page.get_by_test_id("stPopoverBody").get_by_role("textbox", name="As known on")
    field.fill("2013-06-01")
    with tab.run():
        field.press("Enter")
    tab.page.keyboard.press("Escape")
    assert tab.headline == experiment_line(card)
    expect(tab.main.get_by_text("As known on 2013-06-01 00:00")).to_be_visible()
    said = tab.main.inner_text()
    assert ".." not in said
    assert "warning This is a look before the planned end." in " ".join(said.split())
    assert "speaks against this comparison" not in said

    again = open_tab(tab.base, scheme="dark", size=PHONE)
    again.page.goto(tab.page.url)
    again.settle()
    assert again.headline == experiment_line(card)
    assert again.words == tab.words


def test_experiments_alone_are_on_the_overview_and_lead_on(open_tab, alone):
    url, bench = alone
    said = experiment_line(bench.scorecard(name="new_shop"))
    assert "new wins on bought" in said
    tab = open_tab(url, size=PHONE)
    tab.open("overview")
    expect(tab.main.get_by_text(f"new_shop · {said}")).to_be_visible()
    overview = tab.headline
    with tab.run(to="scorecard"):
        tab.main.get_by_role("button", name="Scorecard").click()
    assert tab.headline == said
    with tab.run(to="overview"):
        tab.page.go_back()
    assert tab.headline == overview

    tab.open("quality")
    expect(tab.main.get_by_text(EMPTY["no_predictions"].title)).to_be_visible()
    with tab.run(to="scorecard"):
        tab.main.get_by_role("button", name=EMPTY["no_predictions"].action).click()
    assert tab.headline == said
    tab.open("plan", baseline_from="logs", metric="bought")
    known = bench.history(name="new_shop", metric="bought")
    assert f"To see {known.baseline:.1%} become" in tab.headline
    tab.open("telemetry")
    lines = tab.cells(tab.main.get_by_test_id("stDataFrame").first)
    assert {"exposures.parquet", "events.parquet"} <= {cell for line in lines for cell in line}
