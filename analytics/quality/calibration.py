"""Result rows of calibration: tests, recalibration, mix and baselines; the correction of their p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from analytics.results import Status
from analytics.stats.blocks import Independence
from analytics.stats.multiplicity import benjamini_hochberg

ALARM = 0.05
TOLERANCE = 0.01
RELATIVE_TOLERANCE = 0.1
"""Scores off by less than a percentage point are not called wrong, however sure that is."""
Method = Literal["none", "logistic", "linear", "isotonic"]


@dataclass(frozen=True)
class CalibrationTestRow:
    """Are the scores of one window, version, segment value and class right?

    Attributes:
        class_: None for a binary model, a regression, and the top class of a multiclass one.
        n_labelled: rows with a usable score and a label: all numbers here are about them.
        gap: mean score minus mean label: above 0 the model promises too much.
        spiegelhalter_z: None for a regression.
        p_value: of Spiegelhalter's test; for a regression, of gap 0 and slope 1 together.
        p_adjusted: Benjamini-Hochberg over p_value and gap_p_value of all rows of the answer.
        slope: of the calibration line; 1 is right, below 1 the scores are too far apart.
        miscalibrated: whether a corrected test says so and the error passes the tolerance; None where neither can be
            said.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str | None
    n: int
    n_labelled: int
    mean_score: float | None
    mean_label: float | None
    gap: float | None
    gap_ci_low: float | None
    gap_ci_high: float | None
    gap_p_value: float | None
    gap_p_adjusted: float | None
    spiegelhalter_z: float | None
    p_value: float | None
    p_adjusted: float | None
    slope: float | None
    slope_ci_low: float | None
    slope_ci_high: float | None
    intercept: float | None
    intercept_ci_low: float | None
    intercept_ci_high: float | None
    expected_calibration_error: float | None
    error_ci_low: float | None
    error_ci_high: float | None
    noise_floor: float | None
    calibration_error_debiased: float | None
    miscalibrated: bool | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class RecalibrationRow:
    """What one way of mapping scores anew would bring on rows later than those it was fitted to.

    Attributes:
        metric: log_loss, brier_score, expected_calibration_error; mean_squared_error, mean_absolute_error.
        value: over the test rows of all folds.
        difference: value minus that of the scores as they are, on the same rows.
        n: test rows.
        n_days: blocks that the test rows lie in.
        n_fitted: rows the last fold's map was fitted to.
        parameters: of the map fitted to all rows, to be used from now on.
    """

    version: str | None
    class_: str | None
    method: Method
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    n: int
    n_days: int
    n_fitted: int
    parameters: str | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class MapRow:
    """One point of the map of a method, fitted to all mature rows."""

    version: str | None
    class_: str | None
    method: Method
    score: float
    recalibrated: float


@dataclass(frozen=True)
class MixRow:
    """How often a class was predicted and how often it came, over labelled rows.

    Attributes:
        class_: a class; for a regression, an interval of the label.
        predicted: share of rows decided so.
        expected: mean score of the class; None for a regression.
        came: share of rows whose label it was.
        decided_difference: predicted minus came, on the same rows.
        expected_difference: expected minus came.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str
    n: int
    n_labelled: int
    predicted: float | None
    expected: float | None
    came: float | None
    decided_difference: float | None
    decided_ci_low: float | None
    decided_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    expected_difference: float | None
    expected_ci_low: float | None
    expected_ci_high: float | None
    expected_p_value: float | None
    expected_p_adjusted: float | None
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class BaselineRow:
    """One metric of the model beside that of a rule that knows nothing, on the same rows.

    Attributes:
        value: of the model, over the rows the baseline has an answer for.
        baseline: constant (the best single answer, with hindsight), mean (of the labels), or last_value (the unit's
            latest label known at the time of the prediction).
        difference: value minus baseline_value.
        better: whether the model is better beyond chance; None where neither is.
        n: rows compared.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str | None
    metric: str
    value: float | None
    baseline: str
    baseline_value: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    better: bool | None
    n: int
    independence: Independence | None
    status: Status
    reason: str | None


@dataclass(frozen=True)
class DecileRow:
    """Labelled rows of one tenth of the predictions of a regression.

    Attributes:
        bin_low: the lower edge; None of the first.
        bin_high: the upper edge, excluded; None of the last.
        ci_low: of the mean label.
        residual_low: 5th percentile of prediction minus label; then the quartiles and the 95th percentile, each a
            difference that was logged.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    bin_low: float | None
    bin_high: float | None
    n: int
    mean_prediction: float | None
    mean_label: float | None
    ci_low: float | None
    ci_high: float | None
    residual_low: float | None
    residual_quarter: float | None
    residual_median: float | None
    residual_three_quarters: float | None
    residual_high: float | None
    independence: Independence | None = None
    status: Status = "ok"
    reason: str | None = None


def adjusted_tests(rows: Sequence[CalibrationTestRow]) -> tuple[CalibrationTestRow, ...]:
    """Correct both tests of all rows as one family, and say which are miscalibrated."""
    family = [row.p_value for row in rows] + [row.gap_p_value for row in rows]
    p = _corrected(family)
    answers = []
    for place, row in enumerate(rows):
        first, second = p[place], p[len(rows) + place]
        known = [value for value in (first, second) if value is not None]
        verdict = None if not known else min(known) < ALARM and _matters(row)
        answers.append(replace(row, p_adjusted=first, gap_p_adjusted=second, miscalibrated=verdict))
    return tuple(answers)


def _matters(row: CalibrationTestRow) -> bool:
    if row.calibration_error_debiased is None:
        # a regression: its own unit says nothing of what is small, so the line does
        return abs(row.gap or 0.0) > 0.0
    # of rare events a tenth of their share is much, however few points it is
    rare = RELATIVE_TOLERANCE * row.mean_label if row.mean_label else TOLERANCE
    return max(row.calibration_error_debiased, abs(row.gap or 0.0)) >= min(TOLERANCE, rare)


def _corrected(p_values: Sequence[float | None]) -> list[float | None]:
    values = np.asarray(benjamini_hochberg(list(p_values)), dtype=np.float64).tolist()
    return [None if value != value else value for value in values]  # noqa: PLR0124  # nan: no p-value


def adjusted_mix(rows: Sequence[MixRow]) -> tuple[MixRow, ...]:
    """Correct decided and expected differences of all rows as one family."""
    p = _corrected([row.p_value for row in rows] + [row.expected_p_value for row in rows])
    return tuple(
        replace(row, p_adjusted=p[place], expected_p_adjusted=p[len(rows) + place])
        for place, row in enumerate(rows)
    )


def adjusted_recalibration(rows: Sequence[RecalibrationRow]) -> tuple[RecalibrationRow, ...]:
    """Correct the differences of all rows as one family."""
    p = _corrected([row.p_value for row in rows])
    return tuple(replace(row, p_adjusted=value) for row, value in zip(rows, p, strict=True))
