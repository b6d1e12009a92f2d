"""Whether few units carry what happened: the share of the ten with most, against events that fall at random."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FEW = 10
MOST_EVENTS = 500_000
"""Beyond, drawing takes many seconds."""
MOST_DRAWN = 20_000_000


class Carried(NamedTuple):
    """The share of events of the ten units with most, what it would be at random, and how likely so much is then."""

    share: float
    expected: float | None
    p_value: float | None


def carried_by_few(
    chances: npt.ArrayLike, events: npt.ArrayLike, *, few: int = FEW, draws: int = 999, seed: int = 0
) -> Carried:
    """Return how much of the events few units carry, beyond what chance and their own size bring.

    Under the null each event falls on a unit in proportion to its chances (its requests). The units with most events
    are chosen after the fact, and so they are in every draw.

    Args:
        chances: of each unit to have an event, shape (U,).
        events: of each unit, shape (U,).
        few: how many units.
        draws: of the null distribution; fewer with many units.
        seed: of the draws.

    >>> found = carried_by_few([100] * 100, [0] * 99 + [50])
    >>> found.share, found.p_value
    (1.0, 0.001)
    """
    size, counts = np.asarray(chances, dtype=np.float64), np.asarray(events, dtype=np.int64)
    total = int(counts.sum())
    if size.shape != counts.shape or total <= 0 or not size.sum() > 0:
        raise ValueError("units need chances, and at least one event among them")
    share = _share(counts, few)
    if total > MOST_EVENTS:
        return Carried(share, None, None)
    random = np.random.default_rng(seed)
    draws = int(min(draws, max(99, MOST_DRAWN // total)))
    upto = np.cumsum(size) / size.sum()
    drawn = np.array([_share(_fallen(random.random(total), upto), few) for _ in range(draws)])
    p_value = (1 + int((drawn >= share - 1e-12).sum())) / (draws + 1)
    return Carried(share, float(drawn.mean()), p_value)


def _fallen(where: npt.NDArray[np.float64], upto: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Events of the units on which any fell."""
    units = np.minimum(np.searchsorted(upto, where, side="right"), len(upto) - 1)
    return np.unique(units, return_counts=True)[1].astype(np.int64)


def _share(counts: npt.NDArray[np.int64], few: int) -> float:
    if len(counts) <= few:
        return 1.0
    return float(np.partition(counts, len(counts) - few)[-few:].sum() / counts.sum())
