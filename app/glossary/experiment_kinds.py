"""What is shown of kinds of metrics, and of who counts in an experiment."""

from __future__ import annotations

from app.glossary.base import Explanation

EXPERIMENT_KINDS: dict[str, Explanation] = {
    "funnel": Explanation(
        "How far units came",
        "One bar a step and arm: of all units that were exposed, the share that took this step after all the steps "
        "before it, in the order of time. The metric itself is the last step.",
        r"s_k = \frac{\text{units that took steps } 1, \ldots, k \text{ in order}}{\text{units exposed}}",
        "A step where arms part is where the change works. In brackets: how many of those who took the step before "
        "went on.",
        "Whether an arm is better at moving people on from one step to the next. Who reaches a step is changed by the "
        "arm itself, so those rates describe each arm and are not compared; shares of all exposed units are.",
    ),
    "exposure_states": Explanation(
        "Who counts, and who does not",
        "Every unit, exposure and row in one of a few states: judged, seen in several arms, of an arm nobody declared, "
        "before the start, after the end, too young to be judged, without a value, and so on.",
        None,
        "What does not enter should be little, and alike in all arms. A state that is found in one arm more than in "
        "another makes arms that no longer compare.",
        "Why it happened. The checks of trust say which of these speak against the comparison.",
    ),
    "crossed_units": Explanation(
        "Units seen in several arms",
        "Units whose exposures name more than one arm: another device, cleared cookies, a change of the rule that "
        'assigns. Kept in the arm they saw first (crossed = "first"), or left out of all ("leave_out").',
        r"\frac{P(\text{left out} \mid \text{small arm})}{P(\text{left out} \mid \text{large arm})}"
        r" = \frac{1 - p_\text{small}}{1 - p_\text{large}}",
        "Kept, they dilute an effect a little. Left out of arms of unequal size, they are missing from the small arm "
        "many times as often, and they are seldom like the others: a difference out of nothing.",
        "How large the dilution is: nobody knows what those units would have done in one arm alone.",
    ),
    "open_window": Explanation(
        "Units whose window is open",
        "A metric with a window counts what a unit does within so long after its first exposure. Units exposed less "
        "than a window before the logs end have not had all of it yet.",
        None,
        'Left out (open_windows = "leave_out", and always for retention), they wait until they are judged on the same '
        "terms as all others. Included, they enter with what they have done so far, which is less.",
        "What they will do. Units that came last may differ from those that came first.",
    ),
    "uncapped": Explanation(
        "Without the cut",
        "The same comparison with values as they were logged, where the metric is winsorised: values beyond a quantile "
        "of all arms together are set to that quantile.",
        None,
        "Badge and verdict stand on the cut values: a few very large ones would otherwise decide. Where the two "
        "disagree in sign, the tail tells another story than the bulk; look at the largest units.",
        "Which of the two is right. The cut one answers what the change does to nearly everybody, and the other what "
        "it does to the sum, with less certainty.",
    ),
}  # fmt: skip
