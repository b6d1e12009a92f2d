"""One row a unit: its first arm, and for each metric what its rows after (or before) the first exposure add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.engines.expressions import Expression, value_of
from analytics.engines.text import Sql, all_of, identifier, literal
from analytics.errors import ExpressionError, ProjectError, ScopeError
from analytics.project import Metric, MetricSource
from analytics.scope import Scope
from analytics.telemetry.casts import as_instant
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import event_rows, exposure_rows, expression_columns, unit_rows
from analytics.telemetry.rows import scoped_rows

TIMED: tuple[MetricSource, ...] = ("events", "predictions")
SOURCES: tuple[MetricSource, ...] = (*TIMED, "units")
LARGEST = 1e40
"""A value beyond it is damage, and would make every sum of powers infinite."""


@dataclass(frozen=True)
class Wanted:
    """One metric to be read.

    Attributes:
        name: in the project file.
        metric: as declared.
        source: of its rows.
        lookback: of the covariate, before each unit's first exposure; None without.
    """

    name: str
    metric: Metric
    source: MetricSource
    lookback: timedelta | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its value."""
        return tuple(self.metric.expressions)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The columns of its covariate; none without one."""
        return ("covariate",) if self.metric.covariate is not None else self.looked_back

    @property
    def looked_back(self) -> tuple[str, ...]:
        """The columns of a covariate that is summed from before each unit's first exposure."""
        if self.metric.covariate is not None or self.lookback is None or self.source not in TIMED:
            return ()
        return tuple("covariate" if name == "value" else f"covariate_{name}" for name in self.columns)


@dataclass(frozen=True)
class Reading:
    """What is read: an experiment's units in a stretch of time, as known at an instant.

    Attributes:
        name: of the experiment.
        variants: its declared arms.
        metrics: in the order they are answered.
        start, end: of the experiment: exposures in ``[start, end)`` count; None where open.
        since, until: only units whose first exposure lies in ``[since, until)``; None where open.
        as_of: nothing later exists; None for everything.
    """

    name: str
    variants: tuple[str, ...]
    metrics: tuple[Wanted, ...]
    start: datetime | None = None
    end: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None

    @property
    def closing(self) -> Sql:
        """Whether ``ts`` lies before the end."""
        if self.end is None:
            return Sql("TRUE")
        return Sql("ts < CAST($end AS TIMESTAMP WITH TIME ZONE)", {"end": self.end})

    @property
    def stretch(self) -> Sql:
        """Whether ``ts`` lies between start and end."""
        if self.start is None:
            return self.closing
        return all_of(
            [Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": self.start}), self.closing]
        )

    @property
    def asked(self) -> Sql:
        """Whether a unit first exposed at ``ts`` is asked about."""
        parts = []
        if self.since is not None:
            parts.append(Sql("ts >= CAST($since AS TIMESTAMP WITH TIME ZONE)", {"since": self.since}))
        if self.until is not None:
            parts.append(Sql("ts < CAST($until AS TIMESTAMP WITH TIME ZONE)", {"until": self.until}))
        return all_of(parts)

    @property
    def known(self) -> Sql:
        """Whether a row was there by then; of one without a time nobody can tell."""
        if self.as_of is None:
            return Sql("TRUE")
        return Sql("coalesce(ts <= CAST($as_of AS TIMESTAMP WITH TIME ZONE), TRUE)", {"as_of": self.as_of})


def seen(catalog: Catalog, reading: Reading, *, ties: bool = False) -> Sql:
    """One row a unit and arm: its first appearance inside the experiment, and how many rows lie in and outside.

    Rows without a unit or a time are grouped under a unit that is NULL.

    Args:
        catalog: the project's logs.
        reading: what is read.
        ties: whether file and row stand beside the time, so that a unit's arms can be put in order where times are
            equal; this takes several times as long.
    """
    name = _assigning(catalog, reading)
    rows = exposure_rows(catalog) if name == "exposures" else unit_rows(catalog)
    chosen = all_of([_of_experiment(catalog, reading, name), _known(catalog, reading, name)])
    inside = _inside(catalog, reading, name)
    place = "min(struct_pack(ts := ts, file := file, row := row)) FILTER (inside) AS place, " if ties else ""
    text = (
        f"SELECT unit, variant, min(ts) FILTER (inside) AS ts, {place}count(*) FILTER (inside) AS n, "
        "count(*) FILTER (NOT inside) AS outside FROM ("
        f"SELECT CASE WHEN usable THEN unit END AS unit, variant, ts, file, row, (usable AND {inside.text}) AS inside "
        f"FROM ({rows}) WHERE {chosen.text}) GROUP BY unit, variant"
    )
    return Sql(text, inside.parameters | chosen.parameters)


def arms(catalog: Catalog, reading: Reading, seen_rows: Sql, *, ties: bool = False) -> Sql:
    """One row a unit: the arm it saw first, when, and whether it saw another.

    Without ``ties`` no unit may have more than one arm. A narrower window chooses among the units by when they were
    first exposed; it never makes a later exposure the first.
    """
    asked = reading.asked
    if asked.parameters and getattr(catalog.project, _assigning(catalog, reading)).timestamp is None:
        raise ScopeError("these units carry no time, so no part of the experiment can be asked for")
    known = f"FROM ({seen_rows.text}) WHERE unit IS NOT NULL AND n > 0"
    if not ties:
        return Sql(f"SELECT unit, variant, ts, FALSE AS multiple {known} AND {asked.text}", asked.parameters)
    return Sql(
        "SELECT unit, variant, ts, arms > 1 AS multiple FROM ("
        "SELECT unit, variant, ts, row_number() OVER (PARTITION BY unit ORDER BY place) AS first, "
        f"count(*) OVER (PARTITION BY unit) AS arms {known}) WHERE first = 1 AND {asked.text}",
        asked.parameters,
    )


def everybody(catalog: Catalog, reading: Reading, source: MetricSource) -> Sql:
    """All units of a source in the one arm of a reading, each from its first row in the stretch on."""
    arm = literal(reading.variants[0])
    if source == "units":
        return Sql(
            f"SELECT unit, {arm} AS variant, CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS ts, FALSE AS multiple "
            f"FROM ({unit_rows(catalog)}) WHERE usable GROUP BY unit"
        )
    rows = _timed_rows(catalog, reading, source)
    text = (
        f"SELECT unit, {arm} AS variant, min(ts) AS ts, FALSE AS multiple FROM ({rows.text}) "
        f"WHERE unit IS NOT NULL AND {reading.closing.text} GROUP BY unit"
    )
    return Sql(text, rows.parameters | reading.closing.parameters)


def unit_values(catalog: Catalog, reading: Reading, first: Sql) -> Sql:
    """One row a unit of a declared arm: variant, day, cluster, multiple, and ``m0:value`` and the like for each metric.

    A value is NULL where it is missing; a unit without events has 0.
    """
    declared = ", ".join(literal(name) for name in reading.variants)
    zone = literal(catalog.project.time_zone)
    items = [
        "a.unit AS unit",
        "a.variant AS variant",
        "a.multiple AS multiple",
        f"CAST(date_trunc('day', a.ts AT TIME ZONE {zone}) AS DATE) AS day",
        "a.ts AS ts",
    ]
    joins: list[str] = []
    parameters: dict[str, Any] = {}
    for source in SOURCES:
        metrics = [(i, wanted) for i, wanted in enumerate(reading.metrics) if _names(wanted, source)]
        clustered = source == "units" and _has_cluster(catalog)
        if not metrics and not clustered:
            continue
        part = (
            _columns_of_units(catalog, reading, metrics)
            if source == "units"
            else _sums(catalog, reading, first, source, metrics)
        )
        joins.append(f"LEFT JOIN ({part.text}) AS {source} ON a.unit = {source}.unit")
        parameters |= part.parameters
        items += [_item(source, i, name) for i, wanted in metrics for name in _names(wanted, source)]
    # a unit of which no cluster is known is one by itself
    items.append(
        "coalesce('c' || units.cluster, 'u' || CAST(a.unit AS VARCHAR)) AS cluster"
        if _has_cluster(catalog)
        else "CAST(NULL AS VARCHAR) AS cluster"
    )
    text = f"SELECT {', '.join(items)} FROM ({first.text}) AS a {' '.join(joins)} WHERE a.variant IN ({declared})"
    return Sql(text, parameters)


def value_column(index: int, name: str) -> str:
    """The quoted column of `unit_values` that holds one column of a metric, or its ``left`` rows."""
    return identifier(f"m{index}:{name}")


def _names(wanted: Wanted, source: MetricSource) -> tuple[str, ...]:
    """What is read of a metric from the rows of one source."""
    own: tuple[str, ...] = wanted.columns if wanted.source == source else ()
    if own and source in TIMED:
        own = (*own, *wanted.looked_back, "left")
    return (*own, "covariate") if source == "units" and wanted.metric.covariate is not None else own


def _item(source: str, index: int, name: str) -> str:
    column = value_column(index, name)
    if source == "units":
        return f"{source}.{column} AS {column}"
    return f"coalesce({source}.{column}, {'0' if name == 'left' else '0e0'}) AS {column}"


def _has_cluster(catalog: Catalog) -> bool:
    return catalog.project.units is not None and catalog.project.units.cluster is not None


def _assigning(catalog: Catalog, reading: Reading) -> str:
    """The section that tells which arm a unit belongs to."""
    project = catalog.project
    name = "exposures" if project.exposures is not None else "units"
    section = project.exposures or project.units
    if section is None:
        raise ProjectError(
            f"{project.file}: experiments.{reading.name}: needs [exposures], or [units] with a variant, "
            "and there is neither"
        )
    if section.variant is None:
        raise ProjectError(f"{project.file}: units.variant: without [exposures] this key is required")
    if section.experiment is None and len(project.experiments) > 1:
        raise ProjectError(
            f"{project.file}: {name}.experiment: several experiments are declared; name the column that "
            "tells their rows apart"
        )
    return name


def _of_experiment(catalog: Catalog, reading: Reading, name: str) -> Sql:
    if getattr(catalog.project, name).experiment is None or not reading.name:
        return Sql("TRUE")
    return Sql("experiment = $experiment", {"experiment": reading.name})


def _inside(catalog: Catalog, reading: Reading, name: str) -> Sql:
    return Sql("TRUE") if getattr(catalog.project, name).timestamp is None else reading.stretch


def _known(catalog: Catalog, reading: Reading, name: str) -> Sql:
    return Sql("TRUE") if getattr(catalog.project, name).timestamp is None else reading.known


def _columns_of_units(catalog: Catalog, reading: Reading, metrics: Iterable[tuple[int, Wanted]]) -> Sql:
    rows = unit_rows(catalog)
    known = expression_columns(catalog, "units")
    items = ["unit"]
    if _has_cluster(catalog):
        items.append("cluster")
    for index, wanted in metrics:
        written = dict(wanted.metric.expressions) if wanted.source == "units" else {}
        if wanted.metric.covariate is not None:
            written["covariate"] = identifier(wanted.metric.covariate)
        for name, text in written.items():
            number = _expression(catalog, wanted.name, name, text, known).number
            items.append(f"CASE WHEN {_usable(number)} THEN {number} END AS {value_column(index, name)}")
    chosen = [Sql("usable"), _of_experiment(catalog, reading, "units"), _known(catalog, reading, "units")]
    if catalog.project.exposures is None:
        chosen.append(_inside(catalog, reading, "units"))
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
    rows = _timed_rows(catalog, reading, source)
    known = expression_columns(catalog, source)
    inner, outer = ["arm_unit"], ["arm_unit AS unit"]
    for index, wanted in metrics:
        for name, text in wanted.metric.expressions.items():
            number = _expression(catalog, wanted.name, name, text, known).number
            inner.append(f"{number} AS {_raw(index, name)}")
        after, before = _stretches(reading, index, wanted)
        inner += [f"({after}) AS after_{index}", f"({before}) AS before_{index}"]
        outer += _summed(index, wanted, weighted=source == "predictions")
    if source == "predictions":
        inner.append("weight")
    limits = _limits(metrics)
    arm = ", ".join(f"x.{name}" for name in ("arm_variant", "arm_ts", *limits))
    found = "".join(f", {limit} AS {name}" for name, limit in limits.items())
    text = (
        f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM ("
        f"SELECT r.*, x.unit AS arm_unit, {arm} FROM ({rows.text}) AS r JOIN ("
        f"SELECT unit, variant AS arm_variant, ts AS arm_ts{found} FROM ({first.text})"
        ") AS x ON r.unit = x.unit)) GROUP BY arm_unit"
    )
    bound = any(wanted.metric.window is None for _, wanted in metrics)
    return Sql(text, rows.parameters | (reading.closing.parameters if bound else {}))


def _timed_rows(catalog: Catalog, reading: Reading, source: MetricSource) -> Sql:
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


def _limits(metrics: Iterable[tuple[int, Wanted]]) -> dict[str, str]:
    """Where windows close and look-backs begin: a calendar is asked once a unit, not once a row."""
    limits = {}
    for index, wanted in metrics:
        if wanted.metric.window is not None:
            limits[f"until_{index}"] = f"ts + {_seconds(wanted.metric.window)}"
        if wanted.lookback is not None:
            limits[f"from_{index}"] = f"ts - {_seconds(wanted.lookback)}"
    return limits


def _stretches(reading: Reading, index: int, wanted: Wanted) -> tuple[str, str]:
    after = "ts >= arm_ts"
    if wanted.metric.window is not None:
        after += f" AND ts < until_{index}"
    else:
        after += f" AND {reading.closing.text}"
    return after, f"ts < arm_ts AND ts >= from_{index}" if wanted.lookback is not None else "FALSE"


def _seconds(duration: timedelta) -> str:
    return f"({literal(duration.total_seconds())} * INTERVAL '1' SECOND)"


def _summed(index: int, wanted: Wanted, *, weighted: bool) -> list[str]:
    raw = [_raw(index, name) for name in wanted.columns]
    finite = " AND ".join(map(_usable, raw))
    weight = " * weight" if weighted else ""
    items = []
    for stretch, names in ((f"after_{index}", wanted.columns), (f"before_{index}", wanted.looked_back)):
        for column, name in zip(raw, names, strict=False):
            if wanted.metric.kind == "proportion":
                happened = (
                    f"CASE WHEN {stretch} AND {_usable(column)} AND {column} <> 0e0 THEN 1e0 ELSE 0e0 END"
                )
                items.append(f"max({happened}) AS {value_column(index, name)}")
            else:
                value = f"CASE WHEN {stretch} AND {finite} THEN {column}{weight} END"
                items.append(f"sum({value}) AS {value_column(index, name)}")
    # NULL adds nothing to a sum, but a ratio leaves out a row of which it knows one half
    wrong = " OR ".join(f"NOT {_usable(column)}" for column in raw)
    if wanted.metric.kind == "ratio":
        wrong += "".join(f" OR {column} IS NULL" for column in raw)
    return [*items, f"count(*) FILTER (after_{index} AND ({wrong})) AS {value_column(index, 'left')}"]


def _usable(number: str) -> str:
    return f"(isfinite({number}) AND abs({number}) <= {literal(LARGEST)})"


def _raw(index: int, name: str) -> str:
    return f"raw_{index}_{name}"


def _expression(
    catalog: Catalog, metric: str, key: str, text: str, known: dict[str, Expression]
) -> Expression:
    try:
        return value_of(
            text, known, lambda written: as_instant(written, "VARCHAR", catalog.project.time_zone)
        )
    except ExpressionError as error:
        raise ExpressionError(
            f"{catalog.project.file}: metrics.{metric}.{key}: {text!r} {' '.join(str(error).split())}"
        ) from error
