"""Drift: which feature moved when, how one feature's distribution changed, and one feature over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from analytics.drift.rows import DriftRow
from analytics.project import Release
from app.charts import timeline
from app.charts.histogram import histogram_alt, reference_against_window
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    PAPER,
    SCALE,
    SERIES,
    TEXT,
    WIDE,
    Figure,
    Trace,
    axis,
    cells,
    clickable,
    empty,
    faint,
    instant,
    layout,
    legend_mark,
    middle,
    plain,
    time_axis,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, listed, number, percent, plural, short, window_name

__all__ = [
    "drift_alt", "drift_bars", "drift_heatmap", "feature_over_time", "feature_over_time_alt", "histogram_alt",
    "most_drifted", "reference_against_window",
]  # fmt: skip

MOST_FEATURES = 40
_UNKNOWN = faint(NEUTRAL, 0.45)
_GREY = [[0, _UNKNOWN], [1, _UNKNOWN]]
_DIAMOND = {"symbol": "diamond", "size": 9, "color": PAPER, "line": {"color": ACTION, "width": 2.5}}
_SMALL = _DIAMOND | {"size": 6, "line": {"color": ACTION, "width": 1.5}}


def most_drifted(rows: Sequence[DriftRow]) -> list[str]:
    """Features (and score, decision, label) by windows drifted, then by the largest share moved."""
    drifted: Counter[str] = Counter()
    moved: dict[str, float] = {}
    for row in rows:
        drifted[row.feature] += bool(row.drifted)
        moved[row.feature] = max(moved.get(row.feature, 0.0), row.total_variation or 0.0)
    return sorted(moved, key=lambda name: (-drifted[name], -moved[name], name))


def drift_heatmap(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> Figure:
    """Feature x window of one version: colour is the share moved, a diamond means drifted, grey unknown.

    With a single window, bars instead.

    Returns:
        A figure whose cells carry ``[feature, window_start, window_end, version]``.
    """
    if not rows:
        return empty("There is nothing to compare with the reference.")
    windows = sorted({Window(row.window_start, row.window_end) for row in rows})
    if len(windows) == 1:
        return drift_bars(rows, zone=zone)
    names = most_drifted(rows)[:MOST_FEATURES]
    shown = [row for row in rows if row.feature in set(names)]
    line_of = {name: line for line, name in enumerate(names)}
    column_of = {window: column for column, window in enumerate(windows)}
    table: list[list[float | None]] = [[None] * len(windows) for _ in names]
    unknown: list[list[float | None]] = [[None] * len(windows) for _ in names]
    for row in shown:
        line, column = line_of[row.feature], column_of[Window(row.window_start, row.window_end)]
        (unknown if row.total_variation is None else table)[line][column] = row.total_variation or 0.0
    edges = [instant(window.start, zone) for window in windows] + [instant(windows[-1].end, zone)]
    data = [*_heat(table, unknown, edges), *_marks(shown, names, zone)]
    ticks: dict[str, Any] = {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(short(name)) for name in names],
    }
    x_axis = time_axis(windows[0].start, windows[-1].end, zone, showgrid=False)
    y_axis = axis(range=[len(names) - 0.5, -0.5], showgrid=False, fixedrange=True, **ticks)
    more: dict[str, Any] = {"xaxis": x_axis, "yaxis": y_axis, "hoverdistance": -1}
    legend = len(data) > 3 or any(row.drifted for row in shown)
    figure = layout(90 + 24 * len(names), revision=f"drift {edges[0]} {edges[-1]}", legend=legend, **more)
    return {"data": data, "layout": figure}


def drift_bars(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> Figure:
    """One window: the share moved of each feature as a bar, its tolerance as a tick, a diamond if it drifted.

    Returns:
        A figure whose bars carry ``[feature, window_start, window_end, version]``.
    """
    names = most_drifted(rows)[:MOST_FEATURES]
    by_name = {row.feature: row for row in rows}
    shown = [by_name[name] for name in names]
    places = list(range(len(names)))
    bars = clickable({
        "type": "bar", "orientation": "h", "x": [row.total_variation for row in shown], "y": places,
        "width": 0.62,
        "marker": {"color": [SERIES[0] if not row.drifted else ACTION for row in shown]},
        "hovertext": [_hover(row, zone) for row in shown], "customdata": [_custom(row) for row in shown],
        "showlegend": False,
    })  # fmt: skip
    tolerance = {
        "type": "scatter", "mode": "markers", "x": [tolerated(row) for row in shown], "y": places,
        "name": "tolerance",
        "marker": {"symbol": "line-ns", "size": 12, "line": {"color": NEUTRAL, "width": 2}},
        "hoverinfo": "skip",
    }  # fmt: skip
    marked = [(row.total_variation or 0.0, place) for place, row in enumerate(shown) if row.drifted]
    diamonds = {
        "type": "scatter", "mode": "markers", "x": [x for x, _ in marked], "y": [y for _, y in marked],
        "name": "drifted", "marker": _DIAMOND, "hoverinfo": "skip",
    }  # fmt: skip
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": [plain(short(name)) for name in names]}
    y_axis = axis(range=[len(names) - 0.5, -0.5], fixedrange=True, showgrid=False, **ticks)
    x_axis = axis("share moved", tickformat=".3~%", rangemode="tozero", showgrid=True)
    data = [bars, tolerance, *([diamonds] if marked else [])]
    figure = layout(100 + 24 * len(names), revision="drift", legend=True, xaxis=x_axis, yaxis=y_axis)
    return {"data": data, "layout": figure}


def drift_alt(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> str:
    """One sentence: how many drifted in the newest window, which most, and how many could not be judged."""
    if not rows:
        return "There is nothing to compare with the reference."
    end = max(row.window_end for row in rows)
    newest = [row for row in rows if row.window_end == end]
    judged = [row for row in newest if row.drifted is not None]
    drifted = sorted((row for row in judged if row.drifted), key=lambda row: -(row.total_variation or 0.0))
    when = in_window(newest[0].window_start, end, zone)
    text = f"{len(drifted)} of {len(judged)} features, scores and labels drifted {when}"
    if drifted:
        text += ": most " + listed(
            [f"{row.feature} ({percent(row.total_variation)} moved)" for row in drifted[:3]]
        )
    unknown = len(newest) - len(judged)
    return f"{text}; {unknown} cannot be judged." if unknown else f"{text}."


def feature_over_time(
    rows: Sequence[DriftRow], releases: Sequence[Release] = (), *, zone: ZoneInfo
) -> Figure:
    """One feature of one version: its population stability index a window over the noise floor, and n.

    Returns:
        A figure whose points carry ``[feature, window_start, window_end, version]``.
    """
    rows = sorted(rows, key=lambda row: row.window_start)
    if not any(row.psi is not None for row in rows):
        return empty("No window of this feature can be compared with the reference.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    floor = [row.noise_floor for row in rows]
    x = [middle(*window, zone) for window in windows]
    hover, custom = [_hover(row, zone) for row in rows], [_custom(row) for row in rows]
    nothing = [None if value is None else 0.0 for value in floor]
    noise = timeline.band(windows, nothing, floor, zone, fillcolor=faint(NEUTRAL, 0.25), name="noise floor")
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": "index",
        "cliponaxis": False, "x": x,
        "y": [row.psi for row in rows], "line": {"color": SERIES[0], "width": 2}, "hovertext": hover,
        "marker": {"size": 6, "color": SERIES[0]}, "customdata": custom,
    })  # fmt: skip
    diamonds = clickable({
        "type": "scatter", "mode": "markers", "name": "drifted", "marker": _DIAMOND, "cliponaxis": False,
        "x": [place for place, row in zip(x, rows, strict=True) if row.drifted],
        "y": [row.psi for row in rows if row.drifted],
        "hovertext": [text for text, row in zip(hover, rows, strict=True) if row.drifted],
        "customdata": [_custom(row) for row in rows if row.drifted],
    })  # fmt: skip
    counts = clickable(
        timeline.count_bars(windows, [row.n for row in rows], zone)
        | {"hovertext": hover, "customdata": custom}
    )
    marks = timeline.releases_as_marks(releases, windows, zone)
    value_axis = axis("index", rangemode="tozero")
    more = timeline.axes(windows, zone, value_axis, "n")
    figure = layout(WIDE + 14 * marks.rows, revision=rows[0].feature, legend=True, shapes=marks.shapes,
                    annotations=marks.annotations, **more)  # fmt: skip
    timeline.make_room(figure, marks, legend=True)
    data: list[Trace] = [noise | {"showlegend": True}, line, counts]
    return {"data": [*data, diamonds] if diamonds["x"] else data, "layout": figure}


def feature_over_time_alt(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> str:
    """One sentence: in how many windows the feature drifted, and when its index was highest."""
    known = [row for row in rows if row.psi is not None]
    if not known:
        return "No window of this feature can be compared with the reference."
    highest = max(known, key=lambda row: row.psi or 0.0)
    drifted = sum(bool(row.drifted) for row in known)
    return (
        f"{highest.feature} drifted in {drifted} of {plural(len(known), 'window')}; "
        f"highest population stability index {number(highest.psi)} "
        f"{in_window(highest.window_start, highest.window_end, zone)}, noise floor there "
        f"{number(highest.noise_floor)}."
    )


def _heat(
    table: list[list[float | None]], unknown: list[list[float | None]], edges: list[str]
) -> list[Trace]:
    places = [row - 0.5 for row in range(len(table) + 1)]
    gap = 1 if len(edges) < 30 else 0
    shared = {"type": "heatmap", "x": edges, "y": places, "hoverinfo": "skip", "xgap": gap, "ygap": 1}
    most = max((value for line in table for value in line if value is not None), default=0.0)
    bar = {
        "thickness": 10,
        "len": 1,
        "y": 0.5,
        "tickformat": ".0%",
        "nticks": 4,
        "xpad": 4,
        "tickfont": {"color": TEXT},
    }
    # a quiet project must not look dramatic: the scale reaches at least a fifth
    heat = shared | {"z": table, "zmin": 0, "zmax": max(most, 0.2), "colorscale": SCALE, "colorbar": bar}
    if all(value is None for line in unknown for value in line):
        return [heat]
    return [heat, shared | {"z": unknown, "colorscale": _GREY, "showscale": False}]


def _marks(rows: Sequence[DriftRow], names: Sequence[str], zone: ZoneInfo) -> list[Trace]:
    x = [middle(row.window_start, row.window_end, zone) for row in rows]
    y = [names.index(row.feature) for row in rows]
    drifted = [index for index, row in enumerate(rows) if row.drifted]
    diamonds = {
        "type": "scatter", "mode": "markers", "x": [x[i] for i in drifted], "y": [y[i] for i in drifted],
        "marker": _SMALL, "hoverinfo": "skip",
        "name": "drifted",
    }  # fmt: skip
    grey = {"symbol": "square", "size": 11, "color": _UNKNOWN}
    unknown = (
        [legend_mark("cannot be said", grey)] if any(row.total_variation is None for row in rows) else []
    )
    hits = cells(x, y, [_hover(row, zone) for row in rows], [_custom(row) for row in rows])
    return [*([diamonds] if drifted else []), *unknown, hits]


def _custom(row: DriftRow) -> list[str | None]:
    return [row.feature, row.window_start.isoformat(), row.window_end.isoformat(), row.version]


def _hover(row: DriftRow, zone: ZoneInfo) -> str:
    head = f"<b>{plain(row.feature)}</b>, {window_name(row.window_start, row.window_end, zone)}"
    sizes = f"n = {count(row.n)}, reference {count(row.n_reference)}"
    if row.total_variation is None:
        why = f": {plain(row.reason)}" if row.reason else ""
        return f"{head}<br>{STATUS_WORDS[row.status]}{why}<br>{sizes}"
    word = "<b>drifted</b>" if row.drifted else "not drifted"
    lines = [
        head,
        f"{word}: {percent(row.total_variation)} moved, tolerance {percent(tolerated(row))}{_declared(row)}",
        f"shift {number(row.shift_sd)} standard deviations of the reference, {number(row.shift_quantiles)} quantiles"
        if row.shift_sd is not None
        else "",
        f"adjusted p {number(row.p_adjusted)}",
        f"population stability index {number(row.psi)}, noise floor {number(row.noise_floor)}",
        f"missing {percent(row.missing_rate)}, reference {percent(row.missing_rate_reference)}",
        sizes,
    ]
    return "<br>".join(line for line in lines if line)


def tolerated(row: DriftRow) -> float | None:
    """The tolerance as a share of rows; None where the reference cannot say what a declared shift moves."""
    if row.tolerance_share is not None:
        return row.tolerance_share
    return row.tolerance if row.tolerance_unit == "share" else None


def _declared(row: DriftRow) -> str:
    return "" if row.tolerance_unit == "share" else f" ({number(row.tolerance)} {row.tolerance_unit})"
