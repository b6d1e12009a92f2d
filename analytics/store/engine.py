"""What the store needs of a database: a transaction in which statements run with bound values."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from analytics.store.place import Engine

Value = str | int | float | None
BUSY_SECONDS = 30.0
"""How long a writer waits for the others before it gives up."""


class RetryError(Exception):
    """The database was busy, or went away before it answered: the same transaction may be tried again."""


class Session(Protocol):
    """One transaction."""

    engine: Engine

    def execute(self, sql: str, values: Mapping[str, Value] | None = None) -> list[dict[str, Any]]:
        """Run one statement; ``:name`` stands for a bound value. The rows it gives, by column."""

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""

    def lock_schema(self) -> None:
        """Wait until no other process changes the schema, and keep others from it until the end."""

    def lock(self, name: str) -> None:
        """Wait until no other writer works under this name, and keep others from it until the end."""


class Database(Protocol):
    """A place that can be opened; a connection a transaction, so that threads and forks share none."""

    def exists(self) -> bool:
        """Whether there is anything to read; never makes it."""

    def transaction(self, *, write: bool) -> AbstractContextManager[Session]:
        """Committed at the end, durably, and undone after an exception.

        Raises:
            RetryError: nothing, or perhaps all of it, was done; try again.
            StoreError: the place cannot be used.
        """
