"""Experiments drawn unit by unit, as the aggregates that checks of trust are computed from; faults are planted here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analytics.aggregates.arms import ArmMoments, Counts, ExperimentAggregates, MetricAggregates, Split
from analytics.aggregates.daily_split import DailySplit
from analytics.aggregates.log_state import LogState
from analytics.aggregates.overlaps import ALONE, MIXED, Mates, Overlap
from analytics.aggregates.unit_ages import AgeMoments, Ages
from analytics.experiments.design import Design, MetricDesign

FIRST_DAY = np.datetime64("2026-01-05")  # a Monday
ARMS = ("A", "B")
METRICS = ("orders", "revenue")


@dataclass
class World:
    """Units of one experiment: arm, day of first exposure, values by day since exposure, values before."""

    arm: np.ndarray
    day: np.ndarray
    orders: np.ndarray
    revenue: np.ndarray
    before: np.ndarray
    segment: np.ndarray
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    cluster: np.ndarray | None = None


def draw(
    generator: np.random.Generator,
    n: int = 3000,
    *,
    days: int = 24,
    ages: int = 14,
    share: float = 0.5,
    effect: np.ndarray | float = 1.0,
) -> World:
    """A sound experiment; ``effect`` multiplies the chance of an order in arm B, by day since exposure if an array."""
    arm = (generator.random(n) < share).astype(np.int64)
    day = np.sort(generator.integers(0, days, n))
    liking = generator.gamma(1.5, 1 / 1.5, n)
    fades = np.maximum(3.0 / (1 + np.arange(ages)), 0.5)
    lift = np.where(arm[:, None] == 1, np.broadcast_to(effect, (ages,)), 1.0)
    orders = generator.poisson(0.1 * liking[:, None] * fades * lift).astype(float)
    revenue = orders * generator.lognormal(3.0, 1.0, orders.shape)
    before = generator.poisson(0.5 * liking).astype(float)
    segment = generator.choice(["phone", "desktop", "tablet"], n, p=[0.5, 0.3, 0.2])
    others = {name: generator.integers(0, 2, n) for name in ("banner", "badge")}
    cluster = np.arange(n) // 2
    generator.shuffle(cluster)
    return World(arm, day, orders, revenue, before, segment, others, cluster)


def cells(
    values: np.ndarray, *keys: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Unique keys, and n, means and co-moments of one column in each."""
    codes = [np.unique(key, return_inverse=True) for key in keys]
    unique, place = np.unique(np.column_stack([code for _, code in codes]), axis=0, return_inverse=True)
    place = place.ravel()
    n = np.bincount(place).astype(float)
    mean = np.bincount(place, values) / n
    squares = np.bincount(place, (values - mean[place]) ** 2)
    return (
        [names[unique[:, i]] for i, (names, _) in enumerate(codes)],
        n,
        mean[:, None],
        squares[:, None, None],
    )


def moments(
    world: World,
    values: np.ndarray,
    *,
    chosen: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    clusters: bool = False,
    arm: np.ndarray | None = None,
) -> ArmMoments:
    kept = np.ones(len(values), dtype=bool) if chosen is None else chosen
    names = np.array(ARMS)[world.arm] if arm is None else arm
    cluster = (
        world.cluster if clusters and world.cluster is not None else np.zeros(len(values), dtype=np.int64)
    )
    day = world.day if strata is None and not clusters else np.zeros(len(values), dtype=np.int64)
    group = np.zeros(len(values), dtype="U8") if strata is None else strata
    found, n, mean, squares = cells(values[kept], names[kept], day[kept], cluster[kept], group[kept])
    return ArmMoments(
        ("value",),
        found[0].astype(np.str_),
        FIRST_DAY + found[1].astype("timedelta64[D]"),
        found[2].astype(np.int64) if clusters else None,
        n,
        mean,
        squares,
        strata=None if strata is None else found[3].astype(np.str_),
    )


def aggregates(world: World) -> ExperimentAggregates:
    """What one reading gives."""
    names = np.array(ARMS)[world.arm]
    counts = np.zeros((int(world.day.max()) + 1, 2))
    np.add.at(counts, (world.day, world.arm), 1)
    days = FIRST_DAY + np.arange(len(counts)).astype("timedelta64[D]")
    filled = counts.sum(axis=1) > 0
    daily = DailySplit(
        ARMS,
        days[filled],
        np.full(filled.sum(), "", np.str_),
        np.zeros(filled.sum(), np.int64),
        counts[filled],
    )
    values = sorted(set(world.segment.tolist()))
    by_segment = {
        "device": Counts(
            tuple(values),
            {arm: tuple(int(((names == arm) & (world.segment == v)).sum()) for v in values) for arm in ARMS},
        )
    }
    metrics = tuple(
        MetricAggregates(
            name, moments(world, getattr(world, name).sum(axis=1)), before=moments(world, world.before)
        )
        for name in METRICS
    )
    split = Split({arm: int((names == arm).sum()) for arm in ARMS}, by_segment=by_segment, daily=daily)
    return ExperimentAggregates(split, metrics, logs=LogState(rows={"events": 1000}))


def design(share: float = 0.5, **more: object) -> Design:
    """Orders decide, revenue stands beside."""
    metrics = (MetricDesign("orders", "mean"), MetricDesign("revenue", "mean", role="secondary"))
    return Design("t", "A", {"A": 1 - share, "B": share}, metrics=metrics, **more)  # type: ignore[arg-type]


def ages_of(world: World) -> Ages:
    """Moments by day since exposure."""
    found = []
    for name in METRICS:
        values = getattr(world, name)
        arms = [values[world.arm == i] for i in (0, 1)]
        means = np.stack([own.mean(axis=0) for own in arms])[:, :, None]
        centred = [own - own.mean(axis=0) for own in arms]
        co = np.stack([own.T @ own for own in centred])
        found.append(
            AgeMoments(name, ("value",), ARMS, np.array([len(own) for own in arms], float), means, co)
        )
    return Ages(tuple(found), values.shape[1])


def overlaps_of(world: World) -> tuple[Overlap, ...]:
    """Every other experiment with the moments by its arms."""
    answer = []
    for name, other in world.others.items():
        table = np.zeros((2, 2))
        np.add.at(table, (world.arm, other), 1)
        strata = np.array(ARMS)[other]
        own = {
            metric: moments(world, getattr(world, metric).sum(axis=1), strata=strata) for metric in METRICS
        }
        answer.append(Overlap(name, ARMS, ARMS, table, own))
    return tuple(answer)


def cut_of(world: World) -> dict[str, ArmMoments]:
    """Moments with the top 0.1 % cut."""
    answer = {}
    for name in METRICS:
        total = getattr(world, name).sum(axis=1)
        answer[name] = moments(world, np.minimum(total, np.quantile(total, 0.999, method="inverted_cdf")))
    return answer


def mates_of(world: World) -> Mates:
    """Units of the control, by whether a mate is in the other arm."""
    assert world.cluster is not None
    size = np.bincount(world.cluster)[world.cluster]
    treated = np.zeros(world.cluster.max() + 1)
    np.maximum.at(treated, world.cluster, world.arm)
    mixed = treated[world.cluster] == 1
    chosen = (world.arm == 0) & (size > 1)
    own = {
        metric: moments(
            world,
            getattr(world, metric).sum(axis=1),
            chosen=chosen,
            strata=size.astype(np.str_),
            clusters=True,
            arm=np.where(mixed, MIXED, ALONE),
        )
        for metric in METRICS
    }
    in_both = np.zeros(world.cluster.max() + 1, bool)
    np.logical_or.at(in_both, world.cluster[world.arm == 0], True)
    return Mates(int((in_both & (treated == 1)).sum()), int((np.bincount(world.cluster) > 1).sum()), own)
