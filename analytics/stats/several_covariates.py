"""What of an outcome several covariates explain, from co-moments alone: the slopes of a least-squares regression.

Taking slope x (covariate - its mean over all units) from every unit's outcome moves no expected difference between
randomised arms, whatever the slopes, and takes out the variance the covariates explain.

Sources: Deng, Xu, Kohavi and Walker, WSDM 2013 (one covariate); Lin, Annals of Applied Statistics 7 (2013) (several,
with variances that need no linear truth).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats

_LEAST_SHARE = 1e-10
"""A direction of the scaled covariates with less of their variance than this is a copy of the others."""


class Slopes(NamedTuple):
    """Slopes of an outcome on covariates.

    Attributes:
        values: shape (K,); 0 for a covariate that does not vary.
        rank: how many of the covariates say something of their own.
        explained: the share of the outcome's variance that they explain together, between 0 and 1.
    """

    values: FloatArray
    rank: int
    explained: float


def slopes(covariance: npt.ArrayLike, with_outcome: npt.ArrayLike, outcome: float) -> Slopes:
    """Regress an outcome on covariates.

    Covariates that are copies or sums of others share one slope (the smallest that explains as much), so that nothing
    depends on which of them came first.

    Args:
        covariance: co-moments of the covariates, shape (K, K).
        with_outcome: co-moments with the outcome, shape (K,).
        outcome: the outcome's own.

    >>> found = slopes([[4.0, 0.0], [0.0, 1.0]], [2.0, 0.5], 2.0)
    >>> found.values.tolist(), found.rank, round(found.explained, 3)
    ([0.5, 0.5], 2, 0.625)
    """
    between, shared = as_floats(covariance), as_floats(with_outcome)
    scale = np.sqrt(np.maximum(np.diag(between), 0.0))
    varies = scale > 0
    values = np.zeros(len(shared))
    if not varies.any():
        return Slopes(values, 0, 0.0)
    own = scale[varies]
    correlation = between[np.ix_(varies, varies)] / np.outer(own, own)
    roots, vectors = np.linalg.eigh(correlation)
    kept = roots > _LEAST_SHARE * len(own)
    along = vectors[:, kept].T @ (shared[varies] / own)
    values[varies] = vectors[:, kept] @ (along / roots[kept]) / own
    explained = float((along**2 / roots[kept]).sum()) / outcome if outcome > 0 else 0.0
    return Slopes(values, int(kept.sum()), min(max(explained, 0.0), 1.0))


def worth_units(variance: float, adjusted: float, n: float) -> float:
    """How many more units would have made the unadjusted estimate as exact as the adjusted one is.

    Negative where the adjustment cost precision.

    >>> worth_units(4.0, 3.0, 900)
    300.0
    """
    if not (variance > 0 and adjusted > 0):
        return float("nan")
    return n * (variance / adjusted - 1.0)
