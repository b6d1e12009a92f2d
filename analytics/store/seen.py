"""Alerts as they were last seen and told; a look writes what changed and what is to be told in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from analytics.store.engine import Session, Value
from analytics.store.outbox import Draft, Message, add_message
from analytics.store.store import Store
from analytics.store.texts import instant, instant_or_none, instant_text, key_of, now_text

Told = Literal["nothing", "firing", "silenced"]
"""What was last told of a target: nothing is open, that it fires, or that it fires while it is silenced (no word)."""


class Who(NamedTuple):
    """A target of a rule, as a key."""

    alert: str
    version: str | None = None
    segment: str | None = None
    segment_value: str | None = None


@dataclass(frozen=True)
class KeptState:
    """A target as it was last seen.

    Attributes:
        state: a word of `analytics.alerts.rows.State`.
        since: when its condition began.
        told: see `Told`.
        thread: of the messages about the incident it belongs to; None while nothing is open.
    """

    state: str = "ok"
    since: datetime | None = None
    told: Told = "nothing"
    thread: str | None = None


@dataclass(frozen=True)
class SeenTransition:
    """A change of state as a watcher saw it.

    Attributes:
        at: the instant of the look, by the project's clock.
        value, ci_low, ci_high: the number then; None where there was none.
        seen_at: when the watcher wrote it, by the wall clock.
    """

    who: Who
    at: datetime
    state_before: str
    state: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    seen_at: datetime


@dataclass(frozen=True)
class Change:
    """A target that is not what it was.

    Attributes:
        before, after: as it was kept, and as it is to be kept.
        value, ci_low, ci_high: its number.
    """

    who: Who
    before: KeptState
    after: KeptState
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True)
class Plan:
    """What a look leads to."""

    changes: tuple[Change, ...] = ()
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True)
class Kept:
    """What is known before a look.

    Attributes:
        states: of every target that was ever anything but ok.
        looked_at: the instant of the last look; None before the first one.
    """

    states: Mapping[Who, KeptState]
    looked_at: datetime | None


@dataclass(frozen=True)
class Looked:
    """What a look wrote.

    Attributes:
        messages: what is to be told now.
        behind: the instant of an earlier look that was later than this one; then nothing was written.
    """

    messages: tuple[Message, ...] = ()
    behind: datetime | None = None


def keep_look(store: Store, project: str, at: datetime, plan: Callable[[Kept], Plan]) -> Looked:
    """Write what changed since the last look, and its messages, all of it or nothing.

    Looks of one project come one after the other, whichever process makes them: the second of two that see the same
    finds it written. A look at an earlier instant than the last one changes nothing.

    Args:
        store: where.
        project: its name.
        at: the instant of the look.
        plan: what follows from what is kept; it may be called more than once and only computes.

    Raises:
        StoreError: the store cannot be written.
    """

    def work(session: Session) -> Looked:
        session.lock(f"look {project}")
        kept = _kept(session, project)
        if kept.looked_at is not None and at < kept.looked_at:
            return Looked(behind=kept.looked_at)
        planned = plan(kept)
        seen_at = now_text()
        for change in planned.changes:
            _keep_change(session, project, at, change, seen_at)
        session.execute(
            "INSERT INTO assay_looks (project, looked_at, seen_at) VALUES (:project, :at, :seen_at) "
            "ON CONFLICT (project) DO UPDATE SET looked_at = excluded.looked_at, seen_at = excluded.seen_at",
            {"project": project, "at": instant_text(at), "seen_at": seen_at},
        )
        return Looked(tuple(add_message(session, project, at, draft) for draft in planned.drafts))

    return store.write(work)


def kept_states(store: Store, project: str) -> Kept:
    """What is known of a project's alerts; for a dry run and for pages.

    Raises:
        StoreError: the store cannot be read.
    """
    return store.read(lambda session: _kept(session, project), Kept({}, None))


def seen_transitions(store: Store, project: str, limit: int = 500) -> tuple[SeenTransition, ...]:
    """The changes of state that watchers saw, the newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    sql = "SELECT * FROM assay_transitions WHERE project = :project ORDER BY id DESC LIMIT :many"
    values: dict[str, Value] = {"project": project, "many": limit}
    kept: list[dict[str, Any]] = store.read(lambda session: session.execute(sql, values), [])
    return tuple(
        SeenTransition(
            _who(row), instant(row["at"]), row["state_before"], row["state"], row["value"], row["ci_low"],
            row["ci_high"], instant(row["seen_at"]),
        )
        for row in kept
    )  # fmt: skip


def _kept(session: Session, project: str) -> Kept:
    looked = session.execute(
        "SELECT looked_at FROM assay_looks WHERE project = :project", {"project": project}
    )
    rows = session.execute("SELECT * FROM assay_states WHERE project = :project", {"project": project})
    states = {
        _who(row): KeptState(row["state"], instant_or_none(row["since"]), row["told"], row["thread"])
        for row in rows
    }
    return Kept(states, instant(looked[0]["looked_at"]) if looked else None)


def _keep_change(session: Session, project: str, at: datetime, change: Change, seen_at: str) -> None:
    who, after = change.who, change.after
    target: dict[str, Value] = {"project": project, **who._asdict()}
    session.execute(
        "INSERT INTO assay_states (key, project, alert, version, segment, segment_value, state, since, told, thread, "
        "changed_at) VALUES (:key, :project, :alert, :version, :segment, :segment_value, :state, :since, :told, "
        ":thread, :changed_at) ON CONFLICT (key) DO UPDATE SET state = excluded.state, since = excluded.since, "
        "told = excluded.told, thread = excluded.thread, changed_at = excluded.changed_at",
        {
            **target,
            "key": key_of(project, *who),
            "state": after.state,
            "since": None if after.since is None else instant_text(after.since),
            "told": after.told,
            "thread": after.thread,
            "changed_at": instant_text(at),
        },
    )
    if change.before.state == after.state:
        return
    session.execute(
        "INSERT INTO assay_transitions (project, alert, version, segment, segment_value, at, state_before, state, "
        "value, ci_low, ci_high, seen_at) VALUES (:project, :alert, :version, :segment, :segment_value, :at, "
        ":state_before, :state, :value, :ci_low, :ci_high, :seen_at)",
        {
            **target,
            "at": instant_text(at),
            "state_before": change.before.state,
            "state": after.state,
            "value": change.value,
            "ci_low": change.ci_low,
            "ci_high": change.ci_high,
            "seen_at": seen_at,
        },
    )


def _who(row: Mapping[str, Any]) -> Who:
    return Who(row["alert"], row["version"], row["segment"], row["segment_value"])
