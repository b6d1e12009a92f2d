"""An experiment's logs as moments by arm: exposures and events are scanned once, everything else reads one row a unit.

Exposures are grouped by unit and arm, and the first one of a unit decides. The rows of events or predictions that
follow it (or, for a look-back, precede it) are summed by unit in one scan for all metrics. The table that comes of it,
one row a unit, is held in memory while quantiles, moments and histograms are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations_with_replacement
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.arms import (
    RATIO,
    ArmMoments,
    ExperimentAggregates,
    Floats,
    MetricAggregates,
    Split,
    UnitValues,
    merged,
)
from analytics.aggregates.keys import column
from analytics.aggregates.unit_sums import (
    TIMED,
    Reading,
    Wanted,
    arms,
    everybody,
    seen,
    unit_values,
    value_column,
)
from analytics.engines.text import Sql, literal
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import last_event

FEW_UNITS = 1000
"""Units of an arm below which the values of single units are read."""
MOST_VALUES = 100_000
"""Units of an arm whose values are read; of more, those whose hashed names come first."""
BINS = 40
TAIL = 0.005
"""Share of units beyond each outer edge of a histogram."""
UNKNOWN_ARMS = 10


def read_experiment(catalog: Catalog, reading: Reading) -> ExperimentAggregates:
    """Read everything the analysis of one experiment needs.

    Raises:
        TelemetryError: its logs cannot be read, or lack a declared column.
        ProjectError: an expression of a metric means nothing over them.
    """
    with ExitStack() as held:
        texts: list[str] = []

        def keep(sql: Sql) -> Sql:
            texts.append(sql.text)
            return held.enter_context(catalog.engine.kept(sql))

        appearances = keep(seen(catalog, reading))
        several = _in_several_arms(catalog, appearances)
        if several:
            appearances = keep(seen(catalog, reading, ties=True))
        first = keep(arms(catalog, reading, appearances, ties=several))
        table = _Table(catalog, reading, keep(unit_values(catalog, reading, first)))
        split = _split(table, appearances, first)
        metrics = tuple(_metric(table, i, wanted, split) for i, wanted in enumerate(reading.metrics))
        return ExperimentAggregates(split, metrics, tuple(texts))


def _in_several_arms(catalog: Catalog, appearances: Sql) -> bool:
    row = catalog.engine.query(
        f"SELECT count(*) AS n, count(DISTINCT unit) AS units FROM ({appearances.text}) "
        "WHERE unit IS NOT NULL AND n > 0"
    ).to_pylist()[0]
    return bool(row["n"] != row["units"])


def read_everybody(catalog: Catalog, reading: Reading) -> ArmMoments:
    """The moments of the reading's one metric over all units of its source, in one arm.

    Raises:
        TelemetryError, ProjectError: as `read_experiment`.
    """
    wanted = reading.metrics[0]
    with ExitStack() as held:
        first = held.enter_context(catalog.engine.kept(everybody(catalog, reading, wanted.source)))
        units = held.enter_context(catalog.engine.kept(unit_values(catalog, reading, first)))
        table = _Table(catalog, reading, units)
        raw = {name: value_column(0, name) for name in wanted.columns}
        caps = _caps(table, wanted, raw)
        capped = {name: _capped(text, caps.get(name)) for name, text in raw.items()}
        return _moments(table, wanted, capped, _present(wanted, raw))


@dataclass(frozen=True)
class _Table:
    """The rows of units, and what is asked of them."""

    catalog: Catalog
    reading: Reading
    units: Sql

    @property
    def clustered(self) -> bool:
        section = self.catalog.project.units
        return section is not None and section.cluster is not None

    def query(self, text: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        return self.catalog.engine.query(Sql(text, dict(parameters or {})))

    def row(self, text: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        first: dict[str, Any] = self.query(text, parameters).to_pylist()[0]
        return first


def _split(table: _Table, appearances: Sql, first: Sql) -> Split:
    declared = tuple(table.reading.variants)
    found = {
        row["variant"]: (row["n"], row["multiple"])
        for row in table.query(
            "SELECT variant, count(*) AS n, count(*) FILTER (multiple) AS multiple "
            f"FROM ({first.text}) GROUP BY variant"
        ).to_pylist()
    }
    unknown = sorted(
        ((name, n) for name, (n, _) in found.items() if name not in declared),
        key=lambda pair: (-pair[1], pair[0]),
    )
    rows = table.row(
        "SELECT coalesce(sum(outside) FILTER (unit IS NOT NULL), 0) AS outside, coalesce(sum(n) + sum(outside), 0) "
        "- coalesce(sum(n + outside) FILTER (unit IS NOT NULL), 0) AS unusable, "
        "coalesce(sum(n) FILTER (unit IS NOT NULL), 0) - count(DISTINCT unit) FILTER (n > 0) AS copies "
        f"FROM ({appearances.text})"
    )
    # a unit is exposed again and again, but has one row in a table of units
    copies = rows["copies"] if table.catalog.project.exposures is None else 0
    clusters, n_clusters = _clusters(table, declared)
    return Split(
        {name: int(found.get(name, (0, 0))[0]) for name in declared},
        clusters,
        n_clusters,
        n_multiple=sum(int(found[name][1]) for name in declared if name in found),
        n_unknown=sum(n for _, n in unknown),
        unknown=tuple(unknown[:UNKNOWN_ARMS]),
        n_outside=int(rows["outside"]),
        n_rows_left_out=int(rows["unusable"]) + int(copies),
    )


def _clusters(table: _Table, declared: Sequence[str]) -> tuple[dict[str, int] | None, int | None]:
    """Clusters by arm where each lies in one arm only, and how many there are."""
    if not table.clustered:
        return None, None
    rows = table.query(
        "SELECT variant, arms, count(*) AS n FROM (SELECT cluster, min(variant) AS variant, "
        f"count(DISTINCT variant) AS arms FROM ({table.units.text}) GROUP BY cluster) GROUP BY variant, arms"
    ).to_pylist()
    total = sum(row["n"] for row in rows)
    if any(row["arms"] > 1 for row in rows):
        return None, total
    return {name: sum(row["n"] for row in rows if row["variant"] == name) for name in declared}, total


def _metric(table: _Table, index: int, wanted: Wanted, split: Split) -> MetricAggregates:
    raw = {name: value_column(index, name) for name in (*wanted.columns, *wanted.covariates)}
    caps = _caps(table, wanted, raw)
    capped = {name: _capped(text, caps.get(name)) for name, text in raw.items()}
    present, n_imputed = _present(wanted, raw), 0
    if wanted.metric.covariate is not None:
        capped["covariate"], n_imputed = _imputed(table, present, capped["covariate"])
    edges = _edges(table, wanted, raw, present)
    own = {name: capped[name] for name in wanted.columns}
    moments = _moments(table, wanted, own, present)
    smallest = min(split.n.values(), default=0)
    skewness = {} if wanted.metric.kind == "proportion" else _skewness(table, own, moments, present)
    return MetricAggregates(
        wanted.name,
        moments,
        _moments(table, wanted, capped, present) if wanted.covariates else None,
        _bins(table, wanted, raw, present, edges),
        edges,
        _values(table, own, present, split) if skewness and smallest < FEW_UNITS else None,
        n_imputed,
        caps,
        _left_out(table, index, wanted),
        _open_windows(table, wanted),
        skewness,
    )


def _present(wanted: Wanted, raw: Mapping[str, str]) -> str:
    """Whether a unit enters: its value is known.

    A unit without anything to be a ratio of enters with 0 / 0. It moves no ratio, but leaving it out would let what
    happened after the exposure choose whose covariates are compared.
    """
    return " AND ".join(f"{raw[name]} IS NOT NULL" for name in wanted.columns)


def _caps(
    table: _Table, wanted: Wanted, raw: Mapping[str, str]
) -> dict[str, tuple[float | None, float | None]]:
    declared = wanted.metric.winsorize
    if declared is None:
        return {}
    low, high = declared if isinstance(declared, tuple) else (None, declared)
    shares = (low or None, high if high != 1.0 else None)
    # a covariate from a table of units is taken as it is
    names = [name for name in raw if name in wanted.columns or name in wanted.looked_back]
    found = {name: _quantiles(table, raw[name], shares) for name in names}
    return {name: (least, most) for name, (least, most) in found.items()}


def _quantiles(
    table: _Table, value: str, shares: Sequence[float | None], condition: str = "TRUE"
) -> list[float | None]:
    """Order statistics over the units of all arms (inverted distribution function); None for no share or no units."""
    # a quotient is rounded as the written share was, a product is not: 0.55 * 100 is more than 55
    items = [
        "CAST(NULL AS DOUBLE)"
        if share is None
        else f"min(CASE WHEN CAST(place AS DOUBLE) / n >= {literal(share)} THEN value END)"
        for share in shares
    ]
    row = table.row(
        f"SELECT {', '.join(f'{item} AS q{i}' for i, item in enumerate(items))} FROM ("
        "SELECT value, row_number() OVER (ORDER BY value) AS place, count(*) OVER () AS n FROM ("
        f"SELECT {value} AS value FROM ({table.units.text}) WHERE {condition}) WHERE value IS NOT NULL)"
    )
    return [row[f"q{i}"] for i in range(len(shares))]


def _capped(text: str, caps: tuple[float | None, float | None] | None) -> str:
    low, high = caps or (None, None)
    if high is not None:
        text = f"(CASE WHEN {text} > {literal(high)} THEN {literal(high)} ELSE {text} END)"
    if low is not None:
        text = f"(CASE WHEN {text} < {literal(low)} THEN {literal(low)} ELSE {text} END)"
    return text


def _imputed(table: _Table, present: str, covariate: str) -> tuple[str, int]:
    """A covariate without gaps: a constant that is the same in every arm biases nothing."""
    known = table.row(
        f"SELECT avg({covariate}) AS mean, count(*) FILTER ({covariate} IS NULL) AS gaps "
        f"FROM ({table.units.text}) WHERE {present}"
    )
    return f"coalesce({covariate}, {literal(float(known['mean'] or 0.0))})", int(known["gaps"])


def _moments(table: _Table, wanted: Wanted, columns: Mapping[str, str], present: str) -> ArmMoments:
    names = tuple(columns)
    pairs = list(combinations_with_replacement(range(len(names)), 2))
    cluster = "cluster" if table.clustered else "CAST(NULL AS VARCHAR)"
    items = [
        "variant",
        "day",
        "cluster",
        "count(*) AS n",
        *(f"avg(c{i}) AS mean_{i}" for i in range(len(names))),
        # the engine's covariances are centred, so that a large mean loses no digits
        *(f"coalesce(covar_pop(c{i}, c{j}), 0e0) * count(*) AS co_{i}_{j}" for i, j in pairs),
    ]
    inner = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    found = table.query(
        f"SELECT {', '.join(items)} FROM (SELECT variant, day, {cluster} AS cluster, {inner} "
        f"FROM ({table.units.text}) WHERE {present}) GROUP BY variant, day, cluster ORDER BY variant, day, cluster"
    )
    k, n = len(names), found.num_rows
    comoments = np.zeros((n, k, k))
    for i, j in pairs:
        comoments[:, i, j] = comoments[:, j, i] = column(found, f"co_{i}_{j}")
    missing = table.query(
        f"SELECT variant, count(*) AS n FROM ({table.units.text}) WHERE ({present}) IS NOT TRUE GROUP BY 1"
    )
    return ArmMoments(
        names,
        np.array(found.column("variant").to_pylist(), dtype=np.str_),
        found.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]"),
        _numbers(found) if table.clustered else None,
        column(found, "n"),
        np.column_stack([column(found, f"mean_{i}") for i in range(k)]),
        comoments,
        {row["variant"]: int(row["n"]) for row in missing.to_pylist()},
        _no_shares(table, columns["value"]) if wanted.metric.kind == "proportion" else 0,
    )


def _skewness(
    table: _Table, columns: Mapping[str, str], moments: ArmMoments, present: str
) -> dict[str, float]:
    """Arm -> skewness of its units' values; a ratio is linearised at the ratio of all arms together."""
    value = next(iter(columns.values()))
    if moments.columns[0] == RATIO[0]:
        everyone = np.ones(len(moments.n), dtype=np.bool_)
        means = merged(moments.n, moments.means, moments.comoments, everyone).means
        ratio = means[0] / means[1] if means[1] else np.inf
        if not isfinite(ratio):
            return {}
        value = f"({columns['numerator']} - {literal(float(ratio))} * {columns['denominator']})"
    rows = table.query(
        f"SELECT variant, skewness({value}) AS skewness FROM ({table.units.text}) WHERE {present} GROUP BY variant"
    ).to_pylist()
    return {
        row["variant"]: float(row["skewness"])
        for row in rows
        if row["skewness"] is not None and isfinite(row["skewness"])
    }


def _numbers(found: pa.Table) -> NDArray[np.int64]:
    encoded = found.column("cluster").combine_chunks().dictionary_encode()
    numbers: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _no_shares(table: _Table, value: str) -> int:
    return int(
        table.row(f"SELECT count(*) AS n FROM ({table.units.text}) WHERE {value} NOT IN (0e0, 1e0)")["n"]
    )


def _shown(wanted: Wanted, raw: Mapping[str, str]) -> str:
    """A unit's own value, as its distribution is drawn."""
    if wanted.metric.kind == "ratio":
        quotient = f"({raw['numerator']} / nullif({raw['denominator']}, 0e0))"
        return f"CASE WHEN isfinite({quotient}) THEN {quotient} END"
    return raw["value"]


def _edges(table: _Table, wanted: Wanted, raw: Mapping[str, str], present: str) -> Floats:
    """Inner edges of the bins: equal steps over all but the tails; few whole numbers have a bin each."""
    if wanted.metric.kind == "proportion":
        return np.array([0.5])
    value = _shown(wanted, raw)
    low, high = _quantiles(table, value, (TAIL, 1 - TAIL), present)
    if low is None or high is None:
        return np.zeros(0)
    whole = table.row(
        f"SELECT bool_and({value} = floor({value})) AS whole FROM ({table.units.text}) WHERE {present}"
    )["whole"]
    if whole and high - low < BINS:
        return np.arange(low, high + 1) + 0.5 if high > low else np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, BINS + 1) if high > low else np.array([low])


def _bins(
    table: _Table, wanted: Wanted, raw: Mapping[str, str], present: str, edges: Floats
) -> dict[str, NDArray[np.int64]]:
    counts = {name: np.zeros(len(edges) + 1, np.int64) for name in table.reading.variants}
    if not len(edges):
        return {}
    cases = " ".join(f"WHEN value < {literal(float(edge))} THEN {i}" for i, edge in enumerate(edges))
    rows = table.query(
        f"SELECT variant, CASE {cases} ELSE {len(edges)} END AS bin, count(*) AS n FROM ("
        f"SELECT variant, {_shown(wanted, raw)} AS value FROM ({table.units.text}) WHERE {present}) "
        "WHERE value IS NOT NULL GROUP BY 1, 2"
    ).to_pylist()
    for row in rows:
        counts[row["variant"]][row["bin"]] = row["n"]
    return counts


def _values(table: _Table, columns: Mapping[str, str], present: str, split: Split) -> UnitValues:
    items = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    # hashed names are in no order that has to do with values, and in the same one each time
    place = "row_number() OVER (PARTITION BY variant ORDER BY md5(CAST(unit AS VARCHAR))) AS place"
    found = table.query(
        f"SELECT * FROM (SELECT variant, {items}, {place} FROM ({table.units.text}) WHERE {present}) "
        f"WHERE place <= {MOST_VALUES} ORDER BY variant, place"
    )
    return UnitValues(
        np.array(found.column("variant").to_pylist(), dtype=np.str_),
        np.column_stack([column(found, f"c{i}") for i in range(len(columns))]),
        sum(split.n.values()),
    )


def _left_out(table: _Table, index: int, wanted: Wanted) -> int:
    if wanted.source not in TIMED:
        return 0
    return int(
        table.row(f"SELECT coalesce(sum({value_column(index, 'left')}), 0) AS n FROM ({table.units.text})")[
            "n"
        ]
    )


def _open_windows(table: _Table, wanted: Wanted) -> int:
    """Units whose window had not closed when the logs end."""
    window = wanted.metric.window
    if window is None:
        return 0
    known = table.reading.as_of or _last_known(table, wanted)
    if known is None:
        return 0
    return int(
        table.row(
            f"SELECT count(*) AS n FROM ({table.units.text}) WHERE ts + {literal(window.total_seconds())} "
            "* INTERVAL '1' SECOND > CAST($known AS TIMESTAMP WITH TIME ZONE)",
            {"known": known},
        )["n"]
    )


def _last_known(table: _Table, wanted: Wanted) -> datetime | None:
    if wanted.source == "predictions":
        extent = table.catalog.extent
        return None if extent is None else extent[1]
    return last_event(table.catalog)
