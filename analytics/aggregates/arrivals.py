"""Predictions by how long they were followed and when their label came, counted on the fixed bins of delays.

Counts add over files and over blocks; those of one instant of knowledge say nothing about another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.aggregates.keys import KEYS, CellKey, column, group
from analytics.aggregates.moments import Statistic
from analytics.engines.text import Sql, literal
from analytics.stats.arrivals import OCTAVES, STEPS
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import window_key

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COVERAGE = (
    Statistic("rows", "1e0", share=True),
    Statistic("labelled", "CASE WHEN label IS NOT NULL THEN 1e0 ELSE 0e0 END", share=True, within="rows"),
)
"""Rows and labelled rows, for `analytics.aggregates.moments.read_row_moments`."""
COVERAGE_TOGETHER = (("rows", "labelled"),)
_INSTANT = "CAST(${} AS TIMESTAMP WITH TIME ZONE)"
UNSTRATIFIED = "''"


@dataclass(frozen=True)
class Arrivals:
    """Groups of rows of one version, day, stratum, age and delay.

    Attributes:
        windows: distinct window keys, and ``window`` the place of each group among them.
        versions: distinct versions, and ``version`` likewise.
        days: distinct local days (wall-clock midnights), ascending, and ``day`` likewise.
        strata: distinct texts, and ``stratum`` likewise.
        age: bin of the time followed.
        delay: bin of the time to the first label report; -1 where none had come.
        due: whether a missing label had come to mean the absent one.
        n: rows.
        weight: sum of weights.
        squares: sum of squared weights.
        longest: the longest delay of the group in seconds; nan where none had come.
        sql: the text that scanned.
    """

    windows: tuple[datetime, ...]
    versions: tuple[str | None, ...]
    days: tuple[datetime, ...]
    strata: tuple[str, ...]
    window: Ints
    version: Ints
    day: Ints
    stratum: Ints
    age: Ints
    delay: Ints
    due: NDArray[np.bool_]
    n: Floats
    weight: Floats
    squares: Floats
    longest: Floats
    sql: str


@dataclass(frozen=True)
class Delays:
    """Labels of one cell, and quantiles of their delays in seconds."""

    n: int
    p50: float
    p95: float


def followed_sql(
    catalog: Catalog,
    rows: Sql,
    known_at: datetime,
    *,
    start: datetime | None = None,
    stratum: str = UNSTRATIFIED,
    outages: Sequence[tuple[datetime, datetime]] = (),
) -> Sql:
    """Scoped rows and how long they were followed: to be held in memory and read several times.

    Beside keys, label, weight and unit: ``age`` and ``delay`` in seconds (delay NULL where no label had come),
    ``learn_age`` and ``learn_delay``, which end where the next declared outage begins, ``due`` (a missing label has
    come to mean the absent one) and ``inside`` (not before ``start``).

    Args:
        catalog: the project's views.
        rows: scoped rows, with their ids.
        known_at: what came later has not come.
        start: rows before it are there to learn from.
        stratum: SQL over scoped rows that gives a text (written in `aggregates` only).
        outages: stretches in which no label could come.
    """
    parameters: dict[str, Any] = {**rows.parameters, "followed_to": known_at}
    until = _INSTANT.format("followed_to")
    due, inside = "FALSE", "TRUE"
    section = catalog.project.labels
    if section is not None and section.absent_after is not None:
        parameters["due_seconds"] = section.absent_after.total_seconds()
        due = f"epoch({until}) - epoch(ts) >= CAST($due_seconds AS DOUBLE)"
    if start is not None:
        parameters["inside_from"] = start
        inside = f"ts >= {_INSTANT.format('inside_from')}"
    source, report = _first_reports(catalog, rows)
    ended = _until_outage(until, outages, parameters)
    text = (
        f"SELECT window_key, version, segment, block_key, weight, label, unit, file, row, {stratum} AS stratum, "
        f"{window_key('day', catalog.project.time_zone)} AS day_key, {due} AS due, {inside} AS inside, "
        f"{_age(until)} AS age, {_delay(report, until)} AS delay, "
        f"{_age(ended)} AS learn_age, {_delay(report, ended)} AS learn_delay FROM ({source})"
    )
    return Sql(text, parameters)


def _until_outage(
    until: str, outages: Sequence[tuple[datetime, datetime]], parameters: dict[str, Any]
) -> str:
    ends = [until]
    for place, (start, end) in enumerate(outages):
        first, last = f"outage_start_{place}", f"outage_end_{place}"
        parameters |= {first: start, last: end}
        begun = f"greatest({_INSTANT.format(first)}, ts)"
        ends.append(f"CASE WHEN ts < {_INSTANT.format(last)} THEN {begun} ELSE {until} END")
    return f"least({', '.join(ends)})" if outages else until


def _age(until: str) -> str:
    return f"greatest(CAST(epoch({until}) - epoch(ts) AS DOUBLE), 0e0)"


def _delay(report: str, until: str) -> str:
    return (
        f"CASE WHEN {report} <= {until} THEN greatest(CAST(epoch({report}) - epoch(ts) AS DOUBLE), 0e0) END"
    )


def read_arrivals(catalog: Catalog, followed: Sql, *, learn: bool) -> Arrivals:
    """Count followed rows by age and delay.

    Args:
        catalog: the project's views.
        followed: from `followed_sql`.
        learn: all rows, up to declared outages; otherwise those inside the scope, up to the instant asked for.
    """
    age, delay = ("learn_age", "learn_delay") if learn else ("age", "delay")
    window = "TIMESTAMP '1970-01-01 00:00:00'" if learn else "window_key"
    columns = "window_key, version, day_key, stratum, age_bin, delay_bin, due"
    text = (
        f"SELECT {columns}, count(*) AS n, sum(weight) AS w, sum(weight * weight) AS w2, max(delay) AS longest "
        f"FROM (SELECT {window} AS window_key, version, day_key, stratum, due, weight, {delay} AS delay, "
        f"{bin_sql(age)} AS age_bin, CASE WHEN {delay} IS NULL THEN -1 ELSE {bin_sql(delay)} END AS delay_bin "
        f"FROM ({followed.text}){'' if learn else ' WHERE inside'}) GROUP BY {columns}"
    )
    return _arrivals(catalog.engine.query(Sql(text, followed.parameters)), text)


def _first_reports(catalog: Catalog, rows: Sql) -> tuple[str, str]:
    """Scoped rows joined with the instant of their first label, and the column that holds it."""
    if not catalog.has_label_feed:
        return rows.text, "CASE WHEN own_label IS NOT NULL THEN own_label_ts END"
    first = "SELECT id AS report_id, min(ts) AS first_report FROM labels GROUP BY id"
    return f"SELECT * FROM ({rows.text}) AS r LEFT JOIN ({first}) AS f ON r.id = f.report_id", "first_report"


def bin_sql(seconds: str) -> str:
    """The bin of `analytics.stats.arrivals.EDGES`: an octave by halving, then sixteen equal parts of it.

    Powers of two divide without rounding, so that no edge moves. A chain of the octaves, and halving among all 465
    edges, took 200 ns a row and more; this takes 40.
    """
    within = _octave(seconds, 0, OCTAVES)
    return (
        f"CASE WHEN {seconds} < 1e0 THEN 0 WHEN {seconds} < {2.0**OCTAVES!r}e0 THEN {within} "
        f"ELSE {OCTAVES * STEPS} END"
    )


def _octave(seconds: str, first: int, end: int) -> str:
    """The bin of seconds from 2 to the ``first`` to 2 to the ``end``."""
    if end - first == 1:
        part = f"CAST(floor({seconds} * {literal(STEPS / 2.0**first)}) AS INTEGER)"
        return f"{part} + {(first - 1) * STEPS + 1}"
    middle = (first + end) // 2
    below, above = _octave(seconds, first, middle), _octave(seconds, middle, end)
    return f"CASE WHEN {seconds} < {2.0**middle!r}e0 THEN {below} ELSE {above} END"


def _arrivals(table: pa.Table, text: str) -> Arrivals:
    windows, window = _places(table, "window_key")
    versions, version = _places(table, "version")
    days, day = _places(table, "day_key")
    strata, stratum = _places(table, "stratum")
    whole = {
        name: table.column(name).to_numpy(zero_copy_only=False).astype(np.int64)
        for name in ("age_bin", "delay_bin")
    }
    due = table.column("due").to_numpy(zero_copy_only=False).astype(np.bool_)
    n, weight, squares, longest = (column(table, name) for name in ("n", "w", "w2", "longest"))
    return Arrivals(
        windows, versions, days, strata, window, version, day, stratum, whole["age_bin"], whole["delay_bin"], due,
        n, weight, squares, longest, text,
    )  # fmt: skip


def _places(table: pa.Table, name: str) -> tuple[tuple[Any, ...], Ints]:
    """The values of a column in order, null first, and which of them every row holds."""
    coded = pc.dictionary_encode(table.column(name).combine_chunks(), null_encoding="encode")
    values = coded.dictionary.to_pylist()
    known = tuple(sorted(values, key=lambda value: (value is not None, value)))
    place = {value: index for index, value in enumerate(known)}
    places = np.array([place[value] for value in values], dtype=np.int64)
    return known, places[coded.indices.to_numpy()]


def inside(followed: Sql) -> Sql:
    """The followed rows inside the scope, as scoped rows for `analytics.aggregates.moments`."""
    return Sql(f"SELECT * FROM ({followed.text}) WHERE inside", followed.parameters)


def read_delays(catalog: Catalog, followed: Sql) -> dict[CellKey, Delays]:
    """The delays of every window's labels."""
    arrived = f"SELECT {KEYS}, delay FROM ({followed.text}) WHERE inside AND delay IS NOT NULL"
    return delays_of(catalog, Sql(arrived, followed.parameters))


def delays_of(catalog: Catalog, rows: Sql) -> dict[CellKey, Delays]:
    """Median and 95 % point (order statistics) of a column ``delay`` by cell."""
    text = (
        f"SELECT {KEYS}, count(*) AS n, "
        "max(CASE WHEN place = ceil(0.5e0 * many) THEN delay END) AS p50, "
        "max(CASE WHEN place = ceil(0.95e0 * many) THEN delay END) AS p95 FROM "
        f"(SELECT {KEYS}, delay, row_number() OVER (PARTITION BY {KEYS} ORDER BY delay) AS place, "
        f"count(*) OVER (PARTITION BY {KEYS}) AS many FROM ({rows.text})) GROUP BY {KEYS}"
    )
    table = catalog.engine.query(Sql(text, rows.parameters))
    n, p50, p95 = (column(table, name) for name in ("n", "p50", "p95"))
    return {
        key: Delays(int(n[row]), float(p50[row]), float(p95[row]))
        for key, (row,) in group(table).rows.items()
    }
