"""Load, errors and latency beside quality and other series: small charts over one shared time axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from analytics.outcomes.rows import OutcomeRow
from analytics.project import Release
from analytics.quality.rows import MetricRow
from analytics.service.rows import ErrorRow, ServiceRow
from app.charts import timeline
from app.charts.theme import (
    NEUTRAL,
    PAPER,
    TEXT,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    faint,
    layout,
    middle,
    plain,
    series_style,
    span_ms,
    tick_format,
    time_axis,
)  # fmt: skip
from app.charts.timeline import Window
from app.formats import STATUS_WORDS, count, in_window, interval, number, percent, window_name
from app.glossary import show, title, unit
from app.headlines.service import rate_words

PERCENTILES = ("p50", "p95", "p99")
_EACH, _GAP = 118, 34


@dataclass(frozen=True)
class Panel:
    """One of the small charts.

    Attributes:
        title: above it.
        traces: drawn on an axis of its own, given by its name.
        tickformat: of its values.
    """

    title: str
    traces: Callable[[str], list[Trace]]
    tickformat: str | None = None


@dataclass(frozen=True)
class Shown:
    """What is drawn over the same windows, of one version.

    Attributes:
        rows: load, errors, latency.
        errors: kinds of failure.
        quality: one metric of the model; none where there are no labels.
        series: other numbers, by name.
    """

    rows: Sequence[ServiceRow]
    errors: Sequence[ErrorRow] = ()
    quality: Sequence[MetricRow] = ()
    series: Sequence[OutcomeRow] = ()


def service_over_time(shown: Shown, releases: Sequence[Release] = (), *, zone: ZoneInfo) -> Figure:
    """Requests, errors by kind, latency percentiles, quality and series under each other on one time axis."""
    if not any(row.n for row in shown.rows):
        return empty("No requests in these windows.")
    windows = [Window(row.window_start, row.window_end) for row in shown.rows]
    panels = _panels(shown, zone)
    height = len(panels) * (_EACH + _GAP)
    marks = timeline.releases_as_marks(releases, windows, zone)
    data: list[Trace] = []
    axes: dict[str, object] = {}
    titles: list[dict[str, object]] = []
    for place, panel in enumerate(panels):
        name = "y" if place == 0 else f"y{place + 1}"
        top = 1 - place * (_EACH + _GAP) / height
        form = {"tickformat": panel.tickformat} if panel.tickformat else {}
        domain = [max(top - _EACH / height, 0.0), top]
        axes[name.replace("y", "yaxis")] = axis(domain=domain, nticks=4, rangemode="tozero", **form)
        data += panel.traces(name)
        titles.append({
            "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "bottom",
            "text": f"<b>{plain(panel.title)}</b>", "showarrow": False, "font": {"size": 12, "color": TEXT},
        })  # fmt: skip
    last = "y" if len(panels) == 1 else f"y{len(panels)}"
    spikes = {"showspikes": True, "spikethickness": 1, "spikedash": "dot", "spikecolor": NEUTRAL}
    shared = time_axis(windows[0].start, windows[-1].end, zone, anchor=last, spikemode="across", **spikes)
    raised = [note | {"yshift": note["yshift"] + 16} for note in marks.annotations]
    figure = layout(
        height + 90 + 14 * marks.rows, revision=f"{windows[0]} {windows[-1]}", legend=True,
        shapes=marks.shapes, annotations=[*titles, *raised],
        xaxis=shared, **axes,
    )  # fmt: skip
    timeline.make_room(figure, marks, legend=True)
    figure["margin"] = figure["margin"] | {"t": figure["margin"]["t"] + 18}
    plot = figure["height"] - figure["margin"]["t"] - figure["margin"]["b"]
    figure["legend"] = figure["legend"] | {"y": 1 + (15 * marks.rows + 20) / plot}
    return {"data": data, "layout": figure}


def service_alt(shown: Shown, *, zone: ZoneInfo) -> str:
    """One sentence: requests in all, the worst window of errors and the slowest one."""
    rows = [row for row in shown.rows if row.n]
    if not rows:
        return "There were no requests in these windows."
    said = [f"{count(sum(row.n for row in rows))} requests"]
    failing = [row for row in rows if row.error_rate is not None]
    if failing:
        worst = max(failing, key=lambda row: row.error_rate or 0.0)
        when = in_window(worst.window_start, worst.window_end, zone)
        said.append(f"most errors {percent(worst.error_rate)} {when}" if worst.error_rate else "no errors")
    timed = [row for row in rows if row.latency_p95 is not None]
    if timed:
        slow = max(timed, key=lambda row: row.latency_p95 or 0.0)
        said.append(
            f"highest p95 latency {number(slow.latency_p95)} {in_window(slow.window_start, slow.window_end, zone)}"
        )
    return f"{'; '.join(said)}."


def _panels(shown: Shown, zone: ZoneInfo) -> list[Panel]:
    rows = shown.rows
    panels = [Panel("Requests", lambda name: [_requests(rows, name, zone)])]
    if any(row.error_rate is not None for row in rows):
        panels.append(Panel("Failed requests", lambda name: _failures(shown, name, zone), ".3~%"))
    if any(row.latency_p50 is not None for row in rows):
        panels.append(Panel("Latency, as logged", lambda name: _latencies(rows, name, zone)))
    if any(row.value is not None for row in shown.quality):
        metric = shown.quality[0].metric
        panels.append(
            Panel(title(metric), lambda name: _quality(shown.quality, name, zone), tick_format(unit(metric)))
        )
    for place, name in enumerate(dict.fromkeys(row.metric for row in shown.series)):
        part = [row for row in shown.series if row.metric == name]
        panels.append(Panel(name, lambda axis_, part=part, place=place: _series(part, axis_, place, zone)))  # type: ignore[misc]
    return panels


def _requests(rows: Sequence[ServiceRow], name: str, zone: ZoneInfo) -> Trace:
    windows = [Window(row.window_start, row.window_end) for row in rows]
    return clickable({
        "type": "bar", "x": [middle(*window, zone) for window in windows], "y": [row.n for row in rows], "yaxis": name,
        "width": [span_ms(*window, zone) * 0.86 for window in windows], "showlegend": False,
        "marker": {"color": faint(NEUTRAL, 0.7), "line": {"width": 0}},
        "hovertext": [_request_hover(row, zone) for row in rows], "customdata": _places(rows),
    })  # fmt: skip


def _request_hover(row: ServiceRow, zone: ZoneInfo) -> str:
    lines = [window_name(row.window_start, row.window_end, zone), f"{count(row.n)} requests"]
    if row.request_rate is not None:
        lines.append(rate_words(row.request_rate))
    lines += [plain(row.reason)] if row.reason else []
    return "<br>".join(lines)


def _failures(shown: Shown, name: str, zone: ZoneInfo) -> list[Trace]:
    rows = shown.rows
    traces = _line(
        rows, ([row.error_rate for row in rows], [row.error_rate_ci_low for row in rows],
        [row.error_rate_ci_high for row in rows]), "all failures", (name, 4), zone, share=True,
    )  # fmt: skip
    kinds = list(dict.fromkeys(row.kind for row in shown.errors))
    for place, kind in enumerate(kinds if len(kinds) > 1 else ()):
        part = [row for row in shown.errors if row.kind == kind]
        colour, _ = series_style(place)
        traces.append(clickable({
            "type": "scatter", "mode": "lines", "name": plain(kind), "yaxis": name, "connectgaps": False,
            "x": [middle(row.window_start, row.window_end, zone) for row in part], "y": [row.value for row in part],
            "line": {"color": colour, "width": 1.5, "dash": "dot"},
            "hovertext": [
                f"{window_name(row.window_start, row.window_end, zone)}<br><b>{plain(kind)}</b><br>"
                f"{percent(row.value)} ({interval(row.ci_low, row.ci_high, share=True)})<br>n = {count(row.n)}"
                for row in part
            ],
        }))  # fmt: skip
    return traces


def _latencies(rows: Sequence[ServiceRow], name: str, zone: ZoneInfo) -> list[Trace]:
    traces: list[Trace] = []
    for place, word in enumerate(PERCENTILES):
        ends = tuple(
            [getattr(row, f"latency_{word}{end}") for row in rows] for end in ("", "_ci_low", "_ci_high")
        )
        traces += _line(rows, ends, word, (name, place), zone)  # type: ignore[arg-type]
    return traces


def _quality(rows: Sequence[MetricRow], name: str, zone: ZoneInfo) -> list[Trace]:
    values = [row.value for row in rows], [row.ci_low for row in rows], [row.ci_high for row in rows]
    metric = rows[0].metric
    return _line(rows, values, title(metric), (name, 3), zone, share=unit(metric) == "share", metric=metric)


def _series(rows: Sequence[OutcomeRow], name: str, place: int, zone: ZoneInfo) -> list[Trace]:
    values = [row.value for row in rows], [row.ci_low for row in rows], [row.ci_high for row in rows]
    return _line(rows, values, rows[0].metric, (name, 5 + place), zone)


Ends = tuple[Sequence[float | None], Sequence[float | None], Sequence[float | None]]


def _line(  # the parts of one line
    rows: Sequence[ServiceRow | MetricRow | OutcomeRow],
    ends: Ends,
    name: str,
    place: tuple[str, int],
    zone: ZoneInfo,
    *,
    share: bool = False,
    metric: str | None = None,
) -> list[Trace]:
    """A line with its band; where an end of an interval is unknown, there is no band."""
    values, low, high = ends
    axis_, index = place
    colour, dash = series_style(index)
    windows = [Window(row.window_start, row.window_end) for row in rows]
    known = [a is not None and b is not None for a, b in zip(low, high, strict=True)]
    lows, highs = (
        [end if there else None for end, there in zip(part, known, strict=True)] for part in (low, high)
    )
    group = plain(name)
    said = [
        _point(value, a, b, share=share, metric=metric) for value, a, b in zip(values, low, high, strict=True)
    ]
    line = clickable({
        "type": "scatter", "mode": "lines+markers", "name": group, "legendgroup": group, "yaxis": axis_,
        "x": [middle(*window, zone) for window in windows], "y": list(values), "connectgaps": False,
        "line": {"color": colour, "width": 2, "dash": dash},
        "marker": {
            "size": 5, "line": {"color": colour, "width": 1},
            "color": [PAPER if row.status == "immature" else colour for row in rows],
        },
        "error_y": timeline.whiskers(values, lows, highs) | {"color": colour},
        "hovertext": [
            f"{window_name(row.window_start, row.window_end, zone)}<br><b>{group}</b> {text}<br>n = {count(row.n)}"
            f"{'' if row.status == 'ok' else '<br>' + STATUS_WORDS[row.status]}"
            for row, text in zip(rows, said, strict=True)
        ],
        "customdata": _places(rows),
    })  # fmt: skip
    band = timeline.band(
        windows, lows, highs, zone, fillcolor=faint(colour, 0.16), legendgroup=group, yaxis=axis_
    )
    return [band, line]


def _point(
    value: float | None, low: float | None, high: float | None, *, share: bool, metric: str | None
) -> str:
    shown = show(metric, value) if metric is not None else percent(value) if share else number(value)
    if value is None:
        return shown
    write = percent if share else number
    if low is not None and high is not None:
        return f"{shown} ({interval(low, high, share=share)})"
    return f"{shown} (at least {write(low)})" if low is not None else f"{shown} (at most {write(high)})"


def _places(rows: Sequence[ServiceRow | MetricRow | OutcomeRow]) -> list[list[str | None]]:
    return [[row.window_start.isoformat(), row.window_end.isoformat(), row.version] for row in rows]
