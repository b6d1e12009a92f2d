"""Answers in memory: so many bytes of them, and each computed once however many ask for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Any

from analytics.ask.sizes import bytes_of
from analytics.errors import AssayError, QueryStoppedError

KEPT_BYTES = 384 * 2**20


class Answers:
    """Kept answers; the one not asked for the longest goes first. Safe for several threads.

    Args:
        most_bytes: what all of them together may take.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._pending: dict[Hashable, Future[Any]] = {}
        self.n_bytes = 0
        """What is kept now."""

    def get(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """The answer under a key; who asks for one that is being computed waits for it.

        Args:
            key: all that the answer depends on.
            ask: computes it.

        Raises:
            AssayError: it cannot be answered; all who wait are told so, and nothing is kept.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key][0]
                mine = key not in self._pending
                pending: Future[Any] = self._pending.setdefault(key, Future())
            if mine:
                return self._compute(key, ask, pending)
            try:
                return pending.result()
            except CancelledError:
                continue  # whoever computed it was stopped: another does

    def kept(self, key: Hashable) -> Any:
        """The answer under a key where it is here now; None where not."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.n_bytes = 0

    def put(self, key: Hashable, answer: Any) -> bool:
        """Keep an answer that somebody else computed; whether there was room that nobody else needs."""
        size = bytes_of(answer)
        with self._lock:
            if key in self._kept or self.n_bytes + size > self._most:
                return False
            self._kept[key] = (answer, size)
            self.n_bytes += size
            return True

    def items(self) -> list[tuple[Hashable, Any]]:
        """What is kept now, with its keys."""
        with self._lock:
            return [(key, answer) for key, (answer, _) in self._kept.items()]

    @property
    def is_computing(self) -> bool:
        """Whether somebody waits for an answer."""
        with self._lock:
            return bool(self._pending)

    def _compute(self, key: Hashable, ask: Callable[[], Any], pending: Future[Any]) -> Any:
        try:
            answer = ask()
            self._keep(key, answer)
            pending.set_result(answer)
        except QueryStoppedError:
            raise  # stopped for those who asked here: whoever waits computes it
        except AssayError as error:
            pending.set_exception(error)
            raise
        finally:
            with self._lock:
                self._pending.pop(key, None)
            pending.cancel()  # of a finished one this does nothing
        return answer

    def _keep(self, key: Hashable, answer: Any) -> None:
        size = bytes_of(answer)
        with self._lock:
            # `put` may have been quicker
            self.n_bytes += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (answer, size)
            while self.n_bytes > self._most:
                self.n_bytes -= self._kept.popitem(last=False)[1][1]
