"""Result rows about decisions: thresholds, review budgets, answering only what is sure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status
from analytics.stats.blocks import Independence
from analytics.stats.thresholds import Goal

Certainty = Literal["top", "distance"]


@dataclass(frozen=True)
class ThresholdRow:
    """The threshold that serves one goal best, in one window, version and segment value.

    Attributes:
        goal: cost, precision, recall or budget.
        target: the precision, the recall or the rows a day asked for; None for cost.
        metric: what is then made as large as can be: cost, recall or precision.
        threshold: call positive from here; None where nobody should be called, or nothing can be said.
        threshold_low: of its interval.
        threshold_high: None: up to calling nobody.
        value: of the metric on rows that did not choose the threshold.
        precision: on those rows.
        recall: on those rows.
        decision_rate: the share of all scored rows that would be called.
        present_threshold: what the logged decisions follow; None where they follow no one threshold.
        present_value: of the metric at the logged decisions, on the same rows.
        gain: value minus present value, in pairs; its interval holds what both the held-out and the in-sample rows say.
        gain_in_sample: the same on the rows that chose the threshold: too hopeful.
        p_value: of gain = 0, from the same statistics as the interval; for the goal cost only.
        p_adjusted: Benjamini-Hochberg over the segment values of the same window and version.
        rows_per_day: scored rows a local day that has any, weighted.
        n: scored rows.
        n_labelled: those with a label, and a decision where decisions are logged: what the row stands on.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str | None
    goal: Goal
    target: float | None
    metric: str
    threshold: float | None = None
    threshold_low: float | None = None
    threshold_high: float | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    precision: float | None = None
    precision_ci_low: float | None = None
    precision_ci_high: float | None = None
    recall: float | None = None
    recall_ci_low: float | None = None
    recall_ci_high: float | None = None
    decision_rate: float | None = None
    decision_rate_ci_low: float | None = None
    decision_rate_ci_high: float | None = None
    present_threshold: float | None = None
    present_value: float | None = None
    present_ci_low: float | None = None
    present_ci_high: float | None = None
    gain: float | None = None
    gain_ci_low: float | None = None
    gain_ci_high: float | None = None
    gain_in_sample: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    rows_per_day: float | None = None
    n: int = 0
    n_labelled: int = 0
    independence: Independence | None = None
    status: Status = "no_data"
    reason: str | None = None


@dataclass(frozen=True)
class ThresholdPointRow:
    """What one threshold gives: a point of the curve behind the best one, with its pointwise interval.

    Attributes:
        threshold: call positive from here; None: the decisions as logged.
        metric: cost, precision or recall.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    class_: str | None
    metric: str
    threshold: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    decision_rate: float
    independence: Independence | None
    n_labelled: int


@dataclass(frozen=True)
class GainRow:
    """What reviewing the highest scores first finds.

    Attributes:
        review: share: of all rows of the window; budget: so many a day, the highest of each day.
        share_reviewed: of all scored rows.
        budget: rows a day; None for a share.
        reviewed_per_day: rows a local day, weighted.
        recall: the share of the positives found ("gain").
        recall_at_random: what as many rows at random find.
        precision: the share of positives among the reviewed.
        lift: precision over the share of positives.
        n: scored rows.
        n_positive: labelled positives.
        n_reviewed: labelled rows among the reviewed, rounded.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str | None
    review: Literal["share", "budget"]
    share_reviewed: float | None = None
    budget: float | None = None
    reviewed_per_day: float | None = None
    recall: float | None = None
    recall_ci_low: float | None = None
    recall_ci_high: float | None = None
    recall_at_random: float | None = None
    precision: float | None = None
    precision_ci_low: float | None = None
    precision_ci_high: float | None = None
    lift: float | None = None
    lift_ci_low: float | None = None
    lift_ci_high: float | None = None
    n: int = 0
    n_labelled: int = 0
    n_positive: int = 0
    n_reviewed: int = 0
    independence: Independence | None = None
    status: Status = "no_data"
    reason: str | None = None


@dataclass(frozen=True)
class CoverageRow:
    """How good the answers are when only the surest are given.

    Attributes:
        certain_by: top: the largest probability; distance: how far the score lies from the threshold in use.
        share_asked: of rows to answer.
        share_answered: what whole confidence bins come to.
        answered_from: the least confidence that is answered: a probability, or a distance in log-odds.
        metric: accuracy, log_loss or cost, on the answered rows.
        change: value minus the value of answering everything, on the same rows in pairs.
        refused_per_day: rows a local day that somebody else must answer, weighted.
        n: scored rows with a decision.
        n_labelled: answered rows with a label.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    certain_by: Certainty
    share_asked: float
    metric: str
    share_answered: float | None = None
    answered_from: float | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    change: float | None = None
    change_ci_low: float | None = None
    change_ci_high: float | None = None
    answered_per_day: float | None = None
    refused_per_day: float | None = None
    n: int = 0
    n_labelled: int = 0
    independence: Independence | None = None
    status: Status = "no_data"
    reason: str | None = None
