"""Predicted against true of many rows, from parts on fine bins that are the same for every question.

`analytics.aggregates.pairs` cuts the middle 99 % of the rows asked about into 40 bins, which no part by day can know.
Parts are on a grid about the predictions' centre (`analytics.aggregates.moments.kept_scale`): eighths of the power of
two above their standard deviation, errors sixty-fourths. What is shown is the part of the grid that holds the middle
99 %, with neighbours joined until there are at most 40.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates import error_bins, scores
from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.moments import kept_scale
from analytics.aggregates.pairs import BINS, PairHistogram
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_MIDDLE = (0.005, 0.995)
_FEWEST = 8
"""Of fewer bins nobody sees what lies where."""


@dataclass(frozen=True)
class _Grid:
    """Equal bins about a centre; code 0 is all below them, the last code all beyond. Their width is a power of two."""

    centre: float
    width: float
    bins: int

    @property
    def low(self) -> float:
        """Where the first bin begins."""
        return self.centre - self.bins // 2 * self.width

    def code(self, value: str) -> str:
        """SQL of a value's code; a product with a power of two is exact on every engine."""
        high = self.low + self.bins * self.width
        inside = f"CAST(floor(({value} - {literal(self.centre)}) * {literal(1.0 / self.width)}) AS INTEGER)"
        return (
            f"CASE WHEN {value} < {literal(self.low)} THEN 0 WHEN {value} >= {literal(high)} THEN {self.bins + 1} "
            f"ELSE {inside} + {self.bins // 2 + 1} END"
        )

    def shown(self, rows: Floats) -> tuple[Floats, Integers]:
        """The edges of what is shown of rows by code, at most `BINS` bins, and the bin of every code."""
        upto = np.cumsum(rows) / rows.sum()
        first, last = (int(np.clip(np.searchsorted(upto, share), 1, self.bins)) for share in _MIDDLE)
        joined = -(-(last - first + 1) // BINS)
        n = -(-(last - first + 1) // joined)
        edges = self.low + (first - 1 + joined * np.arange(n + 1.0)) * self.width
        return edges, np.clip((np.arange(self.bins + 2) - first) // joined, 0, n - 1)

    def suits(self, rows: Floats) -> bool:
        """Whether it tells the middle of rows by code apart.

        It does not where labels vary far more than predictions do, or one corrupt number makes the standard deviation.
        """
        outside = max(rows[0], rows[-1]) > _MIDDLE[0] * rows.sum()
        return not outside and len(self.shown(rows)[0]) > _FEWEST


def _values(catalog: Catalog) -> _Grid:
    centre, step = kept_scale(catalog)
    return _Grid(centre, step / 8, 128)


def _errors(catalog: Catalog) -> _Grid:
    return _Grid(0.0, kept_scale(catalog)[1] / 64, 1024)


def pair_parts(catalog: Catalog) -> Additive:
    """Labelled rows by the codes of label and prediction."""
    grid = _values(catalog)
    codes = f"{grid.code('label')} AS y, {grid.code('score')} AS x"
    return _counts("predicted and true", codes, KEYS + ", y, x", "label, score")


def residual_parts(catalog: Catalog) -> Additive:
    """Labelled rows by the code of prediction minus label."""
    # named before it is coded: the code says its value three times
    return _counts(
        "residuals", f"{_errors(catalog).code('error')} AS x", KEYS + ", x", "score - label AS error"
    )


def _counts(name: str, codes: str, keys: str, columns: str) -> Additive:
    """Counts of labelled rows by codes of some columns."""

    def query(rows: Sql) -> Sql:
        labelled = f"SELECT {KEYS}, {columns} FROM ({rows.text}) WHERE scored AND label IS NOT NULL"
        text = f"SELECT {keys}, count(*) AS n FROM (SELECT {KEYS}, {codes} FROM ({labelled})) GROUP BY {keys}"
        return Sql(text, rows.parameters)

    return Additive(name, query, ("n",))


def read_stored_pairs(
    catalog: Catalog, rows: Sql, sums: Additive
) -> tuple[dict[CellKey, PairHistogram], str] | None:
    """As `analytics.aggregates.pairs.read_pairs`, from stored parts.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        sums: of all of them, with a label and without; their column ``n`` says how many there are.

    Returns:
        None where there are no parts, rows are few, or the grid does not suit them.
    """
    pairs = read_stored(catalog, rows, pair_parts(catalog))
    errors = read_stored(catalog, rows, residual_parts(catalog))
    if pairs is None or errors is None or not _are_many(catalog, rows, pairs[0], sums):
        return None
    values, residuals = _values(catalog), _errors(catalog)
    each = [_by_code(pairs[0], name, values) for name in ("y", "x")]
    marginal, by_size = each[0] + each[1], _by_code(errors[0], "x", residuals)
    if not (values.suits(marginal) and residuals.suits(by_size)):
        return None
    edges, place = values.shown(marginal)
    error_edges, error_place = residuals.shown(by_size)
    error_rows = group(errors[0]).rows
    y, x, n = (column(pairs[0], name) for name in ("y", "x", "n"))
    error, many = column(errors[0], "x"), column(errors[0], "n")
    found = {}
    for key, index in group(pairs[0]).rows.items():
        counts, by_error = np.zeros((len(edges) - 1,) * 2), np.zeros(len(error_edges) - 1)
        np.add.at(counts, (place[y[index].astype(int)], place[x[index].astype(int)]), n[index])
        mine = error_rows[key]
        np.add.at(by_error, error_place[error[mine].astype(int)], many[mine])
        found[key] = PairHistogram(edges, counts, error_edges, by_error)
    return found, pairs[1]


def _are_many(catalog: Catalog, rows: Sql, pairs: pa.Table, sums: Additive) -> bool:
    """Whether so many rows have a label, or have none, that nobody should wait until they are read."""
    if column(pairs, "n").sum() > error_bins.MANY_ROWS:
        return True
    every = read_stored(catalog, rows, sums)
    return every is not None and bool(column(every[0], "n").sum() > scores.MOST_READ)


def _by_code(table: pa.Table, name: str, grid: _Grid) -> Floats:
    codes = column(table, name).astype(np.int64)
    return np.bincount(codes, column(table, "n"), grid.bins + 2).astype(np.float64)
