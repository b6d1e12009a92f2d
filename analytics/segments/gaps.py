"""Gaps between the values of a segment: how far apart they truly are, beyond what luck makes of many small groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.segments.compare import deviations
from analytics.segments.rows import GapRow, SegmentRow
from analytics.stats.multiplicity import benjamini_hochberg
from analytics.stats.shrinkage import true_range

ALARM = 0.05
NOTIONS: dict[str, str] = {
    "decision_rate": "demographic parity",
    "recall": "equal opportunity",
    "specificity": "false alarm rate",
    "precision": "predictive parity",
    "mean_error": "calibration gap",
    "accuracy": "accuracy gap",
    "log_loss": "loss gap",
    "mean_absolute_error": "error gap",
}
"""Metric -> what a gap in it is called. Equalised odds is the larger of the gaps in recall and in specificity."""
EQUALISED = "equalised odds"


def gap_of(rows: Sequence[SegmentRow], class_: str | None, confidence: float) -> GapRow:
    """The gap between the slices of one segment, version and metric.

    Args:
        rows: every slice of the segment against the rest; at least one.
        class_: of a one-vs-rest metric.
        confidence: of the intervals in the rows, and of the gap's.
    """
    away, error = deviations(rows, confidence)
    usable = [i for i in range(len(rows)) if error[i] > 0]
    known = [rows[i] for i in usable]
    first = rows[0]
    blank = GapRow(
        first.window_start, first.window_end, first.version, first.segment, NOTIONS[first.metric], first.metric, class_,
        len(known), sum(row.n_labelled for row in known), None, None, None, None, None, None, None, None, None, None,
        None, "too_few", _too_few(rows, known),
    )  # fmt: skip
    if len(known) < 2:
        return blank
    high = max(known, key=lambda row: row.value or 0.0)
    low = min(known, key=lambda row: row.value or 0.0)
    found = true_range(away[usable], error[usable] ** 2, confidence)
    observed = (high.value or 0.0) - (low.value or 0.0)
    return replace(
        blank, highest=high.where, highest_value=high.value, lowest=low.where, lowest_value=low.value,
        gap=found.value, ci_low=found.low, ci_high=found.high, gap_observed=observed, gap_by_chance=found.by_chance,
        p_value=simes([row.p_value for row in known if row.p_value is not None]), status="ok", reason=None,
    )  # fmt: skip


def _too_few(rows: Sequence[SegmentRow], known: Sequence[SegmentRow]) -> str:
    why = next((row.reason for row in rows if row.reason is not None), "there is one value only")
    return f"{len(known)} of {len(rows)} values can be compared, and a gap needs two: {why}"


def simes(p_values: Sequence[float]) -> float | None:
    """One p-value for "none of these": the smallest after Benjamini and Hochberg (Simes, Biometrika 73, 1986).

    >>> simes([0.01, 0.5, 0.9]), simes([])
    (0.03, None)
    """
    if not p_values:
        return None
    return round(float(np.nanmin(benjamini_hochberg(list(p_values)))), 15)


def equalised_odds(recall: GapRow, specificity: GapRow) -> GapRow:
    """The larger of the gaps in true and in false alarm rate; undefined unless both are known."""
    for row in (recall, specificity):
        if row.gap is None:
            return replace(row, notion=EQUALISED)
    larger, other = sorted((recall, specificity), key=lambda row: -(row.gap or 0.0))
    ends = [
        max(a or 0.0, b or 0.0) for a, b in ((larger.ci_low, other.ci_low), (larger.ci_high, other.ci_high))
    ]
    p_value = min(1.0, 2.0 * min(larger.p_value or 0.0, other.p_value or 0.0))
    return replace(
        larger, notion=EQUALISED, ci_low=min(ends[0], larger.gap or 0.0), ci_high=ends[1], p_value=p_value
    )


def corrected_gaps(rows: Sequence[GapRow]) -> tuple[GapRow, ...]:
    """Correct the p-values of all gaps of a version together."""
    answers = list(rows)
    for version in dict.fromkeys(row.version for row in rows):
        mine = [i for i, row in enumerate(rows) if row.version == version]
        adjusted = np.asarray(benjamini_hochberg([rows[i].p_value for i in mine])).tolist()
        for i, p_adjusted in zip(mine, adjusted, strict=True):
            if rows[i].p_value is not None:
                answers[i] = replace(rows[i], p_adjusted=p_adjusted)
    return tuple(answers)
