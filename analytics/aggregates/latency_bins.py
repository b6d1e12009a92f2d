"""How long answers took: counts on edges 5 % apart that are the same for every project and for ever.

Each bin keeps its smallest and largest latency besides, so that a bin with one value is exact. Bins add over hours,
files and machines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

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


def read_latency_bins(catalog: Catalog, rows: Sql) -> tuple[dict[CellKey, LatencyBins], str]:
    """The latencies of scoped rows by cell, and the SQL text that scanned."""
    place = bin_expression("latency", latency_edges())
    text = (
        f"SELECT {KEYS}, place, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, "
        f"min(latency) AS low, max(latency) AS high FROM (SELECT {KEYS}, weight, latency, {place} AS place "
        f"FROM ({rows.text}) WHERE latency IS NOT NULL AND weight > 0e0) GROUP BY {KEYS}, place"
    )
    table = catalog.engine.query(Sql(text, rows.parameters))
    values = {name: column(table, name) for name in ("place", "n", "w", "w2", "low", "high")}
    found = {}
    for key, index in group(table).rows.items():
        order = index[np.argsort(values["place"][index])]
        found[key] = LatencyBins(
            values["place"][order].astype(np.int64),
            *(values[name][order] for name in ("n", "w", "w2", "low", "high")),
        )
    return found, text
