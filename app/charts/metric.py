"""A metric over time, and the small one of the overview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from analytics.project import Release
from analytics.quality.rows import MetricRow
from app.charts import timeline
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    in_order,
    layout,
    middle,
    plain,
    series_style,
    tick_format,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, interval, window_name
from app.glossary import show, title, unit

References = MetricRow | Sequence[MetricRow] | None
__all__ = ["metric_over_time", "metric_over_time_alt", "show", "small_metric"]

_KEY = tuple[str | None, str | None, str | None]


def metric_over_time(
    rows: Sequence[MetricRow],
    releases: Sequence[Release] = (),
    reference: References = None,
    *,
    zone: ZoneInfo,
    versions: Sequence[str | None] = (),
) -> Figure:
    """One metric over time, a line per version (and segment value), with bands, n, releases and reference.

    Args:
        rows: of one metric.
        releases: drawn where they fall inside the windows.
        reference: the same metric in the reference; one row a version, or only that of the chosen one.
        zone: of the time axis.
        versions: all versions of the project in their order, so that a version keeps its colour.

    Returns:
        A figure whose points carry ``[window_start, window_end, version, segment value]`` as customdata,
        instants
        as ISO 8601 in UTC.
    """
    if not rows:
        return empty("There are no windows to draw.")
    grouped = _series(rows, versions)
    windows = sorted({Window(row.window_start, row.window_end) for row in rows})
    marks = timeline.releases_as_marks(releases, windows, zone)
    several = len(grouped) > 1
    drawn = [(index, key, part) for index, (key, part) in enumerate(grouped.items()) if part]
    data = [trace for index, key, part in drawn for trace in _line(part, _name(key, rows), index, zone)]
    for place, (_, _, part) in enumerate(drawn):
        data.append(_counts(part, (place, len(drawn)), zone))
    immature = sorted({Window(row.window_start, row.window_end) for row in rows if row.status == "immature"})
    if immature:
        data.append(timeline.hatching(immature, zone) | {"showlegend": True})
    references = _reference_rows(reference)
    shapes = [*_reference_shapes(references, [key[0] for key in grouped]), *marks.shapes]
    legend = (several and len(drawn) > 1) or bool(immature)
    value_axis = axis(tickformat=tick_format(unit(rows[0].metric)))
    more = timeline.axes(windows, zone, value_axis, "n")
    figure = layout(320 + 14 * marks.rows, revision=f"{rows[0].metric} {windows[0]} {windows[-1]}",
    legend=legend,
                    shapes=shapes, annotations=marks.annotations, **more)  # fmt: skip
    timeline.make_room(figure, marks, legend=legend)
    return {"data": data, "layout": figure}


def metric_over_time_alt(rows: Sequence[MetricRow], reference: References = None, *, zone: ZoneInfo) -> str:
    """One sentence: from when to when, the newest value, the extremes, the reference."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No value can be drawn in these windows."
    newest = max(known, key=lambda row: row.window_end)
    low, high = (pick(known, key=lambda row: row.value or 0.0) for pick in (min, max))
    when = in_window(newest.window_start, newest.window_end, zone)
    text = f"{title(newest.metric)}, newest {when}: {_value(newest)}"
    if len(known) > 1:
        text += (
            f"; lowest {show(low.metric, low.value)} {in_window(low.window_start, low.window_end, zone)}"
            f", highest {show(high.metric, high.value)} {in_window(high.window_start, high.window_end, zone)}"
        )
    against = next((row for row in _reference_rows(reference) if row.version == newest.version), None)
    return f"{text}; reference {_value(against)}." if against and against.value is not None else f"{text}."


def small_metric(rows: Sequence[MetricRow], *, zone: ZoneInfo) -> Figure:
    """A metric's last windows as a small line with its band and a dot on the newest; no axes."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return empty("nothing to draw", 64)
    windows = [Window(row.window_start, row.window_end) for row in rows]
    values = [row.value for row in rows]
    colour = series_style(0)[0]
    newest = known[-1]
    data: list[Trace] = [
        timeline.band(windows, [r.ci_low for r in rows], [r.ci_high for r in rows], zone,
        fillcolor=faint(colour, 0.2)),
        clickable({
            "type": "scatter", "mode": "lines", "x": [middle(*window, zone) for window in windows],
            "y": values,
            "line": {"color": colour, "width": 1.5}, "hovertext": [_hover(row, "", zone) for row in rows],
        }),
        {
            "type": "scatter", "mode": "markers", "x": [middle(newest.window_start, newest.window_end, zone)],
            "y": [newest.value], "marker": {"color": colour, "size": 6}, "hoverinfo": "skip",
        },
    ]  # fmt: skip
    bare = {"visible": False, "fixedrange": True}
    figure = layout(64, revision=newest.metric, xaxis={**bare, "type": "date"}, yaxis=bare)
    return {"data": data, "layout": figure | {"margin": {"l": 4, "r": 8, "t": 4, "b": 4}}}


def _value(row: MetricRow) -> str:
    limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
    return f"{show(row.metric, row.value)} ({limits})"


def _series(rows: Sequence[MetricRow], versions: Sequence[str | None]) -> dict[_KEY, list[MetricRow]]:
    keys = dict.fromkeys((row.version, row.segment_value, row.class_) for row in rows)
    ordered = in_order([key[0] for key in keys], versions)
    grouped: dict[_KEY, list[MetricRow]] = {}
    for version in ordered:
        # a version that is not shown still keeps its colour from the next one
        mine = [key for key in keys if key[0] == version] or [(version, None, None)]
        for key in mine:
            part = [row for row in rows if (row.version, row.segment_value, row.class_) == key]
            grouped[key] = sorted(part, key=lambda row: row.window_start)
    return grouped


def _name(key: _KEY, rows: Sequence[MetricRow]) -> str:
    fields = ("version", "segment_value", "class_")
    varying = [
        part
        for field, part in zip(fields, key, strict=True)
        if len({getattr(row, field) for row in rows}) > 1
    ]
    return ", ".join(plain(part if part is not None else "all") for part in varying) or plain(key[0] or "")


def _line(part: list[MetricRow], name: str, index: int, zone: ZoneInfo) -> list[Trace]:
    colour, dash = series_style(index)
    windows = [Window(row.window_start, row.window_end) for row in part]
    values, low, high = ([getattr(row, field) for row in part] for field in ("value", "ci_low", "ci_high"))
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": name, "legendgroup": name,
        "x": [middle(*window, zone) for window in windows], "y": values, "connectgaps": False,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {
            "size": [6 if len(part) > 60 else 7] * len(part), "line": {"color": colour, "width": 1.5},
            "color": [PAPER if row.status == "immature" else colour for row in part],
        },
        "error_y": timeline.whiskers(values, low, high) | {"color": colour},
        "hovertext": [_hover(row, name, zone) for row in part], "customdata": [_custom(row) for row in part],
    })  # fmt: skip
    area = timeline.band(windows, low, high, zone, fillcolor=faint(colour, 0.18), legendgroup=name)
    return [area, line]


def _counts(part: list[MetricRow], place: tuple[int, int], zone: ZoneInfo) -> Trace:
    windows = [Window(row.window_start, row.window_end) for row in part]
    hover = [
        f"{window_name(*window, zone)}<br>n = {count(row.n_labelled)} labelled of {count(row.n)}"
        for window, row in zip(windows, part, strict=True)
    ]
    bars = timeline.count_bars(windows, [row.n_labelled for row in part], zone, place=place)
    return clickable({**bars, "hovertext": hover, "customdata": [_custom(row) for row in part]})


def _custom(row: MetricRow) -> list[str | None]:
    return [row.window_start.isoformat(), row.window_end.isoformat(), row.version, row.segment_value]


def _hover(row: MetricRow, name: str, zone: ZoneInfo) -> str:
    lines = [window_name(row.window_start, row.window_end, zone)]
    lines += [f"<b>{name}</b>"] if name else []
    lines.append(f"{title(row.metric)} {_value(row)}")
    lines.append(f"n = {count(row.n_labelled)} labelled of {count(row.n)}")
    lines += [STATUS_WORDS[row.status]] if row.status != "ok" else []
    return "<br>".join(lines)


def _reference_rows(reference: References) -> list[MetricRow]:
    rows = [reference] if isinstance(reference, MetricRow) else list(reference or ())
    return [row for row in rows if row.value is not None]


def _reference_shapes(references: list[MetricRow], versions: list[str | None]) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    for row in references:
        alone = len(references) == 1
        place = versions.index(row.version) if row.version in versions else 0
        colour = NEUTRAL if alone else series_style(place)[0]
        whole = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
        if row.ci_low is not None and row.ci_high is not None:
            fill = {"fillcolor": faint(colour, 0.22 if alone else 0.08), "line": {"width": 0}}
            shapes.append({"type": "rect", "y0": row.ci_low, "y1": row.ci_high, **whole, **fill})
        line = {"color": colour, "width": 1, "dash": "dash"}
        shapes.append({"type": "line", "y0": row.value, "y1": row.value, **whole, "line": line})
    return shapes
