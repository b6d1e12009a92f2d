"""The effect day by day, cumulated over the days of first exposure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.choose import choose, methods_of, moments_of
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import Comparison, Limits, NotTested, limits
from analytics.experiments.pairs import PairMoments, cumulative
from analytics.experiments.rows import DayRow, Method


@dataclass(frozen=True)
class _Day:
    """What is known of one arm at the end of one day."""

    variant: str
    method: Method
    day: date
    two: PairMoments
    outcome: Comparison | NotTested


def day_rows(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    levels: Mapping[tuple[str, str | None, Method], float],
) -> Iterator[DayRow]:
    """Every arm by every method on every day of first exposure; none where exposures carry no time.

    Args:
        design: of the experiment.
        metric: of the days.
        found: its aggregates.
        levels: (metric, arm, method) -> confidence of the record's corrected interval.
    """
    if not found.moments.known_days:
        return
    days = [
        _Day(variant, method, day, two, choose(design, metric, found, (variant, method), day=day, two=two))
        for variant in design.variants
        for method in methods_of(metric, found)
        for day, two in cumulative(moments_of(found, method), variant, design.control)
    ]
    drawn: dict[int, Limits] = {}
    for variant, method in dict.fromkeys((day.variant, day.method) for day in days):
        mine = {
            i: day.outcome
            for i, day in enumerate(days)
            if (day.variant, day.method) == (variant, method) and not isinstance(day.outcome, NotTested)
        }
        level = levels[metric.name, variant, method]
        drawn |= dict(zip(mine, limits([*mine.values()], level), strict=True))
    for i, day in enumerate(days):
        yield _row(metric.name, design.control, day, drawn.get(i))


def _row(metric: str, control: str, day: _Day, drawn: Limits | None) -> DayRow:
    outcome = day.outcome
    tested = None if isinstance(outcome, NotTested) else outcome
    lift = None if drawn is None else drawn.lift
    reason = outcome.reason if isinstance(outcome, NotTested) else None if lift else outcome.no_lift
    return DayRow(
        metric=metric,
        variant=day.variant,
        control=control,
        method=day.method,
        day=day.day,
        n=round(day.two.arm.n),
        n_control=round(day.two.control.n),
        difference=None if tested is None else tested.difference,
        ci_low=None if drawn is None else drawn.interval.low,
        ci_high=None if drawn is None else drawn.interval.high,
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None else lift[1].low,
        lift_ci_high=None if lift is None else lift[1].high,
        status=outcome.status if isinstance(outcome, NotTested) else "ok",
        reason=reason,
    )
