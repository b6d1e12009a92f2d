"""One arm against the control: which method compares them, and with what variance.

Every estimate but a plain share is a smooth function of an arm's means, so its variance is that of a weighted sum of
a unit's columns (the delta method): mean (1), ratio R = S/N (1/N, -R/N), with a covariate less theta times the same of
the covariate. One formula then serves units and clusters.

Sources: Deng, Knoblich and Lu, KDD 2018 (ratios); Deng, Xu, Kohavi and Walker, WSDM 2013 (CUPED); Cameron and
Miller, Journal of Human Resources 50 (2015) (CR1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import RATIO, VALUE
from analytics.experiments.methods import Comparison, NotTested, ScoreComparison, TComparison
from analytics.experiments.pairs import PairMoments
from analytics.experiments.rows import Kind
from analytics.project import SHARES
from analytics.stats.cluster_robust import cr1
from analytics.stats.means import welch_df
from analytics.stats.moments import Comoments

Floats = NDArray[np.float64]
_ROUNDING = 1e-14
"""A variance below this share of what it is the difference of is nothing but rounding."""


@dataclass(frozen=True, eq=False)
class _Estimate:
    """A smooth function of an arm's means, and the weights of a unit's columns in it."""

    value: float
    weights: Floats
    moments: Comoments

    @property
    def unit_variance(self) -> float:
        return weighted_variance(self.moments, self.weights)

    @property
    def variance(self) -> float:
        return self.unit_variance / self.moments.n


def weighted_variance(moments: Comoments, weights: Floats) -> float:
    """Variance of a weighted sum of columns, exactly 0 where only rounding is left of it."""
    if moments.n < 2:
        return 0.0
    total = float(weights @ moments.comoments @ weights)
    size = float(np.abs(weights) @ np.abs(moments.comoments) @ np.abs(weights))
    noise = 16.0 * np.finfo(np.float64).eps * float(np.abs(weights) @ np.abs(moments.means))
    variance = total / (moments.n - 1.0)
    return 0.0 if total <= _ROUNDING * size or variance <= noise**2 else variance


def own_estimate(kind: Kind, means: Floats) -> tuple[float, Floats] | None:
    """Mean or ratio of an arm, and the weights of a unit's columns in it; None where a denominator is 0."""
    if kind != "ratio":
        return float(means[0]), np.ones(1)
    numerator, denominator = float(means[0]), float(means[1])
    if denominator == 0:
        return None
    ratio = numerator / denominator
    return ratio, np.array([1.0, -ratio]) / denominator


def compare(moments: PairMoments, kind: Kind, *, adjusted: bool = False) -> Comparison | NotTested:
    """Compare one arm with the control.

    Args:
        moments: of the metric's columns and, where adjusted, of the covariate's.
        kind: of the metric.
        adjusted: by the covariate (CUPED).
    """
    if not (np.isfinite(moments.arm.comoments).all() and np.isfinite(moments.control.comoments).all()):
        return NotTested("undefined", "values are so large that their squares are no numbers any more")
    estimates = _adjusted(moments, kind) if adjusted else _plain(moments, kind)
    if isinstance(estimates, NotTested):
        return _too_few(moments, (estimates.mean, estimates.mean_control)) or estimates
    arm, control = estimates
    refusal = _too_few(moments, (arm.value, control.value))
    if refusal is None and kind in SHARES:
        refusal = _all_alike(moments)
    if refusal is not None:
        return refusal
    if kind in SHARES and not adjusted and moments.clusters is None:
        return _score(arm, control)
    if arm.variance + control.variance == 0:
        what = "with the covariate taken out, nothing varies" if adjusted else _constant(kind)
        return NotTested("undefined", f"{what}: there is nothing to test", arm.value, control.value)
    return _welch(arm, control, kind) if moments.clusters is None else _clustered(moments, arm, control)


def _score(arm: _Estimate, control: _Estimate) -> ScoreComparison:
    counts = [(round(side.moments.n * side.value), round(side.moments.n)) for side in (arm, control)]
    return ScoreComparison(*counts[0], *counts[1])


def _welch(arm: _Estimate, control: _Estimate, kind: Kind) -> TComparison:
    return TComparison(
        arm.value,
        control.value,
        arm.variance,
        control.variance,
        0.0,
        float(welch_df(arm.variance, arm.moments.n, control.variance, control.moments.n)),
        "delta welch" if kind == "ratio" else "welch",
    )


def _constant(kind: Kind) -> str:
    return (
        "every unit has the same ratio within its arm"
        if kind == "ratio"
        else ("every unit has the same value within its arm")
    )


def _plain(moments: PairMoments, kind: Kind) -> tuple[_Estimate, _Estimate] | NotTested:
    estimates = [own_estimate(kind, side.means) for side in (moments.arm, moments.control)]
    if estimates[0] is None or estimates[1] is None:
        known = [None if estimate is None else estimate[0] for estimate in estimates]
        return NotTested("undefined", "the denominators of an arm add up to 0", known[0], known[1])
    return _Estimate(*estimates[0], moments.arm), _Estimate(*estimates[1], moments.control)


def _adjusted(moments: PairMoments, kind: Kind) -> tuple[_Estimate, _Estimate] | NotTested:
    """Means less theta x (covariate's mean - its mean over both arms), theta pooled over both arms."""
    k, pooled = len(RATIO if kind == "ratio" else VALUE), moments.pooled
    # a ratio has a ratio from before where it is looked back, or a number of each unit
    kind_before: Kind = "ratio" if pooled.means.size - k == len(RATIO) else "mean"
    own, before = own_estimate(kind, pooled.means[:k]), own_estimate(kind_before, pooled.means[k:])
    if own is None:
        return NotTested("undefined", "the denominators of an arm add up to 0")
    if before is None:
        return NotTested("undefined", "the covariate's denominators add up to 0")
    outcome, covariate = np.zeros(pooled.means.size), np.zeros(pooled.means.size)
    outcome[:k], covariate[k:] = own[1], before[1]
    if weighted_variance(pooled, covariate) == 0:
        return NotTested("undefined", "the covariate does not vary, so there is nothing to adjust by")
    theta = float(outcome @ pooled.comoments @ covariate) / float(covariate @ pooled.comoments @ covariate)
    estimates = []
    for side in (moments.arm, moments.control):
        mean, covariate_mean = own_estimate(kind, side.means[:k]), own_estimate(kind_before, side.means[k:])
        if mean is None or covariate_mean is None:
            return NotTested("undefined", "the denominators of an arm add up to 0")
        value = mean[0] - theta * (covariate_mean[0] - before[0])
        estimates.append(_Estimate(value, np.concatenate([mean[1], -theta * covariate_mean[1]]), side))
    return estimates[0], estimates[1]


def _too_few(moments: PairMoments, means: tuple[float | None, float | None]) -> NotTested | None:
    sizes = moments.arm.n, moments.control.n
    shown = tuple(mean if n else None for mean, n in zip(means, sizes, strict=True))
    if min(sizes) == 0:
        return NotTested("no_data", f"{_which(sizes, 0)} no units", *shown)
    if min(sizes) < 2:
        return NotTested("too_few", f"{_which(sizes, 1)} one unit only", *shown)
    if moments.clusters is not None and min(moments.clusters.by_side) < 2:
        return NotTested("too_few", f"{_which(moments.clusters.by_side, 1)} one cluster only", *shown)
    return None


def _which(sizes: tuple[float, float], found: int) -> str:
    arm, control = (size == found for size in sizes)
    return "both arms have" if arm and control else "the arm has" if arm else "the control has"


def _all_alike(moments: PairMoments) -> NotTested | None:
    """No share can be compared where all units of both arms have the same value."""
    shares = float(moments.arm.means[0]), float(moments.control.means[0])
    if shares == (0.0, 0.0):
        return NotTested("undefined", "no unit of either arm has it: there is nothing to test", *shares)
    if shares == (1.0, 1.0):
        return NotTested("undefined", "every unit of both arms has it: there is nothing to test", *shares)
    return None


def _clustered(moments: PairMoments, arm: _Estimate, control: _Estimate) -> Comparison | NotTested:
    clusters = moments.clusters
    if clusters is None:
        raise ValueError("these units come in no clusters")
    sums = np.column_stack(
        [
            clusters.residual_sums(side, estimate.moments.means, estimate.weights)
            for side, estimate in enumerate((arm, control))
        ]
    )
    covariance = np.asarray(cr1(clusters.n, sums))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    # sums that cancel within every cluster leave only rounding
    if variance <= 1e-13 * (arm.variance + control.variance):
        return NotTested(
            "undefined", "clusters do not differ: there is nothing to test", arm.value, control.value
        )
    return TComparison(
        arm.value,
        control.value,
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
        float(len(clusters.n) - 1),
        "cluster-robust t",
    )
