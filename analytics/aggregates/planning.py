"""What the logs know before an experiment: how its metrics spread over several horizons, and how units arrive.

Units and their values are read by the same texts that read an experiment, over windows of one to four weeks, so that a
plan's baseline is what the analysis would have found. Arrivals are unit-days by day and days since the unit's last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.first_arms import arms, seen
from analytics.aggregates.held_units import held_units
from analytics.aggregates.keys import column
from analytics.aggregates.readings import Reading, Wanted
from analytics.aggregates.unit_kinds import value_column
from analytics.aggregates.unit_sums import everybody, unit_values
from analytics.aggregates.unit_table import UnitTable, capped, caps, imputed, quantiles
from analytics.engines.text import Sql, all_of, literal
from analytics.project import MetricSource
from analytics.scope import Scope
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import event_rows, exposure_rows, unit_rows
from analytics.telemetry.rows import scoped_rows

Floats = NDArray[np.float64]
Traffic = Literal["events", "predictions", "exposures", "units"]
_Z = 1.959964
"""How far, in standard errors of a share, the order statistics around a quantile lie apart."""


@dataclass(frozen=True, eq=False)
class HorizonMoments:
    """One metric over the units first met in one window.

    Attributes:
        name: of the metric.
        columns: how many of the moments' columns are the metric's own; the others are covariates.
        n: units of each cluster, or of all together, shape (R,).
        means, comoments: shapes (R, K) and (R, K, K).
        is_clustered: whether the cells are clusters.
        quantile: for a quantile, the order statistics at its interval and at itself: low, value, high.
        missing: units without a value.
    """

    name: str
    columns: int
    n: Floats
    means: Floats
    comoments: Floats
    is_clustered: bool
    quantile: tuple[float, float, float] | None = None
    missing: int = 0


@dataclass(frozen=True, eq=False)
class UnitDays:
    """Unit-days by day and by days since the unit's last day; `analytics.stats.arrival_curve.NEVER` on its first.

    Attributes:
        first: the local day numbered 0.
        days, gaps, counts: shape (R,).
    """

    first: date
    days: NDArray[np.int64]
    gaps: NDArray[np.int64]
    counts: NDArray[np.int64]


def read_horizon(catalog: Catalog, reading: Reading, source: MetricSource) -> tuple[HorizonMoments, ...]:
    """The moments of a reading's metrics over its one arm: of an experiment, or everybody where it has no name.

    Raises:
        TelemetryError, ProjectError: as `analytics.aggregates.experiments.read_experiment`.
    """
    with ExitStack() as held:
        if reading.name:
            appearances = held.enter_context(catalog.engine.kept(seen(catalog, reading, ties=True)))
            chosen = arms(catalog, reading, appearances, ties=True)
        else:
            chosen = everybody(catalog, reading, source)
        first = held.enter_context(catalog.engine.kept(chosen))
        units = held.enter_context(held_units(catalog, reading, first))
        table = UnitTable(catalog, reading, units)
        return tuple(_moments(table, i, wanted) for i, wanted in enumerate(reading.metrics))


def gives_whole_clusters(catalog: Catalog, reading: Reading) -> bool:
    """Whether an experiment gave every cluster of several units one arm; False where none has several.

    Raises:
        TelemetryError, ProjectError: as `read_horizon`.
    """
    with ExitStack() as held:
        appearances = held.enter_context(catalog.engine.kept(seen(catalog, reading, ties=True)))
        first = held.enter_context(catalog.engine.kept(arms(catalog, reading, appearances, ties=True)))
        units = unit_values(catalog, reading, first)
        row = catalog.engine.query(
            Sql(
                "SELECT count(*) AS n, count(*) FILTER (arms > 1) AS split FROM (SELECT cluster, count(*) AS units, "
                f"count(DISTINCT variant) AS arms FROM ({units.text}) GROUP BY cluster) WHERE units > 1",
                units.parameters,
            )
        ).to_pylist()[0]
        return bool(row["n"] and not row["split"])


def _moments(table: UnitTable, index: int, wanted: Wanted) -> HorizonMoments:
    raw = {name: value_column(index, name) for name in (*wanted.columns, *wanted.covariates)}
    limits = caps(table, wanted, raw)
    columns = {name: capped(text, limits.get(name)) for name, text in raw.items()}
    present = " AND ".join(f"{raw[name]} IS NOT NULL" for name in wanted.columns)
    for name in wanted.of_units:
        columns[name], _ = imputed(table, present, columns[name])
    found = table.query(_query(table, columns, present))
    k = len(columns)
    comoments = np.zeros((found.num_rows, k, k))
    for i, j in combinations_with_replacement(range(k), 2):
        comoments[:, i, j] = comoments[:, j, i] = column(found, f"co_{i}_{j}")
    n = column(found, "n")
    everyone = table.row(f"SELECT count(*) AS n FROM ({table.units.text})")["n"]
    return HorizonMoments(
        wanted.name,
        len(wanted.columns),
        n,
        np.column_stack([column(found, f"mean_{i}") for i in range(k)]),
        comoments,
        table.clustered,
        _order_statistics(table, wanted, columns, present, int(n.sum())),
        int(everyone - n.sum()),
    )


def _query(table: UnitTable, columns: Mapping[str, str], present: str) -> str:
    pairs = combinations_with_replacement(range(len(columns)), 2)
    items = [
        "count(*) AS n",
        *(f"avg(c{i}) AS mean_{i}" for i in range(len(columns))),
        # the engine's covariances are centred, so that a large mean loses no digits
        *(f"coalesce(covar_pop(c{i}, c{j}), 0e0) * count(*) AS co_{i}_{j}" for i, j in pairs),
    ]
    inner = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    cluster = "cluster" if table.clustered else "0"
    return (
        f"SELECT {', '.join(items)} FROM (SELECT {cluster} AS cell, {inner} FROM ({table.units.text}) "
        f"WHERE {present}) GROUP BY cell ORDER BY cell"
    )


def _order_statistics(
    table: UnitTable, wanted: Wanted, columns: Mapping[str, str], present: str, n: int
) -> tuple[float, float, float] | None:
    """A quantile with the order statistics of its interval: they tell how dense values are around it."""
    share = wanted.metric.quantile
    if share is None or n == 0:
        return None
    half = _Z * float(np.sqrt(share * (1 - share) / n))
    shares = (max(share - half, 0.5 / n), share, min(share + half, 1.0))
    low, value, high = quantiles(table, columns["value"], shares, present)
    return None if low is None or value is None or high is None else (low, value, high)


def read_arrivals(
    catalog: Catalog,
    traffic: Traffic,
    start: datetime | None,
    end: datetime | None,
    *,
    as_of: datetime | None = None,
    experiment: str | None = None,
) -> UnitDays | None:
    """Unit-days of a source in ``[start, end)``; None where it has none, or no times.

    Args:
        catalog: the project's logs.
        traffic: whose rows show that a unit was there.
        start, end: open where None.
        as_of: nothing later exists.
        experiment: only its exposures, or its units.

    Raises:
        TelemetryError: the logs cannot be read.
    """
    rows = _traffic_rows(catalog, traffic, as_of)
    bounds = [Sql("unit IS NOT NULL AND ts IS NOT NULL")]
    if start is not None:
        bounds.append(Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": start}))
    if end is not None:
        bounds.append(Sql("ts < CAST($end AS TIMESTAMP WITH TIME ZONE)", {"end": end}))
    if experiment is not None and getattr(catalog.project, traffic).experiment is not None:
        bounds.append(Sql("experiment = $experiment", {"experiment": experiment}))
    condition = all_of(bounds)
    zone = literal(catalog.project.time_zone)
    there = (
        f"SELECT DISTINCT unit, CAST(date_trunc('day', ts AT TIME ZONE {zone}) AS DATE) AS day "
        f"FROM ({rows.text}) WHERE {condition.text}"
    )
    before = "date_diff('day', lag(day) OVER (PARTITION BY unit ORDER BY day), day)"
    found = catalog.engine.query(
        Sql(
            f"SELECT day, gap, count(*) AS n FROM (SELECT day, coalesce({before}, -1) AS gap FROM ({there})) "
            "GROUP BY day, gap ORDER BY day, gap",
            rows.parameters | condition.parameters,
        )
    )
    if not found.num_rows:
        return None
    days = found.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return UnitDays(
        days.min().astype(object),
        (days - days.min()).astype(np.int64),
        column(found, "gap").astype(np.int64),
        column(found, "n").astype(np.int64),
    )


def _traffic_rows(catalog: Catalog, traffic: Traffic, as_of: datetime | None) -> Sql:
    if traffic == "predictions":
        return scoped_rows(catalog, Scope(as_of=as_of))
    text = {"events": event_rows, "exposures": exposure_rows, "units": unit_rows}[traffic](catalog)
    if as_of is None:
        return Sql(f"SELECT * FROM ({text}) WHERE usable")
    known = "usable AND ts <= CAST($as_of AS TIMESTAMP WITH TIME ZONE)"
    return Sql(f"SELECT * FROM ({text}) WHERE {known}", {"as_of": as_of})
