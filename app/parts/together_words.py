"""The sentences of "All at once" and "Does it matter" that do not depend on results."""

from __future__ import annotations

METHOD = "Method"
TOLD_APART = "Told apart (ROC AUC)"
MOVED_AT_LEAST = "Rows moved, at least"
MOVED_AT_LEAST_DETAIL = "95% interval {interval}; chance taken off"
LOOKED_AT = "Rows looked at"
CLICK_WINDOW = "Click a point to look at its window only."
CLICK_FEATURE = "Click a feature to see how it is distributed."
EVERY_FEATURE = "Every feature"
FALSE_ALARMS = (
    "p-values are corrected within each window. Had nothing drifted, about {expected} false alarms would be "
    "expected over these {windows} windows."
)
