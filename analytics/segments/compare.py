"""One slice against the rest of the rows: difference, interval, p-value; then all slices corrected together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtr

from analytics.aggregates.keys import add_blocks
from analytics.directions import worse_by
from analytics.measures.estimate import Estimate
from analytics.segments.rows import SegmentRow
from analytics.stats.blocks import ChosenVariance, block_variance, largest_variance
from analytics.stats.intervals import wald
from analytics.stats.multiplicity import benjamini_hochberg

ALARM = 0.05


@dataclass(frozen=True)
class Difference:
    """Slice minus rest: interval and p-value come from one variance, so they cannot contradict each other."""

    value: float
    low: float
    high: float
    p_value: float


def difference(inside: Estimate, outside: Estimate, confidence: float) -> Difference | None:
    """Compare two estimates over disjoint rows; None where either has no value or nothing varies.

    A day on which both sides rise together adds nothing to their difference: the block variance is that of the
    blocks' differences. Row and unit variances add.
    """
    if inside.value is None or outside.value is None:
        return None
    variance, df, _ = _variance(inside, outside)
    if not variance > 0:
        return None
    value = inside.value - outside.value
    low, high = wald(value, variance, confidence, df)
    distance = abs(value) / math.sqrt(variance)
    p_value = 2.0 * float(ndtr(-distance) if df is None else stdtr(df, -distance))
    return Difference(value, float(low), float(high), p_value)


def _variance(inside: Estimate, outside: Estimate) -> ChosenVariance:
    block, n_blocks = None, 0
    if inside.blocks is not None and outside.blocks is not None:
        totals_in, totals_out = inside.block_totals, outside.block_totals
        if totals_in is not None and totals_out is not None:
            blocks, totals = add_blocks(inside.blocks, totals_in, outside.blocks, -totals_out)
            n_blocks = len(blocks)
            block = float(block_variance(totals)) if n_blocks > 1 else None
    units = None
    if inside.unit_variance is not None and outside.unit_variance is not None:
        units = inside.unit_variance + outside.unit_variance
    row = inside.row_variance + outside.row_variance
    # degrees of freedom follow the smaller side
    return largest_variance(row, units, block, n_blocks, min(inside.n_units, outside.n_units))


def impact(metric: str, value: float, elsewhere: float, share: float) -> float | None:
    """How much the whole loses by the slice doing worse than the rest; negative where it does better."""
    worse = worse_by(metric, value, elsewhere)
    return None if worse is None else worse * share


def corrected(rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Adjust the p-values of all slices of one window and version together, and say which are worse.

    Benjamini-Hochberg: of the slices called worse, at most one in twenty is expected to be none.
    """
    families: dict[tuple[object, object], list[int]] = {}
    for i, row in enumerate(rows):
        families.setdefault((row.window_start, row.version), []).append(i)
    answers = list(rows)
    for members in families.values():
        adjusted = benjamini_hochberg(
            [math.nan if rows[i].p_value is None else float(rows[i].p_value or 0.0) for i in members]
        )
        for i, p_adjusted in zip(members, np.asarray(adjusted).tolist(), strict=True):
            answers[i] = _judged(rows[i], None if math.isnan(p_adjusted) else p_adjusted)
    return answers


def _judged(row: SegmentRow, p_adjusted: float | None) -> SegmentRow:
    if p_adjusted is None or row.value is None or row.value_elsewhere is None:
        return row
    worse = worse_by(row.metric, row.value, row.value_elsewhere)
    verdict = None if worse is None else bool(worse > 0 and p_adjusted < ALARM)
    return replace(row, p_adjusted=p_adjusted, worse=verdict)
