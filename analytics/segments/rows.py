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
        value_whole: of the metric in all rows of the version.
        value_shrunken: the value pulled towards the rest by as much as luck explains how the slices of its segment
            differ, with its interval: the best guess of how bad the worst slice truly is.
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
    value_whole: float | None = None
    value_shrunken: float | None = None
    shrunken_ci_low: float | None = None
    shrunken_ci_high: float | None = None


@dataclass(frozen=True)
class GapRow:
    """How far apart the values of one segment truly are on one metric.

    Attributes:
        notion: what such a gap is called.
        n_values: slices that could be compared; the others have too few rows.
        highest: the slice where the metric is highest, as ``segment=value``, and its value as observed.
        gap: from the lowest to the highest of what is true, luck taken out, with an interval that holds for all
            pairs of slices at once.
        gap_observed: the same of the values as they are.
        gap_by_chance: the 95 % point of that if all slices were alike.
        p_value: that all slices are alike (Simes over its slices, each against the rest).
        p_adjusted: Benjamini-Hochberg over all gaps of the version.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str
    notion: str
    metric: str
    class_: str | None
    n_values: int
    n_labelled: int
    highest: str | None
    highest_value: float | None
    lowest: str | None
    lowest_value: float | None
    gap: float | None
    ci_low: float | None
    ci_high: float | None
    gap_observed: float | None
    gap_by_chance: float | None
    p_value: float | None
    p_adjusted: float | None
    status: Status
    reason: str | None
