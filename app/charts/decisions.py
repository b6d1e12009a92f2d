"""Value by threshold, gain by share reviewed, quality by share answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.quality.decision_rows import CoverageRow, GainRow, ThresholdPointRow, ThresholdRow
from app.charts.tables import STATUS, VERSION, WINDOW, Columns, tabled
from app.charts.theme import (
    PAPER,
    SERIES,
    SQUARE,
    WIDE,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    guide,
    layout,
    share_axis,
    tick_format,
)
from app.formats import count, interval, number, percent, signed
from app.glossary import inside, show, title, unit

NO_THRESHOLD = "The curve needs a score, labels of both classes and, for earnings, [costs]."
POINT: Columns[ThresholdPointRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Threshold": lambda row: row.threshold,
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Share called": lambda row: row.decision_rate,
    "Labelled rows": lambda row: row.n_labelled,
    "Interval takes as independent": lambda row: row.independence,
}
THRESHOLD: Columns[ThresholdRow] = {
    "Segment value": lambda row: row.segment_value,
    "Threshold": lambda row: row.threshold,
    "Threshold, low": lambda row: row.threshold_low,
    "Threshold, high": lambda row: row.threshold_high,
    "In use": lambda row: row.present_threshold,
    "Value": lambda row: row.value,
    "As decided": lambda row: row.present_value,
    "Gain": lambda row: row.gain,
    "Gain, low": lambda row: row.gain_ci_low,
    "Gain, high": lambda row: row.gain_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Labelled rows": lambda row: row.n_labelled,
    **STATUS,
}
GAIN: Columns[GainRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Review": lambda row: "top share" if row.review == "share" else "top of each day",
    "Share of rows": lambda row: row.share_reviewed,
    "Rows a day": lambda row: row.reviewed_per_day,
    "Found": lambda row: row.recall,
    "Found, low": lambda row: row.recall_ci_low,
    "Found, high": lambda row: row.recall_ci_high,
    "Found at random": lambda row: row.recall_at_random,
    "Precision": lambda row: row.precision,
    "Precision, low": lambda row: row.precision_ci_low,
    "Precision, high": lambda row: row.precision_ci_high,
    "Lift": lambda row: row.lift,
    "Lift, low": lambda row: row.lift_ci_low,
    "Lift, high": lambda row: row.lift_ci_high,
    "Labelled rows": lambda row: row.n_reviewed,
    **STATUS,
}
COVERAGE: Columns[CoverageRow] = {
    **WINDOW,
    **VERSION,
    "Metric": lambda row: title(row.metric),
    "Share of rows": lambda row: row.share_answered,
    "From confidence": lambda row: row.answered_from,
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Against all": lambda row: row.change,
    "Against all, low": lambda row: row.change_ci_low,
    "Against all, high": lambda row: row.change_ci_high,
    "Refused a day": lambda row: row.refused_per_day,
    "Labelled rows": lambda row: row.n_labelled,
    **STATUS,
}


def value_by_threshold(
    points: Sequence[ThresholdPointRow], best: ThresholdRow | None, name: str | None = None
) -> Figure:
    """The goal's metric at every threshold with its band; the logged decisions as a diamond, the best as a star.

    Args:
        points: of one version and class.
        best: the answer for the same rows.
        name: of the axis, where the metric's title does not say enough.
    """
    line = [row for row in points if row.threshold is not None and row.value is not None]
    if not line:
        return empty(NO_THRESHOLD)
    metric = line[0].metric
    x = [row.threshold for row in line]
    low, high = [row.ci_low for row in line], [row.ci_high for row in line]
    data = [
        *_band(x, low, high),
        _line(x, [row.value for row in line], [_point_hover(row) for row in line]),
    ]
    data += _range_of(best, low, high)
    logged = next((row for row in points if row.threshold is None and row.value is not None), None)
    if logged is not None:
        data += _present(logged, best, x)
    if best is not None and best.threshold is not None:
        data.append(_best(line, best))
    more: dict[str, Any] = {
        "xaxis": axis("call positive from this score", range=[-0.02, 1.02]),
        "yaxis": axis(name or inside(title(metric)), tickformat=tick_format(unit(metric))),
    }
    return {"data": data, "layout": layout(WIDE + 40, revision=("threshold", metric), legend=True, **more)}


def value_by_threshold_alt(points: Sequence[ThresholdPointRow], best: ThresholdRow | None) -> str:
    """One sentence: where the best threshold lies, and where decisions are taken."""
    logged = next((row for row in points if row.threshold is None), None)
    if best is None or best.value is None or not points:
        return NO_THRESHOLD
    at = "calling nobody" if best.threshold is None else f"a threshold of {number(best.threshold)}"
    text = f"{title(best.metric)} by threshold: best at {at} ({show(best.metric, best.value)})"
    return f"{text}; as decided {show(best.metric, logged.value)}." if logged is not None else f"{text}."


def gain_chart(rows: Sequence[GainRow]) -> Figure:
    """The share of positives found by share reviewed, highest scores first, against random order."""
    known = [row for row in rows if row.recall is not None and row.share_reviewed is not None]
    line = [row for row in known if row.review == "share"]
    if not line:
        return empty("Reviews need scores and at least one positive label.", SQUARE)
    # a review of nobody finds nothing, for certain
    x = [0.0, *(row.share_reviewed for row in line)]
    data: list[Trace] = [
        guide([0, 1], [0, 1]),
        *_band(x, [0.0, *(row.recall_ci_low for row in line)], [0.0, *(row.recall_ci_high for row in line)]),
        _line(x, [0.0, *(row.recall for row in line)], ["", *(_gain_hover(row) for row in line)]),
    ]
    data += [
        _mark([row.share_reviewed], [row.recall], f"{count(row.budget)} a day", "diamond", _gain_hover(row))
        for row in known
        if row.review == "budget"
    ]
    more: dict[str, Any] = {
        "xaxis": share_axis("reviewed, highest scores first"),
        "yaxis": share_axis("positives found"),
    }
    return {"data": data, "layout": layout(SQUARE, revision="gain", legend=True, **more)}


def gain_alt(rows: Sequence[GainRow]) -> str:
    """One sentence: what the top tenth finds."""
    row = next((row for row in rows if row.share_reviewed == 0.1 and row.recall is not None), None)
    if row is None:
        return "No review can be judged: there is no positive label."
    return f"Reviewing the top 10% finds {percent(row.recall)} of the positives, {number(row.lift)} times random order."


def coverage_chart(rows: Sequence[CoverageRow]) -> Figure:
    """A metric on the answered rows by the share that is answered, the surest first."""
    known = [row for row in rows if row.value is not None and row.share_answered is not None]
    if not known:
        return empty("Confident shares need labelled rows.", SQUARE)
    metric = known[0].metric
    x = [row.share_answered for row in known]
    data = [
        *_band(x, [row.ci_low for row in known], [row.ci_high for row in known]),
        _line(x, [row.value for row in known], [_coverage_hover(row) for row in known], dots=True),
    ]
    whole = next((row for row in known if row.share_asked == 1.0), None)
    if whole is not None:
        data.append(guide([0, 1], [whole.value] * 2))
    more: dict[str, Any] = {
        "xaxis": share_axis("answered, surest first"),
        "yaxis": axis(f"{inside(title(metric))} on answered rows", tickformat=tick_format(unit(metric))),
    }
    return {"data": data, "layout": layout(SQUARE, revision=("coverage", metric), **more)}


def coverage_alt(rows: Sequence[CoverageRow]) -> str:
    """One sentence: the metric on all rows and on the surest half."""
    half = next((row for row in rows if row.share_asked == 0.5 and row.value is not None), None)
    whole = next((row for row in rows if row.share_asked == 1.0 and row.value is not None), None)
    if half is None or whole is None:
        return "No confident share can be judged."
    return (
        f"{title(whole.metric)} is {show(whole.metric, whole.value)} on all rows and "
        f"{show(half.metric, half.value)} on "
        "the surest half."
    )


def point_table(rows: Sequence[ThresholdPointRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind value by threshold."""
    return tabled(rows, POINT, zone)


def threshold_table(rows: Sequence[ThresholdRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Best thresholds by segment value."""
    return tabled(rows, THRESHOLD, zone)


def gain_table(rows: Sequence[GainRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the gain chart."""
    return tabled(rows, GAIN, zone)


def coverage_table(rows: Sequence[CoverageRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind quality by share answered."""
    return tabled(rows, COVERAGE, zone)


def _band(x: Sequence[Any], low: Sequence[Any], high: Sequence[Any]) -> list[Trace]:
    return [
        {
            "type": "scatter", "mode": "lines", "x": [*x, *reversed(x)], "y": [*high, *reversed(low)], "fill": "toself",
            "fillcolor": faint(SERIES[0], 0.18), "line": {"width": 0, "color": SERIES[0]}, "hoverinfo": "skip",
            "showlegend": False,
        }
    ]  # fmt: skip


def _line(x: Sequence[Any], y: Sequence[Any], hover: Sequence[str], *, dots: bool = False) -> Trace:
    return clickable(
        {
            "type": "scatter", "mode": "lines+markers" if dots else "lines", "x": list(x), "y": list(y),
            "line": {"color": SERIES[0], "width": 2}, "marker": {"size": 7, "color": SERIES[0]},
            "hovertext": list(hover), "showlegend": False,
        }
    )  # fmt: skip


def _mark(x: Sequence[Any], y: Sequence[Any], name: str, symbol: str, hover: str) -> Trace:
    marker = {"symbol": symbol, "size": 13, "color": SERIES[1], "line": {"color": PAPER, "width": 2}}
    return clickable(
        {
            "type": "scatter", "mode": "markers", "x": list(x), "y": list(y), "name": name, "marker": marker,
            "hovertext": [hover], "showlegend": True,
        }
    )  # fmt: skip


def _range_of(best: ThresholdRow | None, low: Sequence[Any], high: Sequence[Any]) -> list[Trace]:
    """The stretch where the best threshold may lie, as a bar along the bottom."""
    if best is None or best.threshold_low is None:
        return []
    ends = [value for value in (*low, *high) if value is not None]
    bottom = min(ends) - 0.04 * (max(ends) - min(ends))
    until = 1.0 if best.threshold_high is None else best.threshold_high
    line = {"color": faint(SERIES[2], 0.9), "width": 6}
    return [
        {
            "type": "scatter", "mode": "lines", "x": [best.threshold_low, until], "y": [bottom, bottom], "line": line,
            "name": "the best lies here (95%)", "hoverinfo": "skip", "showlegend": True,
        }
    ]  # fmt: skip


def _present(logged: ThresholdPointRow, best: ThresholdRow | None, x: Sequence[Any]) -> list[Trace]:
    """The logged decisions: a diamond where they follow one threshold, else a level line."""
    at = best.present_threshold if best is not None else None
    hover = (
        f"<b>as decided</b><br>{show(logged.metric, logged.value)} "
        f"({_ends(logged.metric, logged.ci_low, logged.ci_high)})<br>{percent(logged.decision_rate)} called"
    )
    if at is not None:
        return [_mark([at], [logged.value], "as decided", "diamond", hover)]
    return [guide([x[0], x[-1]], [logged.value] * 2, name="as decided", showlegend=True)]


def _best(line: Sequence[ThresholdPointRow], best: ThresholdRow) -> Trace:
    """The best threshold on the curve; held-out rows give it a little less, as the tile and the hover say."""
    wanted = best.threshold or 0.0
    nearest = min(line, key=lambda row: abs((row.threshold or 0.0) - wanted))
    hover = (
        f"<b>best: {number(best.threshold)}</b><br>held-out rows: {show(best.metric, best.value)} "
        f"({_ends(best.metric, best.ci_low, best.ci_high)})"
    )
    if best.gain is not None:
        ends = f"{signed(best.gain_ci_low)} to {signed(best.gain_ci_high)}"
        hover += f"<br>against as decided: {signed(best.gain)} ({ends})"
    return _mark([best.threshold], [nearest.value], "best", "star", hover)


def _ends(metric: str, low: float | None, high: float | None) -> str:
    return interval(low, high, share=unit(metric) == "share")


def _point_hover(row: ThresholdPointRow) -> str:
    return (
        f"from {number(row.threshold)}: {show(row.metric, row.value)} "
        f"({_ends(row.metric, row.ci_low, row.ci_high)})"
        f"<br>{percent(row.decision_rate)} called"
    )


def _gain_hover(row: GainRow) -> str:
    return (
        f"{percent(row.share_reviewed)} reviewed, {number(row.reviewed_per_day)} rows a day<br>"
        f"found {percent(row.recall)} "
        f"({interval(row.recall_ci_low, row.recall_ci_high, share=True)}), at random "
        f"{percent(row.recall_at_random)}<br>precision {percent(row.precision)} "
        f"({interval(row.precision_ci_low, row.precision_ci_high, share=True)}), lift {number(row.lift)}"
    )


def _coverage_hover(row: CoverageRow) -> str:
    return (
        f"{percent(row.share_answered)} answered<br>{show(row.metric, row.value)} "
        f"({_ends(row.metric, row.ci_low, row.ci_high)})<br>{number(row.refused_per_day)} rows a day refused"
    )
