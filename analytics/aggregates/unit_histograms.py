"""How the values of units are distributed in each arm, and the values themselves where they are few."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import Floats, Split, UnitValues
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import column
from analytics.aggregates.readings import Wanted
from analytics.aggregates.unit_table import UnitTable, quantiles
from analytics.project import SHARES

MOST_VALUES = 100_000
"""Units of an arm whose values are read; of more, those whose hashed names come first."""
BINS = 40
TAIL = 0.005
"""Share of units beyond each outer edge of a histogram."""


def shown(wanted: Wanted, raw: Mapping[str, str]) -> str:
    """A unit's own value, as its distribution is drawn."""
    if wanted.metric.kind == "ratio":
        quotient = f"({raw['numerator']} / nullif({raw['denominator']}, 0e0))"
        return f"CASE WHEN isfinite({quotient}) THEN {quotient} END"
    return raw["value"]


def read_edges(table: UnitTable, wanted: Wanted, raw: Mapping[str, str], present: str) -> Floats:
    """Inner edges of the bins: equal steps over all but the tails; few whole numbers have a bin each."""
    if wanted.metric.kind in SHARES:
        return np.array([0.5])
    value = shown(wanted, raw)
    low, high = quantiles(table, value, (TAIL, 1 - TAIL), present)
    if low is None or high is None:
        return np.zeros(0)
    whole = table.row(
        f"SELECT bool_and({value} = floor({value})) AS whole FROM ({table.units.text}) WHERE {present}"
    )["whole"]
    if whole and high - low < BINS:
        return np.arange(low, high + 1) + 0.5 if high > low else np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, BINS + 1) if high > low else np.array([low])


def read_bins(
    table: UnitTable, wanted: Wanted, raw: Mapping[str, str], present: str, edges: Floats
) -> dict[str, NDArray[np.int64]]:
    """Arm -> units by bin."""
    counts = {name: np.zeros(len(edges) + 1, np.int64) for name in table.reading.variants}
    if not len(edges):
        return {}
    rows = table.query(
        f"SELECT variant, {bin_expression('value', edges)} AS bin, count(*) AS n FROM ("
        f"SELECT variant, {shown(wanted, raw)} AS value FROM ({table.units.text}) WHERE {present}) "
        "WHERE value IS NOT NULL GROUP BY 1, 2"
    ).to_pylist()
    for row in rows:
        counts[row["variant"]][row["bin"]] = row["n"]
    return counts


def read_values(table: UnitTable, columns: Mapping[str, str], present: str, split: Split) -> UnitValues:
    """The values of single units, a sample of those of a large arm."""
    items = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    # hashed names are in no order that has to do with values, and in the same one each time
    place = "row_number() OVER (PARTITION BY variant ORDER BY md5(CAST(unit AS VARCHAR))) AS place"
    found = table.query(
        f"SELECT * FROM (SELECT variant, {items}, {place} FROM ({table.units.text}) WHERE {present}) "
        f"WHERE place <= {MOST_VALUES} ORDER BY variant, place"
    )
    return UnitValues(
        np.array(found.column("variant").to_pylist(), dtype=np.str_),
        np.column_stack([column(found, f"c{i}") for i in range(len(columns))]),
        sum(split.n.values()),
    )
