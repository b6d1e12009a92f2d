"""DuckDB reads objects of a bucket through this: a file system of fsspec over pyarrow.

DuckDB's own httpfs is an extension that it would have to download. What is read stays in DuckDB's cache of external
files (within its memory limit), so that the next query over the same columns asks the bucket for nothing; only the
row groups and columns that a query needs are asked for at all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from analytics.engines.text import reader_path
from analytics.errors import FileVanishedError, RemoteError
from analytics.places.remote import SCHEMES, RemotePath, explained, missed

try:
    from fsspec import AbstractFileSystem
except ImportError:  # without the extra; `register` says so
    AbstractFileSystem = object


class Trouble:
    """What went wrong inside a read: an engine that asked for bytes says less."""

    def __init__(self) -> None:
        self._found: dict[int, FileVanishedError | RemoteError] = {}
        self._lock = threading.Lock()

    def keep(self, error: FileVanishedError | RemoteError) -> None:
        """Remember it until somebody asks."""
        with self._lock:
            self._found[id(error)] = error

    def taken(self) -> FileVanishedError | RemoteError | None:
        """The first that was kept and not asked for yet."""
        with self._lock:
            return self._found.pop(next(iter(self._found))) if self._found else None


def register(connection: duckdb.DuckDBPyConnection, files: Iterable[RemotePath]) -> Trouble:
    """Let a connection read these objects.

    Raises:
        RemoteError: the extra is not installed.
    """
    trouble = Trouble()
    by_scheme: dict[str, list[RemotePath]] = {}
    for file in files:
        by_scheme.setdefault(file.scheme, []).append(file)
    for scheme, some in by_scheme.items():
        require_extra(scheme)
        connection.register_filesystem(_Objects(scheme, some, trouble))
    return trouble


def require_extra(scheme: str) -> None:
    """Say how to install what reading buckets needs.

    Raises:
        RemoteError: fsspec is missing.
    """
    if AbstractFileSystem is object:
        extra = "s3" if f"{scheme}://" == SCHEMES[0] else "gcs"
        raise RemoteError(f"{scheme}:// paths need an extra: pip install 'assay-ml[{extra}]'")


class _Objects(AbstractFileSystem):  # type: ignore[misc]
    """The listed objects and no others; sizes and times are those of the listing, so that nothing is asked twice."""

    cachable = False

    def __init__(self, scheme: str, files: Iterable[RemotePath], trouble: Trouble) -> None:
        super().__init__()
        self.protocol = scheme
        self._trouble = trouble
        self._files: dict[str, RemotePath] = {}
        self._sources: dict[str, _Source] = {}
        for file in files:
            self._files[str(file)] = self._files[reader_path(file)] = file

    def glob(self, path: str, **_: Any) -> list[str]:
        file = self._files.get(path)
        return [] if file is None else [str(file)]

    def exists(self, path: str, **_: Any) -> bool:
        return path in self._files

    def isfile(self, path: str) -> bool:
        return path in self._files

    def isdir(self, path: str) -> bool:  # noqa: ARG002  # files are listed one by one
        return False

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        file = self._file(path)
        return {"name": str(file), "size": self._size(file), "type": "file"}

    def size(self, path: str) -> int:
        return self._size(self._file(path))

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self._file(path).modified_ns / 1e9, UTC)

    def open(self, path: str, mode: str = "rb", **_: Any) -> _Handle:
        if mode != "rb":
            raise PermissionError(f"{path}: logs are only read")
        file = self._file(path)
        return _Handle(self._sources.setdefault(str(file), _Source(file, self._trouble)), self._size(file))

    def _file(self, path: str) -> RemotePath:
        file = self._files.get(path)
        if file is None:
            raise FileNotFoundError(path)
        return file

    def _size(self, file: RemotePath) -> int:
        if file.size is None:
            file.size = _Source(file, self._trouble).length()
        return file.size


class _Source:
    """An object that is asked for when the first byte is needed; shared by every handle of it."""

    def __init__(self, file: RemotePath, trouble: Trouble) -> None:
        self._path = file
        self._trouble = trouble
        self._lock = threading.Lock()
        self._opened: pa.NativeFile | None = None

    def read_at(self, count: int, start: int) -> bytes:
        try:
            opened = self._open()
            with explained(self._path):
                data: bytes = opened.read_at(count, start)
        except FileNotFoundError as error:
            self._trouble.keep(missed(self._path))
            raise OSError(str(error)) from error
        except RemoteError as error:
            self._trouble.keep(error)
            raise OSError(str(error)) from error
        return data

    def length(self) -> int:
        try:
            return int(self._open().size())
        except FileNotFoundError as error:
            self._trouble.keep(missed(self._path))
            raise OSError(str(error)) from error

    def _open(self) -> pa.NativeFile:
        with self._lock:
            if self._opened is None:
                opened = self._path.opened()
                if self._path.size is not None and opened.size() != self._path.size:
                    raise FileNotFoundError(f"{self._path}: changed since it was listed")
                self._opened = opened
            return self._opened


class _Handle:
    """One reader's place in an object.

    Several threads may share a handle: each reads where it sought itself, and who did not seek reads on from where
    the last read ended.
    """

    def __init__(self, source: _Source, size: int) -> None:
        self._source = source
        self._size = size
        self._next = 0
        self._sought = threading.local()

    def seek(self, offset: int, whence: int = 0) -> int:
        place = offset + (0, self.tell(), self._size)[whence]
        self._next = self._sought.place = place
        return place

    def tell(self) -> int:
        return int(getattr(self._sought, "place", self._next))

    def read(self, count: int = -1) -> bytes:
        start = self._sought.__dict__.pop("place", self._next)
        data = self._source.read_at(self._size - start if count < 0 else count, start)
        self._next = start + len(data)
        return data

    def close(self) -> None:
        """The object stays open for the next handle."""
