"""Two arms side by side: any metrics, the same axes, and a sentence that claims no more than was shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import plotly.graph_objects as go
import pytest

from analytics.experiments.arm_days import ArmDayRow
from analytics.experiments.rows import MetricFacts
from app.charts.experiment_side import shared, side_alt, side_panel
from app.parts.experiments_side import sentence
from tests.app.charts import experiment_samples as samples
from tests.app.conftest import assert_fine, charts, texts
from tests.app.views.experiment_projects import shop


def day(number, mean=0.1, half=0.02, *, variant="B", n=200):
    known = None not in {mean, half}
    return ArmDayRow(
        "conversion", "proportion", variant, variant == "A", None if number is None else date(2026, 3, number), n, mean,
        mean - half if known else None, mean + half if known else None, 0.3, "ok" if known else "too_few", None,
    )  # fmt: skip


DAYS = [day(1), day(2, 0.12), day(3, 0.5, None), day(4, None, None), day(5, 0.08), day(6, 0.2, 0.9)]


def test_a_day_without_an_interval_is_not_drawn_and_no_band_runs_over_it():
    figure = side_panel(DAYS, [], day(None), shared(DAYS, []), place=0)
    bands = [trace for trace in figure["data"] if trace.get("fill")]
    assert [len(band["x"]) for band in bands] == [4, 4]
    line = figure["data"][-1]
    assert line["y"] == [0.1, 0.12, None, None, 0.08, 0.2]
    go.Figure(figure)


def test_one_wild_day_does_not_flatten_the_others():
    axes = shared(DAYS, [])
    assert axes.high < 0.5
    assert axes.low <= 0.06


def test_bins_stand_beside_days():
    bins = samples.bins(metric="conversion", arms=("B",))
    figure = side_panel(DAYS, bins, day(None), shared(DAYS, bins), place=1)
    assert figure["layout"]["xaxis"]["domain"][1] < figure["layout"]["xaxis2"]["domain"][0]
    go.Figure(figure)
    alone = side_panel([], bins, None, shared([], bins), place=1)
    assert "xaxis2" not in alone["layout"]
    go.Figure(alone)


def test_nothing_to_draw_is_said():
    assert shared([], []).low is None
    assert "no day has a value" in str(side_panel([], [], None, shared([], []), place=0))
    assert side_alt([], None, "conversion", "B") == "conversion of B: no data."
    assert side_alt(DAYS, day(None), "conversion", "B") == (
        "conversion of B: 10% (8% to 12%); from 8% to 20% over 4 days."
    )


FACTS = (
    MetricFacts("conversion", "proportion", "up", "primary", "bought"),
    MetricFacts("latency", "mean", "down", "guardrail", "ms"),
)


def card(**more):
    arms = (
        samples.arm(), samples.arm("B", 0.129),
        samples.arm(metric="latency", kind="mean", mean=20.0), samples.arm("B", 25.0, metric="latency", kind="mean"),
    )  # fmt: skip
    rows = [
        samples.row(badge="better"),
        samples.row("latency", kind="mean", badge="not shown safe", role="guardrail"),
    ]
    return samples.scorecard(rows, **({"metrics": FACTS, "arms": arms, "variants": ("B", "C")} | more))


def test_the_sentence_says_what_was_shown():
    both = ["conversion", "latency"]
    assert sentence(card(), "A", "B", both) == (
        "B looks better on conversion and worse on latency than A. Shown to be more than chance: conversion."
    )
    # the other way round, it is the same finding
    assert sentence(card(), "B", "A", both) == (
        "A looks better on latency and worse on conversion than B. Shown to be more than chance: conversion."
    )
    assert sentence(card(), "A", "B", ["latency"]) == (
        "B looks worse on latency than A. None of it is shown to be more than chance."
    )


def test_a_difference_that_strata_turn_round_is_no_finding_of_the_plain_values():
    turned = card(arms=(samples.arm(mean=0.2), samples.arm("B", 0.1)))
    for left, right, word in (("A", "B", "better"), ("B", "A", "worse")):
        said = sentence(turned, left, right, ["conversion"])
        assert "None of it is shown" in said
        assert said.endswith(f"{right} is {word} on conversion: the plain values mislead.")


def test_two_arms_beside_the_control_were_not_compared():
    given = card()
    arms = (*given.arms, samples.arm("C", 0.11))
    said = sentence(replace(given, arms=arms), "B", "C", ["conversion"])
    assert said.endswith("Whether that is chance nobody tested: arms are compared with A only.")


def test_a_broken_split_shows_nothing():
    broken = card(health=samples.health(p=1e-9))
    assert sentence(broken, "A", "B", ["conversion"]).endswith("none of it is a finding.")
    assert (
        sentence(card(arms=()), "A", "B", ["conversion"])
        == "B and A look the same, or have no value to compare."
    )


@pytest.fixture
def project(tmp_path):
    return shop(tmp_path / "work" / "shop")


def test_the_section(open_page, project):
    page = open_page("scorecard", project, section="side")
    assert_fine(page)
    assert "new looks better on bought and spent than old" in texts(page)
    assert len(charts(page)) == 4
    left, right, *_ = charts(page)
    assert left["layout"]["yaxis"]["range"] == right["layout"]["yaxis"]["range"]
    assert "n = 300" in texts(page)


def test_any_set_of_metrics_and_arms(open_page, project):
    page = open_page("scorecard", project, section="side", shown="spent", left="new")
    assert_fine(page)
    assert page.multiselect(key="shown").value == ["spent"]
    assert len(charts(page)) == 2
    assert page.selectbox(key="right").value == "old"
    assert "old looks worse on spent than new" in texts(page)
    page.multiselect(key="shown").set_value(["bought"]).run()
    assert_fine(page)
    assert "old looks worse on bought than new" in texts(page)
    page.selectbox(key="left").select("old").run()
    assert_fine(page)
    assert page.selectbox(key="right").value == "new"


def test_no_metric_chosen_shows_the_first_ones(open_page, project):
    page = open_page("scorecard", project, section="side")
    page.multiselect(key="shown").set_value([]).run()
    assert_fine(page)
    assert len(charts(page)) == 4
