"""The tables behind what features are like."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.drift.summary_rows import FeatureRow, GroupBinRow
from app.charts.tables import Columns, tabled
from app.formats import STATUS_WORDS

FEATURE: Columns[FeatureRow] = {
    "From": lambda row: row.window_start,
    "Until": lambda row: row.window_end,
    "Version": lambda row: row.version,
    "Group": lambda row: row.group_value,
    "Feature": lambda row: row.feature,
    "Role": lambda row: row.role,
    "Kind": lambda row: row.kind,
    "Rows": lambda row: row.n,
    "Missing": lambda row: row.missing_rate,
    "Missing low": lambda row: row.missing_rate_ci_low,
    "Missing high": lambda row: row.missing_rate_ci_high,
    "Infinite": lambda row: row.infinite_rate,
    "Mean": lambda row: row.mean,
    "Mean low": lambda row: row.mean_ci_low,
    "Mean high": lambda row: row.mean_ci_high,
    "Standard deviation": lambda row: row.standard_deviation,
    "5% below": lambda row: row.p05,
    "Median": lambda row: row.p50,
    "95% below": lambda row: row.p95,
    "Top value": lambda row: row.top_value,
    "Its share": lambda row: row.top_share,
    "Different values": lambda row: row.n_values,
    "Interval takes as independent": lambda row: row.independence,
    "Status": lambda row: STATUS_WORDS[row.status],
    "Reason": lambda row: row.reason,
}
BINS: Columns[GroupBinRow] = {
    "From": lambda row: row.window_start,
    "Until": lambda row: row.window_end,
    "Version": lambda row: row.version,
    "Group": lambda row: row.group_value,
    "Feature": lambda row: row.feature,
    "Bin": lambda row: row.bin,
    "Share": lambda row: row.share,
    "Rows": lambda row: row.n,
}
_OPTIONAL = ("Group", "Infinite", "Mean", "Mean low", "Mean high", "Standard deviation", "5% below", "Median",
             "95% below")  # fmt: skip


def feature_table(rows: Sequence[FeatureRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """What features are like, a line a feature, window and group."""
    return _without_empty(tabled(rows, FEATURE, zone))


def bin_table(rows: Sequence[GroupBinRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Shares of bins, those that hold rows."""
    return _without_empty(tabled([row for row in rows if row.share], BINS, zone))


def _without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    empty = [name for name in _OPTIONAL if name in frame and len(frame) and frame[name].isna().all()]
    if "Infinite" in frame and not frame["Infinite"].fillna(0.0).any():
        empty = [*empty, *({"Infinite"} - set(empty))]
    return frame.drop(columns=empty)
