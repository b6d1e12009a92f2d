"""Log files on disk: which there are, in which format, and whether they changed."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analytics.errors import TelemetryError

Format = Literal["parquet", "csv", "json", "json_array"]
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json",
    ".ndjson": "json",
}  # fmt: skip
_COMPRESSED = (".gz", ".zst")
_MAGIC = "*?["


@dataclass(frozen=True, order=True)
class LogFile:
    """One file of a feed, as it was when listed."""

    path: Path
    format: Format
    size: int
    modified_ns: int
    hive: bool


def format_of(path: Path) -> Format | None:
    """The format a file name tells, or None for a name that is no log."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
        if suffixes and _SUFFIXES.get(suffixes[-1]) == "parquet":
            return None
    return _SUFFIXES.get(suffixes[-1]) if suffixes else None


def fixed_folder(folder: Path, pattern: str) -> Path:
    """The deepest folder that a pattern names without a wildcard; only this may be read."""
    path = _absolute(folder, pattern)
    parts = []
    for part in path.parts:
        if any(sign in part for sign in _MAGIC):
            return Path(*parts)
        parts.append(part)
    return path if path.is_dir() else path.parent


def list_files(folder: Path, patterns: Iterable[str]) -> tuple[LogFile, ...]:
    """The log files that the patterns name, in the order of their paths.

    Raises:
        TelemetryError: a pattern names no log file.
    """
    found: dict[Path, LogFile] = {}
    for pattern in patterns:
        matches = [file for path in _expand(folder, pattern) if (file := _log_file(path, folder, pattern))]
        if not matches:
            raise TelemetryError(
                f"{pattern}: no log file here (looked in {fixed_folder(folder, pattern)} for parquet, csv, json or jsonl, "
                "also .gz and .zst)"
            )
        found |= {file.path: file for file in matches}
    return tuple(sorted(found.values()))


def digest(files: Iterable[LogFile]) -> str:
    """A short text that changes when any file does."""
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.path}\0{file.size}\0{file.modified_ns}\0".encode(errors="surrogateescape"))
    return state.hexdigest()[:16]


def sql_path(path: Path) -> str:
    """A path as DuckDB's readers take it, with its own wildcard characters escaped."""
    return "".join(f"[{sign}]" if sign in _MAGIC else sign for sign in str(path))


def _absolute(folder: Path, pattern: str) -> Path:
    path = Path(pattern).expanduser()
    return path if path.is_absolute() else folder / path


def _expand(folder: Path, pattern: str) -> list[Path]:
    path = _absolute(folder, pattern)
    if path.is_dir():
        return [entry for entry in path.rglob("*") if entry.is_file()]
    if path.is_file():
        return [path]
    return [Path(entry) for entry in glob.glob(str(path), recursive=True) if Path(entry).is_file()]


def _log_file(path: Path, folder: Path, pattern: str) -> LogFile | None:
    if path.name.startswith((".", "_")) or (kind := format_of(path)) is None:
        return None
    try:
        status = path.stat()
    except FileNotFoundError:  # deleted between the listing and now
        return None
    if kind == "json" and ".json" in path.suffixes and _starts_with_bracket(path):
        kind = "json_array"
    below = path.resolve().relative_to(fixed_folder(folder, pattern).resolve()).parts[:-1]
    hive = bool(below) and all("=" in part for part in below)
    return LogFile(path.resolve(), kind, status.st_size, status.st_mtime_ns, hive)


def _starts_with_bracket(path: Path) -> bool:
    if path.suffix.lower() in _COMPRESSED:
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(64).lstrip()[:1] == b"["
    except OSError:
        return False
