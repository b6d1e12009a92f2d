"""What becomes of a fixed comparison under the stopping rule that a design declares."""

from __future__ import annotations

from datetime import date

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.beliefs import believed
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.looks import before_first, reached
from analytics.experiments.margins import OneSided
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import PairMoments
from analytics.experiments.stopping import LookComparison, always_valid, fixed_of

NO_SEQUENCE = "no always-valid interval of a quantile is known: let its experiment have another stopping rule"
_NO_ERROR = "{how} needs a method with a standard error of its own, and this one has none"


def held(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, PairMoments],
    fixed: Comparison | NotTested,
    day: date | None = None,
) -> Comparison | NotTested:
    """The comparison as the design's stopping rule has it.

    Args:
        design: of the experiment.
        metric: what is compared.
        found: what was read of it; under a group-sequential design its units say which looks were reached.
        arm: its name, and the moments that were compared.
        fixed: the comparison as if it were looked at once.
        day: at the end of which one looks. A day without a look keeps the fixed comparison.
    """
    outcome = _held(design, metric, found, arm, fixed, day)
    return outcome if isinstance(outcome, NotTested) else sided(design, metric, outcome)


def _held(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, PairMoments],
    fixed: Comparison | NotTested,
    day: date | None,
) -> Comparison | NotTested:
    if isinstance(fixed, NotTested) or design.stopping == "fixed":
        return fixed
    variant, two = arm
    if design.stopping == "group-sequential":
        return _at_look(design, found, fixed, day)
    if design.stopping == "always-valid":
        if metric.kind == "quantile":
            return NotTested("undefined", NO_SEQUENCE, fixed.mean, fixed.mean_control)
        n = two.arm.n + two.control.n
        sequence = always_valid(design, variant, fixed, n)
        return sequence or _without_error(fixed, "an always-valid interval")
    return believed(fixed, design.prior, two, metric.kind) or _without_error(fixed, "a posterior")


def sided(design: Design, metric: MetricDesign, comparison: Comparison) -> Comparison:
    """The comparison, of which only a change for the better counts where the design says so (guardrails aside)."""
    if not design.one_sided or metric.role == "guardrail":
        return comparison
    return OneSided(comparison, 1 if metric.direction == "up" else -1)


def two_sided(comparison: Comparison) -> Comparison:
    """What `sided` was given."""
    return comparison.fixed if isinstance(comparison, OneSided) else comparison


def once(comparison: Comparison) -> Comparison:
    """What `held` was given: the two-sided comparison at a fixed horizon."""
    return fixed_of(two_sided(comparison))


def _at_look(
    design: Design, found: MetricAggregates, fixed: Comparison, day: date | None
) -> Comparison | NotTested:
    state = reached(design, found.moments, day)
    if not state.fractions:
        refused = NotTested("immature", before_first(state), fixed.mean, fixed.mean_control)
        return refused if day is None else fixed
    if day is not None and state.days[-1] != day:
        return fixed
    return fixed if state.look is None else LookComparison(fixed, state.look)


def _without_error(fixed: Comparison, how: str) -> NotTested:
    return NotTested("undefined", _NO_ERROR.format(how=how), fixed.mean, fixed.mean_control)
