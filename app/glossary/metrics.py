"""Every metric of the contract."""

from __future__ import annotations

from app.glossary.base import Explanation

RANKING = {
    "roc_auc": Explanation(
        "ROC AUC",
        "The chance that a row drawn from the positives has a higher score than a row drawn from the "
        "negatives; ties count half.",
        r"\mathrm{AUC} = P(s^+ > s^-) + \tfrac12 P(s^+ = s^-)",
        "0.5 is a coin, 1 is a perfect order. It moves when the order of scores gets better or worse.",
        "Nothing about the level of the scores: a model whose probabilities are all far too low keeps its "
        "AUC. "
        "With few positives a high AUC can still mean that most alarms are false; look at precision-recall "
        "then.",
    ),
    "average_precision": Explanation(
        "Average precision",
        "The mean of precision over all thresholds, each weighted by the recall it adds.",
        r"\mathrm{AP} = \sum_k (R_k - R_{k-1})\, P_k",
        "Compare it with the share of positives: that is what random scores would get.",
        "Two windows with different shares of positives cannot be compared by it alone.",
    ),
    "roc_auc_macro": Explanation(
        "ROC AUC, mean over classes",
        "The unweighted mean of each class's AUC against all others, over the classes that are present.",
        r"\frac{1}{K} \sum_k \mathrm{AUC}_k",
        "As ROC AUC; every class counts the same, however rare.",
        "Which class is weak: choose one class to see.",
    ),
    "top_2_accuracy": Explanation(
        "Top-2 accuracy",
        "The share of rows whose true class is among the two with the highest scores.",
        r"\frac1n \sum_i \mathbf{1}\{y_i \in \mathrm{top}_2(s_i)\}",
        "Near 100% while accuracy is low: the model hesitates between two classes and usually has the right "
        "one.",
        "Whether the decision that was taken was right.",
        "share",
    ),
}

PROBABILITY = {
    "log_loss": Explanation(
        "Log loss",
        "The mean surprise at the labels under the predicted probabilities, with the natural logarithm.",
        r"-\frac1n \sum_i y_i \ln p_i + (1 - y_i) \ln (1 - p_i)",
        "Lower is better. Always predicting the share of positives gives the entropy of that share; "
        "0.693 is a coin for two equally frequent classes.",
        "Why it is high: the order of the scores, their level, or a few rows with great confidence and a "
        "wrong label. "
        "One sure and wrong prediction can weigh as much as a hundred good ones.",
    ),
    "brier_score": Explanation(
        "Brier score",
        "The mean squared distance between predicted probability and label; with several classes, summed "
        "over them.",
        r"\frac1n \sum_i (p_i - y_i)^2",
        "Lower is better. Always predicting the share of positives q gives q(1 - q).",
        "Whether order or level is at fault. It depends on the share of positives, so compare like with "
        "like.",
    ),
    "expected_calibration_error": Explanation(
        "Calibration error",
        "How far mean score and mean label lie apart, averaged over ten score bins of equal width "
        "(several classes: for the class with the highest score).",
        r"\mathrm{ECE} = \sum_b \frac{n_b}{n} \left| \bar p_b - \bar y_b \right|",
        "0.05 means that a predicted probability is off by 5 points on average. Compare it with the noise "
        "floor: "
        "what a perfectly calibrated model would show at this n.",
        "Anything about the order of scores: predicting the share of positives for every row is perfectly "
        "calibrated. "
        "Errors within a bin that cancel are not seen.",
    ),
    "mean_score": Explanation(
        "Mean score",
        "The mean predicted probability.",
        r"\frac1n \sum_i p_i",
        "Compare it with the share of positives: in a calibrated model they agree.",
        "It needs no labels and says nothing about being right.",
        "share",
    ),
    "prevalence": Explanation(
        "Share of positives",
        "The share of labelled rows whose label is the positive class.",
        r"\frac1n \sum_i y_i",
        "What happens in the world, whatever the model says. Many metrics move with it.",
        "Anything about the model. While labels still arrive it can be off: fast labels are seldom typical "
        "ones.",
        "share",
    ),
}

DECISIONS = {
    "accuracy": Explanation(
        "Accuracy", "The share of decisions that were right.", r"\frac{TP + TN}{n}",
        "Compare it with always deciding for the most frequent class.",
        "With 1% positives, never raising an alarm is 99% accurate.", "share",
    ),
    "balanced_accuracy": Explanation(
        "Balanced accuracy", "The mean, over the true classes, of the share decided rightly.",
        r"\frac12 \left( \frac{TP}{TP + FN} + \frac{TN}{TN + FP} \right)",
        "50% is a coin for two classes, whatever their shares.",
        "How many of the alarms are false.", "share",
    ),
    "precision": Explanation(
        "Precision", "Of the rows decided positive, the share that are.", r"\frac{TP}{TP + FP}",
        "How far an alarm can be trusted. Undefined where nothing was decided positive.",
        "How much was missed. It falls when positives get rarer, even if the model is the same.", "share",
    ),
    "recall": Explanation(
        "Recall", "Of the true positives, the share that were decided so.", r"\frac{TP}{TP + FN}",
        "How much of what matters is caught. Undefined where there are no positives.",
        "How many false alarms that took.", "share",
    ),
    "specificity": Explanation(
        "Specificity", "Of the true negatives, the share that were decided so.", r"\frac{TN}{TN + FP}",
        "1 minus the false alarm rate.", "Whether anything was caught at all.", "share",
    ),
    "f1": Explanation(
        "F1", "The harmonic mean of precision and recall.", r"\frac{2\,TP}{2\,TP + FP + FN}",
        "High only if both are.", "Which of the two is low. True negatives do not count.", "share",
    ),
    "matthews_corrcoef": Explanation(
        "Matthews correlation", "The correlation of decision and label over the confusion table.",
        r"\frac{TP \cdot TN - FP \cdot FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}",
        "1 is perfect, 0 is no better than chance, below 0 is worse.",
        "What kind of error dominates.",
    ),
    "decision_rate": Explanation(
        "Share decided positive", "The share of rows that were decided positive.", r"\frac{TP + FP}{n}",
        "How much work the model makes. A jump is felt by users before any label arrives.",
        "Whether those decisions were right.", "share",
    ),
    "cost": Explanation(
        "Earned per decision",
        "The mean of what a decision earns (positive) or costs (negative), as the project file declares it.",
        r"\frac1n \sum_i c(y_i, d_i)",
        "Higher is better. Multiply by the number of rows for the sum.",
        "Anything the declared amounts leave out.",
    ),
    "precision_macro": Explanation(
        "Precision, mean over classes", "The unweighted mean of each class's precision.",
        r"\frac1K \sum_k P_k", "Every class counts the same, however rare.",
        "Which class is weak. Undefined where a class was never decided for.", "share",
    ),
    "recall_macro": Explanation(
        "Recall, mean over classes", "The unweighted mean of each class's recall.",
        r"\frac1K \sum_k R_k", "Every class counts the same, however rare.", "Which class is weak.", "share",
    ),
    "f1_macro": Explanation(
        "F1, mean over classes", "The unweighted mean of each class's F1.",
        r"\frac1K \sum_k F_{1,k}", "Every class counts the same, however rare.", "Which class is weak.",
        "share",
    ),
}  # fmt: skip

REGRESSION = {
    "mean_absolute_error": Explanation(
        "Mean absolute error", "The mean distance between prediction and label.",
        r"\frac1n \sum_i |\hat y_i - y_i|", "In the unit of the label; lower is better.",
        "Whether errors go one way; look at the mean error.", "label",
    ),
    "root_mean_squared_error": Explanation(
        "Root mean squared error",
        "The square root of the mean squared distance between prediction and label.",
        r"\sqrt{\tfrac1n \sum_i (\hat y_i - y_i)^2}", "In the unit of the label; large errors weigh most.",
        "Whether many rows are a little off or a few rows a lot; compare it with the mean absolute error.",
        "label",
    ),
    "mean_squared_error": Explanation(
        "Mean squared error", "The mean squared distance between prediction and label.",
        r"\frac1n \sum_i (\hat y_i - y_i)^2", "Lower is better; in the squared unit of the label.",
        "Whether many rows are a little off or a few rows a lot.", "number",
    ),
    "mean_error": Explanation(
        "Mean error", "The mean of prediction minus label.", r"\frac1n \sum_i (\hat y_i - y_i)",
        "Above 0 the model predicts too much, below 0 too little; near 0 is good.",
        "How large single errors are: they may cancel.", "label",
    ),
    "mean_absolute_percentage_error": Explanation(
        "Mean absolute percentage error",
        "The mean distance between prediction and label, as a share of the label.",
        r"\frac1n \sum_i \left| \frac{\hat y_i - y_i}{y_i} \right|", "Lower is better.",
        "Rows with label 0 are left out, and small labels weigh most.", "share",
    ),
    "r2": Explanation(
        "R squared", "The share of the label's variance that the predictions explain.",
        r"1 - \frac{\sum_i (\hat y_i - y_i)^2}{\sum_i (y_i - \bar y)^2}",
        "1 is perfect; 0 is no better than always predicting the mean; below 0 is worse than that.",
        "How large errors are in the unit of the label. It falls when labels vary less, even if errors stay "
        "the same.",
    ),
    "median_absolute_error": Explanation(
        "Median absolute error", "Half of the rows are closer to their label than this.",
        r"\operatorname{median}_i |\hat y_i - y_i|", "In the unit of the label; lower is better.",
        "Anything about the worst half.", "label",
    ),
    "mean_label": Explanation(
        "Mean label", "The mean of the true values.", r"\frac1n \sum_i y_i",
        "What happens in the world, whatever the model says.", "Anything about the model.", "label",
    ),
    "mean_prediction": Explanation(
        "Mean prediction", "The mean of the predicted values.", r"\frac1n \sum_i \hat y_i",
        "Compare it with the mean label.", "It needs no labels and says nothing about being right.", "label",
    ),
}  # fmt: skip

SERVICE = {
    "request_rate": Explanation(
        "Requests per second", "Predictions logged per second.", r"\frac{n}{\text{seconds}}",
        "How much work arrives.", "Whether a fall is less demand or lost logs."),
    "error_rate": Explanation(
        "Failed requests", "The share of requests whose status is not among the good ones.",
        r"\frac{n_\text{failed}}{n}", "Lower is better.", "Requests that never reached the log.", "share"),
    **{
        f"latency_p{rank}": Explanation(
            f"Latency, {rank}th percentile", f"{rank}% of the requests were answered within this time.",
            rf"Q_{{{rank / 100:g}}}(t)", "Lower is better.", "What the slowest requests took.")
        for rank in (50, 95, 99)
    },
    "mean_latency": Explanation(
        "Mean latency", "The mean time an answer took, in the logs' own unit.", r"\frac1n \sum_i t_i",
        "Lower is better. What slices are compared by: means of slices add up to the mean of all rows.",
        "What the slowest requests took."),
    "label_coverage": Explanation(
        "Label coverage", "The share of predictions that have a label by now.",
        r"\frac{n_\text{labelled}}{n}",
        "While it is below what is expected by this age, labels are still arriving and quality may change.",
        "Whether the labelled rows are like the others.", "share"),
    "label_delay_p50": Explanation(
        "Label delay", "Half of the labels arrived within this time after the prediction.", r"Q_{0.5}(t)",
        "How long to wait before quality can be judged.", "Labels that never came.", "seconds"),
}  # fmt: skip

METRICS: dict[str, Explanation] = {**RANKING, **PROBABILITY, **DECISIONS, **REGRESSION, **SERVICE}
