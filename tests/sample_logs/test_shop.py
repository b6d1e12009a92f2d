"""The simulated shop: its logs have their shape, and what Assay says of its experiments is what was planted."""

from __future__ import annotations

import re
from contextlib import closing
from functools import cache

import numpy as np
import pandas as pd
import pytest

import analytics
from analytics.experiments.rows import Scorecard
from analytics.project import read_project
from sample_logs.builder import shop, shop_truth
from sample_logs.builder.__main__ import WORKSPACE
from sample_logs.builder.shop_experiments import LOST_BROWSER, TRIALS
from sample_logs.builder.shop_world import DAYS, FIRST_DAY, TIME_ZONE

SHOP = WORKSPACE / "shop"
NOTHING = ("same_twice", "sticky_cart", "express_checkout", "family_basket")


def read(feed: str) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted((SHOP / feed).glob("*.parquet"))])


@pytest.fixture(scope="module")
def users() -> pd.DataFrame:
    return pd.read_parquet(SHOP / "users.parquet")


@pytest.fixture(scope="module")
def exposures() -> pd.DataFrame:
    return read("exposures")


@pytest.fixture(scope="module")
def cards() -> dict[str, Scorecard]:
    with closing(analytics.open(SHOP)) as bench:
        return {name: bench.scorecard(name=name) for name in TRIALS}


planted_in = cache(shop_truth.truth)


def best(card: Scorecard, metric: str):
    """The row that speaks: adjusted by look-back, stratum and phase where these are declared."""
    rows = [row for row in card.rows if row.metric == metric]
    order = {"cuped": 0, "stratified": 1}
    return min(rows, key=lambda row: order.get(row.method, 2))


def test_it_is_small_and_says_that_it_is_simulated():
    sizes = [path.stat().st_size for path in SHOP.rglob("*") if path.is_file()]
    assert sum(sizes) < 4_500_000
    project = read_project(SHOP)
    assert "simulated" in project.name.lower()
    assert "no person" in project.description
    assert (
        "simulated" in (WORKSPACE / "README.md").read_text(encoding="utf-8").split("## The simulated shop")[0]
    )


def test_nothing_in_it_could_be_a_person(users, exposures):
    known = {"user_id", "household", "country", "device", "browser"}
    assert set(users) == known
    assert set(exposures) == {"experiment", "user_id", "variant", "timestamp", "country"}
    for frame in (users, exposures.drop(columns="timestamp"), read("predictions").drop(columns="timestamp")):
        for name in frame.select_dtypes(exclude="number"):
            values = frame[name].astype(str)
            assert values.nunique() < 20 or name == "request_id"
            assert not values.str.contains(r"@|\s").any(), name


def test_the_builder_writes_these_files_again(tmp_path):
    shop.build(tmp_path)
    for path in sorted(tmp_path.rglob("*.*")):
        assert path.read_bytes() == (SHOP / path.relative_to(tmp_path)).read_bytes(), path


def test_people_come_again_more_at_weekends_and_some_far_more_often():
    visits = read("events").query("event == 'visit'")
    day = visits["timestamp"].dt.tz_convert(TIME_ZONE).dt.normalize()
    assert day.nunique() == DAYS
    assert day.min() == pd.Timestamp(FIRST_DAY, tz=TIME_ZONE)
    weekend = day.dt.weekday >= 5
    # five weekdays to two weekend days
    assert weekend.mean() / 2 > 1.15 * (1 - weekend.mean()) / 5
    counts = visits["user_id"].value_counts()
    assert (counts > 1).mean() > 0.7
    assert counts.var() > 5 * counts.mean()
    amounts = read("events")["amount"].dropna()
    assert amounts.max() > 50 * amounts.median(), "revenue has a heavy tail"


def test_three_weeks_pass_before_anything_is_tried(exposures):
    first = exposures["timestamp"].min().tz_convert(TIME_ZONE)
    assert (first.normalize() - pd.Timestamp(FIRST_DAY, tz=TIME_ZONE)).days == 21


def test_every_experiment_logs_its_arms(exposures, users):
    assert set(exposures["experiment"]) == set(TRIALS)
    assert set(exposures["variant"]) == {"A", "B"}
    assert set(exposures["user_id"]) <= set(users["user_id"])
    arms = exposures.groupby(["experiment", "user_id"])["variant"].nunique()
    crossed = (arms > 1).groupby("experiment").mean()
    assert 0.002 < crossed["sticky_cart"] < 0.01
    assert crossed.drop("sticky_cart").eq(0).all()


def test_whole_households_get_one_arm_in_the_cluster_trap(exposures, users):
    home = users.set_index("user_id")["household"]
    rows = exposures[exposures["experiment"] == "family_basket"]
    assert rows.groupby(rows["user_id"].map(home))["variant"].nunique().max() == 1


def test_the_split_breaks_on_the_fifth_day_in_one_browser(exposures, users):
    rows = exposures[exposures["experiment"] == "express_checkout"].merge(users, on="user_id")
    start = pd.Timestamp("2026-03-23", tz=TIME_ZONE)
    rows["day"] = (rows["timestamp"] - start).dt.days + 1
    early = rows[rows["day"] < 5]
    late = rows[(rows["day"] >= 5) & (rows["browser"] == LOST_BROWSER)]
    other = rows[(rows["day"] >= 5) & (rows["browser"] != LOST_BROWSER)]
    assert (early["variant"] == "B").mean() == pytest.approx(0.5, abs=0.03)
    assert (other["variant"] == "B").mean() == pytest.approx(0.5, abs=0.03)
    assert (late["variant"] == "B").mean() < 0.3


@pytest.mark.parametrize("name", TRIALS)
def test_assay_finds_the_planted_effect(cards, name):
    card, planted = cards[name], planted_in(name)
    primary = next(row.metric for row in card.rows if row.role == "primary")
    row = best(card, primary)
    truth = planted.loc[primary, "difference"]
    # the estimate is one draw: within three of its errors of what was planted
    assert abs(row.difference - truth) < 3 * row.standard_error
    if name in NOTHING:
        assert truth == 0
        assert row.p_adjusted > 0.05
    else:
        assert np.sign(row.difference) == np.sign(truth)
        assert row.p_adjusted < 0.05


def test_the_harm_is_found_though_more_is_sold(cards):
    load = best(cards["large_pictures"], "load_time")
    assert load.ci_low > 0.05 * load.mean_control
    assert best(cards["large_pictures"], "orders").difference > 0
    assert cards["large_pictures"].decision.call == "harmed"


def test_only_the_broken_split_is_refused_for_its_split(cards):
    p_values = {
        name: next(row.p_value for row in card.rows if row.metric == "srm") for name, card in cards.items()
    }
    assert p_values.pop("express_checkout") < 1e-6
    assert min(p_values.values()) > 0.001
    assert cards["express_checkout"].decision.call == "invalid"


@pytest.mark.parametrize("name", ["new_search", "local_payments"])
def test_pooled_would_say_otherwise(cards, name):
    rows = {row.method: row for row in cards[name].rows if row.metric == "orders"}
    assert rows["unadjusted"].difference < 0 < rows["stratified"].difference


def since_20_april(event: str) -> pd.DataFrame:
    events = read("events")
    return events[
        (events["event"] == event) & (events["timestamp"] >= pd.Timestamp("2026-04-20", tz=TIME_ZONE))
    ]


def test_each_of_the_two_helps_alone_and_hurts_beside_the_other():
    world, parts = shop_truth.world_and_parts()
    first, second = (parts[name].arm for name in ("shipping_banner", "price_badge"))
    events = since_20_april("purchase")
    bought = events["user_id"].value_counts().reindex(world.users["user_id"], fill_value=0).to_numpy()
    mean = {(a, b): bought[(first == a) & (second == b)].mean() for a in (0, 1) for b in (0, 1)}
    assert mean[1, 0] > mean[0, 0]
    assert mean[0, 1] > mean[0, 0]
    assert mean[1, 1] < mean[0, 0]


def test_users_taken_as_independent_would_snap_the_trap(exposures, users):
    rows = exposures[exposures["experiment"] == "family_basket"].set_index("user_id")
    visits = since_20_april("visit")
    counts = visits["user_id"].value_counts().reindex(rows.index, fill_value=0)
    a, b = (counts[rows["variant"] == arm] for arm in "AB")
    error = np.sqrt(a.var() / len(a) + b.var() / len(b))
    assert abs(b.mean() - a.mean()) / error > 1.96


def test_the_readme_tells_the_truth_of_every_experiment():
    text = (WORKSPACE / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE)
    assert {name for name, _, _ in told} == set(TRIALS)
    for name, metric, written in told:
        lift = planted_in(name).loc[metric, "lift"]
        said = 0.0 if written.strip() == "0" else float(written.replace("−", "-").replace("%", ""))
        assert said == pytest.approx(100 * lift, abs=0.051), name
