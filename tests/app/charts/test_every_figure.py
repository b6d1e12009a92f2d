"""What holds for every figure: Plotly takes it, nothing is clipped, hidden, unnamed or unsafe."""

from __future__ import annotations

import math

import numpy as np
import orjson
import plotly.graph_objects as go
import pytest

from app.charts import drift, overview, quality, segments
from tests.app.charts import samples as s

METRIC = s.metric([0.5, 0.6, None, 0.7, 0.5, 0.4], status=["ok", "ok", "too_few", "ok", "ok", "immature"])
TWO = [*METRIC, *s.metric([0.4] * 6, version=s.EVIL)]
TEMP = [row for row in s.drift() if row.feature == "temp"]

FULL = {
    "metric": lambda: quality.metric_over_time(METRIC, s.RELEASES, s.reference(), zone=s.ZONE),
    "two versions": lambda: quality.metric_over_time(TWO, (), [s.reference(), s.reference(version=s.EVIL)],
    zone=s.ZONE),
    "one window": lambda: quality.metric_over_time(s.metric([0.8], metric="recall"), zone=s.ZONE),
    "scores": lambda: quality.score_histogram(s.scores()),
    "roc": lambda: quality.roc_curve(s.roc(), required_recall=0.8, allowed_false_alarms=0.1),
    "precision-recall": lambda: quality.precision_recall_curve([*s.roc(), *s.roc(s.EVIL, 2)]),
    "confusion": lambda: quality.confusion_matrix(s.confusion(3)),
    "many classes": lambda: quality.confusion_matrix(s.confusion(12)),
    "pairs": lambda: quality.confusion_matrix(s.confusion(25)),
    "calibration": lambda: quality.reliability_diagram([*s.calibration(), *s.calibration(s.EVIL, 0.5)]),
    "predicted": lambda: quality.predicted_against_true(s.pairs()),
    "residuals": lambda: quality.residuals(s.residuals()),
    "drift": lambda: drift.drift_heatmap(s.drift(), zone=s.ZONE),
    "drift in one window": lambda: drift.drift_heatmap(s.drift(1), zone=s.ZONE),
    "feature": lambda: drift.feature_over_time(TEMP, s.RELEASES, zone=s.ZONE),
    "numbers": lambda: drift.reference_against_window(s.numeric_histogram()),
    "categories": lambda: drift.reference_against_window(s.categorical_histogram()),
    "forest": lambda: segments.forest(s.segments()),
    "small": lambda: overview.small_metric(METRIC, zone=s.ZONE),
}  # fmt: skip
NOTHING = {
    "metric": lambda: quality.metric_over_time([], zone=s.ZONE),
    "scores": lambda: quality.score_histogram([]),
    "roc": lambda: quality.roc_curve([]),
    "precision-recall": lambda: quality.precision_recall_curve([]),
    "confusion": lambda: quality.confusion_matrix([]),
    "no errors": lambda: quality.top_confused_pairs([]),
    "calibration": lambda: quality.reliability_diagram([]),
    "predicted": lambda: quality.predicted_against_true([]),
    "residuals": lambda: quality.residuals([]),
    "drift": lambda: drift.drift_heatmap([], zone=s.ZONE),
    "feature": lambda: drift.feature_over_time([], zone=s.ZONE),
    "histogram": lambda: drift.reference_against_window([]),
    "forest": lambda: segments.forest([s.segment_row("a=b", None, None)]),
    "small": lambda: overview.small_metric(s.metric([None]), zone=s.ZONE),
}
full = pytest.mark.parametrize("figure", [make() for make in FULL.values()], ids=list(FULL))


def shown(trace):
    return trace.get("hoverinfo") != "skip"


@full
def test_plotly_takes_it(figure):
    go.Figure(figure)  # validates every name and value


@full
def test_it_is_plain_json_without_nan(figure):
    def check(value):
        if isinstance(value, dict):
            list(map(check, value.values()))
        elif isinstance(value, list | tuple):
            list(map(check, value))
        elif isinstance(value, float):
            assert not math.isnan(value)

    check(figure)
    assert b"rgba(nan" not in orjson.dumps(figure, option=orjson.OPT_SERIALIZE_NUMPY)


@full
def test_labels_have_room_and_the_figure_no_title(figure):
    layout = figure["layout"]
    assert "title" not in layout
    assert layout["height"] >= 60
    assert layout["uirevision"]
    axes = [value for key, value in layout.items() if key.startswith(("xaxis", "yaxis"))]
    assert all(axis.get("automargin") or axis.get("visible") is False for axis in axes)


@full
def test_a_legend_stands_above_and_only_with_something_to_tell_apart(figure):
    entries = [trace for trace in figure["data"] if trace.get("showlegend", True) and trace.get("name")]
    if figure["layout"]["showlegend"]:
        assert entries
        assert len(figure["data"]) > 1
        assert figure["layout"]["legend"]["y"] >= 1
        assert figure["layout"]["legend"]["yanchor"] == "bottom"


@full
def test_every_mark_explains_itself_with_n(figure):
    hovered = [trace for trace in figure["data"] if shown(trace)]
    assert hovered
    for trace in hovered:
        assert trace["hovertemplate"] == "%{hovertext}<extra></extra>"
        assert len(trace["hovertext"]) == len(trace["x"])
        texts = [text for text in trace["hovertext"] if text]
        assert all("n =" in text for text in texts)
        assert not any("None" in text or "nan" in text for text in texts)


@full
def test_every_click_tells_what_was_clicked(figure):
    for trace in figure["data"]:
        if shown(trace) and "customdata" in trace:
            assert len(trace["customdata"]) == len(trace["x"])
            orjson.dumps(trace["customdata"])


@full
def test_a_click_fades_nothing(figure):
    for trace in figure["data"]:
        if trace["type"] in {"scatter", "bar"} and shown(trace) and "customdata" in trace:
            kept = trace["unselected"]["marker"]["opacity"]
            assert kept == trace.get("marker", {}).get("opacity", 1)


@full
def test_logged_text_stays_text(figure):
    assert "<b>evil</b>" not in str(figure).replace(f"'{s.EVIL}'", "").replace(f"={s.EVIL}'", "").replace(
        f"'{s.EVIL} and", ""
    )


def test_logged_text_is_drawn_somewhere():
    drawn = [make() for make in FULL.values()]
    assert sum("&lt;b&gt;evil" in str(figure) for figure in drawn) >= 5


@full
def test_colours_are_placeholders_or_hold_on_both_papers(figure):
    fixed = {"#808495", "#E5484D"}

    def colours(value):
        if isinstance(value, dict):
            return [
                c for key, part in value.items() if key not in {"text", "hovertext"} for c in colours(part)
            ]
        if isinstance(value, list | tuple):
            return [c for part in value for c in colours(part)]
        return [value] if isinstance(value, str) and value.startswith("#") else []

    assert {colour[:7] for colour in colours(figure) if not colour.startswith("#0000")} <= fixed


@pytest.mark.parametrize("make", NOTHING.values(), ids=list(NOTHING))
def test_nothing_to_draw_is_said(make):
    figure = make()
    assert figure["data"], "Streamlit 1.67 fails on a figure without traces"
    go.Figure(figure)
    assert figure["layout"]["annotations"][0]["text"]


def test_numpy_is_not_left_in_hover_or_click():
    figure = FULL["scores"]()
    assert not any(
        isinstance(value, np.generic)
        for trace in figure["data"]
        for row in trace["customdata"]
        for value in row
    )
