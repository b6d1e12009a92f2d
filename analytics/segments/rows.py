"""Result rows of the segment comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.results import Status


@dataclass(frozen=True)
class SegmentRow:
    """One value of one segment against the rest of the same version's rows.

    Attributes:
        where: the slice as ``segment=value``, as ``--where`` takes it.
        value: of the metric inside the slice, with its interval.
        value_elsewhere: of the metric in all other rows.
        difference: value minus value_elsewhere, with its own interval.
        p_value: of no difference, for this comparison alone.
        p_adjusted: after Benjamini-Hochberg over all slices of the version that could be compared.
        worse: whether the difference is in the bad direction and p_adjusted is below 0.05; None without an answer.
        impact: how much the whole would improve if the slice did as well as the rest (share x difference
            in the bad direction; negative where it does better).
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str
    segment_value: str
    where: str
    metric: str
    n: int
    n_labelled: int
    share: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    value_elsewhere: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    worse: bool | None
    impact: float | None
    status: Status
    reason: str | None
