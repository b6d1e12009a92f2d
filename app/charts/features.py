"""What one feature is like: over time, its most frequent values, and its distribution in each group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from analytics.project import Release
from analytics.scope import MISSING
from app.charts import timeline
from app.charts.bins import bin_name, closed
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
    middle,
    plain,
    series_style,
    span_ms,
    time_axis,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import count, in_window, interval, number, percent, plural, short, window_name

MOST_VALUES = 5
MOST_BARS = 12
OTHER = "(other)"
_APART = {MISSING: "missing", "inf": "+∞", "-inf": "−∞", OTHER: "other values"}
_TOP, _BOTTOM = [0.3, 1.0], [0.0, 0.18]


def feature_over_time(
    rows: Sequence[FeatureRow],
    releases: Sequence[Release] = (),
    reference: FeatureRow | None = None,
    *,
    zone: ZoneInfo,
) -> Figure:
    """A number over time: where 90 % of the rows lie, median, mean with its interval; under it what is missing.

    Args:
        rows: one numeric field of one version, a row a window.
        releases: drawn where they fall inside the windows.
        reference: the same in the reference, drawn in grey.
        zone: of the time axis.

    Returns:
        A figure whose points carry ``[window_start, window_end, version]``.
    """
    rows = sorted(rows, key=lambda row: row.window_start)
    if not any(row.p50 is not None for row in rows):
        return empty("No window has enough values to describe.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    x = [middle(*window, zone) for window in windows]
    hover = [_hover(row, zone) for row in rows]
    custom = [_custom(row) for row in rows]
    colour = SERIES[0]
    spread = timeline.band(windows, [r.p05 for r in rows], [r.p95 for r in rows], zone, name="5% to 95% of rows",
                           fillcolor=faint(colour, 0.13))  # fmt: skip
    around = timeline.band(windows, [r.mean_ci_low for r in rows], [r.mean_ci_high for r in rows], zone,
                           fillcolor=faint(SERIES[1], 0.35))  # fmt: skip
    ends = ([row.mean_ci_low for row in rows], [row.mean_ci_high for row in rows])
    shared = {"type": "scatter", "x": x, "hovertext": hover, "customdata": custom, "connectgaps": False}
    median = clickable({**shared, "mode": "lines+markers", "name": "median", "y": [row.p50 for row in rows],
                        "line": {"color": colour, "width": 2}, "marker": {"size": 6, "color": colour}})  # fmt: skip
    mean = clickable({
        **shared, "mode": "lines+markers" if len(rows) == 1 else "lines", "name": "mean, with its interval",
        "y": [row.mean for row in rows], "line": {"color": SERIES[1], "width": 1.5, "dash": "dash"},
        "error_y": timeline.whiskers([row.mean for row in rows], *ends) | {"color": SERIES[1]},
    })  # fmt: skip
    data: list[Trace] = [
        spread | {"showlegend": True},
        around,
        mean,
        median,
        _missing(rows, windows, zone, hover),
    ]
    marks = timeline.releases_as_marks(releases, windows, zone)
    shapes = [*_reference_shapes(reference), *marks.shapes]
    figure = layout(340 + 14 * marks.rows, revision=f"{rows[0].feature} {windows[0]} {windows[-1]}", legend=True,
                    shapes=shapes, annotations=marks.annotations, **_axes(windows, zone))  # fmt: skip
    timeline.make_room(figure, marks, legend=True)
    return {"data": data, "layout": figure}


def feature_over_time_alt(rows: Sequence[FeatureRow], *, zone: ZoneInfo) -> str:
    """One sentence: the newest median and spread, the extremes of the median, and most missing."""
    known = [row for row in rows if row.p50 is not None]
    if not known:
        return "No window has enough values to describe."
    newest = max(known, key=lambda row: row.window_end)
    low, high = (pick(known, key=lambda row: row.p50 or 0.0) for pick in (min, max))
    gone = max(known, key=lambda row: row.missing_rate or 0.0)
    text = (
        f"{newest.feature}, newest {in_window(newest.window_start, newest.window_end, zone)}: median "
        f"{number(newest.p50)}, 90% of rows from {number(newest.p05)} to {number(newest.p95)}"
    )
    if len(known) > 1:
        text += (
            f"; lowest median {number(low.p50)} {in_window(low.window_start, low.window_end, zone)}, highest "
            f"{number(high.p50)} {in_window(high.window_start, high.window_end, zone)}"
        )
    if gone.missing_rate:
        text += f"; most missing {percent(gone.missing_rate)} {in_window(gone.window_start, gone.window_end, zone)}"
    return f"{text}."


def top_values_over_time(rows: Sequence[GroupBinRow], *, zone: ZoneInfo) -> Figure:
    """Shares of the most frequent values over time, stacked; the others together, missing apart.

    Args:
        rows: all bins of one field of one version, by window.
        zone: of the time axis.

    Returns:
        A figure whose bars carry ``[value, window_start, window_end]``.
    """
    names, shares, windows = _stack(rows)
    if not names:
        return empty("No window has values to describe.")
    x = [middle(*window, zone) for window in windows]
    data = []
    for index, name in enumerate(names):
        colour = {MISSING: faint(NEUTRAL, 0.35), OTHER: faint(NEUTRAL, 0.75)}.get(
            name, SERIES[index % len(SERIES)]
        )
        shown = _APART.get(name, name)
        data.append(clickable({
            "type": "bar", "name": plain(short(shown)), "x": x, "y": [shares[window].get(name) for window in windows],
            "width": [span_ms(*window, zone) * 0.9 for window in windows],
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertext": [
                f"<b>{plain(shown)}</b>, {window_name(*window, zone)}<br>{percent(shares[window].get(name))}"
                for window in windows
            ],
            "customdata": [[name, window.start.isoformat(), window.end.isoformat()] for window in windows],
        }))  # fmt: skip
    x_axis = time_axis(windows[0].start, windows[-1].end, zone)
    y_axis = axis("share of rows", tickformat=".0%", range=[0, 1])
    figure = layout(WIDE, revision=rows[0].feature, legend=True, barmode="stack", xaxis=x_axis, yaxis=y_axis)
    return {"data": data, "layout": figure}


def top_values_alt(rows: Sequence[GroupBinRow], *, zone: ZoneInfo) -> str:
    """One sentence: the most frequent values of the newest window."""
    names, shares, windows = _stack(rows)
    held = [window for window in windows if shares[window]]
    if not names or not held:
        return "No window has values to describe."
    newest = shares[held[-1]]
    most = sorted(
        (name for name in names if name not in _APART), key=lambda name: -(newest.get(name) or 0.0)
    )[:3]
    said = ", ".join(f"{name} {percent(newest.get(name))}" for name in most) or "nothing but missing values"
    return f"{rows[0].feature}, newest {in_window(*held[-1], zone)}: {said}."


def _stack(
    rows: Sequence[GroupBinRow],
) -> tuple[list[str], dict[Window, dict[str, float]], list[Window]]:
    """Names of the layers from below, their shares by window, and the windows in order."""
    weight: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.bin not in _APART:
            weight[row.bin] += row.share or 0.0
    named = [name for name in sorted(weight, key=lambda name: (-weight[name], name)) if weight[name] > 0]
    kept = set(named[:MOST_VALUES])
    shares: dict[Window, dict[str, float]] = {}
    for row in rows:
        cell = shares.setdefault(Window(row.window_start, row.window_end), {})
        if row.share is not None:
            name = row.bin if row.bin in kept or row.bin == MISSING else OTHER
            cell[name] = cell.get(name, 0.0) + row.share
    rest = [name for name in (OTHER, MISSING) if any(cell.get(name) for cell in shares.values())]
    return [*named[:MOST_VALUES], *rest], shares, sorted(shares)


def by_group(rows: Sequence[GroupBinRow]) -> Figure:
    """One feature in each group: numbers as density, a line a group; categories as bars.

    Args:
        rows: all bins of one field, window and version, by group.

    Returns:
        A figure whose marks carry ``[bin, bin_low, bin_high, group value]``.
    """
    rows = [row for row in rows if row.n and row.share is not None]
    if not rows:
        return empty("No group has rows.")
    groups = list(dict.fromkeys(row.group_value or "all" for row in rows))
    numeric = any(row.bin_low is not None or row.bin_high is not None for row in rows)
    return _lines(rows, groups) if numeric else _bars(rows, groups)


def by_group_alt(rows: Sequence[GroupBinRow]) -> str:
    """One sentence: the bin in which two groups differ most."""
    rows = [row for row in rows if row.n and row.share is not None]
    groups = list(dict.fromkeys(row.group_value or "all" for row in rows))
    if len(groups) < 2:
        return f"{rows[0].feature}: one group only." if rows else "No group has rows."
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        shares[row.bin][row.group_value or "all"] = row.share or 0.0
    gaps = {name: max(held.values()) - min(held.values()) for name, held in shares.items() if len(held) > 1}
    name = max(gaps, key=lambda one: gaps[one])
    held = shares[name]
    most, least = max(held, key=lambda one: held[one]), min(held, key=lambda one: held[one])
    return (
        f"{rows[0].feature} in {plural(len(groups), 'group')}: they differ most at {_APART.get(name, name)}, which "
        f"{percent(held[most])} of {most} and {percent(held[least])} of {least} have."
    )


def _lines(rows: list[GroupBinRow], groups: list[str]) -> Figure:
    values = [row for row in rows if row.bin not in _APART]
    data: list[Trace] = []
    for index, group in enumerate(groups):
        mine = [row for row in values if (row.group_value or "all") == group]
        low, high = closed(
            [float("-inf") if row.bin_low is None else row.bin_low for row in mine],
            [float("inf") if row.bin_high is None else row.bin_high for row in mine],
        )
        reach = float(high.max() - low.min()) or 1.0
        # a value with a bin of its own has no width: it is drawn a hundredth of the axis wide
        width = [max(float(b - a), reach / 100) for a, b in zip(low, high, strict=True)]
        colour, dash = series_style(index)
        data.append(clickable({
            "type": "scatter", "mode": "lines+markers", "name": plain(group), "legendgroup": group,
            "x": [float(a + b) / 2 for a, b in zip(low, high, strict=True)],
            "y": [(row.share or 0.0) / w for row, w in zip(mine, width, strict=True)],
            "line": {"color": colour, "width": 2, "dash": dash, "shape": "hvh"}, "marker": {"size": 5, "color": colour},
            "hovertext": [_bin_hover(row) for row in mine], "customdata": [_bin_custom(row) for row in mine],
        }))  # fmt: skip
    x_axis = axis(plain(rows[0].feature), showgrid=False)
    y_axis = axis("share of rows per unit", rangemode="tozero", nticks=5, exponentformat="power")
    return {
        "data": data,
        "layout": layout(WIDE, revision=rows[0].feature, legend=True, xaxis=x_axis, yaxis=y_axis),
    }


def _bars(rows: list[GroupBinRow], groups: list[str]) -> Figure:
    most: dict[str, float] = defaultdict(float)
    for row in rows:
        most[row.bin] = max(most[row.bin], row.share or 0.0)
    plainly = sorted((name for name in most if name not in _APART), key=lambda name: (-most[name], name))
    shown = plainly[:MOST_BARS] + [name for name in most if name in _APART and most[name] > 0]
    thick = 0.8 / len(groups)
    data = []
    for index, group in enumerate(groups):
        mine = {row.bin: row for row in rows if (row.group_value or "all") == group}
        held = [(place, mine[name]) for place, name in enumerate(shown) if name in mine]
        colour, _ = series_style(index)
        data.append(clickable({
            "type": "bar", "orientation": "h", "name": plain(group), "x": [row.share for _, row in held],
            "y": [place - 0.4 + thick * index for place, _ in held], "width": thick * 0.92, "offset": 0,
            "marker": {"color": faint(colour, 0.75), "line": {"width": 0}},
            "hovertext": [_bin_hover(row) for _, row in held], "customdata": [_bin_custom(row) for _, row in held],
        }))  # fmt: skip
    names = [plain(short(_APART.get(name, name))) for name in shown]
    y_axis = axis(tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.5, -0.5], showgrid=False,
                  fixedrange=True)  # fmt: skip
    x_axis = axis("share of the group's rows", tickformat=".3~%", rangemode="tozero", showgrid=True)
    height = 90 + max(26, 11 * len(groups)) * len(shown)
    return {
        "data": data,
        "layout": layout(height, revision=rows[0].feature, legend=True, xaxis=x_axis, yaxis=y_axis),
    }


def _missing(
    rows: Sequence[FeatureRow], windows: Sequence[Window], zone: ZoneInfo, hover: list[str]
) -> Trace:
    """Thin bars of the missing share under the line."""
    bars = timeline.count_bars(windows, [0] * len(rows), zone)
    return clickable(bars | {"y": [row.missing_rate for row in rows], "hovertext": hover,
                             "customdata": [_custom(row) for row in rows]})  # fmt: skip


def _axes(windows: Sequence[Window], zone: ZoneInfo) -> dict[str, Any]:
    shared = time_axis(min(w.start for w in windows), max(w.end for w in windows), zone, anchor="y2")
    gone = axis("missing", domain=_BOTTOM, rangemode="tozero", nticks=2, tickformat=".3~%", showgrid=False)
    return {"xaxis": shared, "yaxis": axis(domain=_TOP), "yaxis2": gone}


def _reference_shapes(reference: FeatureRow | None) -> list[dict[str, Any]]:
    if reference is None or reference.p05 is None:
        return []
    whole = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y", "layer": "below"}
    return [
        {"type": "rect", "y0": reference.p05, "y1": reference.p95, **whole,
         "fillcolor": faint(NEUTRAL, 0.16), "line": {"width": 0}},
        {"type": "line", "y0": reference.p50, "y1": reference.p50, **whole,
         "line": {"color": NEUTRAL, "width": 1, "dash": "dash"}},
    ]  # fmt: skip


def _custom(row: FeatureRow) -> list[str | None]:
    return [row.window_start.isoformat(), row.window_end.isoformat(), row.version]


def _hover(row: FeatureRow, zone: ZoneInfo) -> str:
    head = f"<b>{plain(row.feature)}</b>, {window_name(row.window_start, row.window_end, zone)}"
    if row.status != "ok":
        return f"{head}<br>{plain(row.reason or '')}"
    gone = interval(row.missing_rate_ci_low, row.missing_rate_ci_high, share=True)
    return "<br>".join([
        head,
        f"median {number(row.p50)}, 90% of rows from {number(row.p05)} to {number(row.p95)}",
        f"mean {number(row.mean)} ({interval(row.mean_ci_low, row.mean_ci_high)})",
        f"missing {percent(row.missing_rate)} ({gone})",
        f"n = {count(row.n)}",
    ])  # fmt: skip


def _bin_hover(row: GroupBinRow) -> str:
    name = _APART.get(row.bin, row.bin)
    if row.bin not in _APART and (row.bin_low is not None or row.bin_high is not None):
        low = float("-inf") if row.bin_low is None else row.bin_low
        high = float("inf") if row.bin_high is None else row.bin_high
        name = f"= {low:.6g}" if low == high else bin_name(low, high)
    return f"<b>{plain(name)}</b><br>{plain(row.group_value or 'all')}: {percent(row.share)} of {count(row.n)} rows"


def _bin_custom(row: GroupBinRow) -> list[Any]:
    return [row.bin, row.bin_low, row.bin_high, row.group_value]
