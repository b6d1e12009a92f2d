"""Where a value lies among known ones: its quantile, or its share; and whether that is out of the ordinary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import FloatArray

Column = FloatArray | Sequence[str | None]
Finding = Literal[
    "usual", "low", "high", "lowest", "highest", "rare", "unseen", "missing", "infinite", "unknown"
]
RARE = 0.01
"""A value is unusual where at most this share of the known values is as extreme, or as rare."""


@dataclass(frozen=True)
class Place:
    """Where one value lies among known ones.

    Attributes:
        finding: in a word; ``unknown`` where there is nothing to compare with.
        quantile: of a number, the share of known numbers below it, ties half.
        share: of a text, and of a missing value, the share of known values that are equal to it.
        low, high: the smallest and largest known number.
    """

    finding: Finding
    quantile: float | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def unusual(self) -> bool:
        """Whether it is out of the ordinary."""
        return self.finding not in {"usual", "unknown"}


def place_of(value: float | str | None, known: Column) -> Place:
    """Where a value (nan or None: missing) lies among the values of a column.

    >>> place_of(5.0, np.arange(100.0)).quantile, place_of("b", ["a"] * 200 + ["b"]).finding
    (0.055, 'rare')
    """
    n = len(known)
    if n == 0:
        return Place("unknown")
    return _number(value, known) if isinstance(known, np.ndarray) else _text(value, known)


def _number(value: float | str | None, known: FloatArray) -> Place:
    if value is None or isinstance(value, str) or np.isnan(value):
        share = float(np.isnan(known).mean())
        return Place("missing" if share <= RARE else "usual", share=share)
    present = known[~np.isnan(known)]
    finite = present[np.isfinite(present)]
    if not np.isfinite(value):
        share = float((known == value).mean())
        return Place("infinite" if share <= RARE else "usual", share=share)
    if not finite.size:
        return Place("unseen" if len(known) > 1 / RARE else "unknown")
    low, high = float(finite.min()), float(finite.max())
    below, equal = float((present < value).mean()), float((present == value).mean())
    quantile = below + equal / 2
    finding: Finding = "usual"
    # a value that many rows have is usual wherever it lies, and few known rows have no extremes to speak of
    if present.size <= 1 / RARE:
        return Place("usual", quantile, None, low, high)
    if below + equal <= RARE / 2:
        finding = "lowest" if value < low else "low"
    elif 1 - below <= RARE / 2:
        finding = "highest" if value > high else "high"
    return Place(finding, quantile, None, low, high)


def _text(value: float | str | None, known: Sequence[str | None]) -> Place:
    counts = Counter(known)
    count = counts[None if value is None else str(value)]
    share = count / len(known)
    # where values that occur once are common (names, ids), so are values that never occurred (Good and Turing)
    as_rare = sum(times for times in counts.values() if times <= max(count, 1)) / len(known)
    if as_rare > RARE or len(known) <= 1 / RARE:
        return Place("usual" if count else "unknown", share=share)
    if value is None:
        return Place("missing", share=share)
    return Place("unseen" if count == 0 else "rare", share=share)
