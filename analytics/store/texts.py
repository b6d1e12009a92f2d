"""Texts and instants as every table keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from analytics.errors import StoreError
from analytics.store.ledger import LONGEST_NAME, LONGEST_NOTE, clean

LONGEST_WORD = 1_000
"""Of a word out of the logs or of a query: the name of a segment value, an id."""


def instant_text(moment: datetime) -> str:
    """An instant as it is kept; texts sort as the instants do.

    >>> instant_text(datetime(2013, 7, 5, tzinfo=UTC))
    '2013-07-05T00:00:00.000000+00:00'

    Raises:
        StoreError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise StoreError(f"{moment} has no time zone, so nobody can say when it is")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def now_text() -> str:
    """This instant."""
    return instant_text(datetime.now(UTC))


def instant(text: str) -> datetime:
    """An instant that was kept."""
    return datetime.fromisoformat(text)


def instant_or_none(text: str | None) -> datetime | None:
    """An instant that was kept; None where there is none."""
    return None if text is None else instant(text)


def key_of(*parts: str | int | None) -> str:
    """One text for several, so that one index holds them apart, missing ones too.

    >>> key_of("flights", None, "a b")
    '["flights", null, "a b"]'
    """
    return json.dumps(parts, ensure_ascii=False)


def who(text: str, what: str) -> str:
    """A name a person typed."""
    return clean(text, what, LONGEST_NAME)


def note_of(text: str) -> str:
    """What a person wrote; it may be empty."""
    return clean(text, "the note", LONGEST_NOTE, may_be_empty=True)


def word(text: str, what: str) -> str:
    """A name out of the project or the logs: kept as it is, or refused; two must never become one.

    Raises:
        StoreError: it is empty, too long, or holds what a database cannot keep.
    """
    if not text:
        raise StoreError(f"{what} is missing")
    if len(text) > LONGEST_WORD:
        raise StoreError(f"{what} is too long: {len(text):,} characters, at most {LONGEST_WORD:,}")
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise StoreError(f"{what} holds characters that cannot be kept")
    return text
