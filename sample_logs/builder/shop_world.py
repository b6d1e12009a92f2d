"""The simulated shop: people, their visits, and the dice of every visit.

Nothing here is real. Users live in households, come again and again (some far more often than others), more on weekends
and in the evening, and keep arriving as new ones. Every visit carries its own random numbers, drawn once: what becomes
of it under one arm and under the other is decided by the same dice, so the true effect of an experiment is known.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

TIME_ZONE = "Europe/Berlin"
FIRST_DAY, LAST_DAY = "2026-01-05", "2026-05-17"
DAYS = 133
USERS = 17_000
SEED = 20260105
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

COUNTRIES = {"DE": 0.40, "FR": 0.22, "US": 0.20, "BR": 0.18}
DEVICES = {"phone": 0.55, "desktop": 0.35, "tablet": 0.10}
BROWSERS = {"Chrome": 0.50, "Safari": 0.28, "Firefox": 0.12, "Edge": 0.10}
HOUSEHOLD_SIZES = {1: 0.26, 2: 0.26, 3: 0.20, 4: 0.15, 5: 0.08, 6: 0.05}
VISITS_A_WEEK = 0.55
# Monday to Sunday, and 0 to 23 o'clock
WEEKDAYS = np.array([0.92, 0.86, 0.88, 0.92, 1.00, 1.24, 1.30])
HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 10, 9, 8, 8, 9, 11, 13, 15, 16, 14, 9, 5], float)
BUYS = {"DE": 0.0, "FR": -0.1, "US": 0.25, "BR": -0.8}
RELEASE_5_1 = 63
"""The day from which phones and computers take up version 5.1 of the shop, over three weeks."""


def dice(name: str) -> np.random.Generator:
    """A stream of random numbers of its own for every purpose, so that one more purpose changes no other."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class World:
    """Users (one row each) and their visits (one row each, in the order of time)."""

    users: pd.DataFrame
    visits: pd.DataFrame


def build_world() -> World:
    """Draw the users and every visit of the nineteen weeks."""
    users = draw_users()
    return World(users, draw_visits(users))


def draw_users() -> pd.DataFrame:
    """One row a user: where, with what, since when, how often, how ready to buy, how much."""
    random = dice("households")
    sizes = random.choice(list(HOUSEHOLD_SIZES), USERS, p=list(HOUSEHOLD_SIZES.values()))
    household = np.repeat(np.arange(USERS), sizes)[:USERS]
    households = household[-1] + 1
    country = random.choice(list(COUNTRIES), households, p=list(COUNTRIES.values()))[household]
    # A household shares its habits: who lives with a frequent visitor is one too.
    habit = (random.gamma(1.0, 1.0, households)[household]) * dice("habits").gamma(8.0, 1 / 8.0, USERS)
    random = dice("users")
    joined = np.where(random.random(USERS) < 0.55, -1, random.integers(0, DAYS, USERS))
    users = pd.DataFrame(
        {
            "user_id": random.permutation(USERS) + 10_000,
            "household": random.permutation(households)[household] + 50_000,
            "country": country,
            "device": random.choice(list(DEVICES), USERS, p=list(DEVICES.values())),
            "browser": random.choice(list(BROWSERS), USERS, p=list(BROWSERS.values())),
            "joined": joined,
            "visits_a_week": VISITS_A_WEEK * habit,
            "buys": random.normal(-1.6, 0.45, USERS) + pd.Series(country).map(BUYS).to_numpy(),
            "spends": random.normal(0, 0.35, USERS),
            "taste": random.normal(0, 0.6, USERS),
            "updates": RELEASE_5_1 + random.exponential(7, USERS),
        }
    )
    return users.sort_values("user_id", ignore_index=True)


def draw_visits(users: pd.DataFrame) -> pd.DataFrame:
    """One row a visit: whose, when (UTC), on which day of the shop, and the dice it will be decided by."""
    random = dice("visits")
    day = np.arange(DAYS)
    expected = users["visits_a_week"].to_numpy()[:, None] / 7 * WEEKDAYS[day % 7][None, :]
    expected = expected * (users["joined"].to_numpy()[:, None] <= day[None, :])
    # Whoever joins does so by a first visit on that day.
    counts = random.poisson(expected) + (users["joined"].to_numpy()[:, None] == day[None, :])
    place, when = np.nonzero(counts)
    repeats = counts[place, when]
    place, when = np.repeat(place, repeats), np.repeat(when, repeats)
    hour = random.choice(24, len(place), p=HOURS / HOURS.sum())
    seconds = hour * 3600 + random.integers(0, 3600, len(place))
    midnight = pd.DatetimeIndex(pd.Timestamp(FIRST_DAY) + pd.to_timedelta(when, unit="D"))
    local = (midnight + pd.to_timedelta(seconds, unit="s")).tz_localize(
        TIME_ZONE, nonexistent="shift_forward", ambiguous=True
    )
    visits = users.loc[place].drop(columns=["visits_a_week"]).reset_index(drop=True)
    visits.insert(0, "user", place)
    visits = visits.assign(day=when, hour=hour, timestamp=local.tz_convert("UTC"))
    visits = visits.sort_values(["timestamp", "user_id"], kind="stable", ignore_index=True)
    visits["earlier"] = visits.groupby("user").cumcount()
    visits["version"] = np.where(visits["day"] >= visits["updates"], "5.1", "5.0")
    for name in ("cart", "buy", "crash", "complain", "rate", "feed", "company"):
        visits[f"dice_{name}"] = dice(name).random(len(visits))
    for name in ("minutes", "load", "amount", "stars", "mood"):
        visits[f"normal_{name}"] = dice(name).standard_normal(len(visits))
    visits["company"] = 400 * (1 + dice("companies").pareto(1.6, len(visits)))
    return visits
