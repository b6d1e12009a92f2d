"""Two-sample tests where rows come in blocks (days): rows of one block are not independent.

Counts per block: blocks on the first axis, bins on the second. On real logs the plain tests call a random
split of the days of one month drift every time; these keep their size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, as_floats
from .two_sample import (
    Statistic,
    TestResult,
    anderson_darling_statistic,
    chi_squared_statistic,
    form_eigenvalues,
    permutation_p_value,
    quadratic_form,
)

LEAST_BLOCKS = 8
"""Blocks a side needs before whole blocks can be permuted, and the reference before it can speak for the
window.
"""
_SEED = 20134


def permute_blocks(
    ref_block_counts: npt.ArrayLike, block_counts: npt.ArrayLike, statistic: Statistic, seed: int = _SEED
) -> TestResult:
    """Test by shuffling whole blocks between the sides; both need eight or more.

    ``statistic`` is `anderson_darling_statistic`, `chi_squared_statistic` or any function of (reference
    counts, counts) that takes bins on the last axis.
    """
    reference, current = _blocks(ref_block_counts), _blocks(block_counts)
    if min(len(reference), len(current)) < LEAST_BLOCKS:
        raise ValueError(f"permuting blocks needs {LEAST_BLOCKS} of them on both sides")
    together = np.concatenate([reference, current])
    total, generator = together.sum(axis=0), np.random.default_rng(seed)
    first = np.arange(len(together)) < len(current)

    def draw(times: int) -> FloatArray:
        chosen = generator.permuted(np.broadcast_to(first, (times, first.size)), axis=1)
        drawn = chosen.astype(np.float64) @ together
        return statistic(total - drawn, drawn)

    observed = float(statistic(reference.sum(axis=0), current.sum(axis=0)))
    return TestResult(observed, permutation_p_value(observed, draw), "block permutation")


def rao_scott_chi_squared(ref_block_counts: npt.ArrayLike, block_counts: npt.ArrayLike) -> TestResult:
    """Test categories against a window of few blocks (see `_rao_scott`); the statistic is the F."""
    return _rao_scott(_blocks(ref_block_counts), _blocks(block_counts), chi_squared_statistic)


def rao_scott_anderson_darling(ref_block_counts: npt.ArrayLike, block_counts: npt.ArrayLike) -> TestResult:
    """Test ordered bins against a window of few blocks (see `_rao_scott`); the statistic is the F."""
    return _rao_scott(_blocks(ref_block_counts), _blocks(block_counts), anderson_darling_statistic)


def design_effect(ref_block_counts: npt.ArrayLike) -> float:
    """Return how many times the blocks' shares vary as much as with independent rows (at least 1)."""
    reference = _blocks(ref_block_counts)
    size = reference.sum(axis=1)
    pooled = reference.sum(axis=0) / size.sum()
    independent = float(pooled.sum() - np.square(pooled).sum())
    if independent <= 0:
        return 1.0
    excess = float(np.trace(_between(reference, pooled))) / independent
    return 1.0 + excess * float((size * (size - 1)).sum() / size.sum())


def _blocks(counts: npt.ArrayLike) -> FloatArray:
    table = np.atleast_2d(as_floats(counts))
    filled: FloatArray = table[table.sum(axis=1) > 0]
    if not filled.size:
        raise ValueError("a two-sample test needs rows on both sides")
    return filled


def _rao_scott(reference: FloatArray, current: FloatArray, kind: Statistic) -> TestResult:
    """Apply the second-order correction of Rao and Scott (JASA 76, 1981; Thomas and Rao, 1987) as an F test.

    The difference of shares d has covariance S (1/n + 1/m) for independent rows, S being the multinomial one,
    plus B sum n_g (n_g - 1) / n^2 on each side for rows that share a block, where B, the covariance of two
    rows of one block, is estimated from the reference's blocks. The statistic d'Q d is then a sum of
    chi-squares with weights l; F = statistic / sum l has (sum l)^2 / sum l^2 = k and k (G - 1) degrees of
    freedom, G being the reference's blocks.
    """
    if len(reference) < LEAST_BLOCKS:
        raise ValueError(f"the reference needs {LEAST_BLOCKS} blocks to tell how much they differ")
    used = (reference.sum(axis=0) + current.sum(axis=0)) > 0
    reference, current = reference[:, used], current[:, used]
    if reference.shape[1] == 1:
        return TestResult(0.0, 1.0, "constant")
    sizes, window_sizes = reference.sum(axis=1), current.sum(axis=1)
    m, n = float(sizes.sum()), float(window_sizes.sum())
    pooled = (reference.sum(axis=0) + current.sum(axis=0)) / (m + n)
    own = reference.sum(axis=0) / m
    shared = (
        float((sizes * (sizes - 1)).sum()) / m**2 + float((window_sizes * (window_sizes - 1)).sum()) / n**2
    )
    covariance = (np.diag(pooled) - np.outer(pooled, pooled)) * (1 / n + 1 / m) + _between(
        reference, own
    ) * shared
    scale = m * n / (m + n)
    weights = form_eigenvalues(quadratic_form(kind, pooled) * scale, covariance)
    statistic = float(kind(reference.sum(axis=0), current.sum(axis=0))) / float(weights.sum())
    freedom = float(weights.sum()) ** 2 / float(np.square(weights).sum())
    p_value = float(special.fdtrc(freedom, freedom * (len(reference) - 1), statistic))
    return TestResult(statistic, p_value, "Rao-Scott F")


def _between(blocks: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the covariance of two rows of one block, by moments; negative directions are set to 0."""
    sizes = blocks.sum(axis=1)
    groups = len(blocks)
    residual = blocks - sizes[:, None] * shares
    within = np.diag(shares) - np.outer(shares, shares)
    pairs = float((sizes * (sizes - 1)).sum())
    if pairs <= 0:
        return np.zeros_like(within)
    estimate = (residual.T @ residual * groups / (groups - 1) - within * sizes.sum()) / pairs
    values, vectors = np.linalg.eigh(estimate)
    return as_floats((vectors * np.maximum(values, 0)) @ vectors.T)
