"""Can it be trusted: the split by day, the segments that carry a broken one, and the effect since first exposure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from analytics.experiments.checks.ages import AgeRow
from analytics.experiments.checks.split import SegmentPart, SplitDay
from analytics.experiments.checks.words import TITLES
from analytics.experiments.rows import Check
from analytics.stats.intervals import Interval, wilson
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import difference, difference_interval, known, lift, lift_interval, p_value
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    TEXT,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    layout,
    plain,
)
from app.formats import NONE, count, day, number, percent, plural, short

MOST_PARTS = 15
MOST_UNSURE = 20
"""Units of a day below which its interval may run off the plot."""
_LEVELS = {"blocks": "Blocks", "warns": "Warns", "fine": "Fine", "unknown": "Cannot be told"}


def split_by_day(days: Sequence[SplitDay], variant: str, onset: date | None = None) -> Figure:
    """The share of one arm by day with its interval, the planned share as a line, the day it went wrong as a mark."""
    rows = _arm_days(days, variant)
    if not rows:
        return nothing("Exposures carry no days, so the split cannot be seen day by day.")
    # an interval over most of the scale says nothing and hides the others; these days stand in the table
    enough = [row for row in rows if row[1] >= MOST_UNSURE] or rows
    named = f"{plain(variant)} with 95% interval"
    if len(enough) < len(rows):
        named += f", days of {MOST_UNSURE} units or more"
    rows = enough
    shares = [own.n / total for own, total, _ in rows]
    limits = [wilson(share, total, 0.95) for share, (_, total, _) in zip(shares, rows, strict=True)]
    hover = [
        f"<b>{day(own.day)}</b><br>{plain(variant)}: {count(own.n)} of {count(total)}, {percent(own.n / total)}<br>"
        f"planned {percent(planned)}<br>p with daily looks {p_value(own.p_value)}"
        for own, total, planned in rows
    ]
    x = [own.day.isoformat() for own, _, _ in rows]
    bad = [onset is not None and own.day >= onset for own, _, _ in rows]
    data: list[Trace] = [
        {"type": "scatter", "mode": "lines", "name": "planned", "x": x, "y": [planned for _, _, planned in rows],
         "line": {"color": NEUTRAL, "width": 1.5, "dash": "dash", "shape": "hvh"}, "hoverinfo": "skip"},
        clickable({
            "type": "scatter", "mode": "markers", "name": named, "x": x, "y": shares,
            "error_y": {"type": "data", "symmetric": False, "width": 0, "thickness": 1.5,
                        "color": NEUTRAL,
                        "array": [limit.high - share for limit, share in zip(limits, shares, strict=True)],
                        "arrayminus": [share - limit.low for limit, share in zip(limits, shares, strict=True)]},
            "marker": {"size": 7, "color": [ACTION if wrong else SERIES[0] for wrong in bad]}, "hovertext": hover,
        }),
    ]  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis(type="date", tickformat="%-d %b", nticks=6),
        "yaxis": axis(f"share of {plain(variant)}", nticks=6, tickformat=".0%", range=_around(limits, rows)),
    }
    return {
        "data": data,
        "layout": layout(WIDE, revision=variant, legend=True, **more, **_onset_mark(onset)),
    }


def _around(limits: Sequence[Interval], rows: Sequence[tuple[SplitDay, int, float]]) -> list[float]:
    """From the lowest to the highest of what is drawn, with some room; runaway days of few units run off."""
    enough = [
        limit for limit, (_, total, _) in zip(limits, rows, strict=True) if total >= MOST_UNSURE
    ] or limits
    planned = [share for _, _, share in rows]
    low, high = min([*planned, *(one.low for one in enough)]), max([*planned, *(one.high for one in enough)])
    room = 0.1 * max(high - low, 0.02)
    return [max(low - room, 0.0), min(high + room, 1.0)]


def _onset_mark(onset: date | None) -> dict[str, Any]:
    """A dotted line between the last day as planned and the first one that is not."""
    if onset is None:
        return {}
    at = f"{(onset - timedelta(days=1)).isoformat()} 12:00"
    line = {"color": ACTION, "width": 1.5, "dash": "dot"}
    text = {"text": f"off since {onset:%-d %b}", "showarrow": False, "font": {"color": TEXT}}
    place = {"x": at, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top"}
    return {
        "shapes": [{"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}],
        "annotations": [text | place],
    }


def split_by_day_alt(days: Sequence[SplitDay], variant: str, onset: date | None = None) -> str:
    """One sentence: the share over all days, and since when it is off."""
    rows = _arm_days(days, variant)
    if not rows:
        return "Exposures carry no days, so the split cannot be seen day by day."
    got, total = sum(own.n for own, _, _ in rows), sum(total for _, total, _ in rows)
    planned = sum(own.expected for own, _, _ in rows) / total
    since = f", off since {day(onset)}" if onset is not None else ""
    return (
        f"Share of {variant} by day of first exposure over {plural(len(rows), 'day')}: {percent(got / total)} of "
        f"{count(total)}, {percent(planned)} planned{since}."
    )


def _arm_days(days: Sequence[SplitDay], variant: str) -> list[tuple[SplitDay, int, float]]:
    """Days with units: the arm's row, all units of the day, and the planned share."""
    totals: dict[date, int] = {}
    for row in days:
        totals[row.day] = totals.get(row.day, 0) + row.n
    return [
        (row, totals[row.day], row.expected / totals[row.day])
        for row in days
        if row.variant == variant and totals[row.day]
    ]


def split_segments(parts: Sequence[SegmentPart]) -> Figure:
    """What every segment contributes to the deviation of the split, as bars; red where its own split is broken."""
    shown = _largest(parts)
    if not shown:
        return nothing("No segments are declared.")
    names = [f"{short(part.segment, 14)} = {short(part.value, 18)}" for part in shown]
    hover = [
        f"<b>{plain(part.segment)} = {plain(part.value)}</b><br>"
        + "<br>".join(
            f"{plain(arm)}: {count(n)}, expected {count(part.expected[arm])}" for arm, n in part.n.items()
        )
        + f"<br>corrected p {p_value(part.p_adjusted)}<br>without it p {p_value(part.p_without)}"
        for part in shown
    ]
    bad = [part.p_adjusted is not None and part.p_adjusted < 0.001 for part in shown]
    bars = clickable({
        "type": "bar", "orientation": "h", "x": [part.contribution for part in shown], "y": list(range(len(shown))),
        "width": 0.6, "marker": {"color": [ACTION if wrong else SERIES[0] for wrong in bad]}, "hovertext": hover,
    })  # fmt: skip
    more: dict[str, Any] = {
        "xaxis": axis("part of the chi-squared statistic", zeroline=True, zerolinecolor=NEUTRAL, nticks=5),
        "yaxis": axis(
            autorange="reversed", tickvals=list(range(len(shown))), ticktext=[plain(name) for name in names]
        ),
    }
    return {"data": [bars], "layout": layout(60 + 26 * len(shown), **more)}


def split_segments_alt(parts: Sequence[SegmentPart]) -> str:
    """One sentence: the segment with the largest part."""
    shown = _largest(parts)
    if not shown:
        return "No segments are declared."
    first = shown[0]
    total = sum(part.contribution for part in parts if part.segment == first.segment)
    share = f", {percent(first.contribution / total)} of the deviation" if total > 0 else ""
    largest = f"the largest is {first.segment} = {first.value}{share}"
    return f"Parts of {plural(len(parts), 'segment')} in the split: {largest}."


def _largest(parts: Sequence[SegmentPart]) -> list[SegmentPart]:
    return sorted(parts, key=lambda part: -abs(part.contribution))[:MOST_PARTS]


def effect_by_age(rows: Sequence[AgeRow], metric: str, variant: str, kind: str | None = "mean") -> Figure:
    """The effect on every day since first exposure with its interval, beside the control's mean in the hover."""
    chosen = _chosen(rows, metric, variant)
    told = [row for row in chosen if row.difference is not None]
    if not told:
        reason = next((row.reason for row in chosen if row.reason), None)
        return nothing(f"No effect by day since exposure: {reason or 'too few units were followed'}.")
    relative = all(row.lift is not None for row in told)
    scale = 100.0 if relative or kind in {"proportion", "retention", "funnel"} else 1.0
    x = [row.day for row in told]
    y = [_scaled(row.lift if relative else row.difference, scale) for row in told]
    ends = [
        tuple(
            _scaled(getattr(row, f"{'lift_' if relative else ''}ci_{end}"), scale) for end in ("low", "high")
        )
        for row in told
    ]
    hover = [
        f"<b>day {row.day} since first exposure</b><br>{difference(kind, row.difference)} "
        f"({difference_interval(kind, row.ci_low, row.ci_high)})<br>"
        f"lift {lift(row.lift)} {lift_interval(row.lift_ci_low, row.lift_ci_high)}<br>"
        f"control {number(row.mean_control)}, n = {count(row.n)} + {count(row.n_control)}"
        for row in told
    ]
    points_ = clickable({
        "type": "scatter", "mode": "markers+lines", "x": x, "y": y, "hovertext": hover,
        "line": {"color": SERIES[0], "width": 1}, "marker": {"size": 7, "color": SERIES[0]},
        "error_y": {"type": "data", "symmetric": False, "width": 0, "thickness": 1.5,
                    "array": [high - value for value, (_, high) in zip(y, ends, strict=True)],
                    "arrayminus": [value - low for value, (low, _) in zip(y, ends, strict=True)]},
    })  # fmt: skip
    unit = "%" if relative else " pp" if scale != 1.0 else ""
    more: dict[str, Any] = {
        "xaxis": axis("days since first exposure", nticks=8, range=[min(x) - 0.3, max(x) + 0.3]),
        "yaxis": axis("lift on that day" if relative else "difference on that day", ticksuffix=unit, nticks=6)
        | {"zeroline": True, "zerolinecolor": NEUTRAL, "zerolinewidth": 1.5},
    }
    return {"data": [points_], "layout": layout(WIDE, revision=f"{metric} {variant}", **more)}


def effect_by_age_alt(rows: Sequence[AgeRow], metric: str, variant: str, kind: str | None = "mean") -> str:
    """One sentence: the effect on the first and on the last day."""
    told = [row for row in _chosen(rows, metric, variant) if row.difference is not None]
    if not told:
        return f"No effect of {variant} on {metric} by day since exposure."
    first, last = told[0], told[-1]
    ends = [
        f"{difference(kind, row.difference) if row.lift is None else lift(row.lift)} on day {row.day}"
        for row in (first, last)
    ]
    return f"Effect of {variant} on {metric} by day since first exposure: {ends[0]}, {ends[1]}; {count(first.n)} units."


def _chosen(rows: Sequence[AgeRow], metric: str, variant: str) -> list[AgeRow]:
    return [row for row in rows if row.metric == metric and row.variant == variant]


def _scaled(value: float | None, scale: float) -> float:
    return scale * (known(value) or 0.0)


def checks_table(checks: Sequence[Check]) -> pd.DataFrame:
    """Every check as people read it."""
    return pd.DataFrame(
        {
            "Check": [TITLES[row.name].capitalize() for row in checks],
            "Level": [_LEVELS[row.level] for row in checks],
            "Found": [row.sentence for row in checks],
            "Cause": [row.cause or NONE for row in checks],
            "p": [p_value(row.p_value) for row in checks],
            "Units": [row.n for row in checks],
            "Asked by": [row.query or NONE for row in checks],
        }
    )


def days_table(days: Sequence[SplitDay]) -> pd.DataFrame:
    """The split by day and arm."""
    return pd.DataFrame(
        {
            "Day": [row.day for row in days],
            "Variant": [row.variant for row in days],
            "Units": [row.n for row in days],
            "Expected": [round(row.expected, 1) for row in days],
            "p so far, with daily looks": [row.p_value for row in days],
        }
    )


def parts_table(parts: Sequence[SegmentPart]) -> pd.DataFrame:
    """Segments with their part in the deviation."""
    arms = list(parts[0].n) if parts else []
    columns: dict[str, list[Any]] = {
        "Segment": [part.segment for part in parts],
        "Value": [part.value for part in parts],
    }
    for arm in arms:
        columns[f"Units {arm}"] = [part.n[arm] for part in parts]
        columns[f"Expected {arm}"] = [round(part.expected[arm], 1) for part in parts]
    columns["Part of chi-squared"] = [part.contribution for part in parts]
    columns["Corrected p"] = [part.p_adjusted for part in parts]
    columns["p without it"] = [part.p_without for part in parts]
    return pd.DataFrame(columns)


def ages_table(rows: Sequence[AgeRow]) -> pd.DataFrame:
    """Effects by day since first exposure."""
    return pd.DataFrame(
        {
            "Metric": [row.metric for row in rows],
            "Variant": [row.variant for row in rows],
            "Day since exposure": [row.day for row in rows],
            "Units": [row.n for row in rows],
            "Control units": [row.n_control for row in rows],
            "Variant value": [row.mean for row in rows],
            "Control value": [row.mean_control for row in rows],
            "Difference": [row.difference for row in rows],
            "Interval low": [row.ci_low for row in rows],
            "Interval high": [row.ci_high for row in rows],
            "Lift": [row.lift for row in rows],
            "Lift, interval low": [row.lift_ci_low for row in rows],
            "Lift, interval high": [row.lift_ci_high for row in rows],
        }
    )
