"""The sentences of the section Calibration that do not depend on results."""

from __future__ import annotations

TOP = "Top class"
ERROR = "Calibration error"
ERROR_DETAIL = "{interval} · {debiased} beyond chance · n = {n}"
SPIEGELHALTER = "Spiegelhalter's test"
JOINT = "Gap 0 and slope 1"
SLOPE = "Calibration slope"
GAP = "Mean gap"
BRINGS = "Recalibration brings"
BRINGS_DETAIL = "{metric} on later days, {interval}"
P_DETAIL = "p {p}, corrected; z = {z}"
JOINT_DETAIL = "p {p}, corrected"
OVER_TIME = "Mean score minus share that came true, {grain}"
OVER_TIME_VALUES = "Mean prediction minus mean label, {grain}"
BY_SEGMENT = "Gap by {segment}"
TESTED = (
    "{off} of {tested} are off beyond chance and marked; "
    "about 1 in 20 of those marked is expected to be a false alarm."
)
MOST_SEGMENTS = "The {shown} largest gaps of {all}; the table has them all."
SAMPLE = "{note}"
OTHERS = "{version}: {sentence}"
GAINS = "What each map would have brought"
BASELINES = "Beside rules that know nothing"
METHOD = "Map"
METRIC = "Metric"
VALUE = "Value"
DIFFERENCE = "Against as they are"
BETTER = "Model is"
MODEL = "Model"
RULE = "Rule"
RULE_VALUE = "Its value"
GAP_TO_RULE = "Model minus rule"
WORDS = {True: "better", False: "worse", None: "unclear"}
METHODS = {"none": "as they are", "logistic": "logistic", "linear": "straight line", "isotonic": "isotonic"}
N = "n"
