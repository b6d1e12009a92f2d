"""Scoped rows grouped by decision or by score, to see which of them get a label."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np
import pyarrow as pa

from analytics.aggregates.additive import Additive, Standard, read_stored
from analytics.aggregates.keys import KEYS, CellKey, block_codes, column, group
from analytics.aggregates.moments import RowMoments, Statistic
from analytics.engines.text import Sql, literal
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog, Segment
from analytics.telemetry.rows import segment_expression
from analytics.telemetry.typed import score_column

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


def group_parts(catalog: Catalog) -> Additive:
    """Predictions and labelled ones by decision and by tenth of the score: no regression has these for ever."""
    decided, tenth = f"coalesce(CAST(decision AS VARCHAR), {literal(MISSING)})", _tenth(score_of(catalog))

    def query(rows: Sql) -> Sql:
        keys = f"{KEYS}, block_key, decided, tenth"
        text = (
            f"SELECT {keys}, count(*) AS n, CAST(sum(labelled) AS BIGINT) AS n_labelled, sum(weight) AS w, "
            "sum(weight * weight) AS w2, sum(weight * labelled) AS wl, sum(weight * weight * labelled) AS w2l "
            f"FROM (SELECT {KEYS}, block_key, {decided} AS decided, {tenth} AS tenth, weight, "
            f"CASE WHEN label IS NULL THEN 0 ELSE 1 END AS labelled FROM ({rows.text})) GROUP BY {keys}"
        )
        return Sql(text, rows.parameters)

    return Additive("label coverage", query, ("n", "n_labelled", "w", "w2", "wl", "w2l"))


def standard_groups(catalog: Catalog) -> tuple[Standard, ...]:
    """Who gets a label, of classifications."""
    asked = catalog.has_labels and catalog.predictions.task != "regression"
    return (Standard(group_parts(catalog)),) if asked else ()


def stored_groups(
    catalog: Catalog, rows: Sql, kinds: Sequence[By]
) -> tuple[dict[By, dict[CellKey, RowMoments]], str] | None:
    """Predictions and labelled ones of every group from stored parts; None where there are none, or units go together.

    Args:
        catalog: the project's views.
        rows: scoped rows, those that are old enough.
        kinds: what to group by.

    Returns:
        By kind of group the moments of `analytics.aggregates.arrivals.COVERAGE` with the group as ``segment``, and the
        SQL text that says what they are.
    """
    if catalog.predictions.unit is not None or catalog.predictions.task == "regression":
        return None
    stored = read_stored(catalog, rows, group_parts(catalog))
    if stored is None:
        return None
    table, text = stored
    return {kind: _by_group(table, {"decision": "decided", "score": "tenth"}[kind]) for kind in kinds}, text


def _by_group(table: pa.Table, name: str) -> dict[CellKey, RowMoments]:
    renamed = table.drop_columns(["segment"]).append_column("segment", table.column(name))
    names = ("n", "n_labelled", "w", "w2", "wl", "w2l")
    values, codes = {one: column(table, one) for one in names}, block_codes(table)
    found = {}
    for key, rows in group(renamed).rows.items():
        mine = {one: values[one][rows] for one in names}
        blocks, block = np.unique(codes[rows], return_inverse=True)
        sums = [np.bincount(block, mine[one], len(blocks)) for one in ("w", "wl")]
        whole, part = mine["w2"].sum(), mine["w2l"].sum()
        n = mine["n"].sum()
        found[key] = RowMoments(
            ("rows", "labelled"), int(n), np.array([n, mine["n_labelled"].sum()]), blocks,
            np.stack(sums, axis=1).astype(np.float64), np.array([[whole, part], [part, part]]),
        )  # fmt: skip
    return found


def score_of(catalog: Catalog) -> str:
    """SQL of the score whose tenths are looked at."""
    section = catalog.predictions
    if section.task != "multiclass":
        return "score"
    return f"greatest({', '.join(score_column(name) for name in section.classes)})"


def _tenth(score: str) -> str:
    shown = segment_expression(Segment("score", score, edges=TENTHS))
    return f"CASE WHEN scored THEN {shown} ELSE {literal(MISSING)} END"


def _score_bin(catalog: Catalog, rows: Sql, score: str) -> str:
    if catalog.predictions.task == "regression":
        shown = segment_expression(Segment("score", "score", edges=_deciles(catalog, rows)))
        return f"CASE WHEN scored THEN {shown} ELSE {literal(MISSING)} END"
    return _tenth(score)


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
