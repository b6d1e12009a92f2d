"""Labelled rows by random group of units, label and coarse score bin: how far units move AUC and average precision.

See `analytics.aggregates.unit_groups`. Kept of all rows together only: split by a segment they would be as large as all
other parts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.scores import ScoreHistogram
from analytics.aggregates.unit_groups import GROUPS, are_many, group_codes, unit_group
from analytics.engines.text import Sql
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
BINS = 6
"""Score bins that are one by group: within them an order's influence hardly changes, and what changes is by row."""


def unit_scores(place: str, score: str, positive: str, *, plain: bool) -> Additive:
    """Labelled rows by cell, group, label and coarse score bin, in one query.

    Args:
        place: SQL of the fine bin's number.
        score: the score column.
        positive: SQL that says a label is the positive class.
        plain: whether every row weighs 1.
    """
    keys = f"{KEYS}, unit_group, is_positive, place"
    weights = "" if plain else ", sum(weight) AS w"

    def query(rows: Sql) -> Sql:
        return Sql(
            f"SELECT {keys}, count(*) AS n{weights} FROM (SELECT {KEYS}, {unit_group()} AS unit_group, weight, "
            f"CASE WHEN {positive} THEN 1 ELSE 0 END AS is_positive, "
            f"CAST(floor({place} / {BINS}e0) AS INTEGER) AS place FROM ({rows.text}) "
            f"WHERE scored AND label IS NOT NULL AND {score} IS NOT NULL) GROUP BY {keys}",
            rows.parameters,
        )

    return Additive("unit scores", query, ("n",) if plain else ("n", "w"))


class ScoreTotals(NamedTuple):
    """How much the groups of one cell move M estimates.

    Attributes:
        by_group: sums of weight x mean influence, shape (M, `GROUPS`); a group without rows has 0.
        within: sums of squared weights x squared distances from the mean influence, shape (M,).
        n_groups: groups with labelled rows.
    """

    by_group: Floats
    within: Floats
    n_groups: int

    def plus(self, other: ScoreTotals) -> ScoreTotals:
        """What the same groups move by the scores of two classes."""
        n_groups = max(self.n_groups, other.n_groups)
        return ScoreTotals(self.by_group + other.by_group, self.within + other.within, n_groups)

    def squares(self) -> tuple[Floats, Floats]:
        """Sums over groups of squared totals, and the groups behind them, shape (M,) each."""
        squares: Floats = (self.by_group**2).sum(axis=1) + self.within
        return squares, np.full(len(squares), float(self.n_groups))


def stored_score_totals(
    catalog: Catalog,
    rows: Sql,
    kept: Additive,
    histograms: Mapping[CellKey, ScoreHistogram],
    influences: Mapping[CellKey, Floats],
) -> dict[CellKey, ScoreTotals] | None:
    """How much groups of units move estimates that depend on the order of scores, from stored parts.

    A group's rows within a coarse bin have the mean influence of all rows there; how far theirs are from it is taken
    as independent between rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        kept: scores by group.
        histograms: of the cells.
        influences: of one row of unit weight, shape (M, 2, B): label 0, label 1.

    Returns:
        The totals of every cell; None where there are no parts for this question, rows or units are few, or some cell
        keeps distinct scores.
    """
    if any(histograms[key].exact for key in influences):
        return None
    stored = read_stored(catalog, rows, kept)
    if stored is None or not are_many(stored[0]):
        return None
    table = stored[0]
    codes, label = group_codes(table), column(table, "is_positive").astype(np.int64)
    place = column(table, "place").astype(np.int64)
    weights = column(table, "w" if "w" in table.column_names else "n")
    found = {}
    for key, index in group(table).rows.items():
        if key in influences:
            means, within = _coarse(histograms[key], influences[key], int(place[index].max()) + 1)
            moved = means[:, label[index], place[index]] * weights[index]
            totals = as_floats([np.bincount(codes[index], each, GROUPS) for each in moved])
            found[key] = ScoreTotals(totals, within, len(np.unique(codes[index])))
    return found


def _coarse(histogram: ScoreHistogram, influences: Floats, least: int) -> tuple[Floats, Floats]:
    """Mean influence by label and coarse bin, shape (M, 2, C), and the rows' squared distances from it, shape (M,)."""
    bins = (histogram.keys.astype(np.int64) * histogram.every) // BINS
    size = max(least, int(bins.max()) + 1)
    means = np.zeros((len(influences), 2, size))
    within = np.zeros(len(influences))
    for label in (0, 1):
        weights = histogram.weights[label]
        total = np.bincount(bins, weights, size)
        for metric, influence in enumerate(influences[:, label]):
            summed = np.bincount(bins, weights * influence, size)
            means[metric, label] = np.divide(summed, total, out=np.zeros(size), where=total > 0)
            apart = influence - means[metric, label][bins]
            within[metric] += float((histogram.squares[label] * apart**2).sum())
    return means, within
