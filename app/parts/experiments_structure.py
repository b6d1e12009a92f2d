"""Plain and adjusted side by side: what strata, pairs and covariates change about one metric."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.experiments.rows import Scorecard
from app.charts.experiment_structure import beside_rows, beside_sentence, beside_table
from app.parts.chart import Behind, csv_button, header
from app.parts.plain import literal
from app.parts.table import table
from app.parts.view import View

HEADING = "Plain and adjusted"
_WORDS = {
    "stratified": "stratified", "post-stratified": "stratified", "paired": "paired", "cuped": "cuped",
}  # fmt: skip


def draw_structure(view: View, card: Scorecard, name: str) -> None:
    """Nothing where a metric has the plain comparison only."""
    rows = beside_rows(card.rows, name)
    if not rows:
        return
    explained = dict.fromkeys(_WORDS[row.method] for row in rows if row.method in _WORDS)
    header((*explained, "adjusted_gain"), "beside", card.sql, heading=HEADING)
    sentence = beside_sentence(rows)
    if sentence:
        st.markdown(literal(sentence))
    frame = beside_table(rows)
    # the test is told under "Every column and every method" and in the file; what is alike in all rows tells nothing
    quiet = [name for name in ("Status", "Remark") if set(frame[name]) <= {"ok", ""}]
    one_arm = ["Variant"] if len(card.variants) == 1 else []
    table(frame.drop(columns=["Test", *quiet, *one_arm]), HEADING, key="beside")
    csv_button(Behind(partial(beside_table, rows), card.sql, f"methods_{name}_{view.name}"), "beside")
