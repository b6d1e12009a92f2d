"""Faults that were real and meant: what was expected, what they reached, how long they lasted."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.charts import drills as charts
from app.headlines.drills import chaos_verdict
from app.parts import drill_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.plain import literal
from app.parts.teach import teach
from app.parts.view import View


def chaos(view: View) -> None:
    """The sentence of all, then one of them."""
    if not view.project.chaos:
        headline(words.CHAOS_UNDECLARED)
        teach("no_chaos", "no_chaos", example=words.CHAOS_EXAMPLE)
        return
    with st.skeleton(height=420):
        found = ask(view, "chaos")
    headline(chaos_verdict(found))
    names = list(dict.fromkeys(row.chaos for row in found))
    if not names:
        return
    chosen = choose("alert", words.CHAOS_CHOICE, names)
    rows = [row for row in found if row.chaos == chosen]
    for row in rows:
        if row.sentence:
            st.markdown(literal(row.sentence))
    chart(
        "chaos_radius", charts.radius(rows), charts.radius_alt(rows), key="chaos_radius",
        behind=behind(view, found, "chaos", partial(charts.chaos_table, rows, zone=view.zone)),
    )  # fmt: skip
