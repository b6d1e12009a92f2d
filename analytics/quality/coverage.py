"""Answering only what is sure: quality on the answered rows against the share that is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.decisions import ConfidenceBins
from analytics.measures.estimate import Estimate, Family
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import unit_variance

Floats = NDArray[np.float64]
SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
FAMILY: dict[str, Family] = {"accuracy": "share", "log_loss": "positive", "cost": "mean"}


@dataclass(frozen=True)
class Answered:
    """Some share answered.

    Attributes:
        share: of scored rows that whole bins come to.
        least: the least confidence answered.
        weight: of answered rows.
        n_labelled: answered rows with a label.
        value: None where no answered row has a label.
        change: against answering everything.
    """

    share: float
    least: float
    weight: float
    n_labelled: int
    value: Estimate | None
    change: Estimate | None


def first_answered(bins: ConfidenceBins, share: float) -> int:
    """The least sure bin that is answered: whole bins from the top, nearest to the share asked for."""
    by_bin = np.bincount(bins.place, bins.w, len(bins.keys))
    answered = np.cumsum(by_bin[::-1])[::-1] / by_bin.sum()
    return int(np.argmin(np.abs(answered - share)))


def answered(bins: ConfidenceBins, units: ConfidenceBins | None, metric: str, share: float) -> Answered:
    """Quality when about this share is answered.

    Args:
        bins: by block.
        units: by group of units, on bins of the same edges.
        metric: accuracy, log_loss or cost.
        share: of rows, in (0, 1].
    """
    first = first_answered(bins, share)
    inside = bins.place >= first
    weight = float(bins.w[inside].sum())
    labelled = float(bins.n_labelled[inside].sum())
    value = _estimate(bins, units, metric, first, against_all=False)
    change = _estimate(bins, units, metric, first, against_all=True)
    return Answered(
        weight / float(bins.w.sum()), float(bins.low[first]), weight, int(labelled), value, change
    )


@dataclass(frozen=True)
class _Linear:
    """A labelled row's influence is ``slope`` times what it is worth plus ``level``."""

    value: float
    slope: Floats
    level: Floats

    def totals(self, bins: ConfidenceBins, metric: str) -> Floats:
        """Sums of weight x influence by group."""
        moved = self.slope * bins.sums[metric][0] + self.level * bins.wl
        return as_floats(np.bincount(bins.group, moved, bins.groups))

    def row_variance(self, bins: ConfidenceBins, metric: str) -> float:
        """Taking rows as independent."""
        _, first, second = bins.sums[metric]
        terms = self.slope**2 * second + 2 * self.slope * self.level * first + self.level**2 * bins.wl2
        return max(float(terms.sum()), 0.0)


def _linear(bins: ConfidenceBins, metric: str, key: float, *, against_all: bool) -> _Linear | None:
    inside = as_floats(bins.keys[bins.place] >= key)
    worth = bins.sums[metric][0]
    mine, everyone = float((bins.wl * inside).sum()), float(bins.wl.sum())
    if mine <= 0:
        return None
    value = float((worth * inside).sum()) / mine
    slope, level = inside / mine, -inside * value / mine
    if not against_all:
        return _Linear(value, slope, level)
    whole = float(worth.sum()) / everyone
    return _Linear(value - whole, slope - 1.0 / everyone, level + whole / everyone)


def _estimate(
    bins: ConfidenceBins, units: ConfidenceBins | None, metric: str, first: int, *, against_all: bool
) -> Estimate | None:
    key = float(bins.keys[first])
    found = _linear(bins, metric, key, against_all=against_all)
    if found is None:
        return None
    there = np.bincount(bins.group, bins.n_labelled, bins.groups) > 0
    inside = bins.place >= first
    squares = float(bins.wl2[inside].sum())
    estimate = Estimate(
        metric,
        found.value,
        family="mean" if against_all else FAMILY[metric],
        row_variance=found.row_variance(bins, metric),
        blocks=np.flatnonzero(there).astype(np.int64),
        block_totals=found.totals(bins, metric)[there],
        size=float(bins.wl[inside].sum()) ** 2 / squares if squares > 0 else 0.0,
    )
    theirs = _linear(units, metric, key, against_all=against_all) if units is not None else None
    if units is None or theirs is None:
        return estimate
    variance = float(unit_variance(float((theirs.totals(units, metric) ** 2).sum()), units.groups))
    return replace(estimate, unit_variance=variance, n_units=units.groups)
