"""Ten equal-width score bins with mean score, mean label and the spread of their difference: calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.additive import Additive, read_added, read_stored
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.moments import weighs_one
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
    catalog: Catalog,
    rows: Sql,
    *,
    score: str = "score",
    positive: str = "label = 1",
    stored: Additive | None = None,
) -> tuple[dict[CellKey, ReliabilityBins], str]:
    """Sum scores and labels by tenth of the score: ``bin = min(floor(10 p), 9)``.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        score: SQL of the score.
        positive: SQL that says a label is the positive class.
        stored: the same sums, as a family of aggregates keeps them that shares its scans.
    """
    kept = read_stored(catalog, rows, stored) if stored is not None else None
    own = reliability_parts(score, positive, plain=weighs_one(catalog, rows))
    table, text = kept or read_added(catalog, rows, own)
    return _bins(table), text


def tenth_of_score(score: str) -> str:
    """SQL of the tenth a usable score lies in."""
    return f"CASE WHEN {score} >= 1e0 THEN 9 ELSE CAST(floor(10e0 * ({score})) AS INTEGER) END"


def reliability_parts(score: str, positive: str, *, plain: bool) -> Additive:
    """Sums over labelled rows by cell and tenth; without those of weights where every row weighs 1."""
    weight = "" if plain else "weight * "
    weights = "" if plain else "sum(weight) AS w, sum(weight * weight) AS w2, "

    def query(rows: Sql) -> Sql:
        return Sql(
            f"SELECT {KEYS}, tenth, count(*) AS n, {weights}"
            f"sum({weight}this_score) AS ws, sum({weight}is_positive) AS wl, "
            f"sum({weight}(is_positive - this_score) * (is_positive - this_score)) AS we2 "
            f"FROM (SELECT {KEYS}, weight, {score} AS this_score, "
            f"CASE WHEN {positive} THEN 1e0 ELSE 0e0 END AS is_positive, {tenth_of_score(score)} AS tenth "
            f"FROM ({rows.text}) WHERE scored AND label IS NOT NULL) GROUP BY {KEYS}, tenth",
            rows.parameters,
        )

    return Additive("reliability", query, reliability_sums(plain=plain))


def reliability_sums(*, plain: bool) -> tuple[str, ...]:
    """The columns that are summed."""
    return ("n", "ws", "wl", "we2") if plain else ("n", "w", "w2", "ws", "wl", "we2")


def _bins(table: pa.Table) -> dict[CellKey, ReliabilityBins]:
    names = ("n", "w", "w2", "ws", "wl", "we2")
    # rows that weigh 1 weigh what they count
    values = {name: column(table, name if name in table.column_names else "n") for name in ("tenth", *names)}
    # 10 p of a score just below 1 rounds up to 10; it belongs to the last bin
    tenth = np.minimum(values["tenth"].astype(np.int64), BINS - 1)
    answers = {}
    for key, index in group(table).rows.items():
        sums = {
            name: np.bincount(tenth[index], weights=values[name][index], minlength=BINS).astype(np.float64)
            for name in names
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
    return answers
