"""Answers are cut by local day, and lie in the order of what they are grouped by, which takes less on disk."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from analytics.aggregates.store import parquet_bytes
from analytics.building.build import split_by_day
from analytics.telemetry.parts import Definition

BERLIN = ZoneInfo("Europe/Berlin")


def _definition(grain):
    return Definition("name", "key", labelled=False, source="predictions", grain=grain)


def test_rows_of_a_day_lie_in_the_order_of_their_keys():
    rng = np.random.default_rng(3)
    n = 2_000
    days = [datetime(2026, 3, 1 + day) for day in rng.integers(0, 4, n)]  # noqa: DTZ001  # local days
    table = pa.table(
        {
            "window_key": days,
            "version": pa.array([("a", "b", None)[one] for one in rng.integers(0, 3, n)]),
            "place": rng.integers(0, 90, n),
            "n": rng.integers(1, 9, n),
        }
    )
    cut = split_by_day(table, _definition("day"), BERLIN, ["window_key", "version", "place"])
    assert sorted(cut) == [datetime(2026, 3, day) for day in (1, 2, 3, 4)]  # noqa: DTZ001
    for day, rows in cut.items():
        assert set(rows["window_key"].to_pylist()) == {day}
        keys = [(row["version"] or "z", row["place"]) for row in rows.to_pylist()]
        assert keys == sorted(keys)
    together = pa.concat_tables(cut.values())
    order = [(name, "ascending") for name in table.column_names]
    assert together.sort_by(order) == table.sort_by(order)
    assert len(parquet_bytes(together)) < 0.8 * len(parquet_bytes(table))


def test_minutes_are_cut_by_the_day_of_a_zone():
    moments = [datetime(2026, 3, 1, 22, 55), datetime(2026, 3, 1, 23, 0), datetime(2026, 3, 1, 22, 50)]  # noqa: DTZ001
    table = pa.table({"window_key": moments, "n": [1, 2, 3]})
    cut = split_by_day(table, _definition("5min"), BERLIN, ["window_key"])
    assert {day.day: rows["n"].to_pylist() for day, rows in cut.items()} == {1: [3, 1], 2: [2]}


def test_of_no_rows_there_is_no_day():
    table = pa.table({"window_key": pa.array([], pa.timestamp("us")), "n": pa.array([], pa.int64())})
    assert split_by_day(table, _definition("day"), BERLIN, ["window_key"]) == {}
