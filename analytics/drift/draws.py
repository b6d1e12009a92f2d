"""Null distributions by shuffling whole blocks: one set of shuffles serves all fields of a window.

999 shuffles and one matrix product give every bin of every field under no drift. Beyond all shuffles, p is read from
a gamma distribution with the shuffles' first three moments (Winkler, Ridgway, Douaud, Nichols and Smith, NeuroImage
141, 2016), never above 1 / 1000 and never below one in the number of possible arrangements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.stats.two_sample import Statistic

Floats = NDArray[np.float64]
DRAWS = 999
_SEED = 20135


class Shuffled(NamedTuple):
    """A statistic that is large under drift, as it is and in every shuffle (-inf where it has none)."""

    p_value: float
    under_null: Floats


@dataclass(frozen=True)
class BlockDraws:
    """Shuffles of the blocks of a reference and a window.

    Attributes:
        chosen: which blocks (the reference's first) a shuffle puts into the window, 0 or 1, shape (draws, blocks).
    """

    chosen: Floats

    @classmethod
    def of(cls, reference_blocks: int, window_blocks: int) -> BlockDraws:
        """The shuffles for these numbers of blocks; the same for the same numbers."""
        generator = np.random.default_rng(_SEED)
        places = generator.random((DRAWS, reference_blocks + window_blocks))
        order = np.argpartition(places, window_blocks - 1, axis=1)[:, :window_blocks]
        chosen = np.zeros(places.shape)
        np.put_along_axis(chosen, order, 1.0, axis=1)
        return cls(chosen)

    @property
    def arrangements(self) -> float:
        """In how many ways the blocks can be shared out."""
        blocks = self.chosen.shape[1]
        return float(special.binom(blocks, self.chosen[0].sum()))

    def windows(self, reference: Floats, window: Floats) -> Floats:
        """What the window holds in each shuffle, shape (draws, columns)."""
        drawn: Floats = self.chosen @ np.concatenate([reference, window])
        return drawn

    def test(
        self,
        reference: Floats,
        window: Floats,
        statistic: Statistic,
        carry: float = 1.0,
        drawn: Floats | None = None,
    ) -> Shuffled:
        """Test one statistic.

        Args:
            reference: counts by block and bin.
            window: the same.
            statistic: takes the counts of both sides, bins on the last axis.
            carry: how many times the variance is that of blocks that do not follow one another.
            drawn: what `windows` says of these counts, where it is known.
        """
        drawn = self.windows(reference, window) if drawn is None else drawn
        whole, known = _under_null(reference, window, drawn, statistic)
        observed = float(statistic(reference.sum(axis=0), window.sum(axis=0))) / carry
        under_null = np.full(len(drawn), -np.inf)
        under_null[whole] = known
        return Shuffled(tail(observed, known, self.arrangements), under_null)

    def mean(self, reference: Floats, window: Floats, drawn: Floats, distance: Statistic) -> float:
        """The mean over all shuffles of a distance between shares."""
        found = _under_null(reference, window, drawn, lambda a, b: distance(_normal(a), _normal(b)))[1]
        return float(found.mean())


@lru_cache(maxsize=16)
def shuffles(reference_blocks: int, window_blocks: int) -> BlockDraws:
    """The shuffles for these numbers of blocks, remembered: every field and every question takes the same."""
    return BlockDraws.of(reference_blocks, window_blocks)


def least(tests: Sequence[Shuffled]) -> float | None:
    """The p-value of the smallest of some p-values from the same shuffles; None where there is no test.

    The shuffles tell how often any of them would be as small: for tests that go together that is less than their
    number times as often (Westfall and Young, 1993). Where too few shuffles are as small, in the proportion that
    holds at one in twenty.

    >>> least([]), least([Shuffled(0.2, np.arange(999.0))])
    (None, 0.2)
    """
    if len(tests) < 2:
        return tests[0].p_value if tests else None
    smallest = min(test.p_value for test in tests)
    if smallest >= 1:
        return 1.0
    ranks = np.stack([_p_values(test.under_null) for test in tests]).min(axis=0)
    level = max(smallest, 0.05)
    return float(min(max(np.mean(ranks <= level) / level, 1.0) * smallest, 1.0))


def _p_values(under_null: Floats) -> Floats:
    """What p-value each shuffle would have among the others."""
    ascending = np.sort(under_null)
    below = np.searchsorted(ascending, under_null - 1e-9 * np.maximum(np.abs(under_null), 1.0))
    return np.where(np.isfinite(under_null), 1 - below / under_null.size, 1.0)


def _under_null(
    reference: Floats, window: Floats, drawn: Floats, statistic: Statistic
) -> tuple[NDArray[np.bool_], Floats]:
    left = reference.sum(axis=0) + window.sum(axis=0) - drawn
    # where a field is mostly missing, a shuffle may leave a side without rows: it has no statistic
    whole = (left.sum(axis=1) > 0.5) & (drawn.sum(axis=1) > 0.5)
    return whole, statistic(left[whole], drawn[whole])


def _normal(counts: Floats) -> Floats:
    normal: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return normal


def tail(observed: float, draws: Floats, arrangements: float) -> float:
    """Return the chance of a value at least as large as the observed one, judged from draws under no drift.

    >>> tail(3.0, np.arange(20.0), 1e9)
    0.8571428571428571
    """
    least = observed - 1e-9 * max(abs(observed), 1.0)  # equal tables must not differ by rounding
    larger = int((draws >= least).sum())
    counted = (1 + larger) / (1 + draws.size)
    if larger > 0 or draws.size < DRAWS // 2:
        return counted
    return min(max(gamma_tail(observed, draws), 1 / arrangements), counted)


def gamma_tail(observed: float, draws: Floats) -> float:
    """The chance of more than the observed value in a gamma distribution with the draws' first three moments.

    >>> round(gamma_tail(3.84, np.random.default_rng(1).chisquare(1, 100_000)), 3)
    0.05
    """
    return float(Gamma.of(draws).tail(np.array([observed]))[0])


class Gamma(NamedTuple):
    """A gamma distribution by its first three moments; a normal one where it is not skewed to the right."""

    mean: float
    spread: float
    skewness: float

    @classmethod
    def of(cls, draws: Floats) -> Gamma:
        """The one with the moments of some draws."""
        mean, spread = float(draws.mean()), float(draws.std())
        skewness = float(np.mean(((draws - mean) / spread) ** 3)) if spread > 0 else 0.0
        return cls(mean, spread, skewness)

    def tail(self, observed: Floats) -> Floats:
        """The chance of more than each observed value."""
        if self.spread <= 0:
            return np.ones_like(observed)
        scores = (observed - self.mean) / self.spread
        if self.skewness < 0.01:
            return np.asarray(special.ndtr(-scores))
        shape = 4 / self.skewness**2
        return np.asarray(special.gammaincc(shape, np.maximum(shape + scores * 2 / self.skewness, 0.0)))
