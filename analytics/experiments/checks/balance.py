"""Were the arms alike before the experiment? A difference that was there before anybody was exposed is no effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from analytics.aggregates.arms import RATIO, VALUE, ArmMoments, ExperimentAggregates, MetricAggregates
from analytics.experiments.checks.cells import compare_cells
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import PairMoments, pair
from analytics.experiments.rows import Check, Kind
from analytics.experiments.sides import own_estimate, weighted_variance
from analytics.experiments.structure import strata
from analytics.experiments.words import number, p_value, plural
from analytics.project import SHARES
from analytics.stats.confidence_sequences import mixture_width, sequence_p_value

IMBALANCE_ALARM = 0.001
"""Over all metrics and arms together."""
USUAL_UNITS = 10_000.0
"""Size at which the test is sharpest where none is planned; it may not depend on what was found."""


@dataclass(frozen=True)
class Before:
    """One value from before of one arm against the control.

    Attributes:
        metric, column: what is compared: a metric's own value, or a covariate of it.
        variant: the arm.
        mean, mean_control, difference: of the arms before.
        p_value: of the difference; it holds however often one looks where exposures carry times.
        n: units of both arms.
    """

    metric: str
    column: str
    variant: str
    mean: float
    mean_control: float
    difference: float
    p_value: float
    n: int


def before_rows(design: Design, found: ExperimentAggregates) -> tuple[Before, ...]:
    """Every metric's value before, of every arm against the control."""
    metrics = {metric.name: metric for metric in design.metrics}
    sequential = len(found.split.daily.days) > 0
    return tuple(
        row
        for given in found.metrics
        if given.name in metrics
        for moments, column, kind in _befores(metrics[given.name], given)
        for variant in design.variants
        if (row := _compared(design, (given.name, column, kind), variant, moments, sequential=sequential))
    )


def _befores(metric: MetricDesign, given: MetricAggregates) -> Iterator[tuple[ArmMoments, str, Kind]]:
    """What is known of a metric's units from before: looked back to, or covariates one by one."""
    if given.before is not None:
        own: Kind = metric.kind if metric.kind in SHARES or metric.kind == "ratio" else "mean"
        yield given.before, "value", own
        return
    both = given.with_covariate
    if both is None:
        return
    k = len(given.moments.columns)
    names = both.columns[k:]
    if len(names) == 2 and set(names) == {"covariate_numerator", "covariate_denominator"}:
        yield columns_of(both, [k, k + 1], RATIO), "value", "ratio"
        return
    for i, name in enumerate(names):
        yield columns_of(both, [k + i], VALUE), name, "mean"


def columns_of(moments: ArmMoments, places: Sequence[int], names: tuple[str, ...]) -> ArmMoments:
    """Some of the columns, under other names."""
    chosen = np.asarray(places)
    return ArmMoments(
        names,
        moments.variants,
        moments.days,
        moments.clusters,
        moments.n,
        moments.means[:, chosen],
        moments.comoments[:, chosen][:, :, chosen],
        moments.missing,
        0,
        moments.strata,
        moments.phases,
    )


def _compared(
    design: Design, what: tuple[str, str, Kind], variant: str, moments: ArmMoments, *, sequential: bool
) -> Before | None:
    metric, column, kind = what
    tested = compare_cells(design, moments, variant, kind)
    if isinstance(tested, NotTested):
        return None
    n = float(moments.of(variant, design.control).n.sum())
    error = max(tested.standard_error, _pooled_error(design, moments, variant, tested, kind))
    z = abs(tested.difference) / error if error > 0 else 0.0
    p = float(2.0 * stdtr(tested.df or n, -z))
    if sequential:
        width = mixture_width(design.planned_units or USUAL_UNITS, IMBALANCE_ALARM)
        # t quantiles are wider than normal ones, which few units need
        p = max(float(sequence_p_value(z, n, width)), p)
    return Before(
        metric, column, variant, tested.mean, tested.mean_control, tested.difference, float(p), round(n)
    )


def _pooled_error(design: Design, moments: ArmMoments, variant: str, tested: Comparison, kind: Kind) -> float:
    """Standard error with one variance for both arms, as it is where nothing differs.

    A small arm that happens to hold no large value has a small variance of its own, too: of 90:10 splits of heavy
    tails 5 % would be called imbalanced by that. What clusters add to an error is added to this one.
    """
    parts = _parts(design, moments, variant)
    total, pooled, own = sum(part.arm.n + part.control.n for part in parts), 0.0, 0.0
    for part in parts:
        both, estimate = part.pooled, own_estimate(kind, part.pooled.means)
        if estimate is None or both.n <= 2:
            continue
        share = (part.arm.n + part.control.n) / total
        sides = [weighted_variance(side, estimate[1]) for side in (part.arm, part.control)]
        within = sum(v * (side.n - 1) for v, side in zip(sides, (part.arm, part.control), strict=True)) / (
            both.n - 2
        )
        pooled += share**2 * within * (1 / part.arm.n + 1 / part.control.n)
        own += share**2 * (sides[0] / part.arm.n + sides[1] / part.control.n)
    inflation = tested.standard_error**2 / own if own > 0 and moments.clustered else 1.0
    return math.sqrt(pooled * max(inflation, 1.0))


def _parts(design: Design, moments: ArmMoments, variant: str) -> list[PairMoments]:
    if moments.strata is None and moments.phases is None:
        return [pair(moments, variant, design.control)]
    return list(strata(design, moments, variant, design.control)[0].values())


def balance_check(rows: Sequence[Before], *, sequential: bool) -> Check:
    """Whether any value from before differs between arms: Bonferroni over metrics and arms."""
    if not rows:
        return Check(
            "balance",
            "unknown",
            "Whether the arms were alike before cannot be told: no metric has rows from before the first exposures.",
            threshold=IMBALANCE_ALARM,
        )
    worst = min(rows, key=lambda row: row.p_value)
    p = min(1.0, worst.p_value * len(rows))
    looked = plural(len(rows), "comparison")
    how = "looked at daily, " if sequential else ""
    if p < IMBALANCE_ALARM:
        sentence = (
            f"The arms differed before anybody was exposed: {_named(worst)} was {number(worst.mean)} in "
            f"{worst.variant} against {number(worst.mean_control)} in the control ({p_value(p)}, {how}of {looked})."
        )
    else:
        sentence = (
            f"The arms were alike before: the largest difference of {looked} is {_named(worst)} in {worst.variant}, "
            f"{number(worst.mean)} against {number(worst.mean_control)} ({p_value(p)})."
        )
    return Check(
        "balance",
        "blocks" if p < IMBALANCE_ALARM else "fine",
        sentence,
        value=worst.difference,
        unit=worst.metric,
        threshold=IMBALANCE_ALARM,
        p_value=p,
        n=worst.n,
        metric=worst.metric,
        variant=worst.variant,
    )


def _named(row: Before) -> str:
    return row.metric if row.column in {"value", "covariate"} else f"{row.column} of {row.metric}"
