"""What arrives: rows a day of every version, and how many of them have a label."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.project import Release
from analytics.telemetry.report import DayCount
from app.charts import timeline
from app.charts.theme import (
    NEUTRAL,
    SERIES,
    WIDE,
    Figure,
    axis,
    clickable,
    empty,
    in_order,
    layout,
    named,
    plain,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import count, day, percent, plural

_MIDDAY = time(12)


def rows_by_day(
    days: Sequence[DayCount],
    releases: Sequence[Release] = (),
    *,
    zone: ZoneInfo,
    versions: Sequence[str | None] = (),
) -> Figure:
    """Predictions a local day, versions stacked; under it the share with a label.

    Args:
        days: a day and version without rows is left out.
        releases: drawn where they fall between the first and the last day.
        zone: of the days.
        versions: in their order, so that a version keeps its colour.

    Returns:
        A figure whose bars and points carry ``[window_start, window_end, version]``, instants as ISO 8601.
    """
    if not days:
        return empty("No prediction has a usable timestamp.")
    windows = _windows(days, zone)
    marks = timeline.releases_as_marks(releases, windows, zone)
    order = in_order([item.version for item in days], versions)
    data = [
        _bars([item for item in days if item.version == version], SERIES[place % len(SERIES)], version, zone)
        for place, version in enumerate(order)
        if any(item.version == version for item in days)
    ]
    data.append(_coverage(days, zone))
    legend = len(data) > 2
    more = timeline.axes(windows, zone, axis("rows", rangemode="tozero", tickformat="~s"), "labelled")
    more["yaxis2"] |= {"tickformat": ".0%", "range": [0, 1.05], "dtick": 1}
    more["barmode"] = "stack"
    figure = layout(WIDE + 14 * marks.rows, revision="rows by day", legend=legend, shapes=marks.shapes,
                    annotations=marks.annotations, **more)  # fmt: skip
    timeline.make_room(figure, marks, legend=legend)
    figure["legend"] |= {"traceorder": "normal"}
    return {"data": data, "layout": figure}


def rows_by_day_alt(days: Sequence[DayCount]) -> str:
    """One sentence: from when to when, the usual number of rows, the emptiest day, and how many are labelled."""
    if not days:
        return "No prediction has a usable timestamp."
    totals: dict[date, int] = {}
    for item in days:
        totals[item.day] = totals.get(item.day, 0) + item.n
    first, last = min(totals), max(totals)
    silent = (last - first).days + 1 - len(totals)
    ordered = sorted(totals.values())
    least = min(totals, key=lambda each: totals[each])
    labelled = sum(item.n_labelled for item in days) / sum(totals.values())
    none = f", {plural(silent, 'day')} without any" if silent else ""
    return (
        f"Rows a day from {day(first)} to {day(last)}: usually {count(ordered[len(ordered) // 2])}, least "
        f"{count(totals[least])} on {day(least)}{none}; {percent(labelled)} have a label."
    )


def _bars(days: Sequence[DayCount], colour: str, version: str | None, zone: ZoneInfo) -> dict[str, Any]:
    return clickable({
        "type": "bar", "name": named(version), "x": [_middle(item.day) for item in days],
        "y": [item.n for item in days], "width": _width(days), "marker": {"color": colour, "line": {"width": 0}},
        "hovertext": [_hover(item) for item in days], "customdata": [_custom(item.day, version, zone) for item in days],
    })  # fmt: skip


def _width(days: Sequence[DayCount]) -> float:
    # gaps of less than a pixel would turn into stripes
    return 86_400_000 * (0.9 if len({item.day for item in days}) <= 62 else 1.0)


def _coverage(days: Sequence[DayCount], zone: ZoneInfo) -> dict[str, Any]:
    n: dict[date, int] = {}
    labelled: dict[date, int] = {}
    for item in days:
        n[item.day] = n.get(item.day, 0) + item.n
        labelled[item.day] = labelled.get(item.day, 0) + item.n_labelled
    ordered = sorted(n)
    shares = [labelled[each] / n[each] if n[each] else None for each in ordered]
    return clickable({
        "type": "scatter", "mode": "lines+markers", "yaxis": "y2", "showlegend": False, "name": "labelled",
        "x": [_middle(each) for each in ordered], "y": shares, "cliponaxis": False,
        "line": {"color": NEUTRAL, "width": 1.5, "shape": "hvh"}, "marker": {"size": 3, "color": NEUTRAL},
        "hovertext": [f"{day(each)}<br>{percent(share)} labelled ({count(labelled[each])} of {count(n[each])})"
                      for each, share in zip(ordered, shares, strict=True)],
        "customdata": [_custom(each, None, zone) for each in ordered],
    })  # fmt: skip


def _hover(item: DayCount) -> str:
    name = "" if item.version is None else f"<b>{plain(item.version)}</b><br>"
    return f"{name}{day(item.day)}<br>{plural(item.n, 'row')}, {count(item.n_labelled)} labelled"


def _windows(days: Sequence[DayCount], zone: ZoneInfo) -> list[Window]:
    found = sorted({item.day for item in days})
    return [Window(*_ends(each, zone)) for each in (found[0], found[-1])]


def _ends(each: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(each, time(), zone), datetime.combine(each + timedelta(days=1), time(), zone)


def _middle(each: date) -> str:
    return datetime.combine(each, _MIDDAY).isoformat()


def _custom(each: date, version: str | None, zone: ZoneInfo) -> list[str | None]:
    start, end = _ends(each, zone)
    return [start.isoformat(), end.isoformat(), version]
