"""Result rows of the explain family; the fields of `ExplainRow` are the contract's and more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

CauseKind = Literal[
    "labels", "label_delay", "feature", "score", "decision", "latency", "errors", "traffic", "version", "burst", "mix",
    "concept", "release",
]  # fmt: skip
Action = Literal["wait", "roll_back", "retrain", "relabel", "fix_upstream", "look"]
Part = Literal["segment", "pair", "feature", "whole", "shift", "slice", "onset"]


@dataclass(frozen=True)
class ExplainRow:
    """One part of a change between two windows; the rows of one segment add up to the whole change.

    Attributes:
        part: of which accounting: values of a segment, bins of a feature, the whole change, its covariate and concept
            shift, the slices it comes from (no row in two of them), or the moment it began.
        segment, segment_value: which; of a pair both names joined by " × ".
        mix_effect: what the part's share did; rate_effect: what its own value did; together ``total_effect``.
        ci_low, ci_high: of ``total_effect``.
        rank: of slices: 1 adds most to the change.
        compared_with: what stands on the other side, in words.
        share_of_change: ``total_effect`` by the whole change.
        where: filters that show the part's rows, as after ``--where``; none where no filter does.
        independence: what the interval took as independent.
        p_value: of a slice, that nothing is peculiar to it (before correction); of the onset, that there is none.
        since, since_low, since_high: of the onset.
    """

    metric: str
    version: str | None
    part: Part
    segment: str | None
    segment_value: str | None
    mix_effect: float | None
    rate_effect: float | None
    total_effect: float | None
    ci_low: float | None
    ci_high: float | None
    share_before: float | None
    share_after: float | None
    value_before: float | None
    value_after: float | None
    n_before: int
    n_after: int
    rank: int | None
    status: Status
    reason: str | None
    compared_with: str | None = None
    share_of_change: float | None = None
    where: tuple[str, ...] = ()
    independence: str | None = None
    p_value: float | None = None
    since: datetime | None = None
    since_low: datetime | None = None
    since_high: datetime | None = None


@dataclass(frozen=True)
class CauseRow:
    """One thing that changed and explains what is seen, the likeliest first.

    Attributes:
        rank: 1 is the likeliest.
        kind: what it is about.
        name: of the feature, metric, version or release; None where the kind says it all.
        segment, segment_value: where it happened; None for everywhere.
        sentence: what a person would say, with the numbers.
        action: what to do.
        value_before, value_after, effect, ci_low, ci_high: of the number the sentence speaks of; the interval is the
            effect's (after minus before, or their ratio where the sentence says times).
        p_adjusted: over everything that was looked at.
        since: when it began.
        consequences: names of other things that moved and follow from this one.
        evidence: words of a link, as ``where`` filters and a window.
    """

    rank: int
    kind: CauseKind
    name: str | None
    segment: str | None
    segment_value: str | None
    sentence: str
    action: Action
    value_before: float | None
    value_after: float | None
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    p_adjusted: float | None
    n_before: int
    n_after: int
    since: datetime | None
    consequences: tuple[str, ...]
    evidence: str
    status: Status = "ok"
    reason: str | None = None
