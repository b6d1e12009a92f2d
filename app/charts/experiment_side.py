"""One metric in one arm, small: its days with their intervals, and how its units spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from analytics.experiments.arm_days import ArmDayRow
from analytics.experiments.rows import ValueBin
from app.charts.experiment_words import known, value, value_interval, values_between
from app.charts.theme import (
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    guide,
    layout,
    plain,
)
from app.formats import MINUS, STATUS_WORDS, count, day, percent

HEIGHT = 150
_SPLIT = 0.68
"""The share of the width that days take where values are drawn beside them."""


@dataclass(frozen=True)
class Shared:
    """What two panels of one metric share, so that their heights compare.

    Attributes:
        low, high: of the value of a day; None without any.
        share: of the fullest bin; None without bins.
    """

    low: float | None
    high: float | None
    share: float | None


def shared(days: Sequence[ArmDayRow], bins: Sequence[ValueBin]) -> Shared:
    """The axes of a metric over both arms.

    Intervals of days with few units may be wider than all the rest together; they run out of the panel.
    """
    means = [mean for row in days if _sure(row) and (mean := known(row.mean)) is not None]
    ends = [end for row in days for end in (known(row.ci_low), known(row.ci_high)) if end is not None]
    top = max((row.share for row in bins), default=None)
    if not means:
        return Shared(None, None, top)
    room = (max(means) - min(means)) or abs(means[0]) or 1.0
    low = max(min([*means, *ends]), min(means) - room)
    high = min(max([*means, *ends]), max(means) + room)
    pad = 0.05 * (high - low) or room
    return Shared(low - pad, high + pad, top)


def side_panel(
    days: Sequence[ArmDayRow], bins: Sequence[ValueBin], whole: ArmDayRow | None, axes: Shared, *, place: int
) -> Figure:
    """Days with intervals around the value of all of them, and beside them the share of units in every bin.

    Args:
        days: of one metric and arm, in order.
        bins: of the same; none for shares.
        whole: the same over all days.
        axes: shared with the other arm.
        place: 0 for the left arm, 1 for the right: their colours.
    """
    drawn = [row for row in days if _sure(row)]
    if not drawn and not bins:
        return empty("no day has a value", HEIGHT)
    beside = bool(bins) and bool(drawn)
    data: list[Trace] = [*_days(days, whole, place)] if drawn else []
    more: dict[str, Any] = {}
    if drawn:
        more["xaxis"] = axis(type="date", domain=[0, _SPLIT if beside else 1], nticks=3, tickformat="%-d %b")
        more["yaxis"] = axis(range=[axes.low, axes.high], nticks=3, tickformat=_tick(drawn[0].kind))
    if bins:
        number = "2" if beside else ""
        data.append(_bins(bins, place, number))
        span = [_SPLIT + 0.06, 1] if beside else [0, 1]
        more[f"xaxis{number}"] = axis("values", domain=span, anchor=f"y{number}", tickangle=0, **_edges(bins))
        hidden: dict[str, Any] = {
            "showticklabels": False,
            "anchor": f"x{number}",
            "range": [0, 1.05 * (axes.share or 1.0)],
        }
        more[f"yaxis{number}"] = axis(**hidden)
    figure = layout(HEIGHT, revision=f"side {place}", **more)
    figure["margin"] |= {"l": 8, "r": 4, "t": 4, "b": 4}
    figure["bargap"] = 0.1
    return {"data": data, "layout": figure}


def side_alt(days: Sequence[ArmDayRow], whole: ArmDayRow | None, metric: str, variant: str) -> str:
    """One sentence: the value over all days, and how far days reach."""
    if whole is None or known(whole.mean) is None:
        why = STATUS_WORDS["no_data"] if whole is None else whole.reason or STATUS_WORDS[whole.status]
        return f"{metric} of {variant}: {why}."
    limits = value_interval(whole.kind, whole.ci_low, whole.ci_high)
    said = f"{metric} of {variant}: {value(whole.kind, whole.mean)} ({limits})"
    means = [mean for row in days if _sure(row) and (mean := known(row.mean)) is not None]
    if not means:
        return f"{said}; no day has a value."
    low, high = value(whole.kind, min(means)), value(whole.kind, max(means))
    return f"{said}; from {low} to {high} over {len(means)} days."


def _sure(row: ArmDayRow) -> bool:
    """Whether a day has a value with an interval: without one it is not drawn."""
    return None not in {known(row.mean), known(row.ci_low), known(row.ci_high)}


def _days(days: Sequence[ArmDayRow], whole: ArmDayRow | None, place: int) -> list[Trace]:
    colour = SERIES[place]
    data = [_band(run, colour) for run in _runs(days)]
    x = [row.day.isoformat() for row in days if row.day is not None]
    if whole is not None and known(whole.mean) is not None:
        data.append(guide([x[0], x[-1]], [whole.mean] * 2))
    data.append(clickable({
        "type": "scatter", "mode": "lines+markers", "x": x, "y": [row.mean if _sure(row) else None for row in days],
        "line": {"color": colour, "width": 2}, "marker": {"size": 4}, "connectgaps": False,
        "hovertext": [_hover(row) for row in days],
    }))  # fmt: skip
    return data


def _runs(days: Sequence[ArmDayRow]) -> list[list[ArmDayRow]]:
    """Stretches of days that all have an interval: a band must not run over days of which nothing is known."""
    return [list(run) for sure, run in groupby(days, key=_sure) if sure]


def _band(run: Sequence[ArmDayRow], colour: str) -> Trace:
    x = [row.day.isoformat() for row in run if row.day is not None]
    return {
        "type": "scatter", "mode": "lines", "x": [*x, *reversed(x)], "fill": "toself", "hoverinfo": "skip",
        "y": [*(row.ci_high for row in run), *(row.ci_low for row in reversed(run))], "line": {"width": 0},
        "fillcolor": faint(colour, 0.2),
    }  # fmt: skip


def _bins(bins: Sequence[ValueBin], place: int, number: str) -> Trace:
    return clickable({
        "type": "bar", "x": list(range(len(bins))), "y": [row.share for row in bins], "xaxis": f"x{number}",
        "yaxis": f"y{number}", "marker": {"color": SERIES[place]}, "hovertext": [
            f"{values_between(row.low, row.high)}<br>{percent(row.share)} of the arm's units, n = {count(row.n)}"
            for row in bins
        ],
    })  # fmt: skip


def _edges(bins: Sequence[ValueBin]) -> dict[str, Any]:
    """Ticks where the first bin ends and the last one starts: both are there, and both fit a narrow panel."""
    ends = {0.5: bins[0].high, len(bins) - 1.5: bins[-1].low} if len(bins) > 1 else {}
    there = {place: end for place, edge in ends.items() if (end := known(edge)) is not None}
    texts = [f"{end:.3g}" if abs(end) < 1000 else count(end) for end in there.values()]
    return {
        "tickvals": list(there),
        "ticktext": [text.replace("-", MINUS) for text in texts],
        "showgrid": False,
    }


def _hover(row: ArmDayRow) -> str:
    when = "" if row.day is None else f"<b>{day(row.day)}</b><br>"
    limits = value_interval(row.kind, row.ci_low, row.ci_high)
    return f"{when}{plain(row.variant)}: {value(row.kind, row.mean)} ({limits})<br>n = {count(row.n)}"


def _tick(kind: str) -> str | None:
    return ".3~%" if kind == "proportion" else None
