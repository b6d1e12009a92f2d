"""What every quality aggregate is keyed by: window, version and segment value, and the block inside the window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEY_NAMES = ("window_key", "version", "segment")
KEYS = ", ".join(KEY_NAMES)
_TWO_BYTES = 2**16


class CellKey(NamedTuple):
    """One window, version and segment value."""

    window: datetime
    version: str | None
    segment: str | None


@dataclass(frozen=True)
class Grouped:
    """A table split by its cells.

    Attributes:
        table: the engine's answer.
        rows: cell -> row numbers in the table.
    """

    table: pa.Table
    rows: dict[CellKey, NDArray[np.int64]]

    def __iter__(self) -> Iterator[CellKey]:
        """The cells that have rows."""
        return iter(self.rows)


def _counted(codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which numbers below a size there are, and where each begins when all are in order."""
    counts = np.bincount(codes, minlength=size)
    unique = np.flatnonzero(counts)
    return unique, np.cumsum(counts[unique]) - counts[unique]


def distinct(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers there are, ascending, and of each value its place among them; as `numpy.unique`, without sorting.

    Args:
        values: not negative; the greatest should not be far above their count.

    >>> [found.tolist() for found in distinct(np.array([7, 2, 7, 4]))]
    [[2, 4, 7], [2, 0, 2, 1]]
    """
    unique = np.flatnonzero(np.bincount(values))
    places = np.zeros(int(unique[-1]) + 1 if len(unique) else 0, dtype=np.int64)
    places[unique] = np.arange(len(unique))
    return unique, places[values]


def group(table: pa.Table) -> Grouped:
    """Split a table with columns window_key, version and segment by cell."""
    n = table.num_rows
    if n == 0:
        return Grouped(table, {})
    codes, size = np.zeros(n, dtype=np.int64), 1
    values: list[list[Any]] = []
    for name in KEY_NAMES:
        encoded = table.column(name).combine_chunks().dictionary_encode()
        index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        dictionary = [*encoded.dictionary.to_pylist(), None]
        codes = codes * len(dictionary) + np.where(index < 0, len(dictionary) - 1, index)
        size *= len(dictionary)
        values.append(dictionary)
    # numbers of two bytes are sorted by counting them, which is 10 times as quick
    order = np.argsort(codes.astype(np.uint16) if size <= _TWO_BYTES else codes, kind="stable")
    unique, starts = (
        np.unique(codes[order], return_index=True) if size > _TWO_BYTES else _counted(codes, size)
    )
    starts = np.append(starts, n)
    rows = {}
    for position, code in enumerate(unique.tolist()):
        rest, segment = divmod(code, len(values[2]))
        window, version = divmod(rest, len(values[1]))
        key = CellKey(values[0][window], values[1][version], values[2][segment])
        rows[key] = order[starts[position] : starts[position + 1]]
    return Grouped(table, rows)


def column(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column as doubles; missing is NaN."""
    array: NDArray[np.float64] = table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
    return array


def block_codes(table: pa.Table) -> NDArray[np.int64]:
    """Each row's block as a number that means the same in every table: microseconds of its start."""
    codes: NDArray[np.int64] = (
        table.column("block_key").to_numpy(zero_copy_only=False).astype("datetime64[us]").astype(np.int64)
    )
    return codes


def blocks_of(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of all blocks, ascending, and of each row the place of its own among them."""
    encoded = table.column("block_key").combine_chunks().dictionary_encode("encode")
    blocks = block_codes(pa.table({"block_key": encoded.dictionary}))
    order = np.argsort(blocks)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return blocks[order], places[encoded.indices.to_numpy(zero_copy_only=False)]


def add_blocks(
    blocks: NDArray[np.int64],
    values: NDArray[np.float64],
    more: NDArray[np.int64],
    others: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Add two tables of per-block sums on the union of their blocks (blocks on the first axis)."""
    union = np.union1d(blocks, more)
    total = np.zeros((len(union), *values.shape[1:]))
    total[np.searchsorted(union, blocks)] += values
    total[np.searchsorted(union, more)] += others
    return union, total


def key_columns(cells: Sequence[CellKey]) -> dict[str, pa.Array]:
    """Cells as columns to join on, missing versions and segments as empty text."""
    return {
        "window_key": pa.array([cell.window for cell in cells], pa.timestamp("us")),
        "version": pa.array([cell.version or "" for cell in cells], pa.string()),
        "segment": pa.array([cell.segment or "" for cell in cells], pa.string()),
    }
