"""Ten equal-width score bins with mean score, mean label and the spread of their difference: calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql
from analytics.telemetry.catalog import Catalog

Floats = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class ReliabilityBins:
    """Labelled rows of one cell by tenth of the score, each array of shape (10,).

    Attributes:
        n: rows.
        w: sums of weights.
        w2: sums of squared weights.
        mean_score: weighted mean score; NaN in an empty bin.
        mean_label: weighted mean label; NaN in an empty bin.
        m2_error: weighted sum of squared deviations of label - score from its mean in the bin.
    """

    n: Floats
    w: Floats
    w2: Floats
    mean_score: Floats
    mean_label: Floats
    m2_error: Floats


def read_reliability(
    catalog: Catalog, rows: Sql, *, score: str = "score", positive: str = "label = 1"
) -> tuple[dict[CellKey, ReliabilityBins], str]:
    """Sum scores and labels by tenth of the score: ``bin = min(floor(10 p), 9)``."""
    sql = Sql(
        f"SELECT {KEYS}, tenth, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, "
        "sum(weight * this_score) AS ws, sum(weight * is_positive) AS wl, "
        "sum(weight * (is_positive - this_score) * (is_positive - this_score)) AS we2 "
        f"FROM (SELECT {KEYS}, weight, {score} AS this_score, "
        f"CASE WHEN {positive} THEN 1e0 ELSE 0e0 END AS is_positive, "
        f"CASE WHEN {score} >= 1e0 THEN 9 ELSE CAST(floor(10e0 * ({score})) AS INTEGER) END AS tenth "
        f"FROM ({rows.text}) WHERE scored AND label IS NOT NULL) GROUP BY {KEYS}, tenth",
        rows.parameters,
    )
    table = catalog.engine.query(sql)
    values = {name: column(table, name) for name in ("tenth", "n", "w", "w2", "ws", "wl", "we2")}
    # 10 p of a score just below 1 rounds up to 10; it belongs to the last bin
    tenth = np.minimum(values["tenth"].astype(np.int64), BINS - 1)
    answers = {}
    for key, index in group(table).rows.items():
        sums = {
            name: np.bincount(tenth[index], weights=values[name][index], minlength=BINS).astype(np.float64)
            for name in ("n", "w", "w2", "ws", "wl", "we2")
        }
        w = np.where(sums["w"] > 0, sums["w"], np.nan)
        mean_error = (sums["wl"] - sums["ws"]) / w
        answers[key] = ReliabilityBins(
            sums["n"],
            sums["w"],
            sums["w2"],
            sums["ws"] / w,
            sums["wl"] / w,
            np.maximum(sums["we2"] - sums["w"] * np.nan_to_num(mean_error) ** 2, 0.0),
        )
    return answers, sql.text
