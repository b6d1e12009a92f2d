"""One row a unit: its first arm, and for each metric what its rows after (or before) the first exposure add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from textwrap import shorten
from typing import Any

from analytics.aggregates.first_arms import inside, known, of_experiment
from analytics.aggregates.model_rows import model_columns
from analytics.aggregates.readings import SOURCES, TIMED, Reading, Wanted, segment_columns
from analytics.aggregates.unit_kinds import (
    COUNTED,
    early,
    flags,
    reached,
    row_items,
    unit_items,
    usable,
    value_column,
)
from analytics.engines.expressions import Expression, value_of
from analytics.engines.text import Sql, all_of, identifier, literal
from analytics.errors import ExpressionError
from analytics.project import MetricSource
from analytics.scope import MISSING, Scope
from analytics.telemetry.casts import as_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import event_rows, expression_columns, unit_rows
from analytics.telemetry.rows import scoped_rows

SHOWN = 80
"""Characters of an expression that a message repeats."""


def everybody(catalog: Catalog, reading: Reading, source: MetricSource) -> Sql:
    """All units of a source in the one arm of a reading, each from its first row in the stretch on."""
    arm = literal(reading.variants[0])
    # nobody was exposed, so nothing was logged of it
    unknown = "".join(
        f", CAST(NULL AS VARCHAR) AS {own.column}"
        for own in segment_columns(catalog.project)
        if own.source == "exposures"
    )
    if source == "units":
        return Sql(
            f"SELECT unit, {arm} AS variant, CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS ts, FALSE AS multiple{unknown} "
            f"FROM ({unit_rows(catalog)}) WHERE usable GROUP BY unit"
        )
    rows = timed_rows(catalog, reading, source)
    text = (
        f"SELECT unit, {arm} AS variant, min(ts) AS ts, FALSE AS multiple{unknown} FROM ({rows.text}) "
        f"WHERE unit IS NOT NULL AND {reading.closing.text} GROUP BY unit"
    )
    return Sql(text, rows.parameters | reading.closing.parameters)


def unit_values(catalog: Catalog, reading: Reading, first: Sql, summed: Collection[MetricSource] = ()) -> Sql:
    """One row a unit of a declared arm: variant, day, cluster, phase and the like, and ``m0:value`` for each metric.

    Segments are ``segment_0`` and so on, in the order of `segment_columns`.
    A value is NULL where it is missing; a unit without events has 0.

    Args:
        catalog: the project's logs.
        reading: what is read.
        first: one row a unit, with its first arm.
        summed: sources whose sums stand beside the arm already.
    """
    declared = ", ".join(literal(name) for name in reading.variants)
    items = [
        "a.unit AS unit",
        "a.variant AS variant",
        "a.multiple AS multiple",
        f"CAST({_on_the_wall('a.ts', catalog.project.time_zone)} AS DATE) AS day",
        "a.ts AS ts",
    ]
    joins: list[str] = []
    parameters: dict[str, Any] = {}
    for source in SOURCES:
        metrics = metrics_of(reading, source)
        if source in summed:
            items += [_item("a", i, name, wanted) for i, wanted in metrics for name in _names(wanted, source)]
            continue
        if not metrics and not (source == "units" and _of_units(catalog)):
            continue
        part = (
            _columns_of_units(catalog, reading, metrics)
            if source == "units"
            else _sums(catalog, reading, first, source, metrics)
        )
        joins.append(f"LEFT JOIN ({part.text}) AS {source} ON a.unit = {source}.unit")
        parameters |= part.parameters
        items += [_item(source, i, name, wanted) for i, wanted in metrics for name in _names(wanted, source)]
    # a unit of which no cluster is known is one by itself
    items.append(
        "coalesce('c' || units.cluster, 'u' || CAST(a.unit AS VARCHAR)) AS cluster"
        if _has_cluster(catalog)
        else "CAST(NULL AS VARCHAR) AS cluster"
    )
    items += [_phase(reading), *_grouped(catalog)]
    parameters |= {f"phase_{i}": start for i, start in enumerate(reading.phases)}
    chosen = f"a.variant IN ({declared})" + (" AND NOT a.multiple" if reading.leaves_crossed_out else "")
    text = f"SELECT {', '.join(items)} FROM ({first.text}) AS a {' '.join(joins)} WHERE {chosen}"
    return Sql(text, parameters)


def _on_the_wall(instant: str, zone: str) -> str:
    """An instant as clocks show it. At UTC no calendar is asked, which takes .1 s a million."""
    return (
        f"make_timestamp(epoch_us({instant}))" if zone == "UTC" else f"{instant} AT TIME ZONE {literal(zone)}"
    )


def metrics_of(reading: Reading, source: MetricSource) -> list[tuple[int, Wanted]]:
    """The metrics of which something is read from a source, with their places."""
    return [(i, wanted) for i, wanted in enumerate(reading.metrics) if _names(wanted, source)]


def _names(wanted: Wanted, source: MetricSource) -> tuple[str, ...]:
    """What is read of a metric from the rows of one source."""
    own: tuple[str, ...] = wanted.columns if wanted.source == source else ()
    if own and source in TIMED:
        own = (*own, *wanted.steps, *wanted.looked_back, *COUNTED)
    return (*own, *wanted.of_units) if source == "units" else own


def _item(table: str, index: int, name: str, wanted: Wanted) -> str:
    column = value_column(index, name)
    # who has no rows has no value that a quantile could be of, where a sum is 0
    if table == "units" or (wanted.metric.kind == "quantile" and name not in COUNTED):
        return f"{table}.{column} AS {column}"
    return f"coalesce({table}.{column}, {'0' if name in COUNTED else '0e0'}) AS {column}"


def _has_cluster(catalog: Catalog) -> bool:
    return catalog.project.units is not None and catalog.project.units.cluster is not None


def _of_units(catalog: Catalog) -> list[str]:
    """What the table of units tells of a unit besides its values."""
    section = catalog.project.units
    if section is None:
        return []
    roles = [name for name in ("cluster", "pair") if getattr(section, name) is not None]
    return roles + [own.column for own in segment_columns(catalog.project) if own.source == "units"]


def _grouped(catalog: Catalog) -> list[str]:
    """Stratum, pair and segments of a unit."""
    own = segment_columns(catalog.project)
    found = {
        segment.name: f"coalesce({'a' if segment.source == 'exposures' else 'units'}.{segment.column}, "
        f"{literal(MISSING)})"
        for segment in own
    }
    nothing = "CAST(NULL AS VARCHAR)"
    stratum = next((found[segment.name] for segment in own if segment.column == "stratum"), nothing)
    pair = "units.pair" if "pair" in _of_units(catalog) else nothing
    items = [f"{stratum} AS stratum", f"{pair} AS pair"]
    return items + [f"{found[segment.name]} AS segment_{i}" for i, segment in enumerate(own)]


def _phase(reading: Reading) -> str:
    """Number of the phase in which a unit was first exposed; -1 before the first, and 0 without phases."""
    began = " + ".join(
        f"CASE WHEN a.ts >= CAST($phase_{i} AS TIMESTAMP WITH TIME ZONE) THEN 1 ELSE 0 END"
        for i in range(len(reading.phases))
    )
    return f"({began or '1'}) - 1 AS phase"


def _columns_of_units(catalog: Catalog, reading: Reading, metrics: Iterable[tuple[int, Wanted]]) -> Sql:
    rows = unit_rows(catalog)
    names = expression_columns(catalog, "units")
    items = ["unit"]
    items += _of_units(catalog)
    for index, wanted in metrics:
        written = dict(wanted.metric.expressions) if wanted.source == "units" else {}
        for name, column in zip(wanted.of_units, wanted.metric.covariate, strict=True):
            written[name] = identifier(column)
        for name, text in written.items():
            number = expression(catalog, wanted.name, name, text, names).number
            items.append(f"CASE WHEN {usable(number)} THEN {number} END AS {value_column(index, name)}")
    chosen = [Sql("usable"), of_experiment(catalog, reading, "units"), known(catalog, reading, "units")]
    if catalog.project.exposures is None:
        chosen.append(inside(catalog, reading, "units"))
    condition = all_of(chosen)
    once = "row_number() OVER (PARTITION BY unit ORDER BY ts, file, row) AS place"
    ranked = f"SELECT *, {once} FROM ({rows}) WHERE {condition.text}"
    text = f"SELECT {', '.join(items)} FROM ({ranked}) WHERE place = 1"
    return Sql(text, condition.parameters)


def _sums(
    catalog: Catalog,
    reading: Reading,
    first: Sql,
    source: MetricSource,
    metrics: Sequence[tuple[int, Wanted]],
) -> Sql:
    """Sums over the rows of events or predictions by unit: one scan for all metrics of the source."""
    rows = counted_rows(catalog, reading, first, source, metrics)
    outer, ways = ["arm_unit AS unit"], []
    for index, wanted in metrics:
        outer += unit_items(index, wanted, weighted=source == "predictions", begins=reading.start is not None)
        ways += reached(index, wanted.steps)
    # steps are followed in the order of time once a unit's rows are together
    summed = f"SELECT {', '.join(outer)} FROM ({rows.text}) GROUP BY arm_unit"
    return Sql(f"SELECT *, {', '.join(ways)} FROM ({summed})" if ways else summed, rows.parameters)


def counted_rows(
    catalog: Catalog,
    reading: Reading,
    first: Sql,
    source: MetricSource,
    metrics: Sequence[tuple[int, Wanted]],
    *,
    key: str = "unit",
) -> Sql:
    """Rows of events or predictions that count for a metric, with ``arm_unit`` and what `row_items` takes of each.

    Args:
        catalog: the project's logs.
        reading: what is read.
        first: one row a unit, with its first arm.
        source: of the rows.
        metrics: of that source, with their places.
        key: the column of ``first`` that becomes ``arm_unit``.
    """
    rows = timed_rows(catalog, reading, source)
    known = expression_columns(catalog, source)
    begun = early(reading)
    inner = ["arm_unit", "ts", f"{begun.text} AS early"]
    # a third of the events may lie longer before the exposure than anybody looks back
    counts = [] if reading.start is None else ["early"]
    for index, wanted in metrics:
        counts += flags(index, wanted)
        inner += row_items(reading, index, wanted, raw_columns(catalog, wanted, known))
    if source == "predictions":
        inner.append("weight")
    text = (
        f"SELECT * FROM (SELECT {', '.join(inner)} FROM ("
        f"SELECT r.*, x.arm_unit, x.arm_variant, x.arm_ts FROM ({rows.text}) AS r JOIN ("
        f"SELECT unit, {key} AS arm_unit, variant AS arm_variant, ts AS arm_ts FROM ({first.text})"
        f") AS x ON r.unit = x.unit)) WHERE {' OR '.join(counts)}"
    )
    bound = any(wanted.metric.window is None for _, wanted in metrics)
    return Sql(text, rows.parameters | begun.parameters | (reading.closing.parameters if bound else {}))


def timed_rows(catalog: Catalog, reading: Reading, source: MetricSource) -> Sql:
    """Rows of events or predictions that may count: with a unit and a time, known, and not long before the start."""
    lookback = max((wanted.lookback or timedelta() for wanted in reading.metrics), default=timedelta())
    rows = (
        scoped_rows(catalog, Scope(as_of=reading.as_of))
        if source == "predictions"
        else Sql(event_rows(catalog))
    )
    bounds = [Sql("ts IS NOT NULL")] if source == "predictions" else [Sql("usable"), reading.known]
    if reading.start is not None:
        # a comparison with a constant, so that files before it are never opened
        earliest = {"earliest": reading.start - lookback}
        bounds.append(Sql("ts >= CAST($earliest AS TIMESTAMP WITH TIME ZONE)", earliest))
    condition = all_of(bounds)
    return Sql(f"SELECT * FROM ({rows.text}) WHERE {condition.text}", rows.parameters | condition.parameters)


def raw_columns(catalog: Catalog, wanted: Wanted, known: dict[str, Expression]) -> dict[str, str]:
    """What is taken of a row for a metric: name -> SQL of a number."""
    if wanted.metric.model is not None:
        return model_columns(catalog, wanted.name, wanted.metric.model)
    steps = dict(zip(wanted.steps, wanted.metric.steps, strict=True))
    keys = {name: f"steps[{place}]" for place, name in enumerate(steps)}
    return {
        name: expression(catalog, wanted.name, keys.get(name, name), text, known).number
        for name, text in (wanted.metric.expressions | steps).items()
    }


def expression(
    catalog: Catalog, metric: str, key: str, text: str, known: dict[str, Expression]
) -> Expression:
    """An expression of a metric over one row; what is wrong with it is said with its key.

    Raises:
        ExpressionError: it means nothing over these columns.
    """
    try:
        return value_of(
            text, known, lambda written: as_instant(written, "VARCHAR", catalog.project.time_zone)
        )
    except ExpressionError as error:
        raise ExpressionError(
            f"{catalog.project.file}: metrics.{metric}.{key}: {shorten(text, SHOWN)!r} {' '.join(str(error).split())}"
        ) from error
