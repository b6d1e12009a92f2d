"""Rows and rows in which one field is missing, for its missing share in many windows at once."""

from __future__ import annotations

from analytics.aggregates.keys import CellKey
from analytics.aggregates.moments import RowMoments, Statistic, read_row_moments
from analytics.aggregates.reference_bins import Field, counted_rows
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog


def read_missing(catalog: Catalog, rows: Sql, field: Field) -> dict[CellKey, RowMoments]:
    """Sums of ``rows`` and ``missing`` by cell, of the rows that drift counts.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        field: of the predictions.
    """
    gone = f"{field.expression} IS NULL"
    if field.kind == "numeric":
        gone += f" OR isnan({field.expression})"
    columns = (
        "window_key, block_key, version, segment, file, row, unit, weight, "
        f"CASE WHEN {gone} THEN 1e0 ELSE 0e0 END AS gone"
    )
    text = f"SELECT {columns} FROM ({rows.text}) WHERE {counted_rows(catalog)}"
    statistics = (Statistic("rows", "1e0"), Statistic("missing", "gone"))
    with catalog.engine.kept(Sql(text, rows.parameters)) as kept:
        moments, _ = read_row_moments(catalog, kept, statistics, (("rows", "missing"),))
    return moments
