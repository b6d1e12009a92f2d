from __future__ import annotations

import gzip
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from analytics.telemetry.report import DayCount
from app import locations
from app.charts.volume import rows_by_day, rows_by_day_alt
from tests.app.conftest import assert_fine, charts, texts

FLIGHTS = locations.sample_logs() / "flights"


def test_says_what_arrived(open_page):
    page = open_page("telemetry", FLIGHTS)
    assert_fine(page)
    assert "nothing is damaged" in texts(page)
    assert [metric.label for metric in page.metric] == [
        "Predictions",
        "With a label",
        "Since the newest prediction",
        "Left out",
    ]
    files = page.dataframe[0].value
    assert {"predictions/2013-03.parquet", "labels/2013-03.parquet"} <= set(files["File"])
    columns = page.dataframe[1].value.set_index("Column")
    assert columns.loc["temp", "Part"] == "feature"
    assert columns.loc["carrier", "Part"] == "feature, segment"
    assert columns.loc["score", "Part"] == "score"
    assert len(charts(page)) == 1


def test_damage_is_named_with_its_lines(open_page, tmp_path):
    lines = [
        f'{{"id": "{i}", "at": "2024-01-0{1 + i % 9}T00:00:00Z", "score": 0.5, "label": {i % 2}}}'
        for i in range(40)
    ]
    lines[6] = "{broken"
    lines[9] = '{"id": "x", "at": "2024-01-01T00:00:00Z", "score": "high", "label": 1}'
    (tmp_path / "good.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (tmp_path / "bad.jsonl.gz").write_bytes(b"not a gzip file")
    (tmp_path / "assay.toml").write_text(
        'name = "damaged"\n[predictions]\npath = "*.jsonl.gz"\ntask = "binary"\nid = "id"\ntimestamp = "at"\n'
        'score = "score"\nlabel = "label"\nthreshold = 0.5\n'
    )
    page = open_page("telemetry", tmp_path)
    assert_fine(page)
    files = page.dataframe[0].value.set_index("File")
    assert files.loc["good.jsonl.gz", "Rejected"] == 1
    assert files.loc["good.jsonl.gz", "Rejected lines"] == "7"
    assert files.loc["good.jsonl.gz", "Invalid"] == 1
    assert files.loc["bad.jsonl.gz", "Problem"]
    assert "What was left out" in texts(page)
    assert "nothing is damaged" not in texts(page)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("labels", ["both", "one", "none"])
def test_every_task_and_any_labels(open_page, known_project, task, labels):
    assert_fine(open_page("telemetry", known_project(task=task, labels=labels)))


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_rows(open_page, known_project, rows):
    assert_fine(open_page("telemetry", known_project(rows=rows)))


def test_days_carry_their_window_and_version():
    zone = ZoneInfo("America/New_York")
    days = [DayCount(date(2013, 3, 10), "a", 10, 5), DayCount(date(2013, 3, 12), "b", 4, 4)]
    figure = rows_by_day(days, zone=zone, versions=("a", "b"))
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert bars[0]["customdata"] == [["2013-03-10T00:00:00-05:00", "2013-03-11T00:00:00-04:00", "a"]]
    assert [trace["name"] for trace in bars] == ["a", "b"]
    coverage = figure["data"][-1]
    assert coverage["y"] == [0.5, 1.0]
    assert "1 day without any" in rows_by_day_alt(days)
    assert rows_by_day([], zone=zone)["layout"]["annotations"][0]["text"] == rows_by_day_alt([])
