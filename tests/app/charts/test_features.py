"""Figures and first line of the Features page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from app.charts import features as charts
from app.charts.feature_tables import bin_table, feature_table
from app.headlines.features import drift_verdict_against, feature_verdict

ZONE = ZoneInfo("UTC")
START = datetime(2024, 1, 1, tzinfo=UTC)
ROW = FeatureRow(
    START, START + timedelta(days=1), "v", None, None, "temp", "feature", "numeric", 200, 0.1, 0.07, 0.15, 0.0,
    20.0, 19.0, 21.0, 3.0, 15.0, 20.5, 25.0, "20", 0.2, 30, "blocks", "ok", None,
)  # fmt: skip
EMPTY = replace(
    ROW, n=0, missing_rate=None, missing_rate_ci_low=None, missing_rate_ci_high=None, infinite_rate=None, mean=None,
    mean_ci_low=None, mean_ci_high=None, standard_deviation=None, p05=None, p50=None, p95=None, top_value=None,
    top_share=None, n_values=None, independence=None, status="no_data", reason="no rows here",
)  # fmt: skip


def days(*rows: FeatureRow) -> list[FeatureRow]:
    return [
        replace(row, window_start=START + timedelta(days=i), window_end=START + timedelta(days=i + 1))
        for i, row in enumerate(rows)
    ]


def bins(shares: dict[str, float], group: str | None = None, day: int = 0, n: int = 100) -> list[GroupBinRow]:
    start = START + timedelta(days=day)
    return [
        GroupBinRow(start, start + timedelta(days=1), "v", "outcome", group, "c", name, None, None, n, share)
        for name, share in shares.items()
    ]


def stretch(group: str, *shares: float) -> list[GroupBinRow]:
    edges = [None, 1.0, 2.0, 2.0, None]
    rows = [
        GroupBinRow(
            START, START + timedelta(days=1), "v", "outcome", group, "x", f"b{i}", low, high, 100, share
        )
        for i, (low, high, share) in enumerate(zip(edges, [1.0, 2.0, 2.0, None], shares, strict=False))
    ]
    gone = GroupBinRow(
        START, START + timedelta(days=1), "v", "outcome", group, "x", "(missing)", None, None, 100, 0.1
    )
    return [*rows, gone]


def drawn(figure: dict[str, Any]) -> dict[str, Any]:
    go.Figure(figure)
    return {trace.get("name"): trace for trace in figure["data"]}


def test_spread_median_mean_and_missing_with_gaps_left_open() -> None:
    rows = days(ROW, ROW, EMPTY, ROW)
    traces = drawn(charts.feature_over_time(rows, (), ROW, zone=ZONE))
    assert traces["median"]["y"] == [20.5, 20.5, None, 20.5]
    assert traces["mean, with its interval"]["error_y"]["array"] == [0, 0, 0, 1]
    shapes = charts.feature_over_time(rows, (), ROW, zone=ZONE)["layout"]["shapes"]
    assert (shapes[0]["y0"], shapes[0]["y1"]) == (15.0, 25.0)
    said = charts.feature_over_time_alt(days(ROW, replace(ROW, p50=18.0)), zone=ZONE)
    assert "newest on 2 Jan 2024: median 18.0" in said
    assert "most missing 10%" in said


def test_the_five_most_frequent_values_and_the_rest_add_up() -> None:
    shares = {f"k{i}": 0.2 - 0.02 * i for i in range(8)} | {"(missing)": 0.02, "(other)": 0.01}
    total = sum(shares.values())
    rows = [*bins({name: share / total for name, share in shares.items()}), *bins({"k7": 1.0}, day=1)]
    traces = drawn(charts.top_values_over_time(rows, zone=ZONE))
    assert list(traces) == ["k7", "k0", "k1", "k2", "k3", "other values", "missing"]
    assert sum(trace["y"][0] for trace in traces.values()) == pytest.approx(1)
    assert charts.top_values_alt(rows, zone=ZONE) == "c, newest on 2 Jan 2024: k7 100%, k0 –, k1 –."


def test_groups_of_numbers_are_lines_of_density() -> None:
    rows = [*stretch("right", 0.2, 0.5, 0.1, 0.1), *stretch("wrong", 0.1, 0.2, 0.1, 0.5)]
    traces = drawn(charts.by_group(rows))
    assert set(traces) == {"right", "wrong"}
    assert traces["right"]["y"][1] == pytest.approx(0.5)
    assert all(value >= 0 for value in traces["right"]["y"])
    assert traces["wrong"]["customdata"][1] == ["b1", 1.0, 2.0, "wrong"]
    assert "differ most" in charts.by_group_alt(rows)


def test_groups_of_texts_are_bars() -> None:
    rows = [*bins({"<b>a</b>": 0.7, "b": 0.3}, "right"), *bins({"<b>a</b>": 0.2, "b": 0.8}, "wrong")]
    figure = charts.by_group(rows)
    assert set(drawn(figure)) == {"right", "wrong"}
    assert figure["layout"]["yaxis"]["ticktext"] == ["b", "&lt;b&gt;a&lt;/b&gt;"]
    assert "which 80% of wrong and 30% of right have" in charts.by_group_alt(rows)


def test_nothing_to_draw_is_said() -> None:
    for figure in (
        charts.feature_over_time([EMPTY], zone=ZONE), charts.top_values_over_time([], zone=ZONE), charts.by_group([]),
    ):  # fmt: skip
        drawn(figure)
        assert figure["layout"]["annotations"]
    assert charts.by_group_alt([]) == "No group has rows."
    assert charts.feature_over_time_alt([], zone=ZONE) == "No window has enough values to describe."


def test_tables_have_a_line_a_row() -> None:
    assert len(feature_table(days(ROW, EMPTY), zone=ZONE)) == 2
    assert "Median" not in feature_table([EMPTY], zone=ZONE)
    assert len(bin_table(bins({"a": 1.0, "b": 0.0}), zone=ZONE)) == 1


def moved(**changes: Any) -> Any:
    same = {
        "drifted": True, "total_variation": 0.4, "missing_rate": 0.1, "missing_rate_reference": 0.05, "reason": None,
    }  # fmt: skip
    return SimpleNamespace(**(same | changes))


def test_the_first_line_says_what_it_is_like_and_how_it_changed() -> None:
    said = feature_verdict(ROW, replace(ROW, p50=10.0, p05=5.0, p95=12.0), moved(), "the reference")
    assert said.state == "changed"
    assert said.sentence == (
        "temp is 20.5 in the middle, 15.0 to 25.0 in 9 of 10 rows, 10% missing; against the reference 40% of its rows "
        "moved: there the median is 10.0, and 9 of 10 rows lie from 5.00 to 12.0."
    )
    assert feature_verdict(ROW, None, moved(drifted=False), "the reference").state == "same"
    assert feature_verdict(ROW, None, moved(drifted=None, reason="12 rows"), "x").sentence.endswith(
        "(12 rows)."
    )
    assert feature_verdict(EMPTY, None, None, "x").state == "unknown"
    gone = feature_verdict(ROW, None, moved(missing_rate=0.9), "the window before it").sentence
    assert "it is missing from 90% of rows, there from 5%" in gone
    text = replace(
        ROW, kind="categorical", p05=None, p50=None, p95=None, mean=None, top_value="EV", n_values=16
    )
    said = feature_verdict(text, replace(text, top_value="UA"), moved(), "the reference").sentence
    assert said.startswith(
        "temp has 16 values, most often EV (20% of rows), 10% missing; against the reference"
    )
    assert said.endswith("there UA is the most frequent.")


def test_what_drift_is_compared_with_is_said() -> None:
    assert "compared with" not in drift_verdict_against([], "the reference", zone=ZONE).sentence
    assert drift_verdict_against([], "the window before it", zone=ZONE).state == "unknown"
