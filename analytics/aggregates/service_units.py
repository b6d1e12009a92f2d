"""Requests, failures and latencies by random group of units: what intervals of a service need where units go together.

See `analytics.aggregates.unit_groups`. Kept by day: shorter stretches read the few rows they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_stored
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.event_cells import failed
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.latency_bins import BlockedLatencies, latency_edges
from analytics.aggregates.unit_groups import GROUPS, are_many, centred, group_codes, unit_group
from analytics.engines.text import Sql
from analytics.stats.arrays import as_floats
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
TOGETHER = 3
"""Bins of latencies that are one by group: 16 % wide."""


class UnitMoments(TypedDict):
    """Of `analytics.aggregates.moments.RowMoments`, what groups of units tell."""

    unit_products: Floats
    n_units: Floats


def unit_service_parts(catalog: Catalog) -> Iterator[Additive]:
    """Requests by group and kind of failure; and latencies by group and bin, where they are logged."""
    yield _requests(catalog)
    if catalog.predictions.latency is not None:
        yield _latencies()


def _requests(catalog: Catalog) -> Additive:
    is_failed = f"{failed(catalog)} = 1e0" if catalog.predictions.ok_status else "FALSE"

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, unit_group, kind"
        text = (
            f"SELECT {keys}, count(*) AS n, sum(weight) AS w "
            f"FROM (SELECT {KEYS}, {unit_group()} AS unit_group, weight, "
            f"CASE WHEN {is_failed} THEN status END AS kind FROM ({rows.text}) WHERE weight > 0e0) GROUP BY {keys}"
        )
        return Sql(text, rows.parameters)

    return Additive("unit requests", query, ("n", "w"), labelled=False)


def _latencies() -> Additive:
    place = bin_expression("latency", latency_edges()[TOGETHER - 1 :: TOGETHER])

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, unit_group, place"
        text = (
            f"SELECT {keys}, count(*) AS n, sum(weight) AS w "
            f"FROM (SELECT {KEYS}, {unit_group()} AS unit_group, weight, "
            f"{place} AS place FROM ({rows.text}) WHERE latency IS NOT NULL AND weight > 0e0) GROUP BY {keys}"
        )
        return Sql(text, rows.parameters)

    return Additive("unit latency", query, ("n", "w"), labelled=False)


def stored_requests(catalog: Catalog, rows: Sql) -> pa.Table | None:
    """Requests by cell, group and kind of failure; None where there are no parts, or rows or units are few."""
    stored = read_stored(catalog, rows, _requests(catalog))
    return None if stored is None or not are_many(stored[0]) else stored[0]


def request_sums(table: pa.Table, kinds: Sequence[Sequence[str]] | None) -> dict[CellKey, Floats]:
    """Weights of requests, of failed ones and of those of some kinds, by group, shape (`GROUPS`, 1 or 2 + kinds).

    Args:
        table: of `stored_requests`.
        kinds: names of failures that are counted together; None where no failure is known.
    """
    codes, weight = group_codes(table), column(table, "w")
    kind = np.array(table.column("kind").to_pylist(), dtype=object)
    flags = [np.ones(table.num_rows)]
    if kinds is not None:
        flags.append(np.array([one is not None for one in kind], dtype=np.float64))
        flags += [np.isin(kind.astype(str), list(names)) * flags[1] for names in kinds]
    return {
        key: np.stack([np.bincount(codes[index], (flag * weight)[index], GROUPS) for flag in flags], axis=1)
        for key, index in group(table).rows.items()
    }


def beyond_sums(
    catalog: Catalog, rows: Sql, latencies: Mapping[CellKey, BlockedLatencies], shares: Sequence[float]
) -> dict[CellKey, tuple[Floats, Floats]] | None:
    """Weights of timed requests and of those beyond each percentile of their cell, by group; None where not stored.

    Of a group's requests in the bin that holds a percentile as many are beyond it as of all; which of them are is taken
    as independent between rows.

    Returns:
        Cell -> the sums, shape (`GROUPS`, 1 + shares), and what is missing of their squares, shape (1 + shares,).
    """
    stored = read_stored(catalog, rows, _latencies())
    if stored is None:
        return None
    codes = group_codes(stored[0])
    place, weight = column(stored[0], "place").astype(np.int64), column(stored[0], "w")
    found = {}
    for key, index in group(stored[0]).rows.items():
        one = latencies[key]
        bins = one.place // TOGETHER
        size = max(int(bins.max()), int(place[index].max())) + 1
        whole, squares = np.bincount(bins, one.weight, size), np.bincount(bins, one.squares, size)
        sums, within = [np.bincount(codes[index], weight[index], GROUPS)], [0.0]
        for share in shares:
            above = np.bincount(bins, one.weight * one.beyond(one.pooled().quantile(share)), size)
            above = np.divide(above, whole, out=np.zeros(size), where=whole > 0)
            sums.append(np.bincount(codes[index], weight[index] * above[place[index]], GROUPS))
            within.append(float((squares * above * (1.0 - above)).sum()))
        found[key] = as_floats(np.stack(sums, axis=1)), np.array(within)
    return found


def moments_of(sums: Floats, within: Floats) -> UnitMoments:
    """Products of the groups' sums, and the groups behind each."""
    products = centred(sums).T @ centred(sums) + np.diag(within)
    return UnitMoments(unit_products=products, n_units=(sums != 0.0).sum(axis=0).astype(np.float64))
