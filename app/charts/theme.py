"""Colours, axes and layouts that all figures share.

Colours are Streamlit's placeholders: the browser swaps them, as text, for the palettes of
``.streamlit/config.toml``, so one figure serves light and dark. Because it swaps text,
two hex digits behind a
placeholder stay and are its opacity.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.formats import local
from app.glossary import Unit

Figure = dict[str, Any]
Trace = dict[str, Any]

SERIES = ("#000001", "#000002", "#000003", "#000004", "#000005")
SEQUENTIAL = tuple(f"#0000{step}" for step in range(11, 21))
DIVERGING = tuple(f"#0000{step}" for step in range(21, 31))
ACTION = "#E5484D"
"""Red, for what needs action and nothing else; Streamlit's own turns pink in dark."""
TEXT = "#000037"
"""For words: Streamlit's own grey of ticks and titles does not reach 4.5 : 1 on white."""
PAPER = "#000038"
NEUTRAL = "#808495"
"""The one grey that stands out from both backgrounds."""

DASHES = ("solid", "dash", "dot", "dashdot")
SCALE = [[index / 9, colour] for index, colour in enumerate(SEQUENTIAL)]
SQUARE = 360
WIDE = 320


def faint(colour: str, opacity: float) -> str:
    """A colour, see-through.

    >>> faint("#000001", 0.2)
    '#00000133'
    """
    return f"{colour}{round(opacity * 255):02x}"


def plain(text: object) -> str:
    """Logged text as Plotly shall show it: no markup of its own.

    >>> plain("<b>AA</b>")
    '&lt;b&gt;AA&lt;/b&gt;'
    """
    return html.escape(str(text), quote=False)


def series_style(index: int) -> tuple[str, str]:
    """Colour and dash of the n-th series; colours repeat with another dash, never alone."""
    return SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)]


def in_order(found: Iterable[str | None], order: Sequence[str | None] = ()) -> list[str | None]:
    """Names as they appear, behind those whose place (and so colour) is given."""
    return list(dict.fromkeys((*order, *found)))


def tick_format(unit: Unit) -> str | None:
    """Three significant digits; shares in percent."""
    return ".3~%" if unit == "share" else None


def layout(height: int, *, revision: object = "", legend: bool = False, **more: Any) -> dict[str, Any]:
    """A layout without title, with room for labels at any width, and the legend above the plot."""
    base: dict[str, Any] = {
        "height": height,
        "margin": {"l": 48, "r": 16, "t": 32 if legend else 8, "b": 32},
        "hovermode": "closest",
        "uirevision": str(revision),
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        "bargap": 0,
        "barmode": "overlay",
        "hoverlabel": {"align": "left", "namelength": -1, "font": {"color": TEXT}},
    }
    return base | more


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis that makes room for its labels."""
    base: dict[str, Any] = {
        "automargin": True,
        "exponentformat": "none",
        "separatethousands": True,
        "zeroline": False,
        "tickfont": {"color": TEXT},
    }
    if title:
        base["title"] = {"text": title, "standoff": 8, "font": {"color": TEXT}}
    return base | more


def time_axis(start: datetime, end: datetime, zone: ZoneInfo, **more: Any) -> dict[str, Any]:
    """An axis of wall-clock time with labels short enough for a phone; years and days on a second line."""
    days = (end - start).total_seconds() / 86_400
    form = "%b\n%Y" if days > 100 else "%-d %b\n%Y" if days > 3 else "%H:%M\n%-d %b"
    span = [instant(start, zone), instant(end, zone)]
    return axis(type="date", range=span, tickformat=form, nticks=8, tickangle=0, **more)


def share_axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis of shares from 0 to 100%, with a little room for what lies on its ends."""
    return axis(title, tickformat=".0%", range=[-0.02, 1.02], tick0=0, dtick=0.25, **more)


def diagonal(low: float = 0.0, high: float = 1.0) -> Trace:
    """The dotted line from corner to corner."""
    return guide([low, high], [low, high])


def guide(x: Sequence[Any], y: Sequence[Any], **more: Any) -> Trace:
    """A dotted grey line to compare with; it cannot be hovered or clicked."""
    base: dict[str, Any] = {
        "type": "scatter",
        "x": list(x),
        "y": list(y),
        "mode": "lines",
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return base | more


def clickable(trace: Trace) -> Trace:
    """A trace whose hover text is ready made; clicking one of its points does not fade the others."""
    kept = {"selected": {"marker": {}}, "unselected": {"marker": {"opacity": 1}}}
    return {"hovertemplate": "%{hovertext}<extra></extra>", **kept, **trace}


def cells(
    x: Sequence[Any], y: Sequence[Any], hover: Sequence[str], custom: Sequence[Any], **more: Any
) -> Trace:
    """Invisible marks on the middle of heat map cells: Plotly selects points by click, but not cells."""
    marker = {"symbol": "square", "size": 14, "opacity": 0, "color": NEUTRAL}
    invisible = {"marker": {"opacity": 0}}
    base: dict[str, Any] = {
        "type": "scatter", "mode": "markers", "x": list(x), "y": list(y), "hovertext": list(hover),
        "customdata": list(custom), "marker": marker, "showlegend": False,
        "selected": invisible, "unselected": invisible, "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    return base | more


def legend_mark(name: str, marker: dict[str, Any]) -> Trace:
    """An entry of the legend that stands for a sign inside another trace."""
    return {
        "type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "marker": marker,
        "hoverinfo": "skip", "showlegend": True,
    }  # fmt: skip


def empty(reason: str, height: int = WIDE) -> Figure:
    """A figure that says why there is nothing to draw."""
    note = {
        "text": plain(reason), "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False,
        "font": {"color": TEXT},
    }  # fmt: skip
    hidden = {"visible": False}
    # Streamlit 1.67 with Plotly 7 fails on a dictionary without traces
    nothing = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}
    return {"data": [nothing], "layout": layout(height, annotations=[note], xaxis=hidden, yaxis=hidden)}


def instant(moment: datetime, zone: ZoneInfo) -> str:
    """An instant as axes read it: wall-clock time of the zone, since Plotly knows no zones."""
    return local(moment, zone).isoformat()


@lru_cache(maxsize=4096)
def middle(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """The middle of a window, where its point stands: releases fall before or after it, as they did."""
    first, after = local(start, zone), local(end, zone)
    return (first + (after - first) / 2).isoformat()


@lru_cache(maxsize=4096)
def span_ms(start: datetime, end: datetime, zone: ZoneInfo) -> float:
    """The width of a window on the axis."""
    return (local(end, zone) - local(start, zone)).total_seconds() * 1000


def named(version: str | None) -> str:
    """A version for a legend."""
    return plain(version) if version is not None else "all versions"
