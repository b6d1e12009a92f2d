"""The Quality page on every task, and where there is little or nothing to show."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote_plus

import pytest

from analytics.quality.rows import RocRow
from analytics.workbench import open_workbench
from app.parts.confusion import cells_at, earned
from app.parts.curves import at_least_recall, at_most_false_alarms, thinned
from tests.app.conftest import START, assert_fine, charts, texts

TASKS = ("binary", "multiclass", "regression")
HEADINGS = {
    "binary": ["Log loss by day", "Confusion table", "Calibration", "ROC curve", "Precision and recall",
               "Scores by label", "Move the threshold", "At required rates"],
    "multiclass": ["Log loss by day", "Confusion table", "Calibration", "ROC curve", "Scores by label"],
    "regression": ["Mean absolute error by day", "Predicted against true", "Errors"],
}  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_every_card_of_a_task_is_there(open_page, known_project, task):
    page = open_page("quality", known_project(task=task), range="all", grain="day")
    assert_fine(page)
    said = texts(page)
    assert [heading for heading in HEADINGS[task] if heading not in said] == []
    assert len(page.metric) == 4
    assert sum(" to " in caption.value and "· n = 250" in caption.value for caption in page.caption) == 4


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", [{"labels": "none"}, {"labels": "one"}, {"rows": 1}, {"rows": 0}])
def test_too_little_is_said_and_never_a_traceback(open_page, known_project, task, case):
    page = open_page("quality", known_project(task=task, **case), range="all", by="place")
    assert_fine(page)
    said = texts(page)
    if case.get("rows") == 0:
        assert "No logs yet" in said
    else:
        assert len(page.metric) == 4
    if case.get("labels") == "none":
        assert "No labels yet for the 250 predictions" in said
        assert [metric.value for metric in page.metric] == ["–"] * 4


def test_an_empty_window_leads_to_the_newest_data(open_page, known_project):
    page = open_page("quality", known_project(), start="2020-01-01", end="2020-02-01")
    assert_fine(page)
    assert "Nothing in this window" in texts(page)
    assert "The logs run from 1 Jan 2024" in texts(page)
    page.button(key="quality_way_out").click().run()
    assert_fine(page)
    assert len(page.metric) == 4


def test_narrow_filters_can_be_cleared(open_page, known_project):
    page = open_page("quality", known_project(), range="all", where=["place=*nowhere*"])
    assert_fine(page)
    assert "No row fits the filters" in texts(page)
    assert "place is *nowhere*" in texts(page)
    page.button(key="quality_way_out").click().run()
    assert_fine(page)
    assert page.session_state["where"] == []
    assert len(page.metric) == 4


def test_numbers_are_those_of_the_workbench(open_page, known_project):
    folder = known_project(rows=2000)
    page = open_page("quality", folder, range="all", version=["b"])
    bench = open_workbench(folder)
    row = next(row for row in bench.quality(bench.scope(versions=["b"])) if row.metric == "roc_auc")
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["ROC AUC"] == f"{row.value:.3f}"
    assert f"{row.ci_low:.3f} to {row.ci_high:.3f} · n = 1,000" in texts(page)


def test_metric_and_class_come_from_the_link(open_page, known_project):
    folder = known_project(task="multiclass")
    page = open_page("quality", folder, range="all", grain="day", metric="recall", **{"class": "z"})
    assert_fine(page)
    assert page.session_state["class"] == "z"
    assert "Recall by day" in texts(page)
    assert "Class z" in texts(page)


def test_a_point_in_time_opens_its_examples(open_page, known_project):
    page = open_page("quality", known_project(), range="all", grain="day")
    line = next(trace for trace in charts(page)[0]["data"] if trace.get("mode") == "lines+markers")
    start, end, version, _ = line["customdata"][1]
    assert start.startswith("2024-01-02T00:00")
    assert end.startswith("2024-01-03T00:00")
    assert version == "a"


def test_the_threshold_moves_the_table(open_page, known_project):
    page = open_page("quality", known_project(rows=1000), range="all", version=["a"])
    strict = page.slider(key="threshold").set_value(0.9).run()
    assert_fine(strict)
    assert "At threshold 0.900" in texts(page)


def test_without_costs_nothing_is_earned(open_page, known_project):
    page = open_page("quality", known_project(), range="all")
    assert "Earned per decision" not in [metric.label for metric in page.metric]


def test_by_segment_lists_its_values(open_page, known_project):
    page = open_page("quality", known_project(), range="all", by="place")
    assert_fine(page)
    assert "Log loss by place" in texts(page)
    tables = [table.value for table in page.dataframe]
    assert any("place" in frame and sorted(frame["place"]) == ["north", "south"] for frame in tables)


@pytest.mark.parametrize(
    "name", ["NYC flight delays", "NYC flights: how late, in classes", "NYC flights: minutes late"]
)
def test_the_sample_logs_are_shown(open_page, name):
    page = open_page("quality", project=name, range="30d")
    assert_fine(page)
    assert quote_plus(name) in page.code[0].value
    assert "gbm-2013.09" in texts(page) or name != "NYC flight delays"


def test_the_version_is_the_one_live_in_the_window(open_page):
    page = open_page("quality", start="2013-06-01", end="2013-07-01", project="NYC flight delays")
    assert "Version gbm-2013.03 against the reference" in texts(page)
    assert page.metric[0].value != "–"


def point(threshold, tp, fp, fn, tn):
    end = START.replace(year=2025)
    return RocRow(
        START, end, "a", None, threshold, tp / (tp + fn), fp / (fp + tn), tp / (tp + fp) if tp + fp else None,
        (tp + fp) / (tp + fp + fn + tn), tp, fp, fn, tn, tp + fp,
    )  # fmt: skip


CURVE = [point(0.0, 10, 90, 0, 0), point(0.3, 9, 40, 1, 50), point(0.6, 8, 4, 2, 86), point(0.9, 3, 0, 7, 90)]


@pytest.mark.parametrize("rate,threshold", [(0.0, 0.9), (0.05, 0.6), (0.5, 0.3), (1.0, 0.0)])
def test_most_is_caught_within_the_allowed_false_alarms(rate, threshold):
    found = at_most_false_alarms(CURVE, rate)
    assert found is not None
    assert found.threshold == threshold


@pytest.mark.parametrize("rate,threshold", [(0.3, 0.9), (0.8, 0.6), (0.85, 0.3), (1.0, 0.0)])
def test_the_strictest_threshold_that_catches_enough(rate, threshold):
    found = at_least_recall(CURVE, rate)
    assert found is not None
    assert found.threshold == threshold


def test_a_threshold_gives_a_whole_table():
    cells = {(row.true_class, row.decided_class): row for row in cells_at(CURVE[2])}
    assert {key: row.n for key, row in cells.items()} == {
        ("0", "0"): 86, ("0", "1"): 4, ("1", "0"): 2, ("1", "1"): 8,
    }  # fmt: skip
    assert cells["1", "1"].share_of_true == pytest.approx(0.8)


def test_earnings_are_the_mean_over_rows():
    from analytics.project import Costs

    costs = Costs(true_positive=20, false_positive=-10, false_negative=-5)
    assert earned(CURVE[2], costs) == pytest.approx((8 * 20 - 4 * 10 - 2 * 5) / 100)


def test_a_thinned_curve_loses_no_shape(known_project):
    bench = open_workbench(known_project(rows=5000))
    rows = [row for row in bench.roc() if row.version == "a"]
    kept = thinned(rows)
    assert len(kept) < len(rows)
    assert [row for row in rows if row.operating_point] == [row for row in kept if row.operating_point]
    line = [row for row in kept if not row.operating_point]
    assert all(
        max(
            abs(a.true_positive_rate - b.true_positive_rate),
            abs(a.false_positive_rate - b.false_positive_rate),
        )
        < 0.06
        for a, b in pairwise(line)
    )
