"""What changed: the metric around the moment it began, the slices it comes from, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.ask.explain_onset import Mark, Point, When
from analytics.ask.windows import in_order
from analytics.explain.rows import ExplainRow
from analytics.scope import is_interval
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    instant,
    layout,
    middle,
    plain,
    tick_format,
    time_axis,
)
from app.charts.timeline import Window, band
from app.formats import STATUS_WORDS, count, interval, number, percent, plural, points, short, signed, stretch
from app.glossary import show, title, unit
from app.headlines.explain import moment, slice_words

MOST_BARS = 14
_OPEN = {"release": "dot", "chaos": "solid", "outage": "solid"}


def onset_line(
    when: When, metric: str, window: tuple[datetime, datetime], *, zone: ZoneInfo, telling: bool = True
) -> Figure:
    """The metric by step with its interval, the moment it changed, and what happened.

    Returns:
        A figure whose points carry ``[start, end]`` of their step.
    """
    if not when.points:
        return empty("No step of time has rows enough for a value.")
    shown = when.points
    windows = [Window(one.start, one.end) for one in shown]
    data: list[Trace] = [
        band(windows, [p.ci_low for p in shown], [p.ci_high for p in shown], zone, fillcolor=faint(SERIES[0], 0.18)),
        clickable({
            "type": "scatter", "mode": "lines+markers", "name": title(metric),
            "x": [middle(p.start, p.end, zone) for p in shown], "y": [p.value for p in shown],
            "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 6, "color": SERIES[0]},
            "hovertext": [_hover(p, metric, zone) for p in shown],
            "customdata": [[p.start.isoformat(), p.end.isoformat()] for p in shown],
        }),
    ]  # fmt: skip
    start, end = min(p.start for p in shown), max(p.end for p in shown)
    shapes, notes = _marks(when.marks, (start, end), zone)
    if window[0] > start:
        shapes.append(_column(window[0], min(window[1], end), zone, faint(NEUTRAL, 0.10)))
        notes.append(_label(window[0], "window", zone, "left", 0.0))
    since = when.row.since
    if since is not None and when.row.since_low is not None and when.row.since_high is not None:
        colour = ACTION if telling else NEUTRAL
        shapes.append(_column(when.row.since_low, when.row.since_high, zone, faint(colour, 0.15)))
        shapes.append(_line(since, zone, colour, "solid"))
    more: dict[str, Any] = {
        "xaxis": time_axis(start, end, zone),
        "yaxis": axis(title(metric), tickformat=tick_format(unit(metric)), nticks=6),
        "shapes": shapes,
        "annotations": notes,
    }
    figure = layout(340, revision=metric, **more)
    figure["margin"] |= {"t": 8 + 15 * min(max((n["yshift"] // 14 + 1 for n in notes), default=0), 3)}
    return {"data": data, "layout": figure}


def onset_alt(when: When, metric: str, *, zone: ZoneInfo) -> str:
    """One sentence: whether a moment stands out."""
    row = when.row
    if row.since is None:
        return f"{title(metric)} over time: {row.reason}."
    of = f" of {slice_words(row)}" if row.segment is not None else ""
    ends = f"{moment(row.since_low or row.since, zone)} to {moment(row.since_high or row.since, zone)}"
    return (
        f"{title(metric)}{of} changed about {moment(row.since, zone)} ({ends}): "
        f"{show(metric, row.value_before)} before, "
        f"{show(metric, row.value_after)} since."
    )


def _hover(point: Point, metric: str, zone: ZoneInfo) -> str:
    ends = interval(point.ci_low, point.ci_high, share=unit(metric) == "share")
    return (
        f"<b>{moment(point.start, zone)}</b><br>{title(metric)} {show(metric, point.value)} ({ends})<br>"
        f"n = {count(point.n)}"
    )


def _marks(
    marks: Sequence[Mark], ends: tuple[datetime, datetime], zone: ZoneInfo
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    at: dict[datetime, list[str]] = {}
    for mark in marks:
        if mark.end is not None:
            shapes.append(
                _column(max(mark.start, ends[0]), min(mark.end, ends[1]), zone, faint(NEUTRAL, 0.25))
            )
        if ends[0] <= mark.start < ends[1]:
            shapes.append(_line(mark.start, zone, NEUTRAL, _OPEN[mark.kind]))
            at.setdefault(mark.start, []).append(mark.name)
    for place, (start, names) in enumerate(at.items()):
        late = start - ends[0] > (ends[1] - ends[0]) / 2
        text = plain(short(", ".join(names), 34))
        notes.append(_label(start, text, zone, "right" if late else "left", 14.0 * (place % 3)))
    return shapes, notes


def _column(start: datetime, end: datetime, zone: ZoneInfo, colour: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": instant(start, zone), "x1": instant(end, zone),
        "y0": 0, "y1": 1, "fillcolor": colour, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _line(at: datetime, zone: ZoneInfo, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": instant(at, zone), "x1": instant(at, zone), "y0": 0,
        "y1": 1, "line": {"color": colour, "width": 1.5, "dash": dash},
    }  # fmt: skip


def _label(at: datetime, text: str, zone: ZoneInfo, anchor: str, shift: float) -> dict[str, Any]:
    return {
        "x": instant(at, zone), "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": shift,
        "xanchor": anchor, "text": text, "showarrow": False, "font": {"size": 11, "color": TEXT},
    }  # fmt: skip


def part_bars(rows: Sequence[ExplainRow], most: int = MOST_BARS) -> Figure:
    """What each part adds to the change, with its interval; the largest first, everything else last.

    Returns:
        A figure whose points carry ``[place in rows]``.
    """
    shown = bar_order(rows)[:most]
    if not shown:
        return empty("No slice stands out from how all rows changed.")
    metric = shown[0].metric
    places = list(range(len(shown)))
    data = [_bars(shown, places, "rate_effect", "rate: its own value changed", SERIES[0])]
    data.append(_bars(shown, places, "mix_effect", "mix: it grew or shrank", SERIES[1]))
    data.append(_totals(shown, places, rows))
    labels = [plain(short(_name(row), 26)) for row in shown]
    more: dict[str, Any] = {
        "xaxis": axis(
            f"part of the change of {title(metric)}", tickformat=tick_format(unit(metric)), showgrid=True, nticks=6,
            zeroline=True, zerolinecolor=NEUTRAL,
        ),
        "yaxis": axis(
            tickvals=places, ticktext=labels, range=[len(shown) - 0.5, -0.5], showgrid=False, fixedrange=True
        ),
        "barmode": "relative",
        "bargap": 0.35,
    }  # fmt: skip
    return {"data": data, "layout": layout(112 + 30 * len(shown), revision=metric, legend=True, **more)}


def part_alt(rows: Sequence[ExplainRow]) -> str:
    """One sentence: how many parts, and which adds most."""
    shown = bar_order(rows)
    if not shown:
        return "No slice stands out from how all rows changed."
    first = shown[0]
    share = f", {percent(first.share_of_change)} of the change" if first.share_of_change is not None else ""
    return f"{plural(len(shown), 'part')} of the change of {title(first.metric)}; most from {_name(first)}{share}."


def bar_order(rows: Sequence[ExplainRow]) -> list[ExplainRow]:
    """Parts with a number: slices by rank, stretches of numbers in their order, other values by their effect."""
    known = [row for row in rows if row.total_effect is not None]
    if known and known[0].part != "slice" and any(is_interval(str(row.segment_value)) for row in known):
        place = {name: i for i, name in enumerate(in_order(str(row.segment_value) for row in known))}
        return sorted(known, key=lambda row: place[str(row.segment_value)])
    return sorted(
        known,
        key=lambda row: (
            row.part == "slice" and row.rank is None,
            row.rank if row.rank is not None else 0,
            -abs(row.total_effect or 0.0),
        ),
    )


def _name(row: ExplainRow) -> str:
    return slice_words(row) if row.part == "slice" else stretch(str(row.segment_value))


def _bars(rows: Sequence[ExplainRow], places: list[int], field: str, name: str, colour: str) -> Trace:
    return {
        "type": "bar", "orientation": "h", "x": [getattr(row, field) for row in rows], "y": places, "name": name,
        "marker": {"color": faint(colour, 0.55), "line": {"width": 0}}, "hoverinfo": "skip",
    }  # fmt: skip


def _totals(shown: Sequence[ExplainRow], places: list[int], rows: Sequence[ExplainRow]) -> Trace:
    order = {id(row): place for place, row in enumerate(rows)}
    whisker = {
        "type": "data", "symmetric": False, "color": TEXT, "thickness": 1.5, "width": 0,
        "array": [(row.ci_high or 0.0) - (row.total_effect or 0.0) for row in shown],
        "arrayminus": [(row.total_effect or 0.0) - (row.ci_low or 0.0) for row in shown],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": "both together", "x": [row.total_effect for row in shown],
        "y": places, "error_x": whisker, "marker": {"symbol": "diamond", "size": 9, "color": TEXT},
        "hovertext": [_part_hover(row) for row in shown], "customdata": [[order[id(row)]] for row in shown],
    })  # fmt: skip


def _part_hover(row: ExplainRow) -> str:
    share = unit(row.metric) == "share"
    say = points if share else signed
    return (
        f"<b>{plain(_name(row))}</b><br>adds {say(row.total_effect)} ({say(row.ci_low)} to {say(row.ci_high)})<br>"
        f"rate {say(row.rate_effect)}, mix {say(row.mix_effect)}<br>"
        f"{title(row.metric)} {show(row.metric, row.value_before)} before, {show(row.metric, row.value_after)} now<br>"
        f"share of rows {percent(row.share_before)} before, {percent(row.share_after)} now<br>"
        f"n = {count(row.n_before)} before, {count(row.n_after)} now"
    )


def part_table(rows: Sequence[ExplainRow], *, named: bool = True) -> pd.DataFrame:
    """Parts with names people read.

    Args:
        rows: of one accounting.
        named: whether to name the segment as well as the value.
    """
    columns: dict[str, list[Any]] = {}
    if named:
        columns["Part"] = [_name(row) for row in rows]
    else:
        columns[str(rows[0].segment) if rows else "Value"] = [row.segment_value for row in rows]
    columns |= {
        "Adds": [row.total_effect for row in rows],
        "Low": [row.ci_low for row in rows],
        "High": [row.ci_high for row in rows],
        "Of the change": [_percent(row.share_of_change) for row in rows],
        "Mix": [row.mix_effect for row in rows],
        "Rate": [row.rate_effect for row in rows],
        "Before": [row.value_before for row in rows],
        "Now": [row.value_after for row in rows],
        "Share before": [_percent(row.share_before) for row in rows],
        "Share now": [_percent(row.share_after) for row in rows],
        "Rows before": [row.n_before for row in rows],
        "Rows now": [row.n_after for row in rows],
        "Interval takes as independent": [row.independence for row in rows],
        "Status": [STATUS_WORDS[row.status] for row in rows],
        "Reason": [row.reason for row in rows],
    }
    return pd.DataFrame(columns)


def _percent(share: float | None) -> str:
    return percent(None if share is None else round(share, 4))


def point_table(when: When, *, zone: ZoneInfo) -> pd.DataFrame:
    """The steps behind the line over time."""
    return pd.DataFrame(
        {
            "From": [one.start.astimezone(zone) for one in when.points],
            "Until": [one.end.astimezone(zone) for one in when.points],
            "Value": [one.value for one in when.points],
            "Low": [one.ci_low for one in when.points],
            "High": [one.ci_high for one in when.points],
            "Rows": [one.n for one in when.points],
        }
    )


def effect_words(row: ExplainRow) -> str:
    """An effect with its sign, in the metric's unit."""
    return points(row.total_effect) if unit(row.metric) == "share" else signed(row.total_effect)


def effect_ends(row: ExplainRow) -> str:
    """Its interval."""
    if row.ci_low is None or row.ci_high is None:
        return number(None)
    say = points if unit(row.metric) == "share" else signed
    return f"{say(row.ci_low)} to {say(row.ci_high)}"
