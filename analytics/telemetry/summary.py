"""What the telemetry of a project adds up to: facts for tiles, and sentences about what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import FileRow

_NAMED_FILES = 3


@dataclass(frozen=True)
class FeedSummary:
    """One feed over all its files.

    Attributes:
        feed: the section of the project file.
        files: how many there are.
        unread: how many of them were left out as damaged.
        rows: records read.
        rejected: lines that hold no record.
        invalid: values not of the declared kind.
        left_out: rows that no number counts.
        duplicates: rows left out as repeated.
        future: rows with a timestamp after now.
        orphans: label reports without a prediction; None for other feeds.
        first: earliest usable timestamp.
        last: latest usable timestamp that is not in the future, else the latest.
        age_seconds: from the latest timestamp until now; None without rows.
    """

    feed: str
    files: int
    unread: int
    rows: int
    rejected: int
    invalid: int
    left_out: int
    duplicates: int
    future: int
    orphans: int | None
    first: datetime | None
    last: datetime | None
    age_seconds: float | None


@dataclass(frozen=True)
class TelemetrySummary:
    """Every feed, and what a reader should know, worst first; no sentence where all is well."""

    feeds: tuple[FeedSummary, ...]
    sentences: tuple[str, ...]


def summarise(catalog: Catalog, rows: Sequence[FileRow], now: datetime | None = None) -> TelemetrySummary:
    """Add up the records of `telemetry_report`.

    Args:
        catalog: the project's views.
        rows: the report.
        now: for the age of the newest row; the clock where left out.
    """
    moment = now or datetime.now(UTC)
    feeds = tuple(
        _feed(catalog, name, [row for row in rows if row.feed == name], moment) for name in catalog.feeds
    )
    sentences: list[str] = []
    for feed in feeds:
        sentences += _sentences(feed, [row for row in rows if row.feed == feed.feed])
    return TelemetrySummary(feeds, tuple(sentences))


def _feed(catalog: Catalog, name: str, rows: Sequence[FileRow], now: datetime) -> FeedSummary:
    read = [row for row in rows if row.rows is not None]
    firsts = [row.first for row in read if row.first is not None]
    lasts = [row.last for row in read if row.last is not None]
    last = max(lasts, default=None)
    if name == "predictions" and catalog.extent is not None:
        last = catalog.extent[1]
    return FeedSummary(
        name,
        files=len(rows),
        unread=len(rows) - len(read),
        rows=sum(row.rows or 0 for row in read),
        rejected=sum(row.rejected or 0 for row in read),
        invalid=sum(row.invalid or 0 for row in read),
        left_out=sum(row.left_out or 0 for row in read),
        duplicates=sum(row.duplicates or 0 for row in read),
        future=sum(row.future or 0 for row in read),
        orphans=sum(row.orphans or 0 for row in read) if name == "labels" else None,
        first=min(firsts, default=None),
        last=last,
        age_seconds=None if last is None else (now - last).total_seconds(),
    )


def _sentences(feed: FeedSummary, rows: Sequence[FileRow]) -> list[str]:
    said = [f"{feed.feed}: {row.path} was left out: {row.problem}" for row in rows if row.rows is None][
        :_NAMED_FILES
    ]
    if feed.unread > _NAMED_FILES:
        said.append(f"{feed.feed}: {feed.unread - _NAMED_FILES:,} more files were left out")
    remarked = [row for row in rows if row.rows is not None and row.problem is not None]
    said += [f"{feed.feed}: {row.path}: {row.problem}" for row in remarked[:_NAMED_FILES]]
    if len(remarked) > _NAMED_FILES:
        rejected = sum(row.rejected or 0 for row in remarked[_NAMED_FILES:])
        said.append(
            f"{feed.feed}: {len(remarked) - _NAMED_FILES:,} more files with {rejected:,} damaged lines"
        )
    if feed.invalid:
        said.append(f"{_count(feed, feed.invalid, 'value')} not of the declared kind ({_roles(rows)})")
    if feed.left_out:
        why = "id, label or time cannot be used" if feed.feed == "labels" else "it has no usable timestamp"
        if feed.feed == "predictions":
            why += " or is not production"
        said.append(f"{_count(feed, feed.left_out, 'row')} left out because {why}")
    if feed.duplicates:
        said.append(
            f"{_count(feed, feed.duplicates, 'row')} left out as duplicates; the first of each id is kept"
        )
    if feed.future:
        said.append(f"{_count(feed, feed.future, 'row')} dated in the future")
    if feed.orphans:
        said.append(f"{_count(feed, feed.orphans, 'label')} without a prediction of that id")
    return said


def _count(feed: FeedSummary, count: int, word: str) -> str:
    one = count == 1
    of = f" of {feed.rows:,}" if word != "value" else ""
    return f"{feed.feed}: {count:,}{of} {word}{'' if one and not of else 's'} {'is' if one else 'are'}"


def _roles(rows: Sequence[FileRow]) -> str:
    total: dict[str, int] = {}
    for row in rows:
        for part in (row.invalid_by_role or "").split(", "):
            role, _, n = part.rpartition(" ")
            if role:
                total[role] = total.get(role, 0) + int(n)
    return ", ".join(f"{role} {n:,}" for role, n in sorted(total.items(), key=lambda item: -item[1]))
