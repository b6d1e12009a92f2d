"""How far the units of every arm came: each step over all exposed units, and from step to step.

The share of all exposed units compares arms, because who was exposed was drawn by lot. The rate from one step to the
next describes one arm only: who reaches a step is changed by the arm itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.aggregates.arms import RATIO, VALUE, ArmMoments, MetricAggregates
from analytics.experiments.choose import choose
from analytics.experiments.compare import own_estimate
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import NotTested
from analytics.experiments.rows import ArmRow
from analytics.experiments.single_arms import arm_rows, between_clusters
from analytics.experiments.structure import structure_of
from analytics.results import Status
from analytics.stats.intervals import effective_n, wilson


@dataclass(frozen=True)
class FunnelRow:
    """One step of a funnel in one arm.

    Attributes:
        experiment: its name.
        metric: the funnel's name.
        variant: the arm.
        is_control: whether it is the control.
        step: 1 for the first.
        condition: what makes the step, as declared.
        n: exposed units that are judged.
        reached: of them, those that took this step after all steps before it.
        share: reached / n.
        ci_low, ci_high: its interval.
        rate: reached / reached of the step before; of the first step the share itself.
        rate_ci_low, rate_ci_high: its interval; of one arm alone, not for comparing arms.
        difference: of the share, less the control's; None for the control.
        difference_ci_low, difference_ci_high: by the method of the metric, for this step alone.
        status, reason: of the share; with ``ok`` why a rate or a difference is missing.
    """

    experiment: str | None
    metric: str
    variant: str
    is_control: bool
    step: int
    condition: str
    n: int
    reached: int | None
    share: float | None
    ci_low: float | None
    ci_high: float | None
    rate: float | None
    rate_ci_low: float | None
    rate_ci_high: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    status: Status
    reason: str | None


def funnel_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[FunnelRow]:
    """Every step of every arm, the control first; none for a metric that is no funnel.

    Args:
        design: of the experiment.
        metric: the funnel.
        found: its aggregates.
        confidence: of every interval, each for itself.
    """
    if found.steps is None:
        return
    for place, condition in enumerate(metric.steps):
        step = replace(
            found, moments=_columns(found.steps, [place]), with_covariate=None, values=None, pairs=None
        )
        for arm in arm_rows(design, metric, step, confidence):
            row = _row(design, metric, arm, (place, condition))
            row = _with_rate(row, found.steps, place, confidence)
            yield row if arm.is_control else _against(row, design, metric, step, confidence)


def _row(design: Design, metric: MetricDesign, arm: ArmRow, at: tuple[int, str]) -> FunnelRow:
    return FunnelRow(
        experiment=design.name,
        metric=metric.name,
        variant=arm.variant,
        is_control=arm.is_control,
        step=at[0] + 1,
        condition=at[1],
        n=arm.n,
        reached=None if arm.mean is None else round(arm.n * arm.mean),
        share=arm.mean,
        ci_low=arm.ci_low,
        ci_high=arm.ci_high,
        rate=None,
        rate_ci_low=None,
        rate_ci_high=None,
        difference=None,
        difference_ci_low=None,
        difference_ci_high=None,
        status=arm.status,
        reason=arm.reason,
    )


def _with_rate(row: FunnelRow, steps: ArmMoments, place: int, confidence: float) -> FunnelRow:
    """Add the share of those who took the step before that went on."""
    if row.status != "ok":
        return row
    if not place:
        return replace(row, rate=row.share, rate_ci_low=row.ci_low, rate_ci_high=row.ci_high)
    both = _columns(steps, [place, place - 1], RATIO)
    arm = both.arm(row.variant)
    estimate = own_estimate("ratio", arm.means)
    if estimate is None:
        return replace(row, reason=f"no unit took step {place}, so there is no rate from it to the next")
    rate, weights = estimate
    before = arm.n * float(arm.means[1])
    # those who reach the step before are a sample like any other, unless they come in clusters
    size, df = before, None
    if both.clusters is not None:
        variance, df = between_clusters(both, row.variant, arm, weights)
        size = effective_n(rate, variance, before)
        if df < 1:
            return replace(row, reason="the arm has one cluster only")
    low, high = wilson(rate, size, confidence, df)
    return replace(row, rate=rate, rate_ci_low=low, rate_ci_high=high)


def _against(
    row: FunnelRow, design: Design, metric: MetricDesign, step: MetricAggregates, confidence: float
) -> FunnelRow:
    """Add the difference of the share from the control's, within strata and phases where these count."""
    outcome = choose(design, metric, step, (row.variant, structure_of(design, step) or "unadjusted"))
    if isinstance(outcome, NotTested):
        return row if row.reason is not None else replace(row, reason=outcome.reason)
    interval = outcome.interval(confidence)
    return replace(
        row,
        difference=outcome.difference,
        difference_ci_low=interval.low,
        difference_ci_high=interval.high,
    )


def _columns(steps: ArmMoments, places: Sequence[int], names: tuple[str, ...] = VALUE) -> ArmMoments:
    """Some steps alone, under the names that a share or a ratio has."""
    chosen = np.array(places)
    return replace(
        steps,
        columns=names,
        means=steps.means[:, chosen],
        comoments=steps.comoments[:, chosen[:, None], chosen[None, :]],
    )
