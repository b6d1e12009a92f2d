"""Whatever way an instant is written, it is the same instant; what is none is never one."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.telemetry.logs import csv, open_catalog, put, report, rows

NOON = datetime(2024, 1, 15, 17, 0, tzinfo=UTC)  # noon in New York
SECONDS = int(NOON.timestamp())


def naive(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def read(folder: Path, column: pa.Array, zone: str = "America/New_York") -> list[datetime]:
    n = len(column)
    (folder / "p").mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": range(n), "ts": column, "score": [0.5] * n}), folder / "p/a.parquet")
    return [row["ts"].astimezone(UTC) for row in rows(open_catalog(folder, time_zone=zone))]


@pytest.mark.parametrize(
    "value, kind",
    [
        (NOON, pa.timestamp("us", "UTC")),
        (NOON, pa.timestamp("ns", "UTC")),
        (NOON, pa.timestamp("ms", "Asia/Tokyo")),
        (NOON, pa.timestamp("s", "UTC")),
        (naive(2024, 1, 15, 12), pa.timestamp("us")),
        (naive(2024, 1, 15, 12), pa.timestamp("ns")),
        (naive(2024, 1, 15, 12), pa.timestamp("s")),
        (SECONDS, pa.int64()),
        (SECONDS, pa.int32()),
        (SECONDS, pa.float64()),
        (SECONDS * 1_000, pa.int64()),
        (SECONDS * 1_000_000, pa.int64()),
        (SECONDS * 1_000_000_000, pa.int64()),
        (SECONDS * 1_000_000_000, pa.uint64()),
        ("2024-01-15T17:00:00Z", pa.string()),
        ("2024-01-15 17:00:00+00", pa.string()),
        ("2024-01-15T17:00Z", pa.string()),
        ("2024-01-15T19:00:00.000+02:00", pa.string()),
        ("2024-01-15T19:00:00+0200", pa.string()),
        ("2024-01-15 17:00:00 UTC", pa.string()),
        ("2024-01-15 09:00:00 America/Los_Angeles", pa.string()),
        ("2024-01-15T12:00:00", pa.string()),
        ("2024-01-15 12:00", pa.string()),
        ("2024/01/15 12:00:00", pa.string()),
        ("2024-01-15 12:00:00,000", pa.string()),
        (" 2024-01-15T12:00:00.000000000 ", pa.string()),
        (str(SECONDS), pa.string()),
        (f"{SECONDS}.0", pa.string()),
        (str(SECONDS * 1_000), pa.string()),
    ],
)
def test_one_instant_however_it_is_written(tmp_path: Path, value: Any, kind: pa.DataType) -> None:
    assert read(tmp_path, pa.array([value], kind)) == [NOON]


@pytest.mark.parametrize(
    "value, kind",
    [
        (date(2024, 1, 15), pa.date32()),
        ("2024-01-15", pa.string()),
        ("20240115", pa.string()),
        (20240115, pa.int64()),
    ],
)
def test_a_day_begins_at_local_midnight(tmp_path: Path, value: Any, kind: pa.DataType) -> None:
    assert read(tmp_path, pa.array([value], kind)) == [datetime(2024, 1, 15, 5, tzinfo=UTC)]


@pytest.mark.parametrize(
    "value",
    [
        "yesterday", "15.01.2024", "01/15/2024", "2024-02-30", "2024-01-15T10:00:00 PM", "10:00:00",
        "infinity", "9999-12-31", "0001-01-01", "1e300", "12", "0", "-5", "44197.5", "20241301",
        "290000-01-01",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_left_out_and_counted(tmp_path: Path, value: str) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{value},0.5", "2,2024-01-15,0.5"))
    catalog = open_catalog(tmp_path)
    assert [row["id"] for row in rows(catalog)] == ["2"]
    row = report(catalog)["p/a.csv"]
    assert (row.rows, row.invalid_by_role, row.left_out) == (2, "timestamp 1", 1)


@pytest.mark.parametrize("value", ["", "NA", "null", "None", '""'])
def test_a_missing_time_is_left_out_but_not_invalid(tmp_path: Path, value: str) -> None:
    put(tmp_path, "p/a.csv", csv(f"1,{value},0.5", "2,2024-01-15,0.5"))
    row = report(open_catalog(tmp_path))["p/a.csv"]
    assert (row.rows, row.invalid, row.left_out) == (2, 0, 1)


def test_an_hour_that_clocks_skip_is_the_one_after_it(tmp_path: Path) -> None:
    values = pa.array([naive(2024, 3, 10, 2, 30), naive(2024, 3, 10, 3, 30)], pa.timestamp("us"))
    assert read(tmp_path, values) == [datetime(2024, 3, 10, 7, 30, tzinfo=UTC)] * 2


def test_an_hour_that_comes_twice_is_the_second(tmp_path: Path) -> None:
    values = pa.array([naive(2024, 11, 3, 1, 30)], pa.timestamp("us"))
    assert read(tmp_path, values) == [datetime(2024, 11, 3, 6, 30, tzinfo=UTC)]


def test_microseconds_are_kept(tmp_path: Path) -> None:
    moment = datetime(2024, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)
    assert read(tmp_path, pa.array(["2024-01-15T12:00:00.123456789Z"])) == [moment]
    nanoseconds = pa.array([int(moment.timestamp()) * 10**9 + 123_456_789], pa.timestamp("ns", "UTC"))
    assert abs(read(tmp_path, nanoseconds)[0] - moment) <= timedelta(microseconds=1)


def test_a_clock_in_the_future_is_counted_and_does_not_stretch_the_window(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    later = (now + timedelta(days=400)).isoformat()
    put(
        tmp_path, "p/a.csv", csv("1,2024-01-15T00:00:00Z,0.5", "2,2024-01-16T00:00:00Z,0.5", f"3,{later},0.5")
    )
    catalog = open_catalog(tmp_path)
    assert catalog.extent == (datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 1, 16, tzinfo=UTC))
    assert report(catalog)["p/a.csv"].future == 1
    assert len(rows(catalog)) == 3, "the row itself is there for whoever asks for its day"


def test_logs_all_in_the_future_have_their_own_window(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv("1,2999-01-15T00:00:00Z,0.5"))
    assert open_catalog(tmp_path).extent == (datetime(2999, 1, 15, tzinfo=UTC),) * 2


def test_labels_dated_never_have_not_arrived(tmp_path: Path) -> None:
    put(tmp_path, "p/a.csv", csv("1,2024-01-15,0.5"))
    put(tmp_path, "l/a.csv", csv("1,1,9999-12-31", "1,1,2024-01-16", header="id,y,at"))
    catalog = open_catalog(tmp_path, labels={"path": "l", "id": "id", "label": "y", "timestamp": "at"})
    assert len(rows(catalog, view="labels")) == 1
    assert report(catalog)["l/a.csv"].invalid_by_role == "timestamp 1"
