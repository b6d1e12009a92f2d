"""The one place that says how a metric of one arm is compared with the control: the design decides, not the caller.

The scorecard, its days and its segments all ask here, so that they cannot contradict each other.
"""

from __future__ import annotations

from datetime import date

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.compare import compare
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import PairMoments, pair
from analytics.experiments.refusals import immature, refusal
from analytics.experiments.rows import Method


def methods_of(metric: MetricDesign, found: MetricAggregates) -> tuple[Method, ...]:
    """The methods by which a metric is always compared: as it is, and adjusted where it can be."""
    adjusted = metric.has_covariate and found.with_covariate is not None
    return ("unadjusted", "cuped") if adjusted else ("unadjusted",)


def moments_of(found: MetricAggregates, method: Method) -> ArmMoments:
    """The moments a method compares."""
    return found.with_covariate if method == "cuped" and found.with_covariate is not None else found.moments


def choose(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    *,
    day: date | None = None,
    two: PairMoments | None = None,
) -> Comparison | NotTested:
    """Compare one arm with the control as the design asks for, unless its values are not what the metric declares.

    Args:
        design: of the experiment.
        metric: what is compared.
        found: what was read of it.
        arm: its name, and by which method.
        day: only units first exposed up to and including this one.
        two: the moments of both sides until then, where the caller has them.
    """
    variant, method = arm
    moments = moments_of(found, method)
    refused = refusal(metric, moments)
    if refused is not None:
        return refused
    young = immature(found, (variant, design.control))
    if young is not None:
        return NotTested("immature", young)
    if two is None:
        two = pair(moments if day is None else moments.until(day), variant, design.control)
    return compare(two, metric.kind, adjusted=method == "cuped")
