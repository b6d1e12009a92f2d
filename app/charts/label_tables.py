"""The tables behind the charts of labels, with names people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.labels.rows import (
    LabelChangeRow,
    LabelCoverageRow,
    LabelDelayRow,
    LabelRow,
    LabelSourceRow,
    LateMetricRow,
)
from app.formats import STATUS_WORDS
from app.glossary import title

_WINDOW = {"window_start": "From", "window_end": "Until"}
_STATUS = {"status": "Status", "reason": "Reason"}
COUNTS = {
    **_WINDOW, "version": "Version", "coverage": "With a label", "ci_low": "Low", "ci_high": "High",
    "expected_coverage": "Expected", "n_labelled": "Labelled rows", "n": "Rows",
    "delay_p50_seconds": "Median delay (s)", "delay_p95_seconds": "95% within (s)", "p_adjusted": "Adjusted p-value",
    "short": "Fewer than expected", **_STATUS,
}  # fmt: skip
DELAY = {
    "version": "Version", "seconds": "Seconds", "arrived": "With a label", "ci_low": "Low", "ci_high": "High",
    "arrived_of_ever": "Of those that ever come", "later": "Come later", "n_at_risk": "Still without",
}  # fmt: skip
SELECTION = {
    "version": "Version", "by": "By", "group": "Group", "coverage": "With a label", "ci_low": "Low", "ci_high": "High",
    "difference": "Against the rest", "p_adjusted": "Adjusted p-value", "selected": "Differs",
    "n_labelled": "Labelled rows", "n": "Rows", **_STATUS,
}  # fmt: skip
SOURCES = {
    "version": "Version", "source": "Source", "trusted_source": "Against", "n": "Labelled rows",
    "n_both": "By both", "agreement": "Agreement", "agreement_ci_low": "Low", "agreement_ci_high": "High",
    "kappa": "Kappa", "kappa_ci_low": "Kappa low", "kappa_ci_high": "Kappa high", "mean_difference": "Mean difference",
    "delay_p50_seconds": "Median delay (s)", **_STATUS,
}  # fmt: skip
CHANGES = {
    **_WINDOW, "version": "Version", "n_reports": "Labels", "n_repeats": "Not the first", "n_contradictions":
    "Contradictions", "share": "Share", "ci_low": "Low", "ci_high": "High", **_STATUS,
}  # fmt: skip
WEIGHTED = {
    **_WINDOW, "version": "Version", "metric": "Metric", "value": "As they came", "ci_low": "Low", "ci_high": "High",
    "weighted_value": "Weighted", "weighted_ci_low": "Weighted low", "weighted_ci_high": "Weighted high",
    "lowest": "Worst or least", "highest": "Best or most", "n_labelled": "Labelled rows", "n": "Rows", **_STATUS,
}  # fmt: skip

Rows = Sequence[LabelRow | LabelDelayRow | LabelCoverageRow | LabelSourceRow | LabelChangeRow | LateMetricRow]


def label_table(rows: Rows, names: dict[str, str], *, zone: ZoneInfo) -> pd.DataFrame:
    """Rows as a table whose columns are the values of ``names``, in that order."""
    return pd.DataFrame({
        shown: pd.Series([_cell(row, field, zone) for row in rows], dtype=object).infer_objects()
        for field, shown in names.items()
    })  # fmt: skip


def _cell(row: Any, field: str, zone: ZoneInfo) -> Any:
    value = getattr(row, field)
    if field == "status":
        return STATUS_WORDS[row.status]
    if field == "metric":
        return title(value)
    return value.astimezone(zone) if field.startswith("window_") else value
