"""Rules replayed over a stretch of the past, at their real cadence, each look as it was known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from analytics.alerts.readings import asked_of, last_looks, read_between
from analytics.alerts.rows import Reading, Target
from analytics.alerts.states import Step, replay
from analytics.project import Alert
from analytics.telemetry.catalog import Catalog

WARM_UP = 4
"""So many times the looks that it takes to fire and to recover are replayed before the stretch as well, so that it is
known what was already the case."""
_LEAST_WARM_UP = 8
_EARLIEST = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """One time a rule would have told somebody about one target.

    Attributes:
        state: that it fires, or that its data went away.
        at: when.
        began: start of the first window of the condition.
        ended: the look that ended it; None where it goes on.
        reading: the look that made it tell.
    """

    alert: str
    target: Target
    state: Literal["firing", "no_data"]
    at: datetime
    began: datetime
    ended: datetime | None
    reading: Reading

    def active(self, start: datetime, end: datetime) -> bool:
        """Whether it was the case at some time of a stretch."""
        return self.at < end and (self.ended is None or self.ended > start)


@dataclass(frozen=True)
class Replay:
    """One rule over one stretch.

    Attributes:
        readings: its looks within the stretch.
        told: what it would have told within the stretch, by time.
        before: what it had told before and was still the case when the stretch began.
    """

    alert: str
    rule: Alert
    start: datetime
    end: datetime
    readings: tuple[Reading, ...]
    told: tuple[Told, ...]
    before: tuple[Told, ...]

    @property
    def pages(self) -> tuple[tuple[Told, ...], ...]:
        """Messages that something fires: what begins to fire at one look is one message."""
        found: dict[datetime, list[Told]] = {}
        for one in self.told:
            if one.state == "firing":
                found.setdefault(one.at, []).append(one)
        return tuple(tuple(several) for _, several in sorted(found.items()))


def replay_of(
    catalog: Catalog, rule: str | Alert, start: datetime, end: datetime, name: str | None = None
) -> Replay:
    """Replay one rule.

    Args:
        catalog: the logs.
        rule: its name, or any rule.
        start: of the stretch.
        end: nothing later is known.
        name: what to call it.

    Raises:
        ProjectError: there is no such rule, or it asks for what the logs do not hold.
    """
    asked = asked_of(catalog, rule)
    looks = max(WARM_UP * (asked.rule.for_ + asked.rule.recover_for), _LEAST_WARM_UP)
    first = max(last_looks(asked, start, looks), _EARLIEST)
    readings = read_between(asked, first, end)
    told = told_by(replay(asked.rule, readings))
    return Replay(
        name or asked.name, asked.rule, start, end,
        tuple(one for one in readings if start <= one.looked_at <= end),
        tuple(one for one in told if start <= one.at <= end),
        tuple(one for one in told if one.at < start and one.active(start, end)),
    )  # fmt: skip


def told_by(steps: Sequence[Step]) -> tuple[Told, ...]:
    """Every time the steps of one rule would have told somebody, by time."""
    by_target: dict[Target, list[Step]] = {}
    for step in steps:
        by_target.setdefault(step.target, []).append(step)
    found = [
        one for target, mine in by_target.items() for one in (*_firings(target, mine), *_gaps(target, mine))
    ]
    return tuple(
        sorted(found, key=lambda one: (one.at, one.target.version or "", one.target.segment_value or ""))
    )


def _firings(target: Target, steps: Sequence[Step]) -> list[Told]:
    found: list[Told] = []
    since: datetime | None = None
    for step in steps:
        now = step.memory.incident_since
        if since is not None and now != since:
            found[-1] = _ended(found[-1], step)
        if now is not None and now != since:
            found.append(_told(target, "firing", step, now))
        since = now
    return found


def _gaps(target: Target, steps: Sequence[Step]) -> list[Told]:
    found: list[Told] = []
    for step in steps:
        if step.state == "no_data" and step.before != "no_data":
            found.append(_told(target, "no_data", step, step.memory.since or step.reading.window_start))
        elif step.before == "no_data" and step.state != "no_data" and found:
            found[-1] = _ended(found[-1], step)
    return found


def _told(target: Target, state: Literal["firing", "no_data"], step: Step, began: datetime) -> Told:
    return Told(step.reading.alert, target, state, step.reading.looked_at, began, None, step.reading)


def _ended(told: Told, step: Step) -> Told:
    return Told(
        told.alert, told.target, told.state, told.at, told.began, step.reading.looked_at, told.reading
    )


def hours(length: timedelta) -> float:
    """A length in hours."""
    return length / timedelta(hours=1)
