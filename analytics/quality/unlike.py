"""Rows unlike the reference: how many more than among the reference itself, and how good the model is on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from analytics.results import Status
from analytics.stats.blocks import MINIMUM_CLUSTERS, Independence, block_variance, largest_variance

Floats = NDArray[np.float64]
EXPECTED = 0.05
"""Of the reference's own rows, the share that counts as unlike it: what the limit is set by."""
LEAST_ROWS = 30


@dataclass(frozen=True)
class UnlikeRow:
    """One window and version.

    Attributes:
        share: of the sampled rows that lie farther from the reference than 95 % of its own held-out rows do.
        expected_share: what it would be without any change, .05.
        p_value: that the share is no larger than expected.
        carried_by: the columns that make rows unlike, the most telling first.
        n: rows in the window; n_sample of them were looked at.
        loss: the metric that inside and outside are compared by.
        loss_inside: on rows like the reference; loss_outside on the others; labelled rows of the sample only.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    reference_version: str | None
    share: float | None
    ci_low: float | None
    ci_high: float | None
    expected_share: float
    p_value: float | None
    carried_by: str | None
    n: int
    n_sample: int
    n_reference_sample: int
    loss: str
    loss_inside: float | None
    loss_outside: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    n_labelled_inside: int
    n_labelled_outside: int
    independence: Independence | None
    status: Status
    reason: str | None


class Measured(NamedTuple):
    """A value, its interval, and the p-value of its being no larger than a point."""

    value: float
    low: float
    high: float
    p_value: float
    independence: Independence


def share_unlike(
    novel: NDArray[np.bool_], weights: Floats, blocks: NDArray[np.int64], held_out: tuple[NDArray[np.bool_], Floats],
    confidence: float,
) -> Measured:  # fmt: skip
    """The weighted share of rows beyond the limit, against that of the held-out reference rows.

    The limit was set by the held-out rows, so it is itself uncertain: their days' variance of the share beyond it is
    added to the window's (Hájek, rows or days, whichever is larger). How much days differ is also learned from the
    held-out days: a window of a few days cannot tell by itself, and is lent their spread.

    Args:
        novel: whether each row of the window is beyond the limit.
        weights: of the rows.
        blocks: day of each row.
        held_out: the same of the held-out reference rows: whether beyond, and the blocks.
        confidence: of the interval.
    """
    value = float((weights * novel).sum() / weights.sum())
    beyond, reference_blocks = held_out
    variance, freedom, independence = _variance(novel.astype(np.float64) - value, weights, blocks)
    variance, freedom, independence = max(
        (variance, freedom, independence), _lent(value, weights, blocks, held_out), key=lambda found: found[0]
    )
    reference, _, _ = _variance(
        beyond.astype(np.float64) - beyond.mean(), np.ones(len(beyond)), reference_blocks.astype(np.int64)
    )
    error = math.sqrt(variance + reference)
    # under no change the share is 5 %: its variance must not vanish where no row happens to be unlike
    least = math.sqrt(EXPECTED * (1 - EXPECTED) * (weights**2).sum() / weights.sum() ** 2 + reference)
    spread = norm if freedom is None else student(freedom)
    reach = float(spread.ppf(0.5 + confidence / 2.0)) * max(error, least)
    p_value = float(spread.sf((value - EXPECTED) / max(error, least)))
    return Measured(value, max(value - reach, 0.0), min(value + reach, 1.0), p_value, independence)


def difference_of_losses(
    loss: Floats, novel: NDArray[np.bool_], weights: Floats, blocks: NDArray[np.int64], confidence: float
) -> tuple[float, float, Measured]:
    """Mean loss of rows like and unlike the reference, and unlike minus like; a day's both sides vary together."""
    inside, outside = weights * ~novel, weights * novel
    like, unlike = (float((side * loss).sum() / side.sum()) for side in (inside, outside))
    influence = outside * (loss - unlike) / outside.sum() - inside * (loss - like) / inside.sum()
    row = float((influence**2).sum())
    _, place = np.unique(blocks, return_inverse=True)
    totals = np.bincount(place, influence)
    block = float(block_variance(totals)) if len(totals) > 1 else None
    n_blocks = min(len(np.unique(blocks[side])) for side in (novel, ~novel))
    variance, freedom, independence = largest_variance(row, None, block, n_blocks, 0)
    spread = norm if freedom is None else student(freedom)
    reach = float(spread.ppf(0.5 + confidence / 2.0)) * math.sqrt(variance)
    value = unlike - like
    p_value = 2.0 * float(spread.sf(abs(value) / math.sqrt(variance))) if variance > 0 else 1.0
    return like, unlike, Measured(value, value - reach, value + reach, p_value, independence)


def _lent(
    value: float, weights: Floats, blocks: NDArray[np.int64], held_out: tuple[NDArray[np.bool_], Floats]
) -> tuple[float, float | None, Independence]:
    """The window's variance if its days differ as the reference's held-out days do; 0 where there are too few of them.

    The spread of days beyond that of their rows is found by moments (DerSimonian and Laird's weights: rows).
    """
    beyond, reference_blocks = held_out
    _, place = np.unique(reference_blocks, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    if len(rows) < MINIMUM_CLUSTERS:
        return 0.0, None, "rows"
    share = float(beyond.mean())
    squares = float((rows * (np.bincount(place, beyond) / rows - share) ** 2).sum())
    freedom = len(rows) - 1
    spread = (squares - freedom * share * (1 - share)) / float(rows.sum() - (rows**2).sum() / rows.sum())
    if spread <= 0.0:
        return 0.0, None, "rows"
    _, days = np.unique(blocks, return_inverse=True)
    shares = weights / weights.sum()
    by_day = np.bincount(days, shares)
    variance = value * (1 - value) * float((shares**2).sum()) + spread * float((by_day**2).sum())
    return variance, float(freedom), "blocks"


def _variance(
    residual: Floats, weights: Floats, blocks: NDArray[np.int64]
) -> tuple[float, float | None, Independence]:
    influence = weights * residual / weights.sum()
    _, place = np.unique(blocks, return_inverse=True)
    totals = np.bincount(place, influence)
    block = float(block_variance(totals)) if len(totals) > 1 else None
    return largest_variance(float((influence**2).sum()), None, block, len(totals), 0)
