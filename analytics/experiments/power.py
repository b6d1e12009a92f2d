"""Planning: how many units, which effect they show, with which power, and for how many days.

Comparisons of several arms with the control are each planned at alpha / (number of comparisons), the level of
the first step of Holm, by which the scorecard corrects. Where shares differ, the comparison of the smallest arm
decides; the others have more power.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from analytics.errors import ExperimentError
from analytics.experiments.power_plan import (
    MOST_UNITS,
    Correction,
    Plan,
    PlanKind,
    check_effect,
    read_effect,
    read_plan,
    read_units,
)
from analytics.experiments.power_terms import Terms
from analytics.experiments.power_words import assumption, no_effect, no_sample, sentence
from analytics.experiments.rows import PowerRow

__all__ = [
    "Correction",
    "PlanKind",
    "Terms",
    "power_curve",
    "power_of",
    "quantile_deviation",
    "sentence",
    "terms_of",
]


def power_of(  # noqa: PLR0913  # the options of the command, all but two with a default
    kind: PlanKind,
    *,
    baseline: float,
    difference: float | None = None,
    lift: float | None = None,
    n_per_variant: int | None = None,
    standard_deviation: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    variants: int | None = None,
    shares: Sequence[float] | None = None,
    one_sided: bool = False,
    daily_units: float | None = None,
    correction: Correction = "holm",
    fall: bool = False,
    terms: Terms = Terms(),  # noqa: B008  # frozen
) -> PowerRow:
    r"""Plan one experiment: an effect gives the units, units give the effect, both give the power.

    Args:
        kind: ``ratio`` is planned as a mean of linearised values; ``count`` as a Poisson count unless a standard
            deviation is given; ``quantile`` with the deviation of `quantile_deviation`.
        baseline: share, mean, ratio or mean count of the control.
        difference: arm minus control that is to be shown.
        lift: the same relative to the baseline's size; at most one of the two.
        n_per_variant: units an arm, on average over the arms.
        standard_deviation: of a unit's value (of a ratio: of its linearised value), the same in all arms.
        alpha: of the whole family of comparisons.
        power: wanted; of no matter where both effect and units are given.
        variants: arms with the control; as many as shares, or 2, where left out.
        shares: of the arms, control first; they need not add up to 1. Equal where left out.
        one_sided: whether only the effect's own direction is tested.
        daily_units: arriving a day, over all arms.
        correction: ``none`` plans each comparison at alpha itself.
        fall: with units alone, the detectable fall instead of the rise.
        terms: margins, several metrics, covariates, clusters and sequential stopping. With a margin the effect is
            what is to be ruled out.

    Returns:
        The smallest design whose arms all get their share and whose deciding comparison has the power;
        ``undefined``, with the reason, where no number of units (up to 10^12) or no effect will do.

    Raises:
        ExperimentError: the question makes no sense.

    >>> power_of("proportion", baseline=0.10, lift=0.10).n_per_variant
    14751
    """
    plan = read_plan(
        kind,
        baseline,
        standard_deviation=standard_deviation,
        alpha=alpha,
        power=power,
        one_sided=one_sided,
        fall=fall,
        variants=variants,
        shares=shares,
        correction=correction,
        daily_units=daily_units,
        terms=terms,
    )
    wanted = read_effect(plan, difference, lift)
    if n_per_variant is None:
        if wanted is None:
            raise ExperimentError(
                "say which effect is to be seen (difference or lift), or how many units there are"
            )
        return _solved_units(plan, wanted)
    arms = plan.arms_of(read_units(n_per_variant, len(plan.shares)))
    return _solved_effect(plan, arms) if wanted is None else _solved_power(plan, wanted, arms)


def power_curve(
    row: PowerRow, effects: Iterable[float] | None = None, sizes: Iterable[int] | None = None
) -> tuple[PowerRow, ...]:
    """Power of one design over effects (its units stay), or over units an arm (its effect stays).

    Args:
        row: a design from `power_of`.
        effects: differences, arm minus control.
        sizes: units an arm, on average over the arms.

    Returns:
        One row a point; ``undefined`` where the effect cannot be, or an arm would be left without units.

    Raises:
        ExperimentError: the row lacks what stays, or not exactly one of effects and sizes is given.
    """
    if (effects is None) == (sizes is None):
        raise ExperimentError("a power curve runs over effects or over sizes")
    plan = _plan_of(row)
    if effects is not None:
        if row.n_by_variant is None:
            raise ExperimentError("a curve over effects needs a design with a number of units")
        arms = tuple(int(n) for n in row.n_by_variant.split(","))
        return tuple(_power_of_effect(plan, effect, arms) for effect in effects)
    if row.mde_absolute is None:
        raise ExperimentError("a curve over sizes needs a design with an effect")
    effect = row.mde_absolute
    return tuple(_power_of_size(plan, effect, size) for size in sizes or ())


def _power_of_effect(plan: Plan, effect: float, arms: tuple[int, ...]) -> PowerRow:
    try:
        check_effect(plan, effect)
    except ExperimentError as error:
        return _row(plan, "power", None, arms, None, str(error))
    return _solved_power(plan, effect, arms)


def _power_of_size(plan: Plan, effect: float, size: int) -> PowerRow:
    try:
        arms = plan.arms_of(read_units(size, len(plan.shares)))
    except ExperimentError as error:
        return _row(plan, "power", effect, None, None, str(error))
    return _solved_power(plan, effect, arms)


def quantile_deviation(quantile: float, density: float) -> float:
    """The deviation of one unit's part in a sample quantile: sqrt(q (1 - q)) over the density of the values there.

    Raises:
        ExperimentError: these are no quantile and no density.

    >>> round(quantile_deviation(0.5, 0.3989), 3)
    1.253
    """
    if not 0 < quantile < 1 or not 0 < density < math.inf:
        raise ExperimentError(
            f"a quantile lies between 0 and 1 and has a density above 0, found {quantile:g} and {density:g}"
        )
    return math.sqrt(quantile * (1 - quantile)) / density


def _solved_units(plan: Plan, effect: float) -> PowerRow:
    arms = plan.smallest_arms(effect)
    if arms is None:
        return _row(plan, "n", effect, None, plan.power, no_sample(plan, effect, MOST_UNITS))
    return _row(plan, "n", effect, arms, plan.power)


def _solved_effect(plan: Plan, arms: tuple[int, ...]) -> PowerRow:
    effect = plan.detectable(arms)
    reason = None if effect is not None else no_effect(plan)
    return _row(plan, "effect", effect, arms, plan.power, reason)


def _solved_power(plan: Plan, effect: float, arms: tuple[int, ...]) -> PowerRow:
    if plan.terms.power_for == "each":
        return _row(plan, "power", effect, arms, plan.power_at(effect, arms))
    each = (plan.power_at(effect, arms, place) for place in range(1, len(arms)))
    missed = math.fsum(1 - power for power in each) * plan.terms.metrics
    return _row(plan, "power", effect, arms, max(1 - missed, 0.0))


def _row(
    plan: Plan,
    solved_for: Literal["n", "effect", "power"],
    effect: float | None,
    arms: tuple[int, ...] | None,
    power: float | None,
    reason: str | None = None,
) -> PowerRow:
    total = None if arms is None else sum(arms)
    relative = None if effect is None or plan.baseline == 0 else effect / abs(plan.baseline)
    row = PowerRow(
        kind=plan.kind,
        baseline=plan.baseline,
        standard_deviation=None if plan.kind == "proportion" else plan.deviation,
        alpha=plan.alpha,
        alpha_per_comparison=plan.level,
        power=power,
        one_sided=plan.one_sided,
        variants=len(plan.shares),
        n_per_variant=None if total is None else math.ceil(total / len(plan.shares)),
        n_total=total,
        n_by_variant=None if arms is None else ", ".join(map(str, arms)),
        mde_absolute=effect,
        mde_relative=relative if relative is not None and math.isfinite(relative) else None,
        daily_units=plan.daily_units,
        days=None if total is None or plan.daily_units is None else math.ceil(total / plan.daily_units),
        assumption="",
        status="ok" if reason is None else "undefined",
        reason=reason,
        solved_for=solved_for,
        shares=", ".join(map(repr, plan.shares)),
        correction=plan.correction,
        **_terms_of(plan, effect, arms, power),
    )
    return replace(row, assumption=assumption(row, is_poisson=plan.is_poisson))


def _terms_of(
    plan: Plan, effect: float | None, arms: tuple[int, ...] | None, power: float | None
) -> dict[str, Any]:
    """What a row says beyond effect, level and split."""
    terms, rule = plan.terms, plan.rule
    found: dict[str, Any] = {
        "goal": terms.goal,
        "true_difference": None if terms.goal == "difference" else terms.true_difference,
        "relative": terms.relative,
        "metrics": terms.metrics,
        "power_for": terms.power_for,
        "r2": terms.r2,
        "design_effect": terms.design_effect,
        "stopping": terms.stopping,
        "looks": terms.n_looks,
        "boundary": terms.boundary if terms.stopping == "group-sequential" else None,
        "inflation": 1.0 if rule is None else rule.inflation(plan.wanted),
    }
    if effect is None or arms is None or power is None:
        return found
    each = [plan.power_at(effect, arms, place) for place in range(1, len(arms))]
    wrong = math.fsum(1 - power for power in each) * terms.metrics
    expected = 1.0 if rule is None else rule.expected_fraction(plan.fixed_power_at(effect, arms))
    return found | {
        "power_all": math.prod(each) ** terms.metrics,
        "power_all_least": max(1 - wrong, 0.0),
        "n_expected": math.ceil(sum(arms) * expected),
    }


def terms_of(row: PowerRow) -> Terms:
    """The terms of a design."""
    return Terms(
        row.goal,
        row.true_difference or 0.0,
        row.relative,
        row.metrics,
        row.power_for,
        row.r2,
        row.design_effect,
        row.stopping,
        None if row.stopping == "fixed" else row.looks,
        row.boundary or Terms.boundary,
    )


def _plan_of(row: PowerRow) -> Plan:
    return Plan(
        row.kind,
        row.baseline,
        row.standard_deviation if row.standard_deviation is not None else 0.0,
        row.alpha,
        row.power if row.power is not None else 0.8,
        row.one_sided,
        (row.mde_absolute or 0.0) < 0,
        tuple(float(share) for share in row.shares.split(",")),
        row.correction,
        row.daily_units,
        terms_of(row),
    )
