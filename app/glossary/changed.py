"""What changed: the accounting of a change, its moment, and where it comes from."""

from __future__ import annotations

from app.glossary.base import Explanation

EXPLAIN: dict[str, Explanation] = {
    "explain_shift": Explanation(
        "Mix or model",
        "What the change would have been had only the rows changed (covariate shift: other inputs, the same model and "
        "world), and the rest (concept shift: other losses at the same inputs). The rows before are reweighted "
        "so that "
        "their features look like those after; a regression of the loss carries what weights alone would carry badly.",
        r"\underbrace{\sum_i \omega_i \ell_i - R_0}_{\text{mix}} + "
        r"\underbrace{R_1 - \sum_i \omega_i \ell_i}_{\text{model}}",
        "Bars that add up to the whole change, each with its interval. A mix part whose interval holds 0 is no "
        "evidence "
        "that the mix mattered.",
        "Only features that are logged are reweighted. Where rows after lie where there were hardly any before, "
        "nothing "
        "stands in for them and the split is not defined.",
    ),
    "explain_slices": Explanation(
        "Where it comes from",
        "Few slices that together make the change: values of segments, stretches of features and pairs of them that "
        "changed unlike all other rows. Each takes its rows away before the next is looked for, so one cause "
        "seen under "
        "two names stands there once. Their effects and that of everything else add up to the whole change.",
        r"(s_1 - s_0)\left(\tfrac{r_0 + r_1}{2} - \tfrac{R_0 + R_1}{2}\right) + (r_1 - r_0)\,\tfrac{s_0 + s_1}{2}",
        "The longest bar adds most to the change. Mix: the slice has grown or shrunk. Rate: its own value has "
        "changed. "
        "Click a bar for its worst rows.",
        "A slice is where it happens, not why. Slices are chosen by looking at all of them: the choice is "
        "corrected for "
        "that (Bonferroni), the intervals of the chosen ones are not.",
    ),
    "explain_onset": Explanation(
        "Since when",
        "The metric in steps as short as rows allow, with the moment from which its level was different and the "
        "moments "
        "that fit about as well. Times of day and weekdays are set equal.",
        r"\max_k \frac{\hat\delta_k^2}{\widehat{\mathrm{Var}}(\hat\delta_k)}, \quad "
        r"\{k : LR(\hat k) - LR(k) \le -2 \ln(1 - \sqrt{0.95})\}",
        "Vertical line: the moment; shaded: its interval. Dotted lines are releases, shaded columns declared "
        "faults and "
        "stretches without labels.",
        "It looks for one change up to the end of the window. What happened just before is a hint, no proof.",
    ),
    "explain_parts": Explanation(
        "Every part",
        "The whole change split over the values of one segment or the tenths of one feature: what the share of each "
        "did (mix) and what its own value did (rate).",
        r"\mathrm{mix}_k = (s_1 - s_0)\left(\tfrac{r_0 + r_1}{2} - \tfrac{R_0 + R_1}{2}\right), \quad "
        r"\mathrm{rate}_k = (r_1 - r_0)\,\tfrac{s_0 + s_1}{2}",
        "All rows of one segment add up to the whole change. A value that one side lacks takes the other side's "
        "value, "
        "so its effect is all mix.",
        "Each segment is an account of the same change: their effects must not be added over segments.",
    ),
    "mean_top_score": Explanation(
        "Mean largest score",
        "The mean of each row's largest class score: how sure the model says it is.",
        r"\frac{\sum_i w_i \max_k p_{ik}}{\sum_i w_i}",
        "A fall means that the model is less sure; whether it is right only labels can tell.",
        "A model may be sure and wrong.",
        "share",
    ),
}
