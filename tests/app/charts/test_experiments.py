"""Figures of experiments: Plotly takes them, nothing undefined is drawn, and shape, word and number agree."""

from __future__ import annotations

import dataclasses
import math

import orjson
import plotly.graph_objects as go
import pytest

from app.charts import experiment_tables as tables
from app.charts import experiments as e
from app.charts.experiment_effects import MOST_ROWS
from app.charts.experiment_panels import panels_of
from app.charts.experiment_words import BADGE_SIGNS
from app.charts.theme import ACTION
from tests.app.charts import experiment_samples as s

MANY = [s.row(f"metric {i}", variant=v) for i in range(30) for v in "BC"]
FULL = {
    "forest": lambda: e.effect_forest(s.comparisons(), s.FACTS),
    "differences": lambda: e.effect_forest(s.comparisons(), s.FACTS, lifts=False),
    "one line": lambda: e.effect_forest([s.row(badge="better")]),
    "many lines": lambda: e.effect_forest(MANY),
    "without a lift": lambda: e.effect_forest([s.without_lift()]),
    "values": lambda: e.value_distribution(s.bins(), s.cost_arms(), variants=("A", "B")),
    "values of hostile arms": lambda: e.value_distribution(s.bins(arms=("A", s.EVIL, s.LONG, "D", "E", "F"))),
    "uneven bins": lambda: e.value_distribution(s.bins(edges=(0, 1, 2, 4, 8))),
    "closed bins": lambda: e.value_distribution(s.bins(opened=False)),
    "shares": lambda: e.value_distribution([], [s.arm(), s.arm(s.EVIL, 0.129)], kind="proportion"),
    "days": lambda: e.cumulative_effect(s.days(), "conversion", "B", kind="proportion"),
    "days without lift": lambda: e.cumulative_effect(s.days(lift=False), "conversion", "B"),
    "one day": lambda: e.cumulative_effect(s.days(2)[1:], "conversion", "B"),
    "a year of days": lambda: e.cumulative_effect(s.days(365, variant=s.EVIL), "conversion", s.EVIL),
    "split": lambda: e.split_bars(s.health()),
    "broken split": lambda: e.split_bars(s.health((900, 100), ("A", s.EVIL), p=1e-9)),
    "typed split": lambda: e.split_bars(s.health(p=None)),
    "power": lambda: e.power_curve(s.curve(), s.plan()),
    "power of effects": lambda: e.power_curve(s.effect_curve(), s.plan(solved_for="power"), wanted=0.9),
    "power alone": lambda: e.power_curve(s.curve()),
}  # fmt: skip
REASON = "no unit of either arm converted"
NOTHING = {
    "no rows": (lambda: e.effect_forest([]), "nothing to compare"),
    "only the split": (lambda: e.effect_forest([s.srm()]), "nothing to compare"),
    "all undefined": (lambda: e.effect_forest([s.untested(), s.untested(variant="C")]), REASON),
    "no bins": (lambda: e.value_distribution([]), "no values"),
    "one bin": (
        lambda: e.value_distribution([dataclasses.replace(s.bins()[0], low=None, high=None)]),
        "one bin",
    ),
    "no arms": (lambda: e.value_distribution(s.bins(), kind="proportion"), "no values"),
    "empty arms": (lambda: e.value_distribution([], [s.arm(mean=None)], kind="proportion"), "no units"),
    "no days": (lambda: e.cumulative_effect(s.days(), "revenue", "B"), "carry no days"),
    "unknown days": (lambda: e.cumulative_effect(s.days(known=False), "conversion", "B"), "1 unit"),
    "no units": (lambda: e.split_bars(s.health((0, 0))), "No units"),
    "no designs": (lambda: e.power_curve([]), "no curve"),
    "impossible": (lambda: e.power_curve([s.plan(power=None)]), "no number of units"),
}
full = pytest.mark.parametrize("figure", [make() for make in FULL.values()], ids=list(FULL))


def numbers(value):
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers(part)]
    if isinstance(value, list | tuple):
        return [n for part in value for n in numbers(part)]
    return [value] if isinstance(value, float) else []


@full
def test_plotly_takes_it(figure):
    go.Figure(figure)  # validates every name and value


@full
def test_it_is_plain_json_with_finite_numbers(figure):
    orjson.dumps(figure)  # refuses numpy
    assert all(math.isfinite(n) for n in numbers(figure))


@full
def test_labels_have_room_and_the_figure_no_title(figure):
    layout = figure["layout"]
    assert "title" not in layout
    assert layout["uirevision"]
    axes = [value for key, value in layout.items() if key.startswith(("xaxis", "yaxis"))]
    assert all(axis.get("automargin") or axis.get("visible") is False for axis in axes)


@full
def test_every_mark_explains_itself_with_n(figure):
    hovered = [trace for trace in figure["data"] if trace.get("hoverinfo") != "skip"]
    assert hovered
    for trace in hovered:
        assert trace["hovertemplate"] == "%{hovertext}<extra></extra>"
        assert len(trace["hovertext"]) == len(trace["x"]) == len(trace["y"]) == len(trace["customdata"])
        assert all("n =" in text for text in trace["hovertext"])
        assert not any("None" in text or "nan" in text for text in trace["hovertext"])
        assert trace["unselected"]["marker"]["opacity"] == trace["marker"].get("opacity", 1)


@full
def test_logged_text_stays_text(figure):
    drawn = [{key: value for key, value in trace.items() if key != "customdata"} for trace in figure["data"]]
    layout = {key: value for key, value in figure["layout"].items() if key != "uirevision"}
    assert "<b>evil</b>" not in str(drawn) + str(layout)


@full
def test_colours_are_placeholders_or_hold_on_both_papers(figure):
    found = {
        part for part in str(figure).replace("'", " ").split() if part.startswith("#") and len(part) in {7, 9}
    }
    assert {colour[:7] for colour in found if not colour.startswith("#0000")} <= {"#808495", ACTION}


@pytest.mark.parametrize("make,said", NOTHING.values(), ids=list(NOTHING))
def test_nothing_to_draw_is_said(make, said):
    figure = make()
    go.Figure(figure)
    assert figure["data"], "Streamlit 1.67 fails on a figure without traces"
    assert said in figure["layout"]["annotations"][0]["text"].replace("<br>", " ")


# Effects


def texts(figure):
    return [note["text"] for note in figure["layout"]["annotations"]]


def traces(figure, name):
    return [trace for trace in figure["data"] if trace.get("name") == name]


def test_each_badge_is_a_word_and_a_shape_of_its_own():
    figure = e.effect_forest([s.row(f"m{i}", badge=word) for i, word in enumerate(BADGE_SIGNS)])
    shapes = {name: traces(figure, name)[0]["marker"]["symbol"] for name in BADGE_SIGNS}
    assert len(set(shapes.values())) == len(BADGE_SIGNS)
    written = " ".join(texts(figure)).replace("<br>", " ")
    assert all(word in written for word in BADGE_SIGNS)


def test_only_what_needs_action_is_red():
    figure = e.effect_forest(s.comparisons(), s.FACTS)
    red = {trace["name"] for trace in figure["data"] if trace["marker"].get("color") == ACTION}
    assert red == {"worse", "harmed"}


def test_lines_stand_on_the_corrected_interval():
    one = s.row(difference=0.026, half=0.016)
    (line,) = traces(e.effect_forest([one]), "no difference shown")
    assert line["x"] == [pytest.approx(100 * one.lift)]
    assert line["error_x"]["array"] == [pytest.approx(100 * (one.lift_ci_adjusted_high - one.lift))]
    assert line["error_x"]["arrayminus"] == [pytest.approx(100 * (one.lift - one.lift_ci_adjusted_low))]


def test_a_metric_without_a_lift_has_a_panel_in_its_own_unit():
    figure = e.effect_forest(s.comparisons(), s.FACTS)
    assert "difference of margin" in figure["layout"]["xaxis2"]["title"]["text"]
    (on_two,) = [trace for trace in figure["data"] if trace["xaxis"] == "x2"]
    assert on_two["x"] == [0.2]
    assert on_two["customdata"] == [["margin", "B"]]


def test_differences_have_a_panel_a_metric_and_shares_are_in_points():
    figure = e.effect_forest(s.comparisons(), lifts=False)
    axes = [value for key, value in figure["layout"].items() if key.startswith("xaxis")]
    assert len(axes) == len({row.metric for row in s.comparisons()})
    assert traces(figure, "better")[0]["x"] == [pytest.approx(2.6)]


def test_panels_do_not_overlap():
    figure = e.effect_forest(s.comparisons(), lifts=False)
    domains = [value["domain"] for key, value in figure["layout"].items() if key.startswith("yaxis")]
    ends = [end for domain in domains for end in reversed(domain)]
    assert ends == sorted(ends, reverse=True)
    assert 0 <= ends[-1] < ends[0] <= 1


@pytest.mark.parametrize(
    "direction,lifts,place", [("up", True, -2.0), ("down", True, 2.0), ("down", False, 4.8)]
)
def test_allowed_harm_lies_on_the_harmful_side(direction, lifts, place):
    guard = s.row("latency_ms", 1.0, 2.0, control=240.0, kind="mean", role="guardrail", direction=direction)
    (mark,) = traces(e.effect_forest([guard], s.FACTS, lifts=lifts), "harm allowed")
    assert mark["x"] == [pytest.approx(place)]


def test_an_absolute_margin_of_a_share_is_in_points_or_relative_to_the_control():
    guard = s.row("errors", 0.0, 0.001, control=0.02, role="guardrail", direction="down")
    places = [
        traces(e.effect_forest([guard], s.FACTS, lifts=lifts), "harm allowed")[0]["x"][0]
        for lifts in (True, False)
    ]
    assert places == [pytest.approx(5.0), pytest.approx(0.1)]


def test_lower_is_better_is_said():
    figure = e.effect_forest([s.row(direction="down"), s.row("revenue")])
    assert "lower is better" in figure["layout"]["xaxis"]["title"]["text"]
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert ["↓" in label for label in labels] == [True, False]
    assert "lower" not in e.effect_forest([s.row()])["layout"]["xaxis"]["title"]["text"]


def test_an_interval_far_too_wide_does_not_flatten_the_others():
    wide = s.row("revenue", 40.0, 90.0, control=1.0)
    figure = e.effect_forest([s.row(), s.row("b"), wide])
    low, high = figure["layout"]["xaxis"]["range"]
    assert high < 100
    assert low > -100
    unmarked = [trace for trace in figure["data"] if trace.get("hoverinfo") == "skip"]
    arrows = {trace["marker"]["symbol"] for trace in unmarked}
    assert arrows == {"triangle-left", "triangle-right"}


def test_no_effect_is_always_in_sight():
    for difference in (-0.05, 0.05):
        low, high = e.effect_forest([s.row(difference=difference, half=0.001)])["layout"]["xaxis"]["range"]
        assert low < 0 < high


def test_what_was_not_tested_says_why_and_can_be_hovered():
    figure = e.effect_forest(s.comparisons())
    assert any("no unit of either arm" in text for text in texts(figure))
    assert any(["refunds", "B"] in trace.get("customdata", []) for trace in figure["data"])


def test_many_lines_end_with_how_many_more():
    figure = e.effect_forest(MANY)
    assert sum(len(trace["x"]) for trace in figure["data"]) == MOST_ROWS
    assert "20 more<br>in the table" in texts(figure)


def test_an_infinite_end_is_not_drawn():
    figure = e.effect_forest([s.row(lift_ci_adjusted_high=math.inf)])
    assert all(math.isfinite(n) for n in numbers(figure))


def test_the_split_is_no_effect():
    assert panels_of([s.row()], (), lifts=True)[0].rows == [s.row()]
    assert e.effect_forest([s.row(), s.srm()])["layout"]["yaxis"]["tickvals"] == [0.0]


def test_effects_in_a_sentence():
    assert e.effect_forest_alt(s.comparisons()) == (
        "9 comparisons with A: 1 worse, 1 harmed, 1 better, 1 safe, 1 not shown safe, 4 no difference shown; "
        "errors of B +30% (+20% to +40%)."
    )
    assert e.effect_forest_alt([s.without_lift(metric="margin", difference=0.2, half=0.5)]).endswith(
        "margin of B +0.200 (−0.300 to +0.700)."
    )
    assert REASON in e.effect_forest_alt([s.untested()])
    assert e.effect_forest_alt([]) == "There is nothing to compare."


# Values


def test_outlines_of_even_bins_are_shares_of_the_arm():
    figure = e.value_distribution(s.bins())
    control = traces(figure, "A")[0]
    shares = [bin_.share for bin_ in s.bins() if bin_.variant == "A"]
    assert control["y"][1:-1:2] == shares
    assert sum(control["y"][1:-1:2]) == pytest.approx(1)


def test_areas_of_uneven_bins_are_shares():
    figure = e.value_distribution(s.bins(edges=(0, 1, 2, 4, 8), opened=False))
    control = traces(figure, "A")[0]
    x, y = control["x"][1:-1], control["y"][1:-1]
    area = sum((right - left) * y for left, right, y in zip(x[::2], x[1::2], y[::2], strict=True))
    assert area == pytest.approx(1)
    assert "per 1" in figure["layout"]["yaxis"]["title"]["text"]


def test_open_bins_are_shaded_and_labelled():
    figure = e.value_distribution(s.bins())
    assert texts(figure) == ["all below 0", "all 30 or more"]
    assert len(figure["layout"]["shapes"]) == 2
    assert not texts(e.value_distribution(s.bins(opened=False)))


def test_empty_bins_in_between_are_drawn_as_empty():
    bins = [bin_ for bin_ in s.bins() if bin_.low != 10]
    control = traces(e.value_distribution(bins), "A")[0]
    place = control["x"].index(10)
    assert control["y"][place + 1] == 0.0


def test_empty_bins_outside_take_no_room():
    bins = [
        dataclasses.replace(b, n=0, share=0.0) if b.low is None or b.high is None else b for b in s.bins()
    ]
    assert e.value_distribution(bins)["layout"]["xaxis"]["range"] == [0, 30]


def test_a_bin_tells_all_arms_at_once():
    hits = e.value_distribution(s.bins())["data"][0]
    assert hits["hovertext"][1].count("n =") == 2
    assert hits["customdata"][0] == ["cost", None, 0]


def test_means_are_marked_in_the_colour_of_their_arm():
    figure = e.value_distribution(s.bins(), s.cost_arms(), variants=("A", "B"))
    lines = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    assert [line["x0"] for line in lines] == [12.4, 14.3]
    assert lines[1]["line"]["color"] == traces(figure, "B")[0]["line"]["color"]


def test_an_arm_keeps_its_colour_when_another_is_missing():
    both = e.value_distribution(s.bins(), variants=("A", "B"))
    alone = e.value_distribution(s.bins(arms=("B",)), variants=("A", "B"))
    assert traces(both, "B")[0]["line"] == traces(alone, "B")[0]["line"]


def test_proportions_are_bars_with_intervals():
    (bars,) = e.value_distribution([], [s.arm("B", 0.129), s.arm()], kind="proportion", variants="AB")["data"]
    assert bars["x"] == [0.103, 0.129]
    assert bars["error_x"]["array"] == [pytest.approx(0.009)] * 2
    assert bars["customdata"] == [["conversion", "A"], ["conversion", "B"]]


def test_values_in_a_sentence():
    assert e.value_distribution_alt(s.bins(), s.cost_arms()) == (
        "cost: most frequent are values 10 to 15 (30.8% of A); mean of each arm: A 12.4 (5,010 units) and "
        "B 14.3 (5,010 units)."
    )
    assert e.value_distribution_alt([], [s.arm()], kind="proportion") == (
        "conversion, share of each arm: A 10.3% (5,010 units)."
    )
    assert e.value_distribution_alt([]) == "There are no values to draw."


# Days


def test_the_result_is_the_last_day_and_stands_out():
    figure = e.cumulative_effect(s.days(), "conversion", "B", kind="proportion")
    (result,) = traces(figure, "the result: all units")
    assert result["customdata"] == [["2013-03-28", "conversion", "B"]]
    assert result["y"][0] == pytest.approx(100 * s.days()[-1].lift)


def test_looking_every_day_is_warned_of():
    assert "stopping" in texts(e.cumulative_effect(s.days(), "conversion", "B"))[0]
    assert "10 looks" in e.FIXED_HORIZON or "ten looks" in e.FIXED_HORIZON


def test_a_day_without_a_number_is_a_gap():
    line = e.cumulative_effect(s.days(), "conversion", "B")["data"][1]
    assert line["y"][3] is None
    assert line["connectgaps"] is False
    assert "at least 2" in line["hovertext"][3]


def test_no_effect_and_the_settled_days_are_in_sight_but_not_the_first():
    low, high = e.cumulative_effect(s.days(), "conversion", "B")["layout"]["yaxis"]["range"]
    assert low < 0
    assert 40 < high < 90


def test_the_days_are_of_the_method_of_the_verdict():
    days = [*s.days(), *s.days(5, method="cuped")]
    line = e.cumulative_effect(days, "conversion", "B")["data"][1]
    assert len(line["x"]) == 5
    assert len(e.cumulative_effect(days, "conversion", "B", method="unadjusted")["data"][1]["x"]) == 28


def test_without_a_lift_the_difference_is_drawn():
    figure = e.cumulative_effect(s.days(lift=False), "conversion", "B", kind="proportion")
    assert figure["layout"]["yaxis"]["title"]["text"] == "difference"
    assert figure["data"][2]["y"][0] == pytest.approx(100 * s.days()[-1].difference)


def test_days_in_a_sentence():
    told = e.cumulative_effect_alt(s.days(), "conversion", "B", kind="proportion")
    assert told.startswith("conversion of B against A by 28 Mar 2013: lift +24.2% (")
    assert told.endswith("over 26 days. Only the last day is the result.")
    differences = e.cumulative_effect_alt(s.days(), "conversion", "B", kind="proportion", lifts=False)
    assert "difference +2.5 pp" in differences
    assert e.cumulative_effect_alt([], "conversion", "B") == "The exposures carry no days to follow."


# Split


def test_a_broken_split_is_red_and_only_that():
    colours = [e.split_bars(s.health(p=p))["data"][0]["marker"]["color"] for p in (0.4, 0.0011, 0.0009, None)]
    assert [colour == ACTION for colour in colours] == [False, False, True, False]


def test_the_plan_is_marked_beside_what_was_got():
    bars, planned = e.split_bars(s.health((900, 100), shares=(0.9, 0.1)))["data"]
    assert bars["x"] == planned["x"] == [0.9, 0.1]
    assert "expected 900" in bars["hovertext"][0]


def test_the_split_in_a_sentence():
    assert e.split_bars_alt(s.health((900, 100), p=1e-9)) == (
        "1,000 units: A 90% (900, planned 50%) and B 10% (100, planned 50%); the split is broken, p < .0001."
    )
    assert e.split_bars_alt(s.health(p=0.4)).endswith("no more off than chance, p = .40.")
    assert e.split_bars_alt(s.health(p=None)).endswith("planned 50%).")
    assert e.split_bars_alt(s.health((0, 0))) == "No units are in any arm yet."


# Power


def test_power_runs_over_units_where_these_differ_and_else_over_the_effect():
    over = {
        name: make()["layout"]["xaxis"]["title"]["text"]
        for name, make in {
            "units": lambda: e.power_curve(s.curve()),
            "lifts": lambda: e.power_curve(s.effect_curve()),
            "shares": lambda: e.power_curve(s.effect_curve(baseline=0)),
        }.items()
    }
    assert over == {
        "units": "units per variant", "lifts": "lift to be shown", "shares": "difference to be shown",
    }  # fmt: skip


def test_the_plan_and_the_wanted_power_are_marked():
    figure = e.power_curve(s.curve(), s.plan(1500, power=0.8))
    (diamond,), (line,) = traces(figure, "the plan"), traces(figure, "power wanted")
    assert (diamond["x"], diamond["y"]) == ([1500], [0.8])
    assert line["y"] == [0.8, 0.8]
    assert diamond["customdata"] == [[1500, pytest.approx(0.01), 0.1, 0.8]]


def test_power_that_was_solved_for_was_not_wanted():
    assert not traces(e.power_curve(s.curve(), s.plan(solved_for="power")), "power wanted")


def test_undefined_designs_are_left_out_of_the_curve():
    rows = [*s.curve(), s.plan(power=None)]
    assert len(e.power_curve(rows)["data"][0]["x"]) == len(s.curve())


def test_power_in_a_sentence():
    assert e.power_curve_alt(s.curve(), s.plan()) == (
        "Power goes from 16.3% at 100 units per variant to 99.9% at 3,000 units per variant; the plan has 80% at "
        "1,500 units per variant; wanted are 80%."
    )
    assert "+1% (+0.1 pp)" in e.power_curve_alt(s.effect_curve())
    assert e.power_curve_alt([]) == "There is no curve to draw."


# Tables


ALL = {
    "scorecard": lambda: tables.scorecard_table(s.scorecard()),
    "arms": lambda: tables.arms_table(s.scorecard()),
    "days": lambda: tables.days_table(s.days()),
    "bins": lambda: tables.bins_table(s.bins()),
    "split": lambda: tables.split_table(s.health()),
    "power": lambda: tables.power_table(s.curve()),
}


@pytest.mark.parametrize("make", ALL.values(), ids=list(ALL))
def test_names_of_columns_are_for_people(make):
    frame = make()
    assert len(frame)
    assert not any("_" in name for name in frame.columns)
    assert all(name[0].isupper() or name.startswith("p") for name in frame.columns)


def test_a_line_of_the_scorecard():
    frame = tables.scorecard_table(s.scorecard())
    assert len(frame) == len(s.comparisons())
    first = frame.iloc[0]
    assert first["Verdict"] == "▲ better"
    assert first["Control value"] == "10.3% ± 0.9 pp"
    assert first["Variant value"] == "12.9% ± 0.9 pp"
    assert first["Difference, corrected interval"] == "+2.6 pp (+1 pp to +4.2 pp)"
    assert first["Lift, corrected interval"] == "+25.2% (+9.7% to +40.8%)"
    assert (first["p-value"], first["Adjusted p-value"]) == (0.00214, 0.0043)
    assert first["Chance to beat"] == "99.9%"
    assert (first["Units"], first["Control units"]) == (5000, 5010)


def test_a_line_without_a_test_says_why():
    last = tables.scorecard_table(s.scorecard()).iloc[-1]
    assert last["Verdict"] == "not defined here"
    assert REASON in last["Reason"]
    assert last["Lift, corrected interval"] == "–"


def test_an_adjusted_mean_has_an_interval_of_its_own():
    adjusted = [dataclasses.replace(s.cuped(s.row(badge="better")), half_width=0.005)]
    frame = tables.scorecard_table(s.scorecard(adjusted))
    assert frame["Variant value"].tolist() == ["12.9% ± 0.5 pp"]


def test_all_methods_can_be_asked_for():
    rows = [s.row(), s.cuped(s.row())]
    card = s.scorecard(rows)
    assert tables.scorecard_table(card)["Method"].tolist() == ["cuped"]
    assert tables.scorecard_table(card, card.rows)["Method"].tolist() == ["unadjusted", "cuped"]


def test_columns_that_say_nothing_are_left_out_but_not_from_an_empty_table():
    assert "Warnings" not in tables.scorecard_table(s.scorecard()).columns
    assert "Warnings" in tables.scorecard_table(s.scorecard([])).columns
    assert "Warnings" in tables.scorecard_table(s.scorecard([s.row(warnings="small")])).columns


def test_differences_of_shares_are_in_points():
    frame = tables.days_table(s.days(), kind="proportion")
    assert frame["Difference (percentage points)"].iloc[-1] == pytest.approx(100 * s.days()[-1].difference)
    assert "Difference" in tables.days_table(s.days(), kind="mean")


def test_the_split_by_numbers():
    frame = tables.split_table(s.health((900, 100)))
    assert frame["Off by (percentage points)"].tolist() == [pytest.approx(40), pytest.approx(-40)]
    assert tables.split_table(s.health((0, 0)))["Share (%)"].isna().all()


def test_designs_in_their_unit():
    line = tables.power_table([s.plan()]).iloc[0]
    assert (line["Baseline"], line["Effect"], line["Lift"], line["Power"]) == ("10%", "+1 pp", "+10%", "80%")
    assert tables.power_table([s.plan(kind="mean", baseline=3.0)])["Effect"].tolist() == ["+0.300"]


def test_a_lift_too_uncertain_at_the_corrected_level_is_drawn_as_a_difference():
    doubtful = s.row("margin", lift_ci_adjusted_low=None, lift_ci_adjusted_high=None)
    figure = e.effect_forest([s.row(), doubtful])
    assert "difference of margin" in figure["layout"]["xaxis2"]["title"]["text"]
    assert e.effect_forest_alt([doubtful]).endswith("margin of B +2.6 pp (+1 pp to +4.2 pp).")


def test_days_follow_the_unadjusted_numbers_where_the_adjusted_ones_are_undefined():
    days = [*s.days(), *s.days(5, method="cuped", known=False)]
    assert len(e.cumulative_effect(days, "conversion", "B")["data"][1]["x"]) == 28


def test_a_chance_is_never_certain():
    frame = tables.scorecard_table(s.scorecard([s.row(chance_to_beat=1.0), s.row(chance_to_beat=1e-12)]))
    assert frame["Chance to beat"].tolist() == ["> 99.9%", "< 0.1%"]


def test_units_so_far_hold_over_days_without_new_units():
    days = [day for day in s.days(10) if day.day.day != 5]
    bars = e.cumulative_effect(days, "conversion", "B")["data"][-1]
    assert bars["width"][2] == bars["width"][4]
    assert bars["width"][3] == bars["width"][2] + 86_400_000


def test_an_open_bin_is_as_wide_as_its_neighbour_even_if_that_is_empty():
    bins = [dataclasses.replace(b, n=0, share=0.0) if b.low in {15, 20, 25} else b for b in s.bins()]
    assert e.value_distribution(bins)["layout"]["xaxis"]["range"] == [-5, 35]
