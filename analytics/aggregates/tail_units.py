"""Whose requests are the slowest: units by how many of theirs lie beyond a percentile of their version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.latency_bins import LatencyBins, read_latency_bins
from analytics.aggregates.moments import unit_expression
from analytics.aggregates.service_cells import with_limits
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

Counts = NDArray[np.int64]
SLOWEST = 0.99
ALONE = "(no unit)"


@dataclass(frozen=True)
class TailUnit:
    """One unit: its requests with a latency, and the slow ones among them.

    Attributes:
        asked: minutes in which it asked: its requests of one minute (the items of one answer) go together.
        waited: of these, with any slow request.
    """

    unit: str
    n: int
    n_slow: int
    asked: int
    waited: int


@dataclass(frozen=True)
class TailCell:
    """The units of one window and version.

    Attributes:
        limit: the latency beyond which a request is slow.
        units: those with most slow requests, the most first.
        asked, waited: minutes of a unit with requests and with slow ones, for every pair that occurs, shape (P,).
        n_units: how many units have so many, shape (P,).
        n_slow: slow requests of all these units, shape (P,).
    """

    limit: float
    units: tuple[TailUnit, ...]
    asked: Counts
    waited: Counts
    n_units: Counts
    n_slow: Counts


def read_tail(catalog: Catalog, rows: Sql, k: int) -> tuple[dict[CellKey, TailCell], str]:
    """Count slow requests by unit; sampling weights play no part: these are the requests that were logged.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        k: units to name in each cell.

    Returns:
        The units of every cell with latencies, and the SQL text that scanned.
    """
    columns = "window_key, block_key, version, segment, file, row, ts, unit, weight, latency"
    with catalog.engine.kept(Sql(f"SELECT {columns} FROM ({rows.text})", rows.parameters)) as held:
        bins, _ = read_latency_bins(catalog, held)
        cells, text = _count(catalog, held, bins, k)
    return cells, text.replace(held.text, rows.text)


def _count(
    catalog: Catalog, rows: Sql, bins: Mapping[CellKey, LatencyBins], k: int
) -> tuple[dict[CellKey, TailCell], str]:
    joined, limits = with_limits(rows, bins, (SLOWEST,))
    slow = f"latency > limit_{round(SLOWEST * 100)}"
    moments = (
        f"SELECT {KEYS}, {unit_expression()} AS who, min(unit) AS unit, count(*) AS n, "
        f"count(*) FILTER (WHERE {slow}) AS n_slow FROM ({joined.text}) WHERE latency IS NOT NULL AND weight > 0e0 "
        f"GROUP BY {KEYS}, {unit_expression()}, date_trunc('minute', ts AT TIME ZONE 'UTC')"
    )
    units = (
        f"SELECT {KEYS}, min(unit) AS unit, CAST(sum(n) AS BIGINT) AS n, CAST(sum(n_slow) AS BIGINT) AS n_slow, "
        f"count(*) AS asked, count(*) FILTER (WHERE n_slow > 0) AS waited FROM ({moments}) GROUP BY {KEYS}, who"
    )
    order = f"row_number() OVER (PARTITION BY {KEYS} ORDER BY n_slow DESC, n, unit)"
    first = (
        f"SELECT {KEYS}, coalesce(unit, {literal(ALONE)}) AS unit, n, n_slow, asked, waited FROM "
        f"(SELECT *, {order} AS place FROM ({units})) WHERE place <= {int(k)} AND n_slow > 0 ORDER BY place"
    )
    alike = (
        f"SELECT {KEYS}, asked, waited, count(*) AS n_units, CAST(sum(n_slow) AS BIGINT) AS n_slow "
        f"FROM ({units}) GROUP BY {KEYS}, asked, waited ORDER BY asked, waited"
    )
    named, counted = (
        catalog.engine.query(Sql(text, joined.parameters), tables={"limits": limits})
        for text in (first, alike)
    )
    worst: dict[CellKey, tuple[TailUnit, ...]] = {}
    for key, index in group(named).rows.items():
        found = named.take(pa.array(index)).to_pylist()
        worst[key] = tuple(
            TailUnit(row["unit"], row["n"], row["n_slow"], row["asked"], row["waited"]) for row in found
        )
    names = ("asked", "waited", "n_units", "n_slow")
    values = {name: column(counted, name).astype(np.int64) for name in names}
    cells = {
        key: TailCell(
            bins[key].quantile(SLOWEST), worst.get(key, ()), *(values[name][index] for name in names)
        )
        for key, index in group(counted).rows.items()
    }
    return cells, units
