"""Gaps between groups, splits, and rows unlike the reference."""

from __future__ import annotations

from app.glossary.base import Explanation

POPULATIONS: dict[str, Explanation] = {
    "gaps": Explanation(
        "Gaps between groups",
        "How far the highest value of a segment lies above the lowest, luck taken out: among many small groups the "
        "extremes are extreme by luck too, so every value is first pulled towards all rows together by as much as its "
        "error explains.",
        r"\max_g \tilde\theta_g - \min_g \tilde\theta_g, \quad \tilde\theta_g = \theta + B_g (\theta_g - \theta)",
        "A red diamond: the groups differ beyond chance after correction. The interval holds for all pairs of groups "
        "at once. The table also has the gap as observed, luck included, and what 95 of 100 of these would stay under "
        "if all groups were alike.",
        "Whether a gap is unfair: groups may differ in what is to be predicted. Groups of under 20 labelled rows are "
        "left out.",
    ),
    "unlike_over_time": Explanation(
        "Rows unlike the reference",
        "The share of rows whose nearest reference rows lie farther away than those of 95% of the reference's own "
        "held-out rows. Distance: numbers by their place in the reference distribution, texts and gaps by whether they "
        "agree.",
        None,
        "Without any change 5% are expected (dotted). The band takes days as a whole. Hover to see which columns make "
        "rows unlike, and the loss on them.",
        "Whether the model fails there: compare the loss inside and outside. It is a sample; the table says how many "
        "rows.",
        "share",
    ),
    "split_dots": Explanation(
        "From training to production",
        "The metric on the rows the model was fitted to, on held-out rows, and in production, whole and cut into its "
        "first weeks and the rest.",
        None,
        "Worse on held-out rows than in training: overfitting. Worse in the first weeks of production than on the test "
        "set: the test set was unlike production. Worse later than in the first weeks: drift since.",
        "Seasons: training in winter and production in summer differ even for a perfect model.",
    ),
}
