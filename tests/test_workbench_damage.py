"""A workbench goes on without a file that is damaged inside or gone, and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.workbench import Workbench

PROJECT = """name = "Two files"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
label = "label"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "predictions").mkdir()
    (tmp_path / "assay.toml").write_text(PROJECT)
    for name in ("a", "b"):
        rows = range(400)
        table = pa.table(
            {
                "id": [f"{name}{i}" for i in rows],
                "ts": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in rows],
                "score": [(i * 37 % 100) / 100 for i in rows],
                "label": [int(i * 53 % 100 < i * 37 % 100) for i in rows],
            }
        )
        pq.write_table(table, tmp_path / "predictions" / f"{name}.parquet", compression="zstd")
    return tmp_path


def labelled(bench: Workbench) -> int:
    return bench.quality(bench.scope())[0].n_labelled


def test_a_file_damaged_inside_is_left_out_and_named(folder: Path) -> None:
    damaged = folder / "predictions" / "b.parquet"
    content = bytearray(damaged.read_bytes())
    content[200 : len(content) // 2] = b"\xff" * (len(content) // 2 - 200)
    damaged.write_bytes(bytes(content))
    bench = Workbench(folder)
    assert labelled(bench) == 400
    problems = {row.path: row.problem for row in bench.telemetry()}
    assert problems["predictions/a.parquet"] is None
    assert problems["predictions/b.parquet"]


def test_a_file_deleted_after_it_was_listed_is_forgotten(folder: Path) -> None:
    bench = Workbench(folder)
    assert labelled(bench) == 800
    (folder / "predictions" / "b.parquet").unlink()
    assert labelled(bench) == 400


def test_a_new_file_is_seen_when_the_folder_is_looked_at_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Workbench(folder)
    before = bench.digest
    monkeypatch.setattr("analytics.workbench.open_logs.LOOK_EVERY_SECONDS", -1.0)
    table = pq.read_table(folder / "predictions" / "a.parquet")
    renamed = table.set_column(0, "id", pa.array([f"c{i}" for i in range(400)]))
    pq.write_table(renamed, folder / "predictions" / "c.parquet")
    assert bench.digest != before
    assert labelled(bench) == 1200


def test_a_file_whose_name_holds_wildcards_is_read_and_no_other(folder: Path) -> None:
    (folder / "predictions" / "a.parquet").rename(folder / "predictions" / "x[ab]*?.parquet")
    bench = Workbench(folder)
    assert labelled(bench) == 800
    assert sorted(row.path for row in bench.telemetry()) == [
        "predictions/b.parquet",
        "predictions/x[ab]*?.parquet",
    ]
