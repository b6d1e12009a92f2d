"""Prints the planted truth of the simulated shop: every user of an experiment under A, and every one under B.

The dice of a visit are the same under both arms, so this is no estimate: it is what the experiment tries to find out
from half of each. The other experiments of the same weeks stay as they were.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from sample_logs.builder.shop import happened
from sample_logs.builder.shop_experiments import TRIALS, Exposed, expose, multipliers, seconds
from sample_logs.builder.shop_feed import predictions
from sample_logs.builder.shop_world import FIRST_DAY, TIME_ZONE, World, build_world


@cache
def world_and_parts() -> tuple[World, dict[str, Exposed]]:
    """The shop and who was in which arm of which experiment."""
    world = build_world()
    return world, {name: expose(world, name) for name in TRIALS}


def truth(name: str) -> pd.DataFrame:
    """One row a metric: its value with everybody under A, with everybody under B, and the lift."""
    values = {arm: _under(name, arm) for arm in (0, 1)}
    found = pd.DataFrame({"all_a": values[0], "all_b": values[1]})
    return found.assign(difference=found["all_b"] - found["all_a"], lift=found["all_b"] / found["all_a"] - 1)


def _under(name: str, arm: int) -> pd.Series:
    world, parts = world_and_parts()
    part = parts[name]
    forced = {**parts, name: replace(part, arm=np.where(part.arm >= 0, arm, -1))}
    factors = multipliers(world, forced)
    first = pd.Series(part.first, index=world.users["user_id"])
    events = _counted(happened(world, factors), first, name)
    users = int((part.arm >= 0).sum())
    of = dict(iter(events.groupby("event")))
    shown = _counted(predictions(world, forced["new_ranker"], factors["click"]), first, name)
    week = shown[shown["since"] < 7]
    return pd.Series(
        {
            "orders": len(of["purchase"]) / users,
            "orders_in_a_week": (of["purchase"]["since"] < 7).sum() / users,
            "buyers": of["purchase"]["user_id"].nunique() / users,
            "revenue": of["purchase"]["amount"].sum() / users,
            "carts": len(of["cart"]) / users,
            "visits": len(of["visit"]) / users,
            "load_time": of["visit"]["load_ms"].sum() / len(of["visit"]),
            "crashes": len(of["crash"]) / len(of["visit"]),
            "clicks_per_item": week["clicked"].mean(),
            "answer_time": week["latency_ms"].mean(),
        }
    )


def _counted(rows: pd.DataFrame, first: pd.Series, name: str) -> pd.DataFrame:
    """Rows from a user's first visit during the experiment until its end, with the days since."""
    end = (pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=TRIALS[name].last)).tz_localize(TIME_ZONE)
    since = (seconds(rows["timestamp"]) - first.reindex(rows["user_id"]).to_numpy()) / 86_400
    return rows.assign(since=since)[(since >= 0) & (rows["timestamp"] < end).to_numpy()]


def main() -> None:
    """Print the table of every experiment."""
    for name in TRIALS:
        print(f"\n{name}\n{truth(name).round(4).to_string()}")


if __name__ == "__main__":
    main()
