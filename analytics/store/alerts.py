"""What people say about alerts: who knows, what is not to be told for a while, and notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.errors import StoreError
from analytics.store.engine import Session, Value
from analytics.store.ledger import LONGEST_NOTE, clean, new_token
from analytics.store.store import Store
from analytics.store.texts import instant, instant_or_none, instant_text, note_of, now_text, who, word

LONGEST_SILENCE = timedelta(days=92)
"""A silence has an end: whoever wants a longer one wants another rule."""


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody knows about one firing of an alert.

    Attributes:
        id: its number in the store, growing.
        project: the name in the project file.
        alert: its name there.
        segment_value: of the alert's ``by``; None for an alert on all rows.
        firing_since: when the firing began that it is about; the next firing is news again.
        acknowledged_by: who.
        acknowledged_at: when, UTC.
        note: what they say.
    """

    id: int
    project: str
    alert: str
    segment_value: str | None
    firing_since: datetime
    acknowledged_by: str
    acknowledged_at: datetime
    note: str


@dataclass(frozen=True)
class Silence:
    """A stretch of time in which nothing is told about an alert.

    Attributes:
        id: its number in the store, growing.
        project: the name in the project file.
        alert: its name there; None for every alert of the project.
        segment_value: only this one of the alert's segment values; None for all.
        starts_at, ends_at: from when on and until when (excluded), UTC.
        silenced_by: who wants it.
        silenced_at: when they said so.
        note: why.
        ended_at, ended_by: when and by whom it was ended early; None where it was not.
    """

    id: int
    project: str
    alert: str | None
    segment_value: str | None
    starts_at: datetime
    ends_at: datetime
    silenced_by: str
    silenced_at: datetime
    note: str
    ended_at: datetime | None
    ended_by: str | None

    @property
    def until(self) -> datetime:
        """When it ends, or was ended."""
        return self.ends_at if self.ended_at is None else min(self.ends_at, self.ended_at)

    def covers(self, alert: str, segment_value: str | None, at: datetime) -> bool:
        """Whether it keeps this alert quiet at this instant."""
        return (
            self.starts_at <= at < self.until
            and self.alert in {None, alert}
            and self.segment_value in {None, segment_value}
        )


@dataclass(frozen=True)
class Note:
    """Something worth knowing, about an alert or about the whole project.

    Attributes:
        id: its number in the store, growing.
        project: the name in the project file.
        alert: its name there; None for a note on the project.
        segment_value: of the alert's ``by``; None for all.
        written_by: who.
        written_at: when, UTC.
        note: what.
    """

    id: int
    project: str
    alert: str | None
    segment_value: str | None
    written_by: str
    written_at: datetime
    note: str


def acknowledge(
    store: Store,
    *,
    project: str,
    alert: str,
    firing_since: datetime,
    by: str,
    segment_value: str | None = None,
    note: str = "",
    token: str | None = None,
) -> Acknowledgement:
    """Keep that somebody knows; when this returns, it is on disk.

    Args:
        store: where.
        project, alert, firing_since, segment_value, note: as in `Acknowledgement`.
        by: who knows.
        token: of the caller; the same one again gives the entry that is there already.

    Raises:
        StoreError: a text is empty or too long, or the store cannot be written.
    """
    values: dict[str, Value] = {
        **_about(project, alert, segment_value),
        "token": token or new_token(),
        "firing_since": instant_text(firing_since),
        "acknowledged_by": who(by, "who knows about it"),
        "acknowledged_at": now_text(),
        "note": note_of(note),
    }
    return _acknowledgement(
        store.write(lambda session: insert_once(session, "assay_acknowledgements", values))
    )


def acknowledgements(store: Store, project: str) -> tuple[Acknowledgement, ...]:
    """Who said they know about what, the oldest first.

    Raises:
        StoreError: the store cannot be read.
    """
    return tuple(map(_acknowledgement, _rows(store, "assay_acknowledgements", project)))


def silence(  # noqa: PLR0913  # one a column
    store: Store,
    *,
    project: str,
    ends_at: datetime,
    by: str,
    alert: str | None = None,
    segment_value: str | None = None,
    starts_at: datetime | None = None,
    note: str = "",
    token: str | None = None,
) -> Silence:
    """Keep that nothing is told about an alert, or a whole project, until an instant.

    Args:
        store: where.
        project, ends_at, alert, segment_value, note: as in `Silence`.
        by: who wants it.
        starts_at: now where None.
        token: of the caller; the same one again gives the entry that is there already.

    Raises:
        StoreError: it ends before it begins, or already, or lasts longer than `LONGEST_SILENCE`; a text is empty or
            too long, or the store cannot be written.
    """
    now = datetime.now(UTC)
    begins = now if starts_at is None else starts_at
    _check_stretch(begins, ends_at, now)
    values: dict[str, Value] = {
        **_about(project, alert, segment_value),
        "token": token or new_token(),
        "starts_at": instant_text(begins),
        "ends_at": instant_text(ends_at),
        "silenced_by": who(by, "who silences it"),
        "silenced_at": instant_text(now),
        "note": note_of(note),
    }
    return _silence(store.write(lambda session: insert_once(session, "assay_silences", values)))


def end_silence(store: Store, *, project: str, silence_id: int, by: str) -> Silence:
    """End a silence now; one that is over, or was ended, stays as it is.

    Raises:
        StoreError: there is no such silence, who ends it is not said, or the store cannot be written.
    """
    values: dict[str, Value] = {
        "id": silence_id, "project": project, "now": now_text(), "by": who(by, "who ends it"),
    }  # fmt: skip

    def work(session: Session) -> Silence:
        session.execute(
            "UPDATE assay_silences SET ended_at = :now, ended_by = :by "
            "WHERE id = :id AND project = :project AND ended_at IS NULL AND ends_at > :now",
            values,
        )
        found = session.execute(
            "SELECT * FROM assay_silences WHERE id = :id AND project = :project",
            {"id": silence_id, "project": project},
        )
        if not found:
            raise StoreError(f"there is no silence {silence_id} in {project}")
        return _silence(found[0])

    return store.write(work)


def silences(store: Store, project: str, since: datetime | None = None) -> tuple[Silence, ...]:
    """The silences of a project, the oldest first.

    Args:
        store: where.
        project: its name.
        since: only those that end after this instant.

    Raises:
        StoreError: the store cannot be read.
    """
    found = tuple(map(_silence, _rows(store, "assay_silences", project)))
    return found if since is None else tuple(each for each in found if each.until > since)


def add_note(
    store: Store,
    *,
    project: str,
    note: str,
    by: str,
    alert: str | None = None,
    segment_value: str | None = None,
    token: str | None = None,
) -> Note:
    """Keep a note on an alert or a project; when this returns, it is on disk.

    Args:
        store: where.
        project, note, alert, segment_value: as in `Note`.
        by: who writes it.
        token: of the caller; the same one again gives the entry that is there already.

    Raises:
        StoreError: a text is empty or too long, or the store cannot be written.
    """
    values: dict[str, Value] = {
        **_about(project, alert, segment_value),
        "token": token or new_token(),
        "written_by": who(by, "who writes it"),
        "written_at": now_text(),
        "note": clean(note, "the note", LONGEST_NOTE),
    }
    return _note(store.write(lambda session: insert_once(session, "assay_notes", values)))


def notes(store: Store, project: str) -> tuple[Note, ...]:
    """The notes of a project and its alerts, the oldest first.

    Raises:
        StoreError: the store cannot be read.
    """
    return tuple(map(_note, _rows(store, "assay_notes", project)))


def insert_once(session: Session, table: str, values: dict[str, Value]) -> dict[str, Any]:
    """A row with a token: inserted, or found where it is there already. Names are constants of this package."""
    columns = ", ".join(values)
    bound = ", ".join(f":{name}" for name in values)
    session.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({bound}) ON CONFLICT (token) DO NOTHING", values
    )
    return session.execute(f"SELECT * FROM {table} WHERE token = :token", {"token": values["token"]})[0]


def _about(project: str, alert: str | None, segment_value: str | None) -> dict[str, Value]:
    if alert is None and segment_value is not None:
        raise StoreError("name the alert that the segment value belongs to")
    return {
        "project": word(project, "the project's name"),
        "alert": None if alert is None else word(alert, "the alert's name"),
        "segment_value": None if segment_value is None else word(segment_value, "the segment value"),
    }


def _check_stretch(begins: datetime, ends: datetime, now: datetime) -> None:
    if ends <= begins:
        raise StoreError("the silence ends before it begins")
    if ends <= now:
        raise StoreError("the silence would be over already; say an end that is still to come")
    if ends - begins > LONGEST_SILENCE:
        raise StoreError(
            f"a silence lasts {LONGEST_SILENCE.days} days at most; for longer, change or remove the rule"
        )


def _rows(store: Store, table: str, project: str) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM {table} WHERE project = :project ORDER BY id"
    return store.read(lambda session: session.execute(sql, {"project": project}), [])


def _acknowledgement(row: dict[str, Any]) -> Acknowledgement:
    return Acknowledgement(
        row["id"], row["project"], row["alert"], row["segment_value"], instant(row["firing_since"]),
        row["acknowledged_by"], instant(row["acknowledged_at"]), row["note"],
    )  # fmt: skip


def _silence(row: dict[str, Any]) -> Silence:
    return Silence(
        row["id"], row["project"], row["alert"], row["segment_value"], instant(row["starts_at"]),
        instant(row["ends_at"]), row["silenced_by"], instant(row["silenced_at"]), row["note"],
        instant_or_none(row["ended_at"]), row["ended_by"],
    )  # fmt: skip


def _note(row: dict[str, Any]) -> Note:
    return Note(
        row["id"], row["project"], row["alert"], row["segment_value"], row["written_by"],
        instant(row["written_at"]), row["note"],
    )  # fmt: skip
