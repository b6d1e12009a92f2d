"""From readings to states: one pure machine a target.

Whoever replays the same readings gets the same states, so nothing has to be remembered between two runs, and a run that
was killed, or done twice, changes nothing. Only ``breach``, ``fine`` and ``no_data`` move a target; ``unsure`` and
``waiting`` are as if nobody had looked.

- ``for`` breaches in a row make it fire; until then it is pending. A fine look in between starts anew.
- ``recover_for`` fine looks in a row end it; until then it is recovering. A breach in between makes it fire again, as
  the same alert: nobody is told twice.
- ``for`` looks in a row without data make it no_data, whatever it was; when data come back it goes on from what it was.
- A target that began to fire again and again within its last `SPAN` looks needs twice as many fine looks each time,
  up to `MOST_DAMPED` times as many: it stays one alert that flaps instead of many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analytics.alerts.rows import Reading, State, Target, Transition
from analytics.project import Alert

SPAN = 24
"""Looks within which an alert that begins again is flapping."""
MOST_DAMPED = 8
_MOVES = ("breach", "fine", "no_data")


@dataclass(frozen=True)
class Memory:
    """What the machine knows of a target.

    Attributes:
        since: when the state's condition began: the start of the first window of its run; of ``ok`` of the first fine
            window after an incident.
        looks: how many looks moved it.
        breaches, fines, empty: how many in a row.
        began, ended, emptied: start of the first window of the run of breaches, fine looks and looks without data.
        fired: at which looks it began to fire, the last `SPAN` looks only.
        underlying: what it was before its data went away.
        incident_since: while it fires or recovers, when its condition began.
        last_end: end of the last window that moved it: no window moves it twice.
    """

    state: State = "ok"
    since: datetime | None = None
    looks: int = 0
    breaches: int = 0
    fines: int = 0
    empty: int = 0
    began: datetime | None = None
    ended: datetime | None = None
    emptied: datetime | None = None
    fired: tuple[int, ...] = ()
    underlying: State = "ok"
    incident_since: datetime | None = None
    last_end: datetime | None = None

    @property
    def flaps(self) -> int:
        """How many times it began to fire within the flapping span."""
        return sum(look > self.looks - SPAN for look in self.fired)


@dataclass(frozen=True)
class Step:
    """A look and what it left behind.

    Attributes:
        before: the state until then.
    """

    reading: Reading
    before: State
    memory: Memory

    @property
    def state(self) -> State:
        """The state from this look on."""
        return self.memory.state

    @property
    def target(self) -> Target:
        """Whose."""
        return self.reading.target


def replay(rule: Alert, readings: Iterable[Reading], start: Memory | None = None) -> tuple[Step, ...]:
    """Run the readings of one rule through the machine, every target on its own.

    Args:
        rule: whose ``for`` and ``recover_for`` count.
        readings: in any order, of any targets; one window read twice counts once.
        start: what is known of every target before the first reading; nothing where left out.

    Returns:
        A step for every reading, by target and the end of its window.
    """
    by_target: dict[Target, list[Reading]] = {}
    for reading in readings:
        by_target.setdefault(reading.target, []).append(reading)
    steps: list[Step] = []
    for target in sorted(by_target, key=_order):
        memory = start or Memory()
        for reading in sorted(by_target[target], key=lambda one: (one.window_end, one.looked_at)):
            before = memory.state
            memory = after(rule, memory, reading)
            steps.append(Step(reading, before, memory))
    return tuple(steps)


def transitions(steps: Iterable[Step]) -> tuple[Transition, ...]:
    """The steps that changed a state, by the instant of the look."""
    found = [
        Transition(
            step.reading.alert, step.target, step.reading.looked_at, step.before, step.state,
            step.memory.since or step.reading.window_start, step.reading,
        )
        for step in steps
        if step.before != step.state
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.at, _order(one.target))))


def last_steps(steps: Sequence[Step]) -> dict[Target, Step]:
    """The newest step of every target."""
    return {step.target: step for step in steps}


def after(rule: Alert, memory: Memory, reading: Reading) -> Memory:
    """What one look leaves behind."""
    if reading.seen not in _MOVES or (memory.last_end is not None and reading.window_end <= memory.last_end):
        return memory
    memory = replace(memory, looks=memory.looks + 1, last_end=reading.window_end)
    match reading.seen:
        case "breach":
            return _breach(rule, memory, reading)
        case "fine":
            return _fine(rule, memory, reading)
        case _:
            return _empty(rule, memory, reading)


def _breach(rule: Alert, memory: Memory, reading: Reading) -> Memory:
    began = memory.began if memory.breaches else reading.window_start
    memory = replace(
        memory, breaches=memory.breaches + 1, began=began, fines=0, ended=None, empty=0, emptied=None
    )
    alight = (
        memory.underlying == "firing"
        if memory.state == "no_data"
        else memory.state in {"firing", "recovering"}
    )
    if alight:
        return replace(memory, state="firing", since=memory.incident_since)
    if memory.breaches < rule.for_:
        return replace(memory, state="pending", since=began)
    fired = (*(look for look in memory.fired if look > memory.looks - SPAN), memory.looks)
    return replace(memory, state="firing", since=began, incident_since=began, fired=fired)


def _fine(rule: Alert, memory: Memory, reading: Reading) -> Memory:
    ended = memory.ended if memory.fines else reading.window_start
    memory = replace(
        memory, fines=memory.fines + 1, ended=ended, breaches=0, began=None, empty=0, emptied=None
    )
    alight = (
        memory.underlying == "firing"
        if memory.state == "no_data"
        else memory.state in {"firing", "recovering"}
    )
    if not alight:
        # an incident that ended long ago is still what "ok since" speaks of
        since = memory.since if memory.state == "ok" else None
        return replace(memory, state="ok", since=since)
    if memory.fines < needed(rule, memory):
        return replace(memory, state="recovering", since=memory.incident_since)
    return replace(memory, state="ok", since=ended, incident_since=None)


def _empty(rule: Alert, memory: Memory, reading: Reading) -> Memory:
    emptied = memory.emptied if memory.empty else reading.window_start
    memory = replace(memory, empty=memory.empty + 1, emptied=emptied)
    if memory.state == "no_data" or memory.empty < rule.for_:
        return memory
    underlying: State = "firing" if memory.state in {"firing", "recovering"} else "ok"
    return replace(
        memory,
        state="no_data",
        since=emptied,
        underlying=underlying,
        breaches=0,
        began=None,
        fines=0,
        ended=None,
    )


def needed(rule: Alert, memory: Memory) -> int:
    """How many fine looks in a row end it now: twice as many for every time it began again of late."""
    again = max(memory.flaps - 1, 0)
    return rule.recover_for * min(1 << again, MOST_DAMPED)


def _order(target: Target) -> tuple[str, str, str]:
    return (target.version or "", target.segment or "", target.segment_value or "")
