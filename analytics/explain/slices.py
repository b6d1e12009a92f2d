"""Which slices to look at: values, stretches of numbers, and pairs; and how a slice reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.change_parts import Condition, Cut, Parts, Slice
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.scope import MISSING
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
    """

    slices: tuple[Slice, ...]
    sums: Floats
    group: NDArray[np.int64]


def of_cut(cut: Cut, parts: Parts, group: int) -> Candidates:
    """The slices of one column: every value; of numbers also everything below and from every edge on."""
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
        if n >= LEAST_ROWS and both.max() >= LEAST_SHARE and both.min() <= MOST_SHARE
    ]
    slices = tuple((Condition(cut, tuple(parts.values[i] for i in one)),) for one in kept)
    summed = (
        np.stack([sums[:, :, list(one)].sum(axis=2) for one in kept], axis=2) if kept else np.zeros((5, 2, 0))
    )
    return Candidates(slices, summed, np.full(len(kept), group))


def of_pair(
    cuts: tuple[Cut, Cut], values: Sequence[tuple[str | int, str | int]], sums: Floats, group: int
) -> Candidates:
    """The slices of two columns: every pair of values with rows enough.

    Args:
        cuts: the columns.
        values: the pairs.
        sums: n, d, u, d^2, d u, u^2, shape (6, 2, V).
        group: its number.
    """
    share = sums[1] / sums[1].sum(axis=1, keepdims=True)
    kept = np.flatnonzero(
        (sums[0].sum(axis=0) >= LEAST_ROWS)
        & (share.max(axis=0) >= LEAST_SHARE)
        & (share.min(axis=0) <= MOST_SHARE)
    )
    slices = tuple(
        (Condition(cuts[0], (values[i][0],)), Condition(cuts[1], (values[i][1],))) for i in kept.tolist()
    )
    return Candidates(slices, sums[1:, :, kept], np.full(len(kept), group))


def joined(parts: Sequence[Candidates]) -> Candidates:
    """All of them."""
    return Candidates(
        tuple(one for part in parts for one in part.slices),
        np.concatenate([part.sums for part in parts], axis=2),
        np.concatenate([part.group for part in parts]),
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
