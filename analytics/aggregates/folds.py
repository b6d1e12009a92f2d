"""Influences by fold, label and score bin, summed over units: rows of one unit in several folds stay together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.cells import unit_squares
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import CellKey, key_columns
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]


def read_fold_unit_squares(
    catalog: Catalog,
    rows: Sql,
    influences: Mapping[CellKey, Floats],
    starts: Mapping[CellKey, Sequence[datetime]],
    edges: Sequence[float],
    *,
    score: str,
    positive: str,
) -> dict[CellKey, tuple[Floats, Floats]]:
    """Sums over units of squared influence totals, and the units behind them, for M numbers a cell.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        influences: of one row of unit weight, shape (M, folds, 2, bins).
        starts: the block each fold begins with; one more that ends the last.
        edges: inner edges of the score bins.
        score: SQL of the score.
        positive: SQL that says a label is the event.
    """
    answers: dict[CellKey, tuple[Floats, Floats]] = {}
    for key, influence in influences.items():
        metrics, folds, _, bins = influence.shape
        size = folds * 2 * bins
        columns = key_columns([key] * size)
        fold, label, place = (index.ravel() for index in np.indices((folds, 2, bins)))
        columns["fold"] = pa.array(fold.astype(np.int64))
        columns["is_positive"] = pa.array(label == 1)
        columns["place"] = pa.array(place.astype(np.int64))
        for metric in range(metrics):
            columns[f"m{metric}"] = pa.array(influence[metric].ravel())
        with_fold = Sql(
            f"SELECT *, CAST({bin_expression(score, edges)} AS BIGINT) AS place, {positive} AS is_positive, "
            f"CAST({_fold(starts[key])} AS BIGINT) AS fold FROM ({rows.text}) WHERE label IS NOT NULL",
            rows.parameters,
        )
        join = "r.place = i.place AND r.is_positive = i.is_positive AND r.fold = i.fold"
        answers |= unit_squares(catalog, with_fold, pa.table(columns), metrics, join)
    return answers


def _fold(starts: Sequence[datetime]) -> str:
    cases = " ".join(
        f"WHEN block_key < TIMESTAMP '{moment.isoformat(sep=' ')}' THEN {i - 1}"
        for i, moment in enumerate(starts)
    )
    return f"CASE {cases} ELSE -1 END"
