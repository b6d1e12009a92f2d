"""How often the intervals of an explanation hold the truth, and how often slices and moments are named for nothing.

    python -m benchmarks.explain_rates [RUNS]

Simulated days whose means differ (standard deviation .08 of a share), three parts with known shares and values; and
the same world without any change in any part, over many slices.
"""

from __future__ import annotations

import sys

import numpy as np

from analytics.stats.change_slices import Inflation, choose_slices, excess_of_slices
from analytics.stats.kitagawa import account, total_gradients
from analytics.stats.part_intervals import BlockEffect, TwoSides, block_effect, spread_of
from analytics.stats.shift_split import Rows, split_shift

ROWS = 60
SHARES = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
VALUES = np.array([[0.2, 0.3, 0.5], [0.2, 0.45, 0.5]])
SLICES = 40


def world(rng: np.random.Generator, days: tuple[int, int], spread: float) -> tuple[TwoSides, np.ndarray]:
    """Sums of two sides whose days differ."""
    sums = []
    for side in (0, 1):
        n = rng.multinomial(ROWS, SHARES[side], size=days[side]).astype(float)
        mean = np.clip(VALUES[side] + rng.normal(0, spread, (days[side], 1)), 0.01, 0.99)
        sums.append(np.stack([n, rng.binomial(n.astype(int), mean)]))
    d, u = (np.stack([one[i].sum(axis=0) for one in sums]) for i in (0, 1))
    blocks = np.arange(days[0]), 10_000 + np.arange(days[1])
    return TwoSides(d, np.stack([d, u, u]), blocks, (sums[0], sums[1])), np.stack([d, u])


def longer(rng: np.random.Generator, spread: float) -> BlockEffect | None:
    """What 60 other days tell."""
    sides, _ = world(rng, (60, 60), spread)
    d, u = sides.by_block[0]
    return block_effect(d.sum(axis=1), d.sum(axis=1), u.sum(axis=1), sides.squares[:, 0].sum(axis=1))


def coverage(runs: int) -> None:
    """Of the parts and of the whole."""
    truth = account(SHARES, SHARES * VALUES).total
    for days in ((60, 30), (30, 14), (60, 7), (60, 1), (7, 7), (3, 3)):
        rng = np.random.default_rng(days[0] * 100 + days[1])
        effect = longer(rng, 0.08) if max(days) < 10 else None
        held, whole = np.zeros(3), 0.0
        for _ in range(runs):
            sides, sums = world(rng, days, 0.08)
            found = account(*sums)
            held += np.abs(found.total - truth) <= spread_of(
                sides, total_gradients(found, sums[0]), longer=effect
            ).reach(0.95)
            one = TwoSides(
                sides.rows.sum(axis=1, keepdims=True), sides.squares.sum(axis=2, keepdims=True), sides.blocks,
                (sides.by_block[0].sum(axis=2, keepdims=True), sides.by_block[1].sum(axis=2, keepdims=True)),
            )  # fmt: skip
            d, u = sums.sum(axis=2, keepdims=True)
            all_rows = account(d, u)
            reach = spread_of(one, total_gradients(all_rows, d), longer=effect).reach(0.95)
            whole += abs(all_rows.change - truth.sum()) <= reach[0]
        print(f"days {days}: parts {(held / runs).round(3).tolist()}, whole {whole / runs:.3f}")


def false_slices(runs: int) -> None:
    """How often a slice is named where all rows changed alike; half the slices are whole days (weather)."""
    for days, change in ((30, 0.0), (30, 0.1), (14, 0.1)):
        rng = np.random.default_rng(days)
        named = 0
        for _ in range(runs):
            d = np.zeros((2, days, SLICES))
            u = np.zeros_like(d)
            mean = 0.3 + rng.normal(0, 0.08, (2, days)) + np.array([[0.0], [change]])
            n = np.full((2, days), float(ROWS))
            total = rng.binomial(ROWS, np.clip(mean, 0.02, 0.98)).astype(float)
            for s in range(SLICES):
                if s % 2:
                    picked = rng.random((2, days)) < 0.3
                    d[..., s], u[..., s] = n * picked, total * picked
                else:
                    d[..., s] = rng.binomial(ROWS, 0.2, (2, days))
                    u[..., s] = rng.hypergeometric(
                        total.astype(int), (n - total).astype(int), d[..., s].astype(int)
                    )
            sums = np.stack([d.sum(axis=1), u.sum(axis=1), d.sum(axis=1), u.sum(axis=1), u.sum(axis=1)])
            whole = np.stack([n.sum(axis=1), total.sum(axis=1)] * 1)
            every = np.stack([whole[0], whole[1], whole[0], whole[1], whole[1]])
            squares = np.concatenate([sums[2:, 0], every[2:, :1]], axis=1)
            values, shares = excess_of_slices(
                np.column_stack([d[0], n[0]]), np.column_stack([u[0], total[0]]), squares
            )
            grows = [1.0 + np.nan_to_num(one, nan=30.0) for one in (values, shares)]
            # each slice by itself: the pattern of its rows, and the rest
            for s in range(SLICES):
                pair = np.stack([sums[..., s], every - sums[..., s]], axis=2)
                found = choose_slices(
                    np.array([[True], [False]]), pair, np.zeros(1), [()], looked_at=SLICES,
                    inflation=Inflation(grows[0][[s]], grows[1][[s]]),
                )  # fmt: skip
                if found:
                    named += 1
                    break
        print(
            f"{days} days, a change of {change} everywhere: a slice is named in {named / runs:.3f} of worlds"
        )


def shift(runs: int) -> None:
    """Coverage of covariate and concept part."""
    for days, curved in ((40, 0.1), (15, 0.1), (40, 0.4)):
        rng = np.random.default_rng(days)
        held, told = np.zeros(2), 0
        for _ in range(runs):
            sides = []
            for n, moved, concept, first in ((2000, 0.0, 0.0, 0), (1500, 0.6, 0.2, 1000)):
                block = rng.integers(0, days, n)
                storm = rng.normal(0, 0.15, days)[block]
                x = rng.normal(0, 1, (n, 3))
                x[:, 0] += moved
                value = 0.5 + 0.3 * x[:, 0] + curved * x[:, 0] ** 2 + concept + storm + rng.normal(0, 0.5, n)
                both = np.column_stack([x, (np.square(x) - 1) / 2])
                sides.append(Rows(both, value, np.ones(n), first + block))
            found = split_shift(sides[0], sides[1], 0.95)
            if found.covariate is None or found.concept is None:
                continue
            told += 1
            truth = 0.3 * 0.6 + curved * 0.36
            held += [
                found.covariate.low <= truth <= found.covariate.high,
                found.concept.low <= 0.2 <= found.concept.high,
            ]
        print(
            f"{days} days, curvature {curved}: covariate, concept {(held / max(told, 1)).round(3).tolist()} of {told}"
        )


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    coverage(number)
    false_slices(max(number // 4, 20))
    shift(max(number // 4, 20))
