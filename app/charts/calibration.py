"""What came true against what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.quality.rows import CalibrationRow
from app.charts.bins import bin_name
from app.charts.theme import (
    NEUTRAL,
    SQUARE,
    Figure,
    Trace,
    axis,
    clickable,
    diagonal,
    empty,
    faint,
    layout,
    named,
    plain,
    series_style,
    share_axis,
)
from app.formats import count, interval, percent, plural


def reliability_diagram(rows: Sequence[CalibrationRow]) -> Figure:
    """Share that came true against mean score, with intervals, a line a version; the number of rows under it.

    Returns:
        A figure whose points carry ``[bin_low, bin_high, version, class]``.
    """
    rows = [row for row in rows if row.n > 0 and row.mean_score is not None and row.mean_label is not None]
    if not rows:
        return empty("Calibration needs labelled rows.", SQUARE)
    data: list[Trace] = [diagonal()]
    versions = list(dict.fromkeys((row.version, row.class_) for row in rows))
    for index, key in enumerate(versions):
        part = [row for row in rows if (row.version, row.class_) == key]
        data += _reliability(sorted(part, key=lambda row: row.bin_low), index, len(versions))
    scores = share_axis("mean score", anchor="y2")
    truth = share_axis("share that came true", domain=[0.26, 1])
    bars = axis("n", domain=[0, 0.16], nticks=2, tickformat="~s", rangemode="tozero", showgrid=False)
    more: dict[str, Any] = {"xaxis": scores, "yaxis": truth, "yaxis2": bars}
    return {"data": data, "layout": layout(420, revision="calibration", legend=len(versions) > 1, **more)}


def reliability_alt(rows: Sequence[CalibrationRow]) -> str:
    """One sentence: in how many bins the diagonal lies outside the interval, and on which side."""
    known = [
        row
        for row in rows
        if row.mean_score is not None and row.ci_low is not None and row.ci_high is not None
    ]
    if not known:
        return "No score bin has labelled rows."
    high = sum(1 for row in known if (row.mean_score or 0) > (row.ci_high or 0))
    low = sum(1 for row in known if (row.mean_score or 0) < (row.ci_low or 0))
    return (
        f"Calibration in {plural(len(known), 'score bin')}: scores are too high in {high} and too low "
        f"in {low} of them, beyond what each interval allows."
    )


def _reliability(part: list[CalibrationRow], index: int, of: int) -> list[Trace]:
    colour, dash = series_style(index)
    name = named(part[0].version) if part[0].class_ is None else f"class {plain(part[0].class_)}"
    custom = [[row.bin_low, row.bin_high, row.version, row.class_] for row in part]
    hover = [
        f"{name}<br>scores {bin_name(row.bin_low, row.bin_high)}, mean {percent(row.mean_score)}<br>"
        f"came true {percent(row.mean_label)} ({interval(row.ci_low, row.ci_high, share=True)})<br>"
        f"n = {count(row.n)}"
        for row in part
    ]
    truth = [row.mean_label or 0.0 for row in part]
    ends = [(t if row.ci_low is None else row.ci_low, t if row.ci_high is None else row.ci_high)
            for t, row in zip(truth, part, strict=True)]  # fmt: skip
    whisker = {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - t) for (_, high), t in zip(ends, truth, strict=True)],
        "arrayminus": [max(0.0, t - low) for (low, _), t in zip(ends, truth, strict=True)],
        "color": colour,
        "thickness": 1.5,
        "width": 0,
    }
    line = clickable(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "legendgroup": name,
            "x": [row.mean_score for row in part],
            "y": truth,
            "error_y": whisker,
            "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 7},
            "hovertext": hover,
            "customdata": custom,
        }
    )
    widths = [(row.bin_high - row.bin_low) * 0.9 / of for row in part]
    bars = clickable(
        {
            "type": "bar",
            "x": [(row.bin_low + row.bin_high) / 2 for row in part],
            "y": [row.n for row in part],
            "yaxis": "y2",
            "width": widths,
            "offset": [
                width * (place - of / 2) for width, place in zip(widths, [index] * len(part), strict=True)
            ],
            "marker": {
                "color": faint(NEUTRAL if of == 1 else colour, 0.6),
                "line": {"width": 0},
            },
            "showlegend": False,
            "hovertext": hover,
            "customdata": custom,
        }
    )
    return [line, bars]
