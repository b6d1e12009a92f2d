"""The sentences of the section Decisions that do not depend on results."""

from __future__ import annotations

GOAL = "Goal"
GOALS = {
    "cost": "Earn most",
    "precision=0.5": "Precision of at least 50%",
    "precision=0.8": "Precision of at least 80%",
    "precision=0.9": "Precision of at least 90%",
    "recall=0.8": "Catch at least 80%",
    "recall=0.9": "Catch at least 90%",
    "recall=0.95": "Catch at least 95%",
    "budget": "Review so many a day",
}
BUDGET = "Rows a day"
BUDGET_HELP = "How many rows people can look at on a day; review_budget of [quality] in the project file."
BEST = "Best threshold"
NOBODY = "nobody"
VALUE = "{metric}"
AS_DECIDED = "As decided"
GAIN = "Gain over that"
TRADE = "Against as decided"
BY_ROW = "the class worth most"
IN_USE = "{interval} · in use {present}"
MONTH = "{interval} · {month} a month"
BY_SEGMENT = "Best thresholds by {segment}"
HELD_OUT = (
    "The tiles are about rows that did not choose the threshold; on those that did, the gain is {sample}."
)
EARNED_AXIS = "earned a row"
NO_CURVE = (
    "Several classes have no one threshold: each row is decided by the expected earnings of every class."
)
TESTED = (
    "{gains} of {tested} values would gain beyond chance, after correction (Benjamini-Hochberg); of "
    "those called a gain "
    "about 1 in 20 is none."
)
BY_DISTANCE = "Sure is what lies far from the threshold in use."
