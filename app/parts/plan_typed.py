"""Plan, typed: one design from a baseline, an effect and a level, or from a baseline of a past experiment."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.errors import AssayError
from analytics.experiments.power import sentence
from analytics.experiments.rows import PowerRow
from app.charts.experiment_tables import power_table
from app.charts.experiments import power_curve, power_curve_alt
from app.parts import experiments_logs as logs
from app.parts import experiments_plan as parts
from app.parts import experiments_words as words
from app.parts import links
from app.parts.chart import Behind, chart, csv_button, header
from app.parts.headline import headline
from app.parts.table import table
from app.parts.tiles import tiles
from app.parts.view import View


def section(view: View, first_line: DeltaGenerator, numbers: DeltaGenerator) -> None:
    """The form, and the design it gives."""
    with st.container(border=True):
        known = logs.baseline(view)
        typed = parts.form(known)
    try:
        row = parts.planned(typed, known)
    except AssayError as problem:
        with first_line:
            headline(words.CANNOT_PLAN.format(problem=str(problem).rstrip(".")))
        return
    with first_line:
        headline(sentence(row))
    if row.status == "ok":
        with numbers:
            tiles(parts.tiles_of(row))
        to_paste(view, typed, row)
        pictured(row)
        neighbours(row)


def to_paste(view: View, typed: parts.Typed, row: PowerRow) -> None:
    """The plan in words with its link, to be copied."""
    address = (st.context.url or "").split("?")[0]
    link = f"{address}?{links.query('plan', project=view.name, **parts.words_of(typed, row))}"
    st.markdown(f"**{words.PASTE}**")
    st.code(f"{sentence(row)} {row.assumption}.\n{link}", language=None, wrap_lines=True)


def pictured(row: PowerRow) -> None:
    """Power over units or effects."""
    rows = parts.curve(row)
    chart(
        "power_curve",
        power_curve(rows, row),
        power_curve_alt(rows, row),
        key="power_curve",
        behind=Behind(partial(power_table, rows), (), "power_curve"),
    )


def neighbours(row: PowerRow) -> None:
    """The table of plans around this one."""
    rows = parts.around(row)
    behind = Behind(partial(power_table, rows), (), "plans")
    header("power", "plans", heading=words.OTHER_PLANS)
    shown = power_table(rows).filter(items=words.PLANS_SHOWN)
    table(shown, "The same plan for other effects or other numbers of units", key="plans")
    csv_button(behind, "plans")
