"""Stored aggregates of large logs, brought up to date while pages go on answering."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, Thread

import streamlit as st

from analytics.aggregates.stored_days import Built
from analytics.engines.spark import is_spark
from analytics.errors import AssayError
from analytics.telemetry.cluster import engine_of
from analytics.workbench import Workbench
from app.formats import count, day
from app.parts import words
from app.parts.ask import answers

LARGE_ROWS = 1_000_000
"""Smaller logs are read whenever something is asked."""
PAUSE_SECONDS = 60.0
"""Between two builds at least, and three times as long as the last one took: logs that grow all the time."""
_SAID_SECONDS = 10.0
_LONGEST_PROBLEM = 300
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class _State:
    """The builds of one project."""

    thread: Thread | None = None
    digest: str | None = None
    next: float = float("-inf")
    said: tuple[float, str, Built | None] = (float("-inf"), "", None)
    problem: str | None = None
    """Why the last one failed."""


@dataclass
class Builds:
    """What is being built, by project file; one build of each at a time.

    Attributes:
        run: builds, and says why it could not; None where it came to its end.
    """

    run: Callable[[Path], str | None]
    left_alone: bool = False
    """Whether building is somebody else's business."""
    then: Callable[[], None] | None = None
    """Called besides, when one is done."""
    lock: Lock = field(default_factory=Lock)
    states: dict[Path, _State] = field(default_factory=dict)

    def keep_up(self, bench: Workbench, then: Callable[[], None]) -> bool:
        """Begin a build where there is something to build; whether one is going on.

        Args:
            bench: the open project.
            then: called from the build's thread when it is done.
        """
        if self.left_alone:
            return False
        digest = bench.digest
        with self.lock:
            state = self.states.setdefault(bench.project.file, _State())
            if state.thread is not None and state.thread.is_alive():
                return True
            if state.digest == digest or time.monotonic() < state.next or not is_worth_it(bench):
                return False
            state.thread = Thread(
                target=self._build, args=(bench, state, digest, then), name="assay-build", daemon=True
            )
            state.thread.start()
            return True

    def built(self, bench: Workbench) -> Built | None:
        """How far what is stored goes.

        Where all of it is there it stays so until a file changes. Else it is looked at every few seconds by one who
        asks; the others are told what was found before, instead of all looking at once.
        """
        digest = bench.digest
        with self.lock:
            state = self.states.setdefault(bench.project.file, _State())
            at, of, found = state.said
            whole = found is not None and not found.missing
            if of == digest and (whole or time.monotonic() - at < _SAID_SECONDS):
                return found
            if of == digest:
                state.said = (time.monotonic(), digest, found)
        found = bench.built()
        with self.lock:
            state.said = (time.monotonic(), digest, found)
        return found

    def problem(self, bench: Workbench) -> tuple[str, float] | None:
        """Why the last build failed, and in how many seconds it is tried again; None where it did not fail."""
        with self.lock:
            state = self.states.get(bench.project.file)
            if state is None or state.problem is None:
                return None
            return state.problem, max(state.next - time.monotonic(), 0.0)

    def _build(self, bench: Workbench, state: _State, digest: str, then: Callable[[], None]) -> None:
        start = time.monotonic()
        problem: str | None = words.BUILD_STOPPED
        try:
            problem = self.run(bench.project.file)
            if problem is None:
                bench.attach()
                then()
                if self.then is not None:
                    self.then()
        except AssayError as error:  # logs that cannot be opened any more
            problem = str(error)
        finally:
            with self.lock:
                state.problem = problem
                state.digest = digest if problem is None else None
                state.next = time.monotonic() + max(PAUSE_SECONDS, 3 * (time.monotonic() - start))
                state.said = (float("-inf"), "", None)


def run_aside(file: Path) -> str | None:
    """`assay aggregate` in a process of its own, which yields to the others; why it failed, None where it did not.

    Its memory is given back when it is done, and no page waits for its share of this interpreter. A second process
    that builds the same shares the work, whoever started it.
    """
    command, environment = aside("app", "aggregate", str(file), niceness=10)
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter, and a path that was found
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:  # no process can be started: pages go on reading the rows
        return str(error)
    return None if done.returncode == 0 else why_ended(done.returncode, done.stderr)


def aside(module: str, *arguments: str, niceness: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a process of this interpreter that yields to the others.

    Args:
        module: of Assay; another one of its name where the server was started is none of it.
        arguments: of the module.
        niceness: 19 yields to everybody.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    if (nice := shutil.which("nice")) is not None:
        command = [nice, "-n", str(niceness), *command]
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return command, os.environ | {"PYTHONPATH": paths}


def why_ended(code: int, told: bytes) -> str:
    r"""The last line that a process told before it failed, or how it ended where it told nothing.

    >>> why_ended(2, b"looking\nassay: no space left\n")
    'no space left'
    >>> why_ended(-9, b"")
    'it was ended by signal 9'
    """
    lines = told.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if last:
        return last.removeprefix("assay: ")[:_LONGEST_PROBLEM]
    return words.BUILD_KILLED.format(signal=-code) if code < 0 else words.BUILD_CODE.format(code=code)


def is_worth_it(bench: Workbench) -> bool:
    """Whether the logs are so large that pages should not read them, and this machine is who builds."""
    catalog = bench.catalog
    known = catalog.known("predictions") if catalog.has_predictions else None
    return known is not None and known.n > LARGE_ROWS and not is_spark(engine_of(bench.project))


@st.cache_resource(show_spinner=False)
def _builds() -> Builds:
    return Builds(run_aside)


def leave_alone() -> None:
    """Build nothing in this process: it was started by one that does."""
    _builds().left_alone = True


def when_built(then: Callable[[], None]) -> None:
    """Call something besides whenever a build is done."""
    _builds().then = then


def keep_up(bench: Workbench) -> bool:
    """Begin to build what is missing of large logs; whether a build is going on."""
    try:
        return _builds().keep_up(bench, answers().clear)
    except AssayError:  # logs that cannot be opened: the page says so
        return False


def built_sentence(bench: Workbench) -> str | None:
    """What the page's answers were added up from.

    Args:
        bench: the open project.

    Returns:
        Words for the page's caption; None where pages read the rows and need not do otherwise.
    """
    try:
        built = _builds().built(bench)
    except AssayError:  # a store that cannot be looked at; answers come from the rows
        return None
    failed = _failed(bench)
    if built is None:
        return words.BEING_BUILT if keep_up(bench) else failed
    at = built.at.astimezone(bench.project.zone)
    today = (
        built.at.astimezone(bench.project.zone).date() == bench.now().astimezone(bench.project.zone).date()
    )
    when = f"{at:%H:%M}" if today else f"{day(at)}, {at:%H:%M}"
    said = words.BUILT.format(rows=count(built.rows), when=when)
    if built.missing:
        missing = words.DAYS_MISSING if built.missing > 1 else words.DAY_MISSING
        said += missing.format(days=built.missing)
    return said if failed is None else f"{said} · {failed}"


def _failed(bench: Workbench) -> str | None:
    """Why the last build failed, and when the next one is due."""
    found = _builds().problem(bench)
    if found is None:
        return None
    problem, seconds = found
    again = datetime.now(UTC).astimezone(bench.project.zone) + timedelta(seconds=seconds)
    return words.BUILD_FAILED.format(problem=problem.rstrip("."), when=f"{again:%H:%M}")
