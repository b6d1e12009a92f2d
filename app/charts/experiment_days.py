"""The effect of an experiment as units arrived, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from analytics.experiments.rows import DayRow, Method, headline_method
from analytics.project import SHARES
from app.charts import timeline
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import (
    difference,
    difference_interval,
    known,
    lift,
    lift_interval,
    scaled,
)
from app.charts.theme import (
    NEUTRAL,
    SERIES,
    TEXT,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    faint,
    layout,
    middle,
    plain,
    span_ms,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, day, plural, short

FIXED_HORIZON = (
    "The intervals are made for one look, at the planned end. Whoever looks every day and stops when the interval "
    "leaves 0 is wrong far more often than they say: about 1 time in 5 after ten looks, instead of 1 in 20."
)
_SHORT_WARNING = (
    "Only the last day is the result: stopping at<br>a day that looks good finds what is not there."
)
_FEW_DAYS = 5
_MANY_DAYS = 60
_DAY = 86_400_000
"""In milliseconds, as Plotly counts."""
_SETTLED = 0.25
"""The plot is scaled to the days with at least this share of the final units; earlier intervals run off it."""
_ZONE = ZoneInfo("UTC")


def cumulative_effect(
    days: Sequence[DayRow],
    metric: str,
    variant: str,
    *,
    kind: str | None = "mean",
    method: Method | None = None,
    lifts: bool = True,
) -> Figure:
    """Lift (or difference) of all units that had arrived by each day, with its interval, no effect, and n below.

    Args:
        days: of any metrics and arms.
        metric, variant: whose days are drawn.
        kind: of the metric, for its unit.
        method: how variance was reduced; None: as the verdict has it.
        lifts: relative where there is a lift.

    Returns:
        A figure whose points carry ``[day, metric, variant]``.
    """
    rows = chosen_days(days, metric, variant, method)
    relative = lifts and any(known(row.lift) is not None for row in rows)
    drawn = [_estimate(row, kind, relative=relative) for row in rows]
    if not any(value is not None for value, _, _ in drawn):
        return nothing(no_days(rows))
    windows = [window_of(row) for row in rows]
    hover = [_hover(row, kind) for row in rows]
    custom = [[row.day.isoformat(), row.metric, row.variant] for row in rows]
    values, low, high = ([one[part] for one in drawn] for part in range(3))
    last = max(i for i, value in enumerate(values) if value is not None)
    data: list[Trace] = [
        timeline.band(windows, low, high, _ZONE, fillcolor=faint(NEUTRAL, 0.28)),
        clickable({
            "type": "scatter", "mode": "lines+markers", "name": "units so far", "connectgaps": False,
            "x": [middle(*window, _ZONE) for window in windows], "y": values,
            "line": {"color": NEUTRAL, "width": 1.5}, "marker": {"size": 5, "color": NEUTRAL},
            "hovertext": hover, "customdata": custom,
        }),
        _result(middle(*windows[last], _ZONE), drawn[last], hover[last], custom[last]),
        clickable(unit_bars(rows, windows) | {"hovertext": hover, "customdata": custom}),
    ]  # fmt: skip
    unit_ = "%" if relative else " pp" if kind in SHARES else ""
    title = "lift" if relative else "difference"
    value_axis = axis(title, range=_range(rows, drawn), ticksuffix=unit_, nticks=6)
    value_axis |= {"zeroline": True, "zerolinecolor": NEUTRAL, "zerolinewidth": 1.5}
    more = timeline.axes(windows, _ZONE, value_axis, "n so far")
    if len(rows) <= _FEW_DAYS:
        more["xaxis"] |= {"dtick": _DAY, "tickformat": "%-d %b"}
    more["annotations"] = [_warning()]
    figure = layout(WIDE + 40, revision=f"{metric} {variant} {relative}", legend=True, **more)
    figure["margin"] |= {"t": 66}
    figure["legend"] |= {"y": 1 + 34 / (WIDE + 40 - 98)}
    return {"data": data, "layout": figure}


def cumulative_effect_alt(
    days: Sequence[DayRow],
    metric: str,
    variant: str,
    *,
    kind: str | None = "mean",
    method: Method | None = None,
    lifts: bool = True,
) -> str:
    """One sentence: the effect of all units, when it was largest and smallest, and that it was not for stopping."""
    rows = chosen_days(days, metric, variant, method)
    relative = lifts and any(known(row.lift) is not None for row in rows)
    told = [row for row in rows if known(row.lift if relative else row.difference) is not None]
    if not told:
        return no_days(rows)
    last = told[-1]
    amounts = [row.lift if relative else row.difference for row in told]
    low, high = min(x for x in amounts if x is not None), max(x for x in amounts if x is not None)
    show = lift if relative else lambda x: difference(kind, x)
    return (
        f"{metric} of {variant} against {last.control} by {day(last.day)}: {_said(last, kind, relative=relative)}, "
        f"n = {count(last.n)} against {count(last.n_control)}; from {show(low)} to {show(high)} over "
        f"{plural(len(told), 'day')}. Only the last day is the result."
    )


def chosen_days(days: Sequence[DayRow], metric: str, variant: str, method: Method | None) -> list[DayRow]:
    """The days of one metric and arm by one method, ascending; by the method the verdict stands on where None."""
    mine = [row for row in days if row.metric == metric and row.variant == variant]
    states = {row.method: "no_data" for row in mine}
    states |= {row.method: "ok" for row in mine if row.difference is not None}
    wanted = method or headline_method(states)
    return sorted((row for row in mine if row.method == wanted), key=lambda row: row.day)


def no_days(rows: Sequence[DayRow]) -> str:
    """Why there is nothing to draw."""
    if not rows:
        return "The exposures carry no days to follow."
    return f"No day can be compared: {rows[-1].reason or STATUS_WORDS[rows[-1].status]}."


def _estimate(
    row: DayRow, kind: str | None, *, relative: bool
) -> tuple[float | None, float | None, float | None]:
    ends = (
        (row.lift, row.lift_ci_low, row.lift_ci_high)
        if relative
        else (row.difference, row.ci_low, row.ci_high)
    )
    scale = 100 if relative or kind in SHARES else 1
    value, low, high = (scaled(end, scale) for end in ends)
    return (value, low, high) if low is not None and high is not None else (value, None, None)


def window_of(row: DayRow) -> Window:
    """A day on the axis."""
    start = datetime.combine(row.day, time(), UTC)
    return Window(start, start + timedelta(days=1))


def _result(
    x: str, drawn: tuple[float | None, float | None, float | None], hover: str, custom: list[str]
) -> Trace:
    value, low, high = drawn
    whisker = {
        "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 2, "width": 0,
        "array": [(high or 0.0) - (value or 0.0) if high is not None else 0.0],
        "arrayminus": [(value or 0.0) - (low or 0.0) if low is not None else 0.0],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": "the result: all units", "x": [x], "y": [value],
        "error_y": whisker, "marker": {"size": 10, "color": SERIES[0], "symbol": "circle"}, "cliponaxis": False,
        "hovertext": [hover], "customdata": [custom],
    })  # fmt: skip


def unit_bars(rows: Sequence[DayRow], windows: Sequence[Window]) -> Trace:
    """Units so far; a day on which nobody was new has no row, and the number before it holds."""
    starts = [span_ms(windows[0].start, window.start, _ZONE) for window in windows]
    lengths = [after - start for start, after in pairwise([*starts, starts[-1] + _DAY])]
    # gaps of less than a pixel would come and go
    room = 0.08 * _DAY if len(rows) <= _MANY_DAYS else 0.0
    bars = timeline.count_bars(windows, [row.n + row.n_control for row in rows], _ZONE)
    widths = [length - 2 * room for length in lengths]
    return bars | {"width": widths, "offset": [room - _DAY / 2] * len(rows)}


def _range(
    rows: Sequence[DayRow], drawn: Sequence[tuple[float | None, float | None, float | None]]
) -> list[float]:
    final = max(row.n + row.n_control for row in rows)
    settled = [one for row, one in zip(rows, drawn, strict=True) if row.n + row.n_control >= _SETTLED * final]
    ends = [end for one in settled for end in one if end is not None] or [
        end for one in drawn for end in one if end is not None
    ]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.1 * (high - low) or 1.0
    return [low - room, high + room]


def _warning() -> dict[str, Any]:
    return {
        "text": _SHORT_WARNING, "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 1,
        "yanchor": "bottom", "align": "left", "showarrow": False, "font": {"size": 12, "color": TEXT},
    }  # fmt: skip


def _said(row: DayRow, kind: str | None, *, relative: bool) -> str:
    if relative:
        return f"lift {lift(row.lift)} ({lift_interval(row.lift_ci_low, row.lift_ci_high)})"
    limits = difference_interval(kind, row.ci_low, row.ci_high)
    return f"difference {difference(kind, row.difference)} ({limits})"


def _hover(row: DayRow, kind: str | None) -> str:
    lines = [f"until {day(row.day)}: <b>{plain(short(row.variant))}</b> against {plain(short(row.control))}"]
    if row.difference is None:
        lines.append(plain(short(row.reason or STATUS_WORDS[row.status], 56)))
    else:
        lines += [_said(row, kind, relative=True)] if row.lift is not None else []
        lines.append(_said(row, kind, relative=False))
    return "<br>".join([*lines, f"n = {count(row.n)} against {count(row.n_control)}, {row.method}"])
