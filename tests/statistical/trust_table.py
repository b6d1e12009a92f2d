"""How often checks of trust raise a false alarm, and how often they see a planted fault.

``python -m tests.statistical.trust_table`` prints the tables of docs/methods/experiments/trust.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import stats

from analytics.experiments.checks import checks_of
from analytics.experiments.checks.ages import age_checks
from analytics.experiments.checks.balance import IMBALANCE_ALARM, USUAL_UNITS
from analytics.experiments.checks.overlap import mates_check, overlap_checks
from analytics.experiments.checks.size import leverage_checks
from analytics.experiments.checks.split import SRM_ALARM
from analytics.stats.confidence_sequences import mixture_width, sequence_p_value
from analytics.stats.sequential_srm import sequential_split
from tests.experiments.trust_worlds import (
    World,
    ages_of,
    aggregates,
    cut_of,
    design,
    draw,
    mates_of,
    overlaps_of,
)

DAYS = 28


def blocked(
    runs: int, daily: int, shares: tuple[float, ...], metrics: int = 3, seed: int = 1
) -> dict[str, float]:
    """Share of sound experiments that the split, or imbalance before, blocks on any of 28 daily looks.

    Values before are heavy-tailed (one in four units has any, log-normal with sigma 1.5) and go together within a unit.
    The plain column is what a fixed-horizon test at the same level would do.
    """
    generator, rows = np.random.default_rng(seed), metrics * (len(shares) - 1)
    width = mixture_width(USUAL_UNITS, IMBALANCE_ALARM)
    hits: Counter[str] = Counter()
    for _ in range(runs):
        arm = generator.choice(len(shares), DAYS * daily, p=shares)
        day = np.repeat(np.arange(DAYS), daily)
        counts = np.zeros((DAYS, len(shares)))
        np.add.at(counts, (day, arm), 1)
        split = bool(sequential_split(counts, shares).p_values[-1] < SRM_ALARM)
        liking = generator.lognormal(0, 1.0, len(arm))
        values = np.where(
            generator.random((metrics, len(arm))) < 0.25,
            generator.lognormal(0, 1.5, (metrics, len(arm))) * liking,
            0.0,
        )
        n = np.cumsum(counts, axis=0)
        sums, squares = (np.zeros((metrics, DAYS, len(shares))) for _ in range(2))
        for k in range(len(shares)):
            own = np.where(arm == k, values, 0.0).reshape(metrics, DAYS, daily)
            sums[:, :, k] = np.cumsum(own.sum(axis=2), axis=1)
            squares[:, :, k] = np.cumsum(np.square(own).sum(axis=2), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums / n
            spread = np.maximum(squares / n - mean**2, 0.0)
            error2 = spread / np.maximum(n - 1, 1)
            welch = np.sqrt(error2[:, :, 1:] + error2[:, :, :1])
            both = n[:, 1:] + n[:, :1]
            within = (spread * n)[:, :, 1:] + (spread * n)[:, :, :1]
            pooled = np.sqrt(within / (both - 2) * (1 / n[:, 1:] + 1 / n[:, :1]))
            gap = np.abs(mean[:, :, 1:] - mean[:, :, :1])
            z, z_plain = gap / np.maximum(welch, pooled), gap / welch
        known = (n.min(axis=1) >= 2)[None, :, None] & np.isfinite(z_plain)
        z, z_plain = np.where(known, z, 0.0), np.where(known, z_plain, 0.0)
        df = np.minimum(n[:, 1:], n[:, :1]) - 1.0
        plain = 2 * stats.t.sf(z_plain, np.maximum(df, 1.0)[None])
        sequential = sequence_p_value(z, both[None], width)
        balance = bool((sequential * rows < IMBALANCE_ALARM).any())
        hits["split"] += split
        hits["balance"] += balance
        hits["either"] += split or balance
        hits["plain balance"] += bool((plain * rows < IMBALANCE_ALARM).any())
        total = np.cumsum(counts, axis=0)
        gap = total - np.array(shares) * total.sum(axis=1, keepdims=True)
        chi = (gap**2 / (np.array(shares) * total.sum(axis=1, keepdims=True))).sum(axis=1)
        hits["plain split"] += bool((stats.chi2.sf(chi, len(shares) - 1) < SRM_ALARM).any())
    return {
        name: hits[name] / runs for name in ("split", "balance", "either", "plain split", "plain balance")
    }


def warned(world: World) -> set[str]:
    """The checks that warn, or block, of all but Twyman's."""
    planned = design()
    rows = [
        *checks_of(planned, aggregates(world)),
        *age_checks(planned, ages_of(world)),
        *overlap_checks(planned, overlaps_of(world), frozenset()),
        mates_check(planned, mates_of(world), randomised=False),
        *leverage_checks(planned, aggregates(world), cut_of(world)),
    ]
    return {row.name for row in rows if row.level in {"warns", "blocks"}}


def rates(runs: int, make: Callable[[np.random.Generator], World], seed: int = 1) -> dict[str, float]:
    """Share of experiments in which each check warns, and in which any does."""
    counts: Counter[str] = Counter()
    for child in np.random.SeedSequence(seed).spawn(runs):
        found = warned(make(np.random.default_rng(child)))
        counts.update(found)
        counts["any"] += bool(found)
    return {name: n / runs for name, n in sorted(counts.items())}


def sound(generator: np.random.Generator) -> World:
    """Nothing is wrong: 24 days, two metrics, two other experiments, clusters of two."""
    return draw(generator, 4000)


def lifted(generator: np.random.Generator) -> World:
    """A true lift of 20 %, the same on all days."""
    return draw(generator, 4000, effect=1.2)


def fading(generator: np.random.Generator) -> World:
    """An effect of +60 % that halves every two days."""
    return draw(generator, 10_000, effect=1 + 0.6 * 0.5 ** (np.arange(14) / 2))


def losing(generator: np.random.Generator) -> World:
    """From day 5 on two in five phones of B are not logged."""
    world = draw(generator, 12_000)
    lost = (world.arm == 1) & (world.day >= 4) & (world.segment == "phone") & (generator.random(12_000) < 0.4)
    return _kept(world, ~lost)


def clashing(generator: np.random.Generator) -> World:
    """Together with another experiment's B the effect is -30 %."""
    world = draw(generator, 10_000)
    both = (world.arm == 1) & (world.others["banner"] == 1)
    world.orders[both] *= generator.random(world.orders[both].shape) < 0.7
    return world


def ramped(generator: np.random.Generator) -> World:
    """A tenth of the units in the first half, half of them from then on, and nobody declared it."""
    world = draw(generator, 4000)
    world.arm[:] = generator.random(4000) < np.where(world.day >= 12, 0.5, 0.1)
    return world


def _kept(world: World, kept: np.ndarray) -> World:
    names = ("arm", "day", "orders", "revenue", "before", "segment", "cluster")
    return replace(
        world,
        **{name: getattr(world, name)[kept] for name in names},
        others={name: arm[kept] for name, arm in world.others.items()},
    )


if __name__ == "__main__":
    for daily, shares in ((50, (0.5, 0.5)), (500, (0.5, 0.5)), (500, (0.9, 0.1)), (500, (0.4, 0.3, 0.3))):
        told = blocked(2000 if daily < 100 else 1000, daily, shares)
        print(daily, shares, {name: f"{100 * share:.2f} %" for name, share in told.items()}, flush=True)
    for make, runs in (
        (sound, 2000),
        (lifted, 500),
        (fading, 100),
        (losing, 100),
        (clashing, 100),
        (ramped, 100),
    ):
        print(
            make.__name__,
            {name: f"{100 * share:.1f} %" for name, share in rates(runs, make).items()},
            flush=True,
        )
