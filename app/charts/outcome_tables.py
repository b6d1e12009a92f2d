"""The tables of the Metrics page, with names people read."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.changes.rows import ChangeRow
from analytics.outcomes.rows import OutcomeRow
from analytics.project import Project
from app.charts.outcomes import REACHED
from app.formats import NONE, STATUS_WORDS, day, interval, local
from app.headlines.outcomes import newest_of, shown

MOVES = {
    "sudden": "jump",
    "gradual": "slow",
    "changed": "moved",
    "recurring": "weekdays only",
    "none": "no move",
}


def window_table(rows: Sequence[OutcomeRow], *, zone: ZoneInfo) -> pd.DataFrame:
    """Every window of one metric, in numbers."""
    return pd.DataFrame({
        "From": [row.window_start.astimezone(zone) for row in rows],
        "Until": [row.window_end.astimezone(zone) for row in rows],
        "Metric": [row.metric for row in rows],
        "Version": [row.version for row in rows],
        "Segment": [row.segment_value for row in rows],
        "Value": [row.value for row in rows],
        "Low": [row.ci_low for row in rows],
        "High": [row.ci_high for row in rows],
        "Target": [row.target for row in rows],
        "Reached": [REACHED[row.reached] if row.reached else None for row in rows],
        "Units": [row.n for row in rows],
        "Rows": [row.n_rows for row in rows],
        "Independent": [row.independence for row in rows],
        "Status": [STATUS_WORDS[row.status] for row in rows],
        "Reason": [row.reason for row in rows],
    })  # fmt: skip


def newest_table(
    rows: Sequence[OutcomeRow], changes: Sequence[ChangeRow], project: Project, *, zone: ZoneInfo
) -> pd.DataFrame:
    """One line a metric: its newest whole window, its target, and whether its days moved."""
    moved = {row.field: row for row in changes}
    lines = []
    for name in dict.fromkeys(row.metric for row in rows):
        row, change = newest_of(rows, name), moved.get(name)
        declared = project.metrics[name]
        lines.append({
            "Metric": name,
            "Newest": shown(row, row.value) if row is not None else NONE,
            "Interval": interval(row.ci_low, row.ci_high, share=_share(row)) if row is not None else NONE,
            "Target": shown(row, row.target) if row is not None and row.target is not None else NONE,
            "Reached": REACHED[row.reached] if row is not None and row.reached else NONE,
            "Moved": _moved(change, zone),
            "Before": shown(row, change.before) if row is not None and change is not None else NONE,
            "Since": shown(row, change.after) if row is not None and change is not None else NONE,
            "Adjusted p-value": change.p_adjusted if change is not None else None,
            "Units": row.n if row is not None else 0,
            "What it means": declared.means or "",
        })  # fmt: skip
    return pd.DataFrame(lines)


def _share(row: OutcomeRow) -> bool:
    return row.kind in {"proportion", "funnel"}


def _moved(change: ChangeRow | None, zone: ZoneInfo) -> str:
    if change is None or change.kind is None:
        return NONE
    sign = {True: ", worse", False: ", better", None: ""}[change.worse]
    when = f" {day(local(change.change_at, zone))}" if change.change_at is not None else ""
    return f"{MOVES[change.kind]}{when}{sign}"
