"""Sampled rows as the arrays that methods on rows take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics.telemetry.catalog import Catalog

Column = npt.NDArray[np.float64] | Sequence[str | None]


def part_of(table: pa.Table, **keys: Any) -> pa.Table:
    """The rows with these keys; a key of None takes all."""
    for name, value in keys.items():
        if value is not None:
            column = table.column(name)
            table = table.filter(pc.equal(column, pa.scalar(value, type=column.type)))
    return table


def feature_columns(catalog: Catalog, table: pa.Table) -> dict[str, Column]:
    """Feature -> its values: doubles (nan for missing) or texts (None for missing)."""
    found: dict[str, Column] = {}
    for feature in catalog.features:
        column = table.column(f"feature:{feature.name}")
        if feature.kind == "numeric":
            found[feature.name] = column.to_numpy(zero_copy_only=False).astype(np.float64)
        else:
            found[feature.name] = column.to_pylist()
    return found


def block_codes(table: pa.Table) -> npt.NDArray[np.int64]:
    """The block of each row, numbered in the order of time."""
    keys = table.column("block_key").combine_chunks()
    moments = keys.cast(pa.int64()) if pa.types.is_timestamp(keys.type) else keys
    return np.asarray(
        np.unique(moments.to_numpy(zero_copy_only=False), return_inverse=True)[1], dtype=np.int64
    )


def weights_of(table: pa.Table) -> npt.NDArray[np.float64]:
    """The sampling weight of each row."""
    weights: npt.NDArray[np.float64] = table.column("weight").to_numpy().astype(np.float64)
    return weights
