"""The first line of the Features page."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.drift.rows import DriftRow
from analytics.drift.summary_rows import FeatureRow
from app.formats import beside, number, percent
from app.headlines.drift import drift_verdict
from app.headlines.verdict import Verdict


def feature_verdict(
    row: FeatureRow | None, before: FeatureRow | None, drift: DriftRow | None, other: str
) -> Verdict:
    """What a feature is like, and how it changed.

    Args:
        row: the feature in the window.
        before: the same on the side compared with, if it is known.
        drift: the comparison, if there is one.
        other: that side in words ("the reference").
    """
    if row is None or row.status != "ok":
        return Verdict("unknown", f"Too little to describe: {row.reason if row is not None else 'no rows'}.")
    said = f"{row.feature} {_like(row)}"
    if drift is None or drift.drifted is None:
        why = f" ({drift.reason})" if drift is not None and drift.reason else ""
        return Verdict("unknown", f"{said}; whether that changed cannot be said{why}.")
    if not drift.drifted:
        return Verdict("same", f"{said}; no different from {other} beyond chance and tolerance.")
    return Verdict("changed", f"{said}; against {other} {_changed(row, before, drift)}.")


def drift_verdict_against(rows: Sequence[DriftRow], other: str, *, zone: ZoneInfo) -> Verdict:
    """What drifted, and against what where that is not the reference."""
    said = drift_verdict(rows, zone=zone)
    if other == "the reference":
        return said
    if said.state == "unknown":
        return Verdict(said.state, said.sentence.replace("the reference", other))
    return Verdict(said.state, f"{said.sentence.removesuffix('.')}; compared with {other}.")


def _like(row: FeatureRow) -> str:
    gone = f", {percent(row.missing_rate)} missing" if row.missing_rate else ""
    if row.missing_rate == 1:
        return "is missing everywhere"
    if row.p50 is not None:
        middle = beside(row.p50, None if row.p95 is None or row.p05 is None else row.p95 - row.p05)
        return f"is {middle} in the middle, {number(row.p05)} to {number(row.p95)} in 9 of 10 rows{gone}"
    values = "one value only" if row.n_values == 1 else f"{row.n_values or 0:,} values"
    return f"has {values}, most often {row.top_value} ({percent(row.top_share)} of rows){gone}"


def _changed(row: FeatureRow, before: FeatureRow | None, drift: DriftRow) -> str:
    moved = f"{percent(drift.total_variation)} of its rows moved"
    rise = (drift.missing_rate or 0.0) - (drift.missing_rate_reference or 0.0)
    if rise >= 0.5:
        now, then = percent(drift.missing_rate), percent(drift.missing_rate_reference)
        return f"{moved}: it is missing from {now} of rows, there from {then}"
    if before is None or row.p50 is None or before.p50 is None:
        if before is not None and before.top_value is not None and before.top_value != row.top_value:
            return f"{moved}: there {before.top_value} is the most frequent"
        return moved
    spread = f"{number(before.p05)} to {number(before.p95)}"
    return f"{moved}: there the median is {number(before.p50)}, and 9 of 10 rows lie from {spread}"
