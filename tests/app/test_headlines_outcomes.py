"""The first line of the Metrics page, its chart and its table."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from analytics.changes.rows import ChangeRow
from analytics.outcomes.rows import OutcomeRow
from analytics.project import Release
from app.charts.outcomes import outcome_alt, outcome_over_time
from app.headlines.outcomes import outcomes_verdict

ZONE = ZoneInfo("UTC")
DAY = datetime(2026, 5, 4, tzinfo=UTC)
RELEASES = [Release(timestamp=DAY, version="ranker-3")]


def row(metric="clicks", place=0, value=0.15, half=0.01, **more) -> OutcomeRow:
    start = DAY + timedelta(days=7 * place)
    plain = {
        "window_start": start, "window_end": start + timedelta(days=7), "metric": metric, "kind": "ratio",
        "source": "events", "direction": "up", "version": None, "segment": None, "segment_value": None, "value": value,
        "ci_low": None if value is None else value - half, "ci_high": None if value is None else value + half, "n": 400,
        "n_rows": 900, "n_left": 0, "target": None, "reached": None, "independence": "units", "status": "ok",
        "reason": None,
    }  # fmt: skip
    return OutcomeRow(**plain | more)


def change(field="clicks", **more) -> ChangeRow:
    plain = dict.fromkeys((each.name for each in fields(ChangeRow)), None)
    moved = {
        "field": field, "kind": "sudden", "change_at": DAY, "change_low": DAY, "change_high": DAY, "before": 0.15,
        "after": 0.1, "difference": -0.05, "p_adjusted": 0.001, "worse": True, "status": "ok",
    }  # fmt: skip
    return ChangeRow(**plain | moved | more)


def said(rows, changes=(), releases=()):
    return outcomes_verdict(rows, changes, releases, zone=ZONE)


def test_a_missed_target_comes_first_with_the_day_and_the_release():
    rows = [row(place=-1, target=0.12, reached="met"), row(value=0.1, target=0.12, reached="missed")]
    rows += [row(place=1, value=0.1, target=0.12, reached="missed"), row("buys", 1)]
    found = said(rows, [change(), change("buys", p_adjusted=0.0001)], RELEASES)
    assert found.state == "worse"
    assert found.sentence == (
        "clicks misses its target of 0.120: 0.100 (0.0900 to 0.110) in the week of 11 May 2026, and has since "
        "4 May 2026; it fell from 0.150 to 0.100 a day on 4 May 2026, the day ranker-3 went live. "
        "buys moved for the worse."
    )


def test_without_a_target_what_moved_for_the_worse_is_said():
    low, high = DAY - timedelta(days=9), DAY + timedelta(days=2)
    found = said(
        [row(), row("buys")], [change(change_low=low, change_high=high), change("buys", worse=False)]
    )
    assert found.state == "worse"
    assert (
        found.sentence
        == "clicks fell from 0.150 to 0.100 a day about 4 May 2026 (25 Apr 2026 to 6 May 2026)."
    )


def test_good_news_and_no_news():
    better = change(difference=0.05, after=0.2, worse=False)
    assert said([row()], [better]).state == "better"
    slow = change(kind="gradual", change_at=None, trend_per_month=0.02, worse=False)
    assert said([row()], [slow]).sentence == "clicks rises by 0.0200 a month."
    met = row(target=0.1, reached="met")
    found = said([met], [change(kind="none", worse=None)])
    assert (found.state, found.sentence) == ("same", "No metric moved beyond chance. The target is met.")
    unclear = [met, row("buys", target=0.15, reached="unclear")]
    assert said(unclear, [change(kind="none", worse=None)]).sentence.endswith(
        "1 of 2 targets surely met; of the others it cannot be told."
    )


def test_what_cannot_be_told_says_why():
    nothing = row(value=None, status="no_data", reason="no rows in this window")
    found = said([nothing])
    assert (found.state, found.sentence) == (
        "unknown",
        "How the metrics do cannot be told: no rows in this window.",
    )
    assert said([row()], [change(kind=None)]).sentence == (
        "Whether a metric moved cannot be told: it takes 28 days with a value."
    )


def test_an_unwhole_window_is_not_the_newest():
    rows = [
        row(target=0.12, reached="met"),
        row(place=1, value=0.01, target=0.12, reached="missed", status="immature"),
    ]
    assert said(rows, [change(kind="none", worse=None)]).state == "same"


def test_the_chart_has_its_target_releases_intervals_and_units():
    rows = [row(place=i, target=0.12, reached="missed" if i else "met", version="<b>v") for i in range(3)]
    figure = outcome_over_time(rows, RELEASES, zone=ZONE, versions=("<b>v",))
    go.Figure(figure)
    layout = figure["layout"]
    assert any(shape["y0"] == 0.12 for shape in layout["shapes"])
    assert any("target: at least 0.120" in note["text"] for note in layout["annotations"])
    assert any("ranker-3" in note["text"] for note in layout["annotations"])
    line = next(trace for trace in figure["data"] if trace.get("mode") == "lines+markers")
    assert line["marker"]["symbol"] == ["circle", "diamond", "diamond"]
    assert "<b>v" not in line["name"]
    assert next(trace for trace in figure["data"] if trace["type"] == "bar")["y"] == [400, 400, 400]
    assert outcome_alt(rows, zone=ZONE).endswith("target 0.120.")


@pytest.mark.parametrize("rows", [[], [row(value=None, status="no_data", reason="no rows in this window")]])
def test_a_chart_of_nothing_says_so(rows):
    figure = outcome_over_time(rows, zone=ZONE)
    assert "no " in figure["layout"]["annotations"][0]["text"].lower()
    assert outcome_alt(rows, zone=ZONE) == "No value can be drawn in these windows."
