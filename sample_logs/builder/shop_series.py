"""Other numbers of the simulated shop: what the machines and the till say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sample_logs.builder.shop_world import DAYS, FIRST_DAY, TIME_ZONE, World, dice


def series(world: World, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """File name -> rows of timestamp, name, value: the CPU by the hour, the till by the day."""
    return {"cpu": cpu(world), "till": till(events)}


def cpu(world: World) -> pd.DataFrame:
    """Share of the web servers' processors in use, every hour; it follows the visits."""
    # one hour fewer than the days have: the clocks go forward
    hours = pd.date_range(FIRST_DAY, periods=DAYS * 24 - 1, freq="h", tz=TIME_ZONE).tz_convert("UTC")
    busy = world.visits.groupby(world.visits["timestamp"].dt.floor("h")).size().reindex(hours, fill_value=0)
    noise = dice("cpu").normal(0, 0.02, len(hours))
    used = np.clip(0.12 + 0.35 * busy.to_numpy() / busy.max() + noise, 0.01, 0.99)
    return pd.DataFrame({"timestamp": hours, "name": "cpu_in_use", "value": np.round(used, 3)})


def till(events: pd.DataFrame) -> pd.DataFrame:
    """Orders and euros of each day, as the accounts have them at midnight."""
    bought = events[events["event"] == "purchase"]
    day = bought["timestamp"].dt.tz_convert(TIME_ZONE).dt.normalize() + pd.Timedelta(hours=12)
    found = bought.groupby(day)["amount"].agg(["size", "sum"])
    when = found.index.tz_convert("UTC")
    tables = [
        pd.DataFrame({"timestamp": when, "name": name, "value": values.to_numpy()})
        for name, values in (("orders", found["size"].astype(float)), ("sales_eur", found["sum"].round(2)))
    ]
    return pd.concat(tables, ignore_index=True).sort_values(["timestamp", "name"], kind="stable")
