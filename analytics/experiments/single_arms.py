"""Every arm by itself: its mean with an interval, and how its units' values are distributed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.compare import own_estimate, weighted_variance
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.quantiles import of_quantile
from analytics.experiments.refusals import of_arm
from analytics.experiments.rows import ArmRow, ValueBin
from analytics.project import SHARES
from analytics.results import Status, changed
from analytics.stats.intervals import Interval, effective_n, normal_quantile, wilson
from analytics.stats.moments import Comoments


def arm_rows(
    design: Design, metric: MetricDesign, found: MetricAggregates, confidence: float
) -> Iterator[ArmRow]:
    """One metric in each arm, the control first."""
    for variant in (design.control, *design.variants):
        row = _arm_row(metric, found.moments, variant, confidence, is_control=variant == design.control)
        if metric.kind == "quantile":
            row = of_quantile(row, metric, found, confidence)
        if row.status == "no_data":
            status, reason = of_arm(found, variant)
            row = changed(row, status=status, reason=reason)
        yield row


def _arm_row(
    metric: MetricDesign, moments: ArmMoments, variant: str, confidence: float, *, is_control: bool
) -> ArmRow:
    arm = moments.arm(variant)
    estimate = own_estimate(metric.kind, arm.means) if arm.n else None
    status, reason = _state(arm, known=estimate is not None)
    mean, weights = estimate if estimate is not None else (None, None)
    spread, interval = None, None
    if weights is not None and mean is not None and arm.n >= 2:
        unit_variance = weighted_variance(arm, weights)
        spread = math.sqrt(unit_variance)
        interval = _interval(metric, moments, variant, (mean, weights), confidence)
        if interval is None:
            status, reason = _no_interval(moments, variant)
    return ArmRow(
        metric=metric.name,
        kind=metric.kind,
        variant=variant,
        is_control=is_control,
        n=round(arm.n),
        n_missing=moments.missing.get(variant, 0),
        mean=mean,
        ci_low=None if interval is None else interval.low,
        ci_high=None if interval is None else interval.high,
        standard_deviation=spread,
        status=status,
        reason=reason,
    )


def _state(arm: Comoments, *, known: bool) -> tuple[Status, str | None]:
    if arm.n == 0:
        return "no_data", "the arm has no units"
    if not known:
        return "undefined", "the arm's denominators add up to 0"
    return ("ok", None) if arm.n >= 2 else ("too_few", "the arm has one unit only")


def _no_interval(moments: ArmMoments, variant: str) -> tuple[Status, str]:
    clusters = moments.of(variant).clusters
    if clusters is not None and len(np.unique(clusters)) < 2:
        return "too_few", "the arm has one cluster only"
    return "undefined", "nothing varies, so there is no interval"


def _interval(
    metric: MetricDesign,
    moments: ArmMoments,
    variant: str,
    estimate: tuple[float, np.ndarray],
    confidence: float,
) -> Interval | None:
    arm, (mean, weights) = moments.arm(variant), estimate
    variance, df = weighted_variance(arm, weights) / arm.n, arm.n - 1.0
    if moments.clusters is not None:
        variance, df = between_clusters(moments, variant, arm, weights)
    if metric.kind in SHARES and not moments.invalid and df >= 1:
        if moments.clusters is None:
            return wilson(mean, arm.n, confidence)
        return wilson(mean, effective_n(mean, variance, arm.n), confidence, df)
    if variance <= 0 or df < 1:
        return None
    half = normal_quantile(confidence, df) * math.sqrt(variance)
    return Interval(mean - half, mean + half)


def between_clusters(
    moments: ArmMoments, variant: str, arm: Comoments, weights: np.ndarray
) -> tuple[float, float]:
    """Variance of an arm's mean that allows for any dependence within clusters, and its degrees of freedom."""
    own = moments.of(variant)
    numbers = np.unique(own.clusters) if own.clusters is not None else np.zeros(0, np.int64)
    n, means = own.by_cluster(variant, numbers)
    sums = n * ((means - arm.means) @ weights)
    groups = len(numbers)
    if groups < 2:
        return 0.0, 0.0
    return groups / (groups - 1.0) * float(sums @ sums) / arm.n**2, groups - 1.0


def value_bins(design: Design, metric: MetricDesign, found: MetricAggregates) -> Iterator[ValueBin]:
    """How many units of each arm lie in each bin."""
    edges = [None, *found.edges.tolist(), None]
    for variant in (design.control, *design.variants):
        counts = found.bins.get(variant)
        total = 0 if counts is None else int(counts.sum())
        if counts is None or not total:
            continue
        for low, high, n in zip(edges[:-1], edges[1:], counts.tolist(), strict=True):
            yield ValueBin(metric.name, variant, low, high, int(n), n / total)
