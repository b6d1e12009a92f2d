"""Figures and sentences about decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from analytics.quality.decision_rows import CoverageRow, GainRow, ThresholdPointRow, ThresholdRow
from app.charts import decisions as charts
from app.glossary import explain
from app.headlines.decisions import coverage_sentence, decision_verdict, monthly, review_sentence

WINDOW = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def best(**changes: Any) -> ThresholdRow:
    row = ThresholdRow(
        *WINDOW, "v1", None, None, None, "cost", None, "cost", threshold=0.27, threshold_low=0.24, threshold_high=0.31,
        value=1.2, ci_low=1.0, ci_high=1.4, precision=0.4, precision_ci_low=0.35, precision_ci_high=0.45, recall=0.6,
        recall_ci_low=0.55, recall_ci_high=0.65, decision_rate=0.2, present_threshold=0.3, present_value=1.16,
        present_ci_low=0.95, present_ci_high=1.3, gain=0.04, gain_ci_low=0.01, gain_ci_high=0.07, gain_in_sample=0.05,
        rows_per_day=300.0, n=9_000, n_labelled=8_900, status="ok",
    )  # fmt: skip
    return replace(row, **changes)


def point(threshold: float | None, value: float, metric: str = "cost") -> ThresholdPointRow:
    return ThresholdPointRow(
        *WINDOW, "v1", None, metric, threshold, value, value - 0.2, value + 0.2, 0.3, "blocks", 8_900
    )


def review(share: float | None, recall: float, budget: float | None = None) -> GainRow:
    return GainRow(
        *WINDOW, "v1", None, None, None, "share" if budget is None else "budget", share_reviewed=share, budget=budget,
        reviewed_per_day=20.0, recall=recall, recall_ci_low=recall - 0.05, recall_ci_high=recall + 0.05,
        recall_at_random=share, precision=0.5, precision_ci_low=0.4, precision_ci_high=0.6, lift=2.5, lift_ci_low=2.0,
        lift_ci_high=3.0, n=900, n_labelled=900, n_positive=180, n_reviewed=90, status="ok",
    )  # fmt: skip


def sure(share: float, value: float, metric: str = "accuracy") -> CoverageRow:
    return CoverageRow(
        *WINDOW, "v1", None, None, "top", share, metric, share_answered=share, answered_from=0.6, value=value,
        ci_low=value - 0.02, ci_high=value + 0.02, change=value - 0.7, change_ci_low=value - 0.72,
        change_ci_high=value - 0.68, answered_per_day=300 * share, refused_per_day=300 * (1 - share), n=9_000,
        n_labelled=8_000, status="ok",
    )  # fmt: skip


CURVE = [point(k / 10, 1.2 - (k / 10 - 0.3) ** 2) for k in range(10)] + [point(None, 1.16)]
REVIEWS = [review(0.1, 0.25), review(0.5, 0.8), review(1.0, 0.95), review(0.06, 0.2, 20.0)]
SURE = [sure(1.0, 0.7), sure(0.8, 0.78), sure(0.5, 0.9)]


def test_a_sure_gain_says_how_much_a_month():
    said = decision_verdict(best())
    assert said.state == "changed"
    assert said.sentence == (
        "Calling positive from 0.270 instead of 0.300 would earn 0.0400 a row more (+0.0100 to +0.0700); "
        "that is about 365 a month."
    )
    assert monthly(best()) == pytest.approx(0.04 * 300 * 365.25 / 12)


@pytest.mark.parametrize(
    "changes,start",
    [
        ({"gain_ci_low": -0.1}, "Nothing shows that another way to decide earns more: calling positive from 0.270"),
        ({"gain": -0.4, "gain_ci_low": -0.5, "gain_ci_high": -0.1}, "The decisions as taken earn more than calling"),
        ({"gain": None}, "Calling positive from 0.270 instead of 0.300 earns 1.20 a row (1.00 to 1.40)."),
        ({"threshold": None}, "Calling nobody positive would earn"),
        ({"threshold": None, "precision": None, "recall": None}, "Deciding for the class with the largest expected"),
        ({"value": None, "reason": "none of 9 rows has a label"}, "Where to decide cannot be said: none of 9 rows"),
        (
            {"goal": "recall", "target": 0.6, "class_": "late"},
            "Calling late from 0.270 instead of 0.300 catches 60% (55% to 65%) of the late rows",
        ),
        ({"goal": "precision", "target": 0.8}, "A precision of 80% does not last: calling positive from"),
    ],
)  # fmt: skip
def test_every_case_has_its_sentence(changes, start):
    assert decision_verdict(best(**changes)).sentence.startswith(start)


def test_reviews_and_confident_answers_in_a_sentence():
    assert review_sentence(REVIEWS).startswith("The 20 highest scores of each day hold 20% (15% to 25%)")
    assert review_sentence(REVIEWS[:3]).startswith("The tenth of the rows with the highest scores holds 25%")
    assert review_sentence([]) is None
    assert coverage_sentence(SURE) == (
        "Answering only the surest 80% refuses 60.0 rows a day; accuracy on them is 78%, +8 pp (+6 pp to +10 pp) "
        "against answering all."
    )
    assert coverage_sentence([]) is None


@pytest.mark.parametrize(
    "figure",
    [
        charts.value_by_threshold(CURVE, best(), "earned a row"),
        charts.value_by_threshold(CURVE, best(present_threshold=None, threshold_high=None)),
        charts.value_by_threshold(CURVE, None),
        charts.gain_chart(REVIEWS),
        charts.coverage_chart(SURE),
        charts.value_by_threshold([], None),
        charts.gain_chart([]),
        charts.coverage_chart([]),
    ],
)
def test_plotly_takes_every_figure(figure):
    drawn = go.Figure(figure)
    assert drawn.data


def test_the_present_and_the_best_are_marked_where_they_are():
    drawn = {
        trace.name: trace for trace in go.Figure(charts.value_by_threshold(CURVE, best())).data if trace.name
    }
    assert drawn["as decided"].x == (0.3,)
    assert drawn["as decided"].y == (1.16,)
    assert drawn["best"].x == (0.27,)
    assert drawn["the best lies here (95%)"].x == (0.24, 0.31)


def test_alternative_texts_say_the_numbers():
    text = charts.value_by_threshold_alt(CURVE, best())
    assert "best at a threshold of 0.270 (1.20)" in text
    assert (
        charts.gain_alt(REVIEWS)
        == "Reviewing the top 10% finds 25% of the positives, 2.50 times random order."
    )
    assert charts.coverage_alt(SURE) == "Accuracy is 70% on all rows and 90% on the surest half."
    assert "needs" in charts.value_by_threshold_alt([], None)


def test_tables_hold_what_is_drawn():
    assert len(charts.point_table(CURVE, zone=ZONE)) == 11
    assert charts.threshold_table([best()], zone=ZONE)["Gain"].tolist() == [0.04]
    assert charts.gain_table(REVIEWS, zone=ZONE)["Review"].tolist()[-1] == "top of each day"
    assert charts.coverage_table(SURE, zone=ZONE)["Refused a day"].tolist() == pytest.approx([0, 60, 150])


@pytest.mark.parametrize("word", ["best_threshold", "threshold_segments", "gain_chart", "coverage_chart"])
def test_every_drawer_explains(word):
    assert explain(word).caveat
