"""Gaps between what scores promise and what comes: over time and by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from analytics.project import Release
from analytics.quality.calibration import CalibrationTestRow
from app.charts import timeline
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    in_order,
    layout,
    legend_mark,
    middle,
    named,
    plain,
    series_style,
)
from app.charts.timeline import Window
from app.formats import count, in_window, number, percent, plural, points, short, signed, window_name

MOST_ROWS = 20


def is_share(rows: Sequence[CalibrationTestRow]) -> bool:
    """Whether scores are probabilities."""
    return any(row.expected_calibration_error is not None for row in rows)


def gap_over_time(
    rows: Sequence[CalibrationTestRow],
    releases: Sequence[Release] = (),
    *,
    zone: ZoneInfo,
    versions: Sequence[str | None] = (),
) -> Figure:
    """Mean score minus what came, a line a version with its band; red where a corrected test fails.

    Returns:
        A figure whose points carry ``[window_start, window_end, version]``, instants as ISO 8601 in UTC.
    """
    known = [row for row in rows if row.gap is not None]
    if not known:
        return empty("No window has enough labelled rows.")
    windows = sorted({Window(row.window_start, row.window_end) for row in rows})
    order = in_order([row.version for row in rows], versions)
    present = [version for version in order if any(row.version == version for row in known)]
    share = is_share(known)
    data: list[Trace] = []
    for version in present:
        part = sorted((row for row in rows if row.version == version), key=lambda row: row.window_start)
        data += _line(part, order.index(version), share, zone)
    for place, version in enumerate(present):
        part = sorted((row for row in rows if row.version == version), key=lambda row: row.window_start)
        spans = [Window(row.window_start, row.window_end) for row in part]
        data.append(
            timeline.count_bars(
                spans, [row.n_labelled for row in part], zone, place=(place, len(present)), hoverinfo="skip"
            )
        )
    off = any(row.miscalibrated for row in known)
    if off:
        data.append(legend_mark("off beyond chance", _red()))
    late = sorted({Window(row.window_start, row.window_end) for row in rows if row.status == "immature"})
    if late:
        data.append(timeline.hatching(late, zone) | {"showlegend": True})
    marks = timeline.releases_as_marks(releases, windows, zone)
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "yref": "y"}
    shapes = [zero | {"line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"}}, *marks.shapes]
    value_axis = axis(
        "score minus share true" if share else "predicted minus label", tickformat="+.0%" if share else None
    )
    legend = len(present) > 1 or off or bool(late)
    figure = layout(
        340 + 14 * marks.rows, revision=f"gap {windows[0]} {windows[-1]}", legend=legend, shapes=shapes,
        annotations=marks.annotations, **timeline.axes(windows, zone, value_axis, "n"),
    )  # fmt: skip
    timeline.make_room(figure, marks, legend=legend)
    return {"data": data, "layout": figure}


def gap_over_time_alt(rows: Sequence[CalibrationTestRow], *, zone: ZoneInfo) -> str:
    """One sentence: how many windows fail, and where the gap is widest."""
    known = [row for row in rows if row.gap is not None]
    if not known:
        return "No window has enough labelled rows."
    off = [row for row in known if row.miscalibrated]
    worst = max(known, key=lambda row: abs(row.gap or 0.0))
    form = points if is_share(known) else signed
    of = f" of {worst.version}" if worst.version is not None else ""
    return (
        f"{len(off)} of {plural(len(known), 'window')} are off beyond chance; the widest gap is that{of} "
        f"{in_window(worst.window_start, worst.window_end, zone)}: {form(worst.gap)}."
    )


def _red() -> dict[str, Any]:
    return {"symbol": "diamond", "size": 9, "color": ACTION}


def _line(part: list[CalibrationTestRow], index: int, share: bool, zone: ZoneInfo) -> list[Trace]:  # noqa: FBT001
    colour, dash = series_style(index)
    windows = [Window(row.window_start, row.window_end) for row in part]
    low, high = [row.gap_ci_low for row in part], [row.gap_ci_high for row in part]
    values = [row.gap for row in part]
    x = [middle(*window, zone) for window in windows]
    name = named(part[0].version)
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": name, "legendgroup": name, "x": x, "y": values,
        "connectgaps": False, "line": {"color": colour, "width": 2, "dash": dash},
        "error_y": timeline.whiskers(values, low, high) | {"color": colour},
        "marker": {
            "size": [9 if row.miscalibrated else 6 for row in part],
            "color": [ACTION if row.miscalibrated else colour for row in part],
            "symbol": ["diamond" if row.miscalibrated else "circle" for row in part],
        },
        "hovertext": [_hover(row, window_name(row.window_start, row.window_end, zone), share=share) for row in part],
        "customdata": [[row.window_start.isoformat(), row.window_end.isoformat(), row.version] for row in part],
    })  # fmt: skip
    return [timeline.band(windows, low, high, zone, fillcolor=faint(colour, 0.15), legendgroup=name), line]


def _hover(row: CalibrationTestRow, place: str, *, share: bool) -> str:
    figure, difference = (percent, points) if share else (number, signed)
    of = f", {plain(row.version)}" if row.version is not None else ""
    if row.gap is None:
        return f"{plain(place)}{of}<br>{plain(row.reason or '')}"
    return (
        f"<b>{plain(place)}{of}</b><br>mean {'score' if share else 'prediction'} {figure(row.mean_score)}, "
        f"came {figure(row.mean_label)}<br>gap {difference(row.gap)} ({difference(row.gap_ci_low)} to "
        f"{difference(row.gap_ci_high)})<br>p {number(row.gap_p_adjusted)} of the gap, {number(row.p_adjusted)} of the "
        f"{'Spiegelhalter' if share else 'joint'} test, both corrected<br>n = {count(row.n_labelled)} labelled"
    )


def by_gap(rows: Sequence[CalibrationTestRow]) -> list[CalibrationTestRow]:
    """Slices with a gap, the widest first."""
    return sorted((row for row in rows if row.gap is not None), key=lambda row: -abs(row.gap or 0.0))


def gap_by_segment(rows: Sequence[CalibrationTestRow], most: int = MOST_ROWS) -> Figure:
    """A dot and interval for each value of a segment.

    Returns:
        A figure whose points carry ``[segment, segment_value, version]``.
    """
    shown = by_gap(rows)[:most]
    if not shown:
        return empty("No value of the segment has enough labelled rows.")
    share = is_share(shown)
    data = []
    for off in (False, True):
        mine = [(row, place) for place, row in enumerate(shown) if bool(row.miscalibrated) is off]
        if mine:
            data.append(_dots(mine, off=off, share=share))
    labels = [plain(short(str(row.segment_value), 20)) for row in shown]
    more: dict[str, Any] = {
        "xaxis": axis(
            "score minus share true" if share else "predicted minus label", tickformat="+.0%" if share else None,
            showgrid=True, nticks=6, zeroline=True, zerolinecolor=NEUTRAL,
        ),
        "yaxis": axis(
            tickvals=list(range(len(shown))), ticktext=labels, range=[len(shown) - 0.5, -0.5], showgrid=False,
            fixedrange=True,
        ),
    }  # fmt: skip
    more["annotations"] = _column(shown)
    figure = layout(100 + 24 * len(shown), revision="gap by segment", legend=True, **more)
    figure["margin"] |= {"r": 64}
    return {"data": data, "layout": figure}


def _column(rows: Sequence[CalibrationTestRow]) -> list[dict[str, Any]]:
    """Labelled rows at the right end of each line."""
    shared: dict[str, Any] = {
        "xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "showarrow": False,
        "font": {"size": 12, "color": TEXT},
    }  # fmt: skip
    head = shared | {"text": "n", "yref": "paper", "y": 1, "yanchor": "bottom"}
    texts = [
        shared | {"text": count(row.n_labelled), "y": place, "yanchor": "middle"}
        for place, row in enumerate(rows)
    ]
    return [head, *texts]


def gap_by_segment_alt(rows: Sequence[CalibrationTestRow]) -> str:
    """One sentence: how many values fail, and the widest gap."""
    known = by_gap(rows)
    if not known:
        return "No value of the segment has enough labelled rows."
    form = points if is_share(known) else signed
    off = sum(bool(row.miscalibrated) for row in known)
    first = known[0]
    return (
        f"{off} of {plural(len(known), 'value')} are off beyond chance; the widest gap is at "
        f"{first.segment_value}: {form(first.gap)}."
    )


def _dots(mine: list[tuple[CalibrationTestRow, int]], *, off: bool, share: bool) -> Trace:
    colour = ACTION if off else NEUTRAL
    rows = [row for row, _ in mine]
    return clickable({
        "type": "scatter", "mode": "markers", "name": "off beyond chance" if off else "may be chance",
        "x": [row.gap for row in rows], "y": [place for _, place in mine],
        "error_x": {
            "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
            "array": [max(0.0, (row.gap_ci_high or 0.0) - (row.gap or 0.0)) for row in rows],
            "arrayminus": [max(0.0, (row.gap or 0.0) - (row.gap_ci_low or 0.0)) for row in rows],
        },
        "marker": {"symbol": "diamond" if off else "circle", "size": 10 if off else 8, "color": colour},
        "hovertext": [_hover(row, f"{row.segment} = {row.segment_value}", share=share) for row in rows],
        "customdata": [[row.segment, row.segment_value, row.version] for row in rows],
    })  # fmt: skip
