"""The sentences of the Service page that do not depend on results."""

from __future__ import annotations

REQUESTS = "Requests"
ERRORS = "Failed requests"
P95 = "p95 latency"
P99 = "p99 latency"
NO_LATENCY = "predictions.latency is not declared"
NO_STATUS = "predictions.status and ok_status are not declared"
BUDGET = "Budget left: {name}"
BEFORE = "{value} in the window before"
BESIDE = "Quality beside it"
SERIES = "Other series"
MOST_SERIES = 4
REFRESHES = "Looks again every {pause}."
OBJECTIVES_ALT = "Every objective, its budget and how fast it burns"
TAIL_ALT = "The units with most slow requests"
ASSERTIONS_ALT = "Every assertion: rows checked and rows broken"
BROKEN_ALT = "Rows that break the assertion"
CHOOSE_ASSERTION = "Rows that break"
NONE_BROKEN = "No row breaks an assertion in this window."
TAIL_FEW = (
    "Few carry the tail: the ten units with most slow requests have {share} of them, where chance would give "
    "{expected}."
)
TAIL_MANY = (
    "Nobody in particular waits: the ten units with most slow requests have {share} of them, as chance would give "
    "({expected})."
)
TAIL_UNKNOWN = "The ten units with most slow requests have {share} of them; what chance gives was not drawn."
TAIL_COUNTS = (
    "{slow} requests of {units_slow} units (of {units}) took longer than {limit}; p = {p} for so much on ten."
)
TAIL_NEEDS = "Who waits longest needs predictions.latency and predictions.unit."
TAIL_NONE = "No request stands out as slow in this window."
OBJECTIVE_EXAMPLE = """[objectives.answered]
kind = "availability"        # status is one of ok_status
share = 0.99
period = "30 days"

[objectives.quick]
good = "latency < 250"       # or one condition of your own over a row
share = 0.95
"""
ASSERTION_EXAMPLE = """[assertions.score_in_range]
expect = "score BETWEEN 0 AND 1"

[assertions.not_stuck]
expect = "score <> previous.score"      # the row before of the same unit

[assertions.one_answer]
within = ["request_id"]
expect = "count(*) = 1"
"""
