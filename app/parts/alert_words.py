"""The sentences of the Alerts page that do not depend on results."""

from __future__ import annotations

UNDECLARED = "No rule is declared, so nothing can fire."
UNDECLARED_EXAMPLE = """[alerts.auc_drop]
metric = "roc_auc"
below = 0.65
window = "1 day"
for = 2
severity = "page"

[alerts.no_traffic]
no_data = "3 hours"
"""
FIRING, FIRING_HELP = (
    "Firing",
    "Targets (a rule, version and segment value) whose whole interval is beyond the limit.",
)
SILENCED = "Silenced"
WAITING, WAITING_HELP = "On the way", "Deliveries of messages that wait for their turn or for another try."
NOTHING_WAITS = "no message waits"
LOST = "{count} given up"
INCIDENTS = "{incidents} and {pages}"
CAUSE = "**Likely cause.** {cause}"
NO_CAUSE = "**Likely cause.** None is claimed; the evidence shows what changed."
DO = "**What to do.** {action}"
SINCE = "Since {since} · {where} · {alerts}"
EVIDENCE, EXAMPLES = "Open the evidence", "Ten real rows"
EVERY_ALERT = "Every target of every rule, what fires first"
CHOICE = "Alert"
VALUE = "Value now: {value}"
KNOWN = "{who} knows about it{note}."
UNKNOWN = "Nobody has said that they know about it."
SILENCED_UNTIL = "Silenced by {who} until {until}{note}."
NOTE_LINE = "{who}, {when}: {note}"
RUNBOOK = "[Runbook]({link})"
RULE_NOTE = "Note of the rule: {note}"
SUGGEST = {"retrain": "The rule suggests to **retrain**.", "roll_back": "The rule suggests to **roll back**."}
ACKNOWLEDGE, SILENCE, WRITE = "I know about it", "Silence", "Note"
WHO, WHO_HELP = "Your name", "There is no log-in: whatever stands here is kept."
NOTE = "Note"
KEEP = "Keep"
FOR = "For how long"
LENGTHS = {"1 hour": 1, "4 hours": 4, "1 day": 24, "3 days": 72, "1 week": 168}
WHAT = "What"
WHOLE_RULE, WHOLE_PROJECT = "every target of {alert}", "the whole project"
KEPT = "Kept."
NO_NAME = "Say who you are; nothing was kept."
NO_NOTE = "Write something; nothing was kept."
END = "End silence {number}"
ENDED = "Silence {number} is over."
EVERY_CHANGE = "Every change of state in this window, as a watcher that never slept would have seen it"
TOO_OFTEN = "{names}: looked at so often that they are shown for windows of up to {days} days only."
REPLAYED = "As the rules would have seen it: what was known at each look, whether or not a watcher ran."
EVERY_MESSAGE = "Every message and whom it reached"
EVERYTHING_SAID = "Everything people said about these alerts"
NOTHING_SAID = "Nobody has said anything yet: who knows, silences and notes on alerts stand here."
KEPT_IN = "Kept in {place}."
AS_OF = "As it was on {moment}; silences of that time count."
LOOKED = "Looked at {at}."
SAVED_VIEWS = "Saved views"
NO_VIEWS = (
    "No view is saved yet. A saved view is this page with everything that is chosen on it, for everybody."
)
VIEW_NAME = "Name"
SAVE = "Save this page"
SAVED = "Saved."
DELETE = "Delete"
