"""Effects by segment: one line a value, pulled towards what the values share, with the observed effect behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analytics.experiments.segment_rows import SegmentEffectRow
from analytics.project import SHARES
from app.charts.experiment_panels import nothing, small
from app.charts.experiment_words import (
    difference,
    difference_interval,
    known,
    lift,
    lift_interval,
    p_value,
    scaled,
)
from app.charts.theme import NEUTRAL, SERIES, TEXT, Figure, Trace, axis, clickable, guide, layout, plain
from app.formats import NONE, STATUS_WORDS, count, plural, short

_ROW = 30
_HEAD = 1.1
"""Room for the name of a segment, in rows."""
_LETTERS = 18


def segment_forest(rows: Sequence[SegmentEffectRow]) -> Figure:
    """Effects of one metric and arm by segment; a filled sign says that a value differs from the others.

    Args:
        rows: of one metric and one arm, as the workbench gives them.

    Returns:
        A figure whose points carry ``[segment, value]``.
    """
    if not any(known(row.difference) is not None for row in rows):
        reason = next((row.reason or STATUS_WORDS[row.status] for row in rows), None)
        return nothing(f"Nothing can be compared: {reason}." if reason else "There is nothing to compare.")
    places, heads, end = _places(rows)
    factor = 100.0 if rows[0].kind in SHARES else 1.0
    drawn = [(row, y) for row, y in zip(rows, places, strict=True) if known(row.difference) is not None]
    data: list[Trace] = [guide(*_upright(0.0, heads, end))]
    overall = scaled(rows[0].overall, factor)
    if overall is not None:
        data.append(
            guide(
                *_upright(overall, heads, end),
                name="all units",
                showlegend=True,
                line={"color": SERIES[0], "width": 1.5, "dash": "dash"},
            )
        )
    data += [_observed(drawn, factor), _pulled(drawn, factor)]
    unit = "difference, percentage points" if factor == 100.0 else "difference"
    figure = layout(
        round(_ROW * (end + 0.6)) + 84,
        revision=f"segments {rows[0].metric} {rows[0].variant}",
        legend=True,
        annotations=[*heads, *_counts(rows, places)],
        xaxis=axis(unit, fixedrange=True, nticks=6),
        yaxis=axis(
            range=[end, -0.6], showgrid=False, fixedrange=True, tickvals=places, ticklabelstandoff=4,
            ticktext=[plain(short(row.segment_value, _LETTERS)) for row in rows],
        ),
    )  # fmt: skip
    figure["margin"] |= {"r": 64}
    return {"data": data, "layout": figure}


def _upright(
    x: float, heads: Sequence[Mapping[str, Any]], end: float
) -> tuple[list[float], list[float | None]]:
    """A line from top to bottom that leaves out the names of segments: struck through they could not be read."""
    stops = [edge for head in heads for edge in (head["y"] - 0.35, None, head["y"] + 0.35)]
    y = [-0.6, *stops, end]
    return [x] * len(y), y


def segment_forest_alt(rows: Sequence[SegmentEffectRow]) -> str:
    """One sentence: how many values, which of them differ, and from where to where the effect goes."""
    told = [row for row in rows if row.difference is not None]
    if not told:
        return "No effect can be compared by segment."
    ordered = sorted(
        told, key=lambda row: row.shrunken if row.shrunken is not None else row.difference or 0.0
    )
    ends = " to ".join(
        f"{_effect(row)} in {row.segment} = {row.segment_value}" for row in (ordered[0], ordered[-1])
    )
    apart = sum(bool(row.differs) for row in told)
    said = (
        f"{count(apart)} differ from elsewhere after correction" if apart else "none differs from elsewhere"
    )
    return f"{rows[0].metric} of {rows[0].variant} in {plural(len(told), 'value')}: {ends}; {said}."


def segment_table(rows: Sequence[SegmentEffectRow]) -> pd.DataFrame:
    """Every value of every segment, in words."""
    return pd.DataFrame([
        {
            "Metric": row.metric,
            "Variant": row.variant,
            "Segment": row.segment,
            "Value": row.segment_value if row.n_values == 1 else f"{row.segment_value}: {row.n_values} values",
            "Units": row.n,
            "Units of the control": row.n_control,
            "Difference": difference(row.kind, row.difference),
            "Interval": difference_interval(row.kind, row.ci_low, row.ci_high),
            "Lift": lift(row.lift),
            "Interval of the lift": lift_interval(row.lift_ci_low, row.lift_ci_high),
            "p": p_value(row.p_value),
            "Pulled together": difference(row.kind, row.shrunken),
            "Interval of that": difference_interval(row.kind, row.shrunken_ci_low, row.shrunken_ci_high),
            "Elsewhere": difference(row.kind, row.elsewhere),
            "p of a difference, corrected": p_value(row.different_p_adjusted),
            "Differs": NONE if row.differs is None else "yes" if row.differs else "not shown",
            "Segment: p of a difference, corrected": p_value(row.segment_p_adjusted),
            "Test": row.test or NONE,
            "Status": STATUS_WORDS[row.status],
            "Reason": row.reason or "",
        }
        for row in rows
    ])  # fmt: skip


def _places(rows: Sequence[SegmentEffectRow]) -> tuple[list[float], list[dict[str, Any]], float]:
    """Where each row stands, the names of the segments above theirs, and where the figure ends."""
    places: list[float] = []
    heads: list[dict[str, Any]] = []
    y, before = -1.0, None
    for row in rows:
        y += 1.0
        if row.segment != before:
            heads.append(_head(row, y))
            y, before = y + _HEAD - 0.2, row.segment
        places.append(y)
    return places, heads, y + 0.6


def _head(row: SegmentEffectRow, y: float) -> dict[str, Any]:
    alike = row.segment_p_adjusted
    said = "" if alike is None else f" · one effect everywhere: p = {p_value(alike)}".replace("= <", "<")
    return {
        "text": f"<b>{plain(short(row.segment, _LETTERS))}</b>{small(said)}",
        "xref": "paper", "x": 0, "xanchor": "left", "y": y, "yanchor": "middle",
        "showarrow": False, "font": {"size": 12, "color": TEXT}, "align": "left",
    }  # fmt: skip


def _counts(rows: Sequence[SegmentEffectRow], places: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {
            "text": f"n {count(row.n + row.n_control)}", "xref": "paper", "x": 1, "xanchor": "left", "xshift": 6,
            "y": y, "yanchor": "middle", "showarrow": False, "font": {"size": 11, "color": TEXT},
        }
        for row, y in zip(rows, places, strict=True)
    ]  # fmt: skip


def _observed(drawn: Sequence[tuple[SegmentEffectRow, float]], factor: float) -> Trace:
    """The effects as they were seen, with their own intervals, faint."""
    values = [factor * (row.difference or 0.0) for row, _ in drawn]
    return {
        "type": "scatter", "mode": "markers", "name": "observed", "x": values,
        "y": [y + 0.24 for _, y in drawn], "hoverinfo": "skip",
        "marker": {"symbol": "line-ns", "size": 8, "color": NEUTRAL, "line": {"width": 1.5, "color": NEUTRAL}},
        "error_x": _whiskers(values, [(row.ci_low, row.ci_high) for row, _ in drawn], factor, NEUTRAL, 1.0),
    }  # fmt: skip


def _pulled(drawn: Sequence[tuple[SegmentEffectRow, float]], factor: float) -> Trace:
    """The effects pulled together; open unless a value differs from the others after correction."""
    told = [(row, y) for row, y in drawn if row.shrunken is not None]
    values = [factor * (row.shrunken or 0.0) for row, _ in told]
    ends = [(row.shrunken_ci_low, row.shrunken_ci_high) for row, _ in told]
    return clickable({
        "type": "scatter", "mode": "markers", "name": "pulled together (filled: differs)", "x": values,
        "y": [y for _, y in told], "customdata": [[row.segment, row.segment_value] for row, _ in told],
        "hovertext": [_hover(row) for row, _ in told],
        "marker": {
            "symbol": ["diamond" if row.differs else "circle-open" for row, _ in told], "size": 10, "color": TEXT,
            "line": {"width": 2, "color": TEXT},
        },
        "error_x": _whiskers(values, ends, factor, TEXT, 2.0),
    })  # fmt: skip


def _whiskers(
    values: Sequence[float],
    ends: Sequence[tuple[float | None, float | None]],
    factor: float,
    colour: str,
    thickness: float,
) -> dict[str, Any]:
    lows = [value if low is None else factor * low for value, (low, _) in zip(values, ends, strict=True)]
    highs = [value if high is None else factor * high for value, (_, high) in zip(values, ends, strict=True)]
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": thickness, "width": 0,
        "array": [high - value for high, value in zip(highs, values, strict=True)],
        "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
    }  # fmt: skip


def _effect(row: SegmentEffectRow) -> str:
    return difference(row.kind, row.shrunken if row.shrunken is not None else row.difference)


def _hover(row: SegmentEffectRow) -> str:
    pulled = difference_interval(row.kind, row.shrunken_ci_low, row.shrunken_ci_high)
    observed = difference_interval(row.kind, row.ci_low, row.ci_high)
    p = f"p = {p_value(row.different_p_adjusted)}".replace("= <", "<")
    lines = [
        f"<b>{plain(row.segment)} = {plain(row.segment_value)}</b>",
        f"pulled together {difference(row.kind, row.shrunken)} ({pulled})",
        f"observed {difference(row.kind, row.difference)} ({observed})",
        f"elsewhere {difference(row.kind, row.elsewhere)}; of no difference {p} after correction",
        f"{count(row.n)} units of {plain(row.variant)}, {count(row.n_control)} of {plain(row.control)}",
    ]
    return "<br>".join(lines)
