"""Drift of many columns at once: by window against what is usual, which features carry it, and the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drift.multivariate_rows import CarrierRow, MultivariateRow, NewRow, ProfileRow
from analytics.project import Release
from analytics.results import json_ready
from app.charts import timeline
from app.charts.tables import INTERVAL, STATUS, VERSION, WINDOW, Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    PAPER,
    SERIES,
    WIDE,
    Figure,
    axis,
    clickable,
    empty,
    faint,
    guide,
    layout,
    middle,
    plain,
)
from app.charts.timeline import Window
from app.formats import (
    STATUS_WORDS,
    count,
    in_window,
    interval,
    listed,
    local,
    number,
    percent,
    plural,
    short,
    window_name,
)
from app.glossary import title

MOST_FEATURES = 12
_DIAMOND = {"symbol": "diamond", "size": 9, "color": PAPER, "line": {"color": ACTION, "width": 2.5}}
_AXES = {"domain_classifier": "area under the curve", "reconstruction_error": "mean error"}


def over_time(rows: Sequence[MultivariateRow], releases: Sequence[Release] = (), *, zone: ZoneInfo) -> Figure:
    """One method and version by window: the value with its interval, over what a window without drift gives.

    Returns:
        A figure whose points carry ``[window_start, window_end, version]``.
    """
    rows = sorted(rows, key=lambda row: row.window_start)
    if not any(row.value is not None for row in rows):
        return empty(rows[0].reason or "No window can be judged." if rows else "There is nothing to compare.")
    windows = [Window(row.window_start, row.window_end) for row in rows]
    x = [middle(*window, zone) for window in windows]
    hover = [_hover(row, zone) for row in rows]
    custom = [[row.window_start.isoformat(), row.window_end.isoformat(), row.version] for row in rows]
    high = [row.null_high for row in rows]
    low = [_low(row) for row in rows]
    usual = timeline.band(windows, low, high, zone, fillcolor=faint(NEUTRAL, 0.25), name="usual")
    values = [row.value for row in rows]
    whisker = {
        "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.5, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in rows],
        "arrayminus": [_length(row.value, row.ci_low) for row in rows],
    }  # fmt: skip
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": "value", "cliponaxis": False, "x": x, "y": values,
        "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 6, "color": SERIES[0]},
        "error_y": whisker, "hovertext": hover, "customdata": custom,
    })  # fmt: skip
    drifted = [i for i, row in enumerate(rows) if row.drifted]
    diamonds = clickable({
        "type": "scatter", "mode": "markers", "name": "drifted", "marker": _DIAMOND, "cliponaxis": False,
        "x": [x[i] for i in drifted], "y": [values[i] for i in drifted], "hovertext": [hover[i] for i in drifted],
        "customdata": [custom[i] for i in drifted],
    })  # fmt: skip
    counts = timeline.count_bars(windows, [row.n_sampled for row in rows], zone)
    marks = timeline.releases_as_marks(releases, windows, zone)
    more = timeline.axes(windows, zone, axis(_AXES[rows[0].method]), "n")
    figure = layout(
        WIDE + 14 * marks.rows, revision=f"{rows[0].method} {rows[0].feature}", legend=True, shapes=marks.shapes,
        annotations=marks.annotations, **more,
    )  # fmt: skip
    timeline.make_room(figure, marks, legend=True)
    data = [
        usual | {"showlegend": True},
        line,
        clickable(counts | {"hovertext": hover, "customdata": custom}),
    ]
    return {"data": [*data, diamonds] if drifted else data, "layout": figure}


def over_time_alt(rows: Sequence[MultivariateRow], *, zone: ZoneInfo) -> str:
    """One sentence: in how many windows the features drifted together, and where most."""
    known = [row for row in rows if row.value is not None]
    if not known:
        return "No window can be judged."
    most = max(known, key=lambda row: row.value or 0.0)
    drifted = sum(bool(row.drifted) for row in known)
    return (
        f"{title(most.method)}: drifted in {drifted} of {plural(len(known), 'window')}; highest {number(most.value)} "
        f"{in_window(most.window_start, most.window_end, zone)}, usual up to {number(most.null_high)}."
    )


def carrier_bars(rows: Sequence[CarrierRow]) -> Figure:
    """What the classifier loses without each feature, with intervals, the most first.

    Returns:
        A figure whose bars carry ``[feature]``.
    """
    shown = [row for row in sorted(rows, key=lambda row: row.rank) if row.value is not None][:MOST_FEATURES]
    if not shown:
        return empty(rows[0].reason or "Nothing can be said." if rows else "There are no features.")
    places = list(range(len(shown)))
    whisker = {
        "type": "data", "symmetric": False, "color": NEUTRAL, "thickness": 1.5, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in shown],
        "arrayminus": [_length(row.value, row.ci_low) for row in shown],
    }  # fmt: skip
    bars = clickable({
        "type": "bar", "orientation": "h", "x": [row.value for row in shown], "y": places, "width": 0.62,
        "marker": {"color": SERIES[0]}, "error_x": whisker, "hovertext": [_carrier_hover(row) for row in shown],
        "customdata": [[row.feature] for row in shown], "showlegend": False,
    })  # fmt: skip
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": [plain(short(row.feature)) for row in shown]}
    y_axis = axis(range=[len(shown) - 0.5, -0.5], fixedrange=True, showgrid=False, **ticks)
    x_axis = axis("ROC AUC lost without it", showgrid=True, nticks=5)
    line = guide([0, 0], [-0.5, len(shown) - 0.5])
    figure = layout(84 + 24 * len(shown), revision="carriers", xaxis=x_axis, yaxis=y_axis)
    return {"data": [bars, line], "layout": figure}


def carrier_alt(rows: Sequence[CarrierRow]) -> str:
    """One sentence: which features carry the classifier."""
    known = [row for row in sorted(rows, key=lambda row: row.rank) if row.value is not None]
    sure = [row for row in known if (row.ci_low or 0.0) > 0]
    if not known:
        return "Nothing can be said about features."
    if not sure:
        return "No feature carries the classifier beyond chance."
    names = [f"{row.feature} ({number(row.value)} of the area lost without it)" for row in sure[:3]]
    return f"{plural(len(sure), 'feature')} of {len(known)} carry the classifier: most {listed(names)}."


MULTIVARIATE: Columns[MultivariateRow] = {
    **WINDOW,
    **VERSION,
    "Compared with": lambda row: row.reference_version,
    "Column": lambda row: row.feature or "all features",
    "Method": lambda row: title(row.method),
    "Drifted": lambda row: {True: "drifted", False: "no", None: None}[row.drifted],
    "Value": lambda row: row.value,
    **INTERVAL,
    "Usual on average": lambda row: row.null_mean,
    "Usual from": lambda row: row.null_low,
    "Usual to": lambda row: row.null_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "p-value": lambda row: row.p_value,
    "Effect": lambda row: row.effect,
    "Effect low": lambda row: row.effect_ci_low,
    "Effect high": lambda row: row.effect_ci_high,
    "Tolerance": lambda row: row.tolerance,
    "Rows": lambda row: row.n,
    "Reference rows": lambda row: row.n_reference,
    "Rows looked at": lambda row: row.n_sampled,
    "Reference rows looked at": lambda row: row.n_sampled_reference,
    "Without a value": lambda row: row.n_missing,
    "Components": lambda row: row.n_components,
    "Blocks of time": lambda row: row.blocks,
    "Test takes as independent": lambda row: row.independence,
    **STATUS,
}
CARRIERS: Columns[CarrierRow] = {
    **WINDOW,
    **VERSION,
    "Feature": lambda row: row.feature,
    "Area lost without it": lambda row: row.value,
    **INTERVAL,
    "Area alone": lambda row: row.auc_alone,
    "Alone low": lambda row: row.auc_alone_ci_low,
    "Alone high": lambda row: row.auc_alone_ci_high,
    "Area of all": lambda row: row.auc,
    **STATUS,
}
PROFILE: Columns[ProfileRow] = {
    **WINDOW,
    **VERSION,
    "Column": lambda row: row.feature,
    "Measure": lambda row: row.measure.replace("_", " "),
    "Mean": lambda row: row.value,
    **INTERVAL,
    "Mean in reference": lambda row: row.value_reference,
    "Difference": lambda row: row.difference,
    "Difference low": lambda row: row.difference_ci_low,
    "Difference high": lambda row: row.difference_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Rows looked at": lambda row: row.n_sampled,
    "Test takes as independent": lambda row: row.independence,
    **STATUS,
}


def multivariate_table(rows: Sequence[MultivariateRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every method and column of every window."""
    return tabled(rows, MULTIVARIATE, zone)


def carrier_table(rows: Sequence[CarrierRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """What each feature carries."""
    return tabled(rows, CARRIERS, zone)


def profile_table(rows: Sequence[ProfileRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The measures of texts and embeddings."""
    return tabled(rows, PROFILE, zone)


def newest_table(
    rows: Sequence[NewRow], *, zone: ZoneInfo, hidden: frozenset[str] = frozenset()
) -> pd.DataFrame:
    """The newest rows with what was logged of them, but for hidden columns."""
    lines: dict[str, list[Any]] = {
        "Rank": [row.rank for row in rows],
        "Reference rows newer still": [row.reference_beyond for row in rows],
        "Time": [local(row.timestamp, zone) for row in rows],
        "Id": [row.id for row in rows],
    }
    names = dict.fromkeys(name for row in rows for name in row.columns if name not in hidden)
    for name in names:
        shown = name
        while shown in lines:
            shown = f"column.{shown}"
        values = [json_ready(row.columns.get(name), zone) for row in rows]
        alike = len({type(value) for value in values if value is not None}) <= 1
        lines[shown] = values if alike else [None if value is None else str(value) for value in values]
    lines["Logged in"] = [f"{row.file}, row {row.row:,}" for row in rows]
    return pd.DataFrame(lines)


def _low(row: MultivariateRow) -> float | None:
    if row.null_high is None or row.null_mean is None:
        return None
    # the classifier looks upwards only: what is usual reaches as far down as chance alone, on average
    return row.null_mean if row.null_low is None else row.null_low


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _hover(row: MultivariateRow, zone: ZoneInfo) -> str:
    head = f"<b>{title(row.method)}</b>, {window_name(row.window_start, row.window_end, zone)}"
    sizes = f"{count(row.n_sampled)} rows of {count(row.n)} against {count(row.n_sampled_reference)}"
    if row.value is None:
        why = f": {plain(row.reason)}" if row.reason else ""
        return f"{head}<br>{STATUS_WORDS[row.status]}{why}<br>{sizes}"
    word = "<b>drifted</b>" if row.drifted else "not drifted"
    usual = "at most" if row.null_low is None else f"{number(row.null_low)} to"
    effect = (
        f"at least {percent(row.effect)} of rows moved"
        if row.method == "domain_classifier"
        else f"{percent(row.effect)} from the usual mean"
    )
    return "<br>".join([
        head, f"{word}: {number(row.value)} ({interval(row.ci_low, row.ci_high)})",
        f"usual: {usual} {number(row.null_high)}", effect, f"adjusted p {number(row.p_adjusted)}", sizes,
    ])  # fmt: skip


def _carrier_hover(row: CarrierRow) -> str:
    return (
        f"<b>{plain(row.feature)}</b><br>area lost without it {number(row.value)} "
        f"({interval(row.ci_low, row.ci_high)})<br>area by itself {number(row.auc_alone)} "
        f"({interval(row.auc_alone_ci_low, row.auc_alone_ci_high)}), of all {number(row.auc)}"
    )
