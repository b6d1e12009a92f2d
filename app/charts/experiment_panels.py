"""Where the effects of an experiment stand: lines that share an axis, and what that axis means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, NamedTuple

from analytics.experiments.rows import ExperimentRow, MetricFacts
from analytics.project import SHARES
from app.charts.experiment_words import has_lift, known, scaled
from app.charts.theme import NEUTRAL, TEXT, Figure, axis, empty, plain
from app.formats import NONE, count, short

LETTERS = 18
_LINE = 54
"""Height of a line in pixels: what stands beside it has up to three lines of text."""
_HEAD = 0.7
"""Room for the name of a role, in lines."""
_RUNAWAY = 5
"""An interval so many times as wide as the middle one runs off the plot instead of flattening the others."""
_ROLES = {"primary": "primary", "secondary": "secondary", "guardrail": "guardrails"}


class Estimate(NamedTuple):
    """What is drawn of a row, in the unit of its axis."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Panel:
    """Lines that share an axis.

    Attributes:
        rows: its lines.
        facts: metric -> what it means.
        relative: whether lifts are drawn, in percent; else differences, those of shares in percentage points.
    """

    rows: Sequence[ExperimentRow]
    facts: Mapping[str, MetricFacts]
    relative: bool

    @property
    def title(self) -> str:
        """What the axis shows, and under it what its signs mean."""
        control = plain(short(self.rows[0].control or "the control", LETTERS))
        points = ", in points" if self.rows[0].kind in SHARES else ""
        first = f"lift against {control}"
        signs = []
        if not self.relative:
            first = f"difference of {plain(short(self.rows[0].metric, LETTERS))}{points}"
            signs.append(f"against {control}")
        if any(row.direction == "down" for row in self.rows):
            signs.append("↓ lower is better")
        if any(self.margin(row) is not None for row in self.rows):
            signs.append("│ harm allowed")
        return "<br>".join([first, *([small(" · ".join(signs))] if signs else [])])

    @property
    def places(self) -> list[float]:
        """Where lines stand, from the top; a role that begins takes a little room for its name."""
        places: list[float] = []
        y, role = 0.0, None
        for row in self.rows:
            y += _HEAD if self.has_heads and row.role != role else 0.0
            places.append(y)
            y, role = y + 1, row.role
        return places

    @property
    def has_heads(self) -> bool:
        """Whether lines are of several roles."""
        return len({row.role for row in self.rows}) > 1

    @property
    def bottom(self) -> float:
        """Where the panel ends, in lines from the first."""
        return self.places[-1] + 0.6

    @property
    def height(self) -> int:
        """In pixels, without what stands under it."""
        return round(_LINE * (self.bottom + 0.6))

    @property
    def foot(self) -> int:
        """Height under it in pixels: ticks, and a title of one or two lines."""
        return 66 if "<br>" in self.title else 48

    @property
    def span(self) -> tuple[float, float]:
        """From where to where the axis goes: no effect, all margins, and all intervals but those far too wide."""
        whole = [one for one in map(self.estimate, self.rows) if one.value is not None]
        reach = sorted(max(abs(end) for end in one if end is not None) for one in whole)
        most = _RUNAWAY * reach[len(reach) // 2] if reach else 0.0
        ends = [end for one in whole for end in one if end is not None and abs(end) <= most]
        ends += [margin for margin in map(self.margin, self.rows) if margin is not None]
        low, high = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
        room = 0.07 * (high - low) or 1.0
        return low - room, high + room

    def estimate(self, row: ExperimentRow) -> Estimate:
        """The lift or the difference with its corrected interval."""
        if self.relative:
            ends = row.lift, row.lift_ci_adjusted_low, row.lift_ci_adjusted_high
        else:
            ends = row.difference, row.ci_adjusted_low, row.ci_adjusted_high
        return Estimate(*(scaled(end, self._scale(row)) for end in ends))

    def margin(self, row: ExperimentRow) -> float | None:
        """The harm a guardrail allows."""
        fact = self.facts.get(row.metric)
        base = abs(known(row.mean_control) or 0.0)
        if fact is None or row.role != "guardrail":
            return None
        allowed = fact.margin_absolute
        if allowed is None and fact.margin is not None:
            allowed = fact.margin * base
        if allowed is None or (self.relative and not base):
            return None
        on_axis = self._scale(row) * (allowed / base if self.relative else allowed)
        return on_axis if row.direction == "down" else -on_axis

    def _scale(self, row: ExperimentRow) -> float:
        return 100 if self.relative or row.kind in SHARES else 1


def panels_of(rows: Sequence[ExperimentRow], facts: Sequence[MetricFacts], *, lifts: bool) -> list[Panel]:
    """All lifts on one axis; a metric without (or every metric, where differences are asked for) on its own."""
    meaning = {fact.name: fact for fact in facts}
    alone = dict.fromkeys(row.metric for row in rows if row.difference is not None and not has_lift(row))
    relative = [row for row in rows if has_lift(row) or row.difference is None]
    if not lifts or not any(map(has_lift, rows)):
        alone, relative = dict.fromkeys(row.metric for row in rows), []
    panels = [Panel(relative, meaning, relative=True)] if relative else []
    there = {id(row) for row in relative}
    for metric in alone:
        mine = [row for row in rows if row.metric == metric and id(row) not in there]
        panels.append(Panel(mine, meaning, relative=False))
    return panels


def axes(panel: Panel, number: int, domain: list[float]) -> dict[str, Any]:
    """The two axes of the n-th panel."""
    suffix = axis_id("", number)
    ticks, labels = _labels(panel)
    x_axis = axis(
        panel.title, anchor=axis_id("y", number), range=list(panel.span), ticksuffix="%" if panel.relative else "",
        tickangle=0, tickfont={"size": 11, "color": TEXT}, showgrid=True, zeroline=True, zerolinecolor=NEUTRAL,
        zerolinewidth=1.5, fixedrange=True,
    )  # fmt: skip
    y_axis = axis(
        anchor=axis_id("x", number), domain=domain, range=[panel.bottom, -0.6], tickvals=ticks, ticktext=labels,
        showgrid=False, fixedrange=True,
    )  # fmt: skip
    return {f"xaxis{suffix}": x_axis, f"yaxis{suffix}": y_axis}


def axis_id(letter: str, number: int) -> str:
    """What Plotly calls the n-th axis: the first has no number."""
    return letter if number == 1 else f"{letter}{number}"


def small(text: str) -> str:
    """Text in the second line of a label; it must be plain already."""
    return f'<span style="font-size:11px">{text}</span>'


def two_lines(name: str) -> str:
    """A name in at most two lines, broken after a sign that separates words, cut in the middle if it must be.

    >>> two_lines("revenue"), two_lines("checkout_conversion_within_7_days")
    ('revenue', 'checkout_<br>conversio…in_7_days')
    """
    if len(name) <= LETTERS:
        return plain(name)
    place = max(name.rfind(sign, 0, LETTERS) for sign in "_-./ ") + 1 or LETTERS
    return "<br>".join(plain(part.strip()) for part in (name[:place], short(name[place:], LETTERS)))


def nothing(reason: str) -> Figure:
    """A figure that says why there is nothing to draw, in lines that fit a phone."""
    figure = empty(reason, 160)
    figure["layout"]["annotations"][0]["text"] = "<br>".join(map(plain, wrap(reason, 44)))
    return figure


def _labels(panel: Panel) -> tuple[list[float], list[str]]:
    ticks: list[float] = []
    labels: list[str] = []
    role = None
    for row, y in zip(panel.rows, panel.places, strict=True):
        if panel.has_heads and row.role != role:
            ticks.append(y - 0.75)
            labels.append(f"<b>{_ROLES.get(row.role, row.role)}</b>")
        role = row.role
        ticks.append(y)
        arrow = " ↓" if row.direction == "down" else ""
        n = None if row.n is None and row.n_control is None else (row.n or 0) + (row.n_control or 0)
        arm = small(f"{plain(short(row.variant or NONE, 12))} · n {count(n)}")
        labels.append(f"{two_lines(row.metric)}{arrow}<br>{arm}")
    return ticks, labels
