"""Rates typed by hand: events and the exposure they happened in, compared by the score test of two rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from scipy.special import chdtri

from analytics.errors import ExperimentError
from analytics.experiments.badges import badge
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import Draft, untested
from analytics.experiments.family import corrected, correction
from analytics.experiments.method_rows import tested, without
from analytics.experiments.method_words import Method, require_method, unfit
from analytics.experiments.methods import NotTested
from analytics.experiments.other_methods import of_rates
from analytics.experiments.rates import RateComparison
from analytics.experiments.rows import ArmCount, ArmRow, Direction, ExperimentRow, Health, Scorecard
from analytics.experiments.verdict import decide
from analytics.project import LEAST_ALPHA
from analytics.stats.poisson import Rates

_UTC = ZoneInfo("UTC")
FEW_EVENTS = 10
"""Events of both arms under which the score test of rates is called rough."""
BY_RATES = ("poisson", "poisson-exact", "e-test")


@dataclass(frozen=True)
class TypedRate:
    """One arm typed by hand.

    Attributes:
        name: of the arm.
        events: how many happened.
        exposure: in how much (users, hours, thousand requests), any number above 0.
    """

    name: str
    events: int
    exposure: float


def compare_rates(
    arms: Sequence[TypedRate],
    control: str,
    alpha: float = 0.05,
    direction: Direction = "up",
    methods: Sequence[str] = (),
    zone: ZoneInfo = _UTC,
) -> Scorecard:
    """Compare rates given as events in an exposure, where events do not hang together.

    Args:
        arms: every arm with its events and exposure.
        control: the name of the arm the others are compared with.
        alpha: the chance of a false alarm that is accepted.
        direction: which way is better.
        methods: others besides, of ``poisson``, ``poisson-exact``, ``e-test``.
        zone: of the scorecard.

    Raises:
        ExperimentError: numbers that cannot be, or a method that is not for rates.

    >>> card = compare_rates([TypedRate("B", 60, 51477.5), TypedRate("A", 30, 54308.7)], "A", direction="down")
    >>> card.rows[0].badge, round(card.rows[0].p_value, 6), round(card.rows[0].lift_ci_low, 3)
    ('worse', 0.000632, 0.366)
    """
    by_name = _checked(arms, control, alpha)
    metric = MetricDesign("rate", "count", direction, definition="events / exposure, as typed")
    design = Design(None, control, dict.fromkeys(by_name, 1.0), alpha, (metric,))
    drafts = [_draft(design, metric, by_name[control], by_name[name]) for name in design.variants]
    rows = tuple(replace(row, badge=badge(row, metric)) for row in corrected(drafts, alpha))
    counted = tuple(ArmCount(arm.name, 1.0 / len(arms), arm.events, arm.events) for arm in by_name.values())
    state = Health(counted, None, n_units=sum(arm.n for arm in counted))
    others = tuple(
        _other(design, metric, (by_name[name], by_name[control]), require_method(method))
        for name in design.variants
        for method in dict.fromkeys(methods)
    )
    return Scorecard(
        name=None,
        control=control,
        variants=design.variants,
        confidence=1.0 - alpha,
        metrics=(metric.facts,),
        rows=rows,
        arms=tuple(_arm_row(metric, arm, control, 1.0 - alpha) for arm in by_name.values()),
        days=(),
        bins=(),
        health=state,
        decision=decide(design, rows, state),
        correction=correction(rows, alpha),
        zone=zone,
        others=others,
    )


def _checked(arms: Sequence[TypedRate], control: str, alpha: float) -> dict[str, TypedRate]:
    if len(arms) < 2:
        raise ExperimentError(f"A comparison needs at least two arms; {len(arms)} given.")
    by_name = {arm.name: arm for arm in arms}
    if len(by_name) < len(arms):
        raise ExperimentError("Every arm needs a name of its own.")
    if control not in by_name:
        raise ExperimentError(f"The control {control!r} is none of the arms: {', '.join(by_name)}.")
    if not LEAST_ALPHA <= alpha < 1:
        raise ExperimentError(f"alpha must lie between 0 and 1, from {LEAST_ALPHA:g} on; found {alpha:g}.")
    for arm in arms:
        if arm.events < 0 or arm.events != int(arm.events):
            raise ExperimentError(
                f"The events of {arm.name} must be a whole number, 0 or more; found {arm.events:g}."
            )
        if not (math.isfinite(arm.exposure) and arm.exposure > 0):
            raise ExperimentError(f"The exposure of {arm.name} must be above 0; found {arm.exposure:g}.")
    return by_name


def _rates(arm: TypedRate, control: TypedRate) -> Rates:
    return Rates(arm.events, arm.exposure, control.events, control.exposure)


def _row(
    design: Design, metric: MetricDesign, both: tuple[TypedRate, TypedRate], how: tuple[str, str]
) -> ExperimentRow:
    arm, control = both
    return replace(
        untested(None, metric.name, *how),
        kind=metric.kind,
        role=metric.role,
        direction=metric.direction,
        variant=arm.name,
        control=control.name,
        n=arm.events,
        n_control=control.events,
        n_missing=0,
        confidence=1.0 - design.alpha,
    )


def _draft(design: Design, metric: MetricDesign, control: TypedRate, arm: TypedRate) -> Draft:
    rates = _rates(arm, control)
    row = _row(design, metric, (arm, control), ("unadjusted", RateComparison.test))
    row = replace(row, mean=rates.rate, mean_control=rates.rate_control)
    if not rates.total:
        return Draft(replace(row, status="undefined", reason="there is no event in either arm"), None)
    found = RateComparison(rates)
    above = found.chance_above
    rough = f"only {rates.total:g} events in both arms: ask for poisson-exact, which is never too sure"
    row = replace(
        row,
        difference=found.difference,
        standard_error=found.standard_error,
        statistic=found.statistic,
        p_value=found.p_value,
        chance_to_beat=above if metric.direction == "up" else 1.0 - above,
        warnings=rough if rates.total < FEW_EVENTS else None,
    )
    return Draft(row, found)


def _other(
    design: Design, metric: MetricDesign, both: tuple[TypedRate, TypedRate], method: Method
) -> ExperimentRow:
    row = _row(design, metric, both, (method.name, method.test))
    wrong = unfit(method, metric.kind)
    if wrong is None and method.name not in BY_RATES:
        wrong = f"{method.name} needs what single units did; typed rates have {', '.join(BY_RATES)}"
    rates = _rates(*both)
    if wrong is None and not rates.total:
        wrong = "there is no event in either arm"
    if wrong is not None:
        return without(row, NotTested("undefined", wrong, rates.rate, rates.rate_control))
    found = of_rates(rates, method.name)
    return without(row, found) if isinstance(found, NotTested) else tested(row, found, row.confidence)


def _arm_row(metric: MetricDesign, arm: TypedRate, control: str, confidence: float) -> ArmRow:
    """An arm's rate with its exact interval. Source: Garwood, Biometrika 28 (1936)."""
    tail = (1.0 - confidence) / 2
    low = float(chdtri(2 * arm.events, 1 - tail)) / 2 if arm.events else 0.0
    high = float(chdtri(2 * (arm.events + 1), tail)) / 2
    return ArmRow(
        metric=metric.name,
        kind=metric.kind,
        variant=arm.name,
        is_control=arm.name == control,
        n=arm.events,
        n_missing=0,
        mean=arm.events / arm.exposure,
        ci_low=low / arm.exposure,
        ci_high=high / arm.exposure,
        standard_deviation=None,
        status="ok",
        reason=None,
    )
