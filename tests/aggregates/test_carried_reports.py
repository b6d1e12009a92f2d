"""A first build finds out by its own join what looking for the rows of all reports finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates import carried_reports, day_facts
from analytics.aggregates.additive import Additive, Standard
from analytics.aggregates.day_facts import Facts, update_facts
from analytics.aggregates.stored_days import attached
from analytics.building import build as builds
from analytics.building import standard as standards
from analytics.building.build import build
from analytics.building.verify import verify
from analytics.engines.text import Sql
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog

START = datetime(2026, 3, 27, 12, tzinfo=UTC)  # two days before the clocks change in Berlin
DAYS = 40
PROJECT = """
name = "Small"
time_zone = "Europe/Berlin"
[predictions]
path = "predictions/*.parquet"
task = "binary"
id = "id"
timestamp = "ts"
score = "score"
[labels]
path = "labels/*.parquet"
id = "id"
label = "label"
timestamp = "label_ts"
"""
REFERENCE = '[reference]\npath = "reference/*.parquet"\n'


def _labelled(rows: Sql) -> Sql:
    keys = "window_key, block_key, version, segment"
    return Sql(
        f"SELECT {keys}, count(*) AS n, sum(label) AS s FROM ({rows.text}) GROUP BY {keys}", rows.parameters
    )


@pytest.fixture(autouse=True)
def _small_family_and_batches(monkeypatch):
    monkeypatch.setattr(
        standards, "FAMILIES", [lambda _: (Standard(Additive("labelled", _labelled, ("n", "s"))),)]
    )
    monkeypatch.setattr(builds, "BATCH_ROWS", 25)


@pytest.fixture
def folder(tmp_path):
    for name in ("predictions", "labels", "reference"):
        (tmp_path / name).mkdir()
    (tmp_path / "assay.toml").write_text(PROJECT + REFERENCE)
    for day in range(DAYS):
        _rows(tmp_path, "predictions", day, [f"d{day}-{n}" for n in range(3)])
    _rows(tmp_path, "reference", 0, ["r0", "r1", "r0x"])
    for day in range(DAYS):  # of yesterday and today
        about = [f"d{of}-{n}" for of, n in ((day, 0), (day - 1, 1)) if of >= 0]
        _reports(tmp_path, f"l{day:02d}", about, day)
    _reports(tmp_path, "late", ["d2-2", "d38-2", "nobody", "r0"], DAYS + 1)
    _reports(tmp_path, "early", ["d39-2"], 0)
    _reports(tmp_path, "reference", ["r1", "r0x", "d30-2"], 3)
    _reports(tmp_path, "empty", [], 3)
    return tmp_path


def _rows(folder, feed, day, names):
    times = [START + timedelta(days=day, hours=n) for n in range(len(names))]
    table = pa.table({"id": names, "ts": times, "score": [0.5] * len(names)})
    pq.write_table(table, folder / feed / f"p{day:02d}.parquet")


def _reports(folder, name, about, day):
    kinds = pa.schema([("id", pa.string()), ("label", pa.int64()), ("label_ts", pa.timestamp("us", "UTC"))])
    times = [START + timedelta(days=day, minutes=n) for n in range(len(about))]
    table = pa.table({"id": about, "label": [1] * len(about), "label_ts": times}, kinds)
    pq.write_table(table, folder / "labels" / f"{name}.parquet")


def _opened(folder, monkeypatch):
    monkeypatch.setenv("ASSAY_AGGREGATES", str(folder / "stored"))
    return Catalog(read_project(folder / "assay.toml"))


def _built(folder, monkeypatch):
    """What a first build knew of the files in the end, and whether it found out on the way."""
    catalog = _opened(folder, monkeypatch)
    try:
        parts = attached(catalog)
        carry, began = parts.carry, []
        monkeypatch.setattr(parts, "carry", lambda: began.append(carry()) or began[0])
        build(catalog, parts)
        return parts.refresh(), began[0] is not None
    finally:
        catalog.close()


def _looked(folder, monkeypatch):
    catalog = _opened(folder, monkeypatch)
    try:
        return update_facts(catalog, Facts())
    finally:
        catalog.close()


def _asked_for(monkeypatch):
    """The label files whose rows are looked for by a join of their own."""
    look, asked = day_facts.Reports.look, set()

    def counted(self, keys, *others):
        asked.update(self.label_files[key].path.stem for key in keys)
        return look(self, keys, *others)

    monkeypatch.setattr(day_facts.Reports, "look", counted)
    return asked


def test_what_is_known_of_label_files_is_what_looking_for_their_rows_finds(folder, monkeypatch):
    asked = _asked_for(monkeypatch)
    facts, carried = _built(folder, monkeypatch)
    # of the files with reports about nobody, or a row of long before or after; what is mostly about the reference was
    # joined with every day
    assert carried
    assert asked == {"early", "late"}
    assert facts == _looked(folder, monkeypatch)
    assert sum(file.missing for file in facts.labels.values()) == 4


def test_too_many_reports_about_the_reference_are_looked_for_afterwards(folder, monkeypatch):
    monkeypatch.setattr(carried_reports, "MOST_ABOUT_REFERENCE", 2)
    asked = _asked_for(monkeypatch)
    facts, _ = _built(folder, monkeypatch)
    assert asked == {"early", "late", "reference"}
    assert facts == _looked(folder, monkeypatch)


def test_what_it_made_is_right_and_the_next_process_need_not_look(folder, monkeypatch):
    _built(folder, monkeypatch)
    asked = _asked_for(monkeypatch)
    catalog = _opened(folder, monkeypatch)
    try:
        parts = attached(catalog)
        assert build(catalog, parts).parts == 0
        assert asked == set()
        assert verify(catalog, parts).differences == ()
    finally:
        catalog.close()


def test_a_report_a_row_and_a_row_a_report_or_it_is_looked_for_beforehand(folder, monkeypatch):
    _reports(folder, "again", ["d5-0"], 7)
    facts, carried = _built(folder, monkeypatch)
    assert not carried
    assert facts == _looked(folder, monkeypatch)


def test_of_dense_logs_it_is_looked_for_beforehand(folder, monkeypatch):
    monkeypatch.setattr(carried_reports, "MOST_BESIDE", 14)
    facts, carried = _built(folder, monkeypatch)
    assert not carried
    assert facts == _looked(folder, monkeypatch)


def test_repeated_rows_are_looked_for_beforehand(folder, monkeypatch):
    _rows(folder, "predictions", DAYS, ["d5-0"])
    facts, carried = _built(folder, monkeypatch)
    assert not carried
    assert facts == _looked(folder, monkeypatch)


def test_a_reference_that_is_a_stretch_of_the_logs_needs_the_labels_of_its_days_first(folder, monkeypatch):
    stretch = '[reference]\nstart = "2026-03-27"\nend = "2026-04-02"\n'
    (folder / "assay.toml").write_text(PROJECT + stretch)
    facts, carried = _built(folder, monkeypatch)
    assert not carried
    assert facts == _looked(folder, monkeypatch)
