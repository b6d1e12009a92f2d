"""The store in a SQLite file: a write-ahead log, whole transactions, and patience with other writers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics.errors import StoreError
from analytics.store.engine import BUSY_SECONDS, RetryError, Session, Value
from analytics.store.place import VARIABLE, Engine, Place

_BUSY = {"SQLITE_BUSY", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT", "SQLITE_LOCKED",
         "SQLITE_PROTOCOL"}  # fmt: skip
_NO_FILE = {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_READONLY_DIRECTORY",
            "SQLITE_READONLY_DBMOVED"}  # fmt: skip


@dataclass
class SQLiteSession:
    """One transaction of one connection."""

    connection: sqlite3.Connection
    engine: Engine = "sqlite"

    def execute(self, sql: str, values: Mapping[str, Value] | None = None) -> list[dict[str, Any]]:
        """As `Session.execute`."""
        found = self.connection.execute(sql, dict(values or {}))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def has_table(self, name: str) -> bool:
        """As `Session.has_table`."""
        return bool(
            self.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name = :name", {"name": name}
            )
        )

    def lock_schema(self) -> None:
        """A writing transaction has the whole file already."""

    def lock(self, name: str) -> None:
        """A writing transaction has the whole file already."""


@dataclass(frozen=True)
class SQLiteDatabase:
    """A file that is made at the first write.

    Attributes:
        place: where.
        patience: seconds to wait for other writers.
    """

    place: Place
    patience: float = BUSY_SECONDS

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.place.address)

    def exists(self) -> bool:
        """As `Database.exists`."""
        try:
            return self.path.exists()
        except OSError as problem:
            raise StoreError(self._cannot(str(problem))) from None

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[Session]:
        """As `Database.transaction`."""
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(
                sqlite3.connect(self.path, timeout=self.patience, isolation_level=None)
            ) as connection:
                self._prepare(connection)
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield SQLiteSession(connection)
                # without it, after an exception, closing undoes everything
                connection.execute("COMMIT")
        except OSError as problem:
            raise StoreError(self._cannot(problem.strerror or str(problem))) from None
        except sqlite3.Error as problem:
            raise self._explained(problem) from problem

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # FULL: what was committed is on the disk, even if the power fails in the next moment
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")

    def _explained(self, problem: sqlite3.Error) -> Exception:
        code = getattr(problem, "sqlite_errorname", "")
        if code in _BUSY:
            return RetryError(f"other processes kept {self.place.shown} busy")
        if code in _NO_FILE or (not code and isinstance(problem, sqlite3.OperationalError)):
            return StoreError(self._cannot(str(problem)))
        if code in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
            return StoreError(
                f"{self.place.shown}: is no store ({problem}); name another file in {VARIABLE}, or restore a copy of it"
            )
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return StoreError(
                f"{self.place.shown}: cannot be written ({problem}): is the disk full? Nothing was kept"
            )
        return StoreError(f"{self.place.shown}: {problem}")

    def _cannot(self, why: str) -> str:
        return (
            f"{self.place.shown}: nothing can be kept there ({why}); set {VARIABLE} to a file that can be "
            "written, or to a postgresql:// URL"
        )
