"""Queues of rows that people are asked to label: drawn once, served to several people at once, never changed.

A queue keeps the chance with which each of its rows was drawn, since what is drawn anew has other chances. Rows are
handed out in order; who has one keeps it for a while, so that two people do not label the same row unless two are
wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.errors import StoreError
from analytics.store.engine import Session, Value
from analytics.store.ledger import new_token
from analytics.store.store import Store
from analytics.store.texts import instant, instant_text, now_text, who, word

HELD = timedelta(minutes=10)
"""How long a row is one person's."""
_AT_ONCE = 500


@dataclass(frozen=True)
class QueueRow:
    """One row of a queue.

    Attributes:
        place: in the order in which rows are asked about, from 1.
        prediction_id: of the row, as text.
        inclusion_probability: the chance with which it was drawn.
        reason: what it stands out by.
        wanted: how many people are asked about it.
    """

    place: int
    prediction_id: str
    inclusion_probability: float
    reason: str
    wanted: int


@dataclass(frozen=True)
class Queue:
    """A queue.

    Attributes:
        id: its number in the store.
        name: unique in its project.
        version: whose predictions are labelled; None where no version is declared.
        drawn_by, drawn_at: who drew it, and when.
        candidates: how many rows it was drawn from and stands for.
        content: how it was drawn, as JSON text.
        rows: in order.
    """

    id: int
    project: str
    name: str
    version: str | None
    drawn_by: str
    drawn_at: datetime
    candidates: int
    content: str
    rows: tuple[QueueRow, ...]


def add_queue(  # noqa: PLR0913  # one a column
    store: Store,
    *,
    project: str,
    name: str,
    version: str | None,
    drawn_by: str,
    candidates: int,
    content: str,
    rows: Sequence[QueueRow],
    token: str | None = None,
) -> Queue:
    """Keep a queue; when this returns, it is on disk.

    Args:
        store: where.
        project, name, version, drawn_by, candidates, content, rows: as in `Queue`.
        token: of the caller; the same one again gives the queue that is there already.

    Raises:
        StoreError: there is another queue of this name, a text is missing or too long, or the store cannot be written.
    """
    values: dict[str, Value] = {
        "token": token or new_token(),
        "project": word(project, "the project's name"),
        "name": who(name, "the queue's name"),
        "version": version,
        "drawn_by": who(drawn_by, "who draws"),
        "drawn_at": now_text(),
        "candidates": candidates,
        "content": content,
    }

    def work(session: Session) -> Queue:
        session.lock(f"queues of {values['project']}")
        same = {name: values[name] for name in ("project", "name")}
        known = session.execute(
            "SELECT token FROM assay_review_queues WHERE project = :project AND name = :name", same
        )
        if known and known[0]["token"] != values["token"]:
            raise StoreError(f'there is a queue "{values["name"]}" already; give another name')
        if not known:
            columns, bound = ", ".join(values), ", ".join(f":{column}" for column in values)
            session.execute(f"INSERT INTO assay_review_queues ({columns}) VALUES ({bound})", values)
            number = int(
                session.execute(
                    "SELECT id FROM assay_review_queues WHERE token = :token", {"token": values["token"]}
                )[0]["id"]
            )
            for first in range(0, len(rows), _AT_ONCE):
                _insert(session, number, rows[first : first + _AT_ONCE])
        return _queues(session, str(values["project"]), str(values["name"]))[0]

    return store.write(work)


def queues(store: Store, project: str, name: str | None = None) -> tuple[Queue, ...]:
    """The queues of a project, the newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    return store.read(lambda session: _queues(session, project, name), ())


def next_row(store: Store, queue: Queue, by: str, *, at: datetime | None = None) -> QueueRow | None:
    """The row a person is to label next, theirs for a while; None where there is none left for them.

    Args:
        store: where.
        queue: which.
        by: who asks.
        at: the present.

    Raises:
        StoreError: the name is missing, or the store cannot be written.
    """
    person, moment = who(by, "who labels"), at or datetime.now(UTC)
    values: dict[str, Value] = {
        "queue": queue.id, "project": queue.project, "by": person, "now": instant_text(moment),
        "until": instant_text(moment + HELD),
    }  # fmt: skip
    free = (
        "SELECT r.place FROM assay_review_rows r WHERE r.queue = :queue "
        "AND NOT EXISTS (SELECT 1 FROM assay_review_labels l WHERE l.project = :project "
        "AND l.prediction_id = r.prediction_id AND l.labelled_by = :by) "
        "AND NOT EXISTS (SELECT 1 FROM assay_review_claims c WHERE c.queue = r.queue AND c.place = r.place "
        "AND c.claimed_by = :by AND c.skipped = 1) "
        "AND (SELECT count(*) FROM assay_review_labels l WHERE l.project = :project "
        "AND l.prediction_id = r.prediction_id AND l.label IS NOT NULL) + "
        "(SELECT count(*) FROM assay_review_claims c WHERE c.queue = r.queue AND c.place = r.place "
        "AND c.claimed_by <> :by AND c.skipped = 0 AND c.until > :now AND NOT EXISTS ("
        "SELECT 1 FROM assay_review_labels l WHERE l.project = :project "
        "AND l.prediction_id = r.prediction_id AND l.labelled_by = c.claimed_by)) < r.wanted "
        "ORDER BY r.place LIMIT 1"
    )

    def work(session: Session) -> int | None:
        session.lock(f"queue {queue.id}")
        found = session.execute(free, {name: values[name] for name in ("queue", "project", "by", "now")})
        if not found:
            return None
        place = int(found[0]["place"])
        _claim(session, values | {"place": place}, skipped=False)
        return place

    place = store.write(work)
    return None if place is None else next(row for row in queue.rows if row.place == place)


def skip_row(store: Store, queue: Queue, place: int, by: str) -> None:
    """A person leaves a row to others; it does not come back to them.

    Raises:
        StoreError: the name is missing, there is no such row, or the store cannot be written.
    """
    if not 1 <= place <= len(queue.rows):
        raise StoreError(f"the queue has no row {place}")
    values: dict[str, Value] = {
        "queue": queue.id,
        "place": place,
        "by": who(by, "who labels"),
        "until": now_text(),
    }
    store.write(lambda session: _claim(session, values, skipped=True))


def _claim(session: Session, values: dict[str, Value], *, skipped: bool) -> None:
    session.execute(
        "INSERT INTO assay_review_claims (queue, place, claimed_by, until, skipped) "
        "VALUES (:queue, :place, :by, :until, :skipped) ON CONFLICT (queue, place, claimed_by) "
        "DO UPDATE SET until = excluded.until, skipped = excluded.skipped",
        {name: values[name] for name in ("queue", "place", "by", "until")} | {"skipped": int(skipped)},
    )


def _insert(session: Session, number: int, part: Sequence[QueueRow]) -> None:
    fields = ("place", "prediction_id", "inclusion_probability", "reason", "wanted")
    values: dict[str, Value] = {"queue": number}
    lines = []
    for i, row in enumerate(part):
        values |= {f"{field}_{i}": getattr(row, field) for field in fields}
        lines.append(f"(:queue, {', '.join(f':{field}_{i}' for field in fields)})")
    session.execute(
        f"INSERT INTO assay_review_rows (queue, {', '.join(fields)}) VALUES {', '.join(lines)}", values
    )


def _queues(session: Session, project: str, name: str | None) -> tuple[Queue, ...]:
    only = "" if name is None else " AND name = :name"
    values: dict[str, Value] = {"project": project}
    if name is not None:
        values["name"] = name
    found = session.execute(
        f"SELECT * FROM assay_review_queues WHERE project = :project{only} ORDER BY id DESC", values
    )
    rows = session.execute(
        "SELECT r.queue, r.place, r.prediction_id, r.inclusion_probability, r.reason, r.wanted "
        "FROM assay_review_rows r JOIN assay_review_queues q ON q.id = r.queue "
        f"WHERE q.project = :project{only and ' AND q.name = :name'} ORDER BY r.queue, r.place",
        values,
    )
    mine: dict[int, list[QueueRow]] = {}
    for row in rows:
        mine.setdefault(int(row.pop("queue")), []).append(QueueRow(**row))
    return tuple(_queue(row, mine.get(int(row["id"]), [])) for row in found)


def _queue(row: dict[str, Any], rows: Sequence[QueueRow]) -> Queue:
    kept = {name: value for name, value in row.items() if name != "token"}
    return Queue(**{**kept, "drawn_at": instant(row["drawn_at"]), "rows": tuple(rows)})
