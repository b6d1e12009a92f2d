"""Decisions as tables: what was decided, and every number then and now."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.experiments.ledger import DecisionRow, SinceRow
from app.charts.experiment_words import lift, lift_interval, p_value
from app.formats import NONE, STATUS_WORDS, count, local

CHANGED = {
    "same": "same", "numbers": "numbers moved", "badge": "says something else", "new": "new", "gone": "gone",
}  # fmt: skip


def decisions_table(rows: Sequence[DecisionRow], zone: ZoneInfo) -> pd.DataFrame:
    """Every decision, the newest first."""
    return pd.DataFrame([
        {
            "Number": row.decision_id,
            "When": f"{local(row.decided_at, zone):%Y-%m-%d %H:%M}",
            "Who": row.decided_by,
            "Decision": row.decision,
            "Arm": row.variant or NONE,
            "Scorecard": row.word or NONE,
            "Why": row.note,
            "State": "stands" if row.corrected_by is None else f"replaced by {row.corrected_by}",
            "Units": row.n_units,
        }
        for row in reversed(rows)
    ])  # fmt: skip


def since_table(rows: Sequence[SinceRow]) -> pd.DataFrame:
    """Every comparison of a decision, then and now."""

    def effect(row: SinceRow, when: str) -> str:
        amount, low, high = (
            getattr(row, f"{name}_{when}")
            for name in ("lift", "lift_ci_adjusted_low", "lift_ci_adjusted_high")
        )
        limits = lift_interval(low, high)
        return lift(amount) if limits == NONE else f"{lift(amount)} ({limits})"

    return pd.DataFrame([
        {
            "Metric": row.metric,
            "Arm": row.variant or NONE,
            "Changed": CHANGED[row.changed],
            "Then": row.badge_then or NONE,
            "Now": row.badge_now or STATUS_WORDS[row.status] if row.status != "ok" else row.badge_now or NONE,
            "Lift then": effect(row, "then"),
            "Lift now": effect(row, "now"),
            "p then": p_value(row.p_adjusted_then),
            "p now": p_value(row.p_adjusted_now),
            "n then": count(row.n_then),
            "n now": count(row.n_now),
        }
        for row in rows
    ])  # fmt: skip
