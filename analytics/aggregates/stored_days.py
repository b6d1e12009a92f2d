"""The stored parts of one project as its files are now: what `Catalog.parts` is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from analytics.aggregates.day_facts import (
    Facts,
    is_current,
    keyed_files,
    midnight,
    unknown_files,
    update_facts,
)
from analytics.aggregates.remote_shelf import RemoteShelf
from analytics.aggregates.shelf import FolderShelf, Shelf
from analytics.aggregates.store import DAMAGED, PartStore, parquet_bytes, read_parquet, store_in
from analytics.errors import QueryTimeoutError, StoreError
from analytics.places.remote import is_remote, remote_path
from analytics.project import Project
from analytics.project.aggregates import PATH, own_folder
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.cluster import live_cluster
from analytics.telemetry.parts import WHOLE, Definition, Stored

SMALL_FILES = 40
SMALL_BYTES = 80_000_000
"""So many new files are looked at when a page asks; more wait for the next build, and pages read the rows till then."""


@dataclass(frozen=True)
class Built:
    """How far stored aggregates go, for people.

    Attributes:
        at: when the last of them was written.
        rows: predictions of the days that have them.
        days: how many days have them.
        missing: days with rows that have none, or only outdated ones.
    """

    at: datetime
    rows: int
    days: int
    missing: int


class ProjectParts:
    """Answers from a store for the files that a catalog lists.

    Args:
        catalog: the project's views; asked only when files are new.
        store: where parts are.
    """

    def __init__(self, catalog: Catalog, store: PartStore) -> None:
        self.store = store
        self._catalog = catalog
        self._facts: Facts | None = None
        self._looked = False
        self._guard = threading.Lock()

    def read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None = None) -> Stored:
        """The parts of some local days that were made from the files as they are now.

        Args:
            definition: the aggregate.
            days: naive midnights; `WHOLE` is the day of the reference.
            as_of: leave out days of whose rows or labels something became known only after then.
        """
        try:
            return self._read(definition, days, as_of)
        except StoreError:  # a bucket that does not answer: the rows do
            return Stored(None, frozenset())

    def _read(self, definition: Definition, days: Sequence[datetime], as_of: datetime | None) -> Stored:
        facts = self.facts
        if facts is None:
            return Stored(None, frozenset())
        if definition.source == "reference":
            return self.store.read(
                definition.key, {WHOLE: self.reference_state(labelled=definition.labelled)}
            )
        wanted: dict[datetime, str] = {}
        empty: set[datetime] = set()
        for moment in days:
            day = moment.date()
            if not facts.files(day):
                empty.add(moment)
            elif as_of is None or facts.newest(day, labelled=definition.labelled) <= as_of:
                wanted[moment] = facts.state(day, labelled=definition.labelled)
        found = self.store.read(definition.key, wanted)
        return Stored(found.table, found.days | empty)

    def reference_state(self, *, labelled: bool) -> str:
        """Changes with the files that the reference is made of (and with those of its labels)."""
        facts = self.facts or Facts()
        reference = self._catalog.project.reference
        if "reference" in self._catalog.feeds:
            keys = sorted(keyed_files(self._catalog, "reference"))
            if labelled:
                keys += ["labels", *sorted(key for key, file in facts.labels.items() if file.reference)]
        elif reference is not None and reference.start is not None and reference.end is not None:
            project = self._catalog.project
            first, last = (
                project.instant(moment).astimezone(project.zone).date()
                for moment in (reference.start, reference.end)
            )
            keys = [project.instant(moment).isoformat() for moment in (reference.start, reference.end)]
            keys += [facts.state(day, labelled=labelled) for day in facts.days if first <= day <= last]
        else:
            keys = []
        return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]

    def reference_labels(self) -> list[str] | None:
        """The label files with reports about rows of the reference; None where that is not known file by file."""
        facts = self.facts
        if facts is None or "reference" not in self._catalog.feeds:
            return None
        files = keyed_files(self._catalog, "labels")
        return [str(files[key].path) for key, file in facts.labels.items() if file.reference]

    def orphans(self, known_at: datetime) -> int | None:
        """Label reports up to an instant about no row that there is; None where that is not known file by file.

        Args:
            known_at: files with later reports are not known so.
        """
        facts, found = self.facts, self.orphans_by_file()
        if facts is None or found is None:
            return None
        if any(facts.newest(day, labelled=True) > known_at for day in facts.days):
            return None
        return sum(found.values())

    def orphans_by_file(self) -> Mapping[str, int] | None:
        """Label reports about no row that there is, by the path of their file; None where that is not known."""
        facts = self.facts
        if facts is None or facts.mixed:
            return None
        if any(file.missing and file.reference and file.days for file in facts.labels.values()):
            return None  # rows of the reference may be rows of the predictions as well
        files = keyed_files(self._catalog, "labels")
        return {
            str(files[key].path): max(file.missing - file.reference, 0) for key, file in facts.labels.items()
        }

    # ---------------------------------------------------------------- what is known of the files

    @property
    def facts(self) -> Facts | None:
        """What is known of the files there are; None where too much is new to be looked at while a page waits."""
        with self._guard:
            if not self._looked:
                self._looked = True
                with suppress(StoreError, QueryTimeoutError):  # the rows answer instead, until a build looked
                    self._facts = self._looked_at()
            return self._facts

    def _looked_at(self) -> Facts | None:
        known = self._stored_facts()
        fresh = unknown_files(self._catalog, known)
        small = len(fresh) <= SMALL_FILES and sum(file.size for file in fresh) <= SMALL_BYTES
        if is_current(self._catalog, known) or (small and self._catalog.has_predictions):
            return self._updated(known)
        return None

    def refresh(self) -> Facts:
        """Look at every new or changed file, however many there are."""
        with self._guard:
            if self._facts is None:
                self._facts = self._updated(self._stored_facts())
                self._looked = True
            return self._facts

    def missing(self, definition: Definition, days: Iterable[date]) -> list[date]:
        """Of some days those whose part is missing or outdated."""
        facts = self.facts or Facts()
        wanted = {midnight(day): facts.state(day, labelled=definition.labelled) for day in days}
        return [moment.date() for moment in self.store.lacking(definition.key, wanted)]

    def built(self, definitions: Iterable[Definition]) -> Built | None:
        """How far the parts of some aggregates go; None where there are none.

        Args:
            definitions: those that pages read.
        """
        facts = self.facts or Facts()
        mine = [one for one in definitions if one.source == "predictions" and one.grain == "day"]
        missing = {day for one in mine for day in self.missing(one, facts.days)}
        there = [day for day in facts.days if day not in missing]
        at = self.store.written([one.key for one in mine])
        if at is None or not there:
            return None
        rows = sum(facts.rows(day) for day in there)
        return Built(datetime.fromtimestamp(at, UTC), rows, len(there), len(missing))

    def _updated(self, known: Facts) -> Facts:
        if is_current(self._catalog, known):
            return known
        facts = update_facts(self._catalog, known)
        try:
            self._keep(facts)
        except StoreError:  # a place that can only be read: looked at anew by the next process
            return facts
        return facts

    def _stored_facts(self) -> Facts:
        for file in reversed(self.store.shelf.listed(self._folder)):
            try:
                return Facts.from_table(read_parquet(self.store.shelf.read(file.name)))
            except DAMAGED as error:
                self.store.damaged[file.name] = str(error)
        return Facts()

    def _keep(self, facts: Facts) -> None:
        old = self.store.shelf.listed(self._folder)
        name = f"{self._folder}/{time.time_ns():020d}-{secrets.token_hex(4)}.parquet"
        self.store.shelf.write(name, parquet_bytes(facts.as_table()))
        # the last but one stays for whoever is about to read it
        for file in old[:-1]:
            self.store.shelf.remove(file.name)

    @property
    def _folder(self) -> str:
        """Facts depend on what a row, its day and its id are."""
        project = self._catalog.project
        section = project.require_predictions()
        roles = {"id", "timestamp", "received", "split", "label", "label_timestamp"}
        meaning = [
            section.model_dump(mode="json", include=roles),
            project.labels.model_dump(mode="json", exclude={"path"}) if project.labels is not None else None,
            project.time_zone,
            sorted(str(path) for path in self._catalog.left_out),
        ]
        return f"facts/{hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]}"


def shelf_of(project: Project) -> Shelf:
    """Where the aggregates of a project lie: a folder of its own below the one that is named."""
    folder = project.folder.resolve()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name)[:40]
    own = f"{name}-{hashlib.sha256(str(project.file.resolve()).encode()).hexdigest()[:10]}"
    # two models may lie in folders of one name, and their files may be called, and be as large, alike
    shared = f"{name}-{hashlib.sha256(project.name.encode()).hexdigest()[:6]}"
    by_environment = os.environ.get(PATH)
    named = project.aggregates.folder()
    if named and is_remote(named):
        # one place for every machine that has this project, wherever its folder lies there
        return RemoteShelf(remote_path(named) / shared)
    if by_environment:
        return FolderShelf(Path(by_environment).expanduser().resolve() / own)
    if project.aggregates.path is None:
        return FolderShelf(own_folder("aggregates") / own)
    # relative to the project file, as every other path in it; the same for everybody who has this file, wherever
    return FolderShelf(folder / Path(project.aggregates.path).expanduser() / shared)


def store_of(project: Project) -> PartStore:
    """The store of a project; nothing is written before something is built."""
    return store_in(shelf_of(project))


def attach(catalog: Catalog) -> ProjectParts | None:
    """Let a catalog answer from stored parts, where something was stored.

    Args:
        catalog: the project's views.

    Raises:
        StoreError: the place cannot be looked at.
    """
    if not catalog.has_predictions or not store_of(catalog.project).exists:
        return None
    return attached(catalog)


def attached(catalog: Catalog) -> ProjectParts:
    """Let a catalog answer from stored parts, also where nothing was stored yet."""
    parts = ProjectParts(catalog, store_of(catalog.project))
    catalog.parts = parts
    return parts


def open_catalog(project: Project, left_out: Mapping[Path, str] | None = None) -> Catalog:
    """Open the logs of a project, with what is stored of them where something is.

    Args:
        project: the project.
        left_out: as for `Catalog`.
    """
    if project.predictions is None:
        return Catalog(project, left_out=dict(left_out or {}))
    store: PartStore | None = store_of(project)
    try:
        store = store if store is not None and store.exists else None
    except StoreError:  # a store that cannot be looked at is no reason to answer nothing
        store = None
    catalog = Catalog(project, left_out=dict(left_out or {}), memory=store)
    if store is not None:
        attached(catalog)
    catalog.live = live_cluster(catalog)
    return catalog
