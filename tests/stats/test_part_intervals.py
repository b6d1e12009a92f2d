"""Intervals of the parts of a change hold the truth as often as they say, also where days differ."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.stats.kitagawa import account, total_gradients
from analytics.stats.part_intervals import BlockEffect, TwoSides, block_effect, spread_of

DAYS, ROWS, PARTS = (30, 20), 60, 3
SHARES = np.array([[0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
VALUES = np.array([[0.2, 0.3, 0.5], [0.2, 0.45, 0.5]])


def _world(
    rng: np.random.Generator, days: tuple[int, int] = DAYS, spread: float = 0.08
) -> tuple[TwoSides, np.ndarray]:
    sums = []
    for side in (0, 1):
        n = rng.multinomial(ROWS, SHARES[side], size=days[side]).astype(float)
        mean = np.clip(VALUES[side] + rng.normal(0, spread, (days[side], 1)), 0.01, 0.99)
        sums.append(np.stack([n, rng.binomial(n.astype(int), mean)]))
    d = np.stack([one[0].sum(axis=0) for one in sums])
    u = np.stack([one[1].sum(axis=0) for one in sums])
    blocks = np.arange(days[0]), 1000 + np.arange(days[1])
    return TwoSides(d, np.stack([d, u, u]), blocks, (sums[0], sums[1])), np.stack([d, u])


def _truth() -> np.ndarray:
    return account(SHARES, SHARES * VALUES).total


@pytest.mark.statistical
@pytest.mark.parametrize("days,longer", [(DAYS, False), ((30, 3), False), ((5, 5), True)])
def test_coverage(days: tuple[int, int], longer: bool) -> None:
    """Of 300 worlds whose days differ, at least 91 % of the intervals hold the truth, and not all of them."""
    rng = np.random.default_rng(3)
    held, runs = np.zeros(PARTS), 300
    effect = None
    if longer:
        long, sums = _world(rng, (60, 60))
        d, u = long.by_block[0]
        effect = block_effect(d.sum(axis=1), d.sum(axis=1), u.sum(axis=1), long.squares[:, 0].sum(axis=1))
    for _ in range(runs):
        sides, sums = _world(rng, days)
        found = account(*sums)
        spread = spread_of(sides, total_gradients(found, sums[0]), longer=effect)
        held += np.abs(found.total - _truth()) <= spread.reach(0.95)
    assert (held / runs >= 0.91).all(), held / runs
    assert (held / runs < 1.0).any()


def test_rows_alone_would_hold_too_rarely() -> None:
    """The simulation bites: intervals that take rows as independent miss often."""
    rng = np.random.default_rng(4)
    held, runs = 0, 200
    for _ in range(runs):
        _, sums = _world(rng, (5, 5))
        found = account(*sums)
        held += abs(found.change - _truth().sum()) <= 1.96 * np.sqrt(
            sum((found.whole[s] * (1 - found.whole[s])) / sums[0][s].sum() for s in (0, 1))
        )
    assert held / runs < 0.85


def test_the_whole_as_one_part_is_a_difference_of_means() -> None:
    rng = np.random.default_rng(5)
    sides, sums = _world(rng, spread=0.0)
    one = TwoSides(
        sides.rows.sum(axis=1, keepdims=True), sides.squares.sum(axis=2, keepdims=True), sides.blocks,
        tuple(side.sum(axis=2, keepdims=True) for side in sides.by_block),
    )  # type: ignore[arg-type]  # fmt: skip
    d, u = sums.sum(axis=2, keepdims=True)
    found = account(d, u)
    spread = spread_of(one, total_gradients(found, d))
    p = found.whole
    rows = float(np.sqrt((p * (1 - p) / d[:, 0]).sum()))
    assert rows * 0.999 <= spread.error[0] <= 1.6 * rows


def test_what_both_sides_share_cancels() -> None:
    """Two versions on the same requests: the storm of a day is no doubt about their difference."""
    rng = np.random.default_rng(6)
    storm = rng.normal(0, 3, 40)
    d = np.full((40, 1), 50.0)
    by_side = [np.stack([d, d * (storm[:, None] + gap + rng.normal(0, 0.01, (40, 1)))]) for gap in (0.0, 0.1)]
    u = np.stack([one[1].sum(axis=0) for one in by_side])
    total = np.stack([one[0].sum(axis=0) for one in by_side])
    squares = np.stack([total, u, u**2 / total])
    blocks = np.arange(40), np.arange(40)
    sides = TwoSides(total, squares, blocks, (by_side[0], by_side[1]))
    found = account(total, u)
    spread = spread_of(sides, total_gradients(found, total))
    assert spread.independence == ("blocks",)
    assert spread.error[0] < 0.01
    assert abs(found.change - 0.1) <= spread.reach(0.99)[0]


def test_few_blocks_are_widened_by_the_longer_stretch() -> None:
    rng = np.random.default_rng(7)
    sides, sums = _world(rng, (3, 3))
    found = account(*sums)
    gradients = total_gradients(found, sums[0])
    plain = spread_of(sides, gradients)
    wide = spread_of(sides, gradients, longer=BlockEffect(3.0, float(ROWS), 60))
    np.testing.assert_allclose(wide.error, 2.0 * plain.error)
    assert set(wide.independence) == {"blocks"}
