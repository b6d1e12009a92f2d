"""Scoped rows grouped by decision or by score, to see which of them get a label."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from analytics.aggregates.moments import Statistic
from analytics.engines.text import Sql, literal
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog, Segment
from analytics.telemetry.rows import segment_expression

By = Literal["decision", "score"]
TENTHS = tuple(k / 10 for k in range(1, 10))

EARLY_LATE = (
    ("early", "delay < $middle"),
    ("late", "delay >= $middle"),
)


def grouped_rows(catalog: Catalog, rows: Sql, by: By, until: datetime | None, score: str = "score") -> Sql:
    """Scoped rows made until then, whose ``segment`` is the decision or the bin of the score.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        by: what to group by.
        until: younger rows are left out; None takes all.
        score: SQL of the score to cut, into tenths (a regression's prediction at its deciles).
    """
    value = f"coalesce(CAST(decision AS VARCHAR), {literal(MISSING)})"
    if by == "score":
        value = _score_bin(catalog, rows, score)
    parameters = dict(rows.parameters)
    old = ""
    if until is not None:
        parameters["grouped_until"] = until
        old = " WHERE ts <= CAST($grouped_until AS TIMESTAMP WITH TIME ZONE)"
    text = (
        f"SELECT window_key, block_key, version, {value} AS segment, weight, unit, file, row, label "
        f"FROM ({rows.text}){old}"
    )
    return Sql(text, parameters)


def _score_bin(catalog: Catalog, rows: Sql, score: str) -> str:
    if catalog.predictions.task == "regression":
        edges = _deciles(catalog, rows)
        shown = segment_expression(Segment("score", "score", edges=edges))
    else:
        shown = segment_expression(Segment("score", score, edges=TENTHS))
    return f"CASE WHEN scored THEN {shown} ELSE {literal(MISSING)} END"


def _deciles(catalog: Catalog, rows: Sql) -> tuple[float, ...]:
    picked = ", ".join(
        f"max(CASE WHEN place = ceil({k}e-1 * many) THEN score END) AS d{k}" for k in range(1, 10)
    )
    text = (
        f"SELECT {picked} FROM (SELECT score, row_number() OVER (ORDER BY score) AS place, count(*) OVER () AS many "
        f"FROM ({rows.text}) WHERE scored)"
    )
    row = catalog.engine.query(Sql(text, rows.parameters)).to_pylist()[0]
    return tuple(sorted({float(value) for value in row.values() if value is not None}))


def early_late_statistics(*, numeric: bool) -> tuple[Statistic, ...]:
    """Rows and label sums of labels that came sooner than ``$middle`` seconds, and of the others."""
    if not numeric:
        return ()
    return tuple(
        statistic
        for name, condition in EARLY_LATE
        for statistic in (
            Statistic(f"{name}_rows", f"CASE WHEN {condition} THEN 1e0 ELSE 0e0 END"),
            Statistic(f"{name}_labels", f"CASE WHEN {condition} THEN CAST(label AS DOUBLE) ELSE 0e0 END"),
        )
    )


def early_late_rows(followed: Sql, middle: float, least_age: float) -> Sql:
    """Labelled rows old enough for nearly every label to have come."""
    old = "delay IS NOT NULL AND label IS NOT NULL AND age >= $least_age"
    text = f"SELECT * FROM ({followed.text}) WHERE inside AND {old}"
    return Sql(text, {**followed.parameters, "middle": middle, "least_age": least_age})
