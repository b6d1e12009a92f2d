"""What the section Before labels shows and what it does not say."""

from __future__ import annotations

from app.glossary.base import Explanation

ESTIMATED: dict[str, Explanation] = {
    "estimated_quality": Explanation(
        "Estimated and measured",
        "What the metric is expected to be before labels arrive (dashed), with the band that the "
        "measured value should fall into, and the value measured once the window's labels were mature (solid). For "
        "classes each score is turned into a probability by a calibration fitted on the reference where that lowers "
        "the log loss of left-out days, and the metric is what these probabilities expect of the logged scores and "
        "decisions; for a regression a model of the reference's errors is applied to the rows.",
        r"\hat p_i = g(s_i),\quad \widehat{\mathrm{accuracy}} = \frac1n \sum_i \hat p_i [d_i = 1] "
        r"+ (1 - \hat p_i) [d_i = 0]",
        "A diamond is a measured value outside its band. Crossed: the estimate is withdrawn, because it held in fewer "
        "than 16 of its last 20 back-tests (with fewer back-tests, in so few as would be chance less than one time in "
        "20). The band holds the noise of the labels to come, that of the calibration between days of the reference, "
        "and whatever the errors of up to 60 earlier windows show beyond these.",
        "That the relation between inputs and labels is still the same: no estimate without labels can see that "
        "change. Only the back-tests can, one label delay later.",
    ),
    "estimator_scorecard": Explanation(
        "How the estimate has fared",
        "Every window whose labels are in is a back-test: the estimate is made again with what was known when the "
        "window ended, and compared with what was measured.",
        r"S = (u - l) + \tfrac{2}{\alpha} (l - y)_+ + \tfrac{2}{\alpha} (y - u)_+",
        "The interval score is the width of the band and a penalty for values outside it; less is better. Beside it "
        "stands that of simply repeating the last matured value, with a band from its own past errors: an estimate "
        "that does not beat it is not worth having.",
        "How the estimate will fare on a change that has not been met yet.",
    ),
}
