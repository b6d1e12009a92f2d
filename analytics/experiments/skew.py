"""How skewed the difference of two arms' means still is: what makes a t interval miss more often than it says."""

from __future__ import annotations

from analytics.aggregates.arms import MetricAggregates
from analytics.experiments.compare import own_estimate, weighted_variance
from analytics.experiments.rows import ExperimentRow
from analytics.project import SHARES

SKEWED = 0.2
"""Skewness of a difference from which it is said. Exponential values reach it with 100 units against very many, where
a nominal 95 % interval holds 94 % (docs/methods/experiments/small-and-skewed.md)."""


def skewness_of_difference(row: ExperimentRow, found: MetricAggregates) -> float | None:
    """Skewness of the difference of the two arms' means; None where the units' values are not known.

    Third cumulants of means add: s sd^3 / n^2 for each arm, with opposite signs, over the standard error's cube.
    Large arms of equal size and shape cancel. With one arm much the smaller this is its skewness / sqrt(n), so that
    0.2 asks for 25 times the squared skewness (Kohavi, Deng, Longbotham and Xu, KDD 2014, ask for 355 times, which is
    0.053, of each arm by itself).
    """
    if (
        row.kind is None
        or row.kind in SHARES
        or row.variant is None
        or row.control is None
        or found.moments.clustered
    ):
        return None
    cubes, variance = 0.0, 0.0
    for variant, sign in ((row.variant, 1.0), (row.control, -1.0)):
        arm = found.moments.arm(variant)
        estimate = own_estimate(row.kind, arm.means) if arm.n >= 2 else None
        if estimate is None or variant not in found.skewness:
            return None
        unit = weighted_variance(arm, estimate[1])
        cubes += sign * found.skewness[variant] * unit**1.5 / arm.n**2
        variance += unit / arm.n
    return cubes / variance**1.5 if variance > 0 else None
