"""Scores of one window by label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from analytics.quality.rows import ScoreBinRow
from app.charts.bins import Floats, bin_name, display_edges, rebinned
from app.charts.theme import (
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
)
from app.formats import count, number, percent, plural


def score_histogram(rows: Sequence[ScoreBinRow], *, positive: str = "1", of: str | None = None) -> Figure:
    """Scores of one window and version, each label as shares of its own rows.

    Args:
        rows: fine bins; a label of None is a row without one.
        positive: the label drawn in the second colour.
        of: the class that is looked at, whose rows are the positive ones; None where there are two labels.

    Returns:
        A figure whose bars carry ``[bin_low, bin_high, label]``.
    """
    rows = [row for row in rows if row.n > 0]
    if not rows:
        return empty("There are no scores in this window.")
    edges = display_edges(*_columns(rows))
    labels = sorted({row.label for row in rows}, key=lambda label: (label is None, label == positive, label))
    data = [
        _score_bars(
            [row for row in rows if row.label == label], (label, _name(label, positive, of)), index, edges
        )
        for index, label in enumerate(labels)
    ]
    x_axis = axis("score", range=[edges[0], edges[-1]])
    more: dict[str, Any] = {
        "xaxis": x_axis,
        "yaxis": axis("share of the label's rows", tickformat=".3~%", rangemode="tozero"),
    }
    return {"data": data, "layout": layout(WIDE, revision="scores", legend=len(labels) > 1, **more)}


def score_alt(rows: Sequence[ScoreBinRow]) -> str:
    """One sentence: the mean score of each label."""
    parts = []
    for label in sorted({row.label for row in rows if row.label is not None}):
        mine = [row for row in rows if row.label == label and row.n > 0]
        low, high, weight = _columns(mine)
        total = sum(weight) or 1.0
        middle = sum(w * (a + b) / 2 for a, b, w in zip(low, high, weight, strict=True)) / total
        parts.append(
            f"label {label}: {plural(sum(row.n for row in mine), 'row')}, mean score about {number(middle)}"
        )
    return "Scores by label. " + "; ".join(parts) + "." if parts else "No labelled scores in this window."


def _columns(rows: Iterable[ScoreBinRow]) -> tuple[list[float], list[float], list[float]]:
    rows = list(rows)
    return [row.bin_low for row in rows], [row.bin_high for row in rows], [row.weight for row in rows]


def _name(label: str | None, positive: str, of: str | None) -> str:
    if label is None:
        return "no label"
    if of is None:
        return f"label {plain(label)}"
    return plain(of) if label == positive else "other classes"


def _score_bars(part: list[ScoreBinRow], named: tuple[str | None, str], index: int, edges: Floats) -> Trace:
    label, name = named
    low, high, weight = _columns(part)
    weights = rebinned(low, high, weight, edges)
    counts = rebinned(low, high, [row.n for row in part], edges)
    total = weights.sum() or 1.0
    colour = NEUTRAL if label is None else SERIES[index % len(SERIES)]
    places = list(zip(edges[:-1], edges[1:], weights / total, counts, strict=True))
    return clickable(
        {
            "type": "bar",
            "name": name,
            "x": [float((a + b) / 2) for a, b, _, _ in places],
            "y": [float(share) for _, _, share, _ in places],
            "width": [float(b - a) for a, b, _, _ in places],
            "marker": {
                "color": faint(colour, 0.5 if label is not None else 0.15),
                "line": {"color": colour, "width": 1},
            },
            "hovertext": [
                f"{name}<br>score {bin_name(a, b)}<br>{percent(share)} of its rows, n = {count(n)}"
                for a, b, share, n in places
            ],
            "customdata": [[round(float(a), 12), round(float(b), 12), label] for a, b, _, _ in places],
        }
    )
