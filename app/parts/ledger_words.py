"""The sentences of the decisions section that do not depend on results."""

from __future__ import annotations

NOTHING_DECIDED = "Nothing is decided yet. The scorecard's word is {word}."
FORM = "Decide"
CALL = "Decision"
CALLS = {"ship": "Ship", "hold": "Hold", "stop": "Stop"}
CALLS_HELP = "Ship it, hold (wait, or look again), or stop without shipping."
ARM = "Arm"
WHO = "Your name"
WHO_HELP = "There is no log-in: whatever stands here is kept."
NOTE = "Why"
NOTE_EMPTY = "What speaks for it, and what against"
CORRECTS = "Takes the place of"
NOBODY = "no earlier decision"
KEEP = "Keep this decision"
KEPT_WITH = (
    "Kept with it: {rows} of this scorecard, {scope}, in {place}. Nothing that is kept is changed or removed."
)
ALL_KNOWN = "with all that is known now"
KNOWN_THEN = "as known on {moment}"
KEPT = "Decision {number} is kept."
CHANGED_MEANWHILE = (
    "The logs or the project file changed since this page was drawn, so nothing was kept. Look at the numbers again, "
    "then decide."
)
NO_NAME = "Say who decides; nothing was kept."
HISTORY = "Every decision on this experiment"
CHOICE = "{number} ({decision})"
"""Becomes part of the address: without the name of whoever decided."""
CHANGES = "Every comparison, then and now"
OF = "Of decision"
ANOTHER = "{number}, {who} on {day}: {decision}"
REPLACED = "replaced by decision {number}"
STANDS = "stands"
CANNOT_LOOK = "It cannot be computed anew: {problem}."
