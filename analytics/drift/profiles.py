"""Plain measures of texts and embeddings in the window and in the reference, with the difference tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from analytics.drift.multivariate import LEAST_BLOCKS, LEAST_ROWS, Rows
from analytics.drift.multivariate_rows import ProfileRow
from analytics.stats.blocks import Independence
from analytics.stats.multiplicity import benjamini_hochberg

Floats = npt.NDArray[np.float64]


class Mean(NamedTuple):
    """A mean, its variance, and the degrees of freedom of that."""

    value: float
    variance: float
    df: float


def profile_rows(
    blank: ProfileRow,
    measures: Mapping[str, tuple[Floats, Floats]],
    reference: Rows,
    window: Rows,
    confidence: float,
) -> tuple[ProfileRow, ...]:
    """One row a measure; p-values corrected over the measures of the column.

    Args:
        blank: what all have in common.
        measures: name -> values of the reference's rows and of the window's, nan where there is none.
        reference: the rows.
        window: the rows.
        confidence: of the intervals.
    """
    by_block = min(reference.n_blocks, window.n_blocks) >= LEAST_BLOCKS
    rows = [
        _one(replace(blank, measure=name), values, (reference, window), confidence, by_block=by_block)
        for name, values in measures.items()
    ]
    adjusted = benjamini_hochberg([row.p_value for row in rows])
    return tuple(
        row if row.p_value is None else replace(row, p_adjusted=float(p))
        for row, p in zip(rows, adjusted, strict=True)
    )


def _one(
    blank: ProfileRow,
    values: tuple[Floats, Floats],
    sides: tuple[Rows, Rows],
    confidence: float,
    *,
    by_block: bool,
) -> ProfileRow:
    counts = [int((~np.isnan(one)).sum()) for one in values]
    if min(counts) < LEAST_ROWS:
        name, count = ("window", counts[1]) if counts[1] < LEAST_ROWS else ("reference", counts[0])
        reason = f"{count} rows of the {name} have a value; {LEAST_ROWS} are needed"
        return replace(blank, status="too_few", reason=reason)
    before, now = (_mean(one, rows, by_block=by_block) for one, rows in zip(values, sides, strict=True))
    independence: Independence = "blocks" if by_block else "rows"
    gap, variance = now.value - before.value, now.variance + before.variance
    df = variance**2 / (now.variance**2 / now.df + before.variance**2 / before.df) if variance > 0 else 1.0
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    own = float(stats.t.ppf((1 + confidence) / 2, now.df) * np.sqrt(now.variance))
    p_value = float(2 * stats.t.sf(abs(gap) / error, df)) if error > 0 else float(gap == 0)
    return replace(
        blank, value=now.value, ci_low=now.value - own, ci_high=now.value + own, value_reference=before.value,
        difference=gap, difference_ci_low=gap - reach, difference_ci_high=gap + reach, p_value=p_value,
        independence=independence,
    )  # fmt: skip


def _mean(values: Floats, rows: Rows, *, by_block: bool) -> Mean:
    known = ~np.isnan(values)
    weight, value = rows.weight[known], values[known]
    total = float(weight.sum())
    mean = float((weight * value).sum() / total)
    influence = weight * (value - mean) / total
    by_row = float(np.square(influence).sum()) * len(value) / max(len(value) - 1, 1)
    if not by_block:
        return Mean(mean, by_row, float(len(value) - 1))
    sums = np.bincount(np.unique(rows.block[known], return_inverse=True)[1], influence)
    by_block_sums = float(np.square(sums).sum()) * len(sums) / max(len(sums) - 1, 1)
    return Mean(mean, max(by_row, by_block_sums), float(max(len(sums) - 1, 1)))


def missing(values: Sequence[object]) -> Floats:
    """1 where there is no value."""
    return np.array([float(value is None) for value in values])
