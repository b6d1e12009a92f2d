"""gs:// against an emulator of Google Cloud Storage: listed, read by the engine, and stored to."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates.remote_shelf import RemoteShelf
from analytics.errors import FileVanishedError, RemoteError
from analytics.places.remote import remote_path, remove, write_whole
from tests.places.test_buckets import opened, seen, table


@pytest.fixture
def google(google_server, monkeypatch) -> str:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", google_server)
    return "gs://assay-logs"


def parquet(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    return sink.getvalue().to_pybytes()


def test_logs_are_listed_and_read(google, tmp_path):
    for day in (1, 2):
        write_whole(remote_path(f"{google}/p/day=2026-01-0{day}/a.parquet"), parquet(table(seed=day)))
    write_whole(remote_path(f"{google}/p/_SUCCESS"), b"")
    catalog = opened(tmp_path, f"{google}/p")
    assert [str(file.path) for file in catalog.listed["predictions"]] == [
        f"{google}/p/day=2026-01-0{day}/a.parquet" for day in (1, 2)
    ]
    assert all(file.hive and file.modified_ns > 0 for file in catalog.listed["predictions"])
    assert [row["n"] for row in seen(catalog)] == [400, 400]


def test_an_object_that_is_gone_and_a_bucket_that_is_not_there(google, tmp_path):
    path = remote_path(f"{google}/q/a.parquet")
    write_whole(path, parquet(table()))
    listed = opened(tmp_path, f"{google}/q")
    listed.close()
    remove(path)
    from analytics.engines.duckdb import DuckDBEngine

    engine = DuckDBEngine(files=[listed.listed["predictions"][0].path])
    with pytest.raises(FileVanishedError, match="the object is gone"):
        engine.query(f"SELECT sum(score) FROM read_parquet('{path}')")
    engine.close()
    with pytest.raises(RemoteError, match='there is no bucket "none-such"'):
        opened(tmp_path, "gs://none-such/logs")


def test_a_shelf(google):
    shelf = RemoteShelf(remote_path(f"{google}/aggregates"))
    shelf.write("parts/abc/2026-01.parquet", b"one")
    shelf.write("parts/abc/2026-01.parquet", b"other")
    shelf.write("manifests/1.json", b"{}")
    assert shelf.read("parts/abc/2026-01.parquet") == b"other"
    assert shelf.folders("parts") == ["parts/abc"]
    assert [(file.name, file.size) for file in shelf.listed("parts/abc")] == [
        ("parts/abc/2026-01.parquet", 5)
    ]
    shelf.remove("manifests/1.json")
    assert shelf.listed("manifests") == []
