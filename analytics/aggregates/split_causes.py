"""What would explain a broken split: counts by whatever the usual causes leave behind in the logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from analytics.aggregates.readings import TIMED, Reading
from analytics.aggregates.unit_ages import opened
from analytics.aggregates.unit_kinds import value_column
from analytics.aggregates.unit_sums import timed_rows
from analytics.aggregates.unit_table import UnitTable, quantiles
from analytics.engines.text import literal
from analytics.telemetry.catalog import Catalog

HEAVY = 0.99
"""Units with more rows than this share of all units are called heavy."""


@dataclass(frozen=True)
class Found:
    """Counts by arm of some groups, and the query they are from.

    Attributes:
        groups: group -> arm -> units.
        sql: the text that counted.
    """

    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sql: str = ""


@dataclass(frozen=True)
class Delays:
    """Time from the first exposure to the first row after it: of the logarithm of 1 + seconds, by arm.

    Attributes:
        n, means, variances: arm -> number.
        sql: the text that counted.
    """

    n: Mapping[str, int] = field(default_factory=dict)
    means: Mapping[str, float] = field(default_factory=dict)
    variances: Mapping[str, float] = field(default_factory=dict)
    sql: str = ""


@dataclass(frozen=True)
class SplitCauses:
    """What the usual causes leave behind.

    Attributes:
        by_digit: units by the last character of their id: a bad hash leaves arms uneven between them.
        first_exposures: arm -> its first exposure.
        heavy: ``heavy`` and ``other`` units, by how many rows they have.
        delays: from exposure to the first row.
        unexposed: local day -> units first seen on it (since the start) that no exposure knows.
        unexposed_sql: the text that counted these.
    """

    by_digit: Found = Found()
    first_exposures: Mapping[str, datetime] = field(default_factory=dict)
    heavy: Found = Found()
    delays: Delays = Delays()
    unexposed: Mapping[date, int] = field(default_factory=dict)
    unexposed_sql: str = ""


def read_split_causes(catalog: Catalog, reading: Reading) -> SplitCauses:
    """Count what the usual causes of a broken split would have left in the logs."""
    timed = [i for i, wanted in enumerate(reading.metrics) if wanted.source in TIMED]
    with opened(catalog, reading) as table:
        digits = (
            "SELECT right(CAST(unit AS VARCHAR), 1) AS name, variant, count(*) AS n FROM units GROUP BY 1, 2"
        )
        first = table.query(
            f"SELECT variant, min(ts) AS first FROM ({table.units.text}) WHERE ts IS NOT NULL GROUP BY variant"
        ).to_pylist()
        heavy, delays, unexposed, text = Found(), Delays(), dict[date, int](), ""
        if timed:
            heavy = _heavy(table, timed[0])
            delays = _delays(table, timed[0])
            unexposed, text = _unexposed(table, timed[0])
        return SplitCauses(
            _counted(table, digits),
            {row["variant"]: row["first"] for row in first},
            heavy,
            delays,
            unexposed,
            text,
        )


def _counted(table: UnitTable, written: str) -> Found:
    """Groups by arm; what is shown says ``units`` for the table that is asked."""
    groups: dict[str, dict[str, int]] = {}
    for row in table.query(written.replace("FROM units", f"FROM ({table.units.text})")).to_pylist():
        groups.setdefault(str(row["name"]), {})[row["variant"]] = int(row["n"])
    return Found(groups, written)


def _heavy(table: UnitTable, index: int) -> Found:
    rows = value_column(index, "rows")
    limit = quantiles(table, f"CAST({rows} AS DOUBLE)", (HEAVY,))[0]
    if limit is None:
        return Found()
    named = f"CASE WHEN {rows} > {literal(limit)} THEN 'heavy' ELSE 'other' END"
    return _counted(table, f"SELECT {named} AS name, variant, count(*) AS n FROM units GROUP BY 1, 2")


def _delays(table: UnitTable, index: int) -> Delays:
    source = table.reading.metrics[index].source
    rows = timed_rows(table.catalog, table.reading, source)
    seconds = "(epoch_us(min(r.ts)) - epoch_us(min(x.ts))) / 1e6"
    written = (
        "SELECT variant, count(*) AS n, avg(d) AS mean, var_samp(d) AS variance FROM ("
        f"SELECT x.unit, min(x.variant) AS variant, ln(1e0 + {seconds}) AS d "
        f"FROM rows AS r JOIN units AS x ON r.unit = x.unit WHERE r.ts >= x.ts GROUP BY x.unit) GROUP BY variant"
    )
    text = written.replace("FROM rows AS", f"FROM ({rows.text}) AS").replace(
        "JOIN units AS", f"JOIN ({table.units.text}) AS"
    )
    found = [row for row in table.query(text, rows.parameters).to_pylist() if row["variance"] is not None]
    return Delays(
        {row["variant"]: int(row["n"]) for row in found},
        {row["variant"]: float(row["mean"]) for row in found},
        {row["variant"]: float(row["variance"]) for row in found},
        written,
    )


def _unexposed(table: UnitTable, index: int) -> tuple[dict[date, int], str]:
    """Units that did something within the experiment but were never exposed, by the day they were first seen."""
    reading, zone = table.reading, literal(table.catalog.project.time_zone)
    rows = timed_rows(table.catalog, reading, reading.metrics[index].source)
    within = reading.stretch
    written = (
        f"SELECT CAST(date_trunc('day', first AT TIME ZONE {zone}) AS DATE) AS day, count(*) AS n FROM ("
        f"SELECT unit, min(ts) AS first FROM rows WHERE unit IS NOT NULL AND {within.text} GROUP BY unit) "
        "WHERE unit NOT IN (SELECT unit FROM units) GROUP BY 1 ORDER BY 1"
    )
    text = written.replace("FROM rows WHERE", f"FROM ({rows.text}) WHERE").replace(
        "FROM units)", f"FROM ({table.units.text}))"
    )
    found = table.query(text, rows.parameters | within.parameters).to_pylist()
    return {row["day"]: int(row["n"]) for row in found}, written
