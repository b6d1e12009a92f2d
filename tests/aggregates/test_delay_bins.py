"""The SQL that finds the bin of a delay."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from analytics.aggregates.arrivals import bin_sql
from analytics.engines.dialect import problems
from analytics.stats.arrivals import EDGES, delay_bins


def test_the_bin_is_right_on_every_edge_and_beside_it() -> None:
    anywhere = np.exp(np.random.default_rng(7).uniform(-3.0, 24.0, 50_000))
    seconds = np.concatenate(
        [EDGES, np.nextafter(EDGES, -np.inf), np.nextafter(EDGES, np.inf), [-5.0, 1e12, np.inf], anywhere]
    )
    given = pa.table({"x": seconds})  # noqa: F841  # DuckDB finds it by its name
    found = duckdb.sql(f"SELECT {bin_sql('x')} AS bin FROM given").fetchnumpy()["bin"]
    np.testing.assert_array_equal(found, delay_bins(seconds))
    assert problems(f"SELECT {bin_sql('x')} AS bin FROM given") == ()
