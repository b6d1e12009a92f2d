"""Score bins that are the same for every project and for ever.

199 points equal in the logit from -14 to 14, every hundredth, and the declared thresholds. Crowded scores near 0 and 1
keep their order (AUC within 0.0002 at a base rate of 0.1 %), and every hundredth is a movable threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analytics.engines.text import literal


def score_edges(thresholds: Sequence[float] = ()) -> NDArray[np.float64]:
    """The inner edges; bin i holds edge[i - 1] <= score < edge[i].

    >>> edges = score_edges()
    >>> len(edges), bool(0.5 in edges), bool(np.all(np.diff(edges) > 0))
    (297, True, True)
    """
    logits = expit(np.linspace(-14.0, 14.0, 199))
    hundredths = np.arange(1, 100) / 100.0
    inside = [value for value in thresholds if 0.0 < value < 1.0]
    # a logit edge equal to a hundredth up to rounding would make an empty bin
    apart = logits[np.min(np.abs(logits[:, None] - hundredths[None, :]), axis=1) > 1e-12]
    return np.unique(np.concatenate([apart, hundredths, np.asarray(inside, dtype=float)]))


def bin_expression(column: str, edges: Sequence[float] | NDArray[np.float64]) -> str:
    """SQL that finds the bin of a value by halving: as many comparisons as the logarithm of the bins.

    >>> bin_expression("x", [1.0, 2.0])
    'CASE WHEN x < 2.0e0 THEN CASE WHEN x < 1.0e0 THEN 0 ELSE 1 END ELSE 2 END'
    """
    return _halved(column, tuple(float(edge) for edge in edges))


@lru_cache(maxsize=64)
def _halved(column: str, edges: tuple[float, ...]) -> str:
    return _halve(column, edges, 0)


def _halve(column: str, edges: tuple[float, ...], first: int) -> str:
    if not edges:
        return str(first)
    middle = len(edges) // 2
    below = _halve(column, edges[:middle], first)
    above = _halve(column, edges[middle + 1 :], first + middle + 1)
    return f"CASE WHEN {column} < {literal(edges[middle])} THEN {below} ELSE {above} END"
