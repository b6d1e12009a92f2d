"""The family of comparisons corrected by Holm: p-values, and intervals at the levels Holm tests at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analytics.experiments.drafts import Draft
from analytics.experiments.methods import Comparison, Limits, limits
from analytics.experiments.rows import ExperimentRow, headline
from analytics.experiments.words import percent, plural
from analytics.stats.multiplicity import holm, holm_levels


def corrected(drafts: Sequence[Draft], alpha: float) -> list[ExperimentRow]:
    """Draw every comparison's interval, alone and corrected for the family.

    Primary and secondary metrics of all arms are one family: once as shown (`headline`), and once unadjusted
    for the rows that stand beside adjusted ones. Guardrails stand alone: being quick to see harm is their point.
    """
    rows = [draft.row for draft in drafts]
    p_adjusted, levels = [row.p_value for row in rows], [alpha] * len(rows)
    shown = {id(row) for row in headline(rows)}
    family = [i for i, row in enumerate(rows) if row.role in {"primary", "secondary"}]
    unadjusted = [i for i in family if rows[i].method == "unadjusted"]
    # a row that is shown stands in the family that is shown, so that one comes last
    for members in (unadjusted, [i for i in family if id(rows[i]) in shown]):
        p_values = [rows[i].p_value for i in members]
        for i, p, level in zip(members, holm(p_values), holm_levels(p_values, alpha), strict=True):
            if rows[i].p_value is not None:
                p_adjusted[i], levels[i] = float(p), float(level)
    drawn = _limits(drafts, levels, alpha)
    return [
        draft.row
        if draft.comparison is None
        else _finished(
            draft, draft.comparison, (drawn[i, alpha], drawn[i, levels[i]]), p_adjusted[i], levels[i]
        )
        for i, draft in enumerate(drafts)
    ]


def _limits(
    drafts: Sequence[Draft], levels: Sequence[float], alpha: float
) -> dict[tuple[int, float], Limits]:
    """The interval of every draft at alpha and at its own level; all that share a level at once."""
    wanted: dict[float, dict[int, Comparison]] = {}
    for i, draft in enumerate(drafts):
        if draft.comparison is not None:
            for level in {alpha, levels[i]}:
                wanted.setdefault(level, {})[i] = draft.comparison
    return {
        (i, level): one
        for level, chosen in wanted.items()
        for i, one in zip(chosen, limits([*chosen.values()], 1.0 - level), strict=True)
    }


def _finished(
    draft: Draft, comparison: Comparison, both: tuple[Limits, Limits], p_adjusted: float | None, level: float
) -> ExperimentRow:
    alone, ours = both
    reason = None
    if alone.lift is None:
        reason = comparison.no_lift
    elif ours.lift is None:
        reason = f"at the corrected level {comparison.no_lift}"
    return replace(
        draft.row,
        ci_low=alone.interval.low,
        ci_high=alone.interval.high,
        p_adjusted=p_adjusted,
        ci_adjusted_low=ours.interval.low,
        ci_adjusted_high=ours.interval.high,
        lift=None if alone.lift is None else alone.lift[0],
        lift_ci_low=None if alone.lift is None else alone.lift[1].low,
        lift_ci_high=None if alone.lift is None else alone.lift[1].high,
        lift_ci_adjusted_low=None if ours.lift is None else ours.lift[1].low,
        lift_ci_adjusted_high=None if ours.lift is None else ours.lift[1].high,
        confidence_adjusted=1.0 - level,
        reason=reason,
    )


def correction(rows: Sequence[ExperimentRow], alpha: float) -> str:
    """How the family was corrected and how many false alarms to expect, in a sentence."""
    tested = [row for row in headline(rows) if row.p_value is not None]
    alone = sum(row.role == "guardrail" for row in tested)
    m = len(tested) - alone
    if m == 0 and alone == 0:
        return "Nothing could be tested."
    if m == 0:
        text = "No primary or secondary metric could be tested"
    elif m == 1:
        text = (
            f"One comparison, so nothing to correct: without any effect it raises a false alarm in "
            f"{percent(alpha)} of experiments"
        )
    else:
        text = (
            f"Holm over {plural(m, 'comparison')}: without any effect, one or more false alarms in at most "
            f"{percent(alpha)} of experiments"
        )
    if alone:
        text += (
            f"; {plural(alone, 'guardrail')} {'is' if alone == 1 else 'are'} not corrected: without any effect, a "
            f"false alarm in {percent(alpha)} of experiments{'' if alone == 1 else ' each'}"
        )
    return f"{text}."
