"""Comparing quantiles of an arm and of the control, and the quantile of an arm by itself.

Source: Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018, section 4.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import MetricAggregates
from analytics.aggregates.observations import Observations
from analytics.experiments.design import MetricDesign
from analytics.experiments.methods import NotTested, TComparison
from analytics.experiments.pairs import PairMoments
from analytics.experiments.rows import ArmRow
from analytics.stats.intervals import normal_quantile
from analytics.stats.means import welch_df
from analytics.stats.quantile_difference import Quantile, quantile_of

PART = "quantiles are read for all units of an arm together, not for parts of them"


def compare_quantiles(
    metric: MetricDesign,
    found: MetricAggregates,
    arms: tuple[str, str],
    two: PairMoments,
    day: date | None = None,
) -> TComparison | NotTested:
    """Compare the quantile of an arm with the control's.

    Args:
        metric: what is compared.
        found: what was read of it.
        arms: the arm and the control.
        two: the moments of both, which tell how many units there are.
        day: only units first exposed up to and including this one.
    """
    seen, probability = found.observations, metric.quantile
    if seen is None or probability is None:
        return NotTested("undefined", PART)
    if day is None and any(
        seen.n_units.get(arm, 0) != round(side.n)
        for arm, side in zip(arms, (two.arm, two.control), strict=True)
    ):
        return NotTested("undefined", PART)
    return quantile_difference(seen if day is None else seen.until(day), arms, probability)


def quantile_difference(
    seen: Observations, arms: tuple[str, str], probability: float
) -> TComparison | NotTested:
    """Compare one quantile of two arms, by an error that allows for values that hang together."""
    sides = [seen.arm(arm) for arm in arms]
    for (values, _), name in zip(sides, ("the arm", "the control"), strict=True):
        if not len(values):
            return NotTested("no_data", f"{name} has no values")
    found = [quantile_of(values, probability, groups) for values, groups in sides]
    return between(found, shared_variance(found, sides))


def between(found: list[Quantile], covariance: float) -> TComparison | NotTested:
    """Two quantiles with the covariance of their errors, compared."""
    arm, control = found
    for one, name in zip(found, ("", "in the control, "), strict=True):
        if one.refusal is not None:
            few = one.groups < 2 or one.low is None
            return NotTested("too_few" if few else "undefined", name + one.refusal, arm.value, control.value)
    errors = [one.standard_error or 0.0 for one in found]
    variances = errors[0] ** 2, errors[1] ** 2
    return TComparison(
        arm.value,
        control.value,
        *variances,
        covariance,
        float(welch_df(variances[0], arm.groups, variances[1], control.groups)),
        "quantile",
        "the control's quantile cannot be told from 0, so there is no lift; see the difference",
    )


def shared_variance(
    found: list[Quantile], sides: list[tuple[NDArray[np.float64], NDArray[np.int64] | None]]
) -> float:
    """The covariance of two arms' quantiles where clusters hold values of both; 0 where none does."""
    (values, groups), (values_control, groups_control) = sides
    arm, control = found
    if groups is None or groups_control is None:
        return 0.0
    both = np.intersect1d(groups, groups_control)
    if not both.size or not arm.share_error or not control.share_error:
        return 0.0
    residuals = [
        np.bincount(
            np.searchsorted(both, of[np.isin(of, both)]),
            ((at <= one.value) - np.mean(at <= one.value))[np.isin(of, both)],
            both.size,
        )
        / one.n
        for one, at, of in ((arm, values, groups), (control, values_control, groups_control))
    ]
    shares = float(residuals[0] @ residuals[1])
    # an error of a share on the scale of the values
    scales = [(one.standard_error or 0.0) / one.share_error for one in found]
    return shares * scales[0] * scales[1]


def of_quantile(row: ArmRow, metric: MetricDesign, found: MetricAggregates, confidence: float) -> ArmRow:
    """An arm by itself: its quantile with an interval, in place of its mean."""
    bare = replace(row, mean=None, ci_low=None, ci_high=None, standard_deviation=None)
    if found.observations is None or metric.quantile is None:
        return replace(bare, status="undefined", reason=PART)
    values, groups = found.observations.arm(row.variant)
    if not len(values):
        return replace(bare, status="no_data", reason="the arm has no values")
    one = quantile_of(values, metric.quantile, groups)
    if one.standard_error is None:
        few = one.groups < 2 or one.low is None
        return replace(bare, mean=one.value, status="too_few" if few else "undefined", reason=one.refusal)
    half = float(normal_quantile(confidence, one.groups - 1.0)) * one.standard_error
    return replace(
        bare, mean=one.value, ci_low=one.value - half, ci_high=one.value + half, status="ok", reason=None
    )
