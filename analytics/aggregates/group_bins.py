"""Rows of one field by bin, in every window, version and group: what a distribution is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.groups import Grouping
from analytics.aggregates.keys import CellKey, column, group
from analytics.aggregates.reference_bins import MAX_DOUBLE, ReferenceBins, counted_rows, of_version
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BinCounts:
    """One field of one cell, bins in the order of its `ReferenceBins`; values that are not listed are ``(other)``.

    Attributes:
        n: rows.
        weights: sum of weights by bin.
    """

    n: int
    weights: Floats


def read_group_bins(
    catalog: Catalog, grouping: Grouping, item: ReferenceBins, version: str | None
) -> tuple[Mapping[CellKey, BinCounts], str]:
    """Count the rows of one version on the bins of one field, by window and group.

    Args:
        catalog: the project's views.
        grouping: scoped rows and what they are split by.
        item: bins of which nothing is unseen.
        version: whose rows.
    """
    own = of_version(version, "counted_version")
    labelled = f" AND {item.field.expression} IS NOT NULL" if item.field.role == "label" else ""
    lookup, code = _code(item)
    text = (
        f"SELECT window_key, version, segment, {code} AS code, count(*) AS n, sum(weight) AS held FROM "
        f"(SELECT window_key, version, {grouping.expression} AS segment, weight, {item.field.expression} AS value "
        f"FROM ({grouping.rows.text}) WHERE {own.text} AND {counted_rows(catalog)}{labelled}) AS r {lookup.text} "
        "GROUP BY 1, 2, 3, 4"
    )
    table = catalog.engine.query(Sql(text, grouping.rows.parameters | own.parameters | lookup.parameters))
    codes, n, held = (column(table, name) for name in ("code", "n", "held"))
    found = {}
    for key, rows in group(table).rows.items():
        weights = np.zeros(item.size)
        weights[codes[rows].astype(np.int64)] = held[rows]
        found[key] = BinCounts(int(n[rows].sum()), weights)
    return found, text


def _code(item: ReferenceBins) -> tuple[Sql, str]:
    """The join that names a value's bin, if one is needed, and the bin's place."""
    last = item.n_values
    if item.is_numeric:
        steps = (
            " + ".join(f"CASE WHEN value >= {literal(edge)} THEN 1 ELSE 0 END" for edge in item.edges) or "0"
        )
        return Sql(""), (
            f"CASE WHEN value IS NULL OR isnan(value) THEN {last} WHEN value > {literal(MAX_DOUBLE)} THEN {last + 1} "
            f"WHEN value < {literal(-MAX_DOUBLE)} THEN {last + 2} ELSE {steps} END"
        )
    other = f"CASE WHEN value IS NULL THEN {last} ELSE {last - 1} END"
    if not item.categories:
        return Sql(""), other
    names = {f"bin_{place}": name for place, name in enumerate(item.categories)}
    values = ", ".join(f"(${name}, {place})" for place, name in enumerate(names))
    return (
        Sql(f"LEFT JOIN (VALUES {values}) AS m(name, place) ON m.name = r.value", names),
        f"CASE WHEN m.place IS NOT NULL THEN m.place ELSE {other} END",
    )
