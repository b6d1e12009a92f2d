"""Every planned look of a group-sequential design: its boundary, what it spends, and what it showed if it was taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.choose import choose, methods_of, moments_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.held import two_sided
from analytics.experiments.looks import Reached, plan_of, reached
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import pair
from analytics.experiments.rows import Method
from analytics.experiments.stopping import FARTHEST, LookComparison
from analytics.results import Status
from analytics.stats.group_sequential import boundaries, conditional_power, spending


@dataclass(frozen=True)
class LookRow:
    """One planned look at one metric of one arm.

    Attributes:
        experiment, metric, variant, method: as in the scorecard.
        look: from 1.
        planned_fraction: of the planned units.
        planned_n: units of all arms at which it is taken.
        state: ``taken``; ``passed`` where a later look fell on the same day; ``next``; ``later``.
        day: on which it was taken.
        fraction: of the planned units that had entered then.
        n, n_control: of both arms then.
        boundary: standard errors; of looks to come, as planned.
        alpha: of the comparison, corrected as the record is.
        alpha_spent: of it, up to and with this look.
        statistic: the test's, as a standard normal.
        p_value: repeated.
        difference, ci_low, ci_high: with the repeated interval at this look.
        crossed: whether the boundary was crossed.
        power_as_it_goes: chance that the last look crosses, if the effect is what it is here.
        power_if_it_matters: the same if it is the smallest that matters; None where none is declared.
        status, reason: ``ok``, or why nothing is shown.
    """

    experiment: str | None
    metric: str
    variant: str
    method: Method
    look: int
    planned_fraction: float
    planned_n: int
    state: Literal["taken", "passed", "next", "later"]
    day: date | None
    fraction: float | None
    n: int | None
    n_control: int | None
    boundary: float | None
    alpha: float
    alpha_spent: float | None
    statistic: float | None
    p_value: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    crossed: bool | None
    power_as_it_goes: float | None
    power_if_it_matters: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class _Planned:
    """Looks of a metric at one level: those taken at their fractions, then those to come at the planned ones."""

    state: Reached
    bounds: dict[float, float]
    spent: dict[float, float]
    alpha: float

    @property
    def last_bound(self) -> float:
        return self.bounds[1.0]


def look_rows(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    levels: Mapping[tuple[str, str | None, Method], float],
) -> Iterator[LookRow]:
    """Every planned look at a metric, for every arm by every method.

    Args:
        design: group-sequential.
        metric: which.
        found: its aggregates, up to now.
        levels: (metric, arm, method) -> confidence of the record's corrected interval.
    """
    state = reached(design, found.moments)
    sides = 1 if design.one_sided and metric.role != "guardrail" else 2
    for variant in design.variants:
        for method in methods_of(design, metric, found):
            planned = _planned(design, state, 1.0 - levels[metric.name, variant, method], sides)
            for look in range(len(design.looks)):
                yield _row(design, metric, found, (variant, method), planned, look)


def _planned(design: Design, state: Reached, level: float, sides: int) -> _Planned:
    # one side of a two-sided boundary with twice the level
    alpha = 2.0 * level / sides
    plan = plan_of(design)
    last = max([*state.planned, 0.0])
    planned = (*state.planned, *(t for t in design.looks if t > last))
    actual = (*state.fractions, *_to_come(state, [t for t in design.looks if t > last]))
    bounds = boundaries(plan, alpha, actual, final=True)
    spent = spending(plan, alpha, actual)
    spent[-1] = alpha
    return _Planned(
        state,
        {t: min(float(b), FARTHEST) for t, b in zip(planned, bounds, strict=True)},
        {t: float(a) * sides / 2.0 for t, a in zip(planned, spent, strict=True)},
        level,
    )


def _to_come(state: Reached, planned: list[float]) -> list[float]:
    """Fractions of looks to come; a late look pushes the next ones behind it."""
    done = state.fractions[-1] if state.fractions else 0.0
    answer = []
    for t in planned:
        done = max(t, done + 0.001)
        answer.append(done)
    return answer


def _row(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    planned: _Planned,
    look: int,
) -> LookRow:
    t, state = design.looks[look], planned.state
    at = state.planned.index(t) if t in state.planned else None
    day = None if at is None else state.days[at]
    outcome: Comparison | NotTested | None = None
    sizes: tuple[int, int] | None = None
    if at is not None and (day is not None or at == len(state.planned) - 1):
        moments = moments_of(found, arm[1])
        two = pair(moments if day is None else moments.until(day), arm[0], design.control)
        outcome = choose(design, metric, found, arm, day=day, two=two)
        sizes = round(two.arm.n), round(two.control.n)
    plain = None if outcome is None or isinstance(outcome, NotTested) else two_sided(outcome)
    shown = plain if isinstance(plain, LookComparison) else None
    judged = None if shown is None or isinstance(outcome, NotTested) else outcome
    interval = None if judged is None else judged.interval(1.0 - planned.alpha)
    going, mattering = (None, None) if shown is None or at is None else _power(metric, planned, at, shown)
    return LookRow(
        experiment=design.name,
        metric=metric.name,
        variant=arm[0],
        method=arm[1],
        look=look + 1,
        planned_fraction=t,
        planned_n=round(t * state.planned_units),
        state=_state(state, t),
        day=day,
        fraction=None if at is None else state.fractions[at],
        n=None if sizes is None else sizes[0],
        n_control=None if sizes is None else sizes[1],
        boundary=planned.bounds.get(t),
        alpha=planned.alpha,
        alpha_spent=planned.spent.get(t),
        statistic=None if shown is None else shown.z,
        p_value=None if judged is None else judged.p_value,
        difference=None if shown is None else shown.difference,
        ci_low=None if interval is None else interval.low,
        ci_high=None if interval is None else interval.high,
        crossed=None if interval is None else interval.low > 0 or interval.high < 0,
        power_as_it_goes=going,
        power_if_it_matters=mattering,
        status=outcome.status if isinstance(outcome, NotTested) else "ok" if shown else "no_data",
        reason=outcome.reason if isinstance(outcome, NotTested) else None if shown else _why(state, t),
    )


def _state(state: Reached, t: float) -> Literal["taken", "passed", "next", "later"]:
    if t in state.planned:
        return "taken"
    if state.planned and t < state.planned[-1]:
        return "passed"
    return "next" if t == state.next_planned else "later"


def _why(state: Reached, t: float) -> str:
    if _state(state, t) == "passed":
        return "a later look fell on the same day and stands for it"
    if t in state.planned:
        return "exposures carry no time, so an earlier look cannot be taken again"
    return "not taken yet"


def _power(
    metric: MetricDesign, planned: _Planned, at: int, shown: LookComparison
) -> tuple[float | None, float | None]:
    """Conditional power at an interim look, if the effect stays as it is and if it is the smallest that matters."""
    fraction = planned.state.fractions[at]
    if planned.state.planned[at] == 1.0 or fraction >= 1:
        return None, None
    z, last = shown.z, planned.last_bound
    going = conditional_power(z, fraction, last, z / fraction**0.5)
    effect = metric.smallest_difference
    if metric.smallest_lift is not None:
        effect = metric.smallest_lift * abs(shown.mean_control)
    if not effect or not shown.standard_error > 0:
        return going, None
    sign = 1.0 if metric.direction == "up" else -1.0
    drift = sign * effect / (shown.standard_error * fraction**0.5)
    return going, conditional_power(z, fraction, last, drift)
