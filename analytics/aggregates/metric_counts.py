"""What is counted of a metric besides its values: rows of every sort, and units whose window has not closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from analytics.aggregates.readings import TIMED, Wanted
from analytics.aggregates.unit_kinds import seconds, value_column
from analytics.aggregates.unit_table import UnitTable
from analytics.engines.text import Sql, literal
from analytics.telemetry.experiment_rows import last_event


@dataclass(frozen=True)
class MetricCounts:
    """Of the units of every arm, whether their window is closed or not.

    Attributes:
        n_rows_left_out: rows that count but have no usable value.
        n_rows_waiting: rows that will count once their label is there.
        n_active: arm -> units with any row from their first exposure on; None where the source has one row a unit.
        n_early: arm -> units with a row that would have counted, had it not come between the start of the experiment
            and their first exposure.
    """

    n_rows_left_out: int = 0
    n_rows_waiting: int = 0
    n_active: Mapping[str, int] | None = None
    n_early: Mapping[str, int] = field(default_factory=dict)


def count_rows(table: UnitTable, index: int, wanted: Wanted) -> MetricCounts:
    """Count the rows of one metric."""
    if wanted.source not in TIMED:
        return MetricCounts()
    left, rows, early, waiting = (value_column(index, name) for name in ("left", "rows", "early", "waiting"))
    found = table.query(
        f"SELECT variant, coalesce(sum({left}), 0) AS unusable, coalesce(sum({waiting}), 0) AS waiting, "
        f"count(*) FILTER ({rows} > 0) AS active, count(*) FILTER ({early} > 0) AS early "
        f"FROM ({table.units.text}) GROUP BY variant"
    ).to_pylist()
    return MetricCounts(
        sum(int(row["unusable"]) for row in found),
        sum(int(row["waiting"]) for row in found),
        {row["variant"]: int(row["active"]) for row in found},
        {row["variant"]: int(row["early"]) for row in found if row["early"]},
    )


def open_windows(table: UnitTable, wanted: Wanted) -> dict[str, int]:
    """Arm -> units whose window had not closed when the logs end, or at the as-of."""
    closed = _closed(table, wanted)
    if closed is None:
        return {}
    found = table.query(
        f"SELECT variant, count(*) AS n FROM ({table.units.text}) WHERE ({closed}) IS NOT TRUE GROUP BY variant"
    ).to_pylist()
    return {row["variant"]: int(row["n"]) for row in found}


def of_closed_windows(table: UnitTable, wanted: Wanted) -> UnitTable:
    """The units of which the metric is known in full; all of them where it has no window."""
    closed = _closed(table, wanted)
    if closed is None:
        return table
    units = Sql(f"SELECT * FROM ({table.units.text}) WHERE {closed}", table.units.parameters)
    return UnitTable(table.catalog, table.reading, units)


def leaves_open_out(table: UnitTable, wanted: Wanted) -> bool:
    """Whether units whose window is open do not enter: nobody has failed to come back before the time is over."""
    return wanted.metric.window is not None and (
        table.reading.leaves_open_out or wanted.metric.kind == "retention"
    )


def _closed(table: UnitTable, wanted: Wanted) -> str | None:
    """Whether a unit's window has closed; None where every one has."""
    if wanted.metric.window is None:
        return None
    known = known_until(table, wanted)
    if known is None:
        return None
    # written out, since what reads the units binds values of its own
    moment = literal(known.astimezone(UTC).isoformat())
    return f"ts + {seconds(wanted.metric.window)} <= CAST({moment} AS TIMESTAMP WITH TIME ZONE)"


def known_until(table: UnitTable, wanted: Wanted) -> datetime | None:
    """The instant up to which the metric's log is known: its newest row, or the as-of where that comes before."""
    if wanted.source == "predictions":
        extent = table.catalog.extent
        newest = None if extent is None else extent[1]
    else:
        newest = last_event(table.catalog) if wanted.source in TIMED else None
    return min(filter(None, (table.reading.as_of, newest)), default=None)
