"""A real Apache Spark cluster builds the same parts as this process, though a worker is killed while it does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from analytics.aggregates.additive import Standard
from analytics.building import build as builds
from analytics.building.build import bring_up_to_date, kept_up_to_date
from analytics.engines.spark import SparkEngine
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.cluster import define_views
from analytics.telemetry.parts import Definition
from tests.contract import building
from tests.contract.building import one_segment, same_parts, stored_parts
from tests.contract.questions import asked, differences
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


def test_a_build_on_spark_is_right_though_a_worker_dies(cluster, tmp_path, monkeypatch) -> None:
    # every kind once: Sail builds them all, and a real cluster takes seconds a question
    for module in (builds, building):
        monkeypatch.setattr(module, "kept_up_to_date", _one_of_each)
    # names that a cluster writes otherwise
    file = one_segment(tmp_path / "a b+ü%")
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "here"))
    alone = bring_up_to_date(read_project(file))
    here = stored_parts(file)

    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "there"))
    monkeypatch.setenv("ASSAY_ENGINE", cluster.address)
    assert len(cluster.alive()) == 2
    asked_so_far: list[str] = []
    counted = SparkEngine._run
    monkeypatch.setattr(
        SparkEngine,
        "_run",
        lambda self, text, values: (asked_so_far.append(text), counted(self, text, values))[1],
    )
    when: list[int] = []
    killer = threading.Thread(target=_kill_soon, args=(cluster, asked_so_far, when))
    killer.start()
    together = bring_up_to_date(read_project(file))
    killer.join()
    assert 0 < when[0] < len(asked_so_far)  # while it was at work

    monkeypatch.delenv("ASSAY_ENGINE")
    assert together.parts == alone.parts > 0
    assert same_parts(here, stored_parts(file)) == []
    until = time.monotonic() + 90
    while len(cluster.alive()) > 1 and time.monotonic() < until:
        time.sleep(0.5)
    assert len(cluster.alive()) == 1

    # a live question says how long it took
    with closing(Catalog(read_project(file))) as catalog, closing(SparkEngine(cluster.address)) as engine:
        define_views(catalog, engine)
        name, sql = next(asked(catalog))
        answer = engine.query(sql)
        assert differences(catalog.engine.query(sql), answer) == [], name
        assert engine.seconds > 0


def _one_of_each(catalog: Catalog) -> dict[Standard, Definition]:
    chosen: dict[str, tuple[Standard, Definition]] = {}
    for one, definition in kept_up_to_date(catalog).items():
        if one.source == "predictions" and one.additive.grain == "day":
            chosen[one.additive.name] = one, definition
    return dict(chosen.values())


def _kill_soon(cluster: SparkCluster, asked_so_far: list[str], when: list[int]) -> None:
    """Kill a worker with its executor a moment after the eighth question was put."""
    until = time.monotonic() + 240
    while len(asked_so_far) < 8 and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    when.append(len(asked_so_far))
    cluster.kill("worker-0")
