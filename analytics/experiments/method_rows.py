"""Rows of comparisons by other methods, and every method that suits a metric side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import untested
from analytics.experiments.method_words import (
    Method,
    default_method,
    require_method,
    suiting,
    unfit,
    why_default,
)
from analytics.experiments.methods import NotTested
from analytics.experiments.other_methods import Given, Other, compare_by
from analytics.experiments.pairs import pair
from analytics.experiments.refusals import immature, refusal
from analytics.experiments.rows import ExperimentRow, Kind
from analytics.experiments.structure import structure_of
from analytics.results import Status
from analytics.stats.two_by_two import homogeneity


@dataclass(frozen=True)
class MethodRow:
    """One metric of one arm against the control by one of the methods that suit it; all of them side by side.

    Attributes:
        experiment, metric, kind, variant, control, n, n_control, mean, mean_control: as in `ExperimentRow`; the variant
            is null where a method compares all arms at once.
        method: as it is asked for with ``--method``.
        test: what it is called in records.
        is_default: whether badge and verdict stand on it (before any adjustment by a covariate).
        difference, ci_low, ci_high, lift, lift_ci_low, lift_ci_high, statistic, df, p_value: of this method alone, not
            corrected. Limits are null where the method has none that says what its p-value says.
        reads: ``moments`` of arms, or ``values`` of single units.
        when: to use the method, in a sentence.
        why_default: why the default is the default; null for the others.
        warnings: what speaks against reading this one.
        confidence: of the intervals.
        status, reason: as everywhere.
    """

    experiment: str | None
    metric: str
    kind: Kind
    variant: str | None
    control: str
    n: int | None
    n_control: int | None
    mean: float | None
    mean_control: float | None
    method: str
    test: str
    is_default: bool
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    statistic: float | None
    df: float | None
    p_value: float | None
    reads: str
    when: str
    why_default: str | None
    warnings: str | None
    confidence: float
    status: Status
    reason: str | None


@dataclass(frozen=True)
class KindRow:
    """One method for a kind of metric.

    Attributes:
        kind: of the metric.
        method: as it is asked for with ``--method``.
        test: what it is called in records.
        is_default, is_default_with_clusters: whether metrics of this kind are compared by it.
        allows_clusters: whether it is right where units come in clusters.
        intervals: which intervals invert the test: ``difference and lift``, ``difference``, ``lift`` or ``none``.
        reads: ``moments`` of arms, or ``values`` of single units.
        when: to use it, in a sentence.
        why_default: why the default is the default; null for the others.
    """

    kind: Kind
    method: str
    test: str
    is_default: bool
    is_default_with_clusters: bool
    allows_clusters: bool
    intervals: str
    reads: str
    when: str
    why_default: str | None


def kind_rows(kind: Kind) -> tuple[KindRow, ...]:
    """The methods for a kind of metric, the default first."""
    plain, clustered = default_method(kind), default_method(kind, clustered=True)
    return tuple(
        KindRow(
            kind,
            one.name,
            one.test,
            one.name == plain,
            one.name == clustered,
            one.clustered,
            one.intervals,
            one.reads,
            one.when,
            why_default(kind, clustered=one.name != plain) if one.name in {plain, clustered} else None,
        )
        for one in sorted(suiting(kind, clustered=True), key=lambda one: one.name != plain)
    )


def needs_values(methods: Iterable[str]) -> bool:
    """Whether one of these methods reads the values of single units.

    Raises:
        ExperimentError: there is no such method.
    """
    # every name is looked up, also after the first that reads them
    reads = {require_method(name).reads for name in methods}
    return "values" in reads


def other_rows(
    design: Design, aggregates: ExperimentAggregates, confidence: float
) -> tuple[ExperimentRow, ...]:
    """The comparisons by the methods the design names: metric, then arm, then method; none is corrected.

    Raises:
        ExperimentError: there is no such method.
    """
    found = {metric.name: metric for metric in aggregates.metrics}
    methods = [require_method(name) for name in dict.fromkeys(design.methods)]
    return tuple(
        row
        for metric in design.ordered_metrics
        for row in _of_metric(design, metric, found[metric.name], methods, confidence)
    )


def method_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> tuple[MethodRow, ...]:
    """Every method that suits a metric, for every arm; the default first."""
    drawn = {"clustered": found.moments.clustered, "paired": found.pairs is not None}
    methods = suiting(metric.kind, **drawn)
    default = default_method(metric.kind, **drawn), why_default(metric.kind, **drawn)
    by_test = {method.name: method for method in methods}
    return tuple(
        _method_row(row, by_test[row.method], metric, default)
        for row in _of_metric(design, metric, found, methods, confidence)
    )


def _of_metric(
    design: Design, metric: MetricDesign, found: MetricAggregates, methods: list[Method], confidence: float
) -> Iterator[ExperimentRow]:
    for variant in design.variants:
        for method in methods:
            if not method.for_all_arms:
                yield _row(design, metric, found, (variant, method), confidence)
    for method in methods:
        if method.for_all_arms:
            yield _over_arms(design, metric, found, method, confidence)


def _row(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    confidence: float,
) -> ExperimentRow:
    variant, method = arm
    two = pair(found.moments, variant, design.control)
    row = replace(
        _blank(design, metric, method, confidence),
        variant=variant,
        n=round(two.arm.n),
        n_control=round(two.control.n),
        n_missing=sum(found.moments.missing.get(name, 0) for name in (variant, design.control)),
    )
    arms = variant, design.control
    refused = _refused(metric, method, found, arms)
    outcome = refused or compare_by(method, Given(metric, two, found, arms))
    if isinstance(outcome, NotTested):
        return without(row, outcome)
    warnings = [*_ignored(design, found, method), *outcome.warnings]
    return replace(tested(row, outcome, confidence), warnings="; ".join(warnings) or None)


def _blank(design: Design, metric: MetricDesign, method: Method, confidence: float) -> ExperimentRow:
    return replace(
        untested(design.name, metric.name, method.name, method.test),
        kind=metric.kind,
        role=metric.role,
        direction=metric.direction,
        control=design.control,
        confidence=confidence,
    )


def _refused(
    metric: MetricDesign, method: Method, found: MetricAggregates, arms: tuple[str, ...]
) -> NotTested | None:
    wrong = unfit(method, metric.kind)
    if wrong is not None:
        return NotTested("undefined", wrong)
    young = immature(found, arms)
    return refusal(metric, found.moments) or (None if young is None else NotTested("immature", young))


def without(row: ExperimentRow, outcome: NotTested) -> ExperimentRow:
    """A row with the reason why it has no comparison."""
    return replace(
        row,
        mean=outcome.mean,
        mean_control=outcome.mean_control,
        status=outcome.status,
        reason=outcome.reason,
    )


def _ignored(design: Design, found: MetricAggregates, method: Method) -> list[str]:
    """What of the design a method does not know about."""
    warnings = []
    if found.pairs is not None and method.name != "paired":
        warnings.append(f"{method.name} takes pairs apart, so it is less sure than paired")
    if structure_of(design, replace(found, pairs=None)) == "stratified":
        what = "phases" if found.moments.strata is None else "strata"
        warnings.append(
            f"{method.name} takes all {what} together: where arms have unequal parts of them it compares {what} with "
            "each other, too; the record of method stratified does not"
        )
    if found.moments.clustered and not method.clustered:
        warnings.append(
            f"{method.name} takes units as independent, and they come in clusters: it raises more false alarms than "
            "it says, often many times as many; cluster-robust does not"
        )
    if design.stopping != "fixed":
        warnings.append(f"{method.name} holds for one look at the end, not for looking as you go")
    if design.one_sided:
        warnings.append("two-sided, where the experiment asks whether it is better only")
    return warnings


def tested(row: ExperimentRow, outcome: Other, confidence: float) -> ExperimentRow:
    """A row with its comparison; limits that the method has none of stay null."""
    interval = outcome.interval(confidence) if outcome.interval is not None else None
    lift = outcome.lift(confidence) if outcome.lift is not None else None
    return replace(
        row,
        mean=outcome.mean,
        mean_control=outcome.mean_control,
        # an estimate whose interval the data do not give is none
        difference=None if outcome.interval is not None and interval is None else outcome.difference,
        standard_error=outcome.standard_error,
        statistic=outcome.statistic,
        df=outcome.df,
        p_value=outcome.p_value,
        ci_low=None if interval is None else interval.low,
        ci_high=None if interval is None else interval.high,
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None or not math.isfinite(lift[1].low) else lift[1].low,
        lift_ci_high=None if lift is None or not math.isfinite(lift[1].high) else lift[1].high,
        warnings="; ".join(outcome.warnings) or None,
        reason=outcome.no_lift if lift is None and outcome.lift is not None else None,
    )


def _over_arms(
    design: Design, metric: MetricDesign, found: MetricAggregates, method: Method, confidence: float
) -> ExperimentRow:
    """Whether any of the arms differs from any other."""
    arms = tuple(design.shares)
    row = _blank(design, metric, method, confidence)
    outcome = _refused(metric, method, found, arms)
    if outcome is not None:
        return without(row, outcome)
    sides = [found.moments.arm(arm) for arm in arms]
    row = replace(row, n=round(sum(side.n for side in sides)))
    test = homogeneity(
        [round(side.n * float(side.means[0])) for side in sides], [round(side.n) for side in sides]
    )
    if math.isnan(test.p_value):
        nothing = "nobody, or everybody, has it in every arm: there is nothing to test"
        return without(row, NotTested("undefined", nothing))
    rough = f"fewer than 5 are expected somewhere ({test.least_expected:.1f}), so chi-squared is rough"
    warnings = [*_ignored(design, found, method), *([rough] if test.least_expected < 5 else [])]
    return replace(
        row,
        statistic=test.statistic,
        df=test.df,
        p_value=test.p_value,
        warnings="; ".join(warnings) or None,
    )


def _method_row(
    row: ExperimentRow, method: Method, metric: MetricDesign, default: tuple[str, str]
) -> MethodRow:
    is_default = method.name == default[0]
    return MethodRow(
        experiment=row.experiment,
        metric=row.metric,
        kind=metric.kind,
        variant=row.variant,
        control=row.control or "",
        n=row.n,
        n_control=row.n_control,
        mean=row.mean,
        mean_control=row.mean_control,
        method=method.name,
        test=method.test,
        is_default=is_default,
        difference=row.difference,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        lift=row.lift,
        lift_ci_low=row.lift_ci_low,
        lift_ci_high=row.lift_ci_high,
        statistic=row.statistic,
        df=row.df,
        p_value=row.p_value,
        reads=method.reads,
        when=method.when,
        why_default=default[1] if is_default else None,
        warnings=row.warnings,
        confidence=row.confidence,
        status=row.status,
        reason=row.reason,
    )
