"""What a look leads to: told once when it fires, once when it is over, as one message an incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts.rows import Reading, Target, Transition
from analytics.alerts.said import Said
from analytics.alerts.tell import plan
from analytics.store.alerts import Silence
from analytics.store.seen import Kept, KeptState
from tests.alerts.made import PLACE, T0, incident, look, minutes, row


def route(severity):
    return (f"{severity}-address",)


class Watcher:
    """Looks again and again, and remembers what the store would."""

    def __init__(self):
        self.kept = Kept({}, None)

    def __call__(self, *rows, **said):
        seen = look(*rows, **said)
        made = plan(self.kept, seen, PLACE, route)
        states = dict(self.kept.states) | {change.who: change.after for change in made.changes}
        self.kept = Kept(states, seen.at)
        return made.drafts

    def kinds(self, *rows, **said):
        return [draft.kind for draft in self(*rows, **said)]


def test_told_once_and_over_once():
    watch = Watcher()
    assert watch.kinds(row("ok")) == []
    assert watch.kinds(row("pending")) == []
    first = watch(row("firing"))
    assert [(draft.kind, draft.addresses) for draft in first] == [("firing", ("page-address",))]
    for state in ("firing", "recovering", "firing", "no_data", "firing"):
        assert watch.kinds(row(state)) == []
    over = watch(row("ok", since=minutes(60)))
    assert [(draft.kind, draft.thread) for draft in over] == [("over", first[0].thread)]
    assert watch.kinds(row("ok")) == []
    assert watch.kinds(row("firing", since=minutes(90)), incidents=[incident(key="j")]) == ["firing"]


def test_what_did_not_change_is_not_written():
    kept = Kept({}, None)
    assert plan(kept, look(row("ok")), PLACE, route).changes == ()
    fired = plan(kept, look(row("firing")), PLACE, route).changes
    assert [(change.before.state, change.after.state) for change in fired] == [("ok", "firing")]
    kept = Kept({change.who: change.after for change in fired}, T0)
    assert plan(kept, look(row("firing"), at=minutes(5)), PLACE, route) == plan(
        kept, look(row("firing")), PLACE, route
    )
    assert plan(kept, look(row("firing")), PLACE, route).changes == ()


def test_an_incident_is_one_message():
    watch = Watcher()
    both = [row(alert="floor"), row(alert="delay", severity="ticket")]
    drafts = watch(*both, incidents=[incident(alerts=("floor", "delay"))])
    assert len(drafts) == 1
    assert "floor" in drafts[0].body
    assert "delay" in drafts[0].body
    # one of two is over: the incident goes on
    assert watch.kinds(row("ok", "floor"), both[1]) == []
    assert watch.kinds(row("ok", "floor"), row("ok", "delay")) == ["over"]


def test_what_joins_an_incident_is_told_in_its_thread():
    watch = Watcher()
    (first,) = watch(row(alert="floor"))
    # whoever recomputes the incident may give it another key as it grows
    (more,) = watch(
        row(alert="floor"), row(alert="delay"), incidents=[incident(key="grown", alerts=("delay", "floor"))]
    )
    assert (more.kind, more.thread) == ("more", first.thread)
    assert "delay" in more.body.split("(new)")[0]
    (over,) = watch(row("ok", "floor"), row("ok", "delay"))
    assert over.thread == first.thread


def test_two_incidents_are_two_messages():
    drafts = Watcher()(
        row(alert="floor", incident=1), row(alert="delay", incident=2, severity="ticket"),
        incidents=[incident(1, "a"), incident(2, "b", ("delay",), severity="ticket")],
    )  # fmt: skip
    assert {draft.thread for draft in drafts} != 1
    assert [draft.addresses for draft in drafts] == [("page-address",), ("ticket-address",)]


def test_one_without_an_incident_is_told_all_the_same():
    assert Watcher().kinds(row("firing", incident=None), incidents=[]) == ["firing"]


def test_silenced_is_not_told():
    watch = Watcher()
    assert watch.kinds(row("silenced")) == []
    assert watch.kinds(row("ok")) == []
    assert watch.kinds(row("silenced")) == []
    assert watch.kinds(row("firing")) == ["still"]
    assert watch.kinds(row("silenced")) == []
    assert watch.kinds(row("firing")) == ["still"]
    assert watch.kinds(row("ok")) == ["over"]


def test_over_while_silenced_is_not_told():
    watch = Watcher()
    assert watch.kinds(row("firing")) == ["firing"]
    assert watch.kinds(row("silenced")) == []
    assert watch.kinds(row("ok")) == []


def test_what_is_seen_recovering_first_is_told():
    watch = Watcher()
    assert watch.kinds(row("recovering")) == ["firing"]
    assert watch.kinds(row("recovering")) == []
    assert watch.kinds(row("ok")) == ["over"]


def test_a_rule_that_was_taken_out_is_over():
    watch = Watcher()
    watch(row("firing"))
    # it could not be computed: nothing is known
    assert watch.kinds(incidents=[]) == []
    (over,) = watch(rules=("delay",), incidents=[])
    assert over.kind == "over"
    assert "Not looked at any more: floor" in over.body
    assert watch.kinds(rules=("delay",), incidents=[]) == []


def test_a_target_that_is_no_more_is_over():
    watch = Watcher()
    watch(row("firing", value="UA"), row("ok", value="DL"))
    assert watch.kinds(row("ok", value="DL")) == ["over"]


def reading(at, segment_value=None):
    target = Target(None, "carrier" if segment_value else None, segment_value)
    return Reading(
        "floor", at, at, at, target, "roc_auc", 0.6, 0.5, 0.62, 50, 0.65, None, "breach", None, "AUC .60"
    )


def fired(at, before="pending"):
    return Transition("floor", Target(), at, before, "firing", at, reading(at))


def test_what_fired_and_was_over_between_two_looks_is_told():
    watch = Watcher()
    watch(row("ok"))
    drafts = watch(row("ok"), at=minutes(60), history=[fired(minutes(30)), fired(minutes(40), "recovering")])
    assert [draft.kind for draft in drafts] == ["missed"]
    assert "AUC .60" in drafts[0].body
    # it belongs to a look that was made
    assert watch.kinds(row("ok"), at=minutes(90), history=[fired(minutes(30))]) == []
    # the first look tells of what is, not of all that ever was
    assert Watcher().kinds(row("ok"), history=[fired(minutes(-30))]) == []


def test_what_was_missed_while_silenced_stays_untold():
    watch = Watcher()
    watch(row("ok"))
    quiet = Silence(1, "Flights", None, None, T0, minutes(50), "Ana", T0, "", None, None)
    said = Said(silences=(quiet,))
    assert watch.kinds(row("ok"), at=minutes(60), history=[fired(minutes(30))], said=said) == []
    assert watch.kinds(row("ok"), at=minutes(70), history=[fired(minutes(65))], said=said) == ["missed"]


STATES = ("ok", "pending", "firing", "recovering", "no_data", "silenced")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(STATES)), max_size=25), st.data())
def test_never_doubled_and_never_lost(looks, data):
    """Whatever the states do and however often a look is repeated: told iff something began since the last word."""
    watch, told, tick = Watcher(), {}, datetime(2026, 1, 1, tzinfo=UTC)
    for states in looks:
        for _ in range(data.draw(st.integers(1, 2))):
            tick += timedelta(minutes=1)
            rows = [row(state, name) for state, name in zip(states, ("floor", "delay"), strict=True)]
            drafts = watch(*rows, at=tick)
            news = [draft for draft in drafts if draft.kind != "over"]
            for each in rows:
                open_before = told.get(each.alert, False)
                now = watch.kept.states.get((each.alert, None, None, None), KeptState())
                told[each.alert] = now.told == "firing"
                if told[each.alert] and not open_before:
                    assert any(each.alert in draft.body for draft in news)
                assert (now.told == "nothing") == (now.thread is None)
            assert len(news) <= 1
            assert plan(watch.kept, look(*rows, at=tick), PLACE, route).drafts == ()
    watch(row("ok", "floor"), row("ok", "delay"), at=tick)
    assert all(state.told == "nothing" for state in watch.kept.states.values())
