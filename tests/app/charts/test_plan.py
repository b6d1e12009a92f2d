"""Figures and tables of plans: bands hold their lines, sentences tell what is drawn, nothing is drawn of nothing."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from analytics.experiments.plan import days_of, ranked, rows_of, traffic_rows
from app import text
from app.charts import plan
from tests.experiments.test_plan import case, steady


@pytest.fixture(scope="module")
def days():
    return list(days_of(case()))


def test_three_ways_with_bands_and_the_units_below(days):
    figure = plan.power_by_day(days, wanted=0.8, within=28)
    go.Figure(figure)
    names = [trace["name"] for trace in figure["data"] if trace.get("showlegend", True) and "name" in trace]
    assert names == ["one look at the end", "planned looks", "every day"]
    lines = [trace for trace in figure["data"] if trace.get("name") in names]
    fixed = [row for row in days if row.stopping == "fixed"]
    assert lines[0]["y"] == [row.power for row in fixed if row.power is not None]
    assert lines[0]["customdata"][9] == ["fixed", 10, round(fixed[9].units), fixed[9].power]
    assert {trace["yaxis"] for trace in figure["data"] if "yaxis" in trace} == {"y2"}
    assert any(shape["x0"] == 28 for shape in figure["layout"]["shapes"])


def test_days_beyond_the_logs_are_shaded():
    short = case(arrivals=steady(days=10))
    figure = plan.power_by_day(list(days_of(short)))
    assert any(shape["type"] == "rect" and shape["x0"] == 10.5 for shape in figure["layout"]["shapes"])


def test_the_sentence_names_the_first_day(days):
    first = next(row.day for row in days if row.stopping == "fixed" and row.power >= 0.8)
    said = plan.power_by_day_alt(days, wanted=0.8, within=28)
    assert f"one look at the end from day {first}" in said
    assert said.endswith("a decision is wanted by day 28.")
    never = [row for row in days if row.day < 4]
    assert "on none of 3 days" in plan.power_by_day_alt(never)


def test_the_effect_falls(days):
    figure = plan.effect_by_day(days, asked=0.05)
    go.Figure(figure)
    fixed = figure["data"][0]["y"]
    assert fixed == sorted(fixed, reverse=True)
    assert [trace["name"] for trace in figure["data"][:2]] == ["one look at the end", "planned looks"]
    assert "is seen, on day" in plan.effect_by_day_alt(days)


def test_weekdays():
    rows = traffic_rows("events", steady())
    figure = plan.weekday_bars(rows)
    go.Figure(figure)
    assert figure["data"][0]["x"] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert plan.weekday_bars_alt(rows) == "100 units on Mondays, 100 on Mondays."


def test_nothing_is_said_to_be_nothing():
    for figure, alt in ((plan.power_by_day, plan.power_by_day_alt), (plan.effect_by_day, plan.effect_by_day_alt),
                        (plan.weekday_bars, plan.weekday_bars_alt)):  # fmt: skip
        go.Figure(figure([]))
        assert alt([]).startswith("There ")


def test_tables_have_a_line_a_metric_a_day_and_a_weekday(days):
    rows = ranked(list(rows_of(case(), None)))
    table = plan.plan_table(rows)
    assert len(table) == 1
    assert table["Days"][0] == rows[0].days
    assert "Why not" not in table
    never = ranked(list(rows_of(case(value=10.0, deviation=400.0), None)))
    assert "no wait is enough" in plan.plan_table(never)["Why not"][0]
    assert len(plan.plan_days_table(days)) == len(days)
    assert len(plan.weekday_table(traffic_rows("events", steady()))) == 7


@pytest.mark.parametrize(
    "word", ["power_by_day", "effect_by_day", "plan_ranking", "plan_horizons", "weekday_bars"]
)
def test_every_figure_is_explained_in_whole_sentences(word):
    explained = text.explain(word)
    for part in (explained.definition, explained.reading, explained.caveat):
        assert part.rstrip(")")[-1] in ".!?"
        assert "  " not in part
    if explained.formula:
        assert explained.formula.count("{") == explained.formula.count("}")
