"""What the section Calibration shows and what it does not say."""

from __future__ import annotations

from app.glossary.base import Explanation

CALIBRATION: dict[str, Explanation] = {
    "mean_squared_error": Explanation(
        "Mean squared error",
        "The mean of the squared differences between prediction and true value.",
        r"\frac{1}{n} \sum (\hat y - y)^2",
        "Lower is better; in the square of the label's unit.",
        "Few large errors decide it.",
    ),
    "calibration_over_time": Explanation(
        "Promised against what came true",
        "Mean score minus the share that came true, for each window and version, with its 95% interval. For a "
        "regression: mean prediction minus mean label.",
        r"\bar s - \bar y",
        "Above 0 the model promises too much, below too little. A red diamond is a window whose test fails after "
        "correction over all that is shown (Benjamini-Hochberg) by more than a percentage point: of those marked about "
        "one in twenty is none. Days and units that differ more than rows widen the interval; a window of fewer than "
        "ten days borrows the spread of days from the other windows.",
        "Errors that cancel within the window: see the calibration curve. A day that is off by chance like any other "
        "day is no fault of the scores: what is tested is whether they are right on average over days.",
    ),
    "calibration_by_segment": Explanation(
        "By segment",
        "Mean score minus the share that came true, for each value of the segment, with its 95% interval; largest "
        "first.",
        r"\bar s_g - \bar y_g",
        "Red diamonds are off beyond chance (p-values corrected over all values). "
        "Scores that are right over all and wrong in "
        "segments promise some too much at the cost of others.",
        "Why. Segments of few rows have wide intervals, not right scores.",
    ),
    "spiegelhalter": Explanation(
        "Spiegelhalter's test",
        "Compares the Brier score with what the scores themselves expect it to be. Its variance counts rows, units and "
        "days; the largest decides.",
        r"z = \frac{\sum w (y - s)(1 - 2 s)}{\sqrt{\hat V}}",
        "A small p-value: the scores are not probabilities. Corrected over everything that was tested together.",
        "How wrong they are: with many rows a small error is sure. The calibration error says how large.",
    ),
    "calibration_slope": Explanation(
        "Calibration slope",
        "The slope of the line that best maps the logit of the score to the logit of the probability (Cox 1958); for a "
        "regression that of the label on the prediction.",
        r"\operatorname{logit} P(y = 1) = a + b \operatorname{logit} s",
        "1 is right. Below 1 the scores lie too far apart: high ones are too high and low ones too low. Above 1 they "
        "are too cautious.",
        "Bends that no line has. Rows with scores of 0 or 1 count as a millionth from it.",
    ),
    "recalibration": Explanation(
        "What recalibration would bring",
        "Maps from logged scores to better ones. The window is cut into six stretches of time; each map is fitted to "
        "all stretches before and judged on the next, so no day is in both. The curves are "
        "fitted to all mature labels.",
        None,
        "Off the diagonal, scores need to be moved. A gain counts only where its adjusted p-value is under .05. The "
        "logistic map has two numbers and bends little; the isotonic one follows any curve that rises, and needs more "
        "rows.",
        "That the future will be like the past: where what is off changes with the season, a map comes too late, and "
        "the table shows it. No map changes the order of the scores, so AUC stays as it is.",
    ),
    "mix": Explanation(
        "How often predicted, how often true",
        "For each class the share of rows that were predicted to be it, the share that its mean score expects, and the "
        "share that it came to, all over the same labelled rows.",
        None,
        "A diamond away from the bar: the class is predicted more or less often than it comes. That may be meant: a "
        "threshold that catches a rare class predicts it too often. The mean score has no "
        "such excuse. For a regression "
        "the tenths of the true values take the place of classes: too few predictions in the outer ones mean that the "
        "model does not dare.",
        "Whether the right rows are predicted; see the confusion table.",
    ),
    "baselines": Explanation(
        "Beside rules that know nothing",
        "The metric of the model and of two rules on the same rows: one answer for all (the best one, known only "
        "afterwards) and the unit's last label that was known at the time of the prediction.",
        None,
        "A model that does not beat these has learnt nothing that this metric sees. Intervals are of the difference on "
        "the same rows, by days or units where these differ more than rows.",
        "A constant that maximises accuracy never finds a rare class; a model that loses to it on accuracy may still "
        "earn more.",
    ),
    "decile_chart": Explanation(
        "By tenth of the prediction",
        "Rows are cut into ten equal parts by their prediction; each point is the mean label against the mean "
        "prediction of its part, with its 95% interval.",
        None,
        "On the dotted line the predictions are right on average. Flatter: they reach too far. Steeper: they do not "
        "reach far enough.",
        "How far single rows lie off; see the errors beside.",
    ),
    "residual_deciles": Explanation(
        "Errors by tenth of the prediction",
        "Prediction minus true value: the box holds the middle half of the rows, the whiskers 90% of them.",
        r"\hat y - y",
        "Boxes around 0 and equally long are what a good model has. Longer to one side: rare "
        "values that the model does "
        "not see coming.",
        "These are shares of rows, not intervals of a mean.",
    ),
}
