"""How far one field of one window lies from the reference, in the measures people know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.reference_bins import ReferenceBins
from analytics.drift.noise import noise_floor
from analytics.drift.sides import ReferenceSide, Side
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


def distances(reference: ReferenceSide, windows: Sequence[Side]) -> list[Distances]:
    """All distances of one field in some windows at once; every side needs rows."""
    if not windows:
        return []
    bins, base = reference.bins, reference.side
    totals = np.stack([window.total for window in windows])
    shares = totals / totals.sum(axis=1, keepdims=True)
    psis = psi(coarse_bins(bins, base.shares), coarse_bins(bins, shares))
    js, variation = js_distance(base.shares, shares), total_variation(base.shares, shares)
    gaps = _kolmogorov_smirnov(bins, base.total, totals)
    pooled = coarse_bins(bins, base.total + totals)
    missing = bins.n_values if bins.field.role != "label" else None
    return [
        Distances(
            psi=float(psis[i]),
            js_distance=float(js[i]),
            ks=gaps[i][0],
            ks_bound=gaps[i][1],
            wasserstein=_wasserstein(bins, base, window),
            total_variation=min(float(variation[i]), 1.0),
            noise_floor=noise_floor(pooled[i], base.n, window.n),
            missing_rate=None if missing is None else float(shares[i, missing]),
            missing_rate_reference=None if missing is None else float(base.shares[missing]),
            unseen_rate=None if bins.is_numeric else float(shares[i, -1]),
        )
        for i, window in enumerate(windows)
    ]


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
) -> list[tuple[float | None, float | None]]:
    """Over numbers in order, infinities at the ends."""
    n = bins.n_values
    order = [n + 2, *range(n), n + 1]
    if not bins.is_numeric or not reference[order].any():
        return [(None, None)] * len(windows)
    found = ks_from_bins(np.broadcast_to(reference[order], (len(windows), n + 2)), windows[:, order])
    return [
        (gap, bound) if math.isfinite(gap) else (None, None)
        for gap, bound in zip(found.statistic.tolist(), found.bound.tolist(), strict=True)
    ]


def _wasserstein(bins: ReferenceBins, reference: Side, window: Side) -> float | None:
    if not bins.is_numeric or not bins.edges:
        return None
    left, right = (item.total[: bins.n_values] for item in (reference, window))
    if left.sum() <= 0 or right.sum() <= 0:
        return None
    value = wasserstein_from_bins(
        bins.edges, left, right, _outer_means(bins, reference, left), _outer_means(bins, window, right)
    )
    return value if math.isfinite(value) else None


def _outer_means(bins: ReferenceBins, side: Side, counts: Floats) -> tuple[float, float]:
    low = bins.edges[0] - side.below / counts[0] if counts[0] > 0 else bins.edges[0]
    high = bins.edges[-1] + side.above / counts[-1] if counts[-1] > 0 else bins.edges[-1]
    return float(low), float(high)
