"""What is known of large logs is what looking at them again would say."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.scope import Scope
from analytics.telemetry import catalog as catalogs
from analytics.telemetry import facts
from analytics.telemetry.catalog import Catalog
from analytics.telemetry.rows import scoped_rows
from tests.telemetry.logs import open_catalog

START = datetime(2026, 3, 1, tzinfo=UTC)
SECTIONS: dict[str, Any] = {
    "predictions": {"version": "version", "segments": ["place"]},
    "labels": {"path": "l", "id": "id", "label": "label", "timestamp": "ts"},
}


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(facts, "LARGE_BYTES", -1)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))


def _predictions(file: Path, ids: list[str], day: int, version: str = "a", place: str = "x") -> None:
    n = len(ids)
    table = pa.table(
        {
            "id": ids,
            "ts": [START + timedelta(days=day, seconds=i) for i in range(n)],
            "score": np.linspace(0.1, 0.9, n),
            "version": [version] * n,
            "place": [place] * n,
        }
    )
    _written(file, table)


def _labels(file: Path, ids: list[str], day: int, label: int) -> None:
    moments = [START + timedelta(days=day, seconds=i) for i in range(len(ids))]
    _written(file, pa.table({"id": ids, "label": [label] * len(ids), "ts": moments}))


def _written(file: Path, table: pa.Table, *, settled: bool = True) -> None:
    file.parent.mkdir(exist_ok=True)
    pq.write_table(table, file)
    if settled:
        old = time.time() - 2 * facts.SETTLED_SECONDS
        os.utime(file, (old, old))


def _seen(catalog: Catalog, as_of: datetime | None = None) -> Any:
    rows = scoped_rows(catalog, Scope(as_of=as_of, grain="day"), now=START)
    sql = f"SELECT id, ts, version, score, label, label_ts FROM ({rows.text}) ORDER BY ALL"
    return catalog.engine.query(sql, rows.parameters).to_pylist()


def _facts(catalog: Catalog) -> Any:
    kept = {name: segment.kept for name, segment in catalog.segments.items()}
    told = (catalog.duplicated, catalog.relabelled, catalog.extent, catalog.versions, catalog.newest_label)
    return (*told, kept)


def _same_as_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    known = open_catalog(folder, **SECTIONS)
    said = _facts(known)
    assert known.superseded or known.relabelled is False or known.known("labels").repeated is None  # type: ignore[union-attr]
    with monkeypatch.context() as patch:
        patch.setattr(facts, "LARGE_BYTES", 10**12)
        patch.setattr(facts, "LARGE_FILES", 10**12)
        read = open_catalog(folder, **SECTIONS)
        assert read.known("predictions") is None
        assert said == _facts(read)
    for as_of in (None, START + timedelta(days=1, seconds=1), START + timedelta(days=3)):
        assert _seen(known, as_of) == _seen(read, as_of)
    return known


def test_repeated_ids_and_labels_are_those_of_a_window_over_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _predictions(tmp_path / "p/2.parquet", ["a", "b", "c", "c"], 2, "new", "y")
    _predictions(tmp_path / "p/1.parquet", ["c", "d", "e"], 1)
    _labels(tmp_path / "l/1.parquet", ["a", "b", "c", "b"], 2, 1)
    _labels(tmp_path / "l/2.parquet", ["b", "d"], 3, 0)
    known = _same_as_read(tmp_path, monkeypatch)
    assert known.duplicated
    assert known.relabelled
    assert known.superseded
    assert "ROW_NUMBER" not in scoped_rows(known, Scope()).text.upper()


def test_labels_are_joined_as_they_are_where_no_report_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _predictions(tmp_path / "p/1.parquet", ["a", "b", "c"], 1)
    _labels(tmp_path / "l/1.parquet", ["a", "b"], 2, 1)
    known = _same_as_read(tmp_path, monkeypatch)
    assert not known.superseded
    assert "superseded" not in scoped_rows(known, Scope()).text


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.lists(st.sampled_from("abcdefghijk"), min_size=1, max_size=4), max_size=3),
    st.permutations(range(7)),
)
def test_files_that_come_one_after_the_other_are_known_as_all_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    predictions: list[list[str]],
    labels: list[list[str]],
    order: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_AGGREGATES", str(folder / "kept"))
        _labels(folder / "l/0.parquet", ["a"], 0, 1)
        writes = [(0, ids) for ids in predictions[1:]] + [(1, ids) for ids in labels]
        _predictions(folder / "p/0.parquet", predictions[0], 3)
        for place in [one for one in order if one < len(writes)]:
            kind, ids = writes[place]
            if kind == 0:
                _predictions(folder / f"p/{place + 1}.parquet", ids, place, f"v{place % 2}", f"s{place}")
            else:
                _labels(folder / f"l/{place + 1}.parquet", ids, place, place % 2)
            open_catalog(folder, **SECTIONS).close()
        _same_as_read(folder, patch)


def test_only_new_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _predictions(tmp_path / "p/1.parquet", ["a", "b"], 1)
    _labels(tmp_path / "l/1.parquet", ["a"], 2, 1)
    _facts(open_catalog(tmp_path, **SECTIONS))
    looked: list[list[str]] = []
    before = facts._with

    def with_(engine: Any, asked: Any, kept: Any, files: list[Any]) -> Any:
        looked.append([file.path.name for file in files])
        return before(engine, asked, kept, files)

    monkeypatch.setattr(facts, "_with", with_)
    _facts(open_catalog(tmp_path, **SECTIONS))
    assert [files for files in looked if files] == []
    _predictions(tmp_path / "p/2.parquet", ["c"], 2)
    _facts(open_catalog(tmp_path, **SECTIONS))
    assert [files for files in looked if files] == [["2.parquet"]]
    looked.clear()
    _predictions(tmp_path / "p/1.parquet", ["a", "b", "b"], 1)
    found = open_catalog(tmp_path, **SECTIONS)
    assert found.duplicated
    assert sorted(name for files in looked for name in files) == ["1.parquet", "2.parquet"]


def test_a_file_that_still_grows_is_not_taken_as_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _predictions(tmp_path / "p/1.parquet", ["a", "b"], 1)
    _labels(tmp_path / "l/1.parquet", ["a"], 2, 1)
    whole = pq.read_table(tmp_path / "p/1.parquet")
    _written(tmp_path / "p/now.parquet", whole.slice(0, 1), settled=False)
    assert open_catalog(tmp_path, **SECTIONS).duplicated
    assert len(_recalled(tmp_path).files) == 1
    _same_as_read(tmp_path, monkeypatch)


def test_what_cannot_be_read_is_found_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _predictions(tmp_path / "p/1.parquet", ["a", "a"], 1)
    _labels(tmp_path / "l/1.parquet", ["a"], 2, 1)
    assert open_catalog(tmp_path, **SECTIONS).duplicated
    for file in (tmp_path / "kept/facts").iterdir():
        file.write_bytes(b"PAR1 no more")
    _same_as_read(tmp_path, monkeypatch)


def test_too_many_repeated_ids_are_kept_out_by_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST_REPEATED", 1)
    _predictions(tmp_path / "p/1.parquet", ["a", "a", "b", "b"], 1)
    _labels(tmp_path / "l/1.parquet", ["a", "a", "b", "b"], 2, 1)
    known = _same_as_read(tmp_path, monkeypatch)
    assert known.known("predictions").repeated is None  # type: ignore[union-attr]


def test_ids_are_looked_at_in_passes_that_fit_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "IDS_AT_ONCE", 3)
    _predictions(tmp_path / "p/1.parquet", [f"id{i % 37}" for i in range(40)], 1)
    _labels(tmp_path / "l/1.parquet", ["id1"], 2, 1)
    known = _same_as_read(tmp_path, monkeypatch)
    assert known.known("predictions").repeated == {"id0", "id1", "id2"}  # type: ignore[union-attr]


def test_a_segment_of_many_values_keeps_its_most_frequent_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "SEGMENT_VALUES", 2)
    for place, n in (("x", 3), ("y", 1), ("z", 2)):
        _predictions(tmp_path / f"p/{place}.parquet", [f"{place}{i}" for i in range(n)], 1, place=place)
    _labels(tmp_path / "l/1.parquet", ["x0"], 2, 1)
    assert _same_as_read(tmp_path, monkeypatch).segments["place"].kept == ("x", "z")


def _recalled(folder: Path) -> facts.Known:
    catalog = open_catalog(folder, **SECTIONS)
    return facts._recalled(catalog.project, catalog._asked("predictions"))


@pytest.mark.parametrize("most, value", [("FILES_AT_ONCE", 2), ("BYTES_AT_ONCE", 1_500)])
def test_many_files_are_looked_at_in_steps_and_compared_by_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, value: int
) -> None:
    monkeypatch.setattr(facts, "LARGE_FILES", 1)
    monkeypatch.setattr(facts, most, value)
    steps: list[int] = []
    grown = facts._grown

    def told(*given: Any) -> Any:
        steps.append(len(given[3]))
        return grown(*given)

    monkeypatch.setattr(facts, "_grown", told)
    for place in range(5):
        _predictions(
            tmp_path / f"p/{place}.parquet",
            [f"{place}-{i}" for i in range(3)] + ["twice"][place % 4 :],
            place,
        )
    _labels(tmp_path / "l/1.parquet", ["0-0"], 2, 1)
    assert _same_as_read(tmp_path, monkeypatch).known("predictions").repeated == {"twice"}  # type: ignore[union-attr]
    assert max(steps) < 5
    _predictions(tmp_path / "p/9.parquet", ["9-0", "3-1"], 9)
    known = _same_as_read(tmp_path, monkeypatch).known("predictions")
    assert known is not None
    assert known.repeated == {"twice", "3-1"}
    assert [file.name for file in (tmp_path / "kept/facts").glob("predictions-*.npy")] == [known.hashes.name]  # type: ignore[union-attr]
