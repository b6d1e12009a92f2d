"""First lines of the Alerts page: what fires and since when, else what nearly does; how far messages came."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from analytics.store.outbox import Delivery, Message
from analytics.store.seen import Kept, KeptState, Who
from app.headlines.alerts import alerts_verdict, seen_verdict, told_sentence, where
from tests.alerts.made import T0, incident, row

ZONE = ZoneInfo("America/New_York")


def said(rows, incidents=()):
    found = alerts_verdict(rows, incidents, zone=ZONE)
    return found.state, found.sentence


def test_what_fires():
    one = incident(
        sentence="AUC was 0.61 (0.58 to 0.64): surely below. It has been so since May.", n_targets=3
    )
    assert said([row(), row("ok")], [one, incident(2, "b")]) == (
        "worse",
        "Firing since 5 Jul 2026 14:00 (3 alerts): AUC was 0.61 (0.58 to 0.64): surely below.",
    )
    assert said([row(), row(alert="b", incident=2)], [one, incident(2, "b")])[1].endswith(
        "surely below. And 1 other incident."
    )
    assert said([row(incident=None)])[1] == "AUC is under its limit."


def test_what_is_silenced_is_not_loud():
    assert said([row("silenced")], [incident()]) == (
        "same",
        "Nothing fires: 1 rule looked at 1 target. 1 alert would fire and is silenced.",
    )
    assert said([row("silenced"), row("silenced", value="UA")])[1].endswith(
        "2 alerts would fire and are silenced."
    )


def test_what_nearly_fires():
    assert said([row("recovering")]) == ("changed", "Nothing fires; floor is recovering.")
    assert said([row("pending"), row("ok")]) == ("changed", "Nothing fires yet; floor would if it goes on.")
    assert said([row("no_data"), row("ok", "delay")]) == ("unknown", "Nothing fires, and floor saw no data.")
    assert said([row("ok"), row("ok", value="UA")]) == ("same", "Nothing fires: 1 rule looked at 2 targets.")
    assert said([])[0] == "unknown"


def test_what_a_watcher_saw():
    def seen(**states):
        kept = Kept({Who(name): KeptState(state) for name, state in states.items()}, T0)
        found = seen_verdict(kept, zone=ZONE)
        return found.state, found.sentence

    assert seen(a="firing", b="ok") == ("worse", "Firing: a, looked at 5 Jul 2026 14:00.")
    assert seen(a="pending", b="no_data") == (
        "changed",
        "Nothing fires, looked at 5 Jul 2026 14:00: 1 pending and 1 no data.",
    )
    assert seen(b="ok") == ("same", "Nothing fires, looked at 5 Jul 2026 14:00.")
    assert seen(a="firing", b="firing", c="firing", d="firing")[1].startswith("Firing: a, b and c and 1 more")


def message(number=1):
    return Message(number, f"k{number}", "P", "t", "firing", "page", "Firing: floor", "B", T0, T0)


def delivery(state, problem="", number=1):
    return Delivery(1, message(number), "slack-1", state, 1, 0, T0 + timedelta(minutes=1), problem, None)


def test_how_far_messages_came():
    def told(messages, deliveries):
        found = told_sentence(messages, deliveries, zone=ZONE)
        return found.state, found.sentence

    newest = "The last one, 5 Jul 2026 14:00: Firing: floor."
    assert told([], [])[0] == "unknown"
    assert told([message()], [delivery("sent")]) == (
        "same",
        f"Every message reached everybody it was for. {newest}",
    )
    assert told([message()], [delivery("waiting", "status 500")]) == (
        "changed",
        f"1 delivery on the way; slack-1 did not take it. {newest}",
    )
    assert told([message()], [delivery("given_up"), delivery("sent")])[0] == "worse"
    assert told([message(), message(2)], [delivery("sent")]) == (
        "changed",
        f"1 message went to nobody: ASSAY_NOTIFY names no address. {newest}",
    )


def test_where():
    assert where(row()) == "everywhere"
    assert where(row(value="UA", version="v1")) == "carrier = UA, v1"
