"""Labels: coverage over time, the curve of arrivals, who gets one, and metrics weighted for those to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from analytics.labels.rows import LabelChangeRow, LabelCoverageRow, LabelDelayRow, LabelRow, LateMetricRow
from app.charts import timeline
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    guide,
    layout,
    middle,
    plain,
    tick_format,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, interval, percent, stretch, window_name
from app.glossary import show, title, unit
from app.headlines.labels import lasting

SHARE = ".3~%"


def coverage_over_time(rows: Sequence[LabelRow], *, zone: ZoneInfo) -> Figure:
    """Coverage of one version by window, what was expected, and which windows still wait."""
    if not any(row.coverage is not None for row in rows):
        return empty("No window has predictions.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    x = [middle(*window, zone) for window in windows]
    expected = [row.expected_coverage for row in rows]
    low, high = ([getattr(row, f"expected_ci_{end}") for row in rows] for end in ("low", "high"))
    data: list[Trace] = [
        timeline.band(windows, low, high, zone, fillcolor=faint(NEUTRAL, 0.22)),
        guide(x, expected, name="expected by now", showlegend=True, connectgaps=False),
    ]
    values = [row.coverage for row in rows]
    low, high = [row.ci_low for row in rows], [row.ci_high for row in rows]
    colour = SERIES[0]
    marker = {
        "size": [11 if row.short else 7 for row in rows],
        "symbol": ["diamond" if row.short else "circle" for row in rows],
        "color": ["rgba(0,0,0,0)" if row.status == "immature" else colour for row in rows],
        "line": {"color": colour, "width": 1.5},
    }
    data.append(timeline.band(windows, low, high, zone, fillcolor=faint(colour, 0.18)))
    data.append(clickable({
        "type": "scatter", "mode": "lines+markers", "name": "with a label", "x": x, "y": values,
        "connectgaps": False, "line": {"color": colour, "width": 2}, "marker": marker,
        "error_y": timeline.whiskers(values, low, high) | {"color": colour},
        "hovertext": [_coverage_hover(row, zone) for row in rows], "customdata": [_custom(row) for row in rows],
    }))  # fmt: skip
    bars = timeline.count_bars(windows, [row.n for row in rows], zone)
    data.append(clickable({**bars, "hovertext": [_coverage_hover(row, zone) for row in rows]}))
    young = [Window(row.window_start, row.window_end) for row in rows if row.status == "immature"]
    if young:
        data.append(timeline.hatching(young, zone) | {"showlegend": True})
    more = timeline.axes(windows, zone, axis(tickformat=SHARE), "n")
    return {"data": data, "layout": layout(320, revision=f"coverage {windows[0]}", legend=True, **more)}


def coverage_alt(rows: Sequence[LabelRow], *, zone: ZoneInfo) -> str:
    """One sentence: newest coverage against expected, the lowest, and how many windows wait."""
    known = [row for row in rows if row.coverage is not None]
    if not known:
        return "No window has predictions."
    newest, low = known[-1], min(known, key=lambda row: row.coverage or 0.0)
    text = (
        f"Predictions with a label, newest {in_window(newest.window_start, newest.window_end, zone)}: "
        f"{percent(newest.coverage)}, expected {percent(newest.expected_coverage)}; lowest {percent(low.coverage)} "
        f"{in_window(low.window_start, low.window_end, zone)}"
    )
    waiting = sum(row.status == "immature" for row in rows)
    return f"{text}; {waiting} of {len(rows)} windows still wait for labels."


def _coverage_hover(row: LabelRow, zone: ZoneInfo) -> str:
    lines = [
        window_name(row.window_start, row.window_end, zone),
        f"{percent(row.coverage)} with a label ({interval(row.ci_low, row.ci_high, share=True)})",
        f"n = {count(row.n_labelled)} of {count(row.n)}",
        f"expected by now {percent(row.expected_coverage)}",
        f"median delay {lasting(row.delay_p50_seconds)}",
    ]
    lines += [STATUS_WORDS[row.status]] if row.status != "ok" else []
    return "<br>".join(lines)


def _custom(row: LabelRow | LateMetricRow) -> list[str | None]:
    return [row.window_start.isoformat(), row.window_end.isoformat(), row.version]


def _scale(seconds: float) -> tuple[float, str]:
    for size, name in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 3 * size:
            return size, name
    return 1.0, "seconds"


def delay_curve(rows: Sequence[LabelDelayRow]) -> Figure:
    """The share of predictions with a label by the time since the prediction."""
    if not rows:
        return empty("Too few predictions were followed for a curve.")
    reach = (
        max((row.seconds for row in rows if (row.arrived_of_ever or 0) < 0.995), default=rows[-1].seconds)
        * 1.3
    )
    size, name = _scale(reach)
    shown = [row for row in rows if row.seconds <= reach] or list(rows[:1])
    x = [0.0, *(row.seconds / size for row in shown), reach / size]
    values = [0.0, *(row.arrived for row in shown), shown[-1].arrived]
    low = [0.0, *(row.ci_low for row in shown), shown[-1].ci_low]
    high = [0.0, *(row.ci_high for row in shown), shown[-1].ci_high]
    colour = SERIES[0]
    step: dict[str, Any] = {"color": colour, "width": 2, "shape": "linear"}
    plateau = rows[-1].arrived
    hover = ["", *(_delay_hover(row) for row in shown), _delay_hover(shown[-1])]
    data: list[Trace] = [
        {
            "type": "scatter", "x": [*x, *reversed(x)], "y": [*high, *reversed(low)], "fill": "toself",
            "fillcolor": faint(colour, 0.18), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False,
        },
        guide([0, reach / size], [plateau, plateau]),
        clickable({"type": "scatter", "mode": "lines", "x": x, "y": values, "line": step, "hovertext": hover}),
    ]  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis(f"{name} after the prediction", rangemode="tozero"),
        "yaxis": axis(tickformat=SHARE),
    }
    more["yaxis"]["range"] = [0, 1.02]
    return {"data": data, "layout": layout(300, revision="delay", **more)}


def delay_alt(rows: Sequence[LabelDelayRow]) -> str:
    """One sentence: when half and 95% of the labels that ever come have come, and how many ever do."""
    if not rows:
        return "Too few predictions were followed for a curve."
    half, most = (
        next((row.seconds for row in rows if (row.arrived_of_ever or 0) >= share), None)
        for share in (0.5, 0.95)
    )
    return (
        f"{percent(rows[-1].arrived)} of predictions ever get a label; half of these within {lasting(half)}, "
        f"95% within {lasting(most)}."
    )


def _delay_hover(row: LabelDelayRow) -> str:
    return (
        f"within {lasting(row.seconds)}<br>{percent(row.arrived)} ({interval(row.ci_low, row.ci_high, share=True)})"
        f"<br>{percent(row.arrived_of_ever)} of those that ever come<br>{percent(row.later)} come later"
    )


def selection_bars(rows: Sequence[LabelCoverageRow]) -> Figure:
    """Coverage by decision or by score bin, with its interval."""
    known = [row for row in rows if row.coverage is not None]
    if not known:
        return empty("Too few rows to say.")
    places = list(range(len(known)))
    whisker = {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": SERIES[0],
        "array": [(row.ci_high or 0) - (row.coverage or 0) for row in known],
        "arrayminus": [(row.coverage or 0) - (row.ci_low or 0) for row in known],
    }  # fmt: skip
    points = clickable({
        "type": "scatter", "mode": "markers", "x": [row.coverage for row in known], "y": places, "error_x": whisker,
        "marker": {
            "color": SERIES[0], "size": [11 if row.selected else 8 for row in known],
            "symbol": ["diamond" if row.selected else "circle" for row in known],
        },
        "hovertext": [_selection_hover(row) for row in known], "customdata": [[row.by, row.group] for row in known],
    })  # fmt: skip
    names = [plain(f"{row.by} {stretch(row.group)}") for row in known]
    y_axis = axis(
        tickvals=places, ticktext=names, range=[len(known) - 0.5, -0.5], showgrid=False, fixedrange=True
    )
    more: dict[str, Any] = {"xaxis": axis(tickformat=SHARE, nticks=6), "yaxis": y_axis}
    return {"data": [points], "layout": layout(80 + 26 * len(known), revision="selection", **more)}


def selection_alt(rows: Sequence[LabelCoverageRow]) -> str:
    """One sentence: which groups get fewer labels than the others."""
    known = [row for row in rows if row.coverage is not None]
    if not known:
        return "Too few rows to say who gets a label."
    chosen = [row for row in known if row.selected]
    if not chosen:
        return "Labels come alike for every decision and score, within 5 points."
    least = min(chosen, key=lambda row: row.coverage or 0.0)
    return (
        f"Labels are selected: {percent(least.coverage)} of predictions with {least.by} "
        f"{stretch(least.group)} get one, "
        f"{percent((least.coverage or 0) - (least.difference or 0))} of the others."
    )


def _selection_hover(row: LabelCoverageRow) -> str:
    return (
        f"{plain(row.by)} {plain(stretch(row.group))}<br>{percent(row.coverage)} "
        f"({interval(row.ci_low, row.ci_high, share=True)})<br>n = {count(row.n_labelled)} of {count(row.n)}"
    )


def weighted_over_time(rows: Sequence[LateMetricRow], *, zone: ZoneInfo) -> Figure:
    """One metric as the labels came and weighted, between its worst and best case."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return empty("No window has labels enough.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    x = [middle(*window, zone) for window in windows]
    data: list[Trace] = []
    if any(row.lowest is not None for row in rows):
        worst, best = [row.lowest for row in rows], [row.highest for row in rows]
        fill = faint(NEUTRAL, 0.18)
        data.append(
            timeline.band(windows, worst, best, zone, fillcolor=fill, name="worst to best", showlegend=True)
        )
    for name, field, ends, colour, dash in (
        ("as they came", "value", "ci", NEUTRAL, "dot"),
        ("weighted", "weighted_value", "weighted_ci", SERIES[0], "solid"),
    ):
        values = [getattr(row, field) for row in rows]
        low, high = ([getattr(row, f"{ends}_{end}") for row in rows] for end in ("low", "high"))
        if field == "weighted_value":
            data.append(timeline.band(windows, low, high, zone, fillcolor=faint(colour, 0.18)))
        data.append(clickable({
            "type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": values, "connectgaps": False,
            "line": {"color": colour, "width": 2, "dash": dash}, "marker": {"size": 6, "color": colour},
            "error_y": timeline.whiskers(values, low, high) | {"color": colour},
            "hovertext": [_weighted_hover(row, zone) for row in rows], "customdata": [_custom(row) for row in rows],
        }))  # fmt: skip
    bars = timeline.count_bars(windows, [row.n_labelled for row in rows], zone)
    data.append(clickable({**bars, "hovertext": [_weighted_hover(row, zone) for row in rows]}))
    young = [Window(row.window_start, row.window_end) for row in rows if row.status == "immature"]
    if young:
        data.append(timeline.hatching(young, zone) | {"showlegend": True})
    more = timeline.axes(windows, zone, axis(tickformat=tick_format(unit(known[0].metric))), "n")
    return {"data": data, "layout": layout(320, revision=f"late {known[0].metric}", legend=True, **more)}


def weighted_alt(rows: Sequence[LateMetricRow], *, zone: ZoneInfo) -> str:
    """One sentence: the newest window as its labels came, and weighted."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No window has labels enough."
    row = known[-1]
    when = in_window(row.window_start, row.window_end, zone)
    return (
        f"{title(row.metric)} {when}: {show(row.metric, row.value)} as the labels came, "
        f"{show(row.metric, row.weighted_value)} weighted for those still to come."
    )


def _weighted_hover(row: LateMetricRow, zone: ZoneInfo) -> str:
    share = unit(row.metric) == "share"
    limits = interval(row.weighted_ci_low, row.weighted_ci_high, share=share)
    lines = [
        window_name(row.window_start, row.window_end, zone),
        f"as they came {show(row.metric, row.value)} ({interval(row.ci_low, row.ci_high, share=share)})",
        f"weighted {show(row.metric, row.weighted_value)} ({limits})",
    ]
    if row.lowest is not None:
        lines.append(f"worst to best {interval(row.lowest, row.highest, share=share)}")
    lines.append(f"n = {count(row.n_labelled)} labelled of {count(row.n)}")
    return "<br>".join(lines)


def changes_over_time(rows: Sequence[LabelChangeRow], *, zone: ZoneInfo) -> Figure:
    """The share of labels that contradict an earlier one, by when they came."""
    known = [row for row in rows if row.share is not None]
    if not known:
        return empty("No label came in these windows.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    values = [row.share for row in rows]
    hover = [
        f"{window_name(row.window_start, row.window_end, zone)}<br>{count(row.n_contradictions)} of "
        f"{count(row.n_reports)} labels contradict an earlier one<br>{percent(row.share)} "
        f"({interval(row.ci_low, row.ci_high, share=True)})"
        for row in rows
    ]
    bars = clickable({
        "type": "bar", "x": [middle(*window, zone) for window in windows], "y": values,
        "marker": {"color": ACTION, "line": {"width": 0}}, "hovertext": hover,
        "error_y": {
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": NEUTRAL,
            "array": [(row.ci_high or 0) - (row.share or 0) for row in rows],
            "arrayminus": [(row.share or 0) - (row.ci_low or 0) for row in rows],
        },
    })  # fmt: skip
    counts = clickable(
        {**timeline.count_bars(windows, [row.n_reports for row in rows], zone), "hovertext": hover}
    )
    more = timeline.axes(windows, zone, axis(tickformat=SHARE, rangemode="tozero"), "labels")
    return {"data": [bars, counts], "layout": layout(280, revision="changes", **more) | {"bargap": 0.3}}


def changes_alt(rows: Sequence[LabelChangeRow], *, zone: ZoneInfo) -> str:
    """One sentence: how many contradictions, and when most."""
    total = sum(row.n_contradictions for row in rows)
    if not total:
        return "No label contradicts an earlier one."
    most = max(rows, key=lambda row: row.n_contradictions)
    return (
        f"{count(total)} labels contradict an earlier one, most {in_window(most.window_start, most.window_end, zone)} "
        f"({count(most.n_contradictions)})."
    )
