"""A plan from the logs: every metric under every way of stopping, ranked by the days it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from analytics.errors import ExperimentError
from analytics.experiments.plan_baseline import Baseline
from analytics.experiments.plan_days import (
    HORIZON,
    STOPPINGS,
    End,
    MetricCase,
    day_rows,
    detectable_at,
    expected_days,
    first_day,
    plan_effect,
    smallest_share,
)
from analytics.experiments.plan_rows import PlanAsk, PlanDayRow, PlanHorizonRow, PlanRow, PlanTrafficRow
from analytics.experiments.plan_words import HORIZON_WORDS, STOPPING_WORDS
from analytics.experiments.power_plan import MOST_UNITS, Plan, check_effect
from analytics.experiments.power_terms import Goal, Stopping
from analytics.experiments.rows import Role
from analytics.experiments.words import count, number, percent, plural
from analytics.stats.arrival_curve import ArrivalCurve

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK = 7
MOST_DAYS = 84
"""Days that are told one by one, where the decision comes earlier than that."""


def rows_of(case: MetricCase, experiment: str | None) -> Iterator[PlanRow]:
    """One metric under every way of stopping, not ranked yet."""
    reason = _impossible(case)
    for stopping in STOPPINGS:
        yield (
            _row(case, experiment, stopping) if reason is None else _blank(case, experiment, stopping, reason)
        )


def _impossible(case: MetricCase) -> str | None:
    """Why the effect asked about makes no sense; None where it does."""
    try:
        plan = case.plan_at(case.baselines[-1].days)
        check_effect(plan, plan_effect(case, plan))
    except ExperimentError as error:
        return str(error)
    return _nothing_to_see(case) if plan_effect(case, plan) == 0 else None


def unplanned(
    baseline: Baseline, experiment: str | None, ask: PlanAsk, role: Role, goal: Goal
) -> Iterator[PlanRow]:
    """A metric of which the logs do not tell enough."""
    for stopping in STOPPINGS:
        row = _empty(baseline, experiment, ask, (role, goal, stopping))
        yield replace(row, status=baseline.status, reason=baseline.reason)


def _nothing_to_see(case: MetricCase) -> str:
    if case.goal == "difference":
        return "no sample is enough: an effect of 0 is asked for"
    return "no sample is enough: with a margin of 0 no harm at all would have to be ruled out; allow some"


def _empty(
    known: Baseline, experiment: str | None, ask: PlanAsk, what: tuple[Role, Goal, Stopping]
) -> PlanRow:
    role, goal, stopping = what
    effect, shares = known.effect, ask.shares or (0.5, 0.5)
    looks = {"fixed": 1, "group-sequential": ask.looks or 5, "always-valid": ask.within}[stopping]
    return PlanRow(
        metric=known.metric, kind=known.kind, role=role, experiment=experiment, stopping=stopping, rank=None, goal=goal,
        lift=ask.lift, difference=ask.difference, is_relative=ask.difference is None, days=None, days_low=None,
        days_high=None, weeks=None, n_total=None, n_total_low=None, n_total_high=None, n_per_variant=None,
        days_expected=None, within=ask.within, units_within=None, power_within=None, power_within_low=None,
        power_within_high=None, mde_within=None, mde_within_relative=None, smallest_share=None, baseline=known.value,
        ci_low=known.ci_low, ci_high=known.ci_high, standard_deviation=known.deviation, n=known.n, horizon=known.days,
        daily_units=None, r2=known.r2, design_effect=None if effect is None else effect.value,
        design_effect_low=None if effect is None else effect.low,
        design_effect_high=None if effect is None else effect.high, icc=None if effect is None else effect.icc,
        cluster_size=None if effect is None else effect.size, whole_clusters=bool(ask.whole_clusters),
        alpha=ask.alpha or 0.05, alpha_per_comparison=ask.alpha or 0.05, power=ask.power or 0.8,
        one_sided=bool(ask.one_sided), shares=", ".join(f"{share:.6g}" for share in shares), looks=looks,
        boundary=ask.boundary if stopping == "group-sequential" else None, assumption="", status="undefined",
        reason=None,
    )  # fmt: skip


def _blank(case: MetricCase, experiment: str | None, stopping: Stopping, reason: str) -> PlanRow:
    row = _empty(case.baselines[-1], experiment, case.ask, (case.role, case.goal, stopping))
    return replace(
        row, lift=case.lift, difference=None if case.lift is not None else case.difference, reason=reason
    )


def _row(case: MetricCase, experiment: str | None, stopping: Stopping) -> PlanRow:
    wanted = case.ask.power or 0.8
    by_end = {end: case.powers(stopping, end) for end in ("mean", "low", "high")}
    days = first_day(by_end["mean"], wanted)
    plan = case.plan_at(days or HORIZON)
    start = _empty(_rolled_up(case, days), experiment, case.ask, (case.role, case.goal, stopping))
    effect = plan_effect(case, plan)
    needs = _needs(case, stopping, days)
    row = replace(
        start,
        lift=case.lift if case.lift is not None else effect / abs(plan.baseline) if plan.baseline else None,
        difference=effect,
        alpha_per_comparison=plan.level,
        looks=case.rule_looks(stopping),
        boundary=case.rule_boundary(stopping),
        is_relative=case.lift is not None,
        n_total_low=needs[0],
        n_total=needs[1],
        n_total_high=needs[2],
        n_per_variant=None if needs[1] is None else math.ceil(needs[1] / len(case.shares)),
        assumption=_assumption(case, stopping, plan),
    )
    if case.arrivals is None:
        return _without_days(case, stopping, row, plan)
    at = min(case.ask.within, HORIZON) - 1
    powers = sorted(float(by_end[end][at]) for end in by_end)
    seen = detectable_at(case, stopping, at + 1)
    row = replace(
        row,
        units_within=round(float(case.units()[at])),
        power_within=float(by_end["mean"][at]),
        power_within_low=powers[0],
        power_within_high=powers[-1],
        mde_within=None if seen is None else seen[0],
        mde_within_relative=None if seen is None else seen[1],
        smallest_share=smallest_share(case, stopping, wanted),
        daily_units=float(case.units()[0]),
    )
    if days is None:
        return replace(row, reason=_never(case, case.stopped(plan, stopping)))
    return replace(
        row,
        days=days,
        days_low=first_day(by_end["high"], wanted),
        days_high=first_day(by_end["low"], wanted),
        weeks=math.ceil(days / WEEK),
        days_expected=expected_days(case, stopping, days, by_end["mean"]),
        status="ok",
    )


def _rolled_up(case: MetricCase, days: int | None) -> Baseline:
    """The roll-up nearest to a day, to be told; the plan itself goes between them."""
    if not case.grows or days is None:
        return case.baselines[-1]
    return min(case.baselines, key=lambda known: abs(known.days - days))


def _needs(
    case: MetricCase, stopping: Stopping, days: int | None
) -> tuple[int | None, int | None, int | None]:
    """Units of all arms, with their range over the baseline's interval: fewest, planned, most."""
    found = []
    ends: tuple[End, ...] = ("low", "mean", "high")
    for end in ends:
        try:
            plan = case.plan_at(days or HORIZON, end)
            check_effect(plan, plan_effect(case, plan))
        except ExperimentError:
            found.append(math.inf)
            continue
        plan = case.stopped(plan, stopping)
        found.append(plan.total_for(plan_effect(case, plan)))
    # both ends may lie on one side, as those of a share around a half do
    fewest, most = min(found), max(found)
    return _whole(fewest), _whole(found[1]), _whole(most)


def _whole(total: float) -> int | None:
    return math.ceil(total - 1e-9) if total <= MOST_UNITS else None


def _without_days(case: MetricCase, stopping: Stopping, row: PlanRow, plan: Plan) -> PlanRow:
    """Units alone, where rows carry no time."""
    if row.n_total is None:
        return replace(row, reason=_never(case, case.stopped(plan, stopping)))
    return replace(
        row,
        status="ok",
        reason="rows carry no time, so how many days it takes is not known",
    )


def _never(case: MetricCase, plan: Plan) -> str:
    """Why no wait is enough."""
    needed = math.ceil(min(plan.total_for(plan_effect(case, plan)), 2.0 * MOST_UNITS) - 1e-9)
    if not needed <= MOST_UNITS:
        return f"no sample is enough: it would take more than {count(MOST_UNITS)} units"
    if case.arrivals is None:
        return "there are no arrivals"
    there = float(case.units()[-1])
    return (
        f"no wait is enough: it takes {count(needed)} units, and {count(there)} arrive in {HORIZON_WORDS}"
        if needed > there
        else f"no wait within {HORIZON_WORDS} is enough"
    )


def _assumption(case: MetricCase, stopping: Stopping, plan: Plan) -> str:
    known = case.baselines[-1]
    parts = [f"normal approximation, {'one' if plan.one_sided else 'two'}-sided, {STOPPING_WORDS[stopping]}"]
    parts.append(
        "a unit's value grows with the days it is followed, so baseline and variance are those of windows as long as "
        "the experiment"
        if case.grows
        else "a unit's value does not depend on how long the experiment runs"
    )
    if case.arrivals is not None:
        starts = "those of the experiment" if case.arrivals.starts.max() == 1 else "averaged over every start"
        parts.append(f"arrivals are {starts}; who comes back is not a new unit")
    if case.wait:
        parts.append(f"a unit counts once its window of {case.wait:.3g} days is complete")
    if plan.comparisons > 1 and case.correction == "holm":
        parts.append(f"{plural(plan.comparisons, 'comparison')}, each at the first step of Holm")
    if known.r2:
        parts.append(f"the declared covariate takes away {percent(known.r2)} of the variance")
    if known.effect is not None:
        cost = f"{number(known.design_effect)} times the units"
        parts.append(
            f"whole clusters get one arm, which costs {cost}"
            if case.ask.whole_clusters
            else f"units get their arm one by one; whole clusters would cost {cost}"
        )
    return "; ".join(parts)


def ranked(rows: Sequence[PlanRow]) -> tuple[PlanRow, ...]:
    """The soonest first within each way of stopping; what never decides comes last and has no rank."""
    found: list[PlanRow] = []
    for stopping in STOPPINGS:
        own = sorted(
            (row for row in rows if row.stopping == stopping),
            key=lambda row: (row.status != "ok", row.days or math.inf, row.n_total or math.inf, row.metric),
        )
        found += [
            replace(row, rank=place if row.status == "ok" else None) for place, row in enumerate(own, start=1)
        ]
    return tuple(found)


def days_of(case: MetricCase) -> Iterator[PlanDayRow]:
    """Power day by day under every way of stopping, until all have decided or a quarter is over."""
    if case.arrivals is None:
        return
    wanted = case.ask.power or 0.8
    try:
        last = [first_day(case.powers(stopping), wanted) or HORIZON for stopping in STOPPINGS]
        days = max(min(max(last) + WEEK, MOST_DAYS), case.ask.within)
        for stopping in STOPPINGS:
            yield from day_rows(case, stopping, days)
    except ExperimentError:
        # such as a share that would pass 1: the metric's row says so
        return


def horizon_rows(
    baselines: Sequence[Baseline], case: MetricCase | None, end: date | None
) -> Iterator[PlanHorizonRow]:
    """One metric rolled up over one to four weeks."""
    first = next((known.deviation for known in baselines if known.deviation), None)
    for known in baselines:
        total = None
        if case is not None and known.status == "ok":
            alone = replace(case, baselines=(known,))
            try:
                plan = alone.plan_at(known.days)
                check_effect(plan, plan_effect(alone, plan))
                needed = plan.total_for(plan_effect(alone, plan))
                total = math.ceil(needed) if math.isfinite(needed) else None
            except ExperimentError:
                total = None
        yield PlanHorizonRow(
            metric=known.metric,
            kind=known.kind,
            days=known.days,
            first_day=None if end is None else end - timedelta(days=known.days),
            last_day=None if end is None else end - timedelta(days=1),
            n=known.n,
            baseline=known.value,
            ci_low=known.ci_low,
            ci_high=known.ci_high,
            standard_deviation=known.deviation,
            variance_ratio=(known.deviation / first) ** 2 if known.deviation and first else None,
            r2=known.r2,
            design_effect=None if known.effect is None else known.effect.value,
            icc=None if known.effect is None else known.effect.icc,
            n_total=total,
            status=known.status,
            reason=known.reason,
        )


def traffic_rows(source: str, arrivals: ArrivalCurve) -> tuple[PlanTrafficRow, ...]:
    """Units a day by weekday."""
    known = [float(units) for units in arrivals.weekdays if math.isfinite(units)]
    mean = sum(known) / len(known) if known else 0.0
    return tuple(
        PlanTrafficRow(
            source,
            name,
            float(units) if math.isfinite(units) else None,
            float(units) / mean if math.isfinite(units) and mean else None,
            arrivals.days,
        )
        for name, units in zip(WEEKDAYS, arrivals.weekdays, strict=True)
    )
