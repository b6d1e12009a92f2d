"""Permutation test of two means, for a small arm and skewed values, where Student's t is not to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray, as_floats

DRAWS = 9999
_SEED = 20135
_CELLS = 2_000_000
"""Numbers drawn at a time: bounds the memory."""


def studentised_permutation(
    values: npt.ArrayLike, values_control: npt.ArrayLike, draws: int = DRAWS, seed: int = _SEED
) -> float:
    """Return the two-sided p-value of Welch's t among random reassignments of the units to the arms.

    Exact where the arms have one distribution, and right in large samples also where only their means are equal.
    The p-value is (1 + reassignments at least as extreme) / (1 + draws), never 0.

    Args:
        values: one per unit of the arm.
        values_control: the same of the control.
        draws: number of reassignments.
        seed: of the draws, so that the same data give the same number.

    Returns:
        nan with fewer than two units in an arm, without any variance, or where a value is not finite.

    Sources: Janssen, Statistics and Probability Letters 36 (1997); Chung and Romano, Annals of Statistics 41 (2013);
    Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010) for the 1 +.

    >>> studentised_permutation([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 9.0])
    0.0257
    """
    small, large = sorted((as_floats(values), as_floats(values_control)), key=np.size)
    pooled = np.concatenate([small, large])
    if small.size < 2 or not np.isfinite(pooled).all():
        return float("nan")
    scale = float(np.ptp(pooled))
    if scale == 0:
        return float("nan")
    pooled = (pooled - pooled.mean()) / scale
    # a second pass takes out what rounding left in the first mean
    pooled -= pooled.mean()
    statistic = _Statistic(pooled, small.size)
    observed = float(statistic.of(pooled[None, : small.size])[0])
    if np.isnan(observed):
        return float("nan")
    # sums in another order differ in the last digits: a tie must count as one
    least = observed * (1 - 1e-9) - 1e-9
    extreme = sum(
        int(np.count_nonzero(statistic.of(pooled[chosen]) >= least))
        for chosen in _subsets(pooled.size, small.size, draws, np.random.default_rng(seed))
    )
    return (1 + extreme) / (1 + draws)


class _Statistic:
    """|t| of Welch from the values of the smaller arm alone; the other arm is what remains of the pooled moments."""

    def __init__(self, pooled: FloatArray, size: int) -> None:
        self._size, self._rest = size, pooled.size - size
        self._sum, self._squares = float(pooled.sum()), float(pooled @ pooled)

    def of(self, values: FloatArray) -> FloatArray:
        """|t| of each row of values; nan for 0 / 0, infinite for a difference without variance."""
        n, m = self._size, self._rest
        total = values.sum(axis=1)
        squares = np.square(values - (total / n)[:, None]).sum(axis=1)
        rest = self._sum - total
        gap = total / n - rest / m
        # pooled squares = those of both arms and n m / (n + m) gap²; the pooled mean is 0
        squares_rest = np.maximum(self._squares - squares - n * m / (n + m) * gap**2, 0)
        error = np.sqrt(squares / ((n - 1) * n) + squares_rest / ((m - 1) * m))
        with np.errstate(divide="ignore", invalid="ignore"):
            return as_floats(np.abs(gap) / error)


def _subsets(total: int, size: int, draws: int, generator: np.random.Generator) -> Iterator[IntArray]:
    """Yield random subsets of range(total), some rows of ``size`` at a time.

    A small subset is gathered member by member (Floyd's algorithm), which costs size² whatever the total; a large
    one is the head of a shuffle.
    """
    gathered = size * size <= 20 * total
    step = max(1, _CELLS // (size if gathered else total))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        if gathered:
            yield _gather(total, size, rows, generator)
        else:
            order = np.broadcast_to(np.arange(total), (rows, total))
            yield generator.permuted(order, axis=1)[:, :size]


def _gather(total: int, size: int, rows: int, generator: np.random.Generator) -> IntArray:
    """Source: Bentley and Floyd, Communications of the ACM 30 (1987)."""
    chosen = np.empty((rows, size), dtype=np.int64)
    for i, last in enumerate(range(total - size, total)):
        drawn = generator.integers(0, last + 1, rows)
        taken = (chosen[:, :i] == drawn[:, None]).any(axis=1)
        chosen[:, i] = np.where(taken, last, drawn)
    return chosen
