"""What a winsorised metric says without the cut: beside the comparison that counts, never in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analytics.aggregates.arms import ExperimentAggregates, MetricAggregates
from analytics.experiments.choose import choose, sizes_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import untested
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import pair
from analytics.experiments.rows import ExperimentRow, Method
from analytics.experiments.structure import structure_of

METHOD = "uncapped"
NOTE = "values are not cut here; badge and verdict stand on the winsorised ones"


def uncapped_rows(
    design: Design, aggregates: ExperimentAggregates, confidence: float
) -> tuple[ExperimentRow, ...]:
    """Every winsorised metric of every arm without the cut and without covariates; none is corrected.

    Within strata and phases as the comparison that counts: a pooled one could have the other sign. Pairs are not read
    without the cut.

    Args:
        design: of the experiment.
        aggregates: what was read.
        confidence: of the intervals.
    """
    found = {metric.name: metric for metric in aggregates.metrics}
    return tuple(
        row
        for metric in design.ordered_metrics
        for row in _rows(design, metric, found[metric.name], confidence)
    )


def _rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[ExperimentRow]:
    if found.uncapped is None:
        return
    whole = replace(
        found, moments=found.uncapped, with_covariate=None, pairs=None, uncapped=None, caps={}, values=None
    )
    for variant in design.variants:
        yield _row(design, metric, whole, variant, confidence)


def _row(
    design: Design, metric: MetricDesign, whole: MetricAggregates, variant: str, confidence: float
) -> ExperimentRow:
    two = pair(whole.moments, variant, design.control)
    method: Method = structure_of(design, whole) or "unadjusted"
    outcome = choose(design, metric, whole, (variant, method), two=two)
    n, n_control = sizes_of(design, whole, (variant, method), two)
    row = replace(
        untested(design.name, metric.name, METHOD, "welch" if metric.kind != "ratio" else "delta welch"),
        kind=metric.kind,
        role=metric.role,
        direction=metric.direction,
        variant=variant,
        control=design.control,
        n=n,
        n_control=n_control,
        mean=outcome.mean,
        mean_control=outcome.mean_control,
        n_missing=sum(whole.moments.missing.get(arm, 0) for arm in (variant, design.control)),
        confidence=confidence,
        definition=metric.definition or None,
        warnings=NOTE,
    )
    if isinstance(outcome, NotTested):
        return replace(row, status=outcome.status, reason=outcome.reason)
    interval, lift = outcome.interval(confidence), outcome.lift(confidence)
    return replace(
        row,
        difference=outcome.difference,
        standard_error=outcome.standard_error,
        statistic=outcome.statistic,
        df=outcome.df,
        p_value=outcome.p_value,
        chance_to_beat=outcome.chance_above if row.direction == "up" else 1.0 - outcome.chance_above,
        test=outcome.test,
        ci_low=interval.low,
        ci_high=interval.high,
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None else lift[1].low,
        lift_ci_high=None if lift is None else lift[1].high,
        reason=outcome.no_lift if lift is None else None,
    )
