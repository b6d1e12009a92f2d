"""The table behind each chart: the same rows with names people read; what is downloaded as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drift.rows import DriftRow, HistogramRow
from analytics.quality.rows import (
    CalibrationRow,
    ConfusionRow,
    MetricRow,
    PairBinRow,
    RocRow,
    ScoreBinRow,
)
from analytics.segments.rows import SegmentRow
from app.charts.drift import tolerated
from app.charts.segments import by_impact, verdict
from app.formats import STATUS_WORDS
from app.glossary import title

Row = TypeVar("Row")
Columns = dict[str, Callable[[Row], Any]]

WINDOW: Columns[Any] = {"From": lambda row: row.window_start, "Until": lambda row: row.window_end}
VERSION: Columns[Any] = {"Version": lambda row: row.version}
INTERVAL: Columns[Any] = {"Low": lambda row: row.ci_low, "High": lambda row: row.ci_high}
STATUS: Columns[Any] = {
    "Status": lambda row: STATUS_WORDS[row.status],
    "Reason": lambda row: row.reason,
}

METRIC: Columns[MetricRow] = {
    **WINDOW,
    **VERSION,
    "Segment": lambda row: row.segment,
    "Segment value": lambda row: row.segment_value,
    "Class": lambda row: row.class_,
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    "Labelled rows": lambda row: row.n_labelled,
    "More labels for 5 points": lambda row: row.labels_needed,
    "Rows": lambda row: row.n,
    "Interval takes as independent": lambda row: row.independence,
    **STATUS,
}
CONFUSION: Columns[ConfusionRow] = {
    **WINDOW,
    **VERSION,
    "True class": lambda row: row.true_class,
    "Decided class": lambda row: row.decided_class,
    "Rows": lambda row: row.n,
    "Share of true class": lambda row: row.share_of_true,
    **INTERVAL,
}
ROC: Columns[RocRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Threshold": lambda row: row.threshold,
    "Logged decisions": lambda row: row.operating_point,
    "Caught among positives": lambda row: row.true_positive_rate,
    "False alarms among negatives": lambda row: row.false_positive_rate,
    "Right among alarms": lambda row: row.precision,
    "Share decided positive": lambda row: row.decision_rate,
    "Rows at or above": lambda row: row.n,
}
CALIBRATION: Columns[CalibrationRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Score from": lambda row: row.bin_low,
    "Score below": lambda row: row.bin_high,
    "Rows": lambda row: row.n,
    "Mean score": lambda row: row.mean_score,
    "Share that came true": lambda row: row.mean_label,
    **INTERVAL,
}
SCORES: Columns[ScoreBinRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Label": lambda row: row.label,
    "From value": lambda row: row.bin_low,
    "Below value": lambda row: row.bin_high,
    "Rows": lambda row: row.n,
    "Weight": lambda row: row.weight,
}
PAIRS: Columns[PairBinRow] = {
    **WINDOW,
    **VERSION,
    "True from": lambda row: row.label_low,
    "True below": lambda row: row.label_high,
    "Predicted from": lambda row: row.prediction_low,
    "Predicted below": lambda row: row.prediction_high,
    "Rows": lambda row: row.n,
}
DRIFT: Columns[DriftRow] = {
    **WINDOW,
    **VERSION,
    "Compared with": lambda row: row.reference_version,
    "Feature": lambda row: row.feature,
    "Role": lambda row: row.role,
    "Kind": lambda row: row.kind,
    "Drifted": lambda row: {True: "drifted", False: "no", None: None}[row.drifted],
    "Share moved": lambda row: row.total_variation,
    "Tolerance": tolerated,
    "Tolerance as declared": lambda row: (
        None if row.tolerance_unit == "share" else f"{row.tolerance:g} {row.tolerance_unit}"
    ),
    "Moved by chance": lambda row: row.total_variation_by_chance,
    "Chance of so much if tolerated": lambda row: row.p_beyond_tolerance,
    "Shift in standard deviations": lambda row: row.shift_sd,
    "Shift in quantiles": lambda row: row.shift_quantiles,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "p-value": lambda row: row.p_value,
    "Population stability index": lambda row: row.psi,
    "Noise floor": lambda row: row.noise_floor,
    "Jensen-Shannon distance": lambda row: row.js_distance,
    "Largest gap": lambda row: row.ks,
    "Mean distance moved": lambda row: row.wasserstein,
    "Missing": lambda row: row.missing_rate,
    "Missing in reference": lambda row: row.missing_rate_reference,
    "Unseen": lambda row: row.unseen_rate,
    "Rows": lambda row: row.n,
    "Reference rows": lambda row: row.n_reference,
    "Test takes as independent": lambda row: row.independence,
    **STATUS,
}
HISTOGRAM: Columns[HistogramRow] = {
    **WINDOW,
    **VERSION,
    "Feature": lambda row: row.feature,
    "Bin": lambda row: row.bin,
    "Share": lambda row: row.share,
    "Share in reference": lambda row: row.share_reference,
    "Change": lambda row: (
        None if row.share is None or row.share_reference is None else row.share - row.share_reference
    ),
    "Rows": lambda row: row.n,
    "Reference rows": lambda row: row.n_reference,
}
SEGMENT: Columns[SegmentRow] = {
    **VERSION,
    "Slice": lambda row: row.where,
    "Against the rest": verdict,
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    **INTERVAL,
    "Luck taken out": lambda row: row.value_shrunken,
    "Luck taken out, low": lambda row: row.shrunken_ci_low,
    "Luck taken out, high": lambda row: row.shrunken_ci_high,
    "All other rows": lambda row: row.value_elsewhere,
    "Difference": lambda row: row.difference,
    "Difference low": lambda row: row.difference_ci_low,
    "Difference high": lambda row: row.difference_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Impact on the whole": lambda row: row.impact,
    "Labelled rows": lambda row: row.n_labelled,
    "Rows": lambda row: row.n,
    "Share of rows": lambda row: row.share,
    **STATUS,
}


def metric_table(rows: Sequence[MetricRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind a metric over time."""
    return tabled(rows, METRIC, zone)


def confusion_table(rows: Sequence[ConfusionRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind a confusion table and its pairs."""
    return tabled(rows, CONFUSION, zone)


def roc_table(rows: Sequence[RocRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind ROC and precision-recall."""
    return tabled(rows, ROC, zone)


def calibration_table(rows: Sequence[CalibrationRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind a reliability diagram."""
    return tabled(rows, CALIBRATION, zone)


def score_table(rows: Sequence[ScoreBinRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind a score histogram and residuals; bins without rows are left out."""
    return tabled([row for row in rows if row.n > 0], SCORES, zone)


def pair_table(rows: Sequence[PairBinRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind predicted against true."""
    return tabled(rows, PAIRS, zone)


def drift_table(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the drift heat map and one feature over time."""
    return tabled(rows, DRIFT, zone)


def histogram_table(rows: Sequence[HistogramRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind reference against window."""
    return tabled(rows, HISTOGRAM, zone)


def segment_table(rows: Sequence[SegmentRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Behind the forest, in its order; slices without a value last."""
    known = by_impact(rows)
    rest = [row for row in rows if row.value is None]
    return tabled([*known, *rest], SEGMENT, zone)


def tabled(rows: Sequence[Row], columns: Columns[Row], zone: ZoneInfo) -> pd.DataFrame:
    """One column a name; columns that are empty throughout are left out, unless there are no rows at all."""
    frame = pd.DataFrame({name: [value(row) for row in rows] for name, value in columns.items()})
    for name in ("From", "Until"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(zone)
    optional = (
        "Segment",
        "Segment value",
        "Class",
        "Version",
        "Compared with",
        "Reason",
        "Tolerance as declared",
    )
    empty = [name for name in optional if name in frame and len(frame) and frame[name].isna().all()]
    return frame.drop(columns=empty)
