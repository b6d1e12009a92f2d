"""What an experiment of some size shows: power against units or against the effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from analytics.experiments.rows import PowerRow
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import difference, known, lift
from app.charts.theme import (
    NEUTRAL,
    SERIES,
    TEXT,
    WIDE,
    Figure,
    axis,
    clickable,
    guide,
    layout,
)
from app.formats import STATUS_WORDS, count, percent


class _Way(NamedTuple):
    """What runs along the axis."""

    field: str
    scale: float
    title: str
    suffix: str


def power_curve(
    rows: Sequence[PowerRow], chosen: PowerRow | None = None, *, wanted: float | None = None
) -> Figure:
    """Power against units a variant where these differ between rows, else against the effect.

    Args:
        rows: designs that differ in one thing.
        chosen: the design of the plan, marked with a diamond.
        wanted: power asked for, a dashed line; that of the chosen design unless it is what was solved for.

    Returns:
        A figure whose points carry ``[n_per_variant, mde_absolute, mde_relative, power]``.
    """
    told = _told(rows)
    if not told:
        return nothing(_nothing(rows))
    way = _way(told)
    told.sort(key=lambda row: _x(row, way))
    data: list[dict[str, Any]] = [
        clickable({
            "type": "scatter", "mode": "lines+markers", "x": [_x(row, way) for row in told], "name": "power",
            "y": [row.power for row in told], "line": {"color": SERIES[0], "width": 2},
            "marker": {"size": 4, "color": SERIES[0]}, "showlegend": False,
            "hovertext": [_hover(row) for row in told], "customdata": [_custom(row) for row in told],
        })
    ]  # fmt: skip
    wanted = _wanted(chosen, wanted)
    ends = [_x(told[0], way), _x(told[-1], way)]
    if wanted is not None:
        line = {"color": NEUTRAL, "width": 1.5, "dash": "dash"}
        data.append(guide(ends, [wanted, wanted], line=line, name="power wanted", showlegend=True))
    notes = []
    if chosen is not None and known(chosen.power) is not None and getattr(chosen, way.field) is not None:
        data.append(_diamond(chosen, way))
        notes.append(_label(chosen, way, ends))
    more: dict[str, Any] = {
        "xaxis": axis(way.title, ticksuffix=way.suffix, nticks=6, tickformat=",~r", showgrid=False),
        "yaxis": axis("power", range=[0, 1.03], tickformat=".0%", dtick=0.2),
        "annotations": notes,
    }
    figure = layout(WIDE, revision=f"power {way.field} {ends}", legend=len(data) > 1, **more)
    return {"data": data, "layout": figure}


def power_curve_alt(
    rows: Sequence[PowerRow], chosen: PowerRow | None = None, *, wanted: float | None = None
) -> str:
    """One sentence: where the curve begins and ends, and where the chosen design stands."""
    told = _told(rows)
    if not told:
        return _nothing(rows)
    way = _way(told)
    told.sort(key=lambda row: _x(row, way))
    first, last = told[0], told[-1]
    text = (
        f"Power goes from {percent(first.power)} at {_place(first, way)} to {percent(last.power)} at "
        f"{_place(last, way)}"
    )
    if chosen is not None and known(chosen.power) is not None and getattr(chosen, way.field) is not None:
        text += f"; the plan has {percent(chosen.power)} at {_place(chosen, way)}"
    wanted = _wanted(chosen, wanted)
    return f"{text}; wanted are {percent(wanted)}." if wanted is not None else f"{text}."


def _told(rows: Sequence[PowerRow]) -> list[PowerRow]:
    found = [row for row in rows if known(row.power) is not None]
    return [row for row in found if row.n_per_variant is not None and known(row.mde_absolute) is not None]


def _nothing(rows: Sequence[PowerRow]) -> str:
    reason = next((row.reason or STATUS_WORDS[row.status] for row in rows), None)
    return f"There is no curve to draw: {reason}." if reason else "There is no curve to draw."


def _way(rows: Sequence[PowerRow]) -> _Way:
    if len({row.n_per_variant for row in rows}) > 1:
        return _Way("n_per_variant", 1, "units per variant", "")
    if all(row.mde_relative is not None for row in rows):
        return _Way("mde_relative", 100, "lift to be shown", "%")
    share = rows[0].kind == "proportion"
    return _Way("mde_absolute", 100 if share else 1, "difference to be shown", " pp" if share else "")


def _x(row: PowerRow, way: _Way) -> float:
    return way.scale * float(getattr(row, way.field))


def _place(row: PowerRow, way: _Way) -> str:
    if way.field == "n_per_variant":
        return f"{count(row.n_per_variant)} units per variant"
    return _effect(row) if way.field == "mde_relative" else difference(row.kind, row.mde_absolute)


def _effect(row: PowerRow) -> str:
    absolute = difference(row.kind, row.mde_absolute)
    return f"{lift(row.mde_relative)} ({absolute})" if row.mde_relative is not None else absolute


def _wanted(chosen: PowerRow | None, wanted: float | None) -> float | None:
    if wanted is None and chosen is not None and chosen.solved_for != "power":
        return known(chosen.power)
    return wanted


def _diamond(chosen: PowerRow, way: _Way) -> dict[str, Any]:
    return clickable({
        "type": "scatter", "mode": "markers", "name": "the plan", "x": [_x(chosen, way)], "y": [chosen.power],
        "marker": {"symbol": "diamond", "size": 13, "color": TEXT}, "cliponaxis": False,
        "hovertext": [_hover(chosen)], "customdata": [_custom(chosen)],
    })  # fmt: skip


def _label(chosen: PowerRow, way: _Way, ends: list[float]) -> dict[str, Any]:
    """The plan in words, in the corner under the curve, which is always free."""
    side = "left" if ends[0] < 0 and way.field != "n_per_variant" else "right"
    units = f"{count(chosen.n_per_variant)} per variant"
    return {
        "text": f"<b>the plan</b><br>{units}<br>{_effect(chosen)}<br>power {percent(chosen.power)}",
        "xref": "paper", "x": 0.02 if side == "left" else 0.98, "xanchor": side, "align": side,
        "yref": "paper", "y": 0.04, "yanchor": "bottom", "showarrow": False, "font": {"size": 12, "color": TEXT},
    }  # fmt: skip


def _custom(row: PowerRow) -> list[float | int | None]:
    return [row.n_per_variant, row.mde_absolute, row.mde_relative, row.power]


def _hover(row: PowerRow) -> str:
    days = f", {count(row.days)} days" if row.days is not None else ""
    return (
        f"<b>power {percent(row.power)}</b> to show {_effect(row)}<br>"
        f"n = {count(row.n_per_variant)} per variant, {count(row.n_total)} in all{days}<br>"
        f"each comparison at alpha {row.alpha_per_comparison:.3g}, {'one' if row.one_sided else 'two'}-sided"
    )
