"""What is shown of experiments: figures, tables and verdicts. The methods behind them: `app.glossary.methods`."""

from __future__ import annotations

from app.glossary.base import Explanation
from app.glossary.methods import METHODS

SHOWN: dict[str, Explanation] = {
    "effect_forest": Explanation(
        "Effects",
        "One line a metric and arm: the lift over the control with its interval, corrected for the family of "
        "comparisons. Where there is no lift the difference stands in a panel of its own, in the metric's unit.",
        r"\frac{\bar y_\text{arm} - \bar y_\text{control}}{|\bar y_\text{control}|}",
        "An interval that leaves 0 out is a difference that was shown. ▲ better, ▼ worse, ● no difference shown, ◇ "
        "shown but too small to matter, ◆ no difference that matters; for guardrails"
        " ■ safe, ✕ harmed, □ not shown safe, and │ is the harm that was allowed. ↓ marks metrics where "
        "lower is better, so a good effect lies on the left. Only what needs action is red. An arrow at the edge: the "
        "interval runs on.",
        "That there is no difference: a wide interval around 0 has only failed to show one. Read its ends as what is "
        "not ruled out.",
    ),
    "scorecard_table": Explanation(
        "Scorecard",
        "Every metric of every arm against the control: both values with half the width of their own interval "
        "(±), the difference and the lift with intervals corrected for the family, p-values, the chance to beat the "
        "control, and units.",
        None,
        "Difference, lift, interval, p-value and verdict of a line come from one statistic, so they cannot disagree. "
        "The verdict stands on the corrected interval. Where a covariate was declared the line is the adjusted one; "
        "the unadjusted one is among all methods.",
        "Whether two arms that are both better differ from each other: each is compared with the control only. Two "
        "intervals of ± that overlap may still differ.",
    ),
    "verdict": Explanation(
        "Verdict",
        "What all comparisons come to. A broken split makes any verdict invalid; a harmed guardrail stands before any "
        "win; then the primary metrics decide.",
        None,
        "Won: at least one primary metric is better and none is worse. Undecided: nothing was shown, and the sentence "
        "says which effects are ruled out.",
        "Whether the effect is worth what it costs, and whether it will last beyond these units and days.",
    ),
    "value_distribution": Explanation(
        "Values in each arm",
        "How the metric's values spread over the units of each arm: outlines over each other; for a proportion the "
        "share of each arm as a bar with its interval.",
        None,
        "Dotted lines are the means. The shaded outer bins are open: they hold everything beyond. Where bins differ in "
        "width the height is the share per unit of value, so that areas compare. A mean that moves because of a few "
        "units far out shows in the tail and nowhere else.",
        "Whether a difference is beyond chance; that is what the effects say.",
    ),
    "experiment_arms": Explanation(
        "Each arm by itself",
        "The metric's value in every arm with its own interval, unadjusted, and how many units have one.",
        None,
        "Good for a look at levels and at missing values: these should be alike in all arms.",
        "Whether arms differ. The interval of the difference says that, not a comparison of two intervals.",
    ),
    "cumulative_effect": Explanation(
        "Effect by day",
        "The effect among all units first exposed up to each day, with its interval; under it how many units. Only the "
        "last point is the result.",
        None,
        "It should settle as units arrive. A jump on one day points to a broken log or a change of the experiment; a "
        "slow fall may be novelty wearing off, or other units arriving later.",
        "When to stop. These intervals are made for one look at the planned end. Looking every day and stopping when "
        "the interval first leaves 0 finds a difference where there is none in about 1 of 5 experiments after ten "
        "looks, instead of 1 in 20. Days are not independent of each other either: each contains all before it.",
    ),
    "sample_ratio": Explanation(
        "Split of the units",
        "Whether the arms got the shares that were planned (sample ratio): a chi-squared test of the counts, against "
        "the planned shares whatever they are.",
        r"\chi^2 = \sum_k \frac{(n_k - N s_k)^2}{N s_k}",
        "An alarm (p below .001) means that units went missing in one arm more than in another, or were assigned "
        "wrongly. Those who are missing are seldom like the others, so no effect can be believed: find the cause "
        "first. Where whole clusters were assigned, clusters are counted.",
        "Which cause it is. A split without an alarm may still be off by as much as chance allows.",
    ),
    "multiple_exposure": Explanation(
        "Seen by several arms",
        "Units that were exposed to more than one arm. They stay in the arm they saw first.",
        r"\frac{n_\text{several arms}}{N}",
        "A few are normal: shared devices, ids that change. More than 1% says that the assignment does not stick, and "
        "tends to pull effects towards 0, since such units saw some of both.",
        "That leaving them out would help. With an uneven split they would drop out of the small arm more often, and "
        "the rest would no longer compare.",
        "share",
    ),
    "lift": Explanation(
        "Lift",
        "The difference as a share of the control's value. The control's sign does not count: from −10 to −5 is +50%.",
        r"\frac{\bar y_\text{arm} - \bar y_\text{control}}{|\bar y_\text{control}|}",
        "Its interval leaves 0 out exactly where that of the difference does (Fieller for means and ratios, Koopman "
        "for proportions). There is none where the control's value cannot be told from 0.",
        "How much it is in plain units: a lift of 50% may be one in a million.",
        "share",
    ),
    "guardrail": Explanation(
        "Guardrail",
        "A metric that must not suffer, with the harm that is still allowed (its margin).",
        None,
        "Safe: the whole interval stays within what is allowed. Harmed: it lies on the bad side of 0 and reaches "
        "beyond the margin. Not shown safe: neither is known yet. Guardrails are not corrected for several "
        "comparisons: being quick to see harm is their point.",
        "That 'not shown safe' is fine. It means that more harm than allowed is not ruled out.",
    ),
    "power_curve": Explanation(
        "Power",
        "The chance that the planned test shows an effect that is there, over the number of units, or over the size of "
        "the effect.",
        r"\Phi\!\left( \frac{|\delta| - z_{1-\alpha/2}\, \mathrm{SE}_0}{\mathrm{SE}_1} \right)",
        "The diamond is the plan, the dashed line the power that is wanted. SE₀ and SE₁ are the "
        "standard errors without and with the effect. Half the effect takes four times the units.",
        "Which effect there will be. After the experiment power says nothing: read the interval instead.",
    ),
    "power": Explanation(
        "Plan",
        "How many units show which effect with which chance; two of the three give the third.",
        r"n = \left( \frac{z_{1-\alpha/2}\, \sigma_0 + z_\text{power}\, \sigma_1}{\delta} \right)^2",
        "σ₀ and σ₁ are the standard deviations of a difference of one unit in each arm: without an effect, and with "
        "it. With several arms each comparison is planned at alpha / (arms − 1), the first step of Holm. Days count "
        "units that arrive for the first time.",
        "That units keep arriving at this rate: in a longer experiment ever more of them have been seen before.",
    ),
}  # fmt: skip

EXPERIMENTS: dict[str, Explanation] = {**SHOWN, **METHODS}
