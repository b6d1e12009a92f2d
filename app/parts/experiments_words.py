"""The sentences of Scorecard and Plan that do not depend on results."""

from __future__ import annotations

SOURCE = "Numbers"
SOURCES = {"logs": "from the logs", "counts": "typed counts", "means": "typed means"}
NO_SUCH_EXPERIMENT = 'There is no experiment "{asked}" in this project; this is {shown}.'
EXPERIMENT = "Experiment"
COUNTS = "Arms, one a line: name conversions/visitors"
COUNTS_EXAMPLE = "A 378/3662\nB 462/3568"
MEANS = "Arms, one a line: name mean, standard deviation, n"
MEANS_EXAMPLE = "A 10.9, 2.8, 2102\nB 11.2, 3.1, 2158"
EXAMPLE_BUTTON = "Fill in an example"
COMPARE = "Compare"
CONTROL = "Control"
BETTER_IS = "Better is"
DIRECTIONS = {"up": "higher", "down": "lower"}
ALPHA = "Alpha"
ALPHA_HELP = "The share of false alarms that is accepted over all comparisons together, such as 5% or 0.05."
SPLIT = "Planned split"
SPLIT_HELP = (
    "In the order of the arms, such as 50:50 or 2:1:1. With it the split is checked for a sample ratio mismatch; "
    "left empty, it is not."
)
SPLIT_EMPTY = "not checked"
NOTHING_TYPED = "Type two arms or more, and the verdict stands here."
NOTHING_TYPED_BODY = "Decimals have a point. All of it becomes part of the address, so the page is a link."
CANNOT_COMPARE = "These numbers cannot be compared: {problem}."
NO_EXPERIMENTS = "There is no experiment in this project yet; typed numbers can be compared at once."
NO_EXPERIMENTS_EXAMPLE = """[exposures]                     # who saw which arm, and when
path = "exposures/*.parquet"
unit = "user_id"
variant = "variant"
timestamp = "timestamp"

[events]                        # what units did
path = "events/*.parquet"
unit = "user_id"
timestamp = "timestamp"

[metrics.conversion]
kind = "proportion"
value = "event = 'purchase'"

[experiments.new_ranker]
control = "A"
variants = { A = 0.5, B = 0.5 }
primary = ["conversion"]"""
TYPE_INSTEAD = {"counts": "Type counts", "means": "Type means"}
METRIC = "Metric"
AS_OF_LINE = "As known on {moment}."
HEALTH = "Can it be trusted?"
TABLE = "Every metric of every arm against the control"
BAR_HELP = "The lift with its corrected interval around no effect. An arrow at an end: the interval runs on."
UNITS_HELP = "Units of the control / units of the arm."
AS_A_PAGE = "Page"
AS_A_PAGE_HELP = (
    "The whole scorecard as one HTML file: every number with its definition, to send or to print."
)
ALL_COLUMNS = "Every column and every method"
LIFT_OF = "Lift of {metric}{of}"
DIFFERENCE_OF = "Difference of {metric}{of}"
METRIC_DETAIL = "One metric"
ARMS = "Each arm by itself"
ADJUSTED = {
    "stratified": "within strata",
    "post-stratified": "within strata",
    "paired": "in pairs",
    "cuped": "without what was known before",
}
AS_LOGGED = "As logged. The comparison above is made {how}, so its values differ from these."
PLAN_NEXT = "Plan the next one"
PLAN_NEXT_HELP = "How many units and days this experiment takes when it runs again, from these logs."
VARIANT = "Arm"
UNITS = "Units"
VISITORS = "Visitors"
LOGGED_AS = "Logged as {text}"
NOTHING_FURTHER = "Days since exposure, weekdays, few units and other experiments: nothing to warn of."
NO_FINDING = "While the split is broken, nothing below is a finding."
SPLIT_BROKEN = "split is broken"
NO_VERDICT = "no verdict while the split is broken"
P_ADJUSTED = "p, corrected"
P_VALUE = "p-value"
P_BY_RULE = {
    "always-valid": "Always-valid p",
    "group-sequential": "p over all looks",
    "bayesian": "p of the posterior",
}
NO_DAYS = "The effect by day is not drawn: {why}."
PLAN_KIND = "What is measured"
PLAN_KINDS = {
    "proportion": "a share",
    "mean": "a mean",
    "ratio": "a ratio",
    "count": "a count",
    "quantile": "a quantile",
}
FROM = "Baseline"
FROMS = {"typed": "typed", "logs": "from the logs"}
BASELINE = "Baseline of the control"
DEVIATION = "Standard deviation"
LIFT = "Lift to be shown"
LIFT_HELP = "Relative to the baseline, such as 10%."
DIFFERENCE = "or difference"
DIFFERENCE_HELP = "In the metric's own unit; for a share 0.01 or 1% is one percentage point."
SIZE = "or units an arm"
SIZE_HELP = "Then the page says which effect so many units can show."
POWER = "Power"
POWER_HELP = "The chance to show the effect if it is there."
ARMS_COUNT = "Arms"
ARMS_HELP = "With the control."
SHARES = "Split"
SHARES_HELP = "In the order of the arms, the control first, such as 50:50 or 9:1; left empty, equal."
SHARES_EMPTY = "equal"
DAILY = "Units a day"
DAILY_HELP = "How many new units arrive a day, all arms together; with it the page says how long it takes."
DAILY_EMPTY = "not known"
SIDES = "Test"
SIDES_OF = {"false": "two-sided", "true": "one-sided"}
FROM_LOGS = "From the logs: {what} ({n})."
GREY = "Grey numbers are examples that count until you type your own."
GREY_LOGS = "Grey numbers come from the logs and count until you type your own."
PASTE = "To paste into a ticket"
OTHER_PLANS = "Around this plan"
PLANS_SHOWN = ("Effect", "Lift", "Power", "Units per variant", "Units in all", "Days")
CANNOT_PLAN = "This cannot be planned: {problem}."
NO_DAYS = "Exposures carry no time, so there are no days to follow."
NAIVE = "False alarms of looking daily"
NAIVE_HELP = (
    "The chance that a fixed-horizon interval leaves 0 out on one of these days or more, without any effect."
)
EVERY_DAY = "Effect, every day"
EVERY_DAY_HELP = "With the interval that holds on every day together."
ALWAYS_VALID_P = "Always-valid p"
ALWAYS_VALID_P_HELP = (
    "However often one looks, without an effect it falls under .05 in at most 5% of experiments."
)
CROSSED = "First left 0 out"
CROSSED_DETAIL = "by the interval of every day"
NOT_CROSSED = "not on any day so far"
CROSSED_HELP = "Stopping there was allowed: the interval that day holds, since it holds on every day."
DAYS_NOTE = (
    "The band holds on every day together, the dotted lines on one day chosen beforehand; both at {level}. The band is "
    "wider: that is the price of looking."
)
BOUNDARY_NOTE = "The experiment may stop where the statistic lies beyond the boundary, and on no other look."
FUTILITY_NOTE = "Giving up binds nobody and raises no false alarm."
PRIOR = "Believed beforehand"
PRIORS = {
    "declared": "as declared",
    "1": "lifts within 1%",
    "5": "lifts within 5%",
    "10": "lifts within 10%",
    "30": "lifts within 30%",
}
LOSSES = "What each choice is expected to lose"
BEATS = "{variant} beats the control"
BEATS_HELP = "The share of the posterior in which the arm is better."
BELIEVED_LIFT = "Believed lift"
LOSS_OF = "Choosing {variant} loses"
LOSS_DETAIL = "expected, of the control's value"
LOSS_HELP = "By how much the choice falls short of the best arm, on average over what is believed."
TRUST_SPLIT = "Split"
TRUST_SPLIT_HELP = "Whether every arm got what was planned, with daily looks."
TRUST_BEFORE = "Alike before"
TRUST_BEFORE_HELP = "Whether units of the arms did the same before they were exposed."
TRUST_CROSSED = "One arm each"
TRUST_CROSSED_HELP = "Units that saw more than one arm, and how many there may be."
TRUST_LOGS = "Logs"
TRUST_LOGS_HELP = "Whether files can be read, arms have outcomes and no log has stopped."
TRUST_QUERIES = "What was counted for each cause"
TRUST_AGES_NOTE = "Only units that were followed for all of the days; each interval holds for its day alone."
