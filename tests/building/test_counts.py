"""After a build, what the Telemetry page tells of files is known: the report is that of the rows, and reads none."""

from __future__ import annotations

import os

import pytest

from analytics.aggregates.stored_days import open_catalog
from analytics.building.build import bring_up_to_date
from analytics.project import read_project
from analytics.telemetry import facts
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.report import telemetry_report
from tests.aggregates.small_logs import PROJECT, write_reports, write_rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "LARGE_BYTES", 0)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "stored"))
    (tmp_path / "assay.toml").write_text(PROJECT)
    _rows(tmp_path / "predictions/a.parquet", ["a0", "a1", "a2"], [0.1, 0.2, 1.5])
    _rows(tmp_path / "predictions/b.parquet", ["b0", "b1"], [0.3, 0.4])
    _rows(tmp_path / "reference/r.parquet", ["r0", "r1"], [0.3, 0.4])
    _reports(tmp_path / "labels/l.parquet", ["a0", "a1", "b0", "nobody"])
    _reports(tmp_path / "labels/r.parquet", ["r0", "r1", "r2"])
    return tmp_path


def _rows(path, names, scores):
    write_rows(path, names, scores)
    os.utime(path, (1e9, 1e9))


def _reports(path, names):
    write_reports(path, names)
    os.utime(path, (1e9, 1e9))


def _told(catalog):
    try:
        return telemetry_report(catalog)
    finally:
        catalog.close()


def test_the_report_after_a_build_is_that_of_the_rows_and_reads_none(folder, monkeypatch):
    project = read_project(folder / "assay.toml")
    monkeypatch.setenv("ASSAY_AGGREGATES", str(folder / "elsewhere"))
    rows = _told(Catalog(project))
    monkeypatch.setenv("ASSAY_AGGREGATES", str(folder / "stored"))
    bring_up_to_date(project)
    catalog = open_catalog(project)
    monkeypatch.setattr(catalog.engine, "query", lambda text, *_: pytest.fail(f"reads {text}"))
    assert _told(catalog) == rows
    assert [row.orphans for row in rows if row.feed == "labels"] == [1, 1]
    assert sum(row.invalid for row in rows if row.feed == "predictions") == 1


def test_what_is_not_known_file_by_file_is_looked_up(folder, monkeypatch):
    _rows(folder / "predictions/c.parquet", ["r0"], [0.5])  # of the reference, and predicted too
    _reports(folder / "labels/r.parquet", ["r0", "r1", "r2", "a2"])
    project = read_project(folder / "assay.toml")
    bring_up_to_date(project)
    assert [row.orphans for row in _told(open_catalog(project)) if row.feed == "labels"] == [1, 1]
