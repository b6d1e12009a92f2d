"""Log files on disk: which there are, in which format, and whether they changed."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal, cast

import pyarrow as pa

from analytics.engines.text import WILDCARDS
from analytics.errors import TelemetryError
from analytics.places.remote import is_remote, remote_path
from analytics.telemetry.remote_files import AT_ONCE, fixed_remote_folder, remote_files

Format = Literal["parquet", "csv", "json", "json_array", "unreadable"]
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json",
    ".ndjson": "json",
}  # fmt: skip
_COMPRESSED = (".gz", ".zst")
_HEAD_BYTES = 4096
_MAY_BE_ONE_ARRAY = re.compile(r"\.json(\.gz|\.zst)?$")
READ_ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException)
"""What reading a damaged or vanished file of any compression raises."""


@dataclass(frozen=True, order=True)
class LogFile:
    """One file of a feed, as it was when listed.

    Attributes:
        path: where it is found below the declared folder (links are followed when it is read).
        format: told by its name; ``json_array`` by its first character; ``unreadable`` is a folder that
            cannot be listed.
        size: in bytes, compressed.
        modified_ns: time of the last change, in nanoseconds.
        hive: whether every folder between the declared one and the file reads ``name=value``.
    """

    path: Path
    format: Format
    size: int
    modified_ns: int
    hive: bool

    @property
    def has_utf8_name(self) -> bool:
        """Whether engines, which take paths as UTF-8, can open it."""
        try:
            str(self.path).encode()
        except UnicodeEncodeError:
            return False
        return True

    @property
    def partitions(self) -> tuple[str, ...]:
        """The columns that the folder names of a hive-partitioned file tell."""
        return (
            tuple(part.partition("=")[0] for part in self.path.parts[:-1] if "=" in part) if self.hive else ()
        )


def format_of(path: Path) -> Format | None:
    """The format a file name tells, or None for a name that is no log.

    >>> format_of(Path("a.csv.gz")), format_of(Path("a.ndjson")), format_of(Path("notes.txt"))
    ('csv', 'json', None)
    """
    return _format_of(path.name)


def _format_of(name: str) -> Format | None:
    # as Path.suffixes has them: a leading dot begins no suffix, and a name that ends in a dot has none
    suffixes = [] if name.endswith(".") else [f".{part}" for part in name.lstrip(".").lower().split(".")[1:]]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
        if suffixes and _SUFFIXES.get(suffixes[-1]) == "parquet":
            return None
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def fixed_folder(folder: Path, pattern: str) -> Path:
    """The deepest folder that a pattern names without a wildcard."""
    if is_remote(pattern):
        return fixed_remote_folder(pattern)
    path = _absolute(folder, pattern)
    if path.is_dir():
        return path
    if path.is_file():
        return path.parent
    given = Path(pattern).expanduser()
    fixed = Path(given.anchor) if given.is_absolute() else folder
    for part in given.relative_to(given.anchor).parts[:-1]:
        if any(sign in part for sign in WILDCARDS):
            break
        fixed /= part
    return fixed


def list_files(folder: Path, patterns: Iterable[str]) -> tuple[LogFile, ...]:
    """The log files that the patterns name, in the order of their paths; a file reached twice counts once.

    Names that start with a dot or an underscore are no logs (half-written files, markers). Links to files are
    followed; in a folder, links to folders are not.

    Raises:
        TelemetryError: a pattern names no log file.
    """
    found: dict[str, LogFile] = {}
    for pattern in patterns:
        try:
            matches = _remote_matches(pattern) if is_remote(pattern) else _matches(folder, pattern)
        except OSError as error:
            raise TelemetryError(f"{pattern}: cannot be looked at ({error.strerror})") from error
        if not matches:
            raise TelemetryError(
                f"{pattern}: no log file here (looked in {fixed_folder(folder, pattern)} "
                "for parquet, csv, json or jsonl, the last three also .gz and .zst)"
            )
        for file, lies_at in sorted(matches, key=_in_order):
            found.setdefault(lies_at, file)
    return tuple(sorted(found.values(), key=lambda file: file.path.parts))


def _in_order(match: tuple[LogFile, str]) -> tuple[str, ...]:
    return match[0].path.parts


def digest(files: Iterable[LogFile]) -> str:
    """A short text that changes when any file does."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.path}\0{file.size}\0{file.modified_ns}\0".encode(errors="surrogateescape"))
    return state.hexdigest()[:16]


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed as its name says.

    Raises:
        OSError, EOFError, zlib.error, pyarrow.ArrowException: it is damaged or gone (see `READ_ERRORS`).
        RemoteError: its bucket does not give it.
    """
    suffix = path.suffix.lower()
    with path.open("rb") as raw:
        if suffix == ".gz":
            with gzip.open(raw, "rb") as stream:
                yield cast("IO[bytes]", stream)
        elif suffix == ".zst":
            with pa.input_stream(raw, compression="zstd") as stream:
                yield cast("IO[bytes]", io.BufferedReader(stream))
        else:
            yield raw


def _absolute(folder: Path, pattern: str) -> Path:
    path = Path(pattern).expanduser()
    return path if path.is_absolute() else folder / path


def _expand(folder: Path, pattern: str) -> list[str]:
    path = _absolute(folder, pattern)
    if path.is_dir():
        return _walk(path)
    if path.is_file():
        return [str(path)]
    given = str(Path(pattern).expanduser())
    # wildcards count in what the project file says, not in the names of the folders above it
    whole = given if path == Path(given) else os.path.join(glob.escape(str(folder)), given)  # noqa: PTH118
    return glob.glob(whole, recursive=True)  # noqa: PTH207  # Path.glob takes no absolute pattern


def _walk(folder: Path) -> list[str]:
    found: list[str] = []

    def closed(error: OSError) -> None:
        # a folder that cannot be listed is named like a damaged file: its rows are missing
        found.append(str(error.filename))

    for parent, folders, names in os.walk(folder, onerror=closed):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        found += [f"{parent}{os.sep}{name}" for name in names]
    return found


def _matches(folder: Path, pattern: str) -> list[tuple[LogFile, str]]:
    """The logs that a pattern names, and where each of them lies when links are followed.

    Texts and one or two looks at each file instead of Path objects that are resolved one by one: of 100,000 files
    a seventh of the time.
    """
    folder = folder.absolute()
    base = str(fixed_folder(folder, pattern))
    real_base = os.path.realpath(base)
    folders: dict[str, str] = {base: real_base}
    globbed = not _absolute(folder, pattern).is_dir()
    found = []
    for path in _expand(folder, pattern):
        parent, _, name = path.rpartition(os.sep)
        if name.startswith((".", "_")):
            continue
        file = _log_file(path, name, f"{real_base}{path[len(base) :]}", len(real_base), globbed=globbed)
        if file is None:
            continue
        if parent not in folders:
            folders[parent] = os.path.realpath(parent)
        is_link = os.path.islink(path)  # noqa: PTH114  # of many files, as above
        found.append((file, os.path.realpath(path) if is_link else f"{folders[parent]}{os.sep}{name}"))
    return found


def _log_file(path: str, name: str, placed: str, base: int, *, globbed: bool) -> LogFile | None:
    kind = _format_of(name)
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:  # deleted between the listing and now, or a link to nothing
        return None
    if stat.S_ISDIR(status.st_mode):
        return None if globbed else LogFile(Path(placed), "unreadable", 0, 0, hive=False)
    if kind is None or (globbed and not stat.S_ISREG(status.st_mode)):
        return None
    if (
        kind == "json"
        and _MAY_BE_ONE_ARRAY.search(name.lower())
        and _starts_with_bracket(path, status.st_size, status.st_mtime_ns)
    ):
        kind = "json_array"
    between = placed[base:].strip(os.sep).split(os.sep)[:-1]  # noqa: PTH206
    hive = bool(between) and all("=" in part for part in between)
    return LogFile(Path(placed), kind, status.st_size, status.st_mtime_ns, hive)


def _remote_matches(pattern: str) -> list[tuple[LogFile, str]]:
    folder, files = remote_files(pattern)
    found = [
        (file, kind) for file in files if (kind := format_of(file)) and not file.name.startswith((".", "_"))
    ]
    json = [file for file, kind in found if kind == "json" and _MAY_BE_ONE_ARRAY.search(file.name.lower())]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="assay-heads") as pool:
        heads = pool.map(lambda file: _starts_with_bracket(str(file), file.size or 0, file.modified_ns), json)
        arrays = {file for file, is_array in zip(json, heads, strict=True) if is_array}
    matches = []
    for file, kind in found:
        between = file.parts[len(folder.parts) : -1]
        hive = bool(between) and all("=" in part for part in between)
        shown: Format = "json_array" if file in arrays else kind
        matches.append((LogFile(file, shown, file.size or 0, file.modified_ns, hive), str(file)))
    return matches


@lru_cache(maxsize=200_000)
def _starts_with_bracket(path: str, size: int, modified_ns: int) -> bool:
    del size, modified_ns  # a file that changed is looked at anew
    try:
        with open_bytes(remote_path(path) if is_remote(path) else Path(path)) as stream:
            return stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    except READ_ERRORS:
        return False
