"""Gaps between groups, splits side by side, and the share of rows unlike the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.project import Release
from analytics.quality.splits import SplitRow
from analytics.quality.unlike import UnlikeRow
from analytics.segments.rows import GapRow
from app.charts import timeline
from app.charts.tables import STATUS, VERSION, WINDOW, Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    guide,
    layout,
    legend_mark,
    middle,
    plain,
    series_style,
    tick_format,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import count, interval, number, percent, short, window_name
from app.glossary import show, title, unit

SIGNIFICANT = 0.05
SPLIT_WORDS = {
    "train": "training", "validation": "validation", "test": "test", "production": "production",
    "production:early": "production, first weeks", "production:late": "production since",
}  # fmt: skip


def gap_forest(rows: Sequence[GapRow]) -> Figure:
    """Each segment's gap with its interval, red where there is one beyond chance; customdata is ``[segment]``."""
    known = [row for row in rows if row.gap is not None]
    if not known:
        return empty("No segment has two values with enough rows.")
    known = sorted(known, key=lambda row: -(row.gap or 0.0))
    places = list(range(len(known)))
    share = _is_share(known[0])
    data: list[Trace] = []
    for name, colour, symbol in (
        ("differ beyond chance", ACTION, "diamond"),
        ("may be alike", NEUTRAL, "circle"),
    ):
        mine = [
            (row, place)
            for row, place in zip(known, places, strict=True)
            if _differs(row) == (colour == ACTION)
        ]
        if mine:
            data.append(
                _gap_dots([row for row, _ in mine], [place for _, place in mine], name, (colour, symbol))
            )
    labels = [plain(short(row.segment, 20)) for row in known]
    more: dict[str, Any] = {
        "xaxis": axis(
            "from the lowest to the highest value", tickformat=tick_format("share" if share else "number")
        ),
        "yaxis": axis(tickvals=places, ticktext=labels, range=[len(known) - 0.5, -0.5], showgrid=False),
    }
    return {
        "data": data,
        "layout": layout(120 + 32 * len(known), revision=known[0].notion, legend=True, **more),
    }


def gap_alt(rows: Sequence[GapRow]) -> str:
    """One sentence: in how many segments there is a gap, and the largest."""
    known = [row for row in rows if row.gap is not None]
    if not known:
        return "No segment has two values with enough rows."
    largest = max(known, key=lambda row: row.gap or 0.0)
    differ = sum(map(_differs, known))
    return (
        f"{differ} of {len(known)} segments differ beyond chance; the largest gap is by {largest.segment}: "
        f"{_gap(largest)} ({interval(largest.ci_low, largest.ci_high, share=_is_share(largest))})."
    )


def _differs(row: GapRow) -> bool:
    return row.p_adjusted is not None and row.p_adjusted < SIGNIFICANT


def _is_share(row: GapRow) -> bool:
    return unit(row.metric) == "share"


def _gap(row: GapRow) -> str:
    return percent(row.gap) if _is_share(row) else number(row.gap)


def _gap_dots(rows: Sequence[GapRow], places: Sequence[int], name: str, look: tuple[str, str]) -> Trace:
    colour, symbol = look
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 0,
        "array": [(row.ci_high or 0.0) - (row.gap or 0.0) for row in rows],
        "arrayminus": [(row.gap or 0.0) - (row.ci_low or 0.0) for row in rows],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": name, "x": [row.gap for row in rows], "y": list(places),
        "error_x": whisker, "marker": {"symbol": symbol, "size": 10, "color": colour},
        "hovertext": [_gap_hover(row) for row in rows], "customdata": [[row.segment] for row in rows],
    })  # fmt: skip


def _gap_hover(row: GapRow) -> str:
    limits = interval(row.ci_low, row.ci_high, share=_is_share(row))
    low, high = show(row.metric, row.lowest_value), show(row.metric, row.highest_value)
    ends = f"{low} at {row.lowest} to {high} at {row.highest}"
    return (
        f"<b>{plain(row.segment)}</b>: {row.notion}<br>gap {_gap(row)} ({limits})<br>observed: {plain(ends)}<br>"
        f"adjusted p {number(row.p_adjusted)}, {row.n_values} values, n = {count(row.n_labelled)}"
    )


def split_dots(rows: Sequence[SplitRow], versions: Sequence[str | None]) -> Figure:
    """One metric in every split with its interval, a colour a version."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return empty("No split has enough labelled rows.")
    order = [name for name in SPLIT_WORDS if any(row.split == name for row in known)]
    shown = [version for version in versions if any(row.version == version for row in known)]
    data = [
        _split_trace([row for row in known if row.version == one], order, (i, len(shown)))
        for i, one in enumerate(shown)
    ]
    labels = [
        SPLIT_WORDS[name].replace(", ", ",<br>").replace("production since", "production<br>since")
        for name in order
    ]
    more: dict[str, Any] = {
        "xaxis": axis(
            tickvals=list(range(len(order))), ticktext=labels, range=[-0.5, len(order) - 0.5], tickangle=0
        ),
        "yaxis": axis(title(known[0].metric), tickformat=tick_format(unit(known[0].metric))),
    }
    return {"data": data, "layout": layout(320, revision=known[0].metric, legend=len(shown) > 1, **more)}


def split_alt(rows: Sequence[SplitRow]) -> str:
    """One sentence: the metric in every split of the first version."""
    known = [row for row in rows if row.value is not None and row.version == rows[0].version]
    if not known:
        return "No split has enough labelled rows."
    values = ", ".join(f"{SPLIT_WORDS[row.split]} {show(row.metric, row.value)}" for row in known)
    return f"{title(known[0].metric)}: {values}."


def _split_trace(rows: Sequence[SplitRow], order: Sequence[str], place: tuple[int, int]) -> Trace:
    index, n = place
    colour, _ = series_style(index)
    offset = (index - (n - 1) / 2) * 0.12
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 4,
        "array": [(row.ci_high or 0.0) - (row.value or 0.0) for row in rows],
        "arrayminus": [(row.value or 0.0) - (row.ci_low or 0.0) for row in rows],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": plain(rows[0].version or "all rows"),
        "x": [order.index(row.split) + offset for row in rows], "y": [row.value for row in rows], "error_y": whisker,
        "marker": {"size": 9, "color": colour}, "hovertext": [_split_hover(row) for row in rows],
    })  # fmt: skip


def _split_hover(row: SplitRow) -> str:
    limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
    text = f"<b>{SPLIT_WORDS[row.split]}</b><br>{title(row.metric)} {show(row.metric, row.value)} ({limits})"
    if row.gap is not None:
        ends = interval(row.gap_ci_low, row.gap_ci_high, share=unit(row.metric) == "share")
        text += f"<br>{show(row.metric, row.gap)} ({ends}) from {SPLIT_WORDS[row.compared_with or row.split]}"
    return f"{text}<br>n = {count(row.n_labelled)} labelled"


def unlike_over_time(rows: Sequence[UnlikeRow], releases: Sequence[Release], *, zone: ZoneInfo) -> Figure:
    """The share of rows unlike the reference by window, with its band and what is expected without change."""
    known = [row for row in rows if row.share is not None]
    if not known:
        return empty("No window has enough rows to be compared with the reference.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    marks = timeline.releases_as_marks(releases, windows, zone)
    x = [middle(*window, zone) for window in windows]
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": "unlike the reference", "x": x,
        "y": [row.share for row in rows], "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 7},
        "hovertext": [_unlike_hover(row, zone) for row in rows],
        "customdata": [[row.window_start.isoformat(), row.window_end.isoformat(), row.version] for row in rows],
        "showlegend": False,
    })  # fmt: skip
    band = timeline.band(
        windows, [row.ci_low for row in rows], [row.ci_high for row in rows], zone, fillcolor=f"{SERIES[0]}33"
    )
    expected = guide([x[0], x[-1]], [rows[0].expected_share] * 2)
    mark = legend_mark(
        "expected without change",
        {"color": NEUTRAL, "symbol": "line-ew", "size": 12, "line": {"width": 2, "color": NEUTRAL}},
    )
    more = timeline.axes(windows, zone, axis(tickformat=".0%", rangemode="tozero"), "n")
    counts = timeline.count_bars(windows, [row.n for row in rows], zone, hoverinfo="skip")
    figure = layout(
        320 + 14 * marks.rows, revision=str(windows[0]), legend=True, shapes=marks.shapes,
        annotations=marks.annotations, **more,
    )  # fmt: skip
    timeline.make_room(figure, marks, legend=True)
    return {"data": [band, line, expected, mark, counts], "layout": figure}


def unlike_alt(rows: Sequence[UnlikeRow], *, zone: ZoneInfo) -> str:
    """One sentence: the newest share and the largest."""
    known = [row for row in rows if row.share is not None]
    if not known:
        return "No window has enough rows to be compared with the reference."
    newest, largest = known[-1], max(known, key=lambda row: row.share or 0.0)
    when, where = (window_name(row.window_start, row.window_end, zone) for row in (newest, largest))
    return (
        f"Rows unlike the reference: {percent(newest.share)} in {when}, most ({percent(largest.share)}) in {where}; "
        "5% expected."
    )


def _unlike_hover(row: UnlikeRow, zone: ZoneInfo) -> str:
    when = window_name(row.window_start, row.window_end, zone)
    if row.share is None:
        return f"<b>{when}</b><br>{row.reason}"
    text = f"<b>{when}</b><br>{percent(row.share)} ({interval(row.ci_low, row.ci_high, share=True)}) unlike"
    if row.carried_by:
        text += f"<br>by {plain(row.carried_by)}"
    if row.loss_inside is not None:
        text += f"<br>{title(row.loss)} {number(row.loss_inside)} inside, {number(row.loss_outside)} outside"
    return f"{text}<br>{count(row.n_sample)} of {count(row.n)} rows looked at"


GAPS: Columns[GapRow] = {
    **VERSION,
    "Segment": lambda row: row.segment,
    "Gap in": lambda row: row.notion,
    "Metric": lambda row: title(row.metric),
    "Class": lambda row: row.class_,
    "Gap": lambda row: row.gap,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Highest": lambda row: row.highest,
    "Value there": lambda row: row.highest_value,
    "Lowest": lambda row: row.lowest,
    "Value at the lowest": lambda row: row.lowest_value,
    "Observed gap": lambda row: row.gap_observed,
    "By chance, 95%": lambda row: row.gap_by_chance,
    "Values compared": lambda row: row.n_values,
    "Labelled rows": lambda row: row.n_labelled,
    **STATUS,
}
SPLITS: Columns[SplitRow] = {
    **VERSION,
    "Metric": lambda row: title(row.metric),
    "Class": lambda row: row.class_,
    "Split": lambda row: SPLIT_WORDS.get(row.split, row.split),
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Gap": lambda row: row.gap,
    "To": lambda row: SPLIT_WORDS.get(row.compared_with or "", row.compared_with),
    "Gap low": lambda row: row.gap_ci_low,
    "Gap high": lambda row: row.gap_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Worse": lambda row: {True: "worse", False: "no", None: None}[row.worse],
    "Meaning": lambda row: row.finding,
    "Labelled rows": lambda row: row.n_labelled,
    **STATUS,
}
UNLIKE: Columns[UnlikeRow] = {
    **WINDOW,
    **VERSION,
    "Unlike the reference": lambda row: row.share,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Expected": lambda row: row.expected_share,
    "p-value": lambda row: row.p_value,
    "Carried by": lambda row: row.carried_by,
    "Compared by": lambda row: title(row.loss),
    "Inside": lambda row: row.loss_inside,
    "Outside": lambda row: row.loss_outside,
    "Difference low": lambda row: row.difference_ci_low,
    "Difference high": lambda row: row.difference_ci_high,
    "Rows": lambda row: row.n,
    "Rows looked at": lambda row: row.n_sample,
    **STATUS,
}


def gap_table(rows: Sequence[GapRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every gap."""
    return tabled(rows, GAPS, zone)


def split_table(rows: Sequence[SplitRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every metric in every split."""
    return tabled(rows, SPLITS, zone)


def unlike_table(rows: Sequence[UnlikeRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every window."""
    return tabled(rows, UNLIKE, zone)
