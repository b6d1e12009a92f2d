"""Which slices to look at: values, stretches of numbers, and pairs; and how a slice reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.change_parts import Condition, Cut, Parts, Slice
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.scope import MISSING
from analytics.stats.blocks import MINIMUM_CLUSTERS
from analytics.stats.change_slices import excess_of_slices
from analytics.telemetry.rows import OTHER

Floats = NDArray[np.float64]
LEAST_ROWS = 30
"""Rows of a slice on the two sides together."""
LEAST_SHARE = 0.005
MOST_SHARE = 0.95


@dataclass(frozen=True)
class Candidates:
    """Slices and their sums.

    Attributes:
        slices: each with its conditions.
        sums: d, u, d^2, d u, u^2, shape (5, 2, S).
        group: which column or pair of columns it is of, shape (S,).
        inflation: by how much blocks widen variances, shape (2, S): of values, of shares.
        each: the most that one more row of the same block adds to that, of any slice here, shape (2,).
    """

    slices: tuple[Slice, ...]
    sums: Floats
    group: NDArray[np.int64]
    inflation: Floats
    each: Floats


def of_cut(cut: Cut, parts: Parts, group: int, each: float) -> Candidates:
    """The slices of one column: every value; of numbers also everything below and from every edge on.

    Args:
        cut: the column.
        parts: its sums.
        group: its number.
        each: what one more row of a block adds to the variance of the whole, for slices of which no more is known.
    """
    sums = np.concatenate([parts.d[None], parts.u[None], parts.squares])
    sets: list[tuple[int, ...]] = [(i,) for i in range(len(parts.values))]
    if cut.column.bins is not None:
        inner = [i for i, value in enumerate(parts.values) if int(value) < cut.column.bins.n_values]
        sets += [tuple(inner[:k]) for k in range(2, len(inner))]
        sets += [tuple(inner[k:]) for k in range(1, len(inner) - 1)]
    rows = np.array([parts.n[:, list(one)].sum() for one in sets])
    share = np.array([sums[0][:, list(one)].sum(axis=1) / sums[0].sum(axis=1) for one in sets])
    kept = [
        one
        for one, n, both in zip(sets, rows, share, strict=True)
        if n >= LEAST_ROWS and LEAST_SHARE <= both.max() <= MOST_SHARE
    ]
    slices = tuple((Condition(cut, tuple(parts.values[i] for i in one)),) for one in kept)
    if not kept:
        return Candidates(
            (), np.zeros((5, 2, 0)), np.zeros(0, dtype=np.int64), np.ones((2, 0)), np.full(2, each)
        )
    summed = np.stack([sums[:, :, list(one)].sum(axis=2) for one in kept], axis=2)
    now = np.array([_met(parts.by_block, parts.n, one) for one in kept])
    a_row = _a_row(parts, kept, each)
    return Candidates(slices, summed, np.full(len(kept), group), 1.0 + a_row * now, a_row.max(axis=1))


def _met(by_block: Sequence[Floats], n: Floats, one: tuple[int, ...]) -> float:
    """Rows of a slice in a block, as a row of it meets them; by what counts, as rows are not kept by block."""
    held = np.concatenate([side[0][:, list(one)].sum(axis=1) for side in by_block])
    total = float(held.sum())
    return float(n[..., list(one)].sum()) * float((held**2).sum()) / total**2 if total > 0 else 1.0


def _a_row(parts: Parts, kept: Sequence[tuple[int, ...]], each: float) -> Floats:
    """What one more row of a block adds to the variances of values and shares, shape (2, S).

    From a longer stretch, or the side before where it has blocks enough; else what it adds for the whole.
    """
    longer = parts.longer
    if longer is not None:
        by_block, n, squares = longer.by_block, longer.n, longer.squares
    else:
        by_block, n, squares = parts.by_block[0], parts.n[0], parts.squares[:, 0]
    found = np.full((2, len(kept)), each)
    if by_block.shape[1] < MINIMUM_CLUSTERS:
        return found
    d, u = (
        np.stack([one[:, list(some)].sum(axis=1) for some in (*kept, range(one.shape[1]))], axis=1)
        for one in by_block
    )
    summed = np.stack(
        [squares[:, list(some)].sum(axis=1) for some in (*kept, range(squares.shape[1]))], axis=1
    )
    met = np.array([_met((by_block,), n, one) for one in kept])
    for i, excess in enumerate(excess_of_slices(d, u, summed)):
        found[i] = np.where(np.isfinite(excess), excess / np.maximum(met, 1.0), found[i])
    return found


def of_pair(
    cuts: tuple[Cut, Cut],
    values: Sequence[tuple[str | int, str | int]],
    sums: Floats,
    blocks: Floats,
    group: int,
    each: Floats,
) -> Candidates:
    """The slices of two columns: every pair of values with rows enough.

    Args:
        cuts: the columns.
        values: the pairs.
        sums: n, d, u, d^2, d u, u^2, shape (6, 2, V).
        blocks: in how many blocks of either side each pair occurs, shape (V,).
        group: its number.
        each: the most that one more row of a block adds to variances of slices of either column, shape (2,).
    """
    share = sums[1] / sums[1].sum(axis=1, keepdims=True)
    kept = np.flatnonzero(
        (sums[0].sum(axis=0) >= LEAST_ROWS)
        & (share.max(axis=0) >= LEAST_SHARE)
        & (share.max(axis=0) <= MOST_SHARE)
    )
    slices = tuple(
        (Condition(cuts[0], (values[i][0],)), Condition(cuts[1], (values[i][1],))) for i in kept.tolist()
    )
    met = sums[0].sum(axis=0)[kept] / np.maximum(blocks[kept], 1.0)
    inflation = 1.0 + each[:, None] * met
    return Candidates(slices, sums[1:, :, kept], np.full(len(kept), group), inflation, each)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """All of them."""
    return Candidates(
        tuple(one for part in parts for one in part.slices),
        np.concatenate([part.sums for part in parts], axis=2),
        np.concatenate([part.group for part in parts]),
        np.concatenate([part.inflation for part in parts], axis=1),
        np.max([part.each for part in parts], axis=0),
    )


def name_of(condition: Condition) -> tuple[str, str]:
    """The column and the value, as people read them."""
    bins = condition.cut.column.bins
    if bins is None:
        return condition.cut.column.name, " or ".join(str(value) for value in condition.values)
    return condition.cut.column.name, bin_name(bins, [int(value) for value in condition.values])


def bin_name(bins: ReferenceBins, codes: Sequence[int]) -> str:
    """One bin, or the stretch that bins next to each other make."""
    if len(codes) == 1:
        return bins.names[codes[0]]
    low, high = bins.limits[min(codes)][0], bins.limits[max(codes)][1]
    start = "(-inf" if low is None else f"[{low:.6g}"
    return f"{start}, {'inf' if high is None else format(high, '.6g')})"


def filters_of(conditions: Slice) -> tuple[str, ...]:
    """Filters that show the rows, as after ``--where``; none where a condition cannot be written as one."""
    found = [_filter(condition) for condition in conditions]
    return tuple(text for text in found if text is not None) if None not in found else ()


def _filter(condition: Condition) -> str | None:
    name, bins = condition.cut.column.name, condition.cut.column.bins
    if bins is None:
        if len(condition.values) != 1 or condition.values[0] == OTHER:
            return None
        value = str(condition.values[0])
        return f"{name}={'' if value == MISSING else value}"
    codes = [int(value) for value in condition.values]
    last = bins.n_values
    if max(codes) >= last:
        return f"{name}=" if codes == [last] else None
    low, high = bins.limits[min(codes)][0], bins.limits[max(codes)][1]
    if low is not None and low == high:
        return f"{name}=[{low!r}, {low!r}]"
    ends = "(-inf" if low is None else f"[{low!r}"
    return f"{name}={ends}, {'inf' if high is None else repr(high)})"


def parents_of(slices: Sequence[Slice]) -> list[tuple[int, ...]]:
    """Of each slice of two conditions, the places of those of one that hold all of its rows."""
    single = {one[0]: i for i, one in enumerate(slices) if len(one) == 1}
    return [
        tuple(single[condition] for condition in one if condition in single) if len(one) > 1 else ()
        for one in slices
    ]
