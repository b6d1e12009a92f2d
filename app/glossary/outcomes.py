"""Metrics of the product over time."""

from __future__ import annotations

from app.glossary.base import Explanation

OUTCOMES: dict[str, Explanation] = {
    "outcome_over_time": Explanation(
        "A metric over time",
        "What the product is for, outside experiments. A metric per unit (a mean, a count, a share of units) is taken "
        "over the units with any row in the window; a ratio is sum over sum; a series is the mean of its readings.",
        r"\hat R = \frac{\sum_c N_c}{\sum_c D_c}, \quad "
        r"\widehat{\mathrm{Var}}(\hat R) = \frac{G}{G-1}\,\frac{\sum_c (N_c - \hat R D_c)^2}{(\sum_c D_c)^2}",
        "Band: interval; dashed line: the target; dotted marks: releases; diamonds: windows that miss the target with "
        "their whole interval; bars: units. c runs over the units, or over their clusters where these are declared.",
        "What a unit comes to grows with the length of the window, so days, weeks and months have different levels. "
        "Who comes changes too: a metric can move because other people came. Why it moved is for an experiment to say.",
    ),
    "outcome_quality": Explanation(
        "Quality on the same days",
        "A metric of the model on the windows of the chart above.",
        None,
        "Two lines that turn on the same day are a hint at what moved the metric. The bars count labelled rows.",
        "That both moved is no proof that one moved the other.",
    ),
    "outcome_table": Explanation(
        "All metrics",
        "The newest whole window of every metric of the project file, and whether its days moved in the chosen time.",
        None,
        "Moved: a jump on a day, a slow trend, or the weekdays only; before and since are levels of an average "
        "weekday. p-values are corrected over the metrics. A click on a line draws that metric.",
        "It looks for one change; several show as the largest.",
    ),
}
