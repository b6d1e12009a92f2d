"""Plans from the logs by day: the power of each way of stopping over the units that arrive, and the effect seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analytics.experiments.plan_rows import PlanDayRow, PlanHorizonRow, PlanRow, PlanTrafficRow
from app.charts import experiment_words as numbers
from app.charts.experiment_panels import nothing
from app.charts.theme import NEUTRAL, SERIES, WIDE, Figure, Trace, axis, clickable, faint, guide, layout
from app.formats import NONE, STATUS_WORDS, count, listed, number, percent, plural

STOPPING_NAMES = {
    "fixed": "one look at the end",
    "group-sequential": "planned looks",
    "always-valid": "every day",
}
"""How people read a way of stopping."""
_ORDER = tuple(STOPPING_NAMES)
_DASHES = ("solid", "dash", "dot")
_TALL = WIDE + 100
_SPLIT = 0.3


def power_by_day(rows: Sequence[PlanDayRow], *, wanted: float = 0.8, within: int | None = None) -> Figure:
    """Power of each way of stopping on each day, with its range, over the units that have arrived.

    Args:
        rows: of one metric.
        wanted: power asked for, a dashed line.
        within: day by which a decision is wanted, a dotted line.

    Returns:
        A figure whose points carry ``[stopping, day, units, power]``.
    """
    if not rows:
        return nothing("There are no days to draw: the logs' rows carry no time.")
    data: list[Trace] = []
    for place, stopping in enumerate(_ORDER):
        own = [row for row in rows if row.stopping == stopping and row.power is not None]
        if own:
            data += [_band(own, SERIES[place]), _line(own, SERIES[place], STOPPING_NAMES[stopping], place)]
    every = [row for row in rows if row.stopping == rows[0].stopping]
    last = every[-1].day
    data.append(guide([1, last], [wanted, wanted], line={"color": NEUTRAL, "width": 1.5, "dash": "dash"}))
    data += _arrivals(every)
    shapes = [] if within is None or within > last else [_vertical(within)]
    known = [row.day for row in every if not row.beyond_logs]
    if known and known[-1] < last:
        shapes.append(_beyond(known[-1], last))
    more: dict[str, Any] = {
        "xaxis": axis(
            "day of the experiment", range=[0.5, last + 0.5], nticks=8, showgrid=False, anchor="y2"
        ),
        "yaxis": axis("power", range=[0, 1.03], tickformat=".0%", dtick=0.25, domain=[_SPLIT + 0.06, 1]),
        "yaxis2": axis("units", domain=[0, _SPLIT - 0.04], rangemode="tozero", nticks=3),
        "shapes": shapes,
    }
    revision = f"plan {rows[0].metric} {last}"
    return {"data": data, "layout": layout(_TALL, revision=revision, legend=True, **more)}


def power_by_day_alt(rows: Sequence[PlanDayRow], *, wanted: float = 0.8, within: int | None = None) -> str:
    """One sentence: the first day on which each way of stopping has the power."""
    if not rows:
        return "There are no days to draw: the logs' rows carry no time."
    told = []
    for stopping in _ORDER:
        own = [row for row in rows if row.stopping == stopping]
        first = next((row.day for row in own if row.power is not None and row.power >= wanted), None)
        if own:
            when = f"from day {first}" if first is not None else f"on none of {plural(len(own), 'day')}"
            told.append(f"{STOPPING_NAMES[stopping]} {when}")
    by = "" if within is None else f"; a decision is wanted by day {within}"
    return f"{rows[0].metric}: {percent(wanted)} power is there with {listed(told)}{by}."


def effect_by_day(rows: Sequence[PlanDayRow], *, asked: float | None = None) -> Figure:
    """The smallest effect seen with the wanted power, by the day on which it is read.

    Args:
        rows: of one metric.
        asked: the effect asked about, in the same terms (relative where all rows have one).
    """
    told = [row for row in rows if row.stopping != "always-valid" and row.mde_absolute is not None]
    if not told:
        return nothing("There is no effect to draw.")
    relative = all(row.mde_relative is not None for row in told)
    data: list[Trace] = []
    for place, stopping in enumerate(_ORDER):
        own = [row for row in told if row.stopping == stopping]
        if not own:
            continue
        data.append(clickable({
            "type": "scatter", "mode": "lines", "name": STOPPING_NAMES[stopping], "x": [row.day for row in own],
            "y": [_effect(row, relative=relative) for row in own],
            "line": {"color": SERIES[place], "width": 2, "dash": _DASHES[place]},
            "hovertext": [_effect_hover(row) for row in own],
            "customdata": [[row.stopping, row.day, row.mde_absolute] for row in own],
        }))  # fmt: skip
    last = max(row.day for row in told)
    if asked is not None:
        data.append(guide([1, last], [asked, asked], line={"color": NEUTRAL, "width": 1.5, "dash": "dash"}))
    title = "lift seen" if relative else "difference seen"
    more: dict[str, Any] = {
        "xaxis": axis("day of the experiment", range=[0.5, last + 0.5], nticks=8, showgrid=False),
        "yaxis": axis(title, rangemode="tozero", tickformat=".3~%" if relative else None, nticks=6),
    }
    return {"data": data, "layout": layout(WIDE, revision=f"effect {last}", legend=True, **more)}


def effect_by_day_alt(rows: Sequence[PlanDayRow]) -> str:
    """One sentence: the effect seen on the first and the last day."""
    told = [row for row in rows if row.stopping == "fixed" and row.mde_absolute is not None]
    if not told:
        return "There is no effect to draw."
    first, last = told[0], told[-1]
    return (
        f"{first.metric}: read once on day {first.day} a change of {_effect_text(first)} is seen, on day {last.day} "
        f"one of {_effect_text(last)}."
    )


def weekday_bars(rows: Sequence[PlanTrafficRow]) -> Figure:
    """Mean distinct units on each day of the week."""
    told = [row for row in rows if row.units is not None]
    if not told:
        return nothing("There are no weekdays to draw.")
    data = [clickable({
        "type": "bar", "x": [row.weekday[:3] for row in told], "y": [row.units for row in told],
        "marker": {"color": SERIES[0]}, "width": 0.6, "showlegend": False,
        "hovertext": [f"<b>{row.weekday}</b>: {count(row.units)} units a day" for row in told],
        "customdata": [[row.weekday, row.units] for row in told],
    })]  # fmt: skip
    more: dict[str, Any] = {"xaxis": axis(), "yaxis": axis("units a day", rangemode="tozero", nticks=4)}
    return {"data": data, "layout": layout(220, revision="weekdays", **more)}


def weekday_bars_alt(rows: Sequence[PlanTrafficRow]) -> str:
    """One sentence: the days with most and fewest units."""
    told = [row for row in rows if row.units is not None]
    if not told:
        return "There are no weekdays to draw."
    most, least = max(told, key=lambda row: row.units or 0.0), min(told, key=lambda row: row.units or 0.0)
    return f"{count(most.units)} units on {most.weekday}s, {count(least.units)} on {least.weekday}s."


def _line(rows: Sequence[PlanDayRow], colour: str, name: str, place: int) -> Trace:
    dash = _DASHES[place]
    return clickable({
        "type": "scatter", "mode": "lines", "name": name, "x": [row.day for row in rows],
        "y": [row.power for row in rows], "line": {"color": colour, "width": 2, "dash": dash},
        "hovertext": [_hover(row) for row in rows],
        "customdata": [[row.stopping, row.day, round(row.units), row.power] for row in rows],
    })  # fmt: skip


def _band(rows: Sequence[PlanDayRow], colour: str) -> Trace:
    days = [row.day for row in rows]
    return {
        "type": "scatter", "mode": "lines", "x": [*days, *days[::-1]], "hoverinfo": "skip", "showlegend": False,
        "y": [*(row.power_high for row in rows), *(row.power_low for row in reversed(rows))],
        "line": {"width": 0, "color": faint(colour, 0.0)}, "fill": "toself", "fillcolor": faint(colour, 0.13),
    }  # fmt: skip


def _arrivals(rows: Sequence[PlanDayRow]) -> list[Trace]:
    days = [row.day for row in rows]
    band: Trace = {
        "type": "scatter", "mode": "lines", "x": [*days, *days[::-1]], "yaxis": "y2", "hoverinfo": "skip",
        "y": [*(row.units_high for row in rows), *(row.units_low for row in reversed(rows))],
        "line": {"width": 0, "color": faint(NEUTRAL, 0.0)}, "fill": "toself", "fillcolor": faint(NEUTRAL, 0.2),
        "showlegend": False,
    }  # fmt: skip
    line = clickable({
        "type": "scatter", "mode": "lines", "x": days, "y": [row.units for row in rows], "yaxis": "y2",
        "line": {"color": NEUTRAL, "width": 2}, "showlegend": False, "name": "units",
        "hovertext": [_units_hover(row) for row in rows],
        "customdata": [["units", row.day, round(row.units), None] for row in rows],
    })  # fmt: skip
    return [band, line]


def _vertical(day: int) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": day, "x1": day, "y0": 0, "y1": 1,
        "line": {"color": NEUTRAL, "width": 1, "dash": "dot"},
    }  # fmt: skip


def _beyond(known: int, last: int) -> dict[str, Any]:
    """A shade over the days for which arrivals are continued."""
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": known + 0.5, "x1": last + 0.5, "y0": 0, "y1": 1,
        "fillcolor": faint(NEUTRAL, 0.1), "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _hover(row: PlanDayRow) -> str:
    seen = "" if row.mde_absolute is None else f"<br>sees {_effect_text(row)}"
    return (
        f"<b>day {row.day}</b>, {STOPPING_NAMES[row.stopping]}: {percent(row.power)} "
        f"({percent(row.power_low)} to {percent(row.power_high)})<br>{_units_hover(row)}{seen}"
    )


def _units_hover(row: PlanDayRow) -> str:
    where = ", beyond the logs" if row.beyond_logs else ""
    return f"{count(row.units)} units ({count(row.units_low)} to {count(row.units_high)}{where})"


def _effect(row: PlanDayRow, *, relative: bool) -> float | None:
    value = row.mde_relative if relative else row.mde_absolute
    return None if value is None else abs(value)


def _effect_text(row: PlanDayRow) -> str:
    if row.mde_relative is not None:
        return numbers.lift(row.mde_relative)
    return numbers.difference(None, row.mde_absolute)


def _effect_hover(row: PlanDayRow) -> str:
    return f"<b>day {row.day}</b>, {STOPPING_NAMES[row.stopping]}: {_effect_text(row)} is seen<br>{_units_hover(row)}"


def plan_table(rows: Sequence[PlanRow]) -> pd.DataFrame:
    """Metrics by the days they take, one a line, with every way of stopping beside each other."""
    by_metric: dict[str, dict[str, PlanRow]] = {}
    for row in rows:
        by_metric.setdefault(row.metric, {})[row.stopping] = row
    lines = []
    for metric, own in by_metric.items():
        fixed, looks, always = (own[stopping] for stopping in _ORDER)
        lines.append({
            "Metric": metric,
            "For": fixed.role,
            "Asked": _asked(fixed),
            "Baseline": numbers.value(fixed.kind, fixed.baseline),
            "Interval": numbers.value_interval(fixed.kind, fixed.ci_low, fixed.ci_high),
            "Units in all": fixed.n_total,
            "Days": fixed.days,
            "Days, range": _days_range(fixed),
            "With looks: on average": None if looks.days_expected is None else round(looks.days_expected, 1),
            "At the latest": looks.days,
            "Every day: on average": None if always.days_expected is None else round(always.days_expected, 1),
            "Power in time": percent(fixed.power_within),
            "Seen in time": _seen(fixed),
            "Smallest arm": percent(fixed.smallest_share),
            "Why not": fixed.reason if fixed.rank is None else None,
        })  # fmt: skip
    frame = pd.DataFrame(lines)
    if len(frame) and frame["Why not"].isna().all():
        frame = frame.drop(columns="Why not")
    return frame


def plan_days_table(rows: Sequence[PlanDayRow]) -> pd.DataFrame:
    """Days, one a line and way of stopping."""
    return pd.DataFrame({
        "Metric": [row.metric for row in rows],
        "Stopping": [STOPPING_NAMES[row.stopping] for row in rows],
        "Day": [row.day for row in rows],
        "Units": [round(row.units) for row in rows],
        "Units, low": [round(row.units_low) for row in rows],
        "Units, high": [round(row.units_high) for row in rows],
        "Power": [percent(row.power) for row in rows],
        "Power, low": [percent(row.power_low) for row in rows],
        "Power, high": [percent(row.power_high) for row in rows],
        "Effect seen": [row.mde_absolute for row in rows],
        "Lift seen": [numbers.lift(row.mde_relative) for row in rows],
        "Beyond the logs": ["yes" if row.beyond_logs else "no" for row in rows],
    })  # fmt: skip


def horizon_table(rows: Sequence[PlanHorizonRow]) -> pd.DataFrame:
    """Roll-ups, one a line."""
    return pd.DataFrame({
        "Metric": [row.metric for row in rows],
        "Days": [row.days for row in rows],
        "Units": [row.n for row in rows],
        "Baseline": [numbers.value(row.kind, row.baseline) for row in rows],
        "Interval": [numbers.value_interval(row.kind, row.ci_low, row.ci_high) for row in rows],
        "Standard deviation": [row.standard_deviation for row in rows],
        "Variance, of the first": [NONE if row.variance_ratio is None else number(row.variance_ratio) for row in rows],
        "Explained by the covariate": [percent(row.r2) if row.r2 else NONE for row in rows],
        "Design effect of whole clusters": [row.design_effect for row in rows],
        "Units in all": [row.n_total for row in rows],
        "Status": [STATUS_WORDS[row.status] for row in rows],
    })  # fmt: skip


def weekday_table(rows: Sequence[PlanTrafficRow]) -> pd.DataFrame:
    """Weekdays, one a line."""
    return pd.DataFrame({
        "Weekday": [row.weekday for row in rows],
        "Units": [None if row.units is None else round(row.units) for row in rows],
        "Of the mean": [NONE if row.ratio is None else number(row.ratio) for row in rows],
    })  # fmt: skip


def _asked(row: PlanRow) -> str:
    effect = numbers.lift(row.lift) if row.is_relative else numbers.difference(row.kind, row.difference)
    return effect if row.goal == "difference" else f"not beyond {effect}"


def _seen(row: PlanRow) -> str:
    if row.mde_within is None:
        return NONE
    if row.mde_within_relative is None:
        return numbers.difference(row.kind, row.mde_within)
    return numbers.lift(row.mde_within_relative)


def _days_range(row: PlanRow) -> str:
    if row.days_low is None:
        return NONE
    return f"{row.days_low} or more" if row.days_high is None else f"{row.days_low} to {row.days_high}"
