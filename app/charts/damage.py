"""Drift against damage: features by how far they moved and by how much quality depends on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drift.damage_rows import DamageRow, Quadrant
from app.charts.tables import INTERVAL, STATUS, VERSION, WINDOW, Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    layout,
    plain,
)
from app.formats import count, interval, listed, number, percent, plural, short

MOST_LABELS = 6
QUADRANTS: tuple[Quadrant, ...] = (
    "moved and matters", "moved, matters little", "steady, matters", "steady, matters little",
)  # fmt: skip
_LOOK: dict[Quadrant, tuple[str, str, int]] = {
    "moved and matters": ("diamond", ACTION, 12),
    "moved, matters little": ("triangle-right", SERIES[1], 10),
    "steady, matters": ("triangle-up", SERIES[0], 10),
    "steady, matters little": ("circle", NEUTRAL, 7),
}
_UNITS = {"mutual_information": "bits it tells of the loss", "attribution": "share of attribution"}


def damage_map(rows: Sequence[DamageRow]) -> Figure:
    """Features of one window and version: share moved beyond chance against what depends on them, with intervals.

    Returns:
        A figure whose points carry ``[feature]``.
    """
    known = [row for row in rows if row.quadrant is not None]
    if not known:
        why = next((row.reason for row in rows if row.reason), None)
        return empty(why[:1].upper() + why[1:] if why else "There are no features.")
    named = _named(known)
    data = []
    for quadrant in QUADRANTS:
        mine = [row for row in known if row.quadrant == quadrant]
        if mine:
            data.append(_points(mine, quadrant, named))
    method, least = known[0].method, known[0].least
    share = method == "attribution"
    line: dict[str, Any] = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": least, "y1": least,
        "line": {"color": NEUTRAL, "width": 1, "dash": "dot"},
    }  # fmt: skip
    most = max(row.beyond_chance or 0.0 for row in known)
    x_axis = axis(
        "share moved beyond chance",
        tickformat=".0%",
        showgrid=True,
        range=[-0.03, max(most * 1.15, 0.1)],
        nticks=5,
    )
    y_axis = axis(_UNITS[method], tickformat=".0%" if share else None, rangemode="tozero", nticks=6)
    figure = layout(420, revision=method, legend=True, xaxis=x_axis, yaxis=y_axis, shapes=[line])
    figure["margin"] |= {"t": 64}
    return {"data": data, "layout": figure}


def damage_alt(rows: Sequence[DamageRow]) -> str:
    """One sentence: how many features are in each quadrant, and which moved and matter."""
    known = [row for row in rows if row.quadrant is not None]
    if not known:
        return "Nothing can be said about features."
    counts = [f"{sum(row.quadrant == one for row in known)} {one}" for one in QUADRANTS]
    both = [row.feature for row in by_damage(known) if row.quadrant == "moved and matters"]
    names = f": {listed(both[:3])}" if both else ""
    return f"{plural(len(known), 'feature')}: {'; '.join(counts)}{names}."


def by_damage(rows: Sequence[DamageRow]) -> list[DamageRow]:
    """Features by quadrant, then by how far they moved times how much depends on them."""
    places = {quadrant: place for place, quadrant in enumerate(QUADRANTS)}

    def order(row: DamageRow) -> tuple[int, float, str]:
        place = len(places) if row.quadrant is None else places[row.quadrant]
        return place, -((row.beyond_chance or 0.0) + 0.01) * ((row.value or 0.0) + 0.0001), row.feature

    return sorted(rows, key=order)


DAMAGE: Columns[DamageRow] = {
    **WINDOW,
    **VERSION,
    "Feature": lambda row: row.feature,
    "Verdict": lambda row: row.quadrant,
    "Moved beyond chance": lambda row: row.beyond_chance,
    "Share moved": lambda row: row.total_variation,
    "Drifted": lambda row: {True: "drifted", False: "no", None: None}[row.drifted],
    "Depends on it": lambda row: row.value,
    **INTERVAL,
    "By chance": lambda row: row.by_chance,
    "Matters from": lambda row: row.least,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Measured by": lambda row: row.method.replace("_", " "),
    "Measured on": lambda row: row.measured_on,
    "Rows measured on": lambda row: row.n,
    "Interval takes as independent": lambda row: row.independence,
    **STATUS,
}


def damage_table(rows: Sequence[DamageRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """A line a feature, what moved and matters first."""
    return tabled(by_damage(rows), DAMAGE, zone)


def _named(rows: Sequence[DamageRow]) -> set[str]:
    """Features whose names are written: those that moved or matter most, as many as a phone has room for."""
    candidates = [row for row in by_damage(rows) if row.quadrant != "steady, matters little"]
    most = max((row.value or 0.0 for row in rows), default=0.0) or 1.0
    wide = max((row.beyond_chance or 0.0 for row in rows), default=0.0) or 1.0
    taken: list[tuple[float, float]] = []
    names: set[str] = set()
    for row in candidates:
        place = (row.beyond_chance or 0.0) / wide, (row.value or 0.0) / most
        # a name is about a quarter of a phone wide and a line high
        free = all(abs(place[0] - x) > 0.28 or abs(place[1] - y) > 0.06 for x, y in taken)
        if free and len(names) < MOST_LABELS:
            taken.append(place)
            names.add(row.feature)
    return names


def _points(mine: list[DamageRow], quadrant: Quadrant, named: set[str]) -> Trace:
    symbol, colour, size = _LOOK[quadrant]
    most = max((row.beyond_chance or 0.0 for row in mine), default=0.0)
    whisker = {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 0,
        "array": [_length(row.ci_high, row.value) for row in mine],
        "arrayminus": [_length(row.value, row.ci_low) for row in mine],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers+text", "name": f"{quadrant} ({len(mine)})", "cliponaxis": False,
        "x": [row.beyond_chance for row in mine], "y": [row.value for row in mine], "error_y": whisker,
        "marker": {"symbol": symbol, "size": size, "color": colour},
        "text": [plain(short(row.feature, 14)) if row.feature in named else "" for row in mine],
        "textposition": ["middle left" if (row.beyond_chance or 0) > 0.6 * most and most > 0.3 else "middle right"
                         for row in mine],
        "textfont": {"size": 12, "color": TEXT}, "hovertext": [_hover(row) for row in mine],
        "customdata": [[row.feature] for row in mine],
    })  # fmt: skip


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _hover(row: DamageRow) -> str:
    share = row.method == "attribution"
    value = percent(row.value) if share else f"{number(row.value)} bits"
    return (
        f"<b>{plain(row.feature)}</b>: {row.quadrant}<br>"
        f"{percent(row.beyond_chance)} moved beyond chance<br>"
        f"{'share of attribution' if share else 'tells of the loss'}: {value} "
        f"({interval(row.ci_low, row.ci_high, share=share)})<br>"
        f"n = {count(row.n)}, {row.measured_on}"
    )
