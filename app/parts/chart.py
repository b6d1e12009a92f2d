"""A chart with its heading, "?" drawer, alternative text, table, CSV, and what a click does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from analytics.results import Results
from analytics.scope import format_instant
from app.charts.export import to_csv
from app.charts.theme import Figure
from app.glossary import title
from app.parts import words
from app.parts.drawn import Drawn
from app.parts.explain import explain_button
from app.parts.plain import literal
from app.parts.view import View

Click = Callable[[list[Any]], None]
_CONFIG = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}


@dataclass(frozen=True)
class Behind:
    """What stands behind a chart.

    Attributes:
        table: its rows, or how to get them.
        sql: the texts that scanned.
        file_name: of the CSV, without the ending.
    """

    table: pd.DataFrame | Callable[[], pd.DataFrame] | None = None
    sql: Sequence[str] = ()
    file_name: str = "assay"


NOTHING = Behind()


def behind(
    view: View, results: Results[Any], what: str, table: Callable[[], pd.DataFrame] | None = None
) -> Behind:
    """What stands behind an answer; the CSV's name tells the scope.

    Args:
        view: of the page.
        results: the answer, for its SQL and, where no table is given, its rows.
        what: the first word of the file's name.
        table: from `app.charts.tables`, with names people read.
    """
    parts = [what, view.name]
    parts += [format_instant(m, view.zone)[:10] for m in (view.scope.start, view.scope.end) if m is not None]
    parts += [condition.text for condition in view.scope.filters]
    name = re.sub(r"[^\w.=-]+", "-", "_".join(parts)).strip("-")[:120]
    return Behind(table or results.to_frame, results.sql, name)


def chart(
    word: str | Sequence[str],
    figure: Figure,
    alt: str,
    *,
    key: str,
    behind: Behind = NOTHING,
    on_click: Click | None = None,
    heading: str | None = None,
    note: str | None = None,
) -> None:
    """One chart with everything around it; draws into the container it is called in.

    Args:
        word: the chart's entry in the glossary: its heading and what the drawer says; the drawer explains
            several words under each other.
        figure: from `app.charts`.
        alt: the takeaway in a sentence, from the same module.
        key: its own on the page.
        behind: its table, CSV and SQL.
        on_click: called with the customdata of a clicked point, as a callback (it may switch the page).
        heading: instead of the glossary's title; empty where the caller has drawn a `header`.
        note: a small line under the heading.
    """
    if heading != "":
        header(word, key, behind.sql, heading=heading)
    if note:
        st.caption(literal(note[:1].upper() + note[1:]))
    # colours are swapped when a chart is mounted: another theme is another chart
    drawn = f"{key}-{st.context.theme.type or 'light'}"
    shown = Drawn(figure)
    if on_click is None:
        st.plotly_chart(shown, key=drawn, alt=alt, config=_CONFIG)
    else:
        clicked = partial(_clicked, drawn, on_click)
        st.plotly_chart(shown, key=drawn, alt=alt, config=_CONFIG, selection_mode="points", on_select=clicked)
    if behind.table is not None:
        table_behind(behind, key)


def header(
    word: str | Sequence[str], key: str, sql: Sequence[str] = (), *, heading: str | None = None
) -> None:
    """The heading of a card with its "?"."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{heading or title(word if isinstance(word, str) else word[0])}**", width="content")
        explain_button(word, key, sql)


def table_behind(behind: Behind, key: str, label: str = words.TABLE) -> None:
    """The rows behind a chart in an expander that reads them only when it is opened, and as a CSV."""
    opened = st.expander(
        label, key=f"{key}_table", on_change="rerun", type="compact", icon=":material/table:"
    )
    with opened:
        if opened.open:
            st.dataframe(_frame(behind), hide_index=True, placeholder="–", alt=words.TABLE)
            csv_button(behind, key)


def csv_button(behind: Behind, key: str) -> None:
    """A download that is made when it is asked for."""
    st.download_button(
        words.CSV,
        data=lambda: to_csv(_frame(behind)),
        file_name=f"{behind.file_name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"{key}_csv",
        icon=":material/download:",
    )


def _frame(behind: Behind) -> pd.DataFrame:
    table = behind.table
    return pd.DataFrame() if table is None else table() if callable(table) else table


def clicked_point(event: Any) -> list[Any] | None:
    """The customdata of the first chosen point of a chart's selection; None where there is none."""
    points = (event or {}).get("selection", {}).get("points", [])
    for point in points:
        custom = point.get("customdata")
        if custom:
            return list(custom.values()) if isinstance(custom, dict) else list(custom)
    return None


def _clicked(key: str, on_click: Click) -> None:
    custom = clicked_point(st.session_state.get(key))
    if custom is not None:
        on_click(custom)
