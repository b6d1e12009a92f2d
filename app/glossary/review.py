"""What is shown of error models and of reviewed rows."""

from __future__ import annotations

from app.glossary.base import Explanation

REVIEW: dict[str, Explanation] = {
    "error_filter": Explanation(
        "What a filter would catch",
        "Rows are put in the order of how likely the model is wrong on them, and the first so many are refused: sent "
        "to a person, or to a slower model. The curve says which share of all wrong rows is among them.",
        "caught = weight of wrong rows refused / weight of wrong rows",
        "Far above the diagonal is good. Where both curves lie on each other, the error model brings nothing over the "
        "score, and a filter by the score costs nothing.",
        "What the refused rows cost elsewhere, and whether a person would get them right.",
    ),
    "error_carriers": Explanation(
        "What carries the error model",
        "By how much the area under the curve falls where the values of one column are shuffled among the rows of the "
        "same days, out of fold.",
        "importance = AUC - AUC with the column shuffled",
        "A long bar whose whiskers do not reach 0: mistakes differ by this column. Columns that say the same share "
        "what they carry, so both may look small.",
        "That the column causes mistakes.",
    ),
    "error_calibration": Explanation(
        "Do its chances hold?",
        "Rows by tenth of their chance of being wrong, by the error model, against the share that was wrong. Every row "
        "is judged by a fit that did not see its days.",
        None,
        "On the diagonal the chances can be taken at their word. Flatter than it: the error model is too sure.",
        "Anything about days that are unlike those it has seen.",
    ),
    "reviewed": Explanation(
        "What the labels say of all rows",
        "Every metric over all rows the queue was drawn from, estimated from the labelled ones. A row that was drawn "
        "with chance .01 stands for a hundred.",
        "sum(y / chance) / sum(1 / chance) (Hájek)",
        "The weighted value is the one to report. Where it is far from the unweighted one, the queue held mostly rows "
        "that stand out, as it should.",
        "What rows people left to others would have said, if they leave the hard ones.",
    ),
    "agreement": Explanation(
        "Agreement of people",
        "How often two people give the same label, and Cohen's kappa: that share beyond what chance gives when each "
        "keeps their own habits.",
        "kappa = (agreement - by chance) / (1 - by chance)",
        "1 is complete agreement, 0 is chance. Where people do not agree, no model can be told right from wrong: "
        "mend the question first.",
        "Who is right.",
    ),
}
