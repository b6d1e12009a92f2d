"""Service on small logs: counted by pandas, order statistics by numpy, units and days that go together, odd data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.aggregates.latency_bins import latency_edges, read_latency_bins
from analytics.ask.service import service_of, tail_of
from analytics.errors import ProjectError
from analytics.scope import Scope
from analytics.telemetry.rows import scoped_rows
from tests.ask.projects import START, dumps, times, write_project

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = """
task = "binary"
score = "score"
id = "id"
version = "version"
segments = ["place"]
latency = "ms"
status = "status"
ok_status = ["ok"]
request = "request"
"""


def logs(n=6_000, seed=1):
    """Two versions answer each request."""
    random = np.random.default_rng(seed)
    request = np.arange(n) // 2
    return pd.DataFrame(
        {
            "ts": times(n, 12), "id": [f"r{i}" for i in range(n)], "request": request.astype(str),
            "version": np.where(np.arange(n) % 2, "b", "a"), "score": random.random(n),
            "ms": np.round(random.lognormal(3, 0.5, n), 2), "place": random.choice(["north", "south"], n),
            "status": random.choice(["ok", "timeout", "refused", None], n, p=[0.9, 0.05, 0.02, 0.03]),
            "who": random.integers(0, 300, n).astype(str), "w": random.choice([1.0, 10.0], n),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    return logs()


@pytest.fixture(scope="module")
def bench(frame, tmp_path_factory):
    # one row logged twice: the second does not count
    return write_project(tmp_path_factory.mktemp("service"), pd.concat([frame, frame.tail(5)]), ROLES)


def test_counts_rates_and_kinds_are_those_of_pandas(bench, frame):
    found = service_of(bench.catalog, Scope(grain="day", by="place"), NOW)
    assert len(found.rows) == 12 * 2 * 2
    for row in found.rows[::7]:
        own = frame[(frame.version == row.version) & (frame.place == row.segment_value)]
        own = own[(own.ts >= row.window_start) & (own.ts < row.window_end)]
        failed = own.status.isin(["timeout", "refused"])  # a missing status is no failure
        assert (row.n, row.n_failed, row.n_timed) == (len(own), failed.sum(), len(own))
        assert row.error_rate == pytest.approx(failed.mean())
        assert row.error_rate_ci_low <= row.error_rate <= row.error_rate_ci_high
        assert row.request_rate == pytest.approx(len(own) / 86_400)
        assert row.request_rate_ci_low < row.request_rate < row.request_rate_ci_high
        kinds = {}
        for error in found.errors:
            same = (error.window_start, error.version, error.segment_value)
            if same == (row.window_start, row.version, row.segment_value):
                kinds[error.kind] = error.n_failed
        assert kinds == {kind: (own.status == kind).sum() for kind in ("timeout", "refused")}
    dumps(found.rows)
    dumps(found.errors)


@pytest.mark.parametrize("name, share", [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)])
def test_percentiles_lie_within_a_bin_of_numpy_s_and_their_limits_enclose_them(bench, frame, name, share):
    for row in service_of(bench.catalog, Scope(), NOW).rows:
        exact = np.quantile(frame[frame.version == row.version].ms, share, method="inverted_cdf")
        value, low, high = (getattr(row, f"latency_{name}{end}") for end in ("", "_ci_low", "_ci_high"))
        assert value == pytest.approx(exact, rel=0.05)
        assert low <= value <= high
        assert low <= exact <= high


def test_all_alike_is_exact_and_few_requests_leave_an_end_open(tmp_path):
    frame = logs(40).assign(ms=12.345, version="a")
    (row,) = service_of(write_project(tmp_path / "alike", frame, ROLES).catalog, Scope(), NOW).rows
    assert (row.latency_p50, row.latency_p50_ci_low, row.latency_p50_ci_high) == (12.345,) * 3
    assert (row.latency_p99, row.latency_p99_ci_high) == (12.345, None)
    assert row.status == "ok"
    assert "p99" in row.reason
    one = service_of(write_project(tmp_path / "one", frame.head(1), ROLES).catalog, Scope(), NOW).rows[0]
    assert (one.latency_p50, one.latency_p50_ci_low, one.latency_p50_ci_high) == (None, None, None)
    assert one.error_rate_ci_high > 0.9


def test_empty_windows_are_rows_and_unknown_things_are_null(tmp_path):
    frame = logs(200)[["ts", "score"]]
    bench = write_project(tmp_path / "plain", frame, 'task = "binary"\nscore = "score"\n')
    found = service_of(
        bench.catalog, Scope(start=START.to_pydatetime() - timedelta(days=2), end=NOW, grain="month"), NOW
    )
    first, second = found.rows[0], found.rows[1]
    assert (first.status, first.request_rate, first.n) == ("no_data", None, 0)
    assert (second.n, second.error_rate, second.latency_p50, second.status) == (200, None, None, "ok")
    assert any("ok_status" in note for note in found.rows.notes)


def test_weights_count_and_rows_of_one_unit_go_together(frame, tmp_path):
    roles = ROLES + 'unit = "who"\nweight = "w"\n'
    row = service_of(write_project(tmp_path / "w", frame, roles).catalog, Scope(versions=("a",)), NOW).rows[0]
    own = frame[frame.version == "a"]
    failed = own.status.isin(["timeout", "refused"])
    assert row.error_rate == pytest.approx((own.w * failed).sum() / own.w.sum())
    assert row.request_rate == pytest.approx(own.w.sum() / (12 * 86_400))
    order = own.sort_values("ms")
    median = order.ms[order.w.cumsum() >= order.w.sum() / 2].iloc[0]
    assert row.latency_p50 == pytest.approx(median, rel=0.05)

    # every request logged three times by its unit: as much is known as from one third of the rows
    thrice = pd.concat([own.assign(id=own.id + end) for end in "xyz"])
    plain = 'unit = "request"\nblock = "none"\n'
    single = service_of(write_project(tmp_path / "s", own, ROLES + plain).catalog, Scope(), NOW).rows[0]
    triple = service_of(write_project(tmp_path / "t", thrice, ROLES + plain).catalog, Scope(), NOW).rows[0]
    assert triple.independence == "units"
    width = single.error_rate_ci_high - single.error_rate_ci_low
    assert triple.error_rate_ci_high - triple.error_rate_ci_low == pytest.approx(width, rel=0.02)
    assert (triple.latency_p95_ci_low, triple.latency_p95_ci_high) == (
        pytest.approx(single.latency_p95_ci_low, rel=0.05), pytest.approx(single.latency_p95_ci_high, rel=0.05),
    )  # fmt: skip


def test_a_window_that_is_not_over_has_lasted_until_now(bench):
    start = START.to_pydatetime() + timedelta(days=3)
    now = start + timedelta(minutes=30)
    scope = Scope(start=start, end=start + timedelta(hours=1), grain="hour", as_of=now)
    row = service_of(bench.catalog, scope, now).rows[0]
    assert row.request_rate == pytest.approx(row.n / 1800)
    assert "not over yet" in row.reason


def test_bins_of_hours_add_to_those_of_the_day(bench):
    start = START.to_pydatetime()
    scope = Scope(start=start, end=start + timedelta(days=1))
    day = read_latency_bins(bench.catalog, scoped_rows(bench.catalog, scope))[0]
    (whole,) = [bins for key, bins in day.items() if key.version == "a"]
    hours = Scope(start=start, end=start + timedelta(days=1), grain="hour")
    parts = read_latency_bins(bench.catalog, scoped_rows(bench.catalog, hours))[0]
    first, *others = [bins for key, bins in parts.items() if key.version == "a"]
    for other in others:
        first = first + other
    for name in ("bins", "n", "weight", "squares", "low", "high"):
        assert getattr(first, name).tolist() == getattr(whole, name).tolist()


def test_the_edges_stay_where_they_are_for_ever():
    edges = latency_edges()
    assert edges[[0, 100, 566]] == pytest.approx([0.001, 0.1315012578, 984_335_784.2], rel=1e-6)


def test_a_tail_that_few_units_carry_is_said_and_chance_is_not(tmp_path):
    frame = logs(6_000).assign(version="a")
    slow = frame.who.isin(["7", "8"])
    planted = frame.assign(ms=np.where(slow, 500.0, frame.ms))
    roles = ROLES + 'unit = "who"\n'
    found = tail_of(write_project(tmp_path / "few", planted, roles).catalog, Scope(), 5)
    assert {found[0].unit, found[1].unit} == {"7", "8"}
    assert found[0].carried
    own = planted[planted.who == found[0].unit]
    assert (found[0].n, found[0].n_slow) == (len(own), (own.ms > found[0].slower_than).sum())
    assert found[0].n_all_slow == (planted.ms > found[0].slower_than).sum()
    chance = tail_of(write_project(tmp_path / "chance", frame, roles).catalog, Scope(), 5)
    assert chance[0].carried is False
    assert chance[0].n_units == frame.who.nunique()
    hidden = tail_of(
        write_project(tmp_path / "hidden", frame, roles + 'private = ["who"]\n').catalog, Scope(), 5
    )
    assert {row.unit for row in hidden} == {"(private)"}
    dumps(hidden)


def test_a_tail_needs_latency_and_units(bench, tmp_path):
    with pytest.raises(ProjectError, match=r"predictions\.unit"):
        tail_of(bench.catalog, Scope())
    plain = write_project(tmp_path / "p", logs(50)[["ts", "score"]], 'task = "binary"\nscore = "score"\n')
    with pytest.raises(ProjectError, match=r"predictions\.latency"):
        tail_of(plain.catalog, Scope())


def test_odd_latencies_and_statuses_are_borne(tmp_path):
    frame = logs(400)
    frame.loc[:99, "ms"] = [np.nan, np.inf, -1.0, 0.0, 1e12] * 20
    frame["status"] = [f"kind {i % 30} '\"; DROP" for i in range(400)]
    found = service_of(write_project(tmp_path / "odd", frame, ROLES).catalog, Scope(), NOW)
    row = found.rows[0]
    assert row.n == 200
    assert row.n_timed == 200 - 30
    assert row.error_rate == 1.0
    assert row.latency_p50_ci_low <= row.latency_p50 <= row.latency_p50_ci_high
    kinds = [error.kind for error in found.errors if error.version == "a"]
    assert len(kinds) == 8
    assert kinds[-1] == "(other)"
    assert sum(error.n_failed for error in found.errors if error.version == "a") == 200
    dumps(found.rows)
