"""How to read each chart."""

from __future__ import annotations

from app.glossary.base import Explanation

CHARTS: dict[str, Explanation] = {
    "metric_over_time": Explanation(
        "Over time",
        "One point a window and version, with its 95% interval as a band; under it how many labelled rows "
        "each rests on.",
        None,
        "Grey: the reference with its interval. Dotted: a release. Hatched, hollow point: labels are still "
        "arriving. "
        "A gap: nothing can be said, and the point's reason stands in the table.",
        "Two overlapping bands do not prove that nothing changed; the sentence above the chart tests the "
        "difference.",
    ),
    "score_histogram": Explanation(
        "Scores by label",
        "For each label, which share of its rows has a score in the bin.",
        None,
        "The less the colours overlap, the better the model separates. Each label sums to 100%, however "
        "rare it is.",
        "How many rows there are of each label; hover for counts.",
    ),
    "roc_curve": Explanation(
        "ROC curve",
        "What share of the positives is caught against what share of the negatives raises a false alarm, "
        "for every threshold. The diamond is where the logged decisions stand.",
        r"\left( \frac{FP}{FP + TN},\ \frac{TP}{TP + FN} \right)",
        "Up and left is better. The dotted diagonal is a coin.",
        "How many alarms are false when positives are rare; see precision-recall.",
    ),
    "precision_recall_curve": Explanation(
        "Precision and recall",
        "For every threshold, what share of the alarms is right against what share of the positives is "
        "caught. "
        "The diamond is where the logged decisions stand.",
        r"\left( \frac{TP}{TP + FN},\ \frac{TP}{TP + FP} \right)",
        "Up and right is better. The dotted line is the share of positives: what random alarms would reach.",
        "Windows with different shares of positives cannot be compared by eye.",
    ),
    "confusion_matrix": Explanation(
        "Confusion table",
        "Rows are the true class, columns the decision; each cell says how many rows and what share of its "
        "true class.",
        None,
        "The darker the diagonal, the better. Click a cell to see its rows.",
        "Which errors cost most. Shares of a rare class rest on few rows.",
    ),
    "top_confused_pairs": Explanation(
        "Most confused pairs",
        "The most frequent wrong decisions: true class, then decided class.",
        None,
        "Longest first. The share is of the true class.",
        "Whether a confusion is worse than chance for classes this frequent.",
    ),
    "reliability_diagram": Explanation(
        "Calibration",
        "For each score bin, the share of positives that came true against the mean predicted probability, "
        "with its 95% interval; under it the number of rows.",
        r"\left( \bar p_b,\ \bar y_b \right)",
        "On the dotted diagonal a probability means what it says. Below it the model promises too much, "
        "above it too little.",
        "Anything about the order of the scores. Bins with few rows wander by chance: mind their intervals.",
    ),
    "predicted_against_true": Explanation(
        "Predicted against true",
        "How many rows have which true and predicted value.",
        None,
        "On the dotted diagonal the prediction is right; above it too high.",
        "Rows beyond the outermost bins are drawn in them.",
    ),
    "residuals": Explanation(
        "Errors",
        "The distribution of prediction minus true value.",
        r"\hat y - y",
        "Centred on 0 and narrow is good. A long tail to the left: large values that the model did not see "
        "coming.",
        "For which rows the errors are large; see segments.",
    ),
    "drift_heatmap": Explanation(
        "Drift by feature and window",
        "The share of rows that moved against the reference (total variation), one cell a feature and "
        "window.",
        r"\tfrac12 \sum_b |q_b - p_b|",
        "Darker is more in light mode, brighter in dark. A diamond marks what is called drifted: beyond "
        "chance and "
        "beyond the tolerance. Grey: cannot be said. Most drifted features first.",
        "Whether quality suffered. A pale cell without a diamond may be noise.",
    ),
    "reference_against_window": Explanation(
        "Reference against window",
        "The feature's distribution then (grey) and now.",
        None,
        "Numbers: the height is the share of rows per unit, so areas compare; open ends are hatched. "
        "Missing, infinite, unseen and single frequent values stand apart as shares.",
        "How values spread inside one bin.",
    ),
    "feature_over_time": Explanation(
        "One feature over time",
        "The population stability index of each window, and the noise floor: what chance alone stays below "
        "in 95 of "
        "100 windows of that size.",
        r"\sum_b (q_b - p_b) \ln \frac{q_b}{p_b}",
        "Above the grey area it is more than chance for this feature alone; a diamond marks what is called "
        "drifted "
        "after correction for all features.",
        "Whether the model minds.",
    ),
    "forest": Explanation(
        "Segments",
        "The metric inside each slice with its 95% interval, against all other rows of the same version "
        "(the bar |).",
        None,
        "Worst for the whole first: how much would be won if the slice did as well as the rest. A red "
        "diamond is worse "
        "than the rest, a triangle better, after correction for all slices looked at.",
        "Why. A slice can be hard for any model; and slices overlap, so their effects do not add up.",
    ),
    "small_metric": Explanation(
        "Trend", "The metric in the last windows with its interval.", None,
        "The dot is the newest window.", "The level: scales differ from model to model.",
    ),
}  # fmt: skip
