"""Metrics over time: what pandas makes of the same rows, from events, predictions, units and series."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import analytics
from analytics.errors import ExpressionError, ProjectError, ScopeError
from analytics.workbench import Workbench
from tests.ask.projects import SAMPLES

ZONE = "Europe/Berlin"
PROJECT = """
name = "shop"
time_zone = "Europe/Berlin"
[events]
path = "events.parquet"
unit = "user"
timestamp = "ts"
[units]
path = "users.csv"
unit = "user"
timestamp = "joined"
segments = ["country"]
{cluster}
[series]
path = "series.csv"
timestamp = "ts"
name = "name"
value = "value"
[metrics.minutes]
kind = "mean"
value = "minutes"
target = 12
[metrics.buyers]
kind = "proportion"
value = "event = 'buy'"
target = 0.2
direction = "up"
[metrics.buys]
kind = "count"
value = "event = 'buy'"
[metrics.buys_per_visit]
kind = "ratio"
numerator = "CASE WHEN event = 'buy' THEN 1 WHEN event = 'visit' THEN 0 END"
denominator = "CASE WHEN event = 'visit' THEN 1 WHEN event = 'buy' THEN 0 END"
[metrics.through]
kind = "funnel"
steps = ["event = 'visit'", "event = 'buy'"]
[metrics.most]
kind = "quantile"
value = "minutes"
quantile = 0.8
[metrics.capped]
kind = "mean"
value = "minutes"
winsorize = 0.9
[metrics.back]
kind = "retention"
value = "event = 'visit'"
window = "7 days"
[metrics.age]
kind = "mean"
source = "units"
value = "age"
[metrics.load]
kind = "mean"
source = "series"
series = "cpu"
[metrics.busy]
kind = "mean"
source = "series"
value = "name = 'cpu' AND value > 0.4"
"""


def logs(seed: int = 0, days: int = 28) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2026-03-16", tz=ZONE)  # the clocks go forward on the 29th
    n = 1500
    users = pd.DataFrame(
        {
            "user": np.arange(120),
            "country": np.where(np.arange(120) % 3 == 0, "FR", "DE"),
            "household": np.arange(120) // 2,
            "age": random.integers(18, 80, 120).astype(float),
            "joined": start + pd.to_timedelta(np.arange(120) * days / 120, unit="D").floor("s"),
        }
    )
    events = pd.DataFrame(
        {
            "user": random.integers(0, 120, n),
            "ts": start
            + pd.to_timedelta(np.sort(random.random(n)) * (days * 86_400 - 3_600), unit="s").round("s"),
            "event": random.choice(["visit", "buy"], n, p=[0.85, 0.15]),
        }
    )
    events["minutes"] = np.where(events["event"] == "visit", random.gamma(2, 5, n).round(2), np.nan)
    hours = pd.date_range(start, periods=days * 24 - 1, freq="h")
    series = pd.DataFrame({"ts": hours, "name": "cpu", "value": 0.4 + random.normal(0, 0.05, len(hours))})
    return events, users, series


@pytest.fixture
def shop(tmp_path):
    return write(tmp_path, *logs())


def write(folder, events, users, series, cluster=""):
    events.to_parquet(folder / "events.parquet")
    users.assign(joined=users["joined"].dt.strftime("%Y-%m-%dT%H:%M:%S%z")).to_csv(
        folder / "users.csv", index=False
    )
    series.assign(ts=series["ts"].map(lambda moment: moment.isoformat())).to_csv(
        folder / "series.csv", index=False
    )
    (folder / "assay.toml").write_text(PROJECT.format(cluster=cluster))
    return Workbench(folder)


def rows_of(bench, metric, **words):
    return list(bench.metrics(bench.scope(**words), names=(metric,)))


def test_every_kind_is_what_pandas_makes_of_the_rows(shop):
    events, _, _ = logs()
    week = events["ts"].dt.tz_convert(ZONE).dt.tz_localize(None).dt.to_period("W-SUN").dt.start_time
    by_user = events.assign(week=week, buy=events["event"] == "buy", visit=events["event"] == "visit")
    sums = by_user.groupby(["week", "user"]).agg(
        minutes=("minutes", "sum"), buys=("buy", "sum"), visits=("visit", "sum")
    )
    for place, (_, part) in enumerate(sums.groupby(level=0)):
        n = len(part)
        for metric, values in {"minutes": part["minutes"], "buys": part["buys"]}.items():
            row = rows_of(shop, metric, grain="week")[place]
            low, high = stats.t.interval(0.95, n - 1, values.mean(), values.std() / np.sqrt(n))
            assert (row.value, row.ci_low, row.ci_high) == pytest.approx((values.mean(), low, high))
            assert (row.n, row.status, row.independence) == (n, "ok", "units")
        share = rows_of(shop, "buyers", grain="week")[place]
        assert share.value == pytest.approx((part["buys"] > 0).mean())
        ratio = rows_of(shop, "buys_per_visit", grain="week")[place]
        value = part["buys"].sum() / part["visits"].sum()
        error = np.std(part["buys"] - value * part["visits"], ddof=1) / np.sqrt(n) / part["visits"].mean()
        assert ratio.value == pytest.approx(value)
        assert ratio.ci_high - ratio.value == pytest.approx(stats.t.ppf(0.975, n - 1) * error)


def test_a_funnel_needs_its_steps_in_order(shop):
    events, _, _ = logs()
    passed = 0
    for _, part in events.groupby("user"):
        visits, buys = (part.loc[part["event"] == event, "ts"] for event in ("visit", "buy"))
        passed += bool(len(visits) and len(buys) and buys.max() >= visits.min())
    row = rows_of(shop, "through")[0]
    assert row.value == pytest.approx(passed / events["user"].nunique())


def test_a_quantile_is_of_the_rows(shop):
    events, _, _ = logs()
    values = np.sort(events["minutes"].dropna().to_numpy())
    row = rows_of(shop, "most", grain="week")[0]
    whole = rows_of(shop, "most")[0]
    assert whole.value == values[int(np.ceil(0.8 * len(values))) - 1]
    assert whole.ci_low < whole.value < whole.ci_high
    assert row.ci_high - row.ci_low > whole.ci_high - whole.ci_low
    assert row.status == "ok"


def test_winsorising_cuts_at_one_value_in_all_windows(shop):
    events, _, _ = logs()
    day = events["ts"].dt.tz_convert(ZONE).dt.date
    sums = events.groupby([day, "user"])["minutes"].sum()
    cap = np.sort(sums.to_numpy())[int(np.ceil(0.9 * len(sums))) - 1]
    expected = sums.clip(upper=cap).groupby(level=0).mean()
    found = [row.value for row in rows_of(shop, "capped", grain="day")]
    assert found == pytest.approx(expected.to_list())


def test_clusters_of_units_are_what_is_independent(tmp_path):
    events, users, series = logs()
    bench = write(tmp_path, events, users, series, cluster='cluster = "household"')
    sums = events.groupby("user")["minutes"].sum()
    off = (sums - sums.mean()).groupby(sums.index // 2).sum()
    groups = len(off)
    error = np.sqrt(groups / (groups - 1) * (off**2).sum()) / len(sums)
    row = rows_of(bench, "minutes", start="2026-03-16", end="2026-03-22")[0]
    part = events[(events["ts"] < pd.Timestamp("2026-03-22", tz=ZONE))]
    sums = part.groupby("user")["minutes"].sum()
    off = (sums - sums.mean()).groupby(sums.index // 2).sum()
    error = np.sqrt(len(off) / (len(off) - 1) * (off**2).sum()) / len(sums)
    assert row.independence == "clusters"
    assert row.ci_high - row.value == pytest.approx(stats.t.ppf(0.975, len(off) - 1) * error)


def test_a_month_whose_days_differ_is_as_unsure_as_its_days(tmp_path):
    events, users, series = logs()
    day = events["ts"].dt.tz_convert(ZONE).dt.day_of_year
    events["minutes"] *= np.where(day % 2 == 0, 10.0, 1.0)
    bench = write(tmp_path, events, users, series)
    wide, plain = rows_of(bench, "minutes")[0], rows_of(write_plain(tmp_path), "minutes")[0]
    assert wide.independence == "days"
    assert plain.independence == "units"


def write_plain(folder):
    (folder / "plain").mkdir()
    events, users, series = logs()
    # every user comes on the same two days
    events["ts"] = events["ts"].min() + pd.to_timedelta(np.arange(len(events)) % 2, unit="D")
    return write(folder / "plain", events, users, series)


def test_windows_are_local_days_and_empty_ones_are_rows(shop):
    found = rows_of(shop, "buyers", start="2026-03-14", end="2026-04-15", grain="day")
    assert len(found) == 32
    assert [row.status for row in found[:2]] == ["no_data", "no_data"]
    hours = {(row.window_end - row.window_start).total_seconds() / 3600 for row in found}
    assert hours == {23.0, 24.0}
    assert all(row.value is None and row.n == 0 and row.reason for row in found if row.status == "no_data")


def test_a_week_cut_short_is_not_whole_yet_but_a_ratio_does_not_mind(shop):
    words = {"start": "2026-03-18", "end": "2026-03-30", "grain": "week"}
    first, whole = rows_of(shop, "buyers", **words)
    assert (first.status, whole.status) == ("immature", "ok")
    assert "5 of the 7 days of this week" in first.reason
    assert [row.status for row in rows_of(shop, "buys_per_visit", **words)] == ["ok", "ok"]


def test_nothing_later_than_as_of_exists(shop):
    events, _, _ = logs()
    known = events[events["ts"] <= pd.Timestamp("2026-03-20T12:00", tz=ZONE)]
    row = rows_of(shop, "buyers", start="2026-03-16", end="2026-03-23", as_of="2026-03-20T12:00")[0]
    assert row.n == known["user"].nunique()
    assert row.status == "immature"


def test_events_split_and_filter_by_what_the_table_of_units_tells(shop):
    events, users, _ = logs()
    country = events["user"].map(users.set_index("user")["country"])
    expected = events.groupby([country, "user"])["minutes"].sum().groupby(level=0).mean()
    found = {row.segment_value: row.value for row in rows_of(shop, "minutes", by="country")}
    assert found == pytest.approx(expected.to_dict())
    only = rows_of(shop, "minutes", where=["country=FR"])[0]
    assert only.value == pytest.approx(expected["FR"])
    with pytest.raises(ScopeError, match="browser"):
        shop.scope(by="browser")


def test_units_count_when_they_joined_and_series_by_their_readings(shop):
    _, users, series = logs()
    rows = rows_of(shop, "age", grain="week")
    week = users["joined"].dt.tz_localize(None).dt.to_period("W-SUN")
    assert [row.value for row in rows] == pytest.approx(users.groupby(week)["age"].mean().to_list())
    load = rows_of(shop, "load", grain="day")
    daily = series.groupby(series["ts"].dt.date)["value"].mean()
    assert [row.value for row in load][: len(daily)] == pytest.approx(daily.to_list())
    assert all(row.ci_low < row.value < row.ci_high for row in load if row.value is not None)
    assert rows_of(shop, "load", by="country")[0].status == "undefined"


def test_targets_are_met_missed_or_open(shop):
    rows = rows_of(shop, "buyers", grain="day")
    for row in rows:
        assert row.target == 0.2
        expected = "met" if row.ci_low >= 0.2 else "missed" if row.ci_high < 0.2 else "unclear"
        assert row.reached == expected
    assert {row.reached for row in rows_of(shop, "buys", grain="day")} == {None}


def test_a_retention_has_no_exposure_to_count_from(shop):
    row = rows_of(shop, "back")[0]
    assert (row.status, row.value) == ("undefined", None)
    assert "first exposure" in row.reason


def test_a_ratio_of_the_model_is_the_number_of_quality():
    with closing(analytics.open(SAMPLES / "shop")) as bench:
        scope = bench.scope(grain="month")
        found = {
            (row.window_start, row.version): row.value
            for row in bench.metrics(scope, names=("ranker_log_loss",))
        }
        quality = {
            (row.window_start, row.version): row.value
            for row in bench.quality(scope)
            if row.metric == "log_loss"
        }
        assert found == pytest.approx(quality)
        assert len(found) == 15


def test_what_is_wrong_is_one_line(tmp_path, shop):
    with pytest.raises(ScopeError, match='metric "buyer" is not declared'):
        shop.metrics(names=("buyer",))
    text = (tmp_path / "assay.toml").read_text()
    (tmp_path / "assay.toml").write_text(text.replace('series = "cpu"', 'series = "memory"'))
    with pytest.raises(ProjectError, match='no reading is called "memory"; logged: cpu'):
        Workbench(tmp_path).metrics()
    (tmp_path / "assay.toml").write_text(
        text + '\n[experiments.x]\ncontrol = "A"\nvariants = { A = 0.5, B = 0.5 }\nprimary = ["load"]\n'
    )
    with pytest.raises(ProjectError, match="is a series, which belongs to no unit"):
        Workbench(tmp_path)
    (tmp_path / "assay.toml").write_text('name = "bare"')
    with pytest.raises(ProjectError, match=r"\[metrics.NAME\]"):
        Workbench(tmp_path).metrics()


@pytest.mark.parametrize(
    "key, message",
    [
        ('kind = "ratio"\nsource = "series"\nseries = "cpu"', "averaged over its readings"),
        ('kind = "mean"\nsource = "series"', "a mean needs one"),
    ],
)
def test_a_metric_over_a_series_is_its_mean(tmp_path, key, message):
    text = f'name = "x"\n[series]\npath = "a.csv"\ntimestamp = "t"\nname = "n"\nvalue = "v"\n[metrics.m]\n{key}\n'
    (tmp_path / "assay.toml").write_text(text)
    with pytest.raises(ProjectError, match=message):
        Workbench(tmp_path)


def test_odd_values_of_events_and_series_are_left_out(tmp_path):
    events, users, series = logs()
    events.loc[:9, "minutes"] = [np.inf, -np.inf, 1e300, np.nan, *[5.0] * 6]
    series.loc[:4, "value"] = np.nan
    series.loc[5, "name"] = None
    bench = write(tmp_path, events, users, series)
    records = bench.metrics(bench.scope(grain="day")).to_records()
    assert json.dumps(records, allow_nan=False)
    assert any("rows without a usable value" in note for note in bench.metrics().notes)
    assert {row.feed: row.invalid for row in bench.telemetry()}["series"] == 1


def test_the_scope_ends_with_the_last_log(shop):
    rows = rows_of(shop, "minutes")
    assert rows[0].window_start == datetime(2026, 3, 15, 23, tzinfo=UTC)
    assert rows[0].window_end == datetime(2026, 4, 12, 22, tzinfo=UTC)


def test_changes_name_the_day_and_the_direction():
    with closing(analytics.open(SAMPLES / "shop")) as bench:
        names = ("clicks_per_item", "crashes")
        found = {row.field: row for row in bench.metric_changes(bench.scope(), names=names)}
    clicks = found["clicks_per_item"]
    assert (clicks.kind, clicks.worse) == ("sudden", True)
    assert clicks.change_at == pd.Timestamp("2026-05-04", tz=ZONE)
    assert clicks.after < clicks.before
    assert found["crashes"].kind in {"none", "recurring"}


def test_an_expression_over_readings_is_averaged(tmp_path):
    events, users, series = logs()
    other = series.assign(name="queue", value=1000.0)
    bench = write(tmp_path, events, users, pd.concat([series, other]))
    row = rows_of(bench, "busy")[0]
    # the queue's readings are rows, too, for which the condition is false
    assert row.value == pytest.approx((series["value"] > 0.4).mean() / 2)
    alone = (tmp_path / "assay.toml").read_text().replace("name = 'cpu' AND value", "value")
    (tmp_path / "assay.toml").write_text(
        alone.replace('value = "value > 0.4"', 'series = "cpu"\nvalue = "value > 0.4"')
    )
    again = rows_of(Workbench(tmp_path), "busy")[0]
    assert again.value == pytest.approx((series["value"] > 0.4).mean())


def test_an_expression_over_readings_that_means_nothing_names_its_key(tmp_path):
    bench = write(tmp_path, *logs())
    wrong = (tmp_path / "assay.toml").read_text().replace("name = 'cpu' AND value > 0.4", "speed > 0.4")
    (tmp_path / "assay.toml").write_text(wrong)
    bench.catalog.close()
    with pytest.raises(ExpressionError, match=r"metrics\.busy\.value: 'speed > 0\.4'"):
        rows_of(Workbench(tmp_path), "busy")
