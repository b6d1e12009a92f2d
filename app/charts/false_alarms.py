"""Expected against observed false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drift.false_alarms import FalseAlarmRow
from app.charts.tables import STATUS, VERSION, Columns, tabled
from app.charts.theme import ACTION, NEUTRAL, SERIES, Figure, axis, clickable, empty, layout
from app.formats import count, interval, number, percent

WORDS = {
    "expected": "promised, at most",
    "shuffled": "days shuffled:<br>nothing has drifted",
    "stretches": "real stretches<br>of the reference",
}


def alarm_dots(rows: Sequence[FalseAlarmRow]) -> Figure:
    """The share of windows that alarm, promised and seen; red where more came than was promised."""
    known = [row for row in rows if row.share is not None]
    if not known:
        return empty("The reference has too few days to be shuffled.")
    places = list(range(len(known)))
    colours = [_colour(row) for row in known]
    data = [
        clickable({
            "type": "scatter", "mode": "markers", "x": [row.share], "y": [place],
            "error_x": {
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
                "array": [(row.ci_high or 0.0) - (row.share or 0.0)],
                "arrayminus": [(row.share or 0.0) - (row.ci_low or 0.0)],
            } if row.method != "expected" else {"type": "data", "array": [0]},
            "marker": {"size": 11, "color": colour, "symbol": "diamond" if colour == ACTION else "circle"},
            "hovertext": [_hover(row)],
        })
        for row, place, colour in zip(known, places, colours, strict=True)
    ]  # fmt: skip
    promise = {
        "type": "line", "x0": known[0].promised, "x1": known[0].promised, "y0": 0, "y1": 1, "yref": "paper",
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"},
    }  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis("windows with any alarm", tickformat=".0%", rangemode="tozero"),
        "yaxis": axis(
            tickvals=places, ticktext=[WORDS[row.method] for row in known], range=[len(known) - 0.5, -0.5],
            showgrid=False,
        ),
    }  # fmt: skip
    return {"data": data, "layout": layout(90 + 60 * len(known), shapes=[promise], **more)}


def alarm_alt(rows: Sequence[FalseAlarmRow]) -> str:
    """One sentence: promised and seen."""
    seen = [f"{percent(row.share)} ({row.method})" for row in rows if row.share is not None and row.runs]
    return f"5% of windows may alarm falsely; seen: {', '.join(seen) or 'nothing'}."


def _colour(row: FalseAlarmRow) -> str:
    if row.method == "expected":
        return NEUTRAL
    return ACTION if row.ci_low is not None and row.ci_low > row.promised else SERIES[0]


def _hover(row: FalseAlarmRow) -> str:
    text = f"<b>{WORDS[row.method]}</b><br>{percent(row.share)}"
    if row.method != "expected":
        text += f" ({interval(row.ci_low, row.ci_high, share=True)}) of {count(row.n)} windows"
    return f"{text}<br>{number(row.per_week)} a week"


ALARMS: Columns[FalseAlarmRow] = {
    **VERSION,
    "Windows": lambda row: row.grain,
    "How": lambda row: WORDS[row.method].replace("<br>", " "),
    "Fields": lambda row: row.n_fields,
    "Windows a week": lambda row: row.windows_per_week,
    "Windows with an alarm": lambda row: row.share,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Called drifted": lambda row: row.share_called,
    "Alarms a week": lambda row: row.per_week,
    "Next one too": lambda row: row.repeat_chance,
    "Unluckiest 1 of 20 references": lambda row: row.unlucky_share,
    "Reference blocks": lambda row: row.reference_blocks,
    "Window blocks": lambda row: row.window_blocks,
    "Windows tested": lambda row: row.n,
    **STATUS,
}


def alarm_table(rows: Sequence[FalseAlarmRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Promised and seen."""
    return tabled(rows, ALARMS, zone)
