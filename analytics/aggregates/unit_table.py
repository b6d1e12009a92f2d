"""The table of units held in memory, with its quantiles, and how its columns are cut and filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from analytics.aggregates.readings import Reading, Wanted
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog


@dataclass(frozen=True)
class UnitTable:
    """The rows of units, and what is asked of them."""

    catalog: Catalog
    reading: Reading
    units: Sql

    @property
    def clustered(self) -> bool:
        """Whether units come in clusters."""
        section = self.catalog.project.units
        return section is not None and section.cluster is not None

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a query over the rows."""
        return self.catalog.engine.query(Sql(text, dict(parameters or {})))

    def row(self, text: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a query that answers with one row."""
        first: dict[str, Any] = self.query(text, parameters).to_pylist()[0]
        return first


def caps(
    table: UnitTable, wanted: Wanted, raw: Mapping[str, str]
) -> dict[str, tuple[float | None, float | None]]:
    """Column -> what it is winsorised at, below and above; None on a side that is not cut."""
    declared = wanted.metric.winsorize
    if declared is None:
        return {}
    low, high = declared if isinstance(declared, tuple) else (None, declared)
    shares = (low or None, high if high != 1.0 else None)
    # a covariate from a table of units is taken as it is
    names = [name for name in raw if name in wanted.columns or name in wanted.looked_back]
    found = {name: quantiles(table, raw[name], shares) for name in names}
    return {name: (least, most) for name, (least, most) in found.items()}


def quantiles(
    table: UnitTable, value: str, shares: Sequence[float | None], condition: str = "TRUE"
) -> list[float | None]:
    """Order statistics over the units of all arms (inverted distribution function); None for no share or no units.

    The engine selects them in a fifth of the time that putting all values in order takes. It may round a share to the
    neighbouring place, so that it is counted whether these are they; else all are put in order.
    """
    values = (
        f"SELECT value FROM (SELECT {value} AS value FROM ({table.units.text}) WHERE {condition}) "
        "WHERE value IS NOT NULL"
    )
    known = [share for share in shares if share is not None]
    items = ", ".join(f"quantile_disc(value, {literal(share)}) AS q{i}" for i, share in enumerate(known))
    found = list(table.row(f"SELECT {items} FROM ({values})").values()) if known else []
    if None in found:
        return [None] * len(shares)
    if not _are_quantiles(table, values, dict(zip(known, found, strict=True))):
        return _in_order(table, values, shares)
    chosen = iter(found)
    return [None if share is None else next(chosen) for share in shares]


def _are_quantiles(table: UnitTable, values: str, found: Mapping[float, float]) -> bool:
    """Whether each share of the values lies at or below its number, but not below it."""
    items = ["count(*) AS n"]
    for i, number in enumerate(found.values()):
        items += [
            f"count(*) FILTER (value {sign} {literal(number)}) AS {name}_{i}"
            for sign, name in (("<", "below"), ("<=", "to"))
        ]
    row = table.row(f"SELECT {', '.join(items)} FROM ({values})")
    n = row["n"]
    return all(row[f"below_{i}"] / n < share <= row[f"to_{i}"] / n for i, share in enumerate(found))


def _in_order(table: UnitTable, values: str, shares: Sequence[float | None]) -> list[float | None]:
    # a quotient is rounded as the written share was, a product is not: 0.55 * 100 is more than 55
    items = [
        "CAST(NULL AS DOUBLE)"
        if share is None
        else f"min(CASE WHEN CAST(place AS DOUBLE) / n >= {literal(share)} THEN value END)"
        for share in shares
    ]
    row = table.row(
        f"SELECT {', '.join(f'{item} AS q{i}' for i, item in enumerate(items))} FROM ("
        f"SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS n FROM ({values}))"
    )
    return [row[f"q{i}"] for i in range(len(shares))]


def capped(text: str, limits: tuple[float | None, float | None] | None) -> str:
    """A column, cut."""
    low, high = limits or (None, None)
    if high is not None:
        text = f"(CASE WHEN {text} > {literal(high)} THEN {literal(high)} ELSE {text} END)"
    if low is not None:
        text = f"(CASE WHEN {text} < {literal(low)} THEN {literal(low)} ELSE {text} END)"
    return text


def imputed(table: UnitTable, present: str, covariate: str) -> tuple[str, int]:
    """A covariate without gaps: a constant that is the same in every arm biases nothing."""
    known = table.row(
        f"SELECT avg({covariate}) AS mean, count(*) FILTER ({covariate} IS NULL) AS gaps "
        f"FROM ({table.units.text}) WHERE {present}"
    )
    return f"coalesce({covariate}, {literal(float(known['mean'] or 0.0))})", int(known["gaps"])
