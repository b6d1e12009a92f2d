"""One catalog a task, and Sail in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.engines.spark import SparkEngine
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.cluster import define_views
from tests.contract.logs import write

TASKS = ("binary", "unweighted", "regression", "multiclass")


@pytest.fixture(scope="session")
def catalogs(tmp_path_factory) -> Iterator[dict[str, Catalog]]:
    """The catalog of each task over the same kind of logs."""
    opened = {task: Catalog(read_project(write(tmp_path_factory.mktemp(task), task))) for task in TASKS}
    yield opened
    for catalog in opened.values():
        catalog.close()


@pytest.fixture(scope="session")
def sail_address() -> Iterator[str]:
    """Sail, which speaks Spark's protocol, in this process."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    yield f"sc://127.0.0.1:{server.listening_address[1]}"
    server.stop()


@pytest.fixture(scope="session")
def sails(sail_address, catalogs) -> Iterator[dict[str, SparkEngine]]:
    """An engine a task with the views of its catalog."""
    engines = {}
    for task, catalog in catalogs.items():
        engines[task] = SparkEngine(sail_address)
        define_views(catalog, engines[task])
    yield engines
    for engine in engines.values():
        engine.close()
