"""The numbers of a workspace for Prometheus, computed at most so often, by one thread, whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Condition, Thread

from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from analytics.alerts.said import read_said, with_said
from analytics.errors import AssayError
from analytics.project import find_projects
from analytics.scope import Scope
from analytics.workbench import Workbench
from app.exporter import families
from app.exporter.families import Sample
from app.exporter.server import EVERY_SECONDS

PATIENCE = 10.0
"""Computing takes at most a tenth of the time."""
FIRST_SECONDS = 20.0
"""How long the first visitor waits for the first numbers; the others get the last ones at once."""
WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
_OF_SERVICE = ("1h", "1d")
_OF_MODEL = "7d"

Ask = Callable[[Workbench], list[Sample]]


@dataclass(eq=False)
class Numbers(Collector):
    """Collects samples in the background; `collect` gives the last ones and never computes.

    Attributes:
        path: a project file, its folder, or a workspace.
        every: seconds between two computations at least; where one takes long, `PATIENCE` times that long.
    """

    path: Path
    every: float = EVERY_SECONDS
    _benches: dict[Path, Workbench] = field(default_factory=dict)
    _samples: list[Sample] | None = None
    _due: float = float("-inf")
    _kept: dict[Path, tuple[tuple[str, datetime], list[Sample]]] = field(default_factory=dict)
    _running: bool = False
    _changed: Condition = field(default_factory=Condition)

    def collect(self) -> Iterable[Metric]:
        """The last numbers; asks for new ones where they are old, and waits only where there are none yet."""
        with self._changed:
            if not self._running and time.monotonic() >= self._due:
                self._running = True
                Thread(target=self._refresh, name="assay-metrics", daemon=True).start()
            if self._samples is None:
                self._changed.wait(FIRST_SECONDS)
            return families.as_metrics(self._samples or [])

    def describe(self) -> Iterable[Metric]:
        """Nothing: to be registered is no reason to compute."""
        return []

    def _refresh(self) -> None:
        began = time.monotonic()
        found: list[Sample] | None = None
        try:
            found = [
                *self.compute(),
                Sample("assay_computed_timestamp_seconds", (), datetime.now(UTC).timestamp()),
                Sample("assay_computing_seconds", (), time.monotonic() - began),
            ]
        finally:
            with self._changed:
                self._samples = found if found is not None else self._samples
                self._running = False
                self._due = began + max(self.every, PATIENCE * (time.monotonic() - began))
                self._changed.notify_all()

    def compute(self) -> list[Sample]:
        """The numbers of every project now; one that cannot be opened is down, and the others go on."""
        found: list[Sample] = []
        try:
            files = find_projects(self.path)
        except AssayError:
            return found
        for file in files:
            try:
                if file not in self._benches:
                    self._benches[file] = Workbench(file)
                found += self._of_project(file, self._benches[file])
            except AssayError:
                found.append(Sample("assay_project_up", (file.parent.name[: families.MOST_LETTERS],), 0.0))
        return found

    def _of_project(self, file: Path, bench: Workbench) -> list[Sample]:
        """The numbers of one project: the last ones where neither its logs nor the instant has moved."""
        key = (bench.digest, bench.now())
        if file not in self._kept or self._kept[file][0] != key:
            self._kept[file] = key, project_samples(bench)
        return self._kept[file][1]


def project_samples(bench: Workbench) -> list[Sample]:
    """Everything that one project tells; a question it cannot answer leaves a gap, and the project is not up.

    Raises:
        AssayError: the project cannot be opened at all.
    """
    name, whole = bench.project.name, True
    samples: list[Sample] = []
    _ = bench.catalog
    for ask in _questions(bench):
        try:
            samples += ask(bench)
        except AssayError:
            whole = False
    up = Sample("assay_project_up", (name[: families.MOST_LETTERS],), float(whole))
    return [up, *families.bounded(name, samples)]


def _questions(bench: Workbench) -> list[Ask]:
    """What the project declares, states of alerts first: where samples must be left out, these stay."""
    project = bench.project
    asked: list[Ask] = []
    if project.alerts:
        asked.append(_alerts)
    if project.predictions is not None:
        asked += [_freshness, _objectives] if project.objectives else [_freshness]
        asked += [_service, _quality, _labels] if bench.catalog.has_labels else [_service, _quality]
        asked += [_drift] if project.reference is not None else []
    if project.assertions:
        asked.append(_assertions)
    if project.metrics:
        asked.append(_outcomes)
    return asked


def _window(bench: Workbench, name: str) -> Scope:
    """The window before now, on whole minutes."""
    now = bench.now()
    return Scope(start=now - WINDOWS[name], end=now)


def _live(bench: Workbench, name: str) -> Scope:
    """The same, of the versions that answered in it: others have nothing to tell."""
    scope = _window(bench, name)
    there = {row.version for row in bench.service(scope) if row.n and row.version is not None}
    return replace(scope, versions=tuple(version for version in bench.catalog.versions if version in there))


def _alerts(bench: Workbench) -> list[Sample]:
    rows = with_said(bench.check(), read_said(bench.store, bench.project.name))
    return families.alerts(bench.project.name, rows)


def _freshness(bench: Workbench) -> list[Sample]:
    catalog = bench.catalog
    newest = {"predictions": catalog.extent[1] if catalog.extent is not None else None}
    if catalog.has_label_feed:
        newest["labels"] = catalog.newest_label
    return families.freshness(bench.project.name, newest, bench.now())


def _service(bench: Workbench) -> list[Sample]:
    return [
        sample
        for name in _OF_SERVICE
        for sample in families.service(bench.project.name, bench.service(_window(bench, name)), name)
    ]


def _quality(bench: Workbench) -> list[Sample]:
    return families.quality(bench.project.name, bench.quality(_live(bench, _OF_MODEL)), _OF_MODEL)


def _labels(bench: Workbench) -> list[Sample]:
    return families.labels(bench.project.name, bench.labels(_live(bench, _OF_MODEL)), _OF_MODEL)


def _drift(bench: Workbench) -> list[Sample]:
    return families.drift(bench.project.name, bench.drift(_live(bench, _OF_MODEL)), _OF_MODEL)


def _objectives(bench: Workbench) -> list[Sample]:
    return families.objectives(bench.project.name, bench.objectives())


def _assertions(bench: Workbench) -> list[Sample]:
    return families.assertions(bench.project.name, bench.assertions(_window(bench, "1d")), "1d")


def _outcomes(bench: Workbench) -> list[Sample]:
    return families.outcomes(bench.project.name, bench.metrics(_window(bench, _OF_MODEL)), _OF_MODEL)


def registry(path: Path, every: float = EVERY_SECONDS) -> CollectorRegistry:
    """A registry with the numbers of a workspace and nothing else (no figures of the process)."""
    found = CollectorRegistry(auto_describe=False)
    found.register(Numbers(path, every))
    return found
