"""Answers that depend on whole feeds are kept until a file of these feeds changes, and no longer."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates.shelf import FolderShelf
from analytics.aggregates.store import PartStore
from analytics.engines.text import Sql
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.remembered import remembered
from tests.aggregates.memory_parts import counting

PROJECT = """
name = "Small"
[predictions]
path = "p.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
[labels]
path = "l.parquet"
id = "id"
label = "label"
timestamp = "ts"
"""
TEXT = "SELECT count(*) AS n, $least AS least FROM predictions WHERE score >= $least"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assay.toml").write_text(PROJECT)
    _write(tmp_path / "p.parquet", score=[0.1, 0.9])
    _write(tmp_path / "l.parquet", label=[0, 1])
    return tmp_path


def _write(path, **columns):
    n = len(next(iter(columns.values())))
    times = pa.array([1_767_225_600_000_000 + i for i in range(n)], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"id": [f"r{i}" for i in range(n)], "ts": times, **columns}), path)


def _asked(folder, least: float = 0.5, feeds=("predictions",), memory=True) -> tuple[int, int]:
    """The answer, and how many queries read the logs for it."""
    store = PartStore(FolderShelf(folder / "stored")) if memory else None
    catalog = Catalog(read_project(folder / "assay.toml"), memory=store)
    try:
        with counting(catalog) as texts:
            table = remembered(catalog, "how many", Sql(TEXT, {"least": least}), feeds)
        return table.column("n").to_pylist()[0], len(texts)
    finally:
        catalog.close()


def test_a_second_opening_reads_nothing(folder):
    assert _asked(folder) == (1, 1)
    assert _asked(folder) == (1, 0)
    assert _asked(folder, least=0.05) == (2, 1)


def test_a_changed_file_of_its_feeds_counts_and_of_others_does_not(folder):
    _asked(folder)
    _write(folder / "l.parquet", label=[0, 1, 1])
    assert _asked(folder) == (1, 0)
    assert _asked(folder, feeds=("predictions", "labels")) == (1, 1)
    _write(folder / "p.parquet", score=[0.1, 0.9, 0.8])
    assert _asked(folder) == (2, 1)


def test_what_the_columns_mean_counts(folder):
    _asked(folder)
    (folder / "assay.toml").write_text(PROJECT + "[quality]\nfloor = { roc_auc = 0.6 }\n")
    assert _asked(folder) == (1, 0)
    (folder / "assay.toml").write_text(PROJECT.replace("[labels]", "threshold = 0.5\n[labels]"))
    assert _asked(folder) == (1, 1)


def test_without_a_memory_or_in_one_that_can_only_be_read_it_is_asked(folder):
    assert _asked(folder, memory=False) == (1, 1)
    (folder / "stored").write_text("not a folder")
    assert _asked(folder) == (1, 1)
    os.unlink(folder / "stored")  # noqa: PTH108
