"""Two samples of the same blocks of time (two versions, a segment and the rest): compared block by block.

A storm that moves both sides of a day moves their difference little, and what the sides of a day share must not count
as noise, nor may what sets them apart on single days count as drift. So the difference of the shares is written as a
sum over blocks, and its chance distribution is taken from these sums: by flipping their signs, or, in a window of few
blocks, from how much the difference varies over the blocks of a longer stretch.

Counts per block: blocks on the first axis, bins on the last; the same blocks on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from .arrays import FloatArray, divide

LEAST_BLOCKS = 8
"""Blocks with rows on both sides from which signs can be flipped: below, there are too few ways to flip them."""
DRAWS = 999
_RUN = 7
_SEED = 20136


class Flipped(NamedTuple):
    """A statistic, the same under random signs, and in how many ways the signs can be set."""

    observed: float
    draws: FloatArray
    arrangements: float


def shared_blocks(left: FloatArray, right: FloatArray) -> int:
    """Return how many blocks have rows on both sides."""
    return int(((left.sum(axis=1) > 0) & (right.sum(axis=1) > 0)).sum())


def influences(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return what each block adds to the difference of the shares (right - left), shape blocks x bins.

    Were both sides of one distribution, each of these would be 0 but for chance, whatever the block has in common.

    >>> influences(np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 2.0]])).sum(axis=0)
    array([-0.25, 0.25])
    """
    m, n = left.sum(), right.sum()
    pooled = (left.sum(axis=0) + right.sum(axis=0)) / (m + n)
    window = (right - right.sum(axis=1, keepdims=True) * pooled) / n
    return np.asarray(window - (left - left.sum(axis=1, keepdims=True) * pooled) / m)


def form(pooled: FloatArray, *, ordered: bool) -> tuple[FloatArray, FloatArray]:
    """Return A and w with statistic = sum w (A d)^2, d being a difference of shares.

    Anderson-Darling for ordered bins (A cumulates up to the middle of a bin), else chi-squared (A is the identity).
    """
    if not ordered:
        return np.eye(pooled.size), divide(1.0, pooled)
    middle = np.cumsum(pooled) - pooled / 2
    spread = middle * (1 - middle) - pooled / 4
    weights = np.where(pooled > 0, divide(pooled, np.where(spread > 1e-15, spread, 0.0)), 0.0)
    return np.tril(np.ones((pooled.size, pooled.size))) - np.eye(pooled.size) / 2, weights


def sign_flips(left: FloatArray, right: FloatArray, *, ordered: bool) -> Flipped:
    """Return the statistic of the difference and of the same with the blocks' signs set at random.

    Source: Winkler, Ridgway, Webster, Smith and Nichols, NeuroImage 92 (2014), section on sign-flipping.
    """
    single = influences(left, right)
    used = np.abs(single).max(axis=1) > 0
    pooled = (left.sum(axis=0) + right.sum(axis=0)) / (left.sum() + right.sum())
    cumulate, weights = form(pooled, ordered=ordered)
    moved = single[used] @ cumulate.T
    signs = np.random.default_rng(_SEED).choice([-1.0, 1.0], size=(DRAWS, len(moved)))
    draws = np.square(signs @ moved) @ weights
    observed = float(np.square(moved.sum(axis=0)) @ weights)
    return Flipped(observed, np.asarray(draws), 2.0 ** max(len(moved) - 1, 0))


@dataclass(frozen=True)
class PairedSpread:
    """How much the difference of two sides varies from block to block, beyond the chance of its rows.

    Attributes:
        own: covariance of a block's own difference, bins x bins.
        common: covariance of what both sides of a block share.
        groups: one more than the degrees of freedom it was learnt with.
    """

    own: FloatArray
    common: FloatArray
    groups: int

    @classmethod
    def of(cls, left: FloatArray, right: FloatArray) -> PairedSpread | None:
        """Learn it from a longer stretch, by moments; None where fewer than eight blocks have both sides."""
        both = (left.sum(axis=1) > 0) & (right.sum(axis=1) > 0)
        if both.sum() < LEAST_BLOCKS:
            return None
        left, right = left[both], right[both]
        m, n = left.sum(axis=1, keepdims=True), right.sum(axis=1, keepdims=True)
        own = _beyond_rows(right / n - left / m, m * n / (m + n), left + right)
        common = _beyond_rows((left + right) / (m + n), m + n, left + right)
        return cls(own, common, len(m) - len(_runs(len(m))) + 1)

    def covariance(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return the covariance of the difference of the shares of one window, were both sides of one distribution."""
        m, n = float(left.sum()), float(right.sum())
        pooled = (left.sum(axis=0) + right.sum(axis=0)) / (m + n)
        window, reference = right.sum(axis=1) / n, left.sum(axis=1) / m
        within = (np.diag(pooled) - np.outer(pooled, pooled)) * (1 / n + 1 / m)
        own = self.own * float(np.square((window + reference) / 2).sum())
        return np.asarray(within + own + self.common * float(np.square(window - reference).sum()))


def _beyond_rows(values: FloatArray, sizes: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the covariance of blocks beyond that of their rows: var(value) = within / size + covariance.

    Within runs of seven blocks that follow one another, so that a trend, or a jump, is not taken for noise.
    """
    spread, weight = np.zeros((values.shape[1], values.shape[1])), 0.0
    for run in _runs(len(values)):
        some, size = values[run], sizes[run]
        shares = counts[run].sum(axis=0) / counts[run].sum()
        within = np.diag(shares) - np.outer(shares, shares)
        whole = float(size.sum())
        residual = some - (size * some).sum(axis=0) / whole
        spread += (size * residual).T @ residual - (len(some) - 1) * within
        weight += whole - float(np.square(size).sum()) / whole
    found, vectors = np.linalg.eigh(spread / weight)
    return np.asarray((vectors * np.maximum(found, 0)) @ vectors.T)


def _runs(blocks: int) -> list[slice]:
    """Runs of seven blocks; what is left of them goes to the last one.

    >>> [(run.start, run.stop) for run in _runs(16)]
    [(0, 7), (7, 16)]
    """
    starts = list(range(0, max(blocks - _RUN + 1, 1), _RUN))
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], blocks], strict=True)]


def paired_f(left: FloatArray, right: FloatArray, spread: PairedSpread, *, ordered: bool) -> float:
    """Return the p-value of a window of few blocks: Rao and Scott's second-order F with the paired covariance.

    Sources: Rao and Scott, JASA 76 (1981); Thomas and Rao, JASA 82 (1987).
    """
    pooled = (left.sum(axis=0) + right.sum(axis=0)) / (left.sum() + right.sum())
    if (pooled > 0).sum() < 2:
        return 1.0
    cumulate, weights = form(pooled, ordered=ordered)
    covariance = cumulate @ spread.covariance(left, right) @ cumulate.T
    gap = cumulate @ (right.sum(axis=0) / right.sum() - left.sum(axis=0) / left.sum())
    mean = float(weights @ np.diag(covariance))
    squares = float(weights @ np.square(covariance) @ weights)
    freedom = mean**2 / squares
    return float(
        special.fdtrc(freedom, freedom * (spread.groups - 1), float(weights @ np.square(gap)) / mean)
    )
