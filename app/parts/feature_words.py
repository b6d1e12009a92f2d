"""The sentences of the Features page and of what drift is compared with."""

from __future__ import annotations

FEATURE = "Feature"
MISSING = "Missing"
MEDIAN = "Median"
MEAN = "Mean"
SPREAD = "Spread"
SPREAD_DETAIL = "standard deviation; 9 of 10 rows from {low} to {high}"
TOP = "Most frequent"
TOP_DETAIL = "{share} of rows; {values} different values"
MOVED = "Share moved"
MOVED_DETAIL = "against {other}; by chance {chance}"
DRIFTED = "drifted against {other}; by chance {chance}"
SPLIT = "Compared by"
SPLIT_NAMES = {"label": "label", "decision": "decision", "outcome": "right or wrong"}
SPLIT_REGRESSION = {"label": "label", "outcome": "small or large error"}
TABLE_TITLE = "All features"
CLICK_FEATURE = "Choose a row to see the feature above."
CLICK_BAR = "Click a mark to see rows of that bin and group."
CLICK_WINDOW = "Click a window to see random rows of it."
OPEN_DRIFT = "Drift of this feature"
OPEN_FEATURE = "What {feature} is like"
NOTHING_TO_SPLIT = "There are neither labels nor decisions to split the rows by."
READ_GROUPS = "Read all {n} rows to split them; about a second a million"
GROUPS_TABLE = "What the feature is like in each group"

COMPARED = "Compared with"
AGAINST_SLICE = "Rows with"
AGAINST = {
    "reference": "the reference",
    "previous": "the window before it",
    "last-week": "the same window a week earlier",
    "segment": "all other rows, for one segment",
}
VERSION = "version {name}"
SEGMENT = "all rows that are not {name}={value}"
OTHER_SIDE = "compared with"
COMPARE_PREVIOUS = "Compare with the window before"
WITHOUT_REFERENCE = "No reference is declared; each window is compared with {other}."
