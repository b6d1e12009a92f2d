"""What clusters, splits and covariates do to the number of units an experiment needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import as_floats


class DesignEffect(NamedTuple):
    """How much dependence within clusters inflates the variance of a mean.

    Attributes:
        value: variance that allows for clusters / variance as if units were independent.
        low, high: 95 % interval, from leaving out one cluster at a time; equal to the value where it cannot be told.
        icc: the correlation within clusters that gives this with these sizes; at most 1.
        size: units of the cluster that an average unit is in: sum m^2 / sum m.
        n_clusters: how many there are.
    """

    value: float
    low: float
    high: float
    icc: float
    size: float
    n_clusters: int


def design_effect(counts: npt.ArrayLike, sums: npt.ArrayLike, variance: float) -> DesignEffect | None:
    """Return how much clusters inflate the variance of the mean of units.

    The ratio of the cluster-robust variance, G / (G - 1) sum of squared cluster sums, to n times the variance of single
    units. Whatever makes clusters alike, and however uneven they are, is in it.

    Args:
        counts: units of each cluster, shape (G,).
        sums: sum over its units of value - mean, shape (G,); of a ratio, of the linearised values.
        variance: of the units' values.

    Returns:
        None with fewer than two clusters or nothing that varies.

    Source: Kish, Survey Sampling (1965), sections 5.4 and 8.2, with sizes as in Kerry and Bland, BMJ 316 (1998).

    >>> found = design_effect([2, 2, 2, 2], [2.0, -2.0, 2.0, -2.0], 1.0)
    >>> round(found.value, 3), found.size, found.icc
    (2.667, 2.0, 1.0)
    """
    units, totals = as_floats(counts), as_floats(sums)
    groups = len(units)
    if groups < 2 or not variance > 0:
        return None
    n, squares = float(units.sum()), np.square(totals)
    value = groups / (groups - 1) * float(squares.sum()) / (n * variance)
    left_out = (squares.sum() - squares) * (groups - 1) / max(groups - 2, 1) / ((n - units) * variance)
    spread = (
        np.sqrt((groups - 1) / groups * np.square(left_out - left_out.mean()).sum()) if groups > 2 else 0.0
    )
    size = float(np.square(units).sum()) / n
    icc = (value - 1) / (size - 1) if size > 1 else 0.0
    half = 1.96 * float(spread)
    return DesignEffect(value, max(value - half, 0.0), value + half, min(icc, 1.0), size, groups)


def planned_design_effect(icc: float, size: float, variation: float = 0.0) -> float:
    """Return 1 + ((1 + cv^2) m - 1) icc for clusters of m units on average whose sizes vary by cv = sd / mean.

    Eldridge, Ashby and Kerry, International Journal of Epidemiology 35 (2006).

    >>> planned_design_effect(0.05, 21), round(planned_design_effect(0.05, 21, 0.5), 4)
    (2.0, 2.2625)
    """
    return 1 + ((1 + variation**2) * size - 1) * icc
