"""The effects of an experiment: one line a metric and arm, each with its corrected interval."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from analytics.experiments.rows import ExperimentRow, MetricFacts
from app.charts.experiment_panels import Panel, axes, axis_id, nothing, panels_of, small
from app.charts.experiment_words import (
    NO_VERDICT,
    badge,
    difference,
    difference_interval,
    effect,
    known,
    lift,
    lift_interval,
    p_value,
    value,
)
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    TEXT,
    Figure,
    Trace,
    cells,
    clickable,
    layout,
    plain,
)
from app.formats import STATUS_WORDS, count, plural

MOST_ROWS = 40
_TOP = 8
_LOOK: dict[str, dict[str, Any]] = {
    "worse": {"symbol": "triangle-down", "size": 12, "color": ACTION},
    "harmed": {"symbol": "x", "size": 11, "color": ACTION},
    "better": {"symbol": "triangle-up", "size": 12, "color": TEXT},
    "safe": {"symbol": "square", "size": 9, "color": TEXT},
    "not shown safe": {"symbol": "square-open", "size": 9, "color": NEUTRAL, "line": {"width": 2}},
    "too small to matter": {"symbol": "diamond-open", "size": 10, "color": NEUTRAL, "line": {"width": 2}},
    "no difference that matters": {"symbol": "diamond", "size": 10, "color": NEUTRAL},
    "no improvement shown": {
        "symbol": "triangle-down-open",
        "size": 11,
        "color": NEUTRAL,
        "line": {"width": 2},
    },
    "no difference shown": {"symbol": "circle", "size": 8, "color": NEUTRAL},
}
_URGENT = {"worse", "harmed"}
_Placed = list[tuple[ExperimentRow, float]]


def effect_forest(
    rows: Sequence[ExperimentRow], facts: Sequence[MetricFacts] = (), *, lifts: bool = True
) -> Figure:
    """Metrics and arms with corrected intervals around no effect; shape and word tell the badge.

    A row without a lift is drawn as a difference in a panel of its own, since its unit is another; a row that was
    not tested says why.

    Args:
        rows: comparisons, as `Scorecard.headline_rows` gives them.
        facts: of their metrics, for what guardrails allow.
        lifts: relative effects on one axis; False: differences, a panel a metric.

    Returns:
        A figure whose points carry ``[metric, variant]``.
    """
    compared = [row for row in rows if row.role != "health"]
    shown = compared[:MOST_ROWS]
    if not any(known(row.difference) is not None for row in shown):
        return nothing(_nothing(shown))
    panels = panels_of(shown, facts, lifts=lifts)
    foot = panels[-1].foot
    height = sum(panel.height + panel.foot for panel in panels) - foot
    data: list[Trace] = []
    more: dict[str, Any] = {}
    notes = [_left_out(len(compared) - MOST_ROWS)] if len(compared) > MOST_ROWS else []
    top = 0
    for number, panel in enumerate(panels, 1):
        more |= axes(panel, number, [max(0.0, 1 - (top + panel.height) / height), 1 - top / height])
        top += panel.height + panel.foot
        data += _traces(panel, number)
        notes += _column(panel, number)
    figure = layout(height + _TOP + foot, revision=f"effects {lifts} {shown[0].control}",
                    annotations=notes, **more)  # fmt: skip
    figure["margin"] |= {"r": 88, "t": _TOP, "b": foot}
    return {"data": data, "layout": figure}


def effect_forest_alt(rows: Sequence[ExperimentRow]) -> str:
    """One sentence: how many comparisons say what, and the effect that matters most."""
    tested = [row for row in rows if row.role != "health" and row.badge is not None]
    if not tested:
        return _nothing(rows)
    words = [(word, sum(row.badge == word for row in tested)) for word in _LOOK]
    counts = ", ".join(f"{n} {word}" for word, n in words if n)
    urgent = [row for word in ("harmed", "worse", "better") for row in tested if row.badge == word]
    first = (urgent or tested)[0]
    return (
        f"{plural(len(tested), 'comparison')} with {first.control}: {counts}; "
        f"{first.metric} of {first.variant} {effect(first)}."
    )


def _nothing(rows: Sequence[ExperimentRow]) -> str:
    reason = next((row.reason or STATUS_WORDS[row.status] for row in rows if row.role != "health"), None)
    return f"Nothing can be compared: {reason}." if reason else "There is nothing to compare."


def _traces(panel: Panel, number: int) -> list[Trace]:
    placed = list(zip(panel.rows, panel.places, strict=True))
    told = [(row, y) for row, y in placed if panel.estimate(row).value is not None]
    data: list[Trace] = []
    for word in _LOOK:
        mine = [(row, y) for row, y in told if (row.badge or "no difference shown") == word]
        data += [_estimates(panel, mine, word)] if mine else []
    margins = [(margin, y) for row, y in placed if (margin := panel.margin(row)) is not None]
    data += [_margins(margins)] if margins else []
    untold = [(row, y) for row, y in placed if (row, y) not in told]
    if untold:
        hover, custom = [_hover(row) for row, _ in untold], [_custom(row) for row, _ in untold]
        data.append(cells([0] * len(untold), [y for _, y in untold], hover, custom))
    data += _runaways(panel, told)
    return [trace | {"xaxis": axis_id("x", number), "yaxis": axis_id("y", number)} for trace in data]


def _estimates(panel: Panel, mine: _Placed, word: str) -> Trace:
    drawn = [panel.estimate(row) for row, _ in mine]
    whisker = {
        "type": "data", "symmetric": False, "color": _LOOK[word]["color"], "thickness": 1.5, "width": 0,
        "array": [_length(one.high, one.value) for one in drawn],
        "arrayminus": [_length(one.value, one.low) for one in drawn],
    }  # fmt: skip
    return clickable({
        "type": "scatter", "mode": "markers", "name": word, "marker": _LOOK[word],
        "x": [one.value for one in drawn], "y": [y for _, y in mine], "error_x": whisker,
        "hovertext": [_hover(row) for row, _ in mine], "customdata": [_custom(row) for row, _ in mine],
    })  # fmt: skip


def _margins(margins: list[tuple[float, float]]) -> Trace:
    return {
        "type": "scatter", "mode": "markers", "name": "harm allowed",
        "x": [x for x, _ in margins], "y": [y for _, y in margins], "hoverinfo": "skip",
        "marker": {"symbol": "line-ns", "size": 20, "line": {"color": TEXT, "width": 2}},
    }  # fmt: skip


def _runaways(panel: Panel, told: _Placed) -> list[Trace]:
    """Arrows at the edge for intervals that run past it."""
    low, high = panel.span
    past_low = [y for row, y in told if (panel.estimate(row).low or 0.0) < low]
    past_high = [y for row, y in told if (panel.estimate(row).high or 0.0) > high]
    sides = (("triangle-left", low, past_low), ("triangle-right", high, past_high))
    return [
        {
            "type": "scatter", "mode": "markers", "x": [edge] * len(ys), "y": ys, "hoverinfo": "skip",
            "cliponaxis": False, "showlegend": False, "marker": {"symbol": symbol, "size": 9, "color": NEUTRAL},
        }
        for symbol, edge, ys in sides if ys
    ]  # fmt: skip


def _column(panel: Panel, number: int) -> list[dict[str, Any]]:
    """The effect and the badge of each line in words to the right of the plot; inside it why there is none."""
    shared = {"showarrow": False, "align": "left", "xanchor": "left", "yanchor": "middle",
              "font": {"size": 12, "color": TEXT}}  # fmt: skip
    notes: list[dict[str, Any]] = []
    for row, y in zip(panel.rows, panel.places, strict=True):
        here = shared | {"y": y, "yref": axis_id("y", number)}
        amount = lift(row.lift) if panel.relative else difference(row.kind, row.difference)
        untold = NO_VERDICT if row.status == "ok" else STATUS_WORDS[row.status]
        lines = wrap(row.badge or untold, 14)
        word = small("<br>".join(lines))
        text = f"{amount}<br>{f'<b>{word}</b>' if row.badge in _URGENT else word}"
        notes.append(here | {"xref": "paper", "x": 1, "xshift": 8, "text": text})
        if panel.estimate(row).value is None:
            lines = wrap(row.reason or STATUS_WORDS[row.status], 24, max_lines=3, placeholder=" …")
            text = small("<br>".join(map(plain, lines)))
            notes.append(here | {"xref": f"{axis_id('x', number)} domain", "x": 0, "xshift": 4, "text": text})
    return notes


def _left_out(n: int) -> dict[str, Any]:
    return {
        "text": f"{count(n)} more<br>in the table", "xref": "paper", "x": 1, "xanchor": "left", "xshift": 8,
        "yref": "paper", "y": 0, "yanchor": "top", "yshift": -4, "align": "left", "showarrow": False,
        "font": {"size": 12, "color": TEXT},
    }  # fmt: skip


def _length(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _custom(row: ExperimentRow) -> list[str | None]:
    return [row.metric, row.variant]


def _hover(row: ExperimentRow) -> str:
    head = f"<b>{plain(row.metric)}</b>, {plain(row.variant)} against {plain(row.control)}: {badge(row)}"
    sizes = f"n = {count(row.n)} against {count(row.n_control)}"
    means = f"{value(row.kind, row.mean)} against {value(row.kind, row.mean_control)}"
    if row.difference is None:
        return "<br>".join([head, *_wrapped(row.reason), means, sizes])
    limits = difference_interval(row.kind, row.ci_adjusted_low, row.ci_adjusted_high)
    lifts = lift_interval(row.lift_ci_adjusted_low, row.lift_ci_adjusted_high)
    lines = [
        head,
        f"lift {lift(row.lift)} ({lifts})" if row.lift is not None else "no lift",
        f"difference {difference(row.kind, row.difference)} ({limits})",
        means,
        f"adjusted p {p_value(row.p_adjusted)}, alone {p_value(row.p_value)}",
        sizes,
        f"{plain(row.test)}, {row.method}",
    ]
    return "<br>".join([*lines, *_wrapped(row.reason), *_wrapped(row.warnings)])


def _wrapped(text: str | None) -> list[str]:
    return [plain(line) for line in wrap(text or "", 56)]
