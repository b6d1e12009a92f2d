"""Alerts that fire together, told once: the likeliest common cause first, and what to do.

Causes flow one way: a feed that is dead or labels that stopped, failing requests and features that moved come before
scores and decisions, these before quality, and quality before what the product earns. So of the rules of one incident
those farthest upstream stand first, among them the one that began first. That is an order, not a proof: a cause is
claimed here only where a rule upstream of the others fires with them; `Workbench.incidents` asks `causes` for more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.alerts.asked import Asked
from analytics.alerts.episodes import Episode, grouped
from analytics.alerts.families import Family
from analytics.alerts.rows import AlertRow, IncidentRow, Target
from analytics.alerts.words import metric_name
from analytics.project import Alert

_UPSTREAM: dict[Family, int] = {
    "silence": 0, "label_feed": 1, "assertion": 2, "service": 2, "labels": 3, "drift": 3, "burn": 5, "quality": 5,
    "outcome": 6,
}  # fmt: skip
_OUTPUTS = ("score", "decision", "label")
_ACTIONS: dict[Family, str] = {
    "silence": "fix_upstream", "label_feed": "fix_upstream", "assertion": "fix_upstream", "drift": "fix_upstream",
    "labels": "wait", "service": "look", "burn": "look", "quality": "look", "outcome": "look",
}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One alert of an incident."""

    row: AlertRow
    family: Family

    @property
    def place(self) -> tuple[int, datetime, str, str]:
        """Where it stands: upstream first, then whoever began first."""
        return (_upstream(self), _began(self.row), self.row.alert, self.row.segment_value or "")


def incident_rows(
    rows: Sequence[AlertRow], episodes: Sequence[Episode], asked: Mapping[str, Asked]
) -> tuple[tuple[IncidentRow, ...], dict[tuple[str, Target], int]]:
    """What fires, by what belongs together, the most urgent first; and the number of every target's incident.

    Args:
        rows: of all rules, as they stand.
        episodes: firings of late, those that are over too: they hold together what began as one.
        asked: the rules by name.
    """
    known = {(row.alert, target_of(row)): row for row in rows}
    groups = []
    for episodes_together in grouped(episodes):
        active = [one for one in episodes_together if one.active and (one.alert, one.target) in known]
        members = [Member(known[one.alert, one.target], asked[one.alert].family) for one in active]
        if members:
            first = min(episodes_together, key=lambda one: (one.began, one.alert, _text(one.target)))
            groups.append((sorted(members, key=lambda one: one.place), first))
    groups.sort(key=lambda group: _urgency(group[0]))
    numbers: dict[tuple[str, Target], int] = {}
    found = []
    for number, (members, first) in enumerate(groups, start=1):
        numbers |= {(one.row.alert, target_of(one.row)): number for one in members}
        found.append(_incident(number, members, first, asked[members[0].row.alert].rule))
    return tuple(found), numbers


def target_of(row: AlertRow) -> Target:
    """Whom a row is about."""
    return Target(row.version, row.segment, row.segment_value)


def _text(target: Target) -> str:
    return "|".join(part or "" for part in (target.version, target.segment, target.segment_value))


def _began(row: AlertRow) -> datetime:
    return row.since or row.window_start or row.looked_at


def _upstream(member: Member) -> int:
    if member.family == "drift" and member.row.feature in _OUTPUTS:
        return 4
    return _UPSTREAM[member.family]


def _urgency(members: Sequence[Member]) -> tuple[bool, bool, datetime]:
    page = any(one.row.severity == "page" for one in members)
    fires = any(one.row.state == "firing" for one in members)
    return (not (page and fires), not fires, min(_began(one.row) for one in members))


def _incident(number: int, members: Sequence[Member], first: Episode, rule: Alert) -> IncidentRow:
    head = members[0]
    rows = [one.row for one in members]
    key = f"{first.alert}|{_text(first.target)}|{first.began.isoformat()}"
    return IncidentRow(
        incident=number,
        key=hashlib.sha256(key.encode()).hexdigest()[:16],
        severity="page" if any(row.severity == "page" for row in rows) else "ticket",
        state="firing" if any(row.state == "firing" for row in rows) else "recovering",
        since=min(_began(row) for row in rows),
        alerts=tuple(dict.fromkeys(row.alert for row in rows)),
        n_targets=len(rows),
        version=_one({row.version for row in rows}),
        segment=_one({row.segment for row in rows}),
        segment_value=_one({row.segment_value for row in rows}),
        window_start=min(row.window_start or row.looked_at for row in rows),
        window_end=max(row.window_end or row.looked_at for row in rows),
        sentence=_sentence(members),
        cause=_cause(members),
        action=rule.suggest or _ACTIONS[head.family],
        evidence=head.row.evidence,
    )


def _one(values: set[str | None]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _cause(members: Sequence[Member]) -> str | None:
    """The rule upstream of others, where there is one."""
    head = members[0]
    below = [one for one in members if _upstream(one) > _upstream(head)]
    if not below or _upstream(head) >= _UPSTREAM["quality"]:
        return None
    names = list(dict.fromkeys(metric_name(one.row.metric) for one in below))
    others = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
    return f"{head.row.sentence} It is upstream of the others: {others} may follow from it."


def _sentence(members: Sequence[Member]) -> str:
    head = members[0].row
    if len(members) == 1:
        return head.sentence
    rules = list(dict.fromkeys(one.row.alert for one in members))
    if len(rules) == 1:
        return f"{head.sentence} So it is for {_targets(members)}."
    others = ", ".join(rules[1:4]) + (f" and {len(rules) - 4} more" if len(rules) > 4 else "")
    return f"{head.sentence} {len(members)} alerts of {len(rules)} rules began together; with it: {others}."


def _targets(members: Sequence[Member]) -> str:
    values = [one.row.segment_value or one.row.version or "the whole" for one in members]
    if any(one.row.segment_value for one in members):
        distinct = list(dict.fromkeys(values))
        noun = f"{len(distinct)} values of {members[0].row.segment}"
        if len({one.row.version for one in members}) > 1:
            noun += " and several versions"
    else:
        distinct = list(dict.fromkeys(values))
        noun = f"{len(distinct)} versions"
    return f"{noun} ({', '.join(distinct[:4])}{', …' if len(distinct) > 4 else ''})"
