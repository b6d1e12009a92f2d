"""The first lines of Cause, What is different, and Who was first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.examples.first_row import FirstRow
from analytics.explain.moved import MovedRow
from analytics.explain.rows import Action, CauseRow
from app.formats import day, local, plural
from app.headlines.verdict import Verdict

ALPHA = 0.05
ACTIONS: dict[Action, str] = {
    "wait": "wait for the labels", "roll_back": "roll back", "retrain": "retrain", "relabel": "have the labels checked",
    "fix_upstream": "fix it upstream", "look": "look at it",
}  # fmt: skip


def causes_verdict(rows: Sequence[CauseRow], notes: Sequence[str] = ()) -> Verdict:
    """The likeliest cause and what to do, or silence."""
    if not rows:
        said = notes[0] if notes else "nothing changed beyond chance"
        quiet = said.startswith("nothing changed")
        text = f"{said[:1].upper()}{said[1:].rstrip('.')}."
        return Verdict("same" if quiet else "unknown", text)
    first = rows[0]
    more = f" {plural(len(rows) - 1, 'other thing')} changed besides." if len(rows) > 1 else ""
    return Verdict("worse", f"{first.sentence} What to do: {ACTIONS[first.action]}.{more}")


def follows(row: CauseRow, most: int = 6) -> str:
    """What follows from a cause."""
    if not row.consequences:
        return ""
    shown = ", ".join(row.consequences[:most])
    rest = len(row.consequences) - most
    return f"With it moved: {shown}{f' and {rest} more' if rest > 0 else ''}."


_TELLING_BITS = 0.05
"""An interval that reaches so far leaves open that a field tells much."""


def moved_verdict(rows: Sequence[MovedRow], what: str) -> Verdict:
    """Which fields tell the selection from the rest."""
    known = [row for row in rows if row.gain is not None]
    if not known:
        reason = next((row.reason for row in rows if row.reason), "there are no rows")
        return Verdict("unknown", f"Nothing can be said about {what}: {reason}.")
    telling = [row for row in known if (row.p_adjusted or 0.0) < ALPHA and (row.ci_low or 0.0) > 0]
    if not telling:
        widest = max(known, key=lambda row: row.ci_high or 0.0)
        if (widest.ci_high or 0.0) < _TELLING_BITS:
            return Verdict("same", f"Nothing tells {what} apart beyond chance.")
        values = (widest.carried_by or "").split("; ")[0]
        return Verdict(
            "unknown",
            f"Too few days or units to say beyond chance what is different about {what}; "
            f"most of all it may be {widest.field} ({values}).",
        )
    first = telling[0]
    carried = (first.carried_by or "").split("; ")[0]
    more = (
        f" {plural(len(telling) - 1, 'other field')} differ{'s' if len(telling) == 2 else ''}, too."
        if len(telling) > 1
        else ""
    )
    return Verdict("changed", f"{first.field} tells most about {what} ({carried}).{more}")


def first_verdict(rows: Sequence[FirstRow], zone: ZoneInfo) -> Verdict:
    """Since when, and who."""
    if not rows:
        return Verdict("unknown", "No row of the window shows it.")
    row = rows[0]
    who = f" of {row.unit}" if row.unit is not None else ""
    shows = row.shows.replace(" is (missing)", " is missing")
    return Verdict(
        "changed", f"The first row that shows it ({shows}) came on {_moment(row.timestamp, zone)}{who}."
    )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    shown = local(moment, zone)
    return f"{day(shown)} at {shown:%H:%M}"
