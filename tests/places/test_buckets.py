"""Logs in a bucket of a real S3 server give what the same logs on disk give; what goes wrong is said in one line."""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics import open as open_project
from analytics.engines import remote as engine_files
from analytics.engines.duckdb import DuckDBEngine
from analytics.errors import FileVanishedError, RemoteError, TelemetryError
from analytics.places.remote import RemotePath, is_remote, listed, remote_path, write_whole
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.files import list_files, open_bytes
from tests.places.conftest import ACCESS_KEY, SECRET_KEY, reach

PROJECT = """
name = "b"
[predictions]
path = "{path}"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
positive = 1
label = "label"
"""


def table(rows: int = 400, seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)
    score = random.random(rows)
    return pa.table(
        {
            "id": [f"{seed}-{place}" for place in range(rows)],
            "ts": [f"2026-01-{1 + place % 9:02}T10:00:00Z" for place in range(rows)],
            "score": score,
            "label": (random.random(rows) < score).astype(int),
        }
    )


def write_parquet(folder: Path, name: str, rows: pa.Table, **options) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / name, **options)


def write_text(path: Path, rows: pa.Table, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = rows.to_pylist()
    if kind == "csv":
        lines = [",".join(rows.column_names), *(",".join(map(str, row.values())) for row in records)]
        text = "\n".join(lines) + "\n"
    elif kind == "array":
        text = json.dumps(records)
    else:
        text = "".join(json.dumps(row) + "\n" for row in records)
    data = text.encode()
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = pa.compress(data, codec="zstd", asbytes=True)
    path.write_bytes(data)


def project(tmp_path: Path, path: str) -> Path:
    tmp_path.mkdir(parents=True, exist_ok=True)
    (tmp_path / "assay.toml").write_text(PROJECT.format(path=path))
    return tmp_path


def opened(tmp_path: Path, path: str) -> Catalog:
    return Catalog(read_project(project(tmp_path, path)))


def seen(catalog: Catalog) -> list[dict]:
    rows = catalog.engine.query(
        "SELECT file, count(*) AS n, sum(score) AS score, sum(own_label) AS label, min(ts) AS first, "
        "max(row) AS last FROM predictions GROUP BY file ORDER BY file"
    ).to_pylist()
    catalog.close()
    return rows


LAYOUT = (
    "day=2026-01-01/a.parquet", "day=2026-01-02/b.parquet", "day=2026-01-02/_temporary/c.parquet", ".hidden/d.parquet",
    "_SUCCESS", "notes.txt", "deep/er/e.parquet", "a[1].parquet", "f-1.parquet", "f-2.parquet", "f-x.parquet",
)  # fmt: skip


@pytest.mark.parametrize(
    "pattern",
    ["", "day=2026-01-02", "*.parquet", "*/*.parquet", "**/*.parquet", "**", "day=*", "f-[12].parquet", "f-?.parquet",
     "f-[!1].parquet", "day=2026-01-0[2-9]/*", "f-1.parquet", "deep/**/*.parquet", "a[[]1].parquet", "d*/**/[a-b]*"],
)  # fmt: skip
def test_a_pattern_names_the_same_objects_as_files(bucket, tmp_path, pattern):
    for name in LAYOUT:
        for folder in (bucket.folder, tmp_path / "disk"):
            write_parquet(folder, name, pa.table({"a": [1]}))

    def names(folder: str, base: str) -> list[tuple] | str:
        try:
            return [
                (str(file.path).removeprefix(base).strip("/"), file.format, file.size, file.hive)
                for file in list_files(tmp_path, [folder])
            ]
        except TelemetryError as error:
            return str(error).partition(":")[2].replace(base, "")

    disk = str(tmp_path / "disk")
    on_disk = names(f"disk/{pattern}", disk)
    in_bucket = names(bucket.url(pattern), f"s3://{bucket.name}")
    if isinstance(on_disk, list):
        assert on_disk
        assert in_bucket == on_disk
    else:
        assert "no log file here" in str(in_bucket)


def test_a_whole_project_answers_alike(bucket, tmp_path, root):
    source = root / "sample_logs" / "flights"
    shutil.copytree(source, bucket.folder, dirs_exist_ok=True)
    text = (source / "assay.toml").read_text()
    (tmp_path / "assay.toml").write_text(text.replace('path = "', f'path = "{bucket.url()}'))
    here, there = open_project(source), open_project(tmp_path)
    local, remote = (
        bench.quality(bench.scope(start="2013-03-01", end="2013-04-01")).to_records()
        for bench in (here, there)
    )
    assert len(local) == len(remote) > 20
    for one, other in zip(local, remote, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.items():
            if isinstance(value, float):
                assert math.isclose(value, other[key], rel_tol=1e-9, abs_tol=1e-12), key
            else:
                assert value == other[key]


@pytest.mark.parametrize(
    "name,kind",
    [("a.csv", "csv"), ("a.csv.gz", "csv"), ("a.csv.zst", "csv"), ("a.jsonl", "lines"), ("a.ndjson.gz", "lines"),
     ("a.json", "array"), ("a.json.gz", "array"), ("a.jsonl.zst", "lines"), ("x[1] y.csv", "csv"),
     ("ä é.jsonl", "lines")],
)  # fmt: skip
def test_text_logs_are_read_as_from_disk(bucket, tmp_path, name, kind):
    for folder in (bucket.folder, tmp_path / "disk"):
        write_text(folder / "day=2026-01-01" / name, table(), kind)
    local = seen(opened(tmp_path, "disk"))
    remote = seen(opened(tmp_path / "p", bucket.url()))
    assert len(remote) == 1
    assert remote[0].pop("file") == bucket.url(f"day=2026-01-01/{name}")
    assert remote[0].pop("score") == pytest.approx(local[0].pop("score"), rel=1e-12)
    local[0].pop("file")
    assert remote == local


def test_a_damaged_text_log_is_repaired_and_counted(bucket, tmp_path):
    write_text(bucket.folder / "a.csv", table(), "csv")
    with (bucket.folder / "a.csv").open("a") as file:
        file.write("only,two\n")
    catalog = opened(tmp_path, bucket.url("*.csv"))
    assert [one.rejected for one in catalog.feeds["predictions"].csv.values()] == [1]
    assert seen(catalog)[0]["n"] == 400


@pytest.mark.parametrize(
    "damage", [b"no Parquet at all", b"PAR1" + b"\0" * 64 + b"\x20\0\0\0PAR1", b"PAR1", b""]
)
def test_a_damaged_parquet_object_is_left_out_and_named(bucket, tmp_path, damage):
    write_parquet(bucket.folder, "a.parquet", table())
    (bucket.folder / "b.parquet").write_bytes(damage)
    catalog = opened(tmp_path, bucket.url())
    assert [str(path) for path in catalog.feeds["predictions"].damaged] == [bucket.url("b.parquet")]
    assert [row["n"] for row in seen(catalog)] == [400]


def test_only_the_columns_and_row_groups_a_query_needs_are_asked_for(bucket, monkeypatch):
    rows = pa.table(
        {name: np.random.default_rng(3).random(200_000) for name in "abcd"} | {"ts": range(200_000)}
    )
    write_parquet(bucket.folder, "a.parquet", rows, row_group_size=20_000, compression="none")
    asked = []
    read_at = engine_files._Source.read_at
    monkeypatch.setattr(
        engine_files._Source, "read_at", lambda self, n, start: asked.append(n) or read_at(self, n, start)
    )
    [file] = list_files(Path(), [bucket.url()])
    engine = DuckDBEngine(files=[file.path])
    found = engine.query(f"SELECT sum(a) AS a FROM read_parquet('{file.path}') WHERE ts < 20000").to_pylist()
    assert found[0]["a"] == pytest.approx(rows["a"].to_numpy()[:20_000].sum(), rel=1e-12)
    # a tenth of the rows of two columns of five is 4 % of the file
    assert sum(asked) < 0.1 * file.size
    engine.close()


def test_an_engine_reads_the_listed_objects_and_no_others(bucket):
    for name in ("a.parquet", "b.parquet"):
        write_parquet(bucket.folder, name, pa.table({"a": [1]}))
    engine = DuckDBEngine(files=[remote_path(bucket.url("a.parquet"))])
    assert engine.query(f"SELECT * FROM read_parquet('{bucket.url('a.parquet')}')").num_rows == 1
    with pytest.raises((TelemetryError, duckdb.Error), match="disabled by configuration"):
        engine.query(f"SELECT * FROM read_parquet('{bucket.url('b.parquet')}')")
    with pytest.raises((TelemetryError, duckdb.Error)):
        engine.query(f"COPY (SELECT 1) TO '{bucket.url('c.parquet')}'")
    assert not (bucket.folder / "c.parquet").exists()
    engine.close()


def test_many_threads_read_one_object(bucket):
    rows = pa.table({"a": np.arange(300_000)})
    write_parquet(bucket.folder, "a.parquet", rows, row_group_size=10_000)
    write_text(bucket.folder / "b.csv", rows, "csv")
    paths = [remote_path(bucket.url(name)) for name in ("a.parquet", "b.csv")]
    engine = DuckDBEngine(files=paths)
    wrong = []

    def ask(path: RemotePath) -> None:
        reader = "parquet" if path.suffix == ".parquet" else "csv"
        for _ in range(3):
            found = engine.query(
                f"SELECT count(*) AS n, sum(a) AS s FROM read_{reader}('{path}')"
            ).to_pylist()
            if found != [{"n": 300_000, "s": 300_000 * 299_999 // 2}]:
                wrong.append(found)

    threads = [threading.Thread(target=ask, args=(path,)) for path in paths * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    engine.close()


def test_threads_that_share_a_handle_read_where_they_sought():
    class Source:
        def read_at(self, count: int, start: int) -> bytes:
            return bytes(range(start, start + count))

    handle = engine_files._Handle(Source(), 100)
    assert handle.seek(10) == handle.tell() == 10
    other = threading.Thread(target=handle.seek, args=(50,))
    other.start()
    other.join()
    assert handle.read(2) == bytes([10, 11])
    # whoever did not seek reads on from where the last read ended, in whichever thread that was
    found = []
    other = threading.Thread(target=lambda: found.append(handle.read(2)))
    other.start()
    other.join()
    assert found == [bytes([12, 13])]
    assert (handle.read(1), handle.tell(), handle.seek(-1, 2)) == (bytes([14]), 15, 99)


def test_new_and_changed_objects_are_seen(bucket, tmp_path):
    write_parquet(bucket.folder, "a.parquet", table())
    bench = open_project(project(tmp_path, bucket.url()))
    first = bench.digest
    write_parquet(bucket.folder, "b.parquet", table(seed=2))
    bench._looked = 0.0
    second = bench.digest
    write_parquet(bucket.folder, "a.parquet", table(rows=410))
    bench._looked = 0.0
    assert len({first, second, bench.digest}) == 3
    assert sum(row["n"] for row in seen(bench.catalog)) == 810


def test_a_bucket_that_does_not_answer_for_a_while_takes_no_page_away(bucket, tmp_path, monkeypatch):
    write_parquet(bucket.folder, "a.parquet", table())
    bench = open_project(project(tmp_path, bucket.url()))
    before = bench.catalog
    monkeypatch.setattr("analytics.places.remote._ATTEMPTS", 1)
    reach(monkeypatch, "http://127.0.0.1:9")
    bench._looked = 0.0
    assert bench.catalog is before
    bench._looked = 0.0
    bench._renew(before)
    assert bench.catalog is before
    with pytest.raises(RemoteError, match="cannot be reached"):
        open_project(tmp_path).catalog  # noqa: B018
    reach(monkeypatch, bucket.endpoint)
    write_parquet(bucket.folder, "b.parquet", table(seed=2))
    bench._looked = 0.0
    assert len(bench.catalog.listed["predictions"]) == 2


def test_an_object_gone_while_it_is_read_is_no_damaged_log(bucket, monkeypatch):
    write_parquet(bucket.folder, "a.parquet", pa.table({"a": np.random.default_rng(4).random(500_000)}))
    [file] = list_files(Path(), [bucket.url()])
    engine = DuckDBEngine(files=[file.path])
    read_at = engine_files._Source.read_at

    def read_once(source, count: int, start: int) -> bytes:
        data = read_at(source, count, start)
        (bucket.folder / "a.parquet").unlink(missing_ok=True)
        return data

    monkeypatch.setattr(engine_files._Source, "read_at", read_once)
    with pytest.raises(FileVanishedError, match=r"a\.parquet: the object is gone"):
        engine.query(f"SELECT sum(a) FROM read_parquet('{file.path}')")
    engine.close()


def test_an_object_replaced_by_another_is_not_read_as_the_old_one(bucket, tmp_path):
    write_parquet(bucket.folder, "a.parquet", table(rows=100_000))
    [file] = list_files(tmp_path, [bucket.url()])
    write_parquet(bucket.folder, "a.parquet", table(rows=50_000))
    engine = DuckDBEngine(files=[file.path])
    with pytest.raises(FileVanishedError, match=r"a\.parquet"):
        engine.query(f"SELECT count(score) FROM read_parquet('{file.path}')")
    engine.close()


def test_wrong_credentials_are_named_and_never_shown(bucket, tmp_path, monkeypatch):
    write_parquet(bucket.folder, "a.parquet", table())
    reach(monkeypatch, bucket.endpoint, secret=f"not-{SECRET_KEY}")
    with pytest.raises(RemoteError, match="access denied; the credentials in the environment") as raised:
        opened(tmp_path, bucket.url())
    shown = "".join(
        str(error) for error in (raised.value, raised.value.__cause__, raised.value.__cause__.__cause__)
    )
    assert str(raised.value).startswith(f"{tmp_path / 'assay.toml'}: predictions.path: ")
    for secret in (SECRET_KEY, ACCESS_KEY):
        assert secret not in shown


def test_credentials_withdrawn_while_logs_are_open(bucket, tmp_path, monkeypatch):
    write_parquet(bucket.folder, "a.parquet", table())
    [file] = list_files(tmp_path, [bucket.url()])
    engine = DuckDBEngine(files=[file.path])
    reach(monkeypatch, bucket.endpoint, secret="another")
    with pytest.raises(RemoteError, match=r"a\.parquet: cannot be read: access denied"):
        engine.query(f"SELECT * FROM read_parquet('{file.path}')")
    engine.close()


def test_a_bucket_that_is_not_there_is_named(bucket, tmp_path):
    with pytest.raises(RemoteError, match='there is no bucket "none-such"'):
        opened(tmp_path, "s3://none-such/logs")


def test_an_empty_folder_names_no_log(bucket, tmp_path):
    with pytest.raises(TelemetryError, match=rf"no log file here \(looked in s3://{bucket.name}/logs "):
        opened(tmp_path, bucket.url("logs"))


def test_a_server_that_does_not_answer_is_named(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr("analytics.places.remote._ATTEMPTS", 1)
    reach(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1:9 cannot be reached"):
        opened(tmp_path, bucket.url())


def test_without_the_extra_a_line_says_what_to_install(bucket, tmp_path, monkeypatch):
    write_parquet(bucket.folder, "a.parquet", table())
    monkeypatch.setattr(engine_files, "AbstractFileSystem", object)
    with pytest.raises(RemoteError, match=r"pip install 'assay-ml\[s3\]'"):
        opened(tmp_path, bucket.url())


@pytest.mark.parametrize(
    "path,message",
    [
        ("s3://", "names no bucket"),
        ("s3:///x", "names no bucket"),
        ("s3://bu*/x", "names no bucket"),
        ("s3://b/x//y", "empty folder name"),
        ("s3://b/../y", "empty folder name"),
        ("s3://key:hidden@bucket/x", "credentials, endpoint and region come from the environment only"),
        (
            "s3://bucket/x?secret_key=hidden",
            "credentials, endpoint and region come from the environment only",
        ),
    ],
)
def test_what_is_no_address_is_refused(path, message):
    with pytest.raises(RemoteError, match=message) as raised:
        remote_path(path)
    assert "hidden" not in str(raised.value)


def test_a_server_that_knows_no_trailing_checksums_keeps_what_it_is_sent(bucket):
    # this one is such a server: it keeps them as if they were data, and so do many
    path = remote_path(bucket.url("a"))
    write_whole(path, b"x" * 1000)
    assert (bucket.folder / "a").read_bytes() == b"x" * 1000
    assert os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] == "when_required"


def test_a_server_that_keeps_checksums_as_data_is_found_out(bucket):
    # in a process of its own: the environment is read once
    script = (
        "from analytics.places.remote import remote_path, write_whole\n"
        f"write_whole(remote_path('{bucket.url('a')}'), b'x' * 1000)"
    )
    environment = os.environ | {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert "the server keeps checksums as if they were data" in ended.stderr


def test_paths_of_objects_behave_as_paths(bucket):
    path = remote_path("s3://b/logs/day=1/a.csv.gz")
    assert (path.name, path.suffix, path.parent.parent) == ("a.csv.gz", ".gz", remote_path("s3://b/logs"))
    assert os.fspath(path) == str(path) == str(path.resolve()) == f"{path}"
    assert path == RemotePath("s3://b/logs/day=1/a.csv.gz")
    assert hash(path) == hash(RemotePath("s3://b/logs/day=1/a.csv.gz"))
    assert is_remote(path)
    assert not is_remote(Path("s3:/b"))
    assert not path.is_relative_to(Path.cwd())
    assert list(map(str, sorted([path, path.parent]))) == ["s3://b/logs/day=1", "s3://b/logs/day=1/a.csv.gz"]


def test_pages_of_a_listing_are_all_read(bucket):
    for day in range(3):
        (bucket.folder / f"day={day}").mkdir()
        for name in range(700):
            (bucket.folder / f"day={day}" / f"{name}.jsonl").write_bytes(b"{}\n")
    found = listed(remote_path(f"s3://{bucket.name}"))
    assert len(found) == 2100
    assert {entry.size for entry in found} == {3}
    assert all(entry.modified_ns > 0 for entry in found)


def test_bytes_of_an_object_come_decompressed(bucket):
    write_text(bucket.folder / "a.csv.gz", table(rows=50_000), "csv")
    with open_bytes(remote_path(bucket.url("a.csv.gz"))) as stream:
        assert stream.read(13) == b"id,ts,score,l"
        assert sum(1 for _ in stream) == 50_001
    file = replace(list_files(Path(), [bucket.url()])[0])
    assert file.path.size == file.size
