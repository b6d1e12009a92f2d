"""Stopping what another thread asks of an engine, when nobody waits for the answer any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Protocol

from analytics.errors import QueryStoppedError


class Interruptible(Protocol):
    """A query that runs, or may."""

    def interrupt(self) -> None:
        """Let it end with an error."""
        ...


class Stop:
    """A way to stop every query of the thread that works under it, the one that runs and all that would follow.

    >>> stop = Stop()
    >>> with stop.obeyed():
    ...     stopping() is stop
    True
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[Interruptible] = []
        self.stopped = False
        """Whether somebody has said so."""

    def stop(self) -> None:
        """Stop now; from any thread."""
        with self._lock:
            self.stopped = True
            for one in self._running:
                one.interrupt()

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """What this thread asks within is stopped by `stop`."""
        token = _STOP.set(self)
        try:
            yield
        finally:
            _STOP.reset(token)

    @contextmanager
    def watching(self, query: Interruptible) -> Iterator[None]:
        """For engines: around everything that a query does.

        Raises:
            QueryStoppedError: it was stopped before.
        """
        with self._lock:
            if self.stopped:
                raise QueryStoppedError(STOPPED)
            self._running.append(query)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(query)


STOPPED = "the question was given up before it was answered; ask again"
_STOP: ContextVar[Stop | None] = ContextVar("stop", default=None)


def stopping() -> Stop | None:
    """What stops the queries of this thread; None where nothing does."""
    return _STOP.get()
