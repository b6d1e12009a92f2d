"""The logs of one project, listed anew as they change; what every question is asked of."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock, Thread
from typing import Any, Self, TypeVar, cast

from analytics.aggregates.stored_days import attach, open_catalog
from analytics.ask.subsets import Subsets
from analytics.errors import (
    AssayError,
    FileVanishedError,
    ProjectError,
    RemoteError,
    StoreError,
    TelemetryError,
)
from analytics.project import Project, read_project
from analytics.results import Results
from analytics.scope import Scope
from analytics.store import Store, open_store
from analytics.telemetry.broken import broken_files
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.files import digest
from analytics.telemetry.listing import list_feeds

LOOK_EVERY_SECONDS = 10.0
Answer = TypeVar("Answer")


class OpenLogs:
    """One project with its logs open.

    The logs are listed anew at most every ten seconds; when a file was added, changed or removed, the views are rebuilt
    before the next answer. Large logs are listed and opened by a thread, and answers meanwhile are those of the listing
    before. Safe to share between threads.

    Args:
        file: the project file, or its folder.
        store: where decisions are kept, instead of what the environment says.
    """

    def __init__(self, file: Path | str, store: Store | None = None) -> None:
        self._file = Path(file)
        self._store = store
        self._lock = RLock()
        self._catalog: Catalog | None = None
        self._looked = 0.0
        self._looking: Thread | None = None
        self._subsets: Subsets | None = None
        self.project: Project = read_project(self._file)

    @property
    def catalog(self) -> Catalog:
        """The views over the files as they are now."""
        known = self._catalog
        # a page asks dozens of times: nobody queues for the lock while there is nothing to look at
        if known is not None and time.monotonic() - self._looked <= LOOK_EVERY_SECONDS:
            return known
        with self._lock:
            due = time.monotonic() - self._looked > LOOK_EVERY_SECONDS
            if self._catalog is not None and due and self._catalog.is_large:
                self._look_aside(self._catalog)
            elif self._catalog is None or (due and self._changed()):
                self._open()
            if self._catalog is None:
                raise ProjectError(f"{self._file}: cannot be opened")
            return self._catalog

    @property
    def digest(self) -> str:
        """Changes when the project file or a log file does: the part of a cache key that stands for the data."""
        return self.catalog.digest

    def scope(self, *, where: Iterable[str] = (), versions: Iterable[str] = (), **words: Any) -> Scope:
        """A scope from the words of a URL or a command line: start, end, grain, as_of, by, confidence."""
        known = self.catalog.features if where and self.catalog.has_predictions else ()
        features = [feature.name for feature in known]
        words.setdefault("now", self.now())
        return Scope.parse(self.project, where=where, versions=versions, features=features, **words)

    def now(self) -> datetime:
        """The present, to the minute; of finished logs (``clock = "logs"``) the minute after their last instant."""
        last = self.catalog.last_logged if self.project.clock == "logs" else None
        if last is None:
            return datetime.now(UTC).replace(second=0, microsecond=0)
        return last.replace(second=0, microsecond=0) + timedelta(minutes=1)

    @property
    def store(self) -> Store:
        """Where decisions are kept: what ``ASSAY_STORE`` names, else the user's own file."""
        return open_store() if self._store is None else self._store

    def attach(self) -> None:
        """Answer from what was stored meanwhile, by whomever."""
        before = self._catalog
        if before is None:
            return
        opened = open_catalog(read_project(self._file))
        with self._lock:
            if self._catalog is before:
                self._catalog, self.project, self._looked = opened, opened.project, time.monotonic()

    @property
    def subsets(self) -> Subsets:
        """A sample of the logs as they are now, and the rows that pass filters, held in memory once asked for."""
        catalog = self.catalog
        with self._lock:
            if self._subsets is None or self._subsets.whole is not catalog:
                self._subsets = Subsets(catalog)
            return self._subsets

    def over(self, catalog: Catalog) -> Self:
        """The same questions, asked of some of the rows (see `subsets`)."""
        part = copy.copy(self)
        part._catalog, part._looked = catalog, math.inf  # noqa: SLF001  # a copy of this one
        return part

    def close(self) -> None:
        """Close the engine."""
        with self._lock:
            self._subsets = None
            if self._catalog is not None:
                self._catalog.close()
                self._catalog = None

    def _ask(self, question: Callable[[Catalog], Answer]) -> Answer:
        try:
            catalog = self.catalog
        except FileVanishedError:
            self._reopen({})
            catalog = self.catalog
        try:
            return _with_cluster(catalog, question(catalog))
        except FileVanishedError:
            # a file was rotated away while it was read: look again, once
            self._reopen({})
        except TelemetryError:
            # a page inside a file may be damaged although its head was fine: go on without that file, and say so
            broken = broken_files(catalog.engine, catalog.feeds)
            if not broken:
                raise
            self._reopen(broken)
        return question(self.catalog)

    def _reopen(self, left_out: Mapping[Path, str]) -> None:
        with self._lock:
            self._open(left_out)

    def _open(self, left_out: Mapping[Path, str] | None = None) -> None:
        self.project = read_project(self._file)
        # the catalog before may still be answering another thread; it is closed when nobody holds it any more
        self._catalog = open_catalog(self.project, left_out)
        self._looked = time.monotonic()

    def _changed(self) -> bool:
        self._looked = time.monotonic()
        try:
            return self._catalog is None or self._differs(self._catalog)
        except RemoteError:
            return False  # a bucket that does not answer now: the listing before still does

    def _differs(self, catalog: Catalog) -> bool:
        """Whether the files are no longer those that a catalog listed."""
        if catalog.parts is None:
            with suppress(StoreError):  # a place that does not answer now is asked again later
                attach(catalog)  # another process, or a thread, may have built some since
        project = read_project(self._file)
        listed = list_feeds(project)
        return "-".join((project.digest, *(digest(files) for files in listed.values()))) != catalog.digest

    def _look_aside(self, catalog: Catalog) -> None:
        """Let a thread list the files and open them if they changed; one at a time."""
        if self._looking is not None and self._looking.is_alive():
            return
        self._looking = Thread(target=self._renew, args=(catalog,), name="assay-look", daemon=True)
        self._looking.start()

    def _renew(self, catalog: Catalog) -> None:
        try:
            opened = open_catalog(read_project(self._file)) if self._differs(catalog) else catalog
        except RemoteError:
            opened = catalog  # a bucket that does not answer says nothing about its logs: ask again later
        except AssayError:
            opened = None  # the next question opens them itself, and says what is wrong
        with self._lock:
            # what was opened or closed by others meanwhile is newer
            if self._catalog is not catalog:
                return
            self._looked = time.monotonic()
            if opened is not catalog:
                self._catalog = opened
                self.project = self.project if opened is None else opened.project


def _with_cluster(catalog: Catalog, answer: Answer) -> Answer:
    """An answer that says so where a cluster was asked for it, and how long that took."""
    said = catalog.live.said() if catalog.live is not None else None
    if said is None or not isinstance(answer, Results):
        return answer
    return cast("Answer", replace(answer, notes=(*answer.notes, said)))
