"""Scores, curves, confusion, calibration and regression say what the rows say."""

from __future__ import annotations

import pytest

from app.charts import quality
from app.charts.theme import PAPER, SERIES, TEXT
from tests.app.charts import samples as s


def named(figure, name):
    return next(trace for trace in figure["data"] if trace.get("name") == name)


def test_each_labels_scores_sum_to_one():
    figure = quality.score_histogram(s.scores())
    assert [trace["name"] for trace in figure["data"]] == ["label 0", "label 1", "no label"]
    assert all(sum(trace["y"]) == pytest.approx(1) for trace in figure["data"])


def test_the_positive_label_has_the_second_colour_whatever_it_is_called():
    figure = quality.score_histogram(s.scores(), positive="0")
    assert figure["data"][1]["name"] == "label 0"
    assert figure["data"][1]["marker"]["line"]["color"] == SERIES[1]


def test_scores_alt():
    assert "label 0: 2,000 rows, mean score about 0.28" in quality.score_alt(s.scores())


def test_roc_runs_from_corner_to_corner_with_the_decisions_on_it():
    rows = s.roc()
    figure = quality.roc_curve(rows)
    curve = named(figure, "a")
    assert (curve["x"][0], curve["y"][0]) == (0, 0)
    assert (curve["x"][-1], curve["y"][-1]) == (1, 1)
    assert curve["x"] == sorted(curve["x"])
    mark = named(figure, "a: logged decisions")
    assert mark["marker"]["symbol"] == "diamond"
    assert (mark["x"], mark["y"]) == ([rows[-1].false_positive_rate], [rows[-1].true_positive_rate])
    assert figure["data"][0]["line"]["dash"] == "dot"  # chance


def test_thresholds_that_change_nothing_are_left_out():
    rows = s.roc()
    places = {(row.false_positive_rate, row.true_positive_rate) for row in rows if not row.operating_point}
    assert len(named(quality.roc_curve([*rows, *rows]), "a")["x"]) == len(places) + 1  # the corner


def test_rates_asked_for_are_drawn():
    figure = quality.roc_curve(s.roc(), required_recall=0.8, allowed_false_alarms=0.1)
    straight = [
        (trace["x"], trace["y"])
        for trace in figure["data"]
        if trace["hoverinfo" if "hoverinfo" in trace else "type"] == "skip"
    ]
    assert ([0, 1], [0.8, 0.8]) in straight
    assert ([0.1, 0.1], [0, 1]) in straight


def test_precision_recall_compares_with_the_share_of_positives():
    figure = quality.precision_recall_curve(s.roc())
    assert figure["data"][0]["y"] == [0.3, 0.3]
    assert None not in named(figure, "a")["y"]
    assert "Share of positives: 30%." in quality.precision_recall_alt(s.roc())


def test_alt_of_curves_tells_where_the_decisions_stand():
    row = s.roc()[-1]
    text = quality.roc_alt(s.roc())
    assert f"a catches {row.true_positive_rate * 100:.0f}% of the positives" in text
    assert quality.roc_alt([]) == "ROC curve: not defined, both classes are needed."


def test_confusion_has_the_true_class_downwards_and_the_decision_across():
    figure = quality.confusion_matrix(s.confusion(3))
    heat, words, hits = figure["data"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "true class"
    assert figure["layout"]["xaxis"]["title"]["text"] == "decided class"
    assert figure["layout"]["yaxis"]["range"] == [2.5, -0.5]
    assert heat["z"][0][2] == pytest.approx(4 / 106)
    assert hits["customdata"][2] == ["c00", "c02"]
    assert (hits["x"][2], hits["y"][2]) == (2, 0)
    assert words["text"][0] == "<b>100</b><br>94.3%"


def test_words_on_cells_can_be_read():
    words = quality.confusion_matrix(s.confusion(3))["data"][1]
    assert words["textfont"]["color"][:2] == [PAPER, TEXT]


def test_small_cells_hold_two_digits():
    figure = quality.confusion_matrix(s.confusion(12))
    assert max(len(text) for text in figure["data"][1]["text"]) <= 3
    assert "%" in figure["layout"]["xaxis"]["title"]["text"]


def test_beyond_twenty_classes_the_pairs_are_drawn():
    rows = s.confusion(21)
    (bars,) = quality.confusion_matrix(rows)["data"]
    assert bars["type"] == "bar"
    assert bars["x"] == sorted(bars["x"], reverse=True)
    assert len(bars["x"]) == 20
    assert bars["customdata"][0] == ["c19", "c20"]
    assert quality.confusion_matrix(s.confusion(20))["data"][0]["type"] == "heatmap"


def test_confusion_alt():
    text = quality.confusion_alt(s.confusion(2))
    assert (
        text == "Confusion of 203 rows: 98.5% decided rightly; most frequent error: true c00 decided c01 (2)."
    )
    assert quality.confusion_alt([]) == "No row has both a label and a decision."


def test_reliability_has_intervals_and_counts():
    figure = quality.reliability_diagram(s.calibration())
    line, bars = figure["data"][1:]
    assert line["x"][:2] == pytest.approx([0.05, 0.15])
    assert line["error_y"]["array"] == pytest.approx([0.02] * 10)
    assert bars["y"][0] == 500
    assert bars["offset"][0] == pytest.approx(-bars["width"][0] / 2)  # bars stand on the middle of their bin


def test_reliability_alt_counts_what_the_intervals_exclude():
    assert "too high in 0 and too low in 0" in quality.reliability_alt(s.calibration())
    assert "too high in 10 and too low in 0" in quality.reliability_alt(s.calibration(factor=0.5))


def test_predicted_against_true_puts_predictions_upwards():
    heat, _, hits = quality.predicted_against_true(s.pairs())["data"]
    assert heat["x"] == [-10, 0, 10, 20, 30]
    assert heat["z"][0][0] == pytest.approx(3)  # powers of ten
    corner = next(i for i, row in enumerate(s.pairs()) if (row.label_low, row.prediction_low) == (0.0, 20.0))
    assert (hits["x"][corner], hits["y"][corner]) == (5, 25)


def test_residuals_are_only_residuals():
    (bars,) = quality.residuals(s.residuals())["data"]
    assert sum(bars["y"]) == pytest.approx(1)
    assert max(bars["x"]) < 30
    assert quality.residuals(s.residuals())["layout"]["shapes"][0]["x0"] == 0
    assert "mean error about 6.29" in quality.residuals_alt(s.residuals())
