"""Checks of an experiment: what its own logs say for or against trusting the comparison.

Only four block a verdict: the split, imbalance before, crossed units and broken logs. The others warn.
"""

from __future__ import annotations

from collections.abc import Iterable

from analytics.aggregates.arms import ExperimentAggregates
from analytics.experiments.checks.balance import balance_check, before_rows
from analytics.experiments.checks.logs import crossed_check, logs_check, strange_arms
from analytics.experiments.checks.mix import change_check, weekday_check
from analytics.experiments.checks.split import onset_check, segment_checks, segment_parts, split_check
from analytics.experiments.design import Design
from analytics.experiments.rows import Check
from analytics.experiments.states import empty_arms

BLOCKING = ("srm", "balance", "crossed", "logs")
LEVELS = ("blocks", "warns", "unknown", "fine")


def checks_of(
    design: Design, found: ExperimentAggregates, silent: Iterable[str] = (), *, test_split: bool = True
) -> tuple[Check, ...]:
    """What one reading of the logs tells, the blocking ones first.

    Args:
        design: what was planned.
        found: what was read.
        silent: what is wrong with the outcomes of arms, a sentence each.
        test_split: whether the arms' sizes are compared with the planned shares; not of numbers typed by hand.
    """
    if not test_split:
        return ()
    rows: list[Check] = []
    split = split_check(design, found.split)
    rows.append(split)
    broken = split.level == "blocks"
    if broken and (onset := onset_check(design, found.split)) is not None:
        rows.append(onset)
    if not design.phases:
        rows += segment_checks(segment_parts(design, found.split), broken=broken)
    sequential = len(found.split.daily.days) > 0
    rows.append(balance_check(before_rows(design, found), sequential=sequential))
    rows.append(crossed_check(design, found.split))
    strange = strange_arms(empty_arms(design, found.split), found.split)
    rows.append(logs_check(found, tuple(silent), strange))
    if not broken:  # a split that is broken from some day on is known to have changed
        rows.append(change_check(design, found))
    rows.append(weekday_check(design, found, ends_later=design.early is not None))
    return ordered(rows)


def ordered(rows: Iterable[Check]) -> tuple[Check, ...]:
    """The blocking ones first; within a level as they were found."""
    return tuple(sorted(rows, key=lambda row: LEVELS.index(row.level)))


def blocking(rows: Iterable[Check]) -> tuple[Check, ...]:
    """Those that forbid a verdict."""
    return tuple(row for row in rows if row.level == "blocks")
