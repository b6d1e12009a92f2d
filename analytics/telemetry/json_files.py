"""JSON logs as they really are: which keys, and which lines hold no object.

DuckDB reads what it can of JSON lines and gives a row of NULLs for the rest, without saying where; its rows
are set against the file's lines here. A last line that was not finished gives no row at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier, literal, reader_path
from analytics.errors import FileVanishedError, TelemetryError
from analytics.telemetry.files import READ_ERRORS, LogFile, open_bytes

SHOWN_LINES = 10
SNIFF_ROWS = 100_000
_SPACE = b" \t\r\n\x0b\x0c"
_CHUNK = 1 << 20


def json_keys(engine: DuckDBEngine, file: LogFile, declared: frozenset[str]) -> list[str]:
    """The keys of a file's objects, by first place; a long file is read on only if a declared one is missing.

    Raises:
        TelemetryError: the file cannot be read, or an array is cut short.
    """
    _check_compression(file)
    objects = f"{_objects(file)} WHERE json_type(json) = 'OBJECT'"
    if file.format == "json_array":  # one that is cut short shows so only at its end
        return _keys_of(engine, f"SELECT json FROM {objects}")
    head = f"SELECT json FROM {objects} LIMIT {SNIFF_ROWS}"
    keys = _keys_of(engine, head)
    if declared - set(keys):
        looked = engine.query(f"SELECT count(*) AS n FROM ({head})").to_pylist()[0]["n"]
        if looked == SNIFF_ROWS:
            return _keys_of(engine, f"SELECT json FROM {objects}")
    return keys


def json_relation(files: list[LogFile], shape: dict[str, str], filename: str) -> str:
    """A SELECT of the objects of some files, every value as text, cast later.

    Args:
        files: of one format.
        shape: key in the file -> name of the column.
        filename: the column for the path.
    """
    columns = ", ".join(f"{literal(key)}: 'VARCHAR'" for key in shape)
    renamed = ", ".join(f"{identifier(k)} AS {identifier(name)}" for k, name in shape.items() if k != name)
    everything = f"* RENAME ({renamed})" if renamed else "*"
    hive = "true" if files[0].hive else "false"
    source = (
        f"read_json({_paths(files)}, {_format(files[0])}, columns = {{{columns}}}, "
        f"filename = {literal(filename)}, hive_partitioning = {hive}, hive_types_autocast = false)"
    )
    # a line that is no object comes back as a row of NULLs; it is counted below, nobody else sees it
    some = " OR ".join(f"{identifier(key)} IS NOT NULL" for key in shape)
    return f"(SELECT {everything} FROM {source} WHERE {some})"


def rejected_lines(engine: DuckDBEngine, file: LogFile) -> tuple[int, int, tuple[int, ...]]:
    """How many objects a file holds, how many lines (or elements) are none, and the first ten by number.

    Raises:
        TelemetryError: the file cannot be read.
    """
    numbered = f"SELECT row_number() OVER () AS place, json_type(json) AS kind FROM {_objects(file)}"
    wrong = "kind IS DISTINCT FROM 'OBJECT'"
    counts = engine.query(
        f"SELECT count(*) AS n, count(*) FILTER ({wrong}) AS wrong FROM ({numbered})"
    ).to_pylist()[0]
    objects, rejected = counts["n"] - counts["wrong"], counts["wrong"]
    if file.format == "json_array":
        return objects, rejected, ()
    first = engine.query(f"SELECT place FROM ({numbered}) WHERE {wrong} ORDER BY place LIMIT {SHOWN_LINES}")
    filled, lines = _placed(file, tuple(first.column("place").to_pylist()))
    unfinished = max(0, filled - counts["n"])
    if unfinished and len(lines) < SHOWN_LINES:
        lines = (*lines, *_placed(file, (filled,))[1])
    return objects, rejected + unfinished, lines


def _objects(file: LogFile) -> str:
    return f"read_json_objects({_paths([file])}, {_format(file)})"


def _format(file: LogFile) -> str:
    name = "array" if file.format == "json_array" else "newline_delimited"
    return f"format = {literal(name)}, ignore_errors = true"


def _paths(files: Iterable[LogFile]) -> str:
    return "[" + ", ".join(literal(reader_path(file.path)) for file in files) + "]"


def _keys_of(engine: DuckDBEngine, objects: str) -> list[str]:
    rows = engine.query(
        "SELECT key, min(position) AS position FROM (SELECT unnest(json_keys(json)) AS key, "
        f"generate_subscripts(json_keys(json), 1) AS position FROM ({objects})) "
        "GROUP BY key ORDER BY position, key"
    ).to_pylist()
    return [row["key"] for row in rows]


@lru_cache(maxsize=4096)
def _check_compression(file: LogFile) -> None:
    # a stream cut short fails in every query that reaches its end, so it must be known before the first
    if file.path.suffix.lower() not in {".gz", ".zst"}:
        return
    try:
        with open_bytes(file.path) as stream:
            while stream.read(_CHUNK):
                pass
    except FileNotFoundError as error:
        raise FileVanishedError(f"{file.path}: the file is gone") from error
    except READ_ERRORS as error:
        raise TelemetryError(f"cannot be decompressed ({error})") from error


@lru_cache(maxsize=512)
def _placed(file: LogFile, places: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """How many lines are not blank, and the line numbers of some of them by their place among those."""
    wanted = set(places)
    lines: list[int] = []
    filled = 0
    try:
        with open_bytes(file.path) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip(_SPACE):
                    filled += 1
                    if filled in wanted:
                        lines.append(number)
    except FileNotFoundError as error:
        raise FileVanishedError(f"{file.path}: the file is gone") from error
    except READ_ERRORS as error:
        raise TelemetryError(f"cannot be read ({error})") from error
    return filled, tuple(lines)
