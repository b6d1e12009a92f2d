"""Series by window, and by the stretch whose noise is known from one like it: a day, or an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from analytics.aggregates.unit_sums import expression
from analytics.engines.text import Sql, all_of, literal
from analytics.scope import Grain, Scope
from analytics.telemetry.catalog import CLOCK_TOLERANCE, Catalog
from analytics.telemetry.rows import window_key
from analytics.telemetry.series_rows import series_columns, series_rows


@dataclass(frozen=True)
class SeriesCell:
    """Readings of one stretch of time: how many, their mean, and how many steps (days, hours) have any."""

    n: int
    mean: float
    steps: int


@dataclass(frozen=True)
class SeriesMetric:
    """What a metric makes of the readings: those of one name, or all, and a number of each row.

    Attributes:
        name: of the metric.
        series: the name of its readings; None for all.
        value: an expression over one row; the reading itself where None.
    """

    name: str
    series: str | None
    value: str | None


def series_names(catalog: Catalog) -> tuple[str, ...]:
    """Every name in the log, in alphabetical order."""
    rows = catalog.engine.query(
        f"SELECT DISTINCT name FROM ({series_rows(catalog)}) WHERE usable ORDER BY name"
    )
    return tuple(row["name"] for row in rows.to_pylist())


def series_extent(catalog: Catalog) -> tuple[datetime, datetime] | None:
    """First and last instant of the readings; None where there is none. Wrong clocks do not count."""
    row = catalog.engine.query(
        f"SELECT min(ts) AS first, max(ts) AS last FROM ({series_rows(catalog)}) "
        "WHERE usable AND ts <= CAST($latest AS TIMESTAMP WITH TIME ZONE)",
        {"latest": datetime.now(UTC) + CLOCK_TOLERANCE},
    ).to_pylist()[0]
    return None if row["first"] is None else (row["first"].astimezone(UTC), row["last"].astimezone(UTC))


def read_series(
    catalog: Catalog, scope: Scope, metrics: Sequence[SeriesMetric], step: Grain
) -> tuple[dict[str, dict[datetime, SeriesCell]], dict[str, dict[datetime, float]], str]:
    """Read series in a scope whose ends are both set.

    Args:
        catalog: the project's views.
        scope: the question.
        metrics: over the readings.
        step: day or hour.

    Returns:
        Windows by metric; means of all steps up to the scope's end by metric; the SQL text that scanned.

    Raises:
        ExpressionError: a metric's expression means nothing over a row.
    """
    names = [metric.name for metric in metrics]
    readings = " UNION ALL ".join(_of_metric(catalog, metric) for metric in metrics)
    bounds = [Sql("value IS NOT NULL")]
    for name, sign, moment in (("end", "<", scope.end), ("as_of", "<=", scope.as_of)):
        if moment is not None:
            bounds.append(Sql(f"ts {sign} CAST(${name} AS TIMESTAMP WITH TIME ZONE)", {name: moment}))
    known, zone = all_of(bounds), catalog.project.time_zone
    by_step = (
        f"SELECT name, {window_key(step, zone)} AS step_key, avg(value) AS mean FROM ({readings}) "
        f"WHERE {known.text} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    steps: dict[str, dict[datetime, float]] = {name: {} for name in names}
    for row in catalog.engine.query(Sql(by_step, known.parameters)).to_pylist():
        steps[row["name"]][row["step_key"]] = row["mean"]
    inside = all_of([known, Sql("ts >= CAST($start AS TIMESTAMP WITH TIME ZONE)", {"start": scope.start})])
    by_window = (
        f"SELECT name, {window_key(scope.grain, zone)} AS window_key, count(*) AS n, avg(value) AS mean, "
        f"count(DISTINCT {window_key(step, zone)}) AS steps FROM ({readings}) "
        f"WHERE {inside.text} GROUP BY 1, 2"
    )
    windows: dict[str, dict[datetime, SeriesCell]] = {name: {} for name in names}
    for row in catalog.engine.query(Sql(by_window, inside.parameters)).to_pylist():
        windows[row["name"]][row["window_key"]] = SeriesCell(row["n"], row["mean"], row["steps"])
    return windows, steps, by_window


def _of_metric(catalog: Catalog, metric: SeriesMetric) -> str:
    """One row a reading that enters a metric: name of the metric, ts, value."""
    value = "value"
    if metric.value is not None:
        number = expression(catalog, metric.name, "value", metric.value, series_columns(catalog)).number
        value = f"CASE WHEN isfinite({number}) THEN {number} END"
    chosen = "usable" if metric.series is None else f"usable AND name = {literal(metric.series)}"
    rows = series_rows(catalog)
    return f"SELECT {literal(metric.name)} AS name, ts, {value} AS value FROM ({rows}) WHERE {chosen}"
