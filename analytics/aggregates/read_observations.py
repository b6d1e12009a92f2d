"""Values one by one, for quantiles and distributions: of units, or of the rows of events and predictions.

Rows of one unit hang together, and so do units of one cluster; every value carries what it hangs together with.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analytics.aggregates.keys import column
from analytics.aggregates.observations import Observations
from analytics.aggregates.readings import TIMED, Wanted
from analytics.aggregates.unit_histograms import shown
from analytics.aggregates.unit_kinds import raw_column, row_items, usable
from analytics.aggregates.unit_sums import raw_columns, timed_rows
from analytics.aggregates.unit_table import UnitTable
from analytics.engines.text import Sql, literal
from analytics.telemetry.experiment_rows import expression_columns

MOST = 2_000_000
"""Values that are read; of more, those of a part of the units, chosen by their hashed names."""


def read_observations(
    table: UnitTable, index: int, wanted: Wanted, raw: Mapping[str, str], present: str
) -> Observations:
    """The values a quantile is of: of rows where a quantile counts rows, else one a unit.

    Args:
        table: the units that enter.
        index: of the metric in the reading.
        wanted: the metric.
        raw: its columns in the table.
        present: whether a unit has a value.
    """
    of_rows = wanted.metric.kind == "quantile" and wanted.source in TIMED
    source = _rows(table, index, wanted) if of_rows else _units(table, wanted, raw, present)
    with table.catalog.engine.kept(source) as held:
        counted = table.catalog.engine.query(
            Sql(
                f"SELECT variant, count(*) AS n, count(DISTINCT unit) AS units FROM ({held.text}) GROUP BY variant"
            )
        ).to_pylist()
        share = min(1.0, MOST / max(sum(int(row["n"]) for row in counted), 1))
        # hashed names are in no order that has to do with values, and in the same one each time
        chosen = f"substr(md5(CAST(unit AS VARCHAR)), 1, 8) < {literal(f'{int(share * 16**8):08x}')}"
        found = table.catalog.engine.query(
            Sql(
                "SELECT variant, value, day, CAST(hash(together) >> 1 AS BIGINT) AS together "
                f"FROM ({held.text}) WHERE {chosen if share < 1 else 'TRUE'}"
            )
        )
    return Observations(
        np.array(found.column("variant").to_pylist(), dtype=np.str_),
        column(found, "value"),
        found.column("together").to_numpy().astype(np.int64) if of_rows or table.clustered else None,
        found.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]"),
        {row["variant"]: int(row["units"]) for row in counted},
        share,
        of_rows,
    )


def _units(table: UnitTable, wanted: Wanted, raw: Mapping[str, str], present: str) -> Sql:
    together = "cluster" if table.clustered else "unit"
    return Sql(
        f"SELECT variant, unit, {together} AS together, day, value FROM ("
        f"SELECT variant, unit, cluster, day, {shown(wanted, raw)} AS value "
        f"FROM ({table.units.text}) WHERE {present}) WHERE value IS NOT NULL"
    )


def _rows(table: UnitTable, index: int, wanted: Wanted) -> Sql:
    """The rows that count of the units that enter, one by one."""
    catalog, reading = table.catalog, table.reading
    rows = timed_rows(catalog, reading, wanted.source)
    raw = raw_columns(catalog, wanted, expression_columns(catalog, wanted.source))
    own = ("arm_variant", "arm_unit", "arm_together", "arm_day")
    taken = ", ".join(f"x.{name}" for name in (*own, "arm_ts"))
    together = "cluster" if table.clustered else "unit"
    value = raw_column(index, "value")
    items = [*own, *row_items(reading, index, wanted, raw)]
    joined = (
        f"SELECT r.*, {taken} FROM ({rows.text}) AS r JOIN (SELECT unit AS arm_unit, variant AS arm_variant, "
        f"{together} AS arm_together, day AS arm_day, ts AS arm_ts FROM ({table.units.text})) AS x "
        "ON r.unit = x.arm_unit"
    )
    text = (
        "SELECT arm_variant AS variant, arm_unit AS unit, arm_together AS together, arm_day AS day, "
        f"{value} AS value FROM (SELECT {', '.join(items)} FROM ({joined})) "
        f"WHERE after_{index} AND {value} IS NOT NULL AND {usable(value)}"
    )
    bound = wanted.metric.window is None
    return Sql(text, rows.parameters | (reading.closing.parameters if bound else {}))
