"""A feed: files of one kind of row, in any mix of formats and schemas, read where they lie."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier, literal, reader_path
from analytics.errors import FileVanishedError, TelemetryError
from analytics.telemetry.casts import is_integer, is_numeric
from analytics.telemetry.csv_files import LINE, CsvFile, csv_relation, look_at_csv, same_name
from analytics.telemetry.files import LogFile
from analytics.telemetry.heads import HEADS
from analytics.telemetry.json_files import json_keys, json_relation
from analytics.telemetry.remote_files import parquet_metadata

FILE = "assay:file"
ROW = "assay:row"
SNIFF_FILES = 20
SNIFF_HEAD_ROWS = 10_000
_ROW_NUMBER = "file_row_number"
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Group:
    """Files that share a format and a schema, with the relation that reads them.

    Attributes:
        files: in the order of their paths.
        columns: name -> logged type, those told by folder names included.
        relation: what stands after FROM; its columns are those, `FILE` and `ROW`.
        alone: what reads each of the files by itself, in the same order.
        text: whether values are logged as text and typed by us (CSV and JSON).
        read: some of the files -> the relation that reads these alone; None where they are read one by one.
    """

    files: tuple[LogFile, ...]
    columns: dict[str, str]
    relation: str
    alone: tuple[str, ...] = ()
    text: bool = False
    read: Callable[[list[LogFile]], str] | None = field(default=None, compare=False, repr=False)

    @property
    def head(self) -> str:
        """A SELECT of the first rows of up to `SNIFF_FILES` files, spread over all of them."""
        step = -(-len(self.alone) // SNIFF_FILES)
        some = [*self.alone[:-1:step], self.alone[-1]]
        rows = SNIFF_HEAD_ROWS // len(some)
        return " UNION ALL ".join(f"(SELECT * FROM {relation} LIMIT {rows})" for relation in some)

    def only(self, wanted: Collection[LogFile]) -> Group | None:
        """The same of some of the files; None where none of them is here."""
        some = [(file, place) for place, file in enumerate(self.files) if file in wanted]
        if len(some) == len(self.files) or not some:
            return self if some else None
        files, alone = [file for file, _ in some], tuple(self.alone[place] for _, place in some)
        one_by_one = f"({' UNION ALL '.join(f'SELECT * FROM {relation}' for relation in alone)})"
        relation = one_by_one if self.read is None else self.read(files)
        return replace(self, files=tuple(files), relation=relation, alone=alone)

    def kind(self, column: str) -> str | None:
        """The logged type of a column, or None where these files lack it."""
        return self.columns.get(column)


@dataclass(frozen=True)
class Feed:
    """All readable files of a feed.

    Attributes:
        name: the section of the project file.
        groups: the files by schema.
        columns: name -> the one type a column is shown in, over all files.
        damaged: file -> why it was left out.
        csv: what is known of every CSV file that is read.
        remarks: file -> what else a reader of it should know.
    """

    name: str
    groups: tuple[Group, ...]
    columns: dict[str, str]
    damaged: dict[Path, str]
    csv: dict[Path, CsvFile] = field(default_factory=dict)
    remarks: dict[Path, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[LogFile, ...]:
        """Every readable file."""
        return tuple(file for group in self.groups for file in group.files)

    @property
    def partitions(self) -> frozenset[str]:
        """Columns that are folder names of hive-partitioned files."""
        return frozenset(name for file in self.files for name in file.partitions)

    def require(self, column: str, key: str, project_file: Path) -> None:
        """Refuse a column that no file has; a feed of which no file can be read cannot tell.

        Raises:
            TelemetryError: names the key, what was found and the nearest column.
        """
        if column in self.columns or not self.groups:
            return
        near = get_close_matches(column, self.columns, n=1, cutoff=0.5)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        raise TelemetryError(
            f'{project_file}: {key} = "{column}": no file of [{self.name}] has this column{hint}; '
            f"columns: {', '.join(list(self.columns)[:40])}"
        )


@dataclass
class _Opening:
    """A feed while its files are looked at."""

    engine: DuckDBEngine
    declared: frozenset[str]
    spelling: dict[str, str]
    damaged: dict[Path, str]
    schemas: Mapping[LogFile, str | TelemetryError] = field(default_factory=dict)
    remarks: dict[Path, str] = field(default_factory=dict)
    csv: dict[Path, CsvFile] = field(default_factory=dict)
    parquet: dict[tuple[object, ...], list[LogFile]] = field(default_factory=dict)
    json: dict[LogFile, list[str]] = field(default_factory=dict)

    def look_at(self, file: LogFile) -> None:
        try:
            _check_file(file)
            if file.format == "parquet":
                schema = self.schemas.get(file) or _parquet_schema(file)
                if isinstance(schema, TelemetryError):
                    raise schema
                self.parquet.setdefault((file.hive, *file.partitions, schema), []).append(file)
            elif file.format == "csv":
                found = look_at_csv(self.engine, file)
                self._check_declared(file, found.columns)
                self.csv[file.path] = found
            else:
                self._look_at_json(file)
        except FileVanishedError:
            raise
        except TelemetryError as error:
            self.damaged[file.path] = _short(error)

    def canonical(self, names: Iterable[str]) -> tuple[str, ...]:
        """The one spelling of each name: SQL does not tell ``userId`` from ``userid``."""
        return tuple(self.spelling.setdefault(same_name(name), name) for name in names)

    def _check_declared(self, file: LogFile, columns: Iterable[str]) -> None:
        known = {same_name(name) for name in (*columns, *file.partitions)}
        if self.declared and not {same_name(name) for name in self.declared} & known:
            raise TelemetryError("has none of the declared columns")

    def _look_at_json(self, file: LogFile) -> None:
        keys = json_keys(self.engine, file, self.declared)
        if not keys:
            raise TelemetryError(
                "holds no JSON object" + (" on a line of its own" if file.format == "json" else "")
            )
        distinct: dict[str, str] = {}
        for key in keys:
            distinct.setdefault(same_name(key), key)
        lost = [key for key in keys if distinct[same_name(key)] != key]
        if lost:
            self.remarks[file.path] = (
                f"keys that differ from another only in case are not read: {', '.join(lost)}"
            )
        usable = [
            key for key in distinct.values() if key and "\x00" not in key and not key.startswith("assay:")
        ]
        self._check_declared(file, usable)
        self.json[file] = usable


def open_feed(
    engine: DuckDBEngine,
    name: str,
    files: Iterable[LogFile],
    declared: Iterable[str],
    left_out: Mapping[Path, str] | None = None,
    kept_in: Path | None = None,
) -> Feed:
    """Look at every file's schema and group the readable ones.

    A feed of which no file can be read has no groups; whether one can live without it is the caller's to say.

    Args:
        engine: reads the heads of text files.
        name: the section of the project file.
        files: as listed.
        declared: columns the project file names; a text file with none of them is not a log of this feed.
        left_out: files known to be damaged, and why.
        kept_in: a folder where the schemas of many files are kept.

    Raises:
        FileVanishedError: a listed file is gone.
    """
    declared, files = tuple(dict.fromkeys(declared)), tuple(files)
    damaged = dict(left_out or {})
    whole = (
        f for f in files if f.format == "parquet" and f.size and f.path not in damaged and f.has_utf8_name
    )
    schemas = HEADS.schemas(whole, _parquet_schema, kept_in)
    opening = _Opening(
        engine, frozenset(declared), {same_name(name): name for name in declared}, damaged, schemas
    )
    for file in files:
        if file.path not in opening.damaged:
            opening.look_at(file)
    groups = [*_parquet_groups(opening), *_csv_groups(opening), *_json_groups(opening)]
    return Feed(name, tuple(groups), _shown_types(groups), opening.damaged, opening.csv, opening.remarks)


def _check_file(file: LogFile) -> None:
    if file.format == "unreadable":
        raise TelemetryError("the folder cannot be listed (no permission?)")
    if not file.has_utf8_name:
        raise TelemetryError("the file's name is not UTF-8; rename it")
    if file.size == 0:
        raise TelemetryError("the file is empty")


def _parquet_schema(file: LogFile) -> str:
    try:
        metadata = parquet_metadata(file.path)
    except FileNotFoundError as error:
        raise FileVanishedError(f"{file.path}: the file is gone") from error
    except (pa.ArrowException, OSError) as error:
        raise TelemetryError(f"the Parquet footer cannot be read ({_short(error)})") from error
    return str(metadata.schema).partition("\n")[2]  # the first line is an address in memory


def _parquet_groups(opening: _Opening) -> list[Group]:
    groups = []
    for files in opening.parquet.values():
        remaining = list(files)
        while remaining:
            try:
                groups.append(_parquet_group(opening, remaining))
                break
            except FileVanishedError:
                raise
            except TelemetryError as error:  # the schema of a group is read from its first file
                opening.damaged[remaining.pop(0).path] = f"cannot be read ({_short(error)})"
    return groups


def _parquet_group(opening: _Opening, files: list[LogFile]) -> Group:
    names = parquet_metadata(files[0].path).schema.to_arrow_schema().names
    numbered = _ROW_NUMBER not in {same_name(name) for name in names}
    found = opening.engine.describe(_parquet_relation(files[:1], numbered=numbered))
    hidden = {FILE, _ROW_NUMBER} if numbered else {FILE}
    names = [name for name in found if name not in hidden]
    if any(name.startswith("assay:") for name in names):
        raise TelemetryError('a column name begins with "assay:", which is reserved; rename it')
    columns = dict(zip(opening.canonical(names), (found[name] for name in names), strict=True))
    row = _ROW_NUMBER if numbered else "row_number() OVER ()"

    def read(some: list[LogFile]) -> str:
        return _numbered(_parquet_relation(some, numbered=numbered), row)

    return Group(tuple(files), columns, read(files), tuple(read([file]) for file in files), read=read)


def _parquet_relation(files: list[LogFile], *, numbered: bool) -> str:
    hive = "true" if files[0].hive else "false"
    number = f"{_ROW_NUMBER} = true, " if numbered else ""
    # Arrow, Polars and Spark leave NaN out of a column's largest value, and the engine would take it for the largest
    # files of one group have one schema: bound by names, every footer would be read before every query (three times
    # the time of a query over 10,000 files)
    return (
        f"read_parquet({_paths(files)}, filename = {literal(FILE)}, {number}can_have_nan = true, "
        f"union_by_name = false, hive_partitioning = {hive}, hive_types_autocast = false)"
    )


def _csv_groups(opening: _Opening) -> list[Group]:
    plain: dict[tuple[object, ...], list[CsvFile]] = {}
    groups = []
    for found in opening.csv.values():
        if found.repaired is None:
            key = (found.delimiter, found.file.hive, found.file.partitions, found.columns)
            plain.setdefault(key, []).append(found)
        else:
            groups.append(_repaired_group(opening, found))
    for members in plain.values():
        columns = opening.canonical(members[0].columns)
        names = dict.fromkeys((*columns, *opening.canonical(members[0].file.partitions)), "VARCHAR")
        alone = tuple(_numbered(csv_relation([found], columns, FILE)) for found in members)
        relation = _numbered(csv_relation(members, columns, FILE))
        groups.append(Group(tuple(found.file for found in members), names, relation, alone, text=True))
    return groups


def _numbered(relation: str, row: str = "row_number() OVER ()") -> str:
    return f"(SELECT *, {row} AS {identifier(ROW)} FROM {relation})"


def _repaired_group(opening: _Opening, found: CsvFile) -> Group:
    path = found.file.path
    folders = {
        part.partition("=")[0]: unquote(part.partition("=")[2]) for part in path.parts[:-1] if "=" in part
    }
    folders = {name: folders[name] for name in found.file.partitions}
    columns = opening.canonical((*found.columns, *folders))
    items = [
        f"{identifier(name)} AS {identifier(shown)}"
        for name, shown in zip(found.columns, columns, strict=False)
    ]
    items += [
        f"{'CAST(NULL AS VARCHAR)' if value == _NO_PARTITION else literal(value)} AS {identifier(name)}"
        for name, value in zip(columns[len(found.columns) :], folders.values(), strict=True)
    ]
    items += [f"{literal(str(path))} AS {identifier(FILE)}", f"{identifier(LINE)} AS {identifier(ROW)}"]
    relation = (
        f"(SELECT {', '.join(items)} FROM read_parquet({literal(reader_path(found.repaired or path))}))"
    )
    return Group((found.file,), dict.fromkeys(columns, "VARCHAR"), relation, (relation,), text=True)


def _json_groups(opening: _Opening) -> list[Group]:
    """JSON files are read together unless a key is spelled in two ways; one a file lacks is NULL there."""
    together: dict[tuple[object, ...], list[LogFile]] = {}
    for file, found in opening.json.items():
        odd = tuple(key for key, name in zip(found, opening.canonical(found), strict=True) if key != name)
        together.setdefault((file.format, file.hive, file.partitions, odd), []).append(file)
    groups = []
    for files in together.values():
        folders = opening.canonical(files[0].partitions)
        keys = tuple(dict.fromkeys(key for file in files for key in opening.json[file]))
        names = dict(zip(keys, opening.canonical(keys), strict=True))
        shape = {key: name for key, name in names.items() if name not in folders}
        columns = dict.fromkeys((*shape.values(), *folders), "VARCHAR")
        alone = tuple(_numbered(json_relation([file], shape, FILE)) for file in files)
        groups.append(
            Group(tuple(files), columns, _numbered(json_relation(files, shape, FILE)), alone, text=True)
        )
    return groups


def _shown_types(groups: list[Group]) -> dict[str, str]:
    kinds: dict[str, set[str]] = {}
    for group in groups:
        for name, kind in group.columns.items():
            kinds.setdefault(name, set()).add(kind)
    return {name: agreed_type(found) for name, found in kinds.items()}


def agreed_type(kinds: set[str]) -> str:
    """The one type that can show values of several."""
    kinds = kinds - {'"NULL"', "NULL"} or kinds
    if len(kinds) == 1:
        return next(iter(kinds))
    if all(is_integer(kind) for kind in kinds):
        return "BIGINT" if not kinds & {"UBIGINT", "HUGEINT", "UHUGEINT"} else "DOUBLE"
    return "DOUBLE" if all(is_numeric(kind) for kind in kinds) else "VARCHAR"


def _paths(files: list[LogFile]) -> str:
    return "[" + ", ".join(literal(reader_path(file.path)) for file in files) + "]"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]
