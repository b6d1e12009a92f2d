"""A metric of the product over time: intervals, target, releases and how many units stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.outcomes.rows import OutcomeRow
from analytics.project import SHARES, Release
from app.charts import timeline
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    layout,
    middle,
    plain,
    series_style,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, window_name
from app.headlines.outcomes import newest_of, shown, with_interval

SHARE = ".3~%"
Key = tuple[str | None, str | None]


def outcome_over_time(
    rows: Sequence[OutcomeRow],
    releases: Sequence[Release] = (),
    *,
    zone: ZoneInfo,
    versions: Sequence[str | None] = (),
) -> Figure:
    """One metric over time, a line per version and segment value.

    Args:
        rows: of one metric.
        releases: drawn where they fall inside the windows.
        zone: of the time axis.
        versions: all versions of the project in their order, so that a version keeps its colour.
    """
    if not any(row.value is not None for row in rows):
        reason = next((row.reason for row in rows if row.reason), "There are no windows to draw.")
        return empty(reason[:1].upper() + reason[1:])
    windows = sorted({Window(row.window_start, row.window_end) for row in rows})
    grouped = _lines(rows, versions)
    marks = timeline.releases_as_marks(releases, windows, zone)
    data: list[Trace] = []
    for index, key, part in grouped:
        data += _line(part, _name(key), index, zone)
    for place, (_, _, part) in enumerate(grouped):
        bars = timeline.count_bars(_windows(part), [row.n for row in part], zone, place=(place, len(grouped)))
        data.append(clickable({**bars, "hovertext": [_hover(row, "", zone) for row in part]}))
    young = sorted({Window(row.window_start, row.window_end) for row in rows if row.status == "immature"})
    if young:
        data.append(timeline.hatching(young, zone) | {"showlegend": True, "name": "not whole yet"})
    legend = len(grouped) > 1 or bool(young)
    value_axis = axis(**({"tickformat": SHARE} if rows[0].kind in SHARES else {}))
    more = timeline.axes(windows, zone, value_axis, "readings" if rows[0].source == "series" else "units")
    target = _target(rows[0])
    figure = layout(
        320 + 14 * marks.rows, revision=f"{rows[0].metric} {windows[0]} {windows[-1]}", legend=legend,
        shapes=[*(target[0] if target else []), *marks.shapes],
        annotations=[*(target[1] if target else []), *marks.annotations], **more,
    )  # fmt: skip
    timeline.make_room(figure, marks, legend=legend)
    return {"data": data, "layout": figure}


def outcome_alt(rows: Sequence[OutcomeRow], *, zone: ZoneInfo) -> str:
    """One sentence: the newest whole window, the extremes, and the target."""
    known = [row for row in rows if row.value is not None]
    newest = newest_of(rows, rows[0].metric) if rows else None
    if newest is None or not known:
        return "No value can be drawn in these windows."
    low, high = (pick(known, key=lambda row: row.value or 0.0) for pick in (min, max))
    text = f"{newest.metric}, newest {in_window(newest.window_start, newest.window_end, zone)}: {with_interval(newest)}"
    if len(known) > 1:
        text += (
            f"; lowest {shown(low, low.value)} {in_window(low.window_start, low.window_end, zone)}, "
            f"highest {shown(high, high.value)} {in_window(high.window_start, high.window_end, zone)}"
        )
    return f"{text}; target {shown(newest, newest.target)}." if newest.target is not None else f"{text}."


def _lines(
    rows: Sequence[OutcomeRow], versions: Sequence[str | None]
) -> list[tuple[int, Key, list[OutcomeRow]]]:
    """Lines that have a value, each with the number of its colour."""
    keys = list(dict.fromkeys((row.version, row.segment_value) for row in rows))
    order = [version for version in versions if version is not None]
    found = []
    for place, key in enumerate(keys):
        part = [row for row in rows if (row.version, row.segment_value) == key]
        if any(row.value is not None for row in part):
            index = order.index(key[0]) if key[0] in order and key[1] is None else place
            found.append((index, key, part))
    return found


def _name(key: Key) -> str:
    return plain(", ".join(part for part in key if part is not None))


def _windows(part: Sequence[OutcomeRow]) -> list[Window]:
    return [Window(row.window_start, row.window_end) for row in part]


def _line(part: list[OutcomeRow], name: str, index: int, zone: ZoneInfo) -> list[Trace]:
    colour, dash = series_style(index)
    windows = _windows(part)
    values, low, high = ([getattr(row, field) for row in part] for field in ("value", "ci_low", "ci_high"))
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": name, "legendgroup": name,
        "x": [middle(*window, zone) for window in windows], "y": values, "connectgaps": False,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {
            "size": [11 if row.reached == "missed" else 6 for row in part],
            "symbol": ["diamond" if row.reached == "missed" else "circle" for row in part],
            "line": {"color": colour, "width": 1.5},
            "color": [PAPER if row.status == "immature" else colour for row in part],
        },
        "error_y": timeline.whiskers(values, low, high) | {"color": colour},
        "hovertext": [_hover(row, name, zone) for row in part],
        "customdata": [[row.window_start.isoformat(), row.window_end.isoformat(), row.version] for row in part],
    })  # fmt: skip
    return [timeline.band(windows, low, high, zone, fillcolor=faint(colour, 0.18), legendgroup=name), line]


def _hover(row: OutcomeRow, name: str, zone: ZoneInfo) -> str:
    lines = [window_name(row.window_start, row.window_end, zone)]
    lines += [f"<b>{name}</b>"] if name else []
    lines.append(f"{plain(row.metric)} {with_interval(row)}")
    of = "readings" if row.source == "series" else f"units, {count(row.n_rows)} rows"
    lines.append(f"n = {count(row.n)} {of}")
    if row.target is not None and row.reached is not None:
        lines.append(f"target {shown(row, row.target)}: {REACHED[row.reached]}")
    lines += [STATUS_WORDS[row.status]] if row.status != "ok" else []
    return "<br>".join(lines)


REACHED = {"met": "met", "missed": "missed", "unclear": "cannot be told"}


def _target(row: OutcomeRow) -> tuple[list[dict[str, object]], list[dict[str, object]]] | None:
    if row.target is None:
        return None
    line = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": row.target, "y1": row.target,
        "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash"},
    }  # fmt: skip
    side = "at least" if row.direction == "up" else "at most"
    label = {
        "xref": "paper", "x": 0, "xanchor": "left", "yref": "y", "y": row.target,
        "yanchor": "top" if row.direction == "up" else "bottom",
        "text": f"target: {side} {shown(row, row.target)}", "showarrow": False, "font": {"size": 11, "color": TEXT},
    }  # fmt: skip
    return [line], [label]
