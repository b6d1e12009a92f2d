"""Order statistics by row_number: the median absolute error with the ranks of its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from analytics.aggregates.keys import KEYS, CellKey, column, group, key_columns
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog


@dataclass(frozen=True)
class MedianError:
    """The median absolute error of one cell and the order statistics around it."""

    value: float
    low: float
    high: float


def read_median_errors(
    catalog: Catalog, rows: Sql, confidence: float, effects: Mapping[CellKey, float]
) -> tuple[dict[CellKey, MedianError], str]:
    """The median of ``abs(score - label)`` by cell, weighted, with its distribution-free interval.

    The interval runs between the errors at cumulated shares 1/2 -+ z / (2 sqrt(n)), n being Kish's size over the
    design effect (the normal form of the binomial ranks; Conover 1999, section 3.2). Without weights the median is the
    mean of the two middle errors, as in scikit-learn.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        confidence: of the interval.
        effects: cell -> by how much rows that belong together inflate a variance.
    """
    z = float(ndtri((1.0 + confidence) / 2.0))
    ordered = (
        f"SELECT {KEYS}, abs(score - label) AS error, "
        f"sum(weight) OVER (PARTITION BY {KEYS} ORDER BY abs(score - label), file, row "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS below, "
        f"sum(weight) OVER (PARTITION BY {KEYS}) AS total, "
        f"sum(weight * weight) OVER (PARTITION BY {KEYS}) AS squares, weight "
        f"FROM ({rows.text}) WHERE scored AND label IS NOT NULL"
    )
    keys = list(effects)
    inflated = pa.table(
        {**key_columns(keys), "reach": pa.array([z * effects[key] ** 0.5 for key in keys], pa.float64())}
    )
    half = "reach * sqrt(squares) / (2e0 * total)"
    same = "r.window_key = i.window_key AND coalesce(r.version, '') = i.version AND coalesce(r.segment, '') = i.segment"
    sql = Sql(
        f"SELECT {KEYS}, "
        # 1e-9: cumulated weights of equal rows may miss the half by rounding
        "min(error) FILTER (WHERE below / total >= 0.5e0 - 1e-9) AS lower_middle, "
        "min(error) FILTER (WHERE below / total > 0.5e0 + 1e-9) AS upper_middle, "
        f"max(error) FILTER (WHERE (below - weight) / total <= 0.5e0 - {half}) AS low, "
        f"min(error) FILTER (WHERE below / total >= 0.5e0 + {half}) AS high, min(error) AS least, max(error) AS most "
        f"FROM (SELECT r.*, i.reach AS reach FROM ({ordered}) AS r JOIN inflated AS i ON {same}) GROUP BY {KEYS}",
        rows.parameters,
    )
    table = catalog.engine.query(sql, tables={"inflated": inflated})
    names = ("lower_middle", "upper_middle", "low", "high", "least", "most")
    values = {name: column(table, name) for name in names}
    answers = {}
    for key, index in group(table).rows.items():
        one = {name: float(values[name][index][0]) for name in names}
        value = (one["lower_middle"] + one["upper_middle"]) / 2.0
        low = one["least"] if np.isnan(one["low"]) else one["low"]
        high = one["most"] if np.isnan(one["high"]) else one["high"]
        answers[key] = MedianError(value, min(low, value), max(high, value))
    return answers, sql.text
