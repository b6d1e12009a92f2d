"""How a mean over classes varies: each row's influence through all classes' scores at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group, key_columns
from analytics.aggregates.moments import unit_expression
from analytics.aggregates.scores import ScoreHistogram
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.typed import score_column

Floats = NDArray[np.float64]


class ClassInfluences(NamedTuple):
    """What a row adds to the mean through one class's score.

    Attributes:
        histogram: of that class's score, one against the rest.
        influence: of one row of unit weight, for M metrics, shape (M, 2, B): label 0, label 1.
    """

    histogram: ScoreHistogram
    influence: Floats


class MacroSquares(NamedTuple):
    """Sums of squares of M metrics, each of shape (M,): over rows, over units, and the units behind them."""

    rows: Floats
    units: Floats
    n_units: Floats


class _Joined(NamedTuple):
    """A table of influences and how a row finds its own."""

    name: str
    table: pa.Table
    place: str
    positive: str


def read_macro_squares(
    catalog: Catalog,
    rows: Sql,
    classes: Mapping[str, Mapping[CellKey, ClassInfluences]],
    edges: Sequence[float] | Floats,
) -> dict[CellKey, MacroSquares]:
    """Sum what each row moves over the classes, square it, and sum that by cell; the same over units.

    A row is a positive of its class and a negative of all others, so the classes' estimates are correlated in ways
    that no histogram of a single score can tell.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        classes: class -> cell -> influences on the mean over classes; all of the same M metrics.
        edges: inner edges of the score bins, for histograms that are not exact.
    """
    joined = [
        one
        for i, (name, cells) in enumerate(classes.items())
        for exact in (True, False)
        if (one := _joined(f"influences_{i}_{'exact' if exact else 'bins'}", name, cells, edges, exact=exact))
    ]
    if not joined:
        return {}
    metrics = next(len(one.influence) for cells in classes.values() for one in cells.values())
    table = catalog.engine.query(
        _squares_sql(rows, joined, metrics), tables={one.name: one.table for one in joined}
    )
    squares, by_unit, units = (
        np.stack([column(table, f"{letter}{k}") for k in range(metrics)]) for letter in "qsu"
    )
    return {
        key: MacroSquares(squares[:, index[0]], by_unit[:, index[0]], units[:, index[0]])
        for key, index in group(table).rows.items()
    }


def _joined(
    name: str,
    class_: str,
    cells: Mapping[CellKey, ClassInfluences],
    edges: Sequence[float] | Floats,
    *,
    exact: bool,
) -> _Joined | None:
    mine = {key: one for key, one in cells.items() if one.histogram.exact is exact}
    if not mine:
        return None
    lengths = [len(one.histogram.keys) for one in mine.values()]
    columns = key_columns([key for key, n in zip(mine, lengths, strict=True) for _ in range(2 * n)])
    columns["place"] = pa.array(np.concatenate([np.tile(one.histogram.keys, 2) for one in mine.values()]))
    columns["is_positive"] = pa.array(np.concatenate([np.repeat([False, True], n) for n in lengths]))
    for metric in range(len(next(iter(mine.values())).influence)):
        columns[f"m{metric}"] = pa.array(
            np.concatenate([one.influence[metric].ravel() for one in mine.values()])
        )
    score = score_column(class_)
    every = next(iter(mine.values())).histogram.every
    place = score if exact else f"CAST({bin_expression(score, edges[every - 1 :: every])} AS DOUBLE)"
    return _Joined(name, pa.table(columns), place, f"label = {literal(class_)}")


def _squares_sql(rows: Sql, joined: Sequence[_Joined], metrics: int) -> Sql:
    places = ", ".join(
        f"{one.place} AS place_{i}, ({one.positive}) AS positive_{i}" for i, one in enumerate(joined)
    )
    joins = " ".join(
        f"LEFT JOIN {one.name} AS i{i} ON r.window_key = i{i}.window_key "
        f"AND coalesce(r.version, '') = i{i}.version AND coalesce(r.segment, '') = i{i}.segment "
        f"AND r.place_{i} = i{i}.place AND r.positive_{i} = i{i}.is_positive"
        for i, one in enumerate(joined)
    )
    moved = ", ".join(
        f"r.weight * ({' + '.join(f'coalesce(i{i}.m{k}, 0e0)' for i in range(len(joined)))}) AS m{k}"
        for k in range(metrics)
    )
    of_unit = ", ".join(
        f"sum(m{k} * m{k}) AS q{k}, sum(m{k}) AS s{k}, count(*) FILTER (WHERE m{k} <> 0e0) AS c{k}"
        for k in range(metrics)
    )
    totals = ", ".join(
        f"sum(q{k}) AS q{k}, sum(s{k} * s{k}) AS s{k}, count(*) FILTER (WHERE c{k} > 0) AS u{k}"
        for k in range(metrics)
    )
    of_row = f"SELECT r.window_key, r.version, r.segment, r.unit_key, {moved} FROM source AS r {joins}"
    return Sql(
        f"WITH source AS (SELECT {KEYS}, {unit_expression()} AS unit_key, weight, {places} "
        f"FROM ({rows.text}) WHERE scored AND label IS NOT NULL), moved AS ({of_row}) "
        f"SELECT {KEYS}, {totals} FROM (SELECT {KEYS}, {of_unit} FROM moved GROUP BY {KEYS}, unit_key) GROUP BY {KEYS}",
        rows.parameters,
    )
