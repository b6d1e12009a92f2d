"""Charts of a page that stands alone: drawn as SVG elements, coloured by its style sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from xml.etree import ElementTree as ET

from analytics.experiments.rows import DayRow, ValueBin
from app.charts.experiment_words import difference, known, lift, values_between
from app.export.page import element
from app.formats import percent

WIDTH, HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 12, 10, 24
_APART = 16
"""Pixels between two texts of an axis, at least."""
_Point = tuple[float, float, float]


def days_figure(days: Sequence[DayRow], kind: str | None) -> ET.Element | None:
    """The effect day by day with its interval, around no effect; None where no day has one."""
    lifts = [(row.day, (row.lift, row.lift_ci_low, row.lift_ci_high)) for row in days]
    differences = [(row.day, (row.difference, row.ci_low, row.ci_high)) for row in days]
    found = _complete(lifts)
    if found:
        return _series(found, lift)
    found = _complete(differences)
    return _series(found, lambda amount: difference(kind, amount)) if found else None


def bins_figure(bins: Sequence[ValueBin], arms: Sequence[str]) -> ET.Element | None:
    """The share of each arm's units in every bin, arms side by side; None without bins."""
    shares = {(row.variant, row.low, row.high): row.share for row in bins}
    edges = sorted(
        {(row.low, row.high) for row in bins},
        key=lambda ends: (ends[0] if ends[0] is not None else float("-inf"), ends[1] or 0.0),
    )
    top = max(shares.values(), default=0.0)
    if not edges or top <= 0:
        return None
    svg = _frame()
    step = (WIDTH - _LEFT - _RIGHT) / len(edges)
    bar = 0.8 * step / len(arms)
    for place, ends in enumerate(edges):
        for number, arm in enumerate(arms):
            height = (HEIGHT - _TOP - _BOTTOM) * shares.get((arm, *ends), 0.0) / top
            x = _LEFT + place * step + 0.1 * step + number * bar
            svg.append(element(
                "rect", x=f"{x:.1f}", y=f"{HEIGHT - _BOTTOM - height:.1f}", width=f"{bar:.1f}",
                height=f"{height:.1f}", fill=f"var(--arm{number % 5})",
            ))  # fmt: skip
    _text(svg, _LEFT - 6, _TOP + 10, percent(top), "end")
    _text(svg, _LEFT - 6, HEIGHT - _BOTTOM, "0%", "end")
    for place, anchor in ((0, "start"), (len(edges) - 1, "end")):
        x = _LEFT if anchor == "start" else WIDTH - _RIGHT
        _text(svg, x, HEIGHT - 6, values_between(*edges[place]), anchor)
    return svg


def legend(arms: Sequence[str]) -> ET.Element:
    """The colour of each arm, with its name."""
    entries = []
    for number, arm in enumerate(arms):
        key = element("svg", width="12", height="12", aria_hidden="true")
        key.append(element("rect", width="12", height="12", fill=f"var(--arm{number % 5})"))
        entries.append(element("span", key, f" {arm}  "))
    return element("span", *entries)


def _complete(rows: Sequence[tuple[date, tuple[float | None, ...]]]) -> list[tuple[date, _Point]]:
    complete = []
    for day, ends in rows:
        value, low, high = (known(end) for end in ends)
        if value is not None and low is not None and high is not None:
            complete.append((day, (value, low, high)))
    return complete


def _series(points: Sequence[tuple[date, _Point]], shown: Callable[[float], str]) -> ET.Element:
    # the first days are wide beyond all measure; the axis is that of the later half, and the band runs out of it
    later = points[len(points) // 2 :]
    low, high = min(0.0, *(p[1] for _, p in later)), max(0.0, *(p[2] for _, p in later))
    room = 0.15 * (high - low) or 1.0
    low, high = low - room, high + room
    first, last = points[0][0], points[-1][0]
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first).days / span

    def y(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share

    svg = _frame()
    band = [(x(day), y(p[2])) for day, p in points] + [(x(day), y(p[1])) for day, p in reversed(points)]
    svg.append(element("polygon", points=_path(band), fill="var(--arm0)", fill_opacity="0.2"))
    _rule(svg, y(0.0))
    line = [(x(day), y(p[0])) for day, p in points]
    svg.append(element("polyline", points=_path(line), fill="none", stroke="var(--arm0)", stroke_width="2"))
    ticks = [0.0, *(end for end in (low + room, high - room) if abs(y(end) - y(0.0)) > _APART)]
    for value in ticks:
        _text(svg, _LEFT - 6, y(value) + 4, shown(value), "end")
    _text(svg, _LEFT, HEIGHT - 6, f"{first:%Y-%m-%d}", "start")
    _text(svg, WIDTH - _RIGHT, HEIGHT - 6, f"{last:%Y-%m-%d}", "end")
    return svg


def _frame() -> ET.Element:
    return element("svg", width=str(WIDTH), height=str(HEIGHT), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _rule(svg: ET.Element, y: float) -> None:
    svg.append(element(
        "line", x1=str(_LEFT), x2=str(WIDTH - _RIGHT), y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="var(--grey)",
        stroke_width="1",
    ))  # fmt: skip


def _text(svg: ET.Element, x: float, y: float, text: str, anchor: str) -> None:
    svg.append(element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor))
