"""Parts are added by numpy: here the same is asked of SQL, over drawn parts with missing values and odd moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from analytics.aggregates import part_sums
from analytics.aggregates.part_sums import Key, coarser, sums_of_parts
from analytics.scope import Grain

ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe")


def drawn(seed: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    days = [datetime(2026, 1, 1) + timedelta(days=int(n)) for n in rng.integers(0, 40, rows)]  # noqa: DTZ001

    def holed(values: list[Any], kind: pa.DataType, share: float = 0.2) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(rows) < share)

    table = pa.table(
        {
            "window_key": pa.array(days, pa.timestamp("us")),
            "version": holed(rng.choice(["a", "b", "c"], rows).tolist(), pa.string()),
            "place": pa.array(rng.integers(-3, 4, rows), pa.int32()),
            "early": holed((rng.random(rows) < 0.5).tolist(), pa.bool_()),
            "n": pa.array(rng.integers(0, 2**62 // max(rows, 1), rows), pa.int64()),
            "k": holed(rng.integers(0, 9, rows).tolist(), pa.int32(), 0.6),
            "s": holed(rng.normal(size=rows).tolist(), pa.float64(), 0.6),
            "low": holed(rng.normal(size=rows).tolist(), pa.float64(), 0.6),
            "high": holed(rng.normal(size=rows).tolist(), pa.float64(), 0.6),
            "least": holed(rng.integers(-9, 9, rows).tolist(), pa.int64(), 0.6),
            "last": holed(days, pa.timestamp("us"), 0.6),
        }
    )
    return pa.concat_tables([table.slice(0, rows // 3), table.slice(rows // 3)])


ITEMS = (
    "CAST(sum(n) AS BIGINT) AS n, CAST(sum(k) AS BIGINT) AS k, sum(s) AS s, min(low) AS low, max(high) AS high, "
    "min(least) AS least, max(last) AS last"
)


def in_sql(parts: pa.Table, window: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.register("parts", parts)
        text = f"SELECT {window} AS window_key, version, place, early, {ITEMS} FROM parts WHERE {where} GROUP BY ALL"
        return connection.sql(text).fetchall()


def same(found: pa.Table, expected: list[tuple[Any, ...]]) -> None:
    def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return sorted(rows, key=lambda row: str(row[:4]))

    rows = ordered([tuple(row.values()) for row in found.to_pylist()])
    assert len(rows) == len(expected)
    for one, other in zip(rows, ordered(expected), strict=True):
        assert one == tuple(
            pytest.approx(value, rel=1e-12, abs=1e-12) if isinstance(value, float) else value
            for value in other
        )


@pytest.mark.parametrize("seed, rows", [(1, 2000), (2, 7), (3, 1), (4, 0)])
@pytest.mark.parametrize("flagged", [1 << 22, 1])
def test_groups_are_those_of_sql(seed: int, rows: int, flagged: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_sums, "_FLAGGED", flagged)
    parts = drawn(seed, rows)
    keys = [
        Key("window_key", coarser("day", "week", ZoneInfo("UTC"))),
        *map(Key, ("version", "place", "early")),
    ]
    found = sums_of_parts(parts, keys, lows=("low", "least"), highs=("high", "last"))
    same(found, in_sql(parts, "date_trunc('week', window_key)"))
    assert found.column_names == parts.column_names
    assert found.schema.field("last").type == pa.timestamp("us")
    assert found.schema.field("k").type == pa.int64()


def test_only_rows_that_count_are_added() -> None:
    parts = drawn(5, 900)
    keys = [
        Key("window_key", coarser("day", "all", ZoneInfo("UTC"))),
        Key("version", counts=lambda value: value == "b"),
        Key("place", lambda value: value % 2, lambda value: value > 0),
        Key("early"),
    ]
    found = sums_of_parts(parts, keys, lows=("low", "least"), highs=("high", "last"))
    counted = "(SELECT * REPLACE (place % 2 AS place) FROM parts WHERE version = 'b' AND place > 0)"
    with duckdb.connect() as connection:
        connection.register("parts", parts)
        kept = connection.sql(f"SELECT * FROM {counted}").to_arrow_table()
    same(found, in_sql(kept, "TIMESTAMP '1970-01-01'"))


def test_not_a_number_is_above_all_numbers_as_in_sql() -> None:
    nan = float("nan")
    parts = pa.table({"g": [0, 0, 1, 2], "low": [nan, 1.0, nan, 2.0], "high": [nan, 1.0, nan, 2.0]})
    twice = pa.concat_tables([parts, parts])
    found = sums_of_parts(twice, [Key("g")], lows=["low"], highs=["high"]).to_pydict()
    assert dict(zip(found["g"], map(str, found["low"]), strict=True)) == {0: "1.0", 1: "nan", 2: "2.0"}
    assert dict(zip(found["g"], map(str, found["high"]), strict=True)) == {0: "nan", 1: "nan", 2: "2.0"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("grain", ["15min", "hour", "day", "week", "month", "all"])
def test_moments_become_what_sql_makes_of_them(zone: str, grain: Grain) -> None:
    # a day around every change of the clocks of 2026, and the turn of a year, every five minutes
    starts = [
        datetime(2026, month, day, tzinfo=UTC)
        for month, day in ((3, 28), (4, 4), (10, 3), (10, 24), (12, 31))
    ]
    moments = [
        (start + timedelta(minutes=5 * n)).replace(tzinfo=None) for start in starts for n in range(2 * 288)
    ]
    told = coarser("5min", grain, ZoneInfo(zone))
    assert told is not None
    local = f"((moment AT TIME ZONE 'UTC') AT TIME ZONE '{zone}')"
    text = {
        "15min": "time_bucket(INTERVAL 15 MINUTE, moment)",
        "hour": "date_trunc('hour', moment)",
        "all": "TIMESTAMP '1970-01-01'",
    }.get(grain, f"CAST(date_trunc('{grain}', {local}) AS TIMESTAMP)")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("moments", pa.table({"moment": pa.array(moments, pa.timestamp("us"))}))
        expected = connection.sql(f"SELECT {text} FROM moments").fetchall()
    assert [(told(moment),) for moment in moments] == expected


def test_local_days_become_weeks_and_months() -> None:
    days = [datetime(2025, 12, 1) + timedelta(days=n) for n in range(400)]  # noqa: DTZ001
    week, month = (coarser("day", grain, ZoneInfo("Asia/Kathmandu")) for grain in ("week", "month"))
    assert week is not None
    assert month is not None
    assert coarser("day", "day", ZoneInfo("UTC")) is None
    for day in days:
        assert week(day).isocalendar()[:2] == day.isocalendar()[:2]
        assert week(day).weekday() == 0
        assert month(day) == day.replace(day=1)
