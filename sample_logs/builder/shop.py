"""The simulated shop's logs: what every visit became, written as the logs of a shop would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder.shop_experiments import TRIALS, Exposed, crossed, expose, multipliers
from sample_logs.builder.shop_feed import RANKER_3, predictions
from sample_logs.builder.shop_series import series
from sample_logs.builder.shop_world import LAST_DAY, TIME_ZONE, World, build_world
from sample_logs.builder.writing import write_csv, write_parquet

COLUMNS = ["timestamp", "user_id", "event", "amount", "minutes", "load_ms", "stars"]


def build(folder: Path) -> None:
    """Write the logs of the shop into its folder: users, events, exposures, predictions, series."""
    world = build_world()
    parts = {name: expose(world, name) for name in TRIALS}
    factors = multipliers(world, parts)
    events = happened(world, factors)
    _monthly(events[COLUMNS], folder / "events")
    _monthly(exposures(world, parts), folder / "exposures")
    _monthly(
        predictions(world, parts["new_ranker"], factors["click"]), folder / "predictions", ["request_id"]
    )
    write_users(world, folder)
    for name, rows in series(world, events).items():
        write_csv(rows, folder / "series" / f"{name}.csv.gz")


def happened(world: World, factors: Mapping[str, npt.NDArray[np.float64]]) -> pd.DataFrame:
    """Every event, in the order of time: visit, cart, purchase, crash, complaint, rating."""
    visits = world.visits
    # The third ranker shows the wrong things to everybody, and less is bought.
    broken = np.where(visits["day"] >= RANKER_3, 0.80, 1.0)
    carts = visits["dice_cart"] < np.minimum(
        0.22 * factors["cart"] * broken * np.exp(visits["taste"] / 4), 0.9
    )
    buys = visits["dice_buy"] < np.minimum(factors["buy"] * broken / (1 + np.exp(-visits["buys"])), 0.95)
    minutes = np.exp(1.6 + 0.8 * visits["normal_minutes"] + visits["taste"] / 3) * factors["minutes"]
    load = np.exp(6.6 + 0.35 * visits["normal_load"]) * factors["load"]
    rows = [
        _events(visits, "visit", 2, minutes=minutes.round(1), load_ms=load.round()),
        _events(visits[carts], "cart", 120),
        _events(visits[buys], "purchase", 500, amount=amounts(visits[buys])),
    ]
    crash = visits["dice_crash"] < 0.012 * factors["crash"]
    rows.append(_events(visits[crash], "crash", 60))
    bought = visits[buys]
    rated = bought[bought["dice_rate"] < 0.25]
    stars = np.clip(np.round(4.1 + 0.9 * rated["normal_stars"]), 1, 5)
    rows.append(_events(rated, "rating", 2 * 86_400, stars=stars))
    angry = bought[bought["dice_complain"] < 0.05]
    rows.append(_events(angry, "complaint", 3 * 86_400))
    events = pd.concat(rows)
    after = pd.Timestamp(LAST_DAY, tz=TIME_ZONE) + pd.Timedelta(days=1)
    events = events[events["timestamp"] < after]
    events = events.sort_values(["timestamp", "user_id"], kind="stable", ignore_index=True)
    return events.astype({"load_ms": "Int32", "stars": "Int8", "user_id": "int32"})


def amounts(bought: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Euros of each purchase: log-normal, and one order in three hundred is a company's, without a mean to speak of."""
    usual = np.exp(3.4 + 0.75 * bought["normal_amount"] + bought["spends"])
    return np.where(bought["dice_company"] < 1 / 300, bought["company"], usual).round(2)


def _events(visits: pd.DataFrame, event: str, delay: float, **columns: object) -> pd.DataFrame:
    waited = np.ceil(delay * np.exp(visits["normal_mood"] / 2)).astype(int)
    rows = visits[["user_id"]].assign(
        timestamp=visits["timestamp"] + pd.to_timedelta(waited, unit="s"), event=event
    )
    empty = {"amount": np.nan, "minutes": np.nan, "load_ms": np.nan, "stars": np.nan}
    return rows.assign(**{**empty, **columns})


def exposures(world: World, parts: Mapping[str, Exposed]) -> pd.DataFrame:
    """One row per user and experiment, at the first visit; and one more where a second device got the other arm."""
    tables = []
    for name, part in parts.items():
        inside = np.flatnonzero(part.logged)
        again = crossed(name, part)
        again = again[part.logged[again]]
        place = np.concatenate([inside, again])
        arm = np.concatenate([part.arm[inside], 1 - part.arm[again]])
        later = np.concatenate([np.zeros(len(inside)), np.full(len(again), 7200.0)])
        tables.append(
            world.users.iloc[place][["user_id", "country"]].assign(
                experiment=name,
                variant=np.where(arm == 1, "B", "A"),
                timestamp=pd.to_datetime(part.first[place] + later, unit="s", utc=True),
            )
        )
    rows = pd.concat(tables).sort_values(["timestamp", "user_id", "experiment"], kind="stable")
    return rows.astype({"user_id": "int32"})[["experiment", "user_id", "variant", "timestamp", "country"]]


def write_users(world: World, folder: Path) -> None:
    """The table of everybody who ever visited."""
    users = world.users[world.users.index.isin(world.visits["user"])]
    written = users[["user_id", "household", "country", "device", "browser"]]
    write_parquet(written.astype({"user_id": "int32", "household": "int32"}), folder / "users.parquet", [])


def _monthly(rows: pd.DataFrame, folder: Path, identifiers: list[str] | None = None) -> None:
    month = rows["timestamp"].dt.tz_convert(TIME_ZONE).dt.strftime("%Y-%m")
    for name, part in rows.groupby(month):
        write_parquet(part, folder / f"{name}.parquet", identifiers or [])
