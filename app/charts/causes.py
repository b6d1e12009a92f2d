"""Causes, what is different about a selection, and who was first: the bars and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.examples.first_row import FirstRow
from analytics.explain.moved import MovedRow
from analytics.explain.rows import CauseRow
from app.charts.theme import NEUTRAL, SERIES, TEXT, Figure, axis, clickable, empty, faint, layout, plain
from app.formats import local, number, percent, plural, short
from app.headlines.causes import ACTIONS

MOST_BARS = 14


def causes_table(rows: Sequence[CauseRow], zone: ZoneInfo) -> pd.DataFrame:
    """A line a cause."""
    return pd.DataFrame(
        {
            "What changed": [row.sentence for row in rows],
            "What to do": [ACTIONS[row.action] for row in rows],
            "Since": [None if row.since is None else local(row.since, zone) for row in rows],
            "Effect": [row.effect for row in rows],
            "Effect from": [row.ci_low for row in rows],
            "Effect to": [row.ci_high for row in rows],
            "Adjusted p-value": [row.p_adjusted for row in rows],
            "Rows": [row.n_after for row in rows],
            "With it moved": [", ".join(row.consequences) for row in rows],
        }
    )


def moved_bars(rows: Sequence[MovedRow]) -> Figure:
    """Bits that each field tells, with its interval; points carry ``[field]``."""
    shown = [row for row in rows if row.gain is not None][:MOST_BARS]
    if not shown:
        return empty("No field can be compared.")
    places = list(range(len(shown)))
    whisker = {
        "type": "data", "symmetric": False, "color": TEXT, "thickness": 1.5, "width": 0,
        "array": [(row.ci_high or 0.0) - (row.gain or 0.0) for row in shown],
        "arrayminus": [(row.gain or 0.0) - (row.ci_low or 0.0) for row in shown],
    }  # fmt: skip
    told = [(row.p_adjusted or 0.0) < 0.05 and (row.ci_low or 0.0) > 0 for row in shown]
    colours = [faint(SERIES[0], 0.75) if one else faint(NEUTRAL, 0.6) for one in told]
    bar = clickable(
        {
            "type": "bar", "orientation": "h", "x": [row.gain for row in shown], "y": places, "error_x": whisker,
            "marker": {"color": colours, "line": {"width": 0}}, "customdata": [[row.field] for row in shown],
            "hovertext": [plain(_hover(row)) for row in shown], "hoverinfo": "text", "showlegend": False,
        }
    )  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis("bits beyond chance", rangemode="tozero", showgrid=True, nticks=6),
        "yaxis": axis(
            tickvals=places, ticktext=[plain(short(row.field, 26)) for row in shown],
            range=[len(shown) - 0.5, -0.5], showgrid=False, fixedrange=True,
        ),
        "bargap": 0.35,
    }  # fmt: skip
    return {"data": [bar], "layout": layout(80 + 28 * len(shown), revision="moved", **more)}


def _hover(row: MovedRow) -> str:
    ends = f"{number(row.ci_low)} to {number(row.ci_high)}"
    return f"{row.field}: {number(row.gain)} bits ({ends}). {row.carried_by}"


def moved_alt(rows: Sequence[MovedRow]) -> str:
    """One sentence: how many fields, and which tells most."""
    known = [row for row in rows if row.gain is not None]
    if not known:
        return "No field can be compared."
    first = known[0]
    most = f"most {first.field}, {number(first.gain)} bits"
    return f"{plural(len(known), 'field')} by how much they tell of the selection; {most}."


def moved_table(rows: Sequence[MovedRow]) -> pd.DataFrame:
    """A line a field."""
    return pd.DataFrame(
        {
            "Field": [row.field for row in rows],
            "Part": [row.role for row in rows],
            "Bits": [row.gain for row in rows],
            "Bits from": [row.ci_low for row in rows],
            "Bits to": [row.ci_high for row in rows],
            "Adjusted p-value": [row.p_adjusted for row in rows],
            "Carried by (selection against rest)": [row.carried_by or row.reason for row in rows],
            "Missing": [row.missing for row in rows],
            "Missing in rest": [
                None if row.missing_rest is None else percent(row.missing_rest) for row in rows
            ],
            "Rows": [row.n for row in rows],
            "Rows in rest": [row.n_rest for row in rows],
        }
    )


def first_table(rows: Sequence[FirstRow], zone: ZoneInfo, *, part: str) -> pd.DataFrame:
    """A line a row, or a unit."""
    shown = [row for row in rows if row.part == part]
    frame = {
        "Time": [local(row.timestamp, zone) for row in shown],
        "Unit": [row.unit for row in shown],
        "Rows in the window": [row.n for row in shown],
        "Id": [row.id for row in shown],
        "Version": [row.version for row in shown],
        "Label": [row.label for row in shown],
        "Decision": [row.decision for row in shown],
        "Score": [row.score for row in shown],
    }
    table = pd.DataFrame(frame)
    return table.drop(columns=[name for name in table.columns if table[name].isna().all()])
