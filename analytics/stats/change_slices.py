"""Which slices a change comes from: of many that overlap, few that do not.

Slices are looked at in the order of the evidence that something is peculiar to them (`kitagawa.peculiar`: they changed
unlike the rows outside). Each one that is chosen takes its rows away, and the next is the one with most evidence among
the rows that are left; so two names of the same rows are chosen once. It ends where no slice is left whose evidence
survives a correction for all slices that were looked at, and so says nothing where all changed alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from .arrays import FloatArray, divide
from .kitagawa import peculiar

_WORTH_A_CONDITION = 6.0
"""Squared z that a slice of two conditions must have beyond each of its parents: the likelihood of one more."""


@dataclass(frozen=True)
class Chosen:
    """One slice: its place among those looked at, what is peculiar to it among the rows left then, and its p-value."""

    place: int
    effect: float
    z: float
    p_value: float


def evidence(sums: FloatArray, whole: FloatArray, inflation: float) -> tuple[FloatArray, FloatArray]:
    """What is peculiar to each slice, and how many standard errors that is.

    Args:
        sums: d, u, d^2, d u, u^2 of the slices, shape (5, 2, S).
        whole: the same of all rows, shape (5, 2).
        inflation: how much larger variances are than those of rows.
    """
    found = peculiar(sums[0], sums[1], sums[2:], whole[0], whole[1], whole[2:])
    return found.effect, divide(found.effect, found.error * np.sqrt(max(inflation, 1.0)))


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
    inflation: float,
    most: int = 10,
    alpha: float = 0.05,
) -> list[Chosen]:
    """Choose slices one after the other.

    Args:
        inside: which slices the rows of each pattern are in, shape (P, S).
        sums: d, u, d^2, d u, u^2 of the patterns, shape (5, 2, P).
        sign: 1 or -1: the direction in which a slice's effect counts, shape (S,); 0 for both.
        parents: of each slice, the places of those with one condition less.
        looked_at: how many slices there were before the shortlist; the correction is Bonferroni's.
        inflation: how much larger variances are than those of rows.
        most: slices at most.
        alpha: chance of choosing any slice where all changed alike.
    """
    limit = float(stats.norm.isf(alpha / (2.0 * max(looked_at, 1))))
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
        directed = np.where(sign == 0, np.abs(z), z * sign)
        best = _simplest(directed, parents)
        if directed[best] < limit:
            break
        part = float((whole[0] / every).mean())
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
