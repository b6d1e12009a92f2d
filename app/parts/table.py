"""Tables that stand on a page in their own right, with columns formatted by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

_SHARES = {
    "Share moved", "Tolerance", "Missing", "Missing in reference", "Unseen", "Largest gap", "Share of rows",
    "Moved by chance",
}  # fmt: skip
_PROBABILITIES = {"Adjusted p-value", "p-value"}
_COUNTS = {
    "Rows", "Reference rows", "Labelled rows", "Rejected", "Invalid", "Duplicates", "Left out", "In the future",
    "Without a prediction", "Bytes", "Units", "Control units", "Units per variant", "Units in all", "Days",
    "Without a value", "n", "n of control",
}  # fmt: skip
_MOST_LINES = 15


def table(
    frame: pd.DataFrame,
    alt: str,
    *,
    key: str,
    columns: Mapping[str, Any] | None = None,
    on_row: Callable[[int], None] | None = None,
    lines: int = _MOST_LINES,
) -> None:
    """Draw a table.

    Args:
        frame: with names people read.
        alt: what the table is about, in a sentence.
        key: its own on the page.
        columns: column configuration beyond what the names tell.
        on_row: called with the position of a chosen row, as a callback.
        lines: how many are shown before it scrolls.
    """
    # a column whose configuration is None would be hidden
    known = {name: column(name, frame[name]) for name in frame.columns}
    said = {name: config for name, config in (known | dict(columns or {})).items() if config is not None}
    shared: dict[str, Any] = {
        "hide_index": True, "placeholder": "–", "alt": alt, "key": key, "column_config": said,
        "height": 35 * (min(max(len(frame), 1), lines) + 1) + 3,
    }  # fmt: skip
    if on_row is None:
        st.dataframe(frame, **shared)
    else:
        st.dataframe(frame, on_select=partial(_chosen, key, on_row), selection_mode="single-row", **shared)


def column(name: str, values: pd.Series[Any]) -> Any:
    """How a column reads, by its name and what it holds."""
    if name in _SHARES:
        return st.column_config.NumberColumn(format="percent")
    if name in _PROBABILITIES:
        return st.column_config.NumberColumn(format="%.2g")
    if name in _COUNTS:
        return st.column_config.NumberColumn(format="localized")
    if pd.api.types.is_float_dtype(values):
        # three digits; four where three would turn thousands into powers of ten
        return st.column_config.NumberColumn(format="%.4g" if (values.abs() >= 999.5).any() else "%.3g")
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone=str(values.dtype.tz))
    return None


def _chosen(key: str, on_row: Callable[[int], None]) -> None:
    rows = (st.session_state.get(key) or {}).get("selection", {}).get("rows", [])
    if rows:
        on_row(rows[0])
