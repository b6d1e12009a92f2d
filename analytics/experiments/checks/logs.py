"""Can the logs be believed? Units in several arms, files that cannot be read, rows rejected, feeds that stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from analytics.aggregates.arms import ExperimentAggregates, Split
from analytics.aggregates.log_state import LogState
from analytics.experiments.design import Design
from analytics.experiments.rows import Check
from analytics.experiments.words import count, listed, percent, plural

FEW_CROSSED = 5
"""Units in several arms that are never too many, however few units there are."""
REJECTED_LIMIT = 0.01
"""Share of the rows of a log that may be rejected."""
STALE_AFTER = timedelta(days=1)
STALE_ROWS = 20.0
"""Rows missing at the usual pace before a log is said to stand still: chance leaves out 20 once in 5e8."""


def crossed_check(design: Design, split: Split) -> Check:
    """Units that saw more than one arm: above the limit nothing is concluded."""
    units = sum(split.n.values()) + (split.n_multiple if split.leaves_crossed_out else 0)
    if not units:
        return Check("crossed", "unknown", "No unit was exposed.", threshold=design.crossed_limit, n=0)
    share = split.n_multiple / units
    too_many = share > design.crossed_limit and split.n_multiple >= FEW_CROSSED
    kept = "left out" if split.leaves_crossed_out else "kept in the arm they saw first"
    if not split.n_multiple:
        sentence = f"No unit saw more than one arm (of {count(units)})."
    else:
        sentence = (
            f"{plural(split.n_multiple, 'unit')} ({percent(share)}) saw more than one arm and {_are(split.n_multiple)} "
            f"{kept}; {'more than' if too_many else 'the limit is'} {percent(design.crossed_limit)}"
            f"{' is too many to conclude anything.' if too_many else '.'}"
        )
    return Check(
        "crossed",
        "blocks" if too_many else "fine",
        sentence,
        value=share,
        unit="share of units",
        threshold=design.crossed_limit,
        n=units,
    )


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def logs_check(found: ExperimentAggregates, silent: Sequence[str], strange: Sequence[str] = ()) -> Check:
    """Broken logs, the worst first; several findings are told in one sentence.

    Args:
        found: what was read.
        silent: what is wrong with the outcomes of arms.
        strange: where arms in the logs are not those of the plan: it warns.
    """
    problems = [*silent, *_unreadable(found.logs), *_rejected(found.logs), *_stopped(found.logs)]
    rows = sum(found.logs.rows.values())
    if problems:
        told = "; ".join(problems)
        return Check(
            "logs",
            "blocks",
            f"The logs are broken: {told}{'' if told.endswith('?') else '.'}",
            n=rows or None,
        )
    if strange:
        return Check(
            "logs",
            "warns",
            f"The logs are of other arms than the plan: {'; '.join(strange)}.",
            n=rows or None,
        )
    small = [f"{percent(lost / total)} of the rows of {name}" for name, (lost, total) in _shares(found.logs)]
    if small:
        sentence = f"{listed(small)} cannot be read; up to {percent(REJECTED_LIMIT)} is let pass."
    else:
        sentence = "Every log file can be read, no arm is silent, and no log has stopped."
    return Check("logs", "fine", sentence, threshold=REJECTED_LIMIT, n=rows or None)


def strange_arms(empty: Sequence[str], split: Split) -> list[str]:
    """Where arms in the logs are not those of the plan; a few stray units are let pass.

    Args:
        empty: of arms that nobody was exposed to, a sentence each.
        split: of the units.
    """
    units = sum(split.n.values()) + split.n_unknown
    if not units:
        return []
    problems = list(empty)
    if split.n_unknown >= FEW_CROSSED and split.n_unknown > REJECTED_LIMIT * units:
        named = ", ".join(f"{name} ({count(n)})" for name, n in split.unknown)
        share = percent(split.n_unknown / units)
        problems.append(f"{share} of the units are in arms that are not declared ({named}) and are left out")
    return problems


def _shares(logs: LogState) -> list[tuple[str, tuple[int, int]]]:
    return [(name, (lost, total)) for name, (lost, total) in logs.rejected.items() if total]


def _unreadable(logs: LogState) -> list[str]:
    if not logs.unreadable:
        return []
    more = f" and {len(logs.unreadable) - 1} more" if len(logs.unreadable) > 1 else ""
    return [f"{logs.unreadable[0]}{more} cannot be read"]


def _rejected(logs: LogState) -> list[str]:
    return [
        f"{percent(lost / total)} of the rows of {name} ({count(lost)} of {count(total)}) are rejected"
        for name, (lost, total) in _shares(logs)
        if lost > REJECTED_LIMIT * total and lost >= FEW_CROSSED
    ]


def _stopped(logs: LogState) -> list[str]:
    """Outcomes that end while units are still exposed."""
    if logs.first_exposure is None or logs.newest_exposure is None:
        return []
    return [
        f"{source} end on {newest:%-d %b %Y}, while units are exposed until {logs.newest_exposure:%-d %b %Y}"
        for source, newest in logs.newest_rows.items()
        if _stands_still(logs.first_exposure, logs.newest_exposure, newest, logs.rows.get(source, 0))
    ]


def _stands_still(first: datetime, newest_exposure: datetime, newest: datetime, rows: int) -> bool:
    gap, span = newest_exposure - newest, newest - first
    if gap <= STALE_AFTER or span <= timedelta(0):
        return False
    return rows / span.total_seconds() * gap.total_seconds() >= STALE_ROWS
