"""Tenths of a regression's predictions or labels: their edges, rows by tenth, and the spread of errors in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

TENTHS = 10
_LABELLED = "scored AND label IS NOT NULL"
RESIDUAL_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)

Edges = Mapping[str | None, tuple[float, ...]]


def read_tenths(
    catalog: Catalog, rows: Sql, value: str, *, by_version: bool = True
) -> dict[str | None, tuple[float, ...]]:
    """Inner edges that cut the labelled rows into ten equal parts, for each version; fewer where values repeat.

    Args:
        catalog: the project's views.
        rows: scoped rows.
        value: SQL of the number, ``score`` or ``label``.
        by_version: or one set of edges for all rows, under None.
    """
    version = "version" if by_version else "CAST(NULL AS VARCHAR)"
    places = " OR ".join(f"place = floor(n * {k}e0 / {TENTHS}e0) + 1" for k in range(1, TENTHS))
    text = (
        "SELECT version, edge, place FROM (SELECT version, edge, "
        "row_number() OVER (PARTITION BY version ORDER BY edge) AS place, count(*) OVER (PARTITION BY version) AS n "
        f"FROM (SELECT {version} AS version, {value} AS edge "
        f"FROM ({rows.text}) WHERE {_LABELLED})) WHERE {places} ORDER BY version, edge"
    )
    found: dict[str | None, list[float]] = {}
    for row in catalog.engine.query(Sql(text, rows.parameters)).to_pylist():
        edges = found.setdefault(row["version"], [])
        edge = float(row["edge"])
        if not edges or edge > edges[-1]:
            edges.append(edge)
    return {key: tuple(edges) for key, edges in found.items()}


def tenth_of(value: str, edges: Edges) -> str:
    """SQL of the number of the tenth a value lies in, by the edges of its row's version.

    >>> tenth_of("score", {None: (1.0,)})
    'CASE WHEN score < 1.0e0 THEN 0 ELSE 1 END'
    """
    if set(edges) == {None}:
        return bin_expression(value, list(edges[None]))
    whose = {name: "version IS NULL" if name is None else f"version = {literal(name)}" for name in edges}
    cases = " ".join(
        f"WHEN {whose[name]} THEN {bin_expression(value, list(cuts))}" for name, cuts in edges.items()
    )
    return f"CASE {cases} END" if cases else "0"


def by_tenth(rows: Sql, value: str, edges: Edges) -> Sql:
    """Scoped rows whose segment is the tenth, as text."""
    names = "window_key, block_key, version, file, row, unit, weight, scored, label, score"
    return Sql(
        f"SELECT {names}, CAST({tenth_of(value, edges)} AS VARCHAR) AS segment FROM ({rows.text})",
        rows.parameters,
    )


@dataclass(frozen=True)
class ErrorSpread:
    """Order statistics of prediction minus label in one tenth, at `RESIDUAL_SHARES`; every row counts once."""

    values: tuple[float, ...]


def read_error_spread(
    catalog: Catalog, tenths: Sql, shares: Sequence[float] = RESIDUAL_SHARES
) -> dict[CellKey, ErrorSpread]:
    """The spread of the errors of every cell of `by_tenth`."""
    places = [f"floor((n - 1) * {share!r}e0) + 1" for share in shares]
    wanted = ", ".join(
        f"max(CASE WHEN place = {place} THEN error END) AS q{i}" for i, place in enumerate(places)
    )
    text = (
        f"SELECT {KEYS}, {wanted} FROM (SELECT {KEYS}, error, row_number() OVER (PARTITION BY {KEYS} ORDER BY error) "
        f"AS place, count(*) OVER (PARTITION BY {KEYS}) AS n FROM (SELECT {KEYS}, score - label AS error "
        f"FROM ({tenths.text}) WHERE {_LABELLED})) GROUP BY {KEYS}"
    )
    table = catalog.engine.query(Sql(text, tenths.parameters))
    values = [column(table, f"q{i}") for i in range(len(shares))]
    return {
        key: ErrorSpread(tuple(float(one[index[0]]) for one in values))
        for key, index in group(table).rows.items()
    }
