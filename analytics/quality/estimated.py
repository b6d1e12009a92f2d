"""Result rows of quality estimated before labels arrive, and of how the estimators have fared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analytics.results import Status

Method = Literal["cbpe", "pape", "dle"]
Calibration = Literal["none", "logistic", "isotonic", "boosting", "constant"]


@dataclass(frozen=True)
class EstimateRow:
    """One metric of one window and version by one method.

    Attributes:
        value: what the metric will be when the labels are in; None where it cannot be said or is withdrawn.
        ci_low: lower end of the prediction interval for the measured metric.
        ci_high: its upper end.
        realised: the measured metric, once labels are mature.
        realised_status: of that number.
        realised_reason: why it is not there.
        held: whether it lay inside the interval (that of a withdrawn estimate too); None before labels.
        n: rows with a usable score in the window.
        n_sample: rows that the method looked at one by one; None where it used them all.
        n_labelled: rows with a label.
        n_reference: labelled reference rows of the version.
        effective_n: those left in effect after weighting to the window, for ``pape``.
        calibration: what was fitted on the reference.
        n_backtests: earlier windows that were mature when this one ended, the last 20 at most.
        held_backtests: in how many of those the estimate held.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    method: Method
    value: float | None
    ci_low: float | None
    ci_high: float | None
    realised: float | None
    realised_status: Status
    realised_reason: str | None
    held: bool | None
    n: int
    n_sample: int | None
    n_labelled: int
    n_reference: int
    effective_n: float | None
    calibration: Calibration | None
    n_backtests: int
    held_backtests: int
    status: Status
    reason: str | None


@dataclass(frozen=True)
class EstimatorRow:
    """How one estimator of one metric has fared over the windows whose labels are in.

    Attributes:
        n_backtests: windows with both an estimate and a measured value.
        held_backtests: in how many the measured value lay inside the interval.
        held_share: their share.
        mean_interval_score: width plus penalty for what lay outside (Gneiting and Raftery); less is better.
        mean_interval_score_last_value: the same for repeating the last matured value with its own empirical band,
            over the same windows.
        mean_width: of the intervals.
        mean_error: measured minus estimated.
        standing: believed, withdrawn, or unproven where fewer than 5 back-tests speak.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    metric: str
    method: Method
    n_backtests: int
    held_backtests: int
    held_share: float | None
    mean_interval_score: float | None
    mean_interval_score_last_value: float | None
    n_compared: int
    mean_width: float | None
    mean_error: float | None
    standing: Literal["believed", "withdrawn", "unproven"]
