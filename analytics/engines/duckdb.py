"""DuckDB in this process: one hardened in-memory connection a project, a cursor a query."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from analytics.engines.text import Sql, literal
from analytics.errors import QueryTimeoutError, TelemetryError

QUERY_SECONDS = 60.0
MEMORY_LIMIT = "4GB"
SPILL_LIMIT = "10GB"


class DuckDBEngine:
    """Runs SQL over the declared log folders and nothing else.

    Args:
        folders: the only folders whose files may be read.
        query_seconds: time limit of one query.
        memory_limit: most memory all queries together may take before they spill.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        *,
        query_seconds: float = QUERY_SECONDS,
        memory_limit: str = MEMORY_LIMIT,
    ) -> None:
        self.query_seconds = query_seconds
        self._spill = tempfile.TemporaryDirectory(prefix="assay-spill-")
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
        allowed = ", ".join(literal(f"{folder}/") for folder in sorted(set(folders)))
        for statement in (
            "SET TimeZone = 'UTC'",
            f"SET allowed_directories = [{allowed}]",
            "SET enable_external_access = false",
            "SET allowed_configs = ['max_execution_time']",
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def define(self, statement: str) -> None:
        """Run a statement that defines a view."""
        with self._connection.cursor() as cursor:
            self._run(cursor, lambda: cursor.execute(statement))

    def register(self, name: str, table: pa.Table) -> None:
        """Make a small Arrow table readable under a name."""
        self._connection.register(name, table)

    def query(self, sql: Sql | str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one query and return its whole result as Arrow.

        Raises:
            QueryTimeoutError: the query ran past the limit.
            TelemetryError: a file could not be read while the query ran.
        """
        if isinstance(sql, Sql):
            text, values = sql.text, dict(sql.parameters)
        else:
            text, values = sql, dict(parameters or {})
        with self._connection.cursor() as cursor:
            cursor.execute(f"SET max_execution_time = {int(self.query_seconds * 1000)}")
            return self._run(
                cursor,
                lambda: cursor.sql(text, params=values or None).to_arrow_table(),
            )

    def _run(self, _cursor: duckdb.DuckDBPyConnection, call: Any) -> Any:
        try:
            return call()
        except duckdb.InterruptException as error:
            raise QueryTimeoutError(
                f"the query was stopped after {self.query_seconds:g} s; ask for a smaller window or fewer segments"
            ) from error
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise TelemetryError(first_line(error)) from error
        except duckdb.OutOfMemoryException as error:
            raise QueryTimeoutError(
                "the query needs more memory than allowed; ask for a smaller window or fewer segments"
            ) from error

    def close(self) -> None:
        """Close the connection and remove the spill folder."""
        self._connection.close()
        self._spill.cleanup()


def first_line(error: BaseException) -> str:
    """The first line of an engine's message, which names the file."""
    return str(error).strip().splitlines()[0]
