"""Schemas of Parquet files, read once: of many thousand files, opening each footer again takes longer than anything."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.errors import FileVanishedError, TelemetryError
from analytics.places.remote import is_remote
from analytics.telemetry.beside import written_beside
from analytics.telemetry.files import LogFile
from analytics.telemetry.remote_files import AT_ONCE

MANY_FILES = 1_000
"""With fewer, footers are simply read."""
_THREADS = 4
_IN_MEMORY: Final = 400_000
_NOT_THERE: Final = (OSError, pa.ArrowException, ValueError, KeyError)


class Heads:
    """Schemas by file, as long as its size and time of change stay; those of many files are kept in a folder, too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[LogFile, str] = {}

    def schemas(
        self, files: Iterable[LogFile], read: Callable[[LogFile], str], folder: Path | None = None
    ) -> dict[LogFile, str | TelemetryError]:
        """The schema of each file as text, or why it has none.

        Args:
            files: Parquet files.
            read: one file -> its schema; raises TelemetryError where it has none.
            folder: where those of many files are kept.

        Raises:
            FileVanishedError: a file is gone.
        """
        wanted = list(files)
        with self._lock:
            known = {file: self._known[file] for file in wanted if file in self._known}
        missing = [file for file in wanted if file not in known]
        place = _place(folder, wanted) if folder is not None and len(missing) > MANY_FILES else None
        if place is not None:
            known |= _kept(place, missing)
            missing = [file for file in wanted if file not in known]
        found: dict[LogFile, str | TelemetryError] = dict(known)
        look = partial(_looked_at, read)
        remote = any(is_remote(file.path) for file in missing[:1])
        if len(missing) > (1 if remote else MANY_FILES):
            with ThreadPoolExecutor(AT_ONCE if remote else _THREADS) as pool:
                found |= dict(zip(missing, pool.map(look, missing), strict=True))
        else:
            found |= {file: look(file) for file in missing}
        whole = {file: text for file, text in found.items() if isinstance(text, str)}
        if place is not None and missing:
            _keep(place, whole)
        with self._lock:
            if len(self._known) > _IN_MEMORY:
                self._known.clear()
            self._known |= whole
        return found


HEADS: Final = Heads()
"""Those of this process."""


def _looked_at(read: Callable[[LogFile], str], file: LogFile) -> str | TelemetryError:
    try:
        return read(file)
    except FileVanishedError:
        raise
    except TelemetryError as error:
        return error


def _place(folder: Path, files: list[LogFile]) -> Path:
    """One file for each folder that logs lie in, or below which they do."""
    below = os.path.commonpath([str(file.path.parent) for file in (files[0], files[-1])])
    key = hashlib.sha256(below.encode(errors="surrogateescape")).hexdigest()
    return folder / f"heads-{key[:20]}.parquet"


def _kept(place: Path, wanted: list[LogFile]) -> dict[LogFile, str]:
    try:
        table = pq.read_table(place)
        columns = (table[name].to_pylist() for name in ("path", "size", "modified", "schema"))
        known = {
            (path, size, modified): schema for path, size, modified, schema in zip(*columns, strict=True)
        }
    except _NOT_THERE:
        return {}
    found = {}
    for file in wanted:
        schema = known.get((str(file.path), file.size, file.modified_ns))
        if schema is not None:
            found[file] = schema
    return found


def _keep(place: Path, known: dict[LogFile, str]) -> None:
    files = [file for file in known if file.has_utf8_name]
    table = pa.table(
        {
            "path": [str(file.path) for file in files],
            "size": [file.size for file in files],
            "modified": [file.modified_ns for file in files],
            "schema": pa.array([known[file] for file in files], pa.string()).dictionary_encode(),
        }
    )
    written_beside(place, lambda unfinished: pq.write_table(table, unfinished, compression="zstd"))
