"""Estimated quality with its band against what was measured once labels had come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.quality.estimated import EstimateRow, EstimatorRow
from app.charts import timeline
from app.charts.theme import (
    PAPER,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    layout,
    middle,
    tick_format,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, interval, window_name
from app.glossary import show, title, unit

_ESTIMATED, _MEASURED = SERIES[0], SERIES[1]
STANDINGS = {"believed": "believed", "withdrawn": "withdrawn", "unproven": "too few back-tests"}
METHODS = {"cbpe": "calibrated scores", "pape": "weighted to the window", "dle": "error model"}


def estimated_quality(rows: Sequence[EstimateRow], *, zone: ZoneInfo, confidence: float = 0.95) -> Figure:
    """The band of one metric over time, dashed, and the measured values, solid; withdrawn windows are crossed.

    Args:
        rows: of one metric, version and method.
        zone: of the time axis.
        confidence: of the band.
    """
    part = sorted((row for row in rows if row.n), key=lambda row: row.window_start)
    if not any(row.value is not None or row.realised is not None for row in part):
        return empty("Nothing was estimated in these windows.")
    windows = [Window(row.window_start, row.window_end) for row in part]
    low, high = [row.ci_low for row in part], [row.ci_high for row in part]
    band = timeline.band(windows, low, high, zone, fillcolor=faint(_ESTIMATED, 0.2))
    band |= {"name": f"{confidence:.0%} band for the measured value", "showlegend": True}
    hover = [_hover(row, zone) for row in part]
    data: list[Trace] = [band, _estimates(part, windows, hover, zone), _measured(part, windows, hover, zone)]
    data.append(
        timeline.count_bars(windows, [row.n for row in part], zone, hovertext=hover, hoverinfo="text")
    )
    withdrawn = [window for window, row in zip(windows, part, strict=True) if is_withdrawn(row)]
    if withdrawn:
        crossed = timeline.hatching(withdrawn, zone)
        crossed["marker"]["pattern"] |= {"shape": "x", "solidity": 0.12}
        data.append(crossed | {"name": "withdrawn", "showlegend": True})
    value_axis = axis(tickformat=tick_format(unit(part[0].metric)))
    more = timeline.axes(windows, zone, value_axis, "n")
    revision = f"estimated {part[0].metric} {windows[0]} {windows[-1]}"
    return {"data": data, "layout": layout(340, revision=revision, legend=True, **more)}


def is_withdrawn(row: EstimateRow) -> bool:
    """Whether back-tests spoke against the estimate."""
    return row.status == "undefined" and (row.reason or "").startswith("withdrawn")


def _estimates(part: list[EstimateRow], windows: list[Window], hover: list[str], zone: ZoneInfo) -> Trace:
    values = [row.value for row in part]
    return clickable({
        "type": "scatter", "mode": "lines+markers", "name": "estimated", "connectgaps": False,
        "x": [middle(*window, zone) for window in windows], "y": values,
        "line": {"color": _ESTIMATED, "width": 2, "dash": "dash"},
        "marker": {"size": 5, "color": PAPER, "line": {"color": _ESTIMATED, "width": 1.5}},
        "error_y": timeline.whiskers(values, [row.ci_low for row in part], [row.ci_high for row in part])
        | {"color": _ESTIMATED},
        "hovertext": hover, "customdata": [_custom(row) for row in part],
    })  # fmt: skip


def _measured(part: list[EstimateRow], windows: list[Window], hover: list[str], zone: ZoneInfo) -> Trace:
    return clickable({
        "type": "scatter", "mode": "lines+markers", "name": "measured later", "connectgaps": False,
        "x": [middle(*window, zone) for window in windows], "y": [row.realised for row in part],
        "line": {"color": _MEASURED, "width": 1.5},
        "marker": {
            "size": 7, "color": _MEASURED, "symbol": ["diamond" if row.held is False else "circle" for row in part],
        },
        "hovertext": hover, "customdata": [_custom(row) for row in part],
    })  # fmt: skip


def _custom(row: EstimateRow) -> list[str | None]:
    return [row.window_start.isoformat(), row.window_end.isoformat(), row.version, None]


def _hover(row: EstimateRow, zone: ZoneInfo) -> str:
    lines = [window_name(row.window_start, row.window_end, zone)]
    if row.value is not None:
        limits = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
        lines.append(f"estimated {show(row.metric, row.value)} ({limits})")
    else:
        lines.append("withdrawn" if is_withdrawn(row) else f"no estimate: {STATUS_WORDS[row.status]}")
    if row.realised is not None:
        lines.append(
            f"measured {show(row.metric, row.realised)}{'' if row.held is not False else ', outside'}"
        )
    else:
        lines.append(f"measured: {STATUS_WORDS[row.realised_status]}")
    lines.append(f"n = {count(row.n)}; held in {row.held_backtests} of {row.n_backtests} before")
    return "<br>".join(lines)


def estimated_quality_alt(rows: Sequence[EstimateRow], *, zone: ZoneInfo) -> str:
    """One sentence: how often the band held, and the newest estimate."""
    tested = [row for row in rows if row.held is not None]
    held = sum(bool(row.held) for row in tested)
    given = [row for row in rows if row.value is not None]
    if not given and not tested:
        return "Nothing was estimated in these windows."
    name = title(rows[0].metric)
    said = (
        [f"{name}: the band held the measured value in {held} of {len(tested)} windows"] if tested else [name]
    )
    crossed = sum(is_withdrawn(row) for row in rows)
    if crossed:
        said.append(f"withdrawn in {crossed}")
    if given:
        newest = max(given, key=lambda row: row.window_end)
        limits = interval(newest.ci_low, newest.ci_high, share=unit(newest.metric) == "share")
        when = in_window(newest.window_start, newest.window_end, zone)
        said.append(f"newest estimate {when}: {show(newest.metric, newest.value)} ({limits})")
    return "; ".join(said) + "."


def estimate_table(rows: Sequence[EstimateRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The windows behind the chart."""
    return pd.DataFrame([
        {
            "Window": window_name(row.window_start, row.window_end, zone), "Version": row.version,
            "Metric": title(row.metric), "Estimated": row.value, "Low": row.ci_low, "High": row.ci_high,
            "Measured": row.realised, "Held": _yes(row.held), "Rows": row.n, "Labelled rows": row.n_labelled,
            "Reference rows": row.n_reference, "Held before": row.held_backtests, "Back-tests": row.n_backtests,
            "Calibration": row.calibration, "In effect": row.effective_n, "Status": STATUS_WORDS[row.status],
            "Reason": row.reason,
        }
        for row in rows
    ])  # fmt: skip


def _yes(held: bool | None) -> str | None:  # noqa: FBT001  # a value, not a switch
    return None if held is None else "yes" if held else "no"


def scorecard_table(rows: Sequence[EstimatorRow]) -> pd.DataFrame:
    """How each estimator has fared; what must be read first stands first, for phones."""
    return pd.DataFrame([_line(row) for row in rows])


def _line(row: EstimatorRow) -> dict[str, Any]:
    return {
        "Metric": title(row.metric),
        "Held": f"{row.held_backtests} of {row.n_backtests}",
        "Now": STANDINGS[row.standing],
        "Interval score": row.mean_interval_score,
        "Repeating the last value": row.mean_interval_score_last_value,
        "Mean width": row.mean_width,
        "Measured − estimated": row.mean_error,
    }
