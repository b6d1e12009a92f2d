"""The projects of the folder that is served, each opened once a process."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import streamlit as st

from analytics.errors import AssayError
from analytics.project import find_projects
from analytics.workbench import Workbench
from analytics.workbench.open_logs import LOOK_EVERY_SECONDS
from app import locations


@dataclass(frozen=True)
class Entry:
    """One project of the workspace: open, or why it cannot be opened.

    Attributes:
        name: its name in links; the folder is added where two projects share a name.
    """

    name: str
    file: Path
    bench: Workbench | None
    problem: AssayError | None = None


class Workspace:
    """Every project below a path; found anew at most every ten seconds, and those that failed tried again.

    Args:
        path: a project file, its folder, or a workspace.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._benches: dict[Path, Workbench] = {}
        self._entries: tuple[Entry, ...] = ()
        self._looked = float("-inf")

    def entries(self) -> tuple[Entry, ...]:
        """The projects in the order of their files.

        Raises:
            ProjectError: there is no project at all.
        """
        with self._lock:
            if time.monotonic() - self._looked > LOOK_EVERY_SECONDS:
                self._entries = self._find()
                self._looked = time.monotonic()
            return self._entries

    def _find(self) -> tuple[Entry, ...]:
        found = [self._open(file) for file in find_projects(self._path)]
        shared = Counter(entry.name for entry in found)
        return tuple(
            Entry(f"{e.name} ({e.file.parent.name})", e.file, e.bench, e.problem) if shared[e.name] > 1 else e
            for e in found
        )

    def _open(self, file: Path) -> Entry:
        if file not in self._benches:
            try:
                self._benches[file] = Workbench(file)
            except AssayError as problem:
                return Entry(file.parent.name, file, None, problem)
        bench = self._benches[file]
        return Entry(bench.project.name, file, bench)


@st.cache_resource(show_spinner=False, max_entries=8)
def _workspace(path: str) -> Workspace:
    return Workspace(Path(path))


def workspace() -> Workspace:
    """The workspace this server shows."""
    return _workspace(str(locations.project().resolve()))
