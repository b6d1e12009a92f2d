"""What to do about a comparison, in a word: ship, hold, harm, inconclusive, needs n.

The word follows from the badge, so it can never contradict the interval; it adds whether more units could change it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy.special import ndtri

from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.rows import Badge, Call, Check, Decision, ExperimentRow, Verdict, headline
from analytics.project import MOST_UNITS

_OF_CALL: dict[Call, Verdict] = {
    "won": "ship",
    "lost": "harm",
    "mixed": "hold",
    "too small": "hold",
    "harmed": "harm",
    "invalid": "hold",
    "unknown": "inconclusive",
    "undecided": "inconclusive",
}

_OF_BADGE: dict[Badge, Verdict] = {"better": "ship", "safe": "ship", "worse": "harm", "harmed": "harm"}
"""A badge that is not among them, such as a gain too small to matter, holds."""
_OPEN: tuple[Badge, ...] = ("no difference shown", "not shown safe")


def with_verdict(row: ExperimentRow, metric: MetricDesign, design: Design, units: int) -> ExperimentRow:
    """A row with its word, and how many more units it needs where they could change it.

    Args:
        row: with its badge.
        metric: of the row.
        design: of the experiment.
        units: in the experiment so far, all arms together.
    """
    if row.badge is None:
        return replace(row, verdict="inconclusive" if row.status == "ok" else None)
    if row.badge in _OPEN:
        more = _needed(row, metric, design, units)
        return replace(row, verdict="needs n" if more else "inconclusive", needs_n=more)
    word = _OF_BADGE.get(row.badge, "hold")
    # before a fixed horizon a win is what one sees by looking often: it waits for the end, harm does not
    early = design.early is not None and design.stopping in {"fixed", "bayesian"}
    return replace(row, verdict="hold" if word == "ship" and early else word)


def _needed(row: ExperimentRow, metric: MetricDesign, design: Design, units: int) -> int | None:
    """Units still to come until the smallest effect that matters would show; None where none are needed or known.

    With n units the standard error s becomes s sqrt(n0 / n), and the effect d shows with the planned power where
    s (reach + z(power)) = d: reach is how many standard errors the interval goes to either side, which badges of
    guardrails stand on, too. A sequence's reach shrinks a little as units come, so that its number is on the safe side.
    Without a smallest effect that matters, what is missing of the planned units.
    """
    effect = _smallest(row, metric)
    if effect is not None and row.standard_error:
        wanted = effect / (_reach(row, metric, design) + float(ndtri(design.power)))
        times = row.standard_error / wanted
        # more units than there are anywhere are no plan
        more = units * (times**2 - 1.0) if 1.0 < times < MOST_UNITS else 0.0
        return math.ceil(more) if 0 < more <= MOST_UNITS else None
    if design.planned_units is not None and units < design.planned_units:
        return design.planned_units - units
    return None


def _reach(row: ExperimentRow, metric: MetricDesign, design: Design) -> float:
    """Standard errors between the estimate and the end of its corrected interval."""
    low, high = row.ci_adjusted_low, row.ci_adjusted_high
    if design.stopping != "fixed" and low is not None and high is not None and row.standard_error:
        return (high - low) / 2.0 / row.standard_error
    level = 1.0 - (row.confidence_adjusted or row.confidence)
    sides = 1.0 if design.one_sided and metric.role != "guardrail" else 2.0
    return float(ndtri(1.0 - level / sides))


def _smallest(row: ExperimentRow, metric: MetricDesign) -> float | None:
    """The smallest effect that matters, or the margin of a guardrail, in the metric's units."""
    absolute, relative = metric.smallest_difference, metric.smallest_lift
    if metric.role == "guardrail":
        absolute, relative = metric.margin_absolute, metric.margin
    if absolute:
        return absolute
    if relative and row.mean_control:
        return relative * abs(row.mean_control)
    return None


def decided(
    decision: Decision, rows: Sequence[ExperimentRow], checks: Sequence[Check], *, early: bool
) -> Decision:
    """A decision with its word.

    A win is shipped only where every guardrail of the arm is safe, nothing blocks it, and, with one planned look, the
    planned end has come.
    """
    word = _OF_CALL[decision.call]
    mine = [row for row in headline(rows) if row.variant == decision.variant]
    if word == "ship" and (
        early
        or any(check.level == "blocks" for check in checks)
        or any(row.role == "guardrail" and row.verdict != "ship" for row in mine)
        or any(row.role == "primary" and row.verdict == "hold" for row in mine)
    ):
        word = "hold"
    if word == "inconclusive" and any(row.verdict == "needs n" for row in mine if row.role != "secondary"):
        word = "needs n"
    return replace(decision, word=word)
