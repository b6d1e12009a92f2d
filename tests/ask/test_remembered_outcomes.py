"""Metrics of large logs are read once: the same answer again without a scan, and anew when a file changes."""

from __future__ import annotations

from contextlib import closing

import pytest

from analytics.aggregates.stored_days import store_of
from analytics.ask.outcomes import outcomes_of
from analytics.telemetry import remembered
from analytics.workbench import Workbench
from tests.ask.test_outcomes import PROJECT, logs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "LARGE", 0)
    monkeypatch.setenv("ASSAY_AGGREGATES", str(tmp_path / "kept"))
    events, users, series = logs()
    events.to_parquet(tmp_path / "events.parquet")
    users.to_csv(tmp_path / "users.csv", index=False)
    series.to_csv(tmp_path / "series.csv", index=False)
    (tmp_path / "assay.toml").write_text(PROJECT.format(cluster='cluster = "household"'))
    return tmp_path


def asked(folder, grain, **more):
    """The rows, and how often the logs were put into memory for them."""
    held = []
    with closing(Workbench(folder)) as bench:
        bench.catalog.memory = store_of(bench.project)
        plain = bench.catalog.engine.kept
        bench.catalog.engine.kept = lambda sql: held.append(sql.text) or plain(sql)
        found = outcomes_of(bench.catalog, bench.scope(grain=grain, **more))
        return list(found), held


@pytest.mark.parametrize("grain", ["day", "week", "all"])
def test_the_second_question_reads_no_row_and_says_the_same(folder, grain):
    first, held = asked(folder, grain)
    assert held
    again, held = asked(folder, grain)
    assert len(held) == (2 if grain == "all" else 1)  # a quantile is of all values, which are not kept
    assert all("value_1" not in text for text in held)
    assert again == first
    assert len(first) > 8


def test_another_file_is_another_answer(folder):
    first, _ = asked(folder, "week")
    events, _, _ = logs()
    events.assign(minutes=events.minutes * 2).to_parquet(folder / "events.parquet")
    twice, held = asked(folder, "week")
    assert held
    value = {(row.window_start, row.metric): row.value for row in first}
    for row in twice:
        if row.metric == "minutes" and row.value is not None:
            assert row.value == pytest.approx(2 * value[row.window_start, row.metric])


def test_windows_that_begin_within_a_day_are_not_kept(folder):
    more = {"start": "2026-03-18T10:00", "end": "2026-03-20T10:00"}
    asked(folder, "all", **more)
    _, held = asked(folder, "all", **more)
    assert len(held) > 2


def test_small_logs_keep_nothing(folder, monkeypatch):
    monkeypatch.setattr(remembered, "LARGE", 10**9)
    asked(folder, "day")
    assert not (folder / "kept").exists() or not list((folder / "kept").rglob("*.parquet"))
