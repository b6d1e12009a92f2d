"""A funnel as bars: of all exposed units of each arm, the share that came as far as each step."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analytics.experiments.funnels import FunnelRow
from analytics.experiments.states import StateRow
from app.charts.experiment_panels import LETTERS, nothing, small
from app.charts.experiment_words import difference, difference_interval, value_interval
from app.charts.theme import TEXT, Figure, axis, clickable, faint, in_order, layout, plain, series_style
from app.formats import NONE, STATUS_WORDS, count, listed, percent, short

_STEP = 34
"""Height of a bar in pixels."""
_GAP = 0.6
"""Room between steps, in bars."""


def funnel_bars(rows: Sequence[FunnelRow], variants: Sequence[str]) -> Figure:
    """Shares of all exposed units by step, a bar an arm, with intervals.

    Args:
        rows: of one funnel.
        variants: all arms, the control first, so that each keeps its colour.

    Returns:
        A figure whose bars carry ``[metric, variant]``.
    """
    told = [row for row in rows if row.share is not None]
    if not told:
        reason = next((row.reason or STATUS_WORDS[row.status] for row in rows), None)
        return nothing(f"There are no steps to draw: {reason}." if reason else "There are no steps to draw.")
    order = [name for name in in_order({row.variant for row in told}, variants) if name is not None]
    depth = len(order) + _GAP
    bars = []
    for number, name in enumerate(order):
        mine = [row for row in told if row.variant == name]
        bars.append(clickable({
            "type": "bar", "orientation": "h", "name": plain(short(name, LETTERS)), "width": 0.86,
            "x": [row.share for row in mine], "y": [(row.step - 1) * depth + number for row in mine],
            "marker": {"color": faint(series_style(number)[0], 0.75)},
            "customdata": [[row.metric, name] for row in mine],
            "hovertext": [_hover(row) for row in mine],
            "error_x": {
                "type": "data", "symmetric": False, "color": TEXT, "thickness": 1.5, "width": 0,
                "array": [_length(row.ci_high, row.share) for row in mine],
                "arrayminus": [_length(row.share, row.ci_low) for row in mine],
            },
        }))  # fmt: skip
    shared = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "align": "left", "showarrow": False}
    notes = [
        shared | {
            "text": f"{percent(row.share)}{_of_before(row)}", "yanchor": "middle",
            "y": (row.step - 1) * depth + order.index(row.variant), "font": {"size": 12, "color": TEXT},
        }
        for row in told
    ]  # fmt: skip
    steps = sorted({row.step: row.condition for row in told}.items())
    y_axis = axis(
        range=[len(steps) * depth - 0.5 - _GAP / 2, -0.5 - _GAP / 2], showgrid=False, fixedrange=True,
        ticklabelstandoff=4,
        tickvals=[(step - 1) * depth + (len(order) - 1) / 2 for step, _ in steps],
        ticktext=[f"{step}. {plain(short(condition, LETTERS))}" for step, condition in steps],
    )  # fmt: skip
    x_axis = axis(
        "share of all exposed units", tickformat=".3~%", rangemode="tozero", nticks=5, fixedrange=True
    )
    height = 104 + round(_STEP * depth * len(steps))
    figure = layout(
        height,
        revision=f"funnel {rows[0].metric}",
        legend=True,
        annotations=notes,
        xaxis=x_axis,
        yaxis=y_axis,
    )
    figure["margin"] |= {"r": 92}
    return {"data": bars, "layout": figure}


def funnel_alt(rows: Sequence[FunnelRow]) -> str:
    """One sentence: how far the arms came, and where they differ."""
    last = max((row.step for row in rows if row.share is not None), default=None)
    if last is None:
        return "No unit can be followed through the steps yet."
    ends = [row for row in rows if row.step == last and row.share is not None]
    arms = listed([f"{percent(row.share)} of {row.variant}" for row in ends])
    text = f"All {last} steps were taken by {arms}"
    apart = [
        f"step {row.step} of {row.variant} ({difference('funnel', row.difference)}, "
        f"{difference_interval('funnel', row.difference_ci_low, row.difference_ci_high)})"
        for row in rows
        if row.difference_ci_low is not None
        and row.difference_ci_high is not None
        and (row.difference_ci_low > 0 or row.difference_ci_high < 0)
    ]
    if not apart:
        return f"{text}; at no step is a difference from the control shown."
    return f"{text}; apart from the control, each looked at alone: {listed(apart)}."


def funnel_table(rows: Sequence[FunnelRow]) -> pd.DataFrame:
    """Every step of every arm, in words."""
    return pd.DataFrame([
        {
            "Step": row.step,
            "Condition": row.condition,
            "Variant": row.variant,
            "Units": row.n,
            "Took it": row.reached,
            "Share of all": percent(row.share),
            "Interval": value_interval("funnel", row.ci_low, row.ci_high),
            "Of the step before": percent(row.rate),
            "Interval of that": value_interval("funnel", row.rate_ci_low, row.rate_ci_high),
            "Share less the control's": difference("funnel", row.difference),
            "Interval of the difference": difference_interval(
                "funnel", row.difference_ci_low, row.difference_ci_high
            ),
            "Status": STATUS_WORDS[row.status],
            "Reason": row.reason or "",
        }
        for row in rows
    ])  # fmt: skip


def states_table(rows: Sequence[StateRow]) -> pd.DataFrame:
    """Who counts, who does not, and why."""
    return pd.DataFrame([
        {
            "State": row.state.replace("_", " "),
            "Arm": row.variant or NONE,
            "Metric": row.metric or NONE,
            "How many": row.n,
            "Counted": row.counted,
            "Share": percent(row.share),
            "Enters": "yes" if row.enters else "no",
            "What it means": row.meaning,
        }
        for row in rows
    ])  # fmt: skip


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _of_before(row: FunnelRow) -> str:
    if row.step == 1 or row.rate is None:
        return ""
    return f"<br>{small(f'{percent(row.rate)} of step {row.step - 1}')}"


def _hover(row: FunnelRow) -> str:
    limits = value_interval("funnel", row.ci_low, row.ci_high)
    parts = [
        f"<b>{plain(row.variant)}</b>, step {row.step}: {plain(row.condition)}",
        f"{percent(row.share)} ({limits}), {count(row.reached or 0)} of {count(row.n)} units",
    ]
    if row.step > 1 and row.rate is not None:
        limits = value_interval("funnel", row.rate_ci_low, row.rate_ci_high)
        parts.append(f"{percent(row.rate)} of those of the step before ({limits})")
    if row.difference is not None:
        limits = difference_interval("funnel", row.difference_ci_low, row.difference_ci_high)
        parts.append(f"{difference('funnel', row.difference)} against the control ({limits})")
    return "<br>".join(parts)
