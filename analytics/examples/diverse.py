"""Few rows for many problems: each chosen row stands for a slice that has more of the candidates than is usual.

Slices are found one after another (sequential covering): the one whose share of the candidates exceeds its share of all
rows by most standard errors; then its rows are set aside on both sides, and the next one is looked for among the rest.
So two slices that say the same thing are one problem, and its second row is not shown while another problem has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Flags = NDArray[np.bool_]
BROAD = 1 / 3
"""A slice that holds more of all rows than this says too little to be called a problem."""
LEAST_HITS = 3
LEAST_LIFT = 1.25
"""A slice must hold so many times its usual share of the candidates."""
LEVEL = 0.01
"""Where candidates were drawn at random from all rows, one slice would be named so often."""
_LEAST_BASE = 50


@dataclass(frozen=True)
class Choice:
    """One chosen candidate.

    Attributes:
        place: of the candidate, 0 is the first in rank.
        slice: the number of the slice it stands for; None where it stands for itself.
        share: of the candidates that are in the slice, whether set aside already or not.
        usual: of all rows that are.
    """

    place: int
    slice: int | None
    share: float | None = None
    usual: float | None = None


def choose(candidates: Flags, everything: Flags, k: int, kin: Flags | None = None) -> list[Choice]:
    """Choose k candidates for as many problems as there are.

    Args:
        candidates: which slices each candidate is in, the first in rank first; (candidates, slices).
        everything: the same for a sample of all rows; (rows, slices).
        k: how many are wanted, at most.
        kin: which slices say nearly the same as which; where one is named, the other is no further problem.

    Returns:
        The problems in the order they were found, the first in rank of each; then candidates that are in none of them,
        as unlike one another and the chosen ones as can be.
    """
    share = candidates.mean(axis=0) if len(candidates) else np.zeros(candidates.shape[1])
    usual = everything.mean(axis=0) if len(everything) else np.zeros(everything.shape[1])
    open_candidates, open_rows = np.ones(len(candidates), dtype=bool), np.ones(len(everything), dtype=bool)
    barred = (usual > BROAD) | (share < LEAST_LIFT * usual)
    found: list[Choice] = []
    while len(found) < k:
        chosen = _most_excess(candidates[open_candidates], everything[open_rows], barred)
        if chosen is None:
            break
        mine = np.flatnonzero(open_candidates & candidates[:, chosen])
        found.append(Choice(int(mine[0]), chosen, float(share[chosen]), float(usual[chosen])))
        open_candidates &= ~candidates[:, chosen]
        open_rows &= ~everything[:, chosen]
        barred = barred if kin is None else barred | kin[chosen]
    return found + _unlike(candidates, open_candidates, [one.place for one in found], k - len(found))


def _most_excess(candidates: Flags, everything: Flags, barred: Flags) -> int | None:
    n, m = len(candidates), len(everything)
    if n < LEAST_HITS or m < _LEAST_BASE or not candidates.shape[1]:
        return None
    hits = candidates.sum(axis=0)
    expected = (everything.sum(axis=0) + 0.5) / (m + 1.0)
    error = np.sqrt(n * expected * (1 - expected) * (1 + n / m))
    excess = (hits - n * expected) / error
    excess[(hits < LEAST_HITS) | barred] = -np.inf
    best = int(excess.argmax())
    return best if excess[best] > norm.isf(LEVEL / candidates.shape[1]) else None


def _unlike(candidates: Flags, free: Flags, taken: list[int], k: int) -> list[Choice]:
    """Candidates outside of every problem, then of any; each the farthest from those chosen before it, by slices."""
    apart = np.full(len(candidates), np.inf)
    left = np.ones(len(candidates), dtype=bool)
    for place in taken:
        left[place] = False
        apart = np.minimum(apart, (candidates != candidates[place]).sum(axis=1))
    found: list[Choice] = []
    while left.any() and len(found) < k:
        pool = np.flatnonzero(left & free) if (left & free).any() else np.flatnonzero(left)
        # the first in rank are looked at, or a far row that is hardly a candidate would always win
        near = pool[: max(5 * (k - len(found)), 25)]
        place = int(near[apart[near].argmax()])
        found.append(Choice(place, None))
        left[place] = False
        apart = np.minimum(apart, (candidates != candidates[place]).sum(axis=1))
    return found
