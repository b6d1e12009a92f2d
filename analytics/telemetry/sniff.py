"""What the text columns of CSV and JSON logs hold: numbers, truth values, times, or text."""

from __future__ import annotations

from typing import Any

from analytics.engines.duckdb import DuckDBEngine
from analytics.engines.text import identifier
from analytics.telemetry.casts import present
from analytics.telemetry.feeds import Feed, agreed_type

_READ_WHOLE_BYTES = 200_000_000
_ENOUGH = 0.99
_MANY = 100
# numbers whose leading zeros would be lost are names of things: 00501 is a place
_WRITTEN_NUMBER = r"'^\s*[-+]?0[0-9]'"


def sniffed_types(engine: DuckDBEngine, feed: Feed) -> dict[str, str]:
    """The type of every column that is logged as text somewhere: DOUBLE, BOOLEAN, TIMESTAMP or VARCHAR.

    Judged by the head of some files of each group; a column that holds nothing there is looked at from end
    to end, unless that would take long.
    """
    columns = [name for name, kind in feed.columns.items() if kind == "VARCHAR"]
    verdicts: dict[str, set[str]] = {name: set() for name in columns}
    for group in feed.groups:
        if not group.text:
            for name in columns:
                if (kind := group.kind(name)) is not None:
                    verdicts[name].add(kind)
            continue
        wanted = [name for name in columns if name in group.columns and name not in feed.partitions]
        found = _look(engine, wanted, group.head)
        empty = [name for name in wanted if not found[name]]
        if empty and sum(file.size for file in group.files) <= _READ_WHOLE_BYTES:
            found |= _look(engine, empty, f"SELECT * FROM {group.relation}")
        for name, kinds in found.items():
            verdicts[name] |= kinds
    return {name: agreed_type(kinds) for name, kinds in verdicts.items() if kinds}


def _look(engine: DuckDBEngine, columns: list[str], rows: str) -> dict[str, set[str]]:
    if not columns:
        return {}
    parts = []
    for index, name in enumerate(columns):
        column = identifier(name)
        there = present(column, "VARCHAR")
        number = (
            f"TRY_CAST({column} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({column}, {_WRITTEN_NUMBER})"
        )
        parts.append(
            f"count(*) FILTER ({there}) AS n{index}, count(*) FILTER ({there} AND {number}) AS d{index}, "
            f"count(*) FILTER (lower({column}) IN ('true', 'false')) AS b{index}, "
            # which zone it is in does not matter for this
            f"count(TRY_CAST({column} AS TIMESTAMP)) AS t{index}"
        )
    counts = engine.query(f"SELECT {', '.join(parts)} FROM ({rows})").to_pylist()[0]
    return {name: _verdict(counts, index) for index, name in enumerate(columns)}


def _verdict(counts: dict[str, Any], index: int) -> set[str]:
    total = counts[f"n{index}"]
    if total == 0:
        return set()
    # one stray word among numbers is damage to be counted, not a change of type
    enough = _ENOUGH * total if total >= _MANY else total
    for key, kind in (("b", "BOOLEAN"), ("d", "DOUBLE"), ("t", "TIMESTAMP")):
        if counts[f"{key}{index}"] >= enough:
            return {kind}
    return {"VARCHAR"}
