"""Trust: the words of the checks that say whether an experiment can be believed."""

from app.glossary.base import Explanation

TRUST: dict[str, Explanation] = {
    "split_by_day": Explanation(
        "The split by day",
        "The share of one arm among the units first exposed on each day, with a 95% interval for that day "
        "alone, and the planned share as a dashed line. The dotted mark is the day from which on the split "
        "fits the plan no more.",
        r"\hat t = \arg\max_t \sum_{d \ge t} \sum_k n_{dk} \ln\frac{\hat p_k}{\theta_k}",
        "A split that is off from one day on has a cause on that day: a release, a configuration, a log that "
        "broke. One interval in twenty misses the line by chance.",
        "Who is missing. Units that are not logged differ from the others, so no correction of the shares "
        "repairs the comparison.",
    ),
    "sequential_sample_ratio": Explanation(
        "The split, looked at daily",
        "How much better the counts fit some other split than the planned one, as a Bayes factor; the largest "
        "so far gives a p-value that holds however often one looks. It is averaged over four priors around "
        "the plan, κ = 100, 1,000, 10,000 and 100,000.",
        r"\mathrm{BF} = \frac{B(\kappa\theta + n)}{B(\kappa\theta)\prod_k \theta_k^{n_k}}, "
        r"\quad p = \min_t 1/\mathrm{BF}_t",
        "Below .001 the split is broken and there is no verdict. With daily looks a plain chi-squared test at "
        ".001 would raise several times as many false alarms.",
        "Why. Without times of exposures there is one look, and the plain chi-squared test is taken.",
        "share",
    ),
    "split_segments": Explanation(
        "Which segments carry it",
        "What every value of every declared segment adds to the chi-squared statistic of the whole split; of "
        "one segment the parts sum to it. Red where the value's own split is broken after correcting for all "
        "that were looked at.",
        r"\chi^2 = \sum_s \sum_k \frac{(O_{sk} - E_{sk})(O_k - E_k)}{E_k}",
        "One long bar that leaves the rest as planned is where to look. Bars of equal length say that it "
        "happened to everybody.",
        "A cause by itself: what differs for these units has to be found.",
    ),
    "split_causes": Explanation(
        "Why is the split broken?",
        "Every usual cause of a broken split, with what these logs say about it. Those that fit come first, "
        "then those that cannot be told, then those that do not fit.",
        r"",
        "Begin at the top. The queries below show what was counted.",
        "That a cause which fits is the cause: several can.",
    ),
    "trust_checks": Explanation(
        "All checks",
        "What the experiment's own logs say for or against trusting it. Only the split (.001, looked at "
        "daily), imbalance before (.001 over all metrics and arms), units in several arms above the declared "
        "limit, and broken logs block a verdict; everything else warns.",
        r"",
        "Blocking checks stop at most 1% of sound experiments, looked at every day. Of the warnings about one "
        "sound experiment in twenty shows one.",
        "What no log tells: a changed price, a holiday, a competitor.",
    ),
    "effect_by_age": Explanation(
        "Effect by day since first exposure",
        "The difference between the arms on every day since a unit's own first exposure, with an interval for "
        "that day alone. Only units that were followed for all of the days are in it, so the same units are "
        "compared on every day.",
        r"\hat\delta_a = \bar y_{a,\mathrm{arm}} - \bar y_{a,\mathrm{control}}",
        "An effect that falls is novelty and will be smaller than the average says; one that rises is "
        "learning, and will be larger.",
        "Effects of calendar days: units of one age were first exposed on different days.",
    ),
    "novelty": Explanation(
        "Does the effect last?",
        "Whether the effect changes over stretches of days since exposure (0, 1–2, 3–6, 7–13, 14–27), by a "
        "line in the logarithm of the day. Days of one unit go together, and their covariance enters in full.",
        r"T = \sum_a w_a \hat\delta_a, \quad \mathrm{Var}(T) = w^\top \hat V w",
        "A warning means that neither the difference nor the lift is the same on all days, corrected over all "
        "metrics and arms at .01.",
        "How far it will fall: only the days that were seen are in it.",
    ),
}
