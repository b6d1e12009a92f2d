"""Rows unlike all reference rows: how far the nearest ones are, against how far they are among the reference itself.

Distance is Gower's (Biometrics 27, 1971): by column, numbers by the difference of their places in the reference
distribution (beyond its ends the distance goes on growing), texts and missing values by whether they agree. A row's
novelty is its mean distance to its nearest reference rows (Ramaswamy, Rastogi and Shim, SIGMOD 2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray

Column = FloatArray | Sequence[str | None]
Single = npt.NDArray[np.float32]
NEIGHBOURS = 5
_CHUNK = 1_000
_FARTHEST = 3.0
"""A number counts at most so many times the width of the reference away."""


@dataclass(frozen=True)
class Known:
    """Reference rows that others are measured against.

    Attributes:
        numbers: of each numeric column its sorted finite values; None for a column of texts.
        codes: of each column of texts the code of every value; None for numbers.
        rows: the columns of the rows, encoded, K arrays of shape (n,).
    """

    numbers: tuple[FloatArray | None, ...]
    codes: tuple[dict[str | None, int] | None, ...]
    rows: tuple[Single, ...]

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Known:
        """Learn the columns of some rows (nan and None are missing)."""
        numbers = tuple(
            np.sort(column[np.isfinite(column)]) if isinstance(column, np.ndarray) else None
            for column in columns
        )
        codes = tuple(
            None
            if isinstance(column, np.ndarray)
            else {value: place for place, value in enumerate(dict.fromkeys(column))}
            for column in columns
        )
        found = cls(numbers, codes, ())
        return cls(numbers, codes, found.encoded(columns))

    def encoded(self, columns: Sequence[Column]) -> tuple[Single, ...]:
        """Rows on the same footing: places from 0 to 1 and beyond (nan: missing), or codes (-1: never seen)."""
        return tuple(
            _places(column, numbers)
            if isinstance(column, np.ndarray) and numbers is not None
            else np.array([(codes or {}).get(value, -1) for value in column], dtype=np.float32)
            for column, numbers, codes in zip(columns, self.numbers, self.codes, strict=True)
        )

    def novelty(self, columns: Sequence[Column], neighbours: int = NEIGHBOURS) -> FloatArray:
        """Mean distance of each row to its nearest known rows, divided by the number of columns; shape (n,)."""
        rows = self.encoded(columns)
        n = len(rows[0]) if rows else 0
        k = min(neighbours, len(self.rows[0])) if self.rows else 0
        scores = np.zeros(n)
        for start in range(0, n if k else 0, _CHUNK):
            part = [column[start : start + _CHUNK] for column in rows]
            distance = sum((self._apart(i, column) for i, column in enumerate(part)), start=np.float32(0))
            nearest = np.partition(np.asarray(distance), k - 1, axis=1)[:, :k]
            scores[start : start + _CHUNK] = nearest.mean(axis=1) / len(rows)
        return scores

    def by_column(self, columns: Sequence[Column], neighbours: int = NEIGHBOURS) -> FloatArray:
        """What each column adds to the distance to the nearest known rows, on average over the rows; shape (K,)."""
        rows = [column[:_CHUNK] for column in self.encoded(columns)]
        if not rows or not len(rows[0]):
            return np.zeros(len(rows))
        apart = [self._apart(i, column) for i, column in enumerate(rows)]
        k = min(neighbours, len(self.rows[0]))
        nearest = np.argpartition(sum(apart, start=np.float32(0)), k - 1, axis=1)[:, :k]
        return np.array([float(np.take_along_axis(one, nearest, axis=1).mean()) for one in apart])

    def apart(self, columns: Sequence[Column]) -> FloatArray:
        """How far each known row is from one row, column by column; shape (K, known rows)."""
        rows = self.encoded(columns)
        return np.array([self._apart(i, column)[0] for i, column in enumerate(rows)], dtype=np.float64)

    def _apart(self, place: int, column: Single) -> Single:
        """Distances of one column: rows times known rows."""
        known = self.rows[place]
        if self.codes[place] is not None:
            return np.asarray(column[:, None] != known[None, :], dtype=np.float32)
        # places are nan only where they are missing: these few are filled in afterwards
        gap = np.abs(column[:, None] - known[None, :])
        missing, other = np.isnan(column), np.isnan(known)
        gap[:, other] = 1.0
        gap[missing] = np.where(other, np.float32(0), np.float32(1))
        return np.asarray(gap, dtype=np.float32)


def _places(values: FloatArray, known: FloatArray) -> Single:
    """Each value's place in the sorted known ones; beyond the ends in widths of their inner four fifths."""
    places = np.full(len(values), np.nan)
    present = ~np.isnan(values)
    if not known.size:
        places[present] = 0.5
        return places.astype(np.float32)
    x = values[present]
    both = np.searchsorted(known, x, side="left") + np.searchsorted(known, x, side="right")
    low, high = np.quantile(known, [0.1, 0.9])
    width = (high - low) or (known[-1] - known[0]) or max(abs(float(known[0])), 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        beyond = np.clip((x - known[-1]) / width, 0.0, _FARTHEST) - np.clip(
            (known[0] - x) / width, 0.0, _FARTHEST
        )
    places[present] = both / (2.0 * known.size) + np.nan_to_num(beyond)
    return places.astype(np.float32)
