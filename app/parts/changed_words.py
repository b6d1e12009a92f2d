"""The sentences of What changed that do not depend on results."""

from __future__ import annotations

BEFORE = "Compared with"
OTHER = "another window"
BEFORE_WORDS = {
    "reference": "the reference",
    "previous": "the window before it",
    "last-week": "the same window a week earlier",
    "window": "another window",
}
BEFORE_START = "Other window: start"
BEFORE_END = "Other window: end"
FROM_ALERT = "Opened from the alert “{alert}”."
STOOD_IN = "“{metric}” does not fall into parts; {instead} is explained in its place."
CHANGE = "Change"
MODEL = "The model itself"
MIX = "Another mix"
BEGAN = "Began"
WORST_ROWS = "Ten worst rows{where}"
SOME_ROWS = "Ten rows{where}"
NO_SPLIT = "Mix or model cannot be told"
CLICK_STEP = "Click a point to see rows of that stretch."
CLICK_PART = "Click a bar's diamond to see its rows."
NO_SLICE = (
    "No segment, feature or pair of them changed unlike all other rows beyond chance, so none is named. The accounts "
    "below still say how the change falls on their values."
)
SPLIT_BY = "By"
EVERY_SLICE = "The slices the change comes from, and everything else"
EVERY_PART = "Every value with what it adds to the change"
ADDS_UP = "The parts add up to the whole change of {change}; a row that two of them hold counts for one of them only."
