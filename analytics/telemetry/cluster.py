"""The views of a catalog on a cluster: the same texts over the same Parquet files, printed for Spark.

What the columns of a view mean stands once, in `analytics.telemetry.typed`; only what stands after FROM is the
cluster's own. It reads exactly the files that the catalog has listed, so that what is built from them is keyed by them.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import PurePosixPath
from typing import cast

import pyarrow as pa

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.spark import SparkEngine, is_spark, shown_address
from analytics.engines.text import Sql, identifier, literal
from analytics.errors import AssayError, EngineError, ProjectError
from analytics.project import Project
from analytics.project.aggregates import ENGINE, LOCAL_ENGINE
from analytics.telemetry import typed
from analytics.telemetry.catalog import Catalog, once
from analytics.telemetry.feeds import FILE, ROW, Feed, Group
from analytics.telemetry.files import LogFile


def engine_of(project: Project) -> str:
    """What builds a project's stored aggregates: what the environment says, else the project file.

    Raises:
        ProjectError: the environment names no engine.
    """
    named = os.environ.get(ENGINE)
    if not named:
        return project.engine
    if named != LOCAL_ENGINE and not is_spark(named):
        raise ProjectError(f'{ENGINE} is neither "{LOCAL_ENGINE}" nor an address sc://host:port')
    return named


@contextmanager
def reading(catalog: Catalog) -> Iterator[Catalog]:
    """A catalog whose questions go to the engine that the project names; with DuckDB the same one.

    Raises:
        EngineError: the cluster does not answer, or cannot read the logs.
    """
    name = engine_of(catalog.project)
    if not is_spark(name) or not catalog.has_predictions:
        yield catalog
        return
    engine = SparkEngine(name)
    try:
        define_views(catalog, engine)
        yield on_cluster(catalog, engine)
    finally:
        engine.close()


class LiveCluster:
    """Questions over rows put to a cluster while somebody waits; it is opened by the first of them.

    Args:
        catalog: its logs.
        address: of Spark Connect.
    """

    def __init__(self, catalog: Catalog, address: str) -> None:
        self._catalog = catalog
        self._address = address
        self._guard = threading.Lock()
        self._mine = threading.local()
        self._engine: SparkEngine | None = None
        self._there: Catalog | None = None

    def query(self, make: Callable[[Catalog], Sql]) -> pa.Table:
        """Answer a question on the cluster.

        Args:
            make: the question, from the catalog as it is there.

        Raises:
            EngineError: the cluster does not answer, or cannot read the logs.
            QueryTimeoutError: it took longer than a question may here.
        """
        started = time.perf_counter()
        there = self._opened()
        answer = there.engine.query(make(there))
        self._mine.seconds = [*getattr(self._mine, "seconds", ()), time.perf_counter() - started]
        return answer

    def said(self) -> str | None:
        """What was asked there by this thread since it last asked so, and how long that took; None for nothing."""
        seconds = getattr(self._mine, "seconds", ())
        self._mine.seconds = []
        if not seconds:
            return None
        questions = f"{len(seconds)} questions" if len(seconds) > 1 else "one question"
        return f"{shown_address(self._address)} answered {questions} in {sum(seconds):.1f} s"

    def close(self) -> None:
        """Leave the cluster."""
        with self._guard:
            if self._engine is not None:
                self._engine.close()
            self._engine = self._there = None

    def _opened(self) -> Catalog:
        with self._guard:
            if self._there is None:
                engine = SparkEngine(self._address, query_seconds=self._catalog.engine.query_seconds)
                try:
                    define_views(self._catalog, engine)
                except AssayError:
                    engine.close()
                    raise
                self._engine, self._there = engine, on_cluster(self._catalog, engine)
            return self._there


def live_cluster(catalog: Catalog) -> LiveCluster | None:
    """What answers questions over rows instead of this process, where the project names a cluster."""
    name = engine_of(catalog.project)
    return LiveCluster(catalog, name) if is_spark(name) and catalog.has_predictions else None


def define_views(catalog: Catalog, engine: SparkEngine) -> None:
    """Make ``predictions``, ``reference`` and ``labels`` of a catalog readable on a cluster.

    Raises:
        EngineError: a feed lies in text files, or the cluster failed.
        TelemetryError: the cluster does not see a file.
    """
    if not catalog.has_predictions:
        return
    names = count()
    project, types = catalog.project, catalog.types

    def seen(name: str) -> Feed:
        return _seen(engine, catalog.feeds[name], names)

    engine.view("all_predictions", typed.predictions(project, seen("predictions"), types))
    engine.view("predictions", once("all_predictions", repeats=catalog.duplicated))
    if catalog.has_label_feed:
        engine.view("labels", typed.labels(project, seen("labels")))
    if project.reference is None:
        return
    if "reference" in catalog.feeds:
        everything = typed.predictions(project, seen("reference"), types, production_only=False)
        engine.view("all_reference", everything)
        engine.view("reference", once("all_reference", repeats=catalog.reference_duplicated))
        return
    start, end = project.reference.start, project.reference.end
    if start is not None and end is not None:
        low, high = (
            f"CAST({literal(project.instant(moment).isoformat())} AS TIMESTAMP WITH TIME ZONE)"
            for moment in (start, end)
        )
        engine.view("reference", f"SELECT * FROM predictions WHERE ts >= {low} AND ts < {high}")


def on_cluster(catalog: Catalog, engine: SparkEngine) -> Catalog:
    """A catalog whose questions go to a cluster; what is known of its files and columns stays what it is.

    Args:
        catalog: open, and left open by whoever closes the other.
        engine: has the views of `define_views`.
    """
    if catalog.has_predictions:
        # looked at on this side, before the engine is another
        _ = catalog.segments, catalog.versions, catalog.reference_versions, catalog.relabelled
        _ = catalog.extent, catalog.reference_extent, catalog.newest_label
    other = copy.copy(catalog)
    other.engine = cast("DuckDBEngine", engine)
    # reports that were replaced are found by a window over them, not in a table of this process
    vars(other)["superseded"] = False
    other.live = None
    return other


def _seen(engine: SparkEngine, feed: Feed, names: count[int]) -> Feed:
    groups = []
    for group in feed.groups:
        wanted = list(group.files)
        if group.text or any(file.format != "parquet" for file in wanted):
            raise EngineError(
                f"{engine.address} reads Parquet only, and {wanted[0].path} is text: have the logs written as Parquet, "
                'or set engine = "duckdb"'
            )
        name = f"assay_{feed.name}_{next(names)}"
        engine.parquet(
            name, [str(file.path) for file in wanted], base=_base(group, wanted), file=FILE, row=ROW
        )
        groups.append(replace(group, files=tuple(wanted), relation=identifier(name), alone=()))
    return replace(feed, groups=tuple(groups))


def _base(group: Group, files: Sequence[LogFile]) -> str | None:
    """The folder above the first one that tells a column (``day=2026-01-02``)."""
    if not files[0].hive:
        return None
    scheme, found, path = str(files[0].path).rpartition("://")
    parts = PurePosixPath(path).parts
    first = next(
        (i for i, part in enumerate(parts) if "=" in part and part.partition("=")[0] in group.columns), None
    )
    return None if first is None else f"{scheme}{found}{PurePosixPath(*parts[:first])}"
