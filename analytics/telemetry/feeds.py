"""A feed: files of one kind of row, in any mix of formats and schemas, read where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier, literal
from analytics.errors import TelemetryError
from analytics.telemetry.casts import is_integer, is_numeric
from analytics.telemetry.files import LogFile, sql_path

FILE = "assay:file"
ROW = "assay:row"
SNIFF_ROWS = 20_000


@dataclass(frozen=True)
class Group:
    """Files that share a format and a schema, with the table function that reads them."""

    files: tuple[LogFile, ...]
    columns: dict[str, str]
    relation: str

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
    """

    name: str
    groups: tuple[Group, ...]
    columns: dict[str, str]
    damaged: dict[Path, str]

    @property
    def files(self) -> tuple[LogFile, ...]:
        """Every readable file."""
        return tuple(file for group in self.groups for file in group.files)

    def require(self, column: str, key: str, project_file: Path) -> None:
        """Refuse a column that no file has.

        Raises:
            TelemetryError: names the key, what was found and the nearest column.
        """
        if column in self.columns:
            return
        near = get_close_matches(column, self.columns, n=1)
        hint = f' (did you mean "{near[0]}"?)' if near else ""
        raise TelemetryError(
            f'{project_file}: {key} = "{column}": no file of [{self.name}] has this column{hint}; '
            f"columns: {', '.join(list(self.columns)[:40])}"
        )


def open_feed(engine: DuckDBEngine, name: str, files: Iterable[LogFile], declared: Iterable[str]) -> Feed:
    """Look at every file's schema and group the readable ones.

    Args:
        engine: reads the heads of text files.
        name: the section of the project file.
        files: as listed.
        declared: columns the project file names; looked for even where a sample of JSON lines lacks them.

    Raises:
        TelemetryError: not one file can be read.
    """
    damaged: dict[Path, str] = {}
    parquet: dict[tuple[object, ...], tuple[list[LogFile], dict[str, str]]] = {}
    text: list[Group] = []
    files = tuple(files)
    for file in files:
        if file.format == "parquet":
            schema = _parquet_columns(engine, file, damaged)
            if schema is not None:
                key = (file.hive, *schema.items())
                parquet.setdefault(key, ([], schema))[0].append(file)
        elif (group := _text_group(engine, file, tuple(declared), damaged)) is not None:
            text.append(group)
    groups = [*(_parquet_group(members, schema) for members, schema in parquet.values()), *_merged(text)]
    if not groups:
        reasons = "; ".join(f"{path.name}: {reason}" for path, reason in list(damaged.items())[:3])
        raise TelemetryError(f"[{name}]: not one of {len(files)} files can be read ({reasons})")
    return Feed(name, tuple(groups), _shown_types(groups), damaged)


def _parquet_columns(engine: DuckDBEngine, file: LogFile, damaged: dict[Path, str]) -> dict[str, str] | None:
    try:
        pq.read_metadata(file.path)
    except (pa.ArrowException, OSError) as error:
        damaged[file.path] = f"the Parquet footer cannot be read ({_short(error)})"
        return None
    try:
        return _described(engine, _parquet_relation([file]))
    except TelemetryError as error:
        damaged[file.path] = f"cannot be read ({_short(error)})"
        return None


def _described(engine: DuckDBEngine, relation: str) -> dict[str, str]:
    rows = engine.query(f"DESCRIBE SELECT * FROM {relation}").to_pylist()
    hidden = {FILE, ROW, "file_row_number"}
    return {row["column_name"]: row["column_type"] for row in rows if row["column_name"] not in hidden}


def _parquet_relation(files: list[LogFile]) -> str:
    hive = "true" if files[0].hive else "false"
    return (
        f"read_parquet({_paths(files)}, filename = {literal(FILE)}, file_row_number = true, "
        f"union_by_name = true, hive_partitioning = {hive})"
    )


def _parquet_group(files: list[LogFile], columns: dict[str, str]) -> Group:
    relation = _parquet_relation(files)
    return Group(tuple(files), columns, f"(SELECT *, file_row_number AS {identifier(ROW)} FROM {relation})")


def _text_group(
    engine: DuckDBEngine, file: LogFile, declared: tuple[str, ...], damaged: dict[Path, str]
) -> Group | None:
    if file.size == 0:
        damaged[file.path] = "the file is empty"
        return None
    try:
        if file.format == "csv":
            columns = _described(engine, csv_relation([file]))
        else:
            columns = dict.fromkeys(_json_keys(engine, file), "VARCHAR")
    except TelemetryError as error:
        damaged[file.path] = f"cannot be read ({_short(error)})"
        return None
    if not columns or not set(declared) & set(columns):
        damaged[file.path] = "has none of the declared columns" if columns else "holds no JSON object"
        return None
    return Group((file,), columns, "")


def csv_relation(files: list[LogFile], options: str = "ignore_errors = true") -> str:
    """The table function for CSV files: every column as text, cast later, so that no value is lost silently."""
    hive = "true" if files[0].hive else "false"
    return (
        f"read_csv({_paths(files)}, all_varchar = true, header = true, {options}, "
        f"filename = {literal(FILE)}, union_by_name = true, hive_partitioning = {hive})"
    )


def _json_format(file: LogFile) -> str:
    return "array" if file.format == "json_array" else "newline_delimited"


def _json_keys(engine: DuckDBEngine, file: LogFile) -> list[str]:
    ignore = ", ignore_errors = true" if file.format == "json" else ""
    rows = engine.query(
        f"SELECT key, min(position) AS position FROM (SELECT unnest(json_keys(json)) AS key, "
        f"generate_subscripts(json_keys(json), 1) AS position FROM (SELECT json FROM "
        f"read_json_objects({_paths([file])}, format = {literal(_json_format(file))}{ignore}) "
        f"WHERE json_type(json) = 'OBJECT' LIMIT {SNIFF_ROWS})) GROUP BY key ORDER BY position, key"
    ).to_pylist()
    return [row["key"] for row in rows]


def _json_relation(files: list[LogFile], columns: dict[str, str]) -> str:
    shape = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    ignore = "ignore_errors = true, " if files[0].format == "json" else ""
    source = (
        f"read_json({_paths(files)}, format = {literal(_json_format(files[0]))}, columns = {{{shape}}}, {ignore}"
        f"filename = {literal(FILE)}, maximum_object_size = 16777216)"
    )
    # a line that is no JSON object comes back as a row of NULLs; it is counted by the report, not read here
    some = " OR ".join(f"{identifier(column)} IS NOT NULL" for column in columns)
    return f"(SELECT *, row_number() OVER () AS {identifier(ROW)} FROM {source} WHERE {some})"


def _merged(groups: list[Group]) -> list[Group]:
    """Text files of one format and one set of columns are read by one table function."""
    together: dict[tuple[object, ...], list[Group]] = {}
    for group in groups:
        file = group.files[0]
        together.setdefault((file.format, file.hive, tuple(sorted(group.columns))), []).append(group)
    merged = []
    for (format_, *_), members in together.items():
        files = [group.files[0] for group in members]
        columns = members[0].columns
        if format_ == "csv":
            relation = f"(SELECT *, row_number() OVER () AS {identifier(ROW)} FROM {csv_relation(files)})"
        else:
            relation = _json_relation(files, columns)
        merged.append(Group(tuple(files), columns, relation))
    return merged


def sniffed_types(engine: DuckDBEngine, feed: Feed) -> dict[str, str]:
    """What the text columns of a feed hold, judged by the head of each group: BIGINT, DOUBLE, BOOLEAN or VARCHAR."""
    columns = [name for name, kind in feed.columns.items() if kind == "VARCHAR"]
    verdicts: dict[str, set[str]] = {name: set() for name in columns}
    for group in feed.groups:
        if group.files[0].format == "parquet":
            for name in columns:
                if (kind := group.kind(name)) is not None:
                    verdicts[name].add(kind)
            continue
        present = [name for name in columns if name in group.columns]
        counts = engine.query(_sniff_sql(group, present)).to_pylist()[0] if present else {}
        for index, name in enumerate(present):
            verdicts[name] |= _verdict(counts, index)
    return {name: _agreed(found) for name, found in verdicts.items() if found}


def _sniff_sql(group: Group, columns: list[str]) -> str:
    parts = []
    for index, name in enumerate(columns):
        column = identifier(name)
        parts.append(
            f"count({column}) AS n{index}, count(TRY_CAST({column} AS DOUBLE)) AS d{index}, "
            f"count(*) FILTER (TRY_CAST({column} AS BIGINT) IS NOT NULL AND NOT contains({column}, '.')) AS i{index}, "
            f"count(*) FILTER (lower({column}) IN ('true', 'false')) AS b{index}"
        )
    return f"SELECT {', '.join(parts)} FROM (SELECT * FROM {group.relation} LIMIT {SNIFF_ROWS})"


def _verdict(counts: dict[str, int], index: int) -> set[str]:
    total = counts[f"n{index}"]
    if total == 0:
        return set()
    # one stray word among numbers is damage to be counted, not a change of type
    enough = 0.99 * total if total >= 100 else total
    for key, kind in (("b", "BOOLEAN"), ("i", "BIGINT"), ("d", "DOUBLE")):
        if counts[f"{key}{index}"] >= enough:
            return {kind}
    return {"VARCHAR"}


def _shown_types(groups: list[Group]) -> dict[str, str]:
    kinds: dict[str, set[str]] = {}
    for group in groups:
        for name, kind in group.columns.items():
            kinds.setdefault(name, set()).add(kind)
    return {name: _agreed(found) for name, found in kinds.items()}


def _agreed(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    if all(is_integer(kind) for kind in kinds):
        return "BIGINT"
    return "DOUBLE" if all(is_numeric(kind) for kind in kinds) else "VARCHAR"


def _paths(files: list[LogFile]) -> str:
    return "[" + ", ".join(literal(sql_path(file.path)) for file in files) + "]"


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:160]
