"""One feature's distribution in the reference and in the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from analytics.drift.rows import HistogramRow
from app.charts.bins import Floats, bin_name, closed
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
from app.formats import count, percent, points, short

MOST_CATEGORIES = 20
SPECIAL = {"(missing)": "missing", "(unseen)": "unseen", "inf": "+∞", "-inf": "−∞"}


def reference_against_window(rows: Sequence[HistogramRow]) -> Figure:
    """Reference (grey) and window: numbers as density in the feature's unit, categories as shares.

    Missing, unseen and infinite values, and single values that are a bin of their own, stand apart as shares.

    Returns:
        A figure whose bars carry ``[bin, bin_low, bin_high]``.
    """
    rows = [row for row in rows if row.n or row.n_reference]
    if not rows:
        return empty("There are no values to compare.")
    numeric = [row for row in rows if _is_stretch(row)]
    rest = [row for row in rows if not _is_stretch(row)]
    if not numeric:
        return _categories(rest)
    # a bin nobody is in says nothing where it stands apart
    return _numbers(numeric, [row for row in rest if row.share or row.share_reference])


def histogram_alt(rows: Sequence[HistogramRow]) -> str:
    """One sentence: the bin that gained and the one that lost most."""
    known = [row for row in rows if row.share is not None and row.share_reference is not None]
    if not known:
        return "There are no values to compare."
    change = {row.bin: (row.share or 0.0) - (row.share_reference or 0.0) for row in known}
    gained, lost = max(change, key=lambda name: change[name]), min(change, key=lambda name: change[name])
    return (
        f"{known[0].feature} against the reference: {_words(known, gained)} gained most "
        f"({points(change[gained])}), {_words(known, lost)} lost most ({points(change[lost])})."
    )


def _words(rows: Sequence[HistogramRow], name: str) -> str:
    row = next(row for row in rows if row.bin == name)
    return bin_name(*_ends(row)) if _is_stretch(row) else _special_name(row)


def _is_stretch(row: HistogramRow) -> bool:
    bounded = row.bin_low is not None or row.bin_high is not None
    return bounded and row.bin not in SPECIAL and not _is_single(*_ends(row))


def _ends(row: HistogramRow) -> tuple[float, float]:
    """Where a stretch begins and ends; the first and the last are open."""
    return (
        -math.inf if row.bin_low is None else row.bin_low,
        math.inf if row.bin_high is None else row.bin_high,
    )


def _is_single(low: float, high: float) -> bool:
    # a frequent value is the bin [v, next float)
    return math.isfinite(low) and math.isfinite(high) and high - low <= 1e-9 * max(1.0, abs(low))


def _special_name(row: HistogramRow) -> str:
    if row.bin in SPECIAL:
        return SPECIAL[row.bin]
    if row.bin_low is not None and row.bin_high is not None:
        return f"= {row.bin_low:.6g}"
    return row.bin


def _numbers(numeric: list[HistogramRow], rest: list[HistogramRow]) -> Figure:
    numeric = sorted(numeric, key=_ends)
    data = [_density(numeric, side) for side in ("reference", "window")]
    split = 0.72 if len(rest) <= 2 else 0.6
    domain = [0.0, split - 0.06] if rest else [0.0, 1.0]
    x_axis = axis(domain=domain, showgrid=False)
    y_axis = axis("share of rows per unit", rangemode="tozero", nticks=5, exponentformat="power")
    more: dict[str, Any] = {"xaxis": x_axis, "yaxis": y_axis}
    if rest:
        data += [_apart(rest, side) for side in ("reference", "window")]
        more["xaxis2"] = axis(
            domain=[split, 1.0], anchor="y2", type="category", tickangle=0 if len(rest) < 4 else -35
        )
        more["yaxis2"] = axis(
            "share of rows",
            anchor="x2",
            side="right",
            tickformat=".3~%",
            rangemode="tozero",
            nticks=5,
            showgrid=False,
        )
    return {"data": data, "layout": layout(WIDE, revision=numeric[0].feature, legend=True, **more)}


def _density(rows: list[HistogramRow], side: str) -> Trace:
    low, high = _drawn(rows)
    widths = high - low
    opened = [_is_open(row) for row in rows]
    marker = _marker(side) | {"pattern": {"shape": ["/" if is_open else "" for is_open in opened], "size": 6}}
    marker["pattern"] |= {"fillmode": "overlay", "solidity": 0.2, "fgcolor": _colour(side)}
    return clickable({
        "type": "bar", "name": side, "legendgroup": side, "x": ((low + high) / 2).tolist(),
        "width": widths.tolist(), "marker": marker,
        "y": [(_share(row, side) or 0.0) / width for row, width in zip(rows, widths, strict=True)],
        "hovertext": [_hover(row) for row in rows], "customdata": [_custom(row) for row in rows],
    })  # fmt: skip


def _drawn(rows: list[HistogramRow]) -> tuple[Floats, Floats]:
    """Ends of the bars; an open bin is as wide as it takes not to stand out above the bounded ones.

    Nothing is known of how far an open bin reaches, so its width is free; its area is what counts. It gets at
    most half the width of all bounded bins.
    """
    ends = np.array([_ends(row) for row in rows])
    low, high = closed(ends[:, 0].tolist(), ends[:, 1].tolist())
    most = np.array([max(row.share or 0.0, row.share_reference or 0.0) for row in rows])
    opened = np.array([_is_open(row) for row in rows])
    if opened.all():
        return low, high
    width = high - low
    tallest = (most / width)[~opened].max()
    widest = np.maximum(width, (high[~opened].max() - low[~opened].min()) / 2)
    wanted = np.clip(most / tallest, width, widest) if tallest > 0 else width
    below = opened & np.isinf(ends[:, 0])
    return np.where(below, high - wanted, low), np.where(opened & ~below, low + wanted, high)


def _is_open(row: HistogramRow) -> bool:
    return any(map(math.isinf, _ends(row)))


def _apart(rows: list[HistogramRow], side: str) -> Trace:
    return clickable({
        "type": "bar", "name": side, "legendgroup": side, "showlegend": False, "xaxis": "x2", "yaxis": "y2",
        "x": [plain(short(_special_name(row), 12)) for row in rows], "y": [_share(row, side) for row in rows],
        "width": 0.38, "offset": -0.4 if side == "reference" else 0.02, "marker": _marker(side),
        "hovertext": [_hover(row) for row in rows], "customdata": [_custom(row) for row in rows],
    })  # fmt: skip


def _categories(rows: list[HistogramRow]) -> Figure:
    apart = [row for row in rows if row.bin in SPECIAL]
    plainly = [row for row in rows if row.bin not in SPECIAL]
    ordered = sorted(plainly, key=lambda row: -max(row.share_reference or 0.0, row.share or 0.0))
    kept, dropped = ordered[:MOST_CATEGORIES], ordered[MOST_CATEGORIES:]
    shown = [*kept, *([_together(dropped)] if dropped else []), *apart]
    # a gap sets the special values apart
    places = [index + (0.6 if row.bin in SPECIAL else 0.0) for index, row in enumerate(shown)]
    data = [
        clickable({
            "type": "bar", "orientation": "h", "name": side, "x": [_share(row, side) for row in shown],
            "y": [place + (-0.4 if side == "reference" else 0.0) for place in places], "width": 0.38,
            "offset": 0,
            "marker": _marker(side), "hovertext": [_hover(row) for row in shown],
            "customdata": [_custom(row) for row in shown],
        })
        for side in ("reference", "window")
    ]  # fmt: skip
    names = [plain(short(_special_name(row))) for row in shown]
    y_axis = axis(
        tickvals=places, ticktext=names, range=[places[-1] + 0.6, -0.6], showgrid=False, fixedrange=True
    )
    x_axis = axis("share of rows", tickformat=".3~%", rangemode="tozero", showgrid=True)
    figure = layout(90 + 30 * len(shown), revision=rows[0].feature, legend=True, xaxis=x_axis, yaxis=y_axis)
    return {"data": data, "layout": figure}


def _together(rows: list[HistogramRow]) -> HistogramRow:
    first = rows[0]
    return HistogramRow(
        first.window_start, first.window_end, first.version, first.reference_version, first.feature,
        f"({len(rows)} other values)", None, None, sum(row.n_reference for row in rows),
        sum(row.n for row in rows),
        sum(row.share_reference or 0.0 for row in rows), sum(row.share or 0.0 for row in rows),
    )  # fmt: skip


def _share(row: HistogramRow, side: str) -> float | None:
    return row.share_reference if side == "reference" else row.share


def _colour(side: str) -> str:
    return NEUTRAL if side == "reference" else SERIES[0]


def _marker(side: str) -> dict[str, Any]:
    colour = _colour(side)
    return {
        "color": faint(colour, 0.45 if side == "reference" else 0.3),
        "line": {"color": colour, "width": 1.2},
    }


def _custom(row: HistogramRow) -> list[str | float | None]:
    return [row.bin, row.bin_low, row.bin_high]


def _hover(row: HistogramRow) -> str:
    name = bin_name(*_ends(row)) if _is_stretch(row) else _special_name(row)
    change = None if row.share is None or row.share_reference is None else row.share - row.share_reference
    return (
        f"<b>{plain(name)}</b><br>window {percent(row.share)} of n = {count(row.n)}<br>"
        f"reference {percent(row.share_reference)} of n = {count(row.n_reference)}<br>{points(change)}"
    )
