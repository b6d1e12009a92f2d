"""The sentences of drills and of looking back that do not depend on results."""

from __future__ import annotations

NO_RULES = "No rule is declared, so nobody would notice anything."
NOTHING_LOGGED = "The logs hold no prediction, so nothing can break."
INTRO = (
    "A fault is planted in a copy of the logs, at three severities, and the project's rules are replayed on it at "
    "their real cadence. The logs are never touched."
)
FAULT, FEATURE, PLACE, START, DAYS, SEEDS = (
    "What breaks",
    "Feature",
    "Where",
    "From",
    "Days",
    "Runs of each severity",
)
EVERYWHERE = "everywhere"
SEEDS_HELP = "Every further run begins a week later and hits other rows."
RULES, RULES_HELP = (
    "Rules",
    "Fewer rules are replayed sooner, and burning budgets, looked at every few minutes, take longest.",
)
RUN, STOP, AGAIN = "Run the drill", "Stop", "Run it again"
STOPPED = "Stopped. Nothing is left behind: copies are removed."
DOING = "{done} of {total}: {doing}"
SEVERITY = "Severity: {meaning}."
STAND_IN = "Scores of broken rows are those of a stand-in for the model, which explains {explained} of the logged ones."
BY_SEVERITY, BY_RULE = (
    "What was told, by severity",
    "What every rule did, by run; severity 0 is the untouched replay",
)
CHAOS_UNDECLARED = "No fault that was real is declared."
CHAOS_EXAMPLE = """[[chaos]]
name = "cache off"
start = 2026-03-03T10:00:00
end = 2026-03-03T11:00:00
fault = "the feature cache was switched off"
hypothesis = "accuracy holds, answers are slower"
metric = "accuracy"
expect = "unharmed"
tolerance = 0.02
"""
CHAOS_CHOICE = "Fault"
RULE, PAGES = "Rule", "Pages a month you can live with"
PAGES_HELP = "A limit that sends so many is chosen on the first half of the logs and shown on the second."
LOOK_BACK = "Look back"
WHOLE_LOGS = "Over all the logs, each look as things were known then; the window of the bar does not apply."
FIRINGS = "Every time it would have fired, the newest first"
