"""Maps of scores, the mix of classes, and a regression by tenth of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analytics.quality.calibration import DecileRow, MapRow, MixRow
from app.charts.theme import (
    NEUTRAL,
    SERIES,
    SQUARE,
    Figure,
    Trace,
    axis,
    clickable,
    diagonal,
    empty,
    guide,
    layout,
    plain,
    series_style,
    share_axis,
)
from app.formats import count, interval, number, percent, plural, points, short, stretch


def map_curves(rows: Sequence[MapRow], *, share: bool = True) -> Figure:
    """Score after against score before, a curve a method, with the diagonal where nothing is moved."""
    if not rows:
        return empty("No map can be fitted: there are too few mature labels.", SQUARE)
    low, high = min(row.score for row in rows), max(row.score for row in rows)
    data: list[Trace] = [diagonal() if share else diagonal(low, high)]
    for index, method in enumerate(dict.fromkeys(row.method for row in rows)):
        part = [row for row in rows if row.method == method]
        colour, dash = series_style(index)
        show = percent if share else number
        data.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": str(method),
                    "x": [row.score for row in part],
                    "y": [row.recalibrated for row in part],
                    "line": {"color": colour, "width": 2, "dash": dash},
                    "hovertext": [
                        f"{method}<br>{show(row.score)} becomes {show(row.recalibrated)}" for row in part
                    ],
                }
            )
        )
    more: dict[str, Any] = {
        "xaxis": share_axis("score as logged") if share else axis("prediction as logged"),
        "yaxis": share_axis("score after") if share else axis("prediction after"),
    }
    return {"data": data, "layout": layout(SQUARE, revision="maps", legend=True, **more)}


def map_curves_alt(rows: Sequence[MapRow], *, share: bool = True) -> str:
    """One sentence: where each map moves scores furthest."""
    if not rows:
        return "No map can be fitted."
    show = percent if share else number
    said = []
    for method in dict.fromkeys(row.method for row in rows):
        furthest = max(
            (r for r in rows if r.method == method), key=lambda row: abs(row.recalibrated - row.score)
        )
        said.append(f"{method}: {show(furthest.score)} becomes {show(furthest.recalibrated)}")
    return f"Where each map moves scores furthest: {'; '.join(said)}."


def mix_chart(rows: Sequence[MixRow]) -> Figure:
    """A line for each class: bar for what came, diamond for what was predicted, tick for what scores expect."""
    shown = [row for row in rows if row.came is not None]
    if not shown:
        return empty("There are no labelled rows to count.")
    places = list(range(len(shown)))
    hover = [_mix_hover(row) for row in shown]
    data: list[Trace] = [
        clickable(
            {
                "type": "bar",
                "orientation": "h",
                "name": "came true",
                "x": [row.came for row in shown],
                "y": places,
                "width": 0.5,
                "marker": {"color": f"{NEUTRAL}66", "line": {"width": 0}},
                "hovertext": hover,
            }
        )
    ]
    predicted = [(row, place) for row, place in zip(shown, places, strict=True) if row.predicted is not None]
    if predicted:
        data.append(_marks(predicted, "predicted", hover))
    expected = [(row, place) for row, place in zip(shown, places, strict=True) if row.expected is not None]
    if expected:
        data.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": "mean score",
                    "x": [row.expected for row, _ in expected],
                    "y": [place for _, place in expected],
                    "hovertext": [hover[place] for _, place in expected],
                    "marker": {"symbol": "line-ns", "size": 18, "line": {"color": SERIES[1], "width": 3}},
                }
            )
        )
    labels = [plain(short(stretch(row.class_), 20)) for row in shown]
    more: dict[str, Any] = {
        "xaxis": axis("share of labelled rows", tickformat=".0%", rangemode="tozero", nticks=6),
        "yaxis": axis(
            tickvals=places, ticktext=labels, range=[len(shown) - 0.5, -0.5], showgrid=False, fixedrange=True
        ),
    }
    return {"data": data, "layout": layout(112 + 34 * len(shown), revision="mix", legend=True, **more)}


def mix_alt(rows: Sequence[MixRow]) -> str:
    """One sentence: the class whose predictions are furthest from what came."""
    shown = [row for row in rows if row.came is not None]
    if not shown:
        return "There are no labelled rows to count."
    far = max(shown, key=lambda row: abs(row.decided_difference or row.expected_difference or 0.0))
    said = f"predicted {percent(far.predicted)}, " if far.predicted is not None else ""
    return f"Of {plural(len(shown), 'class', 'classes')}, {far.class_} is furthest off: {said}came {percent(far.came)}."


def _marks(pairs: list[tuple[MixRow, int]], name: str, hover: list[str]) -> Trace:
    rows = [row for row, _ in pairs]
    whisker = {
        "type": "data",
        "symmetric": False,
        "color": SERIES[0],
        "thickness": 1.5,
        "width": 0,
        "array": [(row.decided_ci_high or 0.0) - (row.decided_difference or 0.0) for row in rows],
        # no share lies below 0
        "arrayminus": [
            min((row.decided_difference or 0.0) - (row.decided_ci_low or 0.0), row.predicted or 0.0)
            for row in rows
        ],
    }
    return clickable(
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [row.predicted for row in rows],
            "y": [place for _, place in pairs],
            "error_x": whisker,
            "marker": {"symbol": "diamond", "size": 10, "color": SERIES[0]},
            "hovertext": [hover[place] for _, place in pairs],
        }
    )


def _mix_hover(row: MixRow) -> str:
    said = f"<b>{plain(row.class_)}</b><br>came {percent(row.came)}"
    if row.predicted is not None:
        ends = f"{points(row.decided_ci_low)} to {points(row.decided_ci_high)}"
        said += f"<br>predicted {percent(row.predicted)}: {points(row.decided_difference)} ({ends})"
    if row.expected is not None:
        ends = f"{points(row.expected_ci_low)} to {points(row.expected_ci_high)}"
        said += f"<br>mean score {percent(row.expected)}: {points(row.expected_difference)} ({ends})"
    return f"{said}<br>n = {count(row.n_labelled)} labelled"


def decile_chart(rows: Sequence[DecileRow]) -> Figure:
    """Mean label against mean prediction by tenth of the prediction, with intervals."""
    known = [row for row in rows if row.mean_prediction is not None and row.mean_label is not None]
    if not known:
        return empty("There are too few labelled rows to cut into tenths.", SQUARE)
    x = [row.mean_prediction or 0.0 for row in known]
    y = [row.mean_label or 0.0 for row in known]
    whisker = {
        "type": "data",
        "symmetric": False,
        "color": SERIES[0],
        "thickness": 1.5,
        "width": 0,
        "array": [max(0.0, (row.ci_high or 0.0) - value) for row, value in zip(known, y, strict=True)],
        "arrayminus": [max(0.0, value - (row.ci_low or 0.0)) for row, value in zip(known, y, strict=True)],
    }
    hover = [
        f"predicted {_edges(row)}, mean {number(row.mean_prediction)}<br>came {number(row.mean_label)} "
        f"({interval(row.ci_low, row.ci_high)})<br>n = {count(row.n)}"
        for row in known
    ]
    points_ = clickable(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": x,
            "y": y,
            "error_y": whisker,
            "line": {"color": SERIES[0], "width": 2},
            "marker": {"size": 7, "color": SERIES[0]},
            "hovertext": hover,
            "showlegend": False,
        }
    )
    more: dict[str, Any] = {"xaxis": axis("mean prediction"), "yaxis": axis("mean label")}
    data = [diagonal(min(x), max(x)), points_]
    return {"data": data, "layout": layout(SQUARE, revision="deciles", **more)}


def decile_alt(rows: Sequence[DecileRow]) -> str:
    """One sentence: in how many tenths the interval leaves out the mean prediction, on which side."""
    known = [row for row in rows if row.mean_prediction is not None and row.ci_low is not None]
    if not known:
        return "There are too few labelled rows to cut into tenths."
    high = sum((row.mean_prediction or 0.0) > (row.ci_high or 0.0) for row in known)
    low = sum((row.mean_prediction or 0.0) < (row.ci_low or 0.0) for row in known)
    return (
        f"Of {plural(len(known), 'tenth')} of the predictions, {high} are too high and {low} too low beyond what each "
        "interval allows."
    )


def residual_boxes(rows: Sequence[DecileRow]) -> Figure:
    """Errors by tenth of the prediction: middle half as a box, 90 % as whiskers."""
    known = [row for row in rows if row.residual_median is not None]
    if not known:
        return empty("There are too few labelled rows to cut into tenths.", SQUARE)
    box: Trace = {
        "type": "box",
        "x": list(range(1, len(known) + 1)),
        "q1": [row.residual_quarter for row in known],
        "median": [row.residual_median for row in known],
        "q3": [row.residual_three_quarters for row in known],
        "lowerfence": [row.residual_low for row in known],
        "upperfence": [row.residual_high for row in known],
        "line": {"color": SERIES[0], "width": 1.5},
        "fillcolor": f"{SERIES[0]}33",
        "showlegend": False,
        "hoverinfo": "skip",
    }
    marks = clickable(
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(range(1, len(known) + 1)),
            "y": [row.residual_median for row in known],
            "marker": {"size": 9, "color": SERIES[0], "opacity": 0.01},
            "hovertext": [
                f"predicted {_edges(row)}<br>median error {number(row.residual_median)}<br>half of the rows "
                f"{interval(row.residual_quarter, row.residual_three_quarters)}<br>90% "
                f"{interval(row.residual_low, row.residual_high)}<br>n = {count(row.n)}"
                for row in known
            ],
            "showlegend": False,
        }
    )
    zero = guide([0.5, len(known) + 0.5], [0, 0])
    more: dict[str, Any] = {
        "xaxis": axis(
            "tenth of the prediction, low to high", dtick=1, range=[0.4, len(known) + 0.6], showgrid=False
        ),
        "yaxis": axis("prediction minus label"),
    }
    return {"data": [zero, box, marks], "layout": layout(SQUARE, revision="residuals", **more)}


def residual_alt(rows: Sequence[DecileRow]) -> str:
    """One sentence: the median errors of the lowest and highest tenth, and the longest whisker."""
    known = [row for row in rows if row.residual_median is not None]
    if not known:
        return "There are too few labelled rows to cut into tenths."
    far = max(known, key=lambda row: max(abs(row.residual_low or 0.0), abs(row.residual_high or 0.0)))
    return (
        f"Median error {number(known[0].residual_median)} in the lowest tenth of the predictions and "
        f"{number(known[-1].residual_median)} in the highest; 90% of the errors lie within "
        f"{interval(far.residual_low, far.residual_high)} where they are widest."
    )


def _edges(row: DecileRow) -> str:
    if row.bin_low is None:
        return f"under {number(row.bin_high)}"
    return (
        f"from {number(row.bin_low)}"
        if row.bin_high is None
        else f"{number(row.bin_low)} to {number(row.bin_high)}"
    )
