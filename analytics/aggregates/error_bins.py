"""Absolute errors of a regression: counts on edges 5 % apart, so that the median error of many rows is a sum over days.

As with latencies (`analytics.aggregates.latency_bins`) each bin keeps its smallest and largest error, and inside a bin
errors are taken to lie evenly. Between edges 5 % apart that moves a median by about a tenth of its standard error,
however many rows there are; an error that many rows share is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.latency_bins import STEP, BlockedLatencies, blocked
from analytics.aggregates.moments import RowMoments, kept_scale
from analytics.aggregates.ranks import ABOVE, MedianError
from analytics.aggregates.unit_groups import GROUPS, are_many, group_codes, unit_group
from analytics.engines.text import Sql
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog

MANY_ROWS = 250_000
"""Of fewer labelled rows every error is read and ordered: where there are more, reading them takes seconds."""
TOGETHER = 3
"""Bins that are one by group of units: 16 % wide."""
_BELOW, _ABOVE = 280, 140  # from about a millionth to a thousand standard deviations of the predictions
_MOST_OUTSIDE = 0.25
"""Where the bin below all edges, or that beyond, holds more of a cell's errors than that, these edges are of no use:
one corrupt prediction of a thousand million makes a standard deviation that all honest errors are nothing against."""


def error_edges(unit: float) -> NDArray[np.float64]:
    """The inner edges; bin i holds edge[i - 1] <= error < edge[i].

    Args:
        unit: about the standard deviation of the predictions.
    """
    return np.asarray(unit * STEP ** np.arange(-_BELOW, _ABOVE + 1.0))


def error_parts(catalog: Catalog) -> Additive:
    """Absolute errors by block and bin."""
    place = bin_expression("error", error_edges(kept_scale(catalog)[1]))

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, block_key"
        text = (
            f"SELECT {keys}, place, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, "
            f"min(error) AS low, max(error) AS high FROM (SELECT {keys}, weight, error, {place} AS place "
            f"FROM (SELECT {keys}, weight, abs(score - label) AS error FROM ({rows.text}) "
            f"WHERE scored AND label IS NOT NULL AND weight > 0e0)) GROUP BY {keys}, place"
        )
        return Sql(text, rows.parameters)

    return Additive("absolute errors", query, ("n", "w", "w2"), ("low",), ("high",))


def stored_errors(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, BlockedLatencies], str] | None:
    """The absolute errors of scoped rows from stored parts, and the SQL text that says what they are.

    None where there are no parts for them, or where the edges do not tell a cell's errors apart.
    """
    stored = read_stored(catalog, rows, error_parts(catalog))
    if stored is None:
        return None
    found = blocked(stored[0])
    return (found, stored[1]) if all(_told_apart(one) for one in found.values()) else None


def _told_apart(errors: BlockedLatencies) -> bool:
    """Whether the middle errors of a cell lie between edges; errors that are all equal need none."""
    if errors.place.min() > 0 and errors.place.max() <= _BELOW + _ABOVE:
        return True
    pooled = errors.pooled()
    share = np.where(pooled.high > pooled.low, pooled.weight, 0.0) / pooled.weight.sum()
    outside = (pooled.bins == 0) | (pooled.bins > _BELOW + _ABOVE)
    return bool((share[outside] <= _MOST_OUTSIDE).all())


def above_from_bins(errors: BlockedLatencies) -> RowMoments:
    """What `analytics.aggregates.ranks.read_above_median` reads: labelled rows and those above the median, by block."""
    above = errors.beyond(errors.pooled().quantile(0.5))
    blocks, block = np.unique(errors.block, return_inverse=True)
    sums = [np.bincount(block, of, len(blocks)) for of in (errors.weight, errors.weight * above)]
    whole, part = errors.squares.sum(), (errors.squares * above).sum()
    return RowMoments(
        tuple(one.name for one in ABOVE),
        int(errors.n.sum()),
        np.array([errors.n.sum(), (errors.n * above).sum()]),
        blocks,
        np.stack(sums, axis=1).astype(np.float64),
        np.array([[whole, part], [part, part]]),
    )


def group_error_parts(catalog: Catalog) -> Additive:
    """Absolute errors by random group of units (`analytics.aggregates.unit_groups`), a few neighbouring bins as one."""
    place = bin_expression("error", error_edges(kept_scale(catalog)[1])[TOGETHER - 1 :: TOGETHER])

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, unit_group"
        text = (
            f"SELECT {keys}, place, count(*) AS n, sum(weight) AS w FROM (SELECT {keys}, weight, {place} AS place FROM "
            f"(SELECT {KEYS}, {unit_group()} AS unit_group, weight, abs(score - label) AS error FROM ({rows.text}) "
            f"WHERE scored AND label IS NOT NULL AND weight > 0e0)) GROUP BY {keys}, place"
        )
        return Sql(text, rows.parameters)

    return Additive("unit errors", query, ("n", "w"))


def above_with_groups(
    catalog: Catalog, rows: Sql, errors: Mapping[CellKey, BlockedLatencies]
) -> dict[CellKey, RowMoments] | None:
    """`above_from_bins` with what groups of units have above the median; None where there are no parts of them.

    Of a group's rows in the bin that holds the median as many are above as of all; which of them are is taken as
    independent between rows.
    """
    stored = read_stored(catalog, rows, group_error_parts(catalog))
    if stored is None or not are_many(stored[0]):
        return None
    codes = group_codes(stored[0])
    place, weight = column(stored[0], "place").astype(np.int64), column(stored[0], "w")
    found = {}
    for key, index in group(stored[0]).rows.items():
        one, above = errors[key], errors[key].beyond(errors[key].pooled().quantile(0.5))
        bins = one.place // TOGETHER
        size = max(int(bins.max()), int(place[index].max())) + 1
        whole = np.bincount(bins, one.weight, size)
        share = np.divide(
            np.bincount(bins, one.weight * above, size), whole, out=np.zeros(size), where=whole > 0
        )
        sums = as_floats(
            [
                np.bincount(codes[index], of, GROUPS)
                for of in (weight[index], weight[index] * share[place[index]])
            ]
        )
        products = sums @ sums.T
        products[1, 1] += float((np.bincount(bins, one.squares, size) * share * (1.0 - share)).sum())
        n_groups = np.count_nonzero(sums, axis=1).astype(np.float64)
        found[key] = replace(above_from_bins(one), unit_products=products, n_units=n_groups)
    return found


def medians_from_bins(
    errors: Mapping[CellKey, BlockedLatencies], reach: Mapping[CellKey, float]
) -> dict[CellKey, MedianError]:
    """The median error of each cell, with the errors at cumulated shares 1/2 -+ reach as its interval.

    Args:
        errors: of the cells.
        reach: as in `analytics.aggregates.ranks.read_median_errors`.
    """
    found = {}
    for key, one in errors.items():
        pooled = one.pooled()
        low, value, high = (
            pooled.quantile(min(max(0.5 + by, 0.0), 1.0)) for by in (-reach[key], 0.0, reach[key])
        )
        found[key] = MedianError(value, min(low, value), max(high, value))
    return found
