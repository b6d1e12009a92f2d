"""Compare stored aggregates with a rebuild from scratch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.day_facts import Facts, midnight, update_facts
from analytics.aggregates.stored_days import ProjectParts
from analytics.building.build import (
    QUERY_SECONDS,
    Progress,
    day_batches,
    days_of,
    kept_up_to_date,
    reference_answers,
    split_by_day,
)
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.parts import WHOLE, Definition

RELATIVE = 1e-9
"""Sums of doubles depend on the order of their rows: by so much of the largest they may differ."""


@dataclass(frozen=True)
class Difference:
    """A part that is not what the logs say.

    Attributes:
        aggregate: its name.
        segments: what it is split by.
        day: the local day; None for the reference.
        problem: what is wrong with it.
    """

    aggregate: str
    segments: tuple[str, ...]
    day: date | None
    problem: str


@dataclass(frozen=True)
class Verified:
    """What was compared, and what differs."""

    parts: int
    differences: tuple[Difference, ...]


def verify(
    catalog: Catalog, parts: ProjectParts, tell: Callable[[Progress], None] = lambda _: None
) -> Verified:
    """Make every part anew, from files looked at anew, and compare it with the one that pages would read.

    Args:
        catalog: the project's views.
        parts: what is stored of it.
        tell: called with the progress.
    """
    catalog.engine.query_seconds = QUERY_SECONDS
    tell(Progress(0, 0, "looking at all files"))
    facts = update_facts(catalog, Facts())
    wanted = kept_up_to_date(catalog)
    found: list[Difference] = []
    compared = 0
    for labelled in (False, True):
        mine = [one for one, of in wanted.items() if of.labelled is labelled and of.source == "reference"]
        for one, fresh in reference_answers(catalog, facts, mine, labelled=labelled) if mine else ():
            found += _compared(parts, one, wanted[one], {None: fresh})
            compared += 1
    all_rows = 2 * sum(facts.rows(day) for day in facts.days)
    rows = 0
    for labelled in (False, True):
        mine = [one for one, of in wanted.items() if of.labelled is labelled and of.source == "predictions"]
        for days, tables in day_batches(catalog, facts, mine, facts.days, labelled=labelled):
            tell(Progress(rows, all_rows, f"{days[0]} to {days[-1]}"))
            for one, table in tables:
                cut = split_by_day(table, wanted[one], catalog.project.zone)
                asked = sorted(set(days) & set(days_of(wanted[one], facts)))
                fresh_days: dict[date | None, pa.Table | None] = {
                    day: cut.get(midnight(day)) for day in asked
                }
                found += _compared(parts, one, wanted[one], fresh_days)
                compared += len(asked)
            rows += sum(facts.rows(day) for day in days)
    return Verified(compared, tuple(found))


def _compared(
    parts: ProjectParts, one: Standard, definition: Definition, fresh: dict[date | None, pa.Table | None]
) -> list[Difference]:
    found = []
    for day, table in fresh.items():
        moment = WHOLE if day is None else midnight(day)
        stored = parts.read(definition, [moment])
        if moment not in stored.days:
            problem: str | None = "is missing or outdated"
        else:
            problem = difference(stored.table, table, one.additive)
        if problem is not None:
            found.append(Difference(definition.name, one.segments, day, problem))
    return found


def difference(stored: pa.Table | None, fresh: pa.Table | None, additive: Additive) -> str | None:
    """What differs between two answers of an aggregate, whatever the order of their rows; None where nothing does."""
    sizes = [0 if table is None else table.num_rows for table in (stored, fresh)]
    if sizes[0] != sizes[1]:
        return f"has {sizes[0]:,} groups, and the logs {sizes[1]:,}"
    if stored is None or fresh is None or not sizes[0]:
        return None
    if set(stored.column_names) != set(fresh.column_names):
        return "has other columns"
    keys = [name for name in fresh.column_names if name not in additive.added]
    one, other = (_ordered(table, keys) for table in (stored, fresh))
    for name in fresh.column_names:
        if not _alike(one.column(name), other.column(name)):
            return f"{name} is not what the logs say"
    return None


def _ordered(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    return (
        table.take(pc.sort_indices(table, sort_keys=[(key, "ascending") for key in keys])) if keys else table
    )


def _alike(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    if not (pa.types.is_floating(one.type) or pa.types.is_floating(other.type)):
        return bool(one.cast(other.type).equals(other)) if one.type != other.type else bool(one.equals(other))
    if one.is_null().to_pylist() != other.is_null().to_pylist():
        return False
    left, right = (array.cast(pa.float64()).fill_null(0.0).to_numpy() for array in (one, other))
    finite = np.abs(right[np.isfinite(right)])
    slack = RELATIVE * (float(finite.max()) if finite.size else 1.0)
    return bool(np.allclose(left, right, rtol=RELATIVE, atol=slack, equal_nan=True))
