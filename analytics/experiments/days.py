"""The effect day by day, cumulated over the days of first exposure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.drafts import compared
from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments, cumulative
from analytics.experiments.rows import DayRow, Method


def day_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[DayRow]:
    """Every arm by every method on every day of first exposure; none where exposures carry no time."""
    sources: list[tuple[ArmMoments, Method]] = [(found.moments, "unadjusted")]
    if metric.has_covariate and found.with_covariate is not None:
        sources.append((found.with_covariate, "cuped"))
    for variant in design.variants:
        for moments, method in sources:
            for day, two in cumulative(moments, variant, design.control):
                key = (metric, variant, design.control, method)
                yield _row(key, day, (moments, two), confidence)


def _row(
    key: tuple[MetricDesign, str, str, Method],
    day: date,
    so_far: tuple[ArmMoments, PairMoments],
    confidence: float,
) -> DayRow:
    metric, variant, control, method = key
    moments, two = so_far
    outcome = compared(moments, two, metric, method)
    tested = None if isinstance(outcome, NotTested) else outcome
    interval = None if tested is None else tested.interval(confidence)
    lift = None if tested is None else tested.lift(confidence)
    reason = outcome.reason if isinstance(outcome, NotTested) else None if lift else outcome.no_lift
    return DayRow(
        metric=metric.name,
        variant=variant,
        control=control,
        method=method,
        day=day,
        n=round(two.arm.n),
        n_control=round(two.control.n),
        difference=None if tested is None else tested.difference,
        ci_low=None if interval is None else interval.low,
        ci_high=None if interval is None else interval.high,
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None else lift[1].low,
        lift_ci_high=None if lift is None else lift[1].high,
        status=outcome.status if isinstance(outcome, NotTested) else "ok",
        reason=reason,
    )
