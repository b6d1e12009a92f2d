"""Covariance of two arms' means where units come in clusters (users of one household, flights of one aircraft)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats


def cr1(counts: npt.ArrayLike, residual_sums: npt.ArrayLike) -> FloatArray:
    """Return the covariance of the means of arm and control that allows for any dependence within clusters.

    The cluster-robust (sandwich) variance of the regression on the two arms with the usual factor
    G / (G - 1) x (N - 1) / (N - 2) for G clusters and N units. Where clusters hold units of both arms the two means
    are dependent, and the variance of their difference is v[0, 0] + v[1, 1] - 2 v[0, 1]. Test with G - 1 degrees of
    freedom.

    Args:
        counts: units of each cluster in arm and control, shape (..., G, 2). A cluster without units does not count.
        residual_sums: sum of value - mean of the arm over these units, shape (..., G, 2).

    Returns:
        Shape (..., 2, 2); nan with fewer than two clusters or three units, or an arm without units.

    Sources: Liang and Zeger, Biometrika 73 (1986); the factor as in Cameron and Miller, Journal of Human Resources 50
    (2015), section II.B.

    >>> cr1([[2, 0], [2, 0], [0, 2], [0, 2]], [[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -3.0]]).round(4).tolist()
    [[0.1944, 0.0], [0.0, 1.75]]
    """
    units, sums = as_floats(counts), as_floats(residual_sums)
    if units.shape != sums.shape or units.ndim < 2 or units.shape[-1] != 2:
        raise ValueError("counts and residual sums need the shape (clusters, 2)")
    clusters = np.count_nonzero(units.sum(axis=-1), axis=-1)
    arms = units.sum(axis=-2)
    total = arms.sum(axis=-1)
    known = (clusters >= 2) & (total >= 3) & (arms > 0).all(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = clusters / (clusters - 1) * ((total - 1) / (total - 2))
        # of each mean first, so that large counts and sums do not overflow one another
        moved = sums / arms[..., None, :]
        covariance = np.swapaxes(moved, -1, -2) @ moved * factor[..., None, None]
    return np.where(known[..., None, None], covariance, np.nan)
