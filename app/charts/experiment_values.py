"""How a metric's values spread in each arm of an experiment: outlines over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from analytics.experiments.rows import ArmRow, ValueBin
from analytics.project import SHARES
from app.charts.bins import Floats, closed
from app.charts.experiment_arms import share_bars
from app.charts.experiment_panels import LETTERS, nothing
from app.charts.experiment_words import known, value, values_between
from app.charts.theme import (
    NEUTRAL,
    TEXT,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    faint,
    in_order,
    layout,
    plain,
    series_style,
)  # fmt: skip
from app.formats import count, listed, percent, short


def value_distribution(
    bins: Sequence[ValueBin],
    arms: Sequence[ArmRow] = (),
    *,
    kind: str | None = "mean",
    variants: Sequence[str] = (),
) -> Figure:
    """One metric's values in every arm: outlines over each other, or for a proportion a bar an arm.

    Args:
        bins: of one metric; the outer ones may be open.
        arms: of the same metric, for means and intervals.
        kind: of the metric.
        variants: all arms, the control first, so that each keeps its colour.

    Returns:
        A figure whose bars carry ``[metric, variant]`` for a proportion, else ``[metric, low, high]``.
    """
    if kind in SHARES:
        return share_bars(arms, variants)
    bins = _within(bins)
    edges = _edges(bins)
    if len(edges) < 2:
        return nothing("There are no values to draw." if not bins else "All values fall into one bin.")
    names = [name for name in in_order((bin_.variant for bin_ in bins), variants) if name is not None]
    even = _even(bins)
    data: list[Trace] = [_hits(bins, edges, names)]
    for index, name in enumerate(names):
        mine = [bin_ for bin_ in bins if bin_.variant == name]
        if mine:
            data.append(_outline(mine, edges, (name, index), even=even))
    top = max(y for trace in data[1:] for y in trace["y"])
    data[0] |= {"y": [top * 1.05] * len(edges)}
    shapes, notes = _open_ends(edges)
    shapes += _means(arms, names, edges)
    ends = _drawn(edges)
    about = f"{plain(short(bins[0].metric, LETTERS))}{' (dotted: means)' if len(shapes) > len(notes) else ''}"
    x_axis = axis(about, range=[float(ends[0][0]), float(ends[1][-1])], showgrid=False, nticks=7)
    y_title = "share of units" if even else "share of units per 1"
    y_axis = axis(y_title, range=[0, top * 1.1 or 1], nticks=5, tickformat=".3~%" if even else None)
    more: dict[str, Any] = {"xaxis": x_axis, "yaxis": y_axis, "shapes": shapes, "annotations": notes}
    figure = layout(WIDE, revision=f"values {bins[0].metric}", legend=True, **more)
    figure["margin"] |= {"t": 48}
    figure["legend"] |= {"y": 1 + 18 / (WIDE - 80)}
    return {"data": data, "layout": figure}


def value_distribution_alt(
    bins: Sequence[ValueBin], arms: Sequence[ArmRow] = (), *, kind: str | None = "mean"
) -> str:
    """One sentence: the mean of each arm, and the bin most of the control's units are in."""
    told = [arm for arm in arms if known(arm.mean) is not None]
    means = listed([f"{arm.variant} {value(kind, arm.mean)} ({count(arm.n)} units)" for arm in told])
    what = "share" if kind in SHARES else "mean"
    name = told[0].metric if told else bins[0].metric if bins else ""
    if kind in SHARES or not bins:
        return f"{name}, {what} of each arm: {means}." if told else "There are no values to draw."
    fullest = max(bins, key=lambda bin_: bin_.share)
    text = (
        f"{name}: most frequent are values {values_between(fullest.low, fullest.high)} "
        f"({percent(fullest.share)} of {fullest.variant})"
    )
    return f"{text}; {what} of each arm: {means}." if told else f"{text}."


def _within(bins: Sequence[ValueBin]) -> list[ValueBin]:
    """Bins from the lowest to the highest that holds a unit of any arm."""
    held = [_ends(bin_) for bin_ in bins if bin_.n]
    return [bin_ for bin_ in bins if held and min(held) <= _ends(bin_) <= max(held)]


def _edges(bins: Sequence[ValueBin]) -> list[tuple[float, float]]:
    """All bins that hold a unit of any arm and those between them, ascending; open ends infinite."""
    found = sorted({_ends(bin_) for bin_ in bins})
    gaps = [(end, start) for (_, end), (start, _) in pairwise(found) if end < start]
    return sorted([*found, *gaps])


def _drawn(edges: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    return closed([low for low, _ in edges], [high for _, high in edges])


def _even(bins: Sequence[ValueBin]) -> bool:
    """Whether heights may be shares, since all bins are of one width."""
    widths = [high - low for low, high in map(_ends, bins) if math.isfinite(high - low)]
    return not widths or max(widths) - min(widths) <= 1e-6 * max(widths)


def _heights(mine: Sequence[ValueBin], edges: Sequence[tuple[float, float]], *, even: bool) -> list[float]:
    of = {_ends(bin_): bin_.share for bin_ in mine}
    low, high = _drawn(edges)
    widths = np.ones(len(edges)) if even else high - low
    return [of.get(edge, 0.0) / float(width) for edge, width in zip(edges, widths, strict=True)]


def _outline(
    mine: Sequence[ValueBin], edges: Sequence[tuple[float, float]], arm: tuple[str, int], *, even: bool
) -> Trace:
    name, index = arm
    colour, dash = series_style(index)
    heights = _heights(mine, edges, even=even)
    low, high = _drawn(edges)
    x: list[float] = []
    y: list[float] = []
    for left, right, height in zip(low.tolist(), high.tolist(), heights, strict=True):
        x += [left, right]
        y += [height, height]
    return {
        "type": "scatter", "mode": "lines", "name": plain(short(name, LETTERS)), "hoverinfo": "skip",
        "x": [x[0], *x, x[-1]], "y": [0.0, *y, 0.0], "line": {"color": colour, "width": 2, "dash": dash},
        "fill": "tozeroy", "fillcolor": faint(colour, 0.1),
    }  # fmt: skip


def _hits(bins: Sequence[ValueBin], edges: list[tuple[float, float]], names: Sequence[str]) -> Trace:
    """Invisible bars as high as the plot, one a bin, that tell all arms at once."""
    low, high = _drawn(edges)
    hover = []
    for edge in edges:
        there = {bin_.variant: bin_ for bin_ in bins if edge == _ends(bin_)}
        lines = [
            f"{plain(short(name, LETTERS))}: {percent(there[name].share if name in there else 0.0)}, "
            f"n = {count(there[name].n if name in there else 0)}"
            for name in names
        ]
        hover.append("<br>".join([f"<b>{values_between(*edge)}</b>", *lines]))
    metric = bins[0].metric
    marker = {"color": faint(NEUTRAL, 0.0), "line": {"width": 0}, "opacity": 0}
    return clickable({
        "type": "bar", "x": ((low + high) / 2).tolist(), "width": (high - low).tolist(), "y": [],
        "marker": marker, "showlegend": False, "hovertext": hover, "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [[metric, *(end if math.isfinite(end) else None for end in edge)] for edge in edges],
    })  # fmt: skip


def _ends(bin_: ValueBin) -> tuple[float, float]:
    return -math.inf if bin_.low is None else bin_.low, math.inf if bin_.high is None else bin_.high


def _open_ends(edges: Sequence[tuple[float, float]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A shade under each open bin, and above it what it holds."""
    lows, highs = _drawn(edges)
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for place, side in ((0, "left"), (len(edges) - 1, "right")):
        if all(map(math.isfinite, edges[place])):
            continue
        shapes.append({
            "type": "rect", "xref": "x", "yref": "paper", "x0": float(lows[place]), "x1": float(highs[place]),
            "y0": 0, "y1": 1, "fillcolor": faint(NEUTRAL, 0.16), "line": {"width": 0}, "layer": "below",
        })  # fmt: skip
        notes.append({
            "text": f"all {values_between(*edges[place])}", "xref": "paper", "x": 0 if side == "left" else 1,
            "xanchor": side, "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False,
            "font": {"size": 11, "color": TEXT},
        })  # fmt: skip
    return shapes, notes


def _means(
    arms: Sequence[ArmRow], names: Sequence[str], edges: Sequence[tuple[float, float]]
) -> list[dict[str, Any]]:
    """A dotted line at each arm's mean, where it lies inside the plot."""
    low, high = _drawn(edges)
    told = [arm for arm in arms if arm.variant in names and known(arm.mean) is not None]
    return [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": arm.mean, "x1": arm.mean, "y0": 0, "y1": 1,
            "line": {"color": series_style(names.index(arm.variant))[0], "width": 1.5, "dash": "dot"},
        }
        for arm in told
        if arm.mean is not None and low[0] <= arm.mean <= high[-1]
    ]  # fmt: skip
