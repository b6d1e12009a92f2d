"""The sentences of Plan that do not depend on results, beside those it shares with Scorecard."""

from __future__ import annotations

SECTIONS = {"typed": "One design, typed", "logs": "From the logs"}
PRESETS = "Start from"
MORE = "Margins, several metrics, covariate, clusters, sequential stopping"
GOAL = "To show"
GOALS = {
    "difference": "that there is an effect",
    "non-inferiority": "that it is not worse by the effect",
    "equivalence": "that it differs by less than the effect",
}
TRUE_DIFFERENCE = "True difference"
TRUE_DIFFERENCE_HELP = "With a margin: arm minus control as it truly is; 0 where left empty."
RELATIVE = "Effect is"
RELATIVES = {"false": "a difference", "true": "relative to the control's mean"}
METRICS = "Metrics"
METRICS_HELP = "That are corrected for together, each with each arm, by Holm."
POWER_FOR = "Power of"
POWERS_FOR = {"each": "each comparison", "all": "all together"}
R2 = "Explained by a covariate"
R2_HELP = "The share of the variance that a value from before the experiment explains (CUPED): the squared correlation."
DESIGN_EFFECT = "Design effect"
DESIGN_EFFECT_HELP = (
    "How many times as many units whole clusters cost: 1 + (m - 1) icc for m units that correlate at icc. The logs "
    "know it."
)
STOPPING = "Read"
STOPPINGS = {
    "fixed": "once, at the end",
    "group-sequential": "at a few planned looks",
    "always-valid": "as often as you like",
}
LOOKS = "Looks"
LOOKS_HELP = "Evenly in units; 5 planned ones, or 28 of an always-valid sequence, where left empty."
BOUNDARY = "Boundary"
BOUNDARIES = {
    "lan-demets-obrien-fleming": "O'Brien-Fleming kind (Lan-DeMets)",
    "lan-demets-pocock": "Pocock kind (Lan-DeMets)",
    "obrien-fleming": "O'Brien-Fleming",
    "pocock": "Pocock",
    "power": "power family",
}
OF = "Plan for"
EVERY = "every metric, ranked"
OF_EXPERIMENT = "{name}, again"
SHOWN_METRIC = "Metric drawn"
LIFT = "Lift to be shown"
LIFT_EMPTY = "5%, or what matters"
LIFT_HELP = "The same for every metric. Left empty: the smallest effect a metric declares to matter, else 5%."
WITHIN = "Days to decide"
TRAFFIC = "Share of the traffic"
COVARIATE = "CUPED looks back, days"
COVARIATE_HELP = "Over so many days before a unit's first day; left empty as declared, 0 for none."
COVARIATE_EMPTY = "as declared"
CLUSTERS = "Whole clusters get one arm"
CLUSTERS_OF = {"": "as declared", "true": "yes", "false": "no"}
NO_METRICS = (
    "No metric is declared, so the logs cannot say how long an experiment takes; a design can be typed."
)
RANKING = "Every metric, the soonest first"
HORIZONS = "The same metrics over one to four weeks"
AS_DECLARED = "as declared"
