"""Stored aggregates of large logs, brought up to date while pages go on answering."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class _State:
    """The builds of one project."""

    thread: Thread | None = None
    digest: str | None = None
    next: float = float("-inf")
    said: tuple[float, str, Built | None] = (float("-inf"), "", None)


@dataclass
class Builds:
    """What is being built, by project file; one build of each at a time."""

    run: Callable[[Path], bool]
    lock: Lock = field(default_factory=Lock)
    states: dict[Path, _State] = field(default_factory=dict)

    def keep_up(self, bench: Workbench, then: Callable[[], None]) -> bool:
        """Begin a build where there is something to build; whether one is going on.

        Args:
            bench: the open project.
            then: called from the build's thread when it is done.
        """
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
        """How far what is stored goes; looked at every few seconds."""
        digest = bench.digest
        with self.lock:
            state = self.states.setdefault(bench.project.file, _State())
            at, of, found = state.said
            if of == digest and time.monotonic() - at < _SAID_SECONDS:
                return found
        found = bench.built()
        with self.lock:
            state.said = (time.monotonic(), digest, found)
        return found

    def _build(self, bench: Workbench, state: _State, digest: str, then: Callable[[], None]) -> None:
        start = time.monotonic()
        done = False
        try:
            done = self.run(bench.project.file)
            if done:
                bench.attach()
                then()
        finally:
            with self.lock:
                state.digest = digest if done else None
                state.next = time.monotonic() + max(PAUSE_SECONDS, 3 * (time.monotonic() - start))
                state.said = (float("-inf"), "", None)


def run_aside(file: Path) -> bool:
    """`assay aggregate` in a process of its own, which yields to the others; whether it came to its end.

    Its memory is given back when it is done, and no page waits for its share of this interpreter. A second process
    that builds the same shares the work, whoever started it.
    """
    command = [sys.executable, "-m", "app", "aggregate", str(file)]
    if (nice := shutil.which("nice")) is not None:
        command = [nice, "-n", "10", *command]
    paths = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter, and a path that was found
            command,
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:  # no process can be started: pages go on reading the rows
        return False
    return done.returncode == 0


def is_worth_it(bench: Workbench) -> bool:
    """Whether the logs are so large that pages should not read them, and this machine is who builds."""
    catalog = bench.catalog
    known = catalog.known("predictions") if catalog.has_predictions else None
    return known is not None and known.n > LARGE_ROWS and not is_spark(engine_of(bench.project))


@st.cache_resource(show_spinner=False)
def _builds() -> Builds:
    return Builds(run_aside)


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
    if built is None:
        return words.BEING_BUILT if keep_up(bench) else None
    at = built.at.astimezone(bench.project.zone)
    today = (
        built.at.astimezone(bench.project.zone).date() == bench.now().astimezone(bench.project.zone).date()
    )
    when = f"{at:%H:%M}" if today else f"{day(at)}, {at:%H:%M}"
    said = words.BUILT.format(rows=count(built.rows), when=when)
    if built.missing:
        missing = words.DAYS_MISSING if built.missing > 1 else words.DAY_MISSING
        said += missing.format(days=built.missing)
    return said
