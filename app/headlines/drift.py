"""The first line of the Drift page."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.drift.rows import DriftRow
from app.formats import in_window, listed, percent, plural
from app.headlines.verdict import Verdict

GONE = 0.5
"""From this rise of the missing share on, a feature counts as gone, not as moved."""


def drift_verdict(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> Verdict:
    """What drifted in the newest window in which anything can be judged, and whether anything did before."""
    judged = [row for row in rows if row.drifted is not None]
    if not judged:
        text = "Too few rows to compare with the reference." if rows else "There is nothing to compare."
        return Verdict("unknown", text)
    end = max(row.window_end for row in judged)
    newest = [row for row in judged if row.window_end == end]
    when = in_window(newest[0].window_start, end, zone)
    names = {row.feature for row in newest if row.role == "feature"}
    drifted = [row for row in newest if row.drifted]
    if drifted:
        return Verdict("changed", f"{_drifted(drifted, len(names), when)}.")
    earlier = {row.window_start for row in judged if row.drifted}
    before = f"; something did in {plural(len(earlier), 'earlier window')}" if earlier else ""
    what = plural(len(names), "feature") if names else "scores and labels"
    return Verdict("same", f"Nothing drifted {when}, of {what} looked at one by one{before}.")


def drift_headline(rows: Sequence[DriftRow], *, zone: ZoneInfo) -> str:
    """The sentence of `drift_verdict`."""
    return drift_verdict(rows, zone=zone).sentence


def _drifted(rows: list[DriftRow], features: int, when: str) -> str:
    ranked = sorted(rows, key=lambda row: -(row.total_variation or 0.0))
    moved = list(dict.fromkeys(row.feature for row in ranked if row.role == "feature"))
    gone = list(dict.fromkeys(row.feature for row in ranked if _missing(row) and row.role == "feature"))
    others = list(dict.fromkeys(row.role for row in ranked if row.role != "feature"))
    outcome = f"the {listed(list(others))}" if others else ""
    if not moved:
        return f"{outcome.capitalize()} drifted {when}, none of {plural(features, 'feature')} did"
    also = f", and so did {outcome}" if outcome else ""
    if gone:
        named = listed(gone[:3]) if len(gone) <= 3 else f"{', '.join(gone[:2])} and {len(gone) - 2} more"
        verb = "is" if len(gone) == 1 else "are"
        return (
            f"{named} {verb} missing from most rows {when}; {len(moved)} of {features} features drifted{also}"
        )
    most = next(row for row in ranked if row.role == "feature")
    share = f"{percent(most.total_variation)} of its rows moved"
    return f"{len(moved)} of {features} features drifted {when}{also}: {most.feature} most ({share})"


def _missing(row: DriftRow) -> bool:
    rise = (row.missing_rate or 0.0) - (row.missing_rate_reference or 0.0)
    return rise >= GONE
