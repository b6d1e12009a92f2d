"""Experiments in time, and what is believed of them: the words of the sections Time and Chances."""

from app.glossary.base import Explanation

TIME: dict[str, Explanation] = {
    "confidence_sequence": Explanation(
        "Effect by day, for one look and for every day",
        "The effect among all units first exposed up to each day. The band is a confidence sequence: without "
        "an effect, it leaves 0 out on any day at all in at most 5% of experiments. The dotted lines are the "
        "usual interval, which says so of one day that was chosen beforehand.",
        r"\hat\delta \pm \mathrm{SE}\sqrt{\frac{N\rho^2+1}{N\rho^2}\,\ln\frac{N\rho^2+1}{\alpha^2}}",
        "Where the band leaves 0 out one may stop, on that day or any later one. N counts units of both arms;"
        " ρ² makes the band tightest about the planned size and never changes. It is wider than the dotted "
        "lines throughout: that is what looking costs.",
        "That the effect on one day is what it will be: values of units that came late may still grow where "
        "the metric has no window. Quantiles have no such band.",
    ),
    "peeking": Explanation(
        "Looking daily",
        "The chance, without any effect, that a fixed-horizon interval leaves 0 out on at least one of the "
        "days on which it could be looked at, with units arriving as they did.",
        r"P\Big(\max_k |Z_k| > z_{1-\alpha/2}\Big)",
        "14.2% after five equally spaced looks, 19.3% after ten, 24.8% after twenty, and ever more after "
        "that.",
        "That anybody did look. It is what the fixed interval would have to be read with, if they had.",
        "share",
    ),
    "boundary": Explanation(
        "Planned looks",
        "The test's statistic at each planned look, between the boundaries of all looks. Together the looks "
        "spend alpha once, whatever the number of units at each of them; what is left is spent at the last "
        "one.",
        r"P(|Z_1|>c_1 \,\text{or}\, \dots \,\text{or}\, |Z_K|>c_K) = \alpha",
        "Beyond the dashed line the experiment may stop. Repeated intervals and p-values say the same: they "
        "leave 0 out where the line is crossed. O'Brien and Fleming's boundary is far out early and nearly "
        "1.96 at the end; Pocock's is the same throughout. The chance to cross at the end is for giving up, "
        "and costs no alpha.",
        "Anything between looks. Units that came after the last look are not in it.",
    ),
    "chances": Explanation(
        "Chances",
        "The lift that is believed in after the data with its equal-tailed credible interval, and beside it "
        "the chance that the arm beats the control.",
        r"P(\theta_\text{arm} > \theta_\text{control} \mid \text{data})",
        "Shares have a beta prior, counts that vary as Poisson counts do a gamma prior, all else a normal "
        "error. A narrow prior on lifts pulls large effects of few units towards 0.",
        "The chance that the decision is right, unless the prior is. Under a flat prior a chance of 97.5% is "
        "p = .05 in other words, and looking daily spoils it exactly as much.",
        "share",
    ),
    "expected_loss": Explanation(
        "Expected loss",
        "By how much a choice falls short of the best arm, averaged over all that is believed: a small loss "
        "that is likely and a large one that is not weigh alike.",
        r"E\big[\max_k \theta_k - \theta_\text{chosen}\big]",
        "Choose where it is smaller than what a mistake may cost, even if the chance to be best is only 80%.",
        "A limit on false alarms: it says what is lost, not how often.",
    ),
    "prior": Explanation(
        "Prior",
        "What is believed before the data. As declared (prior in the project file), or lifts about 0 of which"
        " two in three lie within the stated size.",
        None,
        "Most real lifts are a few percent: a prior of that size makes a chance mean what it says over many "
        "experiments.",
        "Which prior is right. Where the answer changes with it, the data do not decide.",
    ),
}  # fmt: skip
