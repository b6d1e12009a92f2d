"""An error model as pictures: what a filter by it catches, what carries it, and whether its chances hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analytics.review.rows import CarrierRow, ErrorBinRow, FilterBy, FilterRow
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    SERIES,
    SQUARE,
    WIDE,
    Figure,
    Trace,
    axis,
    diagonal,
    empty,
    guide,
    layout,
    plain,
    share_axis,
)
from app.formats import interval, number, percent, short

BY: dict[FilterBy, str] = {"error_model": "by the error model", "score": "by the score alone"}
MOST_CARRIERS = 12
NOTHING = "There are too few labelled rows of either kind to learn from."


def filter_curve(rows: Sequence[FilterRow]) -> Figure:
    """Share of the wrong rows that is caught against the share of rows refused, both ways to order them."""
    if not rows:
        return empty(NOTHING)
    data: list[Trace] = [guide([0, 0.5], [0, 0.5], name="by chance")]
    for place, by in enumerate(BY):
        mine = [row for row in rows if row.by == by]
        colour = SERIES[place]
        symbol = "circle" if by == "error_model" else "diamond"
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": BY[by],
            "x": [row.refused for row in mine], "y": [row.caught for row in mine],
            "error_y": {
                "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 3,
                "array": [row.caught_ci_high - row.caught for row in mine],
                "arrayminus": [row.caught - row.caught_ci_low for row in mine],
            },
            "line": {"color": colour, "width": 2, "dash": "solid" if by == "error_model" else "dash"},
            "marker": {"color": colour, "size": 8, "symbol": symbol},
            "hovertemplate": "%{hovertext}<extra></extra>", "hovertext": [_said(row) for row in mine],
        })  # fmt: skip
    figure_layout = layout(
        WIDE, legend=True, xaxis=axis("share of rows refused", tickformat=".0%", range=[-0.01, 0.52], showgrid=True),
        yaxis=share_axis("share of wrong rows caught"),
    )  # fmt: skip
    return {"data": data, "layout": figure_layout}


def filter_alt(rows: Sequence[FilterRow], rate: float = 0.1) -> str:
    """One sentence: what refusing a tenth catches, both ways."""
    if not rows:
        return NOTHING
    said = []
    for by, name in BY.items():
        row = min((row for row in rows if row.by == by), key=lambda one: abs(one.rate - rate))
        said.append(
            f"{name} {percent(row.caught)} ({interval(row.caught_ci_low, row.caught_ci_high, share=True)})"
        )
    return f"Refusing {percent(rate)} of the rows catches of all wrong ones {', '.join(said)}."


def carrier_bars(rows: Sequence[CarrierRow]) -> Figure:
    """Columns by the area that is lost without them, with intervals."""
    if not rows:
        return empty(NOTHING)
    shown = list(rows[:MOST_CARRIERS])[::-1]
    trace: Trace = {
        "type": "scatter", "mode": "markers", "showlegend": False,
        "x": [row.importance for row in shown], "y": [plain(short(row.feature, 16)) for row in shown],
        "error_x": {
            "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.5, "width": 3,
            "array": [row.ci_high - row.importance for row in shown],
            "arrayminus": [row.importance - row.ci_low for row in shown],
        },
        "marker": {"color": SERIES[0], "size": 9},
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hovertext": [
            f"<b>{plain(row.feature)}</b>: {number(row.importance)} ({interval(row.ci_low, row.ci_high)})"
            for row in shown
        ],
    }  # fmt: skip
    zero = {"type": "line", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1,
            "line": {"color": NEUTRAL, "width": 1}}  # fmt: skip
    lines = layout(
        60 + 26 * len(shown), xaxis=axis("area lost where its values are shuffled", showgrid=True),
        yaxis=axis("", automargin=True, type="category"), shapes=[zero],
    )  # fmt: skip
    return {"data": [trace], "layout": lines}


def carrier_alt(rows: Sequence[CarrierRow]) -> str:
    """One sentence: which columns carry it."""
    clear = [row.feature for row in rows if row.ci_low > 0][:3]
    if not clear:
        return "No column carries it beyond chance."
    return f"Carried most by {', '.join(clear)}."


def error_calibration(rows: Sequence[ErrorBinRow]) -> Figure:
    """Wrong rows against their chance, by tenth."""
    if not rows:
        return empty(NOTHING)
    most = max(max(row.ci_high, row.mean_chance) for row in rows)
    trace: Trace = {
        "type": "scatter", "mode": "markers", "showlegend": False,
        "x": [row.mean_chance for row in rows], "y": [row.wrong_rate for row in rows],
        "error_y": {
            "type": "data", "symmetric": False, "color": SERIES[0], "thickness": 1.5, "width": 3,
            "array": [row.ci_high - row.wrong_rate for row in rows],
            "arrayminus": [row.wrong_rate - row.ci_low for row in rows],
        },
        "marker": {"color": SERIES[0], "size": 9, "line": {"color": PAPER, "width": 1}},
        "hovertemplate": "%{hovertext}<extra></extra>",
        "hovertext": [
            f"expected {percent(row.mean_chance)}, wrong {percent(row.wrong_rate)} "
            f"({interval(row.ci_low, row.ci_high, share=True)}), n = {row.n:,}"
            for row in rows
        ],
    }  # fmt: skip
    lines = layout(
        SQUARE,
        xaxis=axis("expected share of wrong rows", tickformat=".0%", range=[0, most * 1.05], nticks=6),
        yaxis=axis("share that was wrong", tickformat=".0%", range=[0, most * 1.05], nticks=6),
    )  # fmt: skip
    return {"data": [diagonal(0.0, most), trace], "layout": lines}


def error_calibration_alt(rows: Sequence[ErrorBinRow]) -> str:
    """One sentence: the least and the most doubtful tenth."""
    if not rows:
        return NOTHING
    first, last = rows[0], rows[-1]
    return (
        f"Of the tenth least in doubt {percent(first.wrong_rate)} were wrong (expected {percent(first.mean_chance)}), "
        f"of the tenth most in doubt {percent(last.wrong_rate)} (expected {percent(last.mean_chance)})."
    )


def filter_table(rows: Sequence[FilterRow]) -> pd.DataFrame:
    """A line a way and rate."""
    return pd.DataFrame(
        {
            "Ordered": [BY[row.by] for row in rows],
            "Refused": [row.refused for row in rows],
            "Refused a day": [row.per_day for row in rows],
            "Wrong rows caught": [row.caught for row in rows],
            "Caught, low": [row.caught_ci_low for row in rows],
            "Caught, high": [row.caught_ci_high for row in rows],
            "Wrong of all": [row.wrong_rate for row in rows],
            "Wrong of the rest": [row.wrong_rate_rest for row in rows],
            "Rest, low": [row.ci_low for row in rows],
            "Rest, high": [row.ci_high for row in rows],
            "Difference": [row.difference for row in rows],
            "Difference, low": [row.difference_ci_low for row in rows],
            "Difference, high": [row.difference_ci_high for row in rows],
            "Labelled rows": [row.n for row in rows],
        }
    )


def _said(row: FilterRow) -> str:
    return (
        f"<b>{BY[row.by]}</b>: {percent(row.refused)} refused<br>catches {percent(row.caught)} of the wrong rows "
        f"({interval(row.caught_ci_low, row.caught_ci_high, share=True)})<br>of the rest "
        f"{percent(row.wrong_rate_rest)} are wrong, of all {percent(row.wrong_rate)}"
    )
