"""Open ends filled from the logs, too many windows refused, versions kept apart, and labels given time to arrive."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.ask.windows import in_order, resolve, versions_of
from analytics.errors import ScopeError
from analytics.scope import Scope
from tests.ask.projects import BINARY, START, times, write_project


@pytest.fixture
def bench(tmp_path):
    frame = pd.DataFrame(
        {
            "ts": times(200, 4),
            "score": 0.5,
            "label": np.arange(200) % 2,
            "version": np.resize(["v2", "v10"], 200),
        }
    )
    opened = write_project(
        tmp_path, frame, BINARY + 'version = "version"\n', 'time_zone = "America/New_York"'
    )
    yield opened
    opened.close()


def test_open_ends_are_whole_local_days(bench):
    scope, (window,) = resolve(bench.catalog, Scope())
    # the first row, on 1 January in UTC, is on 31 December in New York
    assert window.start == START - timedelta(days=1) + timedelta(hours=5)
    assert window.end == START + timedelta(days=4, hours=5)
    assert (scope.start, scope.end) == (window.start, window.end)
    scope, windows = resolve(bench.catalog, Scope(grain="day", end=START + timedelta(days=2)))
    assert len(windows) == 3
    assert windows[-1].end == scope.end == START + timedelta(days=2)


def test_an_end_before_all_data_is_an_error_that_names_the_data(bench):
    with pytest.raises(ScopeError, match="2023-12-31 to 2024-01-04"):
        resolve(bench.catalog, Scope(end=START - timedelta(days=50)))


def test_too_many_windows(bench):
    with pytest.raises(ScopeError, match="coarser grain"):
        resolve(bench.catalog, Scope(start=START, end=START + timedelta(days=400), grain="5min"))


def test_versions(bench):
    assert versions_of(bench.catalog, Scope()) == ("v2", "v10")
    assert versions_of(bench.catalog, Scope(versions=("v10",))) == ("v10",)
    with pytest.raises(ScopeError, match="v3"):
        versions_of(bench.catalog, Scope(versions=("v3",)))


def test_order_of_segment_values():
    values = ["(missing)", "[9, 10)", "[10, inf)", "(-inf, 9)", "x", "x"]
    assert in_order(values) == ("(-inf, 9)", "[9, 10)", "[10, inf)", "(missing)", "x")


def test_no_rows_at_all(tmp_path):
    frame = pd.DataFrame({"ts": times(1), "score": 0.5, "label": 1})[:0]
    opened = write_project(tmp_path, frame, BINARY)
    results = opened.quality()
    assert (len(results), results.notes) == (0, ("The logs hold no prediction.",))
    opened.close()
