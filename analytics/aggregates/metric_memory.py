"""A metric by window, version and segment value, and how it is kept on disk between questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import CellKey
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.remembered import keep

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MetricCell:
    """A metric of one window, version and segment value: the ratio of two sums.

    Attributes:
        n_units: units with any row.
        n_rows: rows of theirs.
        n_groups: clusters of units, or units.
        numerator: sum over units.
        denominator: sum over units; of a metric per unit, the units.
        squares: sum over groups of (group's numerator - value x group's denominator) squared.
        n_left: rows without a usable value.
        n_waiting: rows whose label is not there yet.
        values: of every row, with the number of its group; of quantiles only.
        blocks: numerators and denominators by day, shape (G, 2); of windows that hold many days only.
    """

    n_units: int
    n_rows: int
    n_groups: int
    numerator: float
    denominator: float
    squares: float
    n_left: int = 0
    n_waiting: int = 0
    values: tuple[Floats, NDArray[np.int64]] | None = None
    blocks: Floats | None = None


Cells = dict[CellKey, MetricCell]

_NUMBERS = (
    "n_units", "n_rows", "n_groups", "numerator", "denominator", "squares", "n_left", "n_waiting",
)  # fmt: skip


def recall_cells(catalog: Catalog, key: str | None) -> Cells | None:
    """The cells that were kept under a key; None where there are none."""
    table = catalog.memory.recall(key) if key is not None and catalog.memory is not None else None
    if table is None:
        return None
    return {
        CellKey(row["window_key"], row["version"], row["segment"]): MetricCell(
            **{name: row[name] for name in _NUMBERS},
            blocks=None
            if row["blocks"] is None
            else np.array(row["blocks"], dtype=np.float64).reshape(-1, 2),
        )
        for row in table.to_pylist()
    }


def keep_cells(catalog: Catalog, key: str | None, cells: Cells) -> Cells:
    """Keep cells under a key, where there is one, and give them back."""
    if key is None:
        return cells
    found = list(cells.items())
    columns = {
        "window_key": pa.array([cell.window for cell, _ in found], pa.timestamp("us")),
        "version": pa.array([cell.version for cell, _ in found], pa.string()),
        "segment": pa.array([cell.segment for cell, _ in found], pa.string()),
        "blocks": pa.array(
            [None if one.blocks is None else one.blocks.ravel().tolist() for _, one in found],
            pa.list_(pa.float64()),
        ),
    }
    for name in _NUMBERS:
        kind = pa.int64() if name.startswith("n_") else pa.float64()
        columns[name] = pa.array([getattr(one, name) for _, one in found], kind)
    keep(catalog, key, pa.table(columns))
    return cells
