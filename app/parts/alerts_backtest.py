"""Would it have fired? One rule over all the logs, and the limit for as many pages as one can live with."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.scope import Scope
from app.charts import drills as charts
from app.headlines.drills import backtest_verdict
from app.parts import drill_words as words
from app.parts.ask import ask
from app.parts.chart import behind, chart
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.view import View


def section(view: View) -> None:
    """The sentence, the suggested limit, and every firing."""
    first_line = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose("rule", words.RULE, list(view.project.alerts))
        wanted = st.number_input(
            words.PAGES,
            0.0,
            100.0,
            2.0,
            0.5,
            key="pages_per_month",
            bind="query-params",
            width=260,
            help=words.PAGES_HELP,
        )
    with st.skeleton(height=420):
        scope = Scope(as_of=view.scope.as_of)
        found = ask(view, "backtest", scope, name=name, pages_per_month=float(wanted))
        rows = list(found)
    with first_line:
        headline(backtest_verdict(rows))
    limit = next((row for row in rows if row.part == "limit"), None)
    if limit is not None:
        st.markdown(literal(limit.sentence))
    show_notes(found.notes)
    if not any(row.part == "firing" for row in rows):
        st.caption(literal(words.WHOLE_LOGS))
        return
    chart(
        "backtest", charts.firings(rows, zone=view.zone), charts.firings_alt(rows), key="backtest",
        note=words.WHOLE_LOGS,
        behind=behind(view, found, f"backtest_{name}", partial(charts.firings_table, rows, zone=view.zone)),
    )  # fmt: skip
