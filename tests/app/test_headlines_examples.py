from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from analytics.examples.card_rows import RegressionRow, UnusualRow
from analytics.examples.points import ClusterRow, PointRow
from analytics.examples.rows import ExampleRow
from app.charts import examples as charts
from app.headlines.examples import map_headline, regression_headline, row_sentence

AT = datetime(2024, 3, 1, tzinfo=UTC)
ROW = ExampleRow(1, "why", "r1", AT, "v1", "1", "0", 0.2, 1.6, "f.parquet", 7, {})
FEATURE = UnusualRow(
    "temp", 104.0, "highest", True, 1.0, None, 1.0, 98.0, 5000, "the reference", "temp 104 is …"
)
POINT = PointRow(0.0, 1.0, "r1", AT, "v1", "1", "0", 0.2, 1.6, True, 1, "f.parquet", 7)
CLUSTER = ClusterRow(
    1, "temp=[87, inf) and kind is missing", "temp=[87, inf)", "kind=", 0.9, 0.2, 60, 0.4, 150, 0.4, 0.3, 0.5, 1.1,
    0.0, 1.0, "blocks", "ok", None,
)  # fmt: skip
RATE = RegressionRow("storms", "v1", 10, 10, 6, 0.6, 0.31, 0.83, "ok", None)


def test_row_sentence():
    other = dataclasses.replace(ROW, version="v2", decision="1")
    usual = dataclasses.replace(FEATURE, unusual=False)
    assert row_sentence([ROW, other], [FEATURE, usual]) == (
        "1 of its 2 features is unusual: temp. Versions disagree: v1 decided 0 and v2 decided 1."
    )
    assert row_sentence([ROW], [usual]) == "None of its 1 feature is unusual."
    assert row_sentence([ROW, dataclasses.replace(other, decision="0")], []).endswith(
        "All 2 versions decided 0."
    )


def test_map_headline_claims_nothing_that_may_be_chance():
    worse = map_headline([POINT] * 300, [CLUSTER])
    assert "temp 87 or more and kind missing" in worse
    assert "40% of the rows are costly (30% to 50%)" in worse
    even = dataclasses.replace(CLUSTER, ci_low=0.15)
    assert "in none of their regions" in map_headline([POINT] * 300, [even])
    assert "no clusters" in map_headline([POINT], [])
    assert "none of them has a label" in map_headline([dataclasses.replace(POINT, loss=None)], [])
    assert "too few" in map_headline([], [])


def test_regression_headline():
    newer = dataclasses.replace(RATE, version="v2", n_passed=8, value=0.8, ci_low=0.49, ci_high=0.94)
    assert regression_headline([RATE, newer]) == "V2 passes 8 of 10 of storms (49% to 94%), v1 6 of 10."
    nothing = dataclasses.replace(RATE, value=None, n=0, status="no_data")
    assert "can be judged" in regression_headline([nothing])
    assert regression_headline([]) == "No row is pinned yet."


def test_plotly_takes_every_figure_and_logged_text_is_no_markup():
    evil = dataclasses.replace(ROW, version="<b>v</b>", label="<i>", decision="<i>")
    zone = ZoneInfo("UTC")
    figures = [
        charts.history([ROW, evil], 1, zone=zone), charts.history([], 0, zone=zone),
        charts.history([dataclasses.replace(ROW, score=None)], 0, zone=zone),
        charts.error_map([POINT, dataclasses.replace(POINT, loss=None)], [CLUSTER], ("+a, −b", "<b>"), zone=zone),
        charts.error_map([], [], ("", ""), zone=zone), charts.pass_rates([RATE]), charts.pass_rates([]),
        charts.pass_rates([dataclasses.replace(RATE, set="<script>", version="<b>")]),
    ]  # fmt: skip
    for figure in figures:
        go.Figure(figure)
        assert "<script>" not in str(figure)
        assert "<i>" not in str(figure)
