"""Firings of targets as stretches of time, and which of them are one incident.

Two firings belong together where they overlap in time and move together: they began within the longer of their two
windows of each other, or at least half of the time in which one of them was beyond its limit the other one was too.
Whoever shares a cause begins together, whatever the metric, the segment value or the version; whoever merely goes wrong
in the same month does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.alerts.asked import Asked
from analytics.alerts.rows import Target
from analytics.alerts.states import Step

TOGETHER = 0.5


@dataclass(frozen=True)
class Episode:
    """One firing of one target.

    Attributes:
        began: start of the first window of the run that made it fire.
        ended: end of the last window in which it fired; of one that goes on, of the newest window.
        active: whether it still fires or recovers.
        length: of the rule's window.
        beyond: the windows that were beyond the limit.
    """

    alert: str
    target: Target
    began: datetime
    ended: datetime
    active: bool
    length: timedelta
    beyond: tuple[tuple[datetime, datetime], ...]


def episodes_of(asked: Asked, steps: Sequence[Step]) -> tuple[Episode, ...]:
    """The firings among the steps of one rule."""
    found: dict[tuple[Target, datetime], list[Step]] = {}
    newest: dict[Target, Step] = {}
    for step in steps:
        newest[step.target] = step
        since = step.memory.incident_since
        if since is not None:
            found.setdefault((step.target, since), []).append(step)
    return tuple(
        _episode(asked, target, since, mine, active=newest[target].memory.incident_since == since)
        for (target, since), mine in found.items()
    )


def _episode(
    asked: Asked, target: Target, since: datetime, steps: Sequence[Step], *, active: bool
) -> Episode:
    beyond = [
        (step.reading.window_start, step.reading.window_end)
        for step in steps
        if step.reading.seen == "breach"
    ]
    return Episode(
        asked.name, target, since, max(step.reading.window_end for step in steps), active, asked.rule.window,
        tuple(sorted(set(beyond))),
    )  # fmt: skip


def related(one: Episode, other: Episode) -> bool:
    """Whether two firings are one incident."""
    if one.began >= other.ended or other.began >= one.ended:
        return False
    if abs(one.began - other.began) <= max(one.length, other.length):
        return True
    shared = _shared(one.beyond, other.beyond)
    least = min(_time(one.beyond), _time(other.beyond))
    return least > timedelta(0) and shared >= TOGETHER * max(_time(one.beyond), _time(other.beyond))


def _merged(windows: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _time(windows: Sequence[tuple[datetime, datetime]]) -> timedelta:
    return sum((end - start for start, end in _merged(windows)), timedelta(0))


def _shared(
    one: Sequence[tuple[datetime, datetime]], other: Sequence[tuple[datetime, datetime]]
) -> timedelta:
    total = timedelta(0)
    for start, end in _merged(one):
        for low, high in _merged(other):
            total += max(min(end, high) - max(start, low), timedelta(0))
    return total


def grouped(episodes: Sequence[Episode]) -> list[list[Episode]]:
    """The episodes that belong together, directly or through others; only groups in which one is active."""
    group = list(range(len(episodes)))

    def root(k: int) -> int:
        while group[k] != k:
            k = group[k]
        return k

    for i, one in enumerate(episodes):
        for j in range(i):
            if root(i) != root(j) and related(one, episodes[j]):
                group[root(i)] = root(j)
    found: dict[int, list[Episode]] = {}
    for k, one in enumerate(episodes):
        found.setdefault(root(k), []).append(one)
    return [members for members in found.values() if any(one.active for one in members)]
