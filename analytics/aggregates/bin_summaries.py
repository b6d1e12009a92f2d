"""What a field is like, told from its counts on the reference's bins: what long stretches are summarised by.

Rows, missing and infinite ones, means and deviations are as exact as from the rows. Order statistics lie somewhere in
their bin, which holds a twentieth of the reference or one value; between its edges values are taken as even.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.aggregates.features import CellHistogram, FieldCounts
from analytics.aggregates.reference_bins import ReferenceBins
from analytics.aggregates.summaries import FieldSums, Values

Floats = NDArray[np.float64]
SHARES = (0.05, 0.5, 0.95)


def summary_of(item: ReferenceBins, cell: CellHistogram, index: int) -> FieldSums:
    """Summarise one field of a cell of rows without weights.

    Args:
        item: the field's bins.
        cell: counts of all fields.
        index: which of them.
    """
    counts = cell.field(index)
    label = item.field.role == "label"
    nothing = np.zeros_like(counts.rows)
    missing = nothing if label else counts.counts[:, item.n_values]
    infinite = counts.counts[:, item.n_values + 1 :].sum(axis=1) if item.is_numeric else nothing
    finite = counts.counts.sum(axis=1) - infinite - counts.counts[:, item.n_values]
    mean, first, second = _moments(item, counts, finite)
    return FieldSums(
        field=item.field,
        n=counts.rows,
        w=counts.rows,
        w2=counts.rows,
        missing=missing,
        missing2=missing,
        infinite=infinite,
        n_finite=finite,
        finite=finite,
        finite2=finite,
        mean=mean,
        d1=first,
        d2=second,
        v2=second,
        units=None,
        values=_values(item, counts) if finite.sum() > 0 else None,
    )


def _moments(item: ReferenceBins, counts: FieldCounts, finite: Floats) -> tuple[float | None, Floats, Floats]:
    """The mean of all blocks, and by block the sums of deviations from it and of their squares."""
    n = float(finite.sum())
    if not item.is_numeric or n == 0:
        return None, np.zeros_like(finite), np.zeros_like(finite)
    shift = float(counts.once.sum()) / n
    if not np.isfinite(shift):
        return None, np.zeros_like(finite), np.zeros_like(finite)
    first = counts.once - shift * finite
    second = np.maximum(counts.twice - 2 * shift * counts.once + shift**2 * finite, 0.0)
    return item.centre + shift, first, second


def _values(item: ReferenceBins, counts: FieldCounts) -> Values:
    held = counts.counts.sum(axis=0)
    if item.is_numeric:
        p05, p50, p95 = (_quantile(item, counts, held[: item.n_values], share) for share in SHARES)
        return Values(p05, p50, p95, None, 0.0, None)
    listed = held[: len(item.categories)]
    others = int((held[[*range(len(listed), item.n_values), item.n_values + 1]] > 0).sum())
    if not len(listed) or listed.max() <= 0:
        return Values(None, None, None, None, 0.0, others)
    top = int(listed.argmax())
    return Values(
        None, None, None, item.categories[top], float(listed[top]), int((listed > 0).sum()) + others
    )


def _quantile(item: ReferenceBins, counts: FieldCounts, held: Floats, share: float) -> float:
    """The value that a share of the finite ones does not exceed."""
    upto = np.cumsum(held)
    place = int(np.searchsorted(upto, share * upto[-1]))
    inside = (share * float(upto[-1]) - float(upto[place] - held[place])) / float(held[place])
    low, high = item.limits[place]
    # beyond the outer edges values are as far away as the sums there say
    if low is not None and high is not None:
        return low + (high - low) * inside
    if high is not None:
        return high - 2 * (1 - inside) * float(counts.below.sum()) / float(held[place])
    if low is not None:
        return low + 2 * inside * float(counts.above.sum()) / float(held[place])
    return item.centre + float(counts.once.sum()) / float(upto[-1])
