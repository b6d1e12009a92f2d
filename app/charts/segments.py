"""Segments: a forest of slices, each against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.directions import direction
from analytics.segments.rows import SegmentRow
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
from app.formats import STATUS_WORDS, count, interval, number, percent, plural, points, short, signed, stretch
from app.glossary import show, title, unit

MOST_ROWS = 25
SIGNIFICANT = 0.05
_HINTS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "zero": "nearer to 0 is better",
    "none": "",
}
_LOOK = {
    "worse": ("diamond", ACTION, 11),
    "better": ("triangle-up", SERIES[2], 10),
    "no difference": ("circle", NEUTRAL, 8),
}


def verdict(row: SegmentRow) -> str:
    """How a slice stands against the rest: worse, better, different (neither is bad) or no difference."""
    if row.value is None:
        return STATUS_WORDS[row.status]
    if row.p_adjusted is None or row.p_adjusted >= SIGNIFICANT or row.difference is None:
        return "no difference"
    if row.worse is None or direction(row.metric) == "none":
        return "different"
    return "worse" if row.worse else "better"


def by_impact(rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Slices with a value, the worst for the whole first."""
    known = [row for row in rows if row.value is not None]
    return sorted(known, key=lambda row: (-(row.impact or 0.0), row.where))


def _label(where: str) -> str:
    """A slice as people say it.

    >>> _label("group=a"), _label("hours=[17, inf)"), _label("hours=")
    ('group = a', 'hours 17 or more', 'hours missing')
    """
    name, _, value = where.partition("=")
    words = stretch(value) if value else "missing"
    return f"{name} {words}" if words != value else f"{name} = {value}"


def forest(rows: Sequence[SegmentRow], most: int = MOST_ROWS) -> Figure:
    """Slices of one version and metric with intervals, all other rows as a bar, and n in a column.

    Returns:
        A figure whose points carry ``[where, version]``.
    """
    shown = by_impact(rows)[:most]
    if not shown:
        return empty("No slice has enough rows for a value.")
    places = list(range(len(shown)))
    metric = shown[0].metric
    data: list[Trace] = [_elsewhere(shown, places)]
    for word in ("no difference", "different", "better", "worse"):
        mine = [(row, place) for row, place in zip(shown, places, strict=True) if verdict(row) == word]
        if mine:
            data.append(_estimates(mine, word))
    hint = _HINTS[direction(metric)]
    x_title = f"{title(metric)}{f' ({hint})' if hint else ''}"
    labels = [plain(short(_label(row.where), 26)) for row in shown]
    y_axis = axis(
        tickvals=places, ticktext=labels, range=[len(shown) - 0.5, -0.5], showgrid=False, fixedrange=True
    )
    more: dict[str, Any] = {
        "xaxis": axis(x_title, tickformat=tick_format(unit(metric)), showgrid=True, nticks=6),
        "yaxis": y_axis,
        "annotations": _column(shown, places),
    }
    figure = layout(112 + 26 * len(shown), revision=metric, legend=True, **more)
    figure["margin"] |= {"r": 64}
    return {"data": data, "layout": figure}


def forest_alt(rows: Sequence[SegmentRow]) -> str:
    """One sentence: how many slices are worse than the rest, and which costs most."""
    known = by_impact(rows)
    if not known:
        return "No slice has enough rows for a value."
    worse = [row for row in known if verdict(row) == "worse"]
    text = f"{title(known[0].metric)} of {plural(len(known), 'slice')}: {len(worse)} worse than the rest"
    if not worse:
        return f"{text}."
    first = worse[0]
    return (
        f"{text}; most costly {first.where}, {show(first.metric, first.value)} against "
        f"{show(first.metric, first.value_elsewhere)} elsewhere."
    )


def _elsewhere(rows: list[SegmentRow], places: list[int]) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": "all other rows",
        "x": [row.value_elsewhere for row in rows],
        "y": places, "marker": {"symbol": "line-ns", "size": 14, "line": {"color": NEUTRAL, "width": 2}},
        "hoverinfo": "skip", "unselected": {"marker": {"opacity": 1}},
    }  # fmt: skip


def _estimates(mine: list[tuple[SegmentRow, int]], word: str) -> Trace:
    symbol, colour, size = _LOOK.get(word, ("square", SERIES[0], 9))
    rows = [row for row, _ in mine]
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in rows],
        "arrayminus": [_length(row.value, row.ci_low) for row in rows],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": word, "x": [row.value for row in rows],
        "y": [place for _, place in mine], "error_x": whisker,
        "marker": {"symbol": symbol, "size": size, "color": colour},
        "hovertext": [_hover(row, word) for row in rows], "customdata": [[row.where,
        row.version] for row in rows],
    })  # fmt: skip


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _column(rows: list[SegmentRow], places: list[int]) -> list[dict[str, Any]]:
    shared = {
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "xshift": 6,
        "showarrow": False,
        "font": {"size": 12, "color": TEXT},
    }
    head = {
        **shared,
        "text": "n",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "font": {"color": TEXT, "size": 12},
    }
    texts = [
        {**shared, "text": count(row.n_labelled), "y": place, "yanchor": "middle"}
        for row, place in zip(rows, places, strict=True)
    ]
    return [head, *texts]


def _hover(row: SegmentRow, word: str) -> str:
    share = unit(row.metric) == "share"
    difference = points(row.difference) if share else signed(row.difference)
    limits = interval(row.ci_low, row.ci_high, share=share)
    ends = [points(end) if share else signed(end) for end in (row.difference_ci_low, row.difference_ci_high)]
    return (
        f"<b>{plain(row.where)}</b>: {word}<br>"
        f"{title(row.metric)} {show(row.metric, row.value)} ({limits})<br>"
        f"all other rows {show(row.metric, row.value_elsewhere)}<br>"
        f"difference {difference} ({ends[0]} to {ends[1]}), adjusted p {number(row.p_adjusted)}<br>"
        f"n = {count(row.n_labelled)} labelled, {percent(row.share)} of all rows"
    )
