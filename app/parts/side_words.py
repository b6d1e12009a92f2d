"""The sentences of the view of two arms side by side that do not depend on results."""

from __future__ import annotations

LEFT = "Left"
RIGHT = "Right"
METRICS = "Metrics"
NONE_CHOSEN = "Choose at least one"
NO_VALUE = "no value"
BY_DAY = (
    "By the day of first exposure, over all units of that day: whoever came early had more time, so sums fall towards "
    "the end in every arm."
)
TABLE = "Every day of both arms"
NONE_SHOWN = "None of it is shown to be more than chance."
TURNED = "But compared as the verdict does, {arm} is {word} on {metrics}: the plain values mislead."
