"""Weighted means and areas of sampled rows, with the variances by rows, units and blocks that their intervals need."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analytics.measures.estimate import Estimate, Family
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import unit_variance
from analytics.stats.domain_classifier import Sides, placements
from analytics.stats.rare import Kinds

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Together:
    """What rows weigh, and with which others they hang together.

    Attributes:
        weight: of each row, shape (n,).
        block: its stretch of time, 0 … B - 1.
        unit: its unit, 0 … U - 1; None where no unit is declared.
    """

    weight: Floats
    block: Integers
    unit: Integers | None = None

    def part(self, chosen: npt.NDArray[np.bool_]) -> Together:
        """Some of the rows."""
        unit = None if self.unit is None else self.unit[chosen]
        return Together(self.weight[chosen], self.block[chosen], unit)


def mean_of_rows(metric: str, values: Floats, rows: Together, family: Family = "share") -> Estimate:
    """The weighted mean of values (sum w y / sum w), with its linearised variance.

    >>> rows = Together(np.ones(4), np.array([0, 0, 1, 1]))
    >>> round(mean_of_rows("share", np.array([1.0, 0, 0, 0]), rows).value, 2)
    0.25
    """
    total = float(rows.weight.sum())
    value = float(rows.weight @ values) / total
    influence = rows.weight * (values - value) / total
    found = _estimate(metric, value, influence, rows, family)
    kinds = _kinds(values, rows.weight) if family == "share" else None
    return replace(found, size=_kish(rows.weight), kinds=kinds)


def difference_of_means(
    metric: str, values: Floats, rows: Together, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> Estimate:
    """The mean over one part of the rows minus the mean over another; the parts may overlap."""
    parts = []
    for chosen in (first, second):
        weight = np.where(chosen, rows.weight, 0.0)
        total = float(weight.sum())
        mean = float(weight @ values) / total
        parts.append((mean, weight * (values - mean) / total))
    (one, theirs), (other, others) = parts
    return _estimate(metric, one - other, theirs - others, rows, "mean")


def area_of_rows(metric: str, scores: Floats, positive: npt.NDArray[np.bool_], rows: Together) -> Estimate:
    """The weighted area under the curve of scores, ties half, with DeLong's influences summed by unit and block."""
    value, influence = influence_on_area(scores, positive, rows)
    found = _estimate(metric, value, influence, rows, "auc")
    sizes = [_kish(rows.weight[positive]), _kish(rows.weight[~positive])]
    return replace(found, n_positive=sizes[0], n_negative=sizes[1])


def influence_on_area(
    scores: Floats, positive: npt.NDArray[np.bool_], rows: Together
) -> tuple[float, Floats]:
    """The area and the influence of each row on it."""
    n = len(scores)
    everything = np.zeros(n, dtype=np.int64)
    found = placements(scores, Sides(positive, np.arange(n), rows.weight, everything, "rows"))
    return found.auc, found.influence


def of_influence(metric: str, value: float, influence: Floats, rows: Together, family: Family) -> Estimate:
    """An estimate from the influences of its rows."""
    return _estimate(metric, value, influence, rows, family)


def _estimate(metric: str, value: float, influence: Floats, rows: Together, family: Family) -> Estimate:
    n = len(influence)
    squares = float(np.square(influence).sum()) * n / max(n - 1, 1)
    units, n_units = None, 0
    if rows.unit is not None and n:
        by_unit = np.bincount(rows.unit, influence)
        n_units = len(np.unique(rows.unit))
        units = float(unit_variance(float(np.square(by_unit).sum()), n_units))
    codes, place = np.unique(rows.block, return_inverse=True)
    return Estimate(
        metric, value, family=family, row_variance=squares, unit_variance=units, n_units=n_units,
        blocks=codes.astype(np.int64), block_totals=as_floats(np.bincount(place, influence, len(codes))),
    )  # fmt: skip


def _kinds(values: Floats, weight: Floats) -> Kinds | None:
    """Effective rows of either kind and what each weighs, where weights differ; None where rows weigh alike."""
    hit = values == 1
    if np.ptp(weight) == 0 or not (hit | (values == 0)).all():
        return None
    # so many effective rows of so much weight each are the weight there is; a kind that was not met would have weighed
    # what rows weigh on average
    each = [_each(weight[part]) if part.any() else _each(weight) for part in (hit, ~hit)]
    return Kinds(_kish(weight[hit]), each[0], _kish(weight[~hit]), each[1])


def _each(weight: Floats) -> float:
    return float(np.square(weight).sum() / weight.sum())


def _kish(weight: Floats) -> float:
    squares = float(np.square(weight).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
