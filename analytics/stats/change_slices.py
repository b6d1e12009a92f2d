"""Which slices a change comes from: of many that overlap, few that do not.

Slices are looked at in the order of the evidence that something is peculiar to them (`kitagawa.peculiar`: they changed
unlike the rows outside). Each one that is chosen takes its rows away, and the next is the one with most evidence among
the rows that are left; so two names of the same rows are chosen once. It ends where no slice is left whose evidence
survives a correction for all slices that were looked at, and so says nothing where all changed alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from .arrays import FloatArray, divide
from .blocks import MINIMUM_CLUSTERS
from .kitagawa import peculiar

ALPHA = 0.05
"""Chance of choosing any slice where all changed alike."""
_WORTH_A_CONDITION = 6.0
"""Squared z that a slice of two conditions must have beyond each of its parents: the likelihood of one more."""


@dataclass(frozen=True)
class Chosen:
    """One slice: its place among those looked at, what is peculiar to it among the rows left then, and its p-value."""

    place: int
    effect: float
    z: float
    p_value: float


class Inflation(NamedTuple):
    """By how much blocks widen the variance of what is peculiar to each slice: of its values, of its shares."""

    values: FloatArray
    shares: FloatArray

    def of(self, places: npt.NDArray[np.int64] | list[int]) -> Inflation:
        """That of some slices."""
        return Inflation(self.values[places], self.shares[places])


def excess_of_slices(d: FloatArray, u: FloatArray, squares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How much more slices vary from block to block against all other rows than their rows say: values, shares.

    A storm that moves all rows of a day moves a slice and the rest alike and does not count here; weather that is
    the same for all rows of a slice on a day does.

    Args:
        d, u: sums by block and slice, shape (G, S), of ten blocks or more; ``whole`` columns are added inside.
        squares: d^2, d u, u^2 of slices and, in the last column, of all rows, shape (3, S + 1).

    Returns:
        Excess of both, shape (S,), nan for slices that occur in fewer than ten blocks. The last columns of ``d`` and
        ``u`` are those of all rows.
    """
    whole_d, whole_u = d[:, -1:], u[:, -1:]
    part_d, part_u = d[:, :-1], u[:, :-1]
    rest_d, rest_u = whole_d - part_d, whole_u - part_u
    total, rest = part_d.sum(axis=0), rest_d.sum(axis=0)
    inside, outside = divide(part_u.sum(axis=0), total), divide(rest_u.sum(axis=0), rest)
    moved = divide(part_u - inside * part_d, total) - divide(rest_u - outside * rest_d, rest)
    own, others = squares[:, :-1], squares[:, -1:] - squares[:, :-1]
    by_rows = divide(_spread(inside, own), total**2) + divide(_spread(outside, others), rest**2)
    share = divide(total, total + rest)
    grown = divide(part_d - share * whole_d, total + rest)
    share_rows = divide((1 - share) ** 2 * own[0] + share**2 * others[0], (total + rest) ** 2)
    n = len(d)
    usable = ((part_d > 0).sum(axis=0) >= MINIMUM_CLUSTERS) & (total > 0) & (rest > 0)
    found = [
        np.where(usable, np.maximum(divide(n * one.var(axis=0, ddof=1), rows, 1.0) - 1.0, 0.0), np.nan)
        for one, rows in ((moved, by_rows), (grown, share_rows))
    ]
    return np.asarray(found[0]), np.asarray(found[1])


def _spread(value: FloatArray, squares: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(squares[2] - 2.0 * value * squares[1] + value**2 * squares[0], 0.0))


def evidence(sums: FloatArray, whole: FloatArray, inflation: Inflation) -> tuple[FloatArray, FloatArray]:
    """What is peculiar to each slice, and how many standard errors that is.

    Args:
        sums: d, u, d^2, d u, u^2 of the slices, shape (5, 2, S).
        whole: the same of all rows, shape (5, 2).
        inflation: how much larger each slice's variance is than that of its rows.
    """
    found = peculiar(sums[0], sums[1], sums[2:], whole[0], whole[1], whole[2:])
    variance = found.by_values * inflation.values + found.by_shares * inflation.shares
    return found.effect, divide(found.effect, np.sqrt(np.maximum(variance, 0.0)))


def shortlist(z: FloatArray, groups: npt.NDArray[np.int64], each: int, most: int) -> npt.NDArray[np.int64]:
    """Places of the slices with most evidence: at most ``each`` of a group (a column, a pair), ``most`` in all."""
    order = np.argsort(-z, kind="stable")
    taken: dict[int, int] = {}
    kept = []
    for place in order.tolist():
        group = int(groups[place])
        if z[place] > 0 and taken.get(group, 0) < each:
            taken[group] = taken.get(group, 0) + 1
            kept.append(place)
        if len(kept) == most:
            break
    return np.array(kept, dtype=np.int64)


def choose_slices(
    inside: npt.NDArray[np.bool_],
    sums: FloatArray,
    sign: FloatArray,
    parents: list[tuple[int, ...]],
    *,
    looked_at: int,
    inflation: Inflation,
    least: float = 0.0,
    most: int = 10,
) -> list[Chosen]:
    """Choose slices one after the other.

    Args:
        inside: which slices the rows of each pattern are in, shape (P, S).
        sums: d, u, d^2, d u, u^2 of the patterns, shape (5, 2, P).
        sign: 1 or -1: the direction in which a slice's effect counts, shape (S,); 0 for both.
        parents: of each slice, the places of those with one condition less.
        looked_at: how many slices there were before the shortlist; the correction is Bonferroni's.
        inflation: how much larger each slice's variance is than that of its rows.
        least: effects smaller than this are not worth a line.
        most: slices at most.
    """
    limit = float(stats.norm.isf(ALPHA / (2.0 * max(looked_at, 1))))
    left = np.ones(len(inside), dtype=np.bool_)
    every = sums[0].sum(axis=1)
    chosen: list[Chosen] = []
    while len(chosen) < most and left.any():
        members = inside[left].astype(np.float64)
        some = sums[:, :, left] @ members
        whole = sums[:, :, left].sum(axis=2)
        if not (whole[0] > 0).all():
            break
        effect, z = evidence(some, whole, inflation)
        # a slice that holds all that is left cannot differ from the rest
        usable = (some[0].sum(axis=0) > 0) & (whole[0][:, None] - some[0] > 0).all(axis=0)
        z = np.where(usable, z, 0.0)
        part = float((whole[0] / every).mean())
        z = np.where(np.abs(effect) * part >= least, z, 0.0)
        directed = np.where(sign == 0, np.abs(z), z * sign)
        best = _simplest(directed, parents)
        if directed[best] < limit:
            break
        p_value = float(2.0 * stats.norm.sf(abs(z[best])))
        chosen.append(Chosen(int(best), float(effect[best]) * part, float(z[best]), p_value))
        left &= ~inside[:, best]
    return chosen


def _simplest(z: FloatArray, parents: list[tuple[int, ...]]) -> int:
    """The slice with most evidence, unless a parent has nearly as much."""
    worth = np.array(
        [
            value
            if not mine or value**2 > max(max(z[p], 0.0) for p in mine) ** 2 + _WORTH_A_CONDITION
            else -np.inf
            for value, mine in zip(z.tolist(), parents, strict=True)
        ]
    )
    return int(np.argmax(worth))
