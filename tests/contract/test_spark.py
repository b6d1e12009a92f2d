"""A real Apache Spark cluster: equal answers, also when a worker is killed while it computes them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from analytics.engines.spark import SparkEngine
from analytics.telemetry.cluster import define_views
from tests.contract.questions import asked, differences, stored
from tests.contract.spark_cluster import SparkCluster, java_missing


@pytest.fixture(scope="module")
def cluster() -> Iterator[SparkCluster]:
    """A master, two workers and a Connect server."""
    reason = java_missing()
    if reason is not None and os.environ.get("CI"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)
    with SparkCluster() as started:
        yield started


@pytest.fixture(scope="module")
def engine(cluster, catalogs) -> Iterator[SparkEngine]:
    """The views of the binary project on the cluster."""
    opened = SparkEngine(cluster.address)
    define_views(catalogs["binary"], opened)
    yield opened
    opened.close()


def test_the_cluster_answers_as_duckdb_does_though_a_worker_dies(cluster, engine, catalogs) -> None:
    assert len(cluster.alive()) == 2
    questions = [*asked(catalogs["binary"]), *stored(catalogs["binary"])]
    answers: dict[str, pa.Table] = {}
    when: list[int] = []
    killer = threading.Thread(target=_kill_soon, args=(cluster, answers, when))
    killer.start()
    for name, sql in questions:
        answers[name] = engine.query(sql)
    killer.join()
    assert 0 < when[0] < len(questions)
    for name, sql in questions:
        assert differences(catalogs["binary"].engine.query(sql), answers[name]) == [], name
    until = time.monotonic() + 90
    while len(cluster.alive()) > 1 and time.monotonic() < until:
        time.sleep(0.5)
    assert len(cluster.alive()) == 1


def _kill_soon(cluster: SparkCluster, answers: dict[str, pa.Table], when: list[int]) -> None:
    """Kill a worker with its executor while the second question is computed."""
    until = time.monotonic() + 120
    while not answers and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.5)
    when.append(len(answers))
    cluster.kill("worker-0")
