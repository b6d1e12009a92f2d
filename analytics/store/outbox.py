"""Messages and whom each one reached: claimed before they are sent, tried again, given up in the open.

A message is written in the transaction of the look that found its reason, with one delivery for every address it is
for. Who sends it claims the delivery first, for a while, in a transaction of its own; then sends; then says how it
went. Nothing else can send it meanwhile. Should the sender die between sending and saying so, nobody can know whether
the message went out: when the claim ends it is sent once more, with a word that it may be a repeat and the same number,
by which a receiver can tell.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from analytics.store.engine import Session, Value
from analytics.store.ledger import new_token
from analytics.store.store import Store
from analytics.store.texts import instant, instant_or_none, instant_text, key_of, now_text

Kind = Literal["firing", "more", "still", "missed", "over"]
Severity = Literal["page", "ticket"]
DeliveryState = Literal["waiting", "sending", "sent", "given_up"]
LEASE = timedelta(minutes=3)
"""How long a claim holds; every address answers, or fails to, well within it."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(days=3)
_LOCK = "deliveries"
_OPEN = (
    "SELECT d.id, d.message_id, d.address, d.state, d.tries, d.unsure, d.next_try, m.thread, m.severity, m.written_at "
    "FROM assay_deliveries d JOIN assay_messages m ON m.id = d.message_id "
    "WHERE d.state IN ('waiting', 'sending') ORDER BY d.message_id, d.id"
)


@dataclass(frozen=True)
class Draft:
    """A message to be.

    Attributes:
        thread: of the incident; messages of one thread reach an address in order.
        kind: it fires; more of it fires; it still fires now that its silence is over; it fired and was over before
            anybody looked; it is over.
        severity: whom to tell.
        title, body: plain text, harmless.
        addresses: names of the addresses it is for; with ``over`` those that were told before are added.
    """

    thread: str
    kind: Kind
    severity: Severity
    title: str
    body: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """A message that is kept.

    Attributes:
        id: its number in the store, growing.
        key: nothing else has the same.
        at: the instant of the look it comes from, by the project's clock.
        written_at: when it was written, by the wall clock.
    """

    id: int
    key: str
    project: str
    thread: str
    kind: Kind
    severity: Severity
    title: str
    body: str
    at: datetime
    written_at: datetime

    @property
    def number(self) -> str:
        """By which a receiver can tell a repeat: the same for the same message, whoever sends it how often."""
        return sha256(self.key.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Delivery:
    """A message on its way to one address.

    Attributes:
        id: its number in the store.
        message: what is told.
        address: the name of the address; what it stands for is never kept.
        state: ``waiting`` for its turn, ``sending``, ``sent``, or ``given_up``.
        tries: how often it was tried.
        unsure: how many of these ended without anybody knowing how.
        next_try: when it is its turn; while it is being sent, when the claim ends.
        problem: what was wrong the last time; empty where nothing was.
        done_at: when it was sent or given up.
    """

    id: int
    message: Message
    address: str
    state: DeliveryState
    tries: int
    unsure: int
    next_try: datetime
    problem: str
    done_at: datetime | None


@dataclass(frozen=True)
class Claim:
    """The right to send one delivery, until `LEASE` is over.

    Attributes:
        token: of this claim.
        delivery: which, as it is now.
    """

    token: str
    delivery: Delivery


def add_message(session: Session, project: str, at: datetime, draft: Draft) -> Message:
    """Keep a message and its deliveries, in the transaction of its reason."""
    thread: dict[str, Value] = {"project": project, "thread": draft.thread}
    earlier = session.execute(
        "SELECT count(*) AS many FROM assay_messages WHERE project = :project AND thread = :thread", thread
    )[0]["many"]
    now = now_text()
    values: dict[str, Value] = {
        **thread,
        "key": key_of(project, draft.thread, int(earlier)),
        "kind": draft.kind,
        "severity": draft.severity,
        "title": draft.title,
        "body": draft.body,
        "at": instant_text(at),
        "written_at": now,
    }
    session.execute(
        "INSERT INTO assay_messages (key, project, thread, kind, severity, title, body, at, written_at) "
        "VALUES (:key, :project, :thread, :kind, :severity, :title, :body, :at, :written_at)",
        values,
    )
    kept = session.execute("SELECT * FROM assay_messages WHERE key = :key", {"key": values["key"]})[0]
    told = session.execute(
        "SELECT DISTINCT d.address FROM assay_deliveries d JOIN assay_messages m ON m.id = d.message_id "
        "WHERE m.project = :project AND m.thread = :thread",
        thread,
    )
    before = [str(row["address"]) for row in told] if draft.kind == "over" else []
    for address in dict.fromkeys((*draft.addresses, *sorted(before))):
        session.execute(
            "INSERT INTO assay_deliveries (message_id, address, state, tries, unsure, next_try, problem) "
            "VALUES (:message, :address, 'waiting', 0, 0, :now, '')",
            {"message": kept["id"], "address": address, "now": now},
        )
    return _message(kept)


def claim_next(store: Store, addresses: Collection[str], now: datetime | None = None) -> Claim | None:
    """The right to send the next delivery that is due to one of these addresses; None where there is none.

    Pages go first. A message waits until the earlier ones of its thread have reached the address or were given up.

    Raises:
        StoreError: the store cannot be written.
    """
    moment = now or datetime.now(UTC)
    if _next(store.read(lambda session: session.execute(_OPEN), []), addresses, moment) is None:
        # most looks find nothing to do, and then nobody else has to wait
        return None
    token = new_token()
    values: dict[str, Value] = {"token": token, "until": instant_text(moment + LEASE)}

    def work(session: Session) -> Claim | None:
        session.lock(_LOCK)
        # an earlier try of this transaction, whose outcome was not known, may have made this very claim
        claimed = _claimed(session, token)
        chosen = None if claimed else _next(session.execute(_OPEN), addresses, moment)
        if chosen is None:
            return claimed
        session.execute(
            "UPDATE assay_deliveries SET unsure = unsure + CASE WHEN state = 'sending' THEN 1 ELSE 0 END, "
            "state = 'sending', claim = :token, next_try = :until, tries = tries + 1 WHERE id = :id",
            {**values, "id": chosen},
        )
        return _claimed(session, token)

    return store.write(work)


def settle(store: Store, claim: Claim, problem: str | None, now: datetime | None = None) -> DeliveryState:
    """Say how a sending went.

    Args:
        store: where.
        claim: of it; a claim that ended and was taken by somebody else says nothing any more.
        problem: what was wrong; None where it was sent.
        now: instead of this instant.

    Returns:
        What became of the delivery.

    Raises:
        StoreError: the store cannot be written.
    """
    moment = now or datetime.now(UTC)
    delivery = claim.delivery
    after: DeliveryState = "sent"
    if problem is not None:
        late = moment - delivery.message.written_at >= GIVE_UP_AFTER
        after = "given_up" if late else "waiting"
    again = moment + wait_after(delivery.tries)
    values: dict[str, Value] = {
        "id": delivery.id,
        "claim": claim.token,
        "state": after,
        "problem": (problem or "")[:300],
        "next_try": instant_text(again),
        "done_at": None if after == "waiting" else instant_text(moment),
    }

    def work(session: Session) -> DeliveryState:
        session.execute(
            "UPDATE assay_deliveries SET state = :state, problem = :problem, next_try = :next_try, done_at = :done_at, "
            "claim = NULL WHERE id = :id AND claim = :claim",
            values,
        )
        if problem is not None:
            _hold_back(session, delivery.address, moment)
        return after

    return store.write(work)


def give_up_old(store: Store, now: datetime | None = None) -> int:
    """Give up what nobody could send for `GIVE_UP_AFTER`, such as to an address that was taken out; how many.

    Raises:
        StoreError: the store cannot be written.
    """
    moment = now or datetime.now(UTC)
    values: dict[str, Value] = {"now": instant_text(moment), "old": instant_text(moment - GIVE_UP_AFTER)}
    where = (
        "state IN ('waiting', 'sending') AND next_try <= :now AND tries = 0 "
        "AND message_id IN (SELECT id FROM assay_messages WHERE written_at <= :old)"
    )
    sql = f"SELECT count(*) AS many FROM assay_deliveries WHERE {where}"
    found = store.read(lambda session: int(session.execute(sql, values)[0]["many"]), 0)
    if found:
        update = (
            "UPDATE assay_deliveries SET state = 'given_up', done_at = :now, "
            f"problem = 'no watcher knows this address any more' WHERE {where}"
        )
        store.write(lambda session: session.execute(update, values))
    return found


def next_due(store: Store, addresses: Collection[str]) -> datetime | None:
    """When the next delivery to one of these addresses may be tried; None where none is open.

    Raises:
        StoreError: the store cannot be read.
    """
    rows: list[dict[str, Any]] = store.read(lambda session: session.execute(_OPEN), [])
    return min((instant(row["next_try"]) for row in rows if row["address"] in addresses), default=None)


def deliveries(store: Store, project: str | None = None, limit: int = 1000) -> tuple[Delivery, ...]:
    """Messages and how far they came, the newest first; a message for nobody has no delivery.

    Raises:
        StoreError: the store cannot be read.
    """
    where, values = _of_project(project, limit)
    sql = (
        "SELECT m.id AS message_number, m.key, m.project, m.thread, m.kind, m.severity, m.title, m.body, m.at, "
        "m.written_at, d.id, d.address, d.state, d.tries, d.unsure, d.next_try, d.problem, d.done_at "
        f"FROM assay_deliveries d JOIN assay_messages m ON m.id = d.message_id {where}ORDER BY d.id DESC LIMIT :many"
    )
    rows: list[dict[str, Any]] = store.read(lambda session: session.execute(sql, values), [])
    return tuple(_delivery({**row, "message_id": row["message_number"]}) for row in rows)


def messages(store: Store, project: str | None = None, limit: int = 1000) -> tuple[Message, ...]:
    """Messages, the newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    where, values = _of_project(project, limit)
    sql = f"SELECT m.* FROM assay_messages m {where}ORDER BY m.id DESC LIMIT :many"
    rows: list[dict[str, Any]] = store.read(lambda session: session.execute(sql, values), [])
    return tuple(map(_message, rows))


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that failed: twice as long each time, apart from those of others."""
    doublings = min(max(tries - 1, 0), 10)
    longest: timedelta = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return longest * random.uniform(0.8, 1.2)  # noqa: S311  # only spreads


def _next(rows: Collection[Mapping[str, Any]], addresses: Collection[str], moment: datetime) -> int | None:
    """The delivery whose turn it is; rows in the order of their messages."""
    now, held, due = instant_text(moment), set(), []
    for row in rows:
        place = (row["thread"], row["address"])
        if row["address"] in addresses and place not in held and row["next_try"] <= now:
            due.append(row)
        held.add(place)
    first = min(due, key=lambda row: (row["severity"] != "page", row["next_try"], row["id"]), default=None)
    return None if first is None else int(first["id"])


def _claimed(session: Session, token: str) -> Claim | None:
    rows = session.execute(
        "SELECT m.*, d.id AS delivery_id, d.address, d.state, d.tries, d.unsure, d.next_try, d.problem, d.done_at "
        "FROM assay_deliveries d JOIN assay_messages m ON m.id = d.message_id WHERE d.claim = :token",
        {"token": token},
    )
    if not rows:
        return None
    row = rows[0]
    return Claim(token, _delivery({**row, "message_id": row["id"], "id": row["delivery_id"]}))


def _hold_back(session: Session, address: str, moment: datetime) -> None:
    """Others for an address that has just failed wait a little, too: it is asked once, not once a message."""
    session.execute(
        "UPDATE assay_deliveries SET next_try = :later "
        "WHERE address = :address AND state = 'waiting' AND next_try < :later",
        {"address": address, "later": instant_text(moment + FIRST_WAIT)},
    )


def _of_project(project: str | None, limit: int) -> tuple[str, dict[str, Value]]:
    if project is None:
        return "", {"many": limit}
    return "WHERE m.project = :project ", {"project": project, "many": limit}


def _message(row: Mapping[str, Any]) -> Message:
    return Message(
        row["id"], row["key"], row["project"], row["thread"], row["kind"], row["severity"], row["title"], row["body"],
        instant(row["at"]), instant(row["written_at"]),
    )  # fmt: skip


def _delivery(row: Mapping[str, Any]) -> Delivery:
    return Delivery(
        row["id"], _message({**row, "id": row["message_id"]}), row["address"], row["state"], row["tries"],
        row["unsure"], instant(row["next_try"]), row["problem"], instant_or_none(row["done_at"]),
    )  # fmt: skip
