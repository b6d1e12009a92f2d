"""The table of units, held in memory: its sums over rows are added in numpy where they fit.

The definition is `unit_values`: rows of events joined with units, grouped by unit, and joined with the units once more.
Grouped by two million units, ten million events took 4.9 processor seconds and the second join 2.5. Here every unit
has a number, the one join streams the rows that count with that number, and each sum is an array with a place a unit:
3.1 seconds for both, and a fifth of the memory. Where arrays would be large, or a metric follows steps in the order
of time, the engine groups, since it can spill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.readings import TIMED, Reading, Wanted
from analytics.aggregates.unit_kinds import UnitSum, stretches, unit_sums
from analytics.aggregates.unit_sums import counted_rows, metrics_of, unit_values
from analytics.engines.text import Sql
from analytics.project import MetricSource
from analytics.telemetry.catalog import Catalog

MOST_BYTES = 1 << 29
"""Most memory of the sums: about five million units of three metrics with their covariates."""
NUMBERED = "numbered_units"
Array = NDArray[Any]
Integers = NDArray[np.int64]


@contextmanager
def held_units(catalog: Catalog, reading: Reading, first: Sql) -> Iterator[Sql]:
    """Hold what `unit_values` says of units in memory.

    Args:
        catalog: the project's logs.
        reading: what is read.
        first: one row a unit, with its first arm; it is read twice.

    Yields:
        A SELECT of everything held.
    """
    sources = [source for source in TIMED if _can_be_numbered(reading, source)]
    numbered = _numbered(catalog, reading, first, sources) if sources else None
    if numbered is None:
        held = catalog.engine.kept(unit_values(catalog, reading, first))
    else:
        values = unit_values(catalog, reading, Sql(f"SELECT * FROM {NUMBERED}"), sources)
        held = catalog.engine.kept(values, {NUMBERED: numbered})
    del numbered  # the engine has its own copy from here on
    with held as units:
        yield units


def _can_be_numbered(reading: Reading, source: MetricSource) -> bool:
    metrics = metrics_of(reading, source)
    return bool(metrics) and not any(wanted.steps for _, wanted in metrics)


def _numbered(
    catalog: Catalog, reading: Reading, first: Sql, sources: Sequence[MetricSource]
) -> pa.Table | None:
    """The units with their sums; None where these would not fit."""
    wanted = {source: _sums_of(reading, source, metrics_of(reading, source)) for source in sources}
    count = f"SELECT count(*) AS n FROM ({first.text})"
    n = int(catalog.engine.query(Sql(count, first.parameters)).column("n")[0].as_py())
    if n * 8 * sum(len(sums) for sums in wanted.values()) > MOST_BYTES:
        return None
    units = catalog.engine.query(first)
    units = units.append_column("number", pa.array(np.arange(n, dtype=np.int32)))
    for source, sums in wanted.items():
        given = Sql(f"SELECT * FROM {NUMBERED}")
        rows = counted_rows(catalog, reading, given, source, metrics_of(reading, source), key="number")
        for name, column in _added(catalog, rows, units, sums).items():
            units = units.append_column(name, column)
    return units


def _sums_of(reading: Reading, source: MetricSource, metrics: Sequence[tuple[int, Wanted]]) -> list[UnitSum]:
    """What is added of a source; metrics whose rows count at the same times name the same stretch."""
    begins, weighted = reading.start is not None, source == "predictions"
    sums: list[UnitSum] = []
    names: dict[str, str] = {}
    alike: dict[str, str] = {}
    for index, wanted in metrics:
        sums += unit_sums(index, wanted, weighted=weighted, begins=begins)
        for name, text in stretches(reading, index, wanted).items():
            names[name] = alike.setdefault(text, name)
    return [replace(one, stretch=names.get(one.stretch or "", one.stretch)) for one in sums]


def _added(catalog: Catalog, rows: Sql, units: pa.Table, sums: Sequence[UnitSum]) -> dict[str, pa.Array]:
    """Column -> its sums over the rows, in the order of the units."""
    # what several metrics ask alike is added once: all count their rows
    questions = [replace(one, name="") for one in sums]
    totals = {question: _Total(question, units.num_rows) for question in dict.fromkeys(questions)}
    columns = list(dict.fromkeys(text for total in totals.values() for text in total.reads))
    items = ", ".join(["arm_unit AS number", *(f"{text} AS c{place}" for place, text in enumerate(columns))])
    streamed = Sql(f"SELECT {items} FROM ({rows.text})", rows.parameters)
    for batch in catalog.engine.batches(streamed, {NUMBERED: units}):
        number, *arrays = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
        read = _Read(number.astype(np.intp), dict(zip(columns, arrays, strict=True)), {})
        for total in totals.values():
            total.add(read)
    answers = {question: total.answer() for question, total in totals.items()}
    return {one.name: answers[question] for one, question in zip(sums, questions, strict=True)}


@dataclass(frozen=True)
class _Read:
    """Some rows, as arrays.

    Attributes:
        number: of each row's unit.
        columns: SQL text -> what it gave.
        known: what `within` found before.
    """

    number: Integers
    columns: dict[str, Array]
    known: dict[str, tuple[Integers, Integers]]

    def within(self, stretch: str) -> tuple[Integers, Integers]:
        """The places of the rows in time, and the numbers of their units."""
        if stretch not in self.known:
            # taking by place is ten times as fast as by mask
            places = np.flatnonzero(self.columns[stretch])
            self.known[stretch] = places, self.number[places]
        return self.known[stretch]


class _Total:
    """A `UnitSum` of every unit, as rows come."""

    def __init__(self, one: UnitSum, n_units: int) -> None:
        self.one = one
        self.total: Array = np.zeros(n_units, np.int64 if one.how == "count" else np.float64)
        self.n = np.zeros(n_units, dtype=np.int64) if one.how == "mean" else None
        self._stretch, self._holds = f"coalesce({one.stretch}, FALSE)", f"coalesce({one.condition}, FALSE)"
        self._value = f"CASE WHEN {one.condition} THEN coalesce({one.value}, 0e0) ELSE 0e0 END"
        self._known = f"coalesce({one.condition} AND {one.value} IS NOT NULL, FALSE)"

    @property
    def reads(self) -> tuple[str, ...]:
        """What it asks of rows, in SQL; nothing where no row can count."""
        if self.one.stretch is None:
            return ()
        own = {"sum": (self._value,), "mean": (self._value, self._known)}.get(self.one.how, (self._holds,))
        return (self._stretch, *own)

    def add(self, read: _Read) -> None:
        """Add rows."""
        if self.one.stretch is None:
            return
        places, numbers = read.within(self._stretch)
        if self.one.how in {"sum", "mean"}:
            values = read.columns[self._value][places]
            # adding takes most of the time, and where a metric is about one sort of event most add nothing
            some = np.flatnonzero(values)
            np.add.at(self.total, numbers[some], values[some])
            if self.n is not None:
                np.add.at(self.n, numbers[read.columns[self._known][places]], 1)
            return
        holds = read.columns[self._holds]
        chosen = numbers if holds.all() else numbers[np.flatnonzero(holds[places])]
        if self.one.how == "happened":
            self.total[chosen] = 1
        else:
            np.add.at(self.total, chosen, 1)

    def answer(self) -> pa.Array:
        """What there is of every unit; NULL of a mean without rows, and of what cannot be."""
        if self.one.stretch is None:
            return pa.nulls(len(self.total), pa.int32())
        if self.n is None:
            return pa.array(self.total)
        return pa.array(self.total / np.maximum(self.n, 1), mask=self.n == 0)
