"""States over time as lines, and the tables of the Alerts page."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from analytics.alerts.rows import Reading, Target, Transition
from analytics.alerts.said import Said
from analytics.store.alerts import Acknowledgement, Note, Silence
from analytics.store.outbox import Delivery, Message
from app.charts import alerts as charts
from tests.alerts.made import T0, row

ZONE = ZoneInfo("America/New_York")
HOSTILE = "<img src=x onerror=1>\"'&%{x}"


def hours(number):
    return T0 + timedelta(hours=number)


def change(at, before, state, alert="floor", value=None):
    target = Target(None, "carrier" if value else None, value)
    reading = Reading(
        alert, at, at, at, target, "roc_auc", 0.6, 0.5, 0.7, 9, 0.65, None, "breach", None, HOSTILE
    )
    return Transition(alert, target, at, before, state, at, reading)


HISTORY = [
    change(hours(2), "ok", "pending"),
    change(hours(3), "pending", "firing"),
    change(hours(6), "firing", "recovering"),
    change(hours(7), "recovering", "ok"),
    change(hours(1), "firing", "ok", value=HOSTILE),
    change(hours(8), "ok", "no_data", value=HOSTILE),
]


def test_stretches_between_changes():
    found = charts.stretches(HISTORY, hours(0), hours(10))
    assert [(one.target.segment_value is None, one.state, one.start, one.end) for one in found] == [
        (False, "firing", hours(0), hours(1)),
        (False, "no_data", hours(8), hours(10)),
        (True, "pending", hours(2), hours(3)),
        (True, "firing", hours(3), hours(6)),
        (True, "recovering", hours(6), hours(7)),
    ]
    assert charts.stretches([], hours(0), hours(1)) == []


def test_the_timeline_is_a_figure_with_a_shape_for_each_state():
    found = charts.stretches(HISTORY, hours(0), hours(10))
    figure = charts.states_timeline(found, hours(0), hours(10), zone=ZONE)
    drawn = go.Figure(figure)  # validates
    begins = [trace for trace in drawn.data if trace.mode == "markers"]
    assert {trace.name for trace in begins} == {"firing", "recovering", "pending", "no data"}
    assert len({trace.marker.symbol for trace in begins}) == 4
    assert "<img" not in str(figure)
    assert begins[0].customdata[0][0] == "floor"
    empty = charts.states_timeline([], hours(0), hours(1), zone=ZONE)
    assert "No rule left the state ok" in str(empty)


def test_many_targets_are_cut_to_those_that_fired_longest():
    history = [change(hours(number / 10), "ok", "firing", value=str(number)) for number in range(50)]
    found = charts.stretches(history, hours(0), hours(10))
    figure = charts.states_timeline(found, hours(0), hours(10), zone=ZONE)
    assert len(figure["layout"]["yaxis"]["ticktext"]) == charts.MOST_LINES


def test_the_takeaway():
    found = charts.stretches(HISTORY, hours(0), hours(10))
    text = charts.states_alt(found, zone=ZONE)
    assert text.startswith(
        "2 firings of 2 targets; the longest, floor, from 5 Jul 2026 17:00 to 5 Jul 2026 20:00."
    )
    assert charts.states_alt([], zone=ZONE) == "Nothing fired in this window."


def test_tables():
    frame = charts.alerts_table([row(), row("no_data", value="UA")], zone=ZONE)
    assert list(frame["State"]) == ["◆ firing", "✕ no data"]
    assert list(frame["Interval"]) == ["0.580 to 0.640"] * 2
    assert str(frame["Since"].dtype) == "datetime64[ns, America/New_York]" or frame["Since"].dt.tz is not None
    history = charts.history_table(HISTORY, zone=ZONE)
    assert history["When"].is_monotonic_decreasing
    assert charts.alerts_table([], zone=ZONE).empty


def test_messages_and_what_people_said():
    message = Message(1, "k", "P", "t", "firing", "page", "T", "B", T0, T0)
    nobody = Message(2, "k2", "P", "t", "over", "page", "T2", "B", T0, T0)
    delivery = Delivery(1, message, "slack-1", "given_up", 9, 0, T0, "status 500", T0)
    frame = charts.messages_table([nobody, message], [delivery], zone=ZONE)
    assert list(frame["How far"]) == ["for nobody", "given up"]
    said = Said(
        (Acknowledgement(1, "P", "floor", None, T0, "Ana", T0, ""),),
        (Silence(2, "P", None, None, T0, hours(2), "Bo", hours(1), "", None, None),),
        (Note(3, "P", "floor", "UA", "Cy", hours(3), "x"),),
    )
    assert list(charts.said_table(said, hours(4), zone=ZONE)["What"]) == [
        "note",
        "silence 2, over",
        "knows about it",
    ]
    assert list(charts.said_table(said, hours(1), zone=ZONE)["What"]) == [
        "note",
        "silence 2",
        "knows about it",
    ]
    assert charts.said_table(Said(), T0, zone=ZONE).empty


def test_a_value_in_words():
    assert charts.value_words(row()) == "0.610 (0.580 to 0.640), limit 0.650, n = 1,234"
    assert charts.value_words(row(value=None, alert="a")) == "0.610 (0.580 to 0.640), limit 0.650, n = 1,234"
