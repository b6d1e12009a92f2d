"""The family of comparisons, corrected: p-values, and intervals at the levels at which the procedure tests.

An interval at its level leaves out 0 exactly where the corrected p-value is below alpha, whatever the procedure: Holm,
Benjamini-Hochberg, the fixed sequence (a closed test), or none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.experiments.drafts import Draft
from analytics.experiments.methods import Comparison, Limits, limits
from analytics.experiments.rows import ExperimentRow, headline
from analytics.experiments.words import number, percent, plural
from analytics.project import Correction
from analytics.results import changed
from analytics.stats.arrays import FloatArray
from analytics.stats.multiplicity import benjamini_hochberg, bh_level, fixed_sequence, holm, holm_levels

NOT_REACHED = "its turn did not come: what stands before it in the declared order shows no difference"
"""Why a comparison of a fixed sequence has no corrected interval."""


@dataclass(frozen=True)
class _Corrected:
    """Of one comparison: its corrected p-value, and the level of its interval; None where its turn did not come."""

    p_value: float
    level: float | None


def corrected(drafts: Sequence[Draft], alpha: float, procedure: Correction = "holm") -> list[ExperimentRow]:
    """Draw every comparison's interval, alone and corrected for the family.

    Primary and secondary metrics of all arms are one family: once as shown (`headline`), and once unadjusted
    for the rows that stand beside adjusted ones. Guardrails stand alone: being quick to see harm is their point.
    Other methods that were asked for stand alone, too: they are looked at beside the family, not part of it.
    """
    rows = [draft.row for draft in drafts]
    found = {i: _Corrected(row.p_value, alpha) for i, row in enumerate(rows) if row.p_value is not None}
    shown = {id(row) for row in headline(rows)}
    family = [i for i in found if rows[i].role in {"primary", "secondary"}]
    unadjusted = [i for i in family if rows[i].method == "unadjusted"]
    # a row that is shown stands in the family that is shown, so that one comes last
    for members in (unadjusted, [i for i in family if id(rows[i]) in shown]):
        found |= _PROCEDURES[procedure]({i: rows[i] for i in members}, alpha)
    drawn = _limits(drafts, {i: one.level for i, one in found.items()}, alpha)
    return [
        _finished(draft, draft.comparison, found[i], drawn, (i, alpha))
        if draft.comparison is not None and i in found
        else draft.row
        for i, draft in enumerate(drafts)
    ]


Family = Mapping[int, ExperimentRow]


def _by_holm(rows: Family, alpha: float) -> dict[int, _Corrected]:
    p = [row.p_value for row in rows.values()]
    return _paired(rows, holm(p), holm_levels(p, alpha))


def _by_rate(rows: Family, alpha: float) -> dict[int, _Corrected]:
    p = [row.p_value for row in rows.values()]
    return _paired(rows, benjamini_hochberg(p), np.full(len(p), bh_level(p, alpha)))


def _by_order(rows: Family, alpha: float) -> dict[int, _Corrected]:
    """In the order of the design, primary before secondary metrics; the arms share the level."""
    variants = list(dict.fromkeys(row.variant for row in rows.values()))
    answer: dict[int, _Corrected] = {}
    for variant in variants:
        members = {i: row for i, row in rows.items() if row.variant == variant}
        p = np.minimum(fixed_sequence([row.p_value for row in members.values()]) * len(variants), 1.0)
        # the turn of the first that fails has come, too; its interval says how far it is from showing anything
        reached = np.concatenate([[True], p[:-1] < alpha]) if len(p) else np.zeros(0, dtype=np.bool_)
        level = alpha / len(variants)
        answer |= {
            i: _Corrected(float(one), level if turn else None)
            for i, one, turn in zip(members, p, reached, strict=True)
        }
    return answer


def _not_at_all(rows: Family, alpha: float) -> dict[int, _Corrected]:
    return {i: _Corrected(row.p_value, alpha) for i, row in rows.items() if row.p_value is not None}


def _paired(rows: Family, p: FloatArray, levels: FloatArray) -> dict[int, _Corrected]:
    return {i: _Corrected(float(one), float(level)) for i, one, level in zip(rows, p, levels, strict=True)}


_PROCEDURES: dict[Correction, Callable[[Family, float], dict[int, _Corrected]]] = {
    "holm": _by_holm,
    "bh": _by_rate,
    "fixed-sequence": _by_order,
    "none": _not_at_all,
}


def _limits(
    drafts: Sequence[Draft], levels: Mapping[int, float | None], alpha: float
) -> dict[tuple[int, float], Limits]:
    """The interval of every draft at alpha and at its own level; all that share a level at once."""
    wanted: dict[float, dict[int, Comparison]] = {}
    for i, own in levels.items():
        comparison = drafts[i].comparison
        if comparison is not None:
            for level in {alpha, own or alpha}:
                wanted.setdefault(level, {})[i] = comparison
    return {
        (i, level): one
        for level, chosen in wanted.items()
        for i, one in zip(chosen, limits([*chosen.values()], 1.0 - level), strict=True)
    }


def _finished(
    draft: Draft,
    comparison: Comparison,
    found: _Corrected,
    drawn: Mapping[tuple[int, float], Limits],
    place: tuple[int, float],
) -> ExperimentRow:
    alone = drawn[place]
    row = changed(
        draft.row,
        ci_low=alone.interval.low,
        ci_high=alone.interval.high,
        p_adjusted=found.p_value,
        lift=None if alone.lift is None else alone.lift[0],
        lift_ci_low=None if alone.lift is None else alone.lift[1].low,
        lift_ci_high=None if alone.lift is None else alone.lift[1].high,
        reason=comparison.no_lift if alone.lift is None else None,
    )
    if found.level is None:
        return changed(row, reason=NOT_REACHED)
    ours = drawn[place[0], found.level]
    if alone.lift is not None and ours.lift is None:
        row = changed(row, reason=f"at the corrected level {comparison.no_lift}")
    return changed(
        row,
        ci_adjusted_low=ours.interval.low,
        ci_adjusted_high=ours.interval.high,
        lift_ci_adjusted_low=None if ours.lift is None else ours.lift[1].low,
        lift_ci_adjusted_high=None if ours.lift is None else ours.lift[1].high,
        confidence_adjusted=1.0 - found.level,
    )


def correction(rows: Sequence[ExperimentRow], alpha: float, procedure: Correction = "holm") -> str:
    """How the family was corrected and how many false alarms to expect, in a sentence."""
    tested = [row for row in headline(rows) if row.p_value is not None]
    alone = sum(row.role == "guardrail" for row in tested)
    m = len(tested) - alone
    if m == 0 and alone == 0:
        return "Nothing could be tested."
    text = _family_sentence(m, alpha, procedure)
    if alone:
        text += (
            f"; {plural(alone, 'guardrail')} {'is' if alone == 1 else 'are'} not corrected: without any effect, a "
            f"false alarm in {percent(alpha)} of experiments{'' if alone == 1 else ' each'}"
        )
    return f"{text}."


def _family_sentence(m: int, alpha: float, procedure: Correction) -> str:
    if m == 0:
        return "No primary or secondary metric could be tested"
    if m == 1:
        return (
            f"One comparison, so nothing to correct: without any effect it raises a false alarm in "
            f"{percent(alpha)} of experiments"
        )
    compared = plural(m, "comparison")
    if procedure == "bh":
        return (
            f"Benjamini-Hochberg over {compared}: of those that are called different, at most {percent(alpha)} "
            "are false on average; without any effect, one or more false alarms in at most "
            f"{percent(alpha)} of experiments"
        )
    if procedure == "fixed-sequence":
        return (
            f"Tested in the declared order, {compared}, until the first that shows no difference: without any effect, "
            f"one or more false alarms in at most {percent(alpha)} of experiments"
        )
    if procedure == "none":
        return (
            f"{compared[0].upper()}{compared[1:]}, not corrected: without any effect, {number(m * alpha)} false alarms "
            "an experiment on average"
        )
    return (
        f"Holm over {compared}: without any effect, one or more false alarms in at most "
        f"{percent(alpha)} of experiments"
    )
