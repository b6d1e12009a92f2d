"""What the columns of some logs look like, so that `analytics.telemetry.propose` can guess what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier
from analytics.telemetry.casts import (
    as_double,
    as_instant,
    as_text,
    is_integer,
    is_numeric,
    present,
    usable_instant,
)
from analytics.telemetry.feeds import Feed, Group, open_feed
from analytics.telemetry.files import LogFile
from analytics.telemetry.sniff import sniffed_types

PROFILE_ROWS = 50_000
MOST_VALUES = 60


@dataclass(frozen=True)
class ColumnProfile:
    """One column over the first rows of its logs.

    Attributes:
        name: as logged.
        kind: the type it is shown in.
        n: rows where something is logged.
        distinct: how many different values.
        numbers: rows that hold a number.
        low: the smallest finite one.
        high: the largest finite one.
        instants: rows that hold a usable instant.
        values: the values and their counts, most frequent first, where there are few.
    """

    name: str
    kind: str
    n: int
    distinct: int
    numbers: int
    low: float | None
    high: float | None
    instants: int
    values: dict[str, int]

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers only."""
        return self.n > 0 and self.numbers >= 0.99 * self.n and self.kind != "BOOLEAN"

    @property
    def is_time(self) -> bool:
        """Whether it holds instants only, written as such or as epochs."""
        return self.n > 0 and self.instants >= 0.99 * self.n

    @property
    def is_written_time(self) -> bool:
        """Whether its type or its text alone tells that it is a time."""
        return self.is_time and not self.is_number and self.kind != "BOOLEAN"

    @property
    def is_share(self) -> bool:
        """Whether all its numbers lie between 0 and 1."""
        return (
            self.is_number
            and self.low is not None
            and self.high is not None
            and 0 <= self.low <= self.high <= 1
        )

    @property
    def is_unique(self) -> bool:
        """Whether (nearly) every row has a value of its own."""
        return self.n > 0 and self.distinct >= 0.99 * self.n


@dataclass(frozen=True)
class FeedProfile:
    """Some log files of one shape.

    Attributes:
        paths: what to write after ``path =``.
        rows: rows looked at.
        columns: their profiles, in logged order.
        partitions: columns told by folder names.
        damaged: how many files could not be read.
    """

    paths: tuple[str, ...]
    rows: int
    columns: dict[str, ColumnProfile]
    partitions: frozenset[str]
    damaged: int
    feed: Feed

    def looks_like(self, other: FeedProfile) -> bool:
        """Whether two feeds have mostly the same columns."""
        mine, others = set(self.columns), set(other.columns)
        return len(mine & others) >= 0.8 * max(1, min(len(mine), len(others))) and len(mine & others) > 2


def profile_feed(engine: DuckDBEngine, paths: tuple[str, ...], files: tuple[LogFile, ...]) -> FeedProfile:
    """Read the first rows of some files."""
    feed = open_feed(engine, "logs", files, ())
    types = feed.columns | sniffed_types(engine, feed)
    columns: dict[str, ColumnProfile] = {}
    rows = 0
    for group in sorted(feed.groups, key=lambda group: -len(group.columns))[:3]:
        head = _head(group)
        rows = max(rows, engine.query(f"SELECT count(*) AS n FROM ({head})").to_pylist()[0]["n"])
        for name, kind in group.columns.items():
            if name not in columns:
                columns[name] = _column(engine, head, name, kind, types[name])
    ordered = {name: columns[name] for name in feed.columns if name in columns}
    return FeedProfile(paths, rows, ordered, feed.partitions, len(feed.damaged), feed)


def sums_to_one(engine: DuckDBEngine, profile: FeedProfile, names: tuple[str, ...]) -> bool:
    """Whether some columns are the probabilities of classes: in (nearly) every row they add up to 1."""
    for group in profile.feed.groups:
        if all(name in group.columns for name in names):
            total = " + ".join(f"({as_double(identifier(name), group.columns[name])})" for name in names)
            row = engine.query(
                f"SELECT count(total) AS n, count(*) FILTER (abs(total - 1e0) < 1e-3) AS fit "
                f"FROM (SELECT {total} AS total FROM ({_head(group)}))"
            ).to_pylist()[0]
            return bool(row["n"] > 0 and row["fit"] >= 0.99 * row["n"])
    return False


def _head(group: Group) -> str:
    if group.text:
        return group.head
    return f"SELECT * FROM {group.relation} LIMIT {PROFILE_ROWS}"


def _column(engine: DuckDBEngine, head: str, name: str, kind: str, shown: str) -> ColumnProfile:
    column = identifier(name)
    there = present(column, kind)
    nested = not (
        is_numeric(kind) or kind in {"VARCHAR", "BOOLEAN", "DATE", "UUID"} or kind.startswith("TIMESTAMP")
    )
    number = (
        as_double(column, kind)
        if is_numeric(kind) or kind in {"VARCHAR", "BOOLEAN"}
        else "CAST(NULL AS DOUBLE)"
    )
    instant = f"({as_instant(column, kind, 'UTC')})"
    text = f"CAST({column} AS VARCHAR)" if nested or is_integer(kind) else as_text(column, kind)
    inside = (
        f"SELECT {there} AS there, {number} AS number, {instant} AS instant, {text} AS text FROM ({head})"
    )
    row = engine.query(
        "SELECT count(*) FILTER (there) AS n, count(DISTINCT text) FILTER (there) AS different, "
        "count(number) FILTER (there) AS numbers, "
        "min(number) FILTER (isfinite(number)) AS low, max(number) FILTER (isfinite(number)) AS high, "
        f"count(*) FILTER (there AND {usable_instant('instant')}) AS instants FROM ({inside})"
    ).to_pylist()[0]
    values: dict[str, int] = {}
    if 0 < row["different"] <= MOST_VALUES:
        counts = engine.query(
            f"SELECT text, count(*) AS n FROM ({inside}) WHERE there GROUP BY text ORDER BY n DESC, text"
        ).to_pylist()
        values = {item["text"]: item["n"] for item in counts}
    return ColumnProfile(
        name,
        shown,
        row["n"],
        row["different"],
        row["numbers"],
        row["low"],
        row["high"],
        row["instants"],
        values,
    )
