"""The table of the Scorecard page: every comparison in a line that fits the screen, its lift drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Literal

import streamlit as st

from analytics.experiments.rows import Scorecard
from app.charts.experiment_tables import records_table, scorecard_table
from app.charts.interval_bar import Ink
from app.charts.scorecard_overview import BAR, LIFT, UNITS, P, overview_table
from app.export.about import about
from app.export.scorecard import scorecard_html
from app.parts import experiments_words as words
from app.parts.chart import Behind, csv_button, header, table_behind
from app.parts.table import table
from app.parts.view import View

_INKS = {"light": Ink("#0F1115", "#0F1115"), "dark": Ink("#F2F1EE", "#F2F1EE")}
"""The text colours of both themes: a picture in a cell knows no style sheet."""
_WIDTHS = {"Metric": 126, "Variant": 70, "Verdict": 108, UNITS: 100, LIFT: 184, BAR: 112, P: 58, "Chance": 66}
_LEVEL_WIDTH = 112
_ON_THE_RIGHT = {UNITS, P, "Chance"}


def draw_table(view: View, card: Scorecard, file_name: str) -> None:
    """The comparisons in the columns that matter most; every column, every method and the whole as a file behind it.

    Args:
        view: of the page.
        card: what is compared.
        file_name: of the CSV files.
    """
    header(("scorecard_table", "p_adjusted_holm", "chance_to_beat"), "scorecard", card.sql)
    frame = overview_table(card, _INKS[st.context.theme.type or "light"])
    table(frame, words.TABLE, key="scorecard_table", columns={name: _column(name) for name in frame.columns})
    with st.container(horizontal=True, vertical_alignment="center"):
        csv_button(Behind(partial(records_table, card), card.sql, f"scorecard_{file_name}"), "scorecard")
        st.download_button(
            words.AS_A_PAGE,
            data=lambda: scorecard_html(card, about(view.bench, card, view.scope, datetime.now(UTC))),
            file_name=f"scorecard_{file_name}.html", mime="text/html", on_click="ignore", key="scorecard_html",
            icon=":material/print:", help=words.AS_A_PAGE_HELP,
        )  # fmt: skip
        with st.container():
            rows = [row for row in card.rows if row.role != "health"]
            behind = Behind(partial(scorecard_table, card, rows), card.sql, f"methods_{file_name}")
            table_behind(behind, "methods", words.ALL_COLUMNS)


def _column(name: str) -> object:
    width = _WIDTHS.get(name, _LEVEL_WIDTH)
    if name == BAR:
        return st.column_config.ImageColumn(name, width=width, help=words.BAR_HELP)
    if name == UNITS:
        return st.column_config.TextColumn(name, width=width, alignment="right", help=words.UNITS_HELP)
    side: Literal["right"] | None = "right" if name in _ON_THE_RIGHT else None
    return st.column_config.TextColumn(name, width=width, alignment=side, pinned=name == "Metric")
