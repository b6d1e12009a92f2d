"""How units were put into arms, what is known of them from before, and for whom an effect is different."""

from __future__ import annotations

from app.glossary.base import Explanation

STRUCTURE: dict[str, Explanation] = {
    "segment_effects": Explanation(
        "Effect by segment",
        "One line a value of each declared segment: the effect among these units, by the same method as over all "
        "units. Grey: as observed, with its own interval. Dark: pulled towards what the values of the segment share. "
        "The dashed line is the effect over all units.",
        r"F = \frac{\sum_k w_k (d_k - \bar d)^2 / (K - 1)}"
        r"{1 + \frac{2 (K - 2)}{K^2 - 1} \sum_k \frac{(1 - w_k / W)^2}{f_k}},"
        r"\quad w_k = 1 / v_k",
        "Beside a segment's name stands the p-value of the same effect in all its values (Welch), corrected for the "
        "number of segments. A filled sign: this value differs from the others after correction for all values that "
        "were looked at.",
        "That an effect is absent where its interval holds 0: fewer units say less. Nor why it differs: segments were "
        "not randomised, so another property that goes with the segment may be behind it.",
    ),
    "shrunken_effect": Explanation(
        "Pulled together",
        "The largest of many noisy effects is large by luck, too. Each is moved towards what the values share by as "
        "much as its own error explains; how much effects truly differ is learned from all of them.",
        r"\hat\theta_k = \bar d + \Bigl(1 - \frac{K - 3}{K - 1}\,\frac{v_k}{v_k + \tau^2}\Bigr) (d_k - \bar d)",
        "Decide on these where the decision is about one value. With fewer than four values nothing can be learned "
        "and effects are left as they are.",
        "An unbiased estimate of one value taken alone: a value that truly stands out is pulled in, too.",
    ),
    "segment_family": Explanation(
        "Looked at many segments",
        "Every value that is compared may look different by chance. The sentence says how many were looked at, how "
        "many would look different if the effect were the same everywhere, how many do, and how many are left after "
        "correction.",
        r"E = m\,\alpha",
        "The correction is Holm's over all values of all segments and arms of the metric: one or more false ones in "
        "at most α of experiments. Of a segment with two values one comparison is counted.",
        "Anything about segments that were looked at elsewhere: a search outside of this page is not counted here.",
    ),
    "stratified": Explanation(
        "Within strata",
        "Where planned shares differ by stratum, or changed from phase to phase of a ramp, arms differ in who is in "
        "them. So arms are compared within each stratum (and phase), and the differences are combined with the units "
        "of both arms as weights.",
        r"\hat\Delta = \sum_h W_h\,(\bar y_{th} - \bar y_{ch}),\quad W_h = n_h / n,\quad "
        r"\mathrm{var} = \sum_h W_h^2 \Bigl( \frac{s_{th}^2}{n_{th}} + \frac{s_{ch}^2}{n_{ch}} \Bigr)",
        "This is what badge and verdict stand on; the pooled difference stands beside it. Where both part, the pooled "
        "one mixes strata of which the arms have unequal parts (Simpson's paradox).",
        "The effect in another mix of strata. Strata where an arm has fewer than two units are left out.",
    ),
    "paired": Explanation(
        "Pairs",
        "Units come in pairs, one in each arm: matched, or the same one before and after. What differs between pairs "
        "is the same for both arms, so the differences within pairs are compared with 0.",
        r"t = \frac{\bar d}{s_d / \sqrt{n}},\qquad z = \frac{b - c}{\sqrt{b + c}}",
        "Means and ratios by Student's t on the differences, shares by McNemar's score with Tango's interval. Units "
        "without a partner do not enter, and are counted.",
        "Before and after are no experiment: whatever else changed in between is in the difference.",
    ),
    "adjusted_gain": Explanation(
        "Worth in units",
        "How many more units the plain comparison would need to be as exact as the adjusted one.",
        r"n \Bigl( \frac{\mathrm{var}_\text{plain}}{\mathrm{var}_\text{adjusted}} - 1 \Bigr)",
        "Several covariates are taken out together by least squares, each unit's strata by comparing within them. A "
        "gain near 0 says that what is known from before says little about the outcome.",
        "That the adjusted estimate is closer to the truth this time: it is so on average.",
    ),
}
