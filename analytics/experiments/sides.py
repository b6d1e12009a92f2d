"""The estimate of each of two arms over strata, with covariates taken out, and the weights of a unit's columns.

In every stratum each arm has its means. An arm's means over all strata are theirs, weighted by the units of both arms,
and an estimate is a smooth function of these: mean (1), ratio R = S/N (1/N, -R/N), with covariates less theta times
the same of each. Its variance then is the sum over strata of weight² x the variance of a weighted sum of a unit's
columns (the delta method). Without strata there is one, of weight 1.

Sources: Deng, Knoblich and Lu, KDD 2018 (ratios); Cochran, Sampling Techniques, 3rd ed. (1977), section 6.11 (ratios
over strata); Deng, Xu, Kohavi and Walker, WSDM 2013 (CUPED); Lin, Annals of Applied Statistics 7 (2013) (several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.experiments.methods import NotTested
from analytics.experiments.pairs import PairMoments
from analytics.experiments.rows import Kind
from analytics.stats.moments import Comoments
from analytics.stats.several_covariates import slopes
from analytics.stats.stratified import weights_by_units

Floats = NDArray[np.float64]
_ROUNDING = 1e-14
"""A variance below this share of what it is the difference of is nothing but rounding."""
_HALVES = {"covariate_numerator", "covariate_denominator"}
_NO_DENOMINATOR = "the denominators of an arm add up to 0"


@dataclass(frozen=True, eq=False)
class Side:
    """One arm's estimate.

    Attributes:
        value: over all strata.
        weights: of a unit's columns in it, shape (K,).
        parts: the arm's moments in each stratum.
        shares: weight of each stratum, shape (H,).
        slack: factor of the variance for slopes that were estimated from the same units.
    """

    value: float
    weights: Floats
    parts: tuple[Comoments, ...]
    shares: Floats
    slack: float = 1.0

    @property
    def variances(self) -> Floats:
        """What each stratum adds to the estimate's variance where units are independent, shape (H,)."""
        own = np.array([weighted_variance(part, self.weights) / part.n for part in self.parts])
        found: Floats = self.slack * self.shares**2 * own
        return found

    @property
    def variance(self) -> float:
        """Of the estimate where units are independent."""
        return float(self.variances.sum())


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


def covariate_places(columns: Sequence[str], k: int) -> list[tuple[int, ...]]:
    """Where each covariate's columns stand after the metric's ``k``: one column, or the two halves of a ratio."""
    rest = range(k, len(columns))
    halves = tuple(i for i in rest if columns[i] in _HALVES)
    if len(halves) != len(_HALVES):
        return [(i,) for i in rest]
    return [halves, *((i,) for i in rest if i not in halves)]


def sides(strata: Sequence[PairMoments], kind: Kind, *, adjusted: bool) -> tuple[Side, Side] | NotTested:
    """The estimates of arm and control.

    Args:
        strata: both arms in each stratum; one where there are none.
        kind: of the metric.
        adjusted: by the covariates.
    """
    k = 2 if kind == "ratio" else 1
    parts = tuple(one.arm for one in strata), tuple(one.control for one in strata)
    sizes = np.array([[one.arm.n, one.control.n] for one in strata])
    shares = np.ones(1) if len(strata) == 1 else weights_by_units(sizes[:, 0], sizes[:, 1])
    means = [_mixed(side, shares) for side in parts]
    width = len(means[0])
    own = [_columns(side, tuple(range(k)), width) for side in means]
    arm, control = own
    if arm is None or control is None:
        known = [None if one is None else one[0] for one in own]
        return NotTested("undefined", _NO_DENOMINATOR, known[0], known[1])
    if not adjusted:
        return Side(*arm, parts[0], shares), Side(*control, parts[1], shares)
    places = covariate_places(strata[0].columns, k)
    taken = _taken_out(strata, shares, places, k)
    if isinstance(taken, NotTested):
        return taken
    answer = []
    for start, side, part in zip((arm, control), means, parts, strict=True):
        value, weights = start
        for slope, place, whole in zip(taken.slopes, places, taken.means, strict=True):
            found = _columns(side, place, width)
            if found is None:
                return NotTested("undefined", _NO_DENOMINATOR)
            value, weights = value - slope * (found[0] - whole), weights - slope * found[1]
        answer.append(Side(value, weights, part, shares, taken.slack))
    return answer[0], answer[1]


@dataclass(frozen=True)
class _TakenOut:
    """What is taken out by each covariate: slope x (arm's mean - mean of all units)."""

    slopes: tuple[float, ...]
    means: tuple[float, ...]
    slack: float


def _taken_out(
    strata: Sequence[PairMoments], shares: Floats, places: Sequence[tuple[int, ...]], k: int
) -> _TakenOut | NotTested:
    """Slopes within strata, arms together (which keeps them the same for both and for either order)."""
    pooled = [one.pooled for one in strata]
    means = _mixed(pooled, shares)
    within = np.sum([one.comoments for one in pooled], axis=0)
    outcome = _columns(means, tuple(range(k)), len(means))
    if outcome is None:
        return NotTested("undefined", _NO_DENOMINATOR)
    found = [_columns(means, place, len(means)) for place in places]
    before = [one for one in found if one is not None]
    if len(before) < len(found):
        return NotTested("undefined", "the covariate's denominators add up to 0")
    everyone = Comoments(sum(one.n for one in pooled), 0.0, 0.0, means, within)
    before_varies = [weighted_variance(everyone, one[1]) > 0 for one in before]
    if not any(before_varies):
        return NotTested("undefined", "the covariate does not vary, so there is nothing to adjust by")
    table = np.array([one[1] * varies for one, varies in zip(before, before_varies, strict=True)])
    fitted = slopes(
        table @ within @ table.T, table @ within @ outcome[1], float(outcome[1] @ within @ outcome[1])
    )
    slack = 1.0
    if fitted.rank > 1:
        # as least squares has it; of one slope, as everybody does, it is left out
        free = everyone.n - 2.0 * len(strata)
        if free - fitted.rank < 1:
            return NotTested("too_few", f"{fitted.rank} covariates need more units than these")
        slack = free / (free - fitted.rank)
    return _TakenOut(tuple(fitted.values.tolist()), tuple(one[0] for one in before), slack)


def _mixed(parts: Sequence[Comoments], shares: Floats) -> Floats:
    """Means over strata at the same shares, about the first so that large means lose no digits."""
    table = np.array([part.means for part in parts])
    mixed: Floats = table[0] + shares @ (table - table[0])
    return mixed


def _columns(means: Floats, place: tuple[int, ...], width: int) -> tuple[float, Floats] | None:
    """A mean or ratio of some columns, and the weights of all columns in it."""
    found = own_estimate("ratio" if len(place) == 2 else "mean", means[list(place)])
    if found is None:
        return None
    weights = np.zeros(width)
    weights[list(place)] = found[1]
    return found[0], weights
