"""How long answers took: counts on edges 5 % apart that are the same for every project and for ever.

Each bin keeps its smallest and largest latency besides, so that a bin with one value is exact. Bins add over hours,
files and machines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_added
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, block_codes, column, group
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import PartGrain

Floats = NDArray[np.float64]
STEP = 1.05
LOWEST, HIGHEST = 1e-3, 1e9
"""Milliseconds, or whatever latency is logged in: what lies outside is in one bin below and one above."""


def latency_edges() -> Floats:
    """The inner edges; bin i holds edge[i - 1] <= latency < edge[i].

    >>> edges = latency_edges()
    >>> len(edges), bool(np.allclose(edges[1:] / edges[:-1], 1.05))
    (567, True)
    """
    steps = int(np.ceil(np.log(HIGHEST / LOWEST) / np.log(STEP)))
    return np.asarray(LOWEST * STEP ** np.arange(steps))


@dataclass(frozen=True)
class LatencyBins:
    """The latencies of one cell.

    Attributes:
        bins: numbers of the bins that hold any, ascending, shape (B,).
        n: rows in each.
        weight: sum of their weights.
        squares: sum of their squared weights.
        low, high: smallest and largest latency in each.
    """

    bins: NDArray[np.int64]
    n: Floats
    weight: Floats
    squares: Floats
    low: Floats
    high: Floats

    def __add__(self, other: LatencyBins) -> LatencyBins:
        """The latencies of disjoint rows together."""
        bins = np.union1d(self.bins, other.bins)
        sums = np.zeros((3, len(bins)))
        low, high = np.full(len(bins), np.inf), np.full(len(bins), -np.inf)
        for part in (self, other):
            at = np.searchsorted(bins, part.bins)
            sums[:, at] += [part.n, part.weight, part.squares]
            low[at], high[at] = np.minimum(low[at], part.low), np.maximum(high[at], part.high)
        return LatencyBins(bins, sums[0], sums[1], sums[2], low, high)

    @property
    def size(self) -> float:
        """Kish's number of rows."""
        return float(self.weight.sum() ** 2 / self.squares.sum())

    def quantile(self, probability: float) -> float:
        """The latency that this share of requests does not exceed; inside a bin as if it were filled evenly."""
        upto = np.cumsum(self.weight)
        wanted = probability * upto[-1]
        place = int(min(np.searchsorted(upto, wanted - 1e-9 * upto[-1]), len(upto) - 1))
        inside = (wanted - (upto[place] - self.weight[place])) / self.weight[place]
        return float(self.low[place] + (self.high[place] - self.low[place]) * min(max(inside, 0.0), 1.0))

    def around(self, low: float, high: float) -> tuple[float | None, float | None]:
        """Latencies that surely enclose those at two cumulated shares; None for a share outside of 0 to 1."""
        upto = np.cumsum(self.weight)
        places = np.minimum(
            np.searchsorted(upto, np.array([low, high]) * upto[-1] - 1e-9 * upto[-1]), len(upto) - 1
        )
        return (
            float(self.low[places[0]]) if low > 0 else None,
            float(self.high[places[1]]) if high <= 1 else None,
        )


@dataclass(frozen=True)
class BlockedLatencies:
    """The latencies of one cell by block and bin, shape (E,) each.

    Attributes:
        block: number of the block, as `analytics.aggregates.keys.block_codes` gives it.
        place: number of the bin.
        n, weight, squares, low, high: as in `LatencyBins`.
    """

    block: NDArray[np.int64]
    place: NDArray[np.int64]
    n: Floats
    weight: Floats
    squares: Floats
    low: Floats
    high: Floats

    def pooled(self) -> LatencyBins:
        """All blocks together."""
        bins, at = np.unique(self.place, return_inverse=True)
        sums = [
            np.bincount(at, values, len(bins)).astype(np.float64)
            for values in (self.n, self.weight, self.squares)
        ]
        low, high = np.full(len(bins), np.inf), np.full(len(bins), -np.inf)
        np.minimum.at(low, at, self.low)
        np.maximum.at(high, at, self.high)
        return LatencyBins(bins, sums[0], sums[1], sums[2], low, high)

    def beyond(self, limit: float) -> Floats:
        """The share of each entry's rows that took longer; of the bin that holds the limit as if it were even.

        Of rows that took exactly as long as one another and as the limit, half.
        """
        width = self.high - self.low
        inside = np.divide(self.high - limit, width, out=np.full(len(width), 0.5), where=width > 0)
        share = np.where(self.low > limit, 1.0, np.where(self.high < limit, 0.0, inside))
        return np.asarray(np.clip(share, 0.0, 1.0))


def latency_parts(grain: PartGrain = "day") -> Additive:
    """Latencies by block and bin."""
    return Additive(
        "latency",
        _latency_sql,
        sums=("n", "w", "w2"),
        lows=("low",),
        highs=("high",),
        grain=grain,
        labelled=False,
    )


def _latency_sql(rows: Sql) -> Sql:
    place = bin_expression("latency", latency_edges())
    keys = f"{KEYS}, block_key"
    text = (
        f"SELECT {keys}, place, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, "
        f"min(latency) AS low, max(latency) AS high FROM (SELECT {keys}, weight, latency, {place} AS place "
        f"FROM ({rows.text}) WHERE latency IS NOT NULL AND weight > 0e0) GROUP BY {keys}, place"
    )
    return Sql(text, rows.parameters)


def read_latencies(
    catalog: Catalog, rows: Sql, grain: PartGrain = "day"
) -> tuple[dict[CellKey, BlockedLatencies], str]:
    """The latencies of scoped rows by cell, block and bin, and the SQL text that scanned."""
    table, text = read_added(catalog, rows, latency_parts(grain))
    return blocked(table), text


def blocked(table: pa.Table) -> dict[CellKey, BlockedLatencies]:
    """Counts by cell, block and bin from an answer with their columns."""
    values = {name: column(table, name) for name in ("n", "w", "w2", "low", "high")}
    block, place = block_codes(table), column(table, "place").astype(np.int64)
    found = {}
    for key, index in group(table).rows.items():
        order = index[np.lexsort((place[index], block[index]))]
        found[key] = BlockedLatencies(block[order], place[order], *(values[name][order] for name in values))
    return found


def read_latency_bins(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, LatencyBins], str]:
    """The latencies of scoped rows by cell, and the SQL text that scanned."""
    found, text = read_latencies(catalog, rows)
    return {key: one.pooled() for key, one in found.items()}, text
