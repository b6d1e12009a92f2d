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
AGAIN_SECONDS = 60.0
"""What failed is not tried again before, however often its page is drawn."""
_SWEEP_SECONDS = 1.0
_BROKEN = "the exact answer could not be computed; the log of the server says why"


@dataclass(eq=False)
class Job:
    """One answer on its way.

    Attributes:
        expected: how long it was said to take, from when it begins.
        begun: when it did (`time.monotonic`); None while it waits for its turn.
        ended: when it did.
        error: why there is no answer.
        claims: the sessions that want it, and which drawing of their page did last.
        told: the sessions whose page was drawn since it has ended.
    """

    key: Hashable
    expected: float
    begun: float | None = None
    ended: float | None = None
    error: AssayError | None = None
    stop: Stop = field(default_factory=Stop)
    over: Event = field(default_factory=Event)
    claims: dict[str, int] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.over.is_set()

    @property
    def is_worth_another(self) -> bool:
        """Whether it failed so long ago that it is tried again."""
        failed = self.error is not None and self.ended is not None
        return failed and time.monotonic() - (self.ended or 0.0) > AGAIN_SECONDS

    @property
    def left(self) -> float:
        """Seconds that are left, as far as one can tell: never less than one."""
        if self.begun is None:
            return self.expected
        return max(self.expected - (time.monotonic() - self.begun), 1.0)


@dataclass
class _Session:
    """A page of somebody: how often it was drawn, whether it is now, and when it was last heard of."""

    round: int = 0
    drawing: bool = False
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

    def begin(self, session: str, *, goes_on: bool, same: bool = True) -> None:
        """A page is drawn anew: what it does not ask for again is not wanted any more.

        Args:
            session: whose.
            goes_on: whether it may ask for exact answers at all; where not, none of them is wanted from now on.
            same: whether it is the same page under the same scope; of another one nothing is wanted any more.
        """
        with self._lock:
            known = self._sessions.get(session)
            if known is None:
                return
            known.round += 1
            known.seen = time.monotonic()
            known.drawing = True
            # what has ended well is an answer; what failed stays, or every drawing would try it again
            every = not (goes_on and same)
            self._release(lambda name, job: name == session and (every or (job.done and job.error is None)))
            if not goes_on:
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
            if job is None or job.stop.stopped or job.is_worth_another:
                claims = {} if job is None else dict(job.claims)
                job = self._jobs[key] = Job(key, expected, claims=claims)
                Thread(target=self._run, args=(job, work), name="assay-exact", daemon=True).start()
            job.claims[session] = mine.round
            if job.done:
                job.told.add(session)
            if self._sweeper is None or not self._sweeper.is_alive():
                self._sweeper = Thread(target=self._sweep, name="assay-exact-sweep", daemon=True)
                self._sweeper.start()
            return job

    def look(self, session: str) -> list[Job]:
        """The jobs that a session's page waits for; it is alive.

        The first look after `begin` is that of a page that is still being drawn, and may ask for all of them again. The
        next one is that of the page as it was drawn: what it did not ask for is not wanted any more.
        """
        with self._lock:
            known = self._sessions.get(session)
            if known is None:
                return []
            known.seen = time.monotonic()
            now, drawing = known.round, known.drawing
            known.drawing = False
            if drawing:
                return [job for job in self._of(session) if not job.done]
            self._release(lambda name, job: name == session and job.claims[name] < now)
            return [job for job in self._of(session) if session not in job.told]

    def knows(self, session: str) -> bool:
        """Whether a session was heard of since it wanted something; one that slept is forgotten."""
        with self._lock:
            return session in self._sessions

    def jobs(self, session: str) -> list[Job]:
        """The jobs of a session while its page is being drawn."""
        with self._lock:
            return self._of(session)

    def _of(self, session: str) -> list[Job]:
        return [job for job in self._jobs.values() if session in job.claims]

    def _release(self, which: Callable[[str, Job], bool]) -> None:
        """Take back claims, and stop and forget jobs that have none left."""
        for key, job in list(self._jobs.items()):
            job.claims = {name: round_ for name, round_ in job.claims.items() if not which(name, job)}
            if not job.claims:
                del self._jobs[key]
                job.stop.stop()

    def _run(self, job: Job, work: Callable[[], Any]) -> None:
        problem: AssayError | None = AssayError(_BROKEN)  # unless it ends in one of the ways below
        try:
            with self._turn, job.stop.obeyed():
                if not job.stop.stopped:
                    job.begun = time.monotonic()
                    work()
            problem = None
        except QueryStoppedError:
            problem = None  # nobody waits for it
        except AssayError as error:
            problem = error
        finally:
            job.error, job.ended = problem, time.monotonic()
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
