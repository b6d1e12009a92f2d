"""The first lines of the section Decisions, of its reviews and of its confident answers."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.quality.decision_rows import CoverageRow, GainRow, ThresholdRow
from app.formats import count, interval, number, percent, points, signed
from app.glossary import inside, show, title, unit
from app.headlines.verdict import Verdict

DAYS_OF_A_MONTH = 365.25 / 12


def decision_verdict(row: ThresholdRow) -> Verdict:
    """Where to decide, and whether that beats the decisions that were taken."""
    if row.value is None:
        return Verdict("unknown", f"Where to decide cannot be said: {row.reason}.")
    if row.goal == "cost":
        return _earning(row)
    return _keeping(row)


def monthly(row: ThresholdRow) -> float | None:
    """What the gain comes to in a month of as many rows a day."""
    if row.gain is None or row.rows_per_day is None:
        return None
    return row.gain * row.rows_per_day * DAYS_OF_A_MONTH


def _earning(row: ThresholdRow) -> Verdict:
    how = _how(row)
    if row.gain is None or row.gain_ci_low is None or row.gain_ci_high is None:
        return Verdict(
            "same", f"{how} earns {number(row.value)} a row ({interval(row.ci_low, row.ci_high)})."
        )
    ends = f"{signed(row.gain_ci_low)} to {signed(row.gain_ci_high)}"
    if row.gain_ci_low > 0:
        month = monthly(row)
        sum_ = f"; that is about {number(month)} a month" if month is not None else ""
        return Verdict("changed", f"{how} would earn {number(row.gain)} a row more ({ends}){sum_}.")
    if row.gain_ci_high < 0:
        return Verdict(
            "same",
            f"The decisions as taken earn more than {how[0].lower()}{how[1:]}: {number(-row.gain)} a "
            f"row ({ends}).",
        )
    return Verdict(
        "same",
        f"Nothing shows that another way to decide earns more: {how[0].lower()}{how[1:]} would change "
        f"earnings by {signed(row.gain)} a row, and anything from {ends} is plausible.",
    )


def _how(row: ThresholdRow) -> str:
    if row.threshold is not None:
        instead = ""
        if row.present_threshold is not None and row.present_threshold != row.threshold:
            instead = f" instead of {number(row.present_threshold)}"
        return f"Calling {row.class_ or 'positive'} from {number(row.threshold)}{instead}"
    if row.precision is None and row.recall is None:
        return "Deciding for the class with the largest expected earnings"
    return f"Calling nobody {row.class_ or 'positive'}"


def _keeping(row: ThresholdRow) -> Verdict:
    precision = (
        f"{percent(row.precision)} ({interval(row.precision_ci_low, row.precision_ci_high, share=True)})"
    )
    recall = f"{percent(row.recall)} ({interval(row.recall_ci_low, row.recall_ci_high, share=True)})"
    named = row.class_ or "positive"
    sentence = (
        f"{_how(row)} catches {recall} of the {named} rows; {precision} of those called are {named}, on rows that "
        "did not choose the threshold."
    )
    wanted = row.target or 0.0
    missed = row.goal == "precision" and row.precision_ci_high is not None and row.precision_ci_high < wanted
    if missed:
        return Verdict(
            "changed", f"A precision of {percent(wanted)} does not last: {sentence[0].lower()}{sentence[1:]}"
        )
    return Verdict("same", sentence)


def review_sentence(rows: Sequence[GainRow]) -> str | None:
    """What the budget a day finds; the top tenth where there is none."""
    known = [row for row in rows if row.recall is not None and row.precision is not None]
    row = next((row for row in known if row.review == "budget"), None)
    if row is None:
        row = next((row for row in known if row.share_reviewed == 0.1), None)
        who = "The tenth of the rows with the highest scores holds"
    else:
        who = f"The {count(row.budget)} highest scores of each day hold"
    if row is None:
        return None
    return (
        f"{who} {percent(row.recall)} ({interval(row.recall_ci_low, row.recall_ci_high, share=True)}) "
        f"of the positives, "
        f"against {percent(row.recall_at_random)} at random; {percent(row.precision)} "
        f"({interval(row.precision_ci_low, row.precision_ci_high, share=True)}) of them are positive, "
        f"{number(row.lift)} times as many as of all rows."
    )


def coverage_sentence(rows: Sequence[CoverageRow], share: float = 0.8) -> str | None:
    """What answering only the surest share brings, and what it refuses."""
    row = next((row for row in rows if row.share_asked == share and row.value is not None), None)
    if row is None or row.change is None:
        return None
    of = f"{inside(title(row.metric))} on them is {show(row.metric, row.value)}"
    difference = points if unit(row.metric) == "share" else signed
    ends = f"{difference(row.change_ci_low)} to {difference(row.change_ci_high)}"
    return (
        f"Answering only the surest {percent(row.share_answered)} refuses "
        f"{number(row.refused_per_day)} rows a day; "
        f"{of}, {difference(row.change)} ({ends}) against answering all."
    )
