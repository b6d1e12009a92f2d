"""What rows are sliced by: values of segments and categories, and stretches of numbers fixed by the reference.

Every condition is written three ways: as a code in SQL, as the word after ``--where``, and as portable SQL over the
logged columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.edges import bin_expression
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.engines.text import identifier, literal
from analytics.scope import MISSING
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import OTHER, interval_names, segment_expression

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the reference, where numeric features are cut: the middle quarters, and the tails where models fail."""
MOST_VALUES = 200
"""Values of one category that can be conditions, the most frequent ones."""
_NEAR = 0.1
_HEAVY = 0.2
"""A single number that so much of the reference holds is a stretch of its own."""


@dataclass(frozen=True)
class SliceValue:
    """One condition on one field.

    Attributes:
        word: the value as ``--where`` takes it after the field's name.
        sql: the condition over logged columns.
    """

    word: str
    sql: str


@dataclass(frozen=True)
class SliceField:
    """A column that rows are sliced by.

    Attributes:
        name: as logged.
        expression: SQL over scoped rows: of a numeric field its code, else the value as text.
        values: the conditions; code i + 1 stands for the i-th. Of a category they are known once rows have been read.
        is_numeric: whether values follow one another, the last being the missing one.
        is_segment: whether a declared segment gives the text (the missing value then reads ``(missing)``).
    """

    name: str
    expression: str
    values: tuple[SliceValue, ...] = ()
    is_numeric: bool = False
    is_segment: bool = False

    def word(self, code: int) -> str:
        """A condition as ``--where`` takes it.

        >>> SliceField("carrier", "x", (SliceValue("UA", ""),)).word(1)
        'carrier=UA'
        """
        return f"{self.name}={self.values[code - 1].word}"

    def of_categories(self, names: Sequence[str | None]) -> SliceField:
        """The same field with its values, as they were read; None is the missing one."""
        return replace(self, values=tuple(_category(self.name, name) for name in names))


def slice_fields(
    catalog: Catalog, bins: Sequence[ReferenceBins], counts: Sequence[NDArray[np.float64]]
) -> tuple[SliceField, ...]:
    """Every segment and feature that rows can be sliced by.

    Args:
        catalog: the project's views.
        bins: of watched fields, in their order.
        counts: rows of each bin in the data that fixed the bins.
    """
    known = {item.field.name: (item, held) for item, held in zip(bins, counts, strict=True)}
    fields = {}
    for feature in catalog.features:
        if feature.kind != "numeric":
            text = f"nullif(CAST({feature.column} AS VARCHAR), '')"
            fields[feature.name] = SliceField(feature.name, text)
        elif feature.name in known and not known[feature.name][0].absent:
            item, held = known[feature.name]
            fields[feature.name] = numeric_field(feature.name, feature.column, cuts(item, held), item.edges)
    for name, segment in catalog.segments.items():
        if name not in fields or not fields[name].is_numeric:
            fields[name] = SliceField(name, segment_expression(segment), is_segment=True)
            if segment.edges is not None:
                fields[name] = numeric_segment(name, segment.column, segment.edges)
    return tuple(fields.values())


def cuts(
    item: ReferenceBins, held: NDArray[np.float64], quantiles: Sequence[float] = QUANTILES
) -> tuple[float, ...]:
    """Those of the bins' edges that lie nearest to the wanted quantiles, and both ends of a number many rows hold."""
    values = held[: item.n_values]
    total = float(values.sum())
    if not (item.edges and total > 0):
        return ()
    upto = np.cumsum(values)[:-1] / total
    chosen = set()
    for quantile in quantiles:
        nearest = int(np.argmin(np.abs(upto - quantile)))
        if abs(float(upto[nearest]) - quantile) <= _NEAR:
            chosen.add(item.edges[nearest])
    for place, (low, high) in enumerate(item.limits[: item.n_values]):
        if low is not None and low == high and values[place] >= _HEAVY * total:
            chosen |= {low, math.nextafter(low, math.inf)}
    return tuple(sorted(chosen))


def numeric_field(name: str, column: str, edges: Sequence[float], known: Sequence[float] = ()) -> SliceField:
    """A numeric feature cut at edges.

    Args:
        name: as logged.
        column: of the view.
        edges: increasing; a stretch holds edge <= x < next edge.
        known: numbers an edge may lie one step above: ``x < that edge`` then reads ``x <= number``.
    """
    values = [_stretch(name, low, high, set(known)) for low, high in _stretches(edges)]
    return _numeric(name, column, edges, values)


def numeric_segment(name: str, column: str, edges: Sequence[float]) -> SliceField:
    """A numeric segment that is no feature: cut at its quartiles, under the names the scope knows."""
    names = interval_names(tuple(edges))
    values = [
        replace(_stretch(name, low, high, set()), word=word)
        for word, (low, high) in zip(names, _stretches(edges), strict=True)
    ]
    return _numeric(name, column, edges, values)


def _numeric(name: str, column: str, edges: Sequence[float], values: list[SliceValue]) -> SliceField:
    number = f"CAST({column} AS DOUBLE)"
    nothing = f"{column} IS NULL OR isnan({number})"
    missing = SliceValue(MISSING, f"({identifier(name)} IS NULL OR isnan({identifier(name)}))")
    top = f"CASE WHEN {nothing} THEN {len(values)} ELSE {len(edges)} END"
    code = top
    if edges:
        # what is missing is less than nothing, so it gets to the last branch: only few rows are asked about it
        before, after = bin_expression(number, list(edges)).rsplit(f"ELSE {len(edges)} END", 1)
        code = f"{before}ELSE {top} END{after}"
    return SliceField(name, f"CAST(1 + {code} AS SMALLINT)", (*values, missing), is_numeric=True)


def _stretches(edges: Sequence[float]) -> list[tuple[float | None, float | None]]:
    return list(zip((None, *edges), (*edges, None), strict=True))


def _stretch(name: str, low: float | None, high: float | None, known: set[float]) -> SliceValue:
    """One stretch of numbers; an edge just above a known number is written as that number, included or not."""
    start, sign, at = "(-inf", "", low
    if low is not None:
        before = math.nextafter(low, -math.inf)
        at, sign = (before, ">") if before in known else (low, ">=")
        start = f"{'(' if sign == '>' else '['}{number_text(at)}"
    end, up, upto = "inf)", "", high
    if high is not None:
        before = math.nextafter(high, -math.inf)
        upto, up = (before, "<=") if before in known else (high, "<")
        end = f"{number_text(upto)}{']' if up == '<=' else ')'}"
    parts = [
        f"{identifier(name)} {how} {literal(edge)}"
        for how, edge in ((sign, at), (up, upto))
        if edge is not None
    ]
    return SliceValue(f"{start}, {end}", " AND ".join([*parts, f"NOT isnan({identifier(name)})"]))


def number_text(value: float) -> str:
    """A number as short as it can be written and read back.

    >>> number_text(59.0), number_text(0.1), number_text(1e300)
    ('59', '0.1', '1e+300')
    """
    short = f"{value:.15g}"
    return short if float(short) == value else repr(value)


def _category(name: str, value: str | None) -> SliceValue:
    column = identifier(name)
    if value is None or value == MISSING:
        return SliceValue(MISSING, f"({column} IS NULL OR CAST({column} AS VARCHAR) = '')")
    return SliceValue(value, f"CAST({column} AS VARCHAR) = {literal(value)}")


def readable_categories(names: Sequence[str | None], *, is_segment: bool) -> list[str | None]:
    """The values that can be a condition: a filter must be able to name them.

    >>> readable_categories(["a", "(other)", "(missing)", None], is_segment=False)
    ['a', '(other)', None]
    """
    # "(missing)" in a filter is the missing value; of a segment it is one value, and "(other)" is none of its own
    unreadable = {OTHER} if is_segment else {MISSING}
    return [name for name in names if name not in unreadable and (name is None or "\x00" not in name)]
