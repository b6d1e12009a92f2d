"""Answers that pages ask for first, computed before anybody does: after a start, a build and a change of files.

Who runs the pages is a process of its own with the lowest priority (`app.aside`): its interpreter is nobody's who
clicks. It is told one view after the other, and waits while a question of a person is being computed.
"""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import streamlit as st

from analytics.errors import AssayError
from analytics.telemetry.facts import is_large
from analytics.telemetry.listing import list_feeds
from analytics.workbench import Workbench
from app.parts import building
from app.parts.answers import KEPT_BYTES, Answers
from app.parts.ask import answers
from app.parts.handed import unpacked
from app.parts.pages import GROUPS
from app.parts.workspace import workspace

MOST_BYTES = KEPT_BYTES // 2
"""The other half of the memory for answers is for what people ask."""
LOOK_SECONDS = 60.0
"""How often it is looked whether files changed."""
RESTS = 10.0
"""Between two turns, this many times as long as the last one took: logs that change all the time."""
_RANGES = (None, "30d", "7d", "all")
_WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class Look:
    """A page under a range of the scope bar (the default one where None), and split by a segment."""

    page: str
    range: str | None = None
    by: str | None = None

    def said(self, file: Path) -> bytes:
        """The line that asks for it."""
        words = {word: said for word, said in (("range", self.range), ("by", self.by)) if said is not None}
        return json.dumps({"project": str(file), "page": self.page, "words": words}).encode() + b"\n"


def looks(segments: Sequence[str] = ()) -> Iterator[Look]:
    """What is asked ahead, in this order: Monitor pages as they open, under other ranges, and Quality by segment."""
    for range_ in _RANGES:
        for page in (*GROUPS[""], *GROUPS["Monitor"]):
            yield Look(page, range_)
    for range_ in _RANGES:
        for segment in segments:
            yield Look("quality", range_, segment)


@dataclass
class _Done:
    """What was asked of one project."""

    digest: str = ""
    next: float = float("-inf")


class Ahead:
    """One thread that keeps the first answers of large logs known.

    Args:
        benches: the projects that are served.
        known: where answers are put.
        start: starts the process that runs pages.
    """

    def __init__(
        self,
        benches: Callable[[], list[Workbench]],
        known: Answers,
        start: Callable[[], subprocess.Popen[bytes]],
    ) -> None:
        self._benches = benches
        self._known = known
        self._start = start
        self._lock = Lock()
        self._wake = Event()
        self._thread: Thread | None = None
        self._done: dict[Path, _Done] = {}
        self._large: set[Path] = set()
        self._listing = 0.0

    def begin(self) -> None:
        """Go on until the process ends; once."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._go_on, name="assay-ahead", daemon=True)
                self._thread.start()

    def again(self) -> None:
        """All was forgotten, as after a build: ask anew."""
        with self._lock:
            for done in self._done.values():
                done.digest, done.next = "", float("-inf")
        self._wake.set()

    def look(self) -> None:
        """Ask what is not known of every large project whose files changed since the last time."""
        for bench in self._benches():
            _apart(self._look_at, bench)

    def _look_at(self, bench: Workbench) -> None:
        with suppress(AssayError):  # the page says what is wrong with its logs
            if self._is_large(bench) and building.is_worth_it(bench) and not building.keep_up(bench):
                self._keep_known(bench)

    def _keep_known(self, bench: Workbench) -> None:
        digest, start = bench.digest, time.monotonic()
        with self._lock:
            done = self._done.setdefault(bench.project.file, _Done())
            if done.digest == digest or start < done.next:
                return
        built = bench.built()
        if built is None or built.missing:
            return  # from the rows it would take too long for what nobody may ask; somebody may build it meanwhile
        done.digest = digest
        self.ask(bench)
        with self._lock:
            done.next = time.monotonic() + RESTS * (time.monotonic() - start)

    def ask(self, bench: Workbench) -> int:
        """Have every look answered that fits into memory.

        Args:
            bench: the open project.

        Returns:
            How many answers were put into memory.
        """
        file, digest, n_put, n_bytes = bench.project.file, bench.digest, 0, 0
        # where it cannot be started, or ends, pages ask for themselves
        with suppress(OSError, EOFError, pickle.UnpicklingError), self._start() as process, _ended(process):
            for look in looks(bench.project.require_predictions().segments):
                self._yield()
                if bench.digest != digest or n_bytes >= MOST_BYTES:
                    break
                for key, answer, size in _told(process, look.said(file)):
                    if key[1] == digest and self._put(key, answer):
                        n_put, n_bytes = n_put + 1, n_bytes + size
        return n_put

    def _put(self, key: Any, answer: bytes) -> bool:
        with suppress(pickle.UnpicklingError):  # no answer as they are: pages ask for it themselves
            return self._known.put(key, unpacked(io.BytesIO(answer)))
        return False

    def _yield(self) -> None:
        while self._known.is_computing:
            time.sleep(_WAIT_SECONDS)

    def _go_on(self) -> None:
        while True:
            _apart(self._look_at_all)
            self._wake.wait(max(LOOK_SECONDS, RESTS * self._listing))
            self._wake.clear()

    def _look_at_all(self) -> None:
        with suppress(AssayError):  # no project here any more
            self.look()

    def _is_large(self, bench: Workbench) -> bool:
        """By the sizes of its files, without opening one; what is large stays so."""
        file, start = bench.project.file, time.monotonic()
        if file not in self._large and any(is_large(files) for files in list_feeds(bench.project).values()):
            self._large.add(file)
            self._listing += time.monotonic() - start
        return file in self._large


def begin() -> None:
    """Keep the first answers of the served projects known, from now on."""
    ahead().begin()


@st.cache_resource(show_spinner=False)
def ahead() -> Ahead:
    """The one of this process."""
    found = Ahead(_served, answers(), _process)
    building.when_built(found.again)
    return found


def _served() -> list[Workbench]:
    return [entry.bench for entry in workspace().entries() if entry.bench is not None]


def _apart(work: Callable[..., None], *arguments: Any) -> None:
    """Do it in a thread of its own: an error that nobody thought of ends that one, which the log tells, and no more."""
    thread = Thread(target=work, args=arguments, name="assay-ahead-turn", daemon=True)
    thread.start()
    thread.join()


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nobody waits for a page that it still runs."""
    try:
        yield
    finally:
        process.kill()


def _told(process: subprocess.Popen[bytes], line: bytes) -> list[tuple[Any, bytes, int]]:
    """What a look asked for the first time: key, answer and its bytes in memory."""
    if process.stdin is None or process.stdout is None:
        return []
    process.stdin.write(line)
    process.stdin.flush()
    found: list[tuple[Any, bytes, int]] = unpacked(process.stdout)
    return found


def _process() -> subprocess.Popen[bytes]:
    command, environment = building.aside("app.aside", niceness=19)
    return subprocess.Popen(  # noqa: S603  # this interpreter
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
