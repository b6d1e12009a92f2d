"""What people said about alerts, laid over what the rules say: silenced, and known to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from analytics.alerts.rows import AlertRow
from analytics.store.alerts import Acknowledgement, Note, Silence, acknowledgements, notes, silences
from analytics.store.store import Store

OPEN = ("firing", "recovering")


@dataclass(frozen=True)
class Said:
    """Everything people said about the alerts of a project, the oldest first."""

    acknowledgements: tuple[Acknowledgement, ...] = ()
    silences: tuple[Silence, ...] = ()
    notes: tuple[Note, ...] = ()

    def silence_of(self, alert: str, segment_value: str | None, at: datetime) -> Silence | None:
        """What keeps an alert quiet at an instant; of several the one that lasts longest."""
        found = [silence for silence in self.silences if silence.covers(alert, segment_value, at)]
        return max(found, key=lambda silence: silence.until, default=None)

    def known_to(self, row: AlertRow) -> Acknowledgement | None:
        """Who said last that they know about this firing; None for one that began after all they said."""
        if row.since is None or row.state not in {*OPEN, "silenced", "no_data"}:
            return None
        since = row.since
        found = [
            said
            for said in self.acknowledgements
            if said.alert == row.alert
            and said.segment_value in {None, row.segment_value}
            and said.firing_since >= since
        ]
        return found[-1] if found else None


def read_said(store: Store, project: str) -> Said:
    """Everything people said about the alerts of a project.

    Raises:
        StoreError: the store cannot be read.
    """
    return Said(acknowledgements(store, project), silences(store, project), notes(store, project))


def with_said(rows: Iterable[AlertRow], said: Said, at: datetime | None = None) -> tuple[AlertRow, ...]:
    """Alerts as people know them: silenced where somebody silenced them, and with who knows.

    Args:
        rows: as the rules say.
        said: by people.
        at: the instant whose silences count: now where None. It is the wall clock's, also where the project's own
            clock stands at the end of a finished log.
    """
    moment = at or datetime.now(UTC)
    return tuple(_with(row, said, moment) for row in rows)


def notes_on(said: Said, row: AlertRow) -> Sequence[Note]:
    """The notes that belong beside an alert: its own and those on the whole project."""
    return [
        note
        for note in said.notes
        if note.alert in {None, row.alert} and note.segment_value in {None, row.segment_value}
    ]


def _with(row: AlertRow, said: Said, at: datetime) -> AlertRow:
    known = said.known_to(row)
    quiet = said.silence_of(row.alert, row.segment_value, at)
    hushed = quiet is not None and row.state in OPEN
    return replace(
        row,
        state="silenced" if hushed else row.state,
        acknowledged_by=None if known is None else known.acknowledged_by,
        silenced_until=None if quiet is None else quiet.until,
    )
