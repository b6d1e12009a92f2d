"""Trees against scikit-learn's on ordered fields, and what they may not do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from analytics.stats.error_tree import grow, holds
from analytics.stats.slice_search import Rows


def _rows(seed: int, *, weighted: bool = False) -> Rows:
    rng = np.random.default_rng(seed)
    codes = tuple(rng.integers(1, 7, 3000).astype(np.uint8) for _ in range(4))
    loss = (
        rng.exponential(size=3000)
        + 2.0 * (codes[0] > 3)
        + 1.5 * (codes[1] > 4) * (codes[0] > 3)
        + (codes[2] > 2)
    )
    return Rows(codes, loss, rng.choice([1.0, 3.0], 3000) if weighted else np.ones(3000))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_leaves_are_those_of_scikit_learn(seed, weighted):
    rows = _rows(seed, weighted=weighted)
    nodes = grow(rows, [7] * 4, least=50)
    table = np.stack(rows.codes, axis=1)
    other = DecisionTreeRegressor(max_depth=3, min_samples_leaf=50).fit(table, rows.loss, rows.weight)
    leaves = other.apply(table)
    mine = [holds(rows.codes, node) for node in nodes if node.leaf]
    assert sum(mask.sum() for mask in mine) == rows.n
    if len(mine) == len(set(leaves)):
        assert {mask.tobytes() for mask in mine} == {(leaves == leaf).tobytes() for leaf in set(leaves)}
    else:
        # splits that luck would give too are not made
        assert len(mine) < len(set(leaves))


def test_children_are_a_partition_and_the_second_is_worse():
    rows = _rows(9)
    nodes = {node.number: node for node in grow(rows, [7, 7, None, None], least=50)}
    for number, node in nodes.items():
        if node.leaf:
            continue
        whole, low, high = (holds(rows.codes, nodes[i]) for i in (number, 2 * number, 2 * number + 1))
        assert not (low & high).any()
        assert ((low | high) == whole).all()
        assert rows.loss[low].mean() < rows.loss[high].mean()


def test_values_without_order_are_put_together():
    x = np.tile(np.arange(1, 7), 300).astype(np.uint8)
    loss = np.isin(x, [2, 5]).astype(float) + np.tile([0.0, 0.1], 900)
    _, low, high = grow(Rows((x,), loss, np.ones(1800)), [None], least=30, depth=1)
    assert high.codes[0] & set(range(1, 7)) == {2, 5}
    assert not low.codes[0] & high.codes[0]


def test_missing_rows_may_be_what_tells():
    x = np.tile([1, 2, 3, 4], 200).astype(np.uint8)
    _, _, high = grow(Rows((x,), (x == 4) + np.repeat([0.0, 0.1], 400), np.ones(800)), [4], least=30, depth=1)
    assert high.codes == (frozenset({4}),)


def test_luck_makes_few_trees():
    rng = np.random.default_rng(0)
    codes = tuple(rng.integers(1, 4, 500).astype(np.uint8) for _ in range(2))
    grown = [
        len(grow(Rows(codes, rng.normal(size=500), np.ones(500)), [4, None], least=30)) > 1 for _ in range(60)
    ]
    assert np.mean(grown) < 0.1


@pytest.mark.parametrize("loss", [np.zeros(100), np.full(100, 0.3)])
def test_nothing_to_split(loss):
    (root,) = grow(Rows((np.tile([1, 2], 50).astype(np.uint8),), loss, np.ones(100)), [None], least=10)
    assert root.leaf
    assert grow(Rows((), loss, np.ones(100)), [], least=10) == (
        grow(Rows((), loss[:1], np.ones(1)), [], least=1)[0],
    )
