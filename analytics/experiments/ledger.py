"""Decisions beside the numbers they were taken on: what was frozen, and what has changed since."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from analytics.experiments.rows import ExperimentRow, Scorecard, headline
from analytics.experiments.words import listed, percent
from analytics.results import Status, record
from analytics.store import Entry

FORMAT = 1
"""Of the frozen numbers; a later one may add keys, and never gives one of these another meaning."""
SAME = 1e-9
"""Numbers closer than this, relative to the larger, are the same: sums in another order differ by less."""
_NUMBERS = (
    "n", "n_control", "difference", "ci_adjusted_low", "ci_adjusted_high", "p_adjusted", "lift",
    "lift_ci_adjusted_low", "lift_ci_adjusted_high",
)  # fmt: skip
Changed = Literal["same", "numbers", "badge", "new", "gone"]


@dataclass(frozen=True)
class DecisionRow:
    """One decision on an experiment.

    Attributes:
        decision_id: its number in the store.
        experiment: its name.
        decision: ``ship``, ``hold`` or ``stop``.
        decided_by: who, as they typed it: there is no log-in.
        decided_at: when.
        note: why; empty where nothing was said.
        corrects: the number of the entry this one takes the place of; None for a first one.
        corrected_by: the number of the entry that took its place; None where it stands.
        variant: the arm it is about; None where it is about none of several.
        word: the scorecard's own word at that moment: ship, hold, harm, inconclusive or needs n.
        against: whether it was shipped without that word being ship, or not shipped although it was.
        sentence: the verdict at that moment.
        n_units: units in declared arms then.
        start, end, as_of: the scope the numbers were computed in; None where it was not narrowed.
        confidence: of the intervals.
        logs_digest: of the log files (path, size, time) then.
        logs_changed: whether the files are others now.
        project_digest: of the project file then.
        project_changed: whether the project file is another now.
        release: of Assay.
    """

    decision_id: int
    experiment: str
    decision: str
    decided_by: str
    decided_at: datetime
    note: str
    corrects: int | None
    corrected_by: int | None
    variant: str | None
    word: str | None
    against: bool | None
    sentence: str | None
    n_units: int | None
    start: str | None
    end: str | None
    as_of: str | None
    confidence: float | None
    logs_digest: str | None
    logs_changed: bool | None
    project_digest: str | None
    project_changed: bool | None
    release: str | None


@dataclass(frozen=True)
class SinceRow:
    """One comparison of a decision, as it was frozen and as it is when computed anew over the same window.

    Attributes:
        decision_id: the decision.
        experiment, metric, role, variant, control: which comparison.
        changed: ``same``; ``numbers`` where only these moved; ``badge`` where it says something else now; ``new``
            and ``gone`` where it exists on one side only.
        n_then, n_now: units of the arm; ``n_control_*`` of the control.
        difference_then, ci_adjusted_low_then, ci_adjusted_high_then: the effect with its corrected interval, and
            the same now; null where there was none.
        lift_then, lift_ci_adjusted_low_then, lift_ci_adjusted_high_then: the same relative to the control.
        p_adjusted_then, p_adjusted_now: corrected p.
        badge_then, badge_now: what the corrected interval says.
        status, reason: of the comparison now; ``no_data`` where it is gone.
    """

    decision_id: int
    experiment: str
    metric: str
    role: str | None
    variant: str | None
    control: str | None
    changed: Changed
    n_then: int | None
    n_now: int | None
    n_control_then: int | None
    n_control_now: int | None
    difference_then: float | None
    difference_now: float | None
    ci_adjusted_low_then: float | None
    ci_adjusted_low_now: float | None
    ci_adjusted_high_then: float | None
    ci_adjusted_high_now: float | None
    lift_then: float | None
    lift_now: float | None
    lift_ci_adjusted_low_then: float | None
    lift_ci_adjusted_low_now: float | None
    lift_ci_adjusted_high_then: float | None
    lift_ci_adjusted_high_now: float | None
    p_adjusted_then: float | None
    p_adjusted_now: float | None
    badge_then: str | None
    badge_now: str | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class Frozen:
    """What a decision was taken on, read back.

    Attributes:
        rows: the records of the scorecard then, by field.
        facts: everything else by key.
    """

    rows: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any]


def freeze(card: Scorecard, facts: Mapping[str, Any]) -> str:
    """The numbers of a scorecard as a text to keep.

    Args:
        card: what the decision is taken on.
        facts: where it came from: scope, digests, release.
    """
    stands = headline(card.rows)
    content = {
        "format": FORMAT,
        **facts,
        "word": word_of(card, facts.get("variant")),
        "sentence": card.decision.sentence,
        "control": card.control,
        "variants": list(card.variants),
        "correction": card.correction,
        "n_units": card.health.n_units,
        "arms": {arm.variant: arm.n for arm in card.health.arms},
        "headline": [place for place, row in enumerate(card.rows) if row in stands],
        "rows": [record(row, card.zone) for row in card.rows],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, default=str)


def word_of(card: Scorecard, variant: object) -> str | None:
    """The scorecard's word on an arm: the verdict's own where it is about that arm, else of its first primary row."""
    if variant is None or variant == card.decision.variant or len(card.variants) == 1:
        return card.decision.word
    mine = [row for row in headline(card.rows) if row.variant == variant]
    return next((row.verdict for row in mine if row.role == "primary"), None)


def thaw(content: str) -> Frozen:
    """The frozen numbers; whatever cannot be read is left out, and never raises.

    >>> thaw('{"word": "ship", "rows": [{"metric": "clicks"}]}').rows[0]["metric"]
    'clicks'
    """
    try:
        found = json.loads(content)
    except ValueError:
        found = {}
    facts = found if isinstance(found, dict) else {}
    rows = facts.pop("rows", ())
    kept = (
        tuple(row for row in rows if isinstance(row, dict) and isinstance(row.get("metric"), str))
        if isinstance(rows, list)
        else ()
    )
    return Frozen(kept, facts)


def decision_rows(entries: Sequence[Entry], logs_digest: str, project_digest: str) -> tuple[DecisionRow, ...]:
    """Entries of the ledger as rows, in their order.

    Args:
        entries: of one project, the oldest first.
        logs_digest, project_digest: as they are now.
    """
    # of several corrections of one entry the last one counts
    corrected = {entry.corrects: entry.id for entry in entries if entry.corrects is not None}
    return tuple(_decision(entry, corrected.get(entry.id), logs_digest, project_digest) for entry in entries)


def since_rows(entry: Entry, card: Scorecard) -> tuple[SinceRow, ...]:
    """Every comparison of a decision, then and now, in today's order; those that are gone stand last."""
    then = {_key(row): row for row in _headline(thaw(entry.content))}
    now = {(row.metric, row.variant): row for row in headline(card.rows)}
    keys = [*now, *(key for key in then if key not in now)]
    return tuple(_since(entry, then.get(key), now.get(key)) for key in keys)


def since_sentence(decision: DecisionRow, rows: Sequence[SinceRow]) -> str:
    """What has changed since a decision, with all that is known now."""
    said = " ".join(part for part in (_said_otherwise(rows), _moved(rows)) if part)
    said = said or "With all that is known now, every number is as it was."
    return f"{said} The project file is another one than it was." if decision.project_changed else said


def reproduced_sentence(decision: DecisionRow, rows: Sequence[SinceRow]) -> str:
    """Whether what was known then still gives the numbers of then."""
    other = [row for row in rows if row.changed != "same"]
    if not other:
        return "What was known then still gives the same numbers."
    causes = [
        *(["the project file is another one"] if decision.project_changed else []),
        *(["log files were added, changed or removed"] if decision.logs_changed else []),
    ]
    why = f"since then {listed(causes)}" if causes else "Assay may be another release"
    return f"What was known then gives other numbers today in {len(other)} of {len(rows)} comparisons: {why}."


def decision_sentence(decision: DecisionRow) -> str:
    """Who decided what, and whether the scorecard said so.

    Ends without a full stop, so that a note can follow.
    """
    of = "" if decision.variant is None else f" {decision.variant}"
    said = f"{decision.decided_by} decided to {decision.decision}{of}"
    if decision.word is None:
        return said
    how = ", against the scorecard: its" if decision.against else "; the scorecard's"
    return f"{said}{how} word was {decision.word}"


def _decision(entry: Entry, corrected_by: int | None, logs_digest: str, project_digest: str) -> DecisionRow:
    facts = thaw(entry.content).facts
    word, logs, project = (_text(facts, key) for key in ("word", "logs_digest", "project_digest"))
    return DecisionRow(
        decision_id=entry.id,
        experiment=entry.experiment,
        decision=entry.decision,
        decided_by=entry.decided_by,
        decided_at=entry.decided_at,
        note=entry.note,
        corrects=entry.corrects,
        corrected_by=corrected_by,
        word=word,
        variant=_text(facts, "variant"),
        against=None if word is None else (word == "ship") != (entry.decision == "ship"),
        sentence=_text(facts, "sentence"),
        n_units=_whole(facts.get("n_units")),
        start=_text(facts, "start"),
        end=_text(facts, "end"),
        as_of=_text(facts, "as_of"),
        confidence=_number(facts.get("confidence")),
        logs_digest=logs,
        logs_changed=None if logs is None else logs != logs_digest,
        project_digest=project,
        project_changed=None if project is None else project != project_digest,
        release=_text(facts, "release"),
    )


def _headline(frozen: Frozen) -> list[Mapping[str, Any]]:
    """The comparisons the verdict stood on."""
    places = frozen.facts.get("headline")
    return [row for place, row in enumerate(frozen.rows) if isinstance(places, list) and place in places]


def _key(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return str(row["metric"]), _text(row, "variant")


def _since(entry: Entry, then: Mapping[str, Any] | None, now: ExperimentRow | None) -> SinceRow:
    before = {} if then is None else then
    after = {name: getattr(now, name) for name in _NUMBERS} if now is not None else {}
    first = now if now is not None else None
    numbers = {
        f"{name}_{when}": _whole(found.get(name)) if name in {"n", "n_control"} else _number(found.get(name))
        for name in _NUMBERS
        for when, found in (("then", before), ("now", after))
    }
    badge_then, badge_now = _text(before, "badge"), None if now is None else now.badge
    known = {key: _text(before, key) for key in ("role", "variant", "control")}
    return SinceRow(
        decision_id=entry.id,
        experiment=entry.experiment,
        metric=str(before["metric"]) if first is None else first.metric,
        role=known["role"] if first is None else first.role,
        variant=known["variant"] if first is None else first.variant,
        control=known["control"] if first is None else first.control,
        changed=_changed(then, now, numbers, same_badge=badge_then == badge_now),
        badge_then=badge_then,
        badge_now=badge_now,
        status="no_data" if first is None else first.status,
        reason="it is not compared any more" if first is None else first.reason,
        **numbers,  # type: ignore[arg-type]  # built from the same names
    )


def _changed(
    then: Mapping[str, Any] | None, now: ExperimentRow | None, numbers: Mapping[str, Any], *, same_badge: bool
) -> Changed:
    if then is None or now is None:
        return "new" if then is None else "gone"
    if not same_badge:
        return "badge"
    same = all(_same(numbers[f"{name}_then"], numbers[f"{name}_now"]) for name in _NUMBERS)
    return "same" if same else "numbers"


def _said_otherwise(rows: Sequence[SinceRow]) -> str | None:
    """Comparisons whose badge is another one."""
    said = [
        f"{row.metric} of {row.variant} said {_quoted(row.badge_then)} and says {_quoted(row.badge_now)} now "
        f"(lift {_lift(row, 'then')} then, {_lift(row, 'now')} now)"
        for row in rows
        if row.changed == "badge"
    ]
    said += [f"{row.metric} of {row.variant} is new" for row in rows if row.changed == "new"]
    said += [
        f"{row.metric} of {row.variant} is not compared any more" for row in rows if row.changed == "gone"
    ]
    # a name stays as it was declared, at the beginning of a sentence, too
    return f"{'; '.join(said)}." if said else None


def _quoted(badge: str | None) -> str:
    return "nothing" if badge is None else f'"{badge}"'


def _moved(rows: Sequence[SinceRow]) -> str | None:
    """Comparisons that say the same with other numbers, and by how much the units grew."""
    moved = [f"{row.metric} of {row.variant}" for row in rows if row.changed == "numbers"]
    if not moved:
        return None
    named = listed(moved) if len(moved) <= 3 else f"{len(moved)} comparisons"
    units = [
        (row.n_now + row.n_control_now) - (row.n_then + row.n_control_then)
        for row in rows
        if row.n_now is not None and row.n_control_now is not None
        and row.n_then is not None and row.n_control_then is not None
    ]  # fmt: skip
    change = max(units, key=abs, default=0)
    more = f", on {abs(change):,} units {'more' if change > 0 else 'fewer'}" if change else ""
    return f"The numbers of {named} moved and say the same{more}."


def _lift(row: SinceRow, when: str) -> str:
    lift, low, high = (
        getattr(row, f"{name}_{when}") for name in ("lift", "lift_ci_adjusted_low", "lift_ci_adjusted_high")
    )
    if lift is None:
        return "unknown"
    return (
        percent(lift)
        if low is None or high is None
        else f"{percent(lift)} ({percent(low)} to {percent(high)})"
    )


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-12)


def _text(facts: Mapping[str, Any], key: str) -> str | None:
    found = facts.get(key)
    return found if isinstance(found, str) else None


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def _whole(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) else None
