"""What the page of one metric shows of its kind: steps of a funnel, and a winsorised metric without the cut."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.experiments.rows import ExperimentRow, Scorecard
from analytics.experiments.uncapped import METHOD
from app.charts import experiment_funnels as charts
from app.charts import experiment_words as numbers
from app.parts.ask import ask, guarded
from app.parts.chart import behind, chart, header, table_behind
from app.parts.plain import literal
from app.parts.view import View

WITHOUT_THE_CUT = (
    "With values as they were logged: {parts}, for itself. Badge and verdict stand on the cut values."
)
STATES = "Units, exposures and rows by state"


def draw_kind(view: View, card: Scorecard, name: str) -> None:
    """What there is of one metric beside its effect; nothing for most."""
    draw_uncapped(card, name)
    facts = next((facts for facts in card.metrics if facts.name == name), None)
    if facts is not None and facts.kind == "funnel":
        with guarded(view, "funnel"):
            _funnel(view, card, name)


def draw_uncapped(card: Scorecard, name: str) -> None:
    """One line: what the metric says with values as they were logged."""
    rows = [row for row in card.others if row.metric == name and row.method == METHOD]
    if not rows:
        return
    with st.container():
        header("uncapped", "uncapped", card.sql)
        parts = "; ".join(_said(row, named=len(card.variants) > 1) for row in rows)
        st.markdown(literal(WITHOUT_THE_CUT.format(parts=parts)))


def draw_states(view: View, card: Scorecard) -> None:
    """Who counts and who does not, as a table that is read when it is opened."""
    found = ask(view, "exposure_states", name=card.name)
    header(("exposure_states", "crossed_units", "open_window"), "states", found.sql)
    table_behind(behind(view, found, "states", partial(charts.states_table, [*found])), "states", STATES)


def _said(row: ExperimentRow, *, named: bool) -> str:
    arm = f"{row.variant} " if named else ""
    if row.status != "ok":
        return f"{arm}cannot be compared ({row.reason})"
    if row.lift is not None:
        shown, limits = numbers.lift(row.lift), numbers.lift_interval(row.lift_ci_low, row.lift_ci_high)
    else:
        shown = numbers.difference(row.kind, row.difference)
        limits = numbers.difference_interval(row.kind, row.ci_low, row.ci_high)
    return f"{arm}{shown} ({limits}), p = {numbers.p_value(row.p_value)}".replace("= <", "<")


def _funnel(view: View, card: Scorecard, name: str) -> None:
    found = ask(view, "funnel", name=card.name, confidence=card.confidence)
    rows = [row for row in found if row.metric == name]
    chart(
        "funnel",
        charts.funnel_bars(rows, (card.control, *card.variants)),
        charts.funnel_alt(rows),
        key="funnel",
        behind=behind(view, found, f"funnel_{name}", partial(charts.funnel_table, rows)),
        note=charts.funnel_alt(rows),
    )
