"""Plans from the logs: baselines, horizons and arrivals counted once more with pandas, and what logs lack."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.errors import ExperimentError, ProjectError
from analytics.experiments.plan_rows import PlanAsk
from analytics.experiments.power import power_of
from analytics.scope import Scope
from analytics.workbench import Workbench

START = pd.Timestamp("2024-03-04", tz="UTC")  # a Monday
DAYS = 42
USERS = 1500
TOML = """
name = "visits"
[exposures]
path = "exposures.parquet"
unit = "user"
variant = "variant"
timestamp = "at"
experiment = "experiment"
[events]
path = "events.parquet"
unit = "user"
timestamp = "at"
[units]
path = "users.parquet"
unit = "user"
cluster = "home"
[metrics.spent]
kind = "mean"
value = "amount"
[metrics.bought]
kind = "proportion"
value = "amount > 15"
window = "7 days"
[metrics.per_visit]
kind = "ratio"
numerator = "amount"
denominator = "1"
[metrics.age]
kind = "mean"
source = "units"
value = "age"
[experiments.alone]
control = "A"
variants = { A = 0.5, B = 0.5 }
start = 2024-03-18
end = 2024-04-01
primary = ["spent"]
guardrails = { bought = { margin_absolute = 0.1 } }
covariate = "14 days"
[experiments.homes]
control = "A"
variants = { A = 0.5, B = 0.5 }
start = 2024-03-18
end = 2024-04-01
primary = ["spent"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("visits")
    draw = np.random.default_rng(21)
    rate = draw.beta(0.8, 6.0, USERS)
    user, day = np.nonzero(draw.uniform(size=(USERS, DAYS)) < rate[:, None])
    taste = draw.gamma(4.0, 3.0, USERS)
    at = START + pd.to_timedelta(day * 86400 + draw.integers(0, 86000, len(day)), unit="s")
    events = pd.DataFrame({"user": user, "at": at, "amount": taste[user] + draw.normal(0, 2, len(user))})
    events.to_parquet(folder / "events.parquet", index=False)
    users = pd.DataFrame(
        {"user": np.arange(USERS), "home": np.arange(USERS) // 3, "age": draw.normal(40, 12, USERS)}
    )
    users.to_parquet(folder / "users.parquet", index=False)
    window = events[(events["at"] >= "2024-03-18") & (events["at"] < "2024-04-01")]
    exposures = pd.concat([
        window.assign(experiment="alone", variant=np.where(window["user"] % 2, "A", "B")),
        window.assign(experiment="homes", variant=np.where(window["user"] // 3 % 2, "A", "B")),
    ])  # fmt: skip
    exposures.to_parquet(folder / "exposures.parquet", index=False)
    (folder / "assay.toml").write_text(TOML)
    return folder


@pytest.fixture(scope="module")
def bench(folder):
    with closing(Workbench(folder)) as bench:
        yield bench


@pytest.fixture(scope="module")
def events(folder):
    return pd.read_parquet(folder / "events.parquet")


def test_horizons_are_windows_at_the_end_of_the_logs(bench, events):
    rows = bench.plan_horizons("spent")
    assert [row.days for row in rows] == [7, 14, 21, 28]
    end = START + pd.Timedelta(days=DAYS - 1)  # the last day may be unfinished
    for row in rows:
        seen = events[(events["at"] >= end - pd.Timedelta(days=row.days)) & (events["at"] < end)]
        values = seen.groupby("user")["amount"].sum()
        assert row.n == len(values)
        assert row.baseline == pytest.approx(values.mean())
        assert row.standard_deviation == pytest.approx(values.std())
        assert row.ci_low < row.baseline < row.ci_high
    assert rows[3].variance_ratio > rows[1].variance_ratio > 1
    assert "2024-04-14, may be unfinished" in rows.notes[0]


def test_arrivals_are_distinct_units_averaged_over_starts(bench, events):
    days = [row for row in bench.plan_days("spent") if row.stopping == "fixed"]
    last = events["at"].dt.floor("D").max()
    by_day = events[events["at"] < last].assign(day=lambda e: (e["at"] - START).dt.days)
    starts = [
        by_day[(by_day["day"] >= start) & (by_day["day"] < start + 7)]["user"].nunique()
        for start in range(DAYS - 1 - 6)
    ]
    assert days[0].units == pytest.approx(by_day.groupby("day")["user"].nunique().mean())
    assert days[6].units == pytest.approx(np.mean(starts), rel=0.02)
    assert days[6].units_low <= min(starts) + 1e-9
    assert days[6].units_high == pytest.approx(max(starts))
    assert days[6].units < 7 * days[0].units * 0.8, "who comes back is not new"
    assert days[-1].units <= USERS


def test_the_plan_is_the_typed_plan_with_the_baseline_of_the_logs(bench):
    row = next(row for row in bench.plan("per_visit", asked=PlanAsk(lift=0.2)) if row.stopping == "fixed")
    rolled = bench.plan_horizons("per_visit", asked=PlanAsk(lift=0.2))
    nearest = min(rolled, key=lambda horizon: abs(horizon.days - row.days))
    typed = power_of(
        "ratio", baseline=nearest.baseline, standard_deviation=nearest.standard_deviation, lift=0.2
    )
    assert nearest.n_total == pytest.approx(typed.n_total, abs=2)
    ends = sorted(horizon.n_total for horizon in rolled)
    assert ends[0] <= row.n_total <= ends[-1]
    assert row.n_total_low <= row.n_total <= row.n_total_high


def test_every_metric_is_ranked(bench):
    rows = bench.plan(asked=PlanAsk(lift=0.1))
    fixed = [row for row in rows if row.stopping == "fixed"]
    assert {row.metric for row in fixed} == {"spent", "bought", "per_visit", "age"}
    days = [row.days for row in fixed if row.rank is not None]
    assert days == sorted(days)
    assert rows.notes[0].endswith(".")


def test_windows_are_waited_for(bench, events):
    rows = [row for row in bench.plan_days("bought") if row.stopping == "fixed"]
    assert all(row.status == "too_few" for row in rows[:7])
    assert rows[13].units_counted == pytest.approx(rows[6].units)
    horizon = bench.plan_horizons("bought")[-1]
    closed = START + pd.Timedelta(days=DAYS - 1 - 7)
    seen = events[(events["at"] >= closed - pd.Timedelta(days=28)) & (events["at"] < closed)]
    first = seen.groupby("user")["at"].min()
    joined = events.join(first.rename("first"), on="user", how="inner")
    own = joined[(joined["at"] >= joined["first"]) & (joined["at"] < joined["first"] + pd.Timedelta(days=7))]
    assert horizon.baseline == pytest.approx((own["amount"] > 15).groupby(own["user"]).max().mean())


def test_an_experiment_brings_its_control_margins_covariate_and_arrivals(bench, events):
    rows = bench.plan("alone")
    fixed = {row.metric: row for row in rows if row.stopping == "fixed"}
    assert fixed["bought"].goal == "non-inferiority"
    assert fixed["bought"].difference == -0.1
    assert fixed["spent"].r2 > 0.05
    horizons = [row for row in bench.plan_horizons("alone") if row.metric == "spent"]
    start = pd.Timestamp("2024-03-18", tz="UTC")
    weeks = events[(events["at"] >= start) & (events["at"] < start + pd.Timedelta(days=14))]
    control = weeks[weeks["user"] % 2 == 1].groupby("user")["amount"].sum()
    assert [row.days for row in horizons] == [7, 14]
    assert horizons[1].n == len(control)
    assert horizons[1].baseline == pytest.approx(control.mean())
    days = [row for row in bench.plan_days("alone") if row.stopping == "fixed" and row.metric == "spent"]
    assert days[13].units == pytest.approx(weeks["user"].nunique())
    assert not days[13].beyond_logs
    assert days[14].beyond_logs
    without = bench.plan("alone", asked=PlanAsk(covariate_days=0))
    assert {row.r2 for row in without} == {0.0}


def test_whole_clusters_are_seen_in_the_logs(bench):
    alone, homes = bench.plan("alone"), bench.plan("homes")
    assert not any(row.whole_clusters for row in alone)
    assert all(row.whole_clusters for row in homes)
    assert all(row.design_effect is not None for row in homes)
    told = bench.plan("homes", asked=PlanAsk(whole_clusters=False))
    assert not any(row.whole_clusters for row in told)


def test_a_table_of_units_gives_units_and_its_events_the_days(bench):
    row = next(row for row in bench.plan("age", asked=PlanAsk(lift=0.02)) if row.stopping == "fixed")
    assert row.n == USERS
    assert row.units_within is not None


def test_as_of_and_end_close_the_logs(bench):
    early = Scope(as_of=(START + pd.Timedelta(days=20)).to_pydatetime())
    rows = bench.plan_horizons("spent", early)
    assert rows[0].last_day.isoformat() == "2024-03-23"
    assert rows[0].n < bench.plan_horizons("spent")[0].n * 1.5
    closed = Scope(end=(START + pd.Timedelta(days=14)).to_pydatetime())
    assert bench.plan_horizons("spent", closed)[0].last_day.isoformat() == "2024-03-17"


def test_before_the_first_row_nothing_is_known(bench):
    nothing = bench.plan("spent", Scope(end=(START - pd.Timedelta(days=3)).to_pydatetime()))
    assert {row.status for row in nothing} == {"no_data"}
    assert all(row.reason for row in nothing)


@pytest.mark.parametrize(
    "ask, message",
    [
        ({"lift": 0.1, "difference": 1.0}, "not both"),
        ({"within": 0}, "within 1 to 182"),
        ({"traffic": 0.0}, "above 0"),
        ({"covariate_days": -1}, "looks back 0 to 365"),
    ],
)
def test_nonsense_is_refused(bench, ask, message):
    with pytest.raises(ExperimentError, match=message):
        bench.plan("spent", asked=PlanAsk(**ask))


def test_unknown_names_are_told_the_nearest(bench):
    with pytest.raises(ProjectError, match='did you mean "spent"'):
        bench.plan("spnt")


def test_the_records_hold_no_nan(bench):
    for name in (None, "alone", "age"):
        for results in (
            bench.plan(name),
            bench.plan_days(name),
            bench.plan_horizons(name),
            bench.plan_traffic(name),
        ):
            assert results.to_records() is not None
