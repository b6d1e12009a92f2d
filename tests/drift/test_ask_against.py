"""Drift against an earlier window, another version, another segment: asked of logs with known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.ask.drift_against import Against, shifted
from analytics.drift.rows import DriftRow
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Scope, cut
from analytics.workbench import Workbench
from tests.ask.projects import dumps, write_project

KEYS = """task = "binary"
score = "score"
version = "v"
segments = ["c", "a=b"]
features = ["x", "c"]
label = "label"
"""
UTC = "UTC"


def logged(days: int = 40, a_day: int = 120) -> pd.DataFrame:
    """Every request is scored by both versions; x jumps in the last ten days; segment b has larger x."""
    rng = np.random.default_rng(2)
    n = days * a_day
    day = np.repeat(np.arange(days), a_day)
    minute = day * 24 * 60 + np.tile(np.arange(a_day), days)
    c = rng.choice(["a", "b"], n, p=[0.7, 0.3])
    x = rng.normal(size=n) + 3.0 * (day >= days - 10) + 1.5 * (c == "b")
    base = pd.DataFrame({
        "ts": pd.Timestamp("2024-01-01", tz=UTC) + pd.to_timedelta(minute, unit="min"),
        "x": x, "c": c, "a=b": c, "label": rng.integers(0, 2, n),
    })  # fmt: skip
    uniform = rng.uniform(size=n)
    return pd.concat(
        [base.assign(v="one", score=uniform), base.assign(v="two", score=uniform**2)], ignore_index=True
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return write_project(tmp_path_factory.mktemp("against"), logged(), KEYS)


def pick(rows: Results[DriftRow], **values: object) -> list[DriftRow]:
    return [row for row in rows if all(getattr(row, name) == value for name, value in values.items())]


def test_previous_finds_the_window_of_the_jump(bench: Workbench) -> None:
    rows = bench.drift(bench.scope(grain="week", versions=["one"]), "previous")
    found = pick(rows, feature="x")
    assert [row.drifted for row in found] == [None, False, False, False, True, False]
    assert {row.against for row in rows} == {"previous"}
    assert found[0].status == "no_data"
    assert found[0].reason == "no rows in the window before it"
    assert {row.independence for row in found[1:]} == {"blocks"}
    assert not any(row.drifted for row in pick(rows, feature="c") + pick(rows, feature="score"))
    dumps(rows)


def test_the_first_window_is_compared_with_the_one_before_the_scope(bench: Workbench) -> None:
    whole = pick(bench.drift(bench.scope(grain="week", versions=["one"]), "previous"), feature="x")
    alone = bench.drift(
        bench.scope(grain="week", start="2024-01-29", end="2024-02-05", versions=["one"]), "previous"
    )
    assert pick(alone, feature="x") == [whole[4]]
    for grain in ("all", "day"):
        rows = bench.drift(
            bench.scope(grain=grain, start="2024-02-01", end="2024-02-04", versions=["one"]), "previous"
        )
        assert pick(rows, feature="x")[0].n_reference == {"all": 360, "day": 120}[grain]


def test_last_week_is_the_same_day_a_week_earlier(bench: Workbench) -> None:
    found = pick(bench.drift(bench.scope(grain="day", versions=["one"]), "last-week"), feature="x")
    assert [row.status for row in found[:8]] == ["no_data"] * 7 + ["ok"]
    assert [row.window_start.day for row in found if row.drifted] == [31, 1, 2, 3, 4, 5, 6]
    with pytest.raises(ScopeError, match="at most a week"):
        bench.drift(bench.scope(grain="month"), "last-week")
    short = bench.drift(bench.scope(start="2024-01-30", end="2024-02-01", versions=["one"]), "last-week")
    assert pick(short, feature="x")[0].n_reference == 240


def test_another_version_on_the_same_requests(bench: Workbench) -> None:
    rows = bench.drift(bench.scope(), "version=one")
    assert {(row.version, row.reference_version) for row in rows} == {("two", "one")}
    by_name = {row.feature: row for row in rows}
    for same in ("x", "c", "label"):
        assert by_name[same].total_variation == 0
        assert by_name[same].p_value == 1
        assert by_name[same].drifted is False
    assert by_name["score"].drifted is True
    assert by_name["score"].role == "score"


def test_a_segment_against_the_rest_of_the_rows(bench: Workbench) -> None:
    rows = bench.drift(bench.scope(versions=["one"]), "segment=c=b")
    frame = logged().query("v == 'one'")
    x = pick(rows, feature="x")[0]
    assert (x.n, x.n_reference) == ((frame.c == "b").sum(), (frame.c == "a").sum())
    assert x.drifted is True
    assert pick(rows, feature="label")[0].drifted is False
    day = bench.drift(bench.scope(versions=["one"], start="2024-02-05", end="2024-02-06"), "segment=c=b")
    assert pick(day, feature="x")[0].drifted is True
    assert pick(day, feature="x")[0].independence == "blocks"


def test_the_histogram_has_both_sides(bench: Workbench) -> None:
    rows = bench.histogram("c", bench.scope(versions=["one"]), "segment=c=b")
    assert {row.bin: (row.share_reference, row.share) for row in rows if row.bin in {"a", "b"}} == {
        "a": (1.0, 0.0), "b": (0.0, 1.0),
    }  # fmt: skip


def test_the_reference_is_what_is_meant_where_nothing_is_said(tmp_path: Path) -> None:
    frame = logged(days=12)
    bench = write_project(tmp_path, frame, KEYS, "[reference]\nstart = 2024-01-01\nend = 2024-01-09\n")
    assert {row.against for row in bench.drift()} == {"reference"}
    assert list(bench.drift()) == list(bench.drift(against="reference"))


def test_what_cannot_be_understood_is_said(bench: Workbench) -> None:
    for text, said in (
        ("yesterday", "is not one of: reference, previous, last-week, version=NAME, segment=COLUMN=VALUE"),
        ("version=three", 'version "three" is not in the logs; known: one, two'),
        ("segment=d=1", "names no segment; known: c, a=b"),
    ):
        with pytest.raises(ScopeError, match=said):
            bench.drift(bench.scope(), text)
    with pytest.raises(ScopeError, match="cannot be compared with itself"):
        bench.drift(bench.scope(versions=["one"]), "version=one")
    with pytest.raises(ScopeError, match="filtered by c already"):
        bench.drift(bench.scope(where=["c=a"]), "segment=c=b")
    with pytest.raises(ScopeError, match="not split by segment"):
        bench.drift(bench.scope(by="c"), "previous")


def test_a_column_may_hold_an_equals_sign(bench: Workbench) -> None:
    assert Against.parse("segment=a=b=b", bench.project) == Against("segment", "a=b", "b")
    assert Against.parse("segment=a=b=b", bench.project).text == "segment=a=b=b"


def test_as_of_holds_on_both_sides(bench: Workbench) -> None:
    then = pd.Timestamp("2024-01-12", tz=UTC).to_pydatetime()
    rows = bench.drift(Scope(grain="week", as_of=then, versions=("one",)), "previous")
    second = pick(rows, feature="x")[1]
    assert (second.n_reference, second.n) == (7 * 120, 4 * 120 + 1)


def test_weights_count_on_both_sides(tmp_path: Path) -> None:
    frame = logged(days=12).assign(w=lambda f: np.where(f.c == "b", 3.0, 1.0))
    bench = write_project(tmp_path, frame, KEYS + 'weight = "w"\n')
    rows = bench.histogram(
        "c", bench.scope(versions=["one"], start="2024-01-07", end="2024-01-13"), "previous"
    )
    mine = frame[(frame.v == "one")]
    early, late = mine[mine.ts < "2024-01-07"], mine[mine.ts >= "2024-01-07"]
    shares = {row.bin: (row.share_reference, row.share) for row in rows}
    wanted = tuple(part.w[part.c == "b"].sum() / part.w.sum() for part in (early, late))
    assert shares["b"] == pytest.approx(wanted)
    assert all(
        row.n_effective is None or row.n_effective <= row.n for row in bench.drift(against="segment=c=b")
    )


def test_new_values_are_no_alarm_of_their_own(tmp_path: Path) -> None:
    frame = logged(days=20)
    frame["c"] = [f"name {i}" for i in range(len(frame))]
    rows = write_project(tmp_path, frame, KEYS).drift(Scope(grain="week", versions=("one",)), "previous")
    assert [row.drifted for row in pick(rows, feature="c")] == [None, False, False]
    assert all(row.unseen_rate is None for row in rows)


@pytest.mark.parametrize("rows", [0, 1, 40])
@pytest.mark.parametrize("against", ["previous", "last-week", "version=one", "segment=c=b"])
def test_hardly_any_rows(tmp_path: Path, rows: int, against: str) -> None:
    frame = logged(days=1).iloc[np.linspace(0, 239, rows).astype(int)]
    bench = write_project(tmp_path, frame, KEYS)
    if against == "version=one" and rows < 2:
        with pytest.raises(ScopeError):
            bench.drift(against=against)
        return
    found = bench.drift(Scope(grain="day"), against)
    assert all(row.p_value is None or row.status == "ok" for row in found)
    dumps(found)


def test_earlier_windows_by_the_clock_of_the_wall(tmp_path: Path) -> None:
    bench = write_project(tmp_path, logged(days=1), KEYS, 'time_zone = "America/New_York"')
    project = bench.project
    zone = project.zone
    first, last = (pd.Timestamp(day, tz=zone).to_pydatetime() for day in ("2024-03-11", "2024-03-12"))
    scope = Scope(start=first, end=last, grain="day")
    windows = cut(first, last, "day", zone)
    week = shifted(windows, scope, "last-week", project)[0]
    assert [moment.astimezone(zone).isoformat() for moment in (week.start, week.end)] == [
        "2024-03-04T00:00:00-05:00", "2024-03-05T00:00:00-05:00",
    ]  # fmt: skip
    before = shifted(windows, scope, "previous", project)[0]
    # the day on which clocks went forward had 23 hours
    assert (before.end - before.start).total_seconds() == 23 * 3600
    hours = cut(first, last, "hour", zone)[:2]
    by_hour = shifted(hours, Scope(start=first, end=last, grain="hour"), "previous", project)
    assert by_hour[1] == hours[0]
