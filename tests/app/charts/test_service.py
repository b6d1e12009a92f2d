"""Figures of the Service page: valid, one time axis, gaps where nothing is known, hostile names as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from analytics.service.rows import ErrorRow, ServiceRow
from app.charts.service import Shown, service_alt, service_over_time
from app.charts.service_tables import service_table

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 2, tzinfo=UTC)
HOSTILE = "<b>x</b>"


def window(place, **more):
    known = {
        "n": 100, "request_rate": 0.5, "request_rate_ci_low": 0.4, "request_rate_ci_high": 0.6, "n_failed": 2,
        "error_rate": 0.02, "error_rate_ci_low": 0.01, "error_rate_ci_high": 0.07, "n_timed": 100, "latency_p50": 10.0,
        "latency_p50_ci_low": 9.0, "latency_p50_ci_high": 11.0, "latency_p95": 30.0, "latency_p95_ci_low": 25.0,
        "latency_p95_ci_high": 40.0, "latency_p99": 50.0, "latency_p99_ci_low": 40.0, "latency_p99_ci_high": None,
        "independence": "rows", "latency_independence": "rows", "status": "ok", "reason": None,
    }  # fmt: skip
    start = START + place * timedelta(minutes=5)
    return ServiceRow(
        window_start=start, window_end=start + timedelta(minutes=5), version="v", segment=None, segment_value=None,
        **known | more,
    )  # fmt: skip


def empty_window(place):
    nothing = {
        name: None for name in vars(window(0)) if name.startswith(("request_rate", "error_rate", "latency"))
    }
    return window(
        place, **nothing, n=0, n_failed=0, n_timed=0, independence=None, status="no_data", reason="none"
    )


ROWS = [window(0), window(1, error_rate=0.5, error_rate_ci_high=0.6), empty_window(2), window(3)]
KINDS = [
    ErrorRow(
        row.window_start, row.window_end, "v", None, None, kind, row.n, 1, 0.01, 0.0, 0.05, "rows", "ok", None
    )
    for row in ROWS
    for kind in ("timeout", HOSTILE)
]


def outcome(row, name, value):
    return SimpleNamespace(
        window_start=row.window_start, window_end=row.window_end, metric=name, version=None, value=value,
        ci_low=None if value is None else value - 1, ci_high=None if value is None else value + 1, n=5, status="ok",
    )  # fmt: skip


def test_every_panel_shares_the_time_axis_and_is_valid():
    series = [outcome(row, HOSTILE, 3.0) for row in ROWS]
    quality = [outcome(row, "log_loss", 0.5) for row in ROWS]
    release = SimpleNamespace(timestamp=START + timedelta(minutes=6), version=HOSTILE, note=None)
    figure = service_over_time(Shown(ROWS, KINDS, quality, series), [release], zone=ZONE)
    drawn = go.Figure(figure)
    assert {trace.yaxis or "y" for trace in drawn.data} == {"y", "y2", "y3", "y4", "y5"}
    domains = [drawn.layout[f"yaxis{place or ''}"].domain for place in ("", 2, 3, 4, 5)]
    assert all(low < high for low, high in domains)
    assert all(below[1] < above[0] for above, below in pairwise(domains))
    assert HOSTILE not in str(figure)
    assert "&lt;b&gt;x" in str(figure)


def test_an_empty_window_is_a_gap_and_an_unknown_end_is_said():
    figure = service_over_time(Shown(ROWS), zone=ZONE)
    p99 = next(trace for trace in figure["data"] if trace.get("name") == "p99")
    assert p99["y"] == [50.0, 50.0, None, 50.0]
    assert not p99["connectgaps"]
    assert "at least 40.0" in p99["hovertext"][0]
    (requests,) = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert requests["y"] == [100, 100, 0, 100]


def test_nothing_logged_says_so():
    figure = service_over_time(Shown([empty_window(0)]), zone=ZONE)
    assert "No requests" in go.Figure(figure).layout.annotations[0].text
    assert service_alt(Shown([empty_window(0)]), zone=ZONE) == "There were no requests in these windows."


def test_the_sentence_names_the_worst_windows():
    said = service_alt(Shown(ROWS), zone=ZONE)
    assert said.startswith("300 requests; most errors 50% from 2 Jan 2026, 01:05")
    assert "highest p95 latency 30.0" in said


def test_the_table_has_every_window():
    frame = service_table(ROWS, zone=ZONE)
    assert len(frame) == len(ROWS)
    assert frame["Requests"].tolist() == [100, 100, 0, 100]
