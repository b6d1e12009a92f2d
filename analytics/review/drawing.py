"""Which rows to label next: those that teach most, drawn by chance, so that what they say stays true of all rows.

A list of the most doubtful rows teaches the model and ruins every number computed from it. So rows are drawn with
probabilities that are known: most of the chance goes to rows that stand out (unsure, likely wrong, unlike what is
labelled), a share of it evenly to all. Weighted by one over its chance, a labelled row stands for those that were not
drawn (Horvitz and Thompson, JASA 47, 1952); no row's weight exceeds that of an even draw by more than one over the
even share. The draw is systematic with unequal probabilities in random order (Madow, Ann. Math. Statist. 20, 1949).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analytics.review.rows import Reason

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
STEEPNESS = 9.0
"""With the ninth power of ranks, the top tenth of a criterion gets 65 % of its chance."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows that were drawn, in random order.

    Attributes:
        places: of the candidates.
        chances: with which each of them came in.
        reasons: what each stands out by.
    """

    places: Integers
    chances: Floats
    reasons: tuple[Reason, ...]


def draw(criteria: Mapping[Reason, Floats], n: int, k: int, *, even: float, seed: int) -> Drawn:
    """Draw k of n rows.

    Args:
        criteria: by which rows stand out, shape (n,) each; higher is more; nan where it is not known.
        n: candidates.
        k: rows wanted; all of them where there are no more.
        even: share of the chance that is spread evenly, in (0, 1].
        seed: of the draw.

    Raises:
        ValueError: the even share is out of range.
    """
    if not 0 < even <= 1:
        raise ValueError("the even share must be above 0 and at most 1")
    generator = np.random.default_rng(seed)
    parts = {name: _emphasis(values) for name, values in criteria.items() if np.isfinite(values).any()}
    chances, shares = inclusion(parts, n, min(k, n), even)
    order = generator.permutation(n)
    reached = np.cumsum(chances[order])
    # the sum is k but for rounding
    reached *= min(k, n) / reached[-1] if n else 1.0
    start = generator.uniform()
    crossed = np.floor(reached - start) > np.floor(np.concatenate([[0.0], reached[:-1]]) - start)
    places = order[crossed]
    # systematic order follows the permutation, which is random already
    reasons = tuple(_reason(place, shares, parts) for place in places.tolist())
    return Drawn(places.astype(np.int64), chances[places], reasons)


def inclusion(
    parts: Mapping[Reason, Floats], n: int, k: int, even: float
) -> tuple[Floats, Mapping[Reason, Floats]]:
    """The chance of every row, at most 1, summing to k; and what of it each criterion gives before the cut at 1."""
    share = np.full(n, 1.0 / max(n, 1))
    even = even if parts else 1.0
    given: dict[Reason, Floats] = {
        name: (1 - even) / len(parts) * values / values.sum() for name, values in parts.items()
    }
    given["random"] = even * share
    whole = np.sum(list(given.values()), axis=0)
    chances = np.zeros(n)
    certain = np.zeros(n, dtype=bool)
    for _ in range(n + 1):
        left = k - int(certain.sum())
        rest = ~certain
        chances = np.where(certain, 1.0, 0.0)
        if rest.any():
            chances[rest] = left * whole[rest] / whole[rest].sum()
        over = (chances >= 1.0) & rest
        if not over.any():
            break
        certain |= over
    return np.minimum(chances, 1.0), given


def _emphasis(values: Floats) -> Floats:
    """Ranks from 0 to 1, steepened; a row without a value stands out by nothing."""
    known = np.isfinite(values)
    ranks = np.zeros(len(values))
    ranks[known] = stats.rankdata(values[known]) / known.sum()
    return np.asarray(ranks**STEEPNESS, dtype=np.float64)


def _reason(place: int, shares: Mapping[Reason, Floats], parts: Mapping[Reason, Floats]) -> Reason:
    given = {name: float(values[place]) for name, values in shares.items()}
    best = max(given, key=lambda name: given[name])
    # what evenly comes to every row is the reason only where nothing else is larger
    return best if best == "random" or best in parts else "random"
