"""DuckDB in this process: one hardened in-memory connection a project, a cursor a query."""

from __future__ import annotations

import copy
import tempfile
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from analytics.engines.remote import Trouble, register
from analytics.engines.stopping import STOPPED, stopping
from analytics.engines.text import Sql, identifier, literal, reader_path
from analytics.errors import (
    AssayError,
    FileVanishedError,
    QueryStoppedError,
    QueryTimeoutError,
    TelemetryError,
)
from analytics.places.remote import RemotePath

QUERY_SECONDS = 60.0
MEMORY_LIMIT = "4GB"
SPILL_LIMIT = "10GB"
STREAMED_ROWS = 1 << 19
"""Rows of a batch, before filters: enough that a call of numpy costs little, and few to hold."""

Result = TypeVar("Result")


# mistakes in our own SQL: shown as they are, never as if a log were damaged
_STREAM_ERRORS = {"INTERRUPT": duckdb.InterruptException, "Out of Memory": duckdb.OutOfMemoryException}
_OURS = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


class DuckDBEngine:
    """Runs SQL over the declared log files and nothing else.

    Args:
        folders: folders whose files may all be read.
        files: single files that may be read, wherever links lead; also objects of buckets.
        query_seconds: time limit of one query.
        memory_limit: most memory all queries together may take before they spill.
    """

    def __init__(
        self,
        folders: Iterable[Path] = (),
        *,
        files: Iterable[Path] = (),
        query_seconds: float = QUERY_SECONDS,
        memory_limit: str = MEMORY_LIMIT,
    ) -> None:
        self.query_seconds = query_seconds
        self._schema: str | None = None
        self._files = tuple(dict.fromkeys(files))
        self._names = count()
        self._spill = tempfile.TemporaryDirectory(prefix="assay-spill-")
        # that answers of `query` are copied once more is meant
        warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
        self._connection = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "temp_directory": self._spill.name,
                "max_temp_directory_size": SPILL_LIMIT,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
            }
        )
        self._trouble = self._registered()
        if any(isinstance(file, RemotePath) for file in self._files):
            # a connection that holds a file system of Python must go before the interpreter does
            weakref.finalize(self, self._connection.close)
        directories = ", ".join(literal(f"{folder}/") for folder in sorted(set(folders)))
        # DuckDB asks for permission twice: for the name as written, wildcards escaped, and for the file it finds
        names = dict.fromkeys(name for file in self._files for name in (str(file), reader_path(file)))
        paths = ", ".join(literal(name) for name in names)
        for statement in (
            "SET TimeZone = 'UTC'",
            f"SET allowed_directories = [{directories}]",
            f"SET allowed_paths = [{paths}]",
            "SET enable_external_access = false",
            "SET allowed_configs = ['max_execution_time']",
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def _registered(self) -> Trouble:
        try:
            return register(self._connection, (file for file in self._files if isinstance(file, RemotePath)))
        except AssayError:
            self.close()
            raise

    def within(self, schema: str) -> DuckDBEngine:
        """The same engine where the tables of a schema stand before those of the same name.

        Views that were defined before go on reading what they were defined over.

        Args:
            schema: its name, quoted; it is made where it is not there.
        """
        self.define(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        inside = copy.copy(self)
        inside._schema = schema  # noqa: SLF001  # a copy of this one
        return inside

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._connection.cursor() as cursor:
            if self._schema is not None:
                cursor.execute(f"USE {self._schema}")
            stop = stopping()
            if stop is None:
                yield cursor
            else:
                with stop.watching(cursor):
                    yield cursor

    def define(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that defines or drops a view or table, under the time limit of a query."""
        with self._cursor() as cursor:
            cursor.execute(f"SET max_execution_time = {int(self.query_seconds * 1000)}")
            self._run(lambda: cursor.execute(statement, dict(values or {}) or None))

    # Executed, not made a relation first: a relation is bound once to know its columns, and bound again when it runs.
    # To plan a long text takes longer than to run it over few rows (20 ms and 1 ms), so that this takes a third off
    # what a question costs on small logs. The answer is copied once more; answers are aggregates.
    def query(
        self,
        sql: Sql | str,
        parameters: Mapping[str, Any] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run one query and return its whole result as Arrow.

        Args:
            sql: the text; a `Sql` brings its own values.
            parameters: values bound to the ``$names`` of a plain text.
            tables: Arrow tables the text may read by name, for this query only.

        Raises:
            QueryTimeoutError: the query ran past the limit.
            FileVanishedError: a file was deleted since the engine was made.
            TelemetryError: a file could not be read while the query ran.
        """
        if isinstance(sql, Sql):
            text, values = sql.text, dict(sql.parameters)
        else:
            text, values = sql, dict(parameters or {})
        with self._cursor() as cursor:
            for name, table in (tables or {}).items():
                cursor.register(name, table)
            cursor.execute(f"SET max_execution_time = {int(self.query_seconds * 1000)}")
            return self._run(lambda: cursor.execute(text, values or None).to_arrow_table())

    def batches(self, sql: Sql, tables: Mapping[str, pa.Table] | None = None) -> Iterator[pa.RecordBatch]:
        """Run one query and give its rows as they are found, in no order; for answers too large to be held.

        Args:
            sql: the query.
            tables: Arrow tables the text may read by name.

        Raises:
            QueryTimeoutError, FileVanishedError, TelemetryError: as `query`; also when a batch is asked for.
        """
        with self._cursor() as cursor:
            for name, table in (tables or {}).items():
                cursor.register(name, table)
            # the engine's own limit ends with the call that begins a stream
            limit = Timer(self.query_seconds, cursor.interrupt)
            limit.daemon = True
            limit.start()
            try:
                reader = self._run(
                    lambda: cursor.sql(sql.text, params=sql.parameters or None).to_arrow_reader(STREAMED_ROWS)
                )
                while (batch := self._run(lambda: _next(reader))) is not None:
                    yield batch
            finally:
                limit.cancel()

    def put(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table one of the engine's own, which views may read."""
        with self._cursor() as cursor:
            cursor.register("given", table)
            self._run(
                lambda: cursor.execute(f"CREATE OR REPLACE TABLE {identifier(name)} AS SELECT * FROM given")
            )

    def describe(self, relation: str) -> dict[str, str]:
        """Column -> type of a table function, in order.

        Raises:
            TelemetryError: the files behind it cannot be read as what they claim to be.
        """
        try:
            rows = self.query(f"DESCRIBE SELECT * FROM {relation}").to_pylist()
        except _OURS as error:  # here names and types come from the files, so the files are to blame
            raise TelemetryError(first_line(error)) from error
        return {row["column_name"]: row["column_type"] for row in rows}

    def _run(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except duckdb.InterruptException as error:
            if (stop := stopping()) is not None and stop.stopped:
                raise QueryStoppedError(STOPPED) from error
            raise QueryTimeoutError(
                f"the query was stopped after {self.query_seconds:g} s; "
                "ask for a smaller window or fewer segments"
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryTimeoutError(
                "the query needs more memory than allowed; ask for a smaller window or fewer segments"
            ) from error
        except _OURS:
            raise
        except (duckdb.Error, OSError) as error:
            if (trouble := self._trouble.taken()) is not None:
                raise trouble from error
            # DuckDB looks for a folder of that name next, and what it says depends on what it may see
            gone = next((file for file in self._files if not _may_be_there(file)), None)
            if gone is not None:
                raise FileVanishedError(f"{gone}: the file is gone") from error
            raise TelemetryError(first_line(error)) from error

    @contextmanager
    def kept(self, sql: Sql, tables: Mapping[str, pa.Table] | None = None) -> Iterator[Sql]:
        """Hold the answer of a query in memory (spilling past the limit) while several others read it.

        Args:
            sql: the query.
            tables: Arrow tables it may read by name.

        Yields:
            A SELECT of everything held; it needs no values.
        """
        name = identifier(f"kept_{next(self._names)}")
        with self._cursor() as cursor:
            for given, table in (tables or {}).items():
                cursor.register(given, table)
            cursor.execute(f"SET max_execution_time = {int(self.query_seconds * 1000)}")
            self._run(lambda: cursor.execute(f"CREATE TABLE {name} AS {sql.text}", sql.parameters or None))
        try:
            yield Sql(f"SELECT * FROM {name}")
        finally:
            self.drop(f"TABLE {name}")

    def drop(self, what: str) -> None:
        """Drop a table or a schema, also for a question that was stopped; with the connection all are gone already."""
        with suppress(duckdb.ConnectionException), self._connection.cursor() as cursor:
            if self._schema is not None:
                cursor.execute(f"USE {self._schema}")
            self._run(lambda: cursor.execute(f"DROP {what}"))

    def close(self) -> None:
        """Close the connection and remove the spill folder."""
        self._connection.close()
        self._spill.cleanup()


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    """The next rows of a stream; None after the last. Arrow passes on of an error only what it says."""
    try:
        return next(reader, None)
    except OSError as error:
        for start, kind in _STREAM_ERRORS.items():
            if str(error).startswith(start):
                raise kind(str(error)) from error
        raise


def _may_be_there(file: Path) -> bool:
    # a bucket said so itself when it was read, and asking for many objects takes long
    return isinstance(file, RemotePath) or file.exists()


def first_line(error: BaseException) -> str:
    """The first line of an engine's message, which names the file."""
    return str(error).strip().splitlines()[0]
