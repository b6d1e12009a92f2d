"""An experiment's logs as moments by arm: exposures and events are scanned once, everything else reads one row a unit.

Exposures are grouped by unit and arm, and the first one of a unit decides. The rows of events or predictions that
follow it (or, for a look-back, precede it) are summed by unit in one scan for all metrics. The table that comes of it,
one row a unit, is held in memory while quantiles, moments and histograms are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import combinations_with_replacement
from math import isfinite

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.aggregates.arm_counts import read_counts
from analytics.aggregates.arms import (
    RATIO,
    ArmMoments,
    Counts,
    ExperimentAggregates,
    MetricAggregates,
    Split,
    merged,
)
from analytics.aggregates.daily_split import read_daily_split, read_strata
from analytics.aggregates.first_arms import arms, seen
from analytics.aggregates.held_units import held_units
from analytics.aggregates.keys import column
from analytics.aggregates.log_state import read_log_state
from analytics.aggregates.metric_counts import count_rows, leaves_open_out, of_closed_windows, open_windows
from analytics.aggregates.pair_moments import read_pairs
from analytics.aggregates.read_observations import read_observations
from analytics.aggregates.readings import Reading, Wanted, segment_columns
from analytics.aggregates.unit_histograms import read_bins, read_edges, read_values
from analytics.aggregates.unit_kinds import value_column
from analytics.aggregates.unit_sums import everybody, unit_values
from analytics.aggregates.unit_table import UnitTable, capped, caps, imputed
from analytics.engines.text import Sql, literal
from analytics.project import SHARES
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.listing import EXPERIMENT_FEEDS

FEW_UNITS = 1000
"""Units of an arm below which the values of single units are read."""
UNKNOWN_ARMS = 10
MOST_SEGMENT_VALUES = 50
"""Values of a segment that are compared one by one; the units of all others are compared as one."""
OTHER = "(other)"


def read_experiment(catalog: Catalog, reading: Reading) -> ExperimentAggregates:
    """Read everything the analysis of one experiment needs.

    Raises:
        TelemetryError: its logs cannot be read, or lack a declared column.
        ProjectError: an expression of a metric means nothing over them.
    """
    if reading.of_counts:
        return read_counts(catalog, reading)
    with ExitStack() as held:
        texts: list[str] = []

        def keep(sql: Sql) -> Sql:
            texts.append(sql.text)
            return held.enter_context(catalog.engine.kept(sql))

        appearances = keep(seen(catalog, reading))
        several = _in_several_arms(catalog, appearances)
        if several:
            appearances = keep(seen(catalog, reading, ties=True))
        first = arms(catalog, reading, appearances, ties=several)
        # else it is a plain choice among the appearances, quicker made again than written down
        if several or first.parameters:
            first = keep(first)
        texts.append(unit_values(catalog, reading, first).text)
        table = UnitTable(catalog, reading, held.enter_context(held_units(catalog, reading, first)))
        split = _split(table, appearances, first)
        metrics = tuple(_metric(table, i, wanted, split) for i, wanted in enumerate(reading.metrics))
        logs = read_log_state(table, appearances)
        return ExperimentAggregates(split, metrics, tuple(texts), _damage(catalog), logs)


def _damage(catalog: Catalog) -> tuple[str, ...]:
    """Files and lines of the experiments' feeds that cannot be read."""
    notes = []
    for name in EXPERIMENT_FEEDS:
        feed = catalog.feeds.get(name)
        if feed is None:
            continue
        notes += [f"{name}: {path.name} is left out ({reason})" for path, reason in feed.damaged.items()]
        notes += [
            f"{name}: {csv.rejected:,} line{'s' * (csv.rejected != 1)} of {path.name} cannot be read"
            for path, csv in feed.csv.items()
            if csv.rejected
        ]
    return tuple(notes)


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
        units = held.enter_context(held_units(catalog, reading, first))
        table = UnitTable(catalog, reading, units)
        raw = {name: value_column(0, name) for name in wanted.columns}
        limits = caps(table, wanted, raw)
        columns = {name: capped(text, limits.get(name)) for name, text in raw.items()}
        return _moments(table, wanted, columns, _present(wanted, raw))


def _split(table: UnitTable, appearances: Sql, first: Sql) -> Split:
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
    # a unit is exposed again and again, but has one row in a table of units
    of_units = table.catalog.project.exposures is None
    copies = (
        "coalesce(sum(n) FILTER (unit IS NOT NULL), 0) - count(DISTINCT unit) FILTER (n > 0)"
        if of_units
        else "0"
    )
    rows = table.row(
        "SELECT coalesce(sum(outside) FILTER (unit IS NOT NULL), 0) AS outside, "
        "coalesce(sum(future) FILTER (unit IS NOT NULL), 0) AS future, "
        "coalesce(sum(too_early) FILTER (unit IS NOT NULL), 0) AS too_early, "
        "coalesce(sum(outside) FILTER (unit IS NULL), 0) AS unusable, "
        f"{copies} AS copies FROM ({appearances.text})"
    )
    clusters, n_clusters = _clusters(table, declared)
    crossed = {name: int(found.get(name, (0, 0))[1]) for name in declared}
    leaves_out = table.reading.leaves_crossed_out
    daily = read_daily_split(table, clusters=clusters is not None)
    return Split(
        {name: int(found.get(name, (0, 0))[0]) - leaves_out * crossed[name] for name in declared},
        clusters,
        n_clusters,
        n_multiple=sum(crossed.values()),
        n_unknown=sum(n for _, n in unknown),
        unknown=tuple(unknown[:UNKNOWN_ARMS]),
        n_outside=int(rows["outside"]),
        n_rows_left_out=int(rows["unusable"]) + int(rows["copies"]),
        n_future=int(rows["future"]),
        by_day=_counts(table, "day", "name"),
        by_segment=_by_segment(table),
        daily=daily,
        crossed=crossed,
        leaves_crossed_out=leaves_out,
        n_before_start=int(rows["too_early"]),
        by_stratum={} if len(daily.days) else read_strata(table, clusters=clusters is not None),
    )


def _counts(table: UnitTable, group: str, order: str) -> Counts:
    """Units of declared arms by a column of theirs."""
    declared = tuple(table.reading.variants)
    rows = table.query(
        f"SELECT CAST(name AS VARCHAR) AS name, variant, n FROM (SELECT {group} AS name, variant, count(*) AS n "
        f"FROM ({table.units.text}) WHERE {group} IS NOT NULL GROUP BY 1, 2)"
    ).to_pylist()
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["name"]] = totals.get(row["name"], 0) + int(row["n"])
    names = sorted(totals) if order == "name" else sorted(totals, key=lambda name: (-totals[name], name))
    found = {(row["name"], row["variant"]): int(row["n"]) for row in rows}
    return Counts(tuple(names), {arm: tuple(found.get((name, arm), 0) for name in names) for arm in declared})


def _by_segment(table: UnitTable) -> dict[str, Counts]:
    return {
        segment.name: _counts(table, f"segment_{i}", "n")
        for i, segment in enumerate(segment_columns(table.catalog.project))
    }


def _clusters(table: UnitTable, declared: Sequence[str]) -> tuple[dict[str, int] | None, int | None]:
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


def _metric(whole: UnitTable, index: int, wanted: Wanted, split: Split) -> MetricAggregates:
    is_open = open_windows(whole, wanted)
    table = of_closed_windows(whole, wanted) if leaves_open_out(whole, wanted) else whole
    counted = count_rows(whole, index, wanted)
    names = dict.fromkeys((*wanted.columns, *wanted.covariates, *wanted.looked_back))
    raw = {name: value_column(index, name) for name in names}
    limits = caps(table, wanted, raw)
    columns = {name: capped(text, limits.get(name)) for name, text in raw.items()}
    present, n_imputed = _present(wanted, raw), 0
    for name in wanted.of_units:
        columns[name], gaps = imputed(table, present, columns[name])
        n_imputed = max(n_imputed, gaps)
        if gaps:
            # a covariate of its own, so that the mean that is filled in stands for nothing
            columns[f"{name}_missing"] = f"(CASE WHEN {raw[name]} IS NULL THEN 1e0 ELSE 0e0 END)"
    edges = read_edges(table, wanted, raw, present)
    own = {name: columns[name] for name in wanted.columns}
    adjusted = _moments(table, wanted, columns, present) if wanted.covariates else None
    # of the same units: the covariate's columns come after the metric's own
    moments = (
        _moments(table, wanted, own, present) if adjusted is None else _first_columns(adjusted, len(own))
    )
    smallest = min(split.n.values(), default=0)
    skewness = {} if wanted.metric.kind in SHARES else _skewness(table, own, moments, present)
    return MetricAggregates(
        wanted.name,
        moments,
        adjusted,
        read_bins(table, wanted, raw, present, edges),
        edges,
        read_values(table, own, present, split)
        if (skewness and smallest < FEW_UNITS) or wanted.reads_values
        else None,
        n_imputed,
        limits,
        counted.n_rows_left_out,
        sum(is_open.values()),
        skewness,
        counted.n_active,
        _segments(table, wanted, columns, present) if table.reading.segmented else {},
        is_open,
        table is not whole,
        counted.n_early,
        counted.n_rows_waiting,
        _steps(table, index, wanted),
        _moments(table, wanted, {name: raw[name] for name in own}, present) if _cuts(limits) else None,
        _before(table, wanted, columns, present),
        read_pairs(table, _compared(wanted, columns), present),
        read_observations(table, index, wanted, raw, present)
        if wanted.reads_values or wanted.metric.kind == "quantile"
        else None,
    )


def _first_columns(moments: ArmMoments, k: int) -> ArmMoments:
    """The moments of fewer columns of the same units."""
    return replace(
        moments,
        columns=moments.columns[:k],
        means=moments.means[:, :k],
        comoments=moments.comoments[:, :k, :k],
    )


def _compared(wanted: Wanted, columns: Mapping[str, str]) -> dict[str, str]:
    """The columns of a metric and of what it is adjusted by."""
    return {
        name: text for name, text in columns.items() if name not in wanted.looked_back or wanted.covariates
    }


def _before(table: UnitTable, wanted: Wanted, columns: Mapping[str, str], present: str) -> ArmMoments | None:
    """What units did before their first exposure, named as the metric's own columns."""
    if not wanted.only_compares or not wanted.looked_back:
        return None
    names = dict(zip(wanted.columns, wanted.looked_back, strict=False))
    return _moments(table, wanted, {name: columns[before] for name, before in names.items()}, present)


def _segments(
    table: UnitTable, wanted: Wanted, columns: Mapping[str, str], present: str
) -> dict[str, ArmMoments]:
    """Segment -> moments by its value; beyond the most frequent values all are one."""
    answer = {}
    for i, segment in enumerate(segment_columns(table.catalog.project)):
        frequent = table.query(
            f"SELECT segment_{i} AS name, count(*) AS n FROM ({table.units.text}) "
            f"GROUP BY 1 ORDER BY n DESC, name LIMIT {MOST_SEGMENT_VALUES}"
        )
        known = ", ".join(literal(name) for name in frequent.column("name").to_pylist())
        value = f"CASE WHEN segment_{i} IN ({known}) THEN segment_{i} ELSE {literal(OTHER)} END"
        if known:
            answer[segment.name] = _moments(table, wanted, columns, present, value=value)
    return answer


def _cuts(limits: Mapping[str, tuple[float | None, float | None]]) -> bool:
    return any(limit is not None for both in limits.values() for limit in both)


def _steps(table: UnitTable, index: int, wanted: Wanted) -> ArmMoments | None:
    """How far the units of a funnel came; None for any other kind."""
    if not wanted.steps:
        return None
    columns = {name: value_column(index, name) for name in wanted.steps}
    return _moments(table, wanted, columns, "TRUE")


def _present(wanted: Wanted, raw: Mapping[str, str]) -> str:
    """Whether a unit enters: its value is known.

    A unit without anything to be a ratio of enters with 0 / 0. It moves no ratio, but leaving it out would let what
    happened after the exposure choose whose covariates are compared.
    """
    return " AND ".join(f"{raw[name]} IS NOT NULL" for name in wanted.columns)


def _moments(
    table: UnitTable,
    wanted: Wanted,
    columns: Mapping[str, str],
    present: str,
    *,
    value: str | None = None,
) -> ArmMoments:
    """Moments by arm, day of first exposure, cluster, stratum and phase.

    With ``value`` it takes the place of the stratum, and the phase numbers what is compared within: stratum and phase.
    """
    names = tuple(columns)
    stratum = _stratum(table) if value is None else value
    stratified = stratum is not None
    within = _within(table, by_value=value is not None)
    phase = within or "CAST(NULL AS INTEGER)"
    pairs = list(combinations_with_replacement(range(len(names)), 2))
    cluster = "cluster" if table.clustered else "CAST(NULL AS VARCHAR)"
    items = [
        "variant",
        "day",
        "cluster",
        "stratum",
        "phase",
        "count(*) AS n",
        *(f"avg(c{i}) AS mean_{i}" for i in range(len(names))),
        # the engine's covariances are centred, so that a large mean loses no digits
        *(f"coalesce(covar_pop(c{i}, c{j}), 0e0) * count(*) AS co_{i}_{j}" for i, j in pairs),
    ]
    inner = ", ".join(f"{text} AS c{i}" for i, text in enumerate(columns.values()))
    found = table.query(
        f"SELECT {', '.join(items)} FROM (SELECT variant, day, {cluster} AS cluster, "
        f"{stratum or 'CAST(NULL AS VARCHAR)'} AS stratum, {phase} AS phase, {inner} "
        f"FROM ({table.units.text}) WHERE {present}) "
        "GROUP BY variant, day, cluster, stratum, phase ORDER BY variant, day, cluster, stratum, phase"
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
        _invalid(table, wanted, columns),
        np.array(found.column("stratum").to_pylist(), dtype=np.str_) if stratified else None,
        None if within is None else _phases(found, by_value=value is not None),
    )


def _within(table: UnitTable, *, by_value: bool) -> str | None:
    """What units are compared within besides their stratum, or besides the value of a segment; None for nothing."""
    if not by_value:
        return "phase" if table.reading.phases else None
    declared = any(own.column == "stratum" for own in segment_columns(table.catalog.project))
    parts = (["stratum"] if declared else []) + (["CAST(phase AS VARCHAR)"] if table.reading.phases else [])
    return " || '|' || ".join(parts) or None


def _phases(found: pa.Table, *, by_value: bool) -> NDArray[np.int64]:
    if not by_value:
        return column(found, "phase").astype(np.int64)
    numbers: NDArray[np.int64] = np.unique(found.column("phase").to_pylist(), return_inverse=True)[1]
    return numbers


def _stratum(table: UnitTable) -> str | None:
    """What tells the stratum of a unit: the declared column, or all segments together; None without."""
    found = segment_columns(table.catalog.project)
    if any(own.column == "stratum" for own in found):
        return "stratum"
    if not table.reading.crosses_segments or not found:
        return None
    return " || ', ' || ".join(f"segment_{i}" for i in range(len(found)))


def _skewness(
    table: UnitTable, columns: Mapping[str, str], moments: ArmMoments, present: str
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


def _invalid(table: UnitTable, wanted: Wanted, columns: Mapping[str, str]) -> int:
    """Units whose value is not what the kind of metric declares."""
    if "value" not in columns:
        return 0
    if wanted.metric.kind in SHARES:
        wrong = f"{columns['value']} NOT IN (0e0, 1e0)"
    elif wanted.metric.kind == "count" and not wanted.is_weighted:
        wrong = f"({columns['value']} < 0e0 OR {columns['value']} <> floor({columns['value']}))"
    else:
        return 0
    return int(table.row(f"SELECT count(*) AS n FROM ({table.units.text}) WHERE {wrong}")["n"])
