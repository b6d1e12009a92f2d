"""Order statistics by sorting are those of the query that a cluster runs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.aggregates import sorted_ranks as module
from analytics.aggregates.reference_bins import _quantiles
from analytics.aggregates.sorted_ranks import sorted_ranks
from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql

ROWS = Sql("SELECT * FROM given_rows WHERE version IS DISTINCT FROM $other", {"other": "other"})
KINDS = pa.schema([("version", pa.string()), ("f0", pa.float64()), ("f1", pa.float64())])


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def _told(table):
    return sorted(
        ((row["field"], row["version"] or "", row["value"] + 0.0, row["n"], row["upto"], row["total"]))
        for row in table.to_pylist()
    )


def _both(engine, rows):
    table = pa.table(
        [pa.array(column, kind.type) for column, kind in zip(zip(*rows, strict=True), KINDS, strict=True)],
        KINDS,
    )
    engine.put("given_rows", table)
    text = f"WITH reference_rows AS ({ROWS.text}) {_quantiles(2)}"
    query = engine.query(Sql(text, ROWS.parameters))
    found = sorted_ranks(engine, ROWS, 2)
    assert found.schema.names == query.schema.names
    assert found.schema.types == query.schema.types
    return _told(found), _told(query)


numbers = st.one_of(
    st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), -1e308])
)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a", "b", None, "other"]), numbers, numbers), min_size=1, max_size=80
    )
)
@example(rows=[("a", None, 1.0)])
@example(rows=[("other", 1.0, 1.0)])
def test_they_are_those_of_the_query(engine, rows):
    found, query = _both(engine, rows)
    assert found == query


def test_of_many_values_too_and_a_few_columns_at_a_time(engine, monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 3_000)
    rng = np.random.default_rng(5)
    rows = [(("a", "b")[n % 2], value, float(round(value))) for n, value in enumerate(rng.normal(size=2_900))]
    found, query = _both(engine, rows)
    assert found == query
    assert len(found) > 40


def test_a_column_that_is_too_long_is_left_to_the_query(engine, monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 1)
    engine.put("given_rows", pa.table({"version": ["a", "a"], "f0": [1.0, 2.0]}))
    assert sorted_ranks(engine, ROWS, 1) is None
