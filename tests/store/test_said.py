"""What people say about alerts comes back the same on either engine, once, and a silence always has an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analytics.errors import StoreError
from analytics.store.alerts import (
    LONGEST_SILENCE,
    acknowledge,
    acknowledgements,
    add_note,
    end_silence,
    notes,
    silence,
    silences,
)
from tests.store.test_ledger import HOSTILE

FIRED = datetime(2026, 7, 5, 3, tzinfo=UTC)


def soon(hours=2.0):
    return datetime.now(UTC) + timedelta(hours=hours)


def test_nothing_was_said(store):
    assert acknowledgements(store, "Shop") == silences(store, "Shop") == notes(store, "Shop") == ()
    assert store.version() == 0  # looking made nothing


def test_an_acknowledgement_comes_back(store):
    kept = acknowledge(
        store, project="Shop", alert="floor", firing_since=FIRED, by=" Ana ", segment_value="UA", note="on it"
    )
    assert acknowledgements(store, "Shop") == (kept,)
    assert (kept.acknowledged_by, kept.segment_value, kept.firing_since, kept.note) == (
        "Ana",
        "UA",
        FIRED,
        "on it",
    )
    assert acknowledgements(store, "Other") == ()


def test_the_same_token_is_kept_once(store):
    for _ in range(2):
        acknowledge(store, project="Shop", alert="floor", firing_since=FIRED, by="Ana", token="t1")
        silence(store, project="Shop", ends_at=soon(), by="Ana", token="t1")
        add_note(store, project="Shop", note="seen", by="Ana", token="t1")
    assert (
        len(acknowledgements(store, "Shop")) == len(silences(store, "Shop")) == len(notes(store, "Shop")) == 1
    )


def test_text_of_any_kind_is_bound(store):
    said = {"project": HOSTILE, "alert": HOSTILE, "segment_value": HOSTILE, "by": HOSTILE, "note": HOSTILE}
    assert acknowledge(store, firing_since=FIRED, **said) == acknowledgements(store, HOSTILE)[0]
    assert silence(store, ends_at=soon(), **said) == silences(store, HOSTILE)[0]
    assert add_note(store, **said) == notes(store, HOSTILE)[0]


def test_what_a_silence_covers(store):
    def covers(**said):
        kept = silence(store, project="Shop", ends_at=soon(), by="Ana", **said)
        now = kept.silenced_at
        return [
            kept.covers("floor", "UA", now), kept.covers("floor", "DL", now), kept.covers("floor", None, now),
            kept.covers("delay", "UA", now),
        ]  # fmt: skip

    assert covers() == [True, True, True, True]
    assert covers(alert="floor") == [True, True, True, False]
    assert covers(alert="floor", segment_value="UA") == [True, False, False, False]


def test_a_silence_begins_and_ends(store):
    kept = silence(store, project="Shop", starts_at=soon(1), ends_at=soon(2), by="Ana")
    assert [kept.covers("floor", None, soon(hours)) for hours in (0.5, 1.5, 2.5)] == [False, True, False]
    assert not kept.covers("floor", None, kept.ends_at)  # the end is excluded


def test_a_silence_is_ended_early_and_once(store):
    kept = silence(store, project="Shop", ends_at=soon(), by="Ana")
    ended = end_silence(store, project="Shop", silence_id=kept.id, by="Bo")
    assert ended.ended_by == "Bo"
    assert ended.until < kept.ends_at
    assert not ended.covers("floor", None, soon(0.01))
    assert end_silence(store, project="Shop", silence_id=kept.id, by="Cy") == ended
    assert silences(store, "Shop", since=soon(0.01)) == ()
    with pytest.raises(StoreError, match="there is no silence"):
        end_silence(store, project="Other", silence_id=kept.id, by="Bo")


@pytest.mark.parametrize(
    "said,why",
    [
        ({"ends_at": soon(-1)}, "ends before it begins"),
        ({"starts_at": soon(-2), "ends_at": soon(-1)}, "over already"),
        ({"ends_at": soon() + LONGEST_SILENCE}, "92 days at most"),
        ({"ends_at": soon(), "by": " "}, "who silences it is missing"),
        ({"ends_at": soon(), "segment_value": "UA"}, "name the alert"),
        ({"ends_at": soon(), "alert": "x" * 2000}, "too long"),
        ({"ends_at": soon(), "alert": "a\0b"}, "cannot be kept"),
    ],
)
def test_what_is_refused(store, said, why):
    with pytest.raises(StoreError, match=why):
        silence(store, **{"project": "Shop", "by": "Ana", **said})
    assert silences(store, "Shop") == ()


def test_a_note_says_something(store):
    with pytest.raises(StoreError, match="the note is missing"):
        add_note(store, project="Shop", note=" \x00 ", by="Ana")
    kept = add_note(store, project="Shop", alert="floor", note="the vendor is down\nagain", by="Ana")
    assert notes(store, "Shop") == (kept,)
