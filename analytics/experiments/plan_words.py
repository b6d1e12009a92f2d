"""A plan from the logs as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.experiments.plan_rows import PlanRow, PlanTrafficRow
from analytics.experiments.power_words import BOUNDARIES
from analytics.experiments.words import count, number, percent, plural, signed

HORIZON_WORDS = "half a year"
STOPPING_WORDS = {
    "fixed": "one look at the end",
    "group-sequential": "a few planned looks",
    "always-valid": "a look every day",
}


def plan_sentence(rows: Sequence[PlanRow]) -> str:
    """The first line: what is asked, how long it takes, and what stopping early brings."""
    fixed = sorted(
        (row for row in rows if row.stopping == "fixed"), key=lambda row: (row.rank is None, row.rank or 0)
    )
    if not fixed:
        return "There is no metric to plan for."
    if fixed[0].experiment is not None:
        return _experiment(fixed, rows)
    if len(fixed) == 1:
        return _alone(fixed[0], rows)
    soonest = fixed[0]
    if soonest.rank is None:
        return f"None of {len(fixed)} metrics decides within {HORIZON_WORDS}: {soonest.metric}: {soonest.reason}."
    late = [row.metric for row in fixed if row.days is None or row.days > row.within]
    text = f"{soonest.metric} decides soonest of {len(fixed)} metrics: {effect_words(soonest)} takes {_cost(soonest)}"
    if late:
        names = late[0] if len(late) == 1 else f"{len(late)} of them"
        text += f"; {names} {'takes' if len(late) == 1 else 'take'} more than {plural(soonest.within, 'day')}"
    return f"{text}."


def _experiment(fixed: Sequence[PlanRow], rows: Sequence[PlanRow]) -> str:
    """An experiment takes as long as its slowest primary metric; its guardrails are told beside."""
    primary = [row for row in fixed if row.role == "primary"] or list(fixed)
    slowest = primary[-1]
    text = _alone(slowest, rows)
    guardrails = [row for row in fixed if row.role == "guardrail"]
    if not guardrails:
        return text
    unsafe = next((row for row in guardrails if row.rank is None), None)
    if unsafe is not None:
        return f"{text} The guardrail {unsafe.metric} is not shown safe: {unsafe.reason}."
    last = max(row.days or 0 for row in guardrails)
    noun = "guardrail is" if len(guardrails) == 1 else f"{len(guardrails)} guardrails are"
    return f"{text} Its {noun} shown safe in {plural(last, 'day')}." if last else text


def _cost(row: PlanRow) -> str:
    """Days and units."""
    units = f"{count(row.n_total or 0)} units"
    return units if row.days is None else f"{plural(row.days, 'day')}{_range(row)} and {units}"


def _alone(row: PlanRow, rows: Sequence[PlanRow]) -> str:
    if row.rank is None:
        return f"{effect_words(row, first=True)}: {row.reason or 'there is no answer'}.{_seen(row)}"
    text = f"{effect_words(row, first=True)} takes {_cost(row)} with {percent(row.power)} power"
    other = next(
        (one for one in rows if one.stopping == "group-sequential" and one.metric == row.metric), None
    )
    if other is not None and other.days_expected is not None and other.days is not None:
        text += (
            f"; looked at {other.looks} times it stops after {other.days_expected:.1f} days on average, and after "
            f"{plural(other.days, 'day')} at the latest"
        )
    return f"{text}."


def _seen(row: PlanRow) -> str:
    """What the wanted days show instead."""
    if row.goal != "difference" or row.mde_within_relative is None:
        return ""
    return f" In {plural(row.within, 'day')} a change of {percent(row.mde_within_relative)} can be seen."


def effect_words(row: PlanRow, *, first: bool = False) -> str:
    """What is to be shown: a change, or that there is none beyond a margin."""
    if row.goal == "difference":
        what = f"seeing {row.metric} change by {_size(row)}"
    else:
        what = f"ruling out that {row.metric} changes by {_size(row)} or beyond"
    return what[0].upper() + what[1:] if first else what


def _size(row: PlanRow) -> str:
    if row.is_relative and row.lift is not None:
        return signed(percent(row.lift))
    value = row.difference or 0.0
    if row.kind == "proportion":
        return f"{signed(number(value * 100))} percentage points"
    return signed(number(value))


def _range(row: PlanRow) -> str:
    if row.days_low is None:
        return ""
    if row.days_high is None:
        return f" ({row.days_low} or more, as far as the baseline is known)"
    if row.days_low == row.days_high:
        return ""
    return f" ({row.days_low} to {row.days_high}, as far as the baseline is known)"


def plan_paste(row: PlanRow) -> str:
    """One design to paste into a ticket.

    The assumption follows by itself, so this ends without it.
    """
    if row.rank is None or row.n_total is None:
        return f"{effect_words(row, first=True)}: {row.reason}."
    how = {
        "fixed": "read once at the end",
        "group-sequential": f"read {row.looks} times, evenly in units, with {BOUNDARIES.get(row.boundary or '', '')}",
        "always-valid": "read every day as a confidence sequence",
    }[row.stopping]
    split = ":".join(f"{float(part) * 100:.4g}" for part in row.shares.split(","))
    share = ""
    if row.smallest_share is not None:
        share = (
            f" An arm needs at least {percent(row.smallest_share)} of the units to decide within "
            f"{plural(row.within, 'day')}."
        )
    return (
        f"{effect_words(row, first=True)} (baseline {_baseline(row)}, {count(row.n)} units over {row.horizon} days) "
        f"with {percent(row.power)} power at alpha {row.alpha:g}, {'one' if row.one_sided else 'two'}-sided, {how}: "
        f"{_cost(row)} in all, split {split}.{share}"
    )


def _baseline(row: PlanRow) -> str:
    def shown(value: float | None) -> str:
        if value is None:
            return "unknown"
        return percent(value) if row.kind == "proportion" else number(value)

    return f"{shown(row.baseline)}, {shown(row.ci_low)} to {shown(row.ci_high)}"


def week_sentence(rows: Sequence[PlanTrafficRow]) -> str | None:
    """Which days of the week bring most and fewest units; None where that is not known or they are alike."""
    known = [row for row in rows if row.units is not None and row.ratio is not None]
    if len(known) < 7:
        return None
    most = max(known, key=lambda row: row.units or 0.0)
    fewest = min(known, key=lambda row: row.units or 0.0)
    if (most.units or 0.0) < 1.05 * (fewest.units or 0.0):
        return None
    return (
        f"Most units come on {most.weekday}s ({count(most.units or 0.0)}), fewest on {fewest.weekday}s "
        f"({count(fewest.units or 0.0)}): an experiment of whole weeks meets all of them alike."
    )
