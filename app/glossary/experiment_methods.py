"""Methods of comparison beside the default, quantiles, distributions, and tests against margins."""

from __future__ import annotations

from app.glossary.base import Explanation

EXPERIMENT_METHODS: dict[str, Explanation] = {
    "methods": Explanation(
        "Methods of comparison",
        "Every method that suits this kind of metric, side by side. The default is chosen by kind, and by whether "
        "units come in clusters; badge and verdict stand on it.",
        None,
        "Each line is one method: its difference, interval, lift and p-value come from one statistic. Where a method "
        "has no interval that says what its p-value says, none is shown. Methods that disagree by much say that an "
        "assumption of one of them does not hold: read what is said against it.",
        "Choose by what a method assumes, before looking: the one with the smallest p-value raises false alarms.",
    ),
    "quantile_differences": Explanation(
        "Quantile differences",
        "Quantiles of the values from 5 to 95 %: the arm's less the control's, with an interval corrected for all of "
        "them (Holm). All values of a unit, or of a cluster, count as one observation of how many lie below.",
        r"\mathrm{SE} = \frac{Q(p + z\sigma) - Q(p - z\sigma)}{2z},\quad "
        r"\sigma^2 = \frac{G}{G - 1} \sum_g \frac{(K_g - \hat p N_g)^2}{n^2}",
        "A filled sign: the arms differ at that quantile. A slope from left to right: the effect is on large values, "
        "as with a slow tail; a level line: all values moved by as much.",
        "Quantiles where many values are alike, or that have a gap beside them, have no interval to be trusted and are "
        "left out; the table says which. What one unit would have had in the other arm.",
    ),
    "cumulative_shares": Explanation(
        "Distribution",
        "For each value the share of an arm's values at or below it, with a band.",
        r"\hat F(x) = \frac{1}{n} \sum_i 1\{y_i \le x\} \pm \sqrt{\frac{\ln(2 / \alpha)}{2n}}",
        "A curve further to the right has larger values. Curves that part only at one end have different tails and "
        "the same middle. Where values are independent the whole curve lies inside the band with the confidence "
        "(Massart); where they hang together each share by itself does (Wilson).",
        "A test: bands that overlap may still differ. The differences of quantiles tell.",
    ),
    "equivalence": Explanation(
        "Smallest effect that matters",
        "Where a metric says which effect matters, an interval that leaves 0 out but no such effect in is too small to "
        "matter, and one that holds 0 and no such effect shows that there is no difference that matters.",
        r"p = 2 \max\bigl( P(\hat\delta \mid -m),\ P(\hat\delta \mid m) \bigr)",
        "p_equivalent, like p_safe of a guardrail, is 1 − the confidence at which the interval just touches the "
        "margin: below alpha exactly where the badge says so. It is twice the p of two one-sided tests (TOST), as it "
        "stands on the two-sided interval that is drawn.",
        "That the effect is 0: only that it is smaller than was declared to matter, before the data were seen.",
    ),
}
