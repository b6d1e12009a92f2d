"""What was counted in log files that have not changed since, and label reports that no prediction is known for.

Counting reads every value of a file; of large logs that is done once for each file and kept in the user's cache
folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.telemetry.beside import written_beside
from analytics.telemetry.catalog import Catalog, KnownView
from analytics.telemetry.facts import FILES_AT_ONCE, facts_folder
from analytics.telemetry.feeds import Feed, Group
from analytics.telemetry.files import LogFile

MOST_ORPHANS = 1_000_000
"""Beyond so many, label reports without a prediction are counted anew when a file is new."""
_UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError, TypeError)
_State = tuple[str, int, int]
Counts = dict[str, dict[str, Any]]
"""File -> what was counted in it."""


def counted_once(
    catalog: Catalog, feed: Feed, rule: Callable[[Group], str], count: Callable[[Group], Counts]
) -> Counts:
    """Count every file of a feed, those that were counted before from memory where the logs are large.

    Args:
        catalog: the project's logs.
        feed: whose files.
        rule: a group -> the text of what is counted in its files; where it differs they are counted anew.
        count: a group of some files -> what is in each.
    """
    if not catalog.is_large:
        return {path: counts for group in feed.groups for path, counts in count(group).items()}
    place = _place(catalog, f"report-{feed.name}")
    known = _recalled(place)
    found: Counts = {}
    current: Counts = {}
    for group in feed.groups:
        meaning = _hash(rule(group))
        told = {
            file: counts for file in group.files if (counts := known.get(_key(file, meaning))) is not None
        }
        new: Counts = {}
        for some in _batches(group, [file for file in group.files if file not in told]):
            new |= count(some)
        found |= {str(file.path): counts for file, counts in told.items()} | new
        for file in group.files:
            counts = found.get(str(file.path))
            # rows in the future are past one day, and a damaged file is looked at again
            if counts is not None and "broken" not in counts and not counts.get("future"):
                current[_key(file, meaning)] = _plain(counts)
    if current.keys() != known.keys():
        _keep(place, current)
    return found


def orphans(catalog: Catalog) -> dict[str, int] | None:
    """Label reports by file whose id is in no prediction; None where the logs are small or there are too many.

    Known ones are looked up in new predictions, and new reports in all of them: the large side only passes by.

    Raises:
        TelemetryError: a file cannot be read.
    """
    if not catalog.is_large:
        return None
    place = _place(catalog, "orphans")
    every: tuple[KnownView, ...] = ("predictions", "reference", "labels")
    sides: list[KnownView] = [name for name in every if name in catalog.feeds]
    meaning = _hash(f"{sides} {catalog.project.predictions!r} {catalog.project.labels!r}")
    files = {name: {_hash(repr(_state(file))): file for file in catalog.feeds[name].files} for name in sides}
    said, kept = _recalled_orphans(place)
    seen = {name: frozenset(said.get(name, ())) for name in sides}
    if said.get("meaning") != meaning or any(not seen[name] <= files[name].keys() for name in sides):
        seen, kept = {name: frozenset() for name in sides}, _no_orphans()
    new = {name: [file for key, file in files[name].items() if key not in seen[name]] for name in sides}
    if any(new.values()):
        kept = _with_new(catalog, kept, new)
        if kept.num_rows > MOST_ORPHANS:
            return None
        _keep_orphans(place, {"meaning": meaning} | {name: sorted(files[name]) for name in sides}, kept)
    counts: dict[str, int] = {}
    for file in kept["file"].to_pylist():
        counts[file] = counts.get(file, 0) + 1
    return counts


def _with_new(catalog: Catalog, kept: pa.Table, new: Mapping[KnownView, list[LogFile]]) -> pa.Table:
    tables = []
    sides: tuple[KnownView, ...] = ("predictions", "reference")
    for name in sides:
        if kept.num_rows and new.get(name):
            text = f"SELECT file, id FROM known_orphans ANTI JOIN ({catalog.rows_of(name, new[name])}) AS p USING (id)"
            kept = catalog.engine.query(text, tables={"known_orphans": kept})
    tables.append(kept)
    if new["labels"]:
        ids = " UNION ALL ".join(f"SELECT id FROM {view} WHERE id IS NOT NULL" for view in catalog.sources)
        reports = catalog.rows_of("labels", new["labels"])
        text = f"SELECT file, id FROM ({reports}) AS l ANTI JOIN ({ids}) AS p USING (id) LIMIT {MOST_ORPHANS + 1}"
        tables.append(catalog.engine.query(text))
    return pa.concat_tables([table.cast(_no_orphans().schema) for table in tables])


def _no_orphans() -> pa.Table:
    return pa.table({"file": pa.array([], pa.string()), "id": pa.array([], pa.string())})


def _batches(group: Group, files: list[LogFile]) -> Iterator[Group]:
    for start in range(0, len(files), FILES_AT_ONCE):
        some = group.only(frozenset(files[start : start + FILES_AT_ONCE]))
        if some is not None:
            yield some


# ------------------------------------------------------------------ keeping


def _state(file: LogFile) -> _State:
    return str(file.path), file.size, file.modified_ns


def _key(file: LogFile, meaning: str) -> str:
    return _hash(repr((*_state(file), meaning)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:24]


def _place(catalog: Catalog, what: str) -> Path:
    project = catalog.project
    return facts_folder(project) / f"{what}-{_hash(str(project.file.absolute()))}.parquet"


def _plain(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in counts.items()
    }


def _recalled(place: Path) -> Counts:
    try:
        table = pq.read_table(place)
        found = {}
        for key, text in zip(table["key"].to_pylist(), table["counts"].to_pylist(), strict=True):
            counts = json.loads(text)
            for name in ("first", "last"):
                if counts.get(name) is not None:
                    counts[name] = datetime.fromisoformat(counts[name])
            found[key] = counts
    except _UNREADABLE:
        return {}
    return found


def _keep(place: Path, current: Mapping[str, Mapping[str, Any]]) -> None:
    _written(
        place,
        pa.table(
            {
                "key": pa.array(list(current), pa.string()),
                "counts": pa.array([json.dumps(one) for one in current.values()], pa.string()),
            }
        ),
    )


def _recalled_orphans(place: Path) -> tuple[dict[str, Any], pa.Table]:
    try:
        table = pq.read_table(place)
        said = json.loads((table.schema.metadata or {})[b"assay"])
        return dict(said), table.select(["file", "id"]).replace_schema_metadata(None)
    except _UNREADABLE:
        return {}, _no_orphans()


def _keep_orphans(place: Path, said: Mapping[str, Any], kept: pa.Table) -> None:
    _written(place, kept.replace_schema_metadata({"assay": json.dumps(said)}))


def _written(place: Path, table: pa.Table) -> None:
    written_beside(place, lambda unfinished: pq.write_table(table, unfinished, compression="zstd"))
