"""What a plan from the logs says: designs by metric, days one by one, horizons, and weekdays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analytics.experiments.power_plan import PlanKind
from analytics.experiments.power_terms import Boundary, Goal, Stopping
from analytics.experiments.rows import Role
from analytics.results import Status


@dataclass(frozen=True)
class PlanAsk:
    """What is asked of the logs.

    Attributes:
        lift, difference: to be seen, or of a guardrail the harm to be ruled out; where both are None the smallest
            effect that the metric declares to matter, a guardrail's margin, or a lift of 5 %.
        alpha, power: of the whole family, and wanted of each comparison; the experiment's where None.
        shares: of the arms, control first; the experiment's, or equal halves, where None.
        one_sided: whether only one direction is looked for; the experiment's where None.
        looks, boundary: of the group-sequential design; the experiment's where None.
        within: days in which a decision is wanted.
        traffic: share of the arriving units that enter the experiment.
        covariate_days: how far a covariate looks back; the experiment's where None, and 0 for none.
        whole_clusters: whether all units of a cluster get one arm; where None as the experiment did it.
    """

    lift: float | None = None
    difference: float | None = None
    alpha: float | None = None
    power: float | None = None
    shares: tuple[float, ...] | None = None
    one_sided: bool | None = None
    looks: int | None = None
    boundary: Boundary | None = None
    within: int = 28
    traffic: float = 1.0
    covariate_days: int | None = None
    whole_clusters: bool | None = None


@dataclass(frozen=True)
class PlanRow:
    """One metric under one way of stopping.

    Attributes:
        metric, kind: its name, and what it is planned as.
        role: in the experiment; ``primary`` without one.
        experiment: whose arms, metrics and margins these are; None for a metric by itself.
        stopping: ``fixed`` is read once, ``group-sequential`` ``looks`` times, ``always-valid`` every day.
        rank: 1 for the metric that decides soonest under this way of stopping; None where it never does.
        goal: show the difference, or rule it out.
        lift, difference: the effect asked about; the lift is relative to the size of the baseline.
        is_relative: whether it was asked as a lift.
        days: of the experiment until the power is reached; None where it is not within `HORIZON` days.
        days_low, days_high: the same at the ends of the baseline's interval; None where not reached.
        weeks: days rounded up to whole weeks.
        n_total: units of all arms that the design takes, with the baseline of that day.
        n_total_low, n_total_high: over the baseline's interval.
        n_per_variant: n_total over the arms, rounded up.
        days_expected: until it stops on average, if the effect is there.
        within: days in which a decision is wanted.
        units_within: of all arms that arrive in them.
        power_within: by then; ``power_within_low`` and ``power_within_high`` at the ends of baseline and arrivals.
        mde_within, mde_within_relative: the effect that is seen by then with the wanted power; None for always-valid.
        smallest_share: of each arm but the control, with which it still decides in time; None where none does.
        baseline, ci_low, ci_high, standard_deviation, n: of the units of the horizon.
        horizon: days of the roll-up the baseline comes from.
        daily_units: that arrive on the first day.
        r2: share of the variance that the covariate explains.
        design_effect, design_effect_low, design_effect_high, icc, cluster_size: of clusters that get one arm as a
            whole; None without clusters.
        whole_clusters: whether they do, so that the design effect enters the units.
        alpha, alpha_per_comparison, power, one_sided, shares, looks, boundary: of the design.
        assumption: in a sentence.
        status, reason: ``undefined`` where no sample or no wait is enough.
    """

    metric: str
    kind: PlanKind
    role: Role
    experiment: str | None
    stopping: Stopping
    rank: int | None
    goal: Goal
    lift: float | None
    difference: float | None
    is_relative: bool
    days: int | None
    days_low: int | None
    days_high: int | None
    weeks: int | None
    n_total: int | None
    n_total_low: int | None
    n_total_high: int | None
    n_per_variant: int | None
    days_expected: float | None
    within: int
    units_within: int | None
    power_within: float | None
    power_within_low: float | None
    power_within_high: float | None
    mde_within: float | None
    mde_within_relative: float | None
    smallest_share: float | None
    baseline: float | None
    ci_low: float | None
    ci_high: float | None
    standard_deviation: float | None
    n: int
    horizon: int
    daily_units: float | None
    r2: float
    design_effect: float | None
    design_effect_low: float | None
    design_effect_high: float | None
    icc: float | None
    cluster_size: float | None
    whole_clusters: bool
    alpha: float
    alpha_per_comparison: float
    power: float
    one_sided: bool
    shares: str
    looks: int
    boundary: Boundary | None
    assumption: str
    status: Status
    reason: str | None


@dataclass(frozen=True)
class PlanDayRow:
    """One day of an experiment on one metric.

    Attributes:
        metric, stopping: as in `PlanRow`.
        day: 1 is the first.
        units: of all arms by its end, at the mean over possible starts.
        units_low, units_high: the least and the most over the starts.
        units_counted: those whose window is complete.
        power: fixed and group-sequential: of an experiment planned to end on this day; always-valid: the chance to have
            crossed by this day.
        power_low, power_high: at the ends of baseline and arrivals.
        mde_absolute, mde_relative: the effect seen with the wanted power; None for always-valid.
        beyond_logs: whether arrivals are continued beyond what the logs hold.
    """

    metric: str
    stopping: Stopping
    day: int
    units: float
    units_low: float
    units_high: float
    units_counted: float
    power: float | None
    power_low: float | None
    power_high: float | None
    mde_absolute: float | None
    mde_relative: float | None
    beyond_logs: bool
    status: Status
    reason: str | None


@dataclass(frozen=True)
class PlanHorizonRow:
    """A metric rolled up over one horizon.

    Attributes:
        metric, kind: as in `PlanRow`.
        days: of the horizon.
        first_day, last_day: local days, both included; None where rows carry no time.
        n: units.
        baseline, ci_low, ci_high, standard_deviation, r2, design_effect, icc: as in `PlanRow`.
        variance_ratio: variance over that of the first horizon; None on a horizon without one.
        n_total: units of a fixed design with this baseline and deviation.
        status, reason: as everywhere.
    """

    metric: str
    kind: PlanKind
    days: int
    first_day: date | None
    last_day: date | None
    n: int
    baseline: float | None
    ci_low: float | None
    ci_high: float | None
    standard_deviation: float | None
    variance_ratio: float | None
    r2: float
    design_effect: float | None
    icc: float | None
    n_total: int | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class PlanTrafficRow:
    """Units a day on one weekday.

    Attributes:
        source: whose rows show that a unit was there.
        weekday: Monday first.
        units: mean distinct units on such a day.
        ratio: to the mean over all weekdays.
        days: of the logs.
    """

    source: str
    weekday: str
    units: float | None
    ratio: float | None
    days: int


@dataclass(frozen=True)
class Planned:
    """Everything a plan from the logs says.

    Attributes:
        rows: by rank within each way of stopping.
        days: of every row.
        horizons: of every metric.
        traffic: by weekday.
        sentence: the first line.
        notes: what was left out or taken on trust, a sentence each.
    """

    rows: tuple[PlanRow, ...]
    days: tuple[PlanDayRow, ...]
    horizons: tuple[PlanHorizonRow, ...]
    traffic: tuple[PlanTrafficRow, ...]
    sentence: str
    notes: tuple[str, ...] = ()
