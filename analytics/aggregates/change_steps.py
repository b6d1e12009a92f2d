"""What rows count and add by step of time, and samples of them with features: what needs more than two sums a side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from analytics.aggregates.change_parts import Side
from analytics.aggregates.keys import column
from analytics.aggregates.reference_bins import of_version
from analytics.aggregates.row_measures import RowMeasure
from analytics.aggregates.samples import Sample, read_sample
from analytics.engines.text import Sql
from analytics.stats.onset import Sums
from analytics.telemetry.catalog import Catalog, Feature


def measured(measure: RowMeasure, side: Side) -> Sql:
    """The scoped rows of a side that take part, with ``measured_d`` and ``measured_u`` (without weights)."""
    own = of_version(side.version, "measured_version")
    text = (
        f"SELECT *, CAST({measure.d} AS DOUBLE) AS measured_d, CAST({measure.u} AS DOUBLE) AS measured_u "
        f"FROM (SELECT * FROM ({side.rows.text}) WHERE {own.text} AND weight > 0e0 AND ({measure.counted}))"
    )
    return Sql(text, side.rows.parameters | own.parameters)


def read_steps(
    catalog: Catalog, measure: RowMeasure, side: Side, origin: datetime, seconds: int
) -> tuple[Sums, str]:
    """Sums by step, numbered from ``origin``."""
    rows = measured(measure, side)
    since = "CAST(epoch(ts) - epoch(CAST($origin AS TIMESTAMP WITH TIME ZONE)) AS DOUBLE)"
    text = (
        f"SELECT CAST(floor({since} / $step_seconds) AS BIGINT) AS step, count(*) AS n, sum(d) AS d, sum(u) AS u, "
        f"sum(d * d) AS dd, sum(d * u) AS du, sum(u * u) AS uu FROM (SELECT ts, weight * measured_d AS d, "
        f"weight * measured_u AS u FROM ({rows.text})) GROUP BY 1 ORDER BY 1"
    )
    parameters = rows.parameters | {"origin": origin, "step_seconds": float(seconds)}
    table = catalog.engine.query(Sql(text, parameters))
    squares = np.stack([column(table, name) for name in ("dd", "du", "uu")])
    steps = column(table, "step").astype(np.int64)
    return Sums(steps, column(table, "n"), column(table, "d"), column(table, "u"), squares, seconds), text


def read_measured_sample(
    catalog: Catalog, measure: RowMeasure, side: Side, size: int, features: Sequence[Feature]
) -> Sample:
    """A seeded sample of the rows of a side that take part, with features, ``measured_d`` and ``measured_u``."""
    columns = {"measured_d": "measured_d", "measured_u": "measured_u"}
    return read_sample(catalog, measured(measure, side), size, features=features, columns=columns)
