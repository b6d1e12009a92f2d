"""First lines of the section False alarms of the Drift page."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.drift.false_alarms import FalseAlarmRow
from app.formats import interval, number, percent, plural

WINDOWS = {"day": "daily", "week": "weekly", "month": "monthly"}


def expected_sentence(row: FalseAlarmRow) -> str:
    """What is promised, a week."""
    windows = f"{number(row.windows_per_week)} {WINDOWS.get(row.grain, row.grain)} windows a week"
    if row.windows_per_week == 1:
        windows = f"one {WINDOWS.get(row.grain, row.grain)} window a week"
    weekly = row.per_week or 0.0
    often = (
        f"{number(weekly)} false alarms a week are"
        if weekly >= 1
        else f"one false alarm in {1 / weekly:.0f} weeks is"
    )
    return (
        f"At most {often} promised: {windows}, {plural(row.n_fields, 'field')} each, corrected so that at most 5% of "
        "windows alarm where nothing has drifted."
    )


def simulated_sentences(rows: Sequence[FalseAlarmRow]) -> list[str]:
    """What came of it on the reference: days shuffled, and real stretches."""
    said = []
    for row in rows:
        if row.method == "expected":
            continue
        if row.share is None:
            said.append(f"This cannot be simulated: {row.reason}.")
        elif row.method == "shuffled":
            said.append(
                f"With the reference's own days in random order, {percent(row.share)} "
                f"({interval(row.ci_low, row.ci_high, share=True)}) of {plural(row.n, 'window')} alarmed: "
                f"{_kept(row)}"
            )
        else:
            hit = round((row.share or 0.0) * row.n)
            word = "would alarm" if hit != 1 else "alarms"
            more = ": it holds trends or seasons of its own." if (row.ci_low or 0.0) > row.promised else "."
            stretches = plural(row.n, "real stretch", "real stretches")
            said.append(f"Of {stretches} of the reference, {hit} {word} against the rest of it{more}")
    return said


def _kept(row: FalseAlarmRow) -> str:
    if (row.ci_low or 0.0) > row.promised:
        return "more than promised; take a longer window, or a longer reference."
    return (
        "as promised."
        if (row.ci_high or 1.0) < 0.1
        else "in line with the promise; more runs would tell closer."
    )


def small_reference_sentence(row: FalseAlarmRow) -> str:
    """What one reference does to all windows compared with it."""
    if row.repeat_chance is None or row.unlucky_share is None:
        return ""
    return (
        "All windows are compared with one reference, worth "
        f"{plural(row.reference_blocks, 'independent observation')}: where one window alarms falsely, "
        f"the next one does in {percent(row.repeat_chance)} of cases, and the unluckiest 1 of 20 references alarms in "
        f"{percent(row.unlucky_share)} of windows, however long one waits."
    )
