"""Predicted against true values, and their differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from analytics.quality.rows import PairBinRow, ScoreBinRow
from app.charts.bins import bin_name, closed, display_edges, rebinned
from app.charts.theme import (
    NEUTRAL,
    SCALE,
    SERIES,
    SQUARE,
    TEXT,
    WIDE,
    Figure,
    axis,
    cells,
    clickable,
    diagonal,
    empty,
    faint,
    layout,
)
from app.formats import count, number, percent, plural


def predicted_against_true(rows: Sequence[PairBinRow]) -> Figure:
    """How many rows of one window and version have which true and predicted value.

    Colours are on a scale of powers of ten, since few rows far off the diagonal are what one looks for.

    Returns:
        A figure whose cells carry ``[label_low, label_high, prediction_low, prediction_high]``.
    """
    rows = [row for row in rows if row.n > 0]
    if not rows:
        return empty("There are no labelled rows to draw.", SQUARE)
    x_edges = _edges([(row.label_low, row.label_high) for row in rows])
    y_edges = _edges([(row.prediction_low, row.prediction_high) for row in rows])
    labels, _ = closed([row.label_low for row in rows], [row.label_high for row in rows])
    predictions, _ = closed([row.prediction_low for row in rows], [row.prediction_high for row in rows])
    grid: list[list[float | None]] = [[None] * (len(x_edges) - 1) for _ in range(len(y_edges) - 1)]
    places = [(_place(x_edges, x), _place(y_edges, y)) for x, y in zip(labels, predictions, strict=True)]
    for row, (column, line) in zip(rows, places, strict=True):
        grid[line][column] = math.log10(row.n)
    most = math.ceil(math.log10(max(row.n for row in rows))) or 1
    heat = {
        "type": "heatmap",
        "x": x_edges,
        "y": y_edges,
        "z": grid,
        "zmin": 0,
        "zmax": most,
        "colorscale": SCALE,
        "hoverinfo": "skip",
        "colorbar": {
            "title": {"text": "rows", "side": "top", "font": {"color": TEXT}},
            "tickvals": list(range(most + 1)),
            "ticktext": [f"{10**power:,}" for power in range(most + 1)],
            "thickness": 10,
            "tickfont": {"color": TEXT},
            "len": 1,
            "y": 0.5,
            "xpad": 4,
        },
    }
    marks = cells(
        [(x_edges[column] + x_edges[column + 1]) / 2 for column, _ in places],
        [(y_edges[line] + y_edges[line + 1]) / 2 for _, line in places],
        [
            f"true {bin_name(row.label_low, row.label_high)}<br>"
            f"predicted {bin_name(row.prediction_low, row.prediction_high)}<br>n = {count(row.n)}"
            for row in rows
        ],
        [[row.label_low, row.label_high, row.prediction_low, row.prediction_high] for row in rows],
    )
    low, high = min(x_edges[0], y_edges[0]), max(x_edges[-1], y_edges[-1])
    more: dict[str, Any] = {
        "xaxis": axis("true value", range=[x_edges[0], x_edges[-1]], showgrid=False),
        "yaxis": axis("predicted value", range=[y_edges[0], y_edges[-1]]),
        "hoverdistance": 30,
    }
    data = [heat, diagonal(low, high), marks]
    return {"data": data, "layout": layout(SQUARE, revision="pairs of values", **more)}


def predicted_against_true_alt(rows: Sequence[PairBinRow]) -> str:
    """One sentence: how many rows, over which true and predicted values."""
    rows = [row for row in rows if row.n > 0]
    if not rows:
        return "There are no labelled rows to draw."
    total = sum(row.n for row in rows)
    true = _reach([(row.label_low, row.label_high) for row in rows])
    predicted = _reach([(row.prediction_low, row.prediction_high) for row in rows])
    what = f"true values {true}, predicted values {predicted}"
    return f"Predicted against true value of {plural(total, 'row')}: {what}."


def residuals(rows: Sequence[ScoreBinRow]) -> Figure:
    """The distribution of prediction minus true value, as shares, with a line at 0.

    Args:
        rows: bins; of those with a ``class_``, only "residual" is drawn.

    Returns:
        A figure whose bars carry ``[bin_low, bin_high]``.
    """
    rows = _residual_rows(rows)
    if not rows:
        return empty("There are no labelled rows to draw.")
    low, high, weight = ([getattr(row, field) for row in rows] for field in ("bin_low", "bin_high", "weight"))
    edges = display_edges(low, high, weight)
    shares = rebinned(low, high, weight, edges) / (sum(weight) or 1.0)
    counts = rebinned(low, high, [row.n for row in rows], edges)
    ends = [-math.inf, *edges[1:-1], math.inf]
    bars = clickable(
        {
            "type": "bar",
            "x": ((edges[:-1] + edges[1:]) / 2).tolist(),
            "y": shares.tolist(),
            "width": np.diff(edges).tolist(),
            "marker": {"color": faint(SERIES[0], 0.6), "line": {"color": SERIES[0], "width": 1}},
            "hovertext": [
                f"predicted minus true: {bin_name(a, b)}<br>{percent(share)} of the rows, n = {count(n)}"
                for a, b, share, n in zip(ends[:-1], ends[1:], shares, counts, strict=True)
            ],
            "customdata": [[float(a), float(b)] for a, b in pairwise(edges)],
        }
    )
    zero = {"type": "line", "x0": 0, "x1": 0, "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}
    shapes = [{**zero, "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"}}]
    more: dict[str, Any] = {
        "xaxis": axis("predicted minus true"),
        "yaxis": axis("share of rows", tickformat=".3~%", rangemode="tozero"),
        "shapes": shapes if edges[0] <= 0 <= edges[-1] else [],
    }
    return {"data": [bars], "layout": layout(WIDE, revision="residuals", **more)}


def residuals_alt(rows: Sequence[ScoreBinRow]) -> str:
    """One sentence: the share of rows predicted too high and too low."""
    rows = _residual_rows(rows)
    total = sum(row.weight for row in rows)
    if not total:
        return "There are no labelled rows to draw."
    low, high = closed([row.bin_low for row in rows], [row.bin_high for row in rows])
    middle = (low + high) / 2
    above = sum(row.weight for row, place in zip(rows, middle, strict=True) if place > 0) / total
    mean = sum(row.weight * place for row, place in zip(rows, middle, strict=True)) / total
    return (
        f"Errors of {plural(sum(row.n for row in rows), 'row')}: about {percent(above)} predicted too high, "
        f"mean error about {number(float(mean))}."
    )


def _residual_rows(rows: Sequence[ScoreBinRow]) -> list[ScoreBinRow]:
    return [row for row in rows if row.class_ in {None, "residual"} and row.n > 0]


def _edges(bins: list[tuple[float, float]]) -> list[float]:
    low, high = closed([pair[0] for pair in bins], [pair[1] for pair in bins])
    return sorted({*low.tolist(), *high.tolist()})


def _place(edges: list[float], low: float) -> int:
    return int(np.searchsorted(edges, low))


def _reach(bins: list[tuple[float, float]]) -> str:
    low, high = closed([pair[0] for pair in bins], [pair[1] for pair in bins])
    return f"{number(float(low.min()))} to {number(float(high.max()))}"
