"""One arm against the control: which method compares them, and with what variance.

Strata, where there are any, are compared within and combined. Sources of the methods stand with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.experiments.methods import (
    Comparison,
    NotTested,
    ScoreComparison,
    StratifiedComparison,
    TComparison,
)
from analytics.experiments.pairs import PairMoments, distinct
from analytics.experiments.rows import Kind
from analytics.experiments.sides import Side, own_estimate, sides, weighted_variance
from analytics.project import SHARES
from analytics.stats.arrays import FloatArray
from analytics.stats.cluster_robust import ClusterVariance, cr1, cr2
from analytics.stats.stratified import StratifiedShares, satterthwaite

__all__ = ["compare", "compare_strata", "own_estimate", "weighted_variance"]

MANY_CLUSTERS = 30
"""Bell and McCaffrey's degrees of freedom from which both variances say the same, where clusters are alike."""
ALIKE = 0.5
"""Their share of the clusters from which these count as alike: then the usual variance is taken."""


def compare(moments: PairMoments, kind: Kind, *, adjusted: bool = False) -> Comparison | NotTested:
    """Compare one arm with the control.

    Args:
        moments: of the metric's columns and, where adjusted, of the covariates'.
        kind: of the metric.
        adjusted: by the covariates (CUPED).
    """
    return compare_strata((moments,), kind, adjusted=adjusted)


def compare_strata(
    strata: Sequence[PairMoments], kind: Kind, *, adjusted: bool = False
) -> Comparison | NotTested:
    """Compare one arm with the control within strata, and combine.

    Args:
        strata: both arms in each; where there are several, each with two units (or clusters) of either arm.
        kind: of the metric.
        adjusted: by the covariates (CUPED).
    """
    for one in strata:
        if not (np.isfinite(one.arm.comoments).all() and np.isfinite(one.control.comoments).all()):
            return NotTested("undefined", "values are so large that their squares are no numbers any more")
    found = sides(strata, kind, adjusted=adjusted)
    if isinstance(found, NotTested):
        return _too_few(strata, (found.mean, found.mean_control)) or found
    arm, control = found
    refusal = _too_few(strata, (arm.value, control.value))
    if refusal is None and kind in SHARES:
        refusal = _all_alike(strata)
    if refusal is not None:
        return refusal
    clustered = strata[0].clusters is not None
    if kind in SHARES and not adjusted and not clustered:
        return _score(strata)
    if arm.variance + control.variance == 0:
        what = "with the covariate taken out, nothing varies" if adjusted else _constant(kind)
        return NotTested("undefined", f"{what}: there is nothing to test", arm.value, control.value)
    return _clustered(strata, arm, control) if clustered else _welch(arm, control, kind)


def _score(strata: Sequence[PairMoments]) -> ScoreComparison | StratifiedComparison:
    sides_of = [(one.arm, one.control) for one in strata]
    if len(strata) == 1:
        (x, n), (x0, n0) = ((round(side.n * side.means[0]), round(side.n)) for side in sides_of[0])
        return ScoreComparison(x, n, x0, n0)
    counts = np.array([[np.round([side.n * side.means[0], side.n]) for side in both] for both in sides_of])
    return StratifiedComparison(StratifiedShares(*counts.reshape(len(strata), 4).T))


def _welch(arm: Side, control: Side, kind: Kind) -> TComparison:
    freedoms = [[part.n - 1.0 for part in side.parts] for side in (arm, control)]
    name = "delta welch" if kind == "ratio" else "welch"
    return TComparison(
        arm.value,
        control.value,
        arm.variance,
        control.variance,
        0.0,
        satterthwaite([arm.variances, control.variances], freedoms),
        name if len(arm.parts) == 1 else f"stratified {name}",
    )


def _constant(kind: Kind) -> str:
    return (
        "every unit has the same ratio within its arm"
        if kind == "ratio"
        else ("every unit has the same value within its arm")
    )


def _too_few(strata: Sequence[PairMoments], means: tuple[float | None, float | None]) -> NotTested | None:
    sizes = sum(one.arm.n for one in strata), sum(one.control.n for one in strata)
    shown = tuple(mean if n else None for mean, n in zip(means, sizes, strict=True))
    if min(sizes) == 0:
        return NotTested("no_data", f"{_which(sizes, 0)} no units", *shown)
    if min(sizes) < 2:
        return NotTested("too_few", f"{_which(sizes, 1)} one unit only", *shown)
    if len(strata) == 1 and strata[0].clusters is not None and min(strata[0].clusters.by_side) < 2:
        return NotTested("too_few", f"{_which(strata[0].clusters.by_side, 1)} one cluster only", *shown)
    return None


def _which(sizes: tuple[float, float], found: int) -> str:
    arm, control = (size == found for size in sizes)
    return "both arms have" if arm and control else "the arm has" if arm else "the control has"


def _all_alike(strata: Sequence[PairMoments]) -> NotTested | None:
    """No share can be compared where, within every stratum, all units of both arms have the same value."""
    # in whole units: sums that run over days leave rounding where nobody is
    shares = {
        tuple(round(side.n * side.means[0]) / side.n for side in (one.arm, one.control)) for one in strata
    }
    if shares == {(0.0, 0.0)}:
        return NotTested("undefined", "no unit of either arm has it: there is nothing to test", 0.0, 0.0)
    if shares == {(1.0, 1.0)}:
        return NotTested("undefined", "every unit of both arms has it: there is nothing to test", 1.0, 1.0)
    if shares <= {(0.0, 0.0), (1.0, 1.0)}:
        return NotTested(
            "undefined", "within strata all units of both arms are alike: there is nothing to test"
        )
    return None


def _cluster_variance(counts: FloatArray, sums: FloatArray, parts: FloatArray) -> ClusterVariance:
    """What common software has (CR1, clusters - 1) where clusters are many and alike, and CR2 where they are not."""
    found = cr2(counts, sums, parts)
    usual = float(np.count_nonzero(counts.sum(axis=1)) - 1)
    if counts.shape[1] > 2 or not found.df >= max(MANY_CLUSTERS, ALIKE * usual):
        return found
    return ClusterVariance(cr1(counts, sums), usual)


def _clustered(strata: Sequence[PairMoments], arm: Side, control: Side) -> Comparison | NotTested:
    """Clusters may hold units of both arms and of several strata: what each adds to the estimates is summed first."""
    given = [one.clusters for one in strata if one.clusters is not None]
    numbers = distinct(np.concatenate([clusters.numbers for clusters in given]))
    counts, sums = np.zeros((len(numbers), 2 * len(given))), np.zeros((len(numbers), 2 * len(given)))
    parts = np.zeros((2, 2 * len(given)))
    for h, clusters in enumerate(given):
        rows = np.searchsorted(numbers, clusters.numbers)
        for i, side in enumerate((arm, control)):
            counts[rows, 2 * h + i] = clusters.n[:, i]
            sums[rows, 2 * h + i] = clusters.residual_sums(i, side.parts[h].means, side.weights)
            parts[i, 2 * h + i] = side.shares[h]
    found = _cluster_variance(counts, sums, parts)
    covariance = found.covariance * arm.slack
    variance = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    # sums that cancel within every cluster leave only rounding
    if not variance > 1e-13 * (arm.variance + control.variance) or not np.isfinite(found.df):
        return NotTested(
            "undefined", "clusters do not differ: there is nothing to test", arm.value, control.value
        )
    return TComparison(
        arm.value,
        control.value,
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
        found.df,
        "cluster-robust t" if len(strata) == 1 else "stratified cluster-robust t",
    )
