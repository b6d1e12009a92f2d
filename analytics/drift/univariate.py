"""How far one field of one window lies from the reference, in the measures people know."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.reference_bins import ReferenceBins
from analytics.drift.noise import noise_floors
from analytics.drift.sides import ReferenceSide
from analytics.drift.windows import Windows
from analytics.stats.distances import (
    js_distance,
    ks_from_bins,
    psi,
    total_variation,
    wasserstein_from_bins,
)

Floats = NDArray[np.float64]


class Distances(NamedTuple):
    """The distances of the contract; None where one does not exist for the field."""

    psi: float
    js_distance: float
    ks: float | None
    ks_bound: float | None
    wasserstein: float | None
    total_variation: float
    noise_floor: float
    missing_rate: float | None
    missing_rate_reference: float | None
    unseen_rate: float | None


def distances(reference: ReferenceSide, windows: Windows) -> list[Distances]:
    """All distances of one field in some windows at once; every side needs rows."""
    if not len(windows):
        return []
    bins, base = reference.bins, reference.side
    totals = windows.totals
    shares = totals / totals.sum(axis=1, keepdims=True)
    gaps, bounds = _kolmogorov_smirnov(bins, base.total, totals)
    nothing: list[float | None] = [None] * len(windows)
    missing = bins.n_values if bins.field.role != "label" else None
    columns: dict[str, list[float | None]] = {
        "psi": psi(coarse_bins(bins, base.shares), coarse_bins(bins, shares)).tolist(),
        "js_distance": js_distance(base.shares, shares).tolist(),
        "ks": gaps,
        "ks_bound": bounds,
        "wasserstein": _wasserstein(reference, windows),
        "total_variation": np.minimum(total_variation(base.shares, shares), 1.0).tolist(),
        "noise_floor": noise_floors(coarse_bins(bins, base.total + totals), base.n, windows.n).tolist(),
        "missing_rate": nothing if missing is None else shares[:, missing].tolist(),
        "missing_rate_reference": nothing
        if missing is None
        else [float(base.shares[missing])] * len(windows),
        "unseen_rate": nothing if bins.is_numeric else shares[:, -1].tolist(),
    }
    return [Distances(*row) for row in zip(*(columns[name] for name in Distances._fields), strict=True)]


def coarse_bins(bins: ReferenceBins, counts: Floats) -> Floats:
    """Join the bins that every second quantile does not separate (last axis); categories stay as they are.

    >>> from analytics.aggregates.reference_bins import Field
    >>> bins = ReferenceBins(Field("x", "feature", "numeric", "x"), None, (1.0, 2.0, 3.0), (False, True, False))
    >>> coarse_bins(bins, np.array([0.1, 0.2, 0.3, 0.4, 0, 0, 0]))
    array([0.3, 0.7, 0. , 0. , 0. ])
    """
    if not bins.is_numeric:
        return counts
    starts = [0, *(i + 1 for i, second in enumerate(bins.coarse) if second)]
    values = np.add.reduceat(counts[..., : bins.n_values], starts, axis=-1)
    return np.concatenate([values, counts[..., bins.n_values :]], axis=-1)


def _kolmogorov_smirnov(
    bins: ReferenceBins, reference: Floats, windows: Floats
) -> tuple[list[float | None], list[float | None]]:
    """The statistic and its bound over numbers in order, infinities at the ends."""
    n = bins.n_values
    order = [n + 2, *range(n), n + 1]
    if not bins.is_numeric or not reference[order].any():
        return [None] * len(windows), [None] * len(windows)
    found = ks_from_bins(np.broadcast_to(reference[order], (len(windows), n + 2)), windows[:, order])
    known = np.isfinite(found.statistic)
    return _where(known, found.statistic), _where(known, found.bound)


def _wasserstein(reference: ReferenceSide, windows: Windows) -> list[float | None]:
    bins, base = reference.bins, reference.side
    known = windows.totals[:, : bins.n_values].sum(axis=1) > 0
    left = base.total[: bins.n_values]
    if not bins.is_numeric or not bins.edges or left.sum() <= 0 or not known.any():
        return [None] * len(windows)
    right = windows.totals[known][:, : bins.n_values]
    own = _outer_means(bins, np.array([base.below, base.above]), left)
    found = np.full(len(windows), np.nan)
    found[known] = wasserstein_from_bins(
        bins.edges, left, right, own, _outer_means(bins, windows.outer.T[known], right)
    )
    return _where(np.isfinite(found), found)


def _outer_means(bins: ReferenceBins, beyond: Floats, counts: Floats) -> Floats:
    """The mean of the rows below the lowest edge, and of those above the highest (last axis)."""
    outer, edges = counts[..., [0, -1]], np.array(bins.edges)[[0, -1]]
    far = np.divide(beyond, outer, out=np.zeros_like(outer), where=outer > 0)
    return edges + far * (-1.0, 1.0)


def _where(known: NDArray[np.bool_], values: Floats) -> list[float | None]:
    return [value if one else None for one, value in zip(known.tolist(), values.tolist(), strict=True)]
