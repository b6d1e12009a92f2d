"""Section Regression sets of the Examples page: pinned rows, and how each version does on them."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from analytics.errors import StoreError
from analytics.results import Results
from analytics.store.ledger import LONGEST_NAME
from app.charts.examples import pass_rates, pass_rates_alt, pinned_table, rate_table
from app.headlines.examples import regression_headline
from app.parts import examples_words as words
from app.parts import links
from app.parts.chart import behind, chart, csv_button, header
from app.parts.choose import choose
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.plain import literal
from app.parts.table import table
from app.parts.teach import teach
from app.parts.view import View

EVERY = "all sets"


def section(view: View) -> None:
    """Sentence, pass rates, the pinned rows, and a way to take one out. Never from memory: others pin, too."""
    whole = view.bench.regression(view.scope)
    headline(regression_headline(whole))
    if not whole:
        teach("no_pins", "no_pins", ways={"Show the worst rows": lambda: links.set_words(section="Rows")})
        return
    names = list(dict.fromkeys(row.set for row in whole))
    chosen = choose("set", words.SET, [EVERY, *names]) if len(names) > 1 else EVERY
    rates: Results[Any] = whole if chosen == EVERY else view.bench.regression(view.scope, name=chosen)
    chart(
        "regression_sets",
        pass_rates(rates),
        pass_rates_alt(rates),
        key="pass_rates",
        behind=behind(view, rates, "regression", partial(rate_table, rates)),
    )
    show_notes(rates.notes)
    rows = view.bench.pinned(view.scope, name=None if chosen == EVERY else chosen)
    header("pinned_rows", "pinned_header", rows.sql)
    table(pinned_table(rows, zone=view.zone), words.ROWS_ALT, key="pinned_rows")
    csv_button(behind(view, rows, "pinned_rows", partial(pinned_table, rows, zone=view.zone)), "pinned_csv")
    _unpin(view, sorted({row.pinned_id for row in rows}))


def _unpin(view: View, numbers: list[int]) -> None:
    with st.form("unpin_row"):
        st.caption(words.UNPIN_NOTE)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            number = st.selectbox(words.UNPIN_NUMBER, numbers, index=None, width=180)
            who = st.text_input(
                words.WHO, st.session_state.get("pin_who", ""), max_chars=LONGEST_NAME, width=160
            )
            sent = st.form_submit_button(words.UNPIN, icon=":material/keep_off:")
    if not sent or number is None:
        return
    try:
        view.bench.unpin(int(number), by=who or "")
    except StoreError as error:
        st.warning(literal(str(error)))
        return
    st.rerun()
