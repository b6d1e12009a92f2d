"""Coverage of the interval of every quality metric: ``python -m tests.statistical.quality_table [REPLICATES]``.

The truth is the metric of the population the rows are drawn from (two million rows, days and units drawn anew), not a
mean of estimates. Replicates of one design count where the metric has a value.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from analytics.measures.estimate import Estimate
from tests.statistical.aggregated import CONFIDENCE, Rows, estimates_of

Key = tuple[str, str | None]
POPULATION = 2_000_000
KEEP = 0.1


class Design(NamedTuple):
    """Rows of one replicate and how they hang together.

    Attributes:
        n: rows of the stream; of those that are logged there are fewer where they are sampled.
        days: over which they are spread; rows of one share an effect.
        units: the same.
        base: log odds of the positive class, or of the rarest class.
        sampled: what the chance to be logged depends on: "outcome" or "score".
    """

    n: int
    days: int = 1
    day_effect: float = 0.0
    units: int = 0
    unit_effect: float = 0.0
    base: float = -1.0
    sampled: str = ""


INDEPENDENT = {f"{n:,} rows": Design(n) for n in (200, 1_000, 5_000)}
DAYS = {f"{days} days x {per}": Design(days * per, days, 0.6) for days, per in ((14, 60), (30, 30), (60, 30))}
UNITS = {
    f"{units} units, {n} rows": Design(n, units=units, unit_effect=1.2) for units, n in ((20, 400), (80, 800))
}
SAMPLED = {
    "by outcome, 2,000 of a stream": Design(2_000, sampled="outcome"),
    "by outcome, 5 % positive": Design(5_000, base=-3.6, sampled="outcome"),
    "by score": Design(2_000, sampled="score"),
    "by outcome, 30 days": Design(3_000, 30, 0.6, sampled="outcome"),
}
RARE = {
    "1,000 rows, 2 %": Design(1_000, base=-4.5),
    "5,000 rows, 2 %": Design(5_000, base=-4.5),
    "5,000 rows, .5 %": Design(5_000, base=-5.95),
    "20,000 rows, .5 %": Design(20_000, base=-5.95),
    "by outcome, 20,000 rows, .5 %": Design(20_000, base=-5.95, sampled="outcome"),
}


def binary(design: Design, rng: np.random.Generator) -> Rows:
    """Scores that are right but for what days and units share."""
    block, unit, effect = _drawn(design, rng)
    logit = design.base + 1.2 * rng.normal(size=design.n)
    label = (rng.random(design.n) < expit(logit + effect)).astype(np.int64)
    decision = (logit > design.base + 0.6).astype(np.int64)
    score = expit(logit)
    chance = {"": np.ones(1), "outcome": np.where(label == 1, 1.0, KEEP), "score": KEEP + (1 - KEEP) * score}
    return _logged(Rows(score, label, decision, np.ones(design.n), block, unit), chance[design.sampled], rng)


def multiclass(design: Design, rng: np.random.Generator) -> Rows:
    """Three classes, the last one the rarest."""
    block, unit, effect = _drawn(design, rng)
    logits = np.array([0.5, 0.0, min(design.base + 0.3, 0.0)]) + 1.2 * rng.normal(size=(design.n, 3))
    moved = logits + effect[:, None] * np.array([1.0, 0.0, 0.0])
    score, truth = (np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in (logits, moved))
    label = (rng.random(design.n)[:, None] > truth.cumsum(axis=1)[:, :2]).sum(axis=1)
    chance = {
        "": np.ones(1),
        "outcome": np.array([KEEP, 0.3, 1.0])[label],
        "score": KEEP + (1 - KEEP) * score[:, 2],
    }
    rows = Rows(score, label, score.argmax(axis=1), np.ones(design.n), block, unit)
    return _logged(rows, chance[design.sampled], rng)


def regression(design: Design, rng: np.random.Generator) -> Rows:
    """Skewed errors; labels of 1 and more."""
    block, unit, effect = _drawn(design, rng)
    score = 20 + 3 * np.clip(rng.normal(size=design.n), -3, 3)
    label = np.maximum(score + effect + rng.gamma(2, 1.0, design.n) - 2, 1.0)
    chance = {
        "": np.ones(1), "outcome": np.where(label > 24, 1.0, KEEP), "score": KEEP + (1 - KEEP) * expit(score - 22),
    }  # fmt: skip
    return _logged(Rows(score, label, None, np.ones(design.n), block, unit), chance[design.sampled], rng)


def _drawn(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    block = (
        np.sort(rng.integers(0, design.days, design.n)) if design.days > 1 else np.zeros(design.n, np.int64)
    )
    effect = design.day_effect * rng.normal(size=design.days)[block]
    if not design.units:
        return block, None, effect
    unit = rng.integers(0, design.units, design.n)
    return block, unit, effect + design.unit_effect * rng.normal(size=design.units)[unit]


def _logged(rows: Rows, chance: np.ndarray, rng: np.random.Generator) -> Rows:
    if len(chance) == 1:
        return rows
    kept = rng.random(len(chance)) < chance
    left = Rows(*(one if one is None else one[kept] for one in rows))
    return left._replace(weight=1 / chance[kept])


TASKS = {"binary": binary, "multiclass": multiclass, "regression": regression}


@cache
def truth(
    task: str, day_effect: float, unit_effect: float, base: float, population: int = POPULATION
) -> dict[Key, float]:
    """The metrics of the population: every row logged, so many days and units that none matters."""
    parts = population // 10
    design = Design(
        population, parts if day_effect else 1, day_effect, parts if unit_effect else 0, unit_effect, base
    )
    rows = TASKS[task](design, np.random.default_rng(1))._replace(
        unit=None, block=np.zeros(population, np.int64)
    )
    return {(one.metric, one.class_): one.value for one in estimates_of(rows) if one.value is not None}


class Covered(NamedTuple):
    """What became of one metric of one design.

    Attributes:
        share: of intervals that hold the truth.
        above: of intervals that lie wholly above it.
        below: wholly below.
        n: replicates with a value.
        width: mean.
    """

    share: float
    above: float
    below: float
    n: int
    width: float


def coverage(
    task: str, design: Design, replicates: int, seed: int = 7, population: int = POPULATION
) -> dict[Key, Covered]:
    """Metric and class -> how often its interval held."""
    rng = np.random.default_rng(seed)
    expected = truth(task, design.day_effect, design.unit_effect, design.base, population)
    found: dict[Key, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(replicates):
        one: Estimate
        for one in estimates_of(TASKS[task](design, rng)):
            if one.value is not None:
                found[one.metric, one.class_].append(one.interval(CONFIDENCE)[:2])
    return {key: _covered(np.array(limits), expected[key]) for key, limits in found.items()}


def _covered(limits: np.ndarray, value: float) -> Covered:
    # a truth read from a sample misses one that is exact by rounding
    above, below = limits[:, 0] > value + 1e-12, limits[:, 1] < value - 1e-12
    return Covered(
        float((~above & ~below).mean()), float(above.mean()), float(below.mean()), len(limits),
        float((limits[:, 1] - limits[:, 0]).mean()),
    )  # fmt: skip


DESIGNS = INDEPENDENT | DAYS | UNITS | SAMPLED
OF_TASK = {"binary": DESIGNS | RARE, "multiclass": DESIGNS, "regression": DESIGNS}


def main(replicates: int = 2_000, tasks: tuple[str, ...] = tuple(TASKS)) -> None:
    """Print a table a task: in brackets the replicates with a value, where it was not all of them."""
    for task in tasks:
        columns = {name: coverage(task, design, replicates) for name, design in OF_TASK[task].items()}
        print(f"\n| {task} | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
        for key in next(iter(columns.values())):
            cells = [_cell(column.get(key), replicates) for column in columns.values()]
            print(f"| {':'.join(part for part in key if part)} | " + " | ".join(cells) + " |", flush=True)


def _cell(one: Covered | None, replicates: int) -> str:
    if one is None or one.n < replicates / 20:
        return "-"
    return f"{100 * one.share:.1f}" + (f" ({one.n})" if one.n < replicates else "")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000, tuple(sys.argv[2:]) or tuple(TASKS))
