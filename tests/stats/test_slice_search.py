"""Slices counted by cubes and matrix products against a search that looks at every conjunction, row by row."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.stats.slice_search import LEAST_SCORE, MOST_EXAMINED, Rows, search


def _z(inside, outside, spread):
    (w, total), (v, rest) = inside, outside
    return (total / w - rest / v) / np.sqrt(spread * (1 / w + 1 / v))


def brute_force(rows: Rows, least: int, depth: int, most: int = 20):  # noqa: C901  # the rules in one piece
    """Every conjunction by its mask; the rules as the module says them. Returns slices, and how many were counted."""
    w, x = rows.weight, rows.loss
    centre = (w * x).sum() / w.sum()
    spread = (w * (x - centre) ** 2).sum() / w.sum() * (w**2).sum() / w.sum()

    def sums(mask):
        return w[mask].sum(), (w * x)[mask].sum()

    conditions = [
        (field, code)
        for field, codes in enumerate(rows.codes)
        for code in np.unique(codes)
        if code and (codes == code).sum() >= least
    ]
    found, counted = [], 0
    for size in range(1, depth + 1):
        for chosen in combinations(conditions, size):
            if len({field for field, _ in chosen}) < size:
                continue
            mask = rows.holds(chosen)
            if mask.sum() < least:
                continue
            counted += 1
            if (~mask).sum() < least or _z(sums(mask), sums(~mask), spread) < LEAST_SCORE:
                continue
            parents = [rows.holds(one) for one in combinations(chosen, size - 1)] if size > 1 else []
            left = [parent & ~mask for parent in parents]
            if all(rest.any() and _z(sums(mask), sums(rest), spread) >= LEAST_SCORE for rest in left):
                found.append((_z(sums(mask), sums(~mask), spread), chosen, mask))
    found.sort(key=lambda one: (-round(one[0], 9), len(one[1]), one[1]))
    free, kept = np.ones(rows.n, dtype=bool), []
    for score, chosen, mask in found[:MOST_EXAMINED]:
        mine, rest = mask & free, ~mask & free
        if 2 * mine.sum() < least or not rest.any():
            continue
        if _z(sums(mine), sums(rest), spread) >= LEAST_SCORE:
            kept.append((chosen, int(mask.sum()), score))
            free &= ~mask
            if len(kept) == most:
                break
    return kept, counted


def _rows(seed: int, n: int, sizes: list[int], *, weighted: bool, planted: bool, unused: bool) -> Rows:
    rng = np.random.default_rng(seed)
    first = 0 if unused else 1
    codes = tuple(rng.integers(first, size + 1, n).astype(np.uint8) for size in sizes)
    loss = rng.exponential(size=n)
    if planted and len(codes) > 1:
        loss = loss + 1.5 * ((codes[0] == 1) & (codes[1] == sizes[1]))
    weight = rng.choice([1.0, 2.0, 5.5], n) if weighted else np.ones(n)
    return Rows(codes, loss, weight)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(60, 400),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    depth=st.integers(1, 3),
    weighted=st.booleans(),
    planted=st.booleans(),
    unused=st.booleans(),
)
def test_equals_brute_force(seed, n, sizes, depth, weighted, planted, unused):
    rows = _rows(seed, n, sizes, weighted=weighted, planted=planted, unused=unused)
    expected, counted = brute_force(rows, 10, depth)
    answer = search(rows, least=10, depth=depth)
    assert [(one.conditions, one.n) for one in answer.found] == [(chosen, n) for chosen, n, _ in expected]
    assert [one.score for one in answer.found] == pytest.approx([score for _, _, score in expected])
    assert answer.counted == counted


def test_finds_what_only_three_conditions_show():
    """No single condition and no pair is worse: the loss is the parity of three fields."""
    codes = np.array(list(product([1, 2], repeat=3)) * 50, dtype=np.uint8)
    loss = (codes.sum(axis=1) % 2).astype(float)
    answer = search(Rows(tuple(codes.T), loss, np.ones(len(loss))), least=20)
    assert {one.conditions for one in answer.found} == {
        ((0, a), (1, b), (2, c)) for a, b, c in product([1, 2], repeat=3) if (a + b + c) % 2
    }


def test_a_child_that_adds_nothing_is_dropped():
    rng = np.random.default_rng(3)
    codes = tuple(rng.integers(1, 5, 4000).astype(np.uint8) for _ in range(4))
    loss = rng.exponential(size=4000) + 2.0 * (codes[1] == 3)
    answer = search(Rows(codes, loss, np.ones(4000)), least=100)
    assert answer.found[0].conditions == ((1, 3),)
    assert not any((1, 3) in one.conditions for one in answer.found[1:])


@pytest.mark.parametrize("loss", [np.zeros(100), np.full(100, 0.1), np.full(100, 1e300)])
def test_equal_losses_have_no_slice(loss):
    codes = (np.tile([1, 2], 50).astype(np.uint8),)
    assert search(Rows(codes, loss, np.ones(100)), least=10).found == ()


@pytest.mark.parametrize("n", [0, 1, 19])
def test_too_few_rows(n):
    codes = (np.ones(n, dtype=np.uint8),)
    assert search(Rows(codes, np.arange(n, dtype=float), np.ones(n)), least=10) == search(
        Rows((), np.zeros(0), np.zeros(0)), least=10
    )


def test_many_categories_and_one_field():
    codes = (np.repeat(np.arange(1, 101), 20).astype(np.uint8),)
    loss = np.where(codes[0] == 77, 1.0, 0.0)
    (found,) = search(Rows(codes, loss, np.ones(2000)), least=20).found
    assert found.conditions == ((0, 77),)


def test_fields_beyond_the_limit_stand_alone_only():
    rng = np.random.default_rng(5)
    codes = tuple(rng.integers(1, 3, 1000).astype(np.uint8) for _ in range(6))
    loss = rng.exponential(size=1000) + 3.0 * (codes[5] == 1) * (codes[4] == 1)
    rows = Rows(codes, loss, np.ones(1000))
    assert any(len(one.conditions) > 1 for one in search(rows, least=20).found)
    assert all(len(one.conditions) == 1 for one in search(rows, least=20, most_fields=(10, 0, 0)).found)
