"""The statistics of drift."""

from __future__ import annotations

from app.glossary.base import Explanation

DRIFT: dict[str, Explanation] = {
    "total_variation": Explanation(
        "Share moved",
        "The share of rows that would have to change bin to give the window the distribution of the "
        "reference "
        "(total variation), missing and unseen values included.",
        r"\mathrm{TV} = \tfrac12 \sum_b |q_b - p_b|",
        "0% is the same, 100% has nothing in common. Some of it is noise: the fewer rows, the more.",
        "Whether the model minds, and how far values moved inside a bin.",
        "share",
    ),
    "psi": Explanation(
        "Population stability index",
        "A symmetric distance of two histograms on ten reference quantile bins; an empty bin counts as "
        "0.0001.",
        r"\mathrm{PSI} = \sum_b (q_b - p_b) \ln \frac{q_b}{p_b}",
        "Compare it with its noise floor, not with fixed limits: with few rows even an unchanged feature "
        "passes 0.1.",
        "Whether the model minds. An empty bin can dominate it.",
    ),
    "noise_floor": Explanation(
        "Noise floor",
        "What the population stability index stays below in 95 of 100 windows of this size if nothing has "
        "changed.",
        None,
        "A value above it is unlikely to be chance for one feature looked at once.",
        "Anything about many features at once; that is what the adjusted p-value is for.",
    ),
    "js_distance": Explanation(
        "Jensen-Shannon distance",
        "The square root of the mean divergence, in bits, of both histograms from their average.",
        r"\sqrt{\tfrac12 \mathrm{KL}(p \,\|\, m) + \tfrac12 \mathrm{KL}(q \,\|\, m)},"
        r" \quad m = \tfrac12 (p + q)",
        "0 is the same, 1 has nothing in common.",
        "How far values moved: a shift by one bin and one by ten look alike.",
    ),
    "ks": Explanation(
        "Largest gap",
        "The largest gap between the two distribution functions at the bin edges, over values that are "
        "present "
        "(Kolmogorov-Smirnov).",
        r"\max_e |F_q(e) - F_p(e)|",
        "The true value lies between this and the bound beside it.",
        "It is reported, not tested.",
        "share",
    ),
    "ks_bound": Explanation(
        "Bound of the largest gap", "How large the gap could be between bin edges.", None,
        "Near the gap itself: the bins lost nothing.", "Anything on its own.", "share",
    ),
    "wasserstein": Explanation(
        "Mean distance moved",
        "How far values would have to move on average to give the reference's distribution (Wasserstein), "
        "in the feature's unit.",
        r"\int |F_q(x) - F_p(x)|\, dx",
        "The only one of these numbers in plain units: degrees, minutes, miles.",
        "Missing and infinite values, which have no distance.",
        "label",
    ),
    "p_adjusted": Explanation(
        "Adjusted p-value",
        "How surprising this much difference would be if nothing had changed, corrected for all features, "
        "score, decision and label of the same window and version (Benjamini-Hochberg).",
        None,
        "Of the features called drifted, about 1 in 20 is expected to be a false alarm.",
        "How large a change is: with many rows a tiny one is not surprising. "
        "That is why a share moved beyond the tolerance is asked for as well.",
    ),
    "tolerance": Explanation(
        "Tolerance",
        "The share moved, beyond what chance gives, that the project file calls too much. Declared as a shift of so "
        "many standard deviations or quantiles, it is the share that such a shift of the reference itself would move.",
        None,
        "A change below it is never called drift.",
        "Whether the model would mind a smaller one.",
        "share",
    ),
    "shift_sd": Explanation(
        "Shift in standard deviations",
        "The mean of the window less that of the reference, in standard deviations of the reference; values that are "
        "there and finite.",
        r"\frac{\bar{x}_\text{window} - \bar{x}_\text{reference}}{s_\text{reference}}",
        "0.2 is small, 0.8 is large. Its sign says which way.",
        "Changes of spread or shape. With a heavy tail a few rows decide it: look at the shift in quantiles.",
    ),
    "shift_quantiles": Explanation(
        "Shift in quantiles",
        "How much higher in the reference a value of the window stands on average than a value of the reference does.",
        r"P(\text{window} > \text{reference}) + \tfrac12 P(\text{equal}) - \tfrac12",
        "0.1: a typical value of the window stands at the 60th percentile of the reference. 0.5 is the most there is.",
        "Changes of spread. Values of one bin count as equal.",
    ),
    "p_beyond_tolerance": Explanation(
        "Chance of so much if tolerated",
        "How surprising this much difference would be if the feature had shifted by just what is tolerated "
        "(non-central chi-squared with these rows and bins, and never less than a test of the share moved).",
        r"P\left(\chi^2_{B-1}(\lambda) > X^2\right)",
        "Below 0.05: surely more than tolerated, not only more than nothing.",
        "That a larger value is fine: with few rows even a large shift cannot be told from a tolerated one.",
    ),
    "missing_rate": Explanation(
        "Missing", "The share of rows without a value (null or not a number).", r"\frac{n_\text{missing}}{n}",
        "A jump usually means that a feed is broken.", "Values that are there and wrong.", "share",
    ),
    "unseen_rate": Explanation(
        "Unseen", "The share of rows with a category that the reference does not hold.",
        r"\frac{n_\text{unseen}}{n}",
        "The model was not trained on these.", "Whether it does well on them nevertheless.", "share",
    ),
    "drifted": Explanation(
        "Drifted",
        "Both hold: the adjusted p-value is below 0.05, and the share moved exceeds its mean under no "
        "change by the "
        "tolerance (or missing or unseen values rose by theirs).",
        None,
        "Surprising and large enough to matter. Neither alone is an alarm.",
        "That quality fell. Look at quality of the same window.",
    ),
}  # fmt: skip
