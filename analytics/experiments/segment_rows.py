"""What the effects of an experiment by segment are told as."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.experiments.rows import Direction, Kind, Role
from analytics.results import Status


@dataclass(frozen=True)
class SegmentEffectRow:
    """The effect of one arm on one metric among the units of one value of a segment.

    Attributes:
        experiment: its name.
        metric, kind, role, direction: as declared.
        variant, control: the arms that are compared.
        segment: name of the column.
        segment_value: which units these are; ``(other)`` holds every value with few units.
        n_values: how many values of the segment these are: 1, or more for ``(other)``.
        n, n_control: units that enter.
        mean, mean_control: of the arm and of the control among these units.
        difference: mean - mean_control, with its own interval, not corrected.
        ci_low, ci_high: its interval.
        lift, lift_ci_low, lift_ci_high: relative to the size of the control's mean.
        p_value: of no effect among these units, from the same statistic as the interval.
        test: the method.
        shrunken: the difference pulled towards what the segment's values share, by as much as chance explains.
        shrunken_ci_low, shrunken_ci_high: where the true effect among these units lies.
        elsewhere: the difference among the other values of the segment, each with the weight of its units.
        different_p_value: of the same effect here as elsewhere.
        different_p_adjusted: the same by Holm over all values of all segments and all arms of the metric.
        differs: whether the corrected p-value is below alpha; None where it cannot be told.
        segment_p_value: of the same effect in all values of the segment.
        segment_p_adjusted: the same by Holm over the segments and arms of the metric.
        spread: standard deviation of the true effects over the values of the segment; 0 where chance explains all.
        overall: the difference over all units, as in the scorecard.
        confidence: of every interval.
        status, reason: as everywhere.
    """

    experiment: str
    metric: str
    kind: Kind
    role: Role
    direction: Direction
    variant: str
    control: str
    segment: str
    segment_value: str
    n_values: int
    n: int
    n_control: int
    mean: float | None
    mean_control: float | None
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    lift: float | None
    lift_ci_low: float | None
    lift_ci_high: float | None
    p_value: float | None
    test: str | None
    shrunken: float | None
    shrunken_ci_low: float | None
    shrunken_ci_high: float | None
    elsewhere: float | None
    different_p_value: float | None
    different_p_adjusted: float | None
    differs: bool | None
    segment_p_value: float | None
    segment_p_adjusted: float | None
    spread: float | None
    overall: float | None
    confidence: float
    status: Status
    reason: str | None
