"""How to read what the Labels page shows."""

from __future__ import annotations

from app.glossary.base import Explanation

LABELS: dict[str, Explanation] = {
    "label_counts": Explanation(
        "Predictions with a label",
        "The share of each window's predictions that have a label by now, with its 95% interval. The grey line is the "
        "share expected by now, learned from how long the labels of earlier predictions took (never from the window "
        "itself, and not from declared outages).",
        r"E = \frac{\sum_i w_i\, \hat F(\text{age}_i)}{\sum_i w_i}",
        "Below the grey line: fewer labels than usual have come. Hatched: labels still arrive, so a low share is "
        "normal. A diamond: beyond chance, corrected over all windows on screen, and by more than 2 points.",
        "Why labels are missing: a cancelled flight never gets one, a feed may have stopped.",
        "share",
    ),
    "label_delay": Explanation(
        "How long labels take",
        "The share of predictions that have a label so long after the prediction. Predictions too young to have one "
        "yet count for as long as they were followed (Kaplan-Meier), so the newest days do not pull the curve down.",
        r"\hat F(t) = 1 - \prod_{b \le t} \left(1 - \frac{\text{arrived}_b}{\text{followed and without}_b}\right)",
        "Where the curve becomes flat, whatever is missing never comes. The dotted line is that height.",
        "That later labels are like early ones; the sentence below the chart looks at that.",
        "share",
    ),
    "label_selection": Explanation(
        "Who gets a label",
        "Coverage by decision and by score, of predictions old enough for 95% of their labels to have come.",
        None,
        "All alike: the labelled rows are a fair picture of all rows, as far as score and decision go. A diamond "
        "differs from the rest beyond chance (corrected) and by more than 5 points.",
        "Whether labelled and unlabelled rows of the same score are alike.",
        "share",
    ),
    "label_weighted": Explanation(
        "As labels came, and weighted",
        "A metric from the labels that came, and the same with each label divided by the probability that it had come "
        "by now, so that quick labels do not stand for slow ones. That probability is learned from earlier "
        "predictions, for each decision and each label apart.",
        r"w_i' = \frac{w_i}{\max(\hat F(\text{age}_i) / \hat F(\infty),\ 0.2)}",
        "Where both lines part, labels that come late differ from those that come early. Mature windows need no "
        "weights. The grey band spans what the metric could be, were every missing label the worst, or the best.",
        "Anything on labels that never come, and on a feed that behaves differently than it did.",
    ),
    "label_changes": Explanation(
        "Labels that contradict earlier ones",
        "The share of the labels that came in each window which say something else than the one before about the same "
        "prediction.",
        None,
        "The newest label counts. A rise means that labels are corrected more often: what is known now will change.",
        "Which of the two is right.",
        "share",
    ),
    "label_sources": Explanation(
        "Sources of labels",
        "Every source against the most trusted one, on predictions that both labelled: how often they agree, and how "
        "much of that is more than chance (kappa).",
        r"\kappa = \frac{p_o - p_e}{1 - p_e}",
        "1 is perfect agreement, 0 is what chance would give.",
        "Which source is right where they differ; that is what the order of trust in the project file says.",
    ),
    "label_feed": Explanation(
        "Is the feed alive?",
        "Labels expected since the newest one, had nothing changed, and the probability that none came. The feed is "
        "called silent below 1 in 1,000, and only after half as long again as 95% of days are ever silent.",
        r"p = \exp(-\Lambda / \varphi)",
        "Labels of one day come or stay away together, which the factor under the fraction allows for.",
        "Whether labels that do come are right.",
    ),
}
