"""What charts over time share: bands with gaps, bars of n, releases, and hatching while labels arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from analytics.project import Release
from app.charts.theme import NEUTRAL, SERIES, TEXT, Trace, axis, faint, middle, plain, span_ms, time_axis
from app.formats import day, local

TOP = [0.26, 1.0]
BOTTOM = [0.0, 0.16]
_LABEL_SHARE = 0.011
"""Width of a letter as a share of a plot on a phone: labels that fit there fit everywhere."""
_ROWS_OF_LABELS = 3


class Window(NamedTuple):
    """A stretch on the axis."""

    start: datetime
    end: datetime


def band(
    windows: Sequence[Window],
    low: Sequence[float | None],
    high: Sequence[float | None],
    zone: ZoneInfo,
    **style: Any,
) -> Trace:
    """An interval over time as closed outlines, one per unbroken run, so that gaps stay gaps.

    A run of one window has no width and is left to a whisker.
    """
    x: list[str | None] = []
    y: list[float | None] = []
    for run in runs(low):
        if len(run) < 2:
            continue
        places = [middle(*windows[i], zone) for i in run]
        x += [*places, *reversed(places), None]
        y += [*(high[i] for i in run), *(low[i] for i in reversed(run)), None]
    return {
        "type": "scatter", "x": x, "y": y, "mode": "lines", "line": {"width": 0}, "fill": "toself",
        "hoverinfo": "skip", "showlegend": False, **style,
    }  # fmt: skip


def runs(values: Sequence[float | None]) -> list[list[int]]:
    """Positions of values that follow each other without a gap.

    >>> runs([1.0, 2.0, None, 3.0])
    [[0, 1], [3]]
    """
    grouped = groupby(range(len(values)), key=lambda i: values[i] is not None)
    return [list(run) for present, run in grouped if present]


def whiskers(
    values: Sequence[float | None], low: Sequence[float | None], high: Sequence[float | None]
) -> dict[str, Any]:
    """Error bars of points that stand alone; the others have a band."""
    alone = {run[0] for run in runs(low) if len(run) == 1}

    def length(i: int, end: float | None) -> float:
        value = values[i]
        return abs(end - value) if i in alone and end is not None and value is not None else 0.0

    return {
        "type": "data", "symmetric": False, "visible": bool(alone), "thickness": 1.5, "width": 0,
        "array": [length(i, end) for i, end in enumerate(high)],
        "arrayminus": [length(i, end) for i, end in enumerate(low)],
    }  # fmt: skip


def count_bars(
    windows: Sequence[Window],
    counts: Sequence[int],
    zone: ZoneInfo,
    *,
    place: tuple[int, int] = (0, 1),
    **more: Any,
) -> Trace:
    """Thin bars of n under the line; with several series they share the window's width."""
    index, of = place
    widths = [span_ms(*window, zone) * 0.84 / of for window in windows]
    starts = [-span_ms(*window, zone) * 0.42 for window in windows]
    colour = NEUTRAL if of == 1 else SERIES[index % len(SERIES)]
    return {
        "type": "bar", "x": [middle(*window, zone) for window in windows], "y": list(counts), "yaxis": "y2",
        "width": widths, "offset": [start + width * index for start, width in zip(starts, widths,
        strict=True)],
        "marker": {"color": faint(colour, 0.6), "line": {"width": 0}}, "showlegend": False, **more,
    }  # fmt: skip


def hatching(windows: Sequence[Window], zone: ZoneInfo) -> Trace:
    """Hatched columns over windows whose labels still arrive, on an axis of their own."""
    return {
        "type": "bar", "x": [middle(*window, zone) for window in windows], "y": [1] * len(windows),
        "yaxis": "y3",
        "width": [span_ms(*window, zone) for window in windows], "hoverinfo": "skip",
        "name": "labels still arriving",
        "marker": {
            "color": "rgba(0,0,0,0)", "line": {"width": 0},
            "pattern": {"shape": "/", "size": 7, "solidity": 0.25, "fgcolor": NEUTRAL, "fillmode": "overlay"},
        },
    }  # fmt: skip


def axes(
    windows: Sequence[Window], zone: ZoneInfo, value_axis: dict[str, Any], n_title: str
) -> dict[str, Any]:
    """The shared time axis, the axis of values, that of n, and the hidden one of the hatching."""
    start = min(window.start for window in windows)
    end = max(window.end for window in windows)
    spikes = {"showspikes": True, "spikethickness": 1, "spikedash": "dot", "spikecolor": NEUTRAL}
    shared = time_axis(start, end, zone, anchor="y2", spikemode="across", **spikes)
    counts = axis(n_title, domain=BOTTOM, rangemode="tozero", nticks=2, tickformat="~s", showgrid=False)
    hidden = {"overlaying": "y", "visible": False, "range": [0, 1], "fixedrange": True}
    return {"xaxis": shared, "yaxis": {**value_axis, "domain": TOP}, "yaxis2": counts, "yaxis3": hidden}


class Marks(NamedTuple):
    """Releases as shapes and annotations, and how many rows of labels stand above the plot."""

    shapes: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    rows: int


def releases_as_marks(releases: Sequence[Release], windows: Sequence[Window], zone: ZoneInfo) -> Marks:
    """Dotted lines with labels above the plot, in as many rows as it takes for them not to collide.

    Where three rows do not suffice, a label is only a sign that tells its version when hovered.
    """
    first = min(local(window.start, zone) for window in windows)
    last = max(local(window.end, zone) for window in windows)
    dated = sorted(
        ((local(release.timestamp, zone), release) for release in releases), key=lambda pair: pair[0]
    )
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    taken = [-1.0] * _ROWS_OF_LABELS
    used = 0
    for moment, release in dated:
        if not first <= moment < last:
            continue
        place = (moment - first) / (last - first)
        shapes.append(_line(moment))
        row, left = _free_row(taken, place, len(release.version))
        if row is None:
            annotations.append(_label(moment, "▾", 0, "center", release))
            continue
        taken[row] = (place if left else place + len(release.version) * _LABEL_SHARE * 2) + 0.02
        used = max(used, row + 1)
        annotations.append(_label(moment, plain(release.version), row, "right" if left else "left", release))
    return Marks(shapes, annotations, max(used, bool(annotations)))


def make_room(figure: dict[str, Any], marks: Marks, *, legend: bool) -> None:
    """Set the margin above a plot: labels of releases on it, and the legend above those.

    On a phone the legend takes several lines; it grows upwards and Plotly widens the margin for it.
    """
    labels = 15 * marks.rows
    figure["margin"] = figure["margin"] | {"t": 8 + labels + 26 * legend}
    plot = figure["height"] - figure["margin"]["t"] - figure["margin"]["b"]
    figure["legend"] = figure["legend"] | {"y": 1 + labels / plot}


def _free_row(taken: list[float], place: float, letters: int) -> tuple[int | None, bool]:
    width = letters * _LABEL_SHARE * 2
    left = place + width > 1
    start = place - width if left else place
    return next((row for row, end in enumerate(taken) if start >= end), None), left


def _line(moment: datetime) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": moment.isoformat(), "x1": moment.isoformat(),
        "y0": 0,
        "y1": 1, "line": {"color": NEUTRAL, "width": 1, "dash": "dot"}, "layer": "below",
    }  # fmt: skip


def _label(moment: datetime, text: str, row: int, anchor: str, release: Release) -> dict[str, Any]:
    note = f"<br>{plain(release.note)}" if release.note else ""
    return {
        "x": moment.isoformat(), "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom",
        "yshift": 14 * row,
        "xanchor": anchor, "text": text, "showarrow": False, "font": {"size": 11, "color": TEXT},
        "hovertext": f"release {plain(release.version)}, {day(moment)}{note}",
    }  # fmt: skip
