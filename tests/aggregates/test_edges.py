"""Score bins: the same for every project, and found in SQL exactly as by numpy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.aggregates.edges import bin_expression, score_edges
from analytics.engines.duckdb import DuckDBEngine


def test_edges_are_fixed():
    edges = score_edges()
    assert len(edges) == 297
    assert set(np.arange(1, 100) / 100) <= set(edges)
    assert edges[0] < 1e-6
    assert edges[-1] > 1 - 1e-6
    assert np.diff(edges).min() > 1e-9
    more = score_edges([0.31415, 0.5, 0.0, 1.0])
    assert set(more) - set(edges) == {0.31415}


@settings(max_examples=20, deadline=None)
@given(
    edges=st.lists(st.floats(0, 1), min_size=0, max_size=40, unique=True).map(sorted),
    values=st.lists(st.floats(0, 1), min_size=1, max_size=40),
)
def test_halving_finds_the_bin(edges, values):
    engine = DuckDBEngine()
    x = np.array([*values, *edges])  # a score on an edge belongs to the bin above
    found = engine.query(
        f"SELECT {bin_expression('x', edges)} AS bin FROM scores", tables={"scores": pa.table({"x": x})}
    )
    engine.close()
    np.testing.assert_array_equal(found.column("bin").to_numpy(), np.searchsorted(edges, x, side="right"))
