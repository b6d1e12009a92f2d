"""What the section Decisions shows and what it does not say."""

from __future__ import annotations

from app.glossary.base import Explanation

DECISIONS: dict[str, Explanation] = {
    "best_threshold": Explanation(
        "Value by threshold",
        "What calling positive from each score upwards would have given on the labelled rows of the "
        "window. The star is "
        "the best for the chosen goal, the diamond the decisions as they were taken, the bar along "
        "the bottom where the "
        "best threshold may lie.",
        r"\hat t = \arg\max_t \frac{\sum_i w_i\, c(y_i, [s_i \ge t])}{\sum_i w_i}",
        "A flat top means that the exact threshold hardly matters. What the best threshold is worth "
        "is read from rows that "
        "did not choose it (ten stretches of days, each judged by the threshold of the other nine), "
        "so the star's tile may "
        "say less than the curve. Its interval holds both, by days or units where these differ more "
        "than rows.",
        "What would happen to rows whose label depends on the decision: who is called may get "
        "another label for it. And "
        "costs that are not in the project file.",
    ),
    "threshold_segments": Explanation(
        "By segment",
        "The best threshold of every value of the segment and what it would gain over the decisions "
        "that were taken there.",
        None,
        "A gain is shown where its adjusted p-value is under .05 (Benjamini-Hochberg over the values "
        "of the segment): of "
        "those called a gain about one in twenty is none.",
        "Whether one threshold for each value is fair, or allowed, where the segment is a group of people.",
    ),
    "gain_chart": Explanation(
        "Reviewing the highest scores first",
        "The share of all positives found when the top share of the rows is reviewed; the diamond is "
        "a fixed number a day, "
        "the highest scores of each day.",
        r"\left( q,\ \frac{\#\{y = 1,\ s \ge t_q\}}{\#\{y = 1\}} \right), \quad \text{lift} = "
        r"\frac{\text{precision}}{\text{share of positives}}",
        "The dotted diagonal is a review in random order. The steeper the start, the more a small "
        "team finds.",
        "How many positives nobody has labelled: only labelled rows count as found.",
    ),
    "coverage_chart": Explanation(
        "Answering only what is sure",
        "Quality on the answered rows when the least sure ones are refused: the largest probability "
        "says how sure an "
        "answer is.",
        None,
        "Where the line rises (accuracy) or falls (log loss) quickly, refusing few rows helps much. "
        "The dotted line "
        "answers all.",
        "What becomes of the refused rows: somebody else must answer them, and they are the hard ones.",
    ),
}
