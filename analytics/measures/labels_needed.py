"""How many more labels a number needs before its interval is narrow enough to act on."""

from __future__ import annotations

import math

from analytics.measures.estimate import LEAST_ROWS, Estimate
from analytics.stats.intervals import effective_n
from analytics.stats.rare import rows_for_width

HALF_WIDTH = 0.05
"""Points to either side of a share: what the page calls told."""
NEEDS_NO_LABEL = frozenset({"mean_score", "decision_rate", "mean_prediction"})


def labels_needed(estimate: Estimate, n_labelled: int, confidence: float) -> int | None:
    """How many more labelled rows of the same kind bring a share's interval to five points on either side.

    Under the least number of rows, how many are missing. None for what is no share of labelled rows. Rows come as they
    have come: with the same share of positives, so that a recall of rare positives needs many labels, and with the same
    likeness within a day or unit.

    Args:
        estimate: of one cell.
        n_labelled: its labelled rows.
        confidence: of the interval.
    """
    if estimate.metric in NEEDS_NO_LABEL:
        return None
    if estimate.value is None:
        return LEAST_ROWS - n_labelled if estimate.status == "too_few" and n_labelled < LEAST_ROWS else None
    if estimate.family != "share":
        return None
    variance, _, _ = estimate.chosen()
    size = effective_n(min(max(estimate.value, 0.0), 1.0), variance, estimate.size)
    if not size > 0:
        return None
    more = rows_for_width(min(max(estimate.value, 0.0), 1.0), size, HALF_WIDTH, confidence)
    return math.ceil(more * n_labelled / size)
