"""The store in PostgreSQL, for teams: the same tables, reached by a URL (``pip install 'assay-ml[postgres]'``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from analytics.errors import StoreError
from analytics.store.engine import BUSY_SECONDS, RetryError, Session, Value
from analytics.store.place import VARIABLE, Engine, Place

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 10
_BOUND = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)\b")
_SCHEMA_LOCK = 0x41535341
"""The advisory lock of migrations: a number of our own, "ASSA" in ASCII."""


@dataclass
class PostgresSession:
    """One transaction of one connection."""

    connection: psycopg.Connection[dict[str, Any]]
    engine: Engine = "postgresql"

    def execute(self, sql: str, values: Mapping[str, Value] | None = None) -> list[dict[str, Any]]:
        """As `Session.execute`."""
        # all SQL is a constant of this package; values are always bound
        text = _BOUND.sub(r"%(\1)s", sql) if values else sql
        found = self.connection.execute(text, values)
        return found.fetchall() if found.description else []

    def has_table(self, name: str) -> bool:
        """As `Session.has_table`."""
        return (
            self.execute("SELECT to_regclass(:name) IS NOT NULL AS found", {"name": name})[0]["found"] is True
        )

    def lock_schema(self) -> None:
        """As `Session.lock_schema`."""
        self.execute("SELECT pg_advisory_xact_lock(:number)", {"number": _SCHEMA_LOCK})

    def lock(self, name: str) -> None:
        """As `Session.lock`."""
        # two names of one number wait for each other, which harms nobody
        number = int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)
        self.execute("SELECT pg_advisory_xact_lock(:number)", {"number": number})


@dataclass(frozen=True)
class PostgresDatabase:
    """A database that somebody else keeps running.

    Attributes:
        place: where.
        patience: seconds to wait for other writers.
    """

    place: Place
    patience: float = BUSY_SECONDS

    def exists(self) -> bool:
        """A database is there, or connecting says why not."""
        return True

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[Session]:
        """As `Database.transaction`."""
        try:
            import psycopg  # noqa: PLC0415  # an extra: who keeps a file needs none of it
            from psycopg.rows import dict_row  # noqa: PLC0415
        except ImportError:
            raise StoreError(
                f"{self.place.shown}: a PostgreSQL store needs psycopg: pip install 'assay-ml[postgres]'"
            ) from None
        try:
            opened = psycopg.connect(
                self.place.address, row_factory=dict_row, connect_timeout=CONNECT_SECONDS
            )
        except psycopg.Error as problem:
            raise StoreError(
                self._plain(f"{self.place.shown}: the store cannot be reached ({problem}); check {VARIABLE}")
            ) from None
        try:
            with opened as connection:
                connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{self.patience:g}s"])
                if write:
                    # whoever turned it off for speed would lose what was acknowledged
                    connection.execute("SET LOCAL synchronous_commit TO on")
                else:
                    connection.execute("SET TRANSACTION READ ONLY")
                yield PostgresSession(connection)
        except psycopg.errors.LockNotAvailable as problem:
            raise RetryError(f"other processes kept {self.place.shown} busy") from problem
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as problem:
            raise RetryError(f"{self.place.shown}: {problem}") from problem
        except psycopg.OperationalError as problem:
            raise RetryError(
                self._plain(f"{self.place.shown}: the connection was lost ({problem})")
            ) from None
        except psycopg.Error as problem:
            raise StoreError(self._plain(f"{self.place.shown}: {problem}")) from None

    def _plain(self, message: str) -> str:
        return " ".join(self.place.without_secrets(message).split())
