"""An arm and the control side by side: what every comparison is computed from, at the end or day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.arms import ArmMoments
from analytics.stats.moments import Comoments

Floats = NDArray[np.float64]
_DENSE = 20
"""Whole numbers from the least to the greatest for each that is there, up to which they are marked in a table."""


@dataclass(frozen=True, eq=False)
class ClusterSums:
    """How the units of two arms lie in clusters.

    Attributes:
        n: units, shape (G, 2); columns: arm, control.
        sums: of the columns less `centre`, shape (G, 2, K).
        centre: subtracted from every unit so that a large mean loses no digits, shape (K,).
        numbers: of the clusters, ascending, shape (G,); the same cluster has the same number in every stratum.
    """

    n: Floats
    sums: Floats
    centre: Floats
    numbers: NDArray[np.int64]

    def residual_sums(self, side: int, means: Floats, weights: Floats) -> Floats:
        """Sums over each cluster's units of weights · (columns - means), shape (G,)."""
        about = self.sums[:, side] - self.n[:, side, None] * (means - self.centre)
        summed: Floats = about @ weights
        return summed

    @property
    def by_side(self) -> tuple[int, int]:
        """Clusters in which the arm has units, and the same of the control."""
        arm, control = (self.n > 0).sum(axis=0)
        return int(arm), int(control)


@dataclass(frozen=True, eq=False)
class PairMoments:
    """Moments of one metric in an arm and in the control.

    Attributes:
        arm, control: over units, of the columns of `ArmMoments`.
        clusters: the same by cluster; None where units are independent.
        columns: their names; empty where there is no covariate to tell from the metric's own.
    """

    arm: Comoments
    control: Comoments
    clusters: ClusterSums | None = None
    columns: tuple[str, ...] = ()

    @property
    def pooled(self) -> Comoments:
        """Both arms as one."""
        return self.arm + self.control


def pair(moments: ArmMoments, variant: str, control: str) -> PairMoments:
    """The moments of one arm and of the control."""
    both = moments.of(variant, control)
    sides = both.arm(variant), both.arm(control)
    if both.clusters is None:
        return PairMoments(*sides, columns=both.columns)
    numbers = distinct(both.clusters)
    centre = (sides[0] + sides[1]).means
    n, sums = np.zeros((len(numbers), 2)), np.zeros((len(numbers), 2, len(both.columns)))
    for side, arm in enumerate((variant, control)):
        n[:, side], means = both.by_cluster(arm, numbers)
        sums[:, side] = n[:, side, None] * (means - centre)
    return PairMoments(*sides, ClusterSums(n, sums, centre, numbers), both.columns)


def cumulative(
    moments: ArmMoments, variant: str, control: str, *, days: NDArray[np.datetime64] | None = None
) -> Iterator[tuple[date, PairMoments]]:
    """The same for the units first exposed up to and including each day; every cell is added once.

    Args:
        moments: of all arms.
        variant: the arm.
        control: the control.
        days: ascending and unique, all days of the moments among them; just these where None.
    """
    both = moments.of(variant, control)
    if days is None:
        days = np.unique(moments.days[~np.isnat(moments.days)])
    centre = _centre(both)
    sides = [_running(both, arm, days, centre) for arm in (variant, control)]
    clusters = _running_clusters(both, (variant, control), days, centre)
    for i, day in enumerate(days.astype(object)):
        yield day, PairMoments(sides[0][i], sides[1][i], next(clusters), both.columns)


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `numpy.unique` says, by far faster where numbers are dense, as those of clusters are."""
    if not len(numbers):
        return numbers
    low, high = int(numbers.min()), int(numbers.max())
    if high - low > _DENSE * len(numbers):
        return np.unique(numbers)
    there = np.zeros(high - low + 1, dtype=np.bool_)
    there[numbers - low] = True
    return np.flatnonzero(there).astype(np.int64) + low


def _centre(moments: ArmMoments) -> Floats:
    total = moments.n.sum()
    if not total:
        return np.zeros(len(moments.columns))
    shift = (moments.n[:, None] * (moments.means - moments.means[0])).sum(axis=0) / total
    centre: Floats = moments.means[0] + shift
    return centre


def _running(
    moments: ArmMoments, variant: str, days: NDArray[np.datetime64], centre: Floats
) -> list[Comoments]:
    """The moments of one arm up to each day, from running sums about a point near the mean."""
    chosen = (moments.variants == variant) & ~np.isnat(moments.days)
    place = np.searchsorted(days, moments.days[chosen])
    k = len(centre)
    n, first, second = np.zeros(len(days)), np.zeros((len(days), k)), np.zeros((len(days), k, k))
    gaps, weights = moments.means[chosen] - centre, moments.n[chosen]
    np.add.at(n, place, weights)
    np.add.at(first, place, weights[:, None] * gaps)
    np.add.at(
        second,
        place,
        moments.comoments[chosen] + weights[:, None, None] * gaps[:, :, None] * gaps[:, None, :],
    )
    n, first, second = n.cumsum(axis=0), first.cumsum(axis=0), second.cumsum(axis=0)
    shift = first / np.maximum(n, 1.0)[:, None]
    comoments = second - n[:, None, None] * shift[:, :, None] * shift[:, None, :]
    return [
        Comoments(size, size, size, centre + moved, spread)
        for size, moved, spread in zip(n.tolist(), shift, comoments, strict=True)
    ]


def _running_clusters(
    moments: ArmMoments, arms: tuple[str, str], days: NDArray[np.datetime64], centre: Floats
) -> Iterator[ClusterSums | None]:
    """The clusters up to each day; those without a unit so far are left out."""
    if moments.clusters is None:
        yield from [None] * len(days)
        return
    numbers = distinct(moments.clusters)
    place = np.searchsorted(numbers, moments.clusters)
    side = (moments.variants == arms[1]).astype(np.int64)
    n, sums = np.zeros((len(numbers), 2)), np.zeros((len(numbers), 2, len(centre)))
    about = moments.n[:, None] * (moments.means - centre)
    order = np.argsort(moments.days, kind="stable")
    ends = np.searchsorted(moments.days[order], days, side="right")
    start = 0
    for end in ends.tolist():
        cells = order[start:end]
        np.add.at(n, (place[cells], side[cells]), moments.n[cells])
        np.add.at(sums, (place[cells], side[cells]), about[cells])
        start = end
        seen = n.sum(axis=1) > 0
        yield ClusterSums(n[seen], sums[seen], centre, numbers[seen])
