"""Columns of any kind as one matrix of numbers, on a scale that a reference sets once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, as_floats

MOST_CATEGORIES = 12
_LEAST_SHARE = 0.005
_FAR = 6.0
Column = FloatArray | Sequence[str | None]


@dataclass(frozen=True)
class Encoder:
    """How each column becomes one or more numbers.

    Attributes:
        numbers: name -> centre, spread and whether missing values were met.
        texts: name -> the frequent values, each with a column of its own; all others share none.
    """

    numbers: Mapping[str, tuple[float, float, bool]]
    texts: Mapping[str, tuple[str, ...]]

    def __call__(self, columns: Mapping[str, Column], *, squares: bool = False) -> FloatArray:
        """The matrix of rows: standardised numbers (missing at the centre, with a mark), and marks of categories.

        Args:
            columns: doubles with NaN for missing, or texts with None.
            squares: whether to add the squares of the numbers, for methods that are linear in the matrix.
        """
        parts: list[FloatArray] = []
        for name, (centre, spread, missing) in self.numbers.items():
            values = np.asarray(columns[name], dtype=np.float64)
            empty = np.isnan(values)
            z = np.clip((np.where(empty, centre, values) - centre) / spread, -_FAR, _FAR)
            parts.append(z)
            if squares:
                parts.append((np.square(z) - 1.0) / 2.0)
            if missing:
                parts.append(empty.astype(np.float64))
        for name, kept in self.texts.items():
            texts = np.array(["" if value is None else str(value) for value in columns[name]], dtype=object)
            parts += [as_floats(texts == value) for value in kept]
        rows = len(next(iter(columns.values()))) if columns else 0
        return np.column_stack(parts) if parts else np.zeros((rows, 0))

    def places(self) -> dict[str, slice]:
        """Where each column stands in the matrix (without squares)."""
        widths = {name: 1 + missing for name, (_, _, missing) in self.numbers.items()}
        widths |= {name: len(kept) for name, kept in self.texts.items()}
        found, start = {}, 0
        for name, width in widths.items():
            found[name] = slice(start, start + width)
            start += width
        return found


def fit_encoder(columns: Mapping[str, Column]) -> Encoder:
    """Learn centres, spreads and frequent values; a column that never varies is left out.

    >>> encoder = fit_encoder({"x": np.array([1.0, 2.0, 3.0]), "y": ["a", "b", "b"]})
    >>> encoder({"x": np.array([2.0]), "y": ["b"]}).tolist()
    [[0.0, 0.0, 1.0]]
    """
    numbers: dict[str, tuple[float, float, bool]] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray) and column.dtype.kind == "f":
            finite = column[np.isfinite(column)]
            spread = float(finite.std()) if len(finite) else 0.0
            if spread > 0 and np.isfinite(spread):
                numbers[name] = float(finite.mean()), spread, bool(np.isnan(column).any())
        else:
            counts = Counter("" if value is None else str(value) for value in column)
            least = max(2, _LEAST_SHARE * len(column)) if len(column) > 20 else 1
            kept = [value for value, count in counts.most_common(MOST_CATEGORIES) if count >= least]
            if len(counts) > 1:
                texts[name] = tuple(sorted(kept))
    return Encoder(numbers, texts)
