"""Severity against delay, faults that were real against the same hours before, and firings over the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drills.rows import BacktestRow, ChaosRow, DrillRow, DrillRun, SeverityRow
from app.charts.tables import STATUS, Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    guide,
    instant,
    layout,
    plain,
    time_axis,
)
from app.formats import number, short
from app.glossary import title

MOST_BARS = 24
_NOBODY = 1.25
"""Runs that nobody noticed stand so many times as high as the longest delay."""


def severity_delay(runs: Sequence[DrillRun]) -> Figure:
    """One mark a run: how long after its beginning somebody was told; red crosses above were never told."""
    tried = [run for run in runs if run.status == "ok"]
    if not tried:
        return empty("Nothing was broken: no prediction is logged at this place and time.")
    told = [run for run in tried if run.delay_hours is not None]
    top = max((run.delay_hours or 0.0 for run in told), default=1.0) * _NOBODY or 1.0
    silent = [run for run in tried if run.delay_hours is None]
    data: list[Trace] = [
        _marks(told, [run.delay_hours or 0.0 for run in told], "told", SERIES[0], "circle"),
        _marks(silent, [top] * len(silent), "nobody was told", ACTION, "x"),
    ]
    data += [guide([0, 1.08], [top, top])] if silent else []
    more: dict[str, Any] = {
        "xaxis": axis("severity", range=[0, 1.08], tickvals=sorted({run.severity for run in tried})),
        "yaxis": axis("hours until told", rangemode="tozero"),
    }
    return {"data": data, "layout": layout(320, legend=True, **more)}


def _marks(runs: Sequence[DrillRun], heights: Sequence[float], name: str, colour: str, symbol: str) -> Trace:
    return clickable({
        "type": "scatter", "mode": "markers", "name": name, "x": [run.severity for run in runs], "y": list(heights),
        "marker": {"size": 12, "color": colour, "symbol": symbol}, "hovertext": [_run_hover(run) for run in runs],
        "showlegend": bool(runs),
    })  # fmt: skip


def _run_hover(run: DrillRun) -> str:
    said = f"told after {number(run.delay_hours)} h by {plain(run.first)}" if run.first else "nobody was told"
    extra = ""
    if run.wrong_before is not None and run.wrong_without is not None:
        extra = (
            f"<br>{run.wrong_before:,} wrong decisions until then, {run.wrong_without:,} without the fault"
        )
    return f"<b>severity {run.severity:g}, run {run.seed + 1}</b><br>{said}{extra}<br>{run.n_hit:,} rows hit"


def severity_alt(rows: Sequence[SeverityRow]) -> str:
    """One sentence: what is told at each severity."""
    said = [
        f"{row.severity:g}: {row.told} of {row.runs} told"
        + (f", after {number(row.delay_hours)} hours" if row.delay_hours is not None else "")
        for row in rows
    ]
    return f"Runs by severity. {'; '.join(said)}."


def radius(rows: Sequence[ChaosRow]) -> Figure:
    """What moved: each difference in units of its own interval; beyond 1 on either side it is no chance by itself."""
    shown = [row for row in rows if row.part == "radius" and row.difference is not None][:MOST_BARS]
    if not shown:
        return empty("No number of this window can be compared with the same hours before.")
    places = list(range(len(shown)))
    ratio = [_in_intervals(row) for row in shown]
    colours = [ACTION if row.moved and row.harm else SERIES[0] if row.moved else NEUTRAL for row in shown]
    marks = clickable({
        "type": "scatter", "mode": "markers", "x": ratio, "y": places,
        "marker": {
            "size": 10, "color": colours, "symbol": ["diamond" if row.moved else "circle" for row in shown],
        },
        "error_x": {"type": "data", "array": [1.0] * len(shown), "thickness": 1.2, "width": 0, "color": NEUTRAL},
        "hovertext": [_radius_hover(row) for row in shown], "showlegend": False,
    })  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis("difference from usual, in half-widths of its interval"),
        "yaxis": axis(
            tickvals=places,
            ticktext=[_named(row) for row in shown],
            range=[len(shown) - 0.5, -0.5],
            showgrid=False,
        ),
    }
    zero = guide([0, 0], [-0.5, len(shown) - 0.5])
    return {"data": [zero, marks], "layout": layout(90 + 24 * len(shown), **more)}


def _in_intervals(row: ChaosRow) -> float:
    half = ((row.ci_high or 0.0) - (row.ci_low or 0.0)) / 2
    return (row.difference or 0.0) / half if half else 0.0


def _named(row: ChaosRow) -> str:
    parts = (title(row.metric), short(row.version or ""), short(row.segment_value or ""))
    return plain(" · ".join(filter(None, parts)))


def _radius_hover(row: ChaosRow) -> str:
    limits = f"{number(row.ci_low)} to {number(row.ci_high)}"
    return (
        f"<b>{_named(row)}</b><br>{number(row.value)}, usually {number(row.usual)}"
        f"<br>{number(row.difference)} ({limits})<br>adjusted p {number(row.p_adjusted)}"
    )


def radius_alt(rows: Sequence[ChaosRow]) -> str:
    """One sentence: how many numbers moved."""
    shown = [row for row in rows if row.part == "radius" and row.p_adjusted is not None]
    moved = [row for row in shown if row.moved]
    return f"{len(moved)} of {len(shown)} numbers differ from the same hours before, corrected."


def firings(rows: Sequence[BacktestRow], *, zone: ZoneInfo) -> Figure:
    """One line a target: from the look that told to the look that ended it."""
    whole = next((row for row in rows if row.part == "whole"), None)
    shown = [row for row in rows if row.part == "firing" and row.fired_at is not None]
    if whole is None or whole.end is None or not shown:
        return empty("It would never have fired.")
    names = list(dict.fromkeys(_target(row) for row in reversed(shown)))[:MOST_BARS]
    data: list[Trace] = [
        _bar(row, names.index(_target(row)), row.fired_at, row.end or whole.end, zone)
        for row in shown
        if _target(row) in names and row.fired_at is not None
    ]
    incidents = [
        {
            "type": "rect", "x0": instant(row.start, zone), "x1": instant(row.end or whole.end, zone), "y0": 0, "y1": 1,
            "yref": "paper", "fillcolor": NEUTRAL, "opacity": 0.25, "line": {"width": 0},
        }
        for row in rows
        if row.part == "incident"
    ]  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": time_axis(whole.start, whole.end, zone),
        "yaxis": axis(
            tickvals=list(range(len(names))), ticktext=[plain(short(name, 28)) for name in names],
            range=[len(names) - 0.5, -0.5], showgrid=False,
        ),
        "shapes": incidents,
    }  # fmt: skip
    return {"data": data, "layout": layout(90 + 34 * len(names), **more)}


def _bar(row: BacktestRow, place: int, start: datetime, end: datetime, zone: ZoneInfo) -> Trace:
    false = row.false_alarm
    colour = NEUTRAL if false else SERIES[0]
    hover = f"<b>{plain(_target(row))}</b><br>{plain(row.sentence)}" + (
        "<br>outside every incident" if false else ""
    )
    return clickable({
        "type": "scatter", "mode": "lines+markers", "x": [instant(start, zone), instant(end, zone)],
        "y": [place, place],
        "line": {"color": colour, "width": 6}, "showlegend": False, "hovertext": [hover, hover],
        "marker": {"color": colour, "size": [9, 1], "symbol": "diamond"},
    })  # fmt: skip


def _target(row: BacktestRow) -> str:
    return " · ".join(filter(None, (row.version, row.segment_value))) or row.alert


def firings_alt(rows: Sequence[BacktestRow]) -> str:
    """One sentence: the whole."""
    whole = next((row for row in rows if row.part == "whole"), None)
    return whole.sentence if whole is not None else "Nothing to look back at."


SEVERITIES: Columns[SeverityRow] = {
    "Severity": lambda row: row.severity,
    "Runs": lambda row: row.runs,
    "Told": lambda row: row.told,
    "Share told, low": lambda row: row.ci_low,
    "Share told, high": lambda row: row.ci_high,
    "Median hours": lambda row: row.delay_hours,
    "Shortest": lambda row: row.delay_shortest,
    "Longest": lambda row: row.delay_longest,
    "Rules that told": lambda row: row.rules,
    "First rule": lambda row: row.first,
    "Rows hit": lambda row: row.n_hit,
    "Extra wrong decisions": lambda row: row.extra_wrong,
    **STATUS,
}
DRILL: Columns[DrillRow] = {
    "Severity": lambda row: row.severity,
    "Run": lambda row: row.seed + 1 if row.run else None,
    "Rule": lambda row: row.alert,
    "State": lambda row: row.state if row.run else "untouched",
    "Hours until told": lambda row: row.delay_hours,
    "Told at": lambda row: row.told_at,
    "Pages": lambda row: row.pages,
    "Version": lambda row: row.target_version,
    "Segment value": lambda row: row.segment_value,
    "What": lambda row: row.sentence,
    **STATUS,
}
CHAOS: Columns[ChaosRow] = {
    "Part": lambda row: row.part,
    "Metric": lambda row: title(row.metric),
    "Version": lambda row: row.version,
    "Segment value": lambda row: row.segment_value,
    "Value": lambda row: row.value,
    "Usual": lambda row: row.usual,
    "Difference": lambda row: row.difference,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Moved": lambda row: {True: "yes", False: "no", None: None}[row.moved],
    "Outcome": lambda row: row.outcome,
    "Windows before": lambda row: row.windows,
    "n": lambda row: row.n,
    **STATUS,
}
FIRINGS: Columns[BacktestRow] = {
    "Fired at": lambda row: row.fired_at,
    "Since": lambda row: row.start,
    "Until": lambda row: row.end,
    "Version": lambda row: row.version,
    "Segment value": lambda row: row.segment_value,
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Limit": lambda row: row.threshold,
    "False": lambda row: {True: "yes", False: "no", None: None}[row.false_alarm],
    "Incident": lambda row: row.incident,
    "What": lambda row: row.sentence,
}


def severity_table(rows: Sequence[SeverityRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Severity against delay."""
    return tabled(rows, SEVERITIES, zone)


def drill_table(rows: Sequence[DrillRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every rule in every run."""
    return tabled(rows, DRILL, zone)


def chaos_table(rows: Sequence[ChaosRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every number of a real fault."""
    return tabled(rows, CHAOS, zone)


def firings_table(rows: Sequence[BacktestRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every firing of a rule."""
    return tabled([row for row in rows if row.part == "firing"], FIRINGS, zone)
