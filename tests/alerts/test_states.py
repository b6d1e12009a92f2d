"""The state machine: known sequences, and properties of all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts.rows import Reading, Target
from analytics.alerts.states import MOST_DAMPED, Memory, last_steps, needed, replay, transitions
from analytics.project import Alert

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHOLE = Target()
LETTERS = {"b": "breach", "f": "fine", "u": "unsure", "w": "waiting", "n": "no_data"}


def rule(for_=1, recover_for=1):
    return Alert(metric="accuracy", below=0.5, window="1 hour", **{"for": for_}, recover_for=recover_for)


def reading(place, seen, target=WHOLE, late=0):
    end = T0 + (place + 1) * HOUR
    return Reading(
        "floor", end + timedelta(minutes=late), end - HOUR, end, target, "accuracy", 0.4, 0.3, 0.45, 100, 0.5, None,
        seen, None, "said",
    )  # fmt: skip


def readings(text, target=WHOLE):
    return [reading(place, LETTERS[letter], target) for place, letter in enumerate(text)]


def states(text, for_=1, recover_for=1):
    return [step.state for step in replay(rule(for_, recover_for), readings(text))]


@pytest.mark.parametrize(
    "text,for_,recover_for,expected",
    [
        ("fbf", 1, 1, ["ok", "firing", "ok"]),
        ("bb", 2, 1, ["pending", "firing"]),
        ("bfb", 2, 1, ["pending", "ok", "pending"]),
        ("bub", 2, 1, ["pending", "pending", "firing"]),
        ("bwub", 2, 1, ["pending", "pending", "pending", "firing"]),
        ("bff", 1, 2, ["firing", "recovering", "ok"]),
        ("bfbff", 1, 2, ["firing", "recovering", "firing", "recovering", "ok"]),
        ("nn", 2, 1, ["ok", "no_data"]),
        ("nfn", 2, 1, ["ok", "ok", "ok"]),
        ("bnn", 2, 1, ["pending", "pending", "no_data"]),
        # what fired before its data went away fires when they are back, without waiting again
        ("bbnnb", 2, 1, ["pending", "firing", "firing", "no_data", "firing"]),
        ("bbnnf", 2, 1, ["pending", "firing", "firing", "no_data", "ok"]),
        ("nnb", 2, 1, ["ok", "no_data", "pending"]),
        ("nuf", 1, 1, ["no_data", "no_data", "ok"]),
    ],
)
def test_known_sequences(text, for_, recover_for, expected):
    assert states(text, for_, recover_for) == expected


def test_since_is_the_start_of_the_run_that_made_it_fire():
    steps = replay(rule(2), readings("fbubf"))
    assert steps[3].state == "firing"
    assert steps[3].memory.since == T0 + HOUR
    # ok since the first fine window after it
    assert steps[4].memory.since == T0 + 4 * HOUR


def test_a_flapping_alert_needs_more_and_more_fine_looks():
    # fires and recovers three times; each time it needs twice as many
    steps = replay(rule(), readings("bf" + "bff" + "bffff" + "bfff"))
    assert [step.state for step in steps[:2]] == ["firing", "ok"]
    assert [step.state for step in steps[2:5]] == ["firing", "recovering", "ok"]
    assert [step.state for step in steps[5:10]] == ["firing", "recovering", "recovering", "recovering", "ok"]
    assert [step.state for step in steps[10:]] == ["firing", "recovering", "recovering", "recovering"]
    assert steps[-1].memory.flaps == 4
    assert needed(rule(), steps[-1].memory) == MOST_DAMPED


def test_old_firings_are_forgotten():
    steps = replay(rule(), readings("bf" + "f" * 30 + "bf"))
    assert steps[-1].state == "ok"
    assert steps[-1].memory.flaps == 1


def test_transitions_tell_every_change_once():
    found = transitions(replay(rule(2), readings("fbbbf")))
    assert [(one.before, one.state) for one in found] == [
        ("ok", "pending"), ("pending", "firing"), ("firing", "ok"),
    ]  # fmt: skip
    assert found[1].since == T0 + HOUR


SEEN = st.text("bfuwn", max_size=40)
LENGTHS = st.integers(1, 4)


@given(SEEN, LENGTHS, LENGTHS)
def test_never_fires_without_enough_breaches_in_a_row(text, for_, recover_for):
    run = 0
    for letter, step in zip(text, replay(rule(for_, recover_for), readings(text)), strict=True):
        run = run + 1 if letter == "b" else 0 if letter in "fn" and step.state != "pending" else run
        if step.before != "firing" and step.state == "firing" and step.memory.incident_since is not None:
            began_now = step.memory.fired and step.memory.fired[-1] == step.memory.looks
            assert not began_now or step.memory.breaches >= for_


@given(SEEN, LENGTHS, LENGTHS)
def test_unsure_and_waiting_change_nothing(text, for_, recover_for):
    decided = [one for one in readings(text) if one.seen not in {"unsure", "waiting"}]
    every = replay(rule(for_, recover_for), readings(text))
    only = replay(rule(for_, recover_for), decided)
    assert [step.memory for step in every if step.reading.seen not in {"unsure", "waiting"}] == [
        step.memory for step in only
    ]
    assert all(step.state == step.before for step in every if step.reading.seen in {"unsure", "waiting"})


@given(SEEN, LENGTHS, LENGTHS, st.randoms(use_true_random=False))
def test_order_and_repetition_of_readings_do_not_matter(text, for_, recover_for, random):
    once = readings(text)
    twice = [*once, *once]
    random.shuffle(twice)
    again, plain = (last_steps(replay(rule(for_, recover_for), which)) for which in (twice, once))
    assert [step.memory for step in again.values()] == [step.memory for step in plain.values()]
    assert len(transitions(replay(rule(for_, recover_for), twice))) == (
        len(transitions(replay(rule(for_, recover_for), once)))
    )


@given(SEEN, st.integers(0, 40), LENGTHS, LENGTHS)
def test_a_later_run_tells_the_same_of_what_an_earlier_one_saw(text, cut, for_, recover_for):
    one = rule(for_, recover_for)
    assert replay(one, readings(text))[:cut] == replay(one, readings(text)[:cut])


@given(SEEN, LENGTHS)
def test_missing_data_obey_the_pending_period(text, for_):
    run = 0
    for letter, step in zip(text, replay(rule(for_), readings(text)), strict=True):
        run = run + 1 if letter == "n" else 0 if letter in "bf" else run
        if step.state == "no_data" and step.before != "no_data":
            assert run == for_


@given(SEEN, SEEN, LENGTHS)
def test_targets_do_not_touch_each_other(one, other, for_):
    a, b = Target("a"), Target("b")
    together = replay(rule(for_), [*readings(one, a), *readings(other, b)])
    alone = replay(rule(for_), readings(one, a))
    assert [step for step in together if step.target == a] == list(alone)


@settings(max_examples=50)
@given(st.text("bf", min_size=30, max_size=60))
def test_flapping_is_damped(text):
    ended = [t for t in transitions(replay(rule(), readings(text))) if t.state == "ok"]
    # within 24 looks it can end at most four times: after 1, 2 and 4 fine looks, then 8
    ends = [one.reading.window_end for one in ended]
    for first in ends:
        assert sum(first <= end < first + 24 * HOUR for end in ends) <= 5


@given(SEEN, SEEN, LENGTHS, LENGTHS)
def test_enough_fine_looks_make_the_past_forgotten(before, after_, for_, recover_for):
    """Where a replay from firing and one from ok agree, what came before does not matter: what `check` relies on."""
    one = rule(for_, recover_for)
    rest = [
        reading(len(before) + place, LETTERS[letter]) for place, letter in enumerate(after_)
    ]  # fmt: skip
    lit = last_steps(replay(one, rest, Memory(state="firing", incident_since=T0, since=T0)))
    dark = last_steps(replay(one, rest))
    whole = last_steps(replay(one, [*readings(before), *rest]))
    known = Target()
    if rest and lit[known].state == dark[known].state == "firing" and "f" in after_:
        assert whole[known].state == "firing"
