"""Distances between two binned distributions, and what they are when nothing has drifted.

Shares or counts are aligned: the same bins on both sides, on the last axis; leading axes are cells of their
own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats, divide

ZERO_SHARE = 0.0001
"""What an empty bin counts as in the PSI, so that its logarithm exists."""
_DRAWS = 1000
_SEED = 20132


class KolmogorovSmirnov(NamedTuple):
    """Largest gap of the distribution functions at the bin edges, and by how much rows may exceed it."""

    statistic: FloatArray
    bound: FloatArray


def psi(reference_shares: npt.ArrayLike, shares: npt.ArrayLike) -> FloatArray:
    """Return the population stability index sum (r - c) ln(r / c), shares of 0 raised to .0001.

    >>> round(float(psi([0.5, 0.5], [0.4, 0.6])), 4)
    0.0405
    """
    reference, current = as_floats(reference_shares), as_floats(shares)
    reference = np.where(reference <= 0, ZERO_SHARE, reference)
    current = np.where(current <= 0, ZERO_SHARE, current)
    return as_floats(((reference - current) * np.log(reference / current)).sum(axis=-1))


def js_distance(reference_shares: npt.ArrayLike, shares: npt.ArrayLike) -> FloatArray:
    """Return the Jensen-Shannon distance: the root of the divergence in bits, 0 to 1.

    >>> float(js_distance([1, 0], [0, 1]))
    1.0
    """
    reference, current = as_floats(reference_shares), as_floats(shares)
    middle = (reference + current) / 2
    divergence = (special.rel_entr(reference, middle) + special.rel_entr(current, middle)).sum(axis=-1) / 2
    return as_floats(np.sqrt(np.clip(divergence / np.log(2), 0, 1)))


def total_variation(reference_shares: npt.ArrayLike, shares: npt.ArrayLike) -> FloatArray:
    """Return half the sum of absolute differences: the share of rows that would have to move.

    >>> round(float(total_variation([0.5, 0.5], [0.4, 0.6])), 4)
    0.1
    """
    return as_floats(np.abs(as_floats(reference_shares) - as_floats(shares)).sum(axis=-1) / 2)


def ks_from_bins(ref_counts: npt.ArrayLike, counts: npt.ArrayLike) -> KolmogorovSmirnov:
    """Return the Kolmogorov-Smirnov distance of ordered bins of present values; nan where a side is empty.

    The statistic of the rows lies between ``statistic`` and ``statistic + bound``: inside a bin one
    distribution function can be at most at its upper and the other at its lower end. The bound never exceeds
    the largest share a bin has on either side.

    >>> result = ks_from_bins([5, 5, 0], [0, 5, 5])
    >>> float(result.statistic), float(result.bound)
    (0.5, 0.5)
    """
    reference, current = _distribution(as_floats(ref_counts)), _distribution(as_floats(counts))
    gap = np.abs(reference - current).max(axis=-1)
    inside = np.maximum(reference[..., 1:] - current[..., :-1], current[..., 1:] - reference[..., :-1])
    return KolmogorovSmirnov(as_floats(gap), as_floats(np.maximum(inside.max(axis=-1) - gap, 0)))


def _distribution(counts: FloatArray) -> FloatArray:
    """Return the distribution function at all edges, from 0 below the first bin."""
    start = np.zeros((*counts.shape[:-1], 1))
    cumulated = np.concatenate([start, np.cumsum(counts, axis=-1)], axis=-1)
    return divide(cumulated, cumulated[..., -1:], otherwise=np.nan)


def wasserstein_from_bins(
    inner_edges: npt.ArrayLike,
    ref_counts: npt.ArrayLike,
    counts: npt.ArrayLike,
    ref_outer_means: npt.ArrayLike,
    outer_means: npt.ArrayLike,
) -> FloatArray:
    """Return the Wasserstein distance (integral of |F - G|), in the units of the values.

    K ascending finite ``inner_edges`` make K + 1 bins: below the first, K - 1 between, from the last on. A
    value with a bin of its own has the edges v and the next larger number. ``*_outer_means`` are the mean
    values of the rows in the lowest and the highest bin (whatever where it is empty), on the last axis. Between the
    edges both distributions are taken as linear. Beyond them the integral of F is the mean distance of its rows from
    the edge, so the sums give it exactly where F and G do not cross there (and a lower bound where they do).

    >>> float(wasserstein_from_bins([0.0, 1.0], [1, 2, 1], [1, 2, 1], [-1, 2], [-3, 2]))
    0.5
    """
    edges = as_floats(inner_edges)
    reference, current = as_floats(ref_counts), as_floats(counts)
    if edges.size == 0 or not edges.size + 1 == reference.shape[-1] == current.shape[-1]:
        raise ValueError("wasserstein_from_bins needs at least one inner edge, and one bin more than edges")
    if (reference.sum(axis=-1) <= 0).any() or (current.sum(axis=-1) <= 0).any():
        raise ValueError("wasserstein_from_bins needs rows on both sides")
    beyond = np.abs(
        _beyond(edges, reference, as_floats(ref_outer_means))
        - _beyond(edges, current, as_floats(outer_means))
    )
    gap = (_distribution(reference) - _distribution(current))[..., 1:-1]
    inside = _absolute_integral(gap[..., :-1], gap[..., 1:], np.diff(edges))
    return as_floats(beyond[..., 0] + inside + beyond[..., 1])


def _beyond(edges: FloatArray, counts: FloatArray, outer_means: FloatArray) -> FloatArray:
    """Return the mean distance below the first edge and above the last (0 for rows inside)."""
    outer = counts[..., [0, -1]]
    far = np.where(outer > 0, (edges[[0, -1]] - outer_means) * (1.0, -1.0), 0.0)
    return as_floats(outer * far / counts.sum(axis=-1, keepdims=True))


def _absolute_integral(left: FloatArray, right: FloatArray, width: FloatArray) -> FloatArray:
    """Integrate |line from left to right| over each width."""
    size = np.abs(left) + np.abs(right)
    crossing = left * right < 0
    # Two triangles where the line crosses 0: heights |l| and |r|, bases in the same proportion.
    area = np.where(crossing, divide(np.square(left) + np.square(right), size), size) / 2
    return as_floats((area * width).sum(axis=-1))


def noise_floor_psi(pooled_shares: npt.ArrayLike, n_reference: float, n: float) -> float:
    """Return the 95 % point of the PSI when both samples come from the same distribution.

    (1 / n + 1 / m) times the chi-squared quantile with bins - 1 degrees of freedom where every bin expects 20
    rows on the smaller side; otherwise 1,000 seeded multinomial draws, empty bins raised as in `psi`. Bins
    that are empty on both sides do not count.

    >>> round(noise_floor_psi([0.1] * 10, 1000, 200), 4)
    0.1015
    """
    shares = as_floats(pooled_shares)
    shares = shares[shares > 0] / shares.sum()
    if n <= 0 or n_reference <= 0:
        raise ValueError("the noise floor needs rows on both sides")
    if shares.size < 2:
        return 0.0
    if min(n, n_reference) * shares.min() >= 20:
        return float((1 / n + 1 / n_reference) * special.chdtri(shares.size - 1, 0.05))
    generator = np.random.default_rng(_SEED)
    m, k = max(round(n_reference), 1), max(round(n), 1)
    reference = generator.multinomial(m, shares, size=_DRAWS) / m
    current = generator.multinomial(k, shares, size=_DRAWS) / k
    return float(np.quantile(psi(reference, current), 0.95))


def mean_total_variation_under_null(shares: npt.ArrayLike, n_reference: float, n: float) -> FloatArray:
    """Return the mean total variation of two samples of one distribution.

    Half-normal bins: sum sqrt(2 p (1 - p)(1 / n + 1 / m) / pi) / 2.

    >>> round(float(mean_total_variation_under_null([0.1] * 10, 1000, 200)), 3)
    0.093
    """
    p = as_floats(shares)
    return as_floats(np.sqrt(2 * p * (1 - p) * (1 / n + 1 / n_reference) / np.pi).sum(axis=-1) / 2)
