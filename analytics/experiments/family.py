"""The family of comparisons corrected by Holm: p-values, and intervals at the levels Holm tests at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analytics.experiments.drafts import Draft
from analytics.experiments.rows import ExperimentRow, headline
from analytics.experiments.words import number, percent, plural
from analytics.stats.multiplicity import holm, holm_levels


def corrected(drafts: Sequence[Draft], alpha: float) -> list[ExperimentRow]:
    """Fill in everything that is corrected for the family.

    Primary and secondary metrics of all arms are one family: once as shown (`headline`), and once unadjusted
    for the rows that stand beside adjusted ones. Guardrails stand alone: being quick to see harm is their point.
    """
    rows = [draft.row for draft in drafts]
    answers = [_finished(draft, draft.row.p_value, alpha) for draft in drafts]
    shown = {id(row) for row in headline(rows)}
    family = [i for i, row in enumerate(rows) if row.role in {"primary", "secondary"}]
    unadjusted = [i for i in family if rows[i].method == "unadjusted"]
    # a row that is shown stands in the family that is shown
    for members in (unadjusted, [i for i in family if id(rows[i]) in shown]):
        p_values = [rows[i].p_value for i in members]
        pairs = zip(holm(p_values).tolist(), holm_levels(p_values, alpha).tolist(), strict=True)
        for i, (p_adjusted, level) in zip(members, pairs, strict=True):
            answers[i] = _finished(drafts[i], p_adjusted, level)
    return answers


def _finished(draft: Draft, p_adjusted: float | None, level: float) -> ExperimentRow:
    if draft.comparison is None:
        return draft.row
    low, high = draft.comparison.interval(1.0 - level)
    lift = draft.comparison.lift(1.0 - level)
    return replace(
        draft.row,
        p_adjusted=p_adjusted,
        ci_adjusted_low=low,
        ci_adjusted_high=high,
        lift_ci_adjusted_low=None if lift is None else lift[1].low,
        lift_ci_adjusted_high=None if lift is None else lift[1].high,
        reason=draft.comparison.no_lift if lift is None else None,
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
            f"; {plural(alone, 'comparison')} of guardrails {'is' if alone == 1 else 'are'} not corrected, "
            f"with {number(alone * alpha)} false alarms to be expected without any effect"
        )
    return f"{text}."
