"""The statistics of experiments: what each method does, its formula, and what it cannot do."""

from __future__ import annotations

from app.glossary.base import Explanation

METHODS: dict[str, Explanation] = {
    "chance_to_beat": Explanation(
        "Chance to beat the control",
        "The probability that the arm is truly better than the control, if before the data every effect was equally "
        "likely (a flat prior).",
        r"P(\delta > 0 \mid \text{data}) = F_\nu\!\left( \frac{\hat\delta}{\mathrm{SE}} \right)",
        "97.5% goes with a two-sided p-value of .05, before correction. Where lower is better it is the chance to be "
        "lower.",
        "More than the p-value: with a flat prior it is 1 minus the one-sided p. It is not corrected for several "
        "comparisons, it suffers from looking every day exactly as much, and 95% does not mean that 95% of such "
        "winners are real.",
        "share",
    ),
    "p_adjusted_holm": Explanation(
        "Adjusted p-value",
        "The p-value corrected for all comparisons of primary and secondary metrics with all arms (Holm): below alpha "
        "only if the comparison counts after correction.",
        r"\tilde p_{(j)} = \max_{i \le j} \min\bigl(1,\ (m - i + 1)\, p_{(i)}\bigr)",
        "If nothing differed anywhere, one or more false alarms would be raised in at most alpha (say 5%) of "
        "experiments, however many metrics there are. The corrected interval of a line is drawn at the level at which "
        "Holm tests it, alpha / (m − j + 1), and so leaves 0 out exactly where this is below alpha.",
        "The probability that there is no difference; and nothing about other experiments, or about slices looked at "
        "besides.",
    ),
    "welch": Explanation(
        "Welch's t",
        "Tests a difference of two means, each arm with its own variance.",
        r"t = \frac{\bar y_1 - \bar y_0}{\sqrt{v_1 + v_0}},\quad v_k = \frac{s_k^2}{n_k},\quad "
        r"\nu = \frac{(v_1 + v_0)^2}{v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1)}",
        "The same statistic gives p-value and interval. Arms may differ in size and spread.",
        "It leans on means being nearly normal. With skewed values and an arm under 100 units it is off; then a "
        "warning and a permutation p-value stand beside it.",
    ),
    "fieller": Explanation(
        "Fieller's interval",
        "The interval of a ratio of two means: all ratios that the data do not contradict. The lift is the ratio "
        "minus 1.",
        r"\frac{1}{1 - g} \left( R \pm \frac{q}{|\bar y_0|} \sqrt{(1 - g)\, v_1 + R^2 v_0} \right) - 1,\quad "
        r"g = \frac{q^2 v_0}{\bar y_0^2},\quad R = \frac{\bar y_1}{\bar y_0}",
        "With the quantile q of the test of the difference it leaves 0 out exactly where that test rejects. It is not "
        "symmetric: the control's own uncertainty stretches the far side.",
        "Anything where g reaches 1: the control's mean cannot be told from 0, no ratio is ruled out, and only the "
        "difference is shown.",
    ),
    "score_test": Explanation(
        "Score test and its intervals",
        "Compares two proportions by how far they are apart, in standard errors taken as if the difference in question "
        "were true.",
        r"z(\delta) = \frac{\hat p_1 - \hat p_0 - \delta}"
        r"{\sqrt{\left( \frac{\tilde p_1 (1 - \tilde p_1)}{n_1} + \frac{\tilde p_0 (1 - \tilde p_0)}{n_0} \right) "
        r"\frac{N}{N - 1}}}",
        "p̃ are the likeliest proportions that differ by δ. The p-value is that of δ = 0; the interval of the "
        "difference holds every δ that would not be rejected (Miettinen and Nurminen), that of the lift every ratio, "
        "by the same statistic (Koopman). So all three agree, also near 0% and 100% and with few units.",
        "Anything where nobody or everybody converted in both arms: then there is nothing to test, and no p-value. "
        "Units must be independent; otherwise use clusters.",
    ),
    "delta_method": Explanation(
        "Ratio of two sums (delta method)",
        "A ratio such as clicks per view, where the units that were randomised hold several views each. Each unit's "
        "numerator and denominator become one value, and the variance is that of these values over units.",
        r"v = \frac{s_S^2 - 2 R\, s_{SN} + R^2 s_N^2}{\bar N^2},\quad R = \frac{\bar S}{\bar N}",
        "The test is Welch's on these values. Taking views as independent instead would promise far more than is "
        "known.",
        "The mean of each unit's own ratio: units with many views weigh more. With few units, or a denominator that "
        "varies wildly, the approximation is rough.",
    ),
    "cuped": Explanation(
        "Adjusted by a covariate (CUPED)",
        "Takes out of the metric what a value from before the experiment already told about each unit. Both arms use "
        "the same slope, and means are moved to the common mean of the covariate.",
        r"y_i - \theta\,(x_i - \bar x),\quad \theta = \frac{\mathrm{cov}(y, x)}{\mathrm{var}(x)}",
        "The effect stays what it was, on average; its variance falls by the factor 1 − ρ². A correlation of .7 does "
        "the work of twice the units. Units without a covariate count with the others' mean.",
        "That the adjusted number is the true one where both disagree much: then look at whether the covariate really "
        "is from before. A covariate that the experiment itself can change takes out the effect.",
    ),
    "cluster_robust": Explanation(
        "Clusters",
        "Where units come in groups that were randomised together, or are alike within, errors are summed by cluster "
        "before they are squared; also where a cluster holds units of both arms. A large cluster pulls its arm's mean "
        "towards itself, and its errors are scaled up for that (CR2).",
        r"\sum_g \Bigl( \sum_k \pm \frac{e_{gk}}{n_k \sqrt{1 - n_{gk} / n_k}} \Bigr)^2",
        "Plus for the arm, minus for the control; e is the sum of a cluster's errors in an arm. Degrees of freedom are "
        "Bell and McCaffrey's: what counts is how many clusters there are and how alike in size, not how many units.",
        "It is rough with fewer than five clusters in an arm, or with a few that hold most units.",
    ),
    "permutation": Explanation(
        "p by permutation",
        "How often units dealt to the arms at random give a Welch t at least as large as the one observed.",
        r"p = \frac{1 + \#\{ |t^*| \ge |t| \}}{1 + B}",
        "It stands beside the p-value where an arm is small and values are skewed. Far apart, the t distribution is "
        "not to be trusted: believe this one.",
        "An interval: badge and verdict still stand on the t-test.",
    ),
}  # fmt: skip
