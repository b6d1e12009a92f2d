"""Slices: the planted one and no other; none where all changed alike; two names of one cause once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.stats.change_slices import Inflation, choose_slices, evidence, excess_of_slices, shortlist

Floats = NDArray[np.float64]
N = 4_000


def _world(rng: np.random.Generator, worse: str | None) -> tuple[NDArray[np.bool_], Floats]:
    """Memberships in eight slices (two columns of three and the twin of the first value) and sums by row."""
    a, b = rng.integers(0, 3, (2, 2 * N))
    after = np.repeat([0, 1], N)
    chance = np.full(2 * N, 0.2) + 0.05 * after
    if worse == "a0":
        chance += 0.3 * after * (a == 0)
    if worse == "pair":
        chance += 0.4 * after * ((a == 0) & (b == 1))
    y = (rng.random(2 * N) < chance).astype(float)
    twin = (a == 0) & (rng.random(2 * N) < 0.97)
    inside = np.column_stack(
        [*(a == k for k in range(3)), *(b == k for k in range(3)), twin, (a == 0) & (b == 1)]
    )
    patterns, at = np.unique(inside, axis=0, return_inverse=True)
    sums = np.zeros((5, 2, len(patterns)))
    for i, values in enumerate((np.ones(2 * N), y, np.ones(2 * N), y, y)):
        np.add.at(sums[i], (after, at.ravel()), values)
    return patterns, sums


PARENTS: list[tuple[int, ...]] = [(), (), (), (), (), (), (), (0, 4)]
PLAIN = Inflation(np.ones(8), np.ones(8))


def _chosen(worse: str | None, seed: int) -> list[int]:
    inside, sums = _world(np.random.default_rng(seed), worse)
    found = choose_slices(inside, sums, np.zeros(8), PARENTS, looked_at=100, inflation=PLAIN)
    return [one.place for one in found]


def test_the_planted_slice_is_named_once() -> None:
    found = _chosen("a0", 1)
    assert found[0] == 0
    # the twin holds nothing else, and the other values of the column changed alike
    assert len(found) == 1


def test_a_pair_is_named_where_neither_column_is_the_cause() -> None:
    assert _chosen("pair", 2) == [7]


@pytest.mark.statistical
def test_nothing_is_named_where_all_changed_alike() -> None:
    assert sum(bool(_chosen(None, seed)) for seed in range(60)) <= 3


def test_evidence_is_wider_where_blocks_differ() -> None:
    inside, sums = _world(np.random.default_rng(3), "a0")
    some, whole = sums @ inside.astype(float), sums.sum(axis=2)
    plain = evidence(some, whole, PLAIN)[1]
    wide = evidence(some, whole, Inflation(np.full(8, 4.0), np.full(8, 4.0)))[1]
    np.testing.assert_allclose(wide, plain / 2.0)


def test_a_shortlist_is_of_many_columns() -> None:
    z = np.array([9.0, 8.0, 7.0, 6.0, 1.0, -3.0])
    assert shortlist(z, np.array([0, 0, 0, 0, 1, 1]), each=2, most=9).tolist() == [0, 1, 4]


def test_excess_knows_storms_from_weather() -> None:
    """Days that move all rows alike leave slices of every day sure; a slice that is whole days is unsure."""
    rng = np.random.default_rng(8)
    days, rows = 60, 80
    storm = rng.normal(0, 1.0, days)
    half = rng.binomial(rows, 0.5, days).astype(float)
    whole_days = np.where(np.arange(days) % 2 == 0, float(rows), 0.0)
    d = np.column_stack([half, whole_days, np.full(days, float(rows))])
    noise = rng.normal(0, 1.0, (days, 3)) * np.sqrt(d)
    u = d * storm[:, None] + noise
    u[:, 2] = np.full(days, rows) * storm + noise[:, 0] + rng.normal(0, np.sqrt(rows / 2.0), days)
    squares = np.stack([d.sum(axis=0), u.sum(axis=0), d.sum(axis=0) * (1.0 + storm.var())])
    values, _ = excess_of_slices(d, u, squares)
    assert values[0] < 2.0
    assert values[1] > 5.0
