"""Score histograms by label: ROC, average precision and every movable threshold come from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.cells import unit_squares
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, blocks_of, column, distinct, group, key_columns
from analytics.aggregates.moments import RowMoments, weighs_one
from analytics.engines.text import Sql
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import ScopedRows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
EXACT_ROWS = 5_000
EXACT_OF_A_CLASS = 1_000
MOST_EXACT_ROWS = 250_000
FEW_ROWS = 250_000
"""A question about no more labelled rows keeps exact scores although parts are stored: on bins AUC is up to .013, and
average precision .03, off in cells of a few dozen labels, and so many rows are read in tenths of a second."""
MOST_READ = 1_000_000
"""Nor is a question about more rows than that read, however few of them have a label: that takes seconds."""
EVERY = 2
"""Bins that are one in parts that are split by a segment: half the groups, AUC within .002 also at a base rate of .1 %
(one in four would be a quarter of the groups and .006 off there)."""


def keeps_scores(n_labelled: int, n_positive: int) -> bool:
    """Whether a cell keeps every distinct score.

    In bins the order of a bin's rows is lost, which moves average precision by about 0.01 / sqrt(rows of the
    rarer class)
    and more: so small cells are exact, and so are large ones whose rarer class is small.

    >>> keeps_scores(5_000, 2_500), keeps_scores(100_000, 100), keeps_scores(100_000, 50_000)
    (True, True, False)
    """
    rarer = min(n_positive, n_labelled - n_positive)
    return n_labelled <= EXACT_ROWS or (rarer < EXACT_OF_A_CLASS and n_labelled <= MOST_EXACT_ROWS)


@dataclass(frozen=True)
class ScoreHistogram:
    """Rows of one cell by score, low to high, block and label; only combinations that have rows are held.

    Attributes:
        keys: the bin's number, or the score itself where every distinct score is kept, shape (B,).
        low: the lowest score in each bin, shape (B,).
        high: the highest.
        exact: whether the keys are the scores themselves.
        blocks: the blocks' numbers, ascending, shape (G,).
        block: of each of the E combinations, its place in ``blocks``.
        label: 0, 1, or 2 for no label.
        place: its place in ``keys``.
        sums: rows, sum of weights, of squared weights and of weighted scores of each combination, shape (4, E).
        every: how many neighbouring bins are one.
    """

    keys: Floats
    low: Floats
    high: Floats
    exact: bool
    blocks: Integers
    block: Integers
    label: Integers
    place: Integers
    sums: Floats
    every: int = 1

    @property
    def tied(self) -> NDArray[np.bool_]:
        """Whether all rows of a bin have the same score, shape (B,)."""
        same: NDArray[np.bool_] = self.low == self.high
        return same

    @cached_property
    def counts(self) -> Floats:
        """Rows by label (0, 1, none) and bin, shape (3, B)."""
        return self._by_label(0)

    @cached_property
    def weights(self) -> Floats:
        """Sums of weights by label and bin, shape (3, B)."""
        return self._by_label(1)

    @cached_property
    def squares(self) -> Floats:
        """Sums of squared weights by label and bin, shape (3, B)."""
        return self._by_label(2)

    @cached_property
    def scores(self) -> Floats:
        """Weighted sums of scores by label and bin, shape (3, B)."""
        return self._by_label(3)

    @property
    def negatives(self) -> Floats:
        """Weights of label 0 by bin."""
        total: Floats = self.weights[0]
        return total

    @property
    def positives(self) -> Floats:
        """Weights of label 1 by bin."""
        total: Floats = self.weights[1]
        return total

    def block_totals(self, influence: Floats) -> tuple[Integers, Floats]:
        """The blocks with labelled rows, and in each the sum of weight x influence.

        Args:
            influence: of one row of unit weight by label (0, 1) and bin, shape (2, B).
        """
        block, cell, weights, present = self._labelled
        totals = np.bincount(block, weights * influence.ravel()[cell], len(self.blocks))
        return self.blocks[present], as_floats(totals[present])

    @cached_property
    def _labelled(self) -> tuple[Integers, Integers, Floats, NDArray[np.bool_]]:
        """Of combinations with a label: block, place among (label, bin), weight; and which blocks have any."""
        labelled = self.label < 2
        block = self.block[labelled]
        cell = self.label[labelled] * len(self.keys) + self.place[labelled]
        present = np.bincount(block, self.sums[0, labelled], len(self.blocks)) > 0
        return block, cell, self.sums[1, labelled], present

    def __add__(self, other: ScoreHistogram) -> ScoreHistogram:
        """Disjoint rows together, on the union of the bins."""
        if self.exact != other.exact:
            raise ValueError("binned and exact histograms do not add; read both binned")
        if self.every != other.every:
            every = max(self.every, other.every)
            return self.coarser(every) + other.coarser(every)
        keys, blocks = np.union1d(self.keys, other.keys), np.union1d(self.blocks, other.blocks)
        both = (self, other)
        low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
        for one in both:
            at = np.searchsorted(keys, one.keys)
            low[at], high[at] = np.minimum(low[at], one.low), np.maximum(high[at], one.high)
        return ScoreHistogram(
            keys,
            low,
            high,
            self.exact,
            blocks,
            np.concatenate([np.searchsorted(blocks, one.blocks)[one.block] for one in both]),
            np.concatenate([one.label for one in both]),
            np.concatenate([np.searchsorted(keys, one.keys)[one.place] for one in both]),
            as_floats(np.concatenate([one.sums for one in both], axis=1)),
            self.every,
        )

    def coarser(self, every: int) -> ScoreHistogram:
        """So many neighbouring bins as one."""
        if every == self.every:
            return self
        keys, at = np.unique(self.keys // (every // self.every), return_inverse=True)
        low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
        np.minimum.at(low, at, self.low)
        np.maximum.at(high, at, self.high)
        return replace(self, keys=keys, low=low, high=high, place=at[self.place], every=every)

    def __sub__(self, part: ScoreHistogram) -> ScoreHistogram:
        """The rows that are not in a part of these; weights that cancel but for rounding are none."""
        left = self + replace(part, sums=-part.sums)
        shape = (len(left.blocks), 3, len(left.keys))
        where = np.ravel_multi_index((left.block, left.label, left.place), shape)
        unique, inverse = np.unique(where, return_inverse=True)
        sums = as_floats(np.stack([np.bincount(inverse, row, len(unique)) for row in left.sums]))
        kept = sums[0] > 0
        block, label, place = np.unravel_index(unique[kept], shape)
        return replace(left, block=block, label=label, place=place, sums=sums[:, kept])

    def _by_label(self, which: int) -> Floats:
        size = len(self.keys)
        flat = np.bincount(self.label * size + self.place, self.sums[which], 3 * size)
        return as_floats(flat.reshape(3, size))


def rows_with_scores(
    catalog: Catalog, rows: Sql, keeps: Mapping[CellKey, bool], moments: Mapping[CellKey, RowMoments]
) -> Sql:
    """The rows to read histograms of: themselves, and not what is stored of them, where few rows keep their scores.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        keeps: of each cell whether every distinct score is kept.
        moments: of the cells, the number of labelled rows among them.
    """
    few = sum(one.count("labelled") for one in moments.values()) <= FEW_ROWS
    few = few and any(keeps.values()) and not takes_seconds(moments)
    if catalog.parts is None or catalog.live is not None or not few:
        return rows
    return Sql(rows.text, rows.parameters)


def takes_seconds(moments: Mapping[CellKey, RowMoments]) -> bool:
    """Whether rows are so many, labelled or not, that a page should not wait until they are read."""
    return sum(one.n for one in moments.values()) > MOST_READ


def read_score_histograms(
    catalog: Catalog,
    rows: Sql,
    keeps: Mapping[CellKey, bool],
    edges: Sequence[float] | Floats,
    *,
    score: str = "score",
    positive: str = "label = 1",
    stored: Additive | None = None,
    fine: bool = False,
) -> tuple[dict[CellKey, ScoreHistogram], str]:
    """Read the histograms of scoped rows; from stored parts, all are in bins, those by segment in fewer of them.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        keeps: of each cell whether every distinct score is kept, so that AUC is exact (`keeps_scores`).
        edges: inner edges of the score bins for the others.
        score: the score column.
        positive: SQL that says a label is the positive class.
        stored: the same sums, as a family of aggregates keeps them that shares its scans.
        fine: whether every bin is wanted, so that parts in fewer bins are of no use.

    Returns:
        The histogram of every cell with scored rows, and the SQL text that scanned.
    """
    every = bins_together(rows)
    own = score_parts(edges, score, positive, plain=weighs_one(catalog, rows), every=every)
    kept = None if fine and every > 1 else read_stored(catalog, rows, stored or own)
    if kept is not None:
        return binned_histograms(kept[0], every), kept[1]
    small = [key for key, exact in keeps.items() if exact]
    large = [key for key, exact in keeps.items() if not exact]
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


def binned_histograms(table: pa.Table, every: int) -> dict[CellKey, ScoreHistogram]:
    """The histograms in a table of `score_parts`, so many neighbouring bins as one."""
    return _histograms(table, exact=False, every=every)


def read_score_unit_squares(
    catalog: Catalog,
    rows: Sql,
    histograms: Mapping[CellKey, ScoreHistogram],
    influences: Mapping[CellKey, Floats],
    edges: Sequence[float] | Floats,
    *,
    score: str = "score",
    positive: str = "label = 1",
) -> dict[CellKey, tuple[Floats, Floats]]:
    """Sums over units of squared influence totals, for influences of shape (M, 2, B): label 0, label 1."""
    answers: dict[CellKey, tuple[Floats, Floats]] = {}
    for exact in (True, False):
        chosen = [key for key in influences if histograms[key].exact is exact]
        if not chosen:
            continue
        every = histograms[chosen[0]].every
        lengths = [len(histograms[cell].keys) for cell in chosen]
        columns = key_columns([cell for cell, n in zip(chosen, lengths, strict=True) for _ in range(2 * n)])
        columns["place"] = pa.array(np.concatenate([np.tile(histograms[cell].keys, 2) for cell in chosen]))
        columns["is_positive"] = pa.array(np.concatenate([np.repeat([False, True], n) for n in lengths]))
        metrics = influences[chosen[0]].shape[0]
        for metric in range(metrics):
            columns[f"m{metric}"] = pa.array(
                np.concatenate([influences[cell][metric].ravel() for cell in chosen])
            )
        place = score if exact else f"CAST({bin_expression(score, edges[every - 1 :: every])} AS DOUBLE)"
        with_place = Sql(
            f"SELECT *, {place} AS place, {positive} AS is_positive FROM ({rows.text}) WHERE label IS NOT NULL",
            rows.parameters,
        )
        join = "r.place = i.place AND r.is_positive = i.is_positive"
        answers |= unit_squares(catalog, with_place, pa.table(columns), metrics, join)
    return answers


def bins_together(rows: Sql) -> int:
    """How many neighbouring bins are one in stored parts: two where these are split by a segment."""
    return EVERY if isinstance(rows, ScopedRows) and (rows.segments or rows.scope.filters) else 1


def score_parts(
    edges: Sequence[float] | Floats, score: str, positive: str, *, plain: bool, every: int = 1
) -> Additive:
    """Sums by cell, block, label and score bin; without those of weights where every row weighs 1."""
    inner = [float(edge) for edge in edges][every - 1 :: every]
    place = f"CAST({bin_expression(score, inner)} AS DOUBLE)"

    def query(rows: Sql) -> Sql:
        return _histogram_sql(rows, place, score, positive, only=False, plain=plain)

    return Additive("scores", query, score_sums(plain=plain), ("low",), ("high",))


def score_sums(*, plain: bool) -> tuple[str, ...]:
    """The columns that are summed."""
    return ("n", "ws") if plain else ("n", "w", "w2", "ws")


def _histogram_sql(rows: Sql, key: str, score: str, positive: str, *, only: bool, plain: bool = False) -> Sql:
    label = f"CASE WHEN label IS NULL THEN 2 WHEN {positive} THEN 1 ELSE 0 END"
    weights = "sum(weight) AS w, sum(weight * weight) AS w2, sum(weight * this_score) AS ws"
    source = f"({rows.text})"
    if only:
        source = (
            f"(SELECT r.* FROM ({rows.text}) AS r JOIN cells AS o ON r.window_key = o.window_key "
            "AND coalesce(r.version, '') = o.version AND coalesce(r.segment, '') = o.segment)"
        )
    return Sql(
        f"SELECT {KEYS}, block_key, label_code, place, count(*) AS n, "
        f"{'sum(this_score) AS ws' if plain else weights}, min(this_score) AS low, max(this_score) AS high "
        f"FROM (SELECT {KEYS}, block_key, weight, {score} AS this_score, {label} AS label_code, "
        f"{key} AS place FROM {source} WHERE scored) GROUP BY {KEYS}, block_key, label_code, place",
        rows.parameters,
    )


def _read(
    catalog: Catalog, sql: Sql, cells: pa.Table | None, *, exact: bool
) -> dict[CellKey, ScoreHistogram]:
    return _histograms(
        catalog.engine.query(sql, tables={"cells": cells} if cells is not None else None), exact=exact
    )


def _histograms(table: pa.Table, *, exact: bool, every: int = 1) -> dict[CellKey, ScoreHistogram]:
    place, label = column(table, "place"), column(table, "label_code").astype(np.int64)
    every_block, blocks = blocks_of(table)
    # rows that weigh 1 weigh what they count
    names = (name if name in table.column_names else "n" for name in score_sums(plain=False))
    values = np.stack([column(table, name) for name in names])
    lows, highs = column(table, "low"), column(table, "high")
    answers = {}
    for key, index in group(table).rows.items():
        of_bins = place[index]
        keys, bins = np.unique(of_bins, return_inverse=True) if exact else distinct(of_bins.astype(np.int64))
        of_cell, block = distinct(blocks[index])
        low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
        np.minimum.at(low, bins, lows[index])
        np.maximum.at(high, bins, highs[index])
        answers[key] = ScoreHistogram(
            as_floats(keys),
            low,
            high,
            exact,
            every_block[of_cell],
            block,
            label[index],
            bins,
            values[:, index],
            every,
        )
    return answers
