"""The section Before labels for every task, and where there is little or nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics.quality.estimated import EstimateRow, EstimatorRow
from app.charts.estimated import estimate_table, estimated_quality, estimated_quality_alt, scorecard_table
from app.headlines.estimated import estimate_verdict
from tests.app.conftest import assert_fine, charts, texts
from tests.ask.projects import SAMPLES

UTC_ZONE = ZoneInfo("UTC")
HELD = "the estimate held in 18 of its last 20 back-tests."
UNTESTED = "no earlier window of this length has labels to test it on."
NOW = "happens now is something that scores alone do not show."


def row(day=1, value=0.5, realised=None, realised_status="immature", reason=None, **more):
    said = {
        "window_start": datetime(2024, 1, day, tzinfo=UTC), "window_end": datetime(2024, 1, day + 1, tzinfo=UTC),
        "version": "v1", "metric": "log_loss", "method": "cbpe", "value": value,
        "ci_low": None if value is None else value - 0.05, "ci_high": None if value is None else value + 0.05,
        "realised": realised, "realised_status": "ok" if realised is not None else realised_status,
        "realised_reason": None, "held": None, "n": 200, "n_sample": None, "n_labelled": 100, "n_reference": 900,
        "effective_n": None, "calibration": "none", "n_backtests": 20, "held_backtests": 18,
        "status": "ok" if value is not None else "undefined", "reason": reason,
    }  # fmt: skip
    return EstimateRow(**(said | more))


@pytest.mark.parametrize(
    "rows, sentence",
    [
        (
            [row(3, 0.6), row(4, 0.48)],
            "On 4 Jan 2024, whose labels still arrive, log loss is estimated at 0.480 (0.430 to 0.530); "
            + HELD,
        ),
        (
            [row(4, 0.48, realised_status="no_data", n_backtests=0)],
            "On 4 Jan 2024, without labels, log loss is estimated at 0.480 (0.430 to 0.530); " + UNTESTED,
        ),
        (
            [row(4, 0.48, 0.61, held=False)],
            "All labels are in: on 4 Jan 2024 log loss was estimated at 0.480 (0.430 to 0.530) but came to 0.610; "
            + HELD,
        ),
        (
            [
                row(
                    4,
                    None,
                    held_backtests=11,
                    reason="withdrawn: it held in 11 of its last 20 back-tests, and ...",
                )
            ],
            "The estimate of log loss is withdrawn: it held in 11 of its last 20 back-tests, so what " + NOW,
        ),
        ([row(4, None, reason="why not")], "Log loss on 4 Jan 2024 cannot be estimated: why not."),
        ([row(4, None, n=0)], "There are no scored rows in these windows, so nothing can be estimated."),
        ([], "There are no scored rows in these windows, so nothing can be estimated."),
    ],
)
def test_the_sentence_says_what_is_the_case(rows, sentence):
    assert estimate_verdict(rows, UTC_ZONE).sentence == sentence


def test_withdrawn_windows_are_marked_and_have_no_estimate():
    gone = row(2, None, 0.9, held=False, held_backtests=12, reason="withdrawn: it held in 12")
    figure = estimated_quality([row(1, 0.5, 0.52, held=True), gone, row(3)], zone=UTC_ZONE)
    named = {trace.get("name"): trace for trace in figure["data"]}
    assert named["withdrawn"]["x"] == [named["estimated"]["x"][1]]
    assert named["estimated"]["y"] == [0.5, None, 0.5]
    assert named["measured later"]["y"] == [0.52, 0.9, None]
    assert list(named["measured later"]["marker"]["symbol"])[1] == "diamond"
    assert named["estimated"]["line"]["dash"] == "dash"
    alt = estimated_quality_alt([row(1, 0.5, 0.52, held=True), gone, row(3)], zone=UTC_ZONE)
    assert "held the measured value in 1 of 2 windows; withdrawn in 1" in alt
    frame = estimate_table([gone], zone=UTC_ZONE)
    assert frame["Held"].tolist() == ["no"]
    assert "withdrawn" in frame["Reason"].iloc[0]


def test_nothing_to_draw_is_said():
    assert "Nothing was estimated" in str(estimated_quality([], zone=UTC_ZONE)["layout"])
    assert estimated_quality_alt([row(1, None)], zone=UTC_ZONE).startswith("Nothing")


def test_the_scorecard_reads_for_people():
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    card = EstimatorRow(
        start, end, "v1", "log_loss", "cbpe", 20, 18, 0.9, 0.2, 0.3, 20, 0.1, 0.01, "withdrawn"
    )
    line = scorecard_table([card]).iloc[0]
    assert (line["Metric"], line["Held"], line["Now"]) == ("Log loss", "18 of 20", "withdrawn")
    assert isinstance(scorecard_table([]), pd.DataFrame)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_section_is_there_for_every_task(open_page, known_project, task):
    page = open_page(
        "quality", known_project(task=task, rows=1500), range="all", grain="day", section="estimated"
    )
    assert_fine(page)
    said = texts(page)
    assert "estimated and measured" in said
    assert "How the estimate has fared" in said
    assert len(charts(page)) == 1
    bound = {box.key for box in page.selectbox}
    assert ("estimator" in bound) == (task != "regression")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"reference": False}])
def test_too_little_is_said_and_never_a_traceback(open_page, known_project, task, case):
    page = open_page("quality", known_project(task=task, **case), range="all", section="estimated")
    assert_fine(page)
    assert "How the estimate has fared" in texts(page)


def test_labels_that_still_arrive_in_the_flights(open_page):
    page = open_page(
        "quality", SAMPLES / "flights_delay_class", range="custom", start="2013-05-18", end="2013-06-01",
        grain="day", section="estimated", as_of="2013-05-31T20:00",
    )  # fmt: skip
    assert_fine(page)
    assert "On 31 May 2013, whose labels still arrive, log loss is estimated at" in texts(page)
