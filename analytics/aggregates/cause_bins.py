"""Bins of the fields in which causes are looked for, fixed by the days before the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.aggregates.cause_rows import Stretch, column_of, looked_at, number
from analytics.aggregates.edges import bin_expression
from analytics.aggregates.reference_bins import Field
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog

TENTHS = 10
CATEGORIES = 12
KNOWN = 500
"""More distinct categories than these, and a new one is not told from a rare one."""
SAMPLED = 50_000
"""Rows that fix the edges of bins, about."""
FAR = 4
"""Standard deviations at which values are cut where days are compared, so that one row is never the whole."""
OUTLIER = 1000
"""The same in the means that a sentence tells."""
MARGIN = 0.5
"""A number is new from this share of the range before beyond it."""
EXACT = 400
"""A number that takes at most so many values is new where it has none of them: another unit shows in each row."""


@dataclass(frozen=True)
class FieldBins:
    """The bins of one field: values, then the new ones (two for a number: below and above), then missing.

    Attributes:
        edges: of a number; ``low`` and ``high`` are the limits of what was seen before, ``centre`` and ``spread`` its
            mean and standard deviation.
        categories: the most frequent ones; further known ones are one bin.
        exact: of a number that takes few values, those it had on two days or more; None of any other.
    """

    field: Field
    edges: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    centre: float = 0.0
    spread: float = 1.0
    categories: tuple[str, ...] = ()
    known: tuple[str, ...] | None = ()
    exact: tuple[float, ...] | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether bins are intervals."""
        return self.field.kind == "numeric"

    @property
    def values(self) -> int:
        """Bins of values that were seen before."""
        return len(self.edges) + 1 if self.is_numeric else len(self.categories) + 1

    @property
    def size(self) -> int:
        """All bins, new and missing ones too."""
        return self.values + (3 if self.is_numeric else 2)

    @property
    def standard(self) -> str:
        """SQL over kept rows: standard deviations from the mean before, 0 where missing, cut at `FAR`."""
        return self._within(FAR)

    @property
    def told(self) -> str:
        """The same, cut at `OUTLIER`."""
        return self._within(OUTLIER)

    def _within(self, far: int) -> str:
        column = column_of(self.field)
        gap = f"({column} - {number(self.centre)}) / {number(self.spread)}"
        return f"CASE WHEN {column} IS NULL THEN 0e0 ELSE greatest(least({gap}, {far}e0), -{far}e0) END"

    @property
    def code(self) -> str:
        """SQL over kept rows."""
        column = column_of(self.field)
        if self.is_numeric:
            inner = bin_expression(column, self.edges)
            return (
                f"CASE WHEN {column} IS NULL THEN {self.size - 1} "
                f"WHEN {column} < {number(self.low)} THEN {self.values} "
                f"WHEN {column} > {number(self.high)} THEN {self.values + 1} ELSE {inner} END"
            )
        listed = " ".join(
            f"WHEN {column} = {literal(name)} THEN {i}" for i, name in enumerate(self.categories)
        )
        rest = self.values - 1
        if self.known is not None:
            others = ", ".join(literal(name) for name in self.known[len(self.categories) :])
            seen = f"WHEN {column} IN ({others}) THEN {rest} " if others else ""
            return f"CASE WHEN {column} IS NULL THEN {self.size - 1} {listed} {seen}ELSE {self.values} END"
        return f"CASE WHEN {column} IS NULL THEN {self.size - 1} {listed} ELSE {rest} END"


def field_bins(catalog: Catalog, kept: Sql, stretch: Stretch) -> tuple[FieldBins, ...]:
    """Bins from the days before the window, of about `SAMPLED` rows where there are more."""
    fields = looked_at(catalog)
    before = f"b < {-stretch.days}"
    n = catalog.engine.query(f"SELECT count(*) AS n FROM ({kept.text}) WHERE {before}").to_pylist()[0]["n"]
    every = max(int(n) // SAMPLED, 1)
    thin = before if every == 1 else f"{before} AND hash(ts, unit) % {every} = 0"
    numbers = [field for field in fields if field.kind == "numeric"]
    texts = [field for field in fields if field.kind != "numeric"]
    found: dict[str, FieldBins] = {}
    if numbers:
        tenths = ", ".join(number(k / TENTHS) for k in range(1, TENTHS))
        picks = ", ".join(
            f"quantile_disc({name}, [{tenths}]) FILTER (isfinite({name})) AS q{i}, min({name}) AS l{i}, "
            f"max({name}) AS h{i}, avg({name}) FILTER ({_finite(name)}) AS m{i}, "
            f"stddev_pop({name} / 1e9) FILTER ({_finite(name)}) AS d{i}"
            for i, name in enumerate(map(column_of, numbers))
        )
        row = catalog.engine.query(f"SELECT {picks} FROM ({kept.text}) WHERE {thin}").to_pylist()[0]
        for i, field in enumerate(numbers):
            found[field.name] = numeric_bins(field, *(row[f"{part}{i}"] for part in "qlhmd"))
            found[field.name] = replace(found[field.name], exact=_exact(catalog, kept, field, before))
    for field in texts:
        listed = catalog.engine.query(
            f"SELECT {column_of(field)} AS v, count(*) AS n FROM ({kept.text}) "
            f"WHERE {before} AND {column_of(field)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {KNOWN + 1}"
        ).to_pylist()
        names = tuple(row["v"] for row in listed if "\x00" not in row["v"])
        found[field.name] = FieldBins(
            field, categories=names[:CATEGORIES], known=names if len(listed) <= KNOWN else None
        )
    return tuple(found[field.name] for field in fields)


def _exact(catalog: Catalog, kept: Sql, field: Field, before: str) -> tuple[float, ...] | None:
    """Values of two days or more: a value of one day only is as new to the others as one of the window is."""
    if field.role != "feature":
        return None
    name = column_of(field)
    rows = catalog.engine.query(
        f"SELECT {name} AS v, count(DISTINCT b) AS d FROM ({kept.text}) WHERE {before} AND {_finite(name)} "
        f"GROUP BY 1 ORDER BY d DESC, v LIMIT {EXACT + 1}"
    ).to_pylist()
    if len(rows) > EXACT:
        return None
    return tuple(float(row["v"]) for row in rows if row["d"] > 1)


def _finite(name: str) -> str:
    # the square of a larger one is infinite
    return f"abs({name}) < 1e150"


def numeric_bins(  # what one query gave
    field: Field,
    tenths: Sequence[float] | None,
    low: float | None,
    high: float | None,
    mean: float | None,
    deviation: float | None,
) -> FieldBins:
    """Bins of a number from its tenths, smallest and largest value, mean and deviation (in billionths)."""
    limit = float(np.finfo(np.float64).max)
    edges: list[float] = []
    for value in tenths or ():
        # a value that many rows have is a bin of its own
        for edge in (float(value), float(np.nextafter(value, np.inf))):
            if abs(edge) < limit and (not edges or edge > edges[-1]):
                edges.append(edge)
    distinct = sorted(set(edges))
    # a record by a little is no new kind of value
    margin = (
        MARGIN * (high - low)
        if low is not None and high is not None and abs(low) + abs(high) < limit
        else 0.0
    )
    first = max(-limit, low - margin) if low is not None else -limit
    last = min(limit, high + margin) if high is not None else limit
    spread = float(deviation or 0.0) * 1e9
    return FieldBins(
        field, tuple(_merged(distinct)), first, last, float(mean or 0.0), spread if spread > 0 else 1.0
    )


def _merged(edges: list[float]) -> list[float]:
    """An edge and the next double above it stay only where the value holds a tenth or more by itself."""
    kept: list[float] = []
    for place, edge in enumerate(edges):
        is_next = place > 0 and edge == float(np.nextafter(edges[place - 1], np.inf))
        if not is_next:
            kept.append(edge)
    return kept
