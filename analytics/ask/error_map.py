"""A metric on a map of two fields: every cell against all other rows, luck taken out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from analytics.aggregates.slice_codes import Among
from analytics.ask.slice_reading import Reading, everyone, metric_of, read_for_slices, sides
from analytics.ask.slices import LEAST, SUPPORT
from analytics.ask.windows import versions_of
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Scope
from analytics.segments.compare import corrected, difference
from analytics.segments.rows import SegmentRow
from analytics.slices.rows import MapCellRow
from analytics.stats.slice_search import Condition, Rows, search
from analytics.telemetry.catalog import Catalog

MOST_VALUES = 12
"""Values of a field on a map; of a category the most frequent ones."""
_MOST_LOOKED = 60


def error_map_of(
    catalog: Catalog, scope: Scope, metric: str | None = None, x: str | None = None, y: str | None = None
) -> Results[MapCellRow]:
    """The metric for every pair of values of two fields.

    Args:
        catalog: the project's views.
        scope: the question; each version has a map of its own.
        metric: a mean of one number a row; the loss of the task where left out.
        x: a feature or segment; the fields of the pair of conditions that stands out most where both are left out.
        y: another one.

    Raises:
        ScopeError: a field is unknown, or both are the same.
    """
    metric = metric_of(catalog, metric)
    rows: list[MapCellRow] = []
    texts: list[str] = []
    notes: list[str] = []
    for version in versions_of(catalog, scope):
        reading = read_for_slices(catalog, scope, version, metric)
        if reading is None:
            return Results((), catalog.project.zone, notes=("The logs hold no prediction.",))
        texts += [text for text in reading.codes.sql if text not in texts]
        pair = _pair(reading, x, y)
        if pair is None:
            notes.append("A map needs two features or segments.")
            continue
        if None in {x, y}:
            # the rows that chose the fields would make them look worse than they are
            reading = replace(reading, codes=reading.part(2))
            notes.append(f"Fields chosen on other rows than those shown (halves of {reading.codes.split}).")
        rows += _cells(reading, *pair)
        notes += _left_out(reading, pair)
    return Results(tuple(rows), catalog.project.zone, tuple(texts), tuple(dict.fromkeys(notes)))


def _pair(reading: Reading, x: str | None, y: str | None) -> tuple[int, int] | None:
    names = [field.name for field in reading.codes.fields]
    for name in (x, y):
        if name is not None and name not in names:
            raise ScopeError(f'"{name}" is no field to slice by; known: {", ".join(names) or "none"}')
    if x is not None and x == y:
        raise ScopeError(f'a map needs two fields, and both are "{x}"')
    if len(names) < 2:
        return None
    if x is not None and y is not None:
        return names.index(x), names.index(y)
    told = _telling(reading)
    if x is None and y is None:
        return told[0], told[1]
    given = names.index(x or y or "")
    other = next(field for field in told if field != given)
    return (given, other) if x is not None else (other, given)


def _telling(reading: Reading) -> list[int]:
    """Fields by how much they stand out on the rows that slices are looked for in; pairs first."""
    looked = reading.part(1)
    least = max(math.ceil(SUPPORT * len(looked.value)), LEAST)
    found = search(
        Rows(looked.codes, reading.loss.sign * looked.value, looked.weight),
        least=least, depth=2, most_fields=(10_000, _MOST_LOOKED, 0),
    ).found  # fmt: skip
    pairs = [one for one in found if len(one.conditions) == 2]
    order = [condition.field for one in (*pairs, *found) for condition in one.conditions]
    return list(dict.fromkeys([*order, *range(len(reading.codes.fields))]))


def shown_codes(reading: Reading, field: int) -> list[int]:
    """Codes of a field on a map, in order: stretches as numbers are, categories by frequency; missing last."""
    n = np.bincount(reading.codes.codes[field], minlength=len(reading.codes.fields[field].values) + 1)
    known = [code for code in range(1, len(reading.codes.fields[field].values) + 1) if n[code]]
    if reading.codes.fields[field].is_numeric:
        return known
    return sorted(known, key=lambda code: (-int(n[code]), code))[:MOST_VALUES]


def _left_out(reading: Reading, pair: tuple[int, int]) -> list[str]:
    codes = reading.codes
    shown = np.ones(len(codes.value), dtype=np.bool_)
    for field in pair:
        shown &= np.isin(codes.codes[field], shown_codes(reading, field))
    out = int((~shown).sum())
    return [f"{out:,} of {len(shown):,} rows have rarer values and are on no cell."] if out else []


def _cells(reading: Reading, x: int, y: int) -> list[MapCellRow]:
    rows, segments, among = [], [], everyone(reading.codes)
    for y_place, y_code in enumerate(shown_codes(reading, y)):
        for x_place, x_code in enumerate(shown_codes(reading, x)):
            conditions = (Condition(x, x_code), Condition(y, y_code))
            rows.append((conditions, x_place, y_place))
            segments.append(_measured(reading, among, conditions))
    judged = corrected(segments, reading.scope.confidence)
    return [_row(reading, *row, segment) for row, segment in zip(rows, judged, strict=True)]


def _measured(reading: Reading, among: Among, conditions: tuple[Condition, Condition]) -> SegmentRow:
    confidence = reading.scope.confidence
    found = sides(reading, among.codes.holds(conditions), among)
    inside, outside = found.pair.inside, found.pair.outside
    gap = difference(found.pair, confidence)
    low, high = inside.interval(confidence)[:2] if inside.value is not None else (None, None)
    weight = among.moments.total("rows")
    return SegmentRow(
        window_start=reading.window.start, window_end=reading.window.end, version=reading.version, segment="cell",
        segment_value="", where="", metric=reading.loss.metric, n=found.part.n, n_labelled=found.part.n,
        share=found.part.total("rows") / weight, value=inside.value, ci_low=low, ci_high=high,
        value_elsewhere=outside.value, difference=gap.value if gap else None,
        difference_ci_low=gap.low if gap else None, difference_ci_high=gap.high if gap else None,
        p_value=gap.p_value if gap else None, p_adjusted=None, worse=None, impact=None, status=inside.status,
        reason=inside.reason, value_whole=among.moments.total("value") / weight,
    )  # fmt: skip


def _row(
    reading: Reading, conditions: tuple[Condition, Condition], x_place: int, y_place: int, segment: SegmentRow
) -> MapCellRow:
    fields = [reading.codes.fields[one.field] for one in conditions]
    values = [field.values[one.code - 1].word for field, one in zip(fields, conditions, strict=True)]
    return MapCellRow(
        window_start=segment.window_start, window_end=segment.window_end, version=segment.version,
        metric=segment.metric, x=fields[0].name, x_value=values[0], x_place=x_place, y=fields[1].name,
        y_value=values[1], y_place=y_place, n=segment.n, share=segment.share, value=segment.value,
        where=tuple(field.word(one.code) for field, one in zip(fields, conditions, strict=True)),
        ci_low=segment.ci_low, ci_high=segment.ci_high, value_elsewhere=segment.value_elsewhere,
        difference=segment.difference, difference_ci_low=segment.difference_ci_low,
        difference_ci_high=segment.difference_ci_high, value_whole=segment.value_whole,
        value_shrunken=segment.value_shrunken, shrunken_ci_low=segment.shrunken_ci_low,
        shrunken_ci_high=segment.shrunken_ci_high, p_value=segment.p_value, p_adjusted=segment.p_adjusted,
        worse=segment.worse, status=segment.status, reason=segment.reason,
    )  # fmt: skip
