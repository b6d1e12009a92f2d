"""CSV files as they really are: which columns, which separator, which lines are damaged.

DuckDB reads a CSV file directly only if it is plain: UTF-8, one kind of line ending, every record as wide
as the header. Its own ways of reading a damaged one cannot be used: which lines it drops depends on the
columns a query asks for, so that two numbers on one page would count different rows. A damaged file is
therefore read once by the rules below, and its good records are kept as a Parquet file in a temporary
folder until the process ends:

- a record as wide as the header is good, whatever its quoted fields hold;
- else its first line is rejected, by number, and reading goes on at the next line;
- a file without one valid multi-byte character is Latin-1 if it is not UTF-8; otherwise lines that are not
  UTF-8 are rejected.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import literal, reader_path
from analytics.errors import FileVanishedError, TelemetryError
from analytics.telemetry.files import READ_ERRORS, LogFile, open_bytes

LINE = "assay:line"
"""The column of a repaired file that holds the number of the line."""
SHOWN_LINES = 10
_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_BATCH = 50_000
_LONGEST_RECORD = 1000  # lines; a quote that is never closed must not swallow the rest of the file
_LONGEST_FIELD = 16 * 1024 * 1024
_BLANK = {"\n", "\r\n", "\r", ""}
_BAD = re.compile("[\udc80-\udcff]")
_GOOD = re.compile("[^\x00-\x7f\udc80-\udcff]")


@dataclass(frozen=True)
class CsvFile:
    """What is known of one CSV file.

    Attributes:
        file: as listed.
        delimiter: between fields.
        columns: one name a column, unique even where upper and lower case do not count.
        repaired: the Parquet file with its good records, or None where it is plain and read directly.
        rejected: lines that hold no record as wide as the header.
        rejected_lines: the first ten of them by number, the header being line 1.
        remark: what else a reader should know, or None.
    """

    file: LogFile
    delimiter: str
    columns: tuple[str, ...]
    repaired: Path | None = None
    rejected: int = 0
    rejected_lines: tuple[int, ...] = ()
    remark: str | None = None


class _Looked:
    """What was found in files that have not changed since; repaired copies live as long as the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        self.files: dict[Path, CsvFile] = {}
        self.made = 0

    def place(self) -> Path:
        folder = self.where()
        with self.lock:
            self.made += 1
            return folder / f"{self.made}.parquet"

    def where(self) -> Path:
        with self.lock:
            if self.folder is None:
                self.folder = tempfile.TemporaryDirectory(prefix="assay-repaired-")
            return Path(self.folder.name)

    def keep(self, found: CsvFile) -> None:
        with self.lock:
            before = self.files.get(found.file.path)
            self.files[found.file.path] = found
        if before is not None and before.repaired is not None and before.repaired != found.repaired:
            before.repaired.unlink(missing_ok=True)


_LOOKED = _Looked()


def repaired_folder() -> Path:
    """Where repaired copies are kept: an engine must be allowed to read it."""
    return _LOOKED.where()


def look_at_csv(engine: DuckDBEngine, file: LogFile) -> CsvFile:
    """Find separator, header and damage of a CSV file; remembered until the file changes.

    Raises:
        TelemetryError: there is nothing to read in it, or it cannot be decompressed.
    """
    known = _LOOKED.files.get(file.path)
    if known is not None and known.file == file and (known.repaired is None or known.repaired.exists()):
        return known
    try:
        found = _look(engine, file)
    except FileNotFoundError as error:
        raise FileVanishedError(f"{file.path}: the file is gone") from error
    except READ_ERRORS as error:
        raise TelemetryError(f"cannot be read ({error})") from error
    _LOOKED.keep(found)
    return found


def csv_relation(files: list[CsvFile], columns: tuple[str, ...], filename: str) -> str:
    """The table function for plain CSV files of one header: every column as text, nothing guessed."""
    first = files[0]
    paths = ", ".join(literal(reader_path(one.file.path)) for one in files)
    shape = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    hive = "true" if first.file.hive else "false"
    return (
        f"read_csv([{paths}], auto_detect = false, header = true, delim = {literal(first.delimiter)}, "
        f"quote = '\"', escape = '\"', columns = {{{shape}}}, filename = {literal(filename)}, "
        f"hive_partitioning = {hive}, hive_types_autocast = false)"
    )


def _look(engine: DuckDBEngine, file: LogFile) -> CsvFile:
    encoding = _encoding(file.path)
    header, delimiter = _header(file.path, encoding)
    plain = CsvFile(file, delimiter, _unique(header))
    if encoding == "utf-8-sig" and _is_plain(engine, plain):
        return plain
    return _repair(plain, encoding)


def _encoding(path: Path) -> str:
    with open_bytes(path) as stream:
        head = stream.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        good = bad = False
        chunk = head
        while chunk:
            if not chunk.isascii() or decoder.getstate()[0]:
                text = decoder.decode(chunk)
                good, bad = good or bool(_GOOD.search(text)), bad or bool(_BAD.search(text))
            chunk = stream.read(_CHUNK)
        bad = bad or bool(_BAD.search(decoder.decode(b"", final=True)))
    if not bad:
        return "utf-8-sig"
    return "broken" if good else "latin-1"


def _text(stream: IO[bytes], encoding: str) -> io.TextIOWrapper:
    name = "utf-8-sig" if encoding == "broken" else encoding
    return io.TextIOWrapper(stream, encoding=name, errors="surrogateescape", newline="")


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    with open_bytes(path) as stream:
        head = [line for line, _ in zip(_text(stream, encoding), range(_LONGEST_RECORD), strict=False)]
    while head and not head[0].strip():
        head.pop(0)
    if not head:
        raise TelemetryError("the file holds no header line")
    if _BAD.search(head[0]):
        raise TelemetryError("the header is not UTF-8 text; save the file as UTF-8")
    found: list[tuple[list[str], str]] = []
    for delimiter in _DELIMITERS:
        record, _ = _record(list(head), iter(()), delimiter)
        found.append((record or [], delimiter))
    header, delimiter = max(found, key=lambda one: len(one[0]))
    if not header:
        raise TelemetryError("the header line cannot be read as CSV (a quote is not closed)")
    return header, delimiter


def _unique(header: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    taken: set[str] = set()
    for index, written in enumerate(header):
        name = base = written.strip().replace("\x00", "") or f"column{index + 1}"
        count = 0
        while same_name(name) in taken or name.startswith("assay:"):
            count += 1
            name = f"{base.removeprefix('assay:')}_{count}"
        taken.add(same_name(name))
        names.append(name)
    return tuple(names)


def same_name(name: str) -> str:
    """Equal for names that SQL engines do not tell apart (upper and lower case of ASCII letters)."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in name)


def _is_plain(engine: DuckDBEngine, found: CsvFile) -> bool:
    relation = csv_relation([found], tuple(f"c{index}" for index in range(len(found.columns))), "file")
    try:
        engine.query(f"SELECT count(c0) FROM {relation}")
    except FileVanishedError:
        raise
    except TelemetryError:
        return False
    return True


def _repair(found: CsvFile, encoding: str) -> CsvFile:
    place = _LOOKED.place()
    names = [*found.columns, LINE]
    schema = pa.schema([*((name, pa.string()) for name in found.columns), (LINE, pa.int64())])
    rejected = 0
    lines: list[int] = []
    batch: list[list[object]] = []
    with open_bytes(found.file.path) as stream, pq.ParquetWriter(place, schema) as writer:
        for number, record in _records(_text(stream, encoding), found.delimiter, len(found.columns)):
            if record is None:
                rejected += 1
                if len(lines) < SHOWN_LINES:
                    lines.append(number)
                continue
            batch.append([*(field or None for field in record), number])
            if len(batch) == _BATCH:
                writer.write_table(_table(batch, names, schema))
                batch = []
        writer.write_table(_table(batch, names, schema))
    return CsvFile(
        found.file, found.delimiter, found.columns, place, rejected, tuple(lines), _REMARKS.get(encoding)
    )


_REMARKS = {
    "latin-1": "not UTF-8: read as Latin-1",
    "utf-16": "UTF-16 text: read as such",
    "broken": "some lines are not UTF-8",
}


def _table(batch: list[list[object]], names: list[str], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*batch, strict=True)) if batch else [()] * len(names)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    )


def _records(lines: Iterator[str], delimiter: str, width: int) -> Iterator[tuple[int, list[str] | None]]:
    """Number of the first line and fields of every record after the header; None for a rejected line."""
    waiting: list[str] = []
    number = 0
    header = True
    while True:
        line = waiting.pop(0) if waiting else next(lines, None)
        if line is None:
            return
        number += 1
        if line in _BLANK:
            continue
        if '"' in line:
            waiting.insert(0, line)
            record, used = _record(waiting, lines, delimiter)
        else:
            record, used = line.rstrip("\r\n").split(delimiter), 1
        if not header:
            good = record is not None and len(record) == width and not any(map(_BAD.search, record))
            yield number, record if good else None
            used = used if good else 1
        header = False
        if '"' in line:
            del waiting[:used]
            number += used - 1


def _record(waiting: list[str], lines: Iterator[str], delimiter: str) -> tuple[list[str] | None, int]:
    """The record that begins on the first waiting line and how many lines it takes; None where it is no CSV.

    Lines are taken from ``lines`` to ``waiting`` while a quote is open.
    """
    text, used = waiting[0], 1
    record = _parsed(text, delimiter)
    if record is not None or text.count('"') % 2 == 0:
        return record, 1
    while used < _LONGEST_RECORD:
        if used == len(waiting):
            following = next(lines, None)
            if following is None:
                break
            waiting.append(following)
        text += waiting[used]
        used += 1
        if text.count('"') % 2 == 0:
            return _parsed(text, delimiter), used
    return None, 1


def _parsed(text: str, delimiter: str) -> list[str] | None:
    csv.field_size_limit(_LONGEST_FIELD)
    # a blank before an opening quote belongs to neither
    spaced = f'{delimiter} "' in text
    try:
        records = list(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=spaced))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None
