"""What a metric is like before an experiment: mean, spread, what a covariate explains, and what clusters cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import merged
from analytics.aggregates.planning import HorizonMoments
from analytics.experiments.power_plan import PlanKind
from analytics.project import SHARES
from analytics.results import Status
from analytics.stats.design_effect import DesignEffect, design_effect
from analytics.stats.intervals import effective_n, normal_quantile, wilson
from analytics.stats.moments import Comoments

Floats = NDArray[np.float64]
FEWEST = 20
"""Units below which no plan is made from them."""
KINDS: dict[str, PlanKind] = {
    **dict.fromkeys(SHARES, "proportion"),
    "mean": "mean",
    "count": "count",
    "ratio": "ratio",
    "quantile": "quantile",
}
"""What a kind of metric is planned as."""


@dataclass(frozen=True)
class Baseline:
    """One metric over one horizon.

    Attributes:
        metric: its name.
        kind: what it is planned as.
        days: of the horizon.
        value, ci_low, ci_high: mean, share, ratio or quantile of the units; None unless ``ok``.
        deviation: of a unit's value; of a ratio of its linearised value; of a quantile sqrt(q (1 - q)) / density.
        n: units it stands on.
        r2: share of the variance that the covariate explains; 0 without one.
        effect: of clusters; None without clusters.
        status, reason: as everywhere.
    """

    metric: str
    kind: PlanKind
    days: int
    n: int
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    deviation: float | None = None
    r2: float = 0.0
    effect: DesignEffect | None = None
    status: Status = "ok"
    reason: str | None = None

    @property
    def design_effect(self) -> float:
        """How many times as many units clusters cost; never below 1, which could only be chance."""
        return 1.0 if self.effect is None else max(self.effect.value, 1.0)


def baseline_of(kind: str, days: int, found: HorizonMoments, confidence: float = 0.95) -> Baseline:
    """What the units of a horizon say about a metric.

    Args:
        kind: as declared.
        days: of the horizon.
        found: its moments.
        confidence: of the interval.
    """
    planned = KINDS[kind]
    total = merged(found.n, found.means, found.comoments, np.ones(len(found.n), dtype=np.bool_))
    n = round(total.n)

    def nothing(status: Status, reason: str) -> Baseline:
        return Baseline(found.name, planned, days, n, status=status, reason=reason)

    if n < FEWEST:
        status: Literal["no_data", "too_few"] = "too_few" if n else "no_data"
        return nothing(
            status, f"{n} units in {days} days, and {FEWEST} are needed" if n else "no units were there"
        )
    if planned == "quantile":
        return _quantile(found, days, n) or nothing("undefined", "nothing varies around the quantile")
    estimate = _estimate(found, total)
    if estimate is None:
        return nothing("undefined", "the denominators add up to 0")
    value, weights = estimate
    variance = float(weights @ total.covariance[: found.columns, : found.columns] @ weights)
    if not variance > 0:
        return nothing("undefined", f"nothing varies: every unit has {value:.6g}")
    effect = _clusters(found, total, weights, variance)
    low, high = _interval(planned, value, variance, n, effect, confidence)
    r2 = _explained(found, total, weights, variance)
    return Baseline(found.name, planned, days, n, value, low, high, math.sqrt(variance), r2, effect)


def _estimate(found: HorizonMoments, total: Comoments) -> tuple[float, Floats] | None:
    """The value, and what it weighs its columns by (of a ratio, linearised)."""
    if found.columns == 1:
        return float(total.means[0]), np.ones(1)
    below = float(total.means[1])
    if below == 0:
        return None
    ratio = float(total.means[0]) / below
    return ratio, np.array([1.0, -ratio]) / below


def _interval(
    kind: PlanKind, value: float, variance: float, n: int, effect: DesignEffect | None, confidence: float
) -> tuple[float, float]:
    inflated = variance / n * (1.0 if effect is None else max(effect.value, 1.0))
    df = n - 1.0 if effect is None else effect.n_clusters - 1.0
    if kind == "proportion":
        interval = wilson(value, effective_n(value, inflated, n), confidence, df)
        return interval.low, interval.high
    half = normal_quantile(confidence, df) * math.sqrt(inflated)
    return value - half, value + half


def _clusters(
    found: HorizonMoments, total: Comoments, weights: Floats, variance: float
) -> DesignEffect | None:
    if not found.is_clustered:
        return None
    own = found.means[:, : found.columns] - total.means[: found.columns]
    return design_effect(found.n, found.n * (own @ weights), variance)


def _explained(found: HorizonMoments, total: Comoments, weights: Floats, variance: float) -> float:
    """Share of the variance that a regression on the covariates takes away."""
    k = found.columns
    if total.means.size == k:
        return 0.0
    covariance = total.covariance
    with_value = covariance[k:, :k] @ weights
    explained = float(with_value @ np.linalg.pinv(covariance[k:, k:], hermitian=True) @ with_value)
    return min(max(explained / variance, 0.0), 0.9999)


def _quantile(found: HorizonMoments, days: int, n: int) -> Baseline | None:
    if found.quantile is None:
        return None
    low, value, high = found.quantile
    # half the interval is z standard errors of the quantile, whatever the density
    deviation = (high - low) / (2 * 1.959964) * math.sqrt(n)
    if not deviation > 0:
        return None
    return Baseline(found.name, "quantile", days, n, value, low, high, deviation)
