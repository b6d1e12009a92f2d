"""Messages: claimed before they are sent, in order, tried again, given up in the open; on either engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from analytics.store import Store
from analytics.store.outbox import (
    GIVE_UP_AFTER,
    LEASE,
    LONGEST_WAIT,
    Draft,
    claim_next,
    deliveries,
    give_up_old,
    messages,
    next_due,
    settle,
    wait_after,
)
from analytics.store.seen import (
    Change,
    KeptState,
    Looked,
    Plan,
    Who,
    keep_look,
    kept_states,
    seen_transitions,
)
from tests.store.test_ledger import HOSTILE

AT = datetime(2026, 7, 5, 18, tzinfo=UTC)
BOTH = {"mail-1", "hook-2"}


def draft(thread="t", kind="firing", severity="page", addresses=("mail-1", "hook-2"), title="T", body="B"):
    return Draft(thread, kind, severity, title, body, addresses)


def keep(store, *drafts, at=AT):
    return keep_look(store, "Shop", at, lambda _: Plan(drafts=drafts)).messages


def soon(seconds=0.0):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_nothing_is_kept(store):
    assert deliveries(store) == messages(store) == ()
    assert kept_states(store, "Shop").states == {}
    assert claim_next(store, BOTH) is None
    assert next_due(store, BOTH) is None
    assert give_up_old(store) == 0
    assert store.version() == 0


def test_sent_once_to_each(store):
    (message,) = keep(store, draft(title=HOSTILE, body=HOSTILE))
    assert messages(store, "Shop") == (message,)
    claims = [claim_next(store, BOTH), claim_next(store, BOTH)]
    assert {claim.delivery.address for claim in claims} == BOTH
    assert claim_next(store, BOTH) is None
    for claim in claims:
        assert claim.delivery.message == message
        assert settle(store, claim, None) == "sent"
        settle(store, claim, None)
    assert [each.state for each in deliveries(store, "Shop")] == ["sent", "sent"]
    assert claim_next(store, BOTH, soon(1e6)) is None


def test_one_that_fails_does_not_repeat_the_other(store):
    keep(store, draft())
    for _ in BOTH:
        claim = claim_next(store, BOTH)
        settle(store, claim, "status 500" if claim.delivery.address == "hook-2" else None)
    by_address = {each.address: each for each in deliveries(store)}
    assert by_address["mail-1"].state == "sent"
    failed = by_address["hook-2"]
    assert (failed.state, failed.tries, failed.unsure, failed.problem) == ("waiting", 1, 0, "status 500")
    assert claim_next(store, BOTH) is None
    again = claim_next(store, BOTH, failed.next_try)
    assert (again.delivery.address, again.delivery.tries, again.delivery.unsure) == ("hook-2", 2, 0)


def test_an_address_is_told_in_order(store):
    keep(store, draft())
    keep(store, draft(kind="over", addresses=()))
    first = claim_next(store, {"mail-1"})
    # the later message of the thread waits for the earlier one, also while that is only being sent
    assert claim_next(store, {"mail-1"}) is None
    assert claim_next(store, {"hook-2"}).delivery.message.kind == "firing"
    settle(store, first, None)
    assert claim_next(store, {"mail-1"}).delivery.message.kind == "over"


def test_pages_go_first_and_threads_do_not_wait_for_each_other(store):
    keep(store, draft("a", severity="ticket"), draft("b", severity="page"))
    assert claim_next(store, {"mail-1"}).delivery.message.thread == "b"
    assert claim_next(store, {"mail-1"}).delivery.message.thread == "a"


def test_who_was_told_is_told_that_it_is_over(store):
    keep(store, draft(addresses=("old-9",)))
    keep(store, draft(kind="more", addresses=("mail-1",)))
    keep(store, draft("other", kind="over", addresses=()))
    keep(store, draft(kind="over", addresses=()))
    over = messages(store)[0]
    assert {each.address for each in deliveries(store) if each.message == over} == {"old-9", "mail-1"}


def test_an_outcome_that_nobody_knows_is_tried_again_and_said(store):
    keep(store, draft(addresses=("mail-1",)))
    dead = claim_next(store, BOTH)
    assert claim_next(store, BOTH, soon(LEASE.total_seconds() - 5)) is None
    again = claim_next(store, BOTH, soon(LEASE.total_seconds() + 5))
    assert (again.delivery.tries, again.delivery.unsure) == (2, 1)
    assert again.delivery.message.number == dead.delivery.message.number
    # the first one comes back from the dead: its claim is over, and its word counts no more
    settle(store, dead, "status 500")
    assert deliveries(store)[0].state == "sending"
    settle(store, again, None)
    settle(store, dead, "status 500")
    assert deliveries(store)[0].state == "sent"


def test_given_up_in_the_open(store):
    keep(store, draft(addresses=("mail-1", "gone-3")))
    late = soon(GIVE_UP_AFTER.total_seconds() + 60)
    claim = claim_next(store, BOTH, late)
    assert settle(store, claim, "status 500", late) == "given_up"
    assert give_up_old(store, late) == 1
    assert {each.address: each.state for each in deliveries(store)} == {
        "mail-1": "given_up",
        "gone-3": "given_up",
    }
    assert {each.problem for each in deliveries(store)} == {
        "status 500",
        "no watcher knows this address any more",
    }


def test_an_address_that_fails_is_not_asked_for_every_message(store):
    keep(store, *(draft(f"t{number}", addresses=("hook-2",)) for number in range(5)))
    settle(store, claim_next(store, BOTH), "status 500")
    assert claim_next(store, BOTH) is None
    assert claim_next(store, BOTH, soon(31)) is not None


def test_waits_grow_to_a_limit():
    waits = [wait_after(tries).total_seconds() for tries in (1, 2, 3, 20)]
    assert waits[0] < waits[1] < waits[2] < waits[3] <= LONGEST_WAIT.total_seconds() * 1.2
    assert waits[0] >= 24


def test_several_claim_at_once(place):
    keep(Store(place), *(draft(f"t{number}", addresses=("hook-2",)) for number in range(20)))

    def work(_):
        found, store = [], Store(place)
        while (claim := claim_next(store, BOTH)) is not None:
            found.append(claim.delivery.id)
            settle(store, claim, None)
        return found

    with ThreadPoolExecutor(4) as pool:
        found = [each for part in pool.map(work, range(4)) for each in part]
    assert sorted(found) == sorted({each.id for each in deliveries(Store(place))})
    assert len(found) == 20


def state(told="firing", word="firing", thread="t"):
    return KeptState(word, AT, told, thread)


def test_a_look_is_written_whole_or_not_at_all(store):
    who = Who("floor", None, "carrier", HOSTILE)
    change = Change(who, KeptState(), state(), 0.6, 0.5, 0.7)

    def broken(kept):
        raise RuntimeError

    keep_look(store, "Shop", AT, lambda _: Plan((change,), (draft(),)))
    kept = kept_states(store, "Shop")
    assert (kept.states, kept.looked_at) == ({who: state()}, AT)
    with pytest.raises(RuntimeError):
        keep_look(store, "Shop", AT + timedelta(hours=1), broken)
    assert kept_states(store, "Shop") == kept
    (seen,) = seen_transitions(store, "Shop")
    assert (seen.who, seen.at, seen.state_before, seen.state, seen.value) == (who, AT, "ok", "firing", 0.6)
    assert kept_states(store, "Other").states == {}


def test_an_earlier_look_changes_nothing(store):
    keep(store, at=AT)
    found = keep_look(store, "Shop", AT - timedelta(minutes=1), lambda _: Plan(drafts=(draft(),)))
    assert found == Looked(behind=AT)
    assert messages(store) == ()


def test_two_look_at_once(place):
    """Whoever comes second finds the state that the first one left, and has nothing to tell."""

    def plan(kept):
        who = Who("floor")
        if kept.states.get(who, KeptState()).told == "firing":
            return Plan()
        return Plan((Change(who, KeptState(), state()),), (draft(),))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keep_look(Store(place), "Shop", AT, plan), range(8)))
    assert sum(len(each.messages) for each in found) == 1
    assert len(messages(Store(place))) == 1
