"""What units did on each day since their first exposure: one scan, and moments over units seen on all of the days.

A day is 24 hours from the unit's own first exposure, so that every unit's days are as long. Only units that were
followed for all of the days enter: who is still new does not change what the later days say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.first_arms import arms, seen
from analytics.aggregates.held_units import held_units
from analytics.aggregates.metric_counts import known_until
from analytics.aggregates.readings import TIMED, Reading, Wanted
from analytics.aggregates.unit_kinds import usable
from analytics.aggregates.unit_sums import raw_columns, timed_rows
from analytics.aggregates.unit_table import UnitTable
from analytics.engines.text import Sql, literal
from analytics.project import MetricSource
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import expression_columns

Floats = NDArray[np.float64]
MOST_DAYS = 28
LEAST_DAYS = 4
DAILY_KINDS = ("mean", "count", "proportion", "ratio")
"""Kinds of metrics that mean something of a single day."""
_CHUNK = 50_000


@dataclass(frozen=True, eq=False)
class AgeMoments:
    """One metric by day since first exposure, over units followed for all of the days.

    Attributes:
        metric: its name.
        columns: of a day: ``value``, or ``numerator`` and ``denominator``.
        arms: with the control.
        n: units of each arm, shape (V,).
        means: shape (V, A, k).
        comoments: sums of products of deviations, shape (V, A k, A k); days in order, a day's columns side by side.
        cluster_n: units by cluster and arm, shape (G, V); None without clusters.
        cluster_sums: of deviations from the arm's means, shape (G, V, A k); None without clusters.
    """

    metric: str
    columns: tuple[str, ...]
    arms: tuple[str, ...]
    n: Floats
    means: Floats
    comoments: Floats
    cluster_n: Floats | None = None
    cluster_sums: Floats | None = None

    @property
    def days(self) -> int:
        """How many days since first exposure there are."""
        return int(self.means.shape[1])


@dataclass(frozen=True, eq=False)
class Ages:
    """All metrics by day since first exposure.

    Attributes:
        metrics: those that mean something of a single day.
        days: how many there are.
        n_left_out: units not followed for as long.
        reason: why there are none; None where there are.
    """

    metrics: tuple[AgeMoments, ...] = ()
    days: int = 0
    n_left_out: int = 0
    reason: str | None = None
    sql: tuple[str, ...] = field(default=())


@contextmanager
def opened(catalog: Catalog, reading: Reading) -> Iterator[UnitTable]:
    """The table of a reading's units, held in memory as long as it is asked."""
    with ExitStack() as held:
        appearances = held.enter_context(catalog.engine.kept(seen(catalog, reading)))
        counts = catalog.engine.query(
            f"SELECT count(*) AS n, count(DISTINCT unit) AS units FROM ({appearances.text}) "
            "WHERE unit IS NOT NULL AND n > 0"
        ).to_pylist()[0]
        several = bool(counts["n"] != counts["units"])
        if several:
            appearances = held.enter_context(catalog.engine.kept(seen(catalog, reading, ties=True)))
        first = held.enter_context(catalog.engine.kept(arms(catalog, reading, appearances, ties=several)))
        yield UnitTable(catalog, reading, held.enter_context(held_units(catalog, reading, first)))


def read_ages(catalog: Catalog, reading: Reading) -> Ages:
    """Read the metrics of a reading by day since first exposure.

    The days are as many as half the units were followed for, `MOST_DAYS` at most, and no more than a metric's window.

    Raises:
        TelemetryError, ProjectError: as `analytics.aggregates.experiments.read_experiment`.
    """
    wanted = [one for one in reading.metrics if one.source in TIMED and one.metric.kind in DAILY_KINDS]
    if not wanted:
        return Ages(reason="no metric counts rows by day")
    bare = Reading(**{**reading.__dict__, "metrics": ()})
    with opened(catalog, bare) as table:
        until = min(
            filter(None, (reading.end, reading.as_of, *(known_until(table, one) for one in wanted))),
            default=None,
        )
        if until is None:
            return Ages(reason="there are no rows after an exposure")
        days = _days(table, until, wanted)
        if days < LEAST_DAYS:
            return Ages(reason=f"half of the units have been followed for under {LEAST_DAYS} days")
        moment = literal(until.astimezone(UTC).isoformat())
        followed = f"ts + {days} * INTERVAL '24 hours' <= CAST({moment} AS TIMESTAMP WITH TIME ZONE)"
        cohort = Sql(
            f"SELECT *, row_number() OVER (ORDER BY unit) - 1 AS number FROM ({table.units.text}) WHERE {followed}",
            table.units.parameters,
        )
        total = int(table.row(f"SELECT count(*) AS n FROM ({table.units.text})")["n"])
        with catalog.engine.kept(cohort) as kept:
            people = _people(catalog, kept, reading, clustered=table.clustered)
            metrics, texts = [], []
            for source in dict.fromkeys(one.source for one in wanted):
                own = [one for one in wanted if one.source == source]
                rows = _daily_rows(catalog, reading, kept, (source, own, days))
                texts.append(rows.text)
                found = catalog.engine.query(rows)
                metrics += [_moments(found, i, one, (people, days)) for i, one in enumerate(own)]
        order = {one.name: i for i, one in enumerate(wanted)}
        ranked = tuple(sorted(metrics, key=lambda one: order[one.metric]))
        return Ages(ranked, days, total - len(people.arm), sql=tuple(texts))


@dataclass(frozen=True, eq=False)
class _People:
    """Arm and cluster of every unit, by its number."""

    arms: tuple[str, ...]
    arm: NDArray[np.int64]
    cluster: NDArray[np.int64] | None


def _days(table: UnitTable, until: datetime, wanted: Sequence[Wanted]) -> int:
    row = table.row(
        "SELECT quantile_disc(epoch(CAST($until AS TIMESTAMP WITH TIME ZONE)) - epoch(ts), 5e-1) AS seconds "
        f"FROM ({table.units.text}) WHERE ts IS NOT NULL",
        {"until": until},
    )
    followed = 0 if row["seconds"] is None else int(row["seconds"] // 86_400)
    windows = [
        int(one.metric.window.total_seconds() // 86_400) for one in wanted if one.metric.window is not None
    ]
    return max(0, min(MOST_DAYS, followed, *windows))


def _people(catalog: Catalog, kept: Sql, reading: Reading, *, clustered: bool) -> _People:
    found = catalog.engine.query(Sql(f"SELECT variant, cluster FROM ({kept.text}) ORDER BY number"))
    names = tuple(reading.variants)
    place = {name: i for i, name in enumerate(names)}
    arm = np.array([place[name] for name in found.column("variant").to_pylist()], dtype=np.int64)
    if not clustered:
        return _People(names, arm, None)
    encoded = found.column("cluster").combine_chunks().dictionary_encode()
    return _People(names, arm, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def _daily_rows(
    catalog: Catalog, reading: Reading, kept: Sql, what: tuple[MetricSource, Sequence[Wanted], int]
) -> Sql:
    """One row a unit and day on which it did anything."""
    source, wanted, days = what
    rows, known = timed_rows(catalog, reading, source), expression_columns(catalog, source)
    inner, outer = ["number", "age"], ["number", "age"]
    if source == "predictions":
        inner.append("weight")
    for i, one in enumerate(wanted):
        raw = raw_columns(catalog, one, known)
        inner += [f"{text} AS raw_{i}_{name}" for name, text in raw.items()]
        outer += _summed(i, one, tuple(raw), weighted=source == "predictions")
    aged = "CAST(floor((epoch_us(r.ts) - epoch_us(x.ts)) / 86400e6) AS INTEGER) AS age"
    text = (
        f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM ("
        f"SELECT r.*, x.number AS number, x.variant AS arm_variant, {aged} FROM ({rows.text}) AS r "
        f"JOIN ({kept.text}) AS x ON r.unit = x.unit WHERE r.ts >= x.ts) "
        f"WHERE age < {days}) GROUP BY number, age"
    )
    return Sql(text, rows.parameters)


def _summed(index: int, one: Wanted, names: Sequence[str], *, weighted: bool) -> list[str]:
    columns = [f"raw_{index}_{name}" for name in names]
    finite = " AND ".join(map(usable, columns))
    if one.metric.kind == "proportion":
        held = f"CASE WHEN {finite} AND {columns[0]} <> 0e0 THEN 1e0 ELSE 0e0 END"
        return [f"max({held}) AS m{index}_0"]
    factor = " * weight" if weighted else ""
    return [
        f"coalesce(sum(CASE WHEN {finite} THEN {column}{factor} END), 0e0) AS m{index}_{place}"
        for place, column in enumerate(columns)
    ]


def _moments(found: pa.Table, index: int, wanted: Wanted, about: tuple[_People, int]) -> AgeMoments:
    people, days = about
    k, v = len(wanted.columns), len(people.arms)
    n = np.bincount(people.arm, minlength=v).astype(np.float64)
    number = found.column("number").to_numpy().astype(np.int64)
    age = found.column("age").to_numpy().astype(np.int64)
    values = np.column_stack([found.column(f"m{index}_{place}").to_numpy() for place in range(k)])
    order = np.argsort(number, kind="stable")
    number, age, values = number[order], age[order], values[order].astype(np.float64)
    sums = np.zeros((v, days, k))
    np.add.at(sums, (people.arm[number], age), values)
    means = sums / np.maximum(n, 1.0)[:, None, None]
    comoments = np.zeros((v, days * k, days * k))
    groups = 0 if people.cluster is None else int(people.cluster.max(initial=-1)) + 1
    cluster_sums = np.zeros((groups, v, days * k)) if people.cluster is not None else None
    for start in range(0, len(people.arm), _CHUNK):
        low, high = np.searchsorted(number, [start, start + _CHUNK])
        arm = people.arm[start : start + _CHUNK]
        block = np.zeros((len(arm), days, k))
        block[number[low:high] - start, age[low:high]] = values[low:high]
        flat = (block - means[arm]).reshape(len(arm), -1)
        for i in range(v):
            own = flat[arm == i]
            comoments[i] += own.T @ own
        if cluster_sums is not None and people.cluster is not None:
            np.add.at(cluster_sums, (people.cluster[start : start + _CHUNK], arm), flat)
    cluster_n = None
    if people.cluster is not None:
        cluster_n = np.zeros((groups, v))
        np.add.at(cluster_n, (people.cluster, people.arm), 1.0)
    return AgeMoments(wanted.name, wanted.columns, people.arms, n, means, comoments, cluster_n, cluster_sums)
