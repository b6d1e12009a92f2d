"""Stored parts: what an aggregate is of each day, as Parquet files that manifests name.

On the shelf lie

``manifests/<time>-<random>.json``             what was written together: files, and for each its days and their states
``parts/<definition>/<month>-<random>.parquet`` parts of some days of a month, one after the other
``kept/<key>.parquet``                         answers that do not add (see `PartStore.recall`)

Nothing is ever changed in place. A manifest is written after the files it names, so whoever is killed leaves files that
nobody names; several writers at once each leave manifests of their own, and what counts is all of them together. A part
is used only where its state is the one asked for, so whichever of two writers comes last, no answer is ever wrong.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.aggregates.shelf import FolderShelf, Shelf
from analytics.telemetry.parts import Definition, Stored

FORMAT = 1
MOST_FILES = 6
"""Files of one definition and month; the next write makes them one."""
MOST_MANIFESTS = 24
GRACE_SECONDS = 3600.0
"""What nobody names is younger than this while somebody may be about to name it."""
UNUSED_SECONDS = 14 * 86_400.0
"""How long parts stay of definitions that no longer are among those kept up to date."""
HELD_BYTES = 192 * 2**20
"""Files that were read stay in memory up to this size."""
DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, TypeError)
"""What reading a file that is none of ours, or that was cut short, raises."""


class Part(NamedTuple):
    """What is to be stored of one day: the state of the logs it was made from, and its rows (None where no rows)."""

    state: str
    table: pa.Table | None


class Entry(NamedTuple):
    """Where a stored part lies: rows ``offset`` to ``offset + rows`` of a file."""

    file: str
    size: int
    offset: int
    rows: int
    written: float


@dataclass
class _Index:
    """All manifests together: definition -> day -> state -> entry."""

    entries: dict[str, dict[datetime, dict[str, Entry]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Definition -> what it is called."""

    def add(self, manifest: Mapping[str, Any]) -> None:
        for file in manifest["files"]:
            days = self.entries.setdefault(file["definition"], {})
            self.names[file["definition"]] = file["name"]
            offset = 0
            for day, state, rows in file["days"]:
                entry = Entry(file["file"], file["size"], offset, rows, file["written"])
                states = days.setdefault(datetime.fromisoformat(day), {})
                if state not in states or states[state].written <= entry.written:
                    states[state] = entry
                offset += rows

    def newest(self, definition: str) -> dict[datetime, tuple[str, Entry]]:
        """The part of each day that was written last."""
        return {
            day: max(states.items(), key=lambda item: item[1].written)
            for day, states in self.entries.get(definition, {}).items()
        }


class PartStore:
    """Parts by definition and day on a shelf; safe for several threads and processes.

    Args:
        shelf: where the files lie.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.damaged: dict[str, str] = {}
        """Files that could not be read, and why; their parts count as missing."""
        self._gone: set[str] = set()
        """Files that are named and that nobody finds: somebody deleted them."""
        self._guard = threading.RLock()
        self._manifests: dict[str, Mapping[str, Any]] = {}
        self._index = _Index()
        self._looked = float("-inf")
        self._tables: OrderedDict[str, pa.Table] = OrderedDict()
        self._held = 0

    # ---------------------------------------------------------------- reading

    def lacking(self, definition: str, wanted: Mapping[datetime, str]) -> list[datetime]:
        """The days of which no part of the wanted state is stored."""
        with self._guard:
            self._refresh()
            days = self._index.entries.get(definition, {})
            found = {day: days.get(day, {}).get(state) for day, state in wanted.items()}
            usable = self._usable(definition)
            return [day for day, entry in found.items() if entry is None or not usable(entry)]

    def states(self, definition: str) -> dict[datetime, frozenset[str]]:
        """The states of which parts of a definition are stored, by day."""
        with self._guard:
            self._refresh()
            usable = self._usable(definition)
            return {
                day: frozenset(state for state, entry in states.items() if usable(entry))
                for day, states in self._index.entries.get(definition, {}).items()
            }

    def read(self, definition: str, days: Mapping[datetime, str]) -> Stored:
        """Parts whose state is the one asked for.

        Args:
            definition: the key of a `Definition`.
            days: day -> the state it must have been made from.

        Returns:
            Their rows together (None where there are none), and which days these are.
        """
        found, vanished = self._read(definition, days)
        if not vanished:
            return found
        # joined with others by another process since the manifests were listed: look again, once
        found, vanished = self._read(definition, days)
        self._gone |= vanished
        return found

    def _read(self, definition: str, days: Mapping[datetime, str]) -> tuple[Stored, set[str]]:
        with self._guard:
            self._refresh()
            found = self._index.entries.get(definition, {})
            by_file: dict[str, list[tuple[Entry, datetime]]] = {}
            for day, state in days.items():
                entry = found.get(day, {}).get(state)
                if entry is not None:
                    by_file.setdefault(entry.file, []).append((entry, day))
        slices: list[pa.Table] = []
        present: list[datetime] = []
        vanished: set[str] = set()
        if self.shelf.at_once > 1 and len(by_file) > 1:
            with ThreadPoolExecutor(self.shelf.at_once) as pool:
                list(pool.map(self._table, (entries[0][0] for entries in by_file.values())))
        for entries in by_file.values():
            table = self._table(entries[0][0])
            if table is None:
                vanished |= {entries[0][0].file} - set(self.damaged)
                continue
            slices += _slices(table, sorted(entry for entry, _ in entries if entry.rows))
            present += [day for _, day in entries]
        return Stored(_concatenated(slices), frozenset(present)), vanished

    def written(self, definitions: Iterable[str]) -> float | None:
        """When the last part of some definitions was written, in seconds since 1970; None where there is none."""
        with self._guard:
            self._refresh()
            times = [
                entry.written
                for definition in definitions
                for states in self._index.entries.get(definition, {}).values()
                for entry in states.values()
            ]
        return max(times, default=None)

    def recall(self, key: str) -> pa.Table | None:
        """An answer kept under a key by `keep`; None where there is none."""
        name = f"kept/{key}.parquet"
        try:
            return read_parquet(self.shelf.read(name))
        except FileNotFoundError:
            return None
        except DAMAGED as error:
            self.damaged[name] = str(error)
            return None

    @property
    def exists(self) -> bool:
        """Whether anything was ever stored here."""
        with self._guard:
            self._refresh()
            return bool(self._manifests)

    @property
    def n_bytes(self) -> int:
        """Size of everything on the shelf."""
        folders = ["manifests", "kept", *self.shelf.folders("parts")]
        return sum(file.size for folder in folders for file in self.shelf.listed(folder))

    # ---------------------------------------------------------------- writing

    def write(self, parts: Mapping[Definition, Mapping[datetime, Part]]) -> None:
        """Store parts; all become visible together.

        Raises:
            StoreError: the shelf cannot be written to.
        """
        with self._guard:
            self._refresh(at_once=True)
        files = []
        for definition, days in parts.items():
            months: dict[str, dict[datetime, Part]] = {}
            for day, part in days.items():
                months.setdefault(f"{day:%Y-%m}", {})[day] = part
            files += [self._write_file(definition, month, some) for month, some in months.items()]
        if files:
            self._publish({"format": FORMAT, "files": files})

    def keep(self, key: str, table: pa.Table) -> None:
        """Keep an answer that does not add under a key that says all it depends on."""
        self.shelf.write(f"kept/{key}.parquet", parquet_bytes(table))

    def tidy(self, used: Iterable[str], *, now: float | None = None) -> None:
        """Join manifests and remove what is superseded, no longer used, or was left behind by a kill.

        Args:
            used: keys of the definitions that are kept up to date.
            now: instead of the present, in seconds since 1970.
        """
        present = time.time() if now is None else now
        kept = frozenset(used)
        with self._guard:
            self._refresh(at_once=True)
            old = list(self._manifests)
            living = self._living(kept, present)
            known = self._joined(living)
            if known != _shape(self._manifests.values()) or len(old) > MOST_MANIFESTS:
                self._publish({"format": FORMAT, "files": known})
                for name in old:
                    self.shelf.remove(name)
                self._refresh(at_once=True)
        named = {file["file"] for manifest in self._manifests.values() for file in manifest["files"]}
        for folder in self.shelf.folders("parts"):
            self._sweep(folder, named, present - GRACE_SECONDS)
        self._sweep("kept", frozenset(), present - UNUSED_SECONDS)
        if isinstance(self.shelf, FolderShelf):
            for folder in ("manifests", "kept", *self.shelf.folders("parts")):
                for file in self.shelf.unfinished(folder):
                    if file.written < present - GRACE_SECONDS:
                        self.shelf.remove(file.name)

    def forget(self) -> None:
        """Remove every part and manifest, so that all is built anew."""
        with self._guard:
            self._refresh(at_once=True)
            for name in self._manifests:
                self.shelf.remove(name)
            self._refresh(at_once=True)
            self.damaged.clear()
        for folder in ("kept", "facts", *self.shelf.folders("facts"), *self.shelf.folders("parts")):
            self._sweep(folder, frozenset(), float("inf"))

    # ---------------------------------------------------------------- inside

    def _usable(self, definition: str) -> Callable[[Entry], bool]:
        """Whether a part's file can be read; whether it is there is looked at where that costs no request."""
        there = None
        if isinstance(self.shelf, FolderShelf):
            there = frozenset(file.name for file in self.shelf.listed(f"parts/{definition}"))

        def usable(entry: Entry) -> bool:
            known = entry.file not in self.damaged and entry.file not in self._gone
            return known and (there is None or entry.file in there)

        return usable

    def _sweep(self, folder: str, named: Iterable[str], before: float) -> None:
        spared = frozenset(named)
        for file in self.shelf.listed(folder):
            if file.name not in spared and file.written < before:
                self.shelf.remove(file.name)

    def _write_file(self, definition: Definition, month: str, parts: dict[datetime, Part]) -> dict[str, Any]:
        with self._guard:
            old = {
                day: found
                for day, found in self._index.newest(definition.key).items()
                if f"{day:%Y-%m}" == month and day not in parts
            }
        if len({entry.file for _, entry in old.values()}) >= MOST_FILES:
            for day, (state, entry) in old.items():
                table = self._table(entry)
                if table is not None:
                    parts[day] = Part(state, table.slice(entry.offset, entry.rows) if entry.rows else None)
        ordered = sorted(parts.items())
        data = parquet_bytes(_concatenated([part.table for _, part in ordered if part.table is not None]))
        name = f"parts/{definition.key}/{month}-{secrets.token_hex(6)}.parquet"
        self.shelf.write(name, data)
        days = [
            [day.isoformat(), part.state, part.table.num_rows if part.table is not None else 0]
            for day, part in ordered
        ]
        return {
            "definition": definition.key,
            "name": definition.name,
            "file": name,
            "size": len(data),
            "written": time.time(),
            "days": days,
        }

    def _publish(self, manifest: dict[str, Any]) -> None:
        manifest["digest"] = _digest(manifest["files"])
        name = f"manifests/{time.time_ns():020d}-{secrets.token_hex(4)}.json"
        self.shelf.write(name, json.dumps(manifest, separators=(",", ":")).encode())
        with self._guard:
            self._manifests[name] = manifest
            self._index.add(manifest)

    def _refresh(self, *, at_once: bool = False) -> None:
        """See what other processes wrote since."""
        now = time.monotonic()
        if not at_once and now - self._looked < self.shelf.patience:
            return
        names = {file.name for file in self.shelf.listed("manifests") if file.name.endswith(".json")}
        self._looked = now
        fresh = sorted(names - set(self._manifests) - set(self.damaged))
        if not fresh and names >= set(self._manifests):
            return
        manifests = {name: found for name, found in self._manifests.items() if name in names}
        for name in fresh:
            try:
                manifests[name] = _read_manifest(self.shelf.read(name))
            except FileNotFoundError:  # joined with others by another process: those are seen next time
                self._looked = float("-inf")
            except DAMAGED as error:
                self.damaged[name] = str(error)
        index = _Index()
        for name in sorted(manifests):
            index.add(manifests[name])
        self._manifests, self._index = manifests, index

    def _table(self, entry: Entry) -> pa.Table | None:
        """A file of parts; None where it is damaged or gone."""
        with self._guard:
            table = self._tables.get(entry.file)
            if table is not None:
                self._tables.move_to_end(entry.file)
                return table
            if entry.file in self.damaged:
                return None
        try:
            data = self.shelf.read(entry.file)
            if len(data) != entry.size:
                raise ValueError(f"is of {len(data)} bytes, not {entry.size}")
            table = read_parquet(data)
        except FileNotFoundError:  # merged into another by another process
            with self._guard:
                self._looked = float("-inf")
            return None
        except DAMAGED as error:
            self.damaged[entry.file] = str(error)
            return None
        with self._guard:
            if entry.file not in self._tables:  # another thread may have read it meanwhile
                self._held += table.nbytes
            self._tables[entry.file] = table
            while self._held > HELD_BYTES and len(self._tables) > 1:
                self._held -= self._tables.popitem(last=False)[1].nbytes
        return table

    def _living(self, used: frozenset[str], present: float) -> dict[str, dict[datetime, dict[str, Entry]]]:
        """Entries that stay: the last of each day, and what was the last until a moment ago."""
        living: dict[str, dict[datetime, dict[str, Entry]]] = {}
        for definition, days in self._index.entries.items():
            for day, states in days.items():
                last = max(entry.written for entry in states.values())
                for state, entry in states.items():
                    age = present - entry.written
                    if entry.file in self.damaged or (definition not in used and age > UNUSED_SECONDS):
                        continue
                    if entry.written == last or age < GRACE_SECONDS:
                        living.setdefault(definition, {}).setdefault(day, {})[state] = entry
        return living

    def _joined(self, living: Mapping[str, Mapping[datetime, Mapping[str, Entry]]]) -> list[dict[str, Any]]:
        """The files of all manifests that still hold something; in each all its days, so that places stay right."""
        named = {
            entry.file for days in living.values() for states in days.values() for entry in states.values()
        }
        return [file for file in _shape(self._manifests.values()) if file["file"] in named]


def store_in(folder: FolderShelf | Shelf) -> PartStore:
    """The store on a shelf: one a process, so that what was read once stays in memory for every session."""
    with _STORES_GUARD:
        return _STORES.setdefault(folder.shown, PartStore(folder))


_STORES: dict[str, PartStore] = {}
_STORES_GUARD = threading.Lock()


def _shape(manifests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    files = {file["file"]: file for manifest in manifests for file in manifest["files"]}
    return sorted(files.values(), key=lambda file: (file["written"], file["file"]))


def _slices(table: pa.Table, entries: Sequence[Entry]) -> list[pa.Table]:
    """The rows of some parts of a file; parts that lie side by side in one slice."""
    stretches: list[list[int]] = []
    for entry in entries:
        if stretches and stretches[-1][1] == entry.offset:
            stretches[-1][1] = entry.offset + entry.rows
        else:
            stretches.append([entry.offset, entry.offset + entry.rows])
    return [table.slice(start, end - start) for start, end in stretches]


def _concatenated(tables: Sequence[pa.Table]) -> pa.Table | None:
    if not tables:
        return None
    if len(tables) == 1:
        return tables[0]
    # a column may be of integers in one part and, where a sum outgrew them, of doubles in another
    return pa.concat_tables(tables, promote_options="permissive")


def parquet_bytes(table: pa.Table | None) -> bytes:
    """A table as a Parquet file whose pages tell when they are damaged."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table({}) if table is None else table,
        sink,
        compression="zstd",
        compression_level=5,  # a seventh less than by default, for half a processor second at 10 million rows
        write_statistics=False,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue())


def read_parquet(data: bytes) -> pa.Table:
    """What `parquet_bytes` made.

    Raises:
        OSError, pyarrow.ArrowException: it is damaged.
    """
    # `read_table` first makes a dataset of the one file, which takes as long as reading it
    return pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True).read()


def _read_manifest(data: bytes) -> Mapping[str, Any]:
    manifest: Mapping[str, Any] = json.loads(data)
    if manifest["format"] != FORMAT or manifest["digest"] != _digest(manifest["files"]):
        raise ValueError("is not what was written")
    return manifest


def _digest(files: Sequence[Mapping[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
