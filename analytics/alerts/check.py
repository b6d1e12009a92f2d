"""How every rule stands at an instant: as many looks back as it takes to know, then the newest state of every target.

A state follows from all looks there ever were. Only the last ones are read: whatever a target was before them, the
looks that were read must lead to the same state, and if they do not, twice as many are read, to the beginning of the
logs if need be. So an alert that has fired for a year is known to have begun a year ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analytics.alerts.asked import Asked
from analytics.alerts.episodes import Episode, episodes_of
from analytics.alerts.evidence import Before, evidence_path
from analytics.alerts.readings import asked_of, last_looks, read_between
from analytics.alerts.rows import AlertRow, Reading, State, Target, Transition
from analytics.alerts.states import Memory, Step, last_steps, replay, transitions
from analytics.alerts.suggest import suggestion
from analytics.alerts.words import since_words
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog

LOOKS = 48
"""Looks that are read at first; of windows of a week or longer fewer, which are a year."""
FEW_LOOKS = 16
MOST_LOOKS = 1_024
"""Looks beyond which no more are read: where none of so many was decisive, a target is taken to have been fine."""
MOST_FORECASTS = 192
"""The same of rules that compare every look with weeks of earlier windows."""
MOST_EVIDENCE = 7
"""Windows that the evidence of a long firing shows, at most: the newest ones."""
_ORDER: tuple[State, ...] = ("firing", "silenced", "recovering", "pending", "no_data", "ok")


@dataclass(frozen=True)
class Stood:
    """A rule at an instant.

    Attributes:
        steps: of all looks that were read.
        episodes: firings among them, the newest of each target still going on where it fires.
    """

    asked: Asked
    steps: tuple[Step, ...]
    rows: tuple[AlertRow, ...]
    episodes: tuple[Episode, ...]


def stood_at(catalog: Catalog, name: str, at: datetime, *, replayed: bool = False) -> Stood:
    """One rule as it stood at an instant.

    Args:
        catalog: the project's views.
        name: of the rule.
        at: nothing later is known.
        replayed: whether the instant lies in the past, so that evidence has to be shown as it was known.
    """
    asked = asked_of(catalog, name)
    steps = _settled(asked, at)
    # a target that was not looked at when others were has been retired: nothing is left to be said about it
    looked: dict[Target, datetime] = {}
    for step in steps:
        if step.reading.seen != "waiting":
            last = step.reading.looked_at
            looked[step.target] = max(looked.get(step.target, last), last)
    newest = max(looked.values(), default=None)
    if newest is not None:
        steps = tuple(step for step in steps if looked.get(step.target) == newest)
    by_target: dict[Target, list[Step]] = {}
    for step in steps:
        by_target.setdefault(step.target, []).append(step)
    rows = tuple(_row(asked, mine, at, replayed=replayed) for mine in by_target.values())
    return Stood(asked, steps, rows, episodes_of(asked, steps))


def names_of(catalog: Catalog, names: Iterable[str] = ()) -> tuple[str, ...]:
    """The rules that are asked for; all that are declared where none is named.

    Raises:
        ProjectError: none is declared, or one that is named is not.
    """
    return catalog.project.declared("alerts", names)


def in_order(rows: Iterable[AlertRow]) -> tuple[AlertRow, ...]:
    """What fires first, pages before tickets, then by name."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                _ORDER.index(row.state), row.severity != "page", row.alert, row.version or "", row.segment_value or "",
            ),
        )
    )  # fmt: skip


def history_of(catalog: Catalog, name: str, start: datetime | None, end: datetime) -> tuple[Transition, ...]:
    """Every change of state of a rule between two instants, as a rule that was always looked at would have made it.

    Args:
        catalog: the project's views.
        name: of the rule.
        start: from the beginning of the logs where None.
        end: nothing later is known.
    """
    asked = asked_of(catalog, name)
    first = datetime.min.replace(tzinfo=end.tzinfo)
    if start is not None:
        # from as far back as it takes to know how it stood at the beginning
        known = [step.reading.looked_at for step in _settled(asked, start)]
        first = min(known, default=last_looks(asked, start, LOOKS))
    steps = replay(asked.rule, read_between(asked, first, end))
    return tuple(one for one in transitions(steps) if start is None or one.at >= start)


def _settled(asked: Asked, at: datetime) -> tuple[Step, ...]:
    """Replay as many looks as it takes for what came before them not to matter."""
    least = FEW_LOOKS if asked.rule.window >= timedelta(days=7) else LOOKS
    count = max(least, 4 * (asked.rule.for_ + asked.rule.recover_for))
    most = MOST_FORECASTS if asked.rule.anomaly else MOST_LOOKS
    read = -1
    while True:
        readings = read_between(asked, last_looks(asked, at, count), at)
        steps = replay(asked.rule, readings)
        if len(readings) == read or count >= most or _sure(asked, readings, steps):
            return steps
        read, count = len(readings), 2 * count


def _sure(asked: Asked, readings: Sequence[Reading], steps: Sequence[Step]) -> bool:
    if not readings:
        return False
    first = min(reading.window_start for reading in readings) - timedelta(days=1)
    alight = replay(asked.rule, readings, Memory(state="firing", since=first, incident_since=first))
    dark = last_steps(steps)
    return all(_standing(step) == _standing(dark[target]) for target, step in last_steps(alight).items())


def _standing(step: Step) -> tuple[object, ...]:
    memory = step.memory
    return memory.state, memory.incident_since, memory.underlying if memory.state == "no_data" else None


def _row(asked: Asked, mine: Sequence[Step], at: datetime, *, replayed: bool) -> AlertRow:
    """How one target stands, by its looks, the newest last."""
    newest = mine[-1]
    target = newest.target
    # a window whose labels still arrive has no number yet: the newest one that was judged is shown
    judged = next((step for step in reversed(mine) if step.reading.seen != "waiting"), newest)
    if judged.reading.seen == "unsure" and judged.reading.value is None:
        # an hour in which nobody asked says nothing: the newest number stands
        judged = next((step for step in reversed(mine) if step.reading.value is not None), judged)
    reading, memory, rule = judged.reading, newest.memory, asked.rule
    fires = memory.state in {"firing", "recovering"}
    shown = (
        next((s.reading for s in reversed(mine) if s.reading.seen == "breach"), reading) if fires else reading
    )
    advice = suggestion(asked, target, shown, memory.incident_since) if fires else None
    sentence = " ".join(filter(None, (shown.sentence, since_words(asked, memory, shown), advice)))
    return AlertRow(
        alert=asked.name,
        state=memory.state,
        severity=rule.severity,
        metric=reading.metric,
        feature=rule.feature,
        version=target.version,
        segment=target.segment,
        segment_value=target.segment_value,
        value=reading.value,
        ci_low=reading.ci_low,
        ci_high=reading.ci_high,
        n=reading.n,
        threshold=reading.threshold,
        baseline=reading.baseline,
        since=memory.since,
        looked_at=newest.reading.looked_at,
        window_start=reading.window_start,
        window_end=reading.window_end,
        evidence=evidence_of(
            asked, shown, memory.incident_since if fires else None, at if replayed else None
        ),
        incident=None,
        flaps=memory.flaps,
        suggest=rule.suggest if fires else None,
        sentence=sentence,
        reason=newest.reading.reason if newest.reading.seen in {"unsure", "waiting", "no_data"} else None,
        note=rule.note,
        runbook=rule.runbook,
        difference=reading.difference,
        difference_ci_low=reading.difference_ci_low,
        difference_ci_high=reading.difference_ci_high,
    )


_EXPLAINED = {"error_rate": "error_rate", "latency_p50": "mean_latency", "latency_p95": "mean_latency",
              "latency_p99": "mean_latency"}  # fmt: skip
"""Service metric -> what of it falls into parts, which is what the page of its evidence takes apart."""


def evidence_of(asked: Asked, reading: Reading, since: datetime | None, as_of: datetime | None) -> str:
    """The link to the page that shows what a look saw: the whole run while it fires, its newest windows where long."""
    rule, target = asked.rule, reading.target
    start = reading.window_start
    if since is not None and since < start:
        start = max(since, reading.window_end - MOST_EVIDENCE * rule.window)
    where = list(rule.where)
    if target.segment is not None and target.segment_value is not None:
        value = target.segment_value
        where.append(f"{target.segment}={'' if value == MISSING else value}")
    before: Before | None = None
    if rule.changed_from_previous:
        before = "previous"
    elif rule.changed_from_last_week:
        before = "last-week"
    metric = rule.metric if asked.family in {"quality", "outcome"} else _EXPLAINED.get(rule.metric or "")
    return evidence_path(
        asked.catalog.project, start=start, end=reading.window_end, metric=metric, version=target.version, where=where,
        before=before, as_of=as_of, alert=asked.name, feature=rule.feature,
    )  # fmt: skip


def with_incidents(rows: Iterable[AlertRow], numbers: dict[tuple[str, Target], int]) -> tuple[AlertRow, ...]:
    """Rows with the number of the incident they belong to."""
    return tuple(
        replace(row, incident=numbers.get((row.alert, Target(row.version, row.segment, row.segment_value))))
        for row in rows
    )
