"""A small regression tree on coded rows: where does the mean differ most?

Greedy: each node is split in two where that explains most of the loss's variance (Breiman, Friedman, Olshen and Stone,
1984), by an edge of an ordered field (its missing rows going with either side) or by a set of values of a field without
order, whose best set is an initial piece of the values ordered by their means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray
from .slice_search import LEAST_SCORE, Rows

MOST_TOGETHER = 5
"""Values of a field without order that are named together."""
Sets = tuple[frozenset[int] | None, ...]


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        number: 1 is the root; the children of node i are 2 i (lower mean) and 2 i + 1.
        field: that set it apart from its sibling; None for the root.
        codes: per field, the codes it holds; None for all.
        leaf: whether it is not split further.
    """

    number: int
    field: int | None
    codes: Sets
    leaf: bool

    @property
    def depth(self) -> int:
        """0 for the root."""
        return self.number.bit_length() - 1


def holds(codes: Sequence[NDArray[np.uint8]], node: Node) -> NDArray[np.bool_]:
    """Which rows are in a node."""
    kept = np.ones(len(codes[0]) if codes else 0, dtype=np.bool_)
    for values, allowed in zip(codes, node.codes, strict=True):
        if allowed is not None:
            lookup = np.zeros(256, dtype=np.bool_)
            lookup[list(allowed)] = True
            kept &= lookup[values]
    return kept


def grow(
    rows: Rows,
    ordered: Sequence[int | None],
    *,
    least: int,
    depth: int = 3,
    known: Sequence[frozenset[int]] | None = None,
) -> tuple[Node, ...]:
    """Grow a tree.

    Args:
        rows: coded, with their losses.
        ordered: per field, the code of its missing rows where the codes before it follow one another; else None.
        least: rows on either side of a split.
        depth: of the leaves at most.
        known: per field, the codes there are; those of the rows where left out.

    Returns:
        Every node, the root first.

    >>> x = np.repeat([1, 2, 3, 4], 50).astype(np.uint8)
    >>> [n.codes for n in grow(Rows((x,), (x > 2) + x / 100, np.ones(200)), [5], least=20, depth=1)]
    [(None,), (frozenset({1, 2}),), (frozenset({3, 4}),)]
    """
    known = known or [frozenset(np.unique(codes).tolist()) for codes in rows.codes]
    root = Node(1, None, (None,) * len(rows.codes), leaf=True)
    nodes, waiting = {1: root}, [root]
    while waiting:
        node = waiting.pop(0)
        if node.depth >= depth:
            continue
        split = _best(rows, node, ordered, known, least)
        if split is None:
            continue
        nodes[node.number] = Node(node.number, node.field, node.codes, leaf=False)
        field, sides = split
        for turn, codes in enumerate(sides):
            sets = tuple(codes if i == field else old for i, old in enumerate(node.codes))
            child = Node(2 * node.number + turn, field, sets, leaf=True)
            nodes[child.number] = child
            waiting.append(child)
    return tuple(nodes[number] for number in sorted(nodes))


def _best(
    rows: Rows, node: Node, ordered: Sequence[int | None], known: Sequence[frozenset[int]], least: int
) -> tuple[int, tuple[frozenset[int], frozenset[int]]] | None:
    """The field to split by, and the codes of both sides, the lower mean first."""
    index = np.flatnonzero(holds(rows.codes, node))
    if len(index) < 2 * least:
        return None
    weight = rows.weight[index]
    loss = rows.loss[index] - float(weight @ rows.loss[index]) / float(weight.sum())
    spread = (
        float(weight @ np.square(loss)) / float(weight.sum()) * float(weight @ weight) / float(weight.sum())
    )
    best: tuple[float, int, tuple[frozenset[int], frozenset[int]]] | None = None
    for field, codes in enumerate(rows.codes):
        mine = codes[index]
        n = np.bincount(mine, minlength=256)
        w = np.bincount(mine, weight, minlength=256).astype(np.float64)
        total = np.bincount(mine, weight * loss, minlength=256).astype(np.float64)
        allowed = node.codes[field]
        for left in _splits(n, w, total, ordered[field]):
            gain = _gain(n, w, total, left, least, spread)
            if gain > (best[0] * (1 + 1e-9) if best else 0.0):
                everything = known[field] if allowed is None else known[field] & allowed
                inside = frozenset(int(code) for code in left)
                best = gain, field, _lower_first(w, total, inside & everything, everything - inside)
    return None if best is None else (best[1], best[2])


def _splits(
    n: NDArray[np.int64], w: FloatArray, total: FloatArray, missing: int | None
) -> Iterator[NDArray[np.int64]]:
    """Sets of codes that may stand on one side."""
    if missing is not None:
        present = [code for code in range(1, missing) if n[code]]
        for edge in present[1:]:
            below = np.arange(0, edge)
            yield below
            if n[missing]:
                yield np.append(below, missing)
        if n[missing]:
            yield np.array([missing])
        return
    held = np.flatnonzero(n)
    by_mean = held[np.argsort(total[held] / np.maximum(w[held], 1e-300), kind="stable")]
    for count in range(1, len(by_mean)):
        # a side of many names is read by nobody, and the best of all sets is mostly luck; values that do not occur here
        # go with the other side
        if count <= MOST_TOGETHER:
            yield by_mean[:count]
        elif len(by_mean) - count <= MOST_TOGETHER:
            yield by_mean[count:]


def _gain(
    n: NDArray[np.int64], w: FloatArray, total: FloatArray, left: NDArray[np.int64], least: int, spread: float
) -> float:
    """Variance explained by a split in two; 0 where a side is too small or they differ by less than luck would."""
    rows, weight, loss = int(n[left].sum()), float(w[left].sum()), float(total[left].sum())
    rows_right, weight_right = int(n.sum()) - rows, float(w.sum()) - weight
    if min(rows, rows_right) < least or min(weight, weight_right) <= 0 or not spread > 0:
        return 0.0
    gap = loss / weight + loss / weight_right
    # the best of many splits: more standard errors than one split would need
    if abs(gap) < 1.5 * LEAST_SCORE * np.sqrt(spread * (1.0 / weight + 1.0 / weight_right)):
        return 0.0
    return float(gap**2 * weight * weight_right / (weight + weight_right))


def _lower_first(
    w: FloatArray, total: FloatArray, left: frozenset[int], right: frozenset[int]
) -> tuple[frozenset[int], frozenset[int]]:
    def mean(codes: frozenset[int]) -> float:
        chosen = list(codes)
        return float(total[chosen].sum() / max(float(w[chosen].sum()), 1e-300))

    return (left, right) if mean(left) <= mean(right) else (right, left)
