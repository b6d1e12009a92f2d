"""The arms of an experiment as bars: the share of each, and how units fell on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.experiments import words
from analytics.experiments.health import broken, split_p
from analytics.experiments.rows import ArmRow, Health
from app.charts.experiment_panels import LETTERS, nothing, small
from app.charts.experiment_words import known, value, value_interval
from app.charts.theme import (
    ACTION,
    SERIES,
    TEXT,
    Figure,
    axis,
    clickable,
    faint,
    in_order,
    layout,
    plain,
    series_style,
)
from app.formats import STATUS_WORDS, count, listed, percent, points, short

_BAR = 44


def split_bars(health: Health) -> Figure:
    """The share of units each arm got as a bar, the planned share as a mark; red where the split is broken.

    Returns:
        A figure whose bars carry ``[variant]``.
    """
    arms = list(health.arms)
    total = sum(arm.n for arm in arms)
    if not total:
        return nothing(f"No {health.counted} are in any arm yet.")
    places = list(range(len(arms)))
    alarm = broken(health.srm)
    bars = clickable({
        "type": "bar", "orientation": "h", "name": "got", "x": [arm.n / total for arm in arms], "y": places,
        "width": 0.5, "marker": {"color": ACTION if alarm else SERIES[0]}, "customdata": [[arm.variant] for arm in
        arms], "hovertext": [
            f"<b>{plain(arm.variant)}</b><br>n = {count(arm.n)} {health.counted}, expected {count(arm.expected)}<br>"
            f"{percent(arm.n / total)} of all, planned {percent(arm.planned_share)}" for arm in arms
        ],
    })  # fmt: skip
    planned = {
        "type": "scatter", "mode": "markers", "name": "planned", "x": [arm.planned_share for arm in arms],
        "y": places, "hoverinfo": "skip", "cliponaxis": False,
        "marker": {"symbol": "line-ns", "size": 30, "line": {"color": TEXT, "width": 2.5}},
    }  # fmt: skip
    texts = [
        f"{percent(arm.n / total)}<br>{small(points(arm.n / total - arm.planned_share))}" for arm in arms
    ]
    title = f"share of {health.counted}"
    names = [arm.variant for arm in arms]
    return {
        "data": [bars, planned],
        "layout": _bars_layout(names, texts, title, revision=f"split {alarm}", legend=True),
    }


def split_bars_alt(health: Health) -> str:
    """One sentence: what each arm got against what was planned, and what the test says."""
    total = sum(arm.n for arm in health.arms)
    if not total:
        return f"No {health.counted} are in any arm yet."
    parts = listed([
        f"{arm.variant} {percent(arm.n / total)} ({count(arm.n)}, planned {percent(arm.planned_share)})"
        for arm in health.arms
    ])  # fmt: skip
    text = f"{count(total)} {health.counted}: {parts}"
    p = split_p(health.srm)
    if p is None:
        return f"{text}."
    word = "the split is broken" if broken(health.srm) else "no more off than chance"
    return f"{text}; {word}, {words.p_value(p)}."


def share_bars(arms: Sequence[ArmRow], variants: Sequence[str] = ()) -> Figure:
    """The share of each arm as a bar with its interval.

    Args:
        arms: of one proportion.
        variants: all arms, the control first, so that each keeps its colour.

    Returns:
        A figure whose bars carry ``[metric, variant]``.
    """
    told = {arm.variant: arm for arm in arms if known(arm.mean) is not None}
    if not told:
        reason = next((arm.reason or STATUS_WORDS[arm.status] for arm in arms), None)
        return nothing(
            f"There are no values to draw: {reason}." if reason else "There are no values to draw."
        )
    order = [name for name in in_order(told, variants) if name is not None]
    names = [name for name in order if name in told]
    rows = [told[name] for name in names]
    whisker = {
        "type": "data", "symmetric": False, "color": TEXT, "thickness": 1.5, "width": 0,
        "array": [_length(row.ci_high, row.mean) for row in rows],
        "arrayminus": [_length(row.mean, row.ci_low) for row in rows],
    }  # fmt: skip
    bars = clickable({
        "type": "bar", "orientation": "h", "x": [row.mean for row in rows], "y": list(range(len(rows))),
        "width": 0.5, "error_x": whisker, "showlegend": False,
        "marker": {"color": [faint(series_style(order.index(name))[0], 0.75) for name in names]},
        "hovertext": [_arm_hover(row) for row in rows], "customdata": [[row.metric, row.variant] for row in rows],
    })  # fmt: skip
    texts = [f"{percent(row.mean)}<br>{small(f'n {count(row.n)}')}" for row in rows]
    figure = _bars_layout(names, texts, "share of units", revision=f"values {rows[0].metric}")
    return {"data": [bars], "layout": figure}


def _bars_layout(
    names: Sequence[str], texts: Sequence[str], title: str, *, revision: str, legend: bool = False
) -> dict[str, Any]:
    """Bars an arm, the control on top, with texts in a column to the right."""
    shared = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "align": "left", "showarrow": False}
    notes = [
        shared | {"text": text, "y": y, "yanchor": "middle", "font": {"size": 12, "color": TEXT}}
        for y, text in enumerate(texts)
    ]
    y_axis = axis(
        range=[len(names) - 0.5, -0.5], tickvals=list(range(len(names))), showgrid=False, fixedrange=True,
        ticklabelstandoff=4,
        ticktext=[plain(short(name, LETTERS)) for name in names],
    )  # fmt: skip
    x_axis = axis(title, tickformat=".3~%", rangemode="tozero", nticks=6, fixedrange=True)
    height = 72 + 32 * legend + _BAR * len(names)
    figure = layout(height, revision=revision, legend=legend, annotations=notes, xaxis=x_axis, yaxis=y_axis)
    figure["margin"] |= {"r": 78}
    return figure


def _arm_hover(row: ArmRow) -> str:
    limits = value_interval(row.kind, row.ci_low, row.ci_high)
    missing = f", {count(row.n_missing)} without a value" if row.n_missing else ""
    return f"<b>{plain(row.variant)}</b><br>{value(row.kind, row.mean)} ({limits})<br>n = {count(row.n)}{missing}"


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0
