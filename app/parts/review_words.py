"""What the page Label next says."""

from __future__ import annotations

WHO = "Your name"
WHO_HELP = "There is no log-in: labels are kept under what you type here."
QUEUE = "Queue"
REASONS = {
    "uncertain": "the score is unsure of it",
    "error_model": "the error model expects a mistake",
    "unlike": "it is unlike what is labelled",
    "random": "it came by chance",
}
SHOW_MODEL = "Show what the model said"
SHOW_MODEL_HELP = "Off until you have made up your mind: who sees the model's answer tends to agree with it."
CANNOT = "Cannot tell"
SKIP = "Leave to others"
KEEP = "Keep"
NAME_FIRST = "Type your name above, and the first row opens."
DONE = "There is no row left for you in this queue."
HELD = "This row is yours for ten minutes; others get other rows."
ASKED = "Row {place} of {n}. Asked because {reason}. Keys: {keys}."
DRAW = "Draw a queue"
DRAW_NAME = "Name of the queue"
DRAW_K = "Rows"
DRAW_EVEN = "Spread evenly"
DRAW_EVEN_HELP = (
    "The share of the chance that goes to every row alike. More of it: narrower intervals of what the labels say about "
    "all rows. Less: more rows that stand out."
)
DRAW_TWICE = "Asked twice"
DRAW_TWICE_HELP = "The share of the rows that two people label, so that agreement can be computed."
AUDIT = "Among labelled rows, too"
AUDIT_HELP = "To see whether the labels that came are right."
KEPT = "{label} is kept. Undo: label it again on the command line, or ask a colleague."
NO_ID = "Labels are brought back to their rows by id, and [predictions] names no id column."
NO_ID_EXAMPLE = '[predictions]\nid = "prediction_id"'
EXPORT = "Labels as a feed (JSON lines)"
EXPORT_HELP = "Put the file where [labels] path finds it, and these labels count everywhere."
NOTHING_TO_EXPORT = "No labels have been given yet."
WEIGHTED = (
    "Weighted by one over the chance with which each row was drawn. Unweighted stands beside it: what the choice of "
    "rows would have made of the number."
)
OTHER_KEYS = "x = cannot tell, s = leave to others"
ROW_ALT = "The row to label"
DRAWING = "Drawing …"
LABEL = "Label"
