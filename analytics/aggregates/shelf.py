"""A shelf: a folder of small files that are written whole or not at all, on this machine or elsewhere."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from analytics.errors import StoreError

UNFINISHED = ".unfinished-"
"""What the name of a file begins with while it is written."""


class Placed(NamedTuple):
    """A file on a shelf: its name below the shelf's folder, bytes, and when it was written (seconds since 1970)."""

    name: str
    size: int
    written: float


class Shelf(Protocol):
    """Where a store keeps its files. Names are relative and use ``/``."""

    @property
    def shown(self) -> str:
        """The place for people, without secrets."""
        ...

    @property
    def patience(self) -> float:
        """How many seconds a listing stays good enough to be used again."""
        ...

    @property
    def at_once(self) -> int:
        """How many files are best asked for at a time."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            OSError: it is not there (FileNotFoundError), or cannot be read.
        """
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a file there; others see all of it or nothing, and a kill at any moment leaves what was there.

        Raises:
            StoreError: the place cannot be written to.
        """
        ...

    def listed(self, folder: str) -> list[Placed]:
        """The finished files directly in a folder of the shelf; none where there is no such folder."""
        ...

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder of the shelf."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away; one that is gone already is fine."""
        ...

    def lock(self, name: str) -> contextlib.AbstractContextManager[bool]:
        """Whether nobody else holds the lock of this name; it is let go at the end, or when the process dies.

        A place that knows no locks always answers yes: they save work, and nothing depends on them.
        """
        ...


@dataclass(frozen=True)
class FolderShelf:
    """A shelf in a folder of this machine (or of a file system it has mounted)."""

    folder: Path

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def patience(self) -> float:
        """A listing costs some microseconds."""
        return 0.5

    @property
    def at_once(self) -> int:
        """One: a disk answers at once."""
        return 1

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Write beside and rename."""
        target = self.folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.parent / f"{UNFINISHED}{secrets.token_hex(8)}"
            try:
                beside.write_bytes(data)
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: aggregates cannot be stored here ({error.strerror or error}); "
                "name another folder in ASSAY_AGGREGATES or aggregates.path"
            ) from error

    def listed(self, folder: str) -> list[Placed]:
        """The finished files directly in a folder."""
        found = []
        for entry in self._entries(folder):
            if entry.name.startswith(UNFINISHED) or not entry.is_file(follow_symlinks=False):
                continue
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat()
                found.append(Placed(f"{folder}/{entry.name}", status.st_size, status.st_mtime))
        return sorted(found)

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder."""
        return sorted(
            f"{folder}/{entry.name}" for entry in self._entries(folder) if entry.is_dir(follow_symlinks=False)
        )

    def remove(self, name: str) -> None:
        """Take a file away."""
        with contextlib.suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def unfinished(self, folder: str) -> list[Placed]:
        """What a killed process left half written."""
        return [
            Placed(f"{folder}/{entry.name}", 0, entry.stat().st_mtime)
            for entry in self._entries(folder)
            if entry.name.startswith(UNFINISHED)
        ]

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[bool]:
        """A lock of the operating system on a file; where there are none (Windows), always yes."""
        try:
            import fcntl  # noqa: PLC0415  # Windows has none
        except ImportError:  # no such locks here
            yield True
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # a place that can only be read
            yield True
            return
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder / folder) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                f"{self.folder}: stored aggregates cannot be listed ({error.strerror or error})"
            ) from error
