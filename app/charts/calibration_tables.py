"""The tables behind the charts of the section Calibration."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.quality.calibration import BaselineRow, CalibrationTestRow, DecileRow, MixRow, RecalibrationRow
from app.charts.tables import STATUS, VERSION, WINDOW, Columns, tabled
from app.glossary import title

TESTS: Columns[CalibrationTestRow] = {
    **WINDOW,
    **VERSION,
    "Segment": lambda row: row.segment,
    "Segment value": lambda row: row.segment_value,
    "Class": lambda row: row.class_,
    "Mean score": lambda row: row.mean_score,
    "Mean label": lambda row: row.mean_label,
    "Gap": lambda row: row.gap,
    "Gap, low": lambda row: row.gap_ci_low,
    "Gap, high": lambda row: row.gap_ci_high,
    "Adjusted p-value": lambda row: row.gap_p_adjusted,
    "Spiegelhalter z": lambda row: row.spiegelhalter_z,
    "Its adjusted p-value": lambda row: row.p_adjusted,
    "Slope": lambda row: row.slope,
    "Slope, low": lambda row: row.slope_ci_low,
    "Slope, high": lambda row: row.slope_ci_high,
    "Intercept": lambda row: row.intercept,
    "Calibration error": lambda row: row.expected_calibration_error,
    "Error, low": lambda row: row.error_ci_low,
    "Error, high": lambda row: row.error_ci_high,
    "Error by chance": lambda row: row.noise_floor,
    "Error beyond chance": lambda row: row.calibration_error_debiased,
    "Labelled rows": lambda row: row.n_labelled,
    "Interval takes as independent": lambda row: row.independence,
    **STATUS,
}
RECALIBRATION: Columns[RecalibrationRow] = {
    **VERSION,
    "Class": lambda row: row.class_,
    "Map": lambda row: row.method,
    "Metric": lambda row: title(row.metric),
    "Value": lambda row: row.value,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Difference": lambda row: row.difference,
    "Difference, low": lambda row: row.difference_ci_low,
    "Difference, high": lambda row: row.difference_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Rows": lambda row: row.n,
    "Days": lambda row: row.n_days,
    "Map fitted to all": lambda row: row.parameters,
    **STATUS,
}
MIX: Columns[MixRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Predicted": lambda row: row.predicted,
    "Mean score": lambda row: row.expected,
    "Came": lambda row: row.came,
    "Predicted minus came": lambda row: row.decided_difference,
    "Low": lambda row: row.decided_ci_low,
    "High": lambda row: row.decided_ci_high,
    "Adjusted p-value": lambda row: row.p_adjusted,
    "Mean score minus came": lambda row: row.expected_difference,
    "Its low": lambda row: row.expected_ci_low,
    "Its high": lambda row: row.expected_ci_high,
    "Its adjusted p-value": lambda row: row.expected_p_adjusted,
    "Labelled rows": lambda row: row.n_labelled,
    **STATUS,
}
BASELINES: Columns[BaselineRow] = {
    **WINDOW,
    **VERSION,
    "Class": lambda row: row.class_,
    "Metric": lambda row: title(row.metric),
    "Model": lambda row: row.value,
    "Rule": lambda row: row.baseline,
    "Its value": lambda row: row.baseline_value,
    "Difference": lambda row: row.difference,
    "Low": lambda row: row.difference_ci_low,
    "High": lambda row: row.difference_ci_high,
    "n": lambda row: row.n,
    **STATUS,
}
DECILES: Columns[DecileRow] = {
    **WINDOW,
    **VERSION,
    "From prediction": lambda row: row.bin_low,
    "To prediction": lambda row: row.bin_high,
    "Mean prediction": lambda row: row.mean_prediction,
    "Mean label": lambda row: row.mean_label,
    "Low": lambda row: row.ci_low,
    "High": lambda row: row.ci_high,
    "Error p05": lambda row: row.residual_low,
    "Error p25": lambda row: row.residual_quarter,
    "Error p50": lambda row: row.residual_median,
    "Error p75": lambda row: row.residual_three_quarters,
    "Error p95": lambda row: row.residual_high,
    "Rows": lambda row: row.n,
    **STATUS,
}


def tests_table(rows: Sequence[CalibrationTestRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Calibration tests."""
    return tabled(rows, TESTS, zone)


def recalibration_table(rows: Sequence[RecalibrationRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """What recalibration would bring."""
    return tabled(rows, RECALIBRATION, zone)


def mix_table(rows: Sequence[MixRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Predicted against came."""
    return tabled(rows, MIX, zone)


def baseline_table(rows: Sequence[BaselineRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The model beside rules that know nothing."""
    return tabled(rows, BASELINES, zone)


def decile_table(rows: Sequence[DecileRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """A regression by tenth of its predictions."""
    return tabled(rows, DECILES, zone)
