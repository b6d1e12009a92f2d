"""Changes on a time line, quality by age, and releases as harm against what is tolerated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.changes.rows import AgeingRow, ChangeRow, ReleaseRow
from analytics.directions import DIRECTIONS
from analytics.project import Release
from app.charts import timeline
from app.charts.tables import STATUS, VERSION, Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    guide,
    in_order,
    instant,
    layout,
    plain,
    series_style,
    tick_format,
    time_axis,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import day, interval, local, number, percent, short
from app.glossary import METRICS, show, title, unit

_DATED = ("sudden", "changed")
KIND_WORDS = {
    "sudden": "sudden", "gradual": "gradual", "changed": "sudden or gradual", "recurring": "weekdays only",
    "none": "no change",
}  # fmt: skip
_STATISTICS = {"mean_rank": "mean rank in the reference", "missing_rate": "share missing", "value": "value"}


def named(row: ChangeRow) -> str:
    """What changed, for people."""
    if row.role == "metric":
        return title(row.field) if row.field in METRICS else row.field
    if row.statistic == "share" and row.category is not None:
        return f"{row.field} = {row.category}"
    return f"{row.field} missing" if row.statistic == "missing_rate" else row.field


def changes_timeline(
    rows: Sequence[ChangeRow], releases: Sequence[Release] = (), *, zone: ZoneInfo
) -> Figure:
    """A line a metric or field that changed, a dot on the day with its interval; customdata is ``[field]``."""
    found = shown_changes(rows)
    if not found:
        return empty("Nothing changed beyond chance.", 160)
    window = Window(found[0].window_start, found[0].window_end)
    marks = timeline.releases_as_marks(releases, [window], zone)
    places = {id(row): place for place, row in enumerate(found)}
    data = [
        trace
        for kind in ("worse", "metric", "field")
        for trace in _dots([row for row in found if _group(row) == kind], kind, places, zone)
    ]
    more: dict[str, Any] = {
        "xaxis": time_axis(window.start, window.end, zone),
        "yaxis": axis(
            tickvals=list(range(len(found))), ticktext=[plain(short(named(row), 20)) for row in found],
            range=[len(found) - 0.5, -0.5], showgrid=True,
        ),
        "shapes": marks.shapes, "annotations": marks.annotations,
    }  # fmt: skip
    figure = layout(110 + 26 * len(found), revision=f"changes {window}", legend=True, **more)
    timeline.make_room(figure, marks, legend=True)
    return {"data": data, "layout": figure}


def shown_changes(rows: Sequence[ChangeRow]) -> list[ChangeRow]:
    """What changed beyond what is tolerated: metrics first, then by day; what changed slowly last."""
    found = [row for row in rows if row.kind in {*_DATED, "gradual"} and not row.tolerated]
    return sorted(found, key=lambda row: (row.role != "metric", row.change_at or row.window_end, row.field))


def _group(row: ChangeRow) -> str:
    return "worse" if row.worse else "metric" if row.role == "metric" else "field"


def _dots(rows: list[ChangeRow], kind: str, places: dict[int, int], zone: ZoneInfo) -> list[Trace]:
    colour, symbol, name = {
        "worse": (ACTION, "diamond", "metric, for the worse"),
        "metric": (SERIES[0], "circle", "metric, not for the worse"),
        "field": (NEUTRAL, "circle", "field"),
    }[kind]
    dated = [row for row in rows if row.kind in _DATED]
    slow = [row for row in rows if row.kind == "gradual"]
    traces: list[Trace] = []
    if dated:
        at = [row.change_at for row in dated if row.change_at is not None]
        # Plotly draws no error bars on an axis of dates
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": kind,
                "x": [end for row in dated for end in _ends(row, zone)],
                "y": [end for row in dated for end in (places[id(row)], places[id(row)], None)],
                "line": {"color": colour, "width": 2},
            }
        )
        traces.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": name,
                    "legendgroup": kind,
                    "x": [instant(moment, zone) for moment in at],
                    "y": [places[id(row)] for row in dated],
                    "marker": {"color": colour, "symbol": symbol, "size": 10},
                    "hovertext": [_hover(row, zone) for row in dated],
                    "customdata": [[row.field] for row in dated],
                }
            )
        )
    for row in slow:
        ends = [instant(row.window_start, zone), instant(row.window_end, zone)]
        traces.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": name,
                    "legendgroup": kind,
                    "showlegend": not dated and row is slow[0],
                    "x": ends,
                    "y": [places[id(row)]] * 2,
                    "line": {"color": colour, "width": 2, "dash": "dot"},
                    "marker": {"color": colour, "symbol": ["line-ns", "triangle-right"], "size": [1, 11]},
                    "hovertext": [_hover(row, zone)] * 2,
                    "customdata": [[row.field]] * 2,
                }
            )
        )
    return traces


def _ends(row: ChangeRow, zone: ZoneInfo) -> list[str | None]:
    if row.change_low is None or row.change_high is None:
        return [None, None, None]
    return [instant(row.change_low, zone), instant(row.change_high, zone), None]


def _hover(row: ChangeRow, zone: ZoneInfo) -> str:
    share = row.role != "metric" or unit(row.field) == "share"
    write = percent if share else number
    lines = [f"<b>{plain(named(row))}</b>", KIND_WORDS[row.kind or "none"]]
    if row.change_at is not None:
        lines.append(
            f"about {_day(row.change_at, zone)} ({_day(row.change_low, zone)} to {_day(row.change_high, zone)})"
        )
    lines.append(f"{write(row.before)} before, {write(row.after)} after")
    lines.append(
        f"{write(row.trend_per_month)} a month ({interval(row.trend_low, row.trend_high, share=share)})"
    )
    return "<br>".join(lines)


def _day(moment: Any, zone: ZoneInfo) -> str:
    return "–" if moment is None else day(local(moment, zone))


def changes_alt(rows: Sequence[ChangeRow], *, zone: ZoneInfo) -> str:
    """One sentence: how many changed, the first and the last."""
    found = [row for row in shown_changes(rows) if row.change_at is not None]
    total = sum(row.kind is not None for row in rows)
    if not found:
        return f"None of the {total} metrics and fields that could be judged jumped."
    ordered = sorted(found, key=lambda row: row.change_at or row.window_end)
    first, last = ordered[0], ordered[-1]
    text = f"{len(shown_changes(rows))} of {total} metrics and fields changed; the first jump is {named(first)} about "
    return f"{text}{_day(first.change_at, zone)}, the last {named(last)} about {_day(last.change_at, zone)}."


def quality_by_age(rows: Sequence[AgeingRow], versions: Sequence[str | None] = ()) -> Figure:
    """A line a version over days since training, with intervals and the floor."""
    bins = [row for row in rows if row.part == "bin" and row.value is not None]
    if not bins:
        return empty("No age has days enough.")
    data: list[Trace] = []
    order = in_order([row.version for row in bins], versions)
    for index, version in enumerate(order):
        mine = [row for row in bins if row.version == version]
        if not mine:
            continue
        colour, dash = series_style(index)
        places = [((row.age_from or 0.0) + (row.age_to or 0.0)) / 2 + 1.5 * index for row in mine]
        bars = {
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 0, "color": colour,
            "array": [(row.ci_high or 0.0) - (row.value or 0.0) for row in mine],
            "arrayminus": [(row.value or 0.0) - (row.ci_low or 0.0) for row in mine],
        }  # fmt: skip
        data.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": plain(version or "all"),
                    "x": places,
                    "y": [row.value for row in mine],
                    "error_y": bars,
                    "line": {"color": colour, "width": 2, "dash": dash},
                    "marker": {"color": colour, "size": 7},
                    "hovertext": [_age_hover(row) for row in mine],
                    "customdata": [[row.version] for row in mine],
                }
            )
        )
    floor = next((row.floor for row in bins if row.floor is not None), None)
    last = max(row.age_to or 0.0 for row in bins)
    if floor is not None:
        data.append(guide([0, last], [floor, floor]) | {"name": "floor", "showlegend": True})
    more: dict[str, Any] = {
        "xaxis": axis("days since training", rangemode="tozero"),
        "yaxis": axis(tickformat=tick_format(unit(bins[0].metric))),
    }
    return {"data": data, "layout": layout(320, revision=bins[0].metric, legend=True, **more)}


def _age_hover(row: AgeingRow) -> str:
    ends = interval(row.ci_low, row.ci_high, share=unit(row.metric) == "share")
    return (
        f"<b>{plain(row.version or 'all')}</b><br>{number(row.age_from)} to {number(row.age_to)} days old<br>"
        f"{title(row.metric)} {show(row.metric, row.value)} ({ends})<br>n = {row.n} days"
    )


def ageing_alt(rows: Sequence[AgeingRow]) -> str:
    """One sentence: each version's first and last age."""
    parts = []
    for version in dict.fromkeys(row.version for row in rows):
        mine = [row for row in rows if row.version == version and row.part == "bin" and row.value is not None]
        if mine:
            first, last = mine[0], mine[-1]
            parts.append(
                f"{version or 'the model'} {show(first.metric, first.value)} at {number(first.age_from)} days of age, "
                f"{show(last.metric, last.value)} at {number(last.age_from)}"
            )
    return f"{title(rows[0].metric)} by age: {'; '.join(parts)}." if parts else "No age has days enough."


def _reach(found: Sequence[tuple[Any, Sequence[float]]], side: int, far: float) -> float:
    """How far the axis goes to one side: to the farthest interval, within limits."""
    return min(far, 1.1 * max(2.0, *(side * end for _, harm in found for end in harm[:3])))


def release_forest(rows: Sequence[ReleaseRow]) -> Figure:
    """Each metric's harm by its release with its interval, in units of what is tolerated: 0 is none, 1 the most."""
    found = [(row, harm) for row in rows if (harm := harm_of(row)) is not None]
    if not found:
        return empty("No metric has days enough on both sides of the release.", 160)
    data: list[Trace] = [guide([0, 0], [-0.5, len(found) - 0.5]), guide([1, 1], [-0.5, len(found) - 0.5])]
    for call, (colour, symbol) in {
        "keep": (SERIES[0], "circle"), "watch": (NEUTRAL, "square"), "roll back": (ACTION, "diamond"),
    }.items():  # fmt: skip
        mine = [(place, row, harm) for place, (row, harm) in enumerate(found) if row.recommendation == call]
        if not mine:
            continue
        bars = {
            "type": "data", "symmetric": False, "thickness": 2, "width": 0, "color": colour,
            "array": [harm[2] - harm[0] for _, _, harm in mine],
            "arrayminus": [harm[0] - harm[1] for _, _, harm in mine],
        }  # fmt: skip
        data.append(
            clickable(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": call,
                    "x": [harm[0] for _, _, harm in mine],
                    "y": [place for place, _, _ in mine],
                    "error_x": bars,
                    "marker": {"color": colour, "symbol": symbol, "size": 10},
                    "hovertext": [
                        f"<b>{title(row.metric)}</b>: {call}<br>{plain(row.reason)}" for _, row, _ in mine
                    ],
                    "customdata": [[row.metric] for _, row, _ in mine],
                }
            )
        )
    # every dot is on the chart; a very wide interval may end beyond it
    widest, dots = (max(max(abs(h) for h in harm[:ends]) for _, harm in found) for ends in (3, 1))
    far = min(widest, max(20.0, dots)) * 1.1
    sides = [-_reach(found, -1, far), _reach(found, 1, far)]
    more: dict[str, Any] = {
        "xaxis": axis("← better · harm in tolerances · worse →", range=sides),
        "yaxis": axis(
            tickvals=list(range(len(found))), ticktext=[plain(short(title(row.metric), 20)) for row, _ in found],
            range=[len(found) - 0.5, -0.5], showgrid=False,
        ),
    }  # fmt: skip
    return {"data": data, "layout": layout(130 + 28 * len(found), revision="release", legend=True, **more)}


def harm_of(row: ReleaseRow) -> tuple[float, float, float] | None:
    """Harm and its interval in tolerances, more is worse; None where there is no evidence."""
    value = row.paired_difference if row.evidence == "paired" else row.same_weekday_difference
    value = value if value is not None else row.difference
    sign = {"higher": -1.0, "lower": 1.0}.get(DIRECTIONS.get(row.metric, "none"))
    if (
        value is None
        or sign is None
        or not row.tolerance
        or row.evidence_low is None
        or row.evidence_high is None
    ):
        return None
    ends = sorted(sign * end / row.tolerance for end in (row.evidence_low, row.evidence_high))
    return sign * value / row.tolerance, ends[0], ends[1]


def release_alt(rows: Sequence[ReleaseRow]) -> str:
    """One sentence: how many metrics say what."""
    calls = [row.recommendation for row in rows if row.recommendation is not None]
    if not calls:
        return "No metric can be judged."
    said = ", ".join(f"{calls.count(call)} {call}" for call in dict.fromkeys(calls))
    return f"Of {len(calls)} metrics: {said}."


CHANGES: Columns[ChangeRow] = {
    **VERSION,
    "What": named,
    "Role": lambda row: row.role,
    "Kind": lambda row: KIND_WORDS[row.kind] if row.kind is not None else None,
    "Since": lambda row: row.change_at,
    "Not before": lambda row: row.change_low,
    "Not after": lambda row: row.change_high,
    "Before": lambda row: row.before,
    "After": lambda row: row.after,
    "Difference": lambda row: row.difference,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Tolerated": lambda row: {True: "yes", False: "no", None: None}[row.tolerated],
    "Adjusted p-value": lambda row: row.p_adjusted,
    "A month": lambda row: row.trend_per_month,
    "A month, low": lambda row: row.trend_low,
    "A month, high": lambda row: row.trend_high,
    "Weekday share": lambda row: row.weekly_share,
    "Floor": lambda row: row.floor,
    "Reaches floor": lambda row: row.reaches_floor_at,
    "Floor not before": lambda row: row.reaches_floor_low,
    "Floor not after": lambda row: row.reaches_floor_high,
    "One day is": lambda row: _STATISTICS.get(row.statistic, "share of rows"),
    "n": lambda row: row.n,
    **STATUS,
}
AGEING: Columns[AgeingRow] = {
    **VERSION,
    "Metric": lambda row: title(row.metric),
    "What": lambda row: row.part,
    "Less": lambda row: row.compared_with,
    "Age from": lambda row: row.age_from,
    "Age to": lambda row: row.age_to,
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "By month of age": lambda row: row.per_month,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Counted from": lambda row: row.counted_from,
    "n": lambda row: row.n,
    "Labelled rows": lambda row: row.n_rows,
    **STATUS,
}
RELEASES: Columns[ReleaseRow] = {
    "Released": lambda row: row.released_at,
    **VERSION,
    "Before it": lambda row: row.version_before,
    "Metric": lambda row: title(row.metric),
    "Recommendation": lambda row: row.recommendation,
    "Same days": lambda row: row.paired_difference,
    "Same days, low": lambda row: row.paired_low,
    "Same days, high": lambda row: row.paired_high,
    "Before": lambda row: row.before,
    "After": lambda row: row.after,
    "Difference": lambda row: row.difference,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "By weekday": lambda row: row.same_weekday_difference,
    "By weekday, low": lambda row: row.same_weekday_low,
    "By weekday, high": lambda row: row.same_weekday_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Tolerated": lambda row: row.tolerance,
    "n before": lambda row: row.n_before,
    "n after": lambda row: row.n_after,
    **STATUS,
}


_MOMENTS = (
    "Since",
    "Not before",
    "Not after",
    "Reaches floor",
    "Floor not before",
    "Floor not after",
    "Released",
)


def _dated(frame: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """Instants as local days."""
    for name in _MOMENTS:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(zone).dt.tz_localize(None)
    return frame


def changes_table(rows: Sequence[ChangeRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The table behind the time line."""
    return _dated(tabled(rows, CHANGES, zone), zone)


def ageing_table(rows: Sequence[AgeingRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The table behind quality by age."""
    return tabled(rows, AGEING, zone)


def release_table(rows: Sequence[ReleaseRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The table behind the harm of a release."""
    return _dated(tabled(rows, RELEASES, zone), zone)
