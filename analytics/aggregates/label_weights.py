"""Scoped rows whose labelled ones stand for those whose label is still to come, and what missing labels could be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arrivals import bin_sql
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql, literal
from analytics.project import Predictions
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]
BY_DECISION_AND_LABEL = (
    "concat(coalesce(CAST(decision AS VARCHAR), ''), '|', coalesce(CAST(label AS VARCHAR), ''))"
)
BY_DECISION = "concat(coalesce(CAST(decision AS VARCHAR), ''), '|')"
LEAST_ARRIVED = 0.2
"""Rows whose label had a smaller chance of being there are left out: a handful would stand for everybody."""


@dataclass(frozen=True)
class Arrived:
    """The probability that a label had come, of one window, version, stratum and bin of age."""

    window: datetime
    version: str | None
    stratum: str
    age: int
    share: float


def probability_table(arrived: Iterable[Arrived]) -> Sql:
    """Probabilities as a table of constants, to be held in memory."""
    lines = ", ".join(
        f"(TIMESTAMP {literal(str(one.window))}, {literal(one.version or '')}, {literal(one.stratum)}, "
        f"{one.age}, {literal(float(one.share))})"
        for one in arrived
    )
    return Sql(
        f"SELECT * FROM (VALUES {lines}) AS given(for_window, for_version, for_stratum, for_age, arrived)"
    )


def weighted_rows(
    catalog: Catalog,
    rows: Sql,
    known_at: datetime,
    stratum: str,
    probabilities: Sql,
    windows: Sequence[datetime],
) -> Sql:
    """Scoped rows of some windows, a labelled one's weight divided by the probability that its label had come.

    Labelled rows whose probability is below `LEAST_ARRIVED` are left out; 0 says that an age is left out whole.
    """
    keys = ", ".join(f"TIMESTAMP {literal(str(window))}" for window in windows)
    kept = ", ".join(
        ("window_key", "block_key", "version", "segment", "file", "row", "unit", "scored", "label", "decision",
         *_scores(catalog.predictions))
    )  # fmt: skip
    age = "greatest(CAST(epoch(CAST($weighted_at AS TIMESTAMP WITH TIME ZONE)) - epoch(ts) AS DOUBLE), 0e0)"
    aged = (
        f"SELECT {kept}, weight AS own_weight, {stratum} AS stratum, {bin_sql(age)} AS age_bin "
        f"FROM ({rows.text}) WHERE window_key IN ({keys})"
    )
    text = (
        f"SELECT {kept}, CASE WHEN label IS NULL THEN own_weight "
        "ELSE own_weight / nullif(coalesce(arrived, 1e0), 0e0) END AS weight "
        f"FROM ({aged}) AS r LEFT JOIN ({probabilities.text}) AS p ON r.window_key = p.for_window "
        "AND coalesce(r.version, '') = p.for_version AND r.stratum = p.for_stratum AND r.age_bin = p.for_age "
        f"WHERE label IS NULL OR coalesce(arrived, 1e0) >= {literal(LEAST_ARRIVED)}"
    )
    return Sql(text, {**rows.parameters, **probabilities.parameters, "weighted_at": known_at})


def _scores(predictions: Predictions) -> list[str]:
    return [score_column(name) for name in predictions.classes] or ["score"]


@dataclass(frozen=True)
class Missing:
    """Weights of the scored rows of a binary cell by label (0, 1, missing) and decision (0, 1).

    Attributes:
        weights: shape (3, 2).
        positive: weight of rows labelled positive, whatever the decision; ``missing`` of those without a label.
        loss: log loss summed over labelled rows; ``least`` and ``most`` over missing ones at their best and worst.
        scored: weight of all scored rows.
    """

    weights: Floats
    positive: float
    missing: float
    loss: float
    least: float
    most: float
    scored: float


def read_missing(catalog: Catalog, rows: Sql) -> dict[CellKey, Missing]:
    """What is labelled and what is not, of every cell of a binary task."""
    score = "greatest(least(score, 1e0 - 2.22e-16), 2.22e-16)"
    yes, no = f"-ln({score})", f"-ln(1e0 - {score})"
    cells = {
        f"w{place}{decided}": f"CASE WHEN {condition} AND decision = {decided} THEN weight ELSE 0e0 END"
        for place, condition in enumerate(("label = 0", "label = 1", "label IS NULL"))
        for decided in (0, 1)
    }
    picks = cells | {
        "loss": f"CASE WHEN label = 1 THEN weight * {yes} WHEN label = 0 THEN weight * {no} ELSE 0e0 END",
        "least": f"CASE WHEN label IS NULL THEN weight * least({yes}, {no}) ELSE 0e0 END",
        "most": f"CASE WHEN label IS NULL THEN weight * greatest({yes}, {no}) ELSE 0e0 END",
        "scored": "weight",
        "l1": "CASE WHEN label = 1 THEN weight ELSE 0e0 END",
        "missing": "CASE WHEN label IS NULL THEN weight ELSE 0e0 END",
    }
    picked = ", ".join(f"sum({expression}) AS {name}" for name, expression in picks.items())
    text = f"SELECT {KEYS}, {picked} FROM ({rows.text}) WHERE scored GROUP BY {KEYS}"
    table = catalog.engine.query(Sql(text, rows.parameters))
    values = {name: column(table, name) for name in picks}
    found = {}
    for key, (row,) in group(table).rows.items():
        weights = [[values[f"w{place}{decided}"][row] for decided in (0, 1)] for place in range(3)]
        sums = [float(values[name][row]) for name in ("l1", "missing", "loss", "least", "most", "scored")]
        found[key] = Missing(np.array(weights), *sums)
    return found
