"""What was tried in the simulated shop: who got which arm, when, and what each arm does. The truth is planted here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from sample_logs.builder.shop_world import World, dice


@dataclass(frozen=True)
class Trial:
    """One experiment: its days, how it splits, and what B does.

    Attributes:
        first, last: first day, and the first day after it (days since the logs begin).
        effect: what B multiplies: chances, the time to load.
        fades: after so many days since the first exposure, 1/e of the effect is left.
        share: of B, where it is not the same for everybody and always.
        by: what is randomised, ``user`` or ``household``.
        loses: whether B's exposures get lost in one browser.
        crosses: share of users who see the other arm too, on a second device.
    """

    first: int
    last: int
    effect: Mapping[str, float] = field(default_factory=dict)
    fades: float = np.inf
    share: Callable[[pd.DataFrame], npt.NDArray[np.float64]] | None = None
    by: str = "user"
    loses: bool = False
    crosses: float = 0.0


def _ramp(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    return np.where(rows["day"] < 77 + 7, 0.1, 0.5)


def _by_country(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    return np.where(rows["country"] == "BR", 0.8, 0.3)


TRIALS: dict[str, Trial] = {
    # weeks 4 to 7
    "new_ranker": Trial(21, 49, {"buy": 1.18, "cart": 1.08, "click": 1.15}),
    "same_twice": Trial(21, 49),
    # weeks 8 to 11
    "large_pictures": Trial(49, 77, {"buy": 1.10, "load": 1.12, "crash": 1.5}),
    "sticky_cart": Trial(49, 77, crosses=0.004),
    # weeks 12 to 15
    "express_checkout": Trial(77, 105, loses=True),
    "badges": Trial(77, 105, {"cart": 1.8}, fades=4),
    "new_search": Trial(77, 105, {"buy": 1.15}, share=_ramp),
    # weeks 16 to 19
    "shipping_banner": Trial(105, 133),
    "price_badge": Trial(105, 133),
    "family_basket": Trial(105, 133, by="household"),
    "local_payments": Trial(105, 133, {"buy": 1.12}, share=_by_country),
}
ROLLED_OUT = "new_ranker"
PAIR = ("shipping_banner", "price_badge")
ALONE, TOGETHER = 1.15, 0.85
"""What the two interacting ones do to the chance to buy: each alone helps, both together hurt."""
LOST_BROWSER, LOST_FROM, LOST_SHARE = "Safari", 4, 0.5


@dataclass(frozen=True)
class Exposed:
    """Everybody's part in one experiment, by user place: arm (1 = B, 0 = A, -1 = not in it) and first visit."""

    arm: npt.NDArray[np.int64]
    first: npt.NDArray[np.float64] = field(repr=False)
    """Seconds since the epoch; NaN where never exposed."""
    logged: npt.NDArray[np.bool_] = field(repr=False)


def chance(salt: str, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A number from 0 to 1 of every key, fixed by the experiment's name: the hash that splits."""
    digests = (hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=8).digest() for key in keys.tolist())
    return np.array([int.from_bytes(digest, "big") / 2**64 for digest in digests])


def expose(world: World, name: str) -> Exposed:
    """Who was in an experiment, in which arm, since when, and whether the log knows."""
    trial, visits = TRIALS[name], world.visits
    during = visits[(visits["day"] >= trial.first) & (visits["day"] < trial.last)]
    entered = during.drop_duplicates("user")
    place = entered["user"].to_numpy()
    share = trial.share(entered) if trial.share else np.full(len(entered), 0.5)
    key = entered["household" if trial.by == "household" else "user_id"].to_numpy()
    treated = chance(name, key) < share
    arm = np.full(len(world.users), -1)
    arm[place] = treated
    first = np.full(len(world.users), np.nan)
    first[place] = seconds(entered["timestamp"])
    logged = arm >= 0
    if trial.loses:
        broken = treated & (entered["browser"] == LOST_BROWSER) & (entered["day"] >= trial.first + LOST_FROM)
        # The page that breaks breaks on old machines first, and whoever has one buys less.
        weak = chance(f"{name}:lost", key) < LOST_SHARE + 0.4 * (entered["buys"] < entered["buys"].median())
        logged[place[broken & weak]] = False
    return Exposed(arm, first, logged)


def seconds(instants: pd.Series) -> npt.NDArray[np.float64]:
    """Seconds since the epoch."""
    return ((instants - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy()


def multipliers(world: World, parts: Mapping[str, Exposed]) -> dict[str, npt.NDArray[np.float64]]:
    """What every visit's chances are multiplied by, over all experiments it is part of."""
    visits = world.visits
    now, user = seconds(visits["timestamp"]), visits["user"].to_numpy()
    found = {name: np.ones(len(visits)) for name in ("buy", "cart", "click", "load", "crash", "minutes")}
    treated = {}
    for name, part in parts.items():
        trial = TRIALS[name]
        during = (visits["day"] < trial.last).to_numpy() & (now >= part.first[user])
        treated[name] = during & (part.arm[user] == 1)
        days = (now - part.first[user])[treated[name]] / 86_400
        for what, factor in trial.effect.items():
            found[what][treated[name]] *= 1 + (factor - 1) * np.exp(-days / trial.fades)
    # What won was given to everybody when its trial was over.
    for what, factor in TRIALS[ROLLED_OUT].effect.items():
        found[what][(visits["day"] >= TRIALS[ROLLED_OUT].last).to_numpy()] *= factor
    first, second = (treated[name] for name in PAIR)
    found["buy"] *= np.where(first & second, TOGETHER, np.where(first | second, ALONE, 1.0))
    return found


def crossed(name: str, part: Exposed) -> npt.NDArray[np.int64]:
    """Users whose second device was given the other arm."""
    inside = np.flatnonzero(part.arm >= 0)
    return inside[dice(f"{name}:crossed").random(len(inside)) < TRIALS[name].crosses]
