"""Covariance of two arms' means where units come in clusters (users of one household, flights of one aircraft)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats, divide


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


class ClusterVariance(NamedTuple):
    """Covariance of the estimates of arm and control, and the degrees of freedom of their difference.

    Attributes:
        covariance: shape (2, 2); nan where nothing can be computed.
        df: of a t test of the difference.
    """

    covariance: FloatArray
    df: float


def cr2(counts: npt.ArrayLike, residual_sums: npt.ArrayLike, weights: npt.ArrayLike) -> ClusterVariance:
    """Return the covariance of two estimates from clusters, right also where clusters are few or unlike in size.

    Each estimate is a weighted sum of the means of cells (an arm, or an arm in a stratum). A mean is nearer to its own
    large cluster than to others, so residuals of cluster g are divided by sqrt(1 - its share of the cell): unbiased
    where units are alike (CR2). Few clusters tell little about the variance, and unlike ones less than their number
    says: the degrees of freedom are Satterthwaite's for this very quadratic form (Bell and McCaffrey), with each
    arm's units as variable as its own estimate says. Equal clusters, each in one arm, give Welch's test of their means.

    Args:
        counts: units of each cluster in each cell, shape (G, P).
        residual_sums: sum of value - mean of the cell over these units, shape (G, P).
        weights: of the cells' means in the estimates of arm and control, shape (2, P); each cell belongs to one.

    Sources: Bell and McCaffrey, Survey Methodology 28 (2002); Imbens and Kolesar, Review of Economics and Statistics 98
    (2016); Pustejovsky and Tipton, Journal of Business and Economic Statistics 36 (2018).

    >>> found = cr2([[2, 0], [2, 0], [0, 2], [0, 2]], [[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -3.0]], np.eye(2))
    >>> found.covariance.round(4).tolist(), round(found.df, 3)
    ([[0.25, 0.0], [0.0, 2.25]], 1.22)
    """
    units, sums, parts = as_floats(counts), as_floats(residual_sums), as_floats(weights)
    if units.shape != sums.shape or units.ndim != 2 or parts.shape != (2, units.shape[1]):
        raise ValueError("counts and residual sums need the shape (clusters, cells), weights (2, cells)")
    used = units.sum(axis=1) > 0
    units, sums = units[used], sums[used]
    totals = units.sum(axis=0)
    arms = np.abs(parts) > 0
    if len(units) < 2 or (totals[arms.any(axis=0)] <= 0).any() or not arms.any(axis=1).all():
        return ClusterVariance(np.full((2, 2), np.nan), np.nan)
    per_cell = divide(1.0, totals)
    left = 1.0 - units * per_cell
    # a cell with one cluster has no residual of its own; nothing can be made of it
    inflate = np.where(left > 1e-9, 1.0 / np.sqrt(np.maximum(left, 1e-9)), 0.0)
    moved = (sums * inflate * per_cell) @ parts.T
    covariance = as_floats(moved.T @ moved)
    spread = _unit_variances(units, inflate * per_cell, parts, np.diag(covariance))
    return ClusterVariance(covariance, _bell_mccaffrey(units, inflate * per_cell, parts, spread))


def _unit_variances(
    units: FloatArray, scale: FloatArray, parts: FloatArray, variances: FloatArray
) -> FloatArray:
    """How variable units of each arm would have to be, were they independent, for its estimate's variance."""
    # of the residuals, which know the cell's own mean
    known = scale**2 * units * (1.0 - units * divide(1.0, units.sum(axis=0)))
    unit = np.array([float((known * part**2).sum()) for part in parts])
    found = divide(variances, unit)
    return found if found.sum() > 0 else np.ones(2)


def _bell_mccaffrey(units: FloatArray, scale: FloatArray, parts: FloatArray, spread: FloatArray) -> float:
    """(tr M)² / tr M² for the working covariance M of the clusters' contributions to the difference."""
    cells = parts[0] - parts[1]
    own = np.where(np.abs(parts[0]) > 0, spread[0], spread[1])
    diagonal = (scale**2 * units * (cells**2 * own)).sum(axis=1)
    totals = units.sum(axis=0)
    shared = scale * units * (cells * np.sqrt(own * divide(1.0, totals)))
    gram = shared.T @ shared
    trace = float(diagonal.sum() - np.trace(gram))
    squared = float((diagonal**2).sum() - 2.0 * (diagonal[:, None] * shared**2).sum() + (gram**2).sum())
    return trace**2 / squared if squared > 0 and trace > 0 else float("nan")
