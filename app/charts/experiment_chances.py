"""What is believed of the arms of an experiment: credible lifts, chances and expected losses."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analytics.experiments.chances import ChanceRow
from analytics.experiments.rows import MetricFacts
from app.charts.experiment_panels import nothing
from app.charts.experiment_words import (
    chance,
    difference,
    difference_interval,
    lift,
    lift_interval,
    value,
    value_interval,
)
from app.charts.theme import NEUTRAL, SERIES, TEXT, Figure, Trace, axis, clickable, layout, plain
from app.formats import STATUS_WORDS, percent, plural, short

MOST_ROWS = 30
_LINE = 44
_LETTERS = 22


def chances(rows: Sequence[ChanceRow], facts: Sequence[MetricFacts] = ()) -> Figure:
    """The believed lift of every arm on every metric with its credible interval, and beside it the chance to beat.

    Args:
        rows: of any metrics; the control's own are left out.
        facts: of the metrics; those of which less is better get an arrow.

    Returns:
        A figure whose points carry ``[metric, variant]``.
    """
    shown = [row for row in rows if row.lift is not None and row.lift_ci_low is not None][:MOST_ROWS]
    if not shown:
        return nothing(_nothing(rows))
    values = [100 * (row.lift or 0.0) for row in shown]
    low, high = ([100 * (end or 0.0) for end in ends] for ends in (
        [row.lift_ci_low for row in shown], [row.lift_ci_high for row in shown]))  # fmt: skip
    places = list(range(len(shown)))
    points: Trace = clickable({
        "type": "scatter", "mode": "markers", "x": values, "y": places, "showlegend": False,
        "marker": {"size": 9, "color": SERIES[0]},
        "error_x": {
            "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.5, "width": 0,
            "array": [b - v for v, b in zip(values, high, strict=True)],
            "arrayminus": [v - a for v, a in zip(values, low, strict=True)],
        },
        "hovertext": [_hover(row) for row in shown],
        "customdata": [[row.metric, row.variant] for row in shown],
    })  # fmt: skip
    several = len({row.variant for row in shown}) > 1
    falling = {one.name for one in facts if one.direction == "down"}
    names = [
        plain(short(f"{row.metric} · {row.variant}" if several else row.metric, _LETTERS))
        + (" ↓" if row.metric in falling else "")
        for row in shown
    ]
    notes = [
        {
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": place, "yref": "y", "showarrow": False,
            "text": chance(row.chance_to_beat), "font": {"size": 12, "color": TEXT}, "align": "left",
        }
        for place, row in zip(places, shown, strict=True)
    ]  # fmt: skip
    notes.append(
        {
            "x": 1, "xref": "paper", "xanchor": "right", "xshift": 62, "y": 1, "yref": "paper", "yanchor": "bottom",
            "showarrow": False, "text": "chance to beat", "font": {"size": 11, "color": NEUTRAL},
        }
    )  # fmt: skip
    figure = layout(
        _LINE * len(shown) + 60,
        revision=f"chances {len(shown)}",
        annotations=notes,
        xaxis=axis("believed lift", ticksuffix="%", nticks=6, zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1.5),
        yaxis=axis(tickvals=places, ticktext=names, range=[len(shown) - 0.5, -0.5], showgrid=False),
    )  # fmt: skip
    figure["margin"] |= {"r": 70, "t": 24}
    return {"data": [points], "layout": figure}


def chances_alt(rows: Sequence[ChanceRow]) -> str:
    """One sentence: of the first metric, the chance to beat the control and what the choice is expected to lose."""
    told = [row for row in rows if row.chance_to_beat is not None]
    if not told:
        return _nothing(rows)
    first = told[0]
    return (
        f"{plural(len(told), 'comparison')}; {first.metric} of {first.variant}: chance to beat the control "
        f"{chance(first.chance_to_beat)}, believed lift {lift(first.lift)} "
        f"({lift_interval(first.lift_ci_low, first.lift_ci_high)})."
    )


def _nothing(rows: Sequence[ChanceRow]) -> str:
    reason = next((row.reason or STATUS_WORDS[row.status] for row in rows if row.status != "ok"), None)
    return f"Nothing can be believed: {reason}." if reason else "There is no lift to believe in."


def _hover(row: ChanceRow) -> str:
    return "<br>".join([
        f"<b>{plain(short(row.metric))}</b>, {plain(short(row.variant))}: {plain(row.model or '')}",
        f"lift {lift(row.lift)} ({lift_interval(row.lift_ci_low, row.lift_ci_high)})",
        f"chance to beat the control {chance(row.chance_to_beat)}, to be best {chance(row.chance_best)}",
        f"expected loss of choosing it {percent(row.expected_loss_relative)}",
    ])  # fmt: skip


def chances_table(rows: Sequence[ChanceRow], facts: Sequence[MetricFacts]) -> pd.DataFrame:
    """Every metric in every arm: expected value, chances, expected loss, with the model and the prior."""
    kinds = {one.name: one.kind for one in facts}

    def loss(row: ChanceRow) -> str:
        if row.expected_loss is None:
            return "–"
        text = difference(kinds.get(row.metric), row.expected_loss).removeprefix("+")
        if 0 <= row.expected_loss < 1e-6:
            return "next to none"
        return (
            text if row.expected_loss_relative is None else f"{text} ({percent(row.expected_loss_relative)})"
        )

    return pd.DataFrame(
        [
            {
                "Metric": row.metric,
                "Variant": row.variant,
                "Chance to beat": chance(row.chance_to_beat),
                "Chance to be best": chance(row.chance_best),
                "Expected loss": loss(row),
                "Expected value": value(kinds.get(row.metric), row.mean),
                "Credible interval": value_interval(kinds.get(row.metric), row.ci_low, row.ci_high),
                "Lift": lift(row.lift),
                "Credible lift": lift_interval(row.lift_ci_low, row.lift_ci_high),
                "Difference": difference(kinds.get(row.metric), row.difference),
                "Credible difference": difference_interval(
                    kinds.get(row.metric), row.difference_ci_low, row.difference_ci_high
                ),
                "Units": row.n,
                "Model": row.model,
                "Prior": row.prior,
                "Reason": row.reason,
            }
            for row in rows
        ]
    )
