"""What is known of the files stays true when files of a day, or of the reference, come, change and go."""

from __future__ import annotations

import os
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.aggregates import day_facts
from analytics.aggregates.day_facts import Facts, update_facts
from analytics.aggregates.stored_days import attached
from analytics.project import read_project
from analytics.telemetry.catalog import Catalog
from tests.aggregates.small_logs import PROJECT, START, write_reports, write_rows


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assay.toml").write_text(PROJECT)
    write_rows(tmp_path / "predictions" / "a.parquet", ["a0", "a1", "a2"])
    write_rows(tmp_path / "predictions" / "b.parquet", ["b0", "b1"])
    write_rows(tmp_path / "reference" / "r.parquet", ["r0"])
    reports = ["a0", "a1", "a2", "b0", "b1", "r0", "r1", "nobody"]
    write_reports(tmp_path / "labels" / "l.parquet", reports)
    return tmp_path


def _updated(folder, facts):
    catalog = Catalog(read_project(folder / "assay.toml"))
    try:
        return Facts.from_table(update_facts(catalog, facts).as_table())
    finally:
        catalog.close()


def _same_as_at_once(folder, facts):
    facts = _updated(folder, facts)
    assert facts == _updated(folder, Facts())
    return facts


def _orphans(facts):
    (file,) = facts.labels.values()
    return file.missing - file.reference


def test_reports_without_a_row_are_counted_once_however_often_a_file_of_their_day_is_written(folder):
    facts = _updated(folder, Facts())
    assert _orphans(facts) == 2  # "r1" and "nobody"
    for second in range(2):
        os.utime(folder / "predictions" / "a.parquet", (second, second))
        facts = _same_as_at_once(folder, facts)
        assert _orphans(facts) == 2
    (folder / "predictions" / "a.parquet").unlink()
    facts = _same_as_at_once(folder, facts)
    assert _orphans(facts) == 5


def test_reports_that_were_there_before_a_file_of_the_reference_are_found(folder):
    facts = _updated(folder, Facts())
    (file,) = facts.labels.values()
    assert file.reference == 1
    write_rows(folder / "reference" / "s.parquet", ["r1"])
    facts = _same_as_at_once(folder, facts)
    assert _orphans(facts) == 1
    (folder / "reference" / "r.parquet").unlink()
    assert _orphans(_same_as_at_once(folder, facts)) == 2
    write_rows(folder / "reference" / "s.parquet", ["elsewhere"])
    assert _orphans(_same_as_at_once(folder, facts)) == 3


def test_a_repeated_row_that_goes_leaves_no_miscounted_report(folder):
    write_rows(folder / "predictions" / "c.parquet", ["a0", "a1"])
    facts = _updated(folder, Facts())
    (folder / "predictions" / "c.parquet").unlink()
    assert _orphans(_same_as_at_once(folder, facts)) == 2


def test_rows_of_the_reference_that_were_predicted_too_hide_no_report_without_a_row(folder):
    def told():
        catalog = Catalog(read_project(folder / "assay.toml"))
        try:
            return attached(catalog).orphans(START + timedelta(days=2))
        finally:
            catalog.close()

    assert told() is None  # "r0" might be a row of the predictions: counted by its id
    write_rows(folder / "reference" / "r.parquet", ["elsewhere"])
    assert told() == 3


def test_a_report_far_from_its_row_is_found_although_another_row_stands_twice(folder):
    """Two rows of one id are as many matches as two reports, and hide that one report found none."""
    old, late = START - timedelta(days=31), START + timedelta(days=1)
    for name, when, ids in (("a", old, ["x"]), ("b", START, ["y", "y"])):
        write_rows(folder / "predictions" / f"{name}.parquet", ids, when=when)
    reports = pa.table({"id": ["x", "y"], "label": [1, 0], "label_ts": [late] * 2})
    pq.write_table(reports, folder / "labels" / "l.parquet")
    (touched,) = _updated(folder, Facts()).labels.values()
    assert {day.isoformat() for day in touched.days} == {old.date().isoformat(), START.date().isoformat()}


def test_the_reference_has_another_state_when_its_hours_change(folder):
    states = []
    for end in ("2026-03-02T10:00:00", "2026-03-02T12:00:00"):
        text = PROJECT.replace('path = "reference/*.parquet"', f"start = 2026-03-01T00:00:00\nend = {end}")
        (folder / "assay.toml").write_text(text)
        catalog = Catalog(read_project(folder / "assay.toml"))
        states.append(attached(catalog).reference_state(labelled=False))
        catalog.close()
    assert states[0] != states[1]


def test_labels_of_many_days_look_at_each_row_a_few_times_only(folder, monkeypatch):
    """What finds no row near is looked for once, and rows are near that are as late as those found before were."""
    monkeypatch.setattr(day_facts, "BATCH_REPORTS", 3)
    for name in ("predictions/a", "predictions/b", "labels/l"):
        (folder / f"{name}.parquet").unlink()
    for n in range(30):  # each day's labels a day later, one about nobody, and in the end one of long before
        when = START + timedelta(days=n)
        write_rows(folder / "predictions" / f"{n:02d}.parquet", [f"d{n}"], when=when)
        about = [f"d{n}", f"nobody{n}", *(["d3", "r0"] if n == 29 else [])]
        write_reports(folder / "labels" / f"{n:02d}.parquet", about, when + timedelta(days=1))
    # labels of the reference, of which one row was predicted too, long ago
    write_rows(folder / "reference" / "r.parquet", ["r0", "r1", "r2"])
    write_rows(folder / "predictions" / "early.parquet", ["r1"], when=START - timedelta(days=40))
    write_reports(folder / "labels" / "r.parquet", ["r1", "r2"], START + timedelta(days=9))
    looked = []
    find = day_facts.Reports.find
    monkeypatch.setattr(
        day_facts.Reports,
        "find",
        lambda self, reports, among: looked.append(len(among)) or find(self, reports, among),
    )
    found = _updated(folder, Facts())
    assert sum(file.missing for file in found.labels.values()) == 32
    assert [[*file.days] for file in found.labels.values()].count([(START - timedelta(days=40)).date()]) == 1
    assert [sorted(file.rows for file in one.days.values()) for one in found.labels.values()].count(
        [1, 1]
    ) == 1
    assert looked.count(31) <= 12  # 35 reports that find none near, three at a time
    assert sorted(looked)[len(looked) // 2] <= 4
    monkeypatch.setattr(day_facts, "BATCH_REPORTS", 1_000)
    assert found == _updated(folder, Facts())
