"""The report of large logs counts only new files, and says what counting everything would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.telemetry import facts, file_counts
from analytics.telemetry import report as reports
from analytics.telemetry.report import telemetry_report
from tests.telemetry.logs import open_catalog
from tests.telemetry.test_facts import SECTIONS, START, _labels, _predictions, _written

NOW = START + timedelta(days=30)


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))


def _report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The report, after a comparison with that of logs that count as small."""
    known = telemetry_report(open_catalog(folder, **SECTIONS), NOW)
    with monkeypatch.context() as patch:
        patch.setattr(facts, "LARGE_BYTES", 10**12)
        assert telemetry_report(open_catalog(folder, **SECTIONS), NOW) == known
    return {Path(row.path).stem: row for row in known}


def test_the_report_is_that_of_counting_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _predictions(tmp_path / "p/one.parquet", ["a", "b", "b"], 1)
    _labels(tmp_path / "l/early.parquet", ["a", "c", "z", "z"], 2, 1)
    found = _report(tmp_path, monkeypatch)
    assert found["one"].duplicates == 1
    assert found["early"].orphans == 3
    _predictions(tmp_path / "p/two.parquet", ["c", "d", "a"], 3)
    _labels(tmp_path / "l/late.parquet", ["d", "y"], 4, 0)
    found = _report(tmp_path, monkeypatch)
    assert (found["early"].orphans, found["late"].orphans) == (2, 1)
    assert found["two"].duplicates == 1
    (tmp_path / "p/one.parquet").unlink()
    assert _report(tmp_path, monkeypatch)["early"].orphans == 2
    _predictions(tmp_path / "p/three.parquet", ["z"], 5)
    assert _report(tmp_path, monkeypatch)["early"].orphans == 0


def test_only_new_files_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _predictions(tmp_path / "p/one.parquet", ["a", "b"], 1)
    _labels(tmp_path / "l/early.parquet", ["a"], 2, 1)
    first = telemetry_report(open_catalog(tmp_path, **SECTIONS), NOW)
    counted: list[str] = []
    before = reports._count_group

    def count(catalog: Any, feed: Any, group: Any, now: Any, **how: Any) -> Any:
        counted.extend(file.path.name for file in group.files)
        return before(catalog, feed, group, now, **how)

    monkeypatch.setattr(reports, "_count_group", count)
    assert telemetry_report(open_catalog(tmp_path, **SECTIONS), NOW) == first
    assert counted == []
    _predictions(tmp_path / "p/two.parquet", ["c"], 2)
    telemetry_report(open_catalog(tmp_path, **SECTIONS), NOW)
    assert counted == ["two.parquet"]


def test_rows_of_the_future_are_counted_again_until_they_are_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _predictions(tmp_path / "p/one.parquet", ["a", "b"], 40)
    _labels(tmp_path / "l/early.parquet", ["a"], 2, 1)
    assert _report(tmp_path, monkeypatch)["one"].future == 2
    later = {
        row.path: row
        for row in telemetry_report(open_catalog(tmp_path, **SECTIONS), NOW + timedelta(days=20))
    }
    assert later["p/one.parquet"].future == 0


def test_another_meaning_is_counted_anew(tmp_path: Path) -> None:
    _predictions(tmp_path / "p/one.parquet", ["a", "b"], 1)
    table = pa.table(
        {"id": ["a", "b"], "label": ["1", "maybe"], "ts": [datetime(2026, 3, 3, tzinfo=UTC)] * 2}
    )
    _written(tmp_path / "l/early.parquet", table)
    first = {row.path: row for row in telemetry_report(open_catalog(tmp_path, **SECTIONS), NOW)}
    assert first["l/early.parquet"].left_out == 1
    said = SECTIONS | {"predictions": SECTIONS["predictions"] | {"positive": "maybe", "negative": "1"}}
    then = {row.path: row for row in telemetry_report(open_catalog(tmp_path, **said), NOW)}
    assert then["l/early.parquet"].left_out == 0


def test_too_many_orphans_are_counted_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_counts, "MOST_ORPHANS", 1)
    _predictions(tmp_path / "p/one.parquet", ["a"], 1)
    _labels(tmp_path / "l/early.parquet", ["x", "y", "z"], 2, 1)
    assert _report(tmp_path, monkeypatch)["early"].orphans == 3
