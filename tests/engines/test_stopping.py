"""Queries that nobody waits for are stopped, and what follows them too."""

from __future__ import annotations

import threading
import time

import pytest

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.stopping import Stop, stopping
from analytics.engines.text import Sql
from analytics.errors import QueryStoppedError, QueryTimeoutError

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) AS a, range(10000000) AS b"


@pytest.fixture
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def test_a_query_is_stopped_in_its_middle_and_none_follows(engine) -> None:
    stop = Stop()
    timer = threading.Timer(0.3, stop.stop)
    timer.start()
    start = time.monotonic()
    with stop.obeyed():
        with pytest.raises(QueryStoppedError):
            engine.query(ENDLESS)
        with pytest.raises(QueryStoppedError):
            engine.query("SELECT 1")
        with pytest.raises(QueryStoppedError), engine.kept(Sql("SELECT 1 AS one")):
            pytest.fail("nothing is read for a question that was given up")
    assert time.monotonic() - start < 20
    assert stopping() is None
    assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_stream_is_stopped_between_its_batches(engine) -> None:
    stop = Stop()
    rows = Sql(
        "SELECT a.range FROM range(10000000) AS a, range(10000000) AS b WHERE a.range % 7 = b.range % 7"
    )
    with stop.obeyed():
        batches = engine.batches(rows)
        assert next(batches).num_rows > 0
        stop.stop()
        with pytest.raises(QueryStoppedError):
            list(batches)


def test_what_was_held_is_dropped_also_for_a_question_that_was_stopped(engine) -> None:
    stop = Stop()
    with stop.obeyed(), engine.kept(Sql("SELECT 1 AS one")):
        stop.stop()
    tables = engine.query("SELECT count(*) AS n FROM duckdb_tables()").to_pylist()
    assert tables == [{"n": 0}]


def test_the_time_limit_says_so_where_nobody_stopped(engine) -> None:
    engine.query_seconds = 0.2
    with Stop().obeyed(), pytest.raises(QueryTimeoutError):
        engine.query(ENDLESS)


def test_tables_of_a_schema_stand_before_those_of_the_same_name(engine) -> None:
    engine.define("CREATE VIEW rows AS SELECT 1 AS n")
    engine.define("CREATE VIEW all_rows AS SELECT * FROM rows")
    inside = engine.within('"part"')
    inside.define("CREATE TABLE rows AS SELECT 2 AS n")
    assert inside.query("SELECT n FROM rows").to_pylist() == [{"n": 2}]
    assert inside.query("SELECT n FROM all_rows").to_pylist() == [{"n": 1}]
    assert engine.query("SELECT n FROM rows").to_pylist() == [{"n": 1}]
    with inside.kept(Sql("SELECT * FROM rows")) as held:
        assert inside.query(held).to_pylist() == [{"n": 2}]


def test_what_is_dropped_after_the_end_is_gone_already() -> None:
    engine = DuckDBEngine()
    inside = engine.within('"part"')
    engine.close()
    inside.drop('SCHEMA "part" CASCADE')
