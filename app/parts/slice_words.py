"""The sentences of the sections that search, map and compare slices, as far as they do not depend on results."""

from __future__ import annotations

SLICE = "Slice"
X = "Across"
Y = "Up"
CLICK_FOUND = "Click a slice to see its worst rows."
CLICK_MAP = "Click a cell to see its worst rows."
CLICK_NODE = "Click a dot to see its worst rows."
CONFIRMED = "Slices confirmed"
OF_TESTED = "of the {n} shown, measured on other rows"
LOSS = "Its share of all loss"
COSTLIEST = "Costs most"
OPEN = "Open"
NARROW = "Scope"
AGAINST = "Compare"
EXAMPLES_BUTTON = "Examples"
SCOPE_BUTTON = "Only this slice"
AGAINST_BUTTON = "Against the rest"
CLAUSE = "As a WHERE clause"
NO_SLICE = (
    "Filter the rows in the bar above to compare them with all others, or choose a slice that was found."
)
FILTERED = "The rows that your filters keep, against all others."
NO_FOUND = (
    "No slice stood out, so there is none to choose from. Filter rows in the bar above to compare them."
)
TABLE_FOUND = "Slices found and tested, the costliest first"
TABLE_TREE = "Every node of the tree"
TABLE_COMPARE = "Everything measured of the slice and of all other rows"
NOTHING_MEASURED = (
    "Nothing can be averaged over rows: declare labels, latency or status and ok_status in the project file."
)
NO_FIELDS = "A map needs two features or segments; declare them in the project file."
