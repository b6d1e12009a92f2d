"""The first line of the section Before labels."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analytics.quality.estimated import EstimateRow
from app.formats import in_window, interval
from app.glossary import inside, show, title, unit
from app.headlines.verdict import Verdict


def estimate_verdict(rows: Sequence[EstimateRow], zone: ZoneInfo) -> Verdict:
    """What the newest window's quality is likely to be, and whether that can be believed.

    Args:
        rows: of one metric, version and method.
        zone: of the windows' names.
    """
    known = [row for row in rows if row.n]
    if not known:
        return Verdict("unknown", "There are no scored rows in these windows, so nothing can be estimated.")
    row = max(known, key=lambda one: one.window_end)
    name, when = inside(title(row.metric)), in_window(row.window_start, row.window_end, zone)
    if row.value is None:
        if (row.reason or "").startswith("withdrawn"):
            return Verdict(
                "unknown",
                f"The estimate of {name} is withdrawn: it held in {row.held_backtests} of its last "
                f"{row.n_backtests} back-tests, so what happens now is something that scores alone do not show.",
            )
        return Verdict("unknown", f"{name[0].upper()}{name[1:]} {when} cannot be estimated: {row.reason}.")
    share = unit(row.metric) == "share"
    said = f"{show(row.metric, row.value)} ({interval(row.ci_low, row.ci_high, share=share)})"
    tested = f"the estimate held in {row.held_backtests} of its last {row.n_backtests} back-tests"
    if row.n_backtests == 0:
        tested = "no earlier window of this length has labels to test it on"
    if row.realised is None:
        labels = "whose labels still arrive" if row.realised_status == "immature" else "without labels"
        start = f"{when[0].upper()}{when[1:]}"
        return Verdict("same", f"{start}, {labels}, {name} is estimated at {said}; {tested}.")
    came = "and" if row.held else "but"
    return Verdict(
        "same" if row.held else "changed",
        f"All labels are in: {when} {name} was estimated at {said} {came} came to "
        f"{show(row.metric, row.realised)}; {tested}.",
    )
