"""A shelf in a bucket: an object is there whole or not at all, which is all that a store needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from analytics.aggregates.shelf import Placed
from analytics.errors import RemoteError, StoreError
from analytics.places import remote
from analytics.places.remote import RemotePath


@dataclass(frozen=True)
class RemoteShelf:
    """A shelf below a folder of a bucket; several machines may read and write it at once."""

    folder: RemotePath

    @property
    def shown(self) -> str:
        """The folder's address, which holds nothing secret."""
        return str(self.folder)

    @property
    def patience(self) -> float:
        """A listing is a request that takes some hundredths of a second and costs money."""
        return 5.0

    @property
    def at_once(self) -> int:
        """A bucket answers each after tens of milliseconds, whatever the number."""
        return 16

    def read(self, name: str) -> bytes:
        """The bytes of an object.

        Raises:
            FileNotFoundError: it is not there.
            StoreError: the bucket does not give it; that says nothing about what is stored.
        """
        with _as_store():
            # parts and manifests have names of their own and are never written twice
            return remote.read_whole(
                self.folder / name, may_change=not name.startswith(("parts/", "manifests/"))
            )

    def write(self, name: str, data: bytes) -> None:
        """Put an object, which replaces what was there at once."""
        with _as_store("; name another folder in ASSAY_AGGREGATES or aggregates.path"):
            remote.write_whole(self.folder / name, data)

    def listed(self, folder: str) -> list[Placed]:
        """The objects directly in a folder."""
        with _as_store():
            found = remote.listed(self.folder / folder, deep=False)
        return sorted(
            Placed(f"{folder}/{entry.below}", entry.size, entry.modified_ns / 1e9) for entry in found
        )

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in a folder."""
        with _as_store():
            return sorted(f"{folder}/{name}" for name in remote.folders(self.folder / folder))

    def remove(self, name: str) -> None:
        """Take an object away; where that is not allowed it stays, and nothing depends on it."""
        with contextlib.suppress(RemoteError):
            remote.remove(self.folder / name)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[bool]:  # noqa: ARG002  # a bucket knows no locks
        """Always yes."""
        yield True


@contextlib.contextmanager
def _as_store(advice: str = "") -> Iterator[None]:
    try:
        yield
    except RemoteError as error:
        raise StoreError(f"stored aggregates: {error}{advice}") from error
