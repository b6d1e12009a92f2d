"""Score histograms by label: ROC, average precision and every movable threshold come from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.cells import unit_squares
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, add_blocks, block_codes, column, group, key_columns
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
EXACT_ROWS = 5_000


@dataclass(frozen=True)
class ScoreHistogram:
    """Rows of one cell by score, low to high, block and label.

    Attributes:
        keys: the bin's number, or the score itself where every distinct score is kept, shape (B,).
        exact: whether the keys are the scores themselves.
        blocks: the blocks' numbers, ascending, shape (G,).
        counts: rows, shape (G, 3, B): label 0, label 1, no label.
        weights: sums of weights, same shape.
        squares: sums of squared weights, same shape.
        scores: weighted sums of scores, same shape.
    """

    keys: Floats
    exact: bool
    blocks: NDArray[np.int64]
    counts: Floats
    weights: Floats
    squares: Floats
    scores: Floats

    @property
    def negatives(self) -> Floats:
        """Weights of label 0 by bin."""
        total: Floats = self.weights[:, 0].sum(axis=0)
        return total

    @property
    def positives(self) -> Floats:
        """Weights of label 1 by bin."""
        total: Floats = self.weights[:, 1].sum(axis=0)
        return total

    def __add__(self, other: ScoreHistogram) -> ScoreHistogram:
        """Disjoint rows together, on the union of the bins."""
        if self.exact != other.exact:
            raise ValueError("binned and exact histograms do not add; read both binned")
        keys = np.union1d(self.keys, other.keys)
        blocks, totals = self.blocks, []
        for name in ("counts", "weights", "squares", "scores"):
            blocks, total = add_blocks(
                self.blocks, _wide(keys, self, name), other.blocks, _wide(keys, other, name)
            )
            totals.append(total)
        return ScoreHistogram(keys, self.exact, blocks, *totals)

    def __sub__(self, part: ScoreHistogram) -> ScoreHistogram:
        """The rows that are not in a part of these."""
        negative = (-part.counts, -part.weights, -part.squares, -part.scores)
        return self + ScoreHistogram(part.keys, part.exact, part.blocks, *negative)


def _wide(keys: Floats, histogram: ScoreHistogram, name: str) -> Floats:
    values: Floats = getattr(histogram, name)
    wide = np.zeros((*values.shape[:2], len(keys)))
    wide[:, :, np.searchsorted(keys, histogram.keys)] = values
    return wide


def read_score_histograms(
    catalog: Catalog,
    rows: Sql,
    labelled: Mapping[CellKey, int],
    edges: Sequence[float] | Floats,
    *,
    score: str = "score",
    positive: str = "label = 1",
) -> tuple[dict[CellKey, ScoreHistogram], str]:
    """Read the histograms of scoped rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        labelled: labelled rows of each cell; at most `EXACT_ROWS` keeps distinct scores, so that AUC is exact.
        edges: inner edges of the score bins for larger cells.
        score: the score column.
        positive: SQL that says a label is the positive class.

    Returns:
        The histogram of every cell with scored rows, and the SQL text that scanned.
    """
    small = [key for key, n in labelled.items() if n <= EXACT_ROWS]
    large = [key for key, n in labelled.items() if n > EXACT_ROWS]
    answers: dict[CellKey, ScoreHistogram] = {}
    text = ""
    for cells, exact in ((small, True), (large, False)):
        if not cells:
            continue
        key = score if exact else f"CAST({bin_expression(score, edges)} AS DOUBLE)"
        both = bool(small and large)
        sql = _histogram_sql(rows, key, score, positive, only=both)
        answers |= _read(catalog, sql, pa.table(key_columns(cells)) if both else None, exact=exact)
        text = sql.text
    return answers, text


def read_score_unit_squares(
    catalog: Catalog,
    rows: Sql,
    histograms: Mapping[CellKey, ScoreHistogram],
    influences: Mapping[CellKey, Floats],
    edges: Sequence[float] | Floats,
    *,
    score: str = "score",
    positive: str = "label = 1",
) -> dict[CellKey, tuple[Floats, int]]:
    """Sums over units of squared influence totals, for influences of shape (M, 2, B): label 0, label 1."""
    answers: dict[CellKey, tuple[Floats, int]] = {}
    for exact in (True, False):
        chosen = [key for key in influences if histograms[key].exact is exact]
        if not chosen:
            continue
        lengths = [len(histograms[cell].keys) for cell in chosen]
        columns = key_columns([cell for cell, n in zip(chosen, lengths, strict=True) for _ in range(2 * n)])
        columns["place"] = pa.array(np.concatenate([np.tile(histograms[cell].keys, 2) for cell in chosen]))
        columns["is_positive"] = pa.array(np.concatenate([np.repeat([False, True], n) for n in lengths]))
        metrics = influences[chosen[0]].shape[0]
        for metric in range(metrics):
            columns[f"m{metric}"] = pa.array(
                np.concatenate([influences[cell][metric].ravel() for cell in chosen])
            )
        place = score if exact else f"CAST({bin_expression(score, edges)} AS DOUBLE)"
        with_place = Sql(
            f"SELECT *, {place} AS place, {positive} AS is_positive FROM ({rows.text}) WHERE label IS NOT NULL",
            rows.parameters,
        )
        join = "r.place = i.place AND r.is_positive = i.is_positive"
        answers |= unit_squares(catalog, with_place, pa.table(columns), metrics, join)
    return answers


def _histogram_sql(rows: Sql, key: str, score: str, positive: str, *, only: bool) -> Sql:
    label = f"CASE WHEN label IS NULL THEN 2 WHEN {positive} THEN 1 ELSE 0 END"
    source = f"({rows.text})"
    if only:
        source = (
            f"(SELECT r.* FROM ({rows.text}) AS r JOIN cells AS o ON r.window_key = o.window_key "
            "AND coalesce(r.version, '') = o.version AND coalesce(r.segment, '') = o.segment)"
        )
    return Sql(
        f"SELECT {KEYS}, block_key, label_code, place, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, "
        f"sum(weight * this_score) AS ws FROM (SELECT {KEYS}, block_key, weight, {score} AS this_score, {label} AS label_code, "
        f"{key} AS place FROM {source} WHERE scored) GROUP BY {KEYS}, block_key, label_code, place",
        rows.parameters,
    )


def _read(
    catalog: Catalog, sql: Sql, cells: pa.Table | None, *, exact: bool
) -> dict[CellKey, ScoreHistogram]:
    table = catalog.engine.query(sql, tables={"cells": cells} if cells is not None else None)
    place, label = column(table, "place"), column(table, "label_code").astype(np.int64)
    blocks = block_codes(table)
    values = [column(table, name) for name in ("n", "w", "w2", "ws")]
    answers = {}
    for key, index in group(table).rows.items():
        keys, bins = np.unique(place[index], return_inverse=True)
        unique, block = np.unique(blocks[index], return_inverse=True)
        sums = []
        for value in values:
            total = np.zeros((len(unique), 3, len(keys)))
            np.add.at(total, (block, label[index], bins), value[index])
            sums.append(total)
        answers[key] = ScoreHistogram(keys, exact, unique, *sums)
    return answers
