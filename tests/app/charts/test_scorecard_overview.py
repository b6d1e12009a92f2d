from __future__ import annotations

from dataclasses import replace

from app.charts.interval_bar import Ink
from app.charts.scorecard_overview import overview_table, verdict
from tests.app.charts.experiment_samples import row, scorecard


def test_a_line_for_every_comparison_of_the_verdict():
    card = scorecard()
    table = overview_table(card, Ink())
    assert len(table) == len(card.headline_rows())
    assert {"Metric", "Verdict", "n", "Lift", "Interval", "p", "Chance"} <= set(table.columns)


def test_one_arm_heads_its_column():
    card = replace(scorecard(), control="old", variants=("new",), rows=(row(),))
    assert list(overview_table(card, Ink()).columns)[3:5] == ["old (control)", "new"]
    # an arm may be called anything, even what another column is called
    for name in ("p", "Lift", "old (control)"):
        table = overview_table(replace(card, variants=(name,)), Ink())
        assert list(table.columns)[3:5] == ["Control", "Treated"]


def test_words_of_the_verdict():
    card = replace(scorecard(), health=replace(scorecard().health, srm=None))
    assert verdict(card, row(badge="better", verdict="ship")) == "▲ ship"
    # a guardrail is no reason to ship
    assert verdict(card, row(role="guardrail", badge="safe", verdict="ship")) == "■ safe"
    assert verdict(card, row(verdict="inconclusive")) == "● inconclusive"
    assert verdict(card, row(verdict="needs n", needs_n=12300)) == "● needs 12,300 more"
    assert verdict(card, row(badge=None, status="no_data", verdict=None)) == "no data"


def test_units_of_both_arms():
    table = overview_table(
        replace(scorecard(), rows=(row(n=1200), replace(row("other"), n=None, n_control=None))), Ink()
    )
    assert list(table["n"]) == ["1,210 / 1,200", "–"]
