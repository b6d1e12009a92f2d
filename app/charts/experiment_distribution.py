"""How the values of a metric are distributed in the arms: cumulative shares with bands, and quantile differences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from analytics.experiments.distribution import QuantileRow, StepRow
from analytics.experiments.method_rows import MethodRow
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import (
    difference,
    difference_interval,
    lift,
    lift_interval,
    p_value,
    value,
)
from app.charts.theme import (
    NEUTRAL,
    TEXT,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    faint,
    guide,
    layout,
    plain,
    series_style,
    share_axis,
)
from app.formats import NONE, STATUS_WORDS, count, number, percent

_BANDS = {
    "simultaneous": "around the whole curve",
    "pointwise": "around each share by itself, as values of one unit, or one cluster, hang together",
}


def cumulative_shares(steps: Sequence[StepRow], kind: str) -> Figure:
    """The share of each arm's values at or below each value, with its band; the control first.

    Returns:
        A figure whose points carry ``[variant, value]``.
    """
    arms = list(dict.fromkeys(step.variant for step in steps))
    if not arms:
        return nothing("There are no values.")
    data: list[Trace] = []
    for place, arm in enumerate(arms):
        mine = [step for step in steps if step.variant == arm]
        data += _curve(mine, kind, place)
    figure = layout(
        WIDE,
        revision=f"shares {steps[0].metric}",
        legend=True,
        xaxis=axis(plain(steps[0].metric), nticks=6),
        yaxis=share_axis("share at or below"),
    )
    return {"data": data, "layout": figure}


def _curve(steps: Sequence[StepRow], kind: str, place: int) -> list[Trace]:
    colour, dash = series_style(place)
    x = [step.value for step in steps]
    # steps like those of the curve: a slanted band leaves the curve out between two values
    edges = [*pairwise(x)]
    across = [*(end for edge in edges for end in edge), *x[-1:]]
    high = [*(step.ci_high for step in steps[:-1] for _ in range(2)), *(step.ci_high for step in steps[-1:])]
    low = [*(step.ci_low for step in steps[:-1] for _ in range(2)), *(step.ci_low for step in steps[-1:])]
    band = {
        "type": "scatter", "mode": "lines", "x": [*across, *across[::-1]], "fill": "toself", "line": {"width": 0},
        "y": [*high, *low[::-1]],
        "fillcolor": faint(colour, 0.2), "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    hover = [
        f"{plain(step.variant)}: {percent(step.share)} of {count(step.n)} values are {value(kind, step.value)} or less"
        f" ({percent(step.ci_low)} to {percent(step.ci_high)})"
        for step in steps
    ]
    line = {
        "type": "scatter", "mode": "lines", "name": plain(steps[0].variant), "x": x,
        "y": [step.share for step in steps], "line": {"color": colour, "dash": dash, "shape": "hv", "width": 2},
        "hovertext": hover, "customdata": [[step.variant, step.value] for step in steps],
    }  # fmt: skip
    return [band, clickable(line)]


def cumulative_shares_alt(steps: Sequence[StepRow], kind: str) -> str:
    """One sentence: the middle value of every arm."""
    arms = list(dict.fromkeys(step.variant for step in steps))
    if not arms:
        return "There are no values."
    told = []
    for arm in arms:
        middle = next((step.value for step in steps if step.variant == arm and step.share >= 0.5), None)
        told.append(f"half of {arm} at {NONE if middle is None else value(kind, middle)} or less")
    return f"Shares of {steps[0].metric} at or below each value: {', '.join(told)}."


def band_note(steps: Sequence[StepRow]) -> str | None:
    """What the bands are."""
    if not steps:
        return None
    return f"The bands hold with {percent(steps[0].confidence)} {_BANDS[steps[0].band]}."


def quantile_differences(rows: Sequence[QuantileRow]) -> Figure:
    """Arm minus control at each quantile, with the interval corrected for all of them.

    Returns:
        A figure whose points carry ``[variant, quantile]``.
    """
    told = [row for row in rows if row.difference is not None]
    if not told:
        reason = next((row.reason or STATUS_WORDS[row.status] for row in rows), None)
        return nothing(
            f"No quantile can be compared: {reason}." if reason else "There is nothing to compare."
        )
    gap = [row.difference or 0.0 for row in told]
    shown = [row for row in told if _shown(row)]
    data: list[Trace] = [guide([0, 1], [0, 0])]
    for name, mine, look in (
        ("shown to differ", shown, {"symbol": "circle", "size": 9, "color": TEXT}),
        ("no difference shown", [row for row in told if not _shown(row)],
         {"symbol": "circle-open", "size": 8, "color": NEUTRAL, "line": {"width": 2}}),
    ):  # fmt: skip
        if mine:
            data.append(_points(mine, name, look))
    ends = [end for row in told for end in (row.ci_adjusted_low, row.ci_adjusted_high) if end is not None]
    room = 0.06 * (max(*ends, *gap, 0.0) - min(*ends, *gap, 0.0)) or 1.0
    figure = layout(
        WIDE,
        revision=f"quantiles {rows[0].metric} {rows[0].variant}",
        legend=True,
        xaxis=share_axis("quantile"),
        yaxis=axis(
            f"{plain(rows[0].variant)} less {plain(rows[0].control)}",
            nticks=6,
            range=[min(*ends, *gap, 0.0) - room, max(*ends, *gap, 0.0) + room],
        ),
    )
    return {"data": data, "layout": figure}


def _shown(row: QuantileRow) -> bool:
    low, high = row.ci_adjusted_low, row.ci_adjusted_high
    return low is not None and high is not None and (low > 0 or high < 0)


def _points(rows: Sequence[QuantileRow], name: str, look: dict[str, object]) -> Trace:
    gaps = [row.difference or 0.0 for row in rows]
    highs = [row.difference if row.ci_adjusted_high is None else row.ci_adjusted_high for row in rows]
    lows = [row.difference if row.ci_adjusted_low is None else row.ci_adjusted_low for row in rows]
    whisker = {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": look["color"],
        "array": [(high or 0.0) - gap for high, gap in zip(highs, gaps, strict=True)],
        "arrayminus": [gap - (low or 0.0) for low, gap in zip(lows, gaps, strict=True)],
    }  # fmt: skip
    hover = [
        f"{percent(row.quantile)} quantile: {_number(row.value)} against {_number(row.value_control)}<br>"
        f"difference {difference(row.kind, row.difference)} "
        f"({difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high)}), corrected p "
        f"{p_value(row.p_adjusted)}"
        for row in rows
    ]
    return clickable({
        "type": "scatter", "mode": "markers", "name": name, "x": [row.quantile for row in rows], "y": gaps,
        "error_y": whisker, "marker": look, "hovertext": hover,
        "customdata": [[row.variant, row.quantile] for row in rows],
    })  # fmt: skip


def _number(amount: float | None) -> str:
    return NONE if amount is None else number(amount)


def quantile_differences_alt(rows: Sequence[QuantileRow]) -> str:
    """One sentence: at how many quantiles the arm is shown to differ, and where the gap is largest."""
    told = [row for row in rows if row.difference is not None]
    if not told:
        return "No quantile can be compared."
    largest = max(told, key=lambda row: abs(row.difference or 0.0))
    return (
        f"{rows[0].metric} of {rows[0].variant} against {rows[0].control}: {sum(map(_shown, told))} of {len(told)} "
        f"quantiles shown to differ; largest gap {difference(largest.kind, largest.difference)} at the "
        f"{percent(largest.quantile)} quantile."
    )


def quantiles_table(rows: Sequence[QuantileRow]) -> pd.DataFrame:
    """Every quantile, in words."""
    return pd.DataFrame([
        {
            "Variant": row.variant,
            "Quantile": percent(row.quantile),
            "Variant value": _number(row.value),
            "Control value": _number(row.value_control),
            "Difference": difference(row.kind, row.difference),
            "Interval": difference_interval(row.kind, row.ci_low, row.ci_high),
            "Corrected interval": difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high),
            "Adjusted p-value": row.p_adjusted,
            "Values": row.n,
            "Control values": row.n_control,
            "Status": STATUS_WORDS[row.status],
            "Reason": row.reason,
        }
        for row in rows
    ])  # fmt: skip


def steps_table(steps: Sequence[StepRow]) -> pd.DataFrame:
    """Every cumulative share."""
    return pd.DataFrame([
        {
            "Variant": step.variant,
            "Value": step.value,
            "Share at or below": percent(step.share),
            "Band": f"{percent(step.ci_low)} to {percent(step.ci_high)}",
            "Of the band": step.band,
            "Values": step.n,
        }
        for step in steps
    ])  # fmt: skip


def methods_table(rows: Sequence[MethodRow]) -> pd.DataFrame:
    """What every method says, the default first; an interval a method does not have is left empty."""
    return pd.DataFrame([
        {
            "Variant": row.variant or "all arms",
            "Method": f"{row.method} (default)" if row.is_default else row.method,
            "Difference": difference(row.kind, row.difference if row.ci_low is not None else None),
            "Interval": difference_interval(row.kind, row.ci_low, row.ci_high),
            "Lift": lift(row.lift),
            "Interval of the lift": lift_interval(row.lift_ci_low, row.lift_ci_high),
            "p": p_value(row.p_value),
            "When to use it": row.when,
            "Said against it": "; ".join(filter(None, (row.warnings, row.reason))) or None,
        }
        for row in rows
    ])  # fmt: skip
