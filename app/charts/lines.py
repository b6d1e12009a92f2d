"""Estimates under one another, each with its name above it: room for long names at any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    layout,
    plain,
    tick_format,
)  # fmt: skip
from app.formats import short
from app.glossary import title, unit

Look = Literal["worse", "may be luck", "not worse"]
_LOOK = {
    "worse": ("diamond", ACTION, 11),
    "may be luck": ("circle", NEUTRAL, 8),
    "not worse": ("square", SERIES[0], 9),
}
_ROW = 46
MOST_LETTERS = 54


@dataclass(frozen=True)
class Line:
    """One estimate.

    Attributes:
        name: above it.
        elsewhere: what it is compared with; None for nothing.
        custom: what a click tells.
        indent: how far the name is set in.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    elsewhere: float | None
    look: Look
    hover: str
    custom: list[Any]
    indent: int = 0


def lines_chart(lines: Sequence[Line], metric: str, nothing: str) -> Figure:
    """Names, dots with intervals, and a bar for all other rows.

    Args:
        lines: from the top.
        metric: what is measured.
        nothing: what to say without lines.
    """
    if not lines:
        return empty(nothing)
    places = list(range(len(lines)))
    compared = [
        (line, place) for line, place in zip(lines, places, strict=True) if line.elsewhere is not None
    ]
    data: list[Trace] = []
    if compared:
        data.append({
            "type": "scatter", "mode": "markers", "name": "all other rows", "x": [one.elsewhere for one, _ in compared],
            "y": [place for _, place in compared], "hoverinfo": "skip", "unselected": {"marker": {"opacity": 1}},
            "marker": {"symbol": "line-ns", "size": 14, "line": {"color": NEUTRAL, "width": 2}},
        })  # fmt: skip
    for look in _LOOK:
        mine = [(line, place) for line, place in zip(lines, places, strict=True) if line.look == look]
        if mine:
            data.append(_dots(mine, look))
    more: dict[str, Any] = {
        "xaxis": axis(title(metric), tickformat=tick_format(unit(metric)), showgrid=True, nticks=6),
        "yaxis": axis(range=[len(lines) - 0.5, -0.8], showgrid=False, fixedrange=True, showticklabels=False),
        "annotations": [_name(line, place) for line, place in zip(lines, places, strict=True)],
    }
    figure = layout(100 + _ROW * len(lines), revision=f"{metric} {len(lines)}", legend=True, **more)
    figure["margin"] |= {"l": 12}
    return {"data": data, "layout": figure}


def _dots(mine: Sequence[tuple[Line, int]], look: str) -> Trace:
    symbol, colour, size = _LOOK[look]
    lines = [line for line, _ in mine]
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
        "array": [max((line.high if line.high is not None else line.value) - line.value, 0.0) for line in lines],
        "arrayminus": [max(line.value - (line.low if line.low is not None else line.value), 0.0) for line in lines],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": look, "x": [line.value for line in lines],
        "y": [place for _, place in mine], "error_x": whisker,
        "marker": {"symbol": symbol, "size": size, "color": colour}, "hovertext": [line.hover for line in lines],
        "customdata": [line.custom for line in lines],
    })  # fmt: skip


def _name(line: Line, place: int) -> dict[str, Any]:
    return {
        "xref": "paper", "x": 0, "xanchor": "left", "xshift": 16 * line.indent, "y": place - 0.36, "yanchor": "middle",
        "showarrow": False, "text": plain(short(line.name, MOST_LETTERS - 2 * line.indent)),
        "font": {"size": 12, "color": TEXT},
    }  # fmt: skip
