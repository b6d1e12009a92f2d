"""The recommender of the simulated shop: what it showed at which place, with which score, and what was clicked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder.shop_experiments import Exposed, seconds
from sample_logs.builder.shop_world import World, dice

ITEMS, SHOWN, OPENED = 300, 3, 0.30
CATEGORIES = ["home", "garden", "books", "toys", "sport", "food"]
RANKER_2, RANKER_3 = 49, 119
"""Days on which versions went live for everybody: the second after its experiment, the third by mistake."""
PLACE = np.array([0.0, -0.35, -0.65])


def predictions(world: World, trial: Exposed, clicks: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Three rows for every visit that opened the recommendations: item, place, score, click, latency, status."""
    opened = (world.visits["dice_feed"] < OPENED).to_numpy()
    visits = world.visits[opened].reset_index(drop=True)
    factor = np.repeat(clicks[opened], SHOWN)
    version = np.repeat(_version(visits, trial), SHOWN)
    random = dice("recommender")
    count = len(visits) * SHOWN
    items = _items()
    item = random.choice(ITEMS, count, p=items["popular"])
    place = np.tile(np.arange(SHOWN), len(visits))
    taste = np.repeat(visits["taste"].to_numpy(), SHOWN)
    liked = -1.75 + items["appeal"][item] + taste * items["bend"][item] + PLACE[place]
    # Until somebody knows better, the third ranker shows what was popular a year ago and is sure of it.
    stale = version == "ranker-3"
    liked = np.where(stale, liked - 0.55, liked)
    truth = 1 / (1 + np.exp(-liked))
    clicked = random.random(count) < np.minimum(truth * factor, 0.98)
    blur = np.select([version == "ranker-1", stale], [0.55, 0.75], 0.35)
    known = np.log(factor) + liked + np.where(stale, 1.6, 0.0)
    score = 1 / (1 + np.exp(-(known + blur * random.standard_normal(count) - blur**2 / 4)))
    latency = np.exp(3.2 + 0.3 * random.standard_normal(len(visits))) * np.where(stale[::SHOWN], 1.25, 1.0)
    failed = random.random(len(visits)) < 0.004
    rows = visits.loc[np.repeat(np.arange(len(visits)), SHOWN)].reset_index(drop=True)
    request = np.char.add("r", np.char.zfill(np.arange(len(visits)).astype(str), 6))
    return pd.DataFrame(
        {
            "timestamp": rows["timestamp"] + pd.Timedelta(seconds=1),
            "request_id": np.repeat(request, SHOWN),
            "user_id": rows["user_id"].astype("int32"),
            "model_version": version,
            "item_id": (item + 1).astype("int16"),
            "position": (place + 1).astype("int8"),
            "score": np.round(score, 3),
            "clicked": clicked.astype("int8"),
            "latency_ms": np.repeat(np.round(latency, 1), SHOWN),
            "status": np.where(np.repeat(failed, SHOWN), "timeout", "ok"),
            "category": np.array(CATEGORIES)[items["category"][item]],
            "price": items["price"][item],
            "earlier_visits": np.minimum(rows["earlier"], 50).astype("int8"),
            "hour": rows["hour"].astype("int8"),
            "country": rows["country"],
            "device": rows["device"],
        }
    )


def _items() -> dict[str, npt.NDArray[np.float64]]:
    random = dice("items")
    popular = random.pareto(1.5, ITEMS) + 0.2
    return {
        "popular": popular / popular.sum(),
        "appeal": random.normal(0, 0.5, ITEMS),
        "bend": random.normal(0, 0.8, ITEMS),
        "category": random.integers(0, len(CATEGORIES), ITEMS),
        "price": np.round(np.exp(random.normal(3.2, 0.7, ITEMS))) - 0.01,
    }


def _version(visits: pd.DataFrame, trial: Exposed) -> npt.NDArray[np.str_]:
    user = visits["user"].to_numpy()
    tried = (trial.arm[user] == 1) & (seconds(visits["timestamp"]) >= trial.first[user])
    day = visits["day"].to_numpy()
    return np.select([day >= RANKER_3, (day >= RANKER_2) | tried], ["ranker-3", "ranker-2"], "ranker-1")
