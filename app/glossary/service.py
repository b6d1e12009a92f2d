"""Load, errors, latency, objectives and assertions."""

from __future__ import annotations

from app.glossary.base import Explanation

SERVICE: dict[str, Explanation] = {
    "service_over_time": Explanation(
        "Service over time",
        "Requests, the share of them that failed (any status but those of ok_status) and how long answers took, of one "
        "version, with a metric of the model and other logged series on the same time axis.",
        None,
        "Bands are intervals; dotted marks are releases; lines that turn together are a hint. p95 is the latency that "
        "95% of the answers do not exceed. Latencies are counted on edges 5% apart; a limit that so few requests "
        "cannot know is left out. A click opens examples of that window.",
        "That two lines turn at once is no proof that one moved the other. Requests that never reached the log are not "
        "in it: silence shows as an empty column.",
    ),
    "objectives": Explanation(
        "Objectives and their budgets",
        "An objective allows a share of bad requests over its period: its budget. The burn rate is how many times "
        "faster than allowed bad requests come; at 1 the budget lasts exactly its period.",
        r"\text{burn} = \frac{\text{bad}/\text{all}}{1 - \text{target}}, \quad "
        r"\text{left} = 1 - \text{burn over the period}",
        "A pair burns where the whole interval of its long window lies above the limit and the short one is above it, "
        "too: 14.4 over 1 hour and 5 minutes, 6 over 6 hours and 30 minutes (both wake somebody), 1 over 3 days and 6 "
        "hours (a ticket). Of an objective that needs labels the windows end when 95% of them have come.",
        "A budget is counted over requests, not over people: one user who always fails is little of it.",
    ),
    "tail": Explanation(
        "Who waits longest",
        "The units behind the slowest one percent of the requests, and whether few of them carry it.",
        None,
        "The ten units with most slow requests are compared with ten that chance would have put there, drawn in "
        "proportion to how often each asks. Requests of one unit in one minute count once for that.",
        "Why these units wait: their inputs may be larger, their line slower, or their time of day busier.",
    ),
    "assertions": Explanation(
        "What is always expected",
        "Conditions of the project file that every row, every pair of consecutive rows of a unit, or every group of "
        "rows should meet.",
        None,
        "A row counts as broken where the condition is false. Where something in it is missing it is neither true nor "
        "false: such rows are counted apart. Intervals are for the share broken in the long run.",
        "That all assertions hold does not make the data right: they only look at what they name.",
    ),
}
