from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analytics.scope import Scope
from tests.explain.cause_logs import bench_of, logs, window


def half(mask):
    """Half of them, the same ones in every run."""
    return mask & (np.random.default_rng(5).random(len(mask)) < 0.5)


def missing_in_b(frame, late):
    frame.loc[half(late & (frame["shop"] == "b").to_numpy()), "heat"] = np.nan
    return frame


def shifted(frame, late):
    # one standard deviation: a warm day, but not with this humidity
    frame.loc[late, "wet"] += 4.0
    return frame


def scaled(frame, late):
    frame.loc[late, "size"] *= 10
    return frame


def stuck(frame, late):
    frame.loc[half(late), "heat"] = 21.5
    return frame


def biased(frame, late):
    logit = np.log(frame["score"] / (1 - frame["score"])) + 1.5 * late
    frame["score"] = 1 / (1 + np.exp(-logit))
    return frame


def flipped_in_a(frame, late):
    hit = half(late & (frame["shop"] == "a").to_numpy())
    frame.loc[hit, "label"] = 1 - frame.loc[hit, "label"]
    return frame


def labels_late(frame, late):
    frame.loc[late, "late"] += 2 * 86_400
    return frame


def slow(frame, late):
    frame.loc[late, "latency"] *= 4
    return frame


def failing(frame, late):
    frame.loc[half(late), "status"] = "error"
    return frame


def lost_in_c(frame, late):
    return frame[~half(late & (frame["shop"] == "c").to_numpy())]


def twice(frame, late):
    again = frame[late].assign(id=lambda rows: rows["id"] + "-2")
    return pd.concat([frame, again])


def burst(frame, late):
    rows = frame[late]
    copies = pd.concat([rows.iloc[[0]]] * len(rows), ignore_index=True)
    copies["id"] = [f"copy{i}" for i in range(len(rows))]
    copies["ts"], copies["day"] = rows["ts"].to_numpy(), rows["day"].to_numpy()
    copies["ts"] = pd.to_datetime(copies["ts"], utc=True)
    return pd.concat([frame, copies])


CASES = {
    "missing": (missing_in_b, "feature", "heat", ("shop", "b"), "fix_upstream"),
    "shifted": (shifted, "feature", "wet", (None, None), "fix_upstream"),
    "scaled": (scaled, "feature", "size", (None, None), "fix_upstream"),
    "stuck": (stuck, "feature", "heat", (None, None), "fix_upstream"),
    "biased": (biased, "score", "score", (None, None), "roll_back"),
    "flipped": (flipped_in_a, "labels", None, ("shop", "a"), "relabel"),
    "labels late": (labels_late, "label_delay", None, (None, None), "wait"),
    "slow": (slow, "latency", None, (None, None), "fix_upstream"),
    "failing": (failing, "errors", None, (None, None), "fix_upstream"),
    "lost": (lost_in_c, "traffic", None, ("shop", "c"), "fix_upstream"),
    "twice": (twice, "traffic", None, (None, None), "fix_upstream"),
    "burst": (burst, "burst", None, (None, None), "fix_upstream"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_planted_cause_stands_first_with_its_place_and_what_to_do(tmp_path, name):
    change, kind, field, place, action = CASES[name]
    bench = bench_of(tmp_path, change)
    rows = bench.causes(window(bench))
    bench.close()
    assert rows, rows.notes
    first = rows[0]
    assert (first.kind, first.name, (first.segment, first.segment_value), first.action) == (
        kind,
        field,
        place,
        action,
    )
    assert first.ci_low <= first.effect <= first.ci_high
    assert 0 < first.p_adjusted < 0.05
    assert first.sentence.endswith(".")
    rows.to_records()


@pytest.mark.statistical
def test_silent_where_only_chance_differs(tmp_path):
    told = []
    for seed in range(6):
        bench = bench_of(tmp_path / str(seed), seed=seed + 20)
        for end in ("2024-02-10", "2024-02-20", "2024-03-01"):
            start = (pd.Timestamp(end) - pd.Timedelta(days=5)).date().isoformat()
            told.append(len(bench.causes(bench.scope(start=start, end=end))))
        bench.close()
    # 18 windows; at 5 % more than four would come once in 800 times
    assert sum(count > 0 for count in told) <= 4, told


def test_a_change_is_dated_to_its_hour(tmp_path):
    def from_noon(frame, late):
        began = pd.Timestamp("2024-02-26T12:00Z")
        frame.loc[(frame["ts"] >= began).to_numpy(), "size"] = np.nan
        return frame

    bench = bench_of(tmp_path, from_noon)
    first = bench.causes(window(bench))[0]
    bench.close()
    assert abs(first.since - pd.Timestamp("2024-02-26T12:00Z")) <= pd.Timedelta(hours=1)
    assert first.sentence.startswith("size is missing in")
    assert "size%3D%28missing%29" in first.evidence


def test_fields_of_one_dead_source_are_one_cause(tmp_path):
    def dead(frame, late):
        frame.loc[half(late), ["heat", "wet", "size"]] = np.nan
        return frame

    bench = bench_of(tmp_path, dead)
    rows = bench.causes(window(bench))
    bench.close()
    assert {rows[0].name, *rows[0].consequences} >= {"heat", "wet", "size"}
    assert all(row.kind != "feature" for row in rows[1:])


def test_a_window_without_days_before_says_so(tmp_path):
    bench = bench_of(tmp_path)
    rows = bench.causes(bench.scope(start="2024-01-01", end="2024-01-03"))
    bench.close()
    assert not rows
    assert "nothing is logged before" in rows.notes[0]


def test_hours_are_compared_with_the_same_hours_of_earlier_days(tmp_path):
    def slow_evening(frame, late):
        began = pd.Timestamp("2024-02-29T18:00Z")
        frame.loc[(frame["ts"] >= began).to_numpy(), "latency"] *= 5
        return frame

    bench = bench_of(tmp_path, slow_evening)
    rows = bench.causes(bench.scope(start="2024-02-29T18:00", end="2024-03-01"))
    quiet = bench.causes(bench.scope(start="2024-02-28T18:00", end="2024-02-29"))
    bench.close()
    assert rows[0].kind == "latency"
    assert 3 < rows[0].effect < 8
    assert not quiet


def test_as_of_labels_that_are_yet_to_come_are_no_cause(tmp_path):
    bench = bench_of(tmp_path)
    scope = bench.scope(start="2024-02-25", end="2024-03-01", as_of="2024-03-01T02:00")
    rows = bench.causes(scope)
    bench.close()
    assert not rows, [row.sentence for row in rows]


def test_first_rows_and_units_are_those_of_the_cause(tmp_path):
    bench = bench_of(tmp_path, missing_in_b)
    rows = bench.first(window(bench), k=3)
    bench.close()
    assert [row.part for row in rows] == ["row"] * 3 + ["unit"] * 3
    frame = missing_in_b(logs(), (logs()["day"] >= 55).to_numpy())
    assert rows[0].timestamp >= frame.loc[frame["day"] >= 55, "ts"].min()
    assert all("shop is b" in row.shows and "heat is (missing)" in row.shows for row in rows)
    assert list(rows) == sorted(rows, key=lambda row: (row.part, row.rank))


def test_an_empty_scope_is_no_error(tmp_path):
    bench = bench_of(tmp_path)
    assert bench.causes(bench.scope(start="2030-01-01", end="2030-01-02")).rows == ()
    assert bench.first(bench.scope(start="2030-01-01", end="2030-01-02")).rows == ()
    assert isinstance(bench.causes(Scope()).rows, tuple)
    bench.close()
