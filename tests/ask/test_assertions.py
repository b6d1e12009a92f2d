"""Assertions against pandas: over rows, consecutive rows of a unit, and groups; windows, odd data, hostile text."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.ask.assertions import assertions_of, broken_of
from analytics.errors import ExpressionError, ProjectError
from analytics.scope import Scope
from tests.ask.projects import START, dumps, times, write_project

ROLES = """
task = "binary"
score = "score"
id = "id"
version = "version"
unit = "who"
segments = ["place"]
private = ["email"]
"""
ASSERTIONS = """
[events]
path = "events.parquet"
unit = "who"
timestamp = "at"
[units]
path = "units.csv"
unit = "who"
[assertions.in_range]
expect = "score BETWEEN 0 AND 1"
means = "a score is a probability"
[assertions.moves]
expect = "abs(score - previous.score) < 0.9"
[assertions.seats]
expect = "count(*) <= 2 AND min(score) >= 0"
within = ["place", "ts"]
[assertions.paid]
expect = "amount > 0 OR event <> 'purchase'"
source = "events"
[assertions.grown_up]
expect = "age >= 18"
source = "units"
[assertions.known]
expect = "label IS NOT NULL"
source = "labels"
"""
N = 4_000


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(7)
    score = random.random(N)
    score[random.choice(N, 25, replace=False)] = 1.5
    score[random.choice(N, 40, replace=False)] = np.nan
    return pd.DataFrame(
        {
            "ts": np.repeat(times(N // 4, 20), 4), "id": [f"r{i}" for i in range(N)], "score": score,
            "version": random.choice(["a", "b"], N), "who": random.integers(0, 90, N).astype(str),
            "place": random.choice(["north", "south"], N), "email": "x@y",
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def bench(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("assertions")
    at = times(300, 20)
    pd.DataFrame(
        {
            "who": "1",
            "at": at,
            "event": ["visit", "purchase", "purchase"] * 100,
            "amount": [np.nan, 5.0, -1.0] * 100,
        }
    ).to_parquet(folder / "events.parquet")
    (folder / "units.csv").write_text("who,age\n1,17\n2,30\n3,\n")
    feed = pd.DataFrame({"id": frame.id, "label": 1, "ts": frame.ts + pd.to_timedelta(1, unit="h")})
    return write_project(folder, frame, ROLES, ASSERTIONS, feed)


def ordered(frame, version):
    return frame[frame.version == version].reset_index().sort_values(["ts", "index"])


def test_rows_are_counted_as_pandas_does(bench, frame):
    found = assertions_of(bench.catalog, Scope(by="place"), ["in_range"])
    assert len(found) == 4
    for row in found:
        own = frame[(frame.version == row.version) & (frame.place == row.segment_value)]
        broken, unknown = own.score > 1, own.score.isna()
        assert (row.n, row.n_broken, row.n_unknown) == ((~unknown).sum(), broken.sum(), unknown.sum())
        assert row.ci_low <= row.value <= row.ci_high
        assert (row.first, row.last) == (own.ts[broken].min(), own.ts[broken].max())
    dumps(found)


def test_the_row_before_is_that_of_the_same_unit_and_version_also_outside_the_window(bench, frame):
    start = (START + timedelta(days=10)).to_pydatetime()
    for row in assertions_of(bench.catalog, Scope(start=start), ["moves"]):
        own = ordered(frame, row.version)
        own["previous"] = own.groupby("who").score.shift()
        own = own[own.ts >= start]
        gap = (own.score - own.previous).abs()
        assert row.over == "consecutive"
        assert (row.n, row.n_broken, row.n_unknown) == (
            gap.notna().sum(),
            (gap >= 0.9).sum(),
            gap.isna().sum(),
        )


def test_groups_are_those_of_one_window_and_version(bench, frame):
    for row in assertions_of(bench.catalog, Scope(), ["seats"]):
        own = frame[frame.version == row.version]
        sizes = own.groupby(["place", "ts"]).score.agg(["size", "count"])
        # a group of two without any score: neither true nor false
        unknown = (sizes["size"] <= 2) & (sizes["count"] == 0)
        assert (row.over, row.n, row.n_unknown) == ("groups", (~unknown).sum(), unknown.sum())
        assert row.n_broken == (sizes["size"] > 2).sum()


def test_windows_add_up_and_empty_ones_are_there(bench):
    whole = assertions_of(bench.catalog, Scope(), ["in_range"])
    days = assertions_of(bench.catalog, Scope(grain="day"), ["in_range"])
    assert sum(row.n_broken for row in days) == sum(row.n_broken for row in whole)
    after = (START + timedelta(days=40)).to_pydatetime()
    (empty, _) = assertions_of(bench.catalog, Scope(start=after, end=after + timedelta(days=1)), ["in_range"])
    assert (empty.status, empty.value, empty.n) == ("no_data", None, 0)


def test_events_units_and_labels(bench):
    found = {
        row.assertion: row for row in assertions_of(bench.catalog, Scope()) if row.source != "predictions"
    }
    assert (found["paid"].n, found["paid"].n_broken, found["paid"].n_unknown) == (300, 100, 0)
    assert (found["grown_up"].n, found["grown_up"].n_broken, found["grown_up"].n_unknown) == (2, 1, 1)
    assert (found["known"].n, found["known"].n_broken) == (N, 0)
    days = assertions_of(bench.catalog, Scope(grain="day"), ["grown_up"])
    assert {row.status for row in days} == {"undefined"}
    by = assertions_of(bench.catalog, Scope(by="place"), ["paid"])
    assert "no segments" in by[0].reason


def test_the_broken_rows_are_shown_with_what_the_condition_names(bench, frame):
    found = broken_of(bench.catalog, Scope(), ["in_range", "seats"], k=3)
    first = [row for row in found if row.assertion == "in_range"]
    broken = frame[frame.score > 1]
    assert [row.row for row in first] == broken.index[:3].tolist()
    assert list(first[0].columns) == ["score"]
    groups = [row for row in found if row.assertion == "seats"]
    assert list(groups[0].columns) == ["place", "ts"]
    dumps(found)


@pytest.mark.parametrize(
    "section, said",
    [
        ('expect = "nothing > 1"', "assertions.x.expect: 'nothing > 1'"),
        ('expect = "score + 1"', "is no condition"),
        ('expect = "count(*) <= 2"', "over one row"),
        ('expect = "score > 0"\nwithin = ["place"]', "of which a group has many"),
        ('expect = "count(*) < 3"\nwithin = ["plaze"]', 'did you mean "place"'),
        ('expect = "count(*) < (SELECT 1)"\nwithin = ["place"]', "not allowed"),
        ('expect = "sum(score) FILTER (WHERE place = 1) > 0"\nwithin = ["place"]', "not allowed"),
        ('expect = "string_agg(place) = 1"\nwithin = ["place"]', "not allowed"),
        ('expect = "email = 1"', "is no column"),
        ('expect = "1; DROP TABLE x"', "assertions.x.expect"),
        ('expect = "amount > 0"\nsource = "events"', "[events]"),
    ],
)
def test_what_means_nothing_is_refused_with_its_key(tmp_path, frame, section, said):
    bench = write_project(tmp_path / "p", frame.head(10), ROLES, f"[assertions.x]\n{section}\n")
    with pytest.raises((ExpressionError, ProjectError)) as error:
        assertions_of(bench.catalog, Scope())
    assert said in str(error.value)


def test_previous_needs_a_unit(tmp_path, frame):
    roles = 'task = "binary"\nscore = "score"\n'
    section = '[assertions.x]\nexpect = "score > previous.score"\n'
    bench = write_project(tmp_path / "p", frame.head(10), roles, section)
    with pytest.raises(ProjectError, match="names the unit"):
        assertions_of(bench.catalog, Scope())
