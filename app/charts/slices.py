"""One segment: the metric for every value, in the values' own order."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from analytics.scope import MISSING
from analytics.segments.rows import SegmentRow
from app.charts.metric import show
from app.charts.segments import verdict
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    layout,
    plain,
    tick_format,
)  # fmt: skip
from app.formats import count, interval, number, percent, plural, short
from app.glossary import title, unit

_LOOK = {
    "worse": ("diamond", ACTION, 11),
    "better": ("triangle-up", SERIES[2], 10),
    "no difference": ("circle", NEUTRAL, 8),
}
_LOW = re.compile(r"[\[(](-?inf|[-+.\deE]+), ")


def segment_bars(rows: Sequence[SegmentRow]) -> Figure:
    """Bars of n below, and above them the metric of every value of one segment with its interval.

    Args:
        rows: of one segment, metric and version.

    Returns:
        A figure whose points and bars carry ``[where, version]``.
    """
    shown = in_order(rows)
    if not any(row.value is not None for row in shown):
        return empty("No value of this segment has enough rows.")
    data: list[Trace] = [_counts(shown)]
    for word in ("no difference", "different", "better", "worse"):
        mine = [
            (place, row) for place, row in enumerate(shown) if row.value is not None and verdict(row) == word
        ]
        if mine:
            data.append(_estimates(mine, word))
    metric = shown[0].metric
    names = [plain(short(row.segment_value, 12)) for row in shown]
    x_axis = axis(
        tickvals=list(range(len(shown))), ticktext=names, anchor="y2", showgrid=False, range=[-0.6, len(shown) - 0.4],
        tickangle=0 if len(shown) <= 6 else -60,
    )  # fmt: skip
    y_axis = axis(title(metric), domain=[0.3, 1.0], tickformat=tick_format(unit(metric)))
    counts = axis("n", domain=[0.0, 0.2], rangemode="tozero", nticks=2, tickformat="~s", showgrid=False)
    more: dict[str, Any] = {"xaxis": x_axis, "yaxis": y_axis, "yaxis2": counts}
    revision = f"{shown[0].segment} {metric}"
    return {"data": data, "layout": layout(WIDE + 60, revision=revision, legend=True, **more)}


def segment_bars_alt(rows: Sequence[SegmentRow]) -> str:
    """One sentence: the lowest and the highest value of the segment."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No value of this segment has enough rows."
    low, high = (pick(known, key=lambda row: row.value or 0.0) for pick in (min, max))
    return (
        f"{title(low.metric)} by {low.segment}, {plural(len(known), 'value')}: lowest for {low.segment_value} "
        f"({show(low.metric, low.value)}), highest for {high.segment_value} ({show(high.metric, high.value)})."
    )


def in_order(rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Numeric intervals by their lower end, names by the alphabet, the missing value last."""
    return sorted(rows, key=_place)


def _place(row: SegmentRow) -> tuple[bool, float, str]:
    value = row.segment_value
    match = _LOW.match(value)
    low = float(match[1]) if match else _number(value)
    return value == MISSING, low, value


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found


def _counts(rows: list[SegmentRow]) -> Trace:
    return clickable({
        "type": "bar", "x": list(range(len(rows))), "y": [row.n_labelled for row in rows], "yaxis": "y2",
        "width": 0.8, "marker": {"color": faint(NEUTRAL, 0.6), "line": {"width": 0}}, "showlegend": False,
        "hovertext": [_hover(row) for row in rows], "customdata": [[row.where, row.version] for row in rows],
    })  # fmt: skip


def _estimates(mine: list[tuple[int, SegmentRow]], word: str) -> Trace:
    symbol, colour, size = _LOOK.get(word, ("square", SERIES[0], 9))
    rows = [row for _, row in mine]
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in rows],
        "arrayminus": [_length(row.value, row.ci_low) for row in rows],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": word, "x": [place for place, _ in mine],
        "y": [row.value for row in rows], "error_y": whisker,
        "marker": {"symbol": symbol, "size": size, "color": colour},
        "hovertext": [_hover(row) for row in rows], "customdata": [[row.where, row.version] for row in rows],
    })  # fmt: skip


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _hover(row: SegmentRow) -> str:
    limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
    return (
        f"<b>{plain(row.segment)} {plain(row.segment_value)}</b>: {verdict(row)}<br>"
        f"{title(row.metric)} {show(row.metric, row.value)} ({limits})<br>"
        f"all other rows {show(row.metric, row.value_elsewhere)}, adjusted p {number(row.p_adjusted)}<br>"
        f"n = {count(row.n_labelled)} labelled, {percent(row.share)} of all rows"
    )
