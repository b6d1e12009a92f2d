"""The first sentence of section Trust: can this be trusted, in words a person would say."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.experiments.rows import Check
from analytics.experiments.words import listed, plural

TITLES = {
    "srm": "the split",
    "srm_onset": "since when the split is off",
    "srm_segment": "segments of the split",
    "srm_cause": "causes of the broken split",
    "balance": "the arms before",
    "crossed": "units in several arms",
    "logs": "the logs",
    "split_change": "a split that changed",
    "weekdays": "weekdays",
    "novelty": "effects that change with time",
    "carry_over": "carry-over",
    "interaction": "other experiments",
    "interference": "interference",
    "leverage": "a few large values",
    "twyman": "effects too good to be true",
}
"""Check -> what it is called on the page."""
FINDINGS = ("srm_onset", "srm_segment", "srm_cause")
"""What only explains a broken split, and is no warning of its own."""


def trust_sentence(checks: Sequence[Check]) -> str:
    """Whether the comparison can be trusted; with the reason where it cannot."""
    blocking = [row for row in checks if row.level == "blocks"]
    if not blocking and any(row.name == "crossed" and row.n == 0 for row in checks):
        return "No unit was exposed, so there is nothing to trust or to doubt."
    broken = any(row.name == "srm" for row in blocking)
    warning = [row for row in checks if row.level == "warns" and not (broken and row.name in FINDINGS)]
    if blocking:
        more = f" ({plural(len(blocking) - 1, 'more check')} {'block' if len(blocking) > 2 else 'blocks'} it too)"
        said = f"Do not trust this comparison: {_inside(blocking[0].sentence)}"
        onset = next((row.sentence for row in checks if row.name == "srm_onset"), None)
        parts = [said + (more if len(blocking) > 1 else ""), onset, _likeliest(checks)]
        return " ".join(part for part in parts if part)
    told = listed(list(dict.fromkeys(TITLES[row.name] for row in warning)))
    if warning:
        return f"Nothing forbids trusting this comparison, but bear in mind: {told}."
    tested = [row for row in checks if row.level == "fine"]
    unknown = [row for row in checks if row.level == "unknown"]
    if not tested:
        return "Nothing can be checked yet."
    open_ = f"; {plural(len(unknown), 'check')} cannot be made on these logs" if unknown else ""
    found = f"{plural(len(tested), 'check')} found nothing"
    return f"This comparison can be trusted as far as the logs tell: {found}{open_}."


def _inside(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _likeliest(checks: Sequence[Check]) -> str | None:
    """The cause that fits best, in a sentence."""
    fits = [row for row in checks if row.name == "srm_cause" and row.level == "warns"]
    if not fits:
        return None
    best = min(fits, key=lambda row: row.value or 0.0)
    return f"Likeliest cause: {best.cause}."
