"""What a drill, a real fault and a look back come to, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.drills.drill import Drill
from analytics.drills.rows import BacktestRow, ChaosRow
from app.headlines.verdict import Verdict


def drill_verdict(drill: Drill) -> Verdict:
    """Red where nobody notices the largest fault that was tried."""
    tried = [row for row in drill.severities if row.status == "ok"]
    if not tried:
        return Verdict("unknown", drill.sentence)
    if not tried[0].told:
        return Verdict("worse", drill.sentence)
    return Verdict("same" if all(row.told == row.runs for row in tried) else "changed", drill.sentence)


def chaos_verdict(rows: Sequence[ChaosRow]) -> Verdict:
    """The expectations against what came."""
    expected = [row for row in rows if row.part == "hypothesis"]
    refuted = [row for row in expected if row.outcome == "refuted"]
    told = [row for row in expected if row.outcome is not None]
    if not told:
        reason = expected[0].reason if expected else None
        return Verdict(
            "unknown", f"What the real faults did cannot be told{f': {reason}' if reason else ''}."
        )
    held = sum(row.outcome == "confirmed" for row in told)
    if len(expected) == 1:
        verb = "did not do" if refuted else "did" if held else "may have done, or not,"
        said = f"{expected[0].chaos} {verb} what was expected."
    else:
        said = f"Of {len(expected)} faults that were real, {held} did what was expected, and {len(refuted)} did not."
    return Verdict("changed" if refuted else "same", said)


def backtest_verdict(rows: Sequence[BacktestRow]) -> Verdict:
    """Whether and how often the rule would have fired."""
    whole = next((row for row in rows if row.part == "whole"), None)
    if whole is None or whole.value is None:
        return Verdict(
            "unknown", whole.sentence if whole is not None else "There is nothing to look back at."
        )
    return Verdict("same" if not whole.n else "changed", whole.sentence)
