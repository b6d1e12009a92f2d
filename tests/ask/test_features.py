"""What the inputs are like, checked against pandas and statsmodels on the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from analytics.drift.summary_rows import FeatureRow
from analytics.errors import ScopeError
from analytics.results import Results
from analytics.scope import Scope
from analytics.workbench import Workbench
from tests.ask.projects import BINARY, SAMPLES, dumps, minutes, times, write_project

N = 600
CASES = BINARY + 'decision = "d"\nfeatures = ["x", "c", "b"]\nsegments = ["c"]\nblock = "none"\n'


def logged(n: int = N, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = rng.uniform(size=n)
    x = rng.normal(1e6, 2, n)
    x[:30], x[30:33] = np.nan, [np.inf, -np.inf, np.inf]
    c = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]).astype(object)
    c[:6], c[6:9] = None, ""
    return pd.DataFrame({
        "ts": times(n), "x": x, "c": c, "b": rng.random(n) < 0.2, "score": score, "d": (score > 0.5).astype(int),
        "label": np.where(rng.random(n) < 0.1, np.nan, rng.random(n) < score),
        "u": [f"u{i}" for i in rng.integers(0, 60, n)], "w": rng.choice([1.0, 2.0, 7.0], n),
    })  # fmt: skip


def one(rows: Results[FeatureRow], feature: str, group: str | None = None) -> FeatureRow:
    (found,) = [row for row in rows if row.feature == feature and row.group_value == group]
    return found


def test_numbers_as_pandas_has_them(tmp_path: Path) -> None:
    frame = logged()
    row = one(write_project(tmp_path, frame, CASES).features(), "x")
    finite = frame.x[np.isfinite(frame.x)]
    assert (row.status, row.kind, row.n, row.group) == ("ok", "numeric", N, None)
    assert row.missing_rate == pytest.approx(30 / N)
    assert row.infinite_rate == pytest.approx(3 / N)
    assert row.mean == pytest.approx(finite.mean(), rel=1e-14)
    assert row.standard_deviation == pytest.approx(finite.std(), rel=1e-9)
    low, high = DescrStatsW(finite).tconfint_mean()
    assert (row.mean_ci_low, row.mean_ci_high) == pytest.approx((low, high), rel=1e-12)
    for name, share in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95)):
        assert getattr(row, name) == np.quantile(finite, share, method="inverted_cdf")
    assert row.n_values == finite.nunique()
    wilson = proportion_confint(30, N, method="wilson")
    assert (row.missing_rate_ci_low, row.missing_rate_ci_high) == pytest.approx(wilson, abs=1e-9)


def test_texts_have_a_top_value_and_its_share_of_all_rows(tmp_path: Path) -> None:
    frame = logged()
    rows = write_project(tmp_path, frame, CASES).features()
    row = one(rows, "c")
    counts = frame.c[frame.c != ""].value_counts()
    assert (row.top_value, row.n_values) == (counts.index[0], 3)
    assert row.top_share == pytest.approx(counts.iloc[0] / N)
    assert row.missing_rate == pytest.approx(9 / N)
    assert row.mean is row.p50 is row.infinite_rate is None
    assert one(rows, "b").top_value == "false"


def test_labels_are_late_not_missing(tmp_path: Path) -> None:
    frame = logged()
    row = one(write_project(tmp_path, frame, CASES).features(), "label")
    assert row.n == frame.label.notna().sum()
    assert row.missing_rate is None
    assert row.top_share == pytest.approx(frame.label.value_counts(normalize=True).iloc[0])


def test_weights_count_in_every_number(tmp_path: Path) -> None:
    frame = logged()
    row = one(write_project(tmp_path, frame, CASES + 'weight = "w"\n').features(), "x")
    kept = frame[np.isfinite(frame.x)].sort_values("x")
    share = frame.w[frame.x.isna()].sum() / frame.w.sum()
    assert row.missing_rate == pytest.approx(share)
    mean = np.average(kept.x, weights=kept.w)
    assert row.mean == pytest.approx(mean, rel=1e-14)
    n, w = len(kept), kept.w.to_numpy()
    variance = (w**2 * (kept.x - mean) ** 2).sum() / w.sum() ** 2 * n / (n - 1)
    assert row.mean_ci_high - row.mean == pytest.approx(
        1.9641 * np.sqrt(variance), rel=1e-3
    )  # t with 566 degrees of freedom
    reached = np.cumsum(w) / w.sum()
    assert row.p50 == kept.x.to_numpy()[np.argmax(reached >= 0.5)]
    assert row.n == N


def test_rows_of_a_unit_and_of_a_day_are_not_independent(tmp_path: Path) -> None:
    frame = logged()
    rng = np.random.default_rng(8)
    mine = dict(zip(sorted(set(frame.u)), rng.normal(0, 5, frame.u.nunique()), strict=False))
    frame["x"] = rng.normal(size=N) + frame.u.map(mine)
    row = one(write_project(tmp_path / "units", frame, CASES + 'unit = "u"\n').features(), "x")
    assert row.independence == "units"
    sums = (frame.x - frame.x.mean()).groupby(frame.u).sum()
    g = len(sums)
    error = np.sqrt((sums**2).sum() * g / (g - 1)) / N
    assert row.mean_ci_high - row.mean == pytest.approx(2.001 * error, rel=2e-3)
    day = frame.ts.dt.floor("D")
    frame["x"] = rng.normal(size=N) + day.map(dict(zip(sorted(set(day)), rng.normal(0, 5, 20), strict=True)))
    row = one(write_project(tmp_path / "days", frame, CASES.replace('"none"', '"day"')).features(), "x")
    assert row.independence == "blocks"
    sums = (frame.x - frame.x.mean()).groupby(day).sum()
    error = np.sqrt(20 * sums.var(ddof=1)) / N
    assert row.mean_ci_high - row.mean == pytest.approx(2.093 * error, rel=2e-3)


def test_split_by_right_and_wrong(tmp_path: Path) -> None:
    frame = logged()
    rows = write_project(tmp_path, frame, CASES).features(split="outcome")
    known = frame[frame.label.notna()]
    for group, part in (
        ("right", known[known.label == known.d]), ("wrong", known[known.label != known.d]),
        ("(missing)", frame[frame.label.isna()]),
    ):  # fmt: skip
        row = one(rows, "x", group)
        assert (row.n, row.group) == (len(part), "outcome")
        assert row.mean == pytest.approx(part.x[np.isfinite(part.x)].mean())


def test_split_by_label_decision_and_segment(tmp_path: Path) -> None:
    frame = logged()
    bench = write_project(tmp_path, frame, CASES)
    assert one(bench.features(split="label"), "x", "1").n == (frame.label == 1).sum()
    assert one(bench.features(split="decision"), "x", "0").n == (frame.d == 0).sum()
    assert one(bench.features(bench.scope(by="c")), "x", "a").n == (frame.c == "a").sum()
    with pytest.raises(ScopeError, match="one thing at a time"):
        bench.features(bench.scope(by="c"), split="label")
    with pytest.raises(ScopeError, match="is not one of: label, decision, outcome"):
        bench.features(split="size")
    with pytest.raises(ScopeError, match='"z" is not watched; known: x, c, b, score, decision, label'):
        bench.features(feature="z")


def test_a_regression_is_split_at_its_median_error(tmp_path: Path) -> None:
    bench = write_project(
        tmp_path,
        logged().assign(score=lambda f: np.round(f.score * 9), label=lambda f: f.score + f.w),
        'task = "regression"\nscore = "score"\nlabel = "label"\nfeatures = ["x", "w"]\n',
    )
    rows = bench.features(split="outcome")
    assert {row.group_value for row in rows} == {"close", "far"}
    # errors are 1, 2 and 7, a third each: the median is 2
    assert one(rows, "w", "far").p05 == 7
    assert one(rows, "w", "close").p95 == 2
    assert len({row.group_value for row in bench.features(split="label")}) == 4
    with pytest.raises(ScopeError, match="takes no decisions"):
        bench.features(split="decision")


def test_a_window_is_described_only_by_what_was_known(tmp_path: Path) -> None:
    frame = logged().assign(lts=lambda f: f.ts + pd.Timedelta(days=3))
    bench = write_project(tmp_path, frame, CASES + 'label_timestamp = "lts"\n')
    then = pd.Timestamp("2024-01-11", tz="UTC")
    row = one(bench.features(Scope(as_of=then.to_pydatetime())), "label")
    assert row.n == ((frame.lts <= then) & frame.label.notna()).sum()
    assert one(bench.features(Scope(as_of=then.to_pydatetime())), "x").n == (frame.ts <= then).sum()


def test_every_window_has_its_rows_and_few_rows_are_not_described(tmp_path: Path) -> None:
    frame = logged(100)
    frame["ts"] = times(100, 4)
    frame = frame[(frame.ts < "2024-01-02") | (frame.ts >= "2024-01-03")].iloc[:60]
    rows = write_project(tmp_path, frame, CASES).features(
        Scope(grain="day", end=pd.Timestamp("2024-01-05", tz="UTC"))
    )
    found = {row.window_start.day: (row.n, row.status) for row in rows if row.feature == "x"}
    assert found == {1: (25, "ok"), 2: (0, "no_data"), 3: (25, "ok"), 4: (10, "too_few")}
    assert {row.reason for row in rows if row.window_start.day == 4} >= {"10 rows; a description needs 20"}
    assert all(row.mean is row.top_value is row.missing_rate is None for row in rows if row.status != "ok")


def test_odd_columns_say_why(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "ts": times(80), "score": 0.5, "gone": np.full(80, np.nan), "same": 3.0, "huge": 1.7e308, "none": [None] * 80,
        'hostile "name"; --': ["a'b;\x07</td>"] * 80, "key": [f"k{i}" for i in range(80)],
    })  # fmt: skip
    frame["none"] = frame["none"].astype("string")
    bench = write_project(tmp_path, frame, 'task = "binary"\nscore = "score"\n')
    rows = bench.features()
    gone, same, huge = (one(rows, name) for name in ("gone", "same", "huge"))
    assert (gone.status, gone.missing_rate, gone.mean) == ("ok", 1.0, None)
    assert gone.reason == "no finite value in these rows"
    assert (same.mean, same.standard_deviation, same.mean_ci_low, same.mean_ci_high) == (3, 0, 3, 3)
    assert huge.mean is None
    assert huge.p50 == 1.7e308
    assert one(rows, "none").reason == "all values are missing"
    assert one(rows, 'hostile "name"; --').top_value == "a'b;\x07</td>"
    assert one(rows, "key").top_share == pytest.approx(1 / 80)
    dumps(rows)


def test_private_columns_are_not_shown(tmp_path: Path) -> None:
    bench = write_project(tmp_path, logged(), CASES + 'private = ["d", "label"]\n')
    rows = bench.features()
    assert {row.feature for row in rows} == {"x", "c", "b", "score"}
    assert rows.notes == ("not shown, as private: decision, label",)


def test_no_rows_at_all(tmp_path: Path) -> None:
    rows = write_project(tmp_path, logged().iloc[:0], CASES).features()
    assert not rows


@pytest.mark.statistical
def test_the_interval_of_a_mean_covers(tmp_path: Path) -> None:
    """Windows of one log are runs: 300 windows of 12 days whose rows share a day's effect."""
    rng = np.random.default_rng(12)
    runs, days, rows = 300, 12, 30
    effect = np.repeat(rng.normal(0, 1, runs * days), rows)
    x = effect + rng.normal(0, 1, effect.size)
    minute = np.tile(np.arange(rows), runs * days)
    ts = pd.Timestamp("2000-01-01", tz="UTC") + pd.to_timedelta(
        np.repeat(np.arange(runs * days), rows), unit="D"
    )
    frame = pd.DataFrame({
        "ts": ts + pd.to_timedelta(minute, unit="min"), "x": x, "score": 0.5,
        "run": np.repeat([f"r{i}" for i in range(runs)], days * rows),
    })  # fmt: skip
    keys = 'task = "binary"\nscore = "score"\nfeatures = ["x"]\nversion = "run"\n'
    found = [
        row for row in write_project(tmp_path, frame, keys).features(feature="x") if row.mean is not None
    ]
    assert len(found) == runs
    inside = np.mean([row.mean_ci_low <= 0 <= row.mean_ci_high for row in found])
    assert 0.95 - 2.6 * np.sqrt(0.95 * 0.05 / runs) <= inside <= 0.98


def test_sample_minutes_by_month() -> None:
    bench = Workbench(SAMPLES / "flights_minutes")
    rows = bench.features(bench.scope(grain="month", start="2013-05-01", end="2013-06-01"), feature="temp")
    logs = minutes()
    for row in rows:
        mine = logs[(logs.month == "2013-05") & (logs[bench.project.predictions.version] == row.version)]
        assert row.mean == pytest.approx(mine.temp.mean())
        assert row.p95 == np.quantile(mine.temp.dropna(), 0.95, method="inverted_cdf")
