"""What the analysis of an experiment returns: frozen rows, and the scorecard that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.experiments.later import Later
from analytics.project import MetricKind, Stopping
from analytics.results import Status

Kind = MetricKind
Role = Literal["primary", "secondary", "guardrail", "health"]
Direction = Literal["up", "down"]
Method = str
"""``unadjusted``, ``cuped``, ``stratified``, ``post-stratified``, ``paired``, ``chi-squared`` (the split), or the name
of a method asked for."""
Badge = Literal[
    "better",
    "worse",
    "no difference shown",
    "too small to matter",
    "no difference that matters",
    "no improvement shown",
    "safe",
    "harmed",
    "not shown safe",
]
Verdict = Literal["ship", "hold", "harm", "inconclusive", "needs n"]
"""What to do, in a word: see `analytics.experiments.next_step`."""
Call = Literal["won", "lost", "mixed", "too small", "undecided", "harmed", "invalid", "unknown"]
"""What the whole comparison comes to: ``invalid`` blocks any verdict (the split is broken), ``unknown`` has no data."""


@dataclass(frozen=True)
class ExperimentRow:
    """One metric of one arm against the control, by one method; or the check of the split (metric ``srm``).

    Attributes:
        experiment: its name; None for numbers typed by hand.
        metric: its name in the project file.
        kind: of the metric; None for ``srm``.
        role: what the metric is for.
        direction: which way is better; None for ``srm``.
        variant: the arm; None for ``srm``.
        control: the arm it is compared with.
        n: units of the arm that enter.
        n_control: the same of the control.
        mean: of the arm: mean, share or ratio; with CUPED the adjusted one.
        mean_control: the same of the control.
        half_width, half_width_control: half of the interval of either mean by itself.
        difference: mean - mean_control.
        standard_error: of the difference.
        statistic: of the test.
        df: degrees of freedom; None where the normal distribution is used.
        ci_low, ci_high: interval of the difference for this comparison alone.
        p_value: two-sided, from the same method.
        p_adjusted, ci_adjusted_low, ci_adjusted_high: corrected for the family; what badge and verdict stand on.
        lift: difference / |mean_control|.
        lift_ci_low, lift_ci_high: its interval for this comparison alone.
        lift_ci_adjusted_low, lift_ci_adjusted_high: corrected for the family.
        chance_to_beat: that the arm is better than the control, under a flat prior.
        method: how variance was reduced.
        test: what was tested and how: ``welch``, ``score``, ``delta welch``, ``cluster-robust t`` …
        n_missing: units of both arms left out because their value is null.
        permutation_p_value: where a small arm and skewed values make the t distribution doubtful.
        badge: what the corrected interval says; None where the split is broken.
        warnings: sentences joined by ``; ``; None where there are none.
        confidence: of the intervals, 1 - alpha.
        confidence_adjusted: of the corrected ones.
        verdict: what to do about it, in a word; None where nothing was tested.
        needs_n: units still to come, all arms together, until the smallest effect that matters would show.
        status: ``ok``, ``too_few``, ``no_data`` or ``undefined``; in all but ``ok`` everything tested is None.
        reason: why, in words; with ``ok`` why there is no lift.
        definition: of the metric: its expression, stretch of time, decay, cuts, and what becomes of open windows.
        first_crossing: the first day on which the corrected interval left 0 out, where the stopping rule allows for
            looking before the end.
        p_safe: of a guardrail: that the harm is as large as what is accepted; the badge is ``safe`` exactly where it is
            below 1 - ``confidence_adjusted``.
        p_equivalent: where a smallest effect that matters is declared: that the effect is as large (two one-sided
            tests); below 1 - ``confidence_adjusted`` exactly where the corrected interval holds no such effect.
        worth_units: how many more units would have made the plain comparison as exact as this adjusted one.
        gain: the same in a sentence.
    """

    experiment: str | None
    metric: str
    kind: Kind | None
    role: Role
    direction: Direction | None
    variant: str | None
    control: str | None
    n: int | None
    n_control: int | None
    mean: float | None
    mean_control: float | None
    difference: float | None
    standard_error: float | None
    statistic: float | None
    df: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    ci_adjusted_low: float | None
    ci_adjusted_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    lift_ci_adjusted_low: float | None
    lift_ci_adjusted_high: float | None
    chance_to_beat: float | None
    method: Method
    test: str
    n_missing: int | None
    permutation_p_value: float | None
    badge: Badge | None
    warnings: str | None
    confidence: float
    status: Status
    reason: str | None
    half_width: float | None = None
    half_width_control: float | None = None
    confidence_adjusted: float | None = None
    verdict: Verdict | None = None
    needs_n: int | None = None
    definition: str | None = None
    first_crossing: date | None = None
    worth_units: int | None = None
    gain: str | None = None
    p_safe: float | None = None
    p_equivalent: float | None = None


@dataclass(frozen=True)
class ArmRow:
    """One metric in one arm by itself.

    Attributes:
        metric: its name.
        kind: of the metric.
        variant: the arm.
        is_control: whether it is the control.
        n: units that enter.
        n_missing: units left out because their value is null.
        mean: mean, share or ratio of the units, unadjusted.
        ci_low, ci_high: its interval (t for means and ratios, Wilson for shares).
        standard_deviation: of the units' values; for a ratio of its linearised values.
        status, reason: as everywhere.
    """

    metric: str
    kind: Kind
    variant: str
    is_control: bool
    n: int
    n_missing: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    standard_deviation: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class DayRow:
    """What the units first exposed up to and including one local day say.

    Intervals are drawn at the corrected level of the record, so that the last day is what the verdict stands on.

    Attributes: as in `ExperimentRow`; ``n`` and ``n_control`` grow from day to day. ``ci_*``, ``lift_ci_*`` and
    ``p_value`` are what the declared stopping rule says (of a group-sequential design on days of a look only); beside
    them stand what one look at a fixed horizon, and what a confidence sequence says.

    Attributes:
        fixed_ci_low, fixed_ci_high, fixed_p_value: as if it were looked at on this day only.
        always_valid_ci_low, always_valid_ci_high, always_valid_p_value: however often it was looked at before.
        crossed: whether the always-valid interval leaves 0 out.
        confidence: of all intervals.
    """

    metric: str
    variant: str
    control: str
    method: Method
    day: date
    n: int
    n_control: int
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    status: Status
    reason: str | None
    p_value: float | None = None
    fixed_ci_low: float | None = None
    fixed_ci_high: float | None = None
    fixed_lift_ci_low: float | None = None
    fixed_lift_ci_high: float | None = None
    fixed_p_value: float | None = None
    always_valid_ci_low: float | None = None
    always_valid_ci_high: float | None = None
    always_valid_lift_ci_low: float | None = None
    always_valid_lift_ci_high: float | None = None
    always_valid_p_value: float | None = None
    crossed: bool | None = None
    confidence: float | None = None
    experiment: str | None = None


@dataclass(frozen=True)
class ValueBin:
    """Units of one arm whose value of a metric lies in ``[low, high)``; the outer bins are open (None).

    For a ratio the value is the unit's own numerator / denominator. ``share`` is of the arm's units.
    """

    metric: str
    variant: str
    low: float | None
    high: float | None
    n: int
    share: float


@dataclass(frozen=True)
class ArmCount:
    """How many units an arm got, and how many it should have got.

    Attributes:
        variant: the arm.
        planned_share: normalised.
        n: units first exposed to it (or clusters, where these were randomised).
        expected: planned_share x all of them.
    """

    variant: str
    planned_share: float
    n: int
    expected: float


@dataclass(frozen=True)
class Health:
    """What speaks for or against trusting the comparison.

    Attributes:
        arms: the split, in declared order.
        srm: the test of the split (None where none was asked for, as with typed numbers).
        counted: what the split counts: ``units`` or ``clusters``.
        n_units: units with a declared first arm.
        n_multiple: of them, those exposed to more than one arm: kept in the one they saw first, or left out.
        n_unknown: units whose first arm is not declared, left out.
        unknown: the most frequent undeclared arms, text -> units.
        n_outside: exposures before the start or after the end, which do not count.
        n_future: exposures dated after now, which do not count.
        n_rows_left_out: exposures (or rows of units) without unit or time, and copies of a unit.
        n_open_window: units whose metric window had not closed at the end of the logs.
        n_clusters: None without clusters.
        notes: sentences on whatever else was left out.
        early: why this is a look before the planned end, in a sentence; None where it is not one.
        doubts: sentences on logs that look broken; the verdict's sentence and every comparison repeat them.
        leaves_crossed_out: whether units exposed to more than one arm are left out instead.
        n_before_start: of the exposures outside, those before the start.
    """

    arms: tuple[ArmCount, ...]
    srm: ExperimentRow | None
    counted: Literal["units", "clusters"] = "units"
    n_units: int = 0
    n_multiple: int = 0
    n_unknown: int = 0
    unknown: tuple[tuple[str, int], ...] = ()
    n_outside: int = 0
    n_rows_left_out: int = 0
    n_open_window: int = 0
    n_clusters: int | None = None
    notes: tuple[str, ...] = ()
    n_future: int = 0
    doubts: tuple[str, ...] = ()
    early: str | None = None
    leaves_crossed_out: bool = False
    n_before_start: int = 0


@dataclass(frozen=True)
class Decision:
    """The verdict: one word for programs, one sentence for people.

    Attributes:
        call: what it comes to.
        sentence: the same with numbers.
        variant: the arm the sentence begins with; None where it is about no single one.
        word: what to do, in a word.
    """

    call: Call
    sentence: str
    variant: str | None = None
    word: Verdict = "hold"


@dataclass(frozen=True)
class MetricFacts:
    """What a metric means, shown wherever its number is.

    Attributes:
        name: in the project file.
        kind, direction, role: as declared.
        definition: the expression and window in words.
        means, logged_as: as declared; None where not.
        margin: of a guardrail, the harm that is allowed, relative to |control mean|; None where not declared.
        margin_absolute: the same in the metric's own unit.
        quantile: which one, of kind ``quantile``.
        smallest_lift, smallest_difference: the smallest effect that matters, relative or in the metric's unit.
    """

    name: str
    kind: Kind
    direction: Direction
    role: Role
    definition: str
    means: str | None = None
    logged_as: str | None = None
    margin: float | None = None
    margin_absolute: float | None = None
    quantile: float | None = None
    smallest_lift: float | None = None
    smallest_difference: float | None = None


@dataclass(frozen=True)
class Check:
    """One thing that speaks for or against trusting an experiment, with the number that tells.

    Attributes:
        name: of the check, such as ``sample_ratio`` or ``novelty``.
        level: ``blocks`` any verdict, ``warns``, is ``fine``, or ``unknown`` where the logs cannot tell.
        sentence: what was found, with numbers.
        value: of the statistic or share that tells; ``unit`` says what it is, ``threshold`` from where on it speaks.
        p_value: of its test; None where there is none.
        n: what it stands on.
        metric, variant, segment, segment_value, day: what it is about; None where it is about everything.
        cause: what would explain it, in words.
        query: the command that shows the finding.
    """

    name: str
    level: Literal["blocks", "warns", "fine", "unknown"]
    sentence: str
    value: float | None = None
    unit: str | None = None
    threshold: float | None = None
    p_value: float | None = None
    n: int | None = None
    metric: str | None = None
    variant: str | None = None
    segment: str | None = None
    segment_value: str | None = None
    day: date | None = None
    cause: str | None = None
    query: str | None = None


@dataclass(frozen=True)
class Scorecard:
    """Everything the Scorecard page shows; all of it computed from one reading of the logs.

    Attributes:
        name: of the experiment; None for typed numbers.
        control: the arm the others are compared with.
        variants: the others, in declared order.
        confidence: 1 - alpha.
        metrics: in the order primary, guardrail, secondary.
        rows: comparisons, then ``srm``; a metric with a covariate has a row of method ``cuped`` besides.
        arms: every metric in every arm.
        days: cumulative effects, computed when they are first looked at; empty where exposures carry no time.
        bins: distributions.
        health: of the comparison.
        decision: the verdict.
        correction: how the family was corrected and how many false alarms to expect, in a sentence.
        zone: of the days.
        sql: the texts that scanned.
        checks: what speaks for or against trusting it, the blocking ones first.
        stopping: when one may stop, as declared.
        ended: whether the declared end has passed; None where none is declared.
        others: comparisons by methods that were asked for by name; neither corrected nor part of the verdict.
    """

    name: str | None
    control: str
    variants: tuple[str, ...]
    confidence: float
    metrics: tuple[MetricFacts, ...]
    rows: tuple[ExperimentRow, ...]
    arms: tuple[ArmRow, ...]
    days: Sequence[DayRow]
    bins: tuple[ValueBin, ...]
    health: Health
    decision: Decision
    correction: str
    zone: ZoneInfo
    sql: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    stopping: Stopping = "fixed"
    ended: bool | None = None
    others: tuple[ExperimentRow, ...] = ()

    @property
    def records(self) -> tuple[ExperimentRow, ...]:
        """Every comparison, those beside the usual ones after them, and last the check of the split."""
        checked = tuple(row for row in self.rows if row.role == "health")
        return (*(row for row in self.rows if row.role != "health"), *self.others, *checked)

    def days_of(self, metric: str) -> tuple[DayRow, ...]:
        """The days of one metric, without those of the others being computed."""
        if isinstance(self.days, Later):
            return self.days.of(metric)
        return tuple(row for row in self.days if row.metric == metric)

    def headline_rows(self) -> tuple[ExperimentRow, ...]:
        """The comparisons that verdict and badges stand on: see `headline`."""
        return headline(self.rows)


def headline(rows: Iterable[ExperimentRow]) -> tuple[ExperimentRow, ...]:
    """The comparisons that verdict and badges stand on: see `headline_method`."""
    given = tuple(row for row in rows if row.role != "health")
    states: dict[tuple[str, str | None], dict[str, str]] = {}
    for row in given:
        states.setdefault((row.metric, row.variant), {})[row.method] = row.status
    shown = {key: headline_method(found) for key, found in states.items()}
    return tuple(row for row in given if row.method == shown[row.metric, row.variant])


def headline_method(states: Mapping[str, str]) -> str | None:
    """Which of a metric's methods counts: adjusted where a covariate or strata could be used.

    Pairs and strata that shares differ by come before the plain comparison even where they cannot be tested, since
    without them arms do not compare.

    Args:
        states: method -> status of its comparison.
    """
    for method in ("cuped", "post-stratified"):
        if states.get(method) == "ok":
            return method
    return next((method for method in ("paired", "stratified", "unadjusted") if method in states), None)


@dataclass(frozen=True)
class PowerRow:
    """One design.

    Attributes:
        kind: proportion, mean, ratio or count.
        baseline: of the control.
        standard_deviation: of a unit's value in the control; None for a proportion.
        alpha: of the whole family; ``alpha_per_comparison`` is what one comparison is tested at.
        alpha_per_comparison: alpha / (variants - 1), the first step of Holm.
        power: to show the effect in one comparison.
        one_sided: whether only a rise (or only a fall) is looked for.
        variants: arms with the control.
        n_per_variant: the mean over arms, rounded up; every arm's own where shares are equal.
        n_total: over all arms.
        n_by_variant: every arm's, control first, as text: ``5000, 5000``.
        mde_absolute: the effect that is shown with this power.
        mde_relative: the same relative to |baseline|; None at baseline 0.
        daily_units: arriving a day, all arms together; None where not told.
        days: n_total / daily_units, rounded up.
        assumption: what was assumed, in a sentence.
        status, reason: ``undefined`` where no sample is enough, or the question makes no sense.
        solved_for: what was asked: the units, the effect they show, or the power; the other two were given.
        shares: of the arms, control first, normalised, as text: ``0.5, 0.5``.
        correction: how the level is shared among the comparisons; ``none``: each has all of alpha.
        goal: what is to be shown; with ``non-inferiority`` and ``equivalence`` the effect is what is ruled out.
        true_difference: arm minus control as it truly is, where an effect is to be ruled out; None otherwise.
        relative: whether the lift itself is tested, so that the noise of the control's mean counts.
        metrics: corrected for together.
        power_for: whether ``power`` is that of each comparison or of all together.
        power_all: chance that every comparison shows it, if they were independent.
        power_all_least: the same whatever their correlation.
        r2: share of the variance that a covariate explains.
        design_effect: how many times as many units clusters cost.
        stopping, looks, boundary: as in `analytics.experiments.power_terms.Terms`; the boundary None unless
            group-sequential.
        inflation: units of the last look, as a multiple of a design with one look.
        n_expected: units over all arms that are used on average if the effect is there.
    """

    kind: Literal["proportion", "mean", "ratio", "count", "quantile"]
    baseline: float
    standard_deviation: float | None
    alpha: float
    alpha_per_comparison: float
    power: float | None
    one_sided: bool
    variants: int
    n_per_variant: int | None
    n_total: int | None
    n_by_variant: str | None
    mde_absolute: float | None
    mde_relative: float | None
    daily_units: float | None
    days: int | None
    assumption: str
    status: Status
    reason: str | None
    solved_for: Literal["n", "effect", "power"] = "n"
    shares: str = "0.5, 0.5"
    correction: Literal["holm", "none"] = "holm"
    goal: Literal["difference", "non-inferiority", "equivalence"] = "difference"
    true_difference: float | None = None
    relative: bool = False
    metrics: int = 1
    power_for: Literal["each", "all"] = "each"
    power_all: float | None = None
    power_all_least: float | None = None
    r2: float = 0.0
    design_effect: float = 1.0
    stopping: Literal["fixed", "group-sequential", "always-valid"] = "fixed"
    looks: int = 1
    boundary: (
        Literal["obrien-fleming", "pocock", "lan-demets-obrien-fleming", "lan-demets-pocock", "power"] | None
    ) = None
    inflation: float = 1.0
    n_expected: int | None = None


@dataclass(frozen=True)
class TypedArm:
    """One arm typed by hand.

    Attributes:
        name: of the arm.
        n: visitors, or units.
        successes: for counts.
        mean, standard_deviation: for means.
    """

    name: str
    n: int
    successes: int | None = None
    mean: float | None = None
    standard_deviation: float | None = None


@dataclass(frozen=True)
class History:
    """What the logs say about a metric before an experiment on it is planned.

    Attributes:
        metric: its name.
        kind: of the metric.
        baseline: mean, share or ratio of the units.
        standard_deviation: of the units' values; for a ratio of its linearised values.
        n: units it stands on.
        days: local days in which these units were first seen; None where rows carry no time.
        daily_units: units of all arms first seen, divided by those days; over a longer stretch fewer are new.
        stands_on: which units these are, in words.
        status, reason: as everywhere.
    """

    metric: str
    kind: Kind
    baseline: float | None
    standard_deviation: float | None
    n: int
    days: int | None
    daily_units: float | None
    stands_on: str
    status: Status
    reason: str | None
