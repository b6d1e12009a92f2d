"""What a look at the alerts leads to: what changed since the last one, and what is to be told about it.

A target is told of when it begins to fire, when it still fires as its silence ends, and when it is over; never twice
for one firing, however often anybody looks. Alerts of one incident are one message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from analytics.alerts import messages
from analytics.alerts.messages import Place
from analytics.alerts.rows import AlertRow, IncidentRow, Transition
from analytics.alerts.said import Said
from analytics.store.outbox import Draft, Kind, Severity
from analytics.store.seen import Change, Kept, KeptState, Plan, Told, Who

_NEWS: Mapping[Told, Kind | None] = {"nothing": "firing", "silenced": "still", "firing": None}
Route = Callable[[Severity], tuple[str, ...]]
"""Severity -> names of the addresses that are told."""


@dataclass(frozen=True)
class Look:
    """The alerts of a project at one instant, as people know them.

    Attributes:
        at: the instant, by the project's clock.
        rules: names of all that are declared.
        rows: every target of every rule, silences laid over.
        incidents: what belongs together.
        history: changes of state since the last look, for what fired and was over in between.
        said: by people.
    """

    at: datetime
    rules: Collection[str]
    rows: Sequence[AlertRow]
    incidents: Sequence[IncidentRow]
    history: Sequence[Transition] = ()
    said: Said = field(default_factory=Said)


def plan(kept: Kept, look: Look, place: Place, route: Route) -> Plan:
    """What is written and told.

    Args:
        kept: how everything was left by the last look.
        look: how it is.
        place: whose, for the texts.
        route: whom to tell.
    """
    steps = [_step(kept, row) for row in look.rows]
    grouped, drafts = _firing(look, steps, place, route)
    after = {step.who: step.after(grouped.get(step.who)) for step in steps}
    gone = _gone(kept, look)
    after |= {who: KeptState(state="ok", since=look.at) for who in gone}
    drafts += _over(kept, look, after, place)
    drafts += _missed(kept, look, place, route)
    rows = {who_of(row): row for row in look.rows}
    changes = [_change(kept, who, state, rows.get(who)) for who, state in after.items()]
    return Plan(tuple(change for change in changes if change is not None), tuple(drafts))


@dataclass(frozen=True)
class _Step:
    row: AlertRow
    who: Who
    before: KeptState
    told: Told
    kind: Kind | None

    def after(self, thread: str | None) -> KeptState:
        kept = None if self.told == "nothing" else thread or self.before.thread
        return KeptState(self.row.state, self.row.since, self.told, kept)


def who_of(row: AlertRow) -> Who:
    """The target of a row."""
    return Who(row.alert, row.version, row.segment, row.segment_value)


def _step(kept: Kept, row: AlertRow) -> _Step:
    before = kept.states.get(who_of(row), KeptState())
    told: Told = before.told
    kind: Kind | None = None
    match row.state:
        case "firing":
            kind = _NEWS[told]
            told = "firing"
        case "recovering" if told == "nothing":
            # it fired since the last look, and is not over
            kind, told = "firing", "firing"
        case "silenced":
            told = "silenced"
        case "ok" | "pending":
            told = "nothing"
        case _:
            # recovering and no_data: neither over nor news
            pass
    return _Step(row, who_of(row), before, told, kind)


def _firing(
    look: Look, steps: Sequence[_Step], place: Place, route: Route
) -> tuple[dict[Who, str], list[Draft]]:
    """Threads of the targets that fire, and one message for every incident with something new in it."""
    threads: dict[Who, str] = {}
    drafts: list[Draft] = []
    for incident, group in _incidents(look, steps):
        open_one = next((step.before.thread for step in group if step.before.told == "firing"), None)
        thread = open_one or incident.key
        threads |= {step.who: step.before.thread or thread for step in group if step.told != "nothing"}
        new = [step for step in group if step.kind is not None]
        if not new:
            continue
        threads |= {step.who: thread for step in new}
        kind: Kind = (
            "more" if open_one else "still" if all(step.kind == "still" for step in new) else "firing"
        )
        rows = [step.row for step in group if step.row.state != "silenced"]
        text = messages.firing(place, kind, incident, rows, [step.row for step in new])
        drafts.append(Draft(thread, kind, incident.severity, text.title, text.body, route(incident.severity)))
    return threads, drafts


def _incidents(look: Look, steps: Sequence[_Step]) -> list[tuple[IncidentRow, list[_Step]]]:
    """What fires, by incident; a target that belongs to none is one by itself."""
    known = {incident.incident: incident for incident in look.incidents}
    members: dict[int, list[_Step]] = {}
    alone: list[tuple[IncidentRow, list[_Step]]] = []
    for step in steps:
        if step.row.state not in {"firing", "recovering", "silenced"}:
            continue
        if step.row.incident in known:
            members.setdefault(step.row.incident, []).append(step)
        else:
            alone.append((_alone(step.row), [step]))
    return [*((known[number], group) for number, group in members.items()), *alone]


def _over(kept: Kept, look: Look, after: Mapping[Who, KeptState], place: Place) -> list[Draft]:
    """One message for every thread of which nothing fires any more."""
    left = {state.thread for state in after.values() if state.told == "firing"}
    rows = {who_of(row): row for row in look.rows}
    ended: dict[str, list[Who]] = {}
    for who, before in kept.states.items():
        now = after.get(who)
        if before.told == "firing" and before.thread and now is not None and now.told == "nothing":
            ended.setdefault(before.thread, []).append(who)
    drafts = []
    for thread, members in ended.items():
        if thread in left:
            continue
        known = [rows[who] for who in members if who in rows]
        gone = [who.alert for who in members if who not in rows]
        began = min((since for who in members if (since := kept.states[who].since) is not None), default=None)
        severity: Severity = "page" if any(row.severity == "page" for row in known) else "ticket"
        text = messages.over(place, known, gone, began)
        drafts.append(Draft(thread, "over", severity, text.title, text.body, ()))
    return drafts


def _missed(kept: Kept, look: Look, place: Place, route: Route) -> list[Draft]:
    """One message for all that began to fire and was over between two looks."""
    if kept.looked_at is None:
        return []
    rows = {who_of(row): row for row in look.rows}
    found: list[tuple[Transition, AlertRow]] = []
    for change in look.history:
        target = change.target
        who = Who(change.alert, target.version, target.segment, target.segment_value)
        row = rows.get(who)
        fired = change.state == "firing" and change.before not in {"recovering", "no_data"}
        if row is None or not fired or not kept.looked_at < change.at <= look.at:
            continue
        told = kept.states.get(who, KeptState()).told
        quiet = look.said.silence_of(change.alert, target.segment_value, change.at)
        if row.state in {"ok", "pending"} and told == "nothing" and quiet is None:
            found.append((change, row))
    if not found:
        return []
    severity: Severity = "page" if any(row.severity == "page" for _, row in found) else "ticket"
    began = min(change.since for change, _ in found)
    text = messages.missed(
        place, [row.alert for _, row in found], [change.reading.sentence for change, _ in found], began
    )
    thread = f"missed {look.at.isoformat()}"
    return [Draft(thread, "missed", severity, text.title, text.body, route(severity))]


def _gone(kept: Kept, look: Look) -> list[Who]:
    """Targets that were something and are not looked at any more.

    A rule that is declared and gave no row at all could not be computed, which is not the same.
    """
    there = {who_of(row) for row in look.rows}
    failed = set(look.rules) - {row.alert for row in look.rows}
    return [
        who
        for who, state in kept.states.items()
        if who not in there and who.alert not in failed and state.state != "ok"
    ]


def _change(kept: Kept, who: Who, after: KeptState, row: AlertRow | None) -> Change | None:
    before = kept.states.get(who, KeptState())
    if (before.state, before.told, before.thread) == (after.state, after.told, after.thread):
        return None
    if row is None:
        return Change(who, before, after)
    return Change(who, before, after, row.value, row.ci_low, row.ci_high)


def _alone(row: AlertRow) -> IncidentRow:
    since = row.since or row.looked_at
    return IncidentRow(
        0, repr(tuple(who_of(row))), row.severity, row.state, since, (row.alert,), 1, row.version, row.segment,
        row.segment_value, row.window_start or since, row.window_end or row.looked_at, row.sentence, None, "look",
        row.evidence,
    )  # fmt: skip
