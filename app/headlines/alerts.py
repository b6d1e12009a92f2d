"""First lines of the Alerts page and of what was told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.alerts.rows import AlertRow, IncidentRow
from analytics.store.outbox import Delivery, Message
from analytics.store.seen import Kept
from app.formats import day, listed, local, plural
from app.headlines.verdict import Verdict

STATE_WORDS = {
    "firing": "◆ firing", "recovering": "◇ recovering", "silenced": "■ silenced", "pending": "▲ pending",
    "no_data": "✕ no data", "ok": "● ok",
}  # fmt: skip
"""Word and shape of a state, so that it does not rest on colour."""
ACTION_WORDS = {
    "wait": "Wait: it is likely to pass by itself.", "roll_back": "Roll back the release.", "retrain": "Retrain.",
    "relabel": "Have the labels looked at.", "fix_upstream": "Have it fixed where the data come from.",
    "look": "Look at the evidence.",
}  # fmt: skip


def alerts_verdict(rows: Sequence[AlertRow], incidents: Sequence[IncidentRow], *, zone: ZoneInfo) -> Verdict:
    """What fires and since when; else what is about to, is silenced, or cannot be said."""
    if not rows:
        return Verdict("unknown", "No rule has looked at anything yet: there are no windows that are over.")
    loud = [row for row in rows if row.state in {"firing", "recovering"}]
    firing = [row for row in loud if row.state == "firing"]
    if firing:
        return Verdict("worse", _firing(firing, [one for one in incidents if _has(one, loud)], zone))
    silenced = sum(row.state == "silenced" for row in rows)
    quiet = (
        f" {plural(silenced, 'alert')} would fire and {'is' if silenced == 1 else 'are'} silenced."
        if silenced
        else ""
    )
    if loud:
        names = listed(list(dict.fromkeys(row.alert for row in loud))[:3])
        return Verdict(
            "changed", f"Nothing fires; {names} {'is' if len(loud) == 1 else 'are'} recovering.{quiet}"
        )
    pending = list(dict.fromkeys(row.alert for row in rows if row.state == "pending"))
    if pending:
        return Verdict("changed", f"Nothing fires yet; {listed(pending[:3])} would if it goes on.{quiet}")
    blind = list(dict.fromkeys(row.alert for row in rows if row.state == "no_data"))
    rules = len({row.alert for row in rows})
    if blind:
        return Verdict("unknown", f"Nothing fires, and {listed(blind[:3])} saw no data.{quiet}")
    return Verdict(
        "same", f"Nothing fires: {plural(rules, 'rule')} looked at {plural(len(rows), 'target')}.{quiet}"
    )


def seen_verdict(kept: Kept, *, zone: ZoneInfo) -> Verdict:
    """What fired when a watcher looked last."""
    when_seen = "" if kept.looked_at is None else f", looked at {when(kept.looked_at, zone)}"
    states = {
        state: [who.alert for who, one in kept.states.items() if one.state == state] for state in STATE_WORDS
    }
    firing = list(dict.fromkeys(states["firing"]))
    if firing:
        names = listed(firing[:3]) + (f" and {len(firing) - 3} more" if len(firing) > 3 else "")
        return Verdict("worse", f"Firing: {names}{when_seen}.")
    others = [
        f"{len(found)} {state.replace('_', ' ')}"
        for state, found in states.items()
        if found and state != "ok"
    ]
    return Verdict(
        "changed" if others else "same", f"Nothing fires{when_seen}{': ' + listed(others) if others else ''}."
    )


def _has(incident: IncidentRow, rows: Sequence[AlertRow]) -> bool:
    return any(row.incident == incident.incident for row in rows)


def _firing(firing: Sequence[AlertRow], incidents: Sequence[IncidentRow], zone: ZoneInfo) -> str:
    if not incidents:
        return " ".join(row.sentence for row in firing[:2])
    first, more = incidents[0], len(incidents) - 1
    since = when(first.since, zone)
    several = "" if first.n_targets == 1 else f" ({first.n_targets} alerts)"
    others = f" And {plural(more, 'other incident')}." if more > 0 else ""
    return f"Firing since {since}{several}: {_first_sentence(first.sentence)}{others}"


def _first_sentence(text: str) -> str:
    """What is the case; since when and what to do stand below it."""
    head = re.split(r"(?<=[^\s.]\.)\s+(?=[A-Z])", text, maxsplit=1)[0]
    return head if head.endswith(".") else f"{head}."


def told_sentence(messages: Sequence[Message], deliveries: Sequence[Delivery], *, zone: ZoneInfo) -> Verdict:
    """How far messages came."""
    if not messages:
        return Verdict(
            "unknown", "Nothing was told yet: `assay watch` sends messages when something fires or is over."
        )
    lost = [one for one in deliveries if one.state == "given_up"]
    open_ones = [one for one in deliveries if one.state in {"waiting", "sending"}]
    newest = f"The last one, {when(messages[0].written_at, zone)}: {messages[0].title}."
    if lost:
        return Verdict("worse", f"{plural(len(lost), 'delivery', 'deliveries')} failed for good. {newest}")
    if open_ones:
        failing = sorted({one.address for one in open_ones if one.problem})
        why = f"; {listed(failing)} did not take it" if failing else ""
        return Verdict(
            "changed", f"{plural(len(open_ones), 'delivery', 'deliveries')} on the way{why}. {newest}"
        )
    nobody = len(messages) - len({one.message.id for one in deliveries})
    if nobody:
        return Verdict(
            "changed", f"{plural(nobody, 'message')} went to nobody: ASSAY_NOTIFY names no address. {newest}"
        )
    return Verdict("same", f"Every message reached everybody it was for. {newest}")


def when(moment: datetime, zone: ZoneInfo) -> str:
    """A day and time in the project's zone."""
    there = local(moment, zone)
    return f"{day(there)} {there:%H:%M}"


def where(row: AlertRow | IncidentRow) -> str:
    """Of which rows, in words."""
    parts = [] if row.segment is None else [f"{row.segment} = {row.segment_value}"]
    if row.version is not None:
        parts.append(row.version)
    return ", ".join(parts) or "everywhere"
