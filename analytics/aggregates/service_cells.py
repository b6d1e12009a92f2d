"""Requests, failures and slow answers by window, version and segment value, with what their intervals need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from analytics.aggregates.event_cells import failed
from analytics.aggregates.keys import CellKey, key_columns
from analytics.aggregates.latency_bins import LatencyBins, read_latency_bins
from analytics.aggregates.moments import RowMoments, Statistic, read_row_moments
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

PERCENTILES = (0.5, 0.95, 0.99)
MOST_KINDS = 8
"""Kinds of failure that are told apart, the most frequent first; the rest are one."""
OTHER_KINDS = "(other)"


@dataclass(frozen=True)
class ServiceCell:
    """One window, version and segment value.

    Attributes:
        moments: sums of ``requests``, ``failed``, ``timed``, ``above_50`` … and ``kind_0`` …
        latency: None where no row has any.
    """

    moments: RowMoments
    latency: LatencyBins | None


@dataclass(frozen=True)
class ServiceCells:
    """All cells with rows, the kinds of failure, and the SQL texts that scanned."""

    cells: dict[CellKey, ServiceCell]
    kinds: tuple[str, ...]
    sql: tuple[str, ...]


def read_service_cells(catalog: Catalog, rows: Sql, *, kinds: bool = True) -> ServiceCells:
    """Read scoped rows.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        kinds: whether to tell kinds of failure apart.
    """
    columns = (
        "window_key, block_key, version, segment, file, row, unit, CASE WHEN weight > 0e0 THEN weight ELSE 0e0 END "
        "AS weight, latency, status"
    )
    with catalog.engine.kept(Sql(f"SELECT {columns} FROM ({rows.text})", rows.parameters)) as kept:
        bins, bins_sql = read_latency_bins(catalog, kept)
        names = _kinds(catalog, kept) if kinds else ()
        moments, sums_sql = _moments(catalog, kept, bins, names)
    cells = {key: ServiceCell(moment, bins.get(key)) for key, moment in moments.items()}
    return ServiceCells(
        cells, names, tuple(text.replace(kept.text, rows.text) for text in (sums_sql, bins_sql))
    )


def _kinds(catalog: Catalog, rows: Sql) -> tuple[str, ...]:
    """The kinds of failure, the most frequent first."""
    if not catalog.predictions.ok_status:
        return ()
    text = (
        f"SELECT status, count(*) AS n FROM ({rows.text}) WHERE {failed(catalog)} = 1e0 "
        f"GROUP BY status ORDER BY n DESC, status LIMIT {MOST_KINDS + 1}"
    )
    names = [row["status"] for row in catalog.engine.query(Sql(text, rows.parameters)).to_pylist()]
    return (*names[: MOST_KINDS - 1], OTHER_KINDS) if len(names) > MOST_KINDS else tuple(names)


def above(probability: float) -> str:
    """Name of the statistic that counts rows slower than a percentile.

    >>> above(0.99)
    'above_99'
    """
    return f"above_{round(probability * 100)}"


def _moments(
    catalog: Catalog, rows: Sql, bins: Mapping[CellKey, LatencyBins], kinds: Sequence[str]
) -> tuple[dict[CellKey, RowMoments], str]:
    counted = "weight > 0e0"
    statistics = [Statistic("requests", f"CASE WHEN {counted} THEN 1e0 ELSE 0e0 END")]
    together: list[tuple[str, ...]] = [("requests",)]
    if catalog.predictions.ok_status:
        statistics.append(Statistic("failed", f"CASE WHEN {counted} THEN {failed(catalog)} ELSE 0e0 END"))
        together.append(("requests", "failed"))
    for place, name in enumerate(kinds):
        named = ", ".join(literal(kind) for kind in kinds if kind != OTHER_KINDS)
        same = f"status = {literal(name)}" if name != OTHER_KINDS else f"status NOT IN ({named})"
        condition = f"{counted} AND {failed(catalog)} = 1e0 AND {same}"
        statistics.append(Statistic(f"kind_{place}", f"CASE WHEN {condition} THEN 1e0 ELSE 0e0 END"))
        together.append(("requests", f"kind_{place}"))
    if not bins:
        return read_row_moments(catalog, rows, statistics, together)
    statistics.append(
        Statistic("timed", f"CASE WHEN {counted} AND latency IS NOT NULL THEN 1e0 ELSE 0e0 END")
    )
    for share in PERCENTILES:
        limit = f"limit_{round(share * 100)}"
        statistics.append(
            Statistic(
                above(share),
                f"CASE WHEN {counted} AND latency > {limit} THEN 1e0 "
                f"WHEN {counted} AND latency = {limit} THEN 0.5e0 ELSE 0e0 END",
            )
        )
        together.append(("timed", above(share)))
    joined, limits = with_limits(rows, bins, PERCENTILES)
    return read_row_moments(catalog, joined, statistics, together, tables={"limits": limits})


def with_limits(
    rows: Sql, bins: Mapping[CellKey, LatencyBins], shares: Sequence[float]
) -> tuple[Sql, pa.Table]:
    """Rows beside the percentiles of their own cell, as ``limit_50`` …; the text reads the table ``limits``."""
    keys = list(bins)
    names = [f"limit_{round(share * 100)}" for share in shares]
    values = {
        name: pa.array([bins[key].quantile(share) for key in keys], pa.float64())
        for name, share in zip(names, shares, strict=True)
    }
    same = (
        "r.window_key = i.window_key AND coalesce(r.version, '') = i.version "
        "AND coalesce(r.segment, '') = i.segment"
    )
    items = ", ".join(f"i.{name} AS {name}" for name in names)
    text = f"SELECT r.*, {items} FROM ({rows.text}) AS r LEFT JOIN limits AS i ON {same}"
    return Sql(text, rows.parameters), pa.table({**key_columns(keys), **values})
