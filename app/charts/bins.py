"""Fine bins -> display bins of equal width, and words for bins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SHOWN = 50
"""Display bins: 0.02 wide on scores from 0 to 1, whose edges are edges of the fine bins as well."""


def display_edges(
    low: Sequence[float], high: Sequence[float], weight: Sequence[float], bins: int = SHOWN
) -> Floats:
    """Equal-width edges: 0 to 1 for scores, else around the middle 99% of the weight.

    >>> display_edges([0.0, 0.5], [0.5, 1.0], [1, 1], bins=4).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    lows, highs = closed(low, high)
    if lows.min() >= 0 and highs.max() <= 1 and highs.max() - lows.min() > 0.5:
        return np.linspace(0, 1, bins + 1)
    order = np.argsort(lows)
    reached = np.cumsum(np.asarray(weight, dtype=float)[order])
    total = reached[-1] or 1.0
    first = lows[order][np.searchsorted(reached, 0.005 * total)]
    last = highs[order][np.searchsorted(reached, 0.995 * total)]
    return np.linspace(first, last if last > first else first + 1, bins + 1)


def closed(low: Sequence[float], high: Sequence[float]) -> tuple[Floats, Floats]:
    """Bins with open ends given the width of their neighbour, so that they can be drawn.

    >>> [side.tolist() for side in closed([-math.inf, 1.0, 3.0], [1.0, 3.0, math.inf])]
    [[-1.0, 1.0, 3.0], [1.0, 3.0, 5.0]]
    """
    lows, highs = np.asarray(low, dtype=float).copy(), np.asarray(high, dtype=float).copy()
    finite = np.isfinite(lows) & np.isfinite(highs)
    widths = (highs - lows)[finite]
    usual = float(np.median(widths)) if finite.any() else 1.0
    bounded = sorted(zip(lows[finite], highs[finite], strict=True))
    first = bounded[0][1] - bounded[0][0] if bounded else usual
    last = bounded[-1][1] - bounded[-1][0] if bounded else usual
    below, above = ~np.isfinite(lows), ~np.isfinite(highs)
    lows[below] = np.where(np.isfinite(highs[below]), highs[below] - (first or usual or 1.0), -1.0)
    highs[above] = np.where(np.isfinite(lows[above]), lows[above] + (last or usual or 1.0), 1.0)
    return lows, highs


def rebinned(low: Sequence[float], high: Sequence[float], weight: Sequence[float], edges: Floats) -> Floats:
    """Weight in display bins; a fine bin across an edge is split evenly, what lies outside goes to the ends.

    >>> rebinned([0.0, 0.5], [0.5, 1.0], [3, 1], np.array([0.0, 0.25, 1.0])).tolist()
    [1.5, 2.5]
    """
    lows, highs = closed(low, high)
    order = np.argsort(lows, kind="stable")
    lows, highs, weights = lows[order], highs[order], np.asarray(weight, dtype=float)[order]
    width = np.where(highs > lows, highs - lows, 1.0)
    inside = np.clip((edges[:, None] - lows) / width, 0, 1)
    share = np.where(highs > lows, inside, edges[:, None] > lows)
    reach = share @ weights
    reach[0], reach[-1] = 0.0, weights.sum()
    return np.diff(reach)


def bin_name(low: float, high: float) -> str:
    """A bin in words.

    >>> bin_name(0.2, 0.4), bin_name(-math.inf, 3.0), bin_name(5.0, math.inf)
    ('0.2 to 0.4', 'below 3', '5 or more')
    """
    if math.isinf(low):
        return f"below {high:.6g}"
    return f"{low:.6g} or more" if math.isinf(high) else f"{low:.6g} to {high:.6g}"
