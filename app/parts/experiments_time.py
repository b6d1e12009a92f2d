"""An experiment in time: looked at once, looked at daily, and at planned looks."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.experiments.look_rows import LookRow
from analytics.experiments.rows import DayRow, ExperimentRow, MetricFacts, Scorecard
from analytics.experiments.standing import Peeking, peeking
from app.charts import experiment_time as charts
from app.charts import experiment_words as numbers
from app.formats import NONE, count, day, percent
from app.parts import experiments_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.experiments import alarming
from app.parts.experiments_days import draw_days
from app.parts.plain import literal
from app.parts.tiles import Tile, tiles
from app.parts.view import View

_HOW = {
    "fixed": "This experiment is declared to be looked at once, at the end",
    "always-valid": "This experiment may be looked at every day: its verdict stands on the interval that holds on "
    "every day",
    "group-sequential": "This experiment is looked at at planned looks only: its verdict stands on the last one taken",
    "bayesian": "This experiment stands on a posterior, which allows for looking no more than a p-value does",
}


def section(view: View, card: Scorecard) -> None:
    """One sentence, the tiles, the effect by day with both intervals, and the looks where some are planned."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric, arm = alarming(card)
        name = choose("metric", words.METRIC, [facts.name for facts in card.metrics], first=metric)
        variant = choose("variant", words.VARIANT, card.variants, first=arm)
    facts = next(one for one in card.metrics if one.name == name)
    row = next((r for r in card.headline_rows() if r.metric == name and r.variant == variant), None)
    days = [
        one
        for one in card.days_of(name)
        if one.variant == variant and row is not None and one.method == row.method
    ]
    cost = peeking(days, 1.0 - card.confidence)
    st.markdown(f"##### {literal(sentence(card, row))}")
    if cost is not None:
        st.caption(literal(cost.sentence))
    tiles(_tiles(row, days, cost))
    if days:
        draw_days(card, facts, variant, days)
    else:
        st.markdown(words.NO_DAYS)
    if card.stopping == "group-sequential":
        _looks(view, card, facts, variant, row)


def sentence(card: Scorecard, row: ExperimentRow | None) -> str:
    """What may be concluded when, and since when."""
    said = f"{_HOW[card.stopping]}."
    if row is None or row.first_crossing is None:
        return said
    what = "The boundary was first crossed" if card.stopping == "group-sequential" else "It first left 0 out"
    return f"{said} {what} on {day(row.first_crossing)}."


def _tiles(row: ExperimentRow | None, days: list[DayRow], cost: Peeking | None) -> list[Tile]:
    last = next((one for one in reversed(days) if one.difference is not None), None)
    crossed = next((one.day for one in days if one.crossed), None)
    looked = Tile(
        words.NAIVE,
        NONE if cost is None else percent(round(cost.false_alarm, 3)),
        "" if cost is None else f"on {count(cost.looks)} days, not {percent(cost.alpha)}",
        help=words.NAIVE_HELP,
    )
    if last is None:
        return [looked]
    kind = None if row is None else row.kind
    return [
        Tile(
            words.EVERY_DAY,
            numbers.lift(last.lift) if last.lift is not None else numbers.difference(kind, last.difference),
            _interval(last, kind, "always_valid"),
            help=words.EVERY_DAY_HELP,
        ),
        Tile(
            words.ALWAYS_VALID_P,
            numbers.p_value(last.always_valid_p_value),
            f"for one look {numbers.p_value(last.fixed_p_value)}",
            help=words.ALWAYS_VALID_P_HELP,
        ),
        Tile(
            words.CROSSED,
            NONE if crossed is None else day(crossed),
            words.NOT_CROSSED if crossed is None else words.CROSSED_DETAIL,
            help=words.CROSSED_HELP,
        ),
        looked,
    ]


def _interval(row: DayRow, kind: str | None, which: str) -> str:
    low, high = getattr(row, f"{which}_lift_ci_low"), getattr(row, f"{which}_lift_ci_high")
    if row.lift is not None and low is not None:
        return numbers.lift_interval(low, high)
    ends = getattr(row, f"{which}_ci_low"), getattr(row, f"{which}_ci_high")
    return numbers.difference_interval(kind, *ends)


def _looks(view: View, card: Scorecard, facts: MetricFacts, variant: str, row: ExperimentRow | None) -> None:
    found = ask(view, "experiment_looks", name=card.name, confidence=card.confidence)
    mine: list[LookRow] = [
        one
        for one in found
        if one.metric == facts.name
        and one.variant == variant
        and row is not None
        and one.method == row.method
    ]
    chart(
        "boundary",
        charts.boundary(mine),
        charts.boundary_alt(mine),
        key="time_looks",
        behind=behind(view, found, f"looks_{facts.name}", partial(charts.looks_table, mine, kind=facts.kind)),
        note=futility(mine),
    )


def futility(looks: list[LookRow]) -> str:
    """What the last interim look says of the chance to still show something; it binds nobody."""
    taken = [one for one in looks if one.power_as_it_goes is not None]
    if not taken or looks[-1].state == "taken":
        return words.BOUNDARY_NOTE
    last = taken[-1]
    told = f"If the effect is what it is at look {last.look}, the last look crosses with a chance of "
    told += percent(last.power_as_it_goes)
    if last.power_if_it_matters is not None:
        told += f"; if it is the smallest that matters, {percent(last.power_if_it_matters)}"
    return f"{told}. {words.FUTILITY_NOTE}"
