"""Slices found, a slice over time, the map of two fields, the tree, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.directions import direction, worse_by
from analytics.slices.rows import MapCellRow, SliceCompareRow, SliceRow, SliceTrendRow, TreeRow
from app.charts.lines import Line, Look, lines_chart
from app.charts.tables import INTERVAL, STATUS, VERSION, WINDOW, Columns, tabled
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
    layout,
    legend_mark,
    middle,
    plain,
    span_ms,
    tick_format,
    time_axis,
)  # fmt: skip
from app.formats import STATUS_WORDS, count, interval, number, percent, plural, short, stretch, window_name
from app.glossary import show, title, unit

NOTHING = "No slice stood out."
SIGNIFICANT = 0.05


def found_chart(rows: Sequence[SliceRow]) -> Figure:
    """Slices with intervals beside all other rows; dots carry the place of the row."""
    lines = [_found_line(row, i) for i, row in enumerate(rows) if row.value is not None]
    return lines_chart(lines, rows[0].metric if rows else "log_loss", NOTHING)


def found_alt(rows: Sequence[SliceRow]) -> str:
    """One sentence: how many are confirmed, and the costliest."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return NOTHING
    confirmed = [row for row in known if row.confirmed]
    text = f"{title(known[0].metric)} of {plural(len(known), 'slice')}, {len(confirmed)} confirmed worse"
    if not confirmed:
        return f"{text}."
    first = confirmed[0]
    return (
        f"{text}; most costly {first.slice}, {show(first.metric, first.value)} against "
        f"{show(first.metric, first.value_elsewhere)} elsewhere."
    )


def _found_line(row: SliceRow, place: int) -> Line:
    hover = (
        f"<b>{plain(row.slice)}</b>: {'confirmed' if row.confirmed else plain(row.reason or 'may be luck')}<br>"
        f"{title(row.metric)} {show(row.metric, row.value)} ({_limits(row.metric, row.ci_low, row.ci_high)})<br>"
        f"all other rows {show(row.metric, row.value_elsewhere)}, adjusted p {number(row.p_adjusted)}<br>"
        f"n = {count(row.n)}, {percent(row.share)} of the rows, {percent(row.share_of_loss)} of the loss"
    )
    return Line(
        row.slice, row.value or 0.0, row.ci_low, row.ci_high, row.value_elsewhere,
        "worse" if row.confirmed else "may be luck", hover, [place],
    )  # fmt: skip


def _limits(metric: str, low: float | None, high: float | None) -> str:
    return interval(low, high, share=unit(metric) == "share")


# --- over time


def trend_chart(rows: Sequence[SliceTrendRow], *, zone: ZoneInfo) -> Figure:
    """The slice and all other rows, window by window, and the slice's rows as bars below."""
    if not any(row.value is not None for row in rows):
        return empty("No window has enough rows of the slice.")
    metric = rows[0].metric
    x = [middle(row.window_start, row.window_end, zone) for row in rows]
    rest: Trace = {
        "type": "scatter", "mode": "lines", "name": "all other rows", "x": x,
        "y": [row.value_elsewhere for row in rows],
        "line": {"color": NEUTRAL, "width": 2, "dash": "dash"}, "hoverinfo": "skip", "connectgaps": False,
    }  # fmt: skip
    whisker = {
        "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.2, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in rows],
        "arrayminus": [_length(row.value, row.ci_low) for row in rows],
    }  # fmt: skip
    mine = clickable({
        "type": "scatter", "mode": "lines+markers", "name": "the slice", "x": x, "y": [row.value for row in rows],
        "error_y": whisker, "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 6, "color": SERIES[0]},
        "hovertext": [_trend_hover(row, zone) for row in rows],
    })  # fmt: skip
    bars: Trace = {
        "type": "bar", "name": "n", "x": x, "y": [row.n for row in rows], "yaxis": "y2", "hoverinfo": "skip",
        "marker": {"color": faint(NEUTRAL, 0.6), "line": {"width": 0}}, "showlegend": False,
        "width": [0.9 * span_ms(row.window_start, row.window_end, zone) for row in rows],
    }  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": time_axis(rows[0].window_start, rows[-1].window_end, zone, anchor="y2"),
        "yaxis": axis(title(metric), domain=[0.3, 1.0], tickformat=tick_format(unit(metric))),
        "yaxis2": axis("n", domain=[0.0, 0.2], rangemode="tozero", nticks=2, tickformat="~s", showgrid=False),
    }
    return {"data": [bars, rest, mine], "layout": layout(WIDE + 40, revision=metric, legend=True, **more)}


def trend_alt(rows: Sequence[SliceTrendRow]) -> str:
    """One sentence: the newest window and the range."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No window has enough rows of the slice."
    last = known[-1]
    worse = sum(_is_worse(row) for row in known)
    return (
        f"{title(last.metric)} of the slice in {plural(len(known), 'window')}: worse than all other rows in {worse}; "
        f"last {show(last.metric, last.value)} against {show(last.metric, last.value_elsewhere)}."
    )


def _is_worse(row: SliceTrendRow) -> bool:
    if row.value is None or row.value_elsewhere is None:
        return False
    higher = row.value > row.value_elsewhere
    return not higher if direction(row.metric) == "higher" else higher


def _trend_hover(row: SliceTrendRow, zone: ZoneInfo) -> str:
    name = window_name(row.window_start, row.window_end, zone)
    if row.value is None:
        return f"<b>{name}</b><br>{plain(row.reason or STATUS_WORDS[row.status])}"
    return (
        f"<b>{name}</b><br>the slice {show(row.metric, row.value)} ({_limits(row.metric, row.ci_low, row.ci_high)})<br>"
        f"all other rows {show(row.metric, row.value_elsewhere)} "
        f"({_limits(row.metric, row.elsewhere_ci_low, row.elsewhere_ci_high)})<br>n = {count(row.n)}"
    )


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


# --- the map


def map_chart(rows: Sequence[MapCellRow]) -> Figure:
    """Cells by two fields with luck taken out; diamonds where worse beyond luck, dots where rows are too few.

    Returns:
        A figure whose cells carry the place of the row.
    """
    known = [row for row in rows if row.value is not None]
    if not known:
        return empty("No cell has enough rows for a value.")
    metric, turned = rows[0].metric, direction(rows[0].metric) == "higher"
    x_names, y_names = _names(rows, "x"), _names(rows, "y")
    table: list[list[float | None]] = [[None] * len(x_names) for _ in y_names]
    for row in known:
        table[row.y_place][row.x_place] = _shown(row)
    values = [_shown(row) or 0.0 for row in known]
    low, high = min(values), max(values)
    heat: Trace = {
        "type": "heatmap", "x": list(range(len(x_names))), "y": list(range(len(y_names))), "z": table,
        "colorscale": SCALE, "reversescale": turned, "zmin": low, "zmax": high, "showscale": False,
        "hoverinfo": "skip", "xgap": 2, "ygap": 2, "hoverongaps": False,
    }  # fmt: skip
    marks = cells(
        [row.x_place for row in rows],
        [row.y_place for row in rows],
        [_map_hover(row) for row in rows],
        [[i] for i in range(len(rows))],
    )
    worse = [row for row in known if row.worse]
    signs: Trace = {
        "type": "scatter", "mode": "markers", "x": [row.x_place + 0.36 for row in worse],
        "y": [row.y_place - 0.28 for row in worse], "hoverinfo": "skip", "showlegend": False,
        "marker": {"symbol": "diamond", "size": 9, "color": ACTION, "line": {"color": PAPER, "width": 1}},
    }  # fmt: skip
    named = legend_mark("worse than the rest", {"symbol": "diamond", "size": 9, "color": ACTION})
    shared: dict[str, Any] = {"showgrid": False, "fixedrange": True}
    more: dict[str, Any] = {
        "xaxis": axis(
            plain(rows[0].x), tickvals=list(range(len(x_names))), ticktext=x_names, range=[-0.5, len(x_names) - 0.5],
            tickangle=0 if len(x_names) <= 4 else -45, **shared,
        ),
        "yaxis": axis(
            plain(rows[0].y), tickvals=list(range(len(y_names))), ticktext=y_names, range=[len(y_names) - 0.5, -0.5],
            **shared,
        ),
        "hoverdistance": -1,
    }  # fmt: skip
    words = _map_words(rows, low, high, turned=turned)
    height = min(680, max(300, 130 + 40 * len(y_names)))
    figure = layout(height, revision=f"{rows[0].x} {rows[0].y} {metric}", legend=True, **more)
    return {"data": [heat, words, signs, named, marks], "layout": figure}


def map_alt(rows: Sequence[MapCellRow]) -> str:
    """One sentence: how many cells are worse, and the worst."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No cell has enough rows for a value."
    worse = [row for row in known if row.worse]
    text = (
        f"{title(known[0].metric)} by {known[0].x} and {known[0].y}: {len(worse)} of {plural(len(known), 'cell')} "
        "worse than the rest"
    )
    if not worse:
        return f"{text}."
    first = max(worse, key=lambda row: abs(row.difference or 0.0))
    return f"{text}; worst {first.x} {first.x_value}, {first.y} {first.y_value} ({show(first.metric, _shown(first))})."


def _shown(row: MapCellRow) -> float | None:
    return row.value if row.value_shrunken is None else row.value_shrunken


def _names(rows: Sequence[MapCellRow], side: str) -> list[str]:
    found = {getattr(row, f"{side}_place"): getattr(row, f"{side}_value") for row in rows}
    return [plain(short(stretch(found[place]), 16)) for place in sorted(found)]


def _map_words(rows: Sequence[MapCellRow], low: float, high: float, *, turned: bool) -> Trace:
    def colour(row: MapCellRow) -> str:
        value = _shown(row)
        if value is None or high <= low:
            return TEXT
        depth = (value - low) / (high - low)
        return PAPER if (1.0 - depth if turned else depth) >= 0.6 else TEXT

    crowded = max(row.x_place for row in rows) > 8
    return {
        "type": "scatter", "mode": "text", "x": [row.x_place for row in rows], "y": [row.y_place for row in rows],
        "text": ["·" if row.value is None else "" if crowded else _short_value(row) for row in rows],
        "textfont": {"color": [colour(row) for row in rows], "size": 11}, "hoverinfo": "skip", "showlegend": False,
        "selected": {"textfont": {"color": TEXT}},
    }  # fmt: skip


def _short_value(row: MapCellRow) -> str:
    value = _shown(row) or 0.0
    return f"{value:.0%}" if unit(row.metric) == "share" else f"{value:.2g}"


def _map_hover(row: MapCellRow) -> str:
    head = f"<b>{plain(row.x)} {plain(row.x_value)}, {plain(row.y)} {plain(row.y_value)}</b>"
    if row.value is None:
        return f"{head}<br>n = {count(row.n)}: {plain(row.reason or STATUS_WORDS[row.status])}"
    return (
        f"{head}<br>{title(row.metric)} {show(row.metric, row.value)} ({_limits(row.metric, row.ci_low, row.ci_high)})"
        f"<br>luck taken out {show(row.metric, row.value_shrunken)}, all other rows "
        f"{show(row.metric, row.value_elsewhere)}<br>adjusted p {number(row.p_adjusted)}, n = {count(row.n)}"
    )


# --- the tree


def tree_order(rows: Sequence[TreeRow]) -> list[TreeRow]:
    """Every node before its children, the better child first."""
    by_node = {row.node: row for row in rows}

    def below(node: int) -> list[TreeRow]:
        return [by_node[node], *below(2 * node), *below(2 * node + 1)] if node in by_node else []

    return below(1)


def tree_chart(rows: Sequence[TreeRow]) -> Figure:
    """The nodes in order, indented by depth; dots carry the place of the row."""
    lines = [
        Line(
            row.condition or "all rows", row.value, row.ci_low, row.ci_high, None, _tree_look(row, rows[0]),
            _tree_hover(row), [i], row.depth,
        )
        for i, row in enumerate(rows)
        if row.value is not None
    ]  # fmt: skip
    return lines_chart(
        lines, rows[0].metric if rows else "log_loss", "There are too few rows to grow a tree."
    )


def _tree_look(row: TreeRow, root: TreeRow) -> Look:
    """Red where a node is worse than its sibling and than all rows, beyond luck."""
    if row.node == 1:
        return "not worse"
    if row.gap_p_value is None or row.gap_p_value >= SIGNIFICANT:
        return "may be luck"
    by = worse_by(row.metric, row.value or 0.0, root.value or 0.0)
    return "worse" if row.node % 2 and by is not None and by > 0 else "not worse"


def tree_alt(rows: Sequence[TreeRow]) -> str:
    """One sentence: how many leaves, the best and the worst."""
    leaves = [row for row in rows if row.leaf and row.value is not None]
    if not leaves:
        return "There are too few rows to grow a tree."
    low, high = (pick(leaves, key=lambda row: row.value or 0.0) for pick in (min, max))
    return (
        f"A tree of {plural(len(leaves), 'leaf', 'leaves')}: {title(low.metric)} from {show(low.metric, low.value)} "
        f"({low.condition or 'all rows'}) to {show(high.metric, high.value)} ({high.condition or 'all rows'})."
    )


def _tree_hover(row: TreeRow) -> str:
    gap = "" if row.gap is None else f"<br>{number(row.gap)} from its sibling, p {number(row.gap_p_value)}"
    return (
        f"<b>{plain(row.condition or 'all rows')}</b><br>{title(row.metric)} {show(row.metric, row.value)} "
        f"({_limits(row.metric, row.ci_low, row.ci_high)}){gap}<br>n = {count(row.n)}, {percent(row.share)} of the "
        f"rows, {percent(row.share_of_loss)} of the loss"
    )


# --- tables

_DIFFERENCE: Columns[Any] = {
    "Difference": lambda row: row.difference,
    "Difference low": lambda row: row.difference_ci_low,
    "Difference high": lambda row: row.difference_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
}
_SHRUNKEN: Columns[Any] = {
    "Luck taken out": lambda row: row.value_shrunken,
    "Luck taken out, low": lambda row: row.shrunken_ci_low,
    "Luck taken out, high": lambda row: row.shrunken_ci_high,
}
_LOSS: Columns[Any] = {
    "Share of loss": lambda row: row.share_of_loss,
    "Share of loss low": lambda row: row.share_of_loss_ci_low,
    "Share of loss high": lambda row: row.share_of_loss_ci_high,
}
FOUND: Columns[SliceRow] = {
    **VERSION,
    "Slice": lambda row: row.slice,
    "Confirmed": lambda row: {True: "▼ worse", False: "● may be luck", None: None}[row.confirmed],
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    "All other rows": lambda row: row.value_elsewhere,
    **_DIFFERENCE,
    **_LOSS,
    "Impact on the whole": lambda row: row.impact,
    **_SHRUNKEN,
    "Rows": lambda row: row.n,
    "Share of rows": lambda row: row.share,
    "Rows that confirm": lambda row: row.n_confirming,
    "Filter": lambda row: " and ".join(row.where),
    "SQL": lambda row: row.sql,
    **STATUS,
}
TREND: Columns[SliceTrendRow] = {
    **WINDOW,
    **VERSION,
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    "All other rows": lambda row: row.value_elsewhere,
    "All other rows, low": lambda row: row.elsewhere_ci_low,
    "All other rows, high": lambda row: row.elsewhere_ci_high,
    "Rows": lambda row: row.n,
    "Share of rows": lambda row: row.share,
    **STATUS,
}
MAP: Columns[MapCellRow] = {
    **VERSION,
    "Across": lambda row: f"{row.x} = {row.x_value}",
    "Up": lambda row: f"{row.y} = {row.y_value}",
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    **_SHRUNKEN,
    "All other rows": lambda row: row.value_elsewhere,
    **_DIFFERENCE,
    "Worse": lambda row: row.worse,
    "Rows": lambda row: row.n,
    **STATUS,
}
TREE: Columns[TreeRow] = {
    **VERSION,
    "Node": lambda row: row.node,
    "Question": lambda row: f"{'    ' * row.depth}{row.condition or 'all rows'}",
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    "From its sibling": lambda row: row.gap,
    "From its sibling, low": lambda row: row.gap_ci_low,
    "From its sibling, high": lambda row: row.gap_ci_high,
    "p-value": lambda row: row.gap_p_value,
    **_LOSS,
    "Rows": lambda row: row.n,
    "Share of rows": lambda row: row.share,
    "Filter": lambda row: None if row.where is None else " and ".join(row.where),
    "SQL": lambda row: row.sql,
    **STATUS,
}
_VERDICT = {
    (True, True): "▼ worse",
    (True, False): "▲ better",
    (True, None): "◆ different",
    (False, None): "● alike",
}
COMPARE: Columns[SliceCompareRow] = {
    **VERSION,
    "Kind": lambda row: row.kind,
    "What": lambda row: title(row.name) if row.kind != "feature" else row.name,
    "Against the rest": lambda row: (
        None if row.differs is None else _VERDICT[row.differs, row.worse if row.differs else None]
    ),
    "Slice": lambda row: row.value,
    **INTERVAL,
    "All other rows": lambda row: row.value_elsewhere,
    "All other rows, low": lambda row: row.elsewhere_ci_low,
    "All other rows, high": lambda row: row.elsewhere_ci_high,
    **_DIFFERENCE,
    "Moved by chance": lambda row: row.by_chance,
    "Rows": lambda row: row.n,
    "Rows elsewhere": lambda row: row.n_elsewhere,
    **STATUS,
}


def found_table(rows: Sequence[SliceRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the slices found."""
    return tabled(rows, FOUND, zone)


def trend_table(rows: Sequence[SliceTrendRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind a slice over time."""
    return tabled(rows, TREND, zone)


def map_table(rows: Sequence[MapCellRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the map."""
    return tabled(rows, MAP, zone)


def tree_table(rows: Sequence[TreeRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the tree, in its order."""
    return tabled(rows, TREE, zone)


def compare_table(rows: Sequence[SliceCompareRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Everything about a slice and the rest, what differs first within each kind."""
    order = {"quality": 0, "service": 1, "labels": 2, "feature": 3}

    def place(row: SliceCompareRow) -> tuple[int, bool, float]:
        return order[row.kind], not row.differs, -(row.difference or 0.0) if row.kind == "feature" else 0.0

    return tabled(sorted(rows, key=place), COMPARE, zone)
