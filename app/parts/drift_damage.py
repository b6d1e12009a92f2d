"""Does it matter: features by how far they moved and by how much quality depends on them."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.charts import damage as charts
from app.headlines.multivariate import damage_verdict
from app.parts import page_words, together_words
from app.parts.ask import ask
from app.parts.chart import behind, chart, csv_button, header
from app.parts.headline import headline
from app.parts.notes import show_notes
from app.parts.table import table
from app.parts.view import View

_SHOWN = {
    "Feature",
    "Verdict",
    "Moved beyond chance",
    "Share moved",
    "Depends on it",
    "By chance",
    "Adjusted p-value",
}
"""Columns of the table on the page; the one behind the chart and the CSV have them all."""


def section(view: View) -> None:
    """Sentence, the map, and the table."""
    with st.skeleton(height=420):
        found = ask(view, "damage", view.of_version(view.version))
        headline(damage_verdict(found, zone=view.zone))
        told = behind(view, found, "damage", partial(charts.damage_table, found, zone=view.zone))
        chart(
            "damage_map",
            charts.damage_map(found),
            charts.damage_alt(found),
            key="damage_map",
            behind=told,
            on_click=open_feature,
            note=together_words.CLICK_FEATURE,
        )
    show_notes(found.notes[:1])
    header("damage_map", "damage_table_header", heading=together_words.EVERY_FEATURE)
    ranked = charts.by_damage(found)
    frame = charts.damage_table(found, zone=view.zone)
    table(
        frame[[name for name in frame.columns if name in _SHOWN]],
        "Every feature with how far it moved and how much depends on it",
        key="damage_table",
        columns={
            "Feature": st.column_config.TextColumn(pinned=True),
            "Moved beyond chance": st.column_config.NumberColumn(format="percent"),
        },
        on_row=lambda place: open_feature([ranked[place].feature]),
    )
    csv_button(told, "damage_table")


def open_feature(point: list[Any]) -> None:
    """Show a clicked feature in "Feature by feature"; a callback."""
    st.session_state.update({"section": "features", "feature": point[0], "at": page_words.ALL})
