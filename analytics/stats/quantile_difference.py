"""A quantile with its variance where values come in groups: what two arms' quantiles are compared by.

The share of values at or below the quantile has a variance that allows for any dependence within groups. The quantiles
that lie two such errors of a share away on either side (the outer interval) tell how far one error of a share is on the
scale of the values. No density is estimated, and no bootstrap is drawn.

Sources: Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018; Yao, Li and Lu, Development of
an Experimentation Platform, 2024, algorithm 1; Woodruff, JASA 47 (1952) for the outer interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .arrays import FloatArray, IntArray, as_floats

REACH = float(special.ndtri(0.975))
"""Errors of a share between the quantile and the ends of its outer interval."""
FEWEST_VALUES = 6
"""Different values that an outer interval must hold; with fewer the quantile jumps between them, and no normal
distribution describes that."""
MOST_UNEVEN = 8.0
"""How many times farther one end of an outer interval may lie than the other: beyond it the values have a gap there
(time-outs, those who spend nothing), and the quantile falls on one side of it or the other."""


class Quantile(NamedTuple):
    """A quantile of one arm.

    Attributes:
        value: the smallest value that at least this share of values does not exceed.
        n: values.
        groups: of values that hang together; ``n`` where none do.
        share_error: standard error of the share of values at or below ``value``.
        low, high: ends of the outer interval; None where it runs out of values.
        distinct: different values in it.
    """

    value: float
    n: int
    groups: int
    share_error: float
    low: float | None
    high: float | None
    distinct: int

    @property
    def standard_error(self) -> float | None:
        """Of the quantile; None where `refusal` says why."""
        if self.low is None or self.high is None or self.refusal is not None:
            return None
        return (self.high - self.low) / (2 * REACH)

    @property
    def refusal(self) -> str | None:
        """Why the quantile has no error to be trusted, in words; None where it has one."""
        if self.groups < 2:
            return "there is one unit only"
        if self.low is None or self.high is None:
            return "there are too few values for this quantile: its interval would reach beyond the outermost value"
        if self.distinct < FEWEST_VALUES:
            return (
                "too many values are alike around this quantile, so it jumps from one to the next and has no "
                "interval to be trusted"
            )
        near, far = sorted((self.value - self.low, self.high - self.value))
        if far > MOST_UNEVEN * near:
            return (
                "values lie far apart on one side of this quantile (a gap, or one value that many have), so it has no "
                "interval to be trusted"
            )
        return None


class GroupSums(NamedTuple):
    """Sums over groups of values, some of which are counted.

    Attributes:
        squares: sum of (values counted)².
        products: sum of values counted x values.
        sizes: sum of values².
        n: values.
        groups: how many there are.
    """

    squares: float
    products: float
    sizes: float
    n: float
    groups: float


def share_error(share: float, sums: GroupSums) -> float:
    """Return the standard error of a share of values, whatever the dependence within groups.

    The share is the ratio of two sums over groups, and its variance that of the delta method. Nan with fewer than two
    groups.

    >>> round(share_error(0.3, GroupSums(3, 3, 10, 10, 10)), 4), round((0.3 * 0.7 / 9) ** 0.5, 4)
    (0.1528, 0.1528)
    """
    squares, products, sizes, n, groups = sums
    if groups < 2:
        return math.nan
    spread = squares - 2 * share * products + share**2 * sizes
    return math.sqrt(max(groups / (groups - 1) * spread, 0.0)) / n


def outer_shares(probability: float, error: float) -> tuple[float, float] | None:
    """Return the shares at the ends of the outer interval; None where two errors of a share reach beyond all values.

    For independent values this asks for n > 4 p / (1 - p) and n > 4 (1 - p) / p: 76 of them for the 95 % quantile.
    """
    if not 2 * error < min(probability, 1 - probability):  # nan too
        return None
    return probability - REACH * error, probability + REACH * error


def quantile_of(values: npt.ArrayLike, probability: float, groups: npt.ArrayLike | None = None) -> Quantile:
    """Return a quantile with what its error is made of.

    Args:
        values: all of one arm, finite.
        probability: of the quantile.
        groups: of each value, whole numbers; None where values are independent.

    >>> found = quantile_of(range(1, 1001), 0.9)
    >>> found.value, found.low, found.high, round(found.standard_error, 2)
    (900.0, 882.0, 919.0, 9.44)
    """
    return quantiles_of(values, (probability,), groups)[0]


def quantiles_of(
    values: npt.ArrayLike, probabilities: Sequence[float], groups: npt.ArrayLike | None = None
) -> list[Quantile]:
    """Return several quantiles of the same values, which are sorted once."""
    given = as_floats(values)
    order = np.argsort(given, kind="stable")
    ordered, of = given[order], None
    if groups is not None:
        _, of = np.unique(np.asarray(groups)[order], return_inverse=True)
    return [_quantile(ordered, probability, of) for probability in probabilities]


def _quantile(ordered: FloatArray, probability: float, of: IntArray | None) -> Quantile:
    """Return a quantile of ascending values, ``of`` being the numbers of their groups."""
    value = at(ordered, probability)
    below, n = int(np.searchsorted(ordered, value, side="right")), ordered.size
    if of is None:
        count = n
        error = math.sqrt(below / n * (1 - below / n) / (n - 1)) if n > 1 else math.nan
    else:
        sizes = np.bincount(of).astype(np.float64)
        residuals = np.bincount(of[:below], minlength=sizes.size) - below / n * sizes
        count = int(sizes.size)
        error = share_error(0.0, GroupSums(float(residuals @ residuals), 0.0, 0.0, n, count))
    outer = outer_shares(probability, error)
    if outer is None:
        return Quantile(value, n, count, error, None, None, 0)
    low, high = (at(ordered, share) for share in outer)
    inside = ordered[np.searchsorted(ordered, low) : np.searchsorted(ordered, high, side="right")]
    return Quantile(value, n, count, error, low, high, 1 + int(np.count_nonzero(np.diff(inside))))


def at(ordered: FloatArray, share: float) -> float:
    """Return a quantile of ascending values: the smallest that at least this share of them does not exceed."""
    # a share as written, .55 x 100, is a hair above the whole number that is meant
    place = math.ceil(share * ordered.size * (1 - 4 * np.finfo(np.float64).eps)) - 1
    return float(ordered[min(max(place, 0), ordered.size - 1)])
