"""Seeded samples of rows, for the methods that need rows: classifiers, error models, maps.

A row is drawn by the digest of its time, its id (without one: its place in its file) and a seed: the same rows at every
run, on every engine, wherever the files lie, and whatever else is asked for or is logged later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.engines.text import Sql, identifier
from analytics.telemetry.catalog import Catalog, Feature

KEYS = ("window_key", "block_key", "version", "segment")
SEED = "assay"


@dataclass(frozen=True)
class Sample:
    """Rows drawn from scoped rows, at most ``size`` of each window, version and segment value.

    Attributes:
        table: KEYS, ts, unit, label, decision, scored, weight, score or ``score:<class>``, and ``feature:<name>`` for
            every feature asked for: a double (missing and NaN as null) or a text (missing and empty as null).
        totals: (window key, version, segment value) -> rows the cell has, drawn or not.
        sql: the text that scanned.
    """

    table: pa.Table
    totals: Mapping[tuple[datetime, str | None, str | None], int]
    sql: str

    @property
    def n(self) -> int:
        """Rows drawn."""
        return int(self.table.num_rows)

    def column(self, name: str) -> NDArray[np.float64]:
        """A numeric column as doubles; missing is NaN."""
        values: NDArray[np.float64] = (
            self.table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        )
        return values


def read_sample(
    catalog: Catalog,
    rows: Sql,
    size: int,
    *,
    features: Sequence[Feature] = (),
    columns: Mapping[str, str] | None = None,
    where: str = "TRUE",
    seed: str = SEED,
) -> Sample:
    """Draw rows without replacement from scoped rows, each row of a cell as likely as any other.

    Weights are not used for drawing: they stand beside the rows, for the method to use.

    Args:
        catalog: the project's views.
        rows: from `analytics.telemetry.rows.scoped_rows`.
        size: rows of each window, version and segment value, at most.
        features: which of the catalog's features to bring along.
        columns: more columns, name -> SQL over scoped rows (written in `aggregates` or `telemetry` only).
        where: SQL over scoped rows that says which of them may be drawn (``label IS NOT NULL AND scored``, say).
        seed: another one draws other rows.
    """
    picked = {name: identifier(name) for name in _scores(catalog)}
    picked |= {f"feature:{feature.name}": feature_expression(feature) for feature in features}
    picked |= dict(columns or {})
    named = "".join(f", {expression} AS {identifier(name)}" for name, expression in picked.items())
    keys = ", ".join(KEYS[:1] + KEYS[2:])
    text = (
        f"SELECT {', '.join(KEYS)}, ts, unit, label, decision, scored, weight{named}, n_total FROM "
        f"(SELECT *, count(*) OVER (PARTITION BY {keys}) AS n_total, row_number() OVER "
        f"(PARTITION BY {keys} ORDER BY md5(concat($sample_seed, ' ', ts, ' ', coalesce(id, CAST(row AS VARCHAR)))), "
        "file, row) AS place "
        f"FROM ({rows.text}) WHERE {where}) WHERE place <= $sample_size ORDER BY ts, file, row"
    )
    sql = Sql(text, {**rows.parameters, "sample_seed": seed, "sample_size": size})
    table = catalog.engine.query(sql)
    cells = table.group_by(list(KEYS[:1] + KEYS[2:])).aggregate([("n_total", "max")]).to_pylist()
    totals = {
        (cell["window_key"], cell["version"], cell["segment"]): int(cell["n_total_max"]) for cell in cells
    }
    return Sample(table.drop_columns(["n_total"]), totals, text)


def rows_of_ids(rows: Sql, ids: Sequence[str]) -> Sql:
    """Of scoped rows those with one of these ids."""
    return Sql(
        f"SELECT * FROM ({rows.text}) WHERE id IN (SELECT unnest($wanted_ids))",
        {**rows.parameters, "wanted_ids": list(ids)},
    )


def feature_expression(feature: Feature) -> str:
    """SQL over scoped rows: a finite or infinite double, or a text; NULL where missing.

    >>> feature_expression(Feature("temp", "numeric", '"column:temp"'))
    'CASE WHEN NOT isnan(CAST("column:temp" AS DOUBLE)) THEN CAST("column:temp" AS DOUBLE) END'
    """
    if feature.kind == "numeric":
        number = f"CAST({feature.column} AS DOUBLE)"
        return f"CASE WHEN NOT isnan({number}) THEN {number} END"
    return f"nullif(CAST({feature.column} AS VARCHAR), '')"


def _scores(catalog: Catalog) -> tuple[str, ...]:
    classes = catalog.predictions.classes
    return tuple(f"score:{name}" for name in classes) if classes else ("score",)
