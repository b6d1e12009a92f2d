"""Log files in buckets: which a path or pattern of the project file names."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow.dataset import ParquetFileFormat

from analytics.engines.text import WILDCARDS
from analytics.places.remote import (
    Missed,
    RemoteEntry,
    RemotePath,
    explained,
    filesystem,
    listed,
    missed,
    one_object,
    remote_path,
)

AT_ONCE = 32
"""Requests under way at a time: a bucket answers each after tens of milliseconds, whatever the number."""
LONG_SECONDS = 0.5
"""A listing that takes longer is used again for `REST` times as long, at most for `MOST_REST_SECONDS`."""
REST = 20
MOST_REST_SECONDS = 300.0


def fixed_remote_folder(pattern: str) -> RemotePath:
    """The deepest folder that a pattern names without a wildcard.

    >>> str(fixed_remote_folder("s3://bucket/logs/day=*/*.parquet"))
    's3://bucket/logs'
    """
    path = remote_path(pattern)
    fixed = _until_wildcard(path.parts[2:])
    return remote_path(f"{path.scheme}://{'/'.join((path.bucket, *fixed))}")


def remote_files(pattern: str) -> tuple[RemotePath, list[RemotePath]]:
    """The objects that a pattern names, with size and time as listed, and the folder below which they were found.

    Names are matched as on a disk: ``*`` stays inside a folder, ``**`` does not; in a folder that is named as a whole,
    what begins with a dot or an underscore is left out, with everything below it.

    Raises:
        RemoteError: the bucket cannot be listed.
    """
    path = remote_path(pattern)
    folder = fixed_remote_folder(pattern)
    if folder == path:
        entry = one_object(path)
        if entry is not None:
            return path.parent, [_placed(path.parent, entry)]
        found = [entry for entry in _listed(path, deep=True) if not _hidden(entry.below)]
        return path, [_placed(path, entry) for entry in found]
    rest = path.parts[len(folder.parts) :]
    matches = _pattern(rest)
    found = [
        entry
        for entry in _listed(folder, deep=len(rest) > 1 or "**" in rest)
        if matches.fullmatch(entry.below)
    ]
    return folder, [_placed(folder, entry) for entry in found]


class _Listings:
    """Long listings, used again for a while: each page of one is a request that takes time and costs money."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, bool], tuple[float, int, list[RemoteEntry]]] = {}

    def entries(self, folder: RemotePath, *, deep: bool) -> list[RemoteEntry]:
        key = (str(folder), deep)
        with self._lock:
            until, misses, found = self._kept.get(key, (0.0, 0, []))
        if time.monotonic() < until and misses == Missed.count:
            return found
        started, misses = time.monotonic(), Missed.count
        found = listed(folder, deep=deep)
        took = time.monotonic() - started
        with self._lock:
            self._kept.pop(key, None)
            if took > LONG_SECONDS:
                self._kept[key] = (time.monotonic() + min(REST * took, MOST_REST_SECONDS), misses, found)
        return found


_listed = _Listings().entries


def parquet_metadata(path: Path) -> pq.FileMetaData:
    """The footer of a Parquet file, wherever it lies.

    Raises:
        FileNotFoundError: it is gone from this machine.
        FileVanishedError: it is gone from its bucket.
        OSError, pyarrow.ArrowException: it is damaged.
        RemoteError: its bucket does not give it.
    """
    if not isinstance(path, RemotePath):
        return pq.read_metadata(path)
    try:
        # whoever knows the size need not ask for it: one request, not two
        with explained(path):
            return (
                ParquetFileFormat().make_fragment(path.place, filesystem(path), file_size=path.size).metadata
            )
    except FileNotFoundError as error:
        raise missed(path) from error


def _placed(folder: RemotePath, entry: RemoteEntry) -> RemotePath:
    file = folder / entry.below
    file.size, file.modified_ns = entry.size, entry.modified_ns
    return file


def _until_wildcard(parts: Iterable[str]) -> list[str]:
    fixed: list[str] = []
    for part in parts:
        if any(sign in part for sign in WILDCARDS):
            break
        fixed.append(part)
    return fixed


def _hidden(below: str) -> bool:
    return below.startswith((".", "_")) or "/." in below or "/_" in below


def _pattern(parts: Iterable[str]) -> re.Pattern[str]:
    """Parts of a glob as one expression over keys."""
    written = ""
    for part in parts:
        if part == "**":
            written += r"(?:(?!\.)[^/]+/)*"
            continue
        hidden = "" if part.startswith(".") else r"(?!\.)"
        written += hidden + _part(part) + "/"
    return re.compile(written.removesuffix("/") if not written.endswith(")*") else written + "[^/]*")


def _part(part: str) -> str:
    written, place = "", 0
    while place < len(part):
        sign = part[place]
        end = part.find("]", place + 2) if sign == "[" else -1
        if end > 0:
            inside = part[place + 1 : end]
            inverted = "^" if inside.startswith("!") else ""
            written += f"[{inverted}{re.escape(inside.removeprefix('!')).replace(chr(92) + '-', '-')}]"
            place = end
        else:
            written += {"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign))
        place += 1
    return written
