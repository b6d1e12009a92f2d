"""Decisions as the store keeps them: only ever added to, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from analytics.errors import StoreError
from analytics.store.engine import Session, Value
from analytics.store.store import Store

CALLS = ("ship", "hold", "stop")
LONGEST_NAME = 200
LONGEST_NOTE = 10_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_FIELDS = "project, experiment, decided_at, decided_by, decision, note, corrects, content"


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
        id: its number in the store, growing.
        project: the name in the project file.
        experiment: its name.
        decided_at: when it was kept, UTC.
        decided_by: who said so; there is no log-in, so it is what they typed.
        decision: ship, hold or stop.
        note: why.
        corrects: the number of an earlier entry that this one takes the place of; None for a first one.
        content: the frozen numbers as JSON text, byte for byte as they were given.
    """

    id: int
    project: str
    experiment: str
    decided_at: datetime
    decided_by: str
    decision: str
    note: str
    corrects: int | None
    content: str


def new_token() -> str:
    """A token for one decision: kept twice with the same one, it is there once."""
    return uuid4().hex


def add_decision(  # noqa: PLR0913  # one a column
    store: Store,
    *,
    project: str,
    experiment: str,
    decided_by: str,
    decision: str,
    content: str,
    note: str = "",
    corrects: int | None = None,
    token: str | None = None,
) -> Entry:
    """Keep a decision; when this returns, it is on disk.

    Args:
        store: where.
        project, experiment, decided_by, decision, note, corrects, content: as in `Entry`.
        token: of the caller; the same one again gives the entry that is there already.

    Raises:
        StoreError: a text is empty, too long or no decision, the corrected entry is not one of this experiment, or
            the store cannot be written.
    """
    if decision not in CALLS:
        raise StoreError(f'"{decision}" is no decision; say one of: {", ".join(CALLS)}')
    values: dict[str, Value] = {
        "token": token or new_token(),
        "project": project,
        "experiment": experiment,
        "decided_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "decided_by": clean(decided_by, "who decided", LONGEST_NAME),
        "decision": decision,
        "note": clean(note, "the note", LONGEST_NOTE, may_be_empty=True),
        "corrects": corrects,
        "content": content,
    }

    def work(session: Session) -> Entry:
        if corrects is not None:
            _check_corrected(session, project, experiment, corrects)
        session.execute(
            f"INSERT INTO assay_decisions (token, {_FIELDS}) VALUES (:token, :project, :experiment, :decided_at, "
            ":decided_by, :decision, :note, :corrects, :content) ON CONFLICT (token) DO NOTHING",
            values,
        )
        kept = session.execute(
            f"SELECT id, {_FIELDS} FROM assay_decisions WHERE token = :token", {"token": values["token"]}
        )
        return _entry(kept[0])

    return store.write(work)


def decisions(store: Store, project: str, experiment: str | None = None) -> tuple[Entry, ...]:
    """The decisions of a project, the oldest first.

    Args:
        store: where.
        project: its name.
        experiment: only of this one.

    Raises:
        StoreError: the store cannot be read.
    """

    def work(session: Session) -> tuple[Entry, ...]:
        values: dict[str, Value] = {"project": project}
        only = ""
        if experiment is not None:
            only, values["experiment"] = "AND experiment = :experiment ", experiment
        rows = session.execute(
            f"SELECT id, {_FIELDS} FROM assay_decisions WHERE project = :project {only}ORDER BY id", values
        )
        return tuple(map(_entry, rows))

    return store.read(work, ())


def clean(text: str, name: str, longest: int, *, may_be_empty: bool = False) -> str:
    r"""A text as it is kept: without control characters, and not longer than it may be.

    >>> clean("  Ana\x00 ", "who decided", 10)
    'Ana'

    Raises:
        StoreError: nothing is left, or too much.
    """
    kept = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not kept and not may_be_empty:
        raise StoreError(f"{name} is missing")
    if len(kept) > longest:
        raise StoreError(f"{name} is too long: {len(kept):,} characters, at most {longest:,}")
    return kept


def _check_corrected(session: Session, project: str, experiment: str, corrects: int) -> None:
    found = session.execute(
        "SELECT id FROM assay_decisions WHERE id = :id AND project = :project AND experiment = :experiment",
        {"id": corrects, "project": project, "experiment": experiment},
    )
    if not found:
        raise StoreError(f'there is no decision {corrects} on "{experiment}" of {project} to correct')


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**{**row, "decided_at": datetime.fromisoformat(row["decided_at"])})
