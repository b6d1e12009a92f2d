"""Does the effect change with the days since first exposure: novelty that wears off, or learning that grows?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import RATIO
from analytics.aggregates.unit_ages import AgeMoments, Ages
from analytics.experiments.design import Design
from analytics.experiments.methods import TComparison
from analytics.experiments.rows import Check
from analytics.experiments.words import number, p_value, percent, plural, signed
from analytics.results import Status
from analytics.stats.effect_trend import DailyMeans, EffectTrend, clustered_means, effect_trend
from analytics.stats.means import t_interval, welch_df
from analytics.stats.multiplicity import holm

Floats = NDArray[np.float64]
AGE_ALARM = 0.01
"""Over all metrics and arms together."""
STRETCHES = (0, 1, 3, 7, 14, 28)
"""First days of the stretches whose effects are compared: long enough to hold something, short where effects change."""
FIRST_DAYS = 7
"""Days that are left out where there are twice as many; `FEW_FIRST_DAYS` otherwise."""
FEW_FIRST_DAYS = 3
COMMAND = "assay experiment-ages"


@dataclass(frozen=True)
class AgeRow:
    """The effect on one day since first exposure, over units followed for all of the days.

    Attributes:
        metric, variant, control: what is compared.
        day: since the unit's first exposure; 0 is its first 24 hours.
        n, n_control: units.
        mean, mean_control: of a unit on that day.
        difference, ci_low, ci_high: with an interval for that day alone.
        lift, lift_ci_low, lift_ci_high: difference / |mean_control|, where the control's mean can be told from 0.
        status, reason: as everywhere.
    """

    metric: str
    variant: str
    control: str
    day: int
    n: int
    n_control: int
    mean: float | None
    mean_control: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class AgeTrend:
    """How the effect on one metric of one arm changes with the days since exposure.

    Attributes:
        metric, variant: what is compared.
        trend: of difference and lift; None where it cannot be told.
        p_adjusted: Holm over metrics and arms; None with the trend.
        early, late: the effect on a day in the first days, and after them.
        skipped: how many first days.
        n: units of both arms.
    """

    metric: str
    variant: str
    trend: EffectTrend | None
    p_adjusted: float | None
    early: TComparison
    late: TComparison
    skipped: int
    n: int


def daily_means(found: AgeMoments, variant: str, control: str) -> DailyMeans | None:
    """Means by day of an arm and the control with their covariances; of a ratio, ratios (delta method).

    None with fewer than two units in an arm, or a day without any denominator.
    """
    sides = [found.arms.index(variant), found.arms.index(control)]
    n = found.n[sides]
    if n.min() < 2:
        return None
    weights, values = [], []
    for side in sides:
        weighted = _weights(found, side)
        if weighted is None:
            return None
        values.append(weighted[0])
        weights.append(weighted[1])
    if found.cluster_n is not None and found.cluster_sums is not None:
        sums = [found.cluster_sums[:, side] @ weight.T for side, weight in zip(sides, weights, strict=True)]
        own = [found.cluster_n[:, side] for side in sides]
        clustered = clustered_means(own[0], sums[0], own[1], sums[1])
        return None if clustered is None else clustered._replace(means=values[0], means_control=values[1])
    covariances = [
        weight @ found.comoments[side] @ weight.T / (size * (size - 1.0))
        for side, weight, size in zip(sides, weights, n.tolist(), strict=True)
    ]
    traces = [float(np.trace(covariance)) for covariance in covariances]
    df = (
        float(welch_df(traces[0], float(n[0]), traces[1], float(n[1]))) if sum(traces) else float(n.sum() - 2)
    )
    return DailyMeans(values[0], values[1], covariances[0], covariances[1], np.zeros_like(covariances[0]), df)


def _weights(found: AgeMoments, side: int) -> tuple[Floats, Floats] | None:
    """A value a day, and the weights of a unit's columns in it, shape (A, A k)."""
    means = found.means[side]
    if found.columns != RATIO:
        return means[:, 0], np.eye(found.days)
    if not (means[:, 1] != 0).all():
        return None
    ratio, weights = means[:, 0] / means[:, 1], np.zeros((found.days, 2 * found.days))
    place = np.arange(found.days)
    weights[place, 2 * place] = 1.0 / means[:, 1]
    weights[place, 2 * place + 1] = -ratio / means[:, 1]
    return ratio, weights


def in_stretches(days: DailyMeans, edges: Sequence[int]) -> DailyMeans:
    """Means of a day over stretches of days ``[edges[i], edges[i + 1])``."""
    total = len(days.means)
    sums = np.zeros((len(edges) - 1, total))
    for i, (start, end) in enumerate(pairwise(edges)):
        sums[i, start:end] = 1.0 / (end - start)
    return DailyMeans(
        sums @ days.means,
        sums @ days.means_control,
        sums @ days.covariance @ sums.T,
        sums @ days.covariance_control @ sums.T,
        sums @ days.between @ sums.T,
        days.df,
    )


def stretches(days: int) -> tuple[int, ...]:
    """First days of the stretches, and the number of days.

    >>> stretches(20), stretches(5)
    ((0, 1, 3, 7, 14, 20), (0, 1, 3, 5))
    """
    return (*(edge for edge in STRETCHES if edge < days), days)


def age_rows(design: Design, ages: Ages, confidence: float = 0.95) -> tuple[AgeRow, ...]:
    """The effect by day since exposure of every metric and arm."""
    return tuple(
        row
        for found in ages.metrics
        for variant in design.variants
        for row in _rows(design, found, variant, confidence)
    )


def _rows(design: Design, found: AgeMoments, variant: str, confidence: float) -> list[AgeRow]:
    days = daily_means(found, variant, design.control)
    sizes = dict(zip(found.arms, found.n.astype(int).tolist(), strict=True))
    rows = []
    for day in range(found.days):
        blank = AgeRow(
            found.metric, variant, design.control, day, sizes[variant], sizes[design.control],
            *(None,) * 8, "too_few", "an arm has fewer than two units, or nothing to divide by",
        )  # fmt: skip
        rows.append(blank if days is None else _row(blank, days, day, confidence))
    return rows


def _row(blank: AgeRow, days: DailyMeans, day: int, confidence: float) -> AgeRow:
    one = _comparison(in_stretches(days, (day, day + 1)), 0)
    known = replace(blank, mean=one.mean, mean_control=one.mean_control)
    variance = one.variance + one.variance_control - 2 * one.covariance
    if variance <= 0:
        return replace(known, status="undefined", reason="every unit has the same value on this day")
    low, high = t_interval(one.difference, math.sqrt(variance), one.df, confidence)
    lift = one.lift(confidence)
    return replace(
        known,
        difference=one.difference,
        ci_low=float(low),
        ci_high=float(high),
        lift=None if lift is None else lift[0],
        lift_ci_low=None if lift is None else lift[1].low,
        lift_ci_high=None if lift is None else lift[1].high,
        status="ok",
        reason=None if lift is not None else one.no_lift,
    )


def _comparison(days: DailyMeans, place: int) -> TComparison:
    return TComparison(
        float(days.means[place]),
        float(days.means_control[place]),
        float(days.covariance[place, place]),
        float(days.covariance_control[place, place]),
        float(days.between[place, place]),
        days.df,
        "welch",
    )


def age_trends(design: Design, ages: Ages) -> tuple[AgeTrend, ...]:
    """Whether the effect changes, of every metric and arm, corrected for looking at all of them."""
    found = []
    for moments in ages.metrics:
        for variant in design.variants:
            days = daily_means(moments, variant, design.control)
            if days is None:
                continue
            edges = stretches(moments.days)
            trend = effect_trend(in_stretches(days, edges), edges[:-1])
            skipped = FIRST_DAYS if moments.days >= 2 * FIRST_DAYS else FEW_FIRST_DAYS
            halves = in_stretches(days, (0, skipped, moments.days))
            sizes = dict(zip(moments.arms, moments.n.tolist(), strict=True))
            found.append(
                (moments.metric, variant, trend, _comparison(halves, 0), _comparison(halves, 1), skipped,
                 round(sizes[variant] + sizes[design.control]))
            )  # fmt: skip
    adjusted = holm([_both(trend) for _, _, trend, *_ in found]) if found else np.zeros(0)
    return tuple(
        AgeTrend(metric, variant, trend, None if math.isnan(p) else float(p), early, late, skipped, n)
        for (metric, variant, trend, early, late, skipped, n), p in zip(found, adjusted.tolist(), strict=True)
    )


def _both(trend: EffectTrend | None) -> float | None:
    """An effect is called changing only where neither difference nor lift is the same on all days."""
    return None if trend is None or trend.lift_p_value is None else trend.p_either


def age_checks(design: Design, ages: Ages) -> tuple[Check, ...]:
    """One warning a metric and arm whose effect changes, or one line that none does."""
    if design.phases or design.strata:
        text = "Effects by day since exposure are not compared where shares differ by phase or stratum."
        return (Check("novelty", "unknown", text),)
    if ages.reason is not None:
        return (Check("novelty", "unknown", f"Effects by day since exposure cannot be told: {ages.reason}."),)
    trends = age_trends(design, ages)
    tested = [trend for trend in trends if trend.p_adjusted is not None]
    if not tested:
        text = "Effects by day since exposure cannot be compared: too little happens on a day."
        return (Check("novelty", "unknown", text, threshold=AGE_ALARM, query=_command(design)),)
    directions = {metric.name: metric.direction for metric in design.metrics}
    told = [trend for trend in tested if (trend.p_adjusted or 0.0) < AGE_ALARM]
    if told:
        return tuple(_changing(design, trend, directions, ages.days) for trend in told)
    least = min(tested, key=lambda trend: trend.p_adjusted or 0.0)
    return (
        Check(
            "novelty",
            "fine",
            f"No effect changes over the first {ages.days} days after exposure "
            f"({plural(len(tested), 'comparison')}, the least {p_value(least.p_adjusted or 0.0)}).",
            threshold=AGE_ALARM,
            p_value=least.p_adjusted,
            n=least.n,
            query=_command(design),
        ),
    )


def _changing(design: Design, found: AgeTrend, directions: Mapping[str, str], days: int) -> Check:
    trend = found.trend
    change = 0.0 if trend is None else trend.change
    wears_off = change * found.early.difference < 0
    good = (found.early.difference > 0) == (directions.get(found.metric) != "down")
    what = (
        ("wears off: novelty" if good else "wears off: units get used to it")
        if wears_off
        else "grows with time"
    )
    return Check(
        "novelty",
        "warns",
        f"The effect on {found.metric} of {found.variant} {what}. It is {_effect(found.early)} in the first "
        f"{found.skipped} days after exposure, and {_effect(found.late)} from then until day {days} "
        f"({p_value(found.p_adjusted or 0.0)}); only the later effect is what stays.",
        value=change,
        unit="change of the difference on a day",
        threshold=AGE_ALARM,
        p_value=found.p_adjusted,
        n=found.n,
        metric=found.metric,
        variant=found.variant,
        cause="novelty" if wears_off and good else "learning" if wears_off else "primacy",
        query=_command(design),
    )


def _effect(found: TComparison) -> str:
    lift = found.lift(0.95)
    if lift is not None:
        value, limits = lift
        return f"{signed(percent(value))} ({percent(limits.low)} to {percent(limits.high)})"
    low, high = found.interval(0.95)
    return f"{signed(number(found.difference))} ({number(low)} to {number(high)})"


def _command(design: Design) -> str:
    return f"{COMMAND} {design.name} --json"
