"""Result rows of the quality family; the fields are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.results import Status
from analytics.stats.blocks import Independence


@dataclass(frozen=True)
class MetricRow:
    """One metric of one window, version and segment value.

    Attributes:
        n: rows in the window with this version and segment value.
        n_labelled: those with a usable score and a label.
        independence: what the interval took as independent.
        labels_needed: of a share, how many more labelled rows bring its interval to 5 points on either side; 0 where it
            is that narrow. Under the least number of rows, how many are missing.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    class_: str | None
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_labelled: int
    independence: Independence | None
    status: Status
    reason: str | None
    noise_floor: float | None = None
    calibration_error_debiased: float | None = None
    labels_needed: int | None = None


@dataclass(frozen=True)
class ConfusionRow:
    """One cell of a confusion table: rows are the true class, columns the decision."""

    window_start: datetime
    window_end: datetime
    version: str | None
    segment: str | None
    segment_value: str | None
    true_class: str
    decided_class: str
    n: int
    weight: float
    share_of_true: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True)
class RocRow:
    """One threshold: what deciding "score >= threshold" would have given.

    Attributes:
        threshold: the lowest score called positive.
        n: labelled rows at or above it.
        operating_point: whether this is the point of the logged decisions, not of a threshold.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    class_: str | None
    threshold: float | None
    true_positive_rate: float | None
    false_positive_rate: float | None
    precision: float | None
    decision_rate: float | None
    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    n: int
    operating_point: bool = False


@dataclass(frozen=True)
class CalibrationRow:
    """One score bin of a reliability diagram."""

    window_start: datetime
    window_end: datetime
    version: str | None
    class_: str | None
    bin_low: float
    bin_high: float
    n: int
    mean_score: float | None
    mean_label: float | None
    ci_low: float | None
    ci_high: float | None
    segment: str | None = None
    segment_value: str | None = None


@dataclass(frozen=True)
class ScoreBinRow:
    """Rows of one score bin by label, for the score histogram (regression: of prediction, label or residual)."""

    window_start: datetime
    window_end: datetime
    version: str | None
    class_: str | None
    label: str | None
    bin_low: float
    bin_high: float
    n: int
    weight: float


@dataclass(frozen=True)
class PairBinRow:
    """Rows of one cell of label x prediction, for a regression's predicted against true values.

    Attributes:
        label_low: start of the half-open label bin; -inf where it has none.
        prediction_low: start of the half-open prediction bin; -inf where it has none.
        n: labelled rows in the cell; cells without any may be left out.
    """

    window_start: datetime
    window_end: datetime
    version: str | None
    label_low: float
    label_high: float
    prediction_low: float
    prediction_high: float
    n: int
