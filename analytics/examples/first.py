"""The SQL of who was first: the earliest rows of a scope, and the units whose first row came earliest."""

from __future__ import annotations

from analytics.engines.text import Sql
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows


def first_rows(catalog: Catalog, scope: Scope, k: int) -> Sql:
    """The k earliest rows: file, row, id, ts, version, unit, label, decision, score (None of several classes)."""
    rows = scoped_rows(catalog, scope)
    score = "CAST(NULL AS DOUBLE)" if catalog.predictions.task == "multiclass" else "score"
    return Sql(
        "SELECT file, row, id, ts, version, unit, CAST(label AS VARCHAR) AS label, "
        f"CAST(decision AS VARCHAR) AS decision, {score} AS score FROM ({rows.text}) "
        "ORDER BY ts, id NULLS LAST, file, row LIMIT $first_k",
        {**rows.parameters, "first_k": k},
    )


def first_units(catalog: Catalog, scope: Scope, k: int) -> Sql:
    """The k units that came first: unit, ts of their first row, n rows in the scope, n_units altogether."""
    rows = scoped_rows(catalog, scope)
    return Sql(
        "SELECT unit, min(ts) AS ts, count(*) AS n, count(*) OVER () AS n_units "
        f"FROM ({rows.text}) WHERE unit IS NOT NULL GROUP BY unit ORDER BY ts, unit LIMIT $first_k",
        {**rows.parameters, "first_k": k},
    )
