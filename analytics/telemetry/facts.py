"""What is known of large logs without reading them again: repeated ids, spells of versions, values of segments.

All of it adds over files, so only files that are new are read. What was found in files that no longer change is kept
in the user's cache folder; a file that changed or went away makes everything be looked at anew. Small logs are simply
looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import Sql
from analytics.project import Project
from analytics.project.aggregates import PATH, own_folder
from analytics.telemetry.beside import written_beside
from analytics.telemetry.feeds import Feed
from analytics.telemetry.files import LogFile

LARGE_BYTES = 20_000_000
LARGE_FILES = 1_000
"""Logs beyond either are worth remembering."""
SETTLED_SECONDS = 600.0
"""A file that was not written to for so long is taken to be finished; one that is not is looked at every time."""
MOST_VALUES = 5_000
"""A segment with more values is looked at from end to end when it is asked for."""
MOST_REPEATED = 1_000_000
"""Beyond so many ids that occur twice, windows over all rows cost less than lists of exceptions."""
IDS_AT_ONCE = 16_000_000
FILES_AT_ONCE = 5_000
BYTES_AT_ONCE = 2_000_000_000
_FORMAT = 1
_UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError, TypeError)
_State = tuple[str, int, int]
_Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class Spell:
    """Rows of one version: how many, and their first and last instant."""

    n: int
    first: datetime
    last: datetime

    def __add__(self, other: Spell) -> Spell:
        return Spell(self.n + other.n, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True)
class Known:
    """What was found in certain files of a feed.

    Attributes:
        files: path, size and time of change of each.
        spells: by version; one None where there are no versions.
        values: segment -> value -> rows; None where a segment has too many values.
        repeated: ids that occur more than once; None where these are too many to list.
        hashes: the file that holds the hashes of all ids; None where no such file is kept.
    """

    files: frozenset[_State] = frozenset()
    spells: Mapping[str | None, Spell] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict)
    repeated: frozenset[str] | None = frozenset()
    hashes: Path | None = None

    @property
    def n(self) -> int:
        """All rows."""
        return sum(spell.n for spell in self.spells.values())


@dataclass(frozen=True)
class Asked:
    """What is looked for in a feed.

    Attributes:
        view: the name it is kept under.
        feed: its files.
        body: a feed of some of them -> the SELECT behind the view of these.
        meaning: changes when the same files would give other rows.
        segments: view column of each segment whose values are counted.
        versions: whether the view has a column ``version``.
        ids: whether repeated ids are looked for.
    """

    view: str
    feed: Feed
    body: Callable[[Feed], str]
    meaning: str
    segments: Mapping[str, str] = field(default_factory=dict)
    versions: bool = True
    ids: bool = True


def is_large(files: Iterable[LogFile]) -> bool:
    """Whether what is found in these files is worth remembering."""
    listed = tuple(files)
    return len(listed) > LARGE_FILES or sum(file.size for file in listed) > LARGE_BYTES


def look(engine: DuckDBEngine, project: Project, asked: Asked) -> Known:
    """What is known of a feed, with new files looked at.

    Raises:
        TelemetryError: a file cannot be read.
    """
    kept = _recalled(project, asked)
    listed = {_state(file): file for file in asked.feed.files}
    if not kept.files <= listed.keys():
        kept = Known(values={name: {} for name in asked.segments})
    new = [file for state, file in listed.items() if state not in kept.files]
    quiet = time.time_ns() - int(SETTLED_SECONDS * 1e9)
    settled = [file for file in new if file.modified_ns < quiet]
    place = _place(project, asked)
    for some in _batches(settled):
        kept, hashes = _with(engine, asked, kept, some)
        kept = _keep(place, asked, kept, hashes)
    return _with(engine, asked, kept, [file for file in new if file.modified_ns >= quiet])[0]


def only_of(asked: Asked, files: Iterable[LogFile]) -> str:
    """The SELECT of the rows of some files."""
    return asked.body(_only(asked.feed, files))


def facts_folder(project: Project) -> Path:
    """Where facts are kept: beside the stored aggregates where these lie on this machine, else in the user's cache."""
    if (told := os.environ.get(PATH)) and "://" not in told:
        return Path(told).expanduser().resolve() / "facts"
    named = project.aggregates.folder()
    if named is not None and "://" not in named:
        return (project.folder / Path(named).expanduser()) / "facts"
    return own_folder("facts")


# ------------------------------------------------------------------ looking


def _batches(files: list[LogFile]) -> Iterator[list[LogFile]]:
    """All at once, unless they are many: these are held in memory, and each step is kept."""
    if len(files) <= LARGE_FILES:
        yield from [files] if files else []
        return
    some: list[LogFile] = []
    size = 0
    for file in files:
        if some and (len(some) == FILES_AT_ONCE or size + file.size > BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(file)
        size += file.size
    yield some


def _with(
    engine: DuckDBEngine, asked: Asked, kept: Known, files: list[LogFile]
) -> tuple[Known, _Hashes | None]:
    """What is known once some more files are looked at; and of many files the hashes of all ids, to be kept."""
    if not files:
        return kept, None
    if len(files) <= LARGE_FILES:
        return _grown(engine, asked, kept, files, asked.body(_only(asked.feed, files)))
    # to open the files takes longer than to read what is in them: once, and not once a question
    names = ", ".join(("id", "ts", *(("version",) if asked.versions else ()), *asked.segments.values()))
    with engine.kept(Sql(f"SELECT {names} FROM ({asked.body(_only(asked.feed, files))})")) as held:
        return _grown(engine, asked, kept, files, held.text)


def _grown(
    engine: DuckDBEngine, asked: Asked, kept: Known, files: list[LogFile], body: str
) -> tuple[Known, _Hashes | None]:
    spells = dict(kept.spells)
    for version, spell in _spells(engine, body, versions=asked.versions).items():
        spells[version] = spells[version] + spell if version in spells else spell
    values = {
        name: _counted(engine, body, column, kept.values.get(name)) for name, column in asked.segments.items()
    }
    repeated, hashes = kept.repeated, None
    if asked.ids and repeated is not None:
        n = sum(spell.n for spell in spells.values()) - kept.n
        before = _seen_before(engine, asked, kept, body)
        if before is None:
            try:
                before, hashes = _seen_by_hash(engine, kept, body)
            except (OSError, ValueError):
                # another process put newer hashes in their place, or they are damaged: a window over all rows finds
                # what repeats
                return Known(kept.files | {_state(file) for file in files}, spells, values, None), None
        found = repeated | _repeated(engine, body, n) | before
        repeated = found if len(found) <= MOST_REPEATED else None
    return Known(kept.files | {_state(file) for file in files}, spells, values, repeated), hashes


def _spells(engine: DuckDBEngine, body: str, *, versions: bool) -> dict[str | None, Spell]:
    version = "version" if versions else "CAST(NULL AS VARCHAR)"
    found = engine.query(
        f"SELECT {version} AS version, count(*) AS n, min(ts) AS first, max(ts) AS last FROM ({body}) GROUP BY 1"
    ).to_pylist()
    return {
        row["version"]: Spell(row["n"], row["first"].astimezone(UTC), row["last"].astimezone(UTC))
        for row in found
    }


def _counted(
    engine: DuckDBEngine, body: str, column: str, before: Mapping[str, int] | None
) -> Mapping[str, int] | None:
    if before is None:
        return None
    found = engine.query(
        f"SELECT CAST({column} AS VARCHAR) AS value, count(*) AS n FROM ({body}) WHERE {column} IS NOT NULL "
        f"GROUP BY 1 LIMIT {MOST_VALUES + 1}"
    )
    total = dict(before)
    for row in found.to_pylist():
        total[row["value"]] = total.get(row["value"], 0) + row["n"]
    return total if len(total) <= MOST_VALUES else None


def _repeated(engine: DuckDBEngine, body: str, n: int) -> set[str]:
    """Ids that occur more than once.

    Sorted 64-bit hashes tell which may be: 3 x as fast as counting distinct texts, and 8 bytes a row; then the few
    candidates are compared as they are.
    """
    some = np.concatenate([_twice(hashes) for hashes in _hashes(engine, body, n)] or [_NONE])
    if not len(some):
        return set()
    ids = engine.query(
        f"SELECT id FROM ({body}) SEMI JOIN candidates ON hash(id) = candidates.h GROUP BY id HAVING count(*) > 1 "
        f"LIMIT {MOST_REPEATED + 1}",
        tables={"candidates": pa.table({"h": some})},
    )
    return set(ids["id"].to_pylist())


def _hashes(engine: DuckDBEngine, body: str, n: int) -> Iterator[_Hashes]:
    """The hashes of all ids, those that are equal in the same array; of many rows these lie in files meanwhile."""
    parts = -(-n // IDS_AT_ONCE)
    # read once: a scan for each part would take time that grows with the square of the logs
    pieces = _pieces(engine, body)
    if parts <= 1:
        yield np.concatenate([_NONE, *pieces])
        return
    with tempfile.TemporaryDirectory(prefix="assay-ids-") as folder:
        places = [Path(folder) / f"{part}" for part in range(parts)]
        with ExitStack() as opened:
            files = [opened.enter_context(place.open("wb")) for place in places]
            for hashes in pieces:
                part_of = hashes % np.uint64(parts)
                for part, file in enumerate(files):
                    file.write(hashes[part_of == part].tobytes())
        for place in places:
            yield np.fromfile(place, np.uint64)
            place.unlink()


def _pieces(engine: DuckDBEngine, body: str) -> Iterator[_Hashes]:
    for batch in engine.batches(Sql(f"SELECT hash(id) AS h FROM ({body}) WHERE id IS NOT NULL")):
        yield np.asarray(batch.column(0), np.uint64)


def _twice(hashes: _Hashes) -> _Hashes:
    """Those that occur more than once."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


_NONE: Final = np.empty(0, np.uint64)


def _seen_before(engine: DuckDBEngine, asked: Asked, kept: Known, body: str) -> set[str] | None:
    """Ids of new files that occur in those known already: the small side is held, the large one only passes by.

    None where that would open too many files; see `_seen_by_hash`.
    """
    if len(asked.feed.files) > LARGE_FILES:
        return None
    before = [file for file in asked.feed.files if _state(file) in kept.files]
    if not before:
        return set()
    found = engine.query(
        f"SELECT DISTINCT id FROM ({asked.body(_only(asked.feed, before))}) "
        f"SEMI JOIN (SELECT id FROM ({body}) WHERE id IS NOT NULL) AS new_ids USING (id) LIMIT {MOST_REPEATED + 1}"
    )
    return set(found["id"].to_pylist())


def _seen_by_hash(engine: DuckDBEngine, kept: Known, body: str) -> tuple[set[str], _Hashes | None]:
    """The same by the hashes of all ids, which are kept of feeds with many files; and these with the new ones.

    Two ids of one hash do no harm: an id that is looked at without need is found to be there once.
    """
    hashes = np.concatenate([_NONE, *_pieces(engine, body)])
    hashes.sort()
    old = _NONE if kept.hashes is None else np.load(kept.hashes, mmap_mode="r")
    if not len(old):
        return set(), hashes
    found = hashes[old[np.minimum(np.searchsorted(old, hashes), len(old) - 1)] == hashes]
    again: set[str] = set()
    if len(found):
        text = f"SELECT DISTINCT id FROM ({body}) SEMI JOIN found ON hash(id) = found.h LIMIT {MOST_REPEATED + 1}"
        again = set(engine.query(text, tables={"found": pa.table({"h": found})})["id"].to_pylist())
    every = np.concatenate([old, hashes])
    every.sort(kind="stable")  # two sorted runs are merged
    return again, every


def _only(feed: Feed, files: Iterable[LogFile]) -> Feed:
    wanted = frozenset(files)
    groups = (group.only(wanted) for group in feed.groups)
    return replace(feed, groups=tuple(group for group in groups if group is not None))


def _state(file: LogFile) -> _State:
    return str(file.path), file.size, file.modified_ns


# ------------------------------------------------------------------ keeping


def _place(project: Project, asked: Asked) -> Path:
    key = hashlib.sha256(f"{project.file.absolute()}\0{asked.view}".encode(errors="surrogateescape"))
    return facts_folder(project) / f"{asked.view}-{key.hexdigest()[:20]}.parquet"


def _meaning(asked: Asked) -> str:
    said = [_FORMAT, asked.meaning, sorted(asked.segments.items()), asked.versions, asked.ids]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _recalled(project: Project, asked: Asked) -> Known:
    nothing = Known(values={name: {} for name in asked.segments})
    try:
        table = pq.read_table(_place(project, asked))
        said = json.loads((table.schema.metadata or {})[b"assay"])
        if said["meaning"] != _meaning(asked):
            return nothing
        rows = [column.to_pylist() for column in table.select(["text", "size", "modified"]).columns]
        states = zip(*rows, strict=True)
        files, ids = [], []
        for text, size, modified in states:
            if size < 0:
                ids.append(text)
            else:
                files.append((text, size, modified))
        hashes = None if said["hashes"] is None else _place(project, asked).with_name(said["hashes"])
        if hashes is None and asked.ids and len(asked.feed.files) > LARGE_FILES:
            return nothing
        if hashes is not None and not hashes.exists():
            return nothing
        spells = {
            version: Spell(n, datetime.fromisoformat(first), datetime.fromisoformat(last))
            for version, n, first, last in said["spells"]
        }
        repeated = None if said["many"] else frozenset(ids)
        return Known(frozenset(files), spells, said["values"], repeated, hashes)
    except _UNREADABLE:
        # not there, written by another release, or damaged: it is found anew
        return nothing


def _keep(place: Path, asked: Asked, known: Known, hashes: _Hashes | None) -> Known:
    token = secrets.token_hex(8)
    if hashes is not None:
        known = replace(known, hashes=place.with_name(f"{place.stem}-{token}.npy"))
    said = {
        "meaning": _meaning(asked),
        "spells": [
            (version, spell.n, spell.first.isoformat(), spell.last.isoformat())
            for version, spell in known.spells.items()
        ],
        "values": known.values,
        "many": known.repeated is None,
        "hashes": None if known.hashes is None else known.hashes.name,
    }
    rows = [*sorted(known.files), *((name, -1, 0) for name in sorted(known.repeated or ()))]
    text, size, modified = zip(*rows, strict=True)
    table = pa.table(
        {
            "text": pa.array(text, pa.string()),
            "size": pa.array(size, pa.int64()),
            "modified": pa.array(modified, pa.int64()),
        }
    ).replace_schema_metadata({"assay": json.dumps(said)})
    there = hashes is None or known.hashes is None or written_beside(known.hashes, partial(_save, hashes))
    if not there or not written_beside(place, lambda new: pq.write_table(table, new, compression="zstd")):
        # without the hashes, ids of later files cannot be compared with those of the files before
        return replace(known, hashes=None, repeated=None if hashes is not None else known.repeated)
    with suppress(OSError):
        for old in place.parent.glob(f"{place.stem}-*.npy"):
            if old != known.hashes:
                old.unlink(missing_ok=True)
    return known


def _save(hashes: _Hashes, place: Path) -> None:
    with place.open("wb") as file:
        np.save(file, hashes)
