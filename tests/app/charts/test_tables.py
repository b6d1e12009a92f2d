"""The table behind each chart: its rows, all of them, with names people read."""

from __future__ import annotations

import pytest

from app.charts import tables
from tests.app.charts import samples as s

ALL = [
    (tables.metric_table, s.metric([0.5, None])),
    (tables.confusion_table, s.confusion(3)),
    (tables.roc_table, s.roc()),
    (tables.calibration_table, s.calibration()),
    (tables.pair_table, s.pairs()),
    (tables.drift_table, s.drift()),
    (tables.histogram_table, s.numeric_histogram()),
    (tables.segment_table, s.segments()),
]


@pytest.mark.parametrize("table,rows", ALL)
def test_every_row_is_there_under_names_for_people(table, rows):
    frame = table(rows, zone=s.ZONE)
    assert len(frame) == len(rows)
    assert not any("_" in name for name in frame.columns)
    assert all(name[0].isupper() or name == "p-value" for name in frame.columns)


@pytest.mark.parametrize("table,rows", ALL)
def test_without_rows_the_names_stay(table, rows):
    assert len(table([], zone=s.ZONE).columns) >= len(table(rows, zone=s.ZONE).columns)


def test_windows_are_instants_in_the_projects_zone():
    frame = tables.metric_table(s.metric([0.5]), zone=s.ZONE)
    assert frame["From"].iloc[0].isoformat() == "2013-03-04T00:00:00-05:00"


def test_a_row_without_a_value_says_why():
    frame = tables.metric_table(s.metric([0.5, None], reason="2 labelled rows"), zone=s.ZONE)
    assert frame["Status"].tolist() == ["ok", "too few rows to say"]
    assert frame["Reason"].iloc[1] == "2 labelled rows"
    assert frame["Metric"].tolist() == ["Log loss"] * 2


def test_bins_without_scores_are_left_out():
    frame = tables.score_table(s.scores(), zone=s.ZONE)
    assert frame["Rows"].min() > 0
    assert frame["Rows"].sum() == 6000


def test_segments_keep_the_order_of_the_forest_and_end_with_the_unknown():
    assert tables.segment_table(s.segments(), zone=s.ZONE)["Slice"].tolist()[::4] == [
        "hour=[9, 13)",
        "carrier=HA",
    ]
