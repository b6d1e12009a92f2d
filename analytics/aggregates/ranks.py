"""Order statistics by cumulated weight: the median absolute error and the errors around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analytics.aggregates.keys import KEYS, CellKey, column, group, key_columns
from analytics.aggregates.moments import RowMoments, Statistic, read_row_moments
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

_SAME = (
    "r.window_key = i.window_key AND coalesce(r.version, '') = i.version "
    "AND coalesce(r.segment, '') = i.segment"
)
_LABELLED = "scored AND label IS NOT NULL"
ABOVE = (
    Statistic("labelled", f"CASE WHEN {_LABELLED} THEN 1e0 ELSE 0e0 END"),
    Statistic(
        "above",
        f"CASE WHEN {_LABELLED} THEN CASE WHEN abs(score - label) > median THEN 1e0 "
        "WHEN abs(score - label) = median THEN 0.5e0 ELSE 0e0 END ELSE 0e0 END",
    ),
)


@dataclass(frozen=True)
class MedianError:
    """The median absolute error of one cell and the order statistics around it."""

    value: float
    low: float
    high: float


def read_medians(catalog: Catalog, rows: Sql) -> dict[CellKey, float]:
    """The weighted median of ``abs(score - label)`` by cell.

    Without weights it is the mean of the two middle errors, as in scikit-learn.
    """
    sql = Sql(f"SELECT {KEYS}, {_middles()} FROM ({_ordered(rows)}) AS r GROUP BY {KEYS}", rows.parameters)
    table = catalog.engine.query(sql)
    lower, upper = column(table, "lower_middle"), column(table, "upper_middle")
    middle = (lower + upper) / 2.0
    return {key: float(middle[index[0]]) for key, index in group(table).rows.items()}


def read_above_median(
    catalog: Catalog, rows: Sql, medians: Mapping[CellKey, float]
) -> dict[CellKey, RowMoments]:
    """How many rows lie above their cell's median error, by block and unit: how well the median is known."""
    keys = list(medians)
    table = pa.table({**key_columns(keys), "median": pa.array([medians[key] for key in keys], pa.float64())})
    joined = Sql(
        f"SELECT r.*, i.median AS median FROM ({rows.text}) AS r JOIN medians AS i ON {_SAME}",
        rows.parameters,
    )
    moments, _ = read_row_moments(catalog, joined, ABOVE, (("labelled", "above"),), tables={"medians": table})
    return moments


def read_median_errors(
    catalog: Catalog, rows: Sql, reach: Mapping[CellKey, float]
) -> tuple[dict[CellKey, MedianError], str]:
    """The median error with its distribution-free interval: the errors at cumulated shares 1/2 -+ reach.

    For independent rows of weight 1 and reach = z / (2 sqrt(n)) these are the normal form of the binomial ranks
    (Conover 1999, section 3.2); for rows that belong together the share below the true median varies more, and
    the reach with it (Woodruff, JASA 47, 1952).

    Args:
        catalog: the project's views.
        rows: scoped rows.
        reach: cell -> standard error of the share above the median, times the quantile of the confidence.
    """
    keys = list(reach)
    reaches = pa.table({**key_columns(keys), "reach": pa.array([reach[key] for key in keys], pa.float64())})
    sql = Sql(
        f"SELECT {KEYS}, {_middles()}, "
        "max(error) FILTER (WHERE (below - weight) / total <= 0.5e0 - reach) AS low, "
        "min(error) FILTER (WHERE below / total >= 0.5e0 + reach) AS high, "
        "min(error) AS least, max(error) AS most "
        f"FROM (SELECT r.*, i.reach AS reach FROM ({_ordered(rows)}) AS r JOIN reaches AS i ON {_SAME}) "
        f"GROUP BY {KEYS}",
        rows.parameters,
    )
    table = catalog.engine.query(sql, tables={"reaches": reaches})
    names = ("lower_middle", "upper_middle", "low", "high", "least", "most")
    values = {name: column(table, name) for name in names}
    answers = {}
    for key, index in group(table).rows.items():
        one = {name: float(values[name][index[0]]) for name in names}
        value = (one["lower_middle"] + one["upper_middle"]) / 2.0
        low = one["least"] if np.isnan(one["low"]) else one["low"]
        high = one["most"] if np.isnan(one["high"]) else one["high"]
        answers[key] = MedianError(value, min(low, value), max(high, value))
    return answers, sql.text


def _middles() -> str:
    # 1e-9: cumulated weights of equal rows may miss the half by rounding
    return (
        "min(error) FILTER (WHERE below / total >= 0.5e0 - 1e-9) AS lower_middle, "
        "min(error) FILTER (WHERE below / total > 0.5e0 + 1e-9) AS upper_middle"
    )


def _ordered(rows: Sql) -> str:
    return (
        f"SELECT {KEYS}, abs(score - label) AS error, weight, "
        f"sum(weight) OVER (PARTITION BY {KEYS} ORDER BY abs(score - label), file, row "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS below, "
        f"sum(weight) OVER (PARTITION BY {KEYS}) AS total FROM ({rows.text}) WHERE {_LABELLED}"
    )
