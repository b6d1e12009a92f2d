"""Service from stored parts is service from the rows, to the digit, without reading a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analytics.aggregates.service_cells import request_parts, standard_service
from analytics.ask.service import service_of
from analytics.scope import Scope
from tests.aggregates.memory_parts import plain_and_stored
from tests.ask.projects import START, dumps, write_project
from tests.ask.test_service import NOW, ROLES, logs

FIRST = START.to_pydatetime()
ALL = {"start": FIRST, "end": FIRST + timedelta(days=12)}


@pytest.fixture(scope="module", params=["", 'weight = "w"\n'])
def bench(request, tmp_path_factory):
    frame = logs()
    frame.loc[:40, "ms"] = float("nan")
    return write_project(tmp_path_factory.mktemp("stored"), frame, ROLES + request.param)


def both(bench, scope):
    """The answer from the rows, that from parts, and what was read for it."""
    return plain_and_stored(bench.catalog, standard_service, lambda catalog: service_of(catalog, scope, NOW))


@pytest.mark.parametrize("grain", ["5min", "hour", "day", "week", "month", "all"])
def test_every_window_is_answered_as_from_the_rows(bench, grain):
    end = FIRST + timedelta(days={"5min": 1, "hour": 2}.get(grain, 12))
    plain, stored, read = both(bench, Scope(start=FIRST, end=end, grain=grain))
    assert not read
    for one, other in zip(plain.rows, stored.rows, strict=True):
        for name, value in vars(one).items():
            expected = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert getattr(other, name) == expected, name
    assert [(row.kind, row.n_failed) for row in stored.errors] == [
        (row.kind, row.n_failed) for row in plain.errors
    ]
    assert len({row.kind for row in stored.errors}) == 2
    assert any(row.latency_p95 is not None for row in stored.rows) or grain == "5min"
    assert stored.rows.sql == plain.rows.sql
    dumps(stored.rows)


@pytest.mark.parametrize("grain", ["5min", "hour", "all"])
def test_a_day_that_begins_at_noon_is_answered_from_five_minutes(bench, grain):
    start = FIRST + timedelta(days=4, hours=11, minutes=35)
    plain, stored, read = both(bench, Scope(start=start, end=start + timedelta(hours=24), grain=grain))
    assert not read
    assert sum(row.n for row in plain.rows) > 400
    for one, other in zip(plain.rows, stored.rows, strict=True):
        assert (one.n, one.n_failed, one.n_timed, one.latency_p50) == (
            other.n, other.n_failed, other.n_timed, other.latency_p50,
        )  # fmt: skip
        if one.n:
            assert other.error_rate_ci_high == pytest.approx(one.error_rate_ci_high, rel=1e-9)


def test_hours_at_the_edges_are_read_and_added(bench):
    scope = Scope(start=FIRST + timedelta(hours=5), end=FIRST + timedelta(days=9, hours=7))
    plain, stored, read = both(bench, scope)
    assert len(read) == 4  # two edges of two aggregates
    for one, other in zip(plain.rows, stored.rows, strict=True):
        assert (one.n, one.n_failed, one.n_timed) == (other.n, other.n_failed, other.n_timed)
        assert one.latency_p99 == pytest.approx(other.latency_p99, rel=1e-12)
        assert one.latency_p95_ci_high == pytest.approx(other.latency_p95_ci_high, rel=1e-12)


def test_rows_of_units_are_read_for_their_intervals_only(tmp_path):
    frame = logs(3_000)
    own = write_project(tmp_path, frame, ROLES + 'unit = "who"\nblock = "none"\n')
    plain, stored, read = both(own, Scope(**ALL))
    assert len(read) == 1
    for one, other in zip(plain.rows, stored.rows, strict=True):
        assert one.error_rate_ci_high == pytest.approx(other.error_rate_ci_high, rel=1e-12)
        assert one.independence == other.independence
    own.close()


def test_what_is_slower_than_a_percentile_of_its_own_cell_adds_up(bench):
    catalog = bench.catalog
    (row, *_) = service_of(catalog, Scope(**ALL, versions=("a",)), NOW).rows
    # of the slowest one percent, the interval encloses what pandas counts
    frame = pd.read_parquet(catalog.project.folder / "predictions.parquet")
    mine = frame[(frame.version == "a") & frame.ms.notna()]
    weight = mine.w if catalog.predictions.weight else pd.Series(1.0, mine.index)
    slower = float((weight * (mine.ms > row.latency_p95)).sum() / weight.sum())
    assert slower == pytest.approx(0.05, abs=0.01)
    assert row.latency_p95_ci_low < row.latency_p95 < row.latency_p95_ci_high


def test_a_project_without_latency_keeps_requests_alone(tmp_path):
    frame = logs(100)[["ts", "score"]]
    plain = write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\n')
    kept = standard_service(plain.catalog)
    assert [(one.additive.name, one.additive.grain) for one in kept] == [
        ("requests", "day"), ("requests", "5min"),
    ]  # fmt: skip
    assert request_parts(plain.catalog).grain == "day"
    assert datetime(2024, 1, 1, tzinfo=UTC) == FIRST
    plain.close()
