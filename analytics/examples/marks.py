"""Slices that rows can be told apart by: one category, or one fifth of the values, of one column.

Learned from a sample of all rows; each is named as ``--where`` reads it, so that what it says can be asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.scope import MISSING
from analytics.telemetry.rows import interval_names

Column = NDArray[np.float64] | Sequence[str | None]
Flags = NDArray[np.bool_]
FIFTHS = 5
MOST_VALUES = 40
LEAST_ROWS = 10
"""A category that fewer sampled rows have is no slice of its own."""


@dataclass(frozen=True)
class Marks:
    """The slices of some columns.

    Attributes:
        edges: column of numbers -> where its fifths begin.
        values: column of texts -> the categories that are slices; None is the missing one.
    """

    edges: Mapping[str, tuple[float, ...]]
    values: Mapping[str, tuple[str | None, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Each slice as ``--where`` reads it; an empty value is the missing one."""
        found = []
        for name, edges in self.edges.items():
            found += [f"{name}={interval}" for interval in interval_names(edges)] + [f"{name}="]
        for name, values in self.values.items():
            found += [f"{name}={value or ''}" for value in values]
        return tuple(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of each slice."""
        found = [name for name, edges in self.edges.items() for _ in range(len(edges) + 2)]
        return (*found, *(name for name, values in self.values.items() for _ in values))

    @property
    def kin(self) -> Flags:
        """Which slices say nearly the same: neighbouring fifths of one column; (slices, slices)."""
        names = self.columns
        found = np.zeros((len(names), len(names)), dtype=bool)
        start = 0
        for edges in self.edges.values():
            places = np.arange(start, start + len(edges))
            found[places, places + 1] = found[places + 1, places] = True
            start += len(edges) + 2
        return found

    def of(self, columns: Mapping[str, Column]) -> Flags:
        """Which slices each row is in; (rows, slices)."""
        rows = len(next(iter(columns.values()))) if columns else 0
        parts: list[Flags] = []
        for name, edges in self.edges.items():
            numbers = np.asarray(columns[name], dtype=np.float64)
            bins = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
            parts.append(bins[:, None] == np.arange(len(edges) + 2))
        for name, values in self.values.items():
            texts = np.array([None if one is None else str(one) for one in columns[name]], dtype=object)
            parts += [(texts == value)[:, None] for value in values]
        return np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0), dtype=bool)


def learn(columns: Mapping[str, Column]) -> Marks:
    """Slices of the columns of a sample.

    >>> learn({"x": np.arange(10.0), "y": ["a"] * 10 + [None]}).names[-2:]
    ('x=', 'y=a')
    """
    edges: dict[str, tuple[float, ...]] = {}
    values: dict[str, tuple[str | None, ...]] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            edges[name] = _fifths(column)
        else:
            counts = Counter(None if one is None else str(one) for one in column)
            values[name] = tuple(
                value for value, count in counts.most_common(MOST_VALUES) if count >= LEAST_ROWS
            )
    return Marks(edges, values)


def where_of(name: str) -> str:
    """A slice in words.

    >>> where_of("carrier="), where_of("carrier=AA")
    ('carrier is missing', 'carrier=AA')
    """
    column, _, value = name.partition("=")
    return name if value else f"{column} is {MISSING.strip('()')}"


def _fifths(column: NDArray[np.float64]) -> tuple[float, ...]:
    finite = column[np.isfinite(column)]
    if not finite.size:
        return ()
    found = np.quantile(finite, np.arange(1, FIFTHS) / FIFTHS, method="inverted_cdf")
    # as they are written, so that what is asked for by name is what was meant
    written = sorted({float(f"{edge:.6g}") for edge in found})
    return tuple(edge for edge in written if edge > finite.min())
