"""Seeded samples of rows, for the methods that need rows: classifiers, error models, maps.

A row is drawn by the digest of its time, its id (without one: its place in its file) and a seed: the same rows at every
run, on every engine, wherever the files lie, and whatever else is asked for or is logged later.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.engines.text import Sql, identifier
from analytics.telemetry.catalog import Catalog, Feature
from analytics.telemetry.rows import (
    ScopedRows,
    labelled_rows,
    reads_labels,
    segmented_rows,
    unlabelled_rows,
    wanted_condition,
)

KEYS = ("window_key", "block_key", "version", "segment")
SEED = "assay"
MOST_AT_ONCE = 500_000
"""Of more rows those that can be drawn are looked for first."""
LARGEST_SHARE = 0.25
"""Where more than this share of the rows can be drawn, looking for them first costs more than it saves."""

_CELL = ", ".join(KEYS[:1] + KEYS[2:])
_DIGEST = "md5(concat($sample_seed, ' ', ts, ' ', coalesce(id, CAST(row AS VARCHAR))))"

Totals = Mapping[tuple[datetime, str | None, str | None], int]


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
    totals: Totals
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
    with _that_can_be_drawn(catalog, rows, size, where, seed) as (few, totals):
        drawn = _drawn(catalog, few, size, picked, where, seed)
    if totals is None:
        return drawn
    # what is shown is the definition, which anybody can run, not the table that was held meanwhile
    return Sample(drawn.table, totals, _text(rows, picked, where))


def _drawn(
    catalog: Catalog, rows: Sql, size: int, picked: Mapping[str, str], where: str, seed: str
) -> Sample:
    text = _text(rows, picked, where)
    table = catalog.engine.query(Sql(text, {**rows.parameters, "sample_seed": seed, "sample_size": size}))
    totals = _totals(table.group_by(list(KEYS[:1] + KEYS[2:])).aggregate([("n_total", "max")]), "n_total_max")
    return Sample(table.drop_columns(["n_total"]), totals, text)


def _text(rows: Sql, picked: Mapping[str, str], where: str) -> str:
    named = "".join(f", {expression} AS {identifier(name)}" for name, expression in picked.items())
    return (
        f"SELECT {', '.join(KEYS)}, ts, unit, label, decision, scored, weight{named}, n_total FROM "
        f"(SELECT *, count(*) OVER (PARTITION BY {_CELL}) AS n_total, row_number() OVER "
        f"(PARTITION BY {_CELL} ORDER BY {_DIGEST}, file, row) AS place "
        f"FROM ({rows.text}) WHERE {where}) WHERE place <= $sample_size ORDER BY ts, file, row"
    )


@contextmanager
def _that_can_be_drawn(
    catalog: Catalog, rows: Sql, size: int, where: str, seed: str
) -> Iterator[tuple[Sql, Totals | None]]:
    """Of many rows the few that can be drawn, with the rows each cell has; else all of them, and None.

    Sorting ten million rows with twenty features and their labels by digest takes gigabytes and a minute; counting
    them, and keeping those whose digest is low enough, reads two columns and takes seconds. The rows drawn are the
    same: so many are kept that a cell gets too few once in 10^8 times, and then all are sorted after all.
    """
    if not isinstance(rows, ScopedRows) or reads_labels(rows.scope) or "label" in where:
        yield rows, None
        return
    plain = segmented_rows(
        catalog, rows.scope, rows.source, rows.segments, rows.now or datetime.now(UTC),
        unlabelled_rows(rows.scope, rows.source),
    )  # fmt: skip
    totals = _counted(catalog, plain, where) if catalog.is_large else {}
    share = max(((size + 6 * math.sqrt(size) + 30) / n for n in totals.values()), default=1.0)
    if sum(totals.values()) <= MOST_AT_ONCE or share > LARGEST_SHARE:
        yield rows, None
        return
    wanted = wanted_condition(catalog, rows.scope, rows.source)
    known = unlabelled_rows(rows.scope, rows.source)
    text = f"SELECT * FROM ({known.text}) WHERE {wanted.text} AND {_DIGEST} < $sample_below"
    below = {"sample_seed": seed, "sample_below": f"{int(share * 2**32):08x}"}
    with catalog.engine.kept(Sql(text, known.parameters | wanted.parameters | below)) as kept:
        now = rows.now or datetime.now(UTC)
        labelled = labelled_rows(catalog, rows.scope, rows.source, now, f"({kept.text})")
        few = segmented_rows(catalog, rows.scope, rows.source, rows.segments, now, labelled)
        found = _counted(catalog, few, where)
        enough = all(found.get(cell, 0) >= min(size, n) for cell, n in totals.items())
        yield (few, totals) if enough else (rows, None)


def _counted(catalog: Catalog, rows: Sql, where: str) -> Totals:
    text = f"SELECT {_CELL}, count(*) AS n FROM ({rows.text}) WHERE {where} GROUP BY {_CELL}"
    return _totals(catalog.engine.query(Sql(text, rows.parameters)), "n")


def _totals(cells: pa.Table, column: str) -> Totals:
    return {
        (cell["window_key"], cell["version"], cell["segment"]): int(cell[column])
        for cell in cells.to_pylist()
    }


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
