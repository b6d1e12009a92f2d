"""Result rows of the review family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

FilterBy = Literal["error_model", "score"]
Reason = Literal["uncertain", "error_model", "unlike", "random"]


@dataclass(frozen=True)
class ErrorModelRow:
    """How well a second model, fitted to the first one's mistakes, tells where it will be wrong.

    Attributes:
        wrong: what counts as wrong, in words.
        wrong_rate: share of wrong rows, with ``ci_low`` and ``ci_high``.
        auc: of the error model, out of fold: the chance that it puts a wrong row above a right one.
        score_auc: the same of the score alone (how unsure it is).
        auc_gain: of the error model over the score, on the same rows.
        calibration_error: of its chances, out of fold; ``noise_floor`` is what perfect chances would show.
        calibration_slope: 1 is perfect, less is too sure.
        microseconds: that one row costs, measured now.
        n: labelled rows it was fitted on and judged with, each by a fit that did not see its days.
    """

    version: str | None
    wrong: str
    wrong_rate: float | None
    ci_low: float | None
    ci_high: float | None
    auc: float | None
    auc_ci_low: float | None
    auc_ci_high: float | None
    score_auc: float | None
    score_auc_ci_low: float | None
    score_auc_ci_high: float | None
    auc_gain: float | None
    auc_gain_ci_low: float | None
    auc_gain_ci_high: float | None
    calibration_error: float | None
    calibration_ci_low: float | None
    calibration_ci_high: float | None
    noise_floor: float | None
    calibration_slope: float | None
    microseconds: float | None
    n: int
    n_wrong: int
    n_total: int
    status: Status
    reason: str | None


@dataclass(frozen=True)
class CarrierRow:
    """What one column does for the error model: the area that is lost where its rows are shuffled."""

    version: str | None
    rank: int
    feature: str
    importance: float
    ci_low: float
    ci_high: float
    n: int


@dataclass(frozen=True)
class FilterRow:
    """What sending the rows most likely to be wrong elsewhere would catch.

    Attributes:
        by: ordered by the error model, or by the score alone.
        rate: share of the rows that is refused, asked for; ``refused`` is the share that ties leave.
        caught: share of all wrong rows among the refused.
        wrong_rate_rest: of the rows that stay; ``wrong_rate`` of all.
        difference: rest minus all.
        per_day: refused rows a day.
    """

    version: str | None
    by: FilterBy
    rate: float
    refused: float
    threshold: float
    caught: float
    caught_ci_low: float
    caught_ci_high: float
    wrong_rate: float
    wrong_rate_rest: float
    ci_low: float
    ci_high: float
    difference: float
    difference_ci_low: float
    difference_ci_high: float
    per_day: float | None
    n: int


@dataclass(frozen=True)
class ErrorBinRow:
    """One tenth of the rows by their chance of being wrong."""

    version: str | None
    bin: int
    n: int
    mean_chance: float
    wrong_rate: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class QueuedRow:
    """One row that people are asked to label.

    Attributes:
        place: in the order of the queue, which is random, so that the first so many are a fair draw as well.
        inclusion_probability: with which chance this row came into the queue.
        reason: why it stands out; ``random`` where nothing does.
        double: whether two people are asked.
        labels: how many have answered.
    """

    queue: str
    place: int
    prediction_id: str
    timestamp: datetime | None
    version: str | None
    reason: str
    inclusion_probability: float
    double: bool
    labels: int


@dataclass(frozen=True)
class ReviewedRow:
    """A metric of all rows a queue was drawn from, by the labels people gave.

    Attributes:
        value: weighted by one over the chance with which each row was drawn.
        unweighted: the same without weights, to see what the choice of rows did to it.
        n_labelled: rows of the queue with a label; ``n_queued`` of so many; ``n_total`` rows it stands for.
    """

    queue: str
    version: str | None
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    unweighted: float | None
    n_labelled: int
    n_queued: int
    n_total: int
    independence: str | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class AgreementRow:
    """How far two people agree on the rows that both labelled; without names over all pairs of people."""

    queue: str
    first: str | None
    second: str | None
    agreement: float | None
    kappa: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    status: Status
    reason: str | None
