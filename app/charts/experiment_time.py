"""An experiment in time: the effect with both of its intervals by day, and the boundary of planned looks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.experiments.look_rows import LookRow
from analytics.experiments.rows import DayRow
from analytics.project import SHARES
from app.charts import timeline
from app.charts.experiment_days import chosen_days, no_days, unit_bars, window_of
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import difference, difference_interval, known, lift, lift_interval, scaled
from app.charts.theme import (
    NEUTRAL,
    SERIES,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    faint,
    layout,
    middle,
    plain,
)
from app.formats import MINUS, NONE, STATUS_WORDS, count, day, number, percent, plural, short

_ZONE = ZoneInfo("UTC")
_SETTLED = 0.25
"""The plot is scaled to days with at least this share of the final units; wider intervals run off it."""
_FEW_DAYS = 5
_DAY = 86_400_000
_NO_LOOKS = "No look is planned, or none can be shown."
_STATES = {"taken": "taken", "passed": "stood for by a later one", "next": "the next one", "later": "to come"}


def sequence_by_day(
    days: Sequence[DayRow], metric: str, variant: str, *, kind: str | None = "mean"
) -> Figure:
    """The effect of all units so far, inside the interval that holds on every day, beside the one that holds once.

    Args:
        days: of any metrics and arms.
        metric, variant: whose days are drawn.
        kind: of the metric, for its unit.

    Returns:
        A figure whose points carry ``[day, metric, variant]``.
    """
    rows = chosen_days(days, metric, variant, None)
    relative = _relative(rows)
    windows = [window_of(row) for row in rows]
    values = [_end(row, kind, "value", relative=relative) for row in rows]
    if not any(value is not None for value in values):
        return nothing(no_days(rows))
    hover = [_hover(row, kind) for row in rows]
    custom = [[row.day.isoformat(), row.metric, row.variant] for row in rows]
    always, once = (
        [_ends(row, kind, which, relative=relative) for row in rows] for which in ("always_valid", "fixed")
    )
    places = [middle(*window, _ZONE) for window in windows]
    data: list[Trace] = [
        timeline.band(windows, [low for low, _ in always], [high for _, high in always], _ZONE,
                      fillcolor=faint(SERIES[0], 0.22), name="holds on every day", showlegend=True),
        *_edges(places, once),
        clickable({
            "type": "scatter", "mode": "lines+markers", "name": "effect so far", "connectgaps": False,
            "x": places, "y": values, "line": {"color": SERIES[0], "width": 1.5},
            "marker": {"size": 5, "color": SERIES[0]}, "hovertext": hover, "customdata": custom,
        }),
        *_crossings(rows, places, values, hover, custom),
        clickable(unit_bars(rows, windows) | {"hovertext": hover, "customdata": custom}),
    ]  # fmt: skip
    unit = "%" if relative else " pp" if kind in SHARES else ""
    title = "lift" if relative else "difference"
    value_axis = axis(title, range=_range(rows, values, always), ticksuffix=unit, nticks=6)
    value_axis |= {"zeroline": True, "zerolinecolor": NEUTRAL, "zerolinewidth": 1.5}
    more = timeline.axes(windows, _ZONE, value_axis, "n so far")
    if len(rows) <= _FEW_DAYS:
        more["xaxis"] |= {"dtick": _DAY, "tickformat": "%-d %b"}
    return {
        "data": data,
        "layout": layout(WIDE + 40, revision=f"{metric} {variant} {relative}", legend=True, **more),
    }


def sequence_by_day_alt(
    days: Sequence[DayRow], metric: str, variant: str, *, kind: str | None = "mean"
) -> str:
    """One sentence: the effect by the last day with both intervals, and when the lasting one first left 0 out."""
    rows = chosen_days(days, metric, variant, None)
    told = [row for row in rows if row.difference is not None]
    if not told:
        return no_days(rows)
    last = told[-1]
    crossed = next((row.day for row in told if row.crossed), None)
    first = "never left 0 out" if crossed is None else f"first left 0 out on {day(crossed)}"
    return (
        f"{metric} of {variant} against {last.control} over {plural(len(told), 'day')}, by {day(last.day)}: "
        f"{_effect(last, kind, 'always_valid')} by the interval that holds on every day, which {first}; "
        f"looked at once {_effect(last, kind, 'fixed')}."
    )


def _relative(rows: Sequence[DayRow]) -> bool:
    return any(known(row.lift) is not None for row in rows)


def _end(row: DayRow, kind: str | None, which: str, *, relative: bool) -> float | None:
    scale = 100.0 if relative or kind in SHARES else 1.0
    if which == "value":
        return scaled(row.lift if relative else row.difference, scale)
    return scaled(getattr(row, which), scale)


def _ends(row: DayRow, kind: str | None, which: str, *, relative: bool) -> tuple[float | None, float | None]:
    names = (f"{which}_{'lift_' if relative else ''}ci_{end}" for end in ("low", "high"))
    low, high = (_end(row, kind, name, relative=relative) for name in names)
    return (None, None) if low is None or high is None else (low, high)


def _edges(places: Sequence[str], once: Sequence[tuple[float | None, float | None]]) -> list[Trace]:
    """Two dotted lines: the interval for one look."""
    style = {"color": NEUTRAL, "width": 1.2, "dash": "dot"}
    return [
        {
            "type": "scatter", "mode": "lines", "x": list(places), "y": [ends[side] for ends in once],
            "line": style, "hoverinfo": "skip", "connectgaps": False, "name": "holds for one look",
            "showlegend": side == 0, "legendgroup": "once",
        }
        for side in (0, 1)
    ]  # fmt: skip


def _crossings(
    rows: Sequence[DayRow],
    places: Sequence[str],
    values: Sequence[float | None],
    hover: Sequence[str],
    custom: Sequence[list[str]],
) -> list[Trace]:
    """The first day on which 0 was left out."""
    i = next((i for i, row in enumerate(rows) if row.crossed and values[i] is not None), None)
    if i is None:
        return []
    return [clickable({
        "type": "scatter", "mode": "markers", "name": "first leaves 0 out", "x": [places[i]], "y": [values[i]],
        "marker": {"size": 12, "symbol": "star", "color": SERIES[0]}, "hovertext": [hover[i]],
        "customdata": [custom[i]], "cliponaxis": False,
    })]  # fmt: skip


def _range(
    rows: Sequence[DayRow],
    values: Sequence[float | None],
    always: Sequence[tuple[float | None, float | None]],
) -> list[float]:
    final = max(row.n + row.n_control for row in rows)
    settled = [i for i, row in enumerate(rows) if row.n + row.n_control >= _SETTLED * final]
    ends = [end for i in settled for end in (values[i], *always[i]) if end is not None]
    ends = ends or [value for value in values if value is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.1 * (high - low) or 1.0
    return [low - room, high + room]


def _effect(row: DayRow, kind: str | None, which: str) -> str:
    low, high = getattr(row, f"{which}_lift_ci_low"), getattr(row, f"{which}_lift_ci_high")
    if row.lift is not None and low is not None:
        return f"lift {lift(row.lift)} ({lift_interval(low, high)})"
    ends = getattr(row, f"{which}_ci_low"), getattr(row, f"{which}_ci_high")
    return f"difference {difference(kind, row.difference)} ({difference_interval(kind, *ends)})"


def _hover(row: DayRow, kind: str | None) -> str:
    lines = [f"until {day(row.day)}: <b>{plain(short(row.variant))}</b> against {plain(short(row.control))}"]
    if row.difference is None:
        lines.append(plain(short(row.reason or STATUS_WORDS[row.status], 56)))
    else:
        lines.append(f"every day: {_effect(row, kind, 'always_valid')}")
        lines.append(f"one look: {_effect(row, kind, 'fixed')}")
    return "<br>".join([*lines, f"n = {count(row.n)} against {count(row.n_control)}"])


def days_table(days: Sequence[DayRow], *, kind: str | None) -> pd.DataFrame:
    """Every day with both intervals."""
    return pd.DataFrame(
        [
            {
                "Until": row.day,
                "Method": row.method,
                "Difference": difference(kind, row.difference),
                "Holds on every day": difference_interval(kind, row.always_valid_ci_low, row.always_valid_ci_high),
                "p, every day": row.always_valid_p_value,
                "Holds for one look": difference_interval(kind, row.fixed_ci_low, row.fixed_ci_high),
                "p, one look": row.fixed_p_value,
                "Lift": lift(row.lift),
                "Leaves 0 out": NONE if row.crossed is None else "yes" if row.crossed else "no",
                "Units": row.n,
                "Control units": row.n_control,
                "Reason": row.reason,
            }
            for row in days
        ]
    )  # fmt: skip


# --- planned looks -------------------------------------------------------------------------------------------------


def boundary(looks: Sequence[LookRow]) -> Figure:
    """Statistics of the looks that were taken between the boundaries of all looks.

    Args:
        looks: of one metric and arm by one method.

    Returns:
        A figure whose points carry ``[look, metric, variant]``.
    """
    rows = [row for row in looks if row.boundary is not None]
    if not rows:
        return nothing(_NO_LOOKS)
    x = [100 * (row.fraction or row.planned_fraction) for row in rows]
    bounds = [row.boundary or 0.0 for row in rows]
    hover, custom = [_look_hover(row) for row in rows], [[row.look, row.metric, row.variant] for row in rows]
    ends = [0.0, max(105.0, 1.05 * max(x))]
    data: list[Trace] = [
        {
            "type": "scatter", "mode": "lines+markers", "x": x, "y": [sign * bound for bound in bounds],
            "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash"}, "marker": {"size": 6, "color": NEUTRAL},
            "name": "boundary", "showlegend": sign > 0, "legendgroup": "boundary", "hovertext": hover,
            "hoverinfo": "text", "customdata": custom,
        }
        for sign in (1.0, -1.0)
    ]  # fmt: skip
    for crossed, group in groupby(
        sorted((row for row in rows if row.statistic is not None), key=_has_crossed), key=_has_crossed
    ):
        mine = list(group)
        data.append(clickable({
            "type": "scatter", "mode": "markers", "name": "crossed" if crossed else "not crossed",
            "x": [100 * (row.fraction or 0.0) for row in mine], "y": [row.statistic for row in mine],
            "marker": {"size": 11, "symbol": "star" if crossed else "circle", "color": SERIES[0]},
            "hovertext": [_look_hover(row) for row in mine],
            "customdata": [[row.look, row.metric, row.variant] for row in mine], "cliponaxis": False,
        }))  # fmt: skip
    highest = max([*bounds, *(abs(row.statistic) for row in rows if row.statistic is not None)])
    value_axis = axis("statistic", range=[-1.1 * highest, 1.1 * highest], nticks=7)
    value_axis |= {"zeroline": True, "zerolinecolor": NEUTRAL, "zerolinewidth": 1.5}
    return {
        "data": data,
        "layout": layout(
            WIDE, legend=True, revision=f"looks {rows[0].metric} {rows[0].variant}", yaxis=value_axis,
            xaxis=axis("share of the planned units", range=ends, ticksuffix="%", nticks=6),
        ),
    }  # fmt: skip


def _has_crossed(row: LookRow) -> bool:
    return bool(row.crossed)


def boundary_alt(looks: Sequence[LookRow]) -> str:
    """One sentence: which look it stands on, whether it crossed, and how far the boundary is."""
    taken = [row for row in looks if row.state == "taken" and row.statistic is not None]
    if not taken:
        return "No look was taken yet." if looks else _NO_LOOKS
    last = taken[-1]
    first = next((row for row in taken if row.crossed), None)
    crossing = "no look crossed the boundary" if first is None else f"look {first.look} crossed it first"
    return (
        f"{last.metric} of {last.variant} at look {last.look} of {len(looks)}, {percent(last.fraction)} of the planned "
        f"units: statistic {_signed(last.statistic)} against a boundary of {number(last.boundary)}; {crossing}."
    )


def _signed(value: float | None) -> str:
    return NONE if value is None else f"{MINUS if value < 0 else ''}{number(abs(value))}"


def _look_hover(row: LookRow) -> str:
    at = f" on {day(row.day)}" if row.day is not None else ""
    lines = [f"look {row.look}, {_STATES[row.state]}{at}", f"boundary {number(row.boundary)}"]
    if row.statistic is not None:
        lines.append(f"statistic {_signed(row.statistic)}, repeated p {number(row.p_value)}")
    if row.alpha_spent is not None:
        lines.append(f"spent {number(row.alpha_spent)} of alpha {number(row.alpha)}")
    if row.power_as_it_goes is not None:
        lines.append(f"chance to cross at the end, as it goes: {percent(row.power_as_it_goes)}")
    return "<br>".join(lines)


def looks_table(looks: Sequence[LookRow], *, kind: str | None) -> pd.DataFrame:
    """Every planned look: information, boundary, what is spent, what it showed."""
    return pd.DataFrame([_look_cells(row, kind) for row in looks])


def _look_cells(row: LookRow, kind: str | None) -> dict[str, Any]:
    return {
        "Look": row.look,
        "State": _STATES[row.state],
        "Planned": percent(row.planned_fraction),
        "At units": row.planned_n,
        "Day": row.day,
        "Taken at": percent(row.fraction),
        "Boundary": row.boundary,
        "Alpha spent": row.alpha_spent,
        "Statistic": row.statistic,
        "Repeated p": row.p_value,
        "Difference, repeated interval": NONE
        if row.ci_low is None
        else f"{difference(kind, row.difference)} ({difference_interval(kind, row.ci_low, row.ci_high)})",
        "Crossed": NONE if row.crossed is None else "yes" if row.crossed else "no",
        "Chance to cross, as it goes": percent(row.power_as_it_goes),
        "Chance to cross, if it matters": percent(row.power_if_it_matters),
        "Reason": row.reason,
    }
