"""What arrived: one record a log file, with everything that was left out of it, and what that adds up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from analytics.engines.text import identifier, literal
from analytics.errors import FileVanishedError, TelemetryError
from analytics.telemetry import casts, typed
from analytics.telemetry.broken import broken_of, touched
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.experiment_rows import usable
from analytics.telemetry.feeds import FILE, Feed, Group
from analytics.telemetry.file_counts import Counts, counted_once, orphans
from analytics.telemetry.files import LogFile
from analytics.telemetry.invalid import (
    Check,
    experiment_checks,
    label_checks,
    prediction_checks,
    series_checks,
)
from analytics.telemetry.json_files import rejected_lines
from analytics.telemetry.listing import EXPERIMENT_FEEDS
from analytics.telemetry.remembered import remembered
from analytics.telemetry.series_rows import usable_reading

TOUCHED_BYTES = 2_000_000_000
"""Up to this size every value of a group of Parquet files is read, so that a damaged page is found here."""
_NOW = "CAST($now AS TIMESTAMP WITH TIME ZONE)"


@dataclass(frozen=True)
class FileRow:
    """One log file.

    Attributes:
        feed: the section of the project file.
        path: relative to the project's folder where it lies below it.
        format: parquet, csv or json.
        size: bytes on disk.
        rows: records read; None where the file was left out.
        rejected: CSV records as wide as the header and JSON lines that hold an object are read; these are
            the others.
        rejected_lines: the first ten of them by number, as text; None where there are none.
        invalid: values that are not of the declared kind.
        invalid_by_role: the same for each role, as text: ``score 3, timestamp 1``.
        left_out: rows read that no number counts: no usable timestamp, not production, or a label report
            without id, usable label or time.
        duplicates: rows left out because an earlier one has the same id; for labels, exact copies of a
            report.
        future: rows whose timestamp lies after now.
        orphans: label reports whose id is in no prediction; None for other feeds.
        first: earliest usable timestamp.
        last: latest usable timestamp.
        problem: what is wrong with the file, in words; None where nothing is.
    """

    feed: str
    path: str
    format: str
    size: int
    rows: int | None = None
    rejected: int | None = None
    rejected_lines: str | None = None
    invalid: int | None = None
    invalid_by_role: str | None = None
    left_out: int | None = None
    duplicates: int | None = None
    future: int | None = None
    orphans: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True)
class DayCount:
    """Predictions of one version on one local day, and how many of them have a label by now."""

    day: date
    version: str | None
    n: int
    n_labelled: int


def telemetry_report(catalog: Catalog, now: datetime | None = None) -> tuple[FileRow, ...]:
    """One record a file of every feed, in the order of the feeds and of the files' paths.

    Reads every row once. A file whose head is whole but whose rows cannot be read gets the reason as its
    problem.
    """
    moment = now or datetime.now(UTC)
    rows: list[FileRow] = []
    for name, feed in catalog.feeds.items():
        if not catalog.listed[name]:
            rows.append(_no_file(catalog, name))
        counted = _counted(catalog, feed, moment)
        copies = _copies(catalog, name) if counted else {}
        orphans = _orphans(catalog) if name == "labels" and counted else {}
        for file in catalog.listed[name]:
            row = _file_row(catalog, feed, file, counted.get(str(file.path), {}))
            if row.rows is not None:
                row = replace(
                    row,
                    duplicates=copies.get(str(file.path), 0),
                    orphans=orphans.get(str(file.path), 0) if name == "labels" else None,
                )
            rows.append(row)
    return tuple(rows)


def _no_file(catalog: Catalog, name: str) -> FileRow:
    patterns = ", ".join(getattr(catalog.project, name).path)
    return FileRow(name, patterns, "", 0, problem="no log file here (parquet, csv, json or jsonl)")


def rows_per_day(catalog: Catalog) -> tuple[DayCount, ...]:
    """Predictions a local day and version, duplicates left out; days without any are not listed."""
    day = f"CAST(date_trunc('day', p.ts AT TIME ZONE {literal(catalog.project.time_zone)}) AS DATE)"
    label = "p.own_label IS NOT NULL"
    source = "predictions AS p"
    if catalog.has_label_feed:
        label = "l.id IS NOT NULL"
        source += " LEFT JOIN (SELECT DISTINCT id FROM labels) AS l ON p.id = l.id"
    feeds = ("predictions", "labels") if catalog.has_label_feed else ("predictions",)
    found = remembered(
        catalog,
        "rows_per_day",
        f"SELECT {day} AS day, p.version AS version, count(*) AS n, count(*) FILTER ({label}) AS n_labelled "
        f"FROM {source} GROUP BY 1, 2 ORDER BY 1, 2",
        feeds,
    )
    return tuple(DayCount(**row) for row in found.to_pylist())


def _file_row(catalog: Catalog, feed: Feed, file: LogFile, counts: dict[str, Any]) -> FileRow:
    row = FileRow(feed.name, _shown_path(catalog, file), file.format.removesuffix("_array"), file.size)
    reason = feed.damaged.get(file.path) or counts.get("broken")
    if reason is not None:
        return replace(row, problem=reason)
    csv = feed.csv.get(file.path)
    n = counts.get("n", 0)
    rejected, lines = (csv.rejected, csv.rejected_lines) if csv else (0, ())
    if file.format in {"json", "json_array"}:
        n, rejected, lines = rejected_lines(catalog.engine, file)
    roles = {role: n for role, n in counts.get("roles", {}).items() if n}
    said = [
        _rejected_sentence(file, rejected, lines),
        csv.remark if csv else None,
        feed.remarks.get(file.path),
        None if n or rejected else "holds no row",
    ]
    return replace(
        row,
        rows=n,
        rejected=rejected,
        rejected_lines=_numbers(rejected, lines),
        invalid=sum(roles.values()),
        invalid_by_role=", ".join(f"{role} {n}" for role, n in roles.items()) or None,
        left_out=n - counts.get("kept", 0),
        future=counts.get("future", 0),
        first=_utc(counts.get("first")),
        last=_utc(counts.get("last")),
        problem="; ".join(text for text in said if text) or None,
    )


def count_read_files(catalog: Catalog) -> None:
    """Count what is in large logs that somebody has just read, so that the first to ask for a report need not wait.

    No value is looked at only to see whether it can be read.
    """
    for name in ("predictions", "labels", "reference"):
        if catalog.is_large and name in catalog.feeds:
            _counted(catalog, catalog.feeds[name], datetime.now(UTC), touch=False)


def _counted(catalog: Catalog, feed: Feed, now: datetime, *, touch: bool = True) -> Counts:
    """File -> what was counted in it; every value is looked at besides, where ``touch``."""

    def rule(group: Group) -> str:
        return _count_sql(_rules(catalog, feed, group), "")

    return counted_once(
        catalog, feed, rule, lambda group: _count_group(catalog, feed, group, now, touch=touch)
    )


def _count_group(catalog: Catalog, feed: Feed, group: Group, now: datetime, *, touch: bool) -> Counts:
    count = _counter(catalog, feed, group, now, touch=touch)
    try:
        return count(group.relation)
    except FileVanishedError:
        raise
    except TelemetryError:
        # one of the files is at fault: find out which, and count the others
        broken = broken_of(catalog.engine, group)
        counted: Counts = {str(path): {"broken": reason} for path, reason in broken.items()}
        for file, relation in zip(group.files, group.alone, strict=True):
            if file.path not in broken:
                counted |= count(relation)
        return counted


@dataclass(frozen=True)
class _Rules:
    """How the raw rows of one group are counted.

    Attributes:
        checks: of single values.
        instant: the row's time, usable or not.
        kept: whether any number may count the row.
    """

    checks: list[Check]
    instant: str
    kept: str


def _rules(catalog: Catalog, feed: Feed, group: Group) -> _Rules:
    project = catalog.project
    if feed.name in EXPERIMENT_FEEDS:
        checks = experiment_checks(project, feed.name, group, catalog.types_of(feed.name))
        moment = typed.instant(group, getattr(project, feed.name).timestamp, project)
        return _Rules(checks, f"({moment})", usable(project, feed.name, group))
    if feed.name == "counts" and project.counts is not None:
        arm = typed.cast(group, project.counts.variant, casts.as_key, "VARCHAR")
        return _Rules([], f"({typed.instant(group, None, project)})", f"{arm} IS NOT NULL")
    if feed.name == "series" and project.series is not None:
        checks = series_checks(project, project.series, group)
        moment = typed.instant(group, project.series.timestamp, project)
        return _Rules(checks, f"({moment})", usable_reading(project, project.series, group))
    if feed.name == "labels" and project.labels is not None:
        checks = label_checks(project, project.labels, group)
        moment = typed.instant(group, project.labels.timestamp, project)
        name = typed.cast(group, project.labels.id, casts.as_key, "VARCHAR")
        label = typed.label_expression(project.require_predictions(), group, project.labels.label)
        kept = f"{name} IS NOT NULL AND ({label}) IS NOT NULL"
    elif feed.name == "releases":
        checks, moment = [], typed.instant(group, "timestamp", project)
        kept = f"{typed.cast(group, 'version', casts.as_key, 'VARCHAR')} IS NOT NULL"
    else:
        section = project.require_predictions()
        checks = prediction_checks(project, group, catalog.types)
        moment = typed.instant(group, section.timestamp, project)
        split = section.split if feed.name == "predictions" else None
        production = f"lower({typed.cast(group, split, casts.as_key, 'VARCHAR')}) = 'production'"
        kept = "TRUE" if split is None else production
    return _Rules(checks, f"({moment})", f"{casts.usable_instant(f'({moment})')} AND {kept}")


def _counter(
    catalog: Catalog, feed: Feed, group: Group, now: datetime, *, touch: bool
) -> Callable[[str], Counts]:
    rules = _rules(catalog, feed, group)

    def count(relation: str) -> Counts:
        rows = catalog.engine.query(_count_sql(rules, relation), {"now": now}).to_pylist()
        if touch and not group.text and sum(file.size for file in group.files) <= TOUCHED_BYTES:
            catalog.engine.query(f"SELECT {', '.join(touched(group))} FROM {relation}")
        for row in rows:
            row["roles"] = {check.role: row.pop(f"invalid_{i}") for i, check in enumerate(rules.checks)}
        return {row.pop("file"): row for row in rows}

    return count


def _count_sql(rules: _Rules, relation: str) -> str:
    timed = casts.usable_instant(rules.instant)
    items = [
        f"{identifier(FILE)} AS file",
        "count(*) AS n",
        f"count(*) FILTER ({rules.kept}) AS kept",
        f"count(*) FILTER ({timed} AND {rules.instant} > {_NOW}) AS future",
        f"min({rules.instant}) FILTER ({timed}) AS first",
        f"max({rules.instant}) FILTER ({timed}) AS last",
        *(f"count(*) FILTER ({check.invalid}) AS invalid_{i}" for i, check in enumerate(rules.checks)),
    ]
    return f"SELECT {', '.join(items)} FROM {relation} GROUP BY 1"


def _copies(catalog: Catalog, name: str) -> dict[str, int]:
    if name == "labels" and catalog.relabelled:
        text = _repeats("labels", "id, label, ts", "file, row")
    elif name in {"predictions", "reference"} and (listed := _listed(catalog, name)) is not None:
        return listed
    elif name == "predictions" and catalog.duplicated:
        text = _repeats("all_predictions", "id", "ts, file, row")
    elif name == "reference" and catalog.reference_duplicated:
        text = _repeats("all_reference", "id", "ts, file, row")
    else:
        return {}
    return _by_file(catalog, text)


def _listed(catalog: Catalog, name: str) -> dict[str, int] | None:
    return catalog.left_out_rows("predictions" if name == "predictions" else "reference")


def _repeats(view: str, key: str, order: str) -> str:
    place = f"row_number() OVER (PARTITION BY {key} ORDER BY {order})"
    inner = f"SELECT file, {place} AS place FROM {view} WHERE id IS NOT NULL"
    return f"SELECT file, count(*) AS n FROM ({inner}) WHERE place > 1 GROUP BY file"


def _orphans(catalog: Catalog) -> Mapping[str, int]:
    known = catalog.parts.orphans_by_file() if catalog.parts is not None else None
    if known is not None:
        return known
    try:
        found = orphans(catalog)
    except FileVanishedError:
        raise
    except TelemetryError:  # a broken file was named already
        return {}
    if found is not None:
        return found
    ids = " UNION ALL ".join(f"SELECT id FROM {view} WHERE id IS NOT NULL" for view in catalog.sources)
    text = f"SELECT file, count(*) AS n FROM labels AS l ANTI JOIN ({ids}) AS p ON l.id = p.id GROUP BY file"
    return _by_file(catalog, text)


def _by_file(catalog: Catalog, text: str) -> dict[str, int]:
    try:
        return {row["file"]: row["n"] for row in catalog.engine.query(text).to_pylist()}
    except FileVanishedError:
        raise
    except TelemetryError:  # a broken file was named already
        return {}


def _rejected_sentence(file: LogFile, rejected: int, lines: tuple[int, ...]) -> str | None:
    if not rejected:
        return None
    what = {"csv": "cannot be read as a record as wide as the header", "json": "no JSON object"}
    one = rejected == 1
    if file.format == "csv":
        sentence = f"{rejected:,} line{'' if one else 's'} {what['csv']}"
    else:
        place = "element" if file.format == "json_array" else "line"
        sentence = f"{rejected:,} {place}{' is' if one else 's are'} {what['json']}"
    return f"{sentence} ({'line' if one else 'lines'} {_numbers(rejected, lines)})" if lines else sentence


def _numbers(rejected: int, lines: tuple[int, ...]) -> str | None:
    if not lines:
        return None
    return ", ".join(map(str, lines)) + (", …" if rejected > len(lines) else "")


def _shown_path(catalog: Catalog, file: LogFile) -> str:
    folder = catalog.project.folder
    path = file.path.relative_to(folder) if file.path.is_relative_to(folder) else file.path
    return str(path).encode("utf-8", "replace").decode()


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
