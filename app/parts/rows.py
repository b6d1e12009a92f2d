"""Pieces of the Examples page: the table of rows, one row with all its columns, and what to do without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from analytics.examples.rows import ExampleRow
from analytics.results import json_ready
from app.formats import NONE, local, percent
from app.parts import links, page_words
from app.parts.plain import literal
from app.parts.table import table
from app.parts.teach import teach
from app.parts.view import View

MOST = 1000
_SHOWN_BY_ROLE = ("id", "timestamp", "version", "label", "decision")


def frame_of(rows: Sequence[ExampleRow], view: View) -> pd.DataFrame:
    """A line a row: what it was taken for and what it cost, then the logged columns that say something else."""
    several = len({row.version for row in rows}) > 1
    lines: dict[str, list[Any]] = {
        "Rank": [row.rank for row in rows],
        **({"Version": [row.version for row in rows]} if several else {}),
        "Label": [row.label for row in rows],
        "Decision": [row.decision for row in rows],
        "Score": [row.score for row in rows],
        "Loss": [row.loss for row in rows],
        "Stands for": [_problem(row) for row in rows],
        "Looks like": [row.suggested_label for row in rows],
        "Reason": [row.reason for row in rows],
        "Time": [local(row.timestamp, view.zone) for row in rows],
    }
    for name, values in _logged(rows, view).items():
        lines[_free(name, lines)] = values
    frame = pd.DataFrame(lines)
    seldom = ("Decision", "Label", "Stands for", "Looks like")
    return frame.drop(columns=[name for name in seldom if frame[name].isna().all()])


def _problem(row: ExampleRow) -> str | None:
    if row.problem is None:
        return None
    return f"{row.problem}: {percent(row.problem_share)} of these rows, {percent(row.usual_share)} of all"


def _logged(rows: Sequence[ExampleRow], view: View) -> dict[str, list[Any]]:
    roles = view.predictions.roles()
    shown = {roles[role] for role in _SHOWN_BY_ROLE if role in roles and role != "id"}
    shown |= set() if view.predictions.task == "multiclass" else set(view.predictions.score_columns)
    names = dict.fromkeys(name for row in rows for name in row.columns if name not in shown)
    # the columns the model saw come first
    watched = [feature.name for feature in view.bench.catalog.features if feature.name in names]
    ordered = [*watched, *(name for name in names if name not in watched)]
    return {name: _alike([_value(row.columns.get(name), view) for row in rows]) for name in ordered}


def _value(value: Any, view: View) -> Any:
    simple = json_ready(value, view.zone)
    whole = isinstance(simple, int) and not isinstance(simple, bool)
    return str(simple) if whole and not -(2**63) <= simple < 2**63 else simple


def _alike(values: list[Any]) -> list[Any]:
    """A column holds one type; numbers beside text become text."""
    kinds = {
        bool if isinstance(v, bool) else float if isinstance(v, int | float) else str
        for v in values
        if v is not None
    }
    return values if len(kinds) <= 1 else [None if value is None else str(value) for value in values]


def _free(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name = f"column.{name}"
    return name


def rows_table(rows: Sequence[ExampleRow], view: View) -> None:
    """The rows; choosing one opens it."""
    frame = frame_of(rows, view)
    columns = {
        "Rank": st.column_config.NumberColumn(pinned=True, width="small"),
        "Reason": st.column_config.TextColumn(width="medium"),
        "Stands for": st.column_config.TextColumn(width="medium"),
        "Score": st.column_config.NumberColumn(format="%.4g"),
        "Loss": st.column_config.NumberColumn(format="%.4g"),
        "Time": st.column_config.DatetimeColumn(f"Time ({view.zone.key})", format="YYYY-MM-DD HH:mm"),
    }
    known = {name: config for name, config in columns.items() if name in frame}
    table(frame, "Rows with label, decision, score, loss, reason and the logged columns", key="rows",
          columns=known, on_row=lambda place: st.session_state.update(row=place + 1))  # fmt: skip


def one_row(rows: Sequence[ExampleRow], view: View) -> ExampleRow:
    """One row from top to bottom, with the part that each column plays; which one it is."""
    if st.session_state.get("row") is not None and not 1 <= int(st.session_state["row"]) <= len(rows):
        del st.session_state["row"]
    place = st.pagination(len(rows), key="row", bind="query-params") if len(rows) > 1 else 1
    row = rows[min(max(int(place), 1), len(rows)) - 1]
    st.markdown(f"**{literal(row.reason[:1].upper() + row.reason[1:])}**")
    st.caption(literal(_place(row, view)))
    frame = detail(row, view)
    table(frame, "All columns of one row", key="one_row", lines=len(frame))
    return row


def detail(row: ExampleRow, view: View) -> pd.DataFrame:
    """Column, value and part of one row; values as text, as they were logged."""
    parts = parts_of(view)
    known: list[tuple[str, Any, str]] = [
        ("label", row.label, "true"), ("decision", row.decision, "decided"), ("score", row.score, "score"),
        ("loss", row.loss, "cost of this row"),
    ]  # fmt: skip
    lines = [(name, NONE if value is None else f"{value:.6g}" if isinstance(value, float) else str(value), part)
             for name, value, part in known]  # fmt: skip
    lines += [(name, _text(value, view), parts.get(name, "")) for name, value in row.columns.items()]
    return pd.DataFrame(lines, columns=[page_words.COLUMN, page_words.VALUE, page_words.PART])


def parts_of(view: View) -> dict[str, str]:
    """Column -> what it is to Assay, in words."""
    parts: dict[str, list[str]] = {}
    for role, column in view.predictions.roles().items():
        parts.setdefault(column, []).append(role)
    for feature in view.bench.catalog.features:
        parts.setdefault(feature.name, []).append(page_words.ROLE_FEATURE)
    for name in view.predictions.segments:
        parts.setdefault(name, []).append("segment")
    for name in view.predictions.private:
        parts.setdefault(name, []).append("private")
    return {name: ", ".join(words) for name, words in parts.items()}


def _text(value: Any, view: View) -> str:
    simple = json_ready(value, view.zone)
    return NONE if simple is None else str(simple)


def _place(row: ExampleRow, view: View) -> str:
    moment = local(row.timestamp, view.zone)
    said = [f"{moment:%Y-%m-%d %H:%M:%S} ({view.zone.key})"]
    said += [f"version {row.version}"] if row.version is not None else []
    said += [f"id {row.id}"] if row.id is not None else []
    return " · ".join([*said, page_words.LOCATION.format(file=row.file, row=f"{row.row:,}")])


def no_labels(view: View) -> None:
    """There are rows, but none that can be ranked by its loss."""
    ways = {page_words.SHOW_RANDOM: lambda: links.set_words(kind="random")}
    if view.predictions.task != "regression":
        ways = {page_words.SHOW_UNCERTAIN: lambda: links.set_words(kind="uncertain"), **ways}
    teach("no_labels", "no_labels", ways=ways)
