"""Power by day of an experiment that meets the logs' units: what it takes until each way of stopping decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import special

from analytics.errors import ExperimentError
from analytics.experiments.plan_baseline import Baseline
from analytics.experiments.plan_rows import PlanAsk, PlanDayRow
from analytics.experiments.power_plan import (
    FEWEST_UNITS,
    MOST_UNITS,
    Correction,
    Plan,
    check_effect,
    read_plan,
)
from analytics.experiments.power_terms import MOST_LOOKS, Boundary, Goal, Stopping, Terms
from analytics.experiments.rows import Role
from analytics.stats.arrays import FloatArray
from analytics.stats.arrival_curve import ArrivalCurve
from analytics.stats.power_sequential import (
    StoppingRule,
    always_valid_looks,
    crossed_by,
    group_sequential_rule,
)

HORIZON = 182
"""Days that a plan looks ahead: half a year."""
STOPPINGS: tuple[Stopping, ...] = ("fixed", "group-sequential", "always-valid")
DEFAULT_LIFT = 0.05
DEFAULT_LOOKS = 5
DEFAULT_WITHIN = 28
"""Looks that an always-valid sequence is tuned for: the size with which so many reach the power."""
End = Literal["mean", "low", "high"]
Shares = tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class MetricCase:
    """One metric, ready to be planned.

    Attributes:
        baselines: that are ``ok``, by ascending horizon; at least one.
        arrivals: of units; None where rows carry no time.
        ask: what is asked, with every default filled in.
        role, goal: what the metric is for.
        lift, difference: the effect; the lift goes first, and exactly one is given.
        relative: whether a margin is relative to the control's mean.
        comparisons: corrected for together.
        correction: of them.
        wait: days from the exposure until a unit's window is complete.
        grows: whether a unit's value grows as long as the experiment runs.
    """

    baselines: tuple[Baseline, ...]
    arrivals: ArrivalCurve | None
    ask: PlanAsk
    role: Role
    goal: Goal
    lift: float | None
    difference: float | None
    relative: bool
    metrics: int
    correction: Correction
    wait: float
    grows: bool
    _drifts: dict[tuple[End, Shares], FloatArray] = field(default_factory=dict, init=False, repr=False)
    _powers: dict[tuple[Stopping, End, Shares], FloatArray] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the arms, control first."""
        return self.ask.shares or (0.5, 0.5)

    def baseline_at(self, day: float, end: End = "mean") -> Baseline:
        """Between horizons by straight lines; before the first and beyond the last as there."""
        last = self.baselines[-1]
        if not self.grows:
            day = last.days
        days = [known.days for known in self.baselines]
        values = [_at(known, end) for known in self.baselines]
        variances = [(known.deviation or 0.0) ** 2 for known in self.baselines]
        effects = [known.design_effect for known in self.baselines]
        return replace(
            last,
            value=float(np.interp(day, days, values)),
            deviation=math.sqrt(float(np.interp(day, days, variances))),
            r2=float(np.interp(day, days, [known.r2 for known in self.baselines])),
            effect=None if last.effect is None else last.effect._replace(value=float(np.interp(day, days, effects))),
        )  # fmt: skip

    def effect_at(self, value: float) -> float:
        """The difference asked about, from a baseline."""
        return self.lift * abs(value) if self.lift is not None else self.difference or 0.0

    def plan_at(self, day: float, end: End = "mean", shares: Sequence[float] | None = None) -> Plan:
        """The design with the baseline of a day."""
        known = self.baseline_at(day, end)
        ask = self.ask
        value = known.value or 0.0
        return read_plan(
            known.kind,
            value,
            standard_deviation=None if known.kind == "proportion" else known.deviation,
            alpha=ask.alpha or 0.05,
            power=ask.power or 0.8,
            one_sided=bool(ask.one_sided),
            fall=self.effect_at(value) < 0,
            variants=None,
            shares=shares or self.shares,
            correction=self.correction,
            daily_units=None,
            terms=Terms(
                self.goal,
                relative=self.relative and value != 0,
                metrics=self.metrics,
                r2=known.r2,
                design_effect=known.design_effect if self.ask.whole_clusters else 1.0,
            ),
        )

    def units(self, end: End = "mean") -> FloatArray:
        """Of all arms by the end of each day."""
        if self.arrivals is None:
            return np.zeros(0)
        curve = {"mean": self.arrivals.units, "low": self.arrivals.low, "high": self.arrivals.high}[end]
        return np.asarray(curve * self.ask.traffic, dtype=np.float64)

    def counted(self, end: End = "mean") -> FloatArray:
        """Units whose window is complete by the end of each day."""
        units = self.units(end)
        days = np.arange(1, len(units) + 1) - self.wait
        return np.asarray(np.interp(days, np.arange(len(units) + 1), [0.0, *units]), dtype=np.float64)

    def drifts(self, end: End = "mean", shares: tuple[float, ...] | None = None) -> FloatArray:
        """What the deciding comparison's statistic is expected to be on each day; minus infinity without units.

        It may fall: where values spread faster than units arrive, a longer experiment shows less.
        """
        key = (end, shares)
        if key not in self._drifts:
            self._drifts[key] = self._drifts_of(end, shares)
        return self._drifts[key]

    def _drifts_of(self, end: End, shares: tuple[float, ...] | None) -> FloatArray:
        counted = self.counted(end)
        # the less favourable end of the baseline goes with the fewest arrivals
        least = self._harder if end == "low" else self._easier if end == "high" else "mean"
        found = np.full(len(counted), -np.inf)
        days = np.arange(1, len(counted) + 1)
        places = np.clip(days, self.baselines[0].days, self.baselines[-1].days) if self.grows else 0 * days
        for place in np.unique(places).tolist():
            plan = self._checked(float(place), least, shares)
            here = (places == place) & (counted * min(plan.shares) >= FEWEST_UNITS)
            if not here.any():
                continue
            units = counted[here] / plan.terms.variance_factor
            arm, control = plan.shares[plan.smallest] * units, plan.shares[0] * units
            powers = plan.formulas.power(plan_effect(self, plan), arm, control)
            found[here] = _critical(plan) + special.ndtri(powers)
        return found

    def _checked(self, day: float, end: End, shares: tuple[float, ...] | None) -> Plan:
        plan = self.plan_at(day, end, shares)
        check_effect(plan, plan_effect(self, plan))
        return plan

    @cached_property
    def _harder(self) -> End:
        """The end of the baseline's interval with which an experiment takes longer."""
        low, high = (self._need(end) for end in ("low", "high"))
        return "low" if low >= high else "high"

    @property
    def _easier(self) -> End:
        return "high" if self._harder == "low" else "low"

    def _need(self, end: Literal["low", "high"]) -> float:
        try:
            plan = self._checked(self.baselines[-1].days, end, None)
        except ExperimentError:
            return math.inf
        return plan.total_for(plan_effect(self, plan))

    def powers(
        self, stopping: Stopping, end: End = "mean", shares: tuple[float, ...] | None = None
    ) -> FloatArray:
        """Power by day; for always-valid the chance to have crossed by then."""
        key = (stopping, end, shares)
        if key not in self._powers:
            self._powers[key] = self._powers_of(stopping, end, shares)
        return self._powers[key]

    def _powers_of(self, stopping: Stopping, end: End, shares: tuple[float, ...] | None) -> FloatArray:
        drifts = self.drifts(end, shares)
        if not len(drifts):
            return drifts
        plan = self.plan_at(self.baselines[-1].days)
        if stopping == "always-valid":
            tuned = always_valid_looks(DEFAULT_WITHIN, plan.level, one_sided=plan.one_sided)
            planned = tuned.drift(plan.wanted)
            return crossed_by(drifts, plan.level, planned=planned, one_sided=plan.one_sided)
        if stopping == "group-sequential":
            return np.asarray(np.where(drifts > -np.inf, self.rule.powers(drifts), 0.0), dtype=np.float64)
        return np.asarray(special.ndtr(drifts - _critical(plan)), dtype=np.float64)

    @cached_property
    def rule(self) -> StoppingRule:
        """The group-sequential one."""
        plan = self.plan_at(self.baselines[-1].days)
        return group_sequential_rule(
            self.ask.boundary or Terms.boundary,
            self.ask.looks or DEFAULT_LOOKS,
            plan.level,
            one_sided=plan.one_sided,
        )

    def rule_looks(self, stopping: Stopping) -> int:
        """How often it is looked at."""
        own = {"fixed": 1, "group-sequential": self.ask.looks or DEFAULT_LOOKS}
        return own.get(stopping, self.ask.within)

    def rule_boundary(self, stopping: Stopping) -> Boundary | None:
        """Of a group-sequential design."""
        return (self.ask.boundary or Terms.boundary) if stopping == "group-sequential" else None

    def stopped(self, plan: Plan, stopping: Stopping) -> Plan:
        """The design with a way of stopping, by its looks evenly in units."""
        if stopping == "fixed":
            return plan
        looks, boundary = self.rule_looks(stopping), self.ask.boundary or Terms.boundary
        return replace(
            plan,
            terms=replace(plan.terms, stopping=stopping, looks=min(looks, MOST_LOOKS), boundary=boundary),
        )


def _at(known: Baseline, end: End) -> float:
    found = {"mean": known.value, "low": known.ci_low, "high": known.ci_high}[end]
    return known.value or 0.0 if found is None else found


def _critical(plan: Plan) -> float:
    return float(-special.ndtri(plan.level if plan.one_sided else plan.level / 2))


def plan_effect(case: MetricCase, plan: Plan) -> float:
    """The difference asked about, with the plan's baseline."""
    return case.effect_at(plan.baseline)


def first_day(powers: FloatArray, wanted: float) -> int | None:
    """The first day with the wanted power."""
    reached = np.flatnonzero(powers >= wanted)
    return int(reached[0]) + 1 if len(reached) else None


def expected_days(case: MetricCase, stopping: Stopping, day: int, powers: FloatArray) -> float | None:
    """Days until it stops on average, if the effect is there, when it ends on ``day`` at the latest."""
    if stopping == "fixed":
        return float(day)
    if stopping == "always-valid":
        stops = np.diff(powers[:day], prepend=0.0)
        return float((stops[:-1] * np.arange(1, day)).sum() + (1 - stops[:-1].sum()) * day)
    counted = case.counted()
    drift = float(case.drifts()[day - 1])
    stops = case.rule.crossing(min(drift, 12.0))
    needed = counted[day - 1] * np.array(case.rule.fractions)
    looks = np.searchsorted(counted[:day], needed - 1e-9) + 1
    looks[-1] = day
    return float((stops[:-1] * looks[:-1]).sum() + (1 - stops[:-1].sum()) * day)


def smallest_share(case: MetricCase, stopping: Stopping, wanted: float) -> float | None:
    """Share of each arm but the control with which it still decides in time; None where not even equal arms do."""
    arms = len(case.shares)
    day = case.ask.within

    def decides(share: float) -> bool:
        shares = (1 - (arms - 1) * share, *(share,) * (arms - 1))
        return bool(limited.powers(stopping, "mean", shares).max(initial=0.0) >= wanted)

    limited = replace(case, arrivals=_until(case.arrivals, day))
    return _bisected(decides, 1 / arms)


def _until(arrivals: ArrivalCurve | None, day: int) -> ArrivalCurve | None:
    if arrivals is None:
        return None
    return replace(
        arrivals,
        units=arrivals.units[:day],
        low=arrivals.low[:day],
        high=arrivals.high[:day],
        starts=arrivals.starts[:day],
    )


def _bisected(decides: Callable[[float], bool], most: float) -> float | None:
    if not decides(most):
        return None
    low, high = 1e-4, most
    if decides(low):
        return low
    while high / low > 1.005:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decides(middle) else (middle, high)
    # rounded up to a thousandth, so that it still decides
    return min(math.ceil(high * 1000) / 1000, most)


def detectable_at(case: MetricCase, stopping: Stopping, day: int) -> tuple[float, float | None] | None:
    """The effect seen on a day with the wanted power: absolute, and relative to the baseline's size."""
    if stopping == "always-valid":
        return None
    plan = case.plan_at(day)
    units = float(case.counted()[day - 1])
    arms = [share * units for share in plan.shares]
    if min(arms) < FEWEST_UNITS or units > MOST_UNITS:
        return None
    wanted = plan.wanted if stopping == "fixed" else case.rule.fixed_power(plan.wanted)
    found = replace(plan, power=wanted).detectable(arms)
    if found is None:
        return None
    return found, found / abs(plan.baseline) if plan.baseline else None


def day_rows(case: MetricCase, stopping: Stopping, days: int) -> Iterator[PlanDayRow]:
    """Every day of the first ``days``."""
    units, low, high, counted = case.units(), case.units("low"), case.units("high"), case.counted()
    by_end = {end: case.powers(stopping, end) for end in ("low", "mean", "high")}
    metric = case.baselines[0].metric
    for day in range(1, min(days, len(units)) + 1):
        at = day - 1
        powers = sorted(float(by_end[end][at]) for end in by_end)
        power = float(by_end["mean"][at])
        enough = min(case.shares) / sum(case.shares) * counted[at] >= FEWEST_UNITS
        seen = detectable_at(case, stopping, day) if enough else None
        yield PlanDayRow(
            metric=metric,
            stopping=stopping,
            day=day,
            units=float(units[at]),
            units_low=float(low[at]),
            units_high=float(high[at]),
            units_counted=float(counted[at]),
            power=power if enough else None,
            power_low=powers[0] if enough else None,
            power_high=powers[-1] if enough else None,
            mde_absolute=None if seen is None else seen[0],
            mde_relative=None if seen is None else seen[1],
            beyond_logs=bool(case.arrivals is not None and case.arrivals.starts[at] == 0),
            status="ok" if enough else "too_few",
            reason=None if enough else "no two units an arm have a complete value by then",
        )
