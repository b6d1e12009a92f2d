"""The one place that says how a metric of one arm is compared with the control: the design decides, not the caller.

The scorecard, its days and its segments all ask here, so that they cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import repeat

from analytics.aggregates.arms import ArmMoments, MetricAggregates
from analytics.experiments.compare import compare, compare_strata
from analytics.experiments.design import Design, MetricDesign
from analytics.experiments.held import held
from analytics.experiments.methods import Comparison, NotTested
from analytics.experiments.pairs import PairMoments, pair
from analytics.experiments.quantiles import compare_quantiles
from analytics.experiments.rates import compare_totals
from analytics.experiments.refusals import immature, refusal
from analytics.experiments.rows import Method
from analytics.experiments.structure import (
    Strata,
    compare_pairs,
    compare_within,
    cumulative_strata,
    entering,
    only_precision,
    strata,
    structure_of,
)


def methods_of(design: Design, metric: MetricDesign, found: MetricAggregates) -> tuple[Method, ...]:
    """The methods by which a metric is always compared: as it is, within what arms were drawn in, and adjusted."""
    if metric.kind == "quantile":
        return ("unadjusted",)
    structure = structure_of(design, found)
    adjusted = metric.has_covariate and found.with_covariate is not None
    return ("unadjusted", *([structure] if structure else []), *(["cuped"] if adjusted else []))


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
    within: Strata | None = None,
) -> Comparison | NotTested:
    """Compare one arm with the control as the design asks for, unless its values are not what the metric declares.

    Args:
        design: of the experiment.
        metric: what is compared.
        found: what was read of it.
        arm: its name, and by which method.
        day: only units first exposed up to and including this one.
        two: the moments of both sides until then, where the caller has them.
        within: the same by stratum.
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
    if metric.of_totals:
        fixed: Comparison | NotTested = compare_totals(two)
    elif metric.kind == "quantile":
        fixed = _quantiles(design, metric, found, (variant, two), day)
    elif method == "unadjusted" or structure_of(design, found) is None:
        fixed = compare(two, metric.kind, adjusted=method == "cuped")
    else:
        fixed = _structured(design, metric, found, arm, day, within)
    return held(design, metric, found, (variant, two), fixed, day)


def _quantiles(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, PairMoments],
    day: date | None,
) -> Comparison | NotTested:
    refused = no_quantiles(design, found)
    if refused is not None:
        return refused
    return compare_quantiles(metric, found, (arm[0], design.control), arm[1], day)


def no_quantiles(design: Design, found: MetricAggregates) -> NotTested | None:
    """Why quantiles of arms do not compare: pairs, or shares that differ by stratum or phase; None where they do."""
    structure = structure_of(design, found)
    if structure == "paired" or (structure == "stratified" and (design.strata or design.phases)):
        within = "pairs" if structure == "paired" else "strata"
        return NotTested(
            "undefined", f"arms compare only within {within}, and a quantile is of all units together"
        )
    return None


def _structured(
    design: Design,
    metric: MetricDesign,
    found: MetricAggregates,
    arm: tuple[str, Method],
    day: date | None,
    within: Strata | None,
) -> Comparison | NotTested:
    """Within pairs, or within strata and phases; adjusted by the covariates as well where the method says so."""
    variant, method = arm
    adjusted = method == "cuped"
    if found.pairs is not None:
        pairs = found.pairs if day is None else found.pairs.until(day)
        return compare_pairs(pairs, variant, metric.kind, adjusted=adjusted)
    moments = moments_of(found, method)
    used = () if within is None else entering(within)
    if used:
        return compare_strata(used, metric.kind, adjusted=adjusted)
    moments = moments if day is None else moments.until(day)
    return compare_within(design, moments, variant, metric.kind, adjusted=adjusted)


def cumulative_within(
    design: Design, metric: MetricDesign, found: MetricAggregates, arm: tuple[str, Method]
) -> Iterator[Strata | None]:
    """For `choose`, both sides by stratum until the end of each day; always None where it compares within no strata.

    Small strata that only serve precision are put together differently from day to day, so `choose` does it.
    """
    variant, method = arm
    if method == "unadjusted" or metric.of_totals or metric.kind == "quantile":
        return repeat(None)
    if found.pairs is not None or structure_of(design, found) is None or only_precision(design):
        return repeat(None)
    return cumulative_strata(moments_of(found, method), variant, design.control)


def sizes_of(
    design: Design, found: MetricAggregates, arm: tuple[str, Method], two: PairMoments
) -> tuple[int, int]:
    """Units of the arm and of the control that enter a comparison."""
    variant, method = arm
    if method == "unadjusted" or structure_of(design, found) is None:
        return round(two.arm.n), round(two.control.n)
    if found.pairs is not None:
        return found.pairs.count(variant), found.pairs.count(variant)
    used, _ = strata(design, moments_of(found, method), variant, design.control)
    return round(sum(one.arm.n for one in used.values())), round(sum(one.control.n for one in used.values()))
