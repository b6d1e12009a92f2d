"""First lines of the sections Populations and From training to production."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.quality.splits import SplitRow
from analytics.quality.unlike import UnlikeRow
from analytics.segments.rows import GapRow
from app.formats import interval, listed, number, percent, stretch
from app.glossary import inside, show, title, unit
from app.headlines.verdict import Verdict

SIGNIFICANT = 0.05
LOSSES = ("loss gap", "error gap")


def uniform_verdict(rows: Sequence[GapRow]) -> Verdict:
    """Are mistakes uniform across populations?"""
    known = [row for row in rows if row.notion in LOSSES and row.gap is not None]
    if not known:
        return Verdict(
            "unknown",
            "Whether mistakes are evenly spread cannot be said: no segment has two values with enough labels.",
        )
    apart = [row for row in known if row.p_adjusted is not None and row.p_adjusted < SIGNIFICANT]
    apart.sort(key=lambda row: -(row.ci_low or 0.0))
    if not apart:
        names = listed([row.segment for row in known])
        return Verdict("same", f"Mistakes look evenly spread: no difference beyond chance by {names}.")
    worst = apart[0]
    ends = interval(worst.ci_low, worst.ci_high, share=unit(worst.metric) == "share")
    alike = [row.segment for row in known if row not in apart]
    rest = f" No difference is shown by {listed(alike)}." if alike else ""
    from_to = f"from {_slice(worst.lowest)} to {_slice(worst.highest)}"
    others = f", and by {listed([row.segment for row in apart[1:]])}" if apart[1:] else ""
    return Verdict(
        "worse",
        f"Mistakes are not spread evenly: by {worst.segment} the {inside(title(worst.metric))} differs by "
        f"{show(worst.metric, worst.gap)} ({ends}), {from_to}{others}.{rest}",
    )


def _slice(where: str | None) -> str:
    name, _, value = (where or "").partition("=")
    return stretch(value) or f"missing {name}"


def unlike_sentence(row: UnlikeRow) -> str:
    """How many rows are unlike the reference, and what that costs."""
    if row.share is None:
        return f"How many rows are unlike the reference cannot be said: {row.reason}."
    by = f", mostly by {row.carried_by}" if row.carried_by else ""
    more = row.p_value is not None and row.p_value < SIGNIFICANT
    share = f"{percent(row.share)} ({interval(row.ci_low, row.ci_high, share=True)})"
    start = (
        f"{share} of the rows are unlike anything in the reference, against 5% without change{by}."
        if more
        else f"No more rows than usual are unlike the reference: {share}, against 5% without change."
    )
    if row.difference is None or row.difference_ci_low is None or row.difference_ci_high is None:
        return start
    metric = inside(title(row.loss))
    values = f"{number(row.loss_outside)} on them, {number(row.loss_inside)} on the others"
    ends = f"{number(row.difference_ci_low)} to {number(row.difference_ci_high)}"
    if row.difference_ci_low > 0:
        return f"{start} The model does worse there: {metric} {values} (difference {ends})."
    if row.difference_ci_high < 0:
        return f"{start} The model does no worse there: {metric} {values} (difference {ends})."
    return (
        f"{start} Whether the model does worse there cannot be told: {metric} {values} (difference {ends})."
    )


MEANINGS = {
    "overfitting": "overfitting: it is better on the rows it was fitted to",
    "unrepresentative test set": "a test set unlike production",
    "drift since": "drift since the first weeks",
    "worse in production": "worse in production than before; from the start or by drift cannot be told",
}


def splits_verdict(rows: Sequence[SplitRow], metric: str) -> Verdict:
    """What the gaps of one version mean."""
    mine = {row.split: row for row in rows if row.metric == metric and row.class_ is None}
    known = {name: row for name, row in mine.items() if row.value is not None}
    if len([name for name in known if ":" not in name]) < 2:
        return Verdict("unknown", "There are no two splits with enough labelled rows to compare.")
    found = [row for row in mine.values() if row.finding is not None]
    if not found:
        gaps = [row for row in known.values() if row.gap is not None and ":" not in row.split]
        if not gaps:
            return Verdict("unknown", "The splits cannot be compared: too few labelled rows.")
        widest = max(gaps, key=lambda row: abs(row.gap or 0.0))
        ends = interval(widest.gap_ci_low, widest.gap_ci_high, share=unit(metric) == "share")
        return Verdict(
            "same",
            f"From training to production no loss of {inside(title(metric))} beyond chance; the widest gap, to "
            f"{widest.split}, is {show(metric, widest.gap)} ({ends}).",
        )
    return Verdict("worse", f"{title(metric)} shows {listed([_meaning(row) for row in found])}.")


def _meaning(row: SplitRow) -> str:
    before = show(row.metric, (row.value or 0.0) - (row.gap or 0.0))
    return f"{MEANINGS[row.finding or '']} ({show(row.metric, row.value)} against {before})"
