"""Objectives: how much of the error budget is left, and how fast it burns, at any instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from analytics.aggregates.event_cells import EventCells, Tallied
from analytics.project import Objective
from analytics.results import Status
from analytics.stats import burn_rate as stats

LEAST_EVENTS = 20
Pair = Literal["period", "fast", "slow", "creeping"]
LONGEST = max(pair.long for pair in stats.PAIRS)


@dataclass(frozen=True)
class ObjectiveRow:
    """One objective of one version at one instant: over its period, or over one pair of windows.

    Attributes:
        looked_at: what was logged later is not known to it.
        pair: ``period``, or which pair of windows: fast, slow, creeping.
        severity: what a burning pair calls for; null of the period.
        window_start, window_end: the period, or the long window; of an objective that needs labels it ends when 95 % of
            the labels are in.
        n: rows that are good or bad.
        n_bad: bad ones.
        good_share: share of good ones, with its interval.
        target: the share that is promised.
        value: burn rate: share of bad ones over the share allowed, with its interval.
        factor: burn rate that this pair must exceed in both windows; null of the period.
        short_start, short_n, short_value: start, rows and burn rate of the short window, with its interval.
        budget_left: of the period, share of the budget not used; below 0 where overdrawn. Where every request is logged
            it is counted, and both its limits are it; its interval is that of a sampled log.
        gone_at: when the budget is used up, if the last six hours go on; null where it lasts.
        verdict: breach (both windows burn faster), fine, or unsure; null of the period and where nothing can be said.
        independence: what the interval takes as independent.
    """

    objective: str
    looked_at: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    pair: Pair
    severity: stats.Severity | None
    window_start: datetime
    window_end: datetime
    n: int
    n_bad: int
    good_share: float | None
    good_share_ci_low: float | None
    good_share_ci_high: float | None
    target: float
    value: float | None
    ci_low: float | None
    ci_high: float | None
    factor: float | None
    short_start: datetime | None
    short_n: int | None
    short_value: float | None
    short_ci_low: float | None
    short_ci_high: float | None
    budget_left: float | None
    budget_left_ci_low: float | None
    budget_left_ci_high: float | None
    gone_at: datetime | None
    verdict: stats.Verdict | None
    independence: Literal["rows", "units", "blocks"] | None
    status: Status
    reason: str | None


_Said: TypeAlias = dict[str, Any]
"""Columns of a row while it is put together: an alert reads thousands, and to replace fields of a frozen row one after
another took longer than to count what it tells."""
_NOTHING: _Said = {field.name: None for field in fields(ObjectiveRow)}


@dataclass(frozen=True)
class Looked:
    """A look at one objective.

    Attributes:
        name, objective: what is promised.
        at: the instant, on a whole minute; what was logged later is not known.
        until: where the windows end: then, or earlier where labels take their time.
        confidence: of intervals.
        clusters: whether rows of one unit and minute are one cluster.
        sampled: whether rows stand for others that were not logged.
        key: version, segment, segment value.
    """

    name: str
    objective: Objective
    at: datetime
    until: datetime
    confidence: float
    clusters: bool
    sampled: bool = False
    key: tuple[str | None, str | None, str | None] = (None, None, None)


def objective_rows(cells: EventCells | None, looked: Looked) -> Iterator[ObjectiveRow]:
    """The period, then every pair of windows."""
    pairs = list(pair_rows(cells, looked))
    slow = next(row for row in pairs if row.pair == "slow")
    yield _period(cells, looked, slow.value)
    yield from pairs


def pair_rows(
    cells: EventCells | None, looked: Looked, severity: stats.Severity | None = None
) -> Iterator[ObjectiveRow]:
    """Every pair of windows: what an alert looks at; only those of its severity where it has one."""
    for pair in stats.PAIRS:
        if severity in {None, pair.severity}:
            yield _pair(cells, looked, pair)


def _period(cells: EventCells | None, looked: Looked, rate: float | None) -> ObjectiveRow:
    period = looked.objective.period
    said, burn = _filled(cells, looked, _empty(looked, "period", period))
    if burn is None:
        return ObjectiveRow(**said)
    left = stats.budget_left(burn if looked.sampled else stats.BurnRate(burn.value, burn.value, burn.value))
    lasts = stats.until_gone(left.value, rate, period) if rate is not None else None
    said |= {
        "budget_left": left.value,
        "budget_left_ci_low": left.low,
        "budget_left_ci_high": left.high,
        "gone_at": looked.until + lasts if lasts is not None and left.value > 0 else None,
        "reason": _young(cells, looked),
    }
    return ObjectiveRow(**said)


def _pair(cells: EventCells | None, looked: Looked, pair: stats.BurnPair) -> ObjectiveRow:
    empty = _empty(looked, pair.name, pair.long) | {
        "severity": pair.severity,
        "factor": pair.factor,
        "short_start": looked.until - pair.short,
        "short_n": 0,
    }
    fastest = stats.fastest(looked.objective.share)
    if fastest <= pair.factor:
        reason = (
            f"can never burn: with every request bad the budget goes {fastest:.3g} times too fast, and this pair "
            f"asks for {pair.factor:g}"
        )
        return ObjectiveRow(**empty | {"status": "undefined", "reason": reason})
    said, long = _filled(cells, looked, empty)
    if long is not None and cells is not None:
        tallied = cells.between(looked.until - pair.short, looked.until, looked.at)
        said |= _short(tallied, looked, pair, long, said["n_bad"])
    return ObjectiveRow(**said)


def _short(tallied: Tallied, looked: Looked, pair: stats.BurnPair, long: stats.BurnRate, n_bad: int) -> _Said:
    """What the short window says, and the verdict of the pair."""
    if tallied.outcomes.weight <= 0:
        if long.high <= pair.factor:
            return {"verdict": "fine"}
        silent = "no requests in the short window: nobody can tell whether it goes on"
        return {"verdict": "unsure", "reason": silent}
    short = _burn(tallied, looked)[0]
    found = stats.verdict(long, short, pair.factor)
    few: str | None = None
    if found == "breach" and n_bad < looked.objective.minimum_events:
        found = "unsure"
        few = f"{n_bad} bad events; at least {looked.objective.minimum_events} are needed (minimum_events)"
    return {
        "short_n": tallied.n,
        "short_value": short.value,
        "short_ci_low": short.low,
        "short_ci_high": short.high,
        "verdict": found,
        "reason": few,
    }


def _filled(cells: EventCells | None, looked: Looked, said: _Said) -> tuple[_Said, stats.BurnRate | None]:
    """With what the long window holds, and the burn rate there where there is one."""
    tallied = (
        cells.between(said["window_start"], said["window_end"], looked.at) if cells is not None else None
    )
    if tallied is None or tallied.n == 0 or tallied.outcomes.weight <= 0:
        return said | {"status": "no_data", "reason": "no request that counts in this window"}, None
    said |= {"n": tallied.n, "n_bad": tallied.n_bad}
    if tallied.n < LEAST_EVENTS:
        reason = f"{tallied.n} requests; at least {LEAST_EVENTS} are needed"
        return said | {"status": "too_few", "reason": reason}, None
    burn, share, independence = _burn(tallied, looked)
    good = 1.0 - share.value
    said |= {
        "good_share": good,
        "good_share_ci_low": min(1.0 - share.high, good),
        "good_share_ci_high": max(1.0 - share.low, good),
        "value": burn.value,
        "ci_low": burn.low,
        "ci_high": burn.high,
        "independence": independence,
    }
    return said, burn


def _burn(
    tallied: Tallied, looked: Looked
) -> tuple[stats.BurnRate, stats.BurnRate, Literal["rows", "units", "blocks"]]:
    """Burn rate, share of bad requests, and what their intervals take as independent."""
    found = stats.bad_share(tallied.outcomes, looked.confidence, tallied.blocks)
    burn = stats.burn_rate(found.share, found.limits, looked.objective.share)
    alone: Literal["rows", "units"] = "units" if looked.clusters else "rows"
    return burn, stats.BurnRate(found.share, *found.limits), "blocks" if found.by_block else alone


def _young(cells: EventCells | None, looked: Looked) -> str | None:
    """A note where the logs are younger than the period."""
    first = cells.first if cells is not None else None
    if first is None or first <= looked.until - looked.objective.period + timedelta(days=1):
        return None
    days = (looked.until - first) / timedelta(days=1)
    of = looked.objective.period / timedelta(days=1)
    return f"the logs hold {days:.3g} of the {of:.3g} days of the period"


def _empty(looked: Looked, pair: str, length: timedelta) -> _Said:
    """What is said of a window in which nothing was seen."""
    version, segment, value = looked.key
    return _NOTHING | {
        "objective": looked.name,
        "looked_at": looked.at,
        "version": version,
        "segment": segment,
        "segment_value": value,
        "pair": pair,
        "window_start": looked.until - length,
        "window_end": looked.until,
        "n": 0,
        "n_bad": 0,
        "target": looked.objective.share,
        "status": "ok",
    }
