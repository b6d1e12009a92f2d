"""Alerts as a table, and their states over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.alerts.rows import AlertRow, State, Target, Transition
from analytics.alerts.said import Said
from analytics.project import Release
from analytics.store.outbox import Delivery, Message
from app.charts import timeline
from app.charts.tables import Columns, tabled
from app.charts.theme import (
    ACTION,
    NEUTRAL,
    SERIES,
    Figure,
    Trace,
    axis,
    clickable,
    empty,
    instant,
    layout,
    plain,
    time_axis,
)
from app.charts.timeline import Window
from app.formats import interval, number, short
from app.headlines.alerts import STATE_WORDS, when, where

MOST_LINES = 30
_STYLES: Mapping[State, tuple[str, str, float, str]] = {
    "firing": (ACTION, "solid", 9, "diamond"),
    "recovering": (ACTION, "dot", 4, "diamond-open"),
    "silenced": (NEUTRAL, "solid", 9, "square"),
    "pending": (SERIES[1], "solid", 4, "triangle-up"),
    "no_data": (NEUTRAL, "dot", 4, "x"),
}
"""Colour, dash and width of a state's line, and the shape at its beginning."""


@dataclass(frozen=True)
class Stretch:
    """One target in one state for a while."""

    alert: str
    target: Target
    state: State
    start: datetime
    end: datetime
    sentence: str


def stretches(history: Sequence[Transition], start: datetime, end: datetime) -> list[Stretch]:
    """States between two instants from the changes between them; what is ok is left out."""
    found: list[Stretch] = []
    by_target: dict[tuple[str, Target], list[Transition]] = {}
    for change in sorted(history, key=lambda one: one.at):
        by_target.setdefault((change.alert, change.target), []).append(change)
    for (alert, target), changes in by_target.items():
        begins = [start, *(max(change.at, start) for change in changes)]
        ends = [*begins[1:], end]
        states = [changes[0].before, *(change.state for change in changes)]
        words = ["", *(change.reading.sentence for change in changes)]
        found += [
            Stretch(alert, target, state, first, last, said)
            for state, first, last, said in zip(states, begins, ends, words, strict=True)
            if state != "ok" and last > first
        ]
    return found


def states_timeline(
    found: Sequence[Stretch],
    start: datetime,
    end: datetime,
    releases: Sequence[Release] = (),
    *,
    zone: ZoneInfo,
) -> Figure:
    """A line a target, coloured and shaped by its state; customdata is ``[alert]``."""
    if not found:
        return empty("No rule left the state ok in this window.", 160)
    lines = _lines(found)[:MOST_LINES]
    places = {line: place for place, line in enumerate(lines)}
    marks = timeline.releases_as_marks(releases, [Window(start, end)], zone)
    data: list[Trace] = []
    for state in _STYLES:
        mine = [one for one in found if one.state == state and (one.alert, one.target) in places]
        if mine:
            data += _traces(state, mine, places, zone)
    more: dict[str, Any] = {
        "xaxis": time_axis(start, end, zone),
        "yaxis": axis(
            tickvals=list(range(len(lines))), ticktext=[plain(short(_named(*line), 26)) for line in lines],
            range=[len(lines) - 0.5, -0.5], showgrid=True,
        ),
        "shapes": marks.shapes, "annotations": marks.annotations,
    }  # fmt: skip
    figure = layout(120 + 26 * len(lines), revision=f"alerts {start} {end}", legend=True, **more)
    timeline.make_room(figure, marks, legend=True)
    return {"data": data, "layout": figure}


def _traces(
    state: State, found: Sequence[Stretch], places: Mapping[tuple[str, Target], int], zone: ZoneInfo
) -> list[Trace]:
    colour, dash, width, symbol = _STYLES[state]
    line = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "legendgroup": state,
        "x": [end for one in found for end in (instant(one.start, zone), instant(one.end, zone), None)],
        "y": [end for one in found for end in (places[one.alert, one.target], places[one.alert, one.target], None)],
        "line": {"color": colour, "width": width, "dash": dash},
    }  # fmt: skip
    begins = clickable(
        {
            "type": "scatter", "mode": "markers", "name": STATE_WORDS[state].split(" ", 1)[1], "legendgroup": state,
            "x": [instant(one.start, zone) for one in found],
            "y": [places[one.alert, one.target] for one in found],
            "marker": {"color": colour, "symbol": symbol, "size": 10},
            "hovertext": [_hover(one, zone) for one in found],
            "customdata": [[one.alert] for one in found],
        }
    )  # fmt: skip
    return [line, begins]


def _hover(one: Stretch, zone: ZoneInfo) -> str:
    lines = [f"<b>{plain(_named(one.alert, one.target))}</b>: {STATE_WORDS[one.state].split(' ', 1)[1]}"]
    lines.append(f"{when(one.start, zone)} to {when(one.end, zone)}")
    if one.sentence:
        lines.append(plain(short(one.sentence, 160)))
    return "<br>".join(lines)


def _lines(found: Sequence[Stretch]) -> list[tuple[str, Target]]:
    """Targets, those that fired longest first."""
    fired: dict[tuple[str, Target], float] = {}
    for one in found:
        seconds = (one.end - one.start).total_seconds() if one.state in {"firing", "recovering"} else 0.0
        fired[one.alert, one.target] = fired.get((one.alert, one.target), 0.0) + seconds
    return sorted(fired, key=lambda line: (-fired[line], _named(*line)))


def _named(alert: str, target: Target) -> str:
    # a name that is cut keeps its ends, and what tells lines apart is at the end
    parts = [part for part in (target.version, target.segment_value) if part is not None]
    return f"{alert} ({', '.join(parts)})" if parts else alert


def states_alt(found: Sequence[Stretch], *, zone: ZoneInfo) -> str:
    """One sentence: how often something began to fire, and what fired longest."""
    fired = [one for one in found if one.state == "firing"]
    if not fired:
        return "Nothing fired in this window."
    longest = max(fired, key=lambda one: one.end - one.start)
    return (
        f"{len(fired)} firings of {len({(one.alert, one.target) for one in fired})} targets; the longest, "
        f"{_named(longest.alert, longest.target)}, from {when(longest.start, zone)} to {when(longest.end, zone)}."
    )


ALERTS: Columns[AlertRow] = {
    "Alert": lambda row: row.alert,
    "State": lambda row: STATE_WORDS[row.state],
    "Where": where,
    "Since": lambda row: row.since,
    "Metric": lambda row: row.metric if row.feature is None else f"{row.metric} of {row.feature}",
    "Value": lambda row: row.value,
    "Interval": lambda row: interval(row.ci_low, row.ci_high) if row.value is not None else None,
    "Limit": lambda row: row.threshold,
    "n": lambda row: row.n,
    "Who knows": lambda row: row.acknowledged_by,
    "Silenced until": lambda row: row.silenced_until,
    "Severity": lambda row: row.severity,
    "Began of late": lambda row: row.flaps,
    "Window from": lambda row: row.window_start,
    "Window until": lambda row: row.window_end,
    "Reason": lambda row: row.reason,
}
HISTORY: Columns[Transition] = {
    "When": lambda row: row.at,
    "Alert": lambda row: row.alert,
    "Of": lambda row: ", ".join(part for part in (row.target.segment_value, row.target.version) if part),
    "Before": lambda row: STATE_WORDS[row.before],
    "State": lambda row: STATE_WORDS[row.state],
    "Value": lambda row: row.reading.value,
    "Interval": lambda row: (
        interval(row.reading.ci_low, row.reading.ci_high) if row.reading.value is not None else None
    ),
    "Limit": lambda row: row.reading.threshold,
    "What": lambda row: row.reading.sentence,
}


def alerts_table(rows: Sequence[AlertRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every target of every rule; what fires stands first."""
    return _dated(tabled(rows, ALERTS, zone), zone)


def history_table(rows: Sequence[Transition], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every change of state, the newest first."""
    ordered = sorted(rows, key=lambda row: row.at, reverse=True)
    return _dated(tabled(ordered, HISTORY, zone), zone)


def messages_table(
    messages: Sequence[Message], deliveries: Sequence[Delivery], *, zone: ZoneInfo
) -> pd.DataFrame:
    """A row for every message and address, the newest first."""
    reached: dict[int, list[Delivery]] = {}
    for one in deliveries:
        reached.setdefault(one.message.id, []).append(one)
    rows: list[tuple[Message, Delivery | None]] = []
    for message in messages:
        mine = reached.get(message.id, [])
        rows += [(message, one) for one in mine] if mine else [(message, None)]
    frame = pd.DataFrame(
        {
            "Written": [message.written_at for message, _ in rows],
            "Message": [message.title for message, _ in rows],
            "To": [None if one is None else one.address for _, one in rows],
            "How far": ["for nobody" if one is None else one.state.replace("_", " ") for _, one in rows],
            "Tries": [0 if one is None else one.tries for _, one in rows],
            "Problem": [None if one is None else one.problem or None for _, one in rows],
            "Done": [None if one is None else one.done_at for _, one in rows],
            "Number": [message.number for message, _ in rows],
        }
    )
    return _dated(frame, zone)


def said_table(said: Said, now: datetime, *, zone: ZoneInfo) -> pd.DataFrame:
    """Everything people said, the newest first."""
    rows: list[dict[str, Any]] = [
        *(
            {"When": one.acknowledged_at, "What": "knows about it", "Alert": one.alert, "Of": one.segment_value,
             "Who": one.acknowledged_by, "Until": None, "Note": one.note}
            for one in said.acknowledgements
        ),
        *(
            {"When": one.silenced_at, "What": f"silence {one.id}" + ("" if one.until > now else ", over"),
             "Alert": one.alert or "all", "Of": one.segment_value, "Who": one.silenced_by, "Until": one.until,
             "Note": one.note}
            for one in said.silences
        ),
        *(
            {"When": one.written_at, "What": "note", "Alert": one.alert or "all", "Of": one.segment_value,
             "Who": one.written_by, "Until": None, "Note": one.note}
            for one in said.notes
        ),
    ]  # fmt: skip
    names = ["When", "What", "Alert", "Of", "Who", "Until", "Note"]
    rows.sort(key=lambda row: str(row["When"]), reverse=True)
    frame = pd.DataFrame(rows, columns=pd.Index(names))
    return _dated(frame, zone)


_MOMENTS = ("Since", "Silenced until", "Window from", "Window until", "When", "Until", "Written", "Done")


def _dated(frame: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """Instants in the project's zone."""
    for name in _MOMENTS:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(zone)
    return frame


def value_words(row: AlertRow) -> str:
    """A value with its interval and limit, for a line of text."""
    if row.value is None:
        return row.reason or "no value"
    limit = "" if row.threshold is None else f", limit {number(row.threshold)}"
    return f"{number(row.value)} ({interval(row.ci_low, row.ci_high)}){limit}, n = {row.n:,}"
