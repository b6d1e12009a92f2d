"""How late things arrive that may never arrive, from counts on fixed bins.

Time since the start is cut into bins that are the same for ever: below one second, then sixteen to each doubling,
so that a bin is 3 to 6 % wide. A thing counts in a bin only if it was followed through the whole of it; the share that
arrives among those not yet there gives the Kaplan-Meier curve (Kaplan and Meier, JASA 53, 1958) of times rounded to
the bins. What never arrives leaves the curve on a plateau below 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, as_floats
from .blocks import ChosenVariance, block_variance, largest_variance

IntArray = npt.NDArray[np.int64]

OCTAVES = 29
STEPS = 16
LEAST_AT_RISK = 20
"""Below this many (effective) rows still followed the curve is not continued."""


def _edges() -> FloatArray:
    lower = [0.0, *(2.0**k * (1 + j / STEPS) for k in range(OCTAVES) for j in range(STEPS))]
    return np.array(lower)


EDGES = _edges()
"""Lower edges of the bins in seconds; the last bin is open."""


def delay_bins(seconds: npt.ArrayLike) -> IntArray:
    """Return the bin of each time; a time before the start counts as none at all.

    >>> delay_bins([-5.0, 0.5, 1.0, 1.99, 3600.0]).tolist(), EDGES[delay_bins([3600.0])].tolist()
    ([0, 0, 1, 16, 189], [3584.0])
    """
    found: IntArray = (np.searchsorted(EDGES, as_floats(seconds), side="right") - 1).astype(np.int64)
    return np.maximum(found, 0)


class Combined(NamedTuple):
    """A weighted sum of points of a curve, and its variance."""

    value: float
    chosen: ChosenVariance


@dataclass(frozen=True)
class FollowUp:
    """Sums of rows by block and bin; they add over disjoint rows of the same blocks.

    Attributes:
        arrived: weight that arrived in a bin, of rows followed through it, shape (G, B).
        at_risk: weight not yet there at its beginning, of rows followed through it, shape (G, B).
        squares: the same of squared weights, shape (G, B).
    """

    arrived: FloatArray
    at_risk: FloatArray
    squares: FloatArray

    def __add__(self, other: FollowUp) -> FollowUp:
        """The sums over both."""
        return FollowUp(
            self.arrived + other.arrived, self.at_risk + other.at_risk, self.squares + other.squares
        )

    def __getitem__(self, blocks: slice | IntArray) -> FollowUp:
        """Some of the blocks."""
        return FollowUp(self.arrived[blocks], self.at_risk[blocks], self.squares[blocks])


def follow_up(  # one argument a column
    blocks: IntArray,
    n_blocks: int,
    age: IntArray,
    delay: IntArray,
    weight: FloatArray,
    squares: FloatArray,
) -> FollowUp:
    """Sum rows (or groups of equal ones) into follow-up by block.

    Args:
        blocks: the block of each group, 0 to ``n_blocks`` - 1.
        n_blocks: how many there are.
        age: the bin up to whose lower edge it was followed.
        delay: the bin in which it arrived; -1 where it has not.
        weight: sum of weights of the group.
        squares: sum of squared weights of the group.
    """
    shape = (n_blocks, len(EDGES))
    arrived, at_risk, squared = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    last = np.where(delay >= 0, np.minimum(age - 1, delay), age - 1)
    followed = last >= 0
    np.add.at(at_risk, (blocks[followed], last[followed]), weight[followed])
    np.add.at(squared, (blocks[followed], last[followed]), squares[followed])
    seen = (delay >= 0) & (delay < age)
    np.add.at(arrived, (blocks[seen], delay[seen]), weight[seen])
    # whoever was followed through a bin was at risk in every one before
    back = slice(None, None, -1)
    return FollowUp(
        arrived,
        np.cumsum(at_risk[:, back], axis=1)[:, back],
        np.cumsum(squared[:, back], axis=1)[:, back],
    )


@dataclass(frozen=True)
class ArrivalCurve:
    """The share that has arrived by each edge, of all that started.

    Attributes:
        share: arrived before ``EDGES[b]``, shape (B,); constant beyond ``last``.
        last: the last edge up to which rows enough were followed.
        n: effective rows at the start.
        n_blocks: blocks behind it.
        steps: per bin, what the variance of the log of the share still out grows by (Greenwood), shape (B,).
        influence: per block and bin, its part of the log of the share still out, shape (G, B).
    """

    share: FloatArray
    last: int
    n: float
    n_blocks: int
    steps: FloatArray
    influence: FloatArray

    @property
    def plateau(self) -> float:
        """The share that has arrived by the last edge that is known."""
        return float(self.share[self.last])

    @property
    def followed_seconds(self) -> float:
        """How far the curve is known."""
        return float(EDGES[self.last])

    def combine(self, parts: FloatArray) -> Combined:
        """Return the sum of ``parts`` x share, shape (B,), with the larger of row and block variance.

        One part of 1 is a point of the curve; the shares of ages of a window give what is expected of it.
        """
        out = parts * (1.0 - self.share)
        # a bin moves every later point
        reach = np.append(np.cumsum(out[::-1])[::-1][1:], 0.0)
        row = float((self.steps * reach**2).sum())
        totals = self.influence @ reach
        block = float(block_variance(totals)) if len(totals) > 1 else None
        chosen = largest_variance(row, None, block, self.n_blocks, 0)
        return Combined(float(parts @ self.share), chosen)

    def at(self, edge: int) -> Combined:
        """One point of the curve."""
        parts = np.zeros(len(EDGES))
        parts[edge] = 1.0
        return self.combine(parts)

    def edge_of(self, share_of_plateau: float) -> int | None:
        """The first edge by which this share of all that ever arrive has arrived; None where nothing arrives."""
        if self.plateau <= 0:
            return None
        reached = self.share >= share_of_plateau * self.plateau * (1 - 1e-12)
        return int(np.argmax(reached))


def kaplan_meier(counts: FollowUp) -> ArrivalCurve | None:
    """Fit the curve; None where fewer than `LEAST_AT_RISK` rows were followed at all.

    >>> ages, delays = np.full(100, 40), np.where(np.arange(100) < 80, 20, -1)
    >>> ones = np.ones(100)
    >>> curve = kaplan_meier(follow_up(np.zeros(100, dtype=int), 1, ages, delays, ones, ones))
    >>> round(curve.plateau, 9), round(float(curve.share[20]), 9), round(float(curve.share[21]), 9)
    (0.8, 0.0, 0.8)
    """
    arrived, at_risk, squares = (
        part.sum(axis=0) for part in (counts.arrived, counts.at_risk, counts.squares)
    )
    effective = np.divide(at_risk**2, squares, out=np.zeros_like(at_risk), where=squares > 0)
    known = effective >= LEAST_AT_RISK
    if not known[0]:
        return None
    bins = int(np.argmin(known)) if not known.all() else len(known) - 1
    hazard = np.divide(arrived, at_risk, out=np.zeros_like(arrived), where=known)
    hazard = np.clip(np.where(np.arange(len(known)) < bins, hazard, 0.0), 0.0, 1.0)
    out = np.concatenate([[1.0], np.cumprod(1.0 - hazard)[:-1]])
    # where all arrive in one bin nothing is left that could vary
    varies = (hazard > 0) & (hazard < 1)
    steps = np.zeros_like(hazard)
    steps[varies] = hazard[varies] / (1 - hazard[varies]) / effective[varies]
    influence = np.zeros_like(counts.arrived)
    influence[:, varies] = (counts.arrived[:, varies] - hazard[varies] * counts.at_risk[:, varies]) / (
        at_risk[varies] * (1 - hazard[varies])
    )
    present = counts.at_risk[:, 0] > 0
    return ArrivalCurve(1.0 - out, bins, float(effective[0]), int(present.sum()), steps, influence[present])


def arrived_of_ever(age: IntArray, delay: IntArray, weight: FloatArray) -> FloatArray | None:
    """Return the share arrived by each edge of all that arrive within the time followed, from arrivals alone.

    What has not arrived is not looked at: an arrival is seen only if it comes within the row's age, and reverse
    hazards take that into account (right truncation: Lagakos, Barraj and De Gruttola, Biometrika 75, 1988). So the
    shares can be had for each value of something that is known only after arrival.

    >>> arrived_of_ever(np.array([40, 40, 25]), np.array([20, 30, 20]), np.ones(3))[[20, 21, 31]].round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    seen = (delay >= 0) & (delay < age)
    if not seen.any():
        return None
    first, end, weights = delay[seen], age[seen], weight[seen]
    size = len(EDGES)
    here = np.bincount(first, weights, minlength=size)
    change = np.bincount(first, weights, minlength=size + 1) - np.bincount(end, weights, minlength=size + 1)
    before = np.cumsum(change)[:size]
    reverse = np.divide(here, before, out=np.zeros(size), where=before > 1e-9 * weights.sum())
    kept = np.clip(1.0 - reverse, 0.0, 1.0)
    return np.asarray(np.cumprod(kept[::-1])[::-1])
