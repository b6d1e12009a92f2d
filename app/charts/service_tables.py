"""The tables of the Service page, with names people read."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.service.assertions import AssertionRow, BrokenExampleRow
from analytics.service.burn import ObjectiveRow
from analytics.service.rows import ServiceRow, TailRow
from app.formats import NONE, STATUS_WORDS, day, interval, local, number, percent
from app.headlines.service import rate_words

PAIRS = {
    "period": "whole period", "fast": "1 hour and 5 minutes", "slow": "6 hours and 30 minutes",
    "creeping": "3 days and 6 hours",
}  # fmt: skip
VERDICTS = {"breach": "burns", "fine": "fine", "unsure": "cannot be told", None: NONE}


def service_table(rows: Sequence[ServiceRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every window in numbers."""
    columns = {
        "From": [row.window_start.astimezone(zone) for row in rows],
        "Until": [row.window_end.astimezone(zone) for row in rows],
        "Version": [row.version for row in rows],
        "Requests": [row.n for row in rows],
        "Rate": [NONE if row.request_rate is None else rate_words(row.request_rate) for row in rows],
        "Errors": [row.error_rate for row in rows],
        "Errors low": [row.error_rate_ci_low for row in rows],
        "Errors high": [row.error_rate_ci_high for row in rows],
    }
    for word in ("p50", "p95", "p99"):
        for end, name in (("", word), ("_ci_low", f"{word} low"), ("_ci_high", f"{word} high")):
            columns[name] = [getattr(row, f"latency_{word}{end}") for row in rows]
    columns["Independent"] = [row.independence for row in rows]
    columns["Status"] = [STATUS_WORDS[row.status] for row in rows]
    columns["Reason"] = [row.reason for row in rows]
    return pd.DataFrame(columns)


def objective_table(rows: Sequence[ObjectiveRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every objective over its period and its pairs of windows."""
    return pd.DataFrame({
        "Objective": [row.objective for row in rows],
        "Over": [PAIRS[row.pair] for row in rows],
        "Verdict": [VERDICTS[row.verdict] for row in rows],
        "Burn rate": [row.value for row in rows],
        "Interval": [interval(row.ci_low, row.ci_high) for row in rows],
        "Limit": [row.factor for row in rows],
        "Short window": [row.short_value for row in rows],
        "Good": [percent(row.good_share) for row in rows],
        "Promised": [percent(row.target) for row in rows],
        "Budget left": [percent(row.budget_left) for row in rows],
        "Requests": [row.n for row in rows],
        "Bad": [row.n_bad for row in rows],
        "From": [row.window_start.astimezone(zone) for row in rows],
        "Until": [row.window_end.astimezone(zone) for row in rows],
        "Reason": [row.reason for row in rows],
    })  # fmt: skip


def tail_table(rows: Sequence[TailRow]) -> pd.DataFrame:
    """The units with most slow requests."""
    return pd.DataFrame({
        "Unit": [row.unit for row in rows],
        "Slow requests": [row.n_slow for row in rows],
        "Requests": [row.n for row in rows],
        "Slow share": [percent(row.slow_share) for row in rows],
        "Interval": [interval(row.ci_low, row.ci_high, share=True) for row in rows],
        "Of all slow requests": [percent(row.share_of_slow) for row in rows],
    })  # fmt: skip


def assertion_table(rows: Sequence[AssertionRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every assertion of the window."""
    return pd.DataFrame({
        "Assertion": [row.assertion for row in rows],
        "Condition": [row.expect for row in rows],
        "Version": [row.version for row in rows],
        "Broken": [row.n_broken for row in rows],
        "Of": [row.n for row in rows],
        "Checked": [row.over for row in rows],
        "Share": [percent(row.value) for row in rows],
        "Interval": [interval(row.ci_low, row.ci_high, share=True) for row in rows],
        "First": [NONE if row.first is None else day(local(row.first, zone)) for row in rows],
        "Last": [NONE if row.last is None else day(local(row.last, zone)) for row in rows],
        "Cannot be told": [row.n_unknown for row in rows],
        "Reason": [row.reason for row in rows],
    })  # fmt: skip


def broken_table(rows: Sequence[BrokenExampleRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """The rows that break one assertion, with what its condition names."""
    names = list(dict.fromkeys(name for row in rows for name in row.columns))
    frame = pd.DataFrame({
        "When": [None if row.timestamp is None else row.timestamp.astimezone(zone) for row in rows],
        "Version": [row.version for row in rows],
        "Unit": [row.unit for row in rows],
    })  # fmt: skip
    for name in names:
        frame[str(name)] = [_cell(row.columns.get(name)) for row in rows]
    frame["File"] = [row.file.rsplit("/", 1)[-1] for row in rows]
    frame["Row"] = [row.row for row in rows]
    return frame.dropna(axis=1, how="all")


def _cell(value: object) -> str | None:
    return None if value is None else number(value) if isinstance(value, float) else str(value)
