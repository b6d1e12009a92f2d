"""Two-way histograms of a regression: predicted against true, and the errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
BINS = 40


@dataclass(frozen=True)
class PairHistogram:
    """Labelled rows of one cell.

    Attributes:
        edges: of label and prediction alike, shape (B + 1,); the outer bins hold everything beyond.
        counts: rows by label bin and prediction bin, shape (B, B).
        error_edges: of prediction - label, shape (B + 1,).
        errors: rows by error bin, shape (B,).
    """

    edges: Floats
    counts: Floats
    error_edges: Floats
    errors: Floats


def read_pairs(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, PairHistogram], str]:
    """Count labelled rows by label and prediction on 40 equal bins over the middle 99 %, and by error."""
    ends = catalog.engine.query(_ends_sql(rows)).to_pylist()[0]
    if ends["low"] is None:
        return {}, ""
    edges = _edges(ends["low"], ends["high"])
    error_edges = _edges(ends["error_low"], ends["error_high"])
    source = f"({rows.text}) WHERE scored AND label IS NOT NULL"
    pairs = Sql(
        f"SELECT {KEYS}, {bin_expression('label', edges[1:-1])} AS y, {bin_expression('score', edges[1:-1])} AS x, "
        f"count(*) AS n FROM {source} GROUP BY {KEYS}, y, x",
        rows.parameters,
    )
    errors = Sql(
        f"SELECT {KEYS}, {bin_expression('error', error_edges[1:-1])} AS x, count(*) AS n "
        f"FROM (SELECT *, score - label AS error FROM {source}) GROUP BY {KEYS}, x",
        rows.parameters,
    )
    pair_table, error_table = catalog.engine.query(pairs), catalog.engine.query(errors)
    error_rows = group(error_table).rows
    answers = {}
    for key, index in group(pair_table).rows.items():
        counts, by_error = np.zeros((BINS, BINS)), np.zeros(BINS)
        place = (column(pair_table, "y")[index].astype(int), column(pair_table, "x")[index].astype(int))
        np.add.at(counts, place, column(pair_table, "n")[index])
        mine = error_rows[key]
        np.add.at(by_error, column(error_table, "x")[mine].astype(int), column(error_table, "n")[mine])
        answers[key] = PairHistogram(edges, counts, error_edges, by_error)
    return answers, pairs.text


def _edges(low: float, high: float) -> Floats:
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def _ends_sql(rows: Sql) -> Sql:
    """The middle 99 % of labels, predictions and errors, as order statistics."""
    each = (
        "SELECT label AS one_value, score - label AS error FROM kept "
        "UNION ALL SELECT score AS one_value, NULL AS error FROM kept"
    )
    ranked = (
        "SELECT one_value, error, row_number() OVER (ORDER BY one_value) AS place, count(*) OVER () AS total, "
        "row_number() OVER (ORDER BY error NULLS LAST) AS error_place, count(error) OVER () AS errors "
        f"FROM ({each})"
    )
    return Sql(
        f"WITH kept AS (SELECT label, score FROM ({rows.text}) WHERE scored AND label IS NOT NULL) "
        "SELECT min(one_value) FILTER (WHERE place >= total * 0.005e0) AS low, "
        "min(one_value) FILTER (WHERE place >= total * 0.995e0) AS high, "
        "min(error) FILTER (WHERE error_place >= errors * 0.005e0) AS error_low, "
        f"min(error) FILTER (WHERE error_place >= errors * 0.995e0) AS error_high FROM ({ranked})",
        rows.parameters,
    )
