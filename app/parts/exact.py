"""Exact answers that take long: computed aside, for as long as somebody's page waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock, Semaphore, Thread
from typing import Any

from analytics.engines.stopping import Stop
from analytics.errors import AssayError, QueryStoppedError

AT_ONCE = 2
"""Answers computed at the same time; each takes all processors where it can."""
GONE_SECONDS = 20.0
"""A session that has not looked for so long is a closed window."""
_SWEEP_SECONDS = 1.0


@dataclass(eq=False)
class Job:
    """One answer on its way.

    Attributes:
        expected: how long it was said to take, from when it begins.
        begun: when it did (`time.monotonic`); None while it waits for its turn.
        error: why there is no answer.
    """

    key: Hashable
    expected: float
    begun: float | None = None
    error: AssayError | None = None
    stop: Stop = field(default_factory=Stop)
    over: Event = field(default_factory=Event)
    claims: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.over.is_set()

    @property
    def left(self) -> float:
        """Seconds that are left, as far as one can tell: never less than one."""
        if self.begun is None:
            return self.expected
        return max(self.expected - (time.monotonic() - self.begun), 1.0)


@dataclass
class _Session:
    """A page of somebody: how often it was drawn, and when it was last heard of."""

    round: int = 0
    seen: float = 0.0


class Exact:
    """Answers on their way, for all sessions. Safe for several threads.

    A job is wanted by the sessions whose pages show its sampled answer. One that nobody wants any more, because the
    question changed or the window was closed, is stopped in the middle of its query.

    Args:
        at_once: how many are computed at the same time.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._lock = Lock()
        self._turn = Semaphore(at_once)
        self._jobs: dict[Hashable, Job] = {}
        self._sessions: dict[str, _Session] = {}
        self._sweeper: Thread | None = None

    def begin(self, session: str, *, goes_on: bool) -> None:
        """A page is drawn anew: what it does not ask for again is not wanted any more.

        Args:
            session: whose.
            goes_on: whether it may ask for exact answers at all; where not, none of them is wanted from now on.
        """
        with self._lock:
            known = self._sessions.get(session)
            if known is None:
                return
            known.round += 1
            known.seen = time.monotonic()
            if not goes_on:
                self._release(lambda name, _: name == session)
                self._sessions.pop(session)

    def want(self, session: str, key: Hashable, work: Callable[[], Any], expected: float) -> Job:
        """The job that computes an answer; begun where nobody has asked for it yet.

        Args:
            session: who wants it.
            key: all that the answer depends on.
            work: computes it, and keeps it where `key` finds it.
            expected: seconds it will take.
        """
        with self._lock:
            mine = self._sessions.setdefault(session, _Session())
            mine.seen = time.monotonic()
            job = self._jobs.get(key)
            if job is None or job.stop.stopped:
                job = self._jobs[key] = Job(key, expected)
                Thread(target=self._run, args=(job, work), name="assay-exact", daemon=True).start()
            job.claims[session] = mine.round
            if self._sweeper is None or not self._sweeper.is_alive():
                self._sweeper = Thread(target=self._sweep, name="assay-exact-sweep", daemon=True)
                self._sweeper.start()
            return job

    def look(self, session: str) -> list[Job]:
        """The jobs of a session's page as it was drawn last, now that it is drawn; it is alive."""
        with self._lock:
            known = self._sessions.get(session)
            if known is None:
                return []
            known.seen = time.monotonic()
            now = known.round
            self._release(lambda name, round_: name == session and round_ < now)
            return self._of(session)

    def jobs(self, session: str) -> list[Job]:
        """The jobs of a session while its page is being drawn."""
        with self._lock:
            return self._of(session)

    def _of(self, session: str) -> list[Job]:
        return [job for job in self._jobs.values() if session in job.claims]

    def _release(self, which: Callable[[str, int], bool]) -> None:
        """Take back claims, and stop and forget jobs that have none left."""
        for key, job in list(self._jobs.items()):
            job.claims = {name: round_ for name, round_ in job.claims.items() if not which(name, round_)}
            if not job.claims:
                del self._jobs[key]
                job.stop.stop()

    def _run(self, job: Job, work: Callable[[], Any]) -> None:
        try:
            with self._turn, job.stop.obeyed():
                if not job.stop.stopped:
                    job.begun = time.monotonic()
                    work()
        except QueryStoppedError:
            pass  # nobody waits for it
        except AssayError as error:
            job.error = error
        finally:
            job.over.set()

    def _sweep(self) -> None:
        while True:
            time.sleep(_SWEEP_SECONDS)
            with self._lock:
                gone = time.monotonic() - GONE_SECONDS
                for name in [name for name, one in self._sessions.items() if one.seen < gone]:
                    del self._sessions[name]
                self._release(lambda name, _: name not in self._sessions)
                if not self._jobs:
                    self._sweeper = None
                    return
