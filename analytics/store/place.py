"""Where the store is: a file of the user, or whatever the environment variable names."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from analytics.errors import StoreError

Engine = Literal["sqlite", "postgresql"]
VARIABLE = "ASSAY_STORE"
"""The environment variable that names a file or a ``postgresql://`` URL instead of the user's own file."""
FILE_NAME = "store.sqlite3"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True)
class Place:
    """Where entries are kept.

    Attributes:
        engine: what keeps them.
        address: the absolute path of the file, or the URL, which may hold a password: never show it.
    """

    engine: Engine
    address: str

    def __repr__(self) -> str:
        return f"Place({self.engine!r}, {self.shown!r})"

    @property
    def shown(self) -> str:
        """The address for people: a URL without its password and options.

        >>> Place("postgresql", "postgresql://ana:secret@db.local:5433/assay?sslmode=require").shown
        'postgresql://ana@db.local:5433/assay'
        """
        if self.engine == "sqlite":
            return self.address
        parts = urlsplit(self.address)
        name = f"{parts.username}@" if parts.username else ""
        return f"postgresql://{name}{_host(parts)}{parts.path}"

    def without_secrets(self, text: str) -> str:
        """A message of a database without the password of the URL."""
        secret = urlsplit(self.address).password if self.engine == "postgresql" else None
        plain = text.replace(self.address, self.shown)
        return plain.replace(secret, "…") if secret else plain


def find_place(named: str | None = None, environment: Mapping[str, str] | None = None) -> Place:
    """Where the store is.

    Args:
        named: a path or a ``postgresql://`` URL; what `VARIABLE` says where None, else the user's own file.
        environment: instead of the process's.

    Raises:
        StoreError: what is named is neither, or the user has no home to keep a file in.
    """
    known = os.environ if environment is None else environment
    text = (known.get(VARIABLE, "") if named is None else named).strip()
    if not text:
        return Place("sqlite", str(_own_folder(known) / FILE_NAME))
    if text.startswith(("postgresql://", "postgres://")):
        return Place("postgresql", _checked(text))
    if _URL.match(text):
        scheme = text.partition("://")[0]
        raise StoreError(f"{VARIABLE}: {scheme}:// is not understood; name a file, or a postgresql:// URL")
    if text == ":memory:" or text.startswith("file:") or "\0" in text:
        raise StoreError(f"{VARIABLE}: name a file to keep entries in, found {text!r}")
    return Place("sqlite", str(Path(text).expanduser().resolve()))


def _checked(url: str) -> str:
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise StoreError(
            f"{VARIABLE}: the postgresql:// URL has a host or port that cannot be read"
        ) from None
    return url


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


def _own_folder(environment: Mapping[str, str]) -> Path:
    """The folder for data of this user, as the platform has it."""
    if sys.platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "assay"
    named = environment.get("XDG_DATA_HOME", "")
    # the specification says that a relative one is to be ignored
    if named and Path(named).is_absolute():
        return Path(named) / "assay"
    try:
        home = Path.home()
    except RuntimeError:
        raise StoreError(
            f"there is no home folder to keep entries in; set {VARIABLE} to a file or a postgresql:// URL"
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "assay"
    return home / ".local" / "share" / "assay"
