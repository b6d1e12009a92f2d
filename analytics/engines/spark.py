"""Apache Spark (or what speaks its protocol) through Spark Connect: the same SQL, printed for it; Arrow comes back.

Only SQL goes over and only answers come back: no Python runs on the cluster, and none of our code is installed there.
The client is imported when an engine is made; `assay` without the extra ``spark`` never looks for it.
"""

from __future__ import annotations

import re
import socket
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from analytics.engines.text import Sql
from analytics.errors import EngineError, QueryTimeoutError, TelemetryError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEME = "sc://"
REACH_SECONDS = 10.0
QUERY_SECONDS = 3600.0
"""A batch over days of logs may take long; a live question sets its own limit."""
DEFAULT_PORT = 15002
BATCH_ROWS = 200_000_000
"""Rows of a build that are held on the cluster at a time."""
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_DESCRIBE = "DESCRIBE "
_INSTALL = "pip install 'assay-ml[spark]'"
_GONE = ("failed to connect", "connection refused", "socket closed", "unavailable", "connection reset")


class Engine(Protocol):
    """What aggregates ask of an engine."""

    def query(
        self,
        sql: Sql | str,
        parameters: Mapping[str, Any] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run one query and return its whole result as Arrow."""
        ...


def is_spark(address: str) -> bool:
    """Whether an engine's name is the address of a Spark Connect server."""
    return address.startswith(SCHEME)


def shown_address(address: str) -> str:
    """An address without what follows it: a token is nobody's to read.

    >>> shown_address("sc://host:15002/;token=secret"), shown_address("sc://host:1;token=secret")
    ('sc://host:15002', 'sc://host:1')
    """
    return re.split("[;?]", address, maxsplit=1)[0].rstrip("/")


class SparkEngine:
    """Runs SQL on a cluster.

    Args:
        address: ``sc://host:port``, with options of Spark Connect behind ``/;`` (``token=…``).
        query_seconds: time limit of one query.

    Attributes:
        seconds: what the last query took.
        batch_rows: rows of a build that are taken at a time.

    Raises:
        EngineError: nothing answers there, or the extra is not installed.
    """

    def __init__(self, address: str, *, query_seconds: float = QUERY_SECONDS) -> None:
        self.address = shown_address(address)
        self.query_seconds = query_seconds
        self.seconds = 0.0
        self.batch_rows = BATCH_ROWS
        self._names = count()
        _require_listener(address)
        try:
            from pyspark.sql import SparkSession  # noqa: PLC0415  # only who has a cluster pays for it
        except ImportError as error:
            raise EngineError(f"the engine {self.address} needs Spark's client: {_INSTALL}") from error
        # the client warns of pandas 3; answers go through Arrow alone
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        with self._explained():
            self._session: SparkSession = SparkSession.builder.remote(address).create()
            # naive times mean UTC on both sides, and division by zero is an error, not NULL
            self._session.conf.set("spark.sql.session.timeZone", "UTC")
            # DuckDB shows the value of a folder name (dt=2026-01-02) as the text it is
            self._session.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")

    def parquet(self, name: str, paths: Sequence[str], *, base: str | None, file: str, row: str) -> None:
        """Make Parquet files readable under a name.

        Args:
            name: the view.
            paths: files of one schema, as the cluster sees them.
            base: the folder from which on folder names tell columns; None where they do not.
            file: the column that tells which file a row is from.
            row: the column that tells its place in that file.
        """
        with self._explained():
            reader = self._session.read
            if base is not None:
                reader = reader.option("basePath", base)
            frame = reader.parquet(*paths)
            placed = self._placed(frame, file, row)
            if placed is not None:
                placed.createOrReplaceTempView(name)
                return
            one_by_one = []
            for i, path in enumerate(paths):
                self._session.read.parquet(path).createOrReplaceTempView(f"{name}_{i}")
                told = {**_partitions(path, base), file: path}
                items = ", ".join(
                    f"{_quoted(value)} AS `{key.replace('`', '``')}`" for key, value in told.items()
                )
                one_by_one.append(f"SELECT *, {items}, CAST(0 AS BIGINT) AS `{row}` FROM {name}_{i}")
            self._session.sql(" UNION ALL ".join(one_by_one)).createOrReplaceTempView(name)

    @staticmethod
    def _placed(frame: DataFrame, file: str, row: str) -> DataFrame | None:
        """A frame with each row's file and place; None where the server does not tell them (Sail)."""
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql.functions import col, regexp_replace, url_decode  # noqa: PLC0415

        # file:///logs/a%20b.parquet is /logs/a b.parquet everywhere else
        path = url_decode(regexp_replace(col("_metadata.file_path"), "[+]", "%2B"))
        path = regexp_replace(path, "^file:/+", "/")
        placed = frame.select("*", path.alias(file), col("_metadata.row_index").alias(row))
        try:
            placed.schema  # noqa: B018  # asks the server
        except PySparkException:
            return None
        return placed

    def view(self, name: str, text: str) -> None:
        """Define a view by a SELECT, which is printed for Spark."""
        from analytics.engines.dialect import to_spark  # noqa: PLC0415  # needs the extra

        with self._explained():
            self._session.sql(to_spark(text)).createOrReplaceTempView(name)

    def query(
        self,
        sql: Sql | str,
        parameters: Mapping[str, Any] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run one query and return its whole result as Arrow, in the types DuckDB would give it.

        Args:
            sql: the text in the portable subset; a `Sql` brings its own values.
            parameters: values bound to the ``$names`` of a plain text.
            tables: Arrow tables the text may read by name.

        Raises:
            EngineError: the text says something that engines understand differently, or the cluster failed.
            QueryTimeoutError: the query ran past the limit.
        """
        text = sql.text if isinstance(sql, Sql) else sql
        values = dict(sql.parameters) if isinstance(sql, Sql) else dict(parameters or {})
        if text.startswith(_DESCRIBE):
            return self._described(text.removeprefix(_DESCRIBE), values)
        printed = _printed(text)
        for name, table in (tables or {}).items():
            self._session.createDataFrame(table).createOrReplaceTempView(name)
        started = time.perf_counter()
        answer = self._run(printed, values)
        self.seconds = time.perf_counter() - started
        return conform(answer)

    def _described(self, text: str, values: Mapping[str, Any]) -> pa.Table:
        with self._explained():
            schema = self._session.sql(_printed(text), args=dict(values) or None).schema
        fields = [(field.name, field.dataType.simpleString()) for field in schema.fields]
        names = ("column_name", "column_type")
        return pa.table({name: [field[i] for field in fields] for i, name in enumerate(names)})

    @contextmanager
    def kept(self, sql: Sql) -> Iterator[Sql]:
        """Hold the answer of a query on the cluster while several others read it.

        Yields:
            A SELECT of everything held.
        """
        name = f"assay_kept_{next(self._names)}"
        with self._explained():
            frame = self._session.sql(_printed(sql.text), args=sql.parameters or None)
            # a second reader finds it in the executors' memory, or on their disks past that
            frame = frame.persist()
            frame.createOrReplaceTempView(name)
        try:
            yield Sql(f"SELECT * FROM {name}")
        finally:
            with self._explained():
                frame.unpersist()
                self._session.catalog.dropTempView(name)

    def close(self) -> None:
        """End the session; what it held on the cluster is freed there."""
        self._session.stop()

    def _run(self, text: str, values: Mapping[str, Any]) -> pa.Table:
        tag = f"assay-{next(self._names)}"
        late: list[bool] = []

        def stop() -> None:
            late.append(True)
            self._session.interruptTag(tag)

        watch = Timer(self.query_seconds, stop)
        watch.daemon = True
        self._session.addTag(tag)
        watch.start()
        try:
            with self._explained(late):
                return self._session.sql(text, args=dict(values) or None).toArrow()
        finally:
            watch.cancel()
            self._session.removeTag(tag)

    @contextmanager
    def _explained(self, late: Sequence[bool] = ()) -> Iterator[None]:
        from pyspark.errors import PySparkException  # noqa: PLC0415

        try:
            yield
        except PySparkException as error:
            if late:
                raise QueryTimeoutError(
                    f"{self.address} was stopped after {self.query_seconds:g} s; ask for fewer days"
                ) from error
            message = _first_line(error)
            if any(word in message.lower() for word in _GONE):
                raise EngineError(f"{self.address} does not answer any more ({message})") from error
            if "PATH_NOT_FOUND" in message or "does not exist" in message.lower():
                raise TelemetryError(
                    f"{self.address} does not see the logs ({message}); the paths of the project file must be "
                    "the same there, as on a shared file system or object storage"
                ) from error
            raise EngineError(f"{self.address}: {message}") from error


def _partitions(path: str, base: str | None) -> dict[str, str | None]:
    """What the folders below a base say of a file's rows."""
    if base is None:
        return {}
    folders = path.removeprefix(base).strip("/").split("/")[:-1]
    told = (folder.partition("=") for folder in folders if "=" in folder)
    return {name: None if value == _NO_VALUE else unquote(value) for name, _, value in told}


def _quoted(value: str | None) -> str:
    if value is None:
        return "CAST(NULL AS STRING)"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def conform(table: pa.Table) -> pa.Table:
    """An answer in the types that DuckDB gives the same text.

    Instants that stand for local times lose their zone (both sessions count in UTC), whole numbers are 64 bits wide
    or stay as they are, decimals that hold whole numbers become such.
    """
    fields = [pa.field(field.name, _conformed(field.type)) for field in table.schema]
    return table.cast(pa.schema(fields))


def _conformed(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return pa.int64()
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return kind


def _printed(text: str) -> str:
    from analytics.engines.dialect import problems, to_spark  # noqa: PLC0415  # needs the extra

    found = problems(text)
    if found:
        raise EngineError(f"this question cannot be put to a cluster: {'; '.join(found[:3])}")
    return to_spark(text)


def _require_listener(address: str) -> None:
    """Ask whether anybody listens: the client itself would try again for ten minutes."""
    parts = urlsplit(shown_address(address))
    try:
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError as error:
        raise EngineError(f"{shown_address(address)}: {error}; write sc://host:port") from error
    if parts.scheme != "sc" or not host:
        raise EngineError(f"{shown_address(address)}: no address of Spark Connect; write sc://host:port")
    try:
        socket.create_connection((host, port), REACH_SECONDS).close()
    except OSError as error:
        raise EngineError(
            f"nothing answers at {shown_address(address)} ({error.strerror or error}); start a Spark Connect server "
            'there, or set engine = "duckdb"'
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
