"""How to read what features are like."""

from __future__ import annotations

from app.glossary.base import Explanation

FEATURES: dict[str, Explanation] = {
    "feature_spread": Explanation(
        "Over time",
        "The median (line), the middle 90% of the rows (band, from the 5% to the 95% quantile) and the mean (dashed) "
        "with its 95% interval of each window; under it the share of rows without a value.",
        r"\bar x = \frac{\sum_i w_i x_i}{\sum_i w_i}",
        "Grey: the middle 90% and the median of the reference. Quantiles are values that were logged, never "
        "interpolated. A wide band is spread between rows, not doubt; doubt is the narrow band around the mean, which "
        "takes days and units as belonging together.",
        "Whether a change is beyond chance: the sentence above tests that, on the whole distribution.",
    ),
    "feature_values": Explanation(
        "Over time",
        "Which share of the rows of each window has each of the five most frequent values; the others are counted "
        "together, missing ones apart.",
        None,
        "Equal heights over time: nothing changed. The five are the most frequent over all windows shown.",
        "What happens inside the other values; the table behind the chart has them.",
    ),
    "feature_by_group": Explanation(
        "By group",
        "The distribution of the feature among the rows of each group: each label, each decision, or right and wrong. "
        "In a regression: rows with an error up to the median of the window, and above it.",
        None,
        "Each group sums to 100%, however small. Where the lines part, the feature tells the groups apart. Bins hold "
        "about 5% of all rows of the version each; rows without a label are left out here and counted in the table.",
        "Why. A feature that differs between right and wrong need not cause the errors. No test is made here.",
    ),
    "feature_table": Explanation(
        "All features",
        "Every feature, the score, the decision and the label over the whole window: share missing, mean with its 95% "
        "interval, spread, quantiles, the most frequent value.",
        None,
        "The label's rows are those that have one. Shares are of all rows.",
        "How they go together: each line is one feature alone.",
    ),
}
