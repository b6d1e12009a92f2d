"""Several classes and a table of earnings: the class worth most under the logged scores, against the decided one.

Nothing is fitted: the expected earnings of every class follow from the scores and the table. So the gain is not too
hopeful; it is negative where scores are badly calibrated, since the decision that was taken is then better than theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from analytics.aggregates.decisions import ChoiceCells
from analytics.measures.estimate import Estimate
from analytics.stats.arrays import as_floats
from analytics.stats.blocks import unit_variance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """Mean earnings a row."""

    best: Estimate
    present: Estimate
    gain: Estimate


def compared(cells: ChoiceCells, units: ChoiceCells | None, earned: Floats) -> Choices:
    """Earnings of the best class, of the decided one, and their difference row by row.

    Args:
        cells: by block.
        units: by group of units.
        earned: what deciding j earns where i is true, shape (K, K).
    """
    ours, theirs = _worth(cells, earned)
    unit_worth = _worth(units, earned) if units is not None else None
    return Choices(
        _mean(cells, ours, units, unit_worth[0] if unit_worth else None),
        _mean(cells, theirs, units, unit_worth[1] if unit_worth else None),
        _mean(cells, ours - theirs, units, unit_worth[0] - unit_worth[1] if unit_worth else None),
    )


def p_value(estimate: Estimate) -> float:
    """Of the mean being 0, from the variance of its interval; 1 where nothing differs."""
    variance, df, _ = estimate.chosen()
    if not variance > 0 or estimate.value is None:
        return 1.0
    z = -abs(estimate.value) / float(np.sqrt(variance))
    return float(2.0 * (ndtr(z) if df is None else stdtr(df, z)))


def _worth(cells: ChoiceCells, earned: Floats) -> tuple[Floats, Floats]:
    return as_floats(earned[cells.true, cells.best]), as_floats(earned[cells.true, cells.decided])


def _mean(
    cells: ChoiceCells, worth: Floats, units: ChoiceCells | None, unit_worth: Floats | None
) -> Estimate:
    total = float(cells.w.sum())
    value = float((cells.w * worth).sum()) / total
    influence = (worth - value) / total
    estimate = Estimate(
        "cost",
        value,
        family="mean",
        row_variance=float((cells.w2 * influence**2).sum()),
        blocks=np.arange(cells.groups, dtype=np.int64),
        block_totals=as_floats(np.bincount(cells.group, cells.w * influence, cells.groups)),
        size=total**2 / float(cells.w2.sum()),
    )
    if units is None or unit_worth is None:
        return estimate
    sums = np.bincount(units.group, units.w * (unit_worth - value) / total, units.groups)
    variance = float(unit_variance(float((sums**2).sum()), units.groups))
    return replace(estimate, unit_variance=variance, n_units=units.groups)
