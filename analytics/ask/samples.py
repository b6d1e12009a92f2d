"""Sampled rows as the arrays that methods on rows take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analytics.drift.damage import log_loss
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
    """Feature that was sampled -> its values: doubles (nan for missing) or texts (None for missing)."""
    found: dict[str, Column] = {}
    read = set(table.column_names)
    for feature in (one for one in catalog.features if f"feature:{one.name}" in read):
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


def picked(column: Column, chosen: npt.NDArray[np.bool_]) -> Column:
    """Some of a column's values."""
    if isinstance(column, np.ndarray):
        return column[chosen]
    return [column[place] for place in np.flatnonzero(chosen).tolist()]


def losses_of(catalog: Catalog, table: pa.Table) -> npt.NDArray[np.float64]:
    """Log loss (a regression: absolute error) of each row; nan without a label or a usable score."""
    section = catalog.predictions
    labels = table.column("label").to_pylist()
    if section.task == "multiclass":
        scores = {name: numbers(table, f"score:{name}") for name in section.classes}
        given = [scores[name][place] if name in scores else np.nan for place, name in enumerate(labels)]
        losses = log_loss(np.array(given, dtype=np.float64))
    else:
        label, score = numbers(table, "label"), numbers(table, "score")
        of_label = np.where(np.isfinite(label), np.where(label == 1, score, 1 - score), np.nan)
        losses = np.abs(score - label) if section.task == "regression" else log_loss(of_label)
    scored = np.array(table.column("scored").to_pylist(), dtype=bool)
    return np.where(scored, losses, np.nan)


def numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A numeric column as doubles; missing is nan."""
    values: npt.NDArray[np.float64] = (
        table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    )
    return values
